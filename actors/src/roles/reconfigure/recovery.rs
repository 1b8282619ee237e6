//! The first thing that the role does: what the journal has of changes is shown, and each that is not over gets its actor.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::api::reconfigure::Change;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{info, warn};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::change::told_of;
use super::directory::Directory;
use super::environment::ReconfigureEnvironment;
use super::memory;

/// The wait before a journal that does not answer is asked again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long the group may take to be joined before changes go on without it.
const JOIN_PATIENCE: Duration = Duration::from_secs(10);

/// The actor; it ends when it is done.
pub struct Recovery {
    environment: Arc<ReconfigureEnvironment>,
    joined: watch::Receiver<bool>,
    gate: watch::Sender<bool>,
    link: ChildLink,
}

impl Recovery {
    /// Makes the actor; it waits for `joined`, and turns `gate` true.
    pub fn new(
        environment: Arc<ReconfigureEnvironment>,
        joined: watch::Receiver<bool>,
        gate: watch::Sender<bool>,
        link: ChildLink,
    ) -> Self {
        Self { environment, joined, gate, link }
    }
}

impl Actor for Recovery {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (environment, link, mut joined) =
            (Arc::clone(&self.environment), self.link.clone(), self.joined.clone());
        let recovered = async move {
            // Without the group a change hears itself.
            let _ = timeout(JOIN_PATIENCE, joined.wait_for(|has_joined| *has_joined)).await;
            while let Err(reason) = recover(&environment, &link).await {
                warn!(link.log, "cannot read the journal"; "error" => reason, "next" => "ask again");
                sleep(RETRY_DELAY).await;
            }
        };
        ctx.spawn(recovered.into_actor(self).map(|(), actor, ctx| {
            actor.gate.send_replace(true);
            ctx.stop();
        }));
    }
}

impl Handler<Stop> for Recovery {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

async fn recover(environment: &Arc<ReconfigureEnvironment>, link: &ChildLink) -> Result<(), String> {
    let (changes, unknown) = memory::load_all(&link.registry).await?;
    if unknown > 0 {
        warn!(link.log, "the journal has changes of a form that this version does not know";
              "count" => unknown, "next" => "leave them");
    }
    let directory = Directory::new(link.registry.clone(), Arc::clone(environment), link.log.clone());
    for known in changes {
        let coordinator = environment.name_of(known.coordinator.node);
        let told = known.told.clone().filter(|_| known.is_over());
        let told = told.unwrap_or_else(|| Change { ..told_of(&known, coordinator) });
        if let Some(forgotten) = environment.board.put(told)
            && let Ok(forgotten) = forgotten.parse()
        {
            memory::forget(&link.registry, forgotten).await?;
        }
        if !known.is_over() {
            info!(link.log, "a change of an earlier life goes on"; "change" => %known.id);
            directory.start(known.id, None).await?;
        }
    }
    Ok(())
}
