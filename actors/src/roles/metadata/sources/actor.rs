//! The actor that fills the cache from the disks: lives as long as the role does, and begins anew after a crash.

use std::sync::Arc;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::error;

use super::handle::Sources;
use super::work::Work;
use crate::roles::metadata::settings::MetadataEnvironment;

/// Who fills the cache.
pub struct Filler {
    environment: Arc<MetadataEnvironment>,
    sources: Arc<Sources>,
    link: ChildLink,
}

impl Filler {
    /// Makes the actor.
    pub fn new(environment: Arc<MetadataEnvironment>, sources: Arc<Sources>, link: ChildLink) -> Self {
        Self { environment, sources, link }
    }
}

impl Actor for Filler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let work = Work::begin(Arc::clone(&self.environment), Arc::clone(&self.sources), &self.link);
        match work {
            Ok(work) => drop(ctx.spawn(work.go_on().into_actor(self))),
            Err(error) => {
                error!(self.link.log, "the disks cannot be read"; "error" => %error,
                       "next" => "the cache is filled by LVM commands only");
            }
        }
    }
}

impl Handler<Stop> for Filler {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
