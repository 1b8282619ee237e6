//! What an operator may do about copies on real LVM: pause, resume, limit and abort them, and mend what cannot go on.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::lvm::Volume;
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::story::story;
use lvmwarden_protocol::api::poll::{HoldKind, Operation, OperationState, Outcome, OutcomeKind};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_mins(1);
/// How long it may take from the end of a segment to our word of it, two calls of our program included.
const HELD_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take from the kernel's word to ours. A machine that is not emulated takes a tenth of it: nearly all is the
/// start of lvpoll. Less than the interval of lvpoll, 15 s, after which it would be told in any case.
const WORD_LIMIT: Duration = Duration::from_secs(12);
/// How far the kernel is with a pvmove: sectors, and regions of the segment in hand.
const KERNEL_PROGRESS: &str = "dmsetup status vg-pvmove0 | grep mirror";

#[test]
fn a_pvmove_is_paused_resumed_and_aborted_between_segments() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        guest.sh("modprobe dm-mirror")?;
        let daemon = guest.start_polld(Polld::Service)?;
        let volumes = three_volumes(guest)?;
        guest.slow_copying()?;
        guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb")?;

        let said = guest.sh("lvmwarden poll pause vg/pvmove0")?;
        ensure!(said == "vg/pvmove0: pauses when segment 1 of 3 is copied", "{said}");
        ensure!(only(guest)?.paused, "the API does not say so");
        guest.fast_copying()?;
        is_held(guest, HoldKind::Paused)?;
        let before = guest.sh(KERNEL_PROGRESS)?;
        daemon.kill()?;
        let daemon = guest.start_polld(Polld::Service)?;
        guest.wait_until("the next daemon says the same", LIMIT, || {
            let operation = only(guest)?;
            ensure!(operation.paused && operation.state == OperationState::Held, "{operation:?}");
            Ok(())
        })?;
        guest.sh("sleep 2")?;
        assert_eq!(
            guest.sh(KERNEL_PROGRESS)?,
            before,
            "the kernel copies although the API says that it is held"
        );
        assert_eq!(guest.lvpoll_pids()?, [0; 0]);

        guest.slow_copying()?;
        guest.sh("lvmwarden poll resume vg/pvmove0")?;
        let resumed = guest.wait_until("the next segment is copied", LIMIT, || {
            let operation = only(guest)?;
            let copy = operation.copy.context("no copy is seen")?;
            ensure!(operation.state == OperationState::Copying && copy.segment == 2, "{operation:?}");
            Ok(operation)
        })?;
        ensure!(!resumed.paused && resumed.hold.is_none(), "{resumed:?}");
        let running = guest.sh(KERNEL_PROGRESS)?;
        ensure!(running != before, "the kernel does not copy: {running}");

        guest.sh("lvmwarden poll abort vg/pvmove0")?;
        let outcome = outcome_of(guest, &resumed)?;
        assert_eq!(outcome.kind, OutcomeKind::Aborted, "{outcome:?}");
        guest.fast_copying()?;
        for volume in &volumes {
            volume.is_intact()?;
        }
        daemon.stop()?;
        guest.clean_up()
    })
}

#[test]
fn one_copy_goes_on_at_a_time_where_the_limit_is_one() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        guest.sh("modprobe dm-mirror")?;
        guest.configure("[poll]\nlimit_per_vg = 1")?;
        let daemon = guest.start_polld(Polld::Service)?;
        // Two on each of two disks, and so two segments for each pvmove.
        let places = [("a", "/dev/vda"), ("b", "/dev/vda"), ("c", "/dev/vdc"), ("d", "/dev/vdc")];
        let volumes = places.map(|(name, disk)| guest.make_volume(name, 8, disk));
        let volumes = volumes.into_iter().collect::<Result<Vec<_>>>()?;
        guest.slow_copying()?;
        guest.sh("for disk in /dev/vda /dev/vdc; do pvmove -b -i 1 $disk /dev/vdb; done")?;
        guest.wait_until("two are polled", LIMIT, || {
            ensure!(guest.operations()?.len() == 2, "{:?}", guest.operations());
            Ok(())
        })?;
        guest.wait_until("one goes on and one waits", LIMIT, || {
            let operations = guest.operations()?;
            let held = operations.iter().filter(|operation| {
                operation.hold.as_ref().is_some_and(|hold| hold.kind == HoldKind::VgLimit)
            });
            let in_second = operations.iter().filter(|one| one.copy.is_some_and(|copy| copy.segment == 2));
            ensure!((held.count(), in_second.count()) == (1, 1), "{operations:?}");
            Ok(())
        })?;
        guest.fast_copying()?;
        guest.wait_until_polling_ends(LIMIT)?;
        for volume in &volumes {
            volume.lies_on("/dev/vdb")?;
            volume.is_intact()?;
        }
        daemon.stop()?;
        guest.clean_up()
    })
}

#[test]
fn an_invalid_merge_is_told_with_its_remedy_and_the_remedy_helps() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        let daemon = guest.start_polld(Polld::Service)?;
        guest.make_volume("data", 48, "/dev/vda")?;
        guest.sh("lvcreate -y -s -n before -L 8m vg/data")?;
        let holder = guest
            .spawn("exec 9< /dev/vg/data; touch /run/held; while [ -e /run/held ]; do sleep 0.1; done")?;
        guest.wait_until("the origin is held open", LIMIT, || guest.sh("test -e /run/held"))?;
        guest.sh("lvconvert --merge vg/before")?;
        guest.sh("dd if=/dev/zero of=/dev/vg/data bs=1M count=25 oflag=direct")?;
        guest.sh("rm /run/held")?;
        holder.finish()?;

        // From now on the kernel says `Invalid`.
        guest.sh("lvchange -an vg/data && lvchange -ay vg/data")?;
        let (since, operation) = (Instant::now(), only(guest)?);
        let outcome = outcome_of(guest, &operation)?;
        ensure!(since.elapsed() < WORD_LIMIT, "it was told after {:?}", since.elapsed());

        assert_eq!(outcome.kind, OutcomeKind::Invalid, "{outcome:?}");
        ensure!(outcome.cause.as_ref().is_some_and(|cause| cause.contains("Invalid")), "{outcome:?}");
        let remedy = outcome.remedy.context("no remedy is told")?;
        ensure!(remedy.contains("lvremove vg/SNAPSHOT"), "{remedy}");
        let shown = guest.sh("lvmwarden poll list")?;
        ensure!(shown.contains("vg/data: invalid: ") && shown.contains(&remedy), "{shown}");
        guest.sh("sleep 3")?;
        assert_eq!(guest.lvpoll_pids()?, [0; 0]);
        let starts = daemon.log()?.lines().filter(|line| line.contains("lvpoll runs")).count();
        assert_eq!(starts, 1, "an end, not a loop");

        guest.sh("lvremove -y vg/before")?;
        assert_eq!(guest.lvs()?, ["data -wi-a----- linear"]);
        daemon.stop()?;
        guest.clean_up()
    })
}

fn three_volumes(guest: &Guest) -> Result<Vec<Volume<'_>>> {
    ["one", "two", "three"].into_iter().map(|name| guest.make_volume(name, 8, "/dev/vda")).collect()
}

/// Returns the only operation, which need not have ended.
fn only(guest: &Guest) -> Result<Operation> {
    guest.wait_until("there is one operation", LIMIT, || {
        let mut operations = guest.operations()?;
        operations.retain(|operation| !operation.abort);
        ensure!(operations.len() == 1, "{operations:?}");
        Ok(operations.remove(0))
    })
}

/// Waits until the operation is held at the end of its segment, which the API is to say within a second of the kernel.
fn is_held(guest: &Guest, kind: HoldKind) -> Result<()> {
    guest.wait_until("the segment is copied", LIMIT, || {
        let status = guest.sh(KERNEL_PROGRESS)?;
        let ratio = status.split_whitespace().find_map(|word| word.split_once('/'));
        let (in_sync, regions) = ratio.with_context(|| status.clone())?;
        ensure!(in_sync == regions, "{status}");
        Ok(())
    })?;
    let since = Instant::now();
    guest
        .wait_until("it is held", HELD_LIMIT, || {
            let operation = only(guest)?;
            let hold = operation.hold.as_ref().with_context(|| format!("{operation:?}"))?;
            ensure!(operation.state == OperationState::Held && hold.kind == kind, "{operation:?}");
            Ok(())
        })
        .with_context(|| format!("{:?} after the kernel", since.elapsed()))
}

/// Waits for the end of an operation and returns what became of it.
fn outcome_of(guest: &Guest, operation: &Operation) -> Result<Outcome> {
    guest.wait_until("it has ended", LIMIT, || {
        let listed = guest.operations()?.into_iter().find(|listed| listed.id == operation.id);
        let ended = listed.and_then(|listed| listed.outcome).with_context(|| "it goes on".to_owned())?;
        Ok(ended)
    })
}
