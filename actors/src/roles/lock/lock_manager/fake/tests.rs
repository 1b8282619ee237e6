//! The stand-in refuses what the real ones refuse.

use std::thread;

use lvmwarden_protocol::lock::ResultCode;

use super::*;
use crate::roles::lock::lock_manager::{Acquire, Adopt, Leave};
use crate::roles::lock::lockspace::testing::id;

fn connect(cluster: &FakeCluster, host: u32) -> Box<dyn Connection> {
    let site = Site { vg: Some(id("vg")), args: "1.0.0:lvmlock".into(), host_id: host };
    let mut connection = cluster.host(host).connect(&site).unwrap();
    connection.prepare(false).unwrap();
    connection.join(Adopt::IfThere, false).unwrap();
    connection
}

fn acquire(connection: &mut dyn Connection, mode: LockMode, adopt: Adopt) -> Result<(), i32> {
    let how = Acquire { adopt, ..Acquire::default() };
    connection.acquire(&Resource::Vg, mode, &how).map(drop).map_err(|fault| fault.code.0)
}

#[test]
fn hosts_exclude_each_other_and_values_pass_between_them() {
    let cluster = FakeCluster::new(LockType::Sanlock);
    let (mut a, mut b) = (connect(&cluster, 1), connect(&cluster, 2));
    assert_eq!(acquire(&mut *a, LockMode::Exclusive, Adopt::No), Ok(()));
    let refused = b.acquire(&Resource::Vg, LockMode::Shared, &Acquire::default()).unwrap_err();
    assert_eq!((refused.code, refused.is_transient), (ResultCode::AGAIN, true));
    assert_eq!(refused.owner.unwrap().name, "host-1");
    let block = ValueBlock { version: ValueBlock::VERSION, flags: 0, r_version: 7 };
    a.release(&Resource::Vg, Some(block), false).unwrap();
    assert_eq!(b.acquire(&Resource::Vg, LockMode::Shared, &Acquire::default()), Ok(Some(block)));
    assert_eq!(acquire(&mut *a, LockMode::Shared, Adopt::No), Ok(()));
    assert_eq!(a.convert(&Resource::Vg, LockMode::Exclusive, None).unwrap_err().code, ResultCode::AGAIN);
    cluster.end_host(2);
    assert_eq!(a.convert(&Resource::Vg, LockMode::Exclusive, None), Ok(()));
}

#[test]
fn a_dropped_connection_leaves_orphans() {
    let cluster = FakeCluster::new(LockType::Sanlock);
    let mut a = connect(&cluster, 1);
    assert_eq!(acquire(&mut *a, LockMode::Exclusive, Adopt::Only), Err(-223));
    assert_eq!(acquire(&mut *a, LockMode::Exclusive, Adopt::No), Ok(()));
    drop(a);
    assert_eq!(cluster.holders("vg", &Resource::Vg), [(1, LockMode::Exclusive)]);
    let mut a = connect(&cluster, 1);
    assert_eq!(a.leave(Leave::Keep).unwrap_err().code, ResultCode::BUSY);
    assert_eq!(acquire(&mut *a, LockMode::Exclusive, Adopt::No), Err(-222));
    assert_eq!(acquire(&mut *a, LockMode::Shared, Adopt::Only), Err(-224));
    assert_eq!(acquire(&mut *a, LockMode::Exclusive, Adopt::Only), Ok(()));
    assert_eq!(a.orphans(), Ok(Some(Vec::new())));
}

#[test]
fn a_call_fails_as_scripted_and_waits_while_it_is_held_up() {
    let cluster = FakeCluster::new(LockType::Dlm);
    let mut a = connect(&cluster, 1);
    cluster.fail(1, Kind::Acquire, Fault::new(ResultCode::LOCK_IO, "acquire: no disk"));
    assert_eq!(acquire(&mut *a, LockMode::Exclusive, Adopt::No), Err(-218));
    let held_up = cluster.hold_up(1, Kind::Acquire);
    let waiting = thread::spawn(move || acquire(&mut *a, LockMode::Exclusive, Adopt::No));
    assert!(!waiting.is_finished());
    drop(held_up);
    assert_eq!(waiting.join().unwrap(), Ok(()));
    assert_eq!(cluster.calls(1), [Kind::Prepare, Kind::Join, Kind::Acquire, Kind::Acquire]);
}
