//! Ends that nobody asked for.

use super::*;

#[test]
fn a_panic_is_answered_by_a_fresh_instance() {
    run(async {
        let diary = Diary::default();
        let root = start(spec(Strategy::OneForOne).child(diary.puppet("a")).child(diary.puppet("b")));
        let registry = root.registry();
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((1, 1)));
        tell(&registry, "a", Order::Panic).await;
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((2, 1)), "state begins anew");
        assert_eq!(order(&registry, "b", Order::Count).await, Ok((1, 1)), "a sibling notices nothing");
        assert_eq!(diary.take(), "+a +b -a +a");
        let a = node(&root, "a").await;
        assert_eq!((a.state, a.restarts), (NodeState::Running, 1));
        assert_eq!(a.last_exit, Some(ExitReason::Panicked("told to".into())));
    });
}

#[test]
fn how_a_child_ended_is_told_apart() {
    run(async {
        let cases = [
            (Order::Panic, ExitReason::Panicked("told to".into())),
            (Order::Fail, ExitReason::Failed("told to".into())),
            (Order::End, ExitReason::Normal),
        ];
        for (cause, expected) in cases {
            let root = start(spec(Strategy::OneForOne).child(Diary::default().puppet("a")));
            tell(&root.registry(), "a", cause).await;
            pass(SECOND).await;
            assert_eq!(node(&root, "a").await.last_exit, Some(expected));
        }
    });
}

#[test]
fn a_transient_child_that_ended_in_order_stays_in_the_tree_and_out_of_reach() {
    run(async {
        let transient = Diary::default().puppet("a").restart(RestartType::Transient);
        let root = start(spec(Strategy::OneForOne).child(transient));
        let registry = root.registry();
        order(&registry, "a", Order::End).await.unwrap();
        pass(SECOND).await;
        assert_eq!(node(&root, "a").await.state, NodeState::Ended);
        assert_eq!(order(&registry, "a", Order::Count).await, Err(AskError::Unknown(child("a"))));
    });
}

/// A worker that panics in its factory or in `started` until its third instance.
struct LateStarter {
    panics: bool,
}

impl Actor for LateStarter {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        assert!(!self.panics, "in started");
    }
}

impl Handler<Stop> for LateStarter {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

#[derive(Clone, Message)]
#[rtype(result = "()")]
struct Ping;

impl Handler<Ping> for LateStarter {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

#[test]
fn a_panic_in_the_factory_or_in_started_is_a_death_like_any_other() {
    for (in_factory, message) in [(true, "in the factory"), (false, "in started")] {
        run(async {
            let instances = AtomicU32::new(0);
            let worker = ChildSpec::worker("a", move |_| {
                let panics = instances.fetch_add(1, SeqCst) < 2;
                assert!(!(panics && in_factory), "in the factory");
                LateStarter { panics }
            });
            let root = start(spec(Strategy::OneForOne).child(worker));
            root.registry().ask::<LateStarter, _>(&child("a"), Ping, SOON).await.unwrap();
            let a = node(&root, "a").await;
            assert_eq!((a.restarts, a.last_exit), (2, Some(ExitReason::Panicked(message.into()))));
        });
    }
}

#[test]
fn one_for_all_stops_in_reverse_and_starts_in_order() {
    run(async {
        let diary = Diary::default();
        let root = start(
            diary
                .puppets(spec(Strategy::OneForAll), &["a", "b", "c", "d"])
                .child(diary.puppet("t").restart(RestartType::Temporary)),
        );
        pass(SECOND).await;
        diary.take();
        tell(&root.registry(), "b", Order::Panic).await;
        pass(SECOND).await;
        assert_eq!(diary.take(), "-b -t -d -c -a +a +b +c +d", "a temporary child does not come back");
        assert_eq!(node(&root, "b").await.last_exit, Some(ExitReason::Panicked("told to".into())));
        assert_eq!(node(&root, "c").await.last_exit, Some(ExitReason::Shutdown));
    });
}

#[test]
fn rest_for_one_leaves_those_before_alone() {
    run(async {
        let diary = Diary::default();
        let root = start(diary.puppets(spec(Strategy::RestForOne), &["a", "b", "c", "d"]));
        pass(SECOND).await;
        diary.take();
        tell(&root.registry(), "b", Order::Panic).await;
        pass(SECOND).await;
        assert_eq!(diary.take(), "-b -d -c +b +c +d");
        assert_eq!(order(&root.registry(), "a", Order::Count).await, Ok((1, 1)));
    });
}

#[test]
fn a_death_before_the_rest_is_restarted_widens_the_restart() {
    run(async {
        let diary = Diary::default();
        let slow = Backoff { first: 10 * SECOND, max: 10 * SECOND, quiet_period: SECOND };
        let spec = diary
            .puppets(spec(Strategy::RestForOne).backoff(slow), &["a", "b"])
            .child(diary.stubborn("c", OnStop::After(2 * SECOND)));
        let root = start(spec);
        pass(SECOND).await;
        diary.take();
        // While `c` is being stopped, and while `b` and `c` wait.
        for moment in [SECOND, 5 * SECOND] {
            tell(&root.registry(), "b", Order::Panic).await;
            pass(moment).await;
            tell(&root.registry(), "a", Order::Panic).await;
            pass(30 * SECOND).await;
            let events = diary.take();
            assert!(events.ends_with("+a +b +c"), "{events}");
            assert_eq!(events.matches('+').count(), 3, "each is started once: {events}");
        }
    });
}

#[test]
fn a_child_that_dies_while_its_turn_to_stop_has_not_come_is_restarted_with_the_others() {
    run(async {
        let diary = Diary::default();
        let spec = diary
            .puppets(spec(Strategy::OneForAll).intensity(1, SOON), &["a", "b"])
            .child(diary.stubborn("c", OnStop::After(2 * SECOND)));
        let root = start(spec);
        pass(SECOND).await;
        diary.take();
        tell(&root.registry(), "a", Order::Panic).await;
        pass(SECOND).await;
        tell(&root.registry(), "b", Order::Panic).await;
        pass(10 * SECOND).await;
        assert_eq!(diary.take(), "-a -b -c +a +b +c", "and it does not count as one more restart");
    });
}

#[test]
fn too_many_restarts_escalate_to_the_end_of_the_root() {
    run(async {
        let diary = Diary::default();
        let inner = diary.puppets(spec(Strategy::OneForOne).intensity(1, SOON), &["a", "b"]);
        let outer = spec(Strategy::OneForOne).intensity(1, SOON).child(ChildSpec::supervisor("inner", inner));
        let root = start(outer.child(diary.puppet("c")));
        let registry = root.registry();
        for _ in 0..3 {
            order(&registry, "inner/a", Order::Count).await.unwrap();
            tell(&registry, "inner/a", Order::Panic).await;
        }
        assert_eq!(order(&registry, "inner/a", Order::Count).await, Ok((4, 1)));
        let inner = node(&root, "inner").await;
        assert_eq!(inner.restarts, 1);
        let reason = "root/inner/a: more than 1 restarts within 60s, last: panicked: told to";
        assert_eq!(inner.last_exit, Some(ExitReason::Failed(reason.into())));

        tell(&registry, "inner/a", Order::Panic).await;
        let ended = root.ended().await;
        let whole = format!("root/inner: more than 1 restarts within 60s, last: failed: {reason}");
        assert_eq!(ended, ExitReason::Failed(whole));
        assert_eq!(order(&registry, "c", Order::Count).await, Err(AskError::Unknown(child("c"))));
        assert!(diary.take().ends_with("-a -b -c"));
    });
}

#[test]
fn who_asks_below_an_escalating_supervisor_waits_for_what_comes_after() {
    run(async {
        let inner = spec(Strategy::OneForOne).intensity(0, SOON).child(Diary::default().puppet("a"));
        let backoff = Backoff { first: 5 * SECOND, max: 5 * SECOND, quiet_period: SECOND };
        let outer = spec(Strategy::OneForOne).backoff(backoff).child(ChildSpec::supervisor("inner", inner));
        let root = start(outer);
        order(&root.registry(), "inner/a", Order::Count).await.unwrap();
        tell(&root.registry(), "inner/a", Order::Panic).await;
        let begin = Instant::now();
        assert_eq!(order(&root.registry(), "inner/a", Order::Count).await, Ok((2, 1)));
        assert!((4 * SECOND..=6 * SECOND).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    });
}

#[test]
fn who_asks_for_a_child_deep_in_the_tree_before_it_is_started_waits_for_it() {
    run(async {
        let inner = spec(Strategy::OneForOne).child(Diary::default().puppet("a"));
        let middle = spec(Strategy::OneForOne).child(ChildSpec::supervisor("inner", inner));
        let root = start(spec(Strategy::OneForOne).child(ChildSpec::supervisor("middle", middle)));
        assert_eq!(order(&root.registry(), "middle/inner/a", Order::Count).await, Ok((1, 1)));
    });
}

#[test]
fn restarts_in_a_row_wait_longer_and_longer() {
    run(async {
        let backoff = Backoff { first: Duration::ZERO, max: SECOND, quiet_period: SOON };
        let spec = SupervisorSpec::new(Strategy::OneForOne).backoff(backoff).intensity(10, SOON);
        let root = start(spec.child(Diary::default().puppet("a")));
        let registry = root.registry();
        order(&registry, "a", Order::Count).await.unwrap();
        for expected in [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0] {
            tell(&registry, "a", Order::Panic).await;
            let begin = Instant::now();
            order(&registry, "a", Order::Count).await.unwrap();
            let waited = begin.elapsed().as_secs_f64();
            assert!(
                (expected * 0.8 - 0.002..=expected * 1.2 + 0.002).contains(&waited),
                "{waited} for {expected}"
            );
        }
    });
}

#[test]
fn an_ask_survives_the_panic_it_causes() {
    run(async {
        let backoff = Backoff { first: 5 * SECOND, max: 5 * SECOND, quiet_period: SECOND };
        let root = start(spec(Strategy::OneForOne).backoff(backoff).child(Diary::default().puppet("a")));
        assert_eq!(order(&root.registry(), "a", Order::PanicIfFirstInstance).await, Ok((2, 1)));
    });
}

#[test]
fn asks_that_wait_in_the_mailbox_survive_the_panic_of_one_before_them() {
    run(async {
        let root = start(spec(Strategy::OneForOne).child(Diary::default().puppet("a")));
        let ask = |what| {
            let registry = root.registry();
            actix_rt::spawn(async move { order(&registry, "a", what).await })
        };
        let poison = ask(Order::PanicIfFirstInstance);
        let others: Vec<_> = (0..100).map(|_| ask(Order::Count)).collect();
        poison.await.unwrap().unwrap();
        for other in others {
            let (instance, _) = other.await.unwrap().unwrap();
            assert_eq!(instance, 2);
        }
    });
}

#[test]
fn a_message_that_kills_every_instance_is_refused_before_it_uses_up_the_restarts() {
    run(async {
        let root = start(SupervisorSpec::new(Strategy::OneForOne).child(Diary::default().puppet("a")));
        let registry = root.registry();
        assert_eq!(
            order(&registry, "a", Order::Panic).await,
            Err(AskError::Died { name: child("a"), times: 3 })
        );
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((4, 1)));
    });
}

#[test]
fn a_late_notice_of_an_earlier_instance_is_harmless() {
    run(async {
        let root = start(spec(Strategy::OneForOne).child(Diary::default().puppet("a")));
        let registry = root.registry();
        tell(&registry, "a", Order::Panic).await;
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((2, 1)));
        let Resolution::Running(supervisor) = registry.resolve::<Supervisor>(&Name::root()) else { panic!() };
        for generation in 0..=1 {
            supervisor.send(Down { position: 0, generation, reason: ExitReason::Killed }).await.unwrap();
            supervisor.send(DeadlinePassed { position: 0, generation, after: SECOND }).await.unwrap();
            supervisor.send(DelayPassed { children: vec![0], generation }).await.unwrap();
        }
        supervisor.send(Down { position: 7, generation: 1, reason: ExitReason::Killed }).await.unwrap();
        assert_eq!(order(&registry, "a", Order::Count).await, Ok((2, 2)), "the instance lives on");
        assert_eq!(node(&root, "a").await.restarts, 1);
    });
}

#[test]
fn restart_child_stops_and_starts_without_counting() {
    run(async {
        let diary = Diary::default();
        let root = start(spec(Strategy::OneForOne).intensity(0, SOON).child(diary.puppet("a")));
        let registry = root.registry();
        order(&registry, "a", Order::Count).await.unwrap();
        for _ in 0..3 {
            let asked = registry.ask::<Supervisor, _>(&Name::root(), RestartChild("a".into()), SOON).await;
            assert_eq!(asked, Ok(Ok(child("a"))));
            order(&registry, "a", Order::Count).await.unwrap();
        }
        assert_eq!(diary.take(), "+a -a +a -a +a -a +a");
        let unknown = registry.ask::<Supervisor, _>(&Name::root(), RestartChild("x".into()), SOON).await;
        assert_eq!(unknown, Ok(Err(RestartChildError::Unknown(child("x")))));
    });
}

#[test]
fn restart_child_takes_those_along_that_the_strategy_does() {
    run(async {
        for (strategy, expected) in [
            (Strategy::OneForOne, "-b +b"),
            (Strategy::RestForOne, "-c -b +b +c +done"),
            (Strategy::OneForAll, "-c -b -a +a +b +c +done"),
        ] {
            let diary = Diary::default();
            // One that has done its work is wanted again as well.
            let done = diary.puppet("done").restart(RestartType::Transient);
            let spec = diary.puppets(spec(strategy).intensity(0, SOON), &["a", "b", "c"]).child(done);
            let root = start(spec);
            tell(&root.registry(), "done", Order::End).await;
            diary.take();
            let asked =
                root.registry().ask::<Supervisor, _>(&Name::root(), RestartChild("b".into()), SOON).await;
            assert_eq!(asked, Ok(Ok(child("b"))));
            pass(SECOND).await;
            assert_eq!(diary.take(), expected, "{strategy:?}");
        }
    });
}
