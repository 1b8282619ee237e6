//! Calls on a thread: their order, what is held, and what a call that hangs or panics costs others.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, ResultCode};
use tokio::time::timeout;

use super::*;
use crate::roles::lock::lock_manager::{
    Acquire, Adopt, GlobalLease, InitLv, Leave, Leftover, OtherHosts, Prepared, ValueBlock,
};

const SOON: Duration = Duration::from_secs(10);

/// Grants everything, when it is let; panics where it is asked to free a VG's lock.
struct Gated {
    gate: Receiver<()>,
}

impl Gated {
    fn pass(&self) {
        self.gate.recv().expect("the test holds the other end");
    }
}

impl Connection for Gated {
    fn prepare(&mut self, _repair: bool) -> Result<Prepared, Fault> {
        self.pass();
        Ok(Prepared { global: GlobalLease::Absent, previous_generation: 0, is_left_behind: false })
    }

    fn join(&mut self, _adopt: Adopt, _nodelay: bool) -> Result<u32, Fault> {
        Ok(1)
    }

    fn leave(&mut self, _how: Leave) -> Result<(), Fault> {
        Ok(())
    }

    fn acquire(
        &mut self,
        _resource: &Resource,
        _mode: LockMode,
        _how: &Acquire,
    ) -> Result<Option<ValueBlock>, Fault> {
        self.pass();
        Ok(None)
    }

    fn convert(&mut self, _: &Resource, _: LockMode, _: Option<ValueBlock>) -> Result<(), Fault> {
        Ok(())
    }

    fn release(&mut self, _: &Resource, _: Option<ValueBlock>, free: bool) -> Result<(), Fault> {
        assert!(!free, "this is the test's panic");
        Ok(())
    }

    fn orphans(&mut self) -> Result<Option<Vec<Leftover>>, Fault> {
        Ok(None)
    }

    fn drop_orphans(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn other_hosts(&mut self) -> Result<OtherHosts, Fault> {
        Ok(OtherHosts::default())
    }

    fn find_free_lock(&mut self, _size_bytes: u64) -> Result<(), Fault> {
        Ok(())
    }

    fn init_lv(&mut self, _request: &InitLv) -> Result<String, Fault> {
        Ok(String::new())
    }

    fn free_lv(&mut self, _lv_uuid: LvUuid, _lv_args: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn read_global(&mut self) -> Result<GlobalLease, Fault> {
        Ok(GlobalLease::Absent)
    }

    fn write_global(&mut self, _enabled: bool) -> Result<(), Fault> {
        Ok(())
    }

    fn renewal(&mut self) -> Result<Option<Renewal>, Fault> {
        Ok(None)
    }
}

fn acquire() -> Call {
    Call::Acquire(Resource::Vg, LockMode::Exclusive, Acquire::default())
}

fn release(free: bool) -> Call {
    Call::Release { resource: Resource::Vg, write: None, free }
}

fn later(called: Called) -> oneshot::Receiver<Answer> {
    match called {
        Called::Later(answered) => answered,
        Called::Now(answer) => panic!("answered at once: {answer:?}"),
    }
}

#[tokio::test]
async fn what_is_held_is_known_also_when_nobody_waited_for_the_answer() {
    let (open, gate) = channel();
    let calls = Calls::on_thread("vg0", Box::new(Gated { gate })).expect("a thread");
    drop(later(calls.submit(acquire())));
    assert!(calls.held().is_empty());
    assert_eq!(calls.under_way(), 1);
    open.send(()).expect("the thread waits");
    timeout(SOON, calls.settled()).await.expect("the call is made");
    assert_eq!(calls.held().get(&Resource::Vg), Some(&LockMode::Exclusive));
    let released = timeout(SOON, later(calls.submit(release(false)))).await;
    assert_eq!(released.expect("in time").expect("an answer"), Ok(Outcome::Done));
    assert!(calls.held().is_empty());
}

#[tokio::test]
async fn a_call_that_hangs_holds_those_behind_it_and_no_other_connection() {
    let (_open, gate) = channel();
    let hangs = Calls::on_thread("vg0", Box::new(Gated { gate })).expect("a thread");
    let _first = later(hangs.submit(acquire()));
    let second = later(hangs.submit(release(false)));
    let (_unused, gate) = channel();
    let other = Calls::on_thread("vg1", Box::new(Gated { gate })).expect("a thread");
    let answered = timeout(SOON, later(other.submit(release(false)))).await;
    assert_eq!(answered.expect("in time").expect("an answer"), Ok(Outcome::Done));
    assert!(timeout(Duration::from_millis(20), second).await.is_err());
    assert_eq!(hangs.under_way(), 2);
}

#[tokio::test]
async fn a_call_that_panics_is_answered_and_the_next_one_is_made() {
    let (_open, gate) = channel();
    let calls = Calls::on_thread("vg0", Box::new(Gated { gate })).expect("a thread");
    let answered = timeout(SOON, later(calls.submit(release(true)))).await;
    let fault = answered.expect("in time").expect("an answer").expect_err("it panicked");
    assert_eq!(fault.code, ResultCode::LOCK_MANAGER);
    let next = timeout(SOON, later(calls.submit(release(false)))).await;
    assert_eq!(next.expect("in time").expect("an answer"), Ok(Outcome::Done));
    assert_eq!(timeout(SOON, calls.renewal()).await.expect("in time"), Ok(None));
}

#[test]
fn an_inline_connection_answers_at_once() {
    let (open, gate) = channel();
    open.send(()).expect("there is room");
    let calls = Calls::inline(Box::new(Gated { gate }));
    assert!(matches!(calls.submit(acquire()), Called::Now(Ok(Outcome::Acquired(None)))));
    assert_eq!(calls.held().get(&Resource::Vg), Some(&LockMode::Exclusive));
}
