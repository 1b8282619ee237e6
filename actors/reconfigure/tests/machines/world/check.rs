//! What must hold after every step, and at rest; and the faults in the rules that must be found.

use lvmwarden_reconfigure::change::{Change, Event};
use lvmwarden_reconfigure::effect::Effect;
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::participant;
use lvmwarden_reconfigure::record::Record;
use lvmwarden_reconfigure::word::{Concern, Decision};

use super::{Action, World, Writer};

/// A fault in the rules, put in on purpose. The machines stay as they are: the world tells them something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Flaw {
    /// Whoever loses the coordinator abandons, as a time-out would have it.
    WhoeverLosesTheCoordinatorAbandons,
    /// D-3 with any READY missing, also of members that have left.
    AnyReadyMissing,
    /// A look without the VG's lock.
    LookWithoutTheLock,
    /// The coordinator's next daemon gives the VG's lock back while its writing child lives.
    LockGivenBackWhileTheWriterLives,
    /// A record comes after what it should come before.
    RecordAfterItsMessage,
    /// A guard resumes without clearing what a killed child has loaded.
    PlainResume,
    /// The gate opens although a hold has ended.
    ReleasedIgnored,
    /// COMMIT is told when the gate opens.
    CommitToldBeforeTheWrite,
    /// A participant abandons by itself after its READY.
    AbandonsAfterItsYes,
    /// That all READY were delivered is taken for the decision.
    DeliveryTakenAsDecision,
}

impl Flaw {
    pub(crate) const ALL: [Self; 10] = [
        Self::WhoeverLosesTheCoordinatorAbandons,
        Self::AnyReadyMissing,
        Self::LookWithoutTheLock,
        Self::LockGivenBackWhileTheWriterLives,
        Self::RecordAfterItsMessage,
        Self::PlainResume,
        Self::ReleasedIgnored,
        Self::CommitToldBeforeTheWrite,
        Self::AbandonsAfterItsYes,
        Self::DeliveryTakenAsDecision,
    ];
}

impl World {
    /// Checks what anybody has decided against everything that was, and against the disk.
    pub(crate) fn check_record(&mut self, at: usize, record: Record) {
        match record {
            Record::Decided(Decision::Committed) => self.told.committed = true,
            Record::Decided(Decision::Abandoned) => self.told.abandoned = true,
            Record::Gate if self.lock.exclusive != Some(at) => {
                self.violation = Some("I-4: the gate opens without the VG's lock");
            }
            Record::Gate
            | Record::Decided(Decision::Superseded)
            | Record::Asked
            | Record::Proposed
            | Record::Voted { .. }
            | Record::Preparing
            | Record::Ready
            | Record::Done
            | Record::Ended => {}
        }
    }

    /// The gate opens only when all are ready, and nobody has released.
    pub(crate) fn check_gate(&mut self, at: usize, effects: &[Effect]) {
        if !effects.contains(&Effect::OpenGate) {
            return;
        }
        if self.is_release_heard {
            self.violation = Some("I-4: the gate opens although a hold has ended");
        }
        let coordinator =
            self.hosts[at].daemon.as_ref().and_then(|daemon| daemon.change.as_ref()?.coordinator());
        if !coordinator.is_some_and(|coordinator| coordinator.roll().are_all_ready()) {
            self.violation = Some("I-4: the gate opens before all are ready");
        }
    }

    /// Nobody writes without the lock.
    pub(crate) fn check_write(&mut self) {
        if self.lock.exclusive != Some(0) || !self.lock.shared.is_empty() {
            self.violation = Some("I-4: a write without the VG's lock");
        }
    }

    /// Checks everything that must hold at any time.
    pub(crate) fn check(&mut self) {
        if self.violation.is_some() {
            return;
        }
        if self.terms().writes {
            if self.told.committed && self.told.abandoned {
                self.violation = Some("I-1: committed on one and abandoned on another");
            }
            if self.told.committed && !self.disk.is_written {
                self.violation = Some("I-2: committed, and nothing is written");
            }
            if self.told.abandoned && self.disk.is_written {
                self.violation = Some("I-2: abandoned, and it is written");
            }
        }
        for (at, host) in self.hosts.iter().enumerate() {
            let is_writing = at == 0 && matches!(self.writer, Writer::Loaded | Writer::Written);
            if host.device.is_suspended && host.guard.is_none() && host.daemon.is_some() && !is_writing {
                self.violation = Some("I-3: a device is suspended that nobody will resume");
            }
            if host.device.is_new && !self.disk.is_written {
                self.violation = Some("I-8: a table is larger than the metadata say");
            }
        }
    }

    /// Checks what must hold when nothing is left to happen.
    pub(crate) fn check_rest(&mut self) {
        if self.violation.is_some() {
            return;
        }
        if self.lock.exclusive.is_some() || !self.lock.shared.is_empty() {
            self.violation = Some("I-9: a lock is left");
        }
        let is_written = self.disk.is_written;
        for (at, host) in self.hosts.iter().enumerate().filter(|(_, host)| host.is_up) {
            let is_concerned = self.rules.unconcerned != Some(at);
            let change = host.daemon.as_ref().and_then(|daemon| daemon.change.as_ref());
            if change.is_some() {
                self.violation = Some("I-5: a change does not end");
            } else if host.guard.is_some() || host.device.is_suspended {
                self.violation = Some("I-9: a hold is left");
            } else if is_concerned && host.device.is_new != is_written && self.terms().follows {
                self.violation = Some("I-8: a table is not what the metadata say");
            } else if host.daemon.as_ref().is_none_or(|daemon| !daemon.tasks.is_empty()) {
                self.violation = Some("I-9: a task is left");
            }
        }
        // Whom it concerns knows what has become of it. Others end without knowing, where nobody is left who does.
        for host in &self.hosts {
            let journal = host.journal;
            let is_concerned = journal.voted.is_some_and(|(concern, _)| concern != Concern::None);
            if is_concerned && journal.decision.is_none() {
                self.violation = Some("I-6: somebody is not told what has become of it");
            }
        }
    }

    /// A flaw that acts before survivors have seen who has left.
    pub(crate) fn flawed_survivor(&mut self, at: usize, left: &[Member]) {
        let Some(participant) =
            self.hosts[at].daemon.as_ref().and_then(|daemon| daemon.change.as_ref()?.participant())
        else {
            return;
        };
        let has_lost_it = left.contains(&Self::member(0, 1));
        let is_ready = matches!(participant.state(), participant::State::Ready { .. });
        let is_missing =
            participant.roll().entries().iter().any(|entry| entry.is_concerned() && !entry.is_ready);
        let abandons = match self.rules.flaw {
            Some(Flaw::WhoeverLosesTheCoordinatorAbandons) => has_lost_it && is_ready,
            Some(Flaw::AnyReadyMissing) => has_lost_it && is_ready && is_missing,
            Some(_) | None => false,
        };
        if abandons {
            self.apply(at, Event::Participant(participant::Event::Told(None, Decision::Abandoned)), false);
        }
    }

    /// A flaw that acts when a host is in doubt.
    pub(crate) fn flawed_doubt(&mut self, at: usize, _left: &[Member]) {
        let participant = self.hosts[at]
            .daemon
            .as_ref()
            .and_then(|daemon| daemon.change.as_ref())
            .and_then(Change::participant);
        let is_doubt = participant.is_some_and(|part| part.state() == participant::State::Doubt);
        if is_doubt && self.rules.flaw == Some(Flaw::DeliveryTakenAsDecision) {
            self.apply(at, Event::Participant(participant::Event::Told(None, Decision::Committed)), false);
        }
    }
}

impl World {
    /// Tells whether nothing happens any more without a fault.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.actions().iter().all(Action::is_fault)
    }
}
