//! The disk with the leases of one of two volume groups fails: the other group works on, and the failed one comes back.

use anyhow::{Result, ensure};
use lvmwarden_integration::lab::cluster::Cluster;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::lock_host::{Lockd, Manager};
use lvmwarden_integration::lab::story::tell;
use std::time::Duration;

/// sanlock gives up after eight failed renewals, one a second.
const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn one_group_loses_its_leases_and_the_other_works_on() -> Result<()> {
    let cluster = Cluster::boot(Manager::Sanlock, 1)?;
    tell(&cluster.hosts[0], |guest| {
        guest.start_lockd(Lockd::Ours, Manager::Sanlock)?;
        // A disk that can be made to fail: the lower disk is then not to be seen.
        guest.sh(&format!("dmsetup create weak --table \"0 {SECTORS} linear /dev/vda 0\""))?;
        guest.sh("echo 'devices { filter=[ \"r|/dev/vda|\" ] }' >> /etc/lvm/lvm.conf")?;
        guest.sh("vgcreate --shared strong /dev/vdb")?;
        guest.sh("vgcreate --shared vg /dev/mapper/weak")?;
        guest.sh("lvcreate -L 8M -n lv vg && lvcreate -L 8M -n lv strong")?;

        reload(guest, "error")?;
        the_loss_is_noticed(guest)?;
        guest.sh("lvcreate -L 8M -n more strong && lvchange -an strong/lv && lvchange -aey strong/lv")?;

        reload(guest, "linear /dev/vda 0")?;
        guest.sh("dmsetup remove --force vg-lv && lvmlockctl --drop vg")?;
        guest.wait_until("the lockspace is gone", LIMIT, || {
            ensure!(!guest.lock_info()?.contains("lvm_vg"), "it is still there");
            ensure!(!guest.sh("sanlock client status")?.contains("lvm_vg"), "sanlock still has it");
            Ok(())
        })?;
        guest.sh("vgchange --lock-start vg")?;
        guest.sh("lvchange -aey vg/lv && lvcreate -L 8M -n more vg && vgck vg")?;
        let info = guest.lock_info()?;
        assert_eq!(info.matches("LK LV ex").count(), 4, "{info}");
        Ok(())
    })
}

/// Sectors of the disk.
const SECTORS: u64 = 1024 * 2048;

/// What is under the weak disk from now on.
fn reload(guest: &Guest, target: &str) -> Result<()> {
    let table = format!("0 {SECTORS} {target}");
    guest
        .sh(&format!(
            "dmsetup load weak --table \"{table}\" && dmsetup suspend --nolockfs weak && dmsetup resume weak"
        ))
        .map(drop)
}

fn the_loss_is_noticed(guest: &Guest) -> Result<()> {
    guest.wait_until("the group is known to have lost its leases", LIMIT, || {
        let refused = guest.run("lvcreate -L 8M -n x vg")?;
        ensure!(
            refused.stderr.contains("storage failed for sanlock leases"),
            "lvcreate said {}",
            refused.stderr
        );
        Ok(())
    })
}
