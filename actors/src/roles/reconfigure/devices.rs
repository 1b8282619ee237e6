//! What device-mapper says of LVs: read from sysfs, where nothing waits for a device.
//!
//! Source: Linux 6.1, Documentation/ABI/testing/sysfs-block-dm, `size` in sectors of 512 bytes whatever the device; lvm2, the UUID of
//! an LV's device: `LVM-` and the two UUIDs without dashes; of a layer below it, with a suffix.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The longest wait for the kernel.
const DEADLINE: Duration = Duration::from_secs(5);

/// A device of device-mapper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its UUID.
    pub uuid: String,
    /// Its name below /dev/mapper.
    pub name: String,
    /// How large it is.
    pub bytes: u64,
    /// Nothing is read or written just now.
    pub is_suspended: bool,
    /// What lies on top of it.
    pub holders: Vec<String>,
}

/// All devices of device-mapper at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices(pub Vec<Device>);

impl Devices {
    /// Returns the device of an LV that is active, by UUIDs with dashes.
    pub fn of(&self, vg_uuid: &str, lv_uuid: &str) -> Option<&Device> {
        let uuid = format!("LVM-{}{}", plain(vg_uuid), plain(lv_uuid));
        self.0.iter().find(|device| device.uuid == uuid)
    }

    /// Tells whether a device of a VG is there, by its UUID with dashes.
    pub fn has_any_of(&self, vg_uuid: &str) -> bool {
        let beginning = format!("LVM-{}", plain(vg_uuid));
        self.0.iter().any(|device| device.uuid.starts_with(&beginning))
    }

    /// Returns the device of this name.
    pub fn named(&self, name: &str) -> Option<&Device> {
        self.0.iter().find(|device| device.name == name)
    }
}

fn plain(uuid: &str) -> String {
    uuid.replace('-', "")
}

/// Returns what the device of an LV is called: hyphens in names are doubled.
pub fn device_name(vg: &str, lv: &str) -> String {
    format!("{}-{}", vg.replace('-', "--"), lv.replace('-', "--"))
}

/// Looks at all devices, below `sys`.
///
/// # Errors
/// For people: sysfs is not there, or does not answer.
pub async fn look(sys: PathBuf) -> Result<Devices, String> {
    let read = timeout(DEADLINE, spawn_blocking(move || read(&sys)));
    match read.await {
        Ok(Ok(devices)) => devices,
        Ok(Err(panicked)) => Err(format!("look at device-mapper: {panicked}")),
        Err(_too_late) => Err("look at device-mapper: the kernel does not answer".to_owned()),
    }
}

/// Tells whether no device of a VG is there, by its UUID with dashes; what cannot be seen may be there.
pub async fn are_gone(sys: PathBuf, vg_uuid: &str) -> bool {
    look(sys).await.is_ok_and(|devices| !devices.has_any_of(vg_uuid))
}

fn read(sys: &Path) -> Result<Devices, String> {
    let block = sys.join("block");
    let entries = match fs::read_dir(&block) {
        Ok(entries) => entries,
        // No block device at all.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Devices::default()),
        Err(error) => return Err(format!("look at {}: {error}", block.display())),
    };
    let mut devices = Vec::new();
    for entry in entries.flatten().map(|entry| entry.path()) {
        let text = |name: &str| fs::read_to_string(entry.join(name)).map(|text| text.trim_end().to_owned());
        // What is none of device-mapper's, or is gone by now, has no such file.
        let (Ok(uuid), Ok(name), Ok(sectors)) = (text("dm/uuid"), text("dm/name"), text("size")) else {
            continue;
        };
        let Ok(sectors) = sectors.parse::<u64>() else { continue };
        let is_suspended = text("dm/suspended").is_ok_and(|word| word == "1");
        let holders = fs::read_dir(entry.join("holders")).into_iter().flatten().flatten();
        let mut holders: Vec<_> =
            holders.map(|holder| holder.file_name().to_string_lossy().into_owned()).collect();
        holders.sort();
        devices.push(Device { uuid, name, bytes: sectors.saturating_mul(512), is_suspended, holders });
    }
    Ok(Devices(devices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn devices_are_read_with_their_sizes_and_what_is_none_is_left_out() {
        let sys = tempfile::tempdir().expect("a folder");
        assert_eq!(look(sys.path().to_owned()).await, Ok(Devices::default()));
        for (file, text) in [
            ("dm-0/dm/uuid", "LVM-ab\n"),
            ("dm-0/dm/name", "vg0-data\n"),
            ("dm-0/dm/suspended", "1\n"),
            ("dm-0/size", "8\n"),
            ("dm-0/holders/dm-1", ""),
            ("sda/size", "8\n"),
        ] {
            let path = sys.path().join("block").join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let devices = look(sys.path().to_owned()).await.expect("they are there");
        let expected = Device {
            uuid: "LVM-ab".to_owned(),
            name: "vg0-data".to_owned(),
            bytes: 4096,
            is_suspended: true,
            holders: vec!["dm-1".to_owned()],
        };
        assert_eq!(devices.0, [expected]);
        assert_eq!(devices.of("a-", "-b"), devices.named("vg0-data"));
        let gone = async |vg_uuid| are_gone(sys.path().to_owned(), vg_uuid).await;
        assert_eq!((gone("a-").await, gone("b").await), (false, true));
    }

    #[test]
    fn hyphens_in_names_are_doubled() {
        assert_eq!(device_name("a-b", "c"), "a--b-c");
    }
}
