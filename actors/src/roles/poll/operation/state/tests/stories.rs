//! Operations from their beginning to their end.

use super::*;

/// An operation and its time; what it does about each event is told in order.
struct Story {
    operation: Operation,
    now: Moment,
}

impl Story {
    /// Begins with a request.
    fn of(request: StartRequest) -> Self {
        let mut operation = Operation::default();
        assert_eq!(operation.start(request, OP, None), (Answer::WhenStored, vec![Effect::StoreIntent]));
        Self { operation, now: Duration::ZERO }
    }

    /// Begins with a child that runs.
    fn of_running() -> Self {
        let mut story = Self::of(pvmove());
        story.sees(&stored(), &[Effect::AnswerStarters(Ok(OP)), Effect::Spawn]);
        story.sees(&runs(), &[Effect::StoreStarted]);
        story
    }

    /// Begins with a result that nobody has collected.
    fn of_ended() -> Self {
        let mut story = Self::of_running();
        story.sees(&exited(5), &[Effect::StoreEnd(Outcome::Retcode(5))]);
        story.sees(&end_stored(), &[]);
        story
    }

    #[track_caller]
    fn sees(&mut self, event: &Event, effects: &[Effect]) {
        let seen = self.operation.apply(event, self.now);
        assert_eq!(seen, effects, "{event:?} at {:?}", self.now);
    }

    /// The time passes for which the operation waits, and no more.
    #[track_caller]
    fn wakes_after(&mut self, delay: Duration, effects: &[Effect]) {
        assert_eq!(self.operation.next_wake(), Some(self.now + delay));
        self.now += delay.saturating_sub(MILLISECOND);
        self.sees(&Event::Tick, &[]);
        self.now += MILLISECOND;
        self.sees(&Event::Tick, effects);
    }

    #[track_caller]
    fn is_killed_and_runs_again_after(&mut self, delay: Duration) {
        self.sees(&killed(9), &[Effect::Note(Note::CrashedRunsAgain { signal: 9, delay })]);
        self.wakes_after(delay, &[Effect::Spawn]);
        self.sees(&runs(), &[Effect::StoreStarted]);
    }

    #[track_caller]
    fn is_put_off_for(&mut self, delay: Duration) {
        self.sees(
            &cannot_spawn_now(),
            &[Effect::Note(Note::CannotSpawnNow { reason: no_processes(), delay })],
        );
        self.wakes_after(delay, &[Effect::Spawn]);
    }

    #[track_caller]
    fn leaves_on(mut self, event: &Event, effects: &[Effect]) {
        self.sees(event, effects);
        assert_eq!(self.operation.state(), &State::Leaving);
        assert_eq!(
            self.operation.start(pvmove(), OTHER_OP, None),
            (Answer::Now(StartAnswer::Leaving), vec![])
        );
    }

    fn attempt(&self) -> u32 {
        self.operation.job().expect("the story goes on").attempt
    }
}

fn delays_of_unfinished() -> Vec<Duration> {
    [1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map(Duration::from_secs).to_vec()
}

#[test]
fn an_operation_runs_is_judged_recorded_and_collected() {
    let mut story = Story::of_running();
    story.sees(&output(), &[]);
    story.sees(&exited(0), &[Effect::Judge]);
    story.sees(&Event::Judged(Verdict::Over), &[Effect::StoreEnd(DONE)]);
    assert_eq!(story.operation.collect().0, Progress::InProgress, "the end is not durable yet");
    story.sees(&end_stored(), &[]);
    let collected = Effect::StoreCollected { op: OP };
    assert_eq!(story.operation.collect(), (Progress::Ended(DONE), vec![collected]));
    story.leaves_on(&collect_stored(), &[LEAVE]);
}

#[test]
fn a_child_that_is_killed_runs_again_with_growing_delay_until_the_signal_is_reported() {
    let mut story = Story::of_running();
    for milliseconds in [200, 400, 800] {
        story.is_killed_and_runs_again_after(Duration::from_millis(milliseconds));
    }
    assert_eq!(story.attempt(), 4);
    let too_often = Effect::Note(Note::CrashedTooOften { signal: 11 });
    story.sees(&killed(11), &[too_often, Effect::StoreEnd(Outcome::Signal(11))]);
}

#[test]
fn crashes_of_more_than_a_minute_ago_are_forgotten() {
    let mut story = Story::of_running();
    for _ in 0..10 {
        story.is_killed_and_runs_again_after(CRASH_DELAY);
        story.now += CRASH_PERIOD;
    }
    story.is_killed_and_runs_again_after(CRASH_DELAY);
    story.is_killed_and_runs_again_after(CRASH_DELAY * 2);
}

#[test]
fn an_operation_that_the_kernel_still_shows_is_run_again_ten_times_at_most() {
    let mut story = Story::of_running();
    for delay in delays_of_unfinished() {
        story.sees(&exited(0), &[Effect::Judge]);
        let again = Effect::Note(Note::UnfinishedRunsAgain { delay });
        story.sees(&Event::Judged(Verdict::NotOver), &[again]);
        story.wakes_after(delay, &[Effect::Spawn]);
        story.sees(&runs(), &[Effect::StoreStarted]);
    }
    story.sees(&exited(0), &[Effect::Judge]);
    let reported = [Effect::Note(Note::UnfinishedReported), Effect::StoreEnd(FAILED)];
    story.sees(&Event::Judged(Verdict::NotOver), &reported);
}

#[test]
fn an_exit_that_nobody_knows_is_answered_by_running_again_and_never_by_success() {
    let life = Life::Started { process: process(), attempt: 3 };
    let (operation, effects) = Operation::recover(recovered(life), Mode::Classic, NOW);
    assert_eq!(effects, [Effect::Adopt(process())]);
    let mut story = Story { operation, now: NOW };
    for attempt in 4..20 {
        story.sees(&vanished(), &[Effect::Note(Note::ExitUnknownRunsAgain), Effect::Spawn]);
        assert_eq!(story.attempt(), attempt);
        story.sees(&runs(), &[Effect::StoreStarted]);
    }
    story.sees(&exited(5), &[Effect::StoreEnd(Outcome::Retcode(5))]);
}

#[test]
fn an_lvpoll_that_cannot_see_its_lv_is_a_failure_after_two_tries() {
    let mut story = Story::of_running();
    story.sees(&exited(0), &[Effect::Judge]);
    story.sees(&Event::Judged(Verdict::OutOfSight), &[Effect::Seek]);
    let again = Note::OutOfSightRunsAgain { delay: OUT_OF_SIGHT_DELAY };
    story.sees(&Event::Sought(None), &[Effect::Note(again)]);
    story.wakes_after(OUT_OF_SIGHT_DELAY, &[Effect::Spawn]);
    story.sees(&runs(), &[Effect::StoreStarted]);
    story.sees(&exited(0), &[Effect::Judge]);
    story.sees(&Event::Judged(Verdict::OutOfSight), &[Effect::Seek]);
    let reported = [Effect::Note(Note::OutOfSightReported), Effect::StoreEnd(FAILED)];
    story.sees(&Event::Sought(None), &reported);
}

#[test]
fn silence_is_named_once_and_forgotten_with_the_next_output() {
    let mut story = Story::of_running();
    story.wakes_after(SILENCE_FLOOR, &[Effect::Note(Note::Silent { silence: SILENCE_FLOOR })]);
    assert_eq!(story.operation.next_wake(), None);
    story.now += RETENTION;
    story.sees(&Event::Tick, &[]);
    story.sees(&output(), &[Effect::Note(Note::SpokeAgain)]);
    story.sees(&output(), &[]);
    story.wakes_after(SILENCE_FLOOR, &[Effect::Note(Note::Silent { silence: SILENCE_FLOOR })]);
    story.sees(&exited(5), &[Effect::StoreEnd(Outcome::Retcode(5))]);
}

#[test]
fn two_intervals_of_silence_are_allowed_and_a_minute_in_any_case() {
    for (interval, limit_s) in [("0", 60), ("15", 60), ("30", 60), ("+31", 62), ("600", 1200)] {
        let request = StartRequest { interval: interval.try_into().unwrap(), ..pvmove() };
        assert_eq!(Job::new(OP, request, None).silence_limit(), Duration::from_secs(limit_s), "{interval}");
    }
}

#[test]
fn a_request_that_cannot_be_recorded_is_refused_and_nothing_is_started() {
    let refused = Err("disk full".to_owned());
    Story::of(pvmove()).leaves_on(&not_stored(), &[Effect::AnswerStarters(refused), LEAVE]);
}

#[test]
fn a_program_that_cannot_be_executed_ends_the_operation() {
    let mut story = Story::of(pvmove());
    story.sees(&stored(), &[Effect::AnswerStarters(Ok(OP)), Effect::Spawn]);
    let outcome = Outcome::Retcode(101);
    let not_spawned = Event::Child(ChildEvent::NotSpawned { outcome: outcome.clone() });
    story.sees(&not_spawned, &[Effect::StoreEnd(outcome.clone())]);
    story.sees(&end_stored(), &[]);
    assert_eq!(story.operation.collect().0, Progress::Ended(outcome));
}

#[test]
fn a_program_that_cannot_be_started_now_is_started_later_and_that_does_not_count() {
    let mut story = Story::of(pvmove());
    story.sees(&stored(), &[Effect::AnswerStarters(Ok(OP)), Effect::Spawn]);
    for milliseconds in [200, 400, 800, 1600, 3200] {
        story.is_put_off_for(Duration::from_millis(milliseconds));
    }
    story.sees(&runs(), &[Effect::StoreStarted]);
    assert_eq!(story.attempt(), 1);
    story.is_killed_and_runs_again_after(CRASH_DELAY);
    story.sees(&killed(9), &[Effect::Note(Note::CrashedRunsAgain { signal: 9, delay: CRASH_DELAY * 2 })]);
    story.wakes_after(CRASH_DELAY * 2, &[Effect::Spawn]);
    story.is_put_off_for(SHORTAGE_DELAY);
}

#[test]
fn a_program_that_can_never_be_started_ends_the_operation() {
    let mut story = Story::of(pvmove());
    story.sees(&stored(), &[Effect::AnswerStarters(Ok(OP)), Effect::Spawn]);
    for restart in 0..SHORTAGE_RESTARTS {
        story.is_put_off_for(SHORTAGE_DELAY * (1 << restart));
    }
    let reported = Effect::Note(Note::CannotSpawnReported { reason: no_processes() });
    let outcome = Outcome::Lost { reason: no_processes() };
    story.sees(&cannot_spawn_now(), &[reported, Effect::StoreEnd(outcome)]);
}

#[test]
fn an_end_that_cannot_be_recorded_is_recorded_later() {
    let mut story = Story::of_running();
    story.sees(&exited(5), &[Effect::StoreEnd(Outcome::Retcode(5))]);
    for _ in 0..3 {
        story.sees(&end_not_stored(), &[Effect::Note(Note::EndNotStored)]);
        assert_eq!(story.operation.collect().0, Progress::InProgress);
        story.wakes_after(STORE_RETRY_DELAY, &[Effect::StoreEnd(Outcome::Retcode(5))]);
    }
    story.sees(&end_stored(), &[]);
    assert!(!story.operation.is_active());
}

#[test]
fn a_stop_that_leaves_the_child_leaves_at_once() {
    Story::of(pvmove()).leaves_on(&KEEP, &[LEAVE]);
    Story::of_running().leaves_on(&KEEP, &[LEAVE]);
    Story::of_ended().leaves_on(&KEEP, &[LEAVE]);
}

#[test]
fn a_stop_that_takes_the_child_along_forgets_the_operation() {
    Story::of(pvmove()).leaves_on(&END, &[FORGET]);
    Story::of_ended().leaves_on(&END, &[FORGET]);
    let mut story = Story::of_running();
    story.sees(&END, &[Effect::EndChild]);
    story.sees(&END, &[]);
    story.leaves_on(&killed(15), &[FORGET]);
}

#[test]
fn a_stop_while_the_child_is_being_started_waits_for_the_child() {
    let mut story = Story::of(pvmove());
    story.sees(&stored(), &[Effect::AnswerStarters(Ok(OP)), Effect::Spawn]);
    story.sees(&END, &[]);
    story.sees(&runs(), &[Effect::StoreStarted, Effect::EndChild]);
    story.leaves_on(&killed(15), &[FORGET]);
}

#[test]
fn a_result_gives_way_to_a_new_operation_of_any_kind() {
    let mut story = Story::of_ended();
    assert_eq!(
        story.operation.start(convert(), OTHER_OP, None),
        (Answer::WhenStored, vec![Effect::StoreIntent])
    );
    assert_eq!(story.operation.job().map(|job| job.op), Some(OTHER_OP));
    assert_eq!(story.operation.init_requests(), 1);
    assert_eq!(story.operation.collect(), (Progress::InProgress, vec![]));
    story.sees(&stored(), &[Effect::AnswerStarters(Ok(OTHER_OP)), Effect::Spawn]);
}

#[test]
fn a_request_while_the_result_is_handed_out_begins_anew_in_the_same_actor() {
    let mut story = Story::of_ended();
    story.operation.collect();
    assert_eq!(
        story.operation.start(pvmove(), OTHER_OP, None),
        (Answer::WhenStored, vec![Effect::StoreIntent])
    );
    story.sees(&collect_stored(), &[]);
    story.sees(&stored(), &[Effect::AnswerStarters(Ok(OTHER_OP)), Effect::Spawn]);
}

#[test]
fn a_request_counts_once_however_often_it_is_repeated() {
    let mut story = Story::of_running();
    let answer = |already_running| (Answer::Now(StartAnswer::Ok { op: OP, already_running }), vec![]);
    assert_eq!(story.operation.start(pvmove(), OP, None), answer(false));
    assert_eq!(story.operation.init_requests(), 1);
    assert_eq!(story.operation.start(pvmove(), OTHER_OP, None), answer(true));
    assert_eq!(story.operation.init_requests(), 2);
}

#[test]
fn a_request_of_another_kind_is_refused_until_the_first_has_ended() {
    let mut story = Story::of_running();
    let refused = Answer::Now(StartAnswer::DifferentOperation);
    assert_eq!(story.operation.start(convert(), OTHER_OP, None), (refused, vec![]));
    assert_eq!(story.operation.init_requests(), 1);
}

#[test]
fn a_result_is_handed_out_once() {
    let mut story = Story::of_ended();
    assert_eq!(story.operation.collect().0, Progress::Ended(Outcome::Retcode(5)));
    assert_eq!(story.operation.collect(), (Progress::NotFound, vec![]));
}

#[test]
fn a_result_that_nobody_collects_is_dropped_after_a_day() {
    let mut story = Story::of_ended();
    story.wakes_after(Duration::from_hours(24), &[Effect::Note(Note::ResultExpired), FORGET]);
    assert_eq!(story.operation.collect(), (Progress::NotFound, vec![]));
}
