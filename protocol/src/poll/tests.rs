//! The specification's tables: each check in its place, each reply byte for byte.

use super::*;
use crate::ids::Store;

/// A request with everything that is required.
const PVMOVE: &str = "request=\"pvmove\" lvid=\"A\" vgname=\"vg\" lvname=\"pvmove0\" interval=\"15\" ";

const ILLEGAL_ABORT: &str =
    "response = \"invalid\"\nreason = \"abort only supported with PVMOVE polling operation\"\n";
const NO_INTERVAL: &str = "response = \"invalid\"\nreason = \"request requires interval set\"\n";
const NO_LVNAME: &str = "response = \"failed\"\nreason = \"request requires lvname set\"\n";
const NO_LVID: &str = "response = \"failed\"\nreason = \"request requires lvid set\"\n";
const NO_VGNAME: &str = "response = \"failed\"\nreason = \"request requires vgname set\"\n";
const NOT_IMPLEMENTED: &str = "response = \"invalid\"\nreason = \"request not implemented\"\n";

#[track_caller]
fn start(message: &str) -> StartRequest {
    match Request::parse(message.as_bytes()) {
        Ok(Request::Start(request)) => request,
        other => panic!("{message:?} is no request to start but {other:?}"),
    }
}

#[track_caller]
fn assert_written(reply: impl Into<Reply>, expected: &str) {
    let reply = reply.into();
    assert_eq!(String::from_utf8_lossy(&reply.to_bytes()), expected);
    assert_eq!(Reply::parse(expected.as_bytes()), Ok(reply));
}

#[track_caller]
fn assert_refused(message: &str, expected: &str) {
    let refusal = Request::parse(message.as_bytes()).expect_err(message);
    assert_eq!(String::from_utf8_lossy(&Reply::from(refusal).to_bytes()), expected, "{message:?}");
}

#[test]
fn a_request_is_known_by_its_first_word_however_it_is_spaced() {
    for message in [
        "request=\"hello\"",
        "request = \"hello\"\n",
        "request=hello",
        "request=\"hello\" request=\"dump\"\n##\n",
    ] {
        assert_eq!(Request::parse(message.as_bytes()), Ok(Request::Hello), "{message}");
    }
    assert_eq!(Request::parse(b"request=\"dump\"\nwhatever { x=1 }"), Ok(Request::Dump));
}

#[test]
fn anything_else_is_not_implemented() {
    let messages = [
        "",
        "\n",
        "# request=\"hello\"",
        "request=",
        "request {",
        "hello",
        "request=\"\"",
        "request=1",
        "request=[]",
        "request { hello=1 }",
        "reply=\"hello\"",
        "request=\"Hello\"",
        "request=\"lvmpoll\"",
        "request=\"\u{1}\"",
        "request=\"hello\" }",
    ];
    for message in messages {
        assert_refused(message, NOT_IMPLEMENTED);
    }
    assert_eq!(Request::parse(b"request=\"hell\xff\""), Err(Refusal::NotImplemented));
}

#[test]
fn each_operation_has_its_word() {
    for (word, kind) in [
        ("pvmove", PollOperation::Pvmove),
        ("convert", PollOperation::Convert),
        ("merge", PollOperation::Merge),
        ("merge_thin", PollOperation::MergeThin),
    ] {
        assert_eq!(start(&PVMOVE.replace("request=\"pvmove\"", &format!("request=\"{word}\""))).kind, kind);
        assert_eq!((kind.as_str(), PollOperation::from_word(word)), (word, Some(kind)));
    }
}

#[test]
fn optional_fields_default_to_absent() {
    let request = start(PVMOVE);
    assert_eq!((request.abort, request.handle_missing_pvs), (false, false));
    assert_eq!(
        (request.sysdir.as_ref(), request.devicesfile.as_ref(), request.cmdline.as_ref()),
        (None, None, None)
    );
    assert_eq!((request.lvid.as_str(), request.lv().as_str()), ("A", "vg/pvmove0"));
    assert_eq!((request.id().store(), request.id().as_str()), (Store::Poll, "A"));
}

#[test]
fn optional_fields_are_read_when_they_have_the_right_type() {
    let all =
        "abort=1 handle_missing_pvs=1 sysdir=\"/etc/lvm\" devicesfile=\"mine\" cmdline=\"pvmove \\\"x\\\"\"";
    let request = start(&format!("{PVMOVE}{all}"));
    assert_eq!((request.abort, request.handle_missing_pvs), (true, true));
    assert_eq!(request.sysdir.as_ref().map(ToString::to_string).as_deref(), Some("/etc/lvm"));
    assert_eq!(request.devicesfile.as_ref().map(ToString::to_string).as_deref(), Some("mine"));
    assert_eq!(request.cmdline.as_deref(), Some("pvmove \"x\""));
    assert_eq!(request.id().to_string(), "abort:/etc/lvmA");
    assert_eq!(start(std::str::from_utf8(&Request::Start(request.clone()).to_bytes()).unwrap()), request);

    let wrong = "abort=\"1\" handle_missing_pvs=0 sysdir=\"\" devicesfile=5 cmdline=[]";
    assert_eq!(start(&format!("{PVMOVE}{wrong}")), start(PVMOVE));
}

#[test]
fn a_start_request_is_stored_under_the_names_of_its_fields() {
    let stored = concat!(
        r#"{"kind":"merge_thin","abort":false,"handle_missing_pvs":true,"lvid":"A","vgname":"vg","lvname":"lv","#,
        r#""interval":"+15","sysdir":null,"devicesfile":"mine","cmdline":"lvconvert"}"#,
    );
    let request: StartRequest = serde_json::from_str(stored).expect("what an earlier release stored");
    assert_eq!((request.kind, request.lv().as_str()), (PollOperation::MergeThin, "vg/lv"));
    assert_eq!(serde_json::to_string(&request).expect("serializable"), stored);
}

#[test]
fn checks_come_in_the_order_of_the_c_daemon() {
    assert_refused("request=\"merge\" abort=1", ILLEGAL_ABORT);
    assert_refused("request=\"convert\" abort=2", ILLEGAL_ABORT);
    assert_refused("request=\"merge_thin\" abort=-1", ILLEGAL_ABORT);
    assert_refused("request=\"pvmove\" abort=1", NO_INTERVAL);
    assert_refused("request=\"pvmove\" lvid=\"A\" vgname=\"vg\" lvname=\"lv\"", NO_INTERVAL);
    assert_refused("request=\"pvmove\" interval=\"1\"", NO_LVNAME);
    assert_refused("request=\"pvmove\" interval=\"1\" lvid=\"A\" vgname=\"vg\" lvname=\"\"", NO_LVNAME);
    assert_refused("request=\"pvmove\" interval=\"1\" lvname=\"lv\"", NO_LVID);
    assert_refused("request=\"pvmove\" interval=\"1\" lvname=\"lv\" lvid=64 vgname=\"vg\"", NO_LVID);
    assert_refused("request=\"pvmove\" interval=\"1\" lvname=\"lv\" lvid=\"A\"", NO_VGNAME);
    assert_refused("request=\"progress_info\"", NO_LVID);
    assert_refused("request=\"progress_info\" lvid=\"\" abort=1", NO_LVID);
}

#[test]
fn an_interval_that_no_command_line_can_have_is_refused() {
    for text in ["15\0x", &"1".repeat(65)] {
        assert!(Interval::try_from(text).is_err(), "{text:?}");
    }
    assert_refused(&PVMOVE.replace("15", &"1".repeat(65)), NO_INTERVAL);
}

#[test]
fn intervals() {
    let accepted = [
        ("15", 15),
        ("+15", 15),
        ("0", 0),
        ("15abc", 15),
        (" \t15 ", 15),
        ("007", 7),
        ("4294967295", u32::MAX),
        ("4294967297", 1),
        ("99999999999999999999999", u32::MAX),
    ];
    for (text, seconds) in accepted {
        let interval = start(&PVMOVE.replace("interval=\"15\"", &format!("interval=\"{text}\""))).interval;
        assert_eq!((interval.as_str(), interval.duration().as_secs()), (text, u64::from(seconds)));
    }
    for value in [
        "15", "1.5", "\"\"", "\"-15\"", "\"15-\"", "\"x\"", "\"+\"", "\"++1\"", "\"+ 1\"", "\" \"", "[]",
        "\"x15\"",
    ] {
        assert_refused(&PVMOVE.replace("interval=\"15\"", &format!("interval={value}")), NO_INTERVAL);
    }
    assert!(serde_json::from_str::<Interval>("\"-1\"").is_err());
}

#[test]
fn what_lvm_never_lets_be_a_name_is_refused() {
    for (fields, field) in [
        ("vgname=\"-x\"", "vgname"),
        ("vgname=\"a/b\"", "vgname"),
        ("vgname=\"a b\"", "vgname"),
        ("lvname=\"../x\"", "lvname"),
        ("lvname=\"--abort\"", "lvname"),
        ("lvid=\"a\nb\"", "lvid"),
        ("sysdir=\"/a\nb\"", "sysdir"),
        ("devicesfile=\"../../x\"", "devicesfile"),
    ] {
        let message = format!("{fields} {PVMOVE}");
        assert_eq!(Request::parse(message.as_bytes()), Err(Refusal::BadName { field }), "{fields}");
    }
    let progress = b"request=\"progress_info\" lvid=\"a\nb\"";
    assert_eq!(Request::parse(progress), Err(Refusal::BadName { field: "lvid" }));
}

#[test]
fn text_that_is_not_utf8_is_refused_where_it_names_something() {
    let parse_with = |field: &str| {
        let mut message = format!("{field}=\"").into_bytes();
        message.extend_from_slice(b"\xff\" ");
        message.extend_from_slice(PVMOVE.as_bytes());
        Request::parse(&message)
    };
    for field in ["lvname", "lvid", "vgname", "sysdir", "devicesfile"] {
        assert_eq!(parse_with(field), Err(Refusal::BadName { field }));
    }
    assert_eq!(parse_with("interval"), Err(Refusal::NoInterval));
    let Ok(Request::Start(request)) = parse_with("cmdline") else { panic!("cmdline is only shown") };
    assert_eq!(request.cmdline.as_deref(), Some("\u{fffd}"));
}

#[test]
fn progress_is_asked_by_identity() {
    let message = b"request=\"progress_info\" lvid=\"A\" sysdir=\"/etc/lvm\" abort=1";
    let request = Request::parse(message);
    let Ok(Request::Progress(progress)) = &request else { panic!("{request:?}") };
    assert_eq!(progress.id().to_string(), "abort:/etc/lvmA");
    assert_eq!(Request::parse(&Request::Progress(progress.clone()).to_bytes()), request);
    assert_eq!(start(&format!("{PVMOVE}sysdir=\"/etc/lvm\" abort=1")).id(), progress.id());
}

#[test]
fn replies_are_the_c_daemons_byte_for_byte() {
    assert_written(Reply::Hello, "response = \"OK\"\nprotocol = \"lvmpolld\"\nversion = 1\n");
    assert_written(Reply::Ok, "response = \"OK\"\n");
    assert_written(Reply::InProgress, "response = \"in_progress\"\n");
    assert_written(Reply::NotFound, "response = \"not_found\"\n");
    let finished = |outcome| Reply::Finished(outcome);
    assert_written(
        finished(Outcome::Retcode(0)),
        "response = \"finished\"\nreason = \"retcode\"\nvalue = 0\n",
    );
    assert_written(
        finished(Outcome::Retcode(5)),
        "response = \"finished\"\nreason = \"retcode\"\nvalue = 5\n",
    );
    assert_written(
        finished(Outcome::Signal(15)),
        "response = \"finished\"\nreason = \"signal\"\nvalue = 15\n",
    );
    assert_written(
        Reply::Failed(POLLING_FAILED.to_owned()),
        "response = \"failed\"\nreason = \"polling of lvm command failed\"\n",
    );
}

#[test]
fn refusals_are_the_c_daemons_byte_for_byte() {
    assert_written(Refusal::NotImplemented, NOT_IMPLEMENTED);
    assert_written(Refusal::AbortWithoutPvmove, ILLEGAL_ABORT);
    assert_written(Refusal::NoInterval, NO_INTERVAL);
    assert_written(Refusal::NoLvName, NO_LVNAME);
    assert_written(Refusal::NoLvid, NO_LVID);
    assert_written(Refusal::NoVgName, NO_VGNAME);
    assert_written(
        Refusal::DifferentOperation,
        "response = \"invalid\"\nreason = \"Different operation on LV already in progress\"\n",
    );
    assert_written(Refusal::NotEnoughMemory, "response = \"failed\"\nreason = \"not enough memory\"\n");
    assert_written(
        Refusal::BadName { field: "sysdir" },
        "response = \"failed\"\nreason = \"request requires sysdir as LVM allows it\"\n",
    );
}

#[test]
fn a_reason_is_escaped_so_that_it_parses_again() {
    assert_written(
        Reply::Failed("a \"b\" \\".to_owned()),
        "response = \"failed\"\nreason = \"a \\\"b\\\" \\\\\"\n",
    );
}

#[test]
fn replies_of_something_else_are_errors() {
    let error = |reply: &str| Reply::parse(reply.as_bytes()).expect_err(reply);
    let foreign =
        |protocol: &str, version| ReplyError::ForeignDaemon { protocol: protocol.to_owned(), version };
    assert_eq!(error("response=\"OK\" protocol=\"lvmetad\" version=1"), foreign("lvmetad", 1));
    assert_eq!(error("response=\"OK\" protocol=\"lvmpolld\" version=2"), foreign("lvmpolld", 2));
    assert_eq!(error("response=\"OK\" protocol=\"lvmpolld\""), foreign("lvmpolld", 0));
    assert_eq!(error("response=\"what\""), ReplyError::UnknownResponse { response: "what".to_owned() });
    assert_eq!(error("x=1"), ReplyError::UnknownResponse { response: String::new() });
    assert_eq!(error("response=\"finished\" reason=\"retcode\""), ReplyError::BadField { field: "value" });
    assert_eq!(error("response=\"finished\" value=1"), ReplyError::BadField { field: "reason" });
    assert_eq!(error("poll { A { lvid=\"A\" } } abort { }"), ReplyError::BadField { field: "lvname" });
    assert_eq!(error("poll { }"), ReplyError::BadField { field: "abort" });
    assert!(matches!(error("response="), ReplyError::Syntax(_)));
}

/// The dump of an operation as the specification shows it.
const RUNNING: &str = r#"# Registered polling operations

poll {
	A {
		lvid="A"
		type="pvmove"
		lvname="vg/pvmove0"
		lvmpolld_internal_timeout=60
		lvm_command_interval="+15"
		LVM_SYSTEM_DIR="<undefined>"
		lvm_command_pid=30778
		polling_finished=0
		error_occured=0
		init_requests_count=1
		lvm_command {
			state="in_progress"
		}
	}
}

# Registered abort operations

abort {
}"#;

fn running() -> DumpEntry {
    let request = start(&PVMOVE.replace("interval=\"15\"", "interval=\"+15\""));
    DumpEntry {
        lvid: request.lvid,
        kind: request.kind,
        vgname: request.vgname,
        lvname: request.lvname,
        internal_timeout_seconds: 60,
        interval: request.interval,
        sysdir: None,
        lvpoll_pid: 30778,
        state: DumpState::InProgress,
        init_requests_count: 1,
    }
}

#[test]
fn a_dump_is_the_c_daemons_byte_for_byte() {
    assert_written(
        Reply::Dump(Dump::default()),
        "# Registered polling operations\n\npoll {\n}\n\n# Registered abort operations\n\nabort {\n}",
    );
    assert_written(Reply::Dump(Dump { poll: vec![running()], abort: vec![] }), RUNNING);
}

#[test]
fn a_dump_tells_how_each_operation_stands() {
    let dump_of = |state| Reply::Dump(Dump { poll: vec![DumpEntry { state, ..running() }], abort: vec![] });
    let finished = RUNNING.replace("polling_finished=0", "polling_finished=1");
    let ended = |how: &str| {
        finished.replace("state=\"in_progress\"", &format!("state=\"finished\"\n\t\t\treason=\"{how}"))
    };
    assert_written(dump_of(DumpState::Finished(Outcome::Retcode(5))), &ended("retcode\"\n\t\t\tvalue=5"));
    assert_written(dump_of(DumpState::Finished(Outcome::Signal(9))), &ended("signal\"\n\t\t\tvalue=9"));
    assert_written(dump_of(DumpState::Failed), &finished.replace("error_occured=0", "error_occured=1"));
}

#[test]
fn a_dump_keeps_the_stores_apart_and_the_order() {
    let entry = |lvid: &str| DumpEntry { lvid: lvid.try_into().unwrap(), ..running() };
    let dump = Dump { poll: vec![entry("B"), entry("A")], abort: vec![entry("A"), entry("C")] };
    assert_eq!(Reply::parse(&Reply::Dump(dump.clone()).to_bytes()), Ok(Reply::Dump(dump)));
}

#[test]
fn a_dump_names_an_operation_by_its_id_whatever_is_in_it() {
    for (sysdir, lvid, key) in [
        (Some("/etc/lvm"), "A", "\t/etc/lvmA {\n"),
        (Some("/my dir/"), "A", "\t\"/my dir/A\" {\n"),
        (None, "a # \"b\" {", "\t\"a # \\\"b\\\" {\" {\n"),
        (None, "a/", "\ta/ {\n"),
        (None, "a/lvid", "\ta/lvid {\n"),
    ] {
        let sysdir = sysdir.map(|text| text.try_into().unwrap());
        let entry = DumpEntry { sysdir, lvid: lvid.try_into().unwrap(), ..running() };
        let dump = Reply::Dump(Dump { poll: vec![entry.clone(), entry], abort: vec![] });
        let text = dump.to_bytes();
        assert!(String::from_utf8_lossy(&text).contains(key), "{text:?}");
        assert_eq!(Reply::parse(&text), Ok(dump));
    }
}
