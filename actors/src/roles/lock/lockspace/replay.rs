//! What real lvm commands asked of the real lvmlockd of lvm2 2.03.16, asked of ours: the results are the same.
//!
//! The recordings are those of `protocol/tests/fixtures/lvmlockd-2.03.16`. Where the real daemon said -11, another host
//! is put in the way; a join ends when a client waits for it. What is answered before a lockspace is asked is left out,
//! and so is a daemon that was killed.

use std::collections::BTreeMap;

use lvmwarden_protocol::lock::{LockType, Operation, Options, Reply, Request, ResultCode, Target};
use serde_json::Value;

use super::ask::{Ask, ClientId, LockAsk, StartAsk, StopRule, Ticket};
use super::event::{Call, Event};
use super::picture::Stage;
use super::testing::{Bench, fault, spec};
use crate::roles::lock::lock_manager::{Fault, InitLv, Resource};

/// A recording that is being replayed.
struct Replay {
    lock_type: LockType,
    /// The VG's lockspace, and dlm's global one.
    vg: Bench,
    global: Bench,
    asked: BTreeMap<u32, (Where, Ticket)>,
    compared: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Vg,
    Global,
}

impl Replay {
    fn new(lock_type: LockType) -> Self {
        let [vg, global] = [(); 2].map(|()| Bench::new(spec(lock_type)));
        Self { lock_type, vg, global, asked: BTreeMap::new(), compared: 0 }
    }

    fn request(&mut self, client: u32, request: &Request, told: ResultCode) {
        let Some((place, ask)) = self.ask_of(request) else {
            if request.operation == Operation::StartWait {
                self.let_all_join();
            }
            return;
        };
        let is_global = matches!(&ask, Ask::Lock(ask) if ask.resource == Resource::Global);
        if is_global && told == ResultCode::NO_LOCKSPACE {
            // Which lockspace serves the global lock is not this one's business.
            return;
        }
        if place == Where::Global {
            self.start_global();
        }
        let is_start = matches!(ask, Ask::Start(_));
        let bench = self.bench(place);
        if is_start && bench.stage() == Stage::Finished {
            *bench = Bench::new(spec(request.lock_type.known().expect("a VG that is started has a type")));
        }
        let bench = self.bench(place);
        bench.slow = is_start;
        put_another_host_in_the_way(bench, told);
        let ticket = bench.ask(client, ask);
        if is_start {
            bench.grant();
        } else {
            bench.seconds(6);
        }
        self.asked.insert(client, (place, ticket));
    }

    /// dlm's own lockspace is started when it is first needed.
    fn start_global(&mut self) {
        if self.global.stage() == Stage::New {
            self.global.ask(9999, Ask::Start(StartAsk::default()));
        }
    }

    fn let_all_join(&mut self) {
        self.vg.slow = false;
        self.vg.apply(Event::TimeHasCome);
    }

    fn reply(&mut self, client: u32, request: &Request, told: ResultCode) {
        let Some((place, ticket)) = self.asked.remove(&client) else { return };
        let keyword = request.operation.keyword();
        assert_eq!(self.bench(place).code(ticket), Some(told), "client {client}: {keyword}, {request:?}");
        self.compared += 1;
    }

    fn bench(&mut self, place: Where) -> &mut Bench {
        match place {
            Where::Vg => &mut self.vg,
            Where::Global => &mut self.global,
        }
    }

    /// Returns what a request asks of which lockspace; `None` where none is asked.
    fn ask_of(&self, request: &Request) -> Option<(Where, Ask)> {
        let ask = match &request.operation {
            Operation::Lock(lock) => {
                let (place, resource, lv) = match &lock.target {
                    Target::Global if self.lock_type == LockType::Dlm => {
                        (Where::Global, Resource::Global, None)
                    }
                    Target::Global => (Where::Vg, Resource::Global, None),
                    Target::Vg => (Where::Vg, Resource::Vg, None),
                    Target::Lv(lv) => (Where::Vg, Resource::Lv(lv.uuid?), Some(lv)),
                };
                let mut ask = LockAsk::new(resource, lock.mode);
                ask.persistent = lock.options.contains(Options::PERSISTENT);
                ask.max_retries = lock.max_retries;
                if let Some(lv) = lv {
                    ask.lv_args = lv.args.clone()?.into();
                }
                return Some((place, Ask::Lock(ask)));
            }
            Operation::StartVg { .. } => Ask::Start(StartAsk::default()),
            Operation::StopVg(_) => Ask::Stop(StopRule::UnlessLvLocks),
            Operation::StopAll(_) => Ask::Stop(StopRule::UnlessLocks),
            Operation::VgUpdate { version, .. } => Ask::VgUpdate { version: *version, next: false },
            Operation::FindFreeLock { lv_size_bytes } => Ask::FindFreeLock { size_bytes: *lv_size_bytes },
            Operation::InitLv { lv, previous_args } => Ask::InitLv(Box::new(InitLv {
                vg: request.vg.clone()?,
                vg_args: request.lock_args.clone()?.into(),
                lv_uuid: lv.uuid?,
                previous_args: previous_args.clone(),
            })),
            Operation::FreeLv(lv) => Ask::FreeLv { uuid: lv.uuid?, args: lv.args.clone()?.into() },
            Operation::FreeVg => Ask::Free,
            Operation::BusyVg => Ask::Busy,
            Operation::KillVg => Ask::Kill,
            Operation::DropVg => Ask::Drop,
            Operation::EnableGlobal => Ask::EnableGlobal,
            Operation::DisableGlobal(_) => Ask::DisableGlobal { exclusive: false },
            _ => return None,
        };
        Some((Where::Vg, ask))
    }
}

fn put_another_host_in_the_way(bench: &mut Bench, told: ResultCode) {
    if told == ResultCode::AGAIN {
        let conflict = Fault { is_transient: true, ..fault(told) };
        bench.fails(|call| matches!(call, Call::Acquire(..) | Call::Convert(..)), conflict);
    } else {
        bench.manner(|_| None);
    }
}

struct Message {
    client: u32,
    /// `None` for a reply.
    request: Option<Request>,
    told: ResultCode,
}

fn messages(recording: &str) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).expect("one JSON object a line");
        let text = line["msg"].as_str().expect("a string").as_bytes();
        let client = u32::try_from(line["conn"].as_u64().expect("a number")).expect("a small one");
        if line["dir"] == "c2s" {
            let request = Some(Request::parse(text).expect("a request"));
            messages.push(Message { client, request, told: ResultCode::OK });
        } else {
            let told = Reply::parse(text).expect("a reply").result();
            let asked = messages.iter_mut().rev().find(|message| message.client == client);
            asked.expect("somebody has asked").told = told;
            messages.push(Message { client, request: None, told });
        }
    }
    messages
}

/// Replays a recording; `compared` is how many results of lockspaces there are in it.
#[track_caller]
fn assert_replayed(recording: &str, lock_type: LockType, compared: usize) {
    let messages = messages(recording);
    let mut replay = Replay::new(lock_type);
    let mut last_request: BTreeMap<u32, &Request> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        match &message.request {
            Some(request) => {
                replay.request(message.client, request, message.told);
                last_request.insert(message.client, request);
            }
            None => replay.reply(message.client, last_request[&message.client], message.told),
        }
        if !messages[at + 1..].iter().any(|later| later.client == message.client) {
            replay.vg.apply(Event::ClientGone(ClientId(message.client)));
            replay.global.apply(Event::ClientGone(ClientId(message.client)));
        }
    }
    assert_eq!(replay.compared, compared);
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!(
            "../../../../../protocol/tests/fixtures/lvmlockd-2.03.16/lockd_",
            $name,
            ".jsonl"
        ))
    };
}

#[test]
fn one_host_with_sanlock() {
    assert_replayed(recording!("sanlock_single"), LockType::Sanlock, 99);
}

#[test]
fn kill_and_drop() {
    assert_replayed(recording!("sanlock_kill_drop"), LockType::Sanlock, 33);
}

#[test]
fn one_of_two_hosts_with_sanlock() {
    assert_replayed(recording!("sanlock_two_hosts_a_boot1"), LockType::Sanlock, 56);
}

#[test]
fn that_host_after_its_reset() {
    assert_replayed(recording!("sanlock_two_hosts_a_boot2"), LockType::Sanlock, 6);
}

#[test]
fn the_other_of_two_hosts_with_sanlock() {
    assert_replayed(recording!("sanlock_two_hosts_b"), LockType::Sanlock, 138);
}

#[test]
fn one_of_two_hosts_with_dlm() {
    assert_replayed(recording!("dlm_two_hosts_a_boot1"), LockType::Dlm, 48);
}

#[test]
fn that_host_with_dlm_after_its_reset() {
    assert_replayed(recording!("dlm_two_hosts_a_boot2"), LockType::Dlm, 41);
}

#[test]
fn the_other_of_two_hosts_with_dlm() {
    assert_replayed(recording!("dlm_two_hosts_b"), LockType::Dlm, 75);
}

#[test]
fn a_host_beside_one_that_is_killed() {
    assert_replayed(recording!("dlm_adopt_b"), LockType::Dlm, 19);
}
