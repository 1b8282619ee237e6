//! Command lines of lvm as `/proc` shows them (lvm2 2.03.16), and whose they are.

use lvmwarden_supervisor::process::{BootId, Stdout};

use super::*;
use PollOperation::{Merge, Pvmove};

const INSTANCE: &str = "/run/lvm/lvmpolld.socket";
const OUTPUT_DIR: &str = "/run/lvmwarden/output";
const OP: &str = "00000000-0000-0000-0000-000000000007";
const LVPOLL: &str = "/usr/sbin/lvm lvpoll --interval 1 --polloperation pvmove vg/pvmove0 -An";

fn process(command_line: &str, environment: &[(&str, &str)]) -> FoundProcess {
    let identity = ProcessIdentity { pid: 7, start_time_ticks: 5, boot_id: BootId::of_a_test("boot") };
    let command_line = command_line.split(' ').map(OsString::from).collect();
    let stdout = Stdout::RootsOwn(format!("{OUTPUT_DIR}/{OP}.out").into());
    let mut found = FoundProcess::of_a_test(identity, command_line, stdout);
    found.environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    found
}

fn read_with(process: &FoundProcess, clients: &[&str]) -> Option<Stranger> {
    let (instance, binary) = (Path::new(INSTANCE), Path::new("/usr/sbin/lvm"));
    let clients: Vec<_> = clients.iter().map(|client| CommandLine::from(*client)).collect();
    let clients: Vec<_> = clients.iter().collect();
    read(process, Home { instance, output_dir: Path::new(OUTPUT_DIR), binary }, &clients)
}

/// Returns what a process with this command line may poll.
#[track_caller]
fn works_on(command_line: &str) -> Option<WorksOn> {
    let process = process(command_line, &[]);
    let stranger = read_with(&process, &[]).map(|stranger| stranger.works_on);
    assert_eq!(stranger.is_some(), may_poll(&process.command_line), "{command_line}");
    stranger
}

#[test]
fn commands_that_poll_are_known_by_their_names() {
    for (command_line, expected) in [
        ("pvmove -i 1 --config global/use_lvmpolld=0", Some(&[Pvmove][..])),
        ("/sbin/pvmove /dev/sda", Some(&[Pvmove])),
        ("lvm pvmove -i 1", Some(&[Pvmove])),
        ("/usr/sbin/lvm lvconvert --merge vg/snap", Some(CONVERSIONS)),
        ("lvchange -ay vg/data", Some(&PollOperation::ALL)),
        ("vgchange --poll y vg", Some(&PollOperation::ALL)),
        ("pvscan --cache -aay /dev/sda", Some(&PollOperation::ALL)),
        // In the background: of pvmove, of vgchange, of lvm.
        ("(lvm2) -b -i 1 -n data /dev/vda /dev/vdb", Some(&PollOperation::ALL)),
        ("(lvm2)   --poll y --config global/use_lvmpolld=0 vg", Some(&PollOperation::ALL)),
        ("(lv pvmove -b", Some(&PollOperation::ALL)),
        ("lvs -a", None),
        ("lvm lvs -a", None),
        ("lvm", None),
        ("vim pvmove", None),
        ("lvmpolld -f", None),
        ("dmeventd", None),
    ] {
        assert_eq!(works_on(command_line), expected.map(WorksOn::Any), "{command_line}");
    }
}

#[test]
fn an_lvpoll_says_which_lv_it_polls() {
    let lv = WorksOn::Lv("vg".try_into().unwrap(), "pvmove0".try_into().unwrap());
    assert_eq!(works_on(LVPOLL), Some(lv));
    assert_eq!(works_on("/usr/sbin/lvm lvpoll --wrong"), Some(WorksOn::Any(&PollOperation::ALL)));
}

#[test]
fn what_the_daemon_started_is_no_stranger() {
    let of = |instance| {
        let lvid = "x".repeat(64);
        let environment = [
            (lvpoll::OP_VARIABLE, OP),
            (lvpoll::LVID_VARIABLE, &lvid),
            (lvpoll::INSTANCE_VARIABLE, instance),
        ];
        read_with(&process(LVPOLL, &environment), &[])
    };
    assert_eq!(of(INSTANCE), None);
    assert!(of("/run/another.socket").is_some());
}

#[test]
fn a_command_that_waits_for_the_daemon_is_no_stranger() {
    let command = process("/sbin/lvm pvmove -i 1 /dev/vda", &[]);
    assert_eq!(read_with(&command, &["vgchange --poll y", "pvmove -i 1 /dev/vda"]), None);
    assert!(read_with(&command, &["pvmove -i 1 /dev/vdb"]).is_some());
}

#[test]
fn a_stranger_is_in_the_way_of_what_it_may_poll() {
    let lv = |kind, lvname: &str| Unfinished {
        kind,
        vgname: "vg".try_into().unwrap(),
        lvname: lvname.try_into().unwrap(),
        lvid: "L".try_into().unwrap(),
    };
    let lvpoll = read_with(&process(LVPOLL, &[]), &[]).unwrap();
    assert!(lvpoll.may_poll(&lv(Pvmove, "pvmove0")));
    assert!(!lvpoll.may_poll(&lv(Pvmove, "pvmove1")));
    let pvmove = read_with(&process("pvmove", &[]), &[]).unwrap();
    assert!(pvmove.may_poll(&lv(Pvmove, "pvmove1")));
    assert!(!pvmove.may_poll(&lv(Merge, "data")));
}
