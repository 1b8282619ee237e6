//! The real device-mapper.

use std::fs::{self, File};
use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lvmwarden_supervisor::device_mapper::{Ask, DmStatus, first_event};
use lvmwarden_supervisor::process::BoxFuture;
use lvmwarden_supervisor::sys;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::copying::{Look, Subject, look};
use super::foreign::{SeenCopy, lvid_of_uuid, may_copy, read_copy};
use super::{Kernel, judge, mapper_name};
use crate::poll_operation::state::Verdict;
use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;

/// The longest wait for the kernel: past it the answer is "unknown".
const DEADLINE: Duration = Duration::from_secs(5);
/// Where device-mapper is asked.
const CONTROL: &str = "/dev/mapper/control";

/// The device-mapper of this machine.
#[derive(Debug, Default)]
pub struct DeviceMapper {
    /// Held while all copies are looked for: a kernel that hangs then holds one thread, however often it is asked.
    looking_for_copies: Arc<Mutex<()>>,
}

impl Kernel for DeviceMapper {
    fn judge(&self, operation: PollOperation, lvid: Lvid) -> BoxFuture<'static, Verdict> {
        Box::pin(async move {
            let asked = spawn_blocking(move || {
                match open().and_then(|control| read(&control, &lvid.device_mapper_uuid(), Ask::Status)) {
                    Ok(status) => judge(operation, status.as_ref()),
                    Err(_no_device_mapper) => Verdict::Unknown,
                }
            });
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).unwrap_or(Verdict::Unknown)
        })
    }

    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>> {
        Box::pin(async move {
            let count = subjects.len();
            let asked = spawn_blocking(move || {
                let control = open();
                subjects.iter().map(|subject| look_at(control.as_ref().ok(), subject)).collect()
            });
            let seen = timeout(DEADLINE, asked).await.ok().and_then(Result::ok);
            seen.unwrap_or_else(|| vec![Look::unclear("device-mapper does not answer in time"); count])
        })
    }

    fn happening(&self) -> Option<BoxFuture<'static, ()>> {
        let event = first_event(open().ok()?.into()).ok()?;
        Some(Box::pin(async move {
            if event.await.is_err() {
                // The runtime is going down.
                pending::<()>().await;
            }
        }))
    }

    fn copies(&self) -> BoxFuture<'static, Option<Vec<SeenCopy>>> {
        let looking = Arc::clone(&self.looking_for_copies);
        Box::pin(async move {
            let asked = spawn_blocking(move || {
                let _looking = looking.try_lock().ok()?;
                find_copies().ok()
            });
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).flatten()
        })
    }

    fn lvid_of(&self, vgname: VgName, lvname: LvName) -> BoxFuture<'static, Option<Lvid>> {
        Box::pin(async move {
            let asked = spawn_blocking(move || find_lvid(&mapper_name(vgname.as_str(), lvname.as_str())));
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).flatten()
        })
    }
}

fn open() -> io::Result<File> {
    File::open(CONTROL)
}

fn read(control: &File, uuid: &str, ask: Ask) -> io::Result<Option<DmStatus>> {
    sys::device_mapper_status(control.as_fd(), uuid, ask)
}

/// Reads status and table in this order: a table that changed in between has other targets, or none that copies.
fn look_at(control: Option<&File>, subject: &Subject) -> Look {
    let Some(control) = control else { return Look::unclear("there is no device-mapper") };
    let uuid = subject.lvid.device_mapper_uuid();
    let seen =
        read(control, &uuid, Ask::Status).and_then(|status| Ok((status, read(control, &uuid, Ask::Table)?)));
    match seen {
        Ok((status, table)) => look(subject.operation, status.as_ref(), table.as_ref()),
        Err(_no_device_mapper) => Look::unclear("device-mapper does not answer"),
    }
}

/// Finds everything of LVM's that is being copied. A device that is gone meanwhile is none of it.
fn find_copies() -> io::Result<Vec<SeenCopy>> {
    let devices: Vec<_> = devices()?.filter(|device| lvid_of_uuid(&device.uuid).is_some()).collect();
    if devices.is_empty() {
        return Ok(vec![]);
    }
    let control = open()?;
    let mut copies = Vec::new();
    for Device { name, uuid } in &devices {
        let Some(table) = read(&control, uuid, Ask::Table)?.filter(may_copy) else { continue };
        let Some(status) = read(&control, uuid, Ask::Status)? else { continue };
        copies.extend(read_copy(name, uuid, &status, &table));
    }
    Ok(copies)
}

fn find_lvid(name: &str) -> Option<Lvid> {
    let device = devices().ok()?.find(|device| device.name == name)?;
    lvid_of_uuid(&device.uuid)
}

/// A device of device-mapper's.
struct Device {
    name: String,
    uuid: String,
}

/// Returns all of them; it looks in sysfs, which opens no device.
fn devices() -> io::Result<impl Iterator<Item = Device>> {
    Ok(fs::read_dir("/sys/block")?.flatten().filter_map(|entry| {
        let read = |file: &str| {
            fs::read_to_string(entry.path().join("dm").join(file)).map(|text| text.trim_end().to_owned())
        };
        Some(Device { name: read("name").ok()?, uuid: read("uuid").ok()? })
    }))
}
