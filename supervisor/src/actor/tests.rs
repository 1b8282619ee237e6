//! Trees of puppets on a paused clock: what happens when one of them panics, fails, ends or does not obey.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

use actix::{ActorContext, MessageResult};
use actix_rt::System;
use slog::{Discard, Logger, o};

use super::*;
use crate::{
    ChildSpec, Name, NodeState, Registry, Resolution, Root, Shutdown, TreeNode,
    registry::AskError,
    restart::{Backoff, Strategy},
    start_root,
};

mod dynamic;
mod observing;
mod restarting;
mod stopping;

const SECOND: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_mins(1);

/// Runs a test on a clock that jumps to the next timer whenever nothing is left to do.
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

fn quiet() -> Logger {
    Logger::root(Discard, o!())
}

/// What happened to all puppets of a test, oldest first: `+id` started, `-id` stopped.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, sign: char, name: &Name) {
        self.0.lock().unwrap().push(format!("{sign}{}", name.last()));
    }

    /// Returns what happened since the last call, in one line.
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

/// A worker that does as it is told.
struct Puppet {
    link: ChildLink,
    diary: Diary,
    /// Which instance this is, counted from 1.
    instance: u32,
    messages: u32,
    stop: OnStop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OnStop {
    Obey,
    Ignore,
    After(Duration),
    Panic,
}

/// Something for a puppet to do; it answers (instance, messages this instance has seen).
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "(u32, u32)")]
enum Order {
    Count,
    Panic,
    PanicIfFirstInstance,
    Fail,
    End,
}

impl Actor for Puppet {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.diary.write('+', &self.link.name);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.diary.write('-', &self.link.name);
    }
}

impl Handler<Stop> for Puppet {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        match self.stop {
            OnStop::Obey => ctx.stop(),
            OnStop::Ignore => {}
            OnStop::After(delay) => {
                ctx.run_later(delay, |_, ctx| ctx.stop());
            }
            OnStop::Panic => panic!("does not want to stop"),
        }
    }
}

impl Handler<Order> for Puppet {
    type Result = MessageResult<Order>;

    fn handle(&mut self, order: Order, ctx: &mut Self::Context) -> Self::Result {
        self.messages += 1;
        match order {
            Order::Count => {}
            Order::Panic => panic!("told to"),
            Order::PanicIfFirstInstance => assert!(self.instance > 1, "told to, once"),
            Order::Fail => {
                self.link.fail("told to");
                ctx.stop();
            }
            Order::End => ctx.stop(),
        }
        MessageResult((self.instance, self.messages))
    }
}

/// Makes specs of puppets that write into one diary.
impl Diary {
    fn puppet(&self, id: &str) -> ChildSpec {
        self.stubborn(id, OnStop::Obey)
    }

    fn puppets(&self, spec: SupervisorSpec, ids: &[&str]) -> SupervisorSpec {
        ids.iter().fold(spec, |spec, id| spec.child(self.puppet(id)))
    }

    fn stubborn(&self, id: &str, stop: OnStop) -> ChildSpec {
        let (diary, instances) = (self.clone(), AtomicU32::new(0));
        ChildSpec::worker(id, move |link| Puppet {
            link,
            diary: diary.clone(),
            instance: instances.fetch_add(1, SeqCst) + 1,
            messages: 0,
            stop,
        })
    }
}

/// A supervisor that restarts at once.
fn spec(strategy: Strategy) -> SupervisorSpec {
    let backoff = Backoff { first: Duration::ZERO, max: Duration::ZERO, quiet_period: SECOND };
    SupervisorSpec::new(strategy).backoff(backoff)
}

fn start(spec: SupervisorSpec) -> Root {
    start_root(spec, quiet())
}

fn child(path: &str) -> Name {
    Name::from(format!("root/{path}"))
}

async fn order(registry: &Registry, path: &str, order: Order) -> Result<(u32, u32), AskError> {
    registry.ask::<Puppet, _>(&child(path), order, SOON).await
}

/// Waits for a puppet to run and gives it an order whose answer does not matter, such as one that is not survived.
async fn tell(registry: &Registry, path: &str, order: Order) {
    let begin = Instant::now();
    let puppet = loop {
        match registry.resolve::<Puppet>(&child(path)) {
            Resolution::Running(puppet) => break puppet,
            _ => assert!(begin.elapsed() < SOON, "{path} does not run"),
        }
        sleep(Duration::from_millis(1)).await;
    };
    let _ = puppet.send(order).await;
}

/// Lets everything happen that is due within `time`.
async fn pass(time: Duration) {
    sleep(time).await;
}

async fn node(root: &Root, path: &str) -> TreeNode {
    find(&root.tree(SOON).await.unwrap(), path).unwrap_or_else(|| panic!("no {path} in the tree"))
}

fn find(top: &TreeNode, path: &str) -> Option<TreeNode> {
    if top.name == child(path) {
        return Some(top.clone());
    }
    top.children.iter().find_map(|node| find(node, path))
}
