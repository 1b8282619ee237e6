//! Copies of others on real LVM: shown as they are, and left alone.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::polld::{Daemon, Polld};
use lvmwarden_integration::lab::story::story;
use lvmwarden_protocol::api::poll::{ForeignCopy, ForeignKind};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);
/// What keeps lvm from handing anything to a daemon.
const BY_ITSELF: &str = "--config global/use_lvmpolld=0";

#[test]
fn what_others_copy_is_shown_and_left_alone() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        guest.sh("modprobe -a dm-mirror dm-raid raid1")?;
        let daemon = guest.start_polld(Polld::Service)?;
        ensure!(guest.foreign()?.is_empty(), "nothing is copied");
        a_pvmove_that_polls_by_itself(guest, &daemon)?;
        a_raid(guest)?;
        daemon.stop()?;
        guest.clean_up()
    })
}

fn a_pvmove_that_polls_by_itself(guest: &Guest, daemon: &Daemon<'_>) -> Result<()> {
    let data = guest.make_volume("data", 32, "/dev/vda")?;
    guest.slow_copying()?;
    guest.sh(&format!("pvmove -b -i 1 {BY_ITSELF} /dev/vda /dev/vdb < /dev/null > /dev/null 2>&1"))?;
    let seen = only(guest, "pvmove0", ForeignKind::Pvmove)?;
    guest.wait_until("lvm agrees about the percent", LIMIT, || {
        let before = only(guest, "pvmove0", ForeignKind::Pvmove)?.percent.context("no percent")?;
        let lvs: f64 = guest.sh("lvs -a --noheadings -o copy_percent vg/pvmove0")?.parse()?;
        let after = only(guest, "pvmove0", ForeignKind::Pvmove)?.percent.context("no percent")?;
        ensure!((before..=after).contains(&lvs), "lvs says {lvs}, we said {before} and {after}");
        Ok(())
    })?;
    guest.wait_until("its speed is known", LIMIT, || {
        let copy = only(guest, "pvmove0", ForeignKind::Pvmove)?.copy.context("no progress")?;
        ensure!(copy.bytes_per_second.is_some_and(|rate| rate > 0), "{copy:?}");
        Ok(())
    })?;
    let shown = guest.sh("lvmwarden")?;
    ensure!(shown.contains("Foreign not ours, left alone\n  vg/pvmove0"), "{shown}");

    ensure!(guest.lvpoll_pids()?.is_empty() && daemon.operations()?.is_empty(), "it was touched");
    guest.fast_copying()?;
    guest.wait_until("the pvmove is over", LIMIT, || {
        ensure!(guest.foreign()?.is_empty(), "{:?}", guest.foreign());
        data.lies_on("/dev/vdb")
    })?;
    ensure!(seen.percent < Some(100.0), "{seen:?}");
    data.is_intact()
}

fn a_raid(guest: &Guest) -> Result<()> {
    let speed = |kilobytes: u32| {
        guest.sh(&format!(
            "for end in min max; do echo {kilobytes} > /proc/sys/dev/raid/speed_limit_$end; done"
        ))
    };
    speed(500)?;
    guest.sh("lvcreate -y --type raid1 -m 1 -n safe -L 32m vg")?;
    let copy = only(guest, "safe", ForeignKind::Resync)?;
    ensure!(copy.percent.is_some_and(|percent| percent < 100.0) && copy.mismatches == Some(0), "{copy:?}");
    speed(500_000)?;
    guest.wait_until("the raid is in sync", LIMIT, || {
        ensure!(guest.foreign()?.is_empty(), "{:?}", guest.foreign());
        Ok(())
    })?;
    speed(500)?;
    guest.sh("lvchange --syncaction check vg/safe")?;
    only(guest, "safe", ForeignKind::Check)?;
    let shown = guest.sh("lvmwarden poll foreign")?;
    ensure!(shown.contains("vg/safe  check"), "{shown}");
    let action = guest.sh("lvs --noheadings -o raid_sync_action vg/safe")?;
    ensure!(action == "check", "it was touched: {action}");
    speed(500_000).map(drop)
}

/// Returns the only copy that is shown, which is to be this one.
fn only(guest: &Guest, lvname: &str, kind: ForeignKind) -> Result<ForeignCopy> {
    let mut copies = guest.foreign()?;
    ensure!(copies.len() == 1, "{copies:?}");
    let copy = copies.remove(0);
    ensure!((copy.vgname.as_str(), copy.lvname.as_str(), copy.kind) == ("vg", lvname, kind), "{copy:?}");
    Ok(copy)
}
