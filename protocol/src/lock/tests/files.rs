//! What `lvmlockctl -i` reads, and the adopt file.

use super::id;
use crate::lock::adopt_file::{AdoptFile, AdoptFileError, AdoptLv, AdoptVg};
use crate::lock::info::*;
use crate::lock::{LockMode, LockType, Op, RequestedType};

const STRUCTS: &str =
    "info=structs unused_action_count=0 unused_client_count=0 unused_resource_count=0 unused_lock_count=0\n";

/// What the contract shows as lines of 2.03.16.
const LINES: &str = "\
info=client pid=32373 fd=9 pi=0 id=1 name=vgs
info=client pid=7 fd=10 pi=1 id=2 name=.
info=ls ls_name=lvm_vg0 vg_name=vg0 vg_uuid=QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3 vg_sysid=. vg_args=1.0.0:test lm_type=dlm host_id=0 create_fail=0 create_done=1 thread_work=0 thread_stop=0 thread_done=0 kill_vg=0 drop_vg=0 sanlock_gl_enabled=0
info=r name=VGLK type=vg mode=ex sh_count=0 version=0
info=lk mode=ex version=0 flags=0x0 client_id=1
info=r_action client_id=2 flags=0x0 version=0 op=lock rt=vg mode=sh lm_type=dlm result=0 lm_rv=0
info=r name=yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q type=lv mode=ex sh_count=0 version=0
info=lk mode=ex version=0 flags=0x1 client_id=0
";

fn client(id: u32, pid: i32, name: &str) -> ClientInfo {
    ClientInfo { pid, fd: 8 + i32::try_from(id).expect("small"), id, name: name.into() }
}

fn resource(name: &str, kind: ResourceKind, client: Option<u32>) -> ResourceInfo {
    let mode = LockMode::Exclusive;
    let locks = vec![LockInfo { mode, version: 0, client }];
    ResourceInfo { name: name.into(), kind, mode, sh_count: 0, version: 0, locks, waiting: vec![] }
}

fn waiting() -> RequestInfo {
    RequestInfo {
        client: 2,
        flags: 0,
        version: 0,
        op: Op::Lock,
        kind: Some(ResourceKind::Vg),
        mode: Some(LockMode::Shared),
        lock_type: LockType::Dlm.into(),
        result: 0,
        lm_result: 0,
    }
}

fn lockspace() -> LockspaceInfo {
    let mut vg = resource("VGLK", ResourceKind::Vg, Some(1));
    vg.waiting.push(waiting());
    LockspaceInfo {
        name: "lvm_vg0".into(),
        vg: "vg0".into(),
        vg_uuid: "QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3".into(),
        args: "1.0.0:test".into(),
        lock_type: LockType::Dlm.into(),
        host_id: 0,
        generation: 0,
        state: LockspaceFlags { create_done: true, ..LockspaceFlags::default() },
        waiting: vec![],
        resources: vec![vg, resource("yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q", ResourceKind::Lv, None)],
    }
}

fn text(info: &Info, format: InfoFormat) -> String {
    String::from_utf8(info.to_bytes(format).to_vec()).expect("text")
}

#[test]
fn lines_are_the_c_daemons_byte_for_byte() {
    let clients = vec![client(1, 32373, "vgs"), client(2, 7, "")];
    let info = Info { clients, lockspaces: vec![lockspace()] };
    assert_eq!(text(&info, InfoFormat::WithSysid), format!("{STRUCTS}{LINES}"));
    let later = LINES
        .replace(" vg_sysid=.", "")
        .replace("host_id=0", "host_id=0 generation=0")
        .replace("drop_vg=0", "fence_pr=0 no_timeout=0");
    assert_eq!(text(&info, InfoFormat::WithoutSysid), format!("{STRUCTS}{later}"));
    assert_eq!(text(&Info::default(), InfoFormat::WithSysid), STRUCTS);
}

#[test]
fn requests_of_a_lockspace_and_of_no_mode_are_listed() {
    let request =
        RequestInfo { op: Op::Start, kind: None, mode: None, lock_type: RequestedType::None, ..waiting() };
    let lockspace = LockspaceInfo { waiting: vec![request], resources: vec![], ..lockspace() };
    let text = text(&Info { clients: vec![], lockspaces: vec![lockspace] }, InfoFormat::WithSysid);
    let expected = "info=ls_action client_id=2 flags=0x0 version=0 op=start rt=. mode=iv lm_type=none result=0 lm_rv=0\n";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn nothing_is_empty_or_has_a_blank_or_is_longer_than_a_buffer() {
    let long = "é".repeat(40);
    let odd = LockspaceInfo {
        name: long.as_str().into(),
        vg: "".into(),
        vg_uuid: "".into(),
        args: "a b\tc\nd".into(),
        ..lockspace()
    };
    let text = text(&Info { clients: vec![], lockspaces: vec![odd] }, InfoFormat::WithSysid);
    let expected = format!("ls_name={} vg_name=. vg_uuid=. vg_sysid=. vg_args=a_b_c_d ", "é".repeat(32));
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn a_hundred_clients_are_listed_those_with_locks_first() {
    let info = Info {
        clients: (1..=200).rev().map(|id| client(id, 1000, "vgs")).collect(),
        lockspaces: vec![lockspace()],
    };
    let text = text(&info, InfoFormat::WithSysid);
    let clients: Vec<&str> = text.lines().filter(|line| line.starts_with("info=client")).collect();
    assert_eq!(clients.len(), MAX_CLIENTS);
    assert_eq!(clients[0], "info=client pid=1000 fd=10 pi=0 id=2 name=vgs");
    assert_eq!(clients[1], "info=client pid=1000 fd=9 pi=1 id=1 name=vgs");
    assert_eq!(clients[99], "info=client pid=1000 fd=111 pi=99 id=103 name=vgs");
}

#[test]
fn a_text_that_is_too_long_ends_with_a_whole_line() {
    let lv = resource("yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q", ResourceKind::Lv, None);
    let lockspace = LockspaceInfo { resources: vec![lv; 20_000], ..lockspace() };
    let text = text(&Info { clients: vec![], lockspaces: vec![lockspace] }, InfoFormat::WithSysid);
    assert!(text.len() <= MAX_BYTES && text.len() > MAX_BYTES - 200, "{}", text.len());
    assert!(text.ends_with("client_id=0\n") || text.ends_with("sh_count=0 version=0\n"), "{text:.100}");
    assert!(text.lines().all(|line| line.len() <= MAX_LINE_BYTES));
}

/// What lvmlockd of 2.03.16 wrote.
const ADOPT: &str = "\
lvmlockd adopt_version 1.0 pid 277 updates 2 Fri Nov 20 23:28:16 2026
VG: ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda vg sanlock 1.0.0:lvmlock
LV: ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda GcrDfL-GODE-3YuR-VAJP-dWj6-XQ1g-AgR1VL 1.0.0:70254592 ex 0
LV: ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda Ybh2eB-6pdZ-1Ztk-7gCK-6o4N-1Ivv-gEcIhB 1.0.0:71303168 sh 0
";

fn adopt_file() -> AdoptFile {
    let vg_uuid = "ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda";
    let lv = |uuid: &str, args: &str, mode| AdoptLv {
        vg_uuid: id(vg_uuid),
        uuid: id(uuid),
        args: id(args),
        mode,
        version: 0,
    };
    AdoptFile {
        pid: 277,
        updates: 2,
        time: "Fri Nov 20 23:28:16 2026".to_owned(),
        vgs: vec![AdoptVg {
            uuid: id(vg_uuid),
            name: id("vg"),
            lock_type: LockType::Sanlock,
            args: id("1.0.0:lvmlock"),
        }],
        lvs: vec![
            lv("GcrDfL-GODE-3YuR-VAJP-dWj6-XQ1g-AgR1VL", "1.0.0:70254592", LockMode::Exclusive),
            lv("Ybh2eB-6pdZ-1Ztk-7gCK-6o4N-1Ivv-gEcIhB", "1.0.0:71303168", LockMode::Shared),
        ],
    }
}

#[test]
fn an_adopt_file_is_the_c_daemons_byte_for_byte() {
    assert_eq!(String::from_utf8_lossy(&adopt_file().to_bytes()), ADOPT);
    assert_eq!(AdoptFile::parse(ADOPT.as_bytes()), Ok((adopt_file(), vec![])));
    let commented = ADOPT.replace("VG:", "# a comment\n\nVG:");
    assert_eq!(AdoptFile::parse(commented.as_bytes()), Ok((adopt_file(), vec![])));
}

#[test]
fn an_odd_line_of_an_adopt_file_does_not_spoil_the_others() {
    for (line, problem) in [
        ("VG: ahibT8 vg2 sanlock", "it has not as many words as it should"),
        ("VG: ahibT8 vg2 clvm 1.0.0:x", "it names no lock type"),
        ("VG: ahibT8 vg2 dlm 1.0.0:x", "it has what is no UUID"),
        ("VG: GcrDfL-GODE-3YuR-VAJP-dWj6-XQ1g-AgR1VL -x dlm 1.0.0:x", "its VG cannot have that name"),
        (
            "LV: GcrDfL-GODE-3YuR-VAJP-dWj6-XQ1g-AgR1VL Ybh2eB-6pdZ-1Ztk-7gCK-6o4N-1Ivv-gEcIhB dlm ex 0",
            "no line before it names its VG",
        ),
        ("LV: ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda VGLK dlm ex 0", "it has what is no UUID"),
        ("LV: ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda U dlm un 0", "its mode is neither sh nor ex"),
        ("LV: ahibT8-EKVH-Vuqv-drdo-50fd-aOjg-0N0Mda U dlm ex x", "its version is no number"),
        ("\u{0}\u{fffd}", "it is for neither a VG nor an LV"),
    ] {
        let (file, odd) = AdoptFile::parse(format!("{ADOPT}{line}\n").as_bytes()).expect("an adopt file");
        assert_eq!(file, adopt_file());
        assert_eq!(odd.len(), 1, "{line}");
        assert_eq!((odd[0].number, odd[0].text.as_str(), odd[0].problem), (5, line, problem));
    }
    let cut = &ADOPT[..ADOPT.len() - 10];
    let (file, odd) = AdoptFile::parse(cut.as_bytes()).expect("an adopt file");
    assert_eq!((file.lvs.len(), odd.len()), (1, 1));
}

#[test]
fn a_file_of_another_format_is_not_read() {
    let error = |text: &str| AdoptFile::parse(text.as_bytes()).expect_err(text);
    assert_eq!(error(""), AdoptFileError::Foreign { line: String::new() });
    assert_eq!(error("# only this\n"), AdoptFileError::Foreign { line: String::new() });
    let other = ADOPT.replace("adopt_version 1.0", "adopt_version 2.0");
    assert_eq!(error(&other), AdoptFileError::Version { version: "2.0".to_owned() });
    let (file, _) = AdoptFile::parse(b"lvmlockd adopt_version 1.7").expect("one that came later");
    assert_eq!(file, AdoptFile::default());
}
