//! One example of each message: its exact JSON, in both directions.

use std::collections::BTreeMap;
use std::fmt::Debug;

use uuid::Uuid;

use super::super::*;
use crate::ids::{LvName, Lvid, VgName};
use crate::poll::PollOperation;

const LVID: &str = "DPpn4vovsvqeTV1Rabu0GlwGSFpNYcJ7OoiBILRXHSLgtpBR2bznI5T60NXGC4fn";
const ID: &str = "018f0000-0000-7000-8000-000000000001";

fn id() -> Uuid {
    ID.parse().expect("a UUID")
}

fn vgname() -> VgName {
    "vg0".try_into().expect("a name")
}

fn lvname() -> LvName {
    "pvmove0".try_into().expect("a name")
}

/// Asserts that a call is written as `expected`, and read as the request that it was.
#[track_caller]
fn assert_call<M: Method>(parameters: &M, expected: &str, wrap: impl Fn(M) -> Request) {
    let call = Call::new(parameters);
    assert_eq!(serde_json::to_string(&call).expect("a call"), expected);
    let read: Call = serde_json::from_str(expected).expect("a call");
    let request = Request::parse(&read).expect("a request");
    assert_eq!(request.method(), M::NAME);
    assert_eq!(request, wrap(read.read().expect("its parameters")));
    assert_eq!(Call::new(&read.read::<M>().expect("its parameters")), call);
}

/// Asserts that a reply is written with these parameters, and read as what it was.
#[track_caller]
fn assert_reply<M: Method>(reply: &M::Reply, parameters: &str)
where
    M::Reply: PartialEq + Debug,
{
    for (message, rest) in
        [(Reply::last::<M>(reply), ""), (Reply::continued::<M>(reply), ",\"continues\":true")]
    {
        let expected = format!("{{\"parameters\":{parameters}{rest}}}");
        assert_eq!(serde_json::to_string(&message).expect("a reply"), expected);
        let read: Reply = serde_json::from_str(&expected).expect("a reply");
        assert_eq!(&read.read::<M>().expect("what the method gives"), reply);
    }
}

/// Asserts that an error is written so, and read as what it was.
#[track_caller]
fn assert_error<E: InterfaceError + PartialEq + Debug>(error: &E, expected: &str) {
    assert_eq!(serde_json::to_string(&Reply::error(error)).expect("a reply"), expected);
    let read: Reply = serde_json::from_str(expected).expect("a reply");
    let refusal = read.read::<poll::List>().expect_err("an error");
    assert_eq!(E::from_refusal(&refusal).as_ref(), Some(error));
}

#[test]
fn varlink_service() {
    use varlink_service::*;
    assert_call(&GetInfo {}, r#"{"method":"org.varlink.service.GetInfo","parameters":{}}"#, |call| {
        super::super::Request::Varlink(Request::GetInfo(call))
    });
    let info = GetInfoReply {
        vendor: "lvmwarden".to_owned(),
        product: "lvmwarden".to_owned(),
        version: "0.1.0".to_owned(),
        url: "https://example.org".to_owned(),
        interfaces: vec![NAME.to_owned()],
    };
    assert_reply::<GetInfo>(
        &info,
        r#"{"interfaces":["org.varlink.service"],"product":"lvmwarden","url":"https://example.org","vendor":"lvmwarden","version":"0.1.0"}"#,
    );
    assert_call(
        &GetInterfaceDescription { interface: NAME.to_owned() },
        r#"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.varlink.service"}}"#,
        |call| super::super::Request::Varlink(Request::GetInterfaceDescription(call)),
    );
    assert_reply::<GetInterfaceDescription>(
        &GetInterfaceDescriptionReply { description: "interface a.b\n".to_owned() },
        r#"{"description":"interface a.b\n"}"#,
    );
    assert_error(
        &Error::InterfaceNotFound { interface: "a.b".to_owned() },
        r#"{"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"a.b"}}"#,
    );
    assert_error(
        &Error::MethodNotFound { method: "a.b.C".to_owned() },
        r#"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"a.b.C"}}"#,
    );
    assert_error(
        &Error::MethodNotImplemented { method: "a.b.C".to_owned() },
        r#"{"error":"org.varlink.service.MethodNotImplemented","parameters":{"method":"a.b.C"}}"#,
    );
    assert_error(
        &Error::InvalidParameter { parameter: "id".to_owned() },
        r#"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"id"}}"#,
    );
    assert_error(
        &Error::PermissionDenied,
        r#"{"error":"org.varlink.service.PermissionDenied","parameters":{}}"#,
    );
    assert_error(&Error::ExpectedMore, r#"{"error":"org.varlink.service.ExpectedMore","parameters":{}}"#);
}

#[test]
fn service() {
    use service::*;
    let wrap = super::super::Request::Service;
    assert_call(&Info {}, r#"{"method":"org.lvmwarden.Service.Info","parameters":{}}"#, |call| {
        wrap(Request::Info(call))
    });
    let info = InfoReply {
        product: "lvmwarden".to_owned(),
        version: "0.1.0".to_owned(),
        url: "https://example.org".to_owned(),
        pid: 4711,
        started_at: "2026-11-21T10:00:00Z".to_owned(),
        instance: "/run/lvm/lvmpolld.socket".to_owned(),
        roles: vec!["poll".to_owned()],
        history_problem: Some("full".to_owned()),
        lock_problem: None,
    };
    assert_reply::<Info>(
        &info,
        r#"{"history_problem":"full","instance":"/run/lvm/lvmpolld.socket","lock_problem":null,"pid":4711,"product":"lvmwarden","roles":["poll"],"started_at":"2026-11-21T10:00:00Z","url":"https://example.org","version":"0.1.0"}"#,
    );
    assert_call(
        &Stop { leave_children: true },
        r#"{"method":"org.lvmwarden.Service.Stop","parameters":{"leave_children":true}}"#,
        |call| wrap(Request::Stop(call)),
    );
    assert_reply::<Stop>(&Done {}, "{}");
    assert_error(
        &Error::InvalidMessage { reason: "expected value".to_owned() },
        r#"{"error":"org.lvmwarden.Service.InvalidMessage","parameters":{"reason":"expected value"}}"#,
    );
    assert_error(
        &Error::MessageTooLarge { limit_bytes: 1024 },
        r#"{"error":"org.lvmwarden.Service.MessageTooLarge","parameters":{"limit_bytes":1024}}"#,
    );
    assert_error(
        &Error::StillNeeded { reason: "the leases of vg0 are lost".to_owned() },
        r#"{"error":"org.lvmwarden.Service.StillNeeded","parameters":{"reason":"the leases of vg0 are lost"}}"#,
    );
    assert_error(
        &Error::TooMany { what: Bounded::WaitingCalls, uid: Some(1000), limit: 375 },
        r#"{"error":"org.lvmwarden.Service.TooMany","parameters":{"limit":375,"uid":1000,"what":"waiting_calls"}}"#,
    );
    assert_error(
        &Error::TooMany { what: Bounded::Connections, uid: None, limit: 54 },
        r#"{"error":"org.lvmwarden.Service.TooMany","parameters":{"limit":54,"uid":null,"what":"connections"}}"#,
    );
    assert_error(&Error::Busy, r#"{"error":"org.lvmwarden.Service.Busy","parameters":{}}"#);
}

fn operation() -> poll::Operation {
    poll::Operation {
        id: id(),
        kind: PollOperation::Pvmove,
        abort: false,
        vgname: vgname(),
        lvname: lvname(),
        lvid: "L".try_into().expect("a name"),
        sysdir: None,
        state: poll::OperationState::BackingOff,
        pid: Some(4712),
        attempt: 2,
        init_requests: 1,
        started_at: "2026-11-21T10:00:00Z".to_owned(),
        percent: Some(12.5),
        copy: Some(poll::CopyProgress {
            done_bytes: 125,
            total_bytes: 1000,
            segment: 1,
            segments: 3,
            bytes_per_second: Some(5),
            left_seconds: Some(175),
        }),
        blocked: Some(poll::Blocked {
            since: "2026-11-21T10:00:01Z".to_owned(),
            wait_point: Some("io_schedule".to_owned()),
            device: Some("/dev/sda".to_owned()),
        }),
        paused: true,
        hold: Some(poll::Hold { kind: poll::HoldKind::Window, until: Some("22:00".to_owned()) }),
        silent: false,
        outcome: None,
        asked_by: Some("pvmove /dev/sda".to_owned()),
    }
}

const OPERATION: &str = concat!(
    r#"{"abort":false,"asked_by":"pvmove /dev/sda","attempt":2,"blocked":{"device":"/dev/sda","#,
    r#""since":"2026-11-21T10:00:01Z","wait_point":"io_schedule"},"copy":{"bytes_per_second":5,"done_bytes":125,"#,
    r#""left_seconds":175,"segment":1,"segments":3,"total_bytes":1000},"hold":{"kind":"window","until":"22:00"},"#,
    r#""id":"018f0000-0000-7000-8000-000000000001","init_requests":1,"kind":"pvmove","lvid":"L","lvname":"pvmove0","outcome":null,"paused":true,"percent":12.5,"pid":4712,"#,
    r#""silent":false,"started_at":"2026-11-21T10:00:00Z","state":"backing_off","sysdir":null,"vgname":"vg0"}"#,
);

#[test]
fn poll_questions() {
    use poll::*;
    let wrap = super::super::Request::Poll;
    let one = OperationReply { operation: operation() };
    let one_json = format!("{{\"operation\":{OPERATION}}}");
    assert_call(&List { page: None }, r#"{"method":"org.lvmwarden.Poll.List","parameters":{}}"#, |call| {
        wrap(Request::List(call))
    });
    assert_reply::<List>(
        &ListReply { operations: vec![operation()], next_page: None },
        &format!("{{\"operations\":[{OPERATION}]}}"),
    );
    assert_call(
        &Show { id: id() },
        &format!(r#"{{"method":"org.lvmwarden.Poll.Show","parameters":{{"id":"{ID}"}}}}"#),
        |call| wrap(Request::Show(call)),
    );
    assert_reply::<Show>(&one, &one_json);
    assert_call(
        &Wait { id: id(), timeout_ms: Some(1500) },
        &format!(r#"{{"method":"org.lvmwarden.Poll.Wait","parameters":{{"id":"{ID}","timeout_ms":1500}}}}"#),
        |call| wrap(Request::Wait(call)),
    );
    assert_reply::<Wait>(&one, &one_json);
    assert_call(
        &Watch { id: None },
        r#"{"method":"org.lvmwarden.Poll.Watch","parameters":{"id":null},"more":true}"#,
        |call| wrap(Request::Watch(call)),
    );
    assert_reply::<Watch>(&one, &one_json);
    assert_call(
        &History { limit: Some(2), page: None },
        r#"{"method":"org.lvmwarden.Poll.History","parameters":{"limit":2}}"#,
        |call| wrap(Request::History(call)),
    );
    let entry = HistoryEntry {
        time: "2026-11-21T10:00:00Z".to_owned(),
        id: id(),
        kind: PollOperation::MergeThin,
        abort: false,
        vgname: vgname(),
        lvname: lvname(),
        step: HistoryStep::Ended,
        pid: None,
        attempt: Some(2),
        outcome: Some(Outcome { retcode: Some(5), ..Outcome::of(OutcomeKind::Failed) }),
        asked_by: Some("lvconvert".to_owned()),
        uid: Some(0),
        segment: Some(SegmentDone { number: 1, count: 2, bytes: Some(512), took_ms: Some(7) }),
        why: Some("killed".to_owned()),
    };
    assert_call(
        &Story { id: id() },
        &format!(r#"{{"method":"org.lvmwarden.Poll.Story","parameters":{{"id":"{ID}"}}}}"#),
        |call| wrap(Request::Story(call)),
    );
    let story = OperationStory {
        id: id(),
        kind: PollOperation::MergeThin,
        abort: false,
        vgname: vgname(),
        lvname: lvname(),
        asked_by: None,
        uid: Some(0),
        is_over: true,
        left_out: 3,
        steps: Vec::new(),
    };
    assert_reply::<Story>(
        &StoryReply { story },
        r#"{"story":{"abort":false,"asked_by":null,"id":"018f0000-0000-7000-8000-000000000001","is_over":true,"kind":"merge_thin","left_out":3,"lvname":"pvmove0","steps":[],"uid":0,"vgname":"vg0"}}"#,
    );
    assert_reply::<History>(
        &HistoryReply { entries: vec![entry], next_page: None },
        r#"{"entries":[{"abort":false,"asked_by":"lvconvert","attempt":2,"id":"018f0000-0000-7000-8000-000000000001","kind":"merge_thin","lvname":"pvmove0","outcome":{"cause":null,"kind":"failed","last_lines":[],"remedy":null,"retcode":5,"signal":null},"pid":null,"segment":{"bytes":512,"count":2,"number":1,"took_ms":7},"step":"ended","time":"2026-11-21T10:00:00Z","uid":0,"vgname":"vg0","why":"killed"}]}"#,
    );
}

#[test]
fn poll_foreign() {
    use poll::*;
    let wrap = super::super::Request::Poll;
    assert_call(
        &Foreign { page: None },
        r#"{"method":"org.lvmwarden.Poll.Foreign","parameters":{}}"#,
        |call| wrap(Request::Foreign(call)),
    );
    let copy = CopyProgress {
        done_bytes: 1,
        total_bytes: 4,
        segment: 1,
        segments: 1,
        bytes_per_second: None,
        left_seconds: None,
    };
    let copy = ForeignCopy {
        vgname: vgname(),
        lvname: "t".try_into().expect("a name"),
        lvid: "l".try_into().expect("an lvid"),
        kind: ForeignKind::Check,
        percent: Some(25.0),
        copy: Some(copy),
        mismatches: Some(128),
    };
    assert_reply::<Foreign>(
        &ForeignReply { copies: vec![copy], next_page: None },
        r#"{"copies":[{"copy":{"bytes_per_second":null,"done_bytes":1,"left_seconds":null,"segment":1,"segments":1,"total_bytes":4},"kind":"check","lvid":"l","lvname":"t","mismatches":128,"percent":25.0,"vgname":"vg0"}]}"#,
    );
    for kind in ForeignKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("a word"), kind.as_str());
    }
}

#[test]
fn poll_orders() {
    use poll::*;
    let wrap = super::super::Request::Poll;
    let start = Start {
        kind: PollOperation::Convert,
        vgname: vgname(),
        lvname: lvname(),
        lvid: LVID.try_into().expect("two UUIDs"),
        interval_seconds: Some(15),
        handle_missing_pvs: None,
        sysdir: None,
        devicesfile: Some("mine".try_into().expect("a name")),
    };
    assert_call(
        &start,
        &format!(
            r#"{{"method":"org.lvmwarden.Poll.Start","parameters":{{"devicesfile":"mine","handle_missing_pvs":null,"interval_seconds":15,"kind":"convert","lvid":"{LVID}","lvname":"pvmove0","sysdir":null,"vgname":"vg0"}}}}"#
        ),
        |call| wrap(Request::Start(call)),
    );
    let started = StartReply { id: id(), already_running: true };
    let started_json = format!(r#"{{"already_running":true,"id":"{ID}"}}"#);
    assert_reply::<Start>(&started, &started_json);
    assert_call(
        &Abort::ById(id()),
        &format!(
            r#"{{"method":"org.lvmwarden.Poll.Abort","parameters":{{"id":"{ID}","lvname":null,"vgname":null}}}}"#
        ),
        |call| wrap(Request::Abort(call)),
    );
    assert_call(
        &Abort::ByLv { vgname: vgname(), lvname: lvname() },
        r#"{"method":"org.lvmwarden.Poll.Abort","parameters":{"id":null,"lvname":"pvmove0","vgname":"vg0"}}"#,
        |call| wrap(Request::Abort(call)),
    );
    assert_reply::<Abort>(&started, &started_json);
    assert_call(
        &Pause { id: id() },
        &format!(r#"{{"method":"org.lvmwarden.Poll.Pause","parameters":{{"id":"{ID}"}}}}"#),
        |call| wrap(Request::Pause(call)),
    );
    assert_call(
        &Resume { id: id() },
        &format!(r#"{{"method":"org.lvmwarden.Poll.Resume","parameters":{{"id":"{ID}"}}}}"#),
        |call| wrap(Request::Resume(call)),
    );
    let one = OperationReply { operation: operation() };
    assert_reply::<Pause>(&one, &format!("{{\"operation\":{OPERATION}}}"));
    assert_reply::<Resume>(&one, &format!("{{\"operation\":{OPERATION}}}"));
}

#[test]
fn poll_reconciling() {
    use poll::*;
    assert_call(
        &Reconcile { dry_run: Some(true) },
        r#"{"method":"org.lvmwarden.Poll.Reconcile","parameters":{"dry_run":true}}"#,
        |call| super::super::Request::Poll(Request::Reconcile(call)),
    );
    let lv = UnfinishedLv {
        kind: PollOperation::Pvmove,
        vgname: vgname(),
        lvname: lvname(),
        lvid: Lvid::try_from("L").expect("a name"),
        standing: Standing::Foreign,
        id: None,
        pid: Some(4711),
        detail: Some("pvmove -i 1".to_owned()),
    };
    assert_reply::<Reconcile>(
        &ReconcileReply { unfinished: vec![lv] },
        r#"{"unfinished":[{"detail":"pvmove -i 1","id":null,"kind":"pvmove","lvid":"L","lvname":"pvmove0","pid":4711,"standing":"foreign","vgname":"vg0"}]}"#,
    );
}

#[test]
fn poll_throttling() {
    use poll::*;
    let wrap = super::super::Request::Poll;
    assert_call(
        &Throttle { mirror_percent: Some(5), snapshot_percent: None },
        r#"{"method":"org.lvmwarden.Poll.Throttle","parameters":{"mirror_percent":5,"snapshot_percent":null}}"#,
        |call| wrap(Request::Throttle(call)),
    );
    assert_call(&Throttling {}, r#"{"method":"org.lvmwarden.Poll.Throttling","parameters":{}}"#, |call| {
        wrap(Request::Throttling(call))
    });
    let knob = ThrottleKnob {
        name: "mirror".to_owned(),
        scope: "every mirror".to_owned(),
        path: "/sys/x".to_owned(),
        wanted_percent: Some(5),
        original_percent: Some(100),
        actual_percent: None,
    };
    assert_reply::<Throttling>(
        &ThrottlingReply { knobs: vec![knob] },
        r#"{"knobs":[{"actual_percent":null,"name":"mirror","original_percent":100,"path":"/sys/x","scope":"every mirror","wanted_percent":5}]}"#,
    );
}

#[test]
fn poll_outcomes_and_errors() {
    use poll::*;
    let invalid = Outcome {
        cause: Some("full".to_owned()),
        remedy: Some("lvremove".to_owned()),
        last_lines: vec!["Merging snapshot invalidated".to_owned()],
        retcode: Some(5),
        ..Outcome::of(OutcomeKind::Invalid)
    };
    let expected = r#"{"kind":"invalid","cause":"full","remedy":"lvremove","last_lines":["Merging snapshot invalidated"],"retcode":5,"signal":null}"#;
    assert_eq!(serde_json::to_string(&invalid).expect("an outcome"), expected);
    assert_eq!(serde_json::from_str::<Outcome>(expected).expect("an outcome"), invalid);
    for kind in [
        OutcomeKind::Done,
        OutcomeKind::DoneWithErrors,
        OutcomeKind::Aborted,
        OutcomeKind::NothingToDo,
        OutcomeKind::Invalid,
        OutcomeKind::Interrupted,
        OutcomeKind::Failed,
        OutcomeKind::Lost,
    ] {
        assert_eq!(serde_json::to_value(kind).expect("a word"), kind.as_str());
    }
    assert_error(
        &Error::NotFound { id: "vg0/lv".to_owned() },
        r#"{"error":"org.lvmwarden.Poll.NotFound","parameters":{"id":"vg0/lv"}}"#,
    );
    assert_error(&Error::Busy, r#"{"error":"org.lvmwarden.Poll.Busy","parameters":{}}"#);
    assert_error(
        &Error::DifferentOperation,
        r#"{"error":"org.lvmwarden.Poll.DifferentOperation","parameters":{}}"#,
    );
    assert_error(
        &Error::Failed { reason: "the journal is full".to_owned() },
        r#"{"error":"org.lvmwarden.Poll.Failed","parameters":{"reason":"the journal is full"}}"#,
    );
    assert_error(
        &Error::CannotPause { reason: "it has ended".to_owned() },
        r#"{"error":"org.lvmwarden.Poll.CannotPause","parameters":{"reason":"it has ended"}}"#,
    );
    assert_error(&Error::NotPvmove, r#"{"error":"org.lvmwarden.Poll.NotPvmove","parameters":{}}"#);
}

#[test]
fn supervisor() {
    use supervisor::*;
    let wrap = super::super::Request::Supervisor;
    assert_call(
        &Tree { page: None },
        r#"{"method":"org.lvmwarden.Supervisor.Tree","parameters":{}}"#,
        |call| wrap(Request::Tree(call)),
    );
    let node = |name: &str, kind, last_exit, children| Node {
        name: name.to_owned(),
        kind,
        state: NodeState::GivenUp,
        restarts: 3,
        last_exit,
        children,
    };
    let poll = node("root/poll", NodeKind::Worker, Some(Exit::Panicked("boom".to_owned())), vec![]);
    let doors = node("root/doors", NodeKind::Worker, Some(Exit::Killed), vec![]);
    let root = node("root", NodeKind::Supervisor, None, vec![poll, doors]);
    assert_reply::<Tree>(
        &TreeReply { root, next_page: None },
        concat!(
            r#"{"root":{"children":["#,
            r#"{"children":[],"kind":"worker","last_exit":{"message":"boom","reason":"panicked"},"name":"root/poll","restarts":3,"state":"given_up"},"#,
            r#"{"children":[],"kind":"worker","last_exit":{"reason":"killed"},"name":"root/doors","restarts":3,"state":"given_up"}"#,
            r#"],"kind":"supervisor","last_exit":null,"name":"root","restarts":3,"state":"given_up"}}"#,
        ),
    );
    assert_call(
        &Restart { name: "root/poll".to_owned() },
        r#"{"method":"org.lvmwarden.Supervisor.Restart","parameters":{"name":"root/poll"}}"#,
        |call| wrap(Request::Restart(call)),
    );
    assert_reply::<Restart>(&Done {}, "{}");
    assert_call(
        &SetLogLevel { level: "debug".to_owned() },
        r#"{"method":"org.lvmwarden.Supervisor.SetLogLevel","parameters":{"level":"debug"}}"#,
        |call| wrap(Request::SetLogLevel(call)),
    );
    assert_reply::<SetLogLevel>(&Done {}, "{}");
    assert_error(
        &Error::UnknownName { name: "x".to_owned() },
        r#"{"error":"org.lvmwarden.Supervisor.UnknownName","parameters":{"name":"x"}}"#,
    );
    assert_error(
        &Error::BadLevel { level: "loud".to_owned(), permitted: vec!["error".to_owned(), "info".to_owned()] },
        r#"{"error":"org.lvmwarden.Supervisor.BadLevel","parameters":{"level":"loud","permitted":["error","info"]}}"#,
    );
    assert_error(&Error::Busy, r#"{"error":"org.lvmwarden.Supervisor.Busy","parameters":{}}"#);
}

#[test]
fn events() {
    use events::*;
    let wrap = super::super::Request::Events;
    let cursor = |number| Cursor::new("a-1", number).expect("a cursor");
    let event = Event {
        cursor: cursor(7),
        time: "2026-11-21T10:00:00Z".to_owned(),
        kind: "poll.started".to_owned(),
        subject: "vg0/pvmove0".to_owned(),
        fields: BTreeMap::from([("pid".to_owned(), "4712".to_owned())]),
    };
    let event_json = r#"{"cursor":"a-1:7","fields":{"pid":"4712"},"kind":"poll.started","subject":"vg0/pvmove0","time":"2026-11-21T10:00:00Z"}"#;
    assert_call(
        &Recent { limit: Some(5), page: Some("x:1".to_owned()) },
        r#"{"method":"org.lvmwarden.Events.Recent","parameters":{"limit":5,"page":"x:1"}}"#,
        |call| wrap(Request::Recent(call)),
    );
    assert_reply::<Recent>(
        &RecentReply { events: vec![event.clone()], next_page: Some("x:0".to_owned()) },
        &format!("{{\"events\":[{event_json}],\"next_page\":\"x:0\"}}"),
    );
    assert_call(
        &Subscribe { cursor: Some(cursor(6)), limit: None },
        r#"{"method":"org.lvmwarden.Events.Subscribe","parameters":{"cursor":"a-1:6","limit":null},"more":true}"#,
        |call| wrap(Request::Subscribe(call)),
    );
    assert_reply::<Subscribe>(&SubscribeReply::Event(event), &format!("{{\"event\":{event_json}}}"));
    let gap = Gap { after: cursor(7), before: cursor(10), missed: Some(2), because: GapCause::SlowReader };
    assert_reply::<Subscribe>(
        &SubscribeReply::Gap(gap),
        r#"{"gap":{"after":"a-1:7","because":"slow_reader","before":"a-1:10","missed":2}}"#,
    );
    assert_error(&Error::Busy, r#"{"error":"org.lvmwarden.Events.Busy","parameters":{}}"#);
}

#[test]
fn metrics() {
    use metrics::*;
    assert_call(&Get {}, r#"{"method":"org.lvmwarden.Metrics.Get","parameters":{}}"#, |call| {
        super::super::Request::Metrics(Request::Get(call))
    });
    assert_reply::<Get>(&GetReply { openmetrics: "# EOF\n".to_owned() }, r##"{"openmetrics":"# EOF\n"}"##);
    assert_error(&Error::Busy, r#"{"error":"org.lvmwarden.Metrics.Busy","parameters":{}}"#);
}

#[test]
fn archive() {
    use archive::*;
    let wrap = super::super::Request::Archive;
    assert_call(&Status {}, r#"{"method":"org.lvmwarden.Archive.Status","parameters":{}}"#, |call| {
        wrap(Request::Status(call))
    });
    let limits = Limits { files_per_vg: 500, bytes_per_vg: 1 << 20, age_days: 365, keep_newest: 10 };
    let status = StatusReply {
        state: JanitorState::Waiting,
        directory: "/etc/lvm/archive".to_owned(),
        period_minutes: 60,
        limits,
        is_clock_synchronised: true,
        seen: Some(Seen { files: 3, bytes: 4096, unrecognised: 1 }),
        last_pass: Some(Pass {
            ended_at: "2026-11-21T10:00:00Z".to_owned(),
            took_ms: 12,
            removed_files: 7,
            removed_bytes: 8192,
            vgs_over: 0,
            problem: None,
        }),
    };
    assert_reply::<Status>(
        &status,
        r#"{"directory":"/etc/lvm/archive","is_clock_synchronised":true,"last_pass":{"ended_at":"2026-11-21T10:00:00Z","problem":null,"removed_bytes":8192,"removed_files":7,"took_ms":12,"vgs_over":0},"limits":{"age_days":365,"bytes_per_vg":1048576,"files_per_vg":500,"keep_newest":10},"period_minutes":60,"seen":{"bytes":4096,"files":3,"unrecognised":1},"state":"waiting"}"#,
    );
    let report = Report {
        files: 3,
        bytes: 30,
        removed_files: 1,
        removed_bytes: 10,
        unrecognised: 1,
        is_cut_off: false,
        vgs: vec![Vg {
            vgname: "vg0".to_owned(),
            files: 3,
            bytes: 30,
            removed_files: 1,
            removed_bytes: 10,
            unmet: vec![Unmet { bound: Bound::Age, because: Because::NewestCopies }],
        }],
        vgs_left_out: 0,
        removals: vec![Removal {
            file_name: "vg0_00001-7.vg".to_owned(),
            bytes: 10,
            modified_at: "2026-11-21T10:00:00Z".to_owned(),
            bound: Bound::Files,
        }],
        removals_left_out: 0,
    };
    let report_json = r#"{"report":{"bytes":30,"files":3,"is_cut_off":false,"removals":[{"bound":"files","bytes":10,"file_name":"vg0_00001-7.vg","modified_at":"2026-11-21T10:00:00Z"}],"removals_left_out":0,"removed_bytes":10,"removed_files":1,"unrecognised":1,"vgs":[{"bytes":30,"files":3,"removed_bytes":10,"removed_files":1,"unmet":[{"because":"newest_copies","bound":"age"}],"vgname":"vg0"}],"vgs_left_out":0}}"#;
    assert_call(&Plan {}, r#"{"method":"org.lvmwarden.Archive.Plan","parameters":{}}"#, |call| {
        wrap(Request::Plan(call))
    });
    assert_reply::<Plan>(&PlanReply { report: report.clone() }, report_json);
    assert_call(&Clean {}, r#"{"method":"org.lvmwarden.Archive.Clean","parameters":{}}"#, |call| {
        wrap(Request::Clean(call))
    });
    assert_reply::<Clean>(&CleanReply { report }, report_json);
    assert_error(&Error::Off, r#"{"error":"org.lvmwarden.Archive.Off","parameters":{}}"#);
    assert_error(&Error::Busy, r#"{"error":"org.lvmwarden.Archive.Busy","parameters":{}}"#);
    assert_error(
        &Error::Failed { reason: "x".to_owned() },
        r#"{"error":"org.lvmwarden.Archive.Failed","parameters":{"reason":"x"}}"#,
    );
}

#[test]
fn the_word_for_a_state_is_what_is_sent() {
    for state in poll::OperationState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

#[test]
fn metadata() {
    use metadata::*;
    let wrap = super::super::Request::Metadata;
    let coverage = Coverage { reading: Reading::Underway, since_ms: 12 };
    let freshness = Freshness { source: Source::Disk, age_ms: 2000, verified_ms_ago: 10 };
    assert_call(
        &Lvs { vgname: Some(vgname()), all: Some(true), max_age_ms: Some(1000), page: None },
        r#"{"method":"org.lvmwarden.Metadata.Lvs","parameters":{"all":true,"max_age_ms":1000,"vgname":"vg0"}}"#,
        |call| wrap(Request::Lvs(call)),
    );
    assert_call(
        &Wait { vgname: vgname(), timeout_ms: None },
        r#"{"method":"org.lvmwarden.Metadata.Wait","parameters":{"timeout_ms":null,"vgname":"vg0"}}"#,
        |call| wrap(Request::Wait(call)),
    );
    assert_call(
        &Rescan { device: "/dev/sda".try_into().expect("a device") },
        r#"{"method":"org.lvmwarden.Metadata.Rescan","parameters":{"device":"/dev/sda"}}"#,
        |call| wrap(Request::Rescan(call)),
    );
    let vg = Vg {
        vgname: "vg0".to_owned(),
        uuid: "u".to_owned(),
        seqno: 7,
        attr: "wz-pn-".to_owned(),
        completeness: Completeness::Partial,
        missing_pvs: 1,
        is_out_of_date: false,
        pvs: 2,
        lvs: 3,
        snapshots: 0,
        size_bytes: 8192,
        free_bytes: 4096,
        extent_size_bytes: 4096,
        extents: 2,
        free_extents: 1,
        tags: vec!["t".to_owned()],
        system_id: None,
        lock_type: Some("sanlock".to_owned()),
        freshness,
    };
    let vg_json = r#"{"attr":"wz-pn-","completeness":"partial","extent_size_bytes":4096,"extents":2,"free_bytes":4096,"free_extents":1,"freshness":{"age_ms":2000,"source":"disk","verified_ms_ago":10},"is_out_of_date":false,"lock_type":"sanlock","lvs":3,"missing_pvs":1,"pvs":2,"seqno":7,"size_bytes":8192,"snapshots":0,"system_id":null,"tags":["t"],"uuid":"u","vgname":"vg0"}"#;
    let told = r#""coverage":{"reading":"underway","since_ms":12}"#;
    assert_reply::<Vgs>(
        &VgsReply { coverage, vgs: vec![vg.clone()], next_page: Some("x".to_owned()) },
        &format!(r#"{{{told},"next_page":"x","vgs":[{vg_json}]}}"#),
    );
    let missing_pv_uuids = vec!["p".to_owned()];
    assert_reply::<Wait>(
        &WaitReply { coverage, completeness: Completeness::Partial, vg: Some(vg), missing_pv_uuids },
        &format!(r#"{{"completeness":"partial",{told},"missing_pv_uuids":["p"],"vg":{vg_json}}}"#),
    );
    let (change, uuid) = (Change::Gone, "u".to_owned());
    assert_reply::<Watch>(
        &WatchReply { coverage, change, vgname: "vg0".to_owned(), uuid, vg: None },
        &format!(r#"{{"change":"gone",{told},"uuid":"u","vg":null,"vgname":"vg0"}}"#),
    );
    assert_error(&Error::NotServed, r#"{"error":"org.lvmwarden.Metadata.NotServed","parameters":{}}"#);
    assert_error(
        &Error::NotFound { vgname: vgname(), coverage },
        &format!(r#"{{"error":"org.lvmwarden.Metadata.NotFound","parameters":{{{told},"vgname":"vg0"}}}}"#),
    );
    assert_error(
        &Error::Ambiguous { vgname: vgname(), uuids: vec!["a".to_owned(), "b".to_owned()] },
        r#"{"error":"org.lvmwarden.Metadata.Ambiguous","parameters":{"uuids":["a","b"],"vgname":"vg0"}}"#,
    );
}
