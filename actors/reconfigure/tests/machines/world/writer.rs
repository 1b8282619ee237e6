//! The writing child: it lives on when the daemon dies, and can be killed at each of its steps.

use lvmwarden_reconfigure::change::Event;
use lvmwarden_reconfigure::coordinator::{self, WriterEnd};
use lvmwarden_reconfigure::judge;
use lvmwarden_reconfigure::word::{Cause, Code, Decision};

use super::host::word_of;
use super::{Flaw, Item, Task, World, Writer};

/// The host that it runs on.
const HOST: usize = 0;

impl World {
    pub(crate) fn open_gate(&mut self, at: usize) {
        if self.writer == Writer::AtGate {
            self.writer = Writer::Passed;
            if self.rules.is_eager {
                self.writer_goes_on();
            }
            let has_record = self.hosts[at].journal.has_gate;
            if !has_record {
                self.violation = Some("I-4: the gate is open without its record");
            }
        }
        if self.rules.flaw == Some(Flaw::CommitToldBeforeTheWrite)
            && let Some(daemon) = &self.hosts[at].daemon
        {
            let item = Item::Word(daemon.me, word_of(Decision::Committed));
            self.multicast(at, &item);
        }
    }

    /// Refuses it its lock; `is_forced`: ends it wherever it is.
    pub(crate) fn shut_gate(&mut self, is_forced: bool) {
        match self.writer {
            Writer::Started | Writer::AtGate => self.end_writer(false),
            Writer::Passed | Writer::Loaded | Writer::Written if is_forced => self.end_writer(false),
            Writer::None | Writer::Passed | Writer::Loaded | Writer::Written | Writer::Ended { .. } => {}
        }
    }

    pub(crate) fn writer_is_before_the_gate(&self) -> bool {
        matches!(self.writer, Writer::Started | Writer::AtGate)
    }

    /// It does its next step.
    pub(crate) fn writer_goes_on(&mut self) {
        match self.writer {
            Writer::Started => {
                self.writer = Writer::AtGate;
                if self.hosts[HOST].daemon.is_some() {
                    self.apply(HOST, Event::Coordinator(coordinator::Event::GateAsked), false);
                } else {
                    self.end_writer(false);
                }
            }
            Writer::Passed => {
                let device = &mut self.hosts[HOST].device;
                (device.is_loaded, device.is_suspended) = (true, true);
                self.writer = Writer::Loaded;
            }
            Writer::Loaded => {
                self.check_write();
                self.disk.is_written = true;
                self.disk.writes += 1;
                self.writer = Writer::Written;
            }
            Writer::Written => {
                let device = &mut self.hosts[HOST].device;
                let is_at_goal = device.is_loaded;
                device.is_new |= is_at_goal;
                (device.is_loaded, device.is_suspended) = (false, false);
                self.end_writer(is_at_goal);
            }
            Writer::None | Writer::AtGate | Writer::Ended { .. } => {}
        }
    }

    /// It ends, or is killed: what it has suspended stays so, until the guard sees it.
    pub(crate) fn end_writer(&mut self, is_at_goal: bool) {
        self.writer = Writer::Ended { is_at_goal };
        let host = &mut self.hosts[HOST];
        if host.guard.is_some_and(|guard| guard.is_expired) {
            self.resume(HOST);
        }
        if let Some(daemon) = &mut self.hosts[HOST].daemon {
            daemon.tasks.insert(Task::HearWriter);
        }
    }

    /// The daemon hears of its end.
    pub(crate) fn hear_writer(&mut self, at: usize) {
        let Writer::Ended { is_at_goal } = self.writer else { return };
        let end = if is_at_goal {
            WriterEnd::AtGoal
        } else {
            WriterEnd::Otherwise(Cause::new(1, Code::RefusedByLvm, ""))
        };
        self.apply(at, Event::Coordinator(coordinator::Event::WriterEnded(end)), false);
        self.apply(at, Event::Judge(judge::Event::WriterEnded), false);
    }
}
