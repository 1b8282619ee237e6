//! Every state and phase, and what becomes of it by every event and by every question of a client.

use super::*;

/// Returns one of each event, and several of those that depend on what they carry.
fn every_event() -> Vec<Event> {
    let mut events = vec![
        stored(),
        not_stored(),
        end_stored(),
        end_not_stored(),
        collect_stored(),
        runs(),
        not_spawned(),
        cannot_spawn_now(),
        output(),
        exited(0),
        exited(5),
        killed(9),
        vanished(),
        Event::Judged(Verdict::Over),
        Event::Judged(Verdict::NotOver),
        Event::Judged(Verdict::Unknown),
        Event::Judged(Verdict::OutOfSight),
        Event::Sought(None),
        Event::Sought(Some(Target::of(&pvmove()).names)),
        Event::Sought(Some(renamed())),
        Event::Tick,
        KEEP,
        END,
    ];
    events.extend(situations().map(looked));
    events.extend(situations().map(looked_at_sleeper));
    events
}

/// The row of one state: what each event does to it at [`NOW`].
struct Row {
    mode: Mode,
    state: State,
    told: Vec<Event>,
}

impl Row {
    fn of(state: State) -> Self {
        Self { mode: Mode::Classic, state, told: Vec::new() }
    }

    fn in_events(self) -> Self {
        Self { mode: Mode::Events, ..self }
    }

    fn of_phase(phase: Phase) -> Self {
        Self::of(active(phase))
    }

    #[track_caller]
    fn on(mut self, event: Event, expected: &State, effects: &[Effect]) -> Self {
        let (state, seen) = self.outcome_of(&event);
        assert_eq!((&state, seen.as_slice()), (expected, effects), "{event:?}");
        self.told.push(event);
        self
    }

    /// Every event that was not told changes nothing.
    #[track_caller]
    fn and_nothing_else(self) {
        let untold = every_event().into_iter().filter(|event| !self.told.contains(event));
        for event in untold {
            assert_eq!(self.outcome_of(&event), (self.state.clone(), vec![]), "{event:?}");
        }
    }

    fn outcome_of(&self, event: &Event) -> (State, Vec<Effect>) {
        let mut operation = Operation { state: self.state.clone(), init_requests: 1, mode: self.mode };
        let effects = operation.apply(event, NOW);
        (operation.state, effects)
    }
}

fn active(phase: Phase) -> State {
    State::Active { job: job(), phase }
}

fn running(last_output: Moment, silent: bool) -> State {
    active(Phase::Running { last_output, silent })
}

fn storing(outcome: Outcome) -> State {
    active(Phase::Storing { outcome, retry_at: None })
}

fn ended(since: Moment) -> State {
    State::Ended { job: job(), outcome: DONE, since }
}

/// A second child is being started.
fn spawning_again() -> State {
    State::Active { job: Job { attempt: 2, ..job() }, phase: Phase::Spawning { stop: None } }
}

/// A child was killed at [`NOW`] and the next is started after the first delay.
fn crashed() -> (State, Effect) {
    let job = Job { crashes: vec![NOW], ..job() };
    let phase = Phase::BackingOff { until: NOW + CRASH_DELAY };
    (State::Active { job, phase }, Effect::Note(Note::CrashedRunsAgain { signal: 9, delay: CRASH_DELAY }))
}

/// The first child could not be started at [`NOW`], which does not count as a start.
fn put_off() -> (State, Effect) {
    let job = Job { attempt: 0, shortages: 1, ..job() };
    let phase = Phase::BackingOff { until: NOW + SHORTAGE_DELAY };
    let note = Note::CannotSpawnNow { reason: no_processes(), delay: SHORTAGE_DELAY };
    (State::Active { job, phase }, Effect::Note(note))
}

/// A child ended with 0 at [`NOW`], too early, and the next is started after the first delay.
fn unfinished() -> (State, Effect) {
    let job = Job { unfinished: 1, ..job() };
    let phase = Phase::BackingOff { until: NOW + UNFINISHED_DELAY };
    (State::Active { job, phase }, Effect::Note(Note::UnfinishedRunsAgain { delay: UNFINISHED_DELAY }))
}

#[test]
fn vacant() {
    Row::of(State::Vacant)
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[LEAVE])
        .and_nothing_else();
}

#[test]
fn intending() {
    let refused = Err("disk full".to_owned());
    Row::of_phase(Phase::Intending)
        .on(stored(), &spawning_again(), &[Effect::AnswerStarters(Ok(OP)), Effect::Spawn])
        .on(not_stored(), &State::Leaving, &[Effect::AnswerStarters(refused), LEAVE])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

#[test]
fn spawning() {
    let (put_off, shortage) = put_off();
    Row::of_phase(Phase::Spawning { stop: None })
        .on(runs(), &running(NOW, false), &[Effect::StoreStarted])
        .on(not_spawned(), &storing(lost()), &[Effect::StoreEnd(lost())])
        .on(cannot_spawn_now(), &put_off, &[shortage])
        .on(KEEP, &active(Phase::Spawning { stop: Some(Stop::LeaveChild) }), &[])
        .on(END, &active(Phase::Spawning { stop: Some(Stop::EndChild) }), &[])
        .and_nothing_else();
}

#[test]
fn spawning_when_the_daemon_is_to_end_and_leave_the_child() {
    let end_instead = active(Phase::Spawning { stop: Some(Stop::EndChild) });
    Row::of_phase(Phase::Spawning { stop: Some(Stop::LeaveChild) })
        .on(runs(), &State::Leaving, &[LEAVE])
        .on(not_spawned(), &State::Leaving, &[LEAVE])
        .on(cannot_spawn_now(), &State::Leaving, &[LEAVE])
        .on(END, &end_instead, &[])
        .and_nothing_else();
}

#[test]
fn spawning_when_the_daemon_is_to_end_with_the_child() {
    let leave_instead = active(Phase::Spawning { stop: Some(Stop::LeaveChild) });
    Row::of_phase(Phase::Spawning { stop: Some(Stop::EndChild) })
        .on(runs(), &active(Phase::Terminating), &[Effect::StoreStarted, Effect::EndChild])
        .on(not_spawned(), &State::Leaving, &[FORGET])
        .on(cannot_spawn_now(), &State::Leaving, &[FORGET])
        .on(KEEP, &leave_instead, &[])
        .and_nothing_else();
}

#[test]
fn adopting() {
    let (backing_off, crashed) = crashed();
    Row::of_phase(Phase::Adopting { stop: None })
        .on(runs(), &running(NOW, false), &[Effect::StoreStarted])
        .on(exited(0), &active(Phase::Judging), &[Effect::Judge])
        .on(exited(5), &storing(Outcome::Retcode(5)), &[Effect::StoreEnd(Outcome::Retcode(5))])
        .on(killed(9), &backing_off, &[crashed])
        .on(vanished(), &spawning_again(), &[Effect::Note(Note::ExitUnknownRunsAgain), Effect::Spawn])
        .on(KEEP, &active(Phase::Adopting { stop: Some(Stop::LeaveChild) }), &[])
        .on(END, &active(Phase::Adopting { stop: Some(Stop::EndChild) }), &[])
        .and_nothing_else();
}

#[test]
fn adopting_when_the_daemon_is_to_end_and_leave_the_child() {
    let mut row = Row::of_phase(Phase::Adopting { stop: Some(Stop::LeaveChild) })
        .on(runs(), &State::Leaving, &[LEAVE])
        .on(END, &active(Phase::Adopting { stop: Some(Stop::EndChild) }), &[]);
    for exit in [exited(0), exited(5), killed(9), vanished()] {
        row = row.on(exit, &State::Leaving, &[LEAVE]);
    }
    row.and_nothing_else();
}

#[test]
fn adopting_when_the_daemon_is_to_end_with_the_child() {
    let mut row = Row::of_phase(Phase::Adopting { stop: Some(Stop::EndChild) })
        .on(runs(), &active(Phase::Terminating), &[Effect::StoreStarted, Effect::EndChild])
        .on(KEEP, &active(Phase::Adopting { stop: Some(Stop::LeaveChild) }), &[]);
    for exit in [exited(0), exited(5), killed(9), vanished()] {
        row = row.on(exit, &State::Leaving, &[FORGET]);
    }
    row.and_nothing_else();
}

/// The part of a row that is the same for a child that is silent and one that is not.
fn row_of_running(state: State) -> Row {
    let (backing_off, crashed) = crashed();
    Row::of(state)
        .on(exited(0), &active(Phase::Judging), &[Effect::Judge])
        .on(exited(5), &storing(Outcome::Retcode(5)), &[Effect::StoreEnd(Outcome::Retcode(5))])
        .on(killed(9), &backing_off, &[crashed])
        .on(vanished(), &spawning_again(), &[Effect::Note(Note::ExitUnknownRunsAgain), Effect::Spawn])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &active(Phase::Terminating), &[Effect::EndChild])
}

#[test]
fn running_with_some_time_left_to_speak() {
    let state = running(ago(SILENCE_FLOOR) + MILLISECOND, false);
    row_of_running(state).on(output(), &running(NOW, false), &[]).and_nothing_else();
}

#[test]
fn running_without_output_for_too_long() {
    let last_output = ago(SILENCE_FLOOR);
    row_of_running(running(last_output, false))
        .on(output(), &running(NOW, false), &[])
        .on(
            Event::Tick,
            &running(last_output, true),
            &[Effect::Note(Note::Silent { silence: SILENCE_FLOOR })],
        )
        .and_nothing_else();
}

#[test]
fn running_and_known_to_be_silent() {
    row_of_running(running(Duration::ZERO, true))
        .on(output(), &running(NOW, false), &[Effect::Note(Note::SpokeAgain)])
        .and_nothing_else();
}

/// lvpoll is being started because the operation needs it.
fn stepping(futile_steps: u32) -> State {
    let job = Job { attempt: 2, before_step: Some(COPIED), futile_steps, ..job() };
    State::Active { job, phase: Phase::Spawning { stop: None } }
}

fn watching() -> State {
    active(Phase::Watching { until: NOW + LOOK_DEADLINE, hold: None })
}

fn fallen_back(attempt: u32, phase: Phase) -> State {
    State::Active { job: Job { attempt, has_fallen_back: true, ..job() }, phase }
}

fn fell_back(why: &'static str) -> Effect {
    Effect::Note(Note::FellBack { why })
}

#[test]
fn intending_in_mode_events() {
    let refused = Err("disk full".to_owned());
    Row::of_phase(Phase::Intending)
        .in_events()
        .on(stored(), &watching(), &[Effect::AnswerStarters(Ok(OP))])
        .on(not_stored(), &State::Leaving, &[Effect::AnswerStarters(refused), LEAVE])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

#[test]
fn watching_a_copy() {
    let overdue = fell_back("device-mapper was not looked at in time");
    let by_itself = fallen_back(2, Phase::Spawning { stop: None });
    let [copying, copied, gone, failed, unclear] = situations();
    let mut row = Row::of_phase(Phase::Watching { until: NOW, hold: None })
        .in_events()
        .on(Event::Tick, &by_itself, &[overdue, Effect::Spawn])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET]);
    for look in [looked, looked_at_sleeper] {
        row = row
            .on(look(copying.clone()), &watching(), &[])
            .on(look(copied.clone()), &stepping(0), &[Effect::Spawn])
            .on(look(gone.clone()), &by_itself, &[Effect::Spawn])
            .on(look(failed.clone()), &by_itself, &[Effect::Spawn])
            .on(look(unclear.clone()), &by_itself, &[fell_back("odd"), Effect::Spawn]);
    }
    row.and_nothing_else();
}

/// A look at a segment that is copied, when it is not the operation's turn to go on.
fn looked_out_of_turn(situation: Situation, hold: Hold) -> Event {
    Event::Looked { look: Look::of(situation, Some(COPIED)), is_child_asleep: false, hold: Some(hold) }
}

fn held(job: Job, hold: Hold) -> State {
    State::Active { job, phase: Phase::Watching { until: NOW + LOOK_DEADLINE, hold: Some(hold) } }
}

#[test]
fn a_copied_segment_waits_for_the_turn_of_the_next_and_nothing_else_does() {
    let noon = Hold::Window { opens: jiff::civil::time(12, 0, 0, 0) };
    let row = Row::of(held(job(), Hold::VgLimit)).in_events();
    let due = Situation::Due(Due::Copied);
    let same = row.outcome_of(&looked_out_of_turn(due.clone(), Hold::VgLimit));
    assert_eq!(same, (held(job(), Hold::VgLimit), vec![]), "it is told once");
    let other = row.outcome_of(&looked_out_of_turn(due.clone(), noon));
    assert_eq!(other, (held(job(), noon), vec![Effect::Note(Note::Held { hold: noon })]));
    assert_eq!(row.outcome_of(&looked(due.clone())), (stepping(0), vec![Effect::Spawn]));
    let first = Row::of(watching()).in_events().outcome_of(&looked_out_of_turn(due, Hold::PvLimit));
    let told = Effect::Note(Note::Held { hold: Hold::PvLimit });
    assert_eq!(first, (held(job(), Hold::PvLimit), vec![told]));
    let copying = row.outcome_of(&looked_out_of_turn(Situation::Copying, Hold::VgLimit));
    assert_eq!(copying, (watching(), vec![]));
    for situation in situations().into_iter().skip(2) {
        let (_, effects) = row.outcome_of(&looked_out_of_turn(situation.clone(), Hold::VgLimit));
        assert!(effects.contains(&Effect::Spawn), "{situation:?} is for lvpoll, whoever's turn it is");
    }
}

#[test]
fn a_paused_operation_waits_at_the_end_of_its_segment_until_it_is_resumed() {
    let mut operation = Operation { state: watching(), init_requests: 1, mode: Mode::Events };
    operation.pause(true);
    assert_eq!(operation.apply(&looked(Situation::Copying), NOW), []);
    let due = looked(Situation::Due(Due::Copied));
    assert_eq!(operation.apply(&due, NOW), [Effect::Note(Note::Held { hold: Hold::Paused })]);
    assert_eq!(operation.apply(&due, NOW), []);
    operation.pause(false);
    assert_eq!(operation.apply(&due, NOW), [Effect::Spawn]);
}

#[test]
fn who_can_be_paused() {
    let operation =
        |mode, job, phase| Operation { state: State::Active { job, phase }, init_requests: 1, mode };
    let of = |request| Job::new(OP, request, None);
    let running = || Phase::Running { last_output: NOW, silent: false };
    let abort = StartRequest { abort: true, ..pvmove() };
    let fallen_back = Job { has_fallen_back: true, ..job() };
    for (mode, job, expected) in [
        (Mode::Events, job(), Ok(())),
        (Mode::Events, of(convert()), Err(CannotPause::InOnePiece)),
        (Mode::Events, of(abort), Err(CannotPause::InOnePiece)),
        (Mode::Events, fallen_back, Err(CannotPause::LvpollWatches)),
        (Mode::Classic, job(), Err(CannotPause::LvpollWatches)),
    ] {
        assert_eq!(operation(mode, job, running()).can_pause(), expected, "{mode:?}");
    }
    let over = Operation { state: ended(NOW), init_requests: 1, mode: Mode::Events };
    assert_eq!(over.can_pause(), Err(CannotPause::Ended));
}

#[test]
fn a_look_that_is_not_overdue_is_waited_for() {
    let phase = Phase::Watching { until: NOW + MILLISECOND, hold: None };
    let row = Row::of_phase(phase).in_events();
    assert_eq!(row.outcome_of(&Event::Tick), (row.state.clone(), vec![]));
}

#[test]
fn lvpoll_that_leaves_a_copy_as_it_is_has_to_watch_by_itself() {
    let due = looked(Situation::Due(Due::Copied));
    for futile_steps in 0..FUTILE_STEPS {
        let job = Job { before_step: Some(COPIED), futile_steps, ..job() };
        let phase = Phase::Watching { until: NOW, hold: None };
        let (state, effects) = Row::of(State::Active { job, phase }).in_events().outcome_of(&due);
        let State::Active { job, phase: Phase::Spawning { .. } } = state else { panic!("{state:?}") };
        let is_last = futile_steps + 1 == FUTILE_STEPS;
        assert_eq!(job.has_fallen_back, is_last, "{futile_steps}");
        assert_eq!(effects.contains(&fell_back("lvpoll leaves the copy as it is")), is_last);
        assert!(effects.contains(&Effect::Spawn));
    }
}

#[test]
fn running_in_mode_events() {
    let relieving = active(Phase::Relieving { until: NOW + RELIEF_DEADLINE });
    let (backing_off, crashed) = crashed();
    Row::of(running(NOW, false))
        .in_events()
        .on(looked_at_sleeper(Situation::Copying), &relieving, &[Effect::RelieveChild])
        .on(looked_at_sleeper(Situation::Due(Due::Copied)), &relieving, &[Effect::RelieveChild])
        .on(exited(0), &active(Phase::Judging), &[Effect::Judge])
        .on(exited(5), &storing(Outcome::Retcode(5)), &[Effect::StoreEnd(Outcome::Retcode(5))])
        .on(killed(9), &backing_off, &[crashed])
        .on(vanished(), &watching(), &[Effect::Note(Note::ExitUnknownLooks)])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &active(Phase::Terminating), &[Effect::EndChild])
        .and_nothing_else();
}

#[test]
fn an_operation_that_has_fallen_back_lets_lvpoll_sleep() {
    let phase = Phase::Running { last_output: NOW, silent: false };
    let row = Row::of(fallen_back(1, phase)).in_events();
    for situation in situations() {
        assert_eq!(row.outcome_of(&looked_at_sleeper(situation)), (row.state.clone(), vec![]));
    }
}

#[test]
fn relieving() {
    let job = Job { has_fallen_back: true, is_relieved: true, ..job() };
    let running = State::Active { job, phase: Phase::Running { last_output: NOW, silent: false } };
    let mut row = Row::of_phase(Phase::Relieving { until: NOW })
        .in_events()
        .on(exited(0), &active(Phase::Judging), &[Effect::Judge])
        .on(Event::Tick, &running, &[fell_back("lvpoll does not end when it is asked to")])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &active(Phase::Terminating), &[Effect::EndChild]);
    for exit in [exited(5), killed(9), vanished()] {
        row = row.on(exit, &watching(), &[]);
    }
    row.and_nothing_else();
}

#[test]
fn lvpoll_that_ends_late_as_it_was_asked_to_says_nothing_of_the_operation() {
    let relieved = Job { has_fallen_back: true, is_relieved: true, ..job() };
    let running = State::Active { job: relieved, phase: Phase::Running { last_output: NOW, silent: false } };
    let row = Row::of(running).in_events();
    let (_, effects) = row.outcome_of(&exited(5));
    assert_eq!(effects, [Effect::Note(Note::ExitUnknownRunsAgain), Effect::Spawn]);
    let (_, effects) = row.outcome_of(&exited(0));
    assert_eq!(effects, [Effect::Judge]);
}

#[test]
fn a_pause_holds_although_nobody_can_see_the_kernel() {
    let paused = Job { is_paused: true, ..job() };
    let state = |until| State::Active {
        job: paused.clone(),
        phase: Phase::Watching { until, hold: Some(Hold::Paused) },
    };
    let row = Row::of(state(NOW)).in_events();
    let held = (state(NOW + LOOK_DEADLINE), vec![]);
    assert_eq!(row.outcome_of(&looked(Situation::Unclear { why: "odd" })), held);
    assert_eq!(row.outcome_of(&Event::Tick), held);
}

#[test]
fn what_cannot_be_seen_is_not_watched() {
    let running = Phase::Running { last_output: NOW, silent: false };
    let thin = StartRequest { kind: PollOperation::MergeThin, ..pvmove() };
    let abort = StartRequest { abort: true, ..pvmove() };
    let merge = StartRequest { kind: PollOperation::Merge, ..pvmove() };
    for (mode, request, is_watched, is_observed) in [
        (Mode::Events, pvmove(), true, true),
        (Mode::Events, convert(), true, true),
        (Mode::Classic, pvmove(), false, true),
        (Mode::Classic, convert(), false, true),
        (Mode::Classic, merge, false, false),
        (Mode::Events, thin, false, false),
        (Mode::Events, abort, false, false),
    ] {
        let state = State::Active { job: Job::new(OP, request.clone(), None), phase: running.clone() };
        let operation = Operation { state, init_requests: 1, mode };
        assert_eq!(operation.is_watched(), is_watched, "{mode:?} {request:?}");
        assert_eq!(operation.is_observed(), is_observed, "{mode:?} {request:?}");
    }
}

#[test]
fn judging() {
    let (backing_off, not_over) = unfinished();
    Row::of_phase(Phase::Judging)
        .on(Event::Judged(Verdict::Over), &storing(DONE), &[Effect::StoreEnd(DONE)])
        .on(Event::Judged(Verdict::Unknown), &storing(DONE), &[Effect::StoreEnd(DONE)])
        .on(Event::Judged(Verdict::NotOver), &backing_off, &[not_over])
        .on(Event::Judged(Verdict::OutOfSight), &active(Phase::Seeking), &[Effect::Seek])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

/// The part of a row that is the same whether it is the first time or not.
fn row_of_seeking(job: Job) -> Row {
    let request = pvmove_in_renamed_vg();
    let found = Job { attempt: 2, request, ..job.clone() };
    let found = State::Active { job: found, phase: Phase::Spawning { stop: None } };
    Row::of(State::Active { job, phase: Phase::Seeking })
        .on(Event::Sought(Some(renamed())), &found, &[Effect::StoreRenamed, Effect::Spawn])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
}

#[test]
fn seeking_for_the_first_time_in_a_while() {
    let until = NOW + OUT_OF_SIGHT_DELAY;
    let again = Job { out_of_sight: Some(NOW), ..job() };
    let again = State::Active { job: again, phase: Phase::BackingOff { until } };
    let note = || Effect::Note(Note::OutOfSightRunsAgain { delay: OUT_OF_SIGHT_DELAY });
    row_of_seeking(job())
        .on(Event::Sought(None), &again, &[note()])
        .on(Event::Sought(Some(Target::of(&pvmove()).names)), &again, &[note()])
        .and_nothing_else();
    let long_ago = Job { out_of_sight: Some(ago(OUT_OF_SIGHT_PERIOD)), ..job() };
    row_of_seeking(long_ago).on(Event::Sought(None), &again, &[note()]);
}

#[test]
fn seeking_for_the_second_time() {
    let before = Job { out_of_sight: Some(ago(OUT_OF_SIGHT_PERIOD) + MILLISECOND), ..job() };
    let over = Job { out_of_sight: Some(NOW), ..job() };
    let over = State::Active { job: over, phase: Phase::Storing { outcome: FAILED, retry_at: None } };
    let effects = || [Effect::Note(Note::OutOfSightReported), Effect::StoreEnd(FAILED)];
    row_of_seeking(before)
        .on(Event::Sought(None), &over, &effects())
        .on(Event::Sought(Some(Target::of(&pvmove()).names)), &over, &effects())
        .and_nothing_else();
}

/// lvpoll runs, and another request has named the VG otherwise since.
#[test]
fn however_an_lvpoll_ends_that_was_told_old_names_the_next_is_told_the_new_ones() {
    let job = Job { request: pvmove_in_renamed_vg(), is_renewed: true, ..job() };
    let again = Job { is_renewed: false, attempt: 2, ..job.clone() };
    let again = State::Active { job: again, phase: Phase::Spawning { stop: None } };
    let effects = [Effect::Note(Note::RenewedRunsAgain), Effect::Spawn];
    let running = Phase::Running { last_output: NOW, silent: false };
    for (phase, event) in [
        (running, exited(5)),
        (Phase::Judging, Event::Judged(Verdict::NotOver)),
        (Phase::Judging, Event::Judged(Verdict::OutOfSight)),
        (Phase::Seeking, Event::Sought(None)),
        (Phase::Seeking, Event::Sought(Some(Target::of(&pvmove()).names))),
    ] {
        let state = State::Active { job: job.clone(), phase };
        assert_eq!(Row::of(state).outcome_of(&event), (again.clone(), effects.to_vec()), "{event:?}");
    }
}

#[test]
fn backing_off_with_some_time_left() {
    Row::of_phase(Phase::BackingOff { until: NOW + MILLISECOND })
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

#[test]
fn backing_off_until_now() {
    Row::of_phase(Phase::BackingOff { until: NOW })
        .on(Event::Tick, &spawning_again(), &[Effect::Spawn])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

/// The part of a row that is the same whether or not the end is being written at the moment.
fn row_of_storing(retry_at: Option<Moment>) -> Row {
    let to_be_retried = Phase::Storing { outcome: DONE, retry_at: Some(NOW + STORE_RETRY_DELAY) };
    Row::of_phase(Phase::Storing { outcome: DONE, retry_at })
        .on(end_stored(), &ended(NOW), &[])
        .on(end_not_stored(), &active(to_be_retried), &[Effect::Note(Note::EndNotStored)])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
}

#[test]
fn storing_under_way() {
    row_of_storing(None).and_nothing_else();
}

#[test]
fn storing_again_later() {
    row_of_storing(Some(NOW + MILLISECOND)).and_nothing_else();
}

#[test]
fn storing_again_now() {
    row_of_storing(Some(NOW)).on(Event::Tick, &storing(DONE), &[Effect::StoreEnd(DONE)]).and_nothing_else();
}

#[test]
fn terminating() {
    let mut row = Row::of_phase(Phase::Terminating);
    for exit in [exited(0), exited(5), killed(15), vanished()] {
        row = row.on(exit, &State::Leaving, &[FORGET]);
    }
    row.on(killed(9), &State::Leaving, &[FORGET]).and_nothing_else();
}

#[test]
fn ended_and_kept() {
    Row::of(ended(ago(RETENTION) + MILLISECOND))
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

#[test]
fn ended_and_kept_for_long_enough() {
    Row::of(ended(ago(RETENTION)))
        .on(Event::Tick, &State::Leaving, &[Effect::Note(Note::ResultExpired), FORGET])
        .on(KEEP, &State::Leaving, &[LEAVE])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

#[test]
fn collecting() {
    Row::of(State::Collecting { op: OP })
        .on(collect_stored(), &State::Leaving, &[LEAVE])
        .on(KEEP, &State::Leaving, &[FORGET])
        .on(END, &State::Leaving, &[FORGET])
        .and_nothing_else();
}

#[test]
fn leaving() {
    Row::of(State::Leaving).and_nothing_else();
}

/// Every phase, once.
fn every_phase() -> [Phase; 9] {
    [
        Phase::Intending,
        Phase::Spawning { stop: None },
        Phase::Adopting { stop: None },
        Phase::Running { last_output: NOW, silent: false },
        Phase::Judging,
        Phase::Seeking,
        Phase::BackingOff { until: NOW },
        Phase::Storing { outcome: DONE, retry_at: None },
        Phase::Terminating,
    ]
}

#[track_caller]
fn assert_start(state: State, request: StartRequest, answer: Answer<StartAnswer>, init_requests: u32) {
    let mut operation = Operation { state: state.clone(), init_requests: 1, mode: Mode::Classic };
    let is_backing_off = matches!(state, State::Active { phase: Phase::BackingOff { .. }, .. });
    let joins = is_backing_off && request.kind == pvmove().kind;
    let (expected, effects) = if joins { (spawning_again(), vec![Effect::Spawn]) } else { (state, vec![]) };
    assert_eq!(operation.start(request, OTHER_OP, None), (answer, effects), "{expected:?}");
    assert_eq!(operation, Operation { state: expected, init_requests, mode: Mode::Classic });
}

/// lvpoll is told what the newest request says as soon as there is an lvpoll to be told.
#[test]
fn a_start_under_another_name_holds_for_the_next_lvpoll() {
    let other = StartRequest { devicesfile: Some("some".try_into().unwrap()), ..pvmove_in_renamed_vg() };
    for phase in every_phase() {
        let is_open = !matches!(phase, Phase::Intending | Phase::Storing { .. } | Phase::Terminating);
        let starts = matches!(phase, Phase::BackingOff { .. });
        let mut operation = Operation { state: active(phase), init_requests: 1, mode: Mode::Classic };
        assert_eq!(operation.renewal(&other), is_open.then(|| Target::of(&other)), "{operation:?}");
        assert_eq!(operation.renewal(&pvmove()), None);
        let (_answer, effects) = operation.start(other.clone(), OTHER_OP, None);
        assert_eq!(effects, if starts { vec![Effect::Spawn] } else { vec![] });
        let job = operation.job().unwrap();
        let expected = if is_open { Target::of(&other) } else { Target::of(&pvmove()) };
        assert_eq!((Target::of(&job.request), job.is_renewed), (expected, is_open && !starts));
    }
}

#[test]
fn a_start_gives_what_has_failed_before_another_chance() {
    let tired = Job { unfinished: UNFINISHED_RESTARTS, out_of_sight: Some(NOW), ..job() };
    let state = State::Active { job: tired, phase: Phase::BackingOff { until: NOW + UNFINISHED_DELAY } };
    let mut operation = Operation { state, init_requests: 1, mode: Mode::Classic };
    assert_eq!(operation.start(pvmove(), OTHER_OP, None).1, [Effect::Spawn]);
    assert_eq!(*operation.state(), spawning_again());
}

#[test]
fn a_start_begins_an_operation_where_none_is_in_progress() {
    for state in [State::Vacant, ended(NOW), State::Collecting { op: OP }] {
        let mut operation = Operation { state, init_requests: 7, mode: Mode::Classic };
        assert_eq!(
            operation.start(convert(), OTHER_OP, Some(7)),
            (Answer::WhenStored, vec![Effect::StoreIntent])
        );
        let job = Job::new(OTHER_OP, convert(), Some(7));
        let intending = State::Active { job, phase: Phase::Intending };
        assert_eq!(operation, Operation { state: intending, init_requests: 1, mode: Mode::Classic });
    }
}

#[test]
fn a_start_of_what_is_in_progress_is_counted_and_answered_as_soon_as_it_is_durable() {
    for phase in every_phase() {
        let (answer, count) = match phase {
            Phase::Intending => (Answer::WhenStored, 2),
            Phase::Terminating => (Answer::Now(StartAnswer::Leaving), 1),
            _ => (Answer::Now(StartAnswer::Ok { op: OP, already_running: true }), 2),
        };
        assert_start(active(phase), pvmove(), answer, count);
    }
}

#[test]
fn a_start_of_another_kind_is_refused_while_one_is_in_progress() {
    for phase in every_phase() {
        assert_start(active(phase), convert(), Answer::Now(StartAnswer::DifferentOperation), 1);
    }
}

#[test]
fn a_start_is_sent_on_to_a_successor_by_an_actor_that_ends() {
    assert_start(State::Leaving, pvmove(), Answer::Now(StartAnswer::Leaving), 1);
}

#[track_caller]
fn assert_collect(state: &State, answer: &Progress) {
    let mut operation = Operation { state: state.clone(), init_requests: 1, mode: Mode::Classic };
    let (seen, effects) = operation.collect();
    assert_eq!((&seen, effects), (answer, vec![]), "{state:?}");
    assert_eq!(operation.state, *state);
}

#[test]
fn collecting_takes_the_end_and_nothing_else() {
    for phase in every_phase() {
        assert_collect(&active(phase), &Progress::InProgress);
    }
    for state in [State::Vacant, State::Collecting { op: OP }, State::Leaving] {
        assert_collect(&state, &Progress::NotFound);
    }
    let mut operation = Operation { state: ended(NOW), init_requests: 1, mode: Mode::Classic };
    assert_eq!(operation.collect(), (Progress::Ended(DONE), vec![Effect::StoreCollected { op: OP }]));
    assert_eq!(operation.state, State::Collecting { op: OP });
}

#[test]
fn only_what_waits_for_time_has_a_time_to_wake_at() {
    let soon = NOW + MILLISECOND;
    for (state, wake) in [
        (State::Vacant, None),
        (active(Phase::Intending), None),
        (active(Phase::Spawning { stop: None }), None),
        (active(Phase::Adopting { stop: None }), None),
        (running(NOW, false), Some(NOW + SILENCE_FLOOR)),
        (running(NOW, true), None),
        (active(Phase::Judging), None),
        (active(Phase::Seeking), None),
        (active(Phase::BackingOff { until: soon }), Some(soon)),
        (storing(DONE), None),
        (active(Phase::Storing { outcome: DONE, retry_at: Some(soon) }), Some(soon)),
        (active(Phase::Terminating), None),
        (ended(NOW), Some(NOW + RETENTION)),
        (State::Collecting { op: OP }, None),
        (State::Leaving, None),
    ] {
        let operation = Operation { state, init_requests: 1, mode: Mode::Classic };
        assert_eq!(operation.next_wake(), wake, "{operation:?}");
    }
}

#[test]
fn recovery_goes_on_from_what_is_durable() {
    let unstarted = Job { attempt: 1, ..Job::new(OP, pvmove(), None) };
    let spawning = State::Active { job: unstarted, phase: Phase::Spawning { stop: None } };
    let second = Job { attempt: 2, ..job() };
    let adopting = State::Active { job: second, phase: Phase::Adopting { stop: None } };
    let over = State::Ended { job: Job::new(OP, pvmove(), None), outcome: DONE, since: NOW };
    for (life, state, effects) in [
        (Life::Intended, spawning, vec![Effect::Spawn]),
        (Life::Started { process: process(), attempt: 2 }, adopting, vec![Effect::Adopt(process())]),
        (Life::Ended(DONE.into()), over, vec![]),
    ] {
        let expected = (Operation { state, init_requests: 1, mode: Mode::Classic }, effects);
        assert_eq!(Operation::recover(recovered(life), Mode::Classic, NOW), expected);
    }
}

#[test]
fn what_was_only_intended_is_watched_in_mode_events() {
    let state = State::Active {
        job: Job::new(OP, pvmove(), None),
        phase: Phase::Watching { until: NOW + LOOK_DEADLINE, hold: None },
    };
    let expected = (Operation { state, init_requests: 1, mode: Mode::Events }, vec![]);
    assert_eq!(Operation::recover(recovered(Life::Intended), Mode::Events, NOW), expected);
}
