//! What it costs to watch many copies at once.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lvmwarden_actors::foundation::kernel::copying::{Copied, Look, Situation};
use lvmwarden_actors::foundation::kernel::reader::PERIOD;
use lvmwarden_actors::roles::poll::operation::state::{Mode, Stop};
use tokio::time::{Instant, sleep};

use crate::support::{Host, pvmove, run};

const OPERATIONS: usize = 200;
/// How many looks are measured.
const PERIODS: u32 = 5;
/// A hundredth is for the program as it is shipped; without optimization it takes some three times as long.
const SHARE_OF_A_CORE: f64 = if cfg!(debug_assertions) { 0.03 } else { 0.01 };

#[test]
fn two_hundred_copies_are_watched_for_a_hundredth_of_a_core() {
    run(async {
        let mut host = Host::new();
        host.mode = Mode::Events;
        host.kernel.tells.store(true, Ordering::Relaxed);
        host.show_left(1 << 40);
        let daemon = host.start(Stop::EndChild).await;
        for number in 0..OPERATIONS {
            daemon.start(&pvmove(&format!("operation{number}"))).await;
        }
        sleep(PERIOD * 2).await;

        let (looks, used, begun) = (host.looks(), processor_time(), Instant::now());
        for period in 0..u64::from(PERIODS) {
            host.show_left((1 << 40) - (period << 20));
            sleep(PERIOD).await;
        }
        let (looks, used) = (host.looks() - looks, processor_time().saturating_sub(used));
        let share = used.as_secs_f64() / begun.elapsed().as_secs_f64();
        assert!(looks.abs_diff(PERIODS as usize) <= 1, "{looks} looks in {PERIODS} periods");
        assert!(share < SHARE_OF_A_CORE, "{used:?} for {looks} looks, which is {share:.4} of a core");
        println!("{OPERATIONS} operations: {used:?} for {looks} looks, {share:.4} of a core");
        assert!(host.processes.spawned().is_empty(), "there is nothing to do for lvpoll");
        daemon.stop().await;
    });
}

impl Host {
    /// Has the kernel copy, and shows so many bytes left of everything.
    fn show_left(&self, left_bytes: u64) {
        let copied = Copied { left_bytes, total_bytes: Some(1 << 40), segment: 1, segments: 1 };
        *self.kernel.look.lock().unwrap() = Some(Look {
            situation: Situation::Copying,
            copied: Some(copied),
            devices: Vec::new(),
            faults: Vec::new(),
        });
    }

    fn looks(&self) -> usize {
        self.kernel.looks.load(Ordering::Relaxed)
    }
}

/// Returns how long this process has been on a processor, with all its threads.
fn processor_time() -> Duration {
    let nanoseconds = |task: fs::DirEntry| {
        let times = fs::read_to_string(task.path().join("schedstat")).unwrap();
        times.split_ascii_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    Duration::from_nanos(tasks.map(|task| nanoseconds(task.unwrap())).sum())
}
