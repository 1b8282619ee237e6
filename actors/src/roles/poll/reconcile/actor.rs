//! The actor: takes questions, and lets the work go on.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::api::poll::UnfinishedLv;
use lvmwarden_supervisor::{ChildLink, Stop};
use tokio::sync::{mpsc, oneshot, watch};

use super::Reconciling;
use super::work::{Question, Work};
use crate::roles::poll::environment::PollEnvironment;

/// How many may wait for an answer; further ones are told that the actor is busy.
const QUESTIONS: usize = 8;
/// The longest that an answer takes: two looks, that under way and the asker's own, and the starts of what is found.
pub const DEADLINE: Duration = Duration::from_secs(100);

/// Asks for a look at LVM's metadata, and what is done about what is found.
///
/// The answer is why there is none otherwise, for the client.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Vec<UnfinishedLv>, String>")]
pub struct Reconcile {
    /// Nothing is done about it.
    pub dry_run: bool,
}

/// The worker that reconciles for as long as the service lives.
pub struct Reconciler {
    link: ChildLink,
    poll: Arc<PollEnvironment>,
    settings: Arc<Reconciling>,
    gate: watch::Receiver<bool>,
    questions: Option<mpsc::Sender<Question>>,
}

impl Reconciler {
    /// Makes the worker; it begins when `gate` says that the operations of an earlier life are known.
    pub fn new(
        poll: Arc<PollEnvironment>,
        settings: Arc<Reconciling>,
        gate: watch::Receiver<bool>,
        link: ChildLink,
    ) -> Self {
        Self { link, poll, settings, gate, questions: None }
    }
}

impl Actor for Reconciler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (sender, questions) = mpsc::channel(QUESTIONS);
        self.questions = Some(sender);
        let work = Work::new(Arc::clone(&self.poll), Arc::clone(&self.settings), &self.link);
        let mut gate = self.gate.clone();
        let working = async move {
            if gate.wait_for(|open| *open).await.is_ok() {
                work.go_on(questions).await;
            }
        };
        ctx.spawn(working.into_actor(self));
    }
}

impl Handler<Reconcile> for Reconciler {
    type Result = ResponseFuture<Result<Vec<UnfinishedLv>, String>>;

    fn handle(&mut self, Reconcile { dry_run }: Reconcile, _: &mut Context<Self>) -> Self::Result {
        let (answer, answered) = oneshot::channel();
        let sent = self
            .questions
            .as_ref()
            .is_some_and(|questions| questions.try_send(Question { dry_run, answer }).is_ok());
        Box::pin(async move {
            let ended = || Err("the daemon is busy, or ends".to_owned());
            if sent { answered.await.unwrap_or_else(|_| ended()) } else { ended() }
        })
    }
}

impl Handler<Stop> for Reconciler {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
