//! The sign of life, on a paused clock.

use std::cell::Cell;
use std::future::pending;

use slog::{Discard, o};
use tokio::time::{Instant, sleep};

use super::*;

const PERIOD: Duration = Duration::from_mins(1);

/// Returns when signs of life were given in ten periods of a daemon that is alive whenever `is_alive` says so.
async fn signs(is_alive: impl AsyncFn() -> bool) -> Vec<Duration> {
    let start = Instant::now();
    let (queue, mut notices) = mpsc::channel(QUEUE);
    let (systemd, log) = (Systemd { queue }, Logger::root(Discard, o!()));
    let mut signs = Vec::new();
    let feeding = feed_watchdog(PERIOD, &systemd, &log, async |deadline| {
        assert!(deadline < PERIOD / 2);
        timeout(deadline, is_alive()).await == Ok(true)
    });
    let collecting = async {
        while let Some(notice) = notices.recv().await {
            assert_eq!(notice, Notice::Watchdog);
            signs.push(start.elapsed());
        }
    };
    // All three may be dropped: the time is over.
    tokio::select! {
        () = feeding => panic!("it never ends"),
        () = collecting => panic!("somebody can tell still"),
        // Not on the moment of a sign, so that it is clear which comes first.
        () = sleep(PERIOD * 39 / 4) => signs,
    }
}

#[tokio::test(start_paused = true)]
async fn a_living_daemon_gives_two_signs_in_each_period() {
    let signs = signs(async || true).await;
    assert_eq!(signs.len(), 20);
    assert!(signs.windows(2).all(|pair| pair[1] <= pair[0] + PERIOD / 2 + Duration::from_millis(1)));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_whose_tree_does_not_answer_gives_none() {
    assert!(signs(async || false).await.is_empty());
    assert!(signs(async || pending().await).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_comes_back_gives_signs_again() {
    let asked = Cell::new(0);
    let signs = signs(async || {
        asked.set(asked.get() + 1);
        if asked.get() <= 4 { pending().await } else { true }
    })
    .await;
    assert!(signs[0] > PERIOD && signs.len() > 10, "{signs:?}");
}

#[tokio::test(start_paused = true)]
async fn a_systemd_that_does_not_listen_holds_nobody_up() {
    let (queue, _notices) = mpsc::channel(QUEUE);
    let systemd = Systemd { queue };
    for _ in 0..QUEUE * 2 {
        systemd.tell(Notice::Ready);
    }
    systemd.close(tokio::spawn(pending())).await;
}
