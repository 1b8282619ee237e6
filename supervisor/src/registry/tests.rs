//! Names without a tree: what askers see of each state of a slot.

use actix::{ActorContext, AsyncContext};
use actix_rt::System;
use tokio::time::{Instant, timeout};

use super::*;

const SOON: Duration = Duration::from_secs(10);

struct Adder {
    sum: u32,
}

#[derive(Clone, Message)]
#[rtype(result = "u32")]
struct Add(u32);

/// Asks never to be answered.
#[derive(Clone, Message)]
#[rtype(result = "()")]
struct Never;

impl Actor for Adder {
    type Context = Context<Self>;
}

impl Handler<Add> for Adder {
    type Result = u32;

    fn handle(&mut self, Add(number): Add, _: &mut Self::Context) -> u32 {
        self.sum += number;
        self.sum
    }
}

impl Handler<Never> for Adder {
    type Result = actix::ResponseFuture<()>;

    fn handle(&mut self, _: Never, _: &mut Self::Context) -> Self::Result {
        Box::pin(std::future::pending())
    }
}

fn run<F: Future>(test: F) -> F::Output {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(test)
}

fn name() -> Name {
    Name::root().child("adder")
}

async fn ask(registry: &Registry) -> Result<u32, AskError> {
    registry.ask::<Adder, _>(&name(), Add(1), SOON).await
}

#[test]
fn an_unknown_name_is_answered_at_once() {
    run(async {
        let begin = Instant::now();
        assert_eq!(ask(&Registry::default()).await, Err(AskError::Unknown(name())));
        assert_eq!(begin.elapsed(), Duration::ZERO);
    });
}

#[test]
fn an_ask_waits_for_the_next_bearer_of_the_name() {
    run(async {
        let registry = Registry::default();
        registry.set_restarting(&[name()]);
        let later = registry.clone();
        actix_rt::spawn(async move {
            tokio::time::sleep(SOON / 2).await;
            later.register(&name(), Adder { sum: 10 }.start());
        });
        assert_eq!(ask(&registry).await, Ok(11));
    });
}

#[test]
fn an_ask_ends_when_the_name_is_given_up_or_forgotten() {
    run(async {
        let given_up = AskError::GivenUp { name: name(), reason: "broken".into() };
        for (is_given_up, expected) in [(true, given_up), (false, AskError::Unknown(name()))] {
            let registry = Registry::default();
            registry.set_restarting(&[name()]);
            let later = registry.clone();
            actix_rt::spawn(async move {
                tokio::time::sleep(SOON / 2).await;
                if is_given_up {
                    later.give_up(&name(), "broken", ChildKind::Worker);
                } else {
                    later.remove(&name(), ChildKind::Worker);
                }
            });
            assert_eq!(ask(&registry).await, Err(expected));
        }
    });
}

#[test]
fn an_ask_ends_at_its_deadline() {
    run(async {
        let registry = Registry::default();
        let begin = Instant::now();
        registry.set_restarting(&[name()]);
        assert_eq!(ask(&registry).await, Err(AskError::TimedOut { name: name(), after: SOON }));
        registry.register(&name(), Adder { sum: 0 }.start());
        let never = registry.ask::<Adder, _>(&name(), Never, SOON).await;
        assert_eq!(never, Err(AskError::TimedOut { name: name(), after: SOON }));
        assert!(begin.elapsed() < 2 * SOON + Duration::from_secs(1));
    });
}

#[test]
fn a_full_mailbox_does_not_lose_an_ask() {
    run(async {
        let registry = Registry::default();
        registry.register(&name(), Adder { sum: 0 }.start());
        let asks: Vec<_> = (0..1000)
            .map(|_| {
                let registry = registry.clone();
                actix_rt::spawn(async move { ask(&registry).await })
            })
            .collect();
        let mut answers = Vec::new();
        for ask in asks {
            answers.push(ask.await.unwrap().unwrap());
        }
        assert_eq!(answers, (1..=1000).collect::<Vec<_>>());
    });
}

#[test]
fn a_supervisor_that_starts_again_leaves_only_what_its_spec_names() {
    run(async {
        let registry = Registry::default();
        let (top, fixed, dynamic) = (Name::root().child("s"), "root/s/fixed".into(), "root/s/dynamic".into());
        let other = Name::root().child("sibling");
        for name in [&top, &fixed, &dynamic, &other] {
            registry.register(name, Adder { sum: 0 }.start());
        }
        registry.set_restarting(&[top.clone(), fixed.clone()]);
        assert!(matches!(registry.resolve::<Adder>(&top), Resolution::Restarting));
        assert!(matches!(registry.resolve::<Adder>(&fixed), Resolution::Restarting));
        assert!(matches!(registry.resolve::<Adder>(&dynamic), Resolution::Unknown));
        assert!(matches!(registry.resolve::<Adder>(&other), Resolution::Running(_)));
        assert_eq!(registry.names_under(&Name::root()), [top, fixed, other]);
    });
}

struct Other;

impl Actor for Other {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_later(SOON, |_, ctx| ctx.stop());
    }
}

#[test]
#[should_panic(expected = "root/adder is not a lvmwarden_supervisor::registry::tests::Adder")]
fn a_name_asked_for_as_another_type_is_a_bug() {
    run(async {
        let registry = Registry::default();
        registry.register(&name(), Other.start());
        let _ = registry.resolve::<Adder>(&name());
    });
}

#[test]
fn a_question_is_pending_until_it_is_answered_or_taken_back() {
    run(async {
        let registry = Registry::default();
        let pending = || registry.pending_requests();
        assert_eq!(pending(), []);
        registry.register(&name(), Adder { sum: 0 }.start());
        assert_eq!(pending(), [(name(), 0)]);
        let name = name();
        {
            let mut questions = Vec::new();
            for number in 1..=2 {
                let mut question = Box::pin(registry.ask::<Adder, _>(&name, Never, SOON));
                timeout(Duration::ZERO, &mut question).await.unwrap_err();
                questions.push(question);
                assert_eq!(pending(), [(name.clone(), number)]);
            }
        }
        assert_eq!(pending(), [(name.clone(), 0)]);
        registry.ask::<Adder, _>(&name, Add(1), SOON).await.unwrap();
        assert_eq!(pending(), [(name.clone(), 0)]);
    });
}

#[test]
fn a_question_is_pending_while_its_actor_is_restarted() {
    run(async {
        let registry = Registry::default();
        registry.set_restarting(&[name()]);
        let name = name();
        let mut question = Box::pin(registry.ask::<Adder, _>(&name, Add(1), SOON));
        timeout(Duration::ZERO, &mut question).await.unwrap_err();
        assert_eq!(registry.pending_requests(), [(name.clone(), 1)]);
    });
}
