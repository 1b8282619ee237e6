//! Command lines and environments of lvpoll, written and read back.

use std::ffi::OsString;
use std::path::Path;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const BINARY: &str = "/usr/sbin/lvm";

fn pvmove() -> StartRequest {
    StartRequest {
        kind: PollOperation::Pvmove,
        abort: false,
        handle_missing_pvs: false,
        lvid: "VGUUIDLVUUID".try_into().unwrap(),
        vgname: "vg".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        interval: "+15".try_into().unwrap(),
        sysdir: None,
        devicesfile: None,
        cmdline: Some("pvmove /dev/sda".into()),
    }
}

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

/// Returns the whole command line of a child.
fn command_line(arguments: &Arguments, verbose: bool) -> Vec<OsString> {
    std::iter::once(BINARY.into()).chain(arguments.write(verbose)).collect()
}

/// Which of the options a child is given: abort, missing PVs, verbose, devices file.
fn every_combination() -> impl Iterator<Item = [bool; 4]> {
    (0..16_u8).map(|bits| [0, 1, 2, 3].map(|bit| bits & (1 << bit) != 0))
}

/// P-11: the C daemon's words in the C daemon's order.
#[test]
fn the_arguments_are_those_of_the_c_daemon_for_every_combination_of_options() {
    for [abort, handle_missing_pvs, verbose, has_devicesfile] in every_combination() {
        let devicesfile = has_devicesfile.then(|| "some.devices".try_into().unwrap());
        let arguments = Arguments::of(&StartRequest { abort, handle_missing_pvs, devicesfile, ..pvmove() });
        let optional = |is_given: bool, text: &'static str| if is_given { text } else { "" };
        let line = [
            "lvpoll --interval +15",
            optional(abort, " --abort"),
            optional(handle_missing_pvs, " --handlemissingpvs"),
            " --polloperation pvmove vg/pvmove0 -An",
            optional(verbose, " -vvvv"),
            optional(has_devicesfile, " --devicesfile some.devices"),
        ]
        .concat();
        assert_eq!(arguments.write(verbose), words(&line));
        assert_eq!(Arguments::read(&command_line(&arguments, verbose)), Some(arguments));
    }
}

#[test]
fn each_kind_of_operation_has_its_word() {
    for (kind, word) in [
        (PollOperation::Pvmove, "pvmove"),
        (PollOperation::Convert, "convert"),
        (PollOperation::Merge, "merge"),
        (PollOperation::MergeThin, "merge_thin"),
    ] {
        let line = format!("lvpoll --interval 0 --polloperation {word} vg/lv -An");
        let lvname = "lv".try_into().unwrap();
        let request = StartRequest { kind, interval: "0".try_into().unwrap(), lvname, ..pvmove() };
        assert_eq!(Arguments::of(&request).write(false), words(&line));
    }
}

/// Returns names as lvm allows them: no dash in front, no slash.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9+_][a-zA-Z0-9+_.-]{0,40}"
}

fn arguments() -> impl Strategy<Value = Arguments> {
    let kind = prop::sample::select(PollOperation::ALL.to_vec());
    let devicesfile = prop::option::of(name());
    (kind, any::<(bool, bool)>(), name(), name(), "\\+?[0-9]{1,10}[a-z]{0,3}", devicesfile).prop_map(
        |(kind, (abort, handle_missing_pvs), vgname, lvname, interval, devicesfile)| Arguments {
            kind,
            abort,
            handle_missing_pvs,
            vgname: vgname.try_into().unwrap(),
            lvname: lvname.try_into().unwrap(),
            interval: interval.try_into().unwrap(),
            devicesfile: devicesfile.map(|file| file.try_into().unwrap()),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(arguments in arguments(), verbose: bool) {
        prop_assert_eq!(Arguments::read(&command_line(&arguments, verbose)), Some(arguments));
    }

    #[test]
    fn a_request_is_found_again_in_its_child(arguments in arguments()) {
        let lvid: Lvid = "A".try_into().unwrap();
        let request = arguments.clone().into_request(lvid, None);
        prop_assert_eq!(Arguments::of(&request), arguments);
    }
}

#[test]
fn other_command_lines_are_not_read() {
    for line in [
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove vg/a/b -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove ../x -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove vg/pvmove0 -An --devicesfile ../x",
        "",
        "/usr/sbin/lvm",
        "/usr/sbin/lvm vgs vg/lv",
        "lvpoll --interval 15 --polloperation pvmove vg/pvmove0 -An",
        "/usr/sbin/lvm lvpoll",
        "/usr/sbin/lvm lvpoll --polloperation pvmove vg/pvmove0 -An",
        "/usr/sbin/lvm lvpoll --interval 15 vg/pvmove0 -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove vg -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove vg/ -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove /lv -An",
        "/usr/sbin/lvm lvpoll --interval -15 --polloperation pvmove vg/lv -An",
        "/usr/sbin/lvm lvpoll --interval 15 --polloperation split vg/lv -An",
        "/usr/sbin/lvm lvpoll vg/lv --polloperation pvmove --interval",
    ] {
        assert_eq!(Arguments::read(&words(line)), None, "{line:?}");
    }
}

#[test]
fn a_script_in_place_of_lvm_is_read_behind_its_interpreter() {
    let line = "lvpoll --interval 15 --polloperation merge vg/lv -An";
    let plain = Arguments::read(&words(&format!("/opt/lvm {line}")));
    for program in ["/bin/sh /opt/lvm", "/usr/bin/env bash /opt/lvm"] {
        let line = words(&format!("{program} {line}"));
        assert_eq!(split(&line).unwrap().0, "/opt/lvm");
        assert_eq!(Arguments::read(&line), plain);
    }
}

#[test]
fn a_command_line_is_lvpolls_by_the_word_behind_its_program() {
    assert!(is_lvpoll(&words("/usr/sbin/lvm lvpoll --interval 15")));
    assert!(is_lvpoll(&words("lvm lvpoll")));
    for line in ["", "lvpoll", "lvm", "lvm vgs a b lvpoll", "/usr/sbin/lvpoll pvmove", "grep lvpollx"] {
        assert!(!is_lvpoll(&words(line)), "{line:?}");
    }
}

/// Returns the environment of a child, one assignment a line, whose daemon has `inherited`.
fn environment_of(request: &StartRequest, inherited: &[(&str, &str)]) -> Vec<String> {
    let inherited = inherited.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let environment = environment(request, Uuid::from_u128(7), Path::new("/run/lvm/s.socket"), &inherited);
    let text = |word: OsString| word.into_string().unwrap();
    environment.into_iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect()
}

const MARKS: [&str; 3] = [
    "LVMWARDEN_INSTANCE=/run/lvm/s.socket",
    "LVMWARDEN_LVID=VGUUIDLVUUID",
    "LVMWARDEN_OP=00000000-0000-0000-0000-000000000007",
];

#[test]
fn the_environment_is_the_daemons_own_and_what_the_child_is_found_by() {
    let inherited = [("ZZ", "last"), ("PATH", "/sbin"), ("LC_ALL", "C")];
    let expected = [&["LC_ALL=C"], &MARKS[..], &["PATH=/sbin", "ZZ=last"]].concat();
    assert_eq!(environment_of(&pvmove(), &inherited), expected);
}

#[test]
fn the_daemons_system_dir_is_not_for_its_children() {
    assert_eq!(environment_of(&pvmove(), &[("LVM_SYSTEM_DIR", "/etc/daemon")]), MARKS);
}

#[test]
fn the_clients_system_dir_replaces_the_daemons() {
    let request = StartRequest { sysdir: Some("/etc/client".try_into().unwrap()), ..pvmove() };
    let expected = [&MARKS[..], &["LVM_SYSTEM_DIR=/etc/client"]].concat();
    for inherited in [&[("LVM_SYSTEM_DIR", "/etc/daemon")][..], &[]] {
        assert_eq!(environment_of(&request, inherited), expected);
    }
}

#[test]
fn marks_of_another_daemon_are_replaced() {
    let inherited = [("LVMWARDEN_OP", "other"), ("LVMWARDEN_LVID", "other"), ("LVMWARDEN_INSTANCE", "other")];
    assert_eq!(environment_of(&pvmove(), &inherited), MARKS);
}
