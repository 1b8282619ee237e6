//! dlm: locks of the kernel's distributed lock manager, in a cluster of corosync's.
//!
//! ```text
//!   lockspace's thread ── /dev/misc/dlm_lvm_vg ──► kernel ◄── network ──► kernels of other nodes
//!                                    dlm_controld, configfs: who is in which lockspace
//! ```
//! | module | is |
//! |---|---|
//! | `cluster` | what the kernel tells about the cluster, as files |
//! | `connection` | locks, and the life of a lockspace |
//! | `holders` | which node holds a lock, as far as the kernel tells |
//!
//! Source: lvm2 2.03.16 and 2.03.39, `lvmlockd-dlm.c`; dlm 4.2.0.

mod cluster;
mod connection;
mod holders;

use std::ffi::c_int;
use std::thread;
use std::time::Duration;

use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::lock::{LockType, ResultCode};
use lvmwarden_supervisor::sys::dlm::{DlmControl, LibraryError, RunState};

use super::sanlock::layout;
use super::{Connection, Fault, InitLv, InitVg, LockManager, Remains, Site};
pub use cluster::Cluster;
use connection::DlmConnection;

/// The lockspace with the global lock of all VGs.
const GLOBAL_LOCKSPACE: &str = "lvm_global";

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A minute: an `lvchange --refresh` on a node in trouble ends or is given up by then.
const LOOKS: u32 = 300;

/// dlm as a lock manager.
pub struct DlmManager {
    cluster: Cluster,
}

impl DlmManager {
    /// Makes the lock manager; nothing is asked of the kernel yet.
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }
}

impl LockManager for DlmManager {
    fn lock_type(&self) -> LockType {
        LockType::Dlm
    }

    fn probe(&self) -> Result<(), Fault> {
        self.cluster.name().map(drop)
    }

    fn connect(&self, site: &Site) -> Result<Box<dyn Connection>, Fault> {
        let lockspace = match &site.vg {
            Some(vg) => format!("lvm_{vg}"),
            None => GLOBAL_LOCKSPACE.to_owned(),
        };
        let cluster_name = cluster_of(&site.args)?.map(str::to_owned);
        Ok(Box::new(DlmConnection::new(self.cluster.clone(), lockspace, cluster_name)))
    }

    fn init_vg(&self, request: &InitVg) -> Result<String, Fault> {
        // What these words ask for dlm never has; those that ask for what there is are no harm.
        layout::usage_of_words(&request.set_args)?;
        Ok(format!("1.0.0:{}", self.cluster.name()?))
    }

    fn init_lv(&self, _request: &InitLv) -> Result<String, Fault> {
        Ok("none".to_owned())
    }

    fn rename_vg(&self, _vg: &VgName, _args: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn remains(&self) -> Result<Vec<Remains>, Fault> {
        let ours = self.cluster.lockspaces()?.into_iter().filter(|name| name.starts_with("lvm_"));
        Ok(ours.map(|lockspace| Remains { lockspace, host_id: 0 }).collect())
    }

    fn refresh_lv(&self, vg: &VgName, lv: &LvName) -> Result<(), Fault> {
        // Without this library, as Debian builds the C daemon, nobody is told.
        let Ok(control) = DlmControl::load() else { return Ok(()) };
        let name = &format!("{vg}/{lv}");
        let failed = |error: c_int| Fault {
            raw: error,
            ..refresh_fault(name, &format!("dlm_controld answers {error}"))
        };
        let run =
            control.start(&format!("lvm lvchange --refresh --partial --nolocking {name}")).map_err(failed)?;
        for _ in 0..LOOKS {
            match control.check(&run).map_err(failed)? {
                RunState::Done => return Ok(()),
                RunState::Failed => return Err(refresh_fault(name, "it failed there")),
                RunState::Waiting => {
                    #[expect(clippy::disallowed_methods, reason = "this thread is for waiting")]
                    thread::sleep(LOOK_EVERY);
                }
            }
        }
        Err(refresh_fault(name, "it takes too long there"))
    }
}

/// Returns the name of the cluster out of a VG's lock arguments such as `1.0.0:cluster`; `None` where there is none.
///
/// # Errors
/// [`ResultCode::BAD_ARGS`]: their format is newer than 1, or is another one, or there is more in them, which may forbid what
/// would be done without it.
pub(super) fn cluster_of(args: &str) -> Result<Option<&str>, Fault> {
    if args.is_empty() || args == "none" {
        return Ok(None);
    }
    let bad = || Fault::new(ResultCode::BAD_ARGS, format!("use the VG's lock arguments `{args}`"));
    let (version, cluster) = args.split_once(':').ok_or_else(bad)?;
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).ok_or_else(bad)?;
    if major > 1 || cluster.is_empty() || cluster.contains(':') { Err(bad()) } else { Ok(Some(cluster)) }
}

fn refresh_fault(name: &str, why: &str) -> Fault {
    Fault::new(ResultCode::FAILED, format!("refresh {name} on other hosts: {why}"))
}

fn no_library(error: &LibraryError) -> Fault {
    Fault::new(ResultCode::MANAGER, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_all_that_follows_the_version_in_the_lock_arguments() {
        for (args, cluster) in [
            ("1.0.0:lab", Ok(Some("lab"))),
            ("", Ok(None)),
            ("none", Ok(None)),
            ("1.0.0:bogus:lab", Err(ResultCode::BAD_ARGS)),
            ("1.0.0:lab:", Err(ResultCode::BAD_ARGS)),
            ("1.0.0:", Err(ResultCode::BAD_ARGS)),
            ("2.0.0:lab", Err(ResultCode::BAD_ARGS)),
            ("lab", Err(ResultCode::BAD_ARGS)),
            ("x.0:lab", Err(ResultCode::BAD_ARGS)),
        ] {
            assert_eq!(cluster_of(args).map_err(|fault| fault.code), cluster, "{args}");
        }
    }
}
