//! Poll operations as the stock `lvm` commands see them, on real LVM: the same stories with the C daemon and with ours.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::story::{story, tell};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn the_stock_daemon_serves_pvmove() -> Result<()> {
    story(|guest| pvmove_stories(guest, Polld::Stock))
}

#[test]
fn our_daemon_serves_pvmove() -> Result<()> {
    story(|guest| pvmove_stories(guest, Polld::Ours))
}

#[test]
fn the_stock_daemon_serves_conversions_and_merges() -> Result<()> {
    story(|guest| conversion_and_merge_stories(guest, Polld::Stock))
}

#[test]
fn our_daemon_serves_conversions_and_merges() -> Result<()> {
    story(|guest| conversion_and_merge_stories(guest, Polld::Ours))
}

#[test]
fn a_merge_that_becomes_invalid_ends_with_the_stock_daemon() -> Result<()> {
    story(|guest| invalid_merge(guest, Polld::Stock))
}

#[test]
fn a_merge_that_becomes_invalid_ends_with_our_daemon() -> Result<()> {
    story(|guest| invalid_merge(guest, Polld::Ours))
}

#[test]
fn our_daemon_in_mode_events_serves_what_it_serves_otherwise() -> Result<()> {
    story(|guest| {
        pvmove_in_the_foreground(guest, Polld::OursInEvents)?;
        pvmove_aborted(guest, Polld::OursInEvents)?;
        conversion_and_merge_stories(guest, Polld::OursInEvents)?;
        invalid_merge(guest, Polld::OursInEvents)
    })
}

#[test]
fn our_daemon_serves_pvmove_beside_udevd() -> Result<()> {
    let disks = [Disk::create(256)?, Disk::create(256)?];
    tell(&Guest::boot(&disks, &Init::Udevd)?, |guest| pvmove_in_the_foreground(guest, Polld::Ours))
}

fn pvmove_stories(guest: &Guest, polld: Polld) -> Result<()> {
    pvmove_in_the_foreground(guest, polld)?;
    pvmove_in_the_background(guest, polld)?;
    pvmove_aborted(guest, polld)?;
    four_shells_ask_for_polling_at_once(guest, polld)?;
    the_daemon_answers_while_a_volume_is_suspended(guest, polld)
}

fn pvmove_in_the_foreground(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 32, "/dev/vda")?;

    guest.sh("pvmove -i 1 /dev/vda /dev/vdb")?;

    ensure!(daemon.log()?.contains("pvmove"), "the daemon was not asked");
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    assert_eq!(guest.lvs()?, ["data -wi-a----- linear"]);
    assert_eq!(daemon.operations()?, [], "the waiting command collects the result");
    daemon.stop()?;
    guest.clean_up()
}

fn pvmove_in_the_background(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 32, "/dev/vda")?;
    guest.slow_copying()?;

    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;

    let operation = daemon.operation_in_progress()?;
    assert_eq!((operation.kind.as_str(), operation.lvname.as_str()), ("pvmove", "vg/pvmove0"));
    assert_eq!(guest.lvpoll_pids()?, [operation.pid]);
    data.is_intact()?;
    guest.fast_copying()?;
    daemon.wait_until_done(&operation, LIMIT)?;
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    assert_eq!(guest.lvs()?, ["data -wi-a----- linear"]);
    daemon.stop()?;
    guest.clean_up()
}

fn pvmove_aborted(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 32, "/dev/vda")?;
    guest.slow_copying()?;
    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;
    daemon.operation_in_progress()?;

    guest.sh("pvmove --abort /dev/vda")?;

    guest.wait_until_polling_ends(LIMIT)?;
    data.lies_on("/dev/vda")?;
    data.is_intact()?;
    assert_eq!(guest.lvs()?, ["data -wi-a----- linear"]);
    daemon.stop()?;
    guest.clean_up()
}

fn four_shells_ask_for_polling_at_once(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 64, "/dev/vda")?;
    guest.slow_copying()?;
    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;
    let before = daemon.operation_in_progress()?;

    let shells = [(); 4].map(|()| guest.spawn("vgchange --poll y vg"));
    for shell in shells {
        assert_eq!(shell?.finish()?.code, 0);
    }

    let after = daemon.operation_in_progress()?;
    assert_eq!(after.init_requests_count, before.init_requests_count + 4);
    assert_eq!(guest.lvpoll_pids()?, [before.pid], "one volume, one child");
    guest.fast_copying()?;
    daemon.wait_until_done(&after, LIMIT)?;
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    daemon.stop()?;
    guest.clean_up()
}

fn the_daemon_answers_while_a_volume_is_suspended(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 64, "/dev/vda")?;
    guest.slow_copying()?;
    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;
    let operation = daemon.operation_in_progress()?;

    guest.sh("dmsetup suspend vg-pvmove0 && dmsetup suspend vg-data")?;
    // The time includes the start of the asking process, which under emulation is most of it: hence the best of five.
    let seconds = guest
        .sh("bash -c 'TIMEFORMAT=%R; for _ in 1 2 3 4 5; do time lvmpolld --dump > /dev/null; done' 2>&1")?;
    guest.sh("dmsetup resume vg-pvmove0 && dmsetup resume vg-data")?;

    let best = seconds.lines().map(str::parse::<f64>).collect::<Result<Vec<_>, _>>()?;
    ensure!(best.iter().any(|seconds| *seconds < 3.0), "answers took {best:?} s");
    guest.fast_copying()?;
    daemon.wait_until_done(&operation, LIMIT)?;
    data.is_intact()?;
    daemon.stop()?;
    guest.clean_up()
}

fn conversion_and_merge_stories(guest: &Guest, polld: Polld) -> Result<()> {
    conversion_to_a_mirror(guest, polld)?;
    merge_of_an_old_style_snapshot(guest, polld)?;
    merge_of_a_thin_snapshot(guest, polld)
}

fn conversion_to_a_mirror(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 32, "/dev/vda")?;

    let said = guest.sh("lvconvert -y --type mirror -m1 -i1 --mirrorlog core vg/data /dev/vdb")?;

    ensure!(said.contains("vg/data: Converted: "), "lvconvert said {said}");
    ensure!(daemon.log()?.contains("convert"), "the daemon was not asked");
    data.is_intact()?;
    guest.sh("lvconvert -y -m0 vg/data /dev/vda")?;
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    daemon.stop()?;
    guest.clean_up()
}

fn merge_of_an_old_style_snapshot(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    let data = guest.make_volume("data", 32, "/dev/vda")?;
    guest.sh("lvcreate -y -s -n before -L 16m vg/data")?;
    guest.sh("dd if=/dev/zero of=/dev/vg/data bs=1M count=8 oflag=direct")?;
    ensure!(data.is_intact().is_err(), "the origin was overwritten");

    let said = guest.sh("lvconvert --merge -i1 vg/before")?;

    ensure!(said.contains("vg/data: Merged: "), "lvconvert said {said}");
    ensure!(daemon.log()?.contains("merge"), "the daemon was not asked");
    data.is_intact()?;
    assert_eq!(guest.lvs()?, ["data -wi-a----- linear"]);
    assert_eq!(daemon.operations()?, []);
    daemon.stop()?;
    guest.clean_up()
}

fn merge_of_a_thin_snapshot(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    guest.sh(
        "lvcreate -y --type thin-pool -L 64m -n pool vg && lvcreate -y -V 16m --thinpool pool -n data vg",
    )?;
    let data = guest.fill("data")?;
    guest.sh("lvcreate -y -s -n before vg/data")?;
    guest.sh("dd if=/dev/zero of=/dev/vg/data bs=1M count=8 oflag=direct")?;

    let holder =
        guest.spawn("exec 9< /dev/vg/data; touch /run/held; while [ -e /run/held ]; do sleep 0.1; done")?;
    guest.wait_until("the origin is held open", LIMIT, || guest.sh("test -e /run/held"))?;
    guest.sh("lvconvert --merge vg/before")?;
    guest.sh("rm /run/held")?;
    holder.finish()?;
    guest.sh("lvchange -an vg/data && lvchange -ay vg/data")?;

    guest.wait_until_polling_ends(LIMIT)?;
    data.is_intact()?;
    ensure!(daemon.log()?.contains("merge_thin"), "the daemon was not asked");
    daemon.stop()?;
    guest.clean_up()
}

fn invalid_merge(guest: &Guest, polld: Polld) -> Result<()> {
    guest.make_vg()?;
    let daemon = guest.start_polld(polld)?;
    guest.make_volume("data", 48, "/dev/vda")?;
    guest.sh("lvcreate -y -s -n before -L 8m vg/data")?;

    let holder =
        guest.spawn("exec 9< /dev/vg/data; touch /run/held; while [ -e /run/held ]; do sleep 0.1; done")?;
    guest.wait_until("the origin is held open", LIMIT, || guest.sh("test -e /run/held"))?;
    guest.sh("lvconvert --merge vg/before")?;
    guest.sh("dd if=/dev/zero of=/dev/vg/data bs=1M count=25 oflag=direct")?;
    guest.sh("rm /run/held")?;
    holder.finish()?;
    guest.sh("lvchange -an vg/data && lvchange -ay vg/data")?;

    let operation = guest.wait_until("the merge was handed over", LIMIT, || {
        daemon.operations()?.pop().context("the daemon knows no operation")
    })?;
    let ended = daemon.wait_until_ended(&operation, LIMIT)?;
    assert_eq!((ended.kind.as_str(), ended.reason.as_str(), ended.value), ("merge", "retcode", 5));
    guest.sh("sleep 8")?;
    assert_eq!(daemon.operations()?, [ended], "an end, not a loop");
    assert_eq!(guest.lvpoll_pids()?, [0; 0]);
    assert_eq!(guest.lvs()?, ["[before] Swi-I-s--- linear", "data Owi-I-s--- linear"]);
    daemon.stop()?;
    guest.clean_up()
}
