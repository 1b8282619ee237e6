//! Operations that nobody polls, on real LVM: the service finds them in the metadata, finishes them, and leaves alone what an
//! lvm command polls by itself. And throttling, which outlives the daemon.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::service::Service;
use lvmwarden_integration::lab::story::story;
use lvmwarden_protocol::api::poll::{Operation, Standing, UnfinishedLv};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn what_nobody_polls_is_found_and_finished() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        let (moved, merged) = two_that_nobody_polls(guest)?;

        let service = guest.start_service("[poll]\nreconcile = \"report\"\n")?;
        let found = guest.reconcile("")?;
        assert_eq!(standings(&found), [("orig", Standing::Reported), ("pvmove0", Standing::Reported)]);
        assert_eq!(guest.lvpoll_pids()?, [0; 0], "it only reports");
        service.kill()?;

        let service = guest.start_service("")?;
        guest.wait_until("both are polled", LIMIT, || {
            let operations = guest.operations()?;
            ensure!(operations.len() == 2, "polled: {operations:?}");
            Ok(())
        })?;
        moved.is_intact()?;
        vgchange_joins(guest)?;
        guest.fast_copying()?;
        is_over(guest)?;
        moved.lies_on("/dev/vdb")?;
        moved.is_intact()?;
        merged.is_intact()?;

        // The throttle alone is no promise that a copy lasts.
        guest.slow_copying()?;
        guest.sh("lvmwarden poll throttle --mirror 0")?;
        assert_eq!(guest.mirror_throttle()?, 0);
        what_a_command_polls_by_itself_is_left_alone(guest)?;
        let service = a_crash_keeps_the_throttle(guest, service)?;
        guest.fast_copying()?;
        guest.sh("lvmwarden poll throttle --off")?;
        assert_eq!(guest.mirror_throttle()?, 100);
        is_over(guest)?;
        moved.lies_on("/dev/vda")?;
        moved.is_intact()?;
        service.stop()?;
        guest.clean_up()
    })
}

/// Starts a pvmove and a merge, and kills everybody who polls them.
fn two_that_nobody_polls(guest: &Guest) -> Result<(Volume<'_>, Volume<'_>)> {
    let _daemon = guest.start_polld(Polld::Stock)?;
    let moved = guest.make_volume("moved", 64, "/dev/vda")?;
    let merged = guest.make_volume("orig", 48, "/dev/vdc")?;
    guest.sh("lvcreate -y -s -n before -L 56m vg/orig /dev/vdc")?;
    guest.sh("dd if=/dev/zero of=/dev/vg/orig bs=1M count=44 oflag=direct")?;
    guest.slow_copying()?;
    guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb && lvconvert -b --merge -i 1 vg/before")?;
    guest.sh("pkill -9 -x lvmpolld; pkill -9 -x lvm")?;
    ensure!(guest.lvs()?.iter().any(|lv| lv.contains("[pvmove0]")), "the pvmove is over");
    Ok((moved, merged))
}

fn vgchange_joins(guest: &Guest) -> Result<()> {
    let before = in_progress(guest)?;
    guest.sh("vgchange --poll y vg")?;
    let after = in_progress(guest)?;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.id, before.init_requests + 1), (after.id, after.init_requests));
    }
    assert_eq!(before.len(), after.len());
    Ok(())
}

fn what_a_command_polls_by_itself_is_left_alone(guest: &Guest) -> Result<()> {
    guest.sh("pvmove -b -i 1 --config global/use_lvmpolld=0 /dev/vdb /dev/vda")?;
    let found = guest.reconcile("")?;
    assert_eq!(standings(&found), [("pvmove0", Standing::Foreign)]);
    assert_eq!(in_progress(guest)?, []);

    // From now on nobody polls it, and the service sees that without being asked.
    let stranger = found[0].pid.context("a process has a pid")?;
    guest.sh(&format!("kill -9 {stranger}"))?;
    guest.wait_until("it is polled", LIMIT, || {
        let operations = in_progress(guest)?;
        ensure!(operations.len() == 1, "in progress: {operations:?}");
        Ok(())
    })
}

fn a_crash_keeps_the_throttle<'guest>(guest: &'guest Guest, service: Service) -> Result<Service<'guest>> {
    service.kill()?;
    assert_eq!(guest.mirror_throttle()?, 0);
    let service = guest.start_service("")?;
    let shown = guest.sh("lvmwarden --json poll throttle")?;
    let knob = r#""original_percent":100,"#;
    ensure!(shown.contains(knob) && shown.contains(r#""wanted_percent":0"#), "the service says {shown}");
    ensure!(!in_progress(guest)?.is_empty(), "the pvmove is over");
    assert_eq!(guest.mirror_throttle()?, 0);
    Ok(service)
}

fn standings(found: &[UnfinishedLv]) -> Vec<(&str, Standing)> {
    found.iter().map(|lv| (lv.lvname.as_str(), lv.standing)).collect()
}

fn in_progress(guest: &Guest) -> Result<Vec<Operation>> {
    let mut operations = guest.operations()?;
    operations.retain(|operation| operation.outcome.is_none());
    Ok(operations)
}

/// Waits until the metadata shows nothing that is under way.
fn is_over(guest: &Guest) -> Result<()> {
    guest.wait_until("all is over", LIMIT, || {
        let lvs = guest.lvs()?;
        ensure!(lvs == ["moved -wi-a----- linear", "orig -wi-a----- linear"], "lvs says {lvs:?}");
        let operations = in_progress(guest)?;
        ensure!(operations.is_empty(), "in progress: {operations:?}");
        Ok(())
    })
}
