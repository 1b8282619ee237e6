//! Block devices, opened to be read and for nothing else; and images of them, for tests.
//!
//! What is read comes from the disk itself, not from memory (`O_DIRECT`): LVM writes past the kernel's cache. The path comes
//! from the kernel, by the device's number; what is opened there must be the block device of that number.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::device::DeviceNumber;
use super::pv_reading::ReadAt;

/// What reads are multiples of, and their buffers and offsets too: no disk has larger sectors.
const BLOCK: usize = 4096;
/// How much is read at once, in bytes.
const AT_ONCE: usize = 256 * 1024;
/// How much of a device's description in /sys is read, in bytes.
const DESCRIPTION_BYTES: u64 = 4096;

/// The way to devices.
pub trait Devices: Send + Sync + 'static {
    /// Opens a device to be read.
    ///
    /// # Errors
    /// That of open(2); there is no such device; or something else stands where it should be.
    fn open(&self, device: DeviceNumber) -> io::Result<Box<dyn ReadAt>>;

    /// Returns where a device is, for people: its path, or its number where there is none.
    fn path(&self, device: DeviceNumber) -> String;
}

/// The devices of this host.
#[derive(Debug, Clone)]
pub struct BlockDevices {
    /// Where sysfs is, `/sys`.
    pub sys: PathBuf,
    /// Where device nodes are, `/dev`.
    pub dev: PathBuf,
}

impl Devices for BlockDevices {
    fn open(&self, device: DeviceNumber) -> io::Result<Box<dyn ReadAt>> {
        let flags = OFlags::RDONLY | OFlags::DIRECT | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = open(self.node(device)?, flags, Mode::empty())?;
        let stat = fstat(&file)?;
        let is_block = FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice;
        if !is_block || DeviceNumber::of_dev(stat.st_rdev) != device {
            return Err(io::Error::other("its node is not that block device"));
        }
        Ok(Box::new(Direct(File::from(file))))
    }

    fn path(&self, device: DeviceNumber) -> String {
        self.node(device).map_or_else(|_| device.to_string(), |path| path.display().to_string())
    }
}

impl BlockDevices {
    fn node(&self, device: DeviceNumber) -> io::Result<PathBuf> {
        let path = self.sys.join("dev/block").join(device.to_string()).join("uevent");
        let mut description = String::new();
        File::open(path)?.take(DESCRIPTION_BYTES).read_to_string(&mut description)?;
        let name = description.lines().find_map(|line| line.strip_prefix("DEVNAME="));
        let name = name.ok_or_else(|| io::Error::other("the kernel tells no name of it"))?;
        let is_below =
            Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if is_below {
            Ok(self.dev.join(name))
        } else {
            Err(io::Error::other("its name is no path below /dev"))
        }
    }
}

/// A device that is read in whole blocks, past the kernel's cache.
#[derive(Debug)]
struct Direct(File);

impl ReadAt for Direct {
    fn read_at(&mut self, offset: u64, size: usize) -> io::Result<Vec<u8>> {
        let block = BLOCK as u64;
        let begin = offset / block * block;
        let skipped = usize::try_from(offset - begin).map_err(io::Error::other)?;
        let too_far = || io::Error::other("no device is that large");
        offset.checked_add(size as u64).ok_or_else(too_far)?;
        let mut buffer = vec![0; AT_ONCE.min((skipped + size).next_multiple_of(BLOCK)) + BLOCK];
        let aligned = buffer.as_ptr().align_offset(BLOCK);
        let length = buffer.len() - BLOCK;
        let mut read: Vec<u8> = Vec::new();
        while read.len() < skipped + size {
            let wanted = length.min((skipped + size - read.len()).next_multiple_of(BLOCK));
            let part = &mut buffer[aligned..aligned + wanted];
            let count = self.0.read_at(part, begin + read.len() as u64)?;
            read.extend_from_slice(&part[..count]);
            // The device ends here; a read beside its end is short.
            if count < wanted {
                break;
            }
        }
        read.truncate(skipped + size);
        Ok(read.split_off(skipped.min(read.len())))
    }
}

/// Images of disks, as files called by their devices' numbers.
#[derive(Debug, Clone)]
pub struct Images(pub PathBuf);

impl Devices for Images {
    fn open(&self, device: DeviceNumber) -> io::Result<Box<dyn ReadAt>> {
        let path = self.0.join(device.to_string());
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("it is no image"));
        }
        Ok(Box::new(Image(File::open(path)?)))
    }

    fn path(&self, device: DeviceNumber) -> String {
        self.0.join(device.to_string()).display().to_string()
    }
}

#[derive(Debug)]
struct Image(File);

impl ReadAt for Image {
    fn read_at(&mut self, offset: u64, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        let mut filled = 0;
        while filled < size {
            match self.0.read_at(&mut bytes[filled..], offset + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_are_read_and_the_part_that_was_asked_for_is_returned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|at| (at / 7 % 251) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        // Without O_DIRECT: whether a temporary folder has that is up to the file system.
        let mut direct = Direct(File::open(&path).unwrap());
        for (offset, size) in
            [(0, 2048), (4096, 512), (1, 1), (4095, 2), (700, 600_000), (999_900, 200), (2_000_000, 5)]
        {
            let begin = usize::try_from(offset).unwrap().min(bytes.len());
            let expected = &bytes[begin..(begin + size).min(bytes.len())];
            assert!(direct.read_at(offset, size).unwrap() == expected, "{size} bytes at {offset}");
        }
        assert!(direct.read_at(u64::MAX - 5, 10).is_err());
    }

    #[test]
    fn what_is_not_that_block_device_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let devices = BlockDevices { sys: folder.path().join("sys"), dev: folder.path().join("dev") };
        let number = DeviceNumber { major: 7, minor: 3 };
        assert!(devices.open(number).is_err(), "the kernel does not know it");
        let description = folder.path().join("sys/dev/block/7:3");
        fs::create_dir_all(&description).unwrap();
        fs::create_dir_all(folder.path().join("dev")).unwrap();
        fs::write(folder.path().join("dev/disk"), vec![0; 8192]).unwrap();
        for name in ["../secret", "/etc/shadow", "", "disk"] {
            fs::write(description.join("uevent"), format!("MAJOR=7\nMINOR=3\nDEVNAME={name}\n")).unwrap();
            assert!(devices.open(number).is_err(), "{name:?}");
        }
    }
}
