//! Mode events on real LVM: the daemon watches the kernel, and lvpoll runs only when it has something to do.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::story::story;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_mins(1);
/// How many segments a pvmove has here: one for each volume.
const SEGMENTS: usize = 6;
/// How long lvpoll sleeps between its looks.
const INTERVAL_SECONDS: u32 = 3;

#[test]
fn a_pvmove_of_many_segments_does_not_wait_for_the_clock() -> Result<()> {
    story(|guest| {
        let stock = move_many(guest, Polld::Stock)?;
        let ours = move_many(guest, Polld::OursInEvents)?;
        println!("{SEGMENTS} segments, interval {INTERVAL_SECONDS} s: stock {stock:?}, ours {ours:?}");
        ensure!(ours * 2 < stock, "stock took {stock:?}, ours {ours:?}");
        Ok(())
    })
}

/// Returns how long the daemon was busy with a pvmove of [`SEGMENTS`] volumes.
fn move_many(guest: &Guest, polld: Polld) -> Result<Duration> {
    guest.make_vg()?;
    guest.fast_copying()?;
    let names: Vec<_> = (0..SEGMENTS).map(|number| format!("data{number}")).collect();
    let volumes: Vec<_> =
        names.iter().map(|name| guest.make_volume(name, 8, "/dev/vda")).collect::<Result<_>>()?;
    let daemon = guest.start_polld(polld)?;
    let begin = Instant::now();
    guest.sh(&format!("pvmove -b -i {INTERVAL_SECONDS} /dev/vda /dev/vdb"))?;
    let operation = guest.wait_until("the pvmove was handed over", LIMIT, || {
        daemon.operations()?.pop().context("the daemon knows no operation")
    })?;
    daemon.wait_until_done(&operation, LIMIT)?;
    let took = begin.elapsed();
    for volume in &volumes {
        volume.lies_on("/dev/vdb")?;
        volume.is_intact()?;
    }
    if polld == Polld::OursInEvents {
        let log = daemon.log()?;
        let started = log.lines().filter(|line| line.contains("lvpoll runs")).count();
        ensure!(started <= SEGMENTS + 2, "{started} processes for {SEGMENTS} segments");
    }
    daemon.stop()?;
    guest.clean_up()?;
    Ok(took)
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
