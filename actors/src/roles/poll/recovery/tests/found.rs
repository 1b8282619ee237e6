//! Which processes are looked after, and what they tell of themselves.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::*;

const INSTANCE: &str = "/run/lvm/lvmpolld.socket";
const BINARY: &str = "/usr/sbin/lvm";
const COMMAND_LINE: &str = "/usr/sbin/lvm lvpoll --interval 15 --polloperation pvmove vg/pvmove0 -An";
const OURS: [(&str, &str); 3] = [
    ("LVMWARDEN_OP", "00000000-0000-0000-0000-000000000001"),
    ("LVMWARDEN_LVID", "A"),
    ("LVMWARDEN_INSTANCE", INSTANCE),
];
const UNREAD: Stdout = Stdout::Pipe { has_reader: false };
const READ: Stdout = Stdout::Pipe { has_reader: true };

fn found(command_line: &str, environment: &[(&str, &str)], stdout: Stdout) -> FoundProcess {
    let assignment = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
    let command_line = command_line.split(' ').map(OsString::from).collect();
    let mut found = FoundProcess::of_a_test(process(70), command_line, stdout);
    found.environment = environment.iter().map(assignment).collect();
    found
}

/// Where the output of a child of ours goes, and nobody else's.
fn kept() -> Stdout {
    Stdout::RootsOwn("/run/lvmwarden/output/00000000-0000-0000-0000-000000000001.out".into())
}

#[track_caller]
fn assert_read(found: &FoundProcess, expected: Option<&FoundChild>) {
    let (instance, binary) = (Path::new(INSTANCE), Path::new(BINARY));
    let home = Home { instance, output_dir: Path::new("/run/lvmwarden/output"), binary };
    assert_eq!(read_child(found, home).as_ref(), expected);
}

#[test]
fn a_child_of_ours_tells_operation_lv_and_system_dir() {
    assert_read(&found(COMMAND_LINE, &OURS, kept()), Some(&child(70)));
    let with_sysdir = [&OURS[..], &[("LVM_SYSTEM_DIR", "/etc/other")]].concat();
    let sysdir = Some("/etc/other".try_into().unwrap());
    let expected = FoundChild { sysdir, ..child(70) };
    assert_read(&found(COMMAND_LINE, &with_sysdir, kept()), Some(&expected));
}

#[test]
fn a_child_of_ours_is_ours_whatever_the_binary_was() {
    let line = COMMAND_LINE.replace(BINARY, "/opt/lvm");
    assert_read(&found(&line, &OURS, kept()), Some(&child(70)));
}

#[test]
fn a_child_of_another_instance_is_left_alone() {
    let others = [OURS[0], OURS[1], ("LVMWARDEN_INSTANCE", "/run/other.socket")];
    assert_read(&found(COMMAND_LINE, &others, kept()), None);
    assert_read(&found(COMMAND_LINE, &others, UNREAD), None);
    assert_read(&found(COMMAND_LINE, &OURS[..2], kept()), None);
}

#[test]
fn a_child_with_half_of_the_marks_is_left_alone() {
    let garbled = [("LVMWARDEN_OP", "no uuid"), OURS[1], OURS[2]];
    let without_lvid = [OURS[0], OURS[2]];
    let with_empty_lvid = [OURS[0], ("LVMWARDEN_LVID", ""), OURS[2]];
    for environment in [&garbled[..], &without_lvid, &with_empty_lvid] {
        assert_read(&found(COMMAND_LINE, environment, kept()), None);
    }
}

#[test]
fn a_child_whose_output_nobody_reads_was_left_by_a_c_daemon() {
    let expected = FoundChild { lvid: None, ..orphan(70) };
    assert_read(&found(COMMAND_LINE, &[], UNREAD), Some(&expected));
    assert_read(&found(COMMAND_LINE, &[("LVM_LVMPOLLD_SOCKET", INSTANCE)], UNREAD), Some(&expected));
}

#[test]
fn a_c_daemon_may_have_named_the_same_binary_without_usr() {
    let expected = FoundChild { lvid: None, ..orphan(70) };
    assert_read(&found(&COMMAND_LINE.replace(BINARY, "/sbin/lvm"), &[], UNREAD), Some(&expected));
    assert_read(&found(&COMMAND_LINE.replace(BINARY, "/opt/sbin/lvm"), &[], UNREAD), None);
}

#[test]
fn the_child_of_a_living_c_daemon_is_left_alone() {
    assert_read(&found(COMMAND_LINE, &[], READ), None);
    assert_read(&found(COMMAND_LINE, &[("LVM_LVMPOLLD_SOCKET", INSTANCE)], READ), None);
}

#[test]
fn an_lvpoll_that_somebody_started_by_hand_is_left_alone() {
    assert_read(&found(COMMAND_LINE, &[], Stdout::Other), None);
    assert_read(&found(COMMAND_LINE, &[], kept()), None);
}

#[test]
fn a_process_that_calls_itself_a_child_of_ours_is_none_without_the_output_file_of_its_operation() {
    let elsewhere = |path: &str| Stdout::RootsOwn(path.into());
    let of_another = elsewhere("/run/lvmwarden/output/00000000-0000-0000-0000-000000000002.out");
    let with_a_name = elsewhere("/root/00000000-0000-0000-0000-000000000001.out");
    for stdout in [Stdout::Other, READ, UNREAD, of_another, with_a_name] {
        assert_read(&found(COMMAND_LINE, &OURS, stdout), None);
    }
}

#[test]
fn an_orphan_that_only_calls_itself_lvm_is_left_alone() {
    for program in [None, Some("/usr/bin/sudo"), Some("/home/user/usr/sbin/lvm")] {
        let mut found = found(COMMAND_LINE, &[], UNREAD);
        found.program = program.map(Into::into);
        assert_read(&found, None);
    }
}

#[test]
fn an_orphan_of_another_binary_or_socket_is_left_alone() {
    assert_read(&found(&COMMAND_LINE.replace(BINARY, "/opt/lvm"), &[], UNREAD), None);
    let elsewhere = [("LVM_LVMPOLLD_SOCKET", "/run/other.socket")];
    assert_read(&found(COMMAND_LINE, &elsewhere, UNREAD), None);
}

#[test]
fn what_is_no_lvpoll_is_left_alone() {
    assert_read(&found("/usr/sbin/lvm vgs", &OURS, kept()), None);
    assert_read(&found("/usr/sbin/lvm lvpoll vg/lv", &OURS, kept()), None);
}

/// What a daemon starts is what the next one finds.
#[test]
fn a_started_child_is_found_as_it_was_started() {
    let request = StartRequest { sysdir: Some("/etc/x".try_into().unwrap()), ..request() };
    let arguments = Arguments::of(&request);
    let environment = lvpoll::environment(&request, OP, Path::new(INSTANCE), &BTreeMap::new());
    let command_line = std::iter::once(BINARY.into()).chain(arguments.write(true)).collect();
    let mut started = FoundProcess::of_a_test(process(70), command_line, kept());
    started.environment = environment;
    let sysdir = request.sysdir.clone();
    assert_read(&started, Some(&FoundChild { arguments, sysdir, ..child(70) }));
}
