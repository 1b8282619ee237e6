//! The real device-mapper.

use std::fs::{self, File};
use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use lvmwarden_supervisor::device_mapper::{Ask, DmStatus, first_event};
use lvmwarden_supervisor::process::BoxFuture;
use lvmwarden_supervisor::sys;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::copying::{Look, Subject, look};
use super::{Kernel, judge, mapper_name};
use crate::poll_operation::state::Verdict;
use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;

/// The longest wait for the kernel: past it the answer is "unknown".
const DEADLINE: Duration = Duration::from_secs(5);
/// Where device-mapper is asked.
const CONTROL: &str = "/dev/mapper/control";
/// What device-mapper UUIDs of LVs begin with.
const UUID_PREFIX: &str = "LVM-";

/// The device-mapper of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceMapper;

impl Kernel for DeviceMapper {
    fn judge(&self, operation: PollOperation, lvid: Lvid) -> BoxFuture<'static, Verdict> {
        Box::pin(async move {
            let asked = spawn_blocking(move || match read(&lvid.device_mapper_uuid(), Ask::Status) {
                Ok(status) => judge(operation, status.as_ref()),
                Err(_no_device_mapper) => Verdict::Unknown,
            });
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).unwrap_or(Verdict::Unknown)
        })
    }

    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>> {
        Box::pin(async move {
            let count = subjects.len();
            let asked = spawn_blocking(move || subjects.iter().map(look_at).collect());
            let seen = timeout(DEADLINE, asked).await.ok().and_then(Result::ok);
            seen.unwrap_or_else(|| vec![Look::unclear("device-mapper does not answer in time"); count])
        })
    }

    fn happening(&self) -> Option<BoxFuture<'static, ()>> {
        let event = first_event(File::open(CONTROL).ok()?.into()).ok()?;
        Some(Box::pin(async move {
            if event.await.is_err() {
                // The runtime is going down.
                pending::<()>().await;
            }
        }))
    }

    fn lvid_of(&self, vgname: VgName, lvname: LvName) -> BoxFuture<'static, Option<Lvid>> {
        Box::pin(async move {
            let asked = spawn_blocking(move || find_lvid(&mapper_name(vgname.as_str(), lvname.as_str())));
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).flatten()
        })
    }
}

fn read(uuid: &str, ask: Ask) -> io::Result<Option<DmStatus>> {
    let control = File::open(CONTROL)?;
    sys::device_mapper_status(control.as_fd(), uuid, ask)
}

/// Reads status and table in this order: a table that changed in between has other targets, or none that copies.
fn look_at(subject: &Subject) -> Look {
    let uuid = subject.lvid.device_mapper_uuid();
    let seen = read(&uuid, Ask::Status).and_then(|status| Ok((status, read(&uuid, Ask::Table)?)));
    match seen {
        Ok((status, table)) => look(subject.operation, status.as_ref(), table.as_ref()),
        Err(_no_device_mapper) => Look::unclear("device-mapper does not answer"),
    }
}

/// Looks a device's name up in sysfs, which opens no device.
fn find_lvid(name: &str) -> Option<Lvid> {
    let read = |device: &Path, file: &str| fs::read_to_string(device.join("dm").join(file)).ok();
    fs::read_dir("/sys/block").ok()?.flatten().map(|entry| entry.path()).find_map(|device| {
        if read(&device, "name")?.trim_end() != name {
            return None;
        }
        read(&device, "uuid")?.trim_end().strip_prefix(UUID_PREFIX)?.try_into().ok()
    })
}
