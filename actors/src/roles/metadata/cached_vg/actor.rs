//! The actor of one cached VG: decides, with [`state`](super::state), what becomes of it.
//!
//! What is cached is not its own: it stands in the cache, where everybody reads it, and is put in place there by whoever
//! asked. So a fresh actor goes on with what was decided last. One that crashed may have been given metadata that nobody
//! decided about: it marks its VG as one that has to be read again.

use std::sync::Arc;

use actix::prelude::*;
use lvmwarden_protocol::metadata::Vgid;
use lvmwarden_supervisor::{ChildLink, Stop, fault};
use slog::{debug, warn};

use super::state::{Decision, Event, Outcome};
use crate::roles::metadata::settings::MetadataEnvironment;

/// Asks for a decision; `None` if the VG is not cached.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Option<Decision>")]
pub struct Decide(pub Event);

/// One cached VG.
pub struct CachedVgActor {
    uuid: Vgid,
    environment: Arc<MetadataEnvironment>,
    link: ChildLink,
    /// It has begun to decide, and has not come to an end.
    is_deciding: bool,
}

impl CachedVgActor {
    /// Makes the actor.
    pub fn new(uuid: Vgid, environment: Arc<MetadataEnvironment>, link: ChildLink) -> Self {
        Self { uuid, environment, link, is_deciding: false }
    }

    fn tell(&self, outcome: Outcome) {
        let (log, vg) = (&self.link.log, &self.uuid);
        match outcome {
            Outcome::Unchanged | Outcome::Replaced => {}
            Outcome::Older => {
                debug!(log, "a PV has older metadata"; "vg" => %vg, "next" => "it is told as outdated, if it is in use");
            }
            Outcome::Contradicting => {
                warn!(log, "two PVs have different metadata with the same seqno"; "vg" => %vg,
                      "next" => "those that came first stay");
            }
            Outcome::WithoutSeqno => {
                warn!(log, "a PV has metadata without seqno"; "vg" => %vg, "next" => "they are ignored");
            }
        }
    }
}

impl Actor for CachedVgActor {
    type Context = Context<Self>;
}

impl Handler<Decide> for CachedVgActor {
    type Result = Option<Decision>;

    fn handle(&mut self, Decide(event): Decide, _: &mut Context<Self>) -> Option<Decision> {
        self.is_deciding = true;
        fault::point("metadata.deciding", self.uuid.as_str());
        let decision = self.environment.cache().decide(&self.uuid, event);
        self.is_deciding = false;
        if let Some(decision) = &decision {
            self.tell(decision.outcome);
        }
        decision
    }
}

impl Handler<Stop> for CachedVgActor {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Drop for CachedVgActor {
    fn drop(&mut self) {
        if self.is_deciding {
            warn!(self.link.log, "the actor of a VG has crashed"; "vg" => %self.uuid,
                  "next" => "commands are told to read the VG from its disks");
            self.environment.cache().crashed(&self.uuid);
            self.environment.knowledge.changed();
        }
    }
}
