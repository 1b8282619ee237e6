//! Mode events on real LVM: the daemon watches the kernel, and lvpoll runs only when it has something to do.

use anyhow::{Result, ensure};
use lvmwarden_integration::lab::compare::Workload;
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::story::{story, tell};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);
/// How many segments a pvmove has here: one for each volume.
const SEGMENTS: u32 = 6;
/// What our daemon's log says first of an operation.
const BEGINS: &str = "poll operation begins";

#[test]
fn a_pvmove_of_many_segments_takes_a_quarter_of_what_lvmpolld_takes() -> Result<()> {
    let disks = [Disk::create(256)?, Disk::create(256)?];
    tell(&Guest::boot(&disks, &Init::Even)?, |guest| {
        let work = Workload { volumes: SEGMENTS, volume_mib: 8, interval_seconds: 5, slow_seconds: 0 };
        work.make(guest, "/dev/vda")?;
        let data = guest.fill("data0")?;
        let theirs = work.measure(guest, Polld::Stock, "/dev/vda", "/dev/vdb")?;
        let ours = work.measure(guest, Polld::OursInEvents, "/dev/vdb", "/dev/vda")?;

        ensure!(ours.took * 4 <= theirs.took, "{ours:?}, {theirs:?}");
        ensure!(ours.started <= SEGMENTS + 2, "{ours:?} for {SEGMENTS} segments");
        data.lies_on("/dev/vda")?;
        data.is_intact()?;
        guest.clean_up()
    })
}

#[test]
fn no_child_waits_while_the_kernel_copies() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        let daemon = guest.start_polld(Polld::OursInEvents)?;
        let data = guest.make_volume("data", 32, "/dev/vda")?;
        guest.slow_copying()?;
        guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;
        let operation = daemon.operation_in_progress()?;

        for _ in 0..10 {
            assert_eq!(guest.lvpoll_pids()?, [0; 0], "the kernel copies, and nobody has anything to do");
            guest.sh("sleep 0.3")?;
        }

        guest.fast_copying()?;
        daemon.wait_until_done(&operation, LIMIT)?;
        data.lies_on("/dev/vdb")?;
        data.is_intact()?;
        daemon.stop()?;
        guest.clean_up()
    })
}

#[test]
fn a_pvmove_lives_through_ten_kills() -> Result<()> {
    story(|guest| {
        let data = prepare(guest)?;
        lives_through_ten_kills(guest, "pvmove -b -i 1 /dev/vda /dev/vdb")?;
        data.lies_on("/dev/vdb")?;
        data.is_intact()?;
        guest.clean_up()
    })
}

#[test]
fn a_merge_lives_through_ten_kills() -> Result<()> {
    story(|guest| {
        let data = prepare(guest)?;
        guest.sh("lvcreate -y -s -n before -L 48m vg/data")?;
        guest.sh("dd if=/dev/zero of=/dev/vg/data bs=1M count=24 oflag=direct")?;
        lives_through_ten_kills(guest, "lvconvert --merge -b -i1 vg/before")?;
        data.is_intact()?;
        assert_eq!(guest.lvs()?, ["data -wi-a----- linear"]);
        guest.clean_up()
    })
}

#[test]
fn a_conversion_lives_through_ten_kills() -> Result<()> {
    story(|guest| {
        let data = prepare(guest)?;
        // The command waits for the daemon, and ends with it.
        let convert = "lvconvert -y --type mirror -m1 -i1 --mirrorlog core vg/data /dev/vdb";
        lives_through_ten_kills(guest, &format!("{convert} < /dev/null > /dev/null 2>&1 &"))?;
        ensure!(guest.lvs()?.contains(&"data mwi-a-m--- mirror".to_owned()), "{:?}", guest.lvs());
        data.is_intact()?;
        guest.sh("lvconvert -y -m0 vg/data /dev/vda")?;
        data.lies_on("/dev/vdb")?;
        data.is_intact()?;
        guest.clean_up()
    })
}

/// The merge itself takes no time: ten merges are made, and the daemon is killed at another point of each.
#[test]
fn ten_thin_merges_live_through_a_kill_each() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        guest.sh(
            "lvcreate -y --type thin-pool -L 64m -n pool vg && lvcreate -y -V 16m --thinpool pool -n data vg",
        )?;
        let data = guest.fill("data")?;
        let mut daemon = guest.start_polld(Polld::OursInEvents)?;
        for round in 0..10 {
            // An origin that is open is merged at its next activation; lvm closes what it inherits, the shell does not.
            guest.sh(
                "lvcreate -y -s -n before vg/data && dd if=/dev/zero of=/dev/vg/data bs=1M count=1 oflag=direct \
                 && (exec 9< /dev/vg/data; lvconvert --merge vg/before && true) && lvchange -an vg/data",
            )?;
            let begun = daemon.log()?.matches(BEGINS).count();
            guest.sh(&format!(
                "(lvchange -ay vg/data < /dev/null > /dev/null 2>&1 &); \
                 until [ $(grep -c '{BEGINS}' /run/polld.log) -gt {begun} ]; do sleep 0.01; done; \
                 sleep 0.{round}; kill -9 {}",
                daemon.pid
            ))?;
            daemon = guest.start_polld(Polld::OursInEvents)?;
            guest.wait_until("the snapshot is merged", LIMIT, || {
                let volumes = guest.lvs()?;
                ensure!(!volumes.iter().any(|volume| volume.contains("before")), "{volumes:?}");
                Ok(())
            })?;
            data.is_intact()?;
        }
        guest.wait_until_polling_ends(LIMIT)?;
        daemon.stop()?;
        guest.clean_up()
    })
}

fn prepare(guest: &Guest) -> Result<Volume<'_>> {
    guest.make_vg()?;
    let data = guest.make_volume("data", 32, "/dev/vda")?;
    guest.sh("modprobe -a dm-mirror dm-snapshot")?;
    guest.slow_copying()?;
    Ok(data)
}

/// Kills the daemon ten times while the kernel copies, and waits for the end of the operation.
fn lives_through_ten_kills(guest: &Guest, command: &str) -> Result<()> {
    let mut daemon = guest.start_polld(Polld::OursInEvents)?;
    guest.sh(command)?;
    let operation = daemon.operation_in_progress()?;
    for round in 0..10 {
        guest.sh(&format!("sleep 0.{round}"))?;
        if round == 8 {
            guest.fast_copying()?;
        }
        daemon.kill()?;
        daemon = guest.start_polld(Polld::OursInEvents)?;
    }
    daemon.wait_until_done(&operation, LIMIT)?;
    assert_eq!(guest.lvpoll_pids()?, [0; 0]);
    daemon.stop()
}
