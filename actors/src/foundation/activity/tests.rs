//! When a daemon counts as idle.

use std::time::Duration;

use super::Activity;

const TIMEOUT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn idles_from_the_start() {
    let activity = Activity::new();
    let start = tokio::time::Instant::now();
    activity.idle(TIMEOUT).await;
    assert_eq!(start.elapsed(), TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn is_not_idle_while_somebody_is_there_and_counts_anew_when_the_last_has_left() {
    let activity = Activity::new();
    let (first, second) = (activity.begin(), activity.begin());
    let start = tokio::time::Instant::now();
    let waiting = tokio::spawn({
        let activity = activity.clone();
        async move { activity.idle(TIMEOUT).await }
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(activity.idle_for(), None);
    drop(first);
    assert_eq!(activity.idle_for(), None);
    drop(second);
    waiting.await.unwrap();
    let idle_after = start.elapsed().saturating_sub(Duration::from_secs(10));
    assert!((TIMEOUT..=TIMEOUT * 2).contains(&idle_after), "{idle_after:?}");
}
