//! The one reader of device-mapper: looks at everything that is watched, at once, and tells each watcher.
//!
//! It looks [`PERIOD`] after the last look while anybody is on the list, at once when somebody enters it, and never
//! otherwise. A look is a few microseconds for each device, flushes nothing, scans nothing and waits for no disk.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Stop};
use tokio::time::timeout;

use super::Kernel;
use super::watchlist::{Looked, Watchlist};

/// The time between two looks.
pub const PERIOD: Duration = Duration::from_millis(250);

/// The actor that looks.
pub struct Reader {
    kernel: Arc<dyn Kernel>,
    watchlist: Watchlist,
    link: ChildLink,
}

impl Reader {
    /// Makes the actor.
    pub fn new(kernel: Arc<dyn Kernel>, watchlist: Watchlist, link: ChildLink) -> Self {
        Self { kernel, watchlist, link }
    }
}

impl Actor for Reader {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        slog::debug!(self.link.log, "device-mapper is read"; "every" => ?PERIOD);
        ctx.spawn(read(Arc::clone(&self.kernel), self.watchlist.clone()).into_actor(self));
    }
}

impl Handler<Stop> for Reader {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

async fn read(kernel: Arc<dyn Kernel>, watchlist: Watchlist) {
    loop {
        let (subjects, watchers): (Vec<_>, Vec<_>) = watchlist.watched().into_iter().unzip();
        if subjects.is_empty() {
            watchlist.entered().await;
            continue;
        }
        for (watcher, look) in watchers.into_iter().zip(kernel.look(subjects).await) {
            // A watcher that is busy, or gone, is told at the next look if it is still on the list.
            let _ = watcher.try_send(Looked(look));
        }
        // Passing the period is what is wanted here; entering cuts it short.
        let _ = timeout(PERIOD, watchlist.entered()).await;
    }
}
