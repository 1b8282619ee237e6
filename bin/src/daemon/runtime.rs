//! The one thread on which a daemon lives, and the few for calls that block.

use std::time::Duration;

use actix_rt::System;
use lvmwarden_supervisor::process::raise_open_files_limit;
use slog::{Logger, warn};

/// The exit code of a daemon whose supervision tree gave up; whoever started it may start it again.
pub(super) const TREE_FAILED: u8 = 70;
/// How many threads do blocking work at once, such as starting a program or reading /proc.
const BLOCKING_THREADS: usize = 8;
/// How long a thread for blocking work stays without any.
const BLOCKING_THREAD_IDLE: Duration = Duration::from_secs(5);

/// Runs a daemon's life to its end.
pub(super) fn run<T>(log: &Logger, life: impl Future<Output = T>) -> T {
    if let Err(error) = raise_open_files_limit() {
        warn!(log, "cannot raise the limit of open files"; "error" => %error, "next" => "serve as many as it allows");
    }
    let system = System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_keep_alive(BLOCKING_THREAD_IDLE)
            .build()
            .expect("a runtime of this thread needs descriptors and nothing else")
    });
    let end = system.block_on(life);
    // A thread that hangs in the kernel must not hold up the end: nothing that it does is waited for.
    std::mem::forget(system);
    end
}
