//! The machine of a poll operation: its whole table, stories of operations, and random walks.

use std::time::Duration;

use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use lvmwarden_supervisor::process::{BootId, ProcessExit, ProcessIdentity};
use uuid::Uuid;

use super::*;
use crate::foundation::kernel::copying::{Copied, Look};
use crate::roles::poll::operation::job::{
    CRASH_DELAY, CRASH_PERIOD, CRASH_RESTARTS, FUTILE_STEPS, OUT_OF_SIGHT_DELAY, OUT_OF_SIGHT_PERIOD,
    SHORTAGE_DELAY, SHORTAGE_RESTARTS, SILENCE_FLOOR, UNFINISHED_DELAY, UNFINISHED_RESTARTS,
};

mod drawing;
mod stories;
mod table;
mod walks;

const OP: Uuid = Uuid::from_u128(1);
const OTHER_OP: Uuid = Uuid::from_u128(2);
const PID: u32 = 77;
/// The time of everything that happens at once; what is due then, is.
const NOW: Moment = Duration::from_hours(100);
const MILLISECOND: Duration = Duration::from_millis(1);
const DONE: Outcome = Outcome::Retcode(0);
const FAILED: Outcome = Outcome::Retcode(PROCESSING_FAILED);

fn ago(time: Duration) -> Moment {
    NOW.saturating_sub(time)
}

/// Returns a request of the kind that all operations here are of, if not said otherwise.
fn pvmove() -> StartRequest {
    StartRequest {
        kind: PollOperation::Pvmove,
        abort: false,
        handle_missing_pvs: false,
        lvid: "A".try_into().unwrap(),
        vgname: "vg".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        interval: "15".try_into().unwrap(),
        sysdir: None,
        devicesfile: None,
        cmdline: None,
    }
}

/// Returns the names under which LVM's metadata has the LV when its VG was renamed.
fn renamed() -> Names {
    Names { vgname: "new".try_into().unwrap(), lvname: "pvmove0".try_into().unwrap() }
}

/// Returns a request that knows the VG's new name.
fn pvmove_in_renamed_vg() -> StartRequest {
    StartRequest { vgname: renamed().vgname, ..pvmove() }
}

fn convert() -> StartRequest {
    StartRequest { kind: PollOperation::Convert, ..pvmove() }
}

/// Returns a job whose first child was started.
fn job() -> Job {
    Job { attempt: 1, pid: Some(PID), ..Job::new(OP, pvmove(), None) }
}

fn process() -> ProcessIdentity {
    ProcessIdentity { pid: PID, start_time_ticks: 5, boot_id: BootId::of_a_test("boot") }
}

fn recovered(life: Life) -> Recovered {
    Recovered { op: OP, request: pvmove(), uid: None, wishes: Wishes::default(), life }
}

fn lost() -> Outcome {
    Outcome::Lost { reason: "no memory".to_owned() }
}

fn stored() -> Event {
    Event::Journal(JournalEvent::IntentStored)
}

fn not_stored() -> Event {
    Event::Journal(JournalEvent::IntentNotStored { reason: "disk full".to_owned() })
}

fn end_stored() -> Event {
    Event::Journal(JournalEvent::EndStored)
}

fn end_not_stored() -> Event {
    Event::Journal(JournalEvent::EndNotStored)
}

fn collect_stored() -> Event {
    Event::Journal(JournalEvent::CollectStored)
}

/// A look, with no child or with one that works.
fn looked(situation: Situation) -> Event {
    Event::Looked { look: Look::of(situation, Some(COPIED)), is_child_asleep: false, hold: None }
}

/// A look at what sleeps.
fn looked_at_sleeper(situation: Situation) -> Event {
    Event::Looked { look: Look::of(situation, Some(COPIED)), is_child_asleep: true, hold: None }
}

fn situations() -> [Situation; 5] {
    [
        Situation::Copying,
        Situation::Due(Due::Copied),
        Situation::Due(Due::Gone),
        Situation::Due(Due::Failed { words: "Invalid".to_owned() }),
        Situation::Unclear { why: "odd" },
    ]
}

fn runs() -> Event {
    Event::Child(ChildEvent::Runs { pid: PID })
}

fn not_spawned() -> Event {
    Event::Child(ChildEvent::NotSpawned { outcome: lost() })
}

fn no_processes() -> String {
    "no processes".to_owned()
}

fn cannot_spawn_now() -> Event {
    Event::Child(ChildEvent::CannotSpawnNow { reason: no_processes() })
}

fn output() -> Event {
    Event::Child(ChildEvent::Output)
}

fn exited(code: i32) -> Event {
    Event::Child(ChildEvent::Exited(ProcessExit::Code(code)))
}

fn killed(signal: i32) -> Event {
    Event::Child(ChildEvent::Exited(ProcessExit::Signal(signal)))
}

fn vanished() -> Event {
    Event::Child(ChildEvent::Exited(ProcessExit::Unknown))
}

const COPIED: Copied = Copied { left_bytes: 5, total_bytes: Some(9), segment: 1, segments: 2 };
const KEEP: Event = Event::Stop(Stop::LeaveChild);
const END: Event = Event::Stop(Stop::EndChild);
const LEAVE: Effect = Effect::Leave { forget: None };
const FORGET: Effect = Effect::Leave { forget: Some(OP) };
