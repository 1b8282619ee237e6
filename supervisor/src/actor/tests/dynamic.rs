//! Children started and stopped while the tree lives.

use super::*;

fn pool() -> SupervisorSpec {
    spec(Strategy::OneForOne).intensity(2, SOON).on_exceeded(OnExceeded::GiveUpChild)
}

async fn start_child(registry: &Registry, spec: ChildSpec) -> Result<Name, StartChildError> {
    registry.ask::<Supervisor, _>(&Name::root(), StartChild(spec), SOON).await.unwrap()
}

async fn stop_child(registry: &Registry, id: &str) -> Result<ExitReason, UnknownChild> {
    registry.ask::<Supervisor, _>(&Name::root(), StopChild(id.into()), SOON).await.unwrap()
}

#[test]
fn a_started_child_is_there_when_the_answer_is() {
    run(async {
        let diary = Diary::default();
        let root = start(pool());
        let registry = root.registry();
        assert_eq!(start_child(&registry, diary.puppet("a")).await, Ok(child("a")));
        let again = start_child(&registry, diary.puppet("a")).await;
        assert_eq!(again, Err(StartChildError::AlreadyStarted(child("a"))));
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((1, 1)));
        assert_eq!(registry.names_under(&Name::root()), [child("a")]);
        assert_eq!(diary.take(), "+a");
    });
}

#[test]
fn a_child_that_has_done_its_work_leaves_no_trace() {
    run(async {
        let root = start(pool());
        let registry = root.registry();
        for restart in [RestartType::Transient, RestartType::Temporary] {
            start_child(&registry, Diary::default().puppet("a").restart(restart)).await.unwrap();
            order(&registry, "a", Order::End).await.unwrap();
            pass(SECOND).await;
            assert_eq!(registry.names_under(&Name::root()), []);
            assert_eq!(root.tree(SOON).await.unwrap().children, []);
        }
    });
}

#[test]
fn a_child_that_dies_too_often_is_given_up_alone() {
    run(async {
        let diary = Diary::default();
        let root = start(pool());
        let registry = root.registry();
        for id in ["a", "b", "c"] {
            start_child(&registry, diary.puppet(id).restart(RestartType::Transient)).await.unwrap();
        }
        // Two deaths each of the others do not count for `b`.
        for id in ["a", "c", "a", "c", "b", "b"] {
            order(&registry, id, Order::Count).await.unwrap();
            tell(&registry, id, Order::Panic).await;
        }
        order(&registry, "b", Order::Count).await.unwrap();
        tell(&registry, "b", Order::Panic).await;
        let reason = "more than 2 restarts within 60s, last: panicked: told to".to_owned();
        let given_up = Err(AskError::GivenUp { name: child("b"), reason });
        assert_eq!(order(&registry, "b", Order::Count).await, given_up);
        assert_eq!(node(&root, "b").await.state, NodeState::GivenUp);
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((3, 1)));
        assert_eq!(order(&registry, "c", Order::Count).await, Ok((3, 1)));

        start_child(&registry, diary.puppet("b")).await.unwrap();
        assert_eq!(order(&registry, "b", Order::Count).await, Ok((1, 1)), "another start replaces it");
        assert_eq!(node(&root, "b").await.restarts, 0);
        assert_eq!(root.tree(SOON).await.unwrap().children.len(), 3);
    });
}

#[test]
fn stopping_a_child_says_how_it_ended_and_forgets_it() {
    run(async {
        let root = start(pool());
        let registry = root.registry();
        let cases = [
            (OnStop::Obey, ExitReason::Shutdown),
            (OnStop::After(SECOND), ExitReason::Shutdown),
            (OnStop::Ignore, ExitReason::Killed),
            (OnStop::Panic, ExitReason::Panicked("does not want to stop".into())),
        ];
        for (on_stop, expected) in cases {
            start_child(&registry, Diary::default().stubborn("a", on_stop)).await.unwrap();
            assert_eq!(stop_child(&registry, "a").await, Ok(expected));
            assert_eq!(stop_child(&registry, "a").await, Err(UnknownChild(child("a"))));
        }
    });
}

#[test]
fn stopping_a_child_that_waits_for_its_restart_calls_that_off() {
    run(async {
        let diary = Diary::default();
        let backoff = Backoff { first: 5 * SECOND, max: 5 * SECOND, quiet_period: SECOND };
        let root = start(pool().backoff(backoff).child(diary.puppet("a")));
        let registry = root.registry();
        order(&registry, "a", Order::Count).await.unwrap();
        tell(&registry, "a", Order::Panic).await;
        assert_eq!(stop_child(&registry, "a").await, Ok(ExitReason::Panicked("told to".into())));
        pass(10 * SECOND).await;
        assert_eq!(diary.take(), "+a -a");
        assert_eq!(node(&root, "a").await.state, NodeState::Ended);
        assert_eq!(order(&registry, "a", Order::Count).await, Err(AskError::Unknown(child("a"))));
    });
}

#[test]
fn a_child_that_comes_and_dies_amid_a_restart_of_others_does_not_disturb_it() {
    run(async {
        let diary = Diary::default();
        let spec = diary
            .puppets(spec(Strategy::RestForOne), &["a", "b"])
            .child(diary.stubborn("c", OnStop::After(4 * SECOND)));
        let root = start(spec);
        let registry = root.registry();
        order(&registry, "c", Order::Count).await.unwrap();
        tell(&registry, "b", Order::Panic).await;
        pass(SECOND).await;
        start_child(&registry, diary.puppet("d")).await.unwrap();
        tell(&registry, "d", Order::Panic).await;
        pass(10 * SECOND).await;
        assert_eq!(diary.take(), "+a +b +c -b +d -d -c +b +c +d");
    });
}

#[test]
fn a_supervisor_may_be_started_and_stopped_like_a_worker() {
    run(async {
        let root = start(pool());
        let registry = root.registry();
        let nested = spec(Strategy::OneForOne).child(Diary::default().puppet("a"));
        start_child(&registry, ChildSpec::supervisor("nested", nested)).await.unwrap();
        assert_eq!(order(&registry, "nested/a", Order::Count).await, Ok((1, 1)));
        assert_eq!(stop_child(&registry, "nested").await, Ok(ExitReason::Shutdown));
        assert_eq!(registry.names_under(&Name::root()), []);
    });
}

#[test]
fn thousands_of_children_start_panic_and_end() {
    run(async {
        const CHILDREN: usize = 2000;
        let diary = Diary::default();
        let root = start(pool());
        let registry = root.registry();
        let ids: Vec<_> = (0..CHILDREN).map(|index| format!("child {index}")).collect();
        for id in &ids {
            start_child(&registry, diary.puppet(id).restart(RestartType::Transient)).await.unwrap();
        }
        assert_eq!(ask_all(&registry, &ids, Order::PanicIfFirstInstance).await, vec![Ok((2, 1)); CHILDREN]);
        assert_eq!(root.tree(SOON).await.unwrap().children.len(), CHILDREN);
        assert_eq!(ask_all(&registry, &ids, Order::End).await, vec![Ok((2, 2)); CHILDREN]);
        pass(SECOND).await;
        assert_eq!(registry.names_under(&Name::root()), []);
        assert_eq!(root.tree(SOON).await.unwrap().children, []);
    });
}

/// Gives the same order to all children at the same time.
async fn ask_all(registry: &Registry, ids: &[String], what: Order) -> Vec<Result<(u32, u32), AskError>> {
    let ask = |id: String| {
        let registry = registry.clone();
        actix_rt::spawn(async move { order(&registry, &id, what).await })
    };
    let asks: Vec<_> = ids.iter().cloned().map(ask).collect();
    let mut answers = Vec::new();
    for ask in asks {
        answers.push(ask.await.unwrap());
    }
    answers
}
