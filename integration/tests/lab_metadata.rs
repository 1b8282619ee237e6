//! The metadata role beside real LVM: whatever lvm commands do, and whatever becomes of disks, the cache says what lvm reports.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::dice::Dice;
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::reports::Reported;
use lvmwarden_integration::lab::story::tell;
use std::env;
use std::time::Duration;

/// Within so long the cache follows: 2 s on a host; a guest is emulated, beside others.
const LIMIT: Duration = Duration::from_secs(6);
/// How many random changes are made, unless the environment says otherwise.
const CHANGES: u32 = 40;
const CHANGES_VARIABLE: &str = "LVMWARDEN_LAB_CHANGES";
const CONFIGURATION: &str = "[service]\nroles = [\"poll\", \"metadata\"]\n";

#[test]
fn the_cache_says_what_lvm_reports_after_every_change() -> Result<()> {
    let disks = (0..6).map(|_| Disk::create(128)).collect::<Result<Vec<_>>>()?;
    tell(&Guest::boot(&disks, &Init::Udevd)?, |guest| {
        guest.sh("vgcreate -qq one /dev/vda /dev/vdb /dev/vdc && vgcreate -qq two /dev/vdd /dev/vde && pvcreate -qq /dev/vdf")?;
        let service = guest.start_service(CONFIGURATION)?;
        random_changes(guest)?;
        // What a command does while no daemon runs is found at the next start.
        service.kill()?;
        guest.sh("vgchange -qq --addtag unseen $(vgs --noheadings -o vg_name | head -n 1)")?;
        let service = guest.start_service(CONFIGURATION)?;
        guest.cache_is_right(LIMIT)?;
        service.stop()
    })
}

#[test]
fn disks_that_go_come_back_old_or_twice_are_told() -> Result<()> {
    let disks = (0..5).map(|_| Disk::create(64)).collect::<Result<Vec<_>>>()?;
    tell(&Guest::boot(&disks, &Init::Udevd)?, |guest| {
        guest
            .sh("vgcreate -qq vg /dev/vda /dev/vdb /dev/vdc && lvcreate -qqy -Wn -Zn -i 3 -L 24M -n lv vg")?;
        let service = guest.start_service(CONFIGURATION)?;
        guest.cache_is_right(LIMIT)?;
        a_disk_goes_and_comes_back(guest)?;
        an_old_copy_comes_back(guest)?;
        a_disk_is_there_twice(guest)?;
        service.stop()
    })
}

fn random_changes(guest: &Guest) -> Result<()> {
    let changes = env::var(CHANGES_VARIABLE).map_or(Ok(CHANGES), |changes| changes.parse())?;
    let mut author = Author { dice: Dice::new(7), named: 0 };
    let mut done = 0;
    let mut reported = guest.cache_is_right(LIMIT)?;
    while done < changes {
        let Some(change) = author.change(&reported) else { continue };
        // A change that lvm refuses is none; the cache is right after it all the same.
        done += u32::from(guest.run(&change)?.code == 0);
        reported = guest.cache_is_right(LIMIT).with_context(|| format!("after `{change}`"))?;
    }
    Ok(())
}

/// Thinks out changes of what is there.
struct Author {
    dice: Dice,
    named: u32,
}

impl Author {
    /// Returns a command; `None`: what was thought of is not there.
    fn change(&mut self, now: &Reported) -> Option<String> {
        let vgs: Vec<&String> = now.lvs.keys().collect();
        let vg = *self.dice.pick(&vgs)?;
        let new = self.name();
        match self.dice.roll(9) {
            0 | 1 => Some(self.creation(vg, &new)),
            2 => self.change_of_vg(now, vg, &new),
            3 => self.change_of_pv(now, vg, &new),
            _ => {
                let lv = self.dice.pick(&now.lvs[vg])?.clone();
                Some(self.change_of_lv(&format!("{vg}/{lv}"), vg, &new))
            }
        }
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("n{}", self.named)
    }

    fn creation(&mut self, vg: &str, new: &str) -> String {
        let create = "lvcreate -qqy -Wn -Zn";
        match self.dice.roll(6) {
            0 => format!("{create} -i 2 -L 8M -n {new} {vg}"),
            1 => format!("{create} --type raid1 -m 1 --nosync -L 8M -n {new} {vg}"),
            2 => format!("lvcreate -qqy -L 16M -T {vg}/{new}"),
            3 => format!("{create} -an -L 12M -n {new} {vg}"),
            _ => format!("{create} -L 8M -n {new} {vg}"),
        }
    }

    fn change_of_lv(&mut self, lv: &str, vg: &str, new: &str) -> String {
        match self.dice.roll(11) {
            0 | 1 => format!("lvextend -qqy -L +4M {lv}"),
            2 => format!("lvreduce -qqf -L -4M {lv}"),
            3 => format!("lvrename -qq {lv} {vg}/{new}"),
            4 => format!("lvchange -qq --addtag t{} {lv}", self.dice.roll(3)),
            5 => format!("lvchange -qq --deltag t0 {lv}"),
            6 => format!("lvremove -qqf {lv}"),
            7 => format!("lvchange -qq -an {lv}"),
            8 => format!("lvchange -qq -ay {lv}"),
            9 => format!("lvcreate -qqy -s -L 4M -n {new} {lv}"),
            _ => format!("lvcreate -qqy -V 24M -T {lv} -n {new}"),
        }
    }

    fn change_of_vg(&mut self, now: &Reported, vg: &str, new: &str) -> Option<String> {
        let others: Vec<&String> = now.lvs.keys().filter(|other| *other != vg).collect();
        Some(match self.dice.roll(5) {
            0 => format!("vgrename -qq {vg} {new}"),
            1 => format!("vgchange -qq --addtag t{} {vg}", self.dice.roll(3)),
            2 => format!("vgchange -qq --deltag t0 {vg}"),
            3 => {
                // Both are to have nothing active.
                let other = self.dice.pick(&others)?;
                format!("vgchange -qq -an {other} && vgmerge -qq {vg} {other}")
            }
            _ => {
                let (device, ..) = now.pvs.iter().find(|(_, of, is_empty)| of == vg && *is_empty)?;
                format!("vgsplit -qq {vg} {new} {device}")
            }
        })
    }

    fn change_of_pv(&mut self, now: &Reported, vg: &str, _new: &str) -> Option<String> {
        let of_vg: Vec<_> = now.pvs.iter().filter(|(_, of, _)| of == vg).collect();
        let (device, _, is_empty) = *self.dice.pick(&of_vg)?;
        let orphan = now.pvs.iter().find(|(_, of, _)| of.is_empty());
        Some(match (self.dice.roll(4), orphan) {
            (0, _) => format!("pvchange -qq --addtag p{} {device}", self.dice.roll(2)),
            (1, Some((orphan, ..))) => format!("vgextend -qq {vg} {orphan}"),
            (2, _) if *is_empty => format!("vgreduce -qq {vg} {device}"),
            _ => format!("pvmove -qq -i 1 {device}"),
        })
    }
}

fn has_problem(guest: &Guest, kind: &str) -> Result<()> {
    guest.wait_until(kind, LIMIT, || {
        let problems = guest.sh("lvmwarden --json metadata problems")?;
        ensure!(problems.contains(&format!("\"{kind}\"")), "it says {problems}");
        Ok(())
    })
}

fn a_disk_goes_and_comes_back(guest: &Guest) -> Result<()> {
    guest.sh("vgchange -qq -an vg")?;
    guest.sh("realpath /sys/block/vdb/device/.. > /run/gone; echo 1 > $(cat /run/gone)/remove")?;
    guest.cache_is_right(LIMIT).context("without a disk")?;
    has_problem(guest, "missing_pv")?;
    let waited = guest.run("lvmwarden metadata wait vg --timeout 1s")?;
    ensure!(waited.code == 5, "it says that the VG is complete: {}", waited.stdout);
    let waiting = guest.spawn("lvmwarden metadata wait vg --timeout 60s")?;
    guest.sh("echo 1 > /sys/bus/pci/rescan")?;
    let waited = waiting.finish()?;
    ensure!(waited.code == 0, "it was not told that the VG is complete: {}", waited.stderr);
    guest.cache_is_right(LIMIT).context("with the disk again").map(drop)
}

fn an_old_copy_comes_back(guest: &Guest) -> Result<()> {
    guest.sh("dd if=/dev/vdc of=/run/old bs=1M count=1 iflag=direct status=none")?;
    guest.sh("vgchange -qq --addtag newer vg")?;
    guest.cache_is_right(LIMIT)?;
    guest.sh("dd if=/run/old of=/dev/vdc bs=1M count=1 oflag=direct status=none")?;
    has_problem(guest, "old_copy")?;
    guest.cache_is_right(LIMIT).context("with an old copy")?;
    guest.sh("vgchange -qq --addtag repaired vg")?;
    guest.cache_is_right(LIMIT).context("with the old copy repaired").map(drop)
}

fn a_disk_is_there_twice(guest: &Guest) -> Result<()> {
    guest.sh("dd if=/dev/vda of=/dev/vde bs=1M count=1 oflag=direct status=none")?;
    has_problem(guest, "duplicate_pv")?;
    guest.sh("wipefs -qa /dev/vde")?;
    guest.cache_is_right(LIMIT).context("without the copy").map(drop)
}
