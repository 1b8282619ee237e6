//! The contract's tables: each request as a client words it, each reply and each file byte for byte.

use super::*;

mod files;

#[track_caller]
fn request(message: &str) -> Request {
    Request::parse(message.as_bytes()).unwrap_or_else(|error| panic!("{message:?}: {error}"))
}

#[track_caller]
fn lock(message: &str) -> Lock {
    match request(message).operation {
        Operation::Lock(lock) => lock,
        other => panic!("{message:?} asks for {other:?}"),
    }
}

/// Parses, compares, and writes the same text again.
#[track_caller]
fn assert_request(message: &str, expected: &Request) {
    assert_eq!(&request(message), expected);
    assert_eq!(String::from_utf8_lossy(&expected.to_bytes()), message);
}

#[track_caller]
fn assert_reply(reply: &Reply, expected: &str) {
    let message = format!("response = \"OK\"\n{expected}");
    assert_eq!(String::from_utf8_lossy(&reply.to_bytes()), message);
    assert_eq!(Reply::parse(message.as_bytes()).as_ref(), Ok(reply));
}

const UUID: &str = "wGJeAV-x9Wd-QnzP-LMeu-L4gd-MBqv-Wfshz3";

/// Parses what tests have to be right.
#[track_caller]
fn id<'t, T: TryFrom<&'t str, Error: std::fmt::Debug>>(text: &'t str) -> T {
    text.try_into().unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

fn in_vg(operation: Operation) -> Request {
    Request { pid: 380, vg: Some(id("vg")), ..Request::new(operation) }
}

fn lv(args: &str) -> Lv {
    Lv { name: Some(id("lv1")), uuid: Some(id(UUID)), args: Some(id(args)) }
}

#[test]
fn a_request_is_known_by_its_first_word_however_it_is_spaced() {
    for message in [
        "request=\"hello\"",
        "request = \"hello\"\n",
        "request=hello pid=5 cmd=\"x\"",
        "request=\"hello\" request=\"dump\"\n##\n",
    ] {
        assert_eq!(request(message).operation, Operation::Hello, "{message}");
    }
}

#[test]
fn anything_else_is_not_understood() {
    let error = |message: &[u8]| Request::parse(message).expect_err("not understood");
    for message in ["", "request=", "hello", "request=\"hello\" }"] {
        assert!(matches!(error(message.as_bytes()), NotUnderstood::Syntax(_)), "{message:?}");
    }
    for message in ["request=\"\"", "request=1", "request=[]", "request { lock_vg=1 }", "reply=\"hello\""] {
        assert_eq!(error(message.as_bytes()), NotUnderstood::NoKeyword, "{message:?}");
    }
    assert_eq!(error(b"request=\"hell\xff\""), NotUnderstood::NoKeyword);
    for keyword in ["Hello", "lock_pv", "lock", "pvmove", "hello "] {
        let message = format!("request=\"{keyword}\"");
        assert_eq!(error(message.as_bytes()), NotUnderstood::UnknownKeyword { keyword: keyword.to_owned() });
    }
}

#[test]
fn requests_for_locks_are_those_of_lvm() {
    let lock =
        |target, mode, options| Operation::Lock(Lock { target, mode: Some(mode), options, max_retries: 4 });
    assert_request(
        "request=\"lock_gl\"\ncmd =\"vgs\"\npid =302\nmode =\"sh\"\nopts =\"none\"\nvg_lock_type =\"none\"\n",
        &Request {
            cmd: "vgs".into(),
            pid: 302,
            ..Request::new(lock(Target::Global, LockMode::Shared, Options::NONE))
        },
    );
    assert_request(
        "request=\"lock_vg\"\ncmd =\"vgs\"\npid =380\nmode =\"un\"\nopts =\"none\"\nvg_name =\"vg\"\n\
         vg_lock_type =\"none\"\nvg_lock_args =\"none\"\n",
        &Request { cmd: "vgs".into(), ..in_vg(lock(Target::Vg, LockMode::Unlocked, Options::NONE)) },
    );
    assert_request(
        "request=\"lock_lv\"\ncmd =\"lvcreate\"\npid =380\nmode =\"ex\"\nopts =\"persistent\"\nvg_name =\"vg\"\n\
         lv_name =\"lv1\"\nlv_uuid =\"wGJeAV-x9Wd-QnzP-LMeu-L4gd-MBqv-Wfshz3\"\nvg_lock_type =\"sanlock\"\nvg_lock_args =\"1.0.0:lvmlock\"\n\
         lv_lock_args =\"1.0.0:71303168\"\n",
        &Request {
            cmd: "lvcreate".into(),
            lock_type: LockType::Sanlock.into(),
            lock_args: Some(id("1.0.0:lvmlock")),
            ..in_vg(lock(Target::Lv(lv("1.0.0:71303168")), LockMode::Exclusive, Options::PERSISTENT))
        },
    );
}

#[test]
fn other_requests_are_those_of_lvm() {
    let of_type = |operation, lock_type: LockType, args: &str| Request {
        lock_type: lock_type.into(),
        lock_args: Some(id(args)),
        ..in_vg(operation)
    };
    let sanlock = |operation| of_type(operation, LockType::Sanlock, "1.0.0:lvmlock");
    let texts = |first: &str, rest: &str| format!("request=\"{first}\"\npid =380\nvg_name =\"vg\"\n{rest}");
    let (of_lv, of_vg) = (
        "lv_name =\"lv1\"\nlv_uuid =\"wGJeAV-x9Wd-QnzP-LMeu-L4gd-MBqv-Wfshz3\"\n",
        "vg_lock_type =\"sanlock\"\nvg_lock_args =\"1.0.0:lvmlock\"\n",
    );
    assert_request(
        "request=\"running_lm\"\npid =380\n",
        &Request { pid: 380, ..Request::new(Operation::RunningLm) },
    );
    assert_request(
        &texts("vg_update", "version =4\n"),
        &in_vg(Operation::VgUpdate { version: 4, options: Options::NONE }),
    );
    let init_vg = |align_mb| Operation::InitVg { options: Options::NONE, set_args: "".into(), align_mb };
    assert_request(
        &texts(
            "init_vg",
            "vg_lock_type =\"sanlock\"\nvg_lock_args =\"lvmlock\"\nopts =\"none\"\nalign_mb =2\n",
        ),
        &of_type(init_vg(2), LockType::Sanlock, "lvmlock"),
    );
    assert_request(&texts("init_vg", "vg_lock_type =\"dlm\"\n"), &of_type(init_vg(0), LockType::Dlm, ""));
    assert_request(
        &texts("init_lv", &format!("{of_lv}{of_vg}prev_lv_args =\"1.0.0:70254592\"\n")),
        &sanlock(Operation::InitLv { lv: lv(""), previous_args: "1.0.0:70254592".into() }),
    );
    assert_request(
        &texts("free_lv", &format!("{of_lv}{of_vg}lv_lock_args =\"1.0.0:70254592\"\n")),
        &sanlock(Operation::FreeLv(lv("1.0.0:70254592"))),
    );
    for (keyword, operation) in [
        ("free_vg", Operation::FreeVg),
        ("busy_vg", Operation::BusyVg),
        ("rename_vg_before", Operation::RenameVgBefore),
        ("rename_vg_final", Operation::RenameVgFinal),
    ] {
        assert_request(&texts(keyword, of_vg), &sanlock(operation));
    }
    assert_request(
        &texts(
            "start_vg",
            &format!(
                "{of_vg}vg_uuid =\"4usvQm-uVPi-0kUS-xmrr-fUEc-lnfV-qN3nEI\"\nversion =3\nhost_id =1\nopts =\"wait,adopt_only\"\n"
            ),
        ),
        &sanlock(Operation::StartVg {
            vg_uuid: Some(id("4usvQm-uVPi-0kUS-xmrr-fUEc-lnfV-qN3nEI")),
            version: 3,
            host_id: 1,
            options: Options::WAIT | Options::ADOPT_ONLY,
        }),
    );
    for (keyword, operation) in [
        ("stop_vg", Operation::StopVg(Options::NONE)),
        ("enable_gl", Operation::EnableGlobal),
        ("disable_gl", Operation::DisableGlobal(Options::NONE)),
        ("kill_vg", Operation::KillVg),
        ("drop_vg", Operation::DropVg),
        ("find_free_lock", Operation::FindFreeLock { lv_size_bytes: 0 }),
        ("vg_status", Operation::VgStatus),
    ] {
        assert_request(&texts(keyword, ""), &in_vg(operation));
    }
    assert_request(
        &texts("find_free_lock", "lv_size_bytes =268435456\n"),
        &in_vg(Operation::FindFreeLock { lv_size_bytes: 268_435_456 }),
    );
    for (opts, options) in
        [("none", Options::NONE), ("wait ", Options::WAIT), ("wait force ", Options::WAIT | Options::FORCE)]
    {
        assert_request(
            &format!("request=\"stop_all\"\ncmd =\"lvmlockctl\"\npid =380\nopts =\"{opts}\"\n"),
            &Request { cmd: "lvmlockctl".into(), pid: 380, ..Request::new(Operation::StopAll(options)) },
        );
    }
}

#[test]
fn requests_that_came_later_are_understood() {
    let set = "vg_lock_type =\"sanlock\"\nset_lock_args =\"persist,notimeout\"\n";
    let set_args = || "persist,notimeout".into();
    for (keyword, operation) in [
        ("setlockargs_vg_before", Operation::SetLockArgsBefore { set_args: set_args() }),
        ("setlockargs_vg_final", Operation::SetLockArgsFinal { set_args: set_args() }),
    ] {
        assert_request(
            &format!("request=\"{keyword}\"\npid =380\nvg_name =\"vg\"\n{set}"),
            &Request { lock_type: LockType::Sanlock.into(), ..in_vg(operation) },
        );
    }
    assert_request(
        "request=\"set_remote_lv_lock\"\npid =380\nvg_name =\"vg\"\nlv_uuid =\"wGJeAV-x9Wd-QnzP-LMeu-L4gd-MBqv-Wfshz3\"\nmode =\"ex\"\n",
        &in_vg(Operation::SetRemoteLvLock { lv_uuid: Some(id(UUID)), mode: Some(LockMode::Exclusive) }),
    );
    assert_request(
        "request=\"refresh_lv\"\npid =380\nopts =\"none\"\nlv_uuid =\"wGJeAV-x9Wd-QnzP-LMeu-L4gd-MBqv-Wfshz3\"\npath =\"/dev/vg/lv1\"\n",
        &Request {
            pid: 380,
            ..Request::new(Operation::RefreshLv { lv_uuid: Some(id(UUID)), path: "/dev/vg/lv1".into() })
        },
    );
    for (keyword, target) in [
        ("query_lock_vg", Target::Vg),
        ("query_lock_lv", Target::Lv(Lv { name: None, uuid: None, args: Some(LockArgs::default()) })),
    ] {
        let message = format!("request=\"{keyword}\" pid=380 vg_name=\"vg\"");
        assert_eq!(request(&message), in_vg(Operation::QueryLock(target)));
    }
}

#[test]
fn fields_of_the_wrong_type_count_as_absent() {
    let usual = lock("request=\"lock_vg\" mode=\"ex\"");
    assert_eq!((usual.max_retries, usual.mode, usual.options), (4, Some(LockMode::Exclusive), Options::NONE));
    let wrong = request(
        "request=\"lock_vg\" mode=5 opts=7 max_retries=\"abc\" pid=\"1\" cmd=3 vg_name=4 vg_lock_type=2 vg_lock_args=[]",
    );
    let expected = Lock { target: Target::Vg, mode: None, options: Options::NONE, max_retries: 4 };
    assert_eq!(wrong, Request::new(Operation::Lock(expected)));
    let odd = request("request=\"start_vg\" version=4294967298 host_id=-1 vg_uuid { x=1 }");
    let Operation::StartVg { vg_uuid, version, host_id, .. } = odd.operation else { panic!("{odd:?}") };
    assert_eq!((vg_uuid, version, host_id), (None, 2, u32::MAX));
}

#[test]
fn the_first_of_two_fields_wins_and_none_is_nothing() {
    let twice = request(
        "request=\"kill_vg\" vg_name=\"a\" vg_name=\"b\" request=\"drop_vg\" cmd=\"none\" foo=\"bar\"",
    );
    assert_eq!(twice, Request { vg: Some(id("a")), ..Request::new(Operation::KillVg) });
    assert_eq!(request("request=\"kill_vg\" vg_name { x=1 } vg_name=\"b\"").vg, None);
    let not_utf8 = Request::parse(b"request=\"kill_vg\" vg_name=\"\xff\"").expect("a request");
    assert_eq!(not_utf8, Request::new(Operation::KillVg));
}

#[test]
fn what_lvm_never_lets_be_a_name_a_uuid_or_lock_arguments_is_none() {
    for name in ["-x", ".", "..", "a/b", "../x", "a b", "a\n", "é", &"v".repeat(128)] {
        let lock = format!("request=\"lock_lv\" vg_name=\"{name}\" lv_name=\"{name}\" lv_uuid=\"{UUID}\"");
        let Request { vg, operation: Operation::Lock(Lock { target: Target::Lv(lv), .. }), .. } =
            request(&lock)
        else {
            panic!("{lock} is for an LV");
        };
        assert_eq!((vg, lv.name, lv.uuid), (None, None, Some(id(UUID))), "{name}");
    }
    let uuid_of = |uuid: &str| match request(&format!("request=\"free_lv\" lv_uuid=\"{uuid}\"")).operation {
        Operation::FreeLv(lv) => lv.uuid,
        other => panic!("{other:?}"),
    };
    for uuid in ["VGLK", "GLLK", "_GLLK_disabled", "#unused", &UUID[1..], &UUID.replace('-', "_")] {
        assert_eq!(uuid_of(uuid), None, "{uuid}");
    }
    assert_eq!(uuid_of(&UUID.replace('-', "")), Some(id(UUID)));
    for args in ["1.0.0:lvmlock x", "1.0.0:lvmlock\nLV: x", "\u{e9}", &"1".repeat(65)] {
        let message = format!("request=\"start_vg\" vg_lock_args=\"{args}\"");
        let odd = request(&message);
        assert_eq!(odd.lock_args, None, "{args}");
        assert_eq!(Request::parse(&odd.to_bytes()), Ok(odd), "{args}");
    }
}

#[test]
fn retries_are_counted_from_none() {
    for (text, retries) in [("0", 0), ("9", 9), ("-1", 0), ("99999999999", u32::MAX)] {
        assert_eq!(lock(&format!("request=\"lock_vg\" max_retries={text}")).max_retries, retries);
    }
}

#[test]
fn modes_and_lock_types_have_their_words() {
    for (word, mode) in [
        ("un", Some(LockMode::Unlocked)),
        ("nl", Some(LockMode::Null)),
        ("sh", Some(LockMode::Shared)),
        ("ex", Some(LockMode::Exclusive)),
        ("iv", None),
        ("na", None),
        ("EX", None),
    ] {
        assert_eq!(lock(&format!("request=\"lock_gl\" mode=\"{word}\"")).mode, mode, "{word}");
    }
    for (word, lock_type, shown) in [
        ("none", RequestedType::None, "none"),
        ("dlm", LockType::Dlm.into(), "dlm"),
        ("sanlock", LockType::Sanlock.into(), "sanlock"),
        ("idm", LockType::Idm.into(), "idm"),
        ("clvm", RequestedType::Unknown, "lm_unknown"),
    ] {
        let found = request(&format!("request=\"lock_vg\" vg_lock_type=\"{word}\"")).lock_type;
        assert_eq!((found, found.as_str()), (lock_type, shown), "{word}");
    }
}

#[test]
fn options_are_found_anywhere_in_the_text() {
    for (text, options, bits) in [
        ("none", Options::NONE, 0),
        ("start_init", Options::START_INIT, 0),
        ("persistent", Options::PERSISTENT, 0x1),
        ("persistent,", Options::PERSISTENT, 0x1),
        (
            "persistent,adopt_onlyrepair",
            Options::PERSISTENT | Options::ADOPT_ONLY | Options::REPAIR,
            0xa0_0001,
        ),
        ("adoptrepair", Options::ADOPT | Options::REPAIR, 0x81_0000),
        ("unlock_cancel persistent", Options::UNLOCK_CANCEL | Options::PERSISTENT, 0x5),
        ("next_version", Options::NEXT_VERSION, 0x8),
        ("wait force ", Options::WAIT | Options::FORCE, 0x30),
        ("ex_disable", Options::EX_DISABLE | Options::DISABLE, 0x140),
        ("enable", Options::ENABLE, 0x80),
        ("disable", Options::DISABLE, 0x100),
        ("nodelay", Options::NODELAY, 0x40_0000),
    ] {
        let found = Options::parse(text);
        assert_eq!((found, found.bits()), (options, bits), "{text}");
        assert_eq!(Options::parse(&found.words().collect::<Vec<_>>().join(",")), found, "{text}");
    }
}

#[test]
fn every_operation_has_its_number() {
    for op in Op::ALL {
        assert_eq!(Op::from_number(op.number().into()), Some(*op));
    }
    assert_eq!((Op::from_number(9), Op::Lock.number(), Op::Update.as_str()), (None, 7, "update"));
}

#[test]
fn greetings_and_dumps() {
    let greeting = |result| Reply::Greeting { result };
    assert_reply(&greeting(ResultCode::OK), "result = 0\nprotocol = \"lvmlockd\"\nversion = 1\n");
    assert_reply(&greeting(ResultCode::BUSY), "result = -16\nprotocol = \"lvmlockd\"\nversion = 1\n");
    assert_reply(&Reply::Dump { result: ResultCode::OK, len: 452 }, "result = 0\ndump_len = 452\n");
}

fn done(op: Op, result: ResultCode) -> Done {
    let (lock_type, flags) = (RequestedType::None, ResultFlags::NONE);
    Done { op, lock_type, result, lm_result: 0, detail: Detail::None, flags }
}

#[test]
fn replies_are_the_c_daemons_byte_for_byte() {
    let lock = |lock_type: LockType, result| Done { lock_type: lock_type.into(), ..done(Op::Lock, result) };
    assert_reply(
        &Reply::Done(lock(LockType::Sanlock, ResultCode::OK)),
        "op = 7\nlock_type = \"sanlock\"\nop_result = 0\nlm_result = 0\nresult_flags = \"none\"\n",
    );
    assert_reply(
        &Reply::Done(Done {
            lm_result: -11,
            detail: Detail::Generation(3),
            ..lock(LockType::Dlm, ResultCode::AGAIN)
        }),
        "op = 7\nlock_type = \"dlm\"\nop_result = -11\nlm_result = -11\nresult_flags = \"none\"\nls_generation = 3\n",
    );
    assert_reply(
        &Reply::Done(Done { flags: ResultFlags::NO_LM, ..done(Op::RunningLm, ResultCode(3)) }),
        "op = 18\nlock_type = \"none\"\nop_result = 3\nlm_result = 0\nresult_flags = \"NO_LM\"\n",
    );
    assert_reply(
        &Reply::Made(Made {
            op: Op::Init,
            result: ResultCode::OK,
            lm_result: 0,
            vg_lock_args: "1.0.0:lvmlock".to_owned(),
            lv_lock_args: String::new(),
            flags: ResultFlags::NONE,
        }),
        "op = 3\nop_result = 0\nlm_result = 0\nvg_lock_args = \"1.0.0:lvmlock\"\nlv_lock_args = \"none\"\n\
         result_flags = \"none\"\n",
    );
    let (result, lock_type) = (ResultCode::OK, LockType::Dlm.into());
    assert_reply(
        &Reply::Mode { result, lock_type, mode: Some(LockMode::Exclusive) },
        "op = 23\nop_result = 0\nlock_type = \"dlm\"\nmode = \"ex\"\n",
    );
    assert_reply(
        &Reply::Mode { result: ResultCode::NO_LOCKSPACE, lock_type, mode: None },
        "op = 23\nop_result = -210\nlock_type = \"dlm\"\nmode = \"iv\"\n",
    );
    assert_reply(&Reply::RemoteLock { result: ResultCode::FAILED }, "op = 30\nop_result = -1\n");
}

#[test]
fn replies_tell_of_other_hosts() {
    let owner = Owner {
        host_id: 2,
        generation: 5,
        timestamp: 1234,
        state: "LIVE".to_owned(),
        name: "lvmlockd".to_owned(),
    };
    assert_reply(
        &Reply::Done(Done { detail: Detail::Owner(owner), ..done(Op::Lock, ResultCode::AGAIN) }),
        "op = 7\nlock_type = \"none\"\nop_result = -11\nlm_result = 0\nowner_host_id = 2\nowner_generation = 5\n\
         owner_timestamp = 1234\nowner_state = \"LIVE\"\nowner_name = \"lvmlockd\"\nresult_flags = \"none\"\n",
    );
    assert_reply(
        &Reply::Done(Done {
            detail: Detail::Owner(Owner::default()),
            ..done(Op::VgStatus, ResultCode::NOT_FOUND)
        }),
        "op = 25\nlock_type = \"none\"\nop_result = -2\nlm_result = 0\nowner_host_id = 0\nowner_generation = 0\n\
         owner_timestamp = 0\nowner_state = \"none\"\nowner_name = \"none\"\nresult_flags = \"none\"\n",
    );
    assert_reply(
        &Reply::Done(Done { detail: Detail::PreviousGeneration(4), ..done(Op::Start, ResultCode::OK) }),
        "op = 5\nlock_type = \"none\"\nop_result = 0\nlm_result = 0\nprev_generation = 4\nresult_flags = \"none\"\n",
    );
}

#[test]
fn result_flags_have_the_commas_of_the_c_daemon() {
    let nothing = ResultFlags::NO_LOCKSPACES | ResultFlags::NO_GL_LS;
    for (flags, text) in [
        (ResultFlags::NONE, "none"),
        (nothing, "NO_LOCKSPACES,NO_GL_LS,"),
        (nothing | ResultFlags::NO_GL_TYPE, "NO_LOCKSPACES,NO_GL_LS"),
        (nothing | ResultFlags::NO_LM, "NO_LOCKSPACES,NO_GL_LS,NO_LM"),
        (ResultFlags::NO_LOCKSPACES, "NO_LOCKSPACES,"),
        (ResultFlags::NO_GL_LS | ResultFlags::WARN_GL_REMOVED, "NO_GL_LS,WARN_GL_REMOVED,"),
        (ResultFlags::DUP_GL_LS, "DUP_GL_LS,"),
        (ResultFlags::SH_EXISTS, "SH_EXISTS,"),
        (ResultFlags::HOSTS_UNKNOWN, "HOSTS_UNKNOWN,"),
    ] {
        assert_eq!((flags.to_string().as_str(), ResultFlags::parse(text)), (text, flags));
    }
    let glued = ResultFlags::parse("NO_GL_LSWARN_GL_REMOVED,");
    assert_eq!(glued.to_string(), "NO_GL_LS,WARN_GL_REMOVED,");
}

#[test]
fn replies_of_something_else_are_errors() {
    let error = |reply: &str| Reply::parse(reply.as_bytes()).expect_err(reply);
    let foreign =
        |protocol: &str, version| ReplyError::ForeignDaemon { protocol: protocol.to_owned(), version };
    assert_eq!(error("response=\"OK\" protocol=\"lvmpolld\" version=1"), foreign("lvmpolld", 1));
    assert_eq!(error("response=\"OK\" protocol=\"lvmlockd\""), foreign("lvmlockd", 0));
    for (reply, field) in [
        ("x=1", "response"),
        ("response=\"failed\"", "response"),
        ("response=\"OK\"", "op_result"),
        ("response=\"OK\" op_result=\"0\"", "op_result"),
        ("response=\"OK\" op_result=0 op=99", "op"),
        ("response=\"OK\" op_result=0 op=7", "lm_result"),
        ("response=\"OK\" dump_len=-1", "dump_len"),
        ("response=\"OK\" dump_len=1", "result"),
    ] {
        assert_eq!(error(reply), ReplyError::BadField { field }, "{reply}");
    }
    assert!(matches!(error("response="), ReplyError::Syntax(_)));
}
