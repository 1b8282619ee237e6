//! The real device-mapper.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::device_mapper::{Ask, DmStatus, first_event};
use lvmwarden_supervisor::process::BoxFuture;
use lvmwarden_supervisor::sys;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Verdict;
use super::{ActiveLvs, Kernel, judge, mapper_name};
use crate::foundation::kernel::copying::{Look, Subject, look};
use crate::foundation::kernel::foreign::{SeenCopy, lvid_of_uuid, may_copy, read_copy};
use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;

/// The longest wait for the kernel: past it the answer is "unknown".
const DEADLINE: Duration = Duration::from_secs(5);
/// Where device-mapper is asked.
const CONTROL: &str = "/dev/mapper/control";

/// The device-mapper of this machine.
#[derive(Debug, Default)]
pub struct DeviceMapper {
    /// Held while it is asked about operations: a kernel that hangs then holds one thread, however often it is asked.
    operations: Lane,
    /// Held while all copies are looked for.
    copies: Lane,
}

/// A place for one question at a time.
type Lane = Arc<Mutex<()>>;

impl Kernel for DeviceMapper {
    fn judge(&self, operation: PollOperation, lvid: Lvid) -> BoxFuture<'static, Verdict> {
        let asked = ask(&self.operations, move || {
            match open().and_then(|control| read(&control, &lvid.device_mapper_uuid(), Ask::Status)) {
                Ok(status) => judge(operation, status.as_ref()),
                Err(_no_device_mapper) => Verdict::Unknown,
            }
        });
        Box::pin(async move { asked.await.unwrap_or(Verdict::Unknown) })
    }

    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>> {
        let count = subjects.len();
        let asked = ask(&self.operations, move || {
            let control = open();
            subjects.iter().map(|subject| look_at(control.as_ref().ok(), subject)).collect()
        });
        Box::pin(async move {
            asked.await.unwrap_or_else(|| vec![Look::unclear("device-mapper does not answer in time"); count])
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
        let asked = ask(&self.copies, || find_copies().ok());
        Box::pin(async move { asked.await.flatten() })
    }

    fn lvid_of(&self, vgname: VgName, lvname: LvName) -> BoxFuture<'static, Option<Lvid>> {
        Box::pin(async move {
            let asked = spawn_blocking(move || find_lvid(&mapper_name(vgname.as_str(), lvname.as_str())));
            timeout(DEADLINE, asked).await.ok().and_then(Result::ok).flatten()
        })
    }
}

impl ActiveLvs for DeviceMapper {
    fn active_lvs(&self) -> BoxFuture<'static, Option<BTreeSet<Lvid>>> {
        let asked = ask(&self.copies, || {
            let devices = devices().ok()?;
            Some(devices.filter_map(|device| lvid_of_uuid(&device.uuid)).collect())
        });
        Box::pin(async move { asked.await.flatten() })
    }
}

/// Asks when it is the question's turn; `None` when there is no answer within [`DEADLINE`].
fn ask<T: Send + 'static>(
    lane: &Lane,
    question: impl FnOnce() -> T + Send + 'static,
) -> BoxFuture<'static, Option<T>> {
    let lane = Arc::clone(lane);
    Box::pin(async move {
        let asked = async move {
            let turn = lane.lock_owned().await;
            let answered = spawn_blocking(move || {
                let _turn = turn;
                question()
            });
            answered.await.ok()
        };
        timeout(DEADLINE, asked).await.ok().flatten()
    })
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
        Ok((status, table)) => with_names(look(subject.operation, status.as_ref(), table.as_ref())),
        Err(_no_device_mapper) => Look::unclear("device-mapper does not answer"),
    }
}

/// Names the devices that could not be read or written, where they have names.
fn with_names(mut look: Look) -> Look {
    for fault in &mut look.faults {
        if let Some(name) = name_of(&fault.device) {
            fault.device = name;
        }
    }
    look
}

/// Returns the path of the block device `number`, such as `254:0`; it looks in sysfs, which opens no device.
fn name_of(number: &str) -> Option<String> {
    let folder = Path::new("/sys/dev/block").join(number);
    if let Ok(name) = fs::read_to_string(folder.join("dm/name")) {
        return Some(format!("/dev/mapper/{}", name.trim_end()));
    }
    let target = fs::read_link(folder).ok()?;
    Some(format!("/dev/{}", target.file_name()?.to_str()?))
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
