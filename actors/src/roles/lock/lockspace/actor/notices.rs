//! Tells people what the machine has noticed: a line in the log, and an event where somebody may wait for it.

use std::sync::Arc;

use lvmwarden_protocol::lock::ResultCode;
use slog::{debug, info, warn};

use super::LockspaceActor;
use crate::foundation::facts::occurrence::{LockAsker, Occurrence};
use crate::roles::lock::lock_manager::{Fault, Resource};
use crate::roles::lock::lockspace::ask::Client;
use crate::roles::lock::lockspace::event::Notice;
use crate::roles::lock::lockspace::waits::Told;

impl LockspaceActor {
    /// Logs a notice and tells the readers of events.
    pub(super) fn tell(&self, notice: &Notice) {
        if *notice == Notice::Started {
            self.environment.unsettled.remove(&self.spec.name);
        }
        if let Some(occurrence) = self.occurrence(notice) {
            self.environment.events.publish(&occurrence);
        }
        self.log_notice(notice);
    }

    /// Tells the readers of events of a request that has waited long, or was refused.
    pub(super) fn tell_wait(&self, told: Told) {
        let asker = |client: &Client| LockAsker { pid: client.pid, command: Arc::clone(&client.name) };
        let lockspace = Arc::clone(&self.spec.name);
        self.environment.events.publish(&match told {
            Told::Waited { wanted, took, result } => Occurrence::LockWaited {
                lockspace,
                lock: wanted.lock.to_string(),
                mode: wanted.mode.as_str(),
                by: asker(&wanted.client),
                took,
                result,
            },
            Told::Refused { wanted, result, times } => Occurrence::LockRefused {
                lockspace,
                lock: wanted.lock.to_string(),
                mode: wanted.mode.as_str(),
                by: asker(&wanted.client),
                result,
                times,
            },
        });
    }

    /// Returns what the readers of events are told of it.
    fn occurrence(&self, notice: &Notice) -> Option<Occurrence> {
        let lockspace = Arc::clone(&self.spec.name);
        let trouble = |lock: Option<&Resource>, what, why: Option<&Fault>| Occurrence::LockTrouble {
            lockspace: Arc::clone(&self.spec.name),
            lock: lock.map(ToString::to_string).unwrap_or_default(),
            what,
            why: why.map(ToString::to_string).unwrap_or_default(),
        };
        Some(match notice {
            Notice::Started => Occurrence::LockspaceStarted { lockspace },
            Notice::Stopped => Occurrence::LockspaceStopped { lockspace },
            Notice::StartFailed(fault) | Notice::LeaveFailed(fault) => {
                Occurrence::LockspaceFailed { lockspace, why: fault.to_string() }
            }
            Notice::Killed => Occurrence::LockspaceKilled { lockspace },
            Notice::LeaseLate { kill_in, reset_in } => {
                Occurrence::LockLeaseLate { lockspace, kill_in: *kill_in, reset_in: *reset_in }
            }
            Notice::LeaseRenewed => Occurrence::LockLeaseRenewed { lockspace },
            Notice::AdoptionOver { held, released, failed } => {
                Occurrence::LocksAdopted { lockspace, held: *held, released: *released, failed: *failed }
            }
            Notice::ReleaseFailed { resource, fault } => {
                trouble(Some(resource), "not given back", Some(fault))
            }
            Notice::NotAdopted { resource, fault, needed: true } => {
                trouble(Some(resource), "not adopted", Some(fault))
            }
            Notice::InDoubt { resource, .. } => trouble(Some(resource), "of an unknown holder", None),
            Notice::NotListed(fault) => trouble(None, "orphans not listed", fault.as_ref()),
            Notice::Lost { resource, fault } => trouble(Some(resource), "lost", Some(fault)),
            Notice::Overdue { resource, .. } => trouble(resource.as_ref(), "no answer in time", None),
            Notice::Conflict { .. }
            | Notice::ReleasedAtLast(_)
            | Notice::Late { .. }
            | Notice::Adopted { .. }
            | Notice::NotAdopted { needed: false, .. }
            | Notice::BadValueBlock { .. }
            | Notice::Outdated { .. }
            | Notice::VersionNotNewer { .. } => return None,
        })
    }

    fn log_notice(&self, notice: &Notice) {
        let log = &self.log;
        match notice {
            Notice::Started => info!(log, "lockspace started"; "type" => %self.spec.lock_type),
            Notice::StartFailed(fault) => {
                warn!(log, "lockspace not started"; "error" => %fault, "code" => %fault.code,
                      "next" => "nothing in this VG is locked here until it is started again");
            }
            Notice::LeaveFailed(fault) => {
                warn!(log, "lockspace not left"; "error" => %fault, "code" => %fault.code, "next" => "it goes on");
            }
            Notice::Stopped => info!(log, "lockspace stopped"),
            Notice::Killed => {
                // The first words are a promise: scripts look for them in the dump of the log.
                warn!(log, "S {} kill_vg", self.spec.name;
                      "why" => "the lock manager has lost the lease storage",
                      "next" => "deactivate the LVs, then lvmlockctl --drop; otherwise the host is reset");
            }
            Notice::Conflict { resource, mode, tries, fault } => {
                let owner = fault.owner.as_ref().map(|owner| format!("{} ({})", owner.host_id, owner.name));
                debug!(log, "another host holds a lock"; "lock" => %resource, "wanted" => %mode, "tries" => tries,
                       "holder" => owner, "next" => "try again");
            }
            Notice::ReleaseFailed { resource, fault } => {
                warn!(log, "lock not given back"; "lock" => %resource, "error" => %fault, "next" => "try again");
            }
            Notice::ReleasedAtLast(resource) => info!(log, "lock given back at last"; "lock" => %resource),
            Notice::Overdue { call, resource } => {
                let resource = resource.as_ref().map(ToString::to_string);
                warn!(log, "the lock manager takes too long"; "call" => call.0, "lock" => resource,
                      "next" => "its client is told; a late success is given back");
            }
            Notice::Late { call, fault } => {
                let fault = fault.as_ref().map(ToString::to_string);
                info!(log, "the lock manager has answered at last"; "call" => call.0, "error" => fault);
            }
            Notice::Adopted { resource, mode, released } => {
                info!(log, "lock adopted"; "lock" => %resource, "mode" => %mode, "released" => released);
            }
            Notice::NotAdopted { resource, fault, needed } => {
                let next = if fault.code == ResultCode::ADOPT_NONE {
                    "this host does not hold it any more"
                } else {
                    "it stays with the lock manager, and is tried again"
                };
                warn!(log, "lock not adopted"; "lock" => %resource, "error" => %fault, "code" => %fault.code,
                      "needed" => needed, "next" => next);
            }
            Notice::InDoubt { resource, mode } => {
                warn!(log, "a lock of an earlier life that nobody remembers"; "lock" => %resource, "mode" => %mode,
                      "next" => "it stays as it is, and other hosts do not get it; when no command uses it: lvmwarden lock release");
            }
            Notice::NotListed(fault) => {
                let why = fault.as_ref().map_or_else(|| "it does not tell".to_owned(), Fault::to_string);
                warn!(log, "the lock manager does not list the locks of an earlier daemon"; "why" => why,
                      "next" => "the VG is neither removed nor renamed before it does; with dlm, mount debugfs");
            }
            Notice::AdoptionOver { held, released, failed } => {
                info!(log, "adoption over"; "held" => held, "released" => released, "failed" => failed);
            }
            Notice::Lost { resource, fault } => {
                warn!(log, "lock lost"; "lock" => %resource, "error" => %fault,
                      "next" => "deactivate the LV: another host may use it");
            }
            Notice::BadValueBlock { resource, block } => {
                warn!(log, "bad value block"; "lock" => %resource, "block" => ?block, "next" => "the lock is given back");
            }
            Notice::Outdated { resource, version } => {
                debug!(log, "changed by another host"; "lock" => %resource, "version" => version);
            }
            Notice::VersionNotNewer { known, announced } => {
                debug!(log, "announced version is not newer"; "known" => known, "announced" => announced);
            }
            Notice::LeaseLate { kill_in, reset_in } => {
                warn!(log, "lease not renewed"; "kill_in_seconds" => kill_in.as_secs(),
                      "reset_in_seconds" => reset_in.as_secs(),
                      "next" => "the lock manager kills the VG, then the watchdog resets the host");
            }
            Notice::LeaseRenewed => info!(log, "lease renewed again"),
        }
    }
}
