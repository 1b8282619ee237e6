//! Crashes in the middle of real poll operations: of our daemon, of its child, of both, of the C daemon, of the host.

use anyhow::{Result, ensure};
use lvmwarden_integration::dump::Entry;
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::polld::{Daemon, Polld};
use lvmwarden_integration::lab::story::{story, tell};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_child_lives_through_ten_kills_of_the_daemon() -> Result<()> {
    story(|guest| {
        let (data, mut daemon, operation) = slow_pvmove(guest, Polld::Ours)?;

        for _ in 0..10 {
            daemon.kill()?;
            assert_eq!(guest.lvpoll_pids()?, [operation.pid], "the child lives on alone");
            daemon = guest.start_polld(Polld::Ours)?;
            let adopted = daemon.operation_in_progress()?;
            assert_eq!((&adopted.lvid, adopted.pid), (&operation.lvid, operation.pid));
        }

        assert_eq!(guest.lvpoll_pids()?, [operation.pid], "nothing was started twice");
        finishes(guest, &data, daemon, &operation)
    })
}

#[test]
fn a_killed_child_is_started_again() -> Result<()> {
    story(|guest| {
        let (data, daemon, operation) = slow_pvmove(guest, Polld::Ours)?;

        guest.sh(&format!("kill -9 {}", operation.pid))?;

        another_child_runs(guest, operation.pid)?;
        finishes(guest, &data, daemon, &operation)
    })
}

#[test]
fn daemon_and_child_killed_together_go_on_after_a_restart() -> Result<()> {
    story(|guest| {
        let (data, daemon, operation) = slow_pvmove(guest, Polld::Ours)?;

        daemon.kill()?;
        guest.sh(&format!("kill -9 {}", operation.pid))?;
        let daemon = guest.start_polld(Polld::Ours)?;

        another_child_runs(guest, operation.pid)?;
        finishes(guest, &data, daemon, &operation)
    })
}

#[test]
fn the_child_of_a_killed_c_daemon_is_adopted() -> Result<()> {
    story(|guest| {
        let (data, c_daemon, operation) = slow_pvmove(guest, Polld::Stock)?;

        c_daemon.kill()?;
        let daemon = guest.start_polld(Polld::Ours)?;

        let adopted = daemon.operation_in_progress()?;
        assert_eq!((&adopted.lvname, adopted.pid), (&operation.lvname, operation.pid));
        assert_eq!(guest.lvpoll_pids()?, [operation.pid], "nothing was started twice");
        finishes(guest, &data, daemon, &adopted)
    })
}

#[test]
fn after_a_power_cut_the_next_activation_goes_on() -> Result<()> {
    let disks = [Disk::create(256)?, Disk::create(256)?];
    let before = Guest::boot(&disks, &Init::Bare)?;
    let checksum = tell(&before, |guest| {
        let (data, ..) = slow_pvmove(guest, Polld::Ours)?;
        Ok(data.checksum)
    })?;

    drop(before);

    tell(&Guest::boot(&disks, &Init::Bare)?, |guest| {
        guest.slow_copying()?;
        let daemon = guest.start_polld(Polld::Ours)?;
        guest.sh("vgchange -ay vg")?;
        let operation = daemon.operation_in_progress()?;
        let data = Volume { guest, name: "data".to_owned(), checksum };
        finishes(guest, &data, daemon, &operation)
    })
}

/// Starts a pvmove in the background that takes a minute and more unless copying is made fast.
fn slow_pvmove(guest: &Guest, polld: Polld) -> Result<(Volume<'_>, Daemon<'_>, Entry)> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 64, "/dev/vda")?;
    // Copied behind the data, so that the move goes on for as long as a scenario may take on a busy machine.
    guest.sh("lvcreate -y -n ballast -L 160m vg /dev/vda")?;
    guest.slow_copying()?;
    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;
    let operation = daemon.operation_in_progress()?;
    Ok((data, daemon, operation))
}

fn another_child_runs(guest: &Guest, dead: i32) -> Result<()> {
    guest.wait_until("another child runs", LIMIT, || {
        let pids = guest.lvpoll_pids()?;
        ensure!(pids.len() == 1 && pids != [dead], "lvpoll runs as {pids:?}");
        Ok(())
    })
}

fn finishes(guest: &Guest, data: &Volume, daemon: Daemon, operation: &Entry) -> Result<()> {
    data.is_intact()?;
    guest.fast_copying()?;
    daemon.wait_until_done(operation, LIMIT)?;
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    assert_eq!(guest.lvs()?, ["ballast -wi-a----- linear", "data -wi-a----- linear"]);
    assert_eq!(guest.lvpoll_pids()?, [0; 0]);
    daemon.stop()?;
    guest.clean_up()
}
