//! One host: its lockspace, its clients, and what they believe.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use super::Rule;
use super::grid::Grid;
use super::random::Random;
use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::ask::{Ask, Asked, Client, ClientId, LockAsk, StartAsk, StopRule, Ticket};
use crate::roles::lock::lockspace::event::{Call, CallId, Effect, End, Event};
use crate::roles::lock::lockspace::orphan::{Asker, orphans};
use crate::roles::lock::lockspace::picture::Stage;
use crate::roles::lock::lockspace::record::{HolderRecord, LockRecord, Remembered, Writing};
use crate::roles::lock::lockspace::state::Lockspace;
use crate::roles::lock::lockspace::testing::{client, lv, spec};

/// What somebody may rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Belief {
    pub(super) resource: Resource,
    pub(super) mode: LockMode,
    /// The client; `None`: the persistent lock, whoever has asked for it.
    pub(super) owner: Option<ClientId>,
}

pub(super) struct Host {
    at: usize,
    rule: Rule,
    lockspace: Lockspace,
    /// What a life of the daemon remembers, what is durable of it, and what is not yet.
    remembered: Remembered,
    durable: Remembered,
    behind: Vec<LockRecord>,
    /// An earlier life could not be taken over yet.
    is_unsettled: bool,
    was_killed: bool,
    /// Processes that have asked an earlier life of the daemon.
    earlier: Vec<ClientId>,
    /// Who was told that a persistent lock is its own or as good, and may activate the LV.
    reliers: Vec<(ClientId, Resource)>,
    pub(super) active: BTreeSet<Resource>,
    /// The persistent locks that end with those who rely on them, after a restart.
    on_probation: BTreeSet<Resource>,
    /// LVs of which it is to be told whether they are active, and what was seen.
    looks: VecDeque<(Resource, Option<bool>)>,
    calls: VecDeque<(CallId, Call)>,
    pub(super) beliefs: Vec<Belief>,
    clients: Vec<ClientId>,
    waiting: BTreeMap<Ticket, Asked>,
    wake: Option<Duration>,
    is_gone: bool,
    last_client: u32,
    last_ticket: u64,
    /// How many replies there were.
    pub(super) told: usize,
}

impl Host {
    pub(super) fn new(at: usize, rule: Rule) -> Self {
        Self {
            at,
            rule,
            lockspace: Lockspace::new(spec(LockType::Sanlock)),
            remembered: Remembered::default(),
            durable: Remembered::default(),
            behind: Vec::new(),
            is_unsettled: false,
            was_killed: false,
            earlier: Vec::new(),
            reliers: Vec::new(),
            active: BTreeSet::new(),
            on_probation: BTreeSet::new(),
            looks: VecDeque::new(),
            calls: VecDeque::new(),
            beliefs: Vec::new(),
            clients: Vec::new(),
            waiting: BTreeMap::new(),
            wake: None,
            is_gone: false,
            last_client: 0,
            last_ticket: 0,
            told: 0,
        }
    }

    pub(super) fn start(&mut self, now: Duration) {
        let id = self.new_client();
        self.ask(id, Ask::Start(StartAsk { wait: true, ..StartAsk::default() }), now);
    }

    fn new_client(&mut self) -> ClientId {
        self.last_client += 1;
        self.clients.push(ClientId(self.last_client));
        ClientId(self.last_client)
    }

    /// A client that is not waiting, perhaps a new one, asks for some lock, or for something else.
    pub(super) fn ask_something(&mut self, random: &mut Random, now: Duration) {
        if self.is_unsettled {
            return;
        }
        let id = match self.idle_client(random) {
            Some(id) if random.percent(80) => id,
            _ => self.new_client(),
        };
        let resource = match random.below(4) {
            0 => Resource::Global,
            1 => Resource::Vg,
            2 => lv("a"),
            _ => lv("b"),
        };
        if random.percent(5) {
            self.ask(id, Ask::VgUpdate { version: random.small(50), next: false }, now);
            return;
        }
        let modes = [LockMode::Unlocked, LockMode::Shared, LockMode::Exclusive];
        let mode = modes[random.below(3)];
        let is_lv = matches!(resource, Resource::Lv(_));
        let ask = LockAsk {
            persistent: is_lv && random.percent(40),
            max_retries: random.small(3),
            unlock_cancel: random.percent(10),
            ..LockAsk::new(resource, Some(mode))
        };
        self.give_up_before(id, &ask);
        self.ask(id, Ask::Lock(ask), now);
    }

    fn idle_client(&self, random: &mut Random) -> Option<ClientId> {
        let waiting = |id: &ClientId| self.waiting.values().any(|asked| asked.client.id == *id);
        let idle: Vec<_> = self.clients.iter().copied().filter(|id| !waiting(id)).collect();
        if idle.is_empty() { None } else { Some(idle[random.below(idle.len())]) }
    }

    /// Whoever asks for less does not rely on more from then on.
    fn give_up_before(&mut self, id: ClientId, ask: &LockAsk) {
        let owner = if ask.persistent { None } else { Some(id) };
        let is_it = |belief: &Belief| belief.owner == owner && belief.resource == ask.resource;
        match ask.mode {
            Some(LockMode::Unlocked) => {
                self.beliefs.retain(|belief| !is_it(belief));
                if ask.persistent {
                    self.active.remove(&ask.resource);
                    self.reliers.retain(|(_, resource)| *resource != ask.resource);
                }
            }
            Some(LockMode::Shared) => {
                self.beliefs
                    .iter_mut()
                    .filter(|belief| is_it(belief))
                    .for_each(|b| b.mode = LockMode::Shared);
            }
            _ => {}
        }
    }

    fn ask(&mut self, id: ClientId, ask: Ask, now: Duration) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        let asked = Asked { ticket, client: client(id.0), lock_type: None, ask };
        self.waiting.insert(ticket, asked.clone());
        self.feed(Event::Asked(asked), now);
    }

    pub(super) fn feed(&mut self, event: Event, now: Duration) {
        let mut effects = Vec::new();
        self.lockspace.apply(event, now, &mut effects);
        self.carry_out(effects, now);
    }

    fn carry_out(&mut self, effects: Vec<Effect>, now: Duration) {
        for effect in effects {
            match effect {
                Effect::Record(record) => self.remember(record),
                Effect::Call(id, call) => self.calls.push_back((id, call)),
                Effect::Reply(ticket, reply) => {
                    self.told += 1;
                    let asked = self.waiting.remove(&ticket);
                    self.believe(asked, ticket, reply.code);
                }
                Effect::WakeAt(moment) => self.wake = Some(moment),
                Effect::Gone(End::NotIn) => self.is_gone = true,
                Effect::Gone(End::LeftAsItIs) => self.is_unsettled = true,
                Effect::AskForUse(resource) => self.looks.push_back((resource, None)),
                Effect::Tell(_) | Effect::Global(_) => {}
            }
        }
        if self.is_gone {
            self.is_gone = false;
            let over = std::mem::replace(&mut self.lockspace, Lockspace::new(spec(LockType::Sanlock)));
            assert!(matches!(over.stage(), Stage::Finished | Stage::Failed));
            self.calls.clear();
            self.wake = None;
            self.start(now);
        }
    }

    fn believe(&mut self, asked: Option<Asked>, ticket: Ticket, code: ResultCode) {
        let Some(asked) = asked else {
            // Its client is gone, or it was answered before.
            assert!(ticket.0 <= self.last_ticket);
            return;
        };
        let Ask::Lock(ask) = &asked.ask else { return };
        let id = asked.client.id;
        let owner = if ask.persistent { None } else { Some(id) };
        self.rely(id, ask, code);
        let Some(mode @ (LockMode::Shared | LockMode::Exclusive)) = ask.mode else {
            // An unlock that has failed is done as soon as it can be: its lock is nobody's.
            if !matches!(code, ResultCode::NOT_FOUND | ResultCode::CANCELED) {
                self.beliefs.retain(|belief| belief.owner != owner || belief.resource != ask.resource);
            }
            return;
        };
        if code != ResultCode::OK {
            return;
        }
        let has_persistent = self.belief(None, &ask.resource).is_some();
        if !ask.persistent && !self.has_record(id, &ask.resource) {
            // As good as the persistent one; no lock of its own.
            return;
        }
        let becomes_persistent = ask.persistent && !has_persistent;
        self.beliefs.retain(|belief| {
            let is_own = belief.owner == owner || (becomes_persistent && belief.owner == Some(id));
            belief.resource != ask.resource || !is_own
        });
        // Somebody else may be about to change a persistent lock already.
        let mode = self.others_about_to(ask).fold(mode, LockMode::min);
        // Also by somebody who does not wait for that any more.
        let is_stopping = self.lockspace.stage() == Stage::Stopping
            || self.waiting.values().any(|asked| matches!(asked.ask, Ask::Stop(_)));
        let may_be_stopped = is_stopping && !matches!(ask.resource, Resource::Lv(_));
        if mode != LockMode::Unlocked && !may_be_stopped {
            self.beliefs.push(Belief { resource: ask.resource.clone(), mode, owner });
        }
    }

    /// Whoever is told that it has a persistent lock, or one that is as good as its own, may use the LV.
    fn rely(&mut self, id: ClientId, ask: &LockAsk, code: ResultCode) {
        let is_lv = matches!(ask.resource, Resource::Lv(_));
        let Some(mode @ (LockMode::Shared | LockMode::Exclusive)) = ask.mode.filter(|_| is_lv) else {
            return;
        };
        let is_told = match (ask.persistent, code) {
            (true, ResultCode::OK | ResultCode::ALREADY) => true,
            (false, ResultCode::OK) => !self.has_record(id, &ask.resource),
            _ => false,
        };
        if !is_told {
            return;
        }
        self.reliers.push((id, ask.resource.clone()));
        if self.belief(None, &ask.resource).is_none() && code == ResultCode::ALREADY {
            let mode = self.others_about_to(ask).fold(mode, LockMode::min);
            if mode != LockMode::Unlocked {
                self.beliefs.push(Belief { resource: ask.resource.clone(), mode, owner: None });
            }
        }
    }

    /// Somebody who may activates its LV, with or without a daemon.
    pub(super) fn activate(&mut self, random: &mut Random) {
        if !self.reliers.is_empty() {
            let (_, resource) = self.reliers[random.below(self.reliers.len())].clone();
            if self.belief(None, &resource).is_some() {
                self.active.insert(resource);
            }
        }
    }

    /// A look at the devices: what is seen is told a little later.
    pub(super) fn look_for_use(&mut self, now: Duration) {
        match self.looks.front_mut() {
            None => {}
            Some((resource, seen @ None)) => *seen = Some(self.active.contains(resource)),
            Some((_, Some(_))) => {
                if let Some((resource, Some(is_active))) = self.looks.pop_front() {
                    self.feed(Event::Used(resource, is_active), now);
                }
            }
        }
    }

    /// A process ends that has asked an earlier life of the daemon.
    pub(super) fn end_a_process(&mut self, random: &mut Random, now: Duration) {
        if !self.earlier.is_empty() {
            let id = self.earlier.swap_remove(random.below(self.earlier.len()));
            self.end_process(id, now);
        }
    }

    pub(super) fn end_all_processes(&mut self, now: Duration) {
        for id in std::mem::take(&mut self.earlier) {
            self.end_process(id, now);
        }
    }

    fn end_process(&mut self, id: ClientId, now: Duration) {
        self.beliefs.retain(|belief| belief.owner != Some(id));
        self.reliers.retain(|(relier, _)| *relier != id);
        self.end_probations();
        self.feed(Event::ClientGone(id), now);
    }

    fn end_probations(&mut self) {
        let (active, reliers, on_probation) = (&self.active, &self.reliers, &self.on_probation);
        self.beliefs.retain(|belief| {
            let resource = &belief.resource;
            let may_end =
                belief.owner.is_none() && on_probation.contains(resource) && !active.contains(resource);
            !may_end || reliers.iter().any(|(_, relied)| relied == resource)
        });
    }

    fn remember(&mut self, record: LockRecord) {
        let writing = self.remembered.writing(&record);
        self.remembered.apply(&record);
        self.behind.push(record);
        if writing == Writing::Awaited {
            self.write_down();
        }
    }

    fn write_down(&mut self) {
        self.behind.drain(..).for_each(|record| self.durable.apply(&record));
    }

    fn others_about_to(&self, ask: &LockAsk) -> impl Iterator<Item = LockMode> {
        self.waiting.values().filter_map(move |asked| match &asked.ask {
            Ask::Lock(other) if ask.persistent && other.persistent && other.resource == ask.resource => {
                other.mode
            }
            _ => None,
        })
    }

    fn has_record(&self, id: ClientId, resource: &Resource) -> bool {
        let resources = self.lockspace.describe().resources;
        let holders =
            resources.iter().filter(|picture| picture.resource == *resource).flat_map(|p| &p.holders);
        holders.into_iter().any(|holder| !holder.persistent && holder.client.id == id)
    }

    fn belief(&self, owner: Option<ClientId>, resource: &Resource) -> Option<&Belief> {
        self.beliefs.iter().find(|belief| belief.owner == owner && belief.resource == *resource)
    }

    pub(super) fn answer_a_call(&mut self, grid: &mut Grid, random: &mut Random, now: Duration) {
        let Some((id, call)) = self.calls.pop_front() else { return };
        // A first start that fails is another test's.
        let may_fail = self.was_killed || self.lockspace.stage() != Stage::Starting;
        let answer = grid.answer(self.at, &call, may_fail, random);
        let is_new_lv_lock = matches!(&call, Call::Acquire(Resource::Lv(_), ..)) && answer.is_ok();
        let last = self.last_granted(&call);
        self.feed(Event::Answered(id, answer), now);
        if let (true, Some(ticket), true) = (is_new_lv_lock, last, random.percent(10)) {
            self.lose_a_reply(&ticket, &call, now);
        }
    }

    /// Returns whose request an acquire serves: the first that waits for that mode.
    fn last_granted(&self, call: &Call) -> Option<Asked> {
        let Call::Acquire(resource, mode, _) = call else { return None };
        self.waiting
            .values()
            .find(|asked| {
                matches!(&asked.ask, Ask::Lock(ask) if ask.resource == *resource && ask.mode == Some(*mode))
            })
            .cloned()
    }

    /// The reply to a client was not delivered, if it was that one; the client is gone.
    fn lose_a_reply(&mut self, asked: &Asked, call: &Call, now: Duration) {
        let Call::Acquire(resource, ..) = call else { return };
        if self.waiting.contains_key(&asked.ticket) {
            return;
        }
        let Ask::Lock(ask) = &asked.ask else { return };
        let owner = if ask.persistent { None } else { Some(asked.client.id) };
        self.beliefs.retain(|belief| belief.owner != owner || belief.resource != *resource);
        if ask.persistent {
            self.active.remove(resource);
            self.reliers.retain(|(_, relied)| relied != resource);
        }
        self.feed(Event::NotDelivered(asked.ticket), now);
        self.lose(asked.client.id, now);
    }

    pub(super) fn answer_all_calls(&mut self, grid: &mut Grid, random: &mut Random, now: Duration) {
        for _ in 0..200 {
            let Some((id, call)) = self.calls.pop_front() else { return };
            let answer = grid.answer(self.at, &call, false, random);
            self.feed(Event::Answered(id, answer), now);
        }
        panic!("host {} calls for ever: {:?}", self.at, self.calls);
    }

    pub(super) fn wake(&mut self, now: Duration) {
        if self.wake.is_some_and(|wake| wake <= now) {
            self.wake = None;
            self.feed(Event::TimeHasCome, now);
        }
    }

    pub(super) fn lose_a_client(&mut self, random: &mut Random, now: Duration) {
        if !self.clients.is_empty() {
            let id = self.clients[random.below(self.clients.len())];
            self.lose(id, now);
        }
    }

    fn lose(&mut self, id: ClientId, now: Duration) {
        self.clients.retain(|client| *client != id);
        // An unlock or downgrade that has begun is not stopped by that.
        let asked = self.waiting.values().find(|asked| asked.client.id == id).cloned();
        if let Some(Asked { ask: Ask::Lock(ask), .. }) = &asked {
            self.give_up_before(id, ask);
        }
        self.waiting.retain(|_, asked| asked.client.id != id);
        self.end_process(id, now);
    }

    pub(super) fn overdue(&mut self, random: &mut Random, now: Duration) {
        if !self.calls.is_empty() {
            let (id, _) = self.calls[random.below(self.calls.len())];
            self.feed(Event::Overdue(id), now);
        }
    }

    /// A stop that is not refused starts it again. VG and global locks are not relied on meanwhile.
    pub(super) fn stop_and_start(&mut self, random: &mut Random, now: Duration) {
        if self.is_unsettled {
            return;
        }
        let rules = [StopRule::UnlessLvLocks, StopRule::UnlessLocks];
        let id = self.new_client();
        self.beliefs.retain(|belief| matches!(belief.resource, Resource::Lv(_)));
        self.ask(id, Ask::Stop(rules[random.below(2)]), now);
    }

    /// The daemon is killed and starts again: clients are disconnected but live, active LVs stay, locks are orphans.
    pub(super) fn kill_the_daemon(&mut self, grid: &mut Grid, random: &mut Random, now: Duration) {
        grid.orphan(self.at);
        if random.percent(50) {
            self.write_down();
        }
        self.behind.clear();
        self.was_killed = true;
        self.earlier.append(&mut self.clients);
        self.forget_requests();
        self.on_probation = [lv("a"), lv("b")].into_iter().filter(|lv| !self.active.contains(lv)).collect();
        self.end_probations();
        self.recover(now);
    }

    /// What could not be taken over is tried again.
    pub(super) fn recover_again(&mut self, now: Duration) {
        if self.is_unsettled {
            self.forget_requests();
            self.recover(now);
        }
    }

    fn recover(&mut self, now: Duration) {
        self.is_unsettled = false;
        self.looks.clear();
        let is_active = |resource: &Resource| self.active.contains(resource);
        let left = orphans(&self.durable, is_active, |holder| self.asker(holder));
        self.remembered = self.durable.clone().into_orphans();
        let mut effects = Vec::new();
        self.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, now, &mut effects);
        self.carry_out(effects, now);
    }

    fn asker(&self, holder: &HolderRecord) -> Asker {
        let id = ClientId(holder.pid - 1000);
        let lives = self.earlier.contains(&id) || self.clients.contains(&id);
        if lives && self.rule == Rule::Processes { Asker::Lives(id) } else { Asker::Gone }
    }

    /// The host is reset: nothing is active any more.
    pub(super) fn reset(&mut self, grid: &mut Grid, now: Duration) {
        grid.forget(self.at);
        *self = Self {
            last_client: self.last_client,
            last_ticket: self.last_ticket,
            told: self.told,
            ..Self::new(self.at, self.rule)
        };
        self.start(now);
    }

    fn forget_requests(&mut self) {
        self.waiting.clear();
        self.calls.clear();
        self.wake = None;
    }

    /// Whoever waits for nothing goes home, and whoever holds something: they may wait for each other.
    pub(super) fn send_home_those_in_the_way(&mut self, now: Duration) {
        let waits = |id: ClientId| self.waiting.values().any(|asked| asked.client.id == id);
        let resources = self.lockspace.describe().resources;
        let holders: Vec<_> = resources.iter().flat_map(|picture| &picture.holders).collect();
        let holds = |id: ClientId| holders.iter().any(|holder| holder.client.id == id);
        let in_the_way: Vec<_> =
            self.clients.iter().copied().filter(|id| !waits(*id) || holds(*id)).collect();
        for id in in_the_way {
            self.lose(id, now);
        }
    }

    pub(super) fn unlock_persistent(&mut self, now: Duration) {
        if self.is_unsettled {
            return;
        }
        for resource in [lv("a"), lv("b")] {
            let ask = LockAsk { persistent: true, ..LockAsk::new(resource, Some(LockMode::Unlocked)) };
            let id = self.new_client();
            self.give_up_before(id, &ask);
            self.ask(id, Ask::Lock(ask), now);
        }
    }

    /// The machine's own picture makes sense in itself.
    pub(super) fn check_picture(&self) {
        for picture in self.lockspace.describe().resources {
            let exclusive = picture.holders.iter().any(|holder| holder.mode == LockMode::Exclusive);
            // Of those of an earlier life it may not be known who has it alone.
            assert!(!exclusive || picture.holders.len() == 1 || self.was_killed, "{picture:?}");
            let persistent = picture.holders.iter().filter(|holder| holder.persistent).count();
            assert!(persistent <= 1, "{picture:?}");
            let waits = picture.waiters.iter().map(|waiter| &waiter.client);
            let is_known = |client: &Arc<Client>| self.clients.contains(&client.id);
            assert!(waits.clone().all(is_known), "somebody waits who is gone: {picture:?}");
        }
    }

    pub(super) fn check_that_is_remembered(&self, resource: &Resource) {
        let is_remembered = self.durable.locks().any(|(known, _)| known == resource);
        assert!(is_remembered, "host {}: {resource} is forgotten, and is still there", self.at);
    }

    pub(super) fn check_that_nothing_is_left(&self) {
        assert!(self.waiting.is_empty(), "host {} never answered {:?}", self.at, self.waiting);
        assert_eq!(self.lockspace.stage(), Stage::Running);
        for picture in self.lockspace.describe().resources {
            assert_eq!(picture.holders, [], "host {}", self.at);
            assert_eq!(picture.waiters, [], "host {}", self.at);
            assert_eq!((picture.mode, picture.unreleased), (LockMode::Unlocked, None), "host {}", self.at);
        }
        assert_eq!(self.remembered.locks().count(), 0, "{:?}", self.remembered);
    }
}
