//! What device-mapper tells about an operation, read for everybody.
//!
//! An exit code is not an outcome: after lvpoll has ended with 0, the kernel is asked whether the operation is over.
//! It is asked by the LV's device-mapper UUID (`LVM-` and the lvid), without a flush and without opening a device, so
//! that a suspended or dead disk cannot hold the answer up; whatever it cannot tell is [`Verdict::Unknown`].

pub mod copying;
mod device_mapper;
pub mod foreign;
pub(crate) mod names;
pub mod reader;
mod status;
pub mod watchlist;

use std::collections::BTreeSet;

use lvmwarden_supervisor::process::BoxFuture;

pub use device_mapper::DeviceMapper;
pub use names::{lv_of_mapper_name, mapper_name};
pub use status::judge;

use crate::foundation::kernel::copying::{Look, Subject};
use crate::foundation::kernel::foreign::SeenCopy;

use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;

/// Tells which LVs are active.
pub trait ActiveLvs: Send + Sync + 'static {
    /// Returns the lvids of all active LVs, of the parts of LVs included; `None` when that cannot be told in time.
    fn active_lvs(&self) -> BoxFuture<'static, Option<BTreeSet<Lvid>>>;
}

/// Whether the kernel still shows the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of it is left.
    Over,
    /// It is visibly there.
    NotOver,
    /// lvpoll has not found the LV, and nothing shows that the operation is over: lvpoll looks in the wrong place.
    OutOfSight,
    /// The kernel cannot tell.
    Unknown,
}

/// Looks at device-mapper.
pub trait Kernel: Send + Sync + 'static {
    /// Tells whether the operation on the LV `lvid` is still there.
    fn judge(&self, operation: PollOperation, lvid: Lvid) -> BoxFuture<'static, Verdict>;

    /// Tells of each subject how far the kernel is with it, in the same order.
    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>>;

    /// Returns what ends as soon as something has happened to any device since this call; `None` where the kernel does not
    /// say so.
    fn happening(&self) -> Option<BoxFuture<'static, ()>>;

    /// Returns all copies of LVM's that are being made, whoever asked for them; `None` when that cannot be told in time.
    fn copies(&self) -> BoxFuture<'static, Option<Vec<SeenCopy>>>;

    /// Returns the lvid of the active LV `vgname`/`lvname`, where device-mapper knows it.
    fn lvid_of(&self, vgname: VgName, lvname: LvName) -> BoxFuture<'static, Option<Lvid>>;
}
