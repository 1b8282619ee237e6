//! The locks of a VG for as long as a change of it lasts: a port, which whoever puts the daemon together hands over.
//!
//! | | |
//! |---|---|
//! | [`LocalLocks`] | a VG that is not shared: nothing is taken. Each lvm command takes lvm's own lock file while it works, and what it finds then is what counts. |
//! | (the lock role) | a shared VG: the VG's lock of sanlock or dlm, exclusively. Not there yet: a shared VG is refused before it comes to a lock. |

use lvmwarden_protocol::ids::VgName;
use lvmwarden_reconfigure::word::Cause;
use lvmwarden_supervisor::process::BoxFuture;
use uuid::Uuid;

/// How a change locks its VG.
pub trait Locks: Send + Sync + 'static {
    /// Takes the VG's lock exclusively for a change, and before it the global one where `needs_global`.
    ///
    /// # Errors
    /// Who holds it, or why it cannot be had.
    ///
    /// # Cancel safety
    /// When the future is dropped the lock may be held: [`Self::give_back`] takes the request back as well.
    fn take(&self, change: Uuid, vg: VgName, needs_global: bool) -> BoxFuture<'static, Result<(), Cause>>;

    /// Takes the VG's lock shared, for a look of somebody who does not know.
    ///
    /// # Errors
    /// As [`Self::take`].
    fn take_to_look(&self, change: Uuid, vg: VgName) -> BoxFuture<'static, Result<(), Cause>>;

    /// Gives back what a change has, or takes back what it has asked for.
    fn give_back(&self, change: Uuid, vg: VgName) -> BoxFuture<'static, ()>;
}

/// The locks of VGs that are not shared: there are none.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalLocks;

impl Locks for LocalLocks {
    fn take(&self, _: Uuid, _: VgName, _: bool) -> BoxFuture<'static, Result<(), Cause>> {
        Box::pin(async { Ok(()) })
    }

    fn take_to_look(&self, _: Uuid, _: VgName) -> BoxFuture<'static, Result<(), Cause>> {
        Box::pin(async { Ok(()) })
    }

    fn give_back(&self, _: Uuid, _: VgName) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
