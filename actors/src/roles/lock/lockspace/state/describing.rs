//! What the lockspace looks like from outside.

use super::{Life, Lockspace, Machine};
use crate::roles::lock::lockspace::lock_table::LockTable;
use crate::roles::lock::lockspace::picture::{LockspacePicture, Stage};

impl Lockspace {
    /// Tells how far it is.
    pub fn stage(&self) -> Stage {
        match self.machine.life {
            Life::New => Stage::New,
            Life::Starting(_) => Stage::Starting,
            Life::Running => Stage::Running,
            Life::Stopping(_) => Stage::Stopping,
            Life::Finished => Stage::Finished,
            Life::Failed => Stage::Failed,
        }
    }

    /// Tells how many locks of LVs, and how many of all kinds, are held or being acquired.
    pub fn lock_counts(&self) -> (usize, usize) {
        let lvs = self.machine.lv_locks.values().filter(|lock| lock.is_held()).count();
        (lvs, self.machine.locks().filter(|lock| lock.is_held()).count())
    }

    /// Tells everything about it.
    pub fn describe(&self) -> LockspacePicture {
        let machine = &self.machine;
        LockspacePicture {
            spec: machine.spec.clone(),
            stage: self.stage(),
            generation: self.desk.generation,
            killed: machine.killed,
            global: self.desk.global,
            renewal: machine.renewal,
            fault: machine.fault.clone(),
            waiting: match &machine.life {
                Life::Starting(starting) => starting.waiting.len(),
                Life::New | Life::Running | Life::Stopping(_) | Life::Finished | Life::Failed => 0,
            },
            resources: machine.locks().map(LockTable::describe).collect(),
        }
    }
}

impl Machine {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.life, Life::Running)
    }
}
