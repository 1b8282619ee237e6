//! What an observer is told, and in which order.

use super::*;
use crate::{ExitReason, Next, Observer, OnExceeded, StopChild, start_root_observed};

/// Writes down what it is told, in the words of the log.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    /// Returns what has been told since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn ended(&self, name: &Name, reason: &ExitReason, next: Next) {
        self.0.lock().unwrap().push(format!("{name} {reason}, next: {}", next.as_str()));
    }

    fn restarted(&self, name: &Name, restarts: u64) {
        self.0.lock().unwrap().push(format!("{name} restarted {restarts}"));
    }
}

fn start_noting(spec: SupervisorSpec) -> (Root, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    (start_root_observed(spec, quiet(), notes.clone()), notes)
}

#[test]
fn a_panic_is_told_with_its_message_and_then_the_restart() {
    run(async {
        let diary = Diary::default();
        let (root, notes) = start_noting(diary.puppets(spec(Strategy::OneForOne), &["a", "b"]));
        tell(&root.registry(), "a", Order::Panic).await;
        tell(&root.registry(), "a", Order::Fail).await;
        pass(SECOND).await;
        assert_eq!(
            notes.take(),
            [
                "root/a panicked: told to, next: restart",
                "root/a restarted 1",
                "root/a failed: told to, next: restart",
                "root/a restarted 2",
            ]
        );
    });
}

#[test]
fn what_is_in_order_is_not_told() {
    run(async {
        let diary = Diary::default();
        let transient = diary.puppet("a").restart(RestartType::Transient);
        let (root, notes) = start_noting(spec(Strategy::OneForOne).child(transient).child(diary.puppet("b")));
        tell(&root.registry(), "a", Order::End).await;
        root.stop(SECOND).await;
        assert_eq!(notes.take(), [""; 0]);
    });
}

#[test]
fn a_child_that_is_given_up_is_told_as_such() {
    run(async {
        let diary = Diary::default();
        let giving_up = spec(Strategy::OneForOne).intensity(1, SOON).on_exceeded(OnExceeded::GiveUpChild);
        let (root, notes) = start_noting(giving_up.child(diary.puppet("a")));
        for _ in 0..2 {
            tell(&root.registry(), "a", Order::Panic).await;
        }
        pass(SECOND).await;
        let notes = notes.take();
        assert_eq!(notes[..2], ["root/a panicked: told to, next: restart", "root/a restarted 1"]);
        assert_eq!(notes[2..], ["root/a panicked: told to, next: give up"]);
    });
}

#[test]
fn an_escalation_is_told_at_each_level() {
    run(async {
        let diary = Diary::default();
        let inner = diary.puppets(spec(Strategy::OneForOne).intensity(0, SOON), &["a"]);
        let outer = spec(Strategy::OneForOne).child(ChildSpec::supervisor("s", inner));
        let (root, notes) = start_noting(outer);
        tell(&root.registry(), "s/a", Order::Panic).await;
        pass(SECOND).await;
        let notes = notes.take();
        assert_eq!(notes[0], "root/s/a panicked: told to, next: escalate");
        assert!(notes[1].starts_with("root/s failed: root/s/a"), "{notes:?}");
        assert!(notes[1].ends_with("next: restart"), "{notes:?}");
        assert_eq!(notes[2..], ["root/s restarted 1"]);
    });
}

#[test]
fn a_child_that_had_to_be_killed_is_told() {
    run(async {
        let diary = Diary::default();
        let stubborn = diary.stubborn("a", OnStop::Ignore).shutdown(Shutdown::Deadline(SECOND));
        let (root, notes) = start_noting(spec(Strategy::OneForOne).child(stubborn));
        pass(SECOND).await;
        root.registry()
            .ask::<Supervisor, _>(&Name::root(), StopChild("a".to_owned()), SOON)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(notes.take(), ["root/a killed, next: nothing"]);
    });
}
