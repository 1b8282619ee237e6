//! The real device-mapper.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use lvmwarden_supervisor::device_mapper::DmStatus;
use lvmwarden_supervisor::process::BoxFuture;
use lvmwarden_supervisor::sys;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

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
            let asked = spawn_blocking(move || match status_of(&lvid.device_mapper_uuid()) {
                Ok(status) => judge(operation, status.as_ref()),
                Err(_no_device_mapper) => Verdict::Unknown,
            });
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).unwrap_or(Verdict::Unknown)
        })
    }

    fn lvid_of(&self, vgname: VgName, lvname: LvName) -> BoxFuture<'static, Option<Lvid>> {
        Box::pin(async move {
            let asked = spawn_blocking(move || find_lvid(&mapper_name(vgname.as_str(), lvname.as_str())));
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).flatten()
        })
    }
}

fn status_of(uuid: &str) -> io::Result<Option<DmStatus>> {
    let control = File::open(CONTROL)?;
    sys::device_mapper_status(control.as_fd(), uuid)
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
