//! What is counted of the lock protocol.
//!
//! No label comes from a client: requests are named by their keywords, results by the words of
//! [`ResultCode::as_str`](lvmwarden_protocol::lock::ResultCode::as_str).

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::{Lock, LockMode, Operation, Target};
use prometheus_client::metrics::histogram::Histogram;

use crate::foundation::facts::metrics::{Counters, Histograms, Metrics, counted, timed};

/// The door's name in metrics.
pub(super) const DOOR: &str = "lvmlockd";
/// Upper bounds for the time that a request for a lock waits, in seconds: another host may hold it for long.
const WAIT_SECONDS: [f64; 10] = [0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0];
/// What came of a request whose client has gone before it was answered.
const CLIENT_GONE: &str = "client_gone";

/// What is counted of the lock protocol; clones share it.
#[derive(Debug, Clone)]
pub struct LockMetrics {
    all: Arc<Metrics>,
    results: Counters<2>,
    waits: Histograms<3>,
}

/// A request, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    request: &'static str,
    /// The kind of lock and the mode that are asked for, where they are; an unlock waits for nobody.
    lock: Option<(&'static str, &'static str)>,
}

impl Counted {
    /// Returns what is counted of a request for this operation.
    pub(super) fn of(operation: &Operation) -> Self {
        let lock = match operation {
            Operation::Lock(Lock { target, mode: Some(mode), .. }) if *mode != LockMode::Unlocked => {
                Some((kind(target), mode.as_str()))
            }
            _asks_for_no_lock => None,
        };
        Self { request: operation.keyword(), lock }
    }
}

fn kind(target: &Target) -> &'static str {
    match target {
        Target::Global => "gl",
        Target::Vg => "vg",
        Target::Lv(_) => "lv",
    }
}

impl LockMetrics {
    /// Starts to count, among `all` that is counted.
    pub fn new(all: Arc<Metrics>) -> Self {
        let (results, waits) = all.register(|registry| {
            let help = "Requests of the lock protocol, by what came of them";
            let results = counted(registry, "lock_requests", help);
            let help = "From the arrival of a request for a lock to its answer";
            (results, timed(registry, "lock_wait_duration", help, || Histogram::new(WAIT_SECONDS)))
        });
        Self { all, results, waits }
    }

    /// Counts a request that was answered, and the time that it took.
    pub(super) fn answered(&self, request: Counted, result: &'static str, took: Duration) {
        self.all.answered(DOOR, request.request, took);
        self.conclude(request, result, took);
    }

    /// Counts a request whose client has gone while it waited.
    pub(super) fn left(&self, request: Counted, waited: Duration) {
        self.conclude(request, CLIENT_GONE, waited);
    }

    /// Counts a message that nobody understands; it is not answered.
    pub(super) fn not_understood(&self) {
        self.results.get_or_create(&[("request", "(refused)"), ("result", "no_reply")]).inc();
    }

    fn conclude(&self, Counted { request, lock }: Counted, result: &'static str, took: Duration) {
        self.results.get_or_create(&[("request", request), ("result", result)]).inc();
        if let Some((lock, mode)) = lock {
            let labels = [("lock", lock), ("mode", mode), ("result", result)];
            self.waits.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::lock::{Options, ResultCode};

    use super::*;
    use crate::foundation::facts::metrics::Snapshot;

    fn lock(target: Target, mode: LockMode) -> Operation {
        Operation::Lock(Lock { target, mode: Some(mode), options: Options::default(), max_retries: 0 })
    }

    #[test]
    fn a_request_is_counted_with_its_result_and_one_for_a_lock_with_the_time_that_it_waited() {
        let metrics = Metrics::new();
        let counting = LockMetrics::new(Arc::clone(&metrics));
        let wanted = Counted::of(&lock(Target::Vg, LockMode::Exclusive));
        counting.answered(wanted, ResultCode::OK.as_str(), Duration::from_secs(20));
        counting.answered(wanted, ResultCode::AGAIN.as_str(), Duration::from_millis(2));
        counting.left(wanted, Duration::from_secs(70));
        let unlock = Counted::of(&lock(Target::Vg, LockMode::Unlocked));
        counting.answered(unlock, ResultCode::OK.as_str(), Duration::ZERO);
        counting.answered(Counted::of(&Operation::Hello), ResultCode::OK.as_str(), Duration::ZERO);
        counting.not_understood();
        let text = metrics.encode(Snapshot::default());
        for line in [
            "lvmwarden_lock_requests_total{request=\"lock_vg\",result=\"ok\"} 2",
            "lvmwarden_lock_requests_total{request=\"lock_vg\",result=\"again\"} 1",
            "lvmwarden_lock_requests_total{request=\"lock_vg\",result=\"client_gone\"} 1",
            "lvmwarden_lock_requests_total{request=\"(refused)\",result=\"no_reply\"} 1",
            "lvmwarden_lock_wait_duration_seconds_sum{lock=\"vg\",mode=\"ex\",result=\"ok\"} 20.0",
            "lvmwarden_lock_wait_duration_seconds_bucket{le=\"60.0\",lock=\"vg\",mode=\"ex\",result=\"ok\"} 1",
            "lvmwarden_lock_wait_duration_seconds_bucket{le=\"15.0\",lock=\"vg\",mode=\"ex\",result=\"ok\"} 0",
            "lvmwarden_requests_total{door=\"lvmlockd\",request=\"lock_vg\"} 3",
            "lvmwarden_requests_total{door=\"lvmlockd\",request=\"hello\"} 1",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("mode=\"un\""), "an unlock waits for nobody: {text}");
    }
}
