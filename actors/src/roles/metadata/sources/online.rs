//! Which devices have PVs, as LVM's own udev rule notes it in `/run/lvm/pvs_online`: a file for each PV, called by its UUID.
//!
//! Nothing that an ordinary user can make is believed: the directory, the one above it and each file are root's, and nobody
//! else may write to them. Of a file only the device's number is used, and what stands on that device is read from there;
//! the VG's name is no more than a hint in which order devices are read.
//!
//! Source: lvm2 2.03.16, seen: `MAJOR:MINOR`, `vg:NAME`, `dev:PATH`, a line each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::process::geteuid;

use super::device::DeviceNumber;
use super::plan::DEVICES;

/// How much of a file is read, in bytes.
const FILE_BYTES: u64 = 4096;
/// A PV's UUID without dashes.
const UUID_CHARACTERS: usize = 32;

/// The directory below LVM's run directory.
pub const PVS_ONLINE: &str = "pvs_online";

/// Why the list is not known.
#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    /// It cannot be read.
    #[error("read the list of PVs that are online")]
    Io(#[from] io::Error),
    /// Others than root may have written it.
    #[error("read the list of PVs that are online: not only root may write there")]
    Untrusted,
}

/// Returns the devices that are listed below `run` (`/run/lvm`), with the VG that each is said to belong to.
///
/// Files that are not in order are passed over; there are at most [`DEVICES`].
///
/// # Errors
/// [`OnlineError`].
pub fn list(run: &Path) -> Result<BTreeMap<DeviceNumber, Option<String>>, OnlineError> {
    let above = statat(CWD, run, AtFlags::empty()).map_err(io::Error::from)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = openat(CWD, run.join(PVS_ONLINE), flags, Mode::empty()).map_err(io::Error::from)?;
    if !is_trusted(&above) || !is_trusted(&fstat(&directory).map_err(io::Error::from)?) {
        return Err(OnlineError::Untrusted);
    }
    let mut devices = BTreeMap::new();
    for entry in Dir::read_from(&directory).map_err(io::Error::from)?.take(2 * DEVICES) {
        let name = entry.map_err(io::Error::from)?.file_name().to_owned();
        if name.to_bytes().len() == UUID_CHARACTERS
            && let Ok(Some((device, vg))) = read(&directory, &name)
        {
            devices.insert(device, vg);
        }
        if devices.len() == DEVICES {
            break;
        }
    }
    Ok(devices)
}

fn read(
    directory: impl std::os::fd::AsFd,
    name: &std::ffi::CStr,
) -> io::Result<Option<(DeviceNumber, Option<String>)>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_trusted(&stat) {
        return Ok(None);
    }
    let mut text = String::new();
    File::from(file).take(FILE_BYTES).read_to_string(&mut text)?;
    let device = text.lines().next().and_then(|line| line.trim().parse().ok());
    let vg = text.lines().find_map(|line| line.strip_prefix("vg:"));
    Ok(device.map(|device| (device, vg.map(|vg| vg.trim().to_owned()))))
}

/// Tells whether nobody but root, or whom the daemon runs as, can have written there.
fn is_trusted(stat: &Stat) -> bool {
    let is_ours = stat.st_uid == 0 || stat.st_uid == geteuid().as_raw();
    is_ours && stat.st_mode & 0o022 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn uuid(letter: char) -> String {
        letter.to_string().repeat(UUID_CHARACTERS)
    }

    #[test]
    fn files_of_others_and_what_is_no_number_are_passed_over() {
        let run = tempfile::tempdir().unwrap();
        let online = run.path().join(PVS_ONLINE);
        assert!(matches!(list(run.path()), Err(OnlineError::Io(_))), "there is no such directory");
        fs::create_dir(&online).unwrap();
        fs::set_permissions(&online, Permissions::from_mode(0o755)).unwrap();
        fs::write(online.join(uuid('a')), "8:16\nvg:vg0\ndev:/dev/sdb\n").unwrap();
        fs::write(online.join(uuid('b')), "8:32\n").unwrap();
        fs::write(online.join(uuid('c')), "/dev/sdc\n").unwrap();
        fs::write(online.join("short"), "8:48\n").unwrap();
        fs::write(online.join(uuid('d')), "8:64\n").unwrap();
        fs::set_permissions(online.join(uuid('d')), Permissions::from_mode(0o666)).unwrap();
        symlink(online.join(uuid('a')), online.join(uuid('e'))).unwrap();
        fs::create_dir(online.join(uuid('f'))).unwrap();
        let expected = [("8:16", Some("vg0")), ("8:32", None)];
        let expected = expected.map(|(device, vg)| (device.parse().unwrap(), vg.map(str::to_owned)));
        assert_eq!(list(run.path()).unwrap(), BTreeMap::from(expected));
        fs::set_permissions(&online, Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(list(run.path()), Err(OnlineError::Untrusted)));
        fs::set_permissions(&online, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(run.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(list(run.path()), Err(OnlineError::Untrusted)));
    }
}
