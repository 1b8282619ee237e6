//! When it is looked, on a paused clock.

use std::sync::atomic::{AtomicUsize, Ordering};

use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::process::BoxFuture;
use slog::{Discard, o};
use tokio::sync::Notify;

use super::*;
use crate::foundation::kernel::Verdict;
use crate::foundation::kernel::copying::{Look, Subject};
use crate::foundation::kernel::foreign::SeenCopy;

/// Counts the looks at it, and tells of events where it is made to.
struct Counted {
    looks: AtomicUsize,
    event: Option<Arc<Notify>>,
    /// Whose copies were looked at last.
    subjects: AtomicUsize,
}

impl Kernel for Counted {
    fn judge(&self, _: PollOperation, _: Lvid) -> BoxFuture<'static, Verdict> {
        Box::pin(async { Verdict::Unknown })
    }

    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.subjects.store(subjects.len(), Ordering::Relaxed);
        Box::pin(async move { vec![Look::unclear("nothing is shown"); subjects.len()] })
    }

    fn happening(&self) -> Option<BoxFuture<'static, ()>> {
        let event = Arc::clone(self.event.as_ref()?);
        Some(Box::pin(async move { event.notified().await }))
    }

    fn copies(&self) -> BoxFuture<'static, Option<Vec<SeenCopy>>> {
        Box::pin(async { None })
    }

    fn lvid_of(&self, _: VgName, _: LvName) -> BoxFuture<'static, Option<Lvid>> {
        Box::pin(async { None })
    }
}

struct Watcher;

impl Actor for Watcher {
    type Context = Context<Self>;
}

impl Handler<Looked> for Watcher {
    type Result = ();

    fn handle(&mut self, _: Looked, _ctx: &mut Context<Self>) {}
}

fn subject(operation: PollOperation) -> Subject {
    Subject { operation, lvid: "x".repeat(64).as_str().try_into().unwrap() }
}

/// Runs `story` beside a reader, with the kernel that it reads and the list of those it reads for.
fn beside_a_reader<F: Future<Output = ()>>(
    event: Option<Arc<Notify>>,
    story: impl FnOnce(Arc<Counted>, Watchlist) -> F,
) {
    let paused =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    System::with_tokio_rt(paused).block_on(async {
        let kernel = Arc::new(Counted { looks: AtomicUsize::new(0), event, subjects: AtomicUsize::new(0) });
        let watchlist = Watchlist::default();
        let source: Arc<dyn Kernel> = Arc::<Counted>::clone(&kernel);
        let reading = actix_rt::spawn(read(source, watchlist.clone(), Logger::root(Discard, o!())));
        story(kernel, watchlist).await;
        reading.abort();
    });
}

impl Counted {
    /// Returns how often it was looked at within `time`.
    async fn looks_within(&self, time: Duration) -> usize {
        let before = self.looks.load(Ordering::Relaxed);
        sleep(time).await;
        self.looks.load(Ordering::Relaxed) - before
    }
}

/// A moment later than a multiple of everything, so that no two things happen at the same time.
const A_BIT: Duration = Duration::from_millis(1);

#[test]
fn nothing_is_read_while_nobody_watches() {
    beside_a_reader(None, async |kernel, watchlist| {
        assert_eq!(kernel.looks_within(Duration::from_mins(1)).await, 0);
        let watch = watchlist.enter(subject(PollOperation::Pvmove), Watcher.start().recipient());
        assert_eq!(kernel.looks_within(A_BIT).await, 1, "whoever enters is told at once");
        assert_eq!(kernel.looks_within(PERIOD_IN_SILENCE * 8).await, 8);
        drop(watch);
        assert_eq!(kernel.looks_within(Duration::from_mins(1)).await, 0);
    });
}

#[test]
fn an_event_is_looked_at_at_once_and_without_events_there_is_a_look_a_period() {
    let event = Arc::new(Notify::new());
    beside_a_reader(Some(Arc::clone(&event)), async |kernel, watchlist| {
        let watches: Vec<_> = (0..3)
            .map(|_| watchlist.enter(subject(PollOperation::Pvmove), Watcher.start().recipient()))
            .collect();
        sleep(PERIOD / 2).await;
        assert_eq!(kernel.subjects.load(Ordering::Relaxed), 3, "everybody is told at each look");
        event.notify_one();
        assert_eq!(kernel.looks_within(A_BIT).await, 1);
        assert_eq!(kernel.looks_within(PERIOD * 4).await, 4);
        let merge = watchlist.enter(subject(PollOperation::Merge), Watcher.start().recipient());
        sleep(A_BIT).await;
        assert_eq!(kernel.looks_within(PERIOD_IN_SILENCE * 8).await, 8, "its end is no event");
        drop((watches, merge));
    });
}

#[test]
fn many_events_are_looked_at_with_a_rest_between() {
    let event = Arc::new(Notify::new());
    beside_a_reader(Some(Arc::clone(&event)), async |kernel, watchlist| {
        let _watch = watchlist.enter(subject(PollOperation::Pvmove), Watcher.start().recipient());
        let storm = actix_rt::spawn(async move {
            loop {
                event.notify_one();
                sleep(A_BIT).await;
            }
        });
        let looks = kernel.looks_within(REST * 100).await;
        storm.abort();
        assert!((90..=101).contains(&looks), "{looks} looks");
    });
}
