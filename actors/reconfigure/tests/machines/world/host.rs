//! What a host does: it delivers, carries effects out, and starts again from its journal.

use std::collections::BTreeSet;

use lvmwarden_reconfigure::change::{Change, Event};
use lvmwarden_reconfigure::coordinator::{self, Finding};
use lvmwarden_reconfigure::effect::Effect;
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::membership::Membership;
use lvmwarden_reconfigure::word::{Cause, Code, Concern, Decision, Vote, Word};
use lvmwarden_reconfigure::{judge, participant};

use super::{Daemon, Flaw, Guard, Item, Task, World, Writer};

impl World {
    /// A daemon starts: it resumes what nobody guards, takes its journal up, and joins.
    pub(crate) fn start_daemon(&mut self, at: usize) {
        let (terms, lives) = (self.terms(), self.hosts[at].lives + 1);
        let me = Self::member(at, lives);
        let host = &mut self.hosts[at];
        host.lives = lives;
        host.inbox.clear();
        if host.guard.is_none() && host.device.is_suspended {
            host.device.is_loaded = false;
            host.device.is_suspended = false;
        }
        self.lock.shared.remove(&at);
        let journal = host.journal;
        let mut effects = Vec::new();
        let is_unfinished = (journal.is_coordinator || journal.voted.is_some()) && !journal.has_ended;
        let coordinator = Self::member(0, 1);
        if !is_unfinished && self.lock.exclusive == Some(at) {
            // The lock role finds the lock of a change that is over, and gives it back.
            self.lock.exclusive = None;
        }
        let host = &mut self.hosts[at];
        let change = is_unfinished.then(|| Change::resumed(me, coordinator, terms, journal, &mut effects));
        host.daemon = Some(Daemon {
            me,
            around: Membership::new(),
            change,
            tasks: BTreeSet::new(),
            timers: BTreeSet::new(),
        });
        if self.rules.flaw == Some(Flaw::LockGivenBackWhileTheWriterLives) && self.lock.exclusive == Some(at)
        {
            self.lock.exclusive = None;
        }
        self.carry_out(at, effects, false);
        if self.hosts[at].has_corosync {
            self.join(at, me);
        }
    }

    /// The host is asked for the change.
    pub(crate) fn ask(&mut self, at: usize) {
        let terms = self.terms();
        let Some(daemon) = &mut self.hosts[at].daemon else { return };
        daemon.change = Some(Change::asked(daemon.me, terms, 3));
        self.apply(at, Event::Coordinator(coordinator::Event::Accepted), false);
    }

    /// Delivers the next item; `crash`: the daemon dies when the first record of it is on disk.
    pub(crate) fn deliver(&mut self, at: usize, crash: bool) {
        let Some(item) = self.hosts[at].inbox.pop_front() else { return };
        let is_eager = self.rules.is_eager;
        let Some(daemon) = &mut self.hosts[at].daemon else { return };
        match item {
            Item::Word(from, word) => self.deliver_word(at, from, word, crash),
            Item::Hello(from, decision) => {
                if !is_eager || self.writer == Writer::None {
                    daemon.around.hello_heard(from);
                }
                self.apply(at, Event::SurroundingsChanged, crash);
                if let Some(decision) = decision {
                    self.apply(at, Event::Told(from, decision), false);
                }
            }
            Item::View { left, joined, ring, is_quorate } => {
                daemon.around.view_changed(&left, &joined);
                daemon.around.ring_formed(ring);
                if is_eager {
                    daemon.around.quorum_told(ring, is_quorate);
                }
                let has_joined = !joined.is_empty();
                self.flawed_survivor(at, &left);
                self.apply(at, Event::ViewChanged(left.clone(), has_joined), crash);
                self.flawed_doubt(at, &left);
                if has_joined {
                    self.say_hello(at);
                }
            }
            Item::Quorum(ring, is_quorate) => {
                daemon.around.quorum_told(ring, is_quorate);
                self.apply(at, Event::SurroundingsChanged, crash);
            }
            Item::Lost => {
                daemon.around.lost();
                self.apply(at, Event::TransportLost, crash);
            }
        }
    }

    fn deliver_word(&mut self, at: usize, from: Member, word: Word, crash: bool) {
        let (terms, has_ended) = (self.terms(), self.hosts[at].journal.has_ended);
        self.is_release_heard |= word == Word::Released && at == 0 && self.writer_is_before_the_gate();
        if word == Word::Released && self.rules.flaw == Some(Flaw::ReleasedIgnored) {
            return;
        }
        let Some(daemon) = &mut self.hosts[at].daemon else { return };
        // What has ended here is known by its id.
        let is_new = daemon.change.is_none() && !has_ended;
        if is_new && matches!(word, Word::Propose { .. }) {
            daemon.change = Some(Change::heard(daemon.me, terms));
        }
        self.apply(at, Event::Delivered(from, word), crash);
    }

    fn say_hello(&mut self, at: usize) {
        let host = &self.hosts[at];
        let Some(daemon) = &host.daemon else { return };
        let decision = daemon.change.as_ref().and_then(Change::decision).or(host.journal.decision);
        if self.rules.is_eager && self.writer != Writer::None && decision.is_none() {
            // Only a proposal waits for it, and that has long been made.
            return;
        }
        let hello = Item::Hello(daemon.me, decision);
        self.multicast(at, &hello);
    }

    /// Gives an event to the change of a host, if it has one, and carries out what follows.
    pub(crate) fn apply(&mut self, at: usize, event: Event, crash: bool) {
        let Some(daemon) = &mut self.hosts[at].daemon else { return };
        let Some(change) = &mut daemon.change else { return };
        let mut effects = Vec::new();
        change.apply(event, &daemon.around, &mut effects);
        self.check_gate(at, &effects);
        if self.rules.flaw == Some(Flaw::RecordAfterItsMessage) {
            // What is to be seen comes first, what is to be on disk last.
            effects.sort_by_key(|effect| matches!(effect, Effect::Record(_)));
        }
        self.carry_out(at, effects, crash);
    }

    /// Carries effects out, in order.
    pub(crate) fn carry_out(&mut self, at: usize, effects: Vec<Effect>, crash: bool) {
        for effect in effects {
            let is_record = matches!(effect, Effect::Record(_));
            if crash && is_record && self.rules.flaw == Some(Flaw::RecordAfterItsMessage) {
                return self.kill_daemon(at);
            }
            self.carry_one_out(at, effect);
            if crash && is_record {
                return self.kill_daemon(at);
            }
        }
        let host = &mut self.hosts[at];
        if let Some(daemon) = &mut host.daemon
            && daemon.change.as_ref().is_some_and(Change::is_over)
        {
            daemon.change = None;
            daemon.timers.clear();
        }
        if self.rules.is_eager {
            self.hurry(at);
        }
    }

    /// Does what cannot fail, and what nobody can come between.
    fn hurry(&mut self, at: usize) {
        if self.writer == Writer::Started && !self.rules.is_writer_late && at == 0 {
            self.writer_goes_on();
        }
        for task in
            [Task::Prepare, Task::TakeLocks, Task::ReadVg, Task::Check, Task::Refresh, Task::Undo, Task::Look]
        {
            let has = |world: &Self| {
                world.hosts[at].daemon.as_ref().is_some_and(|daemon| daemon.tasks.contains(&task))
            };
            if has(self) {
                self.finish(at, task, true);
            }
        }
    }

    fn carry_one_out(&mut self, at: usize, effect: Effect) {
        let host = &mut self.hosts[at];
        let Some(daemon) = &mut host.daemon else { return };
        match effect {
            Effect::Record(record) => {
                host.journal.remember(record);
                self.check_record(at, record);
            }
            Effect::Send(word) => {
                let item = Item::Word(daemon.me, word);
                self.multicast(at, &item);
            }
            Effect::Arm(timer) => {
                daemon.timers.insert(timer);
            }
            Effect::TakeLocks => self.todo(at, Task::TakeLocks),
            Effect::ReadVg => self.todo(at, Task::ReadVg),
            Effect::StartWriter => self.writer = Writer::Started,
            Effect::OpenGate => self.open_gate(at),
            Effect::ShutGate | Effect::EndWriter => self.shut_gate(effect == Effect::EndWriter),
            Effect::AwaitWriter => {
                if matches!(self.writer, Writer::Ended { .. } | Writer::None) {
                    self.todo(at, Task::HearWriter);
                }
            }
            Effect::Look => self.todo(at, Task::Look),
            Effect::GiveBackLocks => {
                daemon.tasks.retain(|task| !matches!(task, Task::TakeLocks | Task::ReadVg | Task::Look));
                if self.lock.exclusive == Some(at) {
                    self.lock.exclusive = None;
                }
            }
            Effect::Check => self.todo(at, Task::Check),
            Effect::Prepare => {
                host.guard = Some(Guard::default());
                self.todo(at, Task::Prepare);
            }
            Effect::TellGuard => {
                if let Some(guard) = &mut host.guard {
                    guard.is_committed = true;
                }
            }
            Effect::Refresh => self.todo(at, Task::Refresh),
            Effect::Release => {
                self.release(at);
                let refreshes = |daemon: &Daemon| {
                    let part = daemon.change.as_ref().and_then(Change::participant);
                    part.is_some_and(|part| part.state() != participant::State::Doubt)
                };
                if self.hosts[at].daemon.as_ref().is_some_and(refreshes) {
                    self.todo(at, Task::Undo);
                }
            }
            Effect::Undo => self.todo(at, Task::Undo),
            Effect::TakeLookLock => self.todo(at, Task::TakeLookLock),
            Effect::GiveBackLookLock => {
                daemon.tasks.retain(|task| !matches!(task, Task::TakeLookLock | Task::Look));
                self.lock.shared.remove(&at);
            }
            Effect::Conflict(_) => self.violation = Some("somebody says the opposite of what is decided"),
            Effect::StartRefresher | Effect::Ended(_) => {}
        }
    }

    fn todo(&mut self, at: usize, task: Task) {
        if let Some(daemon) = &mut self.hosts[at].daemon {
            daemon.tasks.insert(task);
        }
    }

    /// Ends a task of a host.
    pub(crate) fn finish(&mut self, at: usize, task: Task, is_fine: bool) {
        let Some(daemon) = &mut self.hosts[at].daemon else { return };
        daemon.tasks.remove(&task);
        let node = daemon.me.node;
        let failed = |code| Cause::new(node, code, "");
        let event = match task {
            Task::TakeLocks if self.lock.exclusive.is_none() && self.lock.shared.is_empty() && is_fine => {
                self.lock.exclusive = Some(at);
                Event::Coordinator(coordinator::Event::LocksHeld)
            }
            Task::TakeLocks => {
                Event::Coordinator(coordinator::Event::LocksRefused(failed(Code::LockNotOurs)))
            }
            Task::ReadVg => {
                let read = if is_fine { Ok(()) } else { Err(failed(Code::NotAsDescribed)) };
                Event::Coordinator(coordinator::Event::VgRead(read))
            }
            Task::Check => {
                let is_unconcerned = self.rules.unconcerned == Some(at);
                let concern = if is_unconcerned { Concern::None } else { Concern::Lv };
                let objects = !is_fine || self.rules.objector == Some(at);
                let objection = objects.then(|| failed(Code::StaleMetadata));
                Event::Participant(participant::Event::Checked(Vote { concern, objection }))
            }
            Task::Prepare => self.hold(at, is_fine),
            Task::Refresh => self.refresh(at, is_fine),
            Task::Undo => {
                if is_fine {
                    self.release(at);
                }
                Event::Participant(part(is_fine))
            }
            Task::Look => Event::Looked(self.finding(is_fine)),
            Task::TakeLookLock => {
                let is_free = self.lock.exclusive.is_none_or(|host| host == at);
                let is_flawed = self.rules.flaw == Some(Flaw::LookWithoutTheLock);
                if is_free && is_fine {
                    self.lock.shared.insert(at);
                }
                let is_had = (is_free || is_flawed) && is_fine;
                Event::Judge(if is_had { judge::Event::Locked } else { judge::Event::Refused })
            }
            Task::HearWriter => return self.hear_writer(at),
        };
        self.apply(at, event, false);
    }

    fn finding(&self, is_fine: bool) -> Finding {
        match (is_fine, self.disk.writes, self.disk.is_written) {
            (false, ..) => Finding::Unreadable,
            (true, 0, _) | (true, 1, false) => Finding::NotApplied,
            (true, 1, true) => Finding::Applied,
            (true, ..) => Finding::Superseded,
        }
    }

    /// The guard holds the device; on the coordinator it is only armed, since the writing child suspends by itself.
    fn hold(&mut self, at: usize, is_fine: bool) -> Event {
        let holds = self.terms().holds;
        let host = &mut self.hosts[at];
        if !is_fine || host.guard.is_none() || self.rules.unready == Some(at) {
            let cause = Cause::new(0, Code::Suspended, "");
            return Event::Participant(participant::Event::NotPrepared(cause));
        }
        if at != 0 && holds {
            host.device.is_suspended = true;
        }
        Event::Participant(participant::Event::Prepared)
    }

    fn refresh(&mut self, at: usize, is_fine: bool) -> Event {
        if is_fine {
            let host = &mut self.hosts[at];
            host.device.is_new = self.disk.is_written;
            host.device.is_loaded = false;
            host.device.is_suspended = false;
            host.guard = None;
        }
        Event::Participant(part(is_fine))
    }

    /// What is suspended is resumed with its old table, by the guard or by the daemon.
    pub(crate) fn release(&mut self, at: usize) {
        self.resume(at);
        self.hosts[at].guard = None;
    }

    /// Clears what is loaded, unless the guard knows that it is committed, and resumes.
    pub(crate) fn resume(&mut self, at: usize) {
        let is_plain = self.rules.flaw == Some(Flaw::PlainResume);
        let host = &mut self.hosts[at];
        let brings_loaded = is_plain || host.guard.is_some_and(|guard| guard.is_committed);
        if host.device.is_suspended && host.device.is_loaded && brings_loaded {
            host.device.is_new = true;
        }
        host.device.is_loaded = false;
        host.device.is_suspended = false;
    }
}

fn part(is_fine: bool) -> participant::Event {
    if is_fine { participant::Event::PartDone } else { participant::Event::PartFailed }
}

/// Which side of a decision a flawed host takes.
pub(crate) fn word_of(decision: Decision) -> Word {
    Word::of(decision, None, false)
}
