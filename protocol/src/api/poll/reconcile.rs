//! What LVM's own metadata shows in the middle of something, and whether anybody polls it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{LvName, Lvid, VgName};
use crate::poll::PollOperation;

/// Asks that LVM's metadata be searched for LVs that are in the middle of something, and that those be polled that
/// nobody polls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// Whether only to tell; `None`: no.
    pub dry_run: Option<bool>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReconcileReply {
    /// By VG and LV.
    pub unfinished: Vec<UnfinishedLv>,
}

/// An LV that LVM's metadata shows in the middle of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnfinishedLv {
    /// What it is in the middle of.
    pub kind: PollOperation,
    /// The VG's name.
    pub vgname: VgName,
    /// The name of the LV that is polled.
    pub lvname: LvName,
    /// That LV for ever.
    pub lvid: Lvid,
    /// Whether anybody polls it, and what is done about it.
    pub standing: Standing,
    /// The operation that works on it; with [`Standing::Polled`] and [`Standing::Resumed`] only.
    pub id: Option<Uuid>,
    /// The process that works on it; with [`Standing::Foreign`] only.
    pub pid: Option<u32>,
    /// That process's command line, or why it could not be started to poll.
    pub detail: Option<String>,
}

/// Whether anybody polls an LV, and what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// An operation of the daemon works on it.
    Polled,
    /// A process that is not the daemon's polls it, or may; it is left alone.
    Foreign,
    /// Its device is not there, or does something else: there is nothing to poll on this host.
    Inactive,
    /// Nobody did; it is polled from now on.
    Resumed,
    /// Nobody does; it is polled as soon as fewer are in progress.
    Waiting,
    /// Nobody does, and it is only told of.
    Reported,
    /// Nobody does, and to start with it failed.
    Failed,
}
