//! A lockspace on a bench: a lock manager that does as it is told, a clock that is moved by hand, and everything that
//! came out of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use super::ask::{Ask, Asked, Client, ClientId, LockAsk, Reply, StartAsk, Ticket};
use super::event::{Answer, Call, CallId, Effect, Event, Notice, Outcome, Spec};
use super::orphan::Orphan;
use super::picture::{ResourcePicture, Stage};
use super::record::Remembered;
use super::state::Lockspace;
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{
    Fault, GlobalLease, Leftover, OtherHosts, Prepared, Resource, ValueBlock,
};

pub(super) const SHARED: LockMode = LockMode::Shared;
pub(super) const EXCLUSIVE: LockMode = LockMode::Exclusive;

/// How the lock manager answers a call; `None`: it is granted.
type Manner = Box<dyn FnMut(&Call) -> Option<Answer>>;

pub(super) struct Bench {
    pub(super) lockspace: Lockspace,
    pub(super) now: Moment,
    pub(super) calls: VecDeque<(CallId, Call)>,
    /// All calls that were ever made.
    pub(super) called: Vec<Call>,
    pub(super) told: Vec<Notice>,
    pub(super) remembered: Remembered,
    pub(super) globals: Vec<GlobalLease>,
    pub(super) wake: Option<Moment>,
    pub(super) gone: bool,
    /// The LVs of which it was asked whether they are active.
    pub(super) asked_for_use: Vec<Resource>,
    /// Calls wait until they are answered by hand.
    pub(super) slow: bool,
    manner: Manner,
    /// What the lock manager says that an earlier life has left behind.
    pub(super) leftovers: Vec<Leftover>,
    replies: BTreeMap<Ticket, Reply>,
    blocks: BTreeMap<Resource, ValueBlock>,
    held: BTreeMap<Resource, LockMode>,
    last_ticket: u64,
}

/// Parses a name or a UUID.
#[track_caller]
pub(crate) fn id<'t, T: TryFrom<&'t str, Error: std::fmt::Debug>>(text: &'t str) -> T {
    text.try_into().unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

pub(crate) fn lv(name: &str) -> Resource {
    Resource::Lv(uuid(name))
}

pub(crate) fn uuid(name: &str) -> LvUuid {
    id(&format!("{name:x<32}"))
}

pub(crate) fn spec(lock_type: LockType) -> Spec {
    Spec {
        name: "lvm_vg".into(),
        vg: Some(id("vg")),
        vg_uuid: None,
        args: "1.0.0:lvmlock".into(),
        lock_type,
        host_id: 1,
        local_wait: None,
    }
}

pub(crate) fn fault(code: ResultCode) -> Fault {
    Fault { code, raw: code.0, is_transient: false, owner: None, text: format!("refused with {code}") }
}

pub(crate) fn client(id: u32) -> Arc<Client> {
    Arc::new(Client { id: ClientId(id), pid: 1000 + id, process: None, name: "lvm".into() })
}

pub(crate) fn persistent(resource: &Resource, mode: LockMode) -> LockAsk {
    LockAsk { persistent: true, ..LockAsk::new(resource.clone(), Some(mode)) }
}

impl Bench {
    /// A lockspace that nobody has started.
    pub(crate) fn new(spec: Spec) -> Self {
        Self::around(Lockspace::new(spec))
    }

    pub(crate) fn around(lockspace: Lockspace) -> Self {
        Self {
            lockspace,
            now: Duration::from_secs(100),
            calls: VecDeque::new(),
            called: Vec::new(),
            told: Vec::new(),
            remembered: Remembered::default(),
            globals: Vec::new(),
            wake: None,
            gone: false,
            asked_for_use: Vec::new(),
            slow: false,
            manner: Box::new(|_| None),
            leftovers: Vec::new(),
            replies: BTreeMap::new(),
            blocks: BTreeMap::new(),
            held: BTreeMap::new(),
            last_ticket: 0,
        }
    }

    /// One that runs.
    pub(crate) fn running(lock_type: LockType) -> Self {
        Self::running_with(spec(lock_type))
    }

    pub(crate) fn running_with(spec: Spec) -> Self {
        let mut bench = Self::new(spec);
        let start = bench.ask(9, Ask::Start(StartAsk { wait: true, ..StartAsk::default() }));
        assert_eq!(bench.code(start), Some(ResultCode::OK));
        bench.called.clear();
        bench.told.clear();
        bench
    }

    /// One that takes an earlier life over.
    pub(crate) fn adopting(
        spec: Spec,
        orphans: Vec<Orphan>,
        manner: impl FnMut(&Call) -> Option<Answer> + 'static,
    ) -> Self {
        let mut bench = Self::new(spec.clone());
        bench.manner = Box::new(manner);
        let mut effects = Vec::new();
        bench.lockspace = Lockspace::adopt(spec, orphans, bench.now, &mut effects);
        bench.carry_out(effects);
        bench.run();
        bench
    }

    /// Lets the lock manager answer some calls in another way.
    pub(crate) fn manner(&mut self, manner: impl FnMut(&Call) -> Option<Answer> + 'static) {
        self.manner = Box::new(manner);
    }

    /// Lets calls of one kind fail.
    pub(crate) fn fails(&mut self, which: fn(&Call) -> bool, fault: Fault) {
        self.manner = Box::new(move |call| which(call).then(|| Err(fault.clone())));
    }

    pub(crate) fn ask(&mut self, of: u32, ask: Ask) -> Ticket {
        self.ask_for(of, None, ask)
    }

    pub(crate) fn ask_for(&mut self, of: u32, lock_type: Option<LockType>, ask: Ask) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.apply(Event::Asked(Asked { ticket, client: client(of), lock_type, ask }));
        ticket
    }

    pub(crate) fn lock(&mut self, of: u32, resource: &Resource, mode: LockMode) -> Ticket {
        self.ask(of, Ask::Lock(LockAsk::new(resource.clone(), Some(mode))))
    }

    pub(crate) fn unlock(&mut self, of: u32, resource: &Resource) -> Ticket {
        self.lock(of, resource, LockMode::Unlocked)
    }

    pub(crate) fn apply(&mut self, event: Event) {
        self.feed(event);
        self.run();
    }

    /// Takes one event in, and nothing that follows from it.
    pub(crate) fn feed(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.lockspace.apply(event, self.now, &mut effects);
        self.carry_out(effects);
    }

    /// Answers the oldest call.
    pub(crate) fn answer(&mut self, answer: Answer) {
        let (id, _) = self.calls.pop_front().expect("a call is under way");
        self.apply(Event::Answered(id, answer));
    }

    /// Grants the oldest call.
    pub(crate) fn grant(&mut self) {
        let (id, call) = self.calls.pop_front().expect("a call is under way");
        let answer = self.answer_of(&call);
        self.apply(Event::Answered(id, answer));
    }

    /// Lets time pass, with all wakes on the way.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(wake) = self.wake.filter(|wake| *wake <= until) {
            self.now = self.now.max(wake);
            self.wake = None;
            self.apply(Event::TimeHasCome);
        }
        self.now = until;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn code(&self, ticket: Ticket) -> Option<ResultCode> {
        self.replies.get(&ticket).map(|reply| reply.code)
    }

    pub(crate) fn reply(&self, ticket: Ticket) -> &Reply {
        self.replies.get(&ticket).expect("it was answered")
    }

    pub(crate) fn resource(&self, resource: &Resource) -> Option<ResourcePicture> {
        self.lockspace.describe().resources.into_iter().find(|picture| picture.resource == *resource)
    }

    pub(crate) fn mode(&self, resource: &Resource) -> LockMode {
        self.resource(resource).map_or(LockMode::Unlocked, |picture| picture.mode)
    }

    pub(crate) fn stage(&self) -> Stage {
        self.lockspace.stage()
    }

    /// Returns how often the lock manager was called in this way.
    pub(crate) fn count(&self, which: fn(&Call) -> bool) -> usize {
        self.called.iter().filter(|call| which(call)).count()
    }

    pub(crate) fn has_told(&self, which: fn(&Notice) -> bool) -> bool {
        self.told.iter().any(which)
    }

    fn run(&mut self) {
        while !self.slow
            && let Some((id, call)) = self.calls.pop_front()
        {
            let answer = self.answer_of(&call);
            self.feed(Event::Answered(id, answer));
        }
    }

    pub(crate) fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Record(record) => self.remembered.apply(&record),
                Effect::Call(id, call) => {
                    self.called.push(call.clone());
                    self.calls.push_back((id, call));
                }
                Effect::Reply(ticket, reply) => {
                    assert!(self.replies.insert(ticket, reply).is_none(), "{ticket:?} was answered twice");
                }
                Effect::WakeAt(moment) => self.wake = Some(moment),
                Effect::Tell(notice) => self.told.push(notice),
                Effect::Global(lease) => self.globals.push(lease),
                Effect::AskForUse(resource) => self.asked_for_use.push(resource),
                Effect::Gone(_) => self.gone = true,
            }
        }
    }

    /// Returns what the connection holds.
    pub(crate) fn held(&self) -> BTreeMap<Resource, LockMode> {
        self.held.clone()
    }

    fn answer_of(&mut self, call: &Call) -> Answer {
        let answer = (self.manner)(call).unwrap_or_else(|| Ok(self.grant_of(call)));
        match call {
            Call::Acquire(resource, mode, _) | Call::Convert(resource, mode, _) if answer.is_ok() => {
                self.held.insert(resource.clone(), *mode);
            }
            Call::Release { resource, .. } if answer.is_ok() => {
                self.held.remove(resource);
            }
            _nothing_held => {}
        }
        answer
    }

    fn grant_of(&mut self, call: &Call) -> Outcome {
        match call {
            Call::Prepare { .. } => Outcome::Prepared(Prepared {
                global: GlobalLease::Enabled,
                previous_generation: 3,
                is_left_behind: false,
            }),
            Call::Join { .. } => Outcome::Joined(4),
            Call::Acquire(resource, ..) => Outcome::Acquired(self.block(resource)),
            Call::Convert(resource, _, write) | Call::Release { resource, write, .. } => {
                if let Some(write) = write {
                    self.blocks.insert(resource.clone(), *write);
                }
                Outcome::Done
            }
            Call::OtherHosts => Outcome::Hosts(OtherHosts::default()),
            Call::Orphans => Outcome::Orphans(Some(self.leftovers.clone())),
            Call::DropOrphans => Outcome::Done,
            Call::InitLv(_) => Outcome::Args("1.0.0:70254592".to_owned()),
            Call::ReadGlobal => Outcome::Global(GlobalLease::Enabled),
            Call::Leave(_) | Call::FindFreeLock { .. } | Call::FreeLv { .. } | Call::WriteGlobal { .. } => {
                Outcome::Done
            }
        }
    }

    fn block(&self, resource: &Resource) -> Option<ValueBlock> {
        let has_one = !matches!(resource, Resource::Lv(_));
        has_one.then(|| self.blocks.get(resource).copied().unwrap_or_default())
    }
}
