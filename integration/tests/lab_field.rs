//! What administrators have reported of hosts like theirs, on real LVM: settings that only some commands have, names that
//! change, reports in another form.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::story::story;
use lvmwarden_protocol::api::poll::{HistoryStep, Outcome, OutcomeKind};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);

/// lvm.conf refuses all disks, and the command brings its own filter, as virtualisation managers do.
#[test]
fn a_pvmove_whose_disks_lvpoll_cannot_see_fails_at_once_and_says_why() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        let data = guest.make_volume("data", 64, "/dev/vda")?;
        let service = guest.start_service("")?;
        guest.sh("cp /etc/lvm/lvm.conf /run/lvm.conf; sed -i 's/devices {/& filter=[\"r|.*|\"]/' /etc/lvm/lvm.conf")?;
        let own = r#"--config 'devices { filter=["a|.*|"] }'"#;
        let command = format!("timeout 60 pvmove -i 1 {own} /dev/vda /dev/vdb");
        let moved = guest.run(&command)?;
        ensure!(moved.code == 5, "pvmove ended with {}: {}{}", moved.code, moved.stdout, moved.stderr);
        let outcome = last_outcome(guest)?;
        assert_eq!(outcome.kind, OutcomeKind::Failed);
        let (cause, remedy) = (outcome.cause.unwrap_or_default(), outcome.remedy.unwrap_or_default());
        ensure!(cause.contains("was given --config"), "the cause is {cause:?}");
        ensure!(remedy.contains("lvs -a vg"), "the remedy is {remedy:?}");
        ensure!(
            outcome.last_lines.iter().any(|line| line.contains("Can't find VG")),
            "{:?}",
            outcome.last_lines
        );

        guest.sh("cp /run/lvm.conf /etc/lvm/lvm.conf; pvmove -i 1")?;
        assert_eq!(last_outcome(guest)?.kind, OutcomeKind::Done);
        data.lies_on("/dev/vdb")?;
        data.is_intact()?;
        service.stop()?;
        guest.clean_up()
    })
}

#[test]
fn a_pvmove_goes_on_when_its_vg_is_renamed() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        let data = guest.make_volume("data", 32, "/dev/vda")?;
        let service = guest.start_service("")?;
        guest.slow_copying()?;
        guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb && vgrename vg new")?;
        guest.fast_copying()?;
        guest.wait_until("the pvmove is over", LIMIT, || {
            let lvs = guest.sh("lvs -a --noheadings -o lv_name new")?;
            ensure!(lvs == "data", "in the VG: {lvs}");
            last_outcome(guest).map(drop)
        })?;
        assert_eq!(last_outcome(guest)?.kind, OutcomeKind::Done);
        let history = guest.history()?;
        let renewed = history.iter().find(|entry| entry.step == HistoryStep::Renewed);
        let renewed = renewed.context("the history does not tell of the new name")?;
        assert_eq!((renewed.vgname.as_str(), renewed.why.as_deref()), ("new", Some("renamed")));
        guest.sh("vgrename new vg")?;
        data.lies_on("/dev/vdb")?;
        data.is_intact()?;
        service.stop()?;
        guest.clean_up()
    })
}

/// Each key of lvm.conf that shapes what an lvm command prints has another value than usual.
const OTHER_REPORTS: &str = r##"log { prefix="#" command_names=1 indent=1 verbose=1 silent=1 report_command_log=1 }
report { output_format="basic" compact_output=1 compact_output_cols="move_pv" aligned=0 buffered=0 headings=0 separator="|"
list_item_separator=";" prefixes=1 quoted=0 columns_as_rows=1 binary_values_as_numeric=0 mark_hidden_devices=0
two_word_unknown_device=1 }
global { units="K" si_unit_consistency=0 suffix=1 }"##;

#[test]
fn what_nobody_polls_is_found_whatever_form_lvm_conf_gives_to_reports() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        let data = guest.make_volume("data", 64, "/dev/vda")?;
        guest.slow_copying()?;
        let _daemon = guest.start_polld(Polld::Stock)?;
        guest.sh("pvmove -b -i 1 /dev/vda /dev/vdb && pkill -9 -x lvmpolld; pkill -9 -x lvm")?;
        guest.sh(&format!(
            "cp /etc/lvm/lvm.conf /run/lvm.conf; cat >> /etc/lvm/lvm.conf <<'END'\n{OTHER_REPORTS}\nEND"
        ))?;
        let service = guest.start_service("")?;
        guest.wait_until("it is polled", LIMIT, || {
            let operations = guest.operations()?;
            let found =
                operations.iter().find(|one| one.asked_by.as_deref().is_some_and(|by| by.contains("found")));
            ensure!(found.is_some(), "polled: {operations:?}");
            Ok(())
        })?;
        guest.fast_copying()?;
        guest.wait_until("it is over", LIMIT, || last_outcome(guest).map(drop))?;
        assert_eq!(last_outcome(guest)?.kind, OutcomeKind::Done);
        guest.sh("cp /run/lvm.conf /etc/lvm/lvm.conf")?;
        data.lies_on("/dev/vdb")?;
        data.is_intact()?;
        service.stop()?;
        guest.clean_up()
    })
}

/// The kernel's mirror goes on over what it cannot read, and LVM does not look.
#[test]
fn a_pvmove_off_a_disk_with_unreadable_sectors_is_done_with_errors_and_they_are_told() -> Result<()> {
    story(|guest| {
        guest.sh("dmsetup create bad --table \"0 $(blockdev --getsz /dev/vda) linear /dev/vda 0\"")?;
        guest.sh("sed -i 's#devices {#& filter=[\"r|/dev/vda|\"]#' /etc/lvm/lvm.conf")?;
        guest.sh("vgcreate -y --physicalextentsize 1m vg /dev/mapper/bad /dev/vdb")?;
        guest.make_volume("data", 32, "/dev/mapper/bad")?;
        guest.sh("printf '%s\\n' '0 20000 linear /dev/vda 0' '20000 16 error' \
             \"20016 $(($(blockdev --getsz /dev/vda) - 20016)) linear /dev/vda 20016\" | dmsetup load bad && \
             dmsetup suspend --nolockfs bad && dmsetup resume bad")?;
        let service = guest.start_service("")?;
        guest.slow_copying()?;
        guest.sh("pvmove -b -i 1 /dev/mapper/bad /dev/vdb")?;
        let told = guest.wait_until("the errors are told", LIMIT, || {
            let history = guest.history()?;
            let errors = history.into_iter().find(|entry| entry.step == HistoryStep::CopyErrors);
            errors.context("no errors are told")
        })?;
        let why = told.why.unwrap_or_default();
        ensure!(why.contains("/dev/mapper/bad could not be read everywhere"), "told was {why:?}");
        guest.fast_copying()?;
        let waited = guest.run("lvmwarden poll wait --timeout 60 vg/pvmove0")?;
        let outcome = last_outcome(guest)?;
        assert_eq!((outcome.kind, outcome.retcode), (OutcomeKind::DoneWithErrors, Some(0)));
        ensure!(waited.code != 0, "waiting for it ended with {}: {}", waited.code, waited.stdout);
        ensure!(outcome.remedy.unwrap_or_default().contains("neither wipe nor reuse /dev/mapper/bad"));
        guest.sh(
            "grep -q 'a copy has errors' /run/service.log && lvs --noheadings -o devices vg/data | grep vdb",
        )?;
        service.stop()?;
        guest.sh("vgremove -ff -y vg && dmsetup remove bad").map(drop)
    })
}

/// Returns how the operation has ended that ended last.
fn last_outcome(guest: &Guest) -> Result<Outcome> {
    let history = guest.history()?;
    history.into_iter().rev().find_map(|entry| entry.outcome).context("no operation has ended")
}
