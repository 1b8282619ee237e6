//! What goes wrong, each of it counted.

use lvmwarden_reconfigure::change::Event;
use lvmwarden_reconfigure::participant;
use lvmwarden_reconfigure::record::Memory;

use super::{Device, Item, World, Writer};

impl World {
    /// kill -9 of a daemon: its guard and its children live on, but a child that waits for its lock does not get it.
    pub(crate) fn kill_daemon(&mut self, at: usize) {
        self.hosts[at].daemon = None;
        self.hosts[at].inbox.clear();
        if at == 0 && self.writer == Writer::AtGate {
            self.end_writer(false);
        }
        if self.hosts[at].has_corosync {
            self.process_down(at);
        }
    }

    /// A host loses its power: only the disk, and what others hold, are left.
    pub(crate) fn kill_host(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        host.is_up = false;
        host.has_corosync = false;
        host.daemon = None;
        host.inbox.clear();
        host.journal = Memory::default();
        host.device = Device::default();
        host.guard = None;
        if at == 0 && self.writer != Writer::None {
            self.writer = Writer::Ended { is_at_goal: false };
        }
    }

    /// kill -9 of a corosync: its daemon sees that, the others do later.
    pub(crate) fn kill_corosync(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        host.has_corosync = false;
        host.inbox.clear();
        if host.daemon.is_some() {
            host.inbox.push_back(Item::Lost);
        }
    }

    /// It runs again, and the daemon joins: the same member.
    pub(crate) fn corosync_back(&mut self, at: usize) {
        self.hosts[at].has_corosync = true;
        if let Some(me) = self.hosts[at].daemon.as_ref().map(|daemon| daemon.me) {
            self.join(at, me);
        }
    }

    /// The lock manager gives up the locks of a host that is dead, and known to be.
    pub(crate) fn recover_locks(&mut self, at: usize) {
        self.lock.shared.remove(&at);
        if self.lock.exclusive == Some(at) {
            self.lock.exclusive = None;
        }
    }

    /// A hold ends by its own clock. Where the writing child runs, its guard stays for that one.
    pub(crate) fn hold_ends(&mut self, at: usize) {
        self.resume(at);
        let has_writer = at == 0 && !matches!(self.writer, Writer::None | Writer::Ended { .. });
        let host = &mut self.hosts[at];
        match &mut host.guard {
            Some(guard) if has_writer => guard.is_expired = true,
            Some(_) | None => host.guard = None,
        }
        self.apply(at, Event::Participant(participant::Event::HoldOver), false);
    }

    /// kill -9 of a guard: its daemon resumes, or the next one does.
    pub(crate) fn kill_guard(&mut self, at: usize) {
        if self.hosts[at].daemon.is_some() {
            self.release(at);
            self.apply(at, Event::Participant(participant::Event::HoldOver), false);
        } else {
            self.hosts[at].guard = None;
        }
    }
}
