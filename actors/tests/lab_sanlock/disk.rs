//! The disk with leases, read as bytes: what any other host, with any other lock daemon, finds there.
//!
//! Source: sanlock 3.8.5, on-disk format of delta leases 3.4 and paxos leases 6.4.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

const MIB: u64 = 1024 * 1024;
pub(crate) const SECTOR_BYTES: usize = 512;
pub(crate) const LOCKSPACE_MAGIC: u32 = 0x1221_2010;
pub(crate) const LEASE_MAGIC: u32 = 0x0615_2010;

/// A file that stands for the disk.
pub(crate) struct Disk(PathBuf);

/// The first sector of a lease.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) magic: u32,
    pub(crate) sector_bytes: u32,
    pub(crate) lockspace: String,
    pub(crate) name: String,
}

impl Disk {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes room for so many leases; new room is zeros.
    pub(crate) fn resize(&self, leases: u64) {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.0)
            .unwrap()
            .set_len(leases * MIB)
            .unwrap();
    }

    /// Reads lease number `index`.
    pub(crate) fn lease(&self, index: u64) -> Lease {
        let sector = self.sector(index, 0);
        let number = |at: usize| u32::from_le_bytes(sector[at..at + 4].try_into().unwrap());
        let name = |at: usize| {
            let field = &sector[at..at + 48];
            String::from_utf8(field.iter().copied().take_while(|byte| *byte != 0).collect()).unwrap()
        };
        Lease { magic: number(0), sector_bytes: number(12), lockspace: name(56), name: name(104) }
    }

    /// Reads a sector of lease number `index`.
    pub(crate) fn sector(&self, index: u64, sector: u64) -> [u8; SECTOR_BYTES] {
        let mut bytes = [0; SECTOR_BYTES];
        let at = index * MIB + sector * 512;
        File::open(&self.0).unwrap().read_exact_at(&mut bytes, at).unwrap();
        bytes
    }

    /// Returns the names of the leases from `first` to the end.
    pub(crate) fn names_from(&self, first: u64) -> Vec<String> {
        let leases = std::fs::metadata(&self.0).unwrap().len() / MIB;
        (first..leases).map(|index| self.lease(index).name).collect()
    }

    /// Overwrites lease number `index` with zeros.
    pub(crate) fn destroy(&self, index: u64) {
        let zeros = vec![0; usize::try_from(MIB).unwrap()];
        File::options().write(true).open(&self.0).unwrap().write_all_at(&zeros, index * MIB).unwrap();
    }
}
