//! What one poll operation does next: a pure function of its state, what happened and the time.
//!
//! It starts no process, writes no file and reads no clock; the actor beside it carries the [`Effect`]s out and
//! reports back with [`Event`]s. `now` is the time since the daemon started.
//!
//! ```text
//!    Vacant
//!      │ start
//!      ▼         not stored
//!  Intending ─────────────────▶ Leaving
//!      │ stored
//!      ├──────────── mode events ──────────▶ Watching ◀──────────┐
//!      ▼         could not                     │                 │
//!   Spawning ───────────────────────────────┐  │ lvpoll is       │
//!      │ ▲ ▲ ▲   time passed                │  │ needed          │
//!      │ │ │ └──────────────── BackingOff   │  ▼                 │
//!      │ │ │ exit unknown     ▲      ▲      │ (Spawning)         │
//! runs │ │ │           killed │      │ not  │                    │
//!      ▼ │ │                  │      │ over │                    │
//!   Running ──────────────────┘   Seeking   │                    │
//!      │ ▲ │                         ▲ out of │                    │
//!      │ │ │        exit 0           │ sight  │                    │
//!      │ │ ├─────────────────────▶ Judging ───┘                    │
//!      │ │ │ asleep, mode events     │      │              ended │
//!      │ │ └───────────▶ Relieving ──│──────│────────────────────┘
//!      │ │ runs                      │ over │
//!      │ Adopting ◀── recovered      │      │
//!      │  (gone: exit unknown)       ▼      │
//!      └─────────────────────────▶ Storing ◀┘
//!       another code, or killed      │ stored
//!       too often                    ▼         start
//!                   recovered ──▶  Ended ─────────────▶ Intending
//!                                    │ collect
//!                                    ▼         stored
//!                               Collecting ───────────▶ Leaving
//! ```
//!
//! A stop leads from everywhere to Leaving. Where the daemon takes its children along, a child that runs is asked to end
//! first (Terminating), and the operation is forgotten when it has.
//!
//! * An exit code other than 0 is the end. Code 0 is the end unless the kernel shows the operation still there
//!   ([`Verdict::NotOver`]): what the kernel contradicts again and again is reported as a failure.
//! * An lvpoll that does not find its LV ([`Verdict::OutOfSight`]) leads to a search of LVM's metadata by UUID (Seeking
//!   leads to Spawning where the LV is found under another name, to back-off once, to Storing the second time): LV and VG
//!   may have been renamed, or lvpoll's configuration hides the disks from it. Trying longer does not help.
//! * What VG and LV are called, and which devices file holds, is told by the newest request, for the next lvpoll. It starts
//!   at once where none runs that was told the same: a request ends every back-off. A signal that we did not send starts lvpoll again, with growing delay, at most
//!   [`CRASH_RESTARTS`](super::job::CRASH_RESTARTS) times within [`CRASH_PERIOD`](super::job::CRASH_PERIOD); the next
//!   one is the end. An unknown exit (of a child that was adopted) is answered by running lvpoll once more, which is
//!   idempotent: never by calling it success.
//! * A child that cannot be started because the system lacks memory, processes or descriptors is started later
//!   (Spawning leads to [`Phase::BackingOff`]), at most [`SHORTAGE_RESTARTS`](super::job::SHORTAGE_RESTARTS) times in a
//!   row; then, and for any other reason at once, that is the end.
//! * In mode events the kernel is looked at instead of sleeping: lvpoll is started when a segment is copied, when the
//!   copy has failed or is gone, and when what is there is not understood; it is asked to end again as soon as it does
//!   nothing but sleep. In doubt the operation falls back to mode classic, in which lvpoll watches by itself.
//! * Between two segments of a pvmove the daemon may wait: somebody has paused it, or it is not its turn
//!   ([`Hold`]). The copy of a segment that has begun is the kernel's, and goes on.
//! * A child that writes nothing for [`Job::silence_limit`] is named silent, once, and otherwise left alone.
//! * A result that nobody collects is dropped after [`RETENTION`].

use std::time::Duration;

use lvmwarden_supervisor::process::ProcessExit;
use uuid::Uuid;

pub use super::job::Job;
use super::outcome::{Outcome, PROCESSING_FAILED};
use super::turns::Hold;
pub use super::vocabulary::{
    Answer, CannotPause, ChildEvent, Effect, Event, JournalEvent, Life, Mode, Names, Note, Progress,
    Recovered, StartAnswer, Stop, Target, Wishes,
};
use crate::foundation::kernel::Verdict;
use crate::foundation::kernel::copying::{Due, Situation};
use crate::foundation::moment::Moment;
use lvmwarden_protocol::poll::{PollOperation, StartRequest};

/// The wait before an end that could not be written to the journal is written again.
pub const STORE_RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long the kernel may go without being looked at before lvpoll does it instead.
pub const LOOK_DEADLINE: Duration = Duration::from_secs(30);
/// How long a sleeping lvpoll may take to end.
pub const RELIEF_DEADLINE: Duration = Duration::from_secs(10);
/// How long a result waits for a client that collects it.
pub const RETENTION: Duration = Duration::from_hours(24);

/// One poll operation, from its first request to the collection of its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    state: State,
    /// How many requests asked for the operation in progress, the first included.
    init_requests: u32,
    mode: Mode,
}

/// Where an operation stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing was asked yet.
    #[default]
    Vacant,
    /// Asked for; lvpoll runs, or will.
    Active {
        /// What is done.
        job: Job,
        /// How far it is.
        phase: Phase,
    },
    /// Over; its result waits to be collected.
    Ended {
        /// What was done.
        job: Job,
        /// How it ended.
        outcome: Outcome,
        /// Since when.
        since: Moment,
    },
    /// Over; its result was handed out, and that is being written down.
    Collecting {
        /// Whose result it was.
        op: Uuid,
    },
    /// Nothing is left to do: the actor ends.
    Leaving,
}

/// How far an active operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The intent is being written; nobody was told anything yet.
    Intending,
    /// lvpoll is being started.
    Spawning {
        /// A stop came meanwhile: whether the child is to be ended as soon as it is known.
        stop: Option<Stop>,
    },
    /// A child of an earlier life of the actor or of the daemon is being looked for.
    Adopting {
        /// As in [`Phase::Spawning`].
        stop: Option<Stop>,
    },
    /// lvpoll runs.
    Running {
        /// When it wrote last, or was started.
        last_output: Moment,
        /// It wrote nothing for longer than [`Job::silence_limit`].
        silent: bool,
    },
    /// The kernel copies, and is looked at; there is no child.
    Watching {
        /// When a look is overdue.
        until: Moment,
        /// The segment is copied, and why the next one has to wait.
        hold: Option<Hold>,
    },
    /// lvpoll sleeps although the kernel is looked at; it was asked to end.
    Relieving {
        /// When its end is overdue.
        until: Moment,
    },
    /// lvpoll ended with 0; the kernel is asked whether the operation is over.
    Judging,
    /// lvpoll has not found its LV; LVM's metadata is searched for it.
    Seeking,
    /// lvpoll is started again when the time has come.
    BackingOff {
        /// When.
        until: Moment,
    },
    /// The end is being written, or will be again at `retry_at`.
    Storing {
        /// How it ended.
        outcome: Outcome,
        /// `None` while the write is under way.
        retry_at: Option<Moment>,
    },
    /// The child was asked to end because the daemon ends.
    Terminating,
}

impl Operation {
    /// Makes an operation of which nothing was asked yet.
    pub fn new(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    /// Continues what the journal tells, and returns what to do about it.
    pub fn recover(recovered: Recovered, mode: Mode, now: Moment) -> (Self, Vec<Effect>) {
        let mut job = Job::new(recovered.op, recovered.request, recovered.uid);
        job.is_paused = recovered.wishes.is_paused;
        let (state, effects) = match recovered.life {
            Life::Intended => {
                let mut operation = Self { init_requests: 1, ..Self::new(mode) };
                let effects = operation.begin(job, now);
                return (operation, effects);
            }
            Life::Started { process, attempt } => {
                job.attempt = attempt;
                job.pid = Some(process.pid);
                let phase = Phase::Adopting { stop: None };
                (State::Active { job, phase }, vec![Effect::Adopt(process)])
            }
            Life::Ended(ending) => (State::Ended { job, outcome: ending.outcome, since: now }, vec![]),
        };
        (Self { state, init_requests: 1, mode }, effects)
    }

    /// Returns where the operation stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns how many requests asked for the operation in progress.
    pub fn init_requests(&self) -> u32 {
        self.init_requests
    }

    /// Returns what is done, where something is.
    pub fn job(&self) -> Option<&Job> {
        match &self.state {
            State::Active { job, .. } | State::Ended { job, .. } => Some(job),
            State::Vacant | State::Collecting { .. } | State::Leaving => None,
        }
    }

    /// Returns whether lvpoll runs, or will.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Active { .. })
    }

    /// Returns whether device-mapper is to be looked at for this operation.
    pub fn is_watched(&self) -> bool {
        match &self.state {
            State::Active {
                job,
                phase: Phase::Watching { .. } | Phase::Running { .. } | Phase::Relieving { .. },
            } => self.can_watch(job),
            State::Vacant
            | State::Active { .. }
            | State::Ended { .. }
            | State::Collecting { .. }
            | State::Leaving => false,
        }
    }

    /// Returns whether device-mapper is to be looked at for what it tells of the disks, whoever watches the copy.
    pub fn is_observed(&self) -> bool {
        match &self.state {
            State::Active { job, phase: Phase::Running { .. } } => {
                let is_mirror = matches!(job.request.kind, PollOperation::Pvmove | PollOperation::Convert);
                self.is_watched() || (is_mirror && !job.request.abort)
            }
            State::Vacant
            | State::Active { .. }
            | State::Ended { .. }
            | State::Collecting { .. }
            | State::Leaving => self.is_watched(),
        }
    }

    /// An abort is quick; a thin merge cannot be seen.
    fn can_watch(&self, job: &Job) -> bool {
        let is_visible = !job.request.abort && job.request.kind != PollOperation::MergeThin;
        self.mode == Mode::Events && is_visible && !job.has_fallen_back
    }

    /// Returns when [`Event::Tick`] is due, if ever.
    pub fn next_wake(&self) -> Option<Moment> {
        match &self.state {
            State::Active { job, phase } => match phase {
                Phase::Running { last_output, silent: false } => Some(*last_output + job.silence_limit()),
                Phase::BackingOff { until } | Phase::Watching { until, .. } | Phase::Relieving { until } => {
                    Some(*until)
                }
                Phase::Storing { retry_at, .. } => *retry_at,
                Phase::Intending
                | Phase::Spawning { .. }
                | Phase::Adopting { .. }
                | Phase::Running { silent: true, .. }
                | Phase::Judging
                | Phase::Seeking
                | Phase::Terminating => None,
            },
            State::Ended { since, .. } => Some(*since + RETENTION),
            State::Vacant | State::Collecting { .. } | State::Leaving => None,
        }
    }

    /// Takes a client's request for this operation; `op` names it, should it be new, and `uid` is then who asked.
    pub fn start(
        &mut self,
        request: StartRequest,
        op: Uuid,
        uid: Option<u32>,
    ) -> (Answer<StartAnswer>, Vec<Effect>) {
        match &self.state {
            State::Vacant | State::Ended { .. } | State::Collecting { .. } => {
                self.state = State::Active { job: Job::new(op, request, uid), phase: Phase::Intending };
                self.init_requests = 1;
                (Answer::WhenStored, vec![Effect::StoreIntent])
            }
            State::Active { job, .. } if job.request.kind != request.kind => {
                (Answer::Now(StartAnswer::DifferentOperation), vec![])
            }
            State::Leaving | State::Active { phase: Phase::Terminating, .. } => {
                (Answer::Now(StartAnswer::Leaving), vec![])
            }
            State::Active { job, phase } => {
                let is_durable = *phase != Phase::Intending;
                let answer =
                    if is_durable { Answer::Now(StartAnswer::ok(job.op, op)) } else { Answer::WhenStored };
                // A request that is repeated, because a restart of the actor ate its answer, counts once.
                if job.op != op {
                    self.init_requests += 1;
                }
                (answer, self.join(&request))
            }
        }
    }

    /// Returns where this request has lvpoll look, if that is elsewhere than before: to be written down before the request
    /// is taken by [`Operation::start`].
    pub fn renewal(&self, request: &StartRequest) -> Option<Target> {
        let State::Active { job, phase } = &self.state else { return None };
        let is_open = match phase {
            Phase::Spawning { .. }
            | Phase::Adopting { .. }
            | Phase::Running { .. }
            | Phase::Watching { .. }
            | Phase::Relieving { .. }
            | Phase::Judging
            | Phase::Seeking
            | Phase::BackingOff { .. } => job.request.kind == request.kind,
            // Before its first lvpoll, and when all is said, the operation is what it was asked to be.
            Phase::Intending | Phase::Storing { .. } | Phase::Terminating => false,
        };
        Some(Target::of(request)).filter(|target| is_open && *target != Target::of(&job.request))
    }

    /// Takes a request for what is in progress.
    fn join(&mut self, request: &StartRequest) -> Vec<Effect> {
        let renewal = self.renewal(request);
        let State::Active { job, phase } = &mut self.state else { return vec![] };
        job.forgive();
        if let Some(target) = renewal {
            job.renew(target);
        }
        if !matches!(phase, Phase::BackingOff { .. }) {
            return vec![];
        }
        let job = job.clone();
        self.spawn(job)
    }

    /// Answers a client that asks for progress; an end is handed out once, and the operation is over with that.
    ///
    /// The end is handed out before that is written down: a crash in between gives it once more, where the other order
    /// would lose it, and a client that is told of no such operation takes it for done.
    pub fn collect(&mut self) -> (Progress, Vec<Effect>) {
        match &self.state {
            State::Active { .. } => (Progress::InProgress, vec![]),
            State::Ended { job, outcome, .. } => {
                let (op, outcome) = (job.op, outcome.clone());
                self.state = State::Collecting { op };
                (Progress::Ended(outcome), vec![Effect::StoreCollected { op }])
            }
            State::Vacant | State::Collecting { .. } | State::Leaving => (Progress::NotFound, vec![]),
        }
    }

    /// Tells whether the operation can wait between two segments.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn can_pause(&self) -> Result<(), CannotPause> {
        let State::Active { job, .. } = &self.state else { return Err(CannotPause::Ended) };
        if job.request.abort || job.request.kind != PollOperation::Pvmove {
            return Err(CannotPause::InOnePiece);
        }
        if self.can_watch(job) { Ok(()) } else { Err(CannotPause::LvpollWatches) }
    }

    /// Has the operation wait at the end of its segment from now on, or not any more; the journal has it.
    pub fn pause(&mut self, is_paused: bool) {
        if let State::Active { job, .. } = &mut self.state {
            job.is_paused = is_paused;
        }
    }

    /// Takes what happened at `now` and returns what to do about it.
    ///
    /// An event that has no meaning in the present state changes nothing: it is the late report of an effect whose
    /// operation has been replaced or stopped meanwhile.
    pub fn apply(&mut self, event: &Event, now: Moment) -> Vec<Effect> {
        match std::mem::replace(&mut self.state, State::Leaving) {
            State::Vacant => match event {
                Event::Stop(_) => vec![Effect::Leave { forget: None }],
                Event::Journal(_)
                | Event::Child(_)
                | Event::Judged(_)
                | Event::Sought(_)
                | Event::Looked { .. }
                | Event::Tick => self.stay(State::Vacant),
            },
            State::Active { job, phase } => match phase {
                Phase::Intending => self.while_intending(job, event, now),
                Phase::Spawning { stop } => self.while_spawning(job, stop, event, now),
                Phase::Adopting { stop } => self.while_adopting(job, stop, event, now),
                Phase::Running { last_output, silent } => {
                    self.while_running(job, last_output, silent, event, now)
                }
                Phase::Watching { until, hold } => self.while_watching(job, until, hold, event, now),
                Phase::Relieving { until } => self.while_relieving(job, until, event, now),
                Phase::Judging => self.while_judging(job, event, now),
                Phase::Seeking => self.while_seeking(job, event, now),
                Phase::BackingOff { until } => self.while_backing_off(job, until, event, now),
                Phase::Storing { outcome, retry_at } => {
                    self.while_storing(job, outcome, retry_at, event, now)
                }
                Phase::Terminating => self.while_terminating(job, event),
            },
            State::Ended { job, outcome, since } => match event {
                Event::Tick if now >= since + RETENTION => {
                    vec![Effect::Note(Note::ResultExpired), Effect::Leave { forget: Some(job.op) }]
                }
                Event::Stop(stop) => leave(&job, *stop),
                Event::Journal(_)
                | Event::Child(_)
                | Event::Judged(_)
                | Event::Sought(_)
                | Event::Looked { .. }
                | Event::Tick => self.stay(State::Ended { job, outcome, since }),
            },
            State::Collecting { op } => match event {
                Event::Journal(JournalEvent::CollectStored) => vec![Effect::Leave { forget: None }],
                Event::Stop(_) => vec![Effect::Leave { forget: Some(op) }],
                Event::Journal(_)
                | Event::Child(_)
                | Event::Judged(_)
                | Event::Sought(_)
                | Event::Looked { .. }
                | Event::Tick => self.stay(State::Collecting { op }),
            },
            State::Leaving => vec![],
        }
    }

    fn while_intending(&mut self, job: Job, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            Event::Journal(JournalEvent::IntentStored) => {
                let answer = Effect::AnswerStarters(Ok(job.op));
                [vec![answer], self.begin(job, now)].concat()
            }
            Event::Journal(JournalEvent::IntentNotStored { reason }) => {
                vec![Effect::AnswerStarters(Err(reason.clone())), Effect::Leave { forget: None }]
            }
            Event::Stop(stop) => leave(&job, *stop),
            // A late `CollectStored` belongs to the result that this operation replaced.
            Event::Journal(
                JournalEvent::EndStored | JournalEvent::EndNotStored | JournalEvent::CollectStored,
            )
            | Event::Child(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::Intending),
        }
    }

    fn while_spawning(&mut self, job: Job, stop: Option<Stop>, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            Event::Child(ChildEvent::Runs { pid }) => self.run(job, *pid, stop, now),
            Event::Child(ChildEvent::NotSpawned { outcome }) => match stop {
                None => self.store_end(job, outcome.clone()),
                Some(stop) => leave(&job, stop),
            },
            Event::Child(ChildEvent::CannotSpawnNow { reason }) => match stop {
                None => self.put_off(job, reason.clone(), now),
                Some(stop) => leave(&job, stop),
            },
            Event::Stop(stop) => self.go_on(job, Phase::Spawning { stop: Some(*stop) }),
            Event::Child(ChildEvent::Output | ChildEvent::Exited(_))
            | Event::Journal(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::Spawning { stop }),
        }
    }

    fn while_adopting(&mut self, job: Job, stop: Option<Stop>, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            Event::Child(ChildEvent::Runs { pid }) => self.run(job, *pid, stop, now),
            Event::Child(ChildEvent::Exited(exit)) => match stop {
                None => self.exited(job, *exit, now),
                Some(stop) => leave(&job, stop),
            },
            Event::Stop(stop) => self.go_on(job, Phase::Adopting { stop: Some(*stop) }),
            Event::Child(
                ChildEvent::NotSpawned { .. } | ChildEvent::CannotSpawnNow { .. } | ChildEvent::Output,
            )
            | Event::Journal(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::Adopting { stop }),
        }
    }

    fn while_running(
        &mut self,
        job: Job,
        last_output: Moment,
        silent: bool,
        event: &Event,
        now: Moment,
    ) -> Vec<Effect> {
        match event {
            Event::Child(ChildEvent::Exited(exit)) => self.exited(job, *exit, now),
            Event::Child(ChildEvent::Output) => {
                self.go_on(job, Phase::Running { last_output: now, silent: false });
                if silent { vec![Effect::Note(Note::SpokeAgain)] } else { vec![] }
            }
            Event::Tick if !silent && now >= last_output + job.silence_limit() => {
                self.go_on(job, Phase::Running { last_output, silent: true });
                vec![Effect::Note(Note::Silent { silence: now.saturating_sub(last_output) })]
            }
            Event::Stop(Stop::EndChild) => {
                self.go_on(job, Phase::Terminating);
                vec![Effect::EndChild]
            }
            Event::Stop(Stop::LeaveChild) => leave(&job, Stop::LeaveChild),
            Event::Looked { look, is_child_asleep: true, .. } if self.can_watch(&job) && look.is_relief() => {
                self.go_on(job, Phase::Relieving { until: now + RELIEF_DEADLINE });
                vec![Effect::RelieveChild]
            }
            Event::Child(
                ChildEvent::Runs { .. } | ChildEvent::NotSpawned { .. } | ChildEvent::CannotSpawnNow { .. },
            )
            | Event::Journal(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::Running { last_output, silent }),
        }
    }

    fn while_watching(
        &mut self,
        mut job: Job,
        until: Moment,
        before: Option<Hold>,
        event: &Event,
        now: Moment,
    ) -> Vec<Effect> {
        match event {
            Event::Looked { look, hold, .. } => match &look.situation {
                Situation::Copying => self.watch(job, now),
                Situation::Due(Due::Copied) => match job.is_paused.then_some(Hold::Paused).or(*hold) {
                    Some(hold) => self.hold(job, before, hold, now),
                    None if job.steps_on(look.copied) => self.spawn(job),
                    None => self.fall_back(job, "lvpoll leaves the copy as it is"),
                },
                // lvpoll has seen the end of it, one way or the other, when it ends.
                Situation::Due(Due::Gone | Due::Failed { .. }) => {
                    job.has_fallen_back = true;
                    self.spawn(job)
                }
                // It is to wait: until then nobody needs to see what the kernel does.
                Situation::Unclear { .. } if before == Some(Hold::Paused) && job.is_paused => {
                    self.hold(job, before, Hold::Paused, now)
                }
                Situation::Unclear { why } => self.fall_back(job, why),
            },
            Event::Tick if now >= until && before == Some(Hold::Paused) && job.is_paused => {
                self.hold(job, before, Hold::Paused, now)
            }
            Event::Tick if now >= until => self.fall_back(job, "device-mapper was not looked at in time"),
            Event::Stop(stop) => leave(&job, *stop),
            Event::Journal(_) | Event::Child(_) | Event::Judged(_) | Event::Sought(_) | Event::Tick => {
                self.go_on(job, Phase::Watching { until, hold: before })
            }
        }
    }

    fn while_relieving(&mut self, mut job: Job, until: Moment, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            // It had come to its end by itself.
            Event::Child(ChildEvent::Exited(exit @ ProcessExit::Code(0))) => self.exited(job, *exit, now),
            Event::Child(ChildEvent::Exited(_)) => self.watch(job, now),
            Event::Tick if now >= until => {
                job.has_fallen_back = true;
                job.is_relieved = true;
                self.go_on(job, Phase::Running { last_output: now, silent: false });
                vec![Effect::Note(Note::FellBack { why: "lvpoll does not end when it is asked to" })]
            }
            Event::Stop(Stop::EndChild) => {
                self.go_on(job, Phase::Terminating);
                vec![Effect::EndChild]
            }
            Event::Stop(Stop::LeaveChild) => leave(&job, Stop::LeaveChild),
            Event::Child(
                ChildEvent::Runs { .. }
                | ChildEvent::NotSpawned { .. }
                | ChildEvent::CannotSpawnNow { .. }
                | ChildEvent::Output,
            )
            | Event::Journal(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::Relieving { until }),
        }
    }

    fn while_judging(&mut self, job: Job, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            Event::Judged(verdict) => self.judged(job, *verdict, now),
            Event::Stop(stop) => leave(&job, *stop),
            Event::Journal(_) | Event::Child(_) | Event::Sought(_) | Event::Looked { .. } | Event::Tick => {
                self.go_on(job, Phase::Judging)
            }
        }
    }

    fn while_seeking(&mut self, mut job: Job, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            Event::Sought(_) if job.is_renewed => self.run_again(job),
            Event::Sought(found) => {
                let devicesfile = job.request.devicesfile.clone();
                let target = found.clone().map(|names| Target { names, devicesfile });
                if target.is_some_and(|target| job.renew(target)) {
                    let spawn = self.spawn(job);
                    return [vec![Effect::StoreRenamed], spawn].concat();
                }
                if let Some(delay) = job.delay_when_out_of_sight(now) {
                    self.go_on(job, Phase::BackingOff { until: now + delay });
                    return vec![Effect::Note(Note::OutOfSightRunsAgain { delay })];
                }
                let store = self.store_end(job, Outcome::Retcode(PROCESSING_FAILED));
                [vec![Effect::Note(Note::OutOfSightReported)], store].concat()
            }
            Event::Stop(stop) => leave(&job, *stop),
            Event::Journal(_) | Event::Child(_) | Event::Judged(_) | Event::Looked { .. } | Event::Tick => {
                self.go_on(job, Phase::Seeking)
            }
        }
    }

    fn while_backing_off(&mut self, job: Job, until: Moment, event: &Event, now: Moment) -> Vec<Effect> {
        match event {
            Event::Tick if now >= until => self.spawn(job),
            Event::Stop(stop) => leave(&job, *stop),
            Event::Journal(_)
            | Event::Child(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::BackingOff { until }),
        }
    }

    fn while_storing(
        &mut self,
        job: Job,
        outcome: Outcome,
        retry_at: Option<Moment>,
        event: &Event,
        now: Moment,
    ) -> Vec<Effect> {
        match event {
            Event::Journal(JournalEvent::EndStored) => self.stay(State::Ended { job, outcome, since: now }),
            Event::Journal(JournalEvent::EndNotStored) => {
                let retry_at = Some(now + STORE_RETRY_DELAY);
                self.go_on(job, Phase::Storing { outcome, retry_at });
                vec![Effect::Note(Note::EndNotStored)]
            }
            Event::Tick if retry_at.is_some_and(|at| now >= at) => self.store_end(job, outcome),
            Event::Stop(stop) => leave(&job, *stop),
            Event::Journal(
                JournalEvent::IntentStored
                | JournalEvent::IntentNotStored { .. }
                | JournalEvent::CollectStored,
            )
            | Event::Child(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick => self.go_on(job, Phase::Storing { outcome, retry_at }),
        }
    }

    fn while_terminating(&mut self, job: Job, event: &Event) -> Vec<Effect> {
        match event {
            Event::Child(ChildEvent::Exited(_)) => leave(&job, Stop::EndChild),
            Event::Child(
                ChildEvent::Runs { .. }
                | ChildEvent::NotSpawned { .. }
                | ChildEvent::CannotSpawnNow { .. }
                | ChildEvent::Output,
            )
            | Event::Journal(_)
            | Event::Judged(_)
            | Event::Sought(_)
            | Event::Looked { .. }
            | Event::Tick
            | Event::Stop(_) => self.go_on(job, Phase::Terminating),
        }
    }

    fn stay(&mut self, state: State) -> Vec<Effect> {
        self.state = state;
        vec![]
    }

    fn go_on(&mut self, job: Job, phase: Phase) -> Vec<Effect> {
        self.stay(State::Active { job, phase })
    }

    /// Does the first thing that there is to do.
    fn begin(&mut self, job: Job, now: Moment) -> Vec<Effect> {
        if self.can_watch(&job) { self.watch(job, now) } else { self.spawn(job) }
    }

    fn watch(&mut self, job: Job, now: Moment) -> Vec<Effect> {
        self.go_on(job, Phase::Watching { until: now + LOOK_DEADLINE, hold: None })
    }

    fn hold(&mut self, job: Job, before: Option<Hold>, hold: Hold, now: Moment) -> Vec<Effect> {
        self.go_on(job, Phase::Watching { until: now + LOOK_DEADLINE, hold: Some(hold) });
        if before == Some(hold) { vec![] } else { vec![Effect::Note(Note::Held { hold })] }
    }

    fn fall_back(&mut self, mut job: Job, why: &'static str) -> Vec<Effect> {
        job.has_fallen_back = true;
        let spawn = self.spawn(job);
        [vec![Effect::Note(Note::FellBack { why })], spawn].concat()
    }

    /// lvpoll has ended, but was told something else than it would be told now.
    fn run_again(&mut self, job: Job) -> Vec<Effect> {
        let spawn = self.spawn(job);
        [vec![Effect::Note(Note::RenewedRunsAgain)], spawn].concat()
    }

    fn spawn(&mut self, mut job: Job) -> Vec<Effect> {
        job.attempt += 1;
        job.is_renewed = false;
        self.go_on(job, Phase::Spawning { stop: None });
        vec![Effect::Spawn]
    }

    fn run(&mut self, mut job: Job, pid: u32, stop: Option<Stop>, now: Moment) -> Vec<Effect> {
        job.pid = Some(pid);
        job.is_relieved = false;
        job.shortages = 0;
        match stop {
            None => {
                self.go_on(job, Phase::Running { last_output: now, silent: false });
                vec![Effect::StoreStarted]
            }
            // An actor that leaves writes nothing any more: the next daemon finds the child by its environment.
            Some(Stop::LeaveChild) => leave(&job, Stop::LeaveChild),
            Some(Stop::EndChild) => {
                self.go_on(job, Phase::Terminating);
                vec![Effect::StoreStarted, Effect::EndChild]
            }
        }
    }

    /// Nothing was started, so it does not count as a start.
    fn put_off(&mut self, mut job: Job, reason: String, now: Moment) -> Vec<Effect> {
        job.attempt -= 1;
        if let Some(delay) = job.delay_after_shortage() {
            self.go_on(job, Phase::BackingOff { until: now + delay });
            return vec![Effect::Note(Note::CannotSpawnNow { reason, delay })];
        }
        let store = self.store_end(job, Outcome::Lost { reason: reason.clone() });
        [vec![Effect::Note(Note::CannotSpawnReported { reason })], store].concat()
    }

    fn exited(&mut self, mut job: Job, exit: ProcessExit, now: Moment) -> Vec<Effect> {
        match exit {
            // It took its time to end as it was asked to.
            ProcessExit::Code(1..) if job.is_relieved => {
                let spawn = self.spawn(job);
                [vec![Effect::Note(Note::ExitUnknownRunsAgain)], spawn].concat()
            }
            ProcessExit::Code(0) => {
                self.go_on(job, Phase::Judging);
                vec![Effect::Judge]
            }
            ProcessExit::Code(_failed) if job.is_renewed => self.run_again(job),
            ProcessExit::Code(code) => self.store_end(job, Outcome::Retcode(code)),
            ProcessExit::Signal(signal) => {
                if let Some(delay) = job.delay_after_crash(now) {
                    self.go_on(job, Phase::BackingOff { until: now + delay });
                    return vec![Effect::Note(Note::CrashedRunsAgain { signal, delay })];
                }
                let store = self.store_end(job, Outcome::Signal(signal));
                [vec![Effect::Note(Note::CrashedTooOften { signal })], store].concat()
            }
            ProcessExit::Unknown if self.can_watch(&job) => {
                self.watch(job, now);
                vec![Effect::Note(Note::ExitUnknownLooks)]
            }
            ProcessExit::Unknown => {
                let spawn = self.spawn(job);
                [vec![Effect::Note(Note::ExitUnknownRunsAgain)], spawn].concat()
            }
        }
    }

    fn judged(&mut self, mut job: Job, verdict: Verdict, now: Moment) -> Vec<Effect> {
        match verdict {
            Verdict::Over | Verdict::Unknown => self.store_end(job, Outcome::Retcode(0)),
            Verdict::NotOver | Verdict::OutOfSight if job.is_renewed => self.run_again(job),
            Verdict::OutOfSight => {
                self.go_on(job, Phase::Seeking);
                vec![Effect::Seek]
            }
            Verdict::NotOver => {
                if let Some(delay) = job.delay_when_unfinished() {
                    self.go_on(job, Phase::BackingOff { until: now + delay });
                    return vec![Effect::Note(Note::UnfinishedRunsAgain { delay })];
                }
                let store = self.store_end(job, Outcome::Retcode(PROCESSING_FAILED));
                [vec![Effect::Note(Note::UnfinishedReported)], store].concat()
            }
        }
    }

    fn store_end(&mut self, job: Job, outcome: Outcome) -> Vec<Effect> {
        self.go_on(job, Phase::Storing { outcome: outcome.clone(), retry_at: None });
        vec![Effect::StoreEnd(outcome)]
    }
}

fn leave(job: &Job, stop: Stop) -> Vec<Effect> {
    let forget = match stop {
        Stop::LeaveChild => None,
        Stop::EndChild => Some(job.op),
    };
    vec![Effect::Leave { forget }]
}

#[cfg(test)]
mod tests;
