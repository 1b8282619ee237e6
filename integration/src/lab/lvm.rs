//! Words for storage in a guest: volume groups, checksums, copying made slow, and nothing left behind.

use super::disks::RANDOM_MIB;
use super::guest::Guest;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// A region of a mirror, 2 MiB, is then copied within 4 s: for so long a command waits at the most that suspends it.
const SLOW_KIB_PER_SECOND: u32 = 512;
/// Where the kernel's threads are bounded.
const COPIES: &str = "/run/lab-blkio";

/// The per cent of the time for which mirrors may copy. Source: Linux 6.1, dm-mirror.
const MIRROR_THROTTLE: &str = "/sys/module/dm_mirror/parameters/raid1_resync_throttle";

impl Guest {
    /// Makes the volume group `vg` on all of the guest's disks.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn make_vg(&self) -> Result<()> {
        self.sh(&format!("vgcreate -y --physicalextentsize 1m vg {}", self.disks().join(" "))).map(drop)
    }

    /// Makes the linear volume `vg/name` of `size_mib` MiB on one disk, such as `/dev/vda`, and fills it.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn make_volume(&self, name: &str, size_mib: u32, disk: &str) -> Result<Volume<'_>> {
        self.sh(&format!("lvcreate -y -n {name} -L {size_mib}m vg {disk}"))?;
        self.fill(name)
    }

    /// Fills the volume `vg/name` with random bytes, others at each second, and remembers their checksum.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn fill(&self, name: &str) -> Result<Volume<'_>> {
        self.sh(&format!(
            "size_mib=$(($(blockdev --getsize64 /dev/vg/{name}) >> 20)); \
             dd if={} of=/dev/vg/{name} bs=1M iflag=direct oflag=direct status=none \
             count=$size_mib skip=$(($(date +%s) % ({RANDOM_MIB} - size_mib)))",
            self.random_disk()
        ))?;
        let checksum = self.checksum(name)?;
        Ok(Volume { guest: self, name: name.to_owned(), checksum })
    }

    /// Makes mirrors and snapshot merges copy slowly: 32 MiB to one disk take a minute at least, on whatever machine.
    ///
    /// Everything else stays fast: see [`Guest::copy_at_most`].
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn slow_copying(&self) -> Result<()> {
        self.copy_at_most(SLOW_KIB_PER_SECOND)
    }

    /// Lets mirrors and snapshot merges copy at full speed again.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn fast_copying(&self) -> Result<()> {
        self.copy_at_most(0)
    }

    /// Lets mirrors copy for so many per cent of the time (Linux 6.1, dm-mirror): 0 is slow, 100 is full speed.
    ///
    /// For stories in which programs wait for disks while a copy goes on, as package managers do: nothing else is slowed down.
    /// A fast machine copies a small volume at once all the same.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn throttle_mirrors(&self, percent: u32) -> Result<()> {
        self.sh(&format!("modprobe dm-mirror; echo {percent} > {MIRROR_THROTTLE}"))?;
        Ok(())
    }

    /// Bounds what the kernel itself may write to each disk, in KiB a second; 0 is no bound.
    ///
    /// The kernel's threads, which copy, are in the root of the hierarchy `blkio`, all processes are in a group without
    /// bounds (`guest_files/initramfs.sh`): what lvm writes is not slowed down. dm-mirror's and dm-snapshot's own throttles,
    /// 0 included, let a copy through at full speed whose writes take less than a tick of the kernel's clock.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn copy_at_most(&self, kib_per_second: u32) -> Result<()> {
        let bytes = u64::from(kib_per_second) << 10;
        self.sh(&format!(
            "for disk in /sys/block/vd*; do \
             echo \"$(cat $disk/dev) {bytes}\" > {COPIES}/blkio.throttle.write_bps_device || exit; done"
        ))
        .map(drop)
    }

    /// Returns the per cent of the time that the copying of mirrors may take, as the kernel has it.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn mirror_throttle(&self) -> Result<u32> {
        let percent = self.sh(&format!("cat {MIRROR_THROTTLE}"))?;
        percent.parse().with_context(|| format!("the kernel says {percent:?}"))
    }

    /// Returns a checksum of what `vg/name` holds, read from the disks rather than from memory.
    ///
    /// What is written there is written past the memory, so nothing has to be flushed, which would wait for slow copies.
    fn checksum(&self, name: &str) -> Result<String> {
        self.sh(&format!("dd if=/dev/vg/{name} iflag=nocache count=0 status=none && cksum < /dev/vg/{name}"))
    }

    /// Returns the process ids of all running `lvm lvpoll`, in ascending order.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn lvpoll_pids(&self) -> Result<Vec<i32>> {
        let listing = self.sh("pgrep -f '^(/usr)?/sbin/lvm lvpoll' || true")?;
        listing.lines().map(|pid| pid.parse().with_context(|| format!("pgrep printed {pid:?}"))).collect()
    }

    /// Waits until no `lvm lvpoll` runs any more.
    ///
    /// # Errors
    /// One still runs after `limit`.
    pub fn wait_until_polling_ends(&self, limit: Duration) -> Result<()> {
        self.wait_until("no lvpoll runs", limit, || {
            let pids = self.lvpoll_pids()?;
            ensure!(pids.is_empty(), "lvpoll runs as {pids:?}");
            Ok(())
        })
    }

    /// Returns what `lvs -a` says about `vg`: a line for each volume, name, attributes and segment type, hidden names in brackets.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn lvs(&self) -> Result<Vec<String>> {
        let listing = self.sh("lvs -a --noheadings -o lv_name,lv_attr,segtype vg")?;
        Ok(listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }

    /// Removes all volumes of `vg`, and fails when a device-mapper device or an lvm process is then left.
    ///
    /// # Errors
    /// As [`Guest::sh`], or something is left.
    pub fn clean_up(&self) -> Result<()> {
        self.fast_copying()?;
        self.sh("vgremove -ff -y vg")?;
        let devices = self.sh("dmsetup ls")?;
        ensure!(devices == "No devices found", "left in device-mapper:\n{devices}");
        let processes =
            self.sh("pgrep -a '^lvm|^pvmove|^lvconvert' | grep -v -e lvmwarden -e lvmpolld || true")?;
        ensure!(processes.is_empty(), "left running:\n{processes}");
        Ok(())
    }
}

/// A volume with known content.
#[derive(Debug)]
pub struct Volume<'guest> {
    /// Where it is.
    pub guest: &'guest Guest,
    /// Its name in `vg`.
    pub name: String,
    /// What `cksum` says of its content.
    pub checksum: String,
}

impl Volume<'_> {
    /// Fails unless the volume holds what it was filled with.
    ///
    /// # Errors
    /// It holds something else, or as [`Guest::sh`].
    pub fn is_intact(&self) -> Result<()> {
        let checksum = self.guest.checksum(&self.name)?;
        ensure!(checksum == self.checksum, "vg/{} holds {checksum}, not {}", self.name, self.checksum);
        Ok(())
    }

    /// Fails unless all of the volume lies on `disk`, such as `/dev/vdb`.
    ///
    /// # Errors
    /// Some of it lies elsewhere, or as [`Guest::sh`].
    pub fn lies_on(&self, disk: &str) -> Result<()> {
        let devices = self.guest.sh(&format!("lvs --noheadings -o devices vg/{}", self.name))?;
        let on_disk = |line: &str| line.trim().split('(').next() == Some(disk);
        ensure!(devices.lines().all(on_disk), "vg/{} lies on {devices}", self.name);
        Ok(())
    }
}
