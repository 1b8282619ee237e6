//! The loop of one change: one event after the other, timers that are due first, effects in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::reconfigure::Phase;
use lvmwarden_protocol::ids::VgName;
use lvmwarden_reconfigure::change::{Change, Event};
use lvmwarden_reconfigure::effect::{Effect, Outcome, Timer};
use lvmwarden_reconfigure::kind::Terms;
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::membership::Membership;
use lvmwarden_reconfigure::record::Record;
use lvmwarden_reconfigure::word::{Abandonment, Cause, Word};
use lvmwarden_reconfigure::{coordinator, judge};
use lvmwarden_supervisor::process::Process;
use lvmwarden_supervisor::{ChildLink, fault};
use slog::{Logger, error, warn};
use thiserror::Error;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::roles::reconfigure::described::Description;
use crate::roles::reconfigure::environment::{Heard, Listening, ReconfigureEnvironment};
use crate::roles::reconfigure::goal::{Wanted, machine_kind, vg_of};
use crate::roles::reconfigure::memory::{self, Known};

/// A change has come to its write, or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("abandon a change: it is too late")]
pub struct TooLate;

/// What comes to a change from elsewhere than the group.
#[derive(Debug)]
pub(super) enum Input {
    /// A result of what it has done.
    Machine(Event),
    /// The VG was read under the lock.
    Read(Result<Description, Cause>),
    /// Somebody asks to abandon it.
    Abandon(oneshot::Sender<Result<(), TooLate>>),
    /// Somebody asks for a look now.
    LookNow,
    /// The daemon ends.
    Stop,
}

/// One change, running.
pub(super) struct Shell {
    pub(super) id: Uuid,
    pub(super) vg: VgName,
    pub(super) wanted: Wanted,
    pub(super) terms: Terms,
    pub(super) known: Known,
    pub(super) change: Change,
    pub(super) around: Membership,
    pub(super) me: Member,
    pub(super) environment: Arc<ReconfigureEnvironment>,
    pub(super) link: ChildLink,
    pub(super) log: Logger,
    /// Where results go.
    pub(super) inputs: mpsc::UnboundedSender<Input>,
    waiting: mpsc::UnboundedReceiver<Input>,
    listening: Listening,
    pub(super) timers: BTreeMap<Timer, Instant>,
    /// Is told when the change survives a crash.
    pub(super) begun: Option<oneshot::Sender<Result<(), String>>>,
    /// The writing child, while it runs.
    pub(super) writer: Option<Arc<dyn Process>>,
    /// Held while a child prepares or undoes: one waits for the other.
    pub(super) preparing: Arc<Mutex<()>>,
    /// It is a life after a crash: children of the earlier one may be there.
    pub(super) is_resumed: bool,
    /// How often what follows a commit has failed.
    pub(super) failures: u32,
    pub(super) why: Option<Abandonment>,
    pub(super) outcome: Option<Outcome>,
    /// The phase in which it was decided.
    pub(super) decided_in: Option<Phase>,
    /// The phase, and since when.
    pub(super) phase: (Phase, Instant),
    pub(super) started: Instant,
    is_stopping: bool,
}

impl Shell {
    /// Makes it, before its first event.
    pub(super) fn new(
        known: Known,
        environment: Arc<ReconfigureEnvironment>,
        link: ChildLink,
        inputs: mpsc::UnboundedSender<Input>,
        waiting: mpsc::UnboundedReceiver<Input>,
    ) -> Self {
        let wanted = Wanted::parse(&known.goal).expect("a goal is parsed before it is written down");
        let vg = vg_of(&known.goal).expect("a goal is parsed before it is written down");
        // There is no hold in a VG that is not shared, and no other VG comes so far.
        let terms = Terms { holds: false, ..machine_kind(known.goal.kind).terms() };
        let (listening, around) = environment.listen(known.id);
        let me = around.me.unwrap_or(known.coordinator);
        let change = Change::asked(me, terms, environment.settings.limits.rounds);
        let log = link.log.new(slog::o!("change" => known.id.to_string()));
        let now = Instant::now();
        Self {
            id: known.id,
            vg,
            wanted,
            terms,
            known,
            change,
            around: around.membership,
            me,
            environment,
            link,
            log,
            inputs,
            waiting,
            listening,
            timers: BTreeMap::new(),
            begun: None,
            writer: None,
            preparing: Arc::default(),
            is_resumed: false,
            failures: 0,
            why: None,
            outcome: None,
            decided_in: None,
            phase: (Phase::Locking, now),
            started: now,
            is_stopping: false,
        }
    }

    /// Lives the first life of a change; `begun` is told when it survives a crash.
    pub(super) async fn begin(mut self, begun: oneshot::Sender<Result<(), String>>) {
        self.known.coordinator = self.me;
        self.begun = Some(begun);
        self.apply(Event::Coordinator(coordinator::Event::Accepted)).await;
        self.run().await;
    }

    /// Lives a later life of a change, from what the journal has.
    pub(super) async fn resume(mut self) {
        self.is_resumed = true;
        let mut effects = Vec::new();
        let (coordinator, memory) = (self.known.coordinator, self.known.machine);
        self.change = Change::resumed(self.me, coordinator, self.terms, memory, &mut effects);
        self.carry_out(effects).await;
        self.show();
        self.run().await;
    }

    async fn run(mut self) {
        while !self.change.is_over() {
            match self.next().await {
                Input::Machine(event) => self.apply(event).await,
                Input::Read(read) => {
                    let read = read.map(|described| self.known.described = described);
                    self.apply(Event::Coordinator(coordinator::Event::VgRead(read))).await;
                }
                Input::Abandon(answer) => {
                    let may_be = self.may_be_abandoned();
                    // Whoever has asked may be gone.
                    let _ = answer.send(if may_be { Ok(()) } else { Err(TooLate) });
                    if may_be {
                        self.apply(Event::Coordinator(coordinator::Event::AskedToAbandon)).await;
                    }
                }
                Input::LookNow => self.apply(Event::Elapsed(Timer::LookAgain)).await,
                Input::Stop if self.may_be_abandoned() => {
                    self.is_stopping = true;
                    self.apply(Event::Coordinator(coordinator::Event::AskedToAbandon)).await;
                }
                // The next daemon goes on from the journal.
                Input::Stop => return,
            }
            if self.is_stopping && self.writer.is_some() {
                return;
            }
        }
        self.finish().await;
    }

    /// Tells whether nothing was written, and nobody can have begun to.
    fn may_be_abandoned(&self) -> bool {
        use coordinator::State;
        self.change.coordinator().is_some_and(|machine| match machine.state() {
            State::Asked
            | State::Locking
            | State::Proposing { .. }
            | State::Voting { .. }
            | State::Preparing
            | State::AtGate => true,
            State::Applying { .. }
            | State::Judging
            | State::Committing
            | State::Abandoning
            | State::Ended => false,
        })
    }

    /// Returns what happens next: timers that are due are told before anything else.
    ///
    /// Both arms that receive are cancel-safe; a timer that is not due yet is kept.
    async fn next(&mut self) -> Input {
        let first = self.timers.iter().min_by_key(|(_, due)| **due).map(|(timer, due)| (*timer, *due));
        let elapsed = async {
            match first {
                Some((timer, due)) => {
                    sleep_until(due).await;
                    timer
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            timer = elapsed => {
                self.timers.remove(&timer);
                Input::Machine(Event::Elapsed(timer))
            }
            Some(Heard { event, around }) = self.listening.heard.recv() => {
                self.around = around;
                Input::Machine(event)
            }
            // This end holds a sender: there is always somebody who could send.
            Some(input) = self.waiting.recv() => input,
        }
    }

    /// Takes an event, and carries out what follows.
    async fn apply(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.note(&event);
        self.change.apply(event, &self.around, &mut effects);
        self.carry_out(effects).await;
        self.show();
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        // What is about to be said is told with the record before it.
        let why = effects.iter().rev().find_map(|effect| match effect {
            Effect::Send(Word::Abandon { why, .. }) => Some(why.clone()),
            _another => None,
        });
        self.why = why.or(self.why.take());
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            let Effect::Record(record) = effect else {
                self.execute(effect).await;
                continue;
            };
            if !self.record(record).await && record.is_essential() {
                // What follows relies on it.
                queue.clear();
                let mut instead = Vec::new();
                self.change.apply(Event::NotRecorded(record), &self.around, &mut instead);
                queue.extend(instead);
            }
        }
    }

    /// Writes a record down; returns whether it is durable.
    async fn record(&mut self, record: Record) -> bool {
        if record == Record::Ended && self.has_not_begun() {
            return false;
        }
        let (before, decided) = (self.known.clone(), self.known.machine.decision);
        if record == Record::Preparing {
            self.known.undo = self.to_be_undone().await;
        }
        self.known.machine.remember(record);
        let name = name_of(record);
        let stored = memory::store(&self.link.registry, &self.known).await;
        if let Err(reason) = &stored {
            if record.is_essential() {
                self.known = before;
                warn!(self.log, "a step of a change cannot be written down"; "step" => name,
                      "error" => reason, "next" => "abandon it");
            } else {
                error!(self.log, "a step of a change cannot be written down"; "step" => name,
                       "error" => reason, "next" => "go on: it is decided");
            }
        }
        if let (Record::Asked, Some(begun)) = (record, self.begun.take()) {
            if stored.is_ok() {
                self.show();
            }
            // Whoever has asked may be gone; the change is not.
            let _ = begun.send(stored.clone());
        }
        if stored.is_ok() {
            fault::point(&format!("reconfigure.{name}_stored"), self.known.goal.vgname.as_str());
            self.tell_record(record, decided);
        }
        stored.is_ok()
    }

    /// Writes down what hardly matters for the change itself.
    pub(super) async fn store(&self, what: &'static str) {
        if let Err(reason) = memory::store(&self.link.registry, &self.known).await {
            error!(self.log, "a change cannot be written down"; "what" => what, "error" => reason,
                   "next" => "go on");
        }
    }

    /// Tells whether nothing of it is written down.
    fn has_not_begun(&self) -> bool {
        !self.known.machine.is_coordinator
    }

    /// It is over: what is told of it from now on is written down.
    async fn finish(mut self) {
        if self.has_not_begun() {
            // There is nothing to remember.
            self.environment.board.give_up(&self.id.to_string());
            return;
        }
        self.environment.lvm.remove_output(self.id);
        let told = self.told();
        self.known.told = Some(told.clone());
        self.store("its end").await;
        fault::point("reconfigure.told_stored", self.known.goal.vgname.as_str());
        self.tell_end(&told);
        if let Some(forgotten) = self.environment.board.put(told)
            && let Ok(forgotten) = forgotten.parse()
            && let Err(reason) = memory::forget(&self.link.registry, forgotten).await
        {
            warn!(self.log, "an old change cannot be forgotten"; "error" => reason, "next" => "leave it");
        }
    }

    /// Has a result come back as an event.
    pub(super) fn results(&self) -> Results {
        Results(self.inputs.clone())
    }

    /// Returns how long a timer runs.
    pub(super) fn limit(&self, timer: Timer) -> Duration {
        let limits = &self.environment.settings.limits;
        match timer {
            Timer::Lock => limits.lock,
            Timer::Vote => limits.vote,
            Timer::Objections => Duration::from_millis(500),
            // An activation is no hold: nobody waits meanwhile.
            Timer::Prepare if !self.terms.holds => limits.apply,
            Timer::Prepare => limits.prepare,
            Timer::Reserve => limits.hold.saturating_sub(limits.apply_reserve),
            Timer::Apply => limits.apply,
            Timer::Commit => limits.commit,
            Timer::Doubt => limits.doubt,
            Timer::LookAgain => Duration::from_secs(1),
            Timer::RefreshAgain => Duration::from_secs(1 << self.failures.min(6)).min(Duration::from_mins(1)),
        }
    }
}

/// Where results of what a change does come back to it.
#[derive(Clone)]
pub(super) struct Results(mpsc::UnboundedSender<Input>);

impl Results {
    /// Tells a result; a change that is over has no use for it.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.0.send(Input::Machine(event));
    }

    /// Tells one of the coordinator's.
    pub(super) fn coordinator(&self, event: coordinator::Event) {
        self.tell(Event::Coordinator(event));
    }

    /// Tells one of the participant's.
    pub(super) fn participant(&self, event: lvmwarden_reconfigure::participant::Event) {
        self.tell(Event::Participant(event));
    }

    /// Tells one of the judge's.
    pub(super) fn judge(&self, event: judge::Event) {
        self.tell(Event::Judge(event));
    }

    /// Tells what was read under the lock.
    pub(super) fn read(&self, read: Result<Description, Cause>) {
        let _ = self.0.send(Input::Read(read));
    }
}

/// Returns a record's word, for points where a test strikes and for the log.
fn name_of(record: Record) -> &'static str {
    match record {
        Record::Asked => "asked",
        Record::Proposed => "proposed",
        Record::Voted { .. } => "voted",
        Record::Preparing => "preparing",
        Record::Ready => "ready",
        Record::Gate => "gate",
        Record::Decided(_) => "decided",
        Record::Done => "done",
        Record::Ended => "ended",
    }
}
