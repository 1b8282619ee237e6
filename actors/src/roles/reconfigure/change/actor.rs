//! A life of a change: begun by a client, or gone on with from the journal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, ChildSpec, RestartType, Shutdown, Stop as StopRequest};
use slog::{info, warn};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use uuid::Uuid;

use super::shell::{Input, Shell, TooLate};
use crate::roles::reconfigure::environment::ReconfigureEnvironment;
use crate::roles::reconfigure::memory::{self, Known};

#[cfg(test)]
mod tests;

/// The wait before a journal that does not answer is asked again.
const RELOAD_DELAY: Duration = Duration::from_secs(1);
/// How long a change may take to be abandoned in an orderly stop before it is left to the next daemon.
const STOP_DEADLINE: Duration = Duration::from_millis(1500);

/// A change that somebody has just asked for.
pub struct Beginning {
    /// What is to be remembered of it.
    pub known: Known,
    /// Is told when it survives a crash, or why it does not.
    pub begun: oneshot::Sender<Result<(), String>>,
}

/// Asks that a change be abandoned.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), TooLate>")]
pub struct Abandon;

/// Asks that a change in doubt be looked at now.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct LookNow;

/// The actor of one change.
pub struct ChangeActor {
    id: Uuid,
    environment: Arc<ReconfigureEnvironment>,
    /// Of the first life only.
    beginning: Option<Beginning>,
    inputs: mpsc::UnboundedSender<Input>,
    /// Until it runs.
    waiting: Option<mpsc::UnboundedReceiver<Input>>,
    link: ChildLink,
}

/// Describes the actor of a change. Transient: one that has ended is over, one that has crashed goes on from the journal.
pub fn spec(id: Uuid, environment: Arc<ReconfigureEnvironment>, beginning: Option<Beginning>) -> ChildSpec {
    let beginning = Mutex::new(beginning);
    ChildSpec::worker(id.to_string(), move |link| {
        let beginning = beginning.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (inputs, waiting) = mpsc::unbounded_channel();
        let environment = Arc::clone(&environment);
        ChangeActor { id, environment, beginning, inputs, waiting: Some(waiting), link }
    })
    .restart(RestartType::Transient)
    .shutdown(Shutdown::Deadline(STOP_DEADLINE))
}

impl Actor for ChangeActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let Some(waiting) = self.waiting.take() else { return };
        let (id, environment) = (self.id, Arc::clone(&self.environment));
        let (link, inputs, beginning) = (self.link.clone(), self.inputs.clone(), self.beginning.take());
        let life = async move {
            if let Some(Beginning { known, begun }) = beginning {
                let shell = Shell::new(known, environment, link, inputs, waiting);
                shell.begin(begun).await;
            } else {
                match load(id, &link).await {
                    Some(known) if !known.is_over() => {
                        info!(link.log, "a change goes on from the journal"; "change" => %id);
                        Shell::new(known, environment, link, inputs, waiting).resume().await;
                    }
                    // It has crashed at its very end.
                    Some(Known { told: Some(told), .. }) => drop(environment.board.put(told)),
                    // It has crashed before it began.
                    Some(_) | None => environment.board.give_up(&id.to_string()),
                }
            }
        };
        ctx.spawn(life.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// Reads what the journal has; `None`: it was never begun.
async fn load(id: Uuid, link: &ChildLink) -> Option<Known> {
    loop {
        match memory::load(&link.registry, id).await {
            Ok(known) => return known,
            Err(reason) => {
                warn!(link.log, "cannot read the journal"; "error" => reason, "next" => "ask again");
                sleep(RELOAD_DELAY).await;
            }
        }
    }
}

impl Handler<Abandon> for ChangeActor {
    type Result = Response<Result<(), TooLate>>;

    fn handle(&mut self, _: Abandon, _: &mut Context<Self>) -> Self::Result {
        let (answer, answered) = oneshot::channel();
        // A shell that is over drops it: then it is too late.
        let _ = self.inputs.send(Input::Abandon(answer));
        Response::fut(async { answered.await.unwrap_or(Err(TooLate)) })
    }
}

impl Handler<LookNow> for ChangeActor {
    type Result = ();

    fn handle(&mut self, _: LookNow, _: &mut Context<Self>) {
        // One that is over needs no look.
        let _ = self.inputs.send(Input::LookNow);
    }
}

impl Handler<StopRequest> for ChangeActor {
    type Result = ();

    fn handle(&mut self, _: StopRequest, _: &mut Context<Self>) {
        // The shell ends the actor, at once or when the change is abandoned.
        let _ = self.inputs.send(Input::Stop);
    }
}
