//! A host that is restarted in the middle of a pvmove: what was going on is found, finished and told.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::story::tell;
use lvmwarden_protocol::api::poll::{HistoryEntry, HistoryStep};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);
/// The disk with `/var/lib/lvmwarden`, beside the two of the VG.
const STATE_DISK: &str = "/dev/vdc";

#[test]
fn after_a_reboot_a_pvmove_is_finished_and_its_story_is_told() -> Result<()> {
    let disks = [Disk::create(256)?, Disk::create(256)?, Disk::create(32)?];
    let before = Guest::boot(&disks, &Init::Bare)?;
    let (first, checksums) = tell(&before, |guest| {
        guest.sh(&format!("mkfs.ext4 -q {STATE_DISK}"))?;
        guest.sh("vgcreate -y --physicalextentsize 1m vg /dev/vda /dev/vdb")?;
        let small = guest.make_volume("small", 4, "/dev/vda")?;
        let large = guest.make_volume("large", 64, "/dev/vda")?;
        start_service(guest)?;
        guest.slow_copying()?;
        guest.sh("pvmove -b -i 15 /dev/vda /dev/vdb")?;
        let segment = guest.wait_until("a segment is copied, and on disk", LIMIT, || {
            guest.sh("grep -q segment /var/lib/lvmwarden/*/history/journal.*")?;
            let history = guest.history()?;
            history.into_iter().find(|entry| entry.step == HistoryStep::Segment).context("no segment yet")
        })?;
        ensure!(guest.sh("dmsetup status vg-pvmove0")?.contains("mirror"), "nothing is copied any more");
        Ok((segment, [small.checksum, large.checksum]))
    })?;

    let after = before.reboot(&disks, &Init::Bare)?;

    tell(&after, |guest| {
        // Activated as at a boot, and by nobody polled.
        guest.sh("vgchange -ay --poll n vg")?;
        start_service(guest)?;
        guest.wait_until("the pvmove is finished", LIMIT, || {
            let lvs = guest.lvs()?;
            ensure!(lvs == ["large -wi-a----- linear", "small -wi-a----- linear"], "{lvs:?}");
            Ok(())
        })?;
        for (name, checksum) in ["small", "large"].into_iter().zip(&checksums) {
            let volume = Volume { guest, name: name.to_owned(), checksum: checksum.clone() };
            volume.lies_on("/dev/vdb")?;
            volume.is_intact()?;
        }
        both_lives_are_told(guest, &first)
    })
}

/// Starts the service with its state on a disk that outlives the guest.
fn start_service(guest: &Guest) -> Result<()> {
    guest.sh(&format!(
        "modprobe ext4; mkdir -p /var/lib/lvmwarden && mount -t ext4 {STATE_DISK} /var/lib/lvmwarden && \
         printf '[poll]\\nmode = \"events\"\\n' > /run/lvmwarden.toml && \
         setsid lvmwardend --config /run/lvmwarden.toml > /run/lvmwardend.log 2>&1 < /dev/null &"
    ))?;
    guest.wait_until("the service answers", LIMIT, || guest.operations()).map(drop)
}

/// The first operation has lost its end with the host; another one has finished the work.
fn both_lives_are_told(guest: &Guest, first: &HistoryEntry) -> Result<()> {
    let steps = |entries: &[HistoryEntry], is_first: bool| -> Vec<HistoryStep> {
        entries.iter().filter(|entry| (entry.id == first.id) == is_first).map(|entry| entry.step).collect()
    };
    let history = guest.wait_until("the second operation has ended", LIMIT, || {
        let history = guest.history()?;
        ensure!(steps(&history, false).contains(&HistoryStep::Ended), "{history:?}");
        Ok(history)
    })?;
    let told = steps(&history, true);
    ensure!(told.first() == Some(&HistoryStep::Intended), "{told:?}");
    ensure!(told.contains(&HistoryStep::Segment), "{told:?}");
    ensure!(told.last() == Some(&HistoryStep::HostRestarted), "{told:?}");
    ensure!(told.iter().filter(|step| **step == HistoryStep::HostRestarted).count() == 1, "{told:?}");
    let words = guest.sh(&format!("lvmwarden poll show {}", first.id))?;
    for told in ["asked for by pvmove", "(root)", "segment 1 of 2 copied", "the host was restarted"] {
        ensure!(words.contains(told), "{told} is not in:\n{words}");
    }
    let latest = guest.sh("lvmwarden poll show vg/pvmove0")?;
    ensure!(latest.contains("done"), "not finished:\n{latest}");
    Ok(())
}
