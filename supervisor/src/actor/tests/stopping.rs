//! The ordered end of a tree.

use super::*;
use crate::StopReport;

#[test]
fn a_tree_stops_in_reverse_level_by_level() {
    run(async {
        let diary = Diary::default();
        let inner = diary.puppets(spec(Strategy::OneForOne), &["b", "c"]);
        let outer = spec(Strategy::OneForOne)
            .child(diary.puppet("a"))
            .child(ChildSpec::supervisor("inner", inner))
            .child(diary.puppet("d"));
        let root = start(outer);
        order(&root.registry(), "inner/c", Order::Count).await.unwrap();
        diary.take();
        let report = root.stop(SOON).await;
        assert_eq!((report.reason, report.killed), (ExitReason::Shutdown, vec![]));
        assert_eq!(diary.take(), "-d -c -b -a");
        assert_eq!(root.ended().await, ExitReason::Normal, "nobody above it asked");
    });
}

#[test]
fn a_child_that_ignores_stop_is_killed_at_its_deadline_and_named() {
    run(async {
        let diary = Diary::default();
        let inner = spec(Strategy::OneForOne)
            .child(diary.puppet("a"))
            .child(diary.stubborn("deaf", OnStop::Ignore).shutdown(Shutdown::Deadline(3 * SECOND)))
            .child(diary.stubborn("slow", OnStop::After(2 * SECOND)));
        let root = start(spec(Strategy::OneForOne).child(ChildSpec::supervisor("inner", inner)));
        pass(SECOND).await;
        diary.take();
        let StopReport { reason, killed, took } = root.stop(SOON).await;
        assert_eq!(reason, ExitReason::Shutdown);
        assert_eq!(killed, [child("inner/deaf")]);
        assert!((5 * SECOND..6 * SECOND).contains(&took), "{took:?}");
        assert_eq!(diary.take(), "-slow -deaf -a");
    });
}

#[test]
fn a_brutal_child_is_not_asked() {
    run(async {
        let diary = Diary::default();
        let brutal = diary.stubborn("a", OnStop::Ignore).shutdown(Shutdown::Brutal);
        let root = start(spec(Strategy::OneForOne).child(brutal));
        pass(SECOND).await;
        let report = root.stop(SOON).await;
        assert_eq!(report.killed, []);
        assert!(report.took < SECOND);
        assert_eq!(diary.take(), "+a -a");
    });
}

#[test]
fn a_tree_that_takes_too_long_is_killed_as_a_whole() {
    run(async {
        let diary = Diary::default();
        let patient = Shutdown::Deadline(Duration::from_hours(1));
        let inner = spec(Strategy::OneForOne)
            .child(diary.puppet("a"))
            .child(diary.stubborn("deaf", OnStop::Ignore).shutdown(patient));
        let root = start(spec(Strategy::OneForOne).child(ChildSpec::supervisor("inner", inner)));
        pass(SECOND).await;
        let report = root.stop(10 * SECOND).await;
        assert_eq!(report.reason, ExitReason::Killed);
        assert_eq!(report.killed, [child("inner"), child("inner/a"), child("inner/deaf")]);
        let events = diary.take();
        assert!(events.contains("-a") && events.contains("-deaf"), "they saw their end: {events}");
    });
}

#[test]
fn dynamic_children_stop_all_at_once() {
    run(async {
        let diary = Diary::default();
        let root = start(spec(Strategy::OneForOne).child(diary.puppet("first")));
        for index in 0..100 {
            let slow = diary.stubborn(&format!("{index}"), OnStop::After(2 * SECOND));
            root.registry()
                .ask::<Supervisor, _>(&Name::root(), StartChild(slow), SOON)
                .await
                .unwrap()
                .unwrap();
        }
        let report = root.stop(SOON).await;
        assert_eq!((report.reason, report.killed), (ExitReason::Shutdown, vec![]));
        assert!(report.took < 3 * SECOND, "{:?}", report.took);
        assert!(diary.take().ends_with(" -first"), "those of the spec come after");
    });
}

#[test]
fn nothing_is_started_while_the_tree_stops() {
    run(async {
        let diary = Diary::default();
        let backoff = Backoff { first: SECOND, max: SECOND, quiet_period: SECOND };
        let spec = diary
            .puppets(spec(Strategy::OneForOne).backoff(backoff), &["waiting", "dying"])
            .child(diary.stubborn("slow", OnStop::After(4 * SECOND)));
        let root = start(spec);
        let registry = root.registry();
        order(&registry, "slow", Order::Count).await.unwrap();
        tell(&registry, "waiting", Order::Panic).await;
        let stopping = actix_rt::spawn(async move { root.stop(SOON).await });
        pass(Duration::from_millis(10)).await;
        let late = registry.ask::<Supervisor, _>(&Name::root(), StartChild(diary.puppet("late")), SOON).await;
        assert_eq!(late, Ok(Err(StartChildError::ShuttingDown(child("late")))));
        let again = registry.ask::<Supervisor, _>(&Name::root(), RestartChild("slow".into()), SOON).await;
        assert_eq!(again, Ok(Err(RestartChildError::ShuttingDown(child("slow")))));
        tell(&registry, "dying", Order::Panic).await;
        let report = stopping.await.unwrap();
        assert_eq!(report.reason, ExitReason::Shutdown);
        assert_eq!(diary.take(), "+waiting +dying +slow -waiting -dying -slow");
    });
}

#[test]
fn dropping_the_root_ends_every_actor() {
    run(async {
        let diary = Diary::default();
        let inner = spec(Strategy::OneForOne).child(diary.puppet("a"));
        let root = start(spec(Strategy::OneForOne).child(ChildSpec::supervisor("inner", inner)));
        order(&root.registry(), "inner/a", Order::Count).await.unwrap();
        drop(root);
        pass(SECOND).await;
        assert_eq!(diary.take(), "+a -a");
    });
}
