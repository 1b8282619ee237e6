//! The Debian package on a host with systemd: it takes over from the C daemon, serves through everything that systemd and
//! apt do to a service, and gives back what it took.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::package;
use lvmwarden_integration::lab::story::tell;
use lvmwarden_protocol::api::poll::HistoryStep::{Adopted, Ended, Intended, Recovered, Retried, Started};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);
const STOCK_UNITS: [&str; 2] = ["lvm2-lvmpolld.socket", "lvm2-lvmpolld.service"];
const ANALYSIS: &str = include_str!("../../docs/systemd-analyze.md");

#[test]
fn a_pvmove_outlives_restarts_kills_and_an_upgrade_of_the_service() -> Result<()> {
    story(|guest| {
        guest.install(1)?;
        guest.sh("systemctl stop lvmwardend.service")?;
        let (data, child) = slow_pvmove(guest)?;
        assert_eq!(guest.unit("lvmwardend.service")?, "enabled active", "the stock pvmove started it");
        is_polled_by(guest, child)?;

        guest.sh("lvmwarden poll throttle --mirror 1")?;
        assert_eq!(guest.mirror_throttle()?, 1, "the unit lets the service turn it");

        guest.sh("systemctl restart lvmwardend.service")?;
        is_polled_by(guest, child)?;
        assert_eq!(guest.mirror_throttle()?, 0, "an orderly end gives it back");

        guest.sh("systemctl kill --kill-whom=main --signal=KILL lvmwardend.service")?;
        is_polled_by(guest, child)?;

        guest.install(2)?;
        ensure!(guest.sh("dpkg-query -W -f '${Version}' lvmwarden")?.ends_with("-2"), "not upgraded");
        is_polled_by(guest, child)?;

        // Without --kill-whom, systemctl kills the children as well.
        guest.sh("systemctl kill --signal=KILL lvmwardend.service")?;
        let another = guest.wait_until("another lvpoll runs", LIMIT, || {
            let pids = guest.lvpoll_pids()?;
            pids.iter().copied().find(|pid| *pid != child).with_context(|| format!("lvpoll runs as {pids:?}"))
        })?;
        is_polled_by(guest, another)?;

        guest.sh("lvmwarden")?;
        finishes(guest, &data)?;
        the_history_tells_it(guest, child, another)
    })
}

#[test]
fn the_package_takes_over_and_gives_back() -> Result<()> {
    story(|guest| {
        let (data, child) = slow_pvmove(guest)?;
        let before = STOCK_UNITS.map(|unit| guest.unit(unit));
        let before = before.into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(before, ["enabled active", "static active"], "the C daemon polls");

        guest.install(1)?;

        is_polled_by(guest, child).context("the C daemon's child was not adopted")?;
        guest.sh("lvmwarden doctor")?;
        finishes(guest, &data)?;
        the_analysis_is_as_documented(guest)?;
        an_upgrade_of_lvm2_changes_nothing(guest)?;

        guest.sh("apt-get purge -qq -y lvmwarden")?;

        let after = STOCK_UNITS.map(|unit| guest.unit(unit));
        assert_eq!(after.into_iter().collect::<Result<Vec<_>>>()?, before);
        nothing_is_left(guest)?;
        the_c_daemon_moves_it_back(guest, &data)
    })
}

/// Runs `story` on a Debian host as it comes, with two revisions of our package lying ready.
fn story(story: impl FnOnce(&Guest) -> Result<()>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let packages = vec![package::make(folder.path(), 1)?, package::make(folder.path(), 2)?];
    let disks = [Disk::create(512)?, Disk::create(512)?];
    tell(&Guest::boot(&disks, &Init::Systemd { packages })?, story)
}

/// Starts a pvmove in the background that takes two minutes and more unless copying is made fast, and returns its lvpoll.
fn slow_pvmove(guest: &Guest) -> Result<(Volume<'_>, i32)> {
    guest.make_vg()?;
    // So that there is an lvpoll to be taken over.
    guest.configure("[poll]\nmode = \"classic\"\nreconcile = \"off\"")?;
    let data = guest.make_volume("data", 64, "/dev/vda")?;
    guest.sh("lvcreate -y -n ballast -L 300m vg /dev/vda")?;
    guest.throttle_mirrors(0)?;
    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;
    let child = guest.wait_until("lvpoll runs", LIMIT, || {
        guest.lvpoll_pids()?.first().copied().context("no lvpoll runs")
    })?;
    Ok((data, child))
}

/// Fails unless the service comes to say that exactly this lvpoll polls, and that is the only one that runs.
fn is_polled_by(guest: &Guest, child: i32) -> Result<()> {
    guest.wait_until("the service polls with that lvpoll", LIMIT, || {
        let operations = guest.operations()?;
        let pids: Vec<_> = operations.iter().map(|operation| operation.pid).collect();
        ensure!(pids == [u32::try_from(child).ok()], "the service says {operations:?}");
        Ok(())
    })?;
    assert_eq!(guest.lvpoll_pids()?, [child]);
    Ok(())
}

fn finishes(guest: &Guest, data: &Volume) -> Result<()> {
    data.is_intact()?;
    guest.throttle_mirrors(100)?;
    guest.wait_until_polling_ends(LIMIT)?;
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    assert_eq!(guest.lvs()?, ["ballast -wi-a----- linear", "data -wi-a----- linear"]);
    assert_eq!(guest.lvpoll_pids()?, [0; 0]);
    Ok(())
}

fn the_history_tells_it(guest: &Guest, child: i32, another: i32) -> Result<()> {
    guest.sh("lvmwarden poll wait --timeout 60 vg/pvmove0")?;
    let history = guest.history()?;
    let told = history.iter().map(|entry| entry.step);
    let (recoveries, steps): (Vec<_>, Vec<_>) = told.partition(|step| *step == Recovered);
    // Once for each daemon after the first: a restart, a kill, an upgrade, another kill.
    assert_eq!(recoveries.len(), 4);
    assert_eq!(steps, [Intended, Started, Adopted, Adopted, Adopted, Retried, Started, Ended]);
    let pids: Vec<_> = history.iter().filter_map(|entry| entry.pid).map(u32::cast_signed).collect();
    assert_eq!(pids, [child, child, child, child, child, another]);
    Ok(())
}

fn the_analysis_is_as_documented(guest: &Guest) -> Result<()> {
    let security = guest.sh("systemd-analyze security --no-pager lvmwardend.service | tail -n 1")?;
    let units = "lvmwardend.service lvmwardend.socket lvmwardend-lvmpolld.socket lvmwardend-lvmetad.socket \
                 lvmwarden-wait@vg0.service";
    let remarks = guest.sh(&format!("systemd-analyze verify --man=no {units} 2>&1"))?;
    for line in remarks.lines().map(without_line_number).chain([security]) {
        ensure!(ANALYSIS.contains(&line), "docs/systemd-analyze.md does not have: {line}");
    }
    Ok(())
}

/// Returns `FILE:LINE: REMARK` as `FILE: REMARK`.
fn without_line_number(remark: &str) -> String {
    let Some((file, rest)) = remark.split_once(".service:") else { return remark.to_owned() };
    let rest = rest.trim_start_matches(|char: char| char.is_ascii_digit());
    format!("{file}.service{rest}")
}

/// Runs what an upgrade of lvm2 runs, which enables and restarts its own socket.
fn an_upgrade_of_lvm2_changes_nothing(guest: &Guest) -> Result<()> {
    guest.sh("DPKG_MAINTSCRIPT_PACKAGE=lvm2 DPKG_MAINTSCRIPT_NAME=postinst \
         sh -e /var/lib/dpkg/info/lvm2.postinst configure 2.03.16-2")?;
    for unit in STOCK_UNITS {
        assert_eq!(guest.unit(unit)?, "masked inactive", "{unit}");
    }
    guest.sh("lvmwarden doctor").map(drop)
}

fn nothing_is_left(guest: &Guest) -> Result<()> {
    let left = guest.sh(
        "find /etc /run/lvmwarden /usr/bin /usr/sbin /usr/lib/systemd /usr/lib/sysusers.d /usr/lib/tmpfiles.d \
         /usr/share/doc /usr/share/man /var/lib/dpkg/info /var/lib/lvmwarden /var/lib/systemd \
         -name '*lvmwarden*' -not -name 'lvmwarden-lab*' 2> /dev/null || true",
    )?;
    ensure!(left.is_empty(), "left after the purge:\n{left}");
    Ok(())
}

fn the_c_daemon_moves_it_back(guest: &Guest, data: &Volume) -> Result<()> {
    guest.throttle_mirrors(0)?;
    guest.sh("pvmove -b -i 1 /dev/vdb /dev/vda")?;
    guest.wait_until("a child of the C daemon polls", LIMIT, || {
        guest.sh("pgrep -f lvpoll -P $(pgrep -x lvmpolld)").map(drop)
    })?;
    guest.throttle_mirrors(100)?;
    guest.wait_until_polling_ends(LIMIT)?;
    data.lies_on("/dev/vda")?;
    data.is_intact()
}
