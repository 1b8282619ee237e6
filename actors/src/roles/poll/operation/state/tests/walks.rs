//! Random walks: an operation in a world that reports faithfully on its effects, in any order and with any result,
//! while clients and the daemon do what they like.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// What may happen next.
#[derive(Debug, Clone)]
enum Step {
    /// A client asks to have the LV polled.
    Start {
        is_convert: bool,
        is_repeated: bool,
        is_renamed: bool,
    },
    /// A client asks for progress.
    Collect,
    /// One of the things under way comes to its end, in one of several ways.
    Report {
        which: Index,
        how: Index,
    },
    /// The child writes something.
    Output,
    /// Device-mapper is looked at, if that is wanted.
    Look {
        what: Index,
        is_child_asleep: bool,
        is_held: bool,
    },
    Pause {
        is_paused: bool,
    },
    /// Time passes, and the clock is looked at.
    Wait {
        milliseconds: u64,
    },
    /// Time passes until the operation wants to be woken.
    Sleep,
    /// The daemon ends.
    Stop {
        stop: Stop,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<(bool, bool, bool)>().prop_map(|(is_convert, is_repeated, is_renamed)| Step::Start {
            is_convert,
            is_repeated,
            is_renamed,
        }),
        2 => Just(Step::Collect),
        12 => any::<(Index, Index)>().prop_map(|(which, how)| Step::Report { which, how }),
        1 => Just(Step::Output),
        3 => any::<(Index, bool, bool)>()
            .prop_map(|(what, is_child_asleep, is_held)| Step::Look { what, is_child_asleep, is_held }),
        1 => any::<bool>().prop_map(|is_paused| Step::Pause { is_paused }),
        2 => (0..100_000_u64).prop_map(|milliseconds| Step::Wait { milliseconds }),
        4 => Just(Step::Sleep),
    ]
}

/// Many steps, and perhaps the end of the daemon somewhere among them.
fn walk() -> impl Strategy<Value = Vec<Step>> {
    let stop = prop_oneof![Just(Stop::LeaveChild), Just(Stop::EndChild)];
    let stops = prop::option::of((any::<Index>(), stop));
    (prop::collection::vec(step(), 1..120), stops).prop_map(|(mut steps, stops)| {
        if let Some((at, stop)) = stops {
            let at = at.index(steps.len());
            steps.insert(at, Step::Stop { stop });
        }
        steps
    })
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Classic), Just(Mode::Events)]
}

fn life() -> impl Strategy<Value = Option<Life>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(Life::Intended)),
        1 => Just(Some(Life::Started { process: process(), attempt: 1 })),
        1 => Just(Some(Life::Ended(Outcome::Retcode(5).into()))),
    ]
}

/// An effect that the operation will hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnderWay {
    Intent,
    Spawn,
    Adoption,
    Child,
    Judgement,
    Search,
    End,
    Collection,
}

impl UnderWay {
    /// Returns the ways in which it can come to its end.
    fn reports(self) -> Vec<Event> {
        match self {
            Self::Intent => vec![stored(), stored(), stored(), not_stored()],
            Self::Spawn => vec![runs(), runs(), runs(), not_spawned(), cannot_spawn_now()],
            Self::Adoption => vec![runs(), vanished()],
            Self::Child => vec![exited(0), exited(0), exited(5), killed(9), killed(9), vanished()],
            Self::Judgement => [Verdict::Over, Verdict::NotOver, Verdict::OutOfSight, Verdict::Unknown]
                .map(Event::Judged)
                .into(),
            Self::Search => {
                [None, Some(Target::of(&pvmove()).names), Some(renamed())].map(Event::Sought).into()
            }
            Self::End => vec![end_stored(), end_stored(), end_not_stored()],
            Self::Collection => vec![collect_stored()],
        }
    }
}

/// What is remembered of the operation in progress, to hold the machine to its promises.
#[derive(Debug, Default)]
struct Memory {
    /// How the last child, or the attempt to start one, ended.
    last_end: Option<Event>,
    /// The kernel has been asked about the last end.
    is_judged: bool,
    /// When it was decided to go on after a crash.
    crash_restarts: Vec<Moment>,
    unfinished_restarts: u32,
    collected: u32,
}

#[derive(Debug, Default)]
struct World {
    operation: Operation,
    now: Moment,
    under_way: Vec<UnderWay>,
    has_stopped: bool,
    has_left: bool,
    ops: u128,
    memory: Memory,
}

impl World {
    fn begin(mode: Mode, life: Option<Life>) -> Self {
        let mut world = Self { ops: 1, operation: Operation::new(mode), ..Self::default() };
        if let Some(life) = life {
            let (operation, effects) = Operation::recover(recovered(life), mode, world.now);
            world.operation = operation;
            world.carry_out(effects);
        }
        world
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Start { is_convert, is_repeated, is_renamed } => {
                self.start(*is_convert, *is_repeated, *is_renamed);
            }
            Step::Collect => {
                let (answer, effects) = self.operation.collect();
                let is_handed_out = matches!(effects.as_slice(), [Effect::StoreCollected { .. }]);
                assert_eq!(matches!(answer, Progress::Ended(_)), is_handed_out);
                self.carry_out(effects);
            }
            Step::Report { which, how } if !self.under_way.is_empty() => {
                let ended = self.under_way.swap_remove(which.index(self.under_way.len()));
                let reports = ended.reports();
                self.report(ended, &reports[how.index(reports.len())]);
            }
            Step::Output if self.under_way.contains(&UnderWay::Child) => self.apply(&output()),
            Step::Look { what, is_child_asleep, is_held } if self.operation.is_watched() => {
                let look = Look::of(what.get(&situations()).clone(), Some(COPIED));
                let is_child_asleep = *is_child_asleep && self.under_way.contains(&UnderWay::Child);
                self.apply(&Event::Looked { look, is_child_asleep, hold: is_held.then_some(Hold::VgLimit) });
            }
            Step::Pause { is_paused } => self.operation.pause(*is_paused),
            Step::Report { .. } | Step::Output | Step::Look { .. } => {}
            Step::Wait { milliseconds } => {
                self.now += Duration::from_millis(*milliseconds);
                self.apply(&Event::Tick);
            }
            Step::Sleep => {
                if let Some(wake) = self.operation.next_wake() {
                    self.now = self.now.max(wake);
                    self.apply(&Event::Tick);
                }
            }
            Step::Stop { stop } => {
                self.has_stopped = true;
                self.apply(&Event::Stop(*stop));
            }
        }
    }

    fn start(&mut self, is_convert: bool, is_repeated: bool, is_renamed: bool) {
        if !is_repeated {
            self.ops += 1;
        }
        let request = if is_convert { convert() } else { pvmove() };
        let vgname = if is_renamed { renamed().vgname } else { request.vgname };
        let request = StartRequest { vgname, ..request };
        // Whoever asks again gives it another chance.
        self.memory.unfinished_restarts = 0;
        let (_, effects) = self.operation.start(request, Uuid::from_u128(self.ops), None);
        if effects.contains(&Effect::StoreIntent) {
            self.memory = Memory::default();
        }
        self.carry_out(effects);
    }

    fn report(&mut self, ended: UnderWay, event: &Event) {
        match ended {
            UnderWay::Spawn | UnderWay::Adoption if *event == runs() => self.under_way.push(UnderWay::Child),
            UnderWay::Spawn | UnderWay::Adoption | UnderWay::Child => {
                self.memory.last_end = Some(event.clone());
                self.memory.is_judged = false;
            }
            UnderWay::Judgement => self.memory.is_judged = true,
            UnderWay::Intent | UnderWay::Search | UnderWay::End | UnderWay::Collection => {}
        }
        self.apply(event);
    }

    fn apply(&mut self, event: &Event) {
        let effects = self.operation.apply(event, self.now);
        assert!(!self.has_left || effects.is_empty(), "an operation that has left does {effects:?}");
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.carry_out_one(effect);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::StoreIntent => self.under_way.push(UnderWay::Intent),
            Effect::Spawn => {
                assert!(!self.has_stopped, "a child is started although the daemon ends");
                self.under_way.push(UnderWay::Spawn);
            }
            Effect::Adopt(_) => self.under_way.push(UnderWay::Adoption),
            Effect::Judge => self.under_way.push(UnderWay::Judgement),
            Effect::Seek => self.under_way.push(UnderWay::Search),
            Effect::StoreEnd(outcome) => {
                self.invariant_an_end_is_what_was_seen(&outcome);
                self.under_way.push(UnderWay::End);
            }
            Effect::StoreCollected { .. } => {
                self.memory.collected += 1;
                self.under_way.push(UnderWay::Collection);
            }
            Effect::Note(Note::CrashedRunsAgain { .. }) => self.memory.crash_restarts.push(self.now),
            Effect::Note(Note::UnfinishedRunsAgain { .. }) => self.memory.unfinished_restarts += 1,
            Effect::Leave { .. } => {
                assert!(!self.has_left, "an operation leaves once");
                self.has_left = true;
            }
            Effect::EndChild | Effect::RelieveChild | Effect::StoreStarted => {
                assert!(self.under_way.contains(&UnderWay::Child), "{effect:?} without a child");
            }
            Effect::AnswerStarters(_) | Effect::Note(_) | Effect::StoreRenamed => {}
        }
    }

    fn check(&self) {
        self.invariant_there_is_one_child_at_most();
        self.invariant_an_active_operation_waits_for_something();
        self.invariant_what_backs_off_has_a_time_to_go_on();
        self.invariant_restarts_are_bounded();
        self.invariant_a_result_is_handed_out_once();
        self.invariant_whoever_leaves_stays_away();
    }

    fn invariant_an_end_is_what_was_seen(&self, outcome: &Outcome) {
        let seen = self.memory.last_end.as_ref().expect("an end is seen before it is recorded");
        let is_that = match outcome {
            Outcome::Retcode(0) => *seen == exited(0) && self.memory.is_judged,
            // What the kernel contradicts is none.
            Outcome::Retcode(PROCESSING_FAILED) if *seen == exited(0) => self.memory.is_judged,
            Outcome::Retcode(code) => *seen == exited(*code),
            Outcome::Signal(signal) => *seen == killed(*signal),
            Outcome::Lost { .. } => [not_spawned(), cannot_spawn_now()].contains(seen),
        };
        assert!(is_that, "{outcome:?} is recorded after {seen:?}");
        assert!(!self.under_way.contains(&UnderWay::Child), "{outcome:?} is recorded while a child runs");
    }

    /// A child is also one that is being started, looked for or judged.
    fn invariant_there_is_one_child_at_most(&self) {
        let children =
            [UnderWay::Spawn, UnderWay::Adoption, UnderWay::Child, UnderWay::Judgement, UnderWay::Search];
        let count = self.under_way.iter().filter(|under_way| children.contains(under_way)).count();
        assert!(count <= 1, "{:?}", self.under_way);
    }

    fn invariant_an_active_operation_waits_for_something(&self) {
        // An operation that is watched is looked at, or woken because it was not.
        let waits = !self.under_way.is_empty() || self.operation.next_wake().is_some();
        assert!(waits || !self.operation.is_active(), "nothing will ever happen to it");
    }

    fn invariant_what_backs_off_has_a_time_to_go_on(&self) {
        if let State::Active { phase: Phase::BackingOff { until }, .. } = self.operation.state() {
            assert_eq!(self.operation.next_wake(), Some(*until));
        }
    }

    fn invariant_restarts_are_bounded(&self) {
        let restarts = &self.memory.crash_restarts;
        for window in restarts.windows(CRASH_RESTARTS + 1) {
            let span = window[CRASH_RESTARTS].saturating_sub(window[0]);
            assert!(span >= CRASH_PERIOD, "{} restarts within {span:?}", CRASH_RESTARTS + 1);
        }
        assert!(self.memory.unfinished_restarts <= UNFINISHED_RESTARTS);
    }

    fn invariant_a_result_is_handed_out_once(&self) {
        assert!(self.memory.collected <= 1, "handed out {} times", self.memory.collected);
    }

    fn invariant_whoever_leaves_stays_away(&self) {
        assert_eq!(self.has_left, *self.operation.state() == State::Leaving);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_walk_breaks_an_invariant(mode in mode(), life in life(), steps in walk()) {
        let mut world = World::begin(mode, life);
        for step in &steps {
            world.take(step);
            world.check();
        }
    }

    /// Whatever is reported, in whatever state, no event makes the machine panic or go on after its end.
    #[test]
    fn an_unfaithful_world_does_no_harm(
        mode in mode(),
        life in life(),
        events in prop::collection::vec((any::<Index>(), any::<Index>(), 0..100_000_u64), 1..60),
    ) {
        let mut world = World::begin(mode, life);
        for (which, how, milliseconds) in events {
            let all = [
                UnderWay::Intent,
                UnderWay::Spawn,
                UnderWay::Adoption,
                UnderWay::Child,
                UnderWay::Judgement,
                UnderWay::Search,
                UnderWay::End,
                UnderWay::Collection,
            ];
            let reports = which.get(&all).reports();
            world.now += Duration::from_millis(milliseconds);
            let was_leaving = *world.operation.state() == State::Leaving;
            let effects = world.operation.apply(how.get(&reports), world.now);
            prop_assert!(!was_leaving || effects.is_empty());
            world.invariant_what_backs_off_has_a_time_to_go_on();
        }
    }
}
