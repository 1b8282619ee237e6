//! What device-mapper says of LVs that are active.
//!
//! One pass over sysfs and one status each, at most once in `FRESH`; whoever asks meanwhile shares it. No device is opened,
//! nothing is flushed, so that a suspended device or a dead disk holds nobody up; a kernel that does not answer all the same
//! holds one thread, and answers go without it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lvmwarden_protocol::ids::{LvUuid, VgUuid};
use lvmwarden_supervisor::device_mapper::{Ask, DmStatus, DmTarget};
use lvmwarden_supervisor::sys;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

/// For how long one look serves whoever asks.
const FRESH: Duration = Duration::from_millis(500);
/// The longest wait for the kernel.
const DEADLINE: Duration = Duration::from_secs(1);
/// Where device-mapper is asked.
const CONTROL: &str = "/dev/mapper/control";
/// With what LVM's device-mapper UUIDs begin.
const PREFIX: &str = "LVM-";
/// Two UUIDs without dashes.
const LVID_BYTES: usize = 64;

/// What device-mapper says of one LV.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappedLv {
    /// Nothing is read or written just now.
    pub is_suspended: bool,
    /// Somebody has it open.
    pub is_open: bool,
    /// How full it is.
    pub data_percent: Option<f64>,
    /// How full its metadata are.
    pub metadata_percent: Option<f64>,
    /// How much of it is in sync.
    pub sync_percent: Option<f64>,
    /// A letter for each image of a raid: `A` is in sync, `a` is not, `D` has failed.
    pub images: String,
    /// What is wrong.
    pub trouble: Option<String>,
}

/// All active LVs, by lvid.
#[derive(Debug, Default)]
pub struct Mapped {
    lvs: BTreeMap<String, MappedLv>,
}

impl Mapped {
    /// Returns what is said of an LV; `None`: it is not active.
    pub fn of(&self, vg: &str, lv: &str) -> Option<MappedLv> {
        let (vg, lv) = (VgUuid::try_from(vg).ok()?, LvUuid::try_from(lv).ok()?);
        self.lvs.get(&(vg.plain() + &lv.plain())).cloned()
    }

    /// Adds what a device of this UUID says. An LV may have several devices: those of its layers end in `-real` and the like.
    pub fn add(&mut self, uuid: &str, status: &DmStatus) {
        let Some(rest) = uuid.strip_prefix(PREFIX) else { return };
        // Layers, such as `-real`, say no more than that the LV is there, or more than its top device does.
        let Some((lvid, layer)) = rest.split_at_checked(LVID_BYTES) else { return };
        let lv = self.lvs.entry(lvid.to_owned()).or_default();
        lv.is_suspended |= status.suspended;
        // These are open because the LV's own device lies on them.
        lv.is_open |= status.is_open && !matches!(layer, "-real" | "-cow");
        for target in &status.targets {
            read_target(target, lv);
        }
    }
}

/// Takes what a target's status line says.
///
/// Source: Linux 6.1, Documentation/admin-guide/device-mapper: thin-provisioning, snapshot, dm-raid, cache, writecache; dm-raid1.c.
fn read_target(target: &DmTarget, lv: &mut MappedLv) {
    let words: Vec<&str> = target.params.split_ascii_whitespace().collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    match target.kind.as_str() {
        "thin-pool" | "thin" if word(0) == "Fail" => lv.trouble = Some("Fail".to_owned()),
        "thin-pool" => {
            lv.metadata_percent = ratio(word(1));
            lv.data_percent = ratio(word(2));
            let trouble =
                words.iter().find(|word| matches!(**word, "ro" | "out_of_data_space" | "needs_check"));
            lv.trouble = trouble.map(|word| (*word).to_owned());
        }
        "thin" => {
            let mapped = word(0).parse().ok();
            lv.data_percent = mapped.map(|mapped| percent(mapped, target.length_sectors));
        }
        "snapshot" | "snapshot-merge" => read_snapshot(word(0), word(1), lv),
        "mirror" => {
            let devices: Option<usize> = word(0).parse().ok();
            lv.sync_percent = devices.and_then(|devices| ratio(word(1 + devices)));
        }
        "raid" => {
            lv.sync_percent = ratio(word(3));
            word(2).clone_into(&mut lv.images);
            let has_failed = word(2).contains('D');
            lv.trouble = has_failed.then(|| format!("devices {}", word(2)));
        }
        "cache" if matches!(word(0), "Fail" | "Error") => lv.trouble = Some(word(0).to_owned()),
        "cache" => {
            lv.metadata_percent = ratio(word(1));
            lv.data_percent = ratio(word(3));
        }
        "error" => lv.trouble = Some("error".to_owned()),
        _says_nothing_more => {}
    }
}

/// `sectors used/sectors metadata`: where all that is used is metadata, nothing was written yet.
fn read_snapshot(used: &str, metadata: &str, lv: &mut MappedLv) {
    match (used.split_once('/'), metadata.parse::<u64>()) {
        (Some((used, total)), Ok(metadata)) => {
            let (Ok(used), Ok(total)) = (used.parse::<u64>(), total.parse()) else { return };
            lv.data_percent = Some(if used == metadata { 0.0 } else { percent(used, total) });
        }
        _in_words => lv.trouble = Some(used.to_owned()).filter(|word| !word.is_empty()),
    }
}

/// Reads `PART/ALL`.
fn ratio(text: &str) -> Option<f64> {
    let (part, all) = text.split_once('/')?;
    Some(percent(part.parse().ok()?, all.parse().ok()?))
}

#[expect(clippy::cast_precision_loss, reason = "two digits behind the point are told")]
fn percent(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (part as f64 / all as f64 * 10_000.0).round() / 100.0 }
}

/// What was seen last, for whoever asks.
#[derive(Debug, Default)]
pub struct MappedLook {
    last: Mutex<Option<(Instant, Arc<Mapped>)>>,
    /// Held while the kernel is asked.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl MappedLook {
    /// Returns what the kernel says, at most `FRESH` old; `None` when it does not answer in time.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn look(&self) -> Option<Arc<Mapped>> {
        if let Some(last) = self.fresh() {
            return Some(last);
        }
        let asked = async {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            // Somebody else has looked meanwhile.
            if let Some(last) = self.fresh() {
                return Some(last);
            }
            let looking = spawn_blocking(move || {
                let _turn = turn;
                look()
            });
            let seen = Arc::new(looking.await.ok()??);
            *self.locked() = Some((Instant::now(), Arc::clone(&seen)));
            Some(seen)
        };
        timeout(DEADLINE, asked).await.ok().flatten()
    }

    fn fresh(&self) -> Option<Arc<Mapped>> {
        let last = self.locked();
        last.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, seen)| Arc::clone(seen))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Arc<Mapped>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at all of LVM's devices; `None` where there is no device-mapper.
fn look() -> Option<Mapped> {
    let control = File::open(CONTROL).ok()?;
    let mut mapped = Mapped::default();
    for entry in fs::read_dir("/sys/block").ok()?.flatten() {
        let Ok(uuid) = fs::read_to_string(entry.path().join("dm/uuid")) else { continue };
        let uuid = uuid.trim_end();
        if !uuid.starts_with(PREFIX) {
            continue;
        }
        // One that is gone meanwhile is not active.
        if let Ok(Some(status)) = sys::device_mapper_status(control.as_fd(), uuid, Ask::Status) {
            mapped.add(uuid, &status);
        }
    }
    Some(mapped)
}

/// Returns the path of a block device by its number, as `dev_t` has it; it looks in sysfs, which opens no device.
pub fn device_name(number: i64) -> Option<String> {
    let number = u64::try_from(number).ok()?;
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    let folder = format!("/sys/dev/block/{major}:{minor}");
    if let Ok(name) = fs::read_to_string(format!("{folder}/dm/name")) {
        return Some(format!("/dev/mapper/{}", name.trim_end()));
    }
    // A device in a folder of /dev has slashes as exclamation marks in its folder's name; here it has none.
    let uevent = fs::read_to_string(format!("{folder}/uevent")).ok()?;
    uevent.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(|name| format!("/dev/{name}"))
}
