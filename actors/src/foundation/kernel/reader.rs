//! The one reader of device-mapper: looks at everything that is watched, at once, and tells each watcher.
//!
//! It looks as soon as the kernel says that something has happened, at once when somebody enters the list, and otherwise
//! [`PERIOD`] after the last look, for the progress, while anybody is on the list; never otherwise. A look is a few
//! microseconds for each device, flushes nothing, scans nothing and waits for no disk.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::Logger;
use tokio::select;
use tokio::time::sleep;

use super::Kernel;
use super::watchlist::{Looked, Watchlist};
use crate::foundation::kernel::copying::Subject;

/// The time between two looks when nothing happens: people follow the progress.
pub const PERIOD: Duration = Duration::from_secs(1);
/// The same where the kernel does not say it when a copy is complete.
pub const PERIOD_IN_SILENCE: Duration = Duration::from_millis(250);
/// The time between two looks when much happens: an lvm command that sets up a large volume causes events by the dozen.
pub const REST: Duration = Duration::from_millis(20);

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
        let reading = read(Arc::clone(&self.kernel), self.watchlist.clone(), self.link.log.clone());
        ctx.spawn(reading.into_actor(self));
    }
}

impl Handler<Stop> for Reader {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

async fn read(kernel: Arc<dyn Kernel>, watchlist: Watchlist, log: Logger) {
    let mut is_logged = false;
    loop {
        let (subjects, watchers): (Vec<_>, Vec<_>) = watchlist.watched().into_iter().unzip();
        if subjects.is_empty() {
            watchlist.entered().await;
            continue;
        }
        // Before the look: what happens while it lasts is seen by the next one.
        let happening = kernel.happening();
        if !is_logged {
            slog::debug!(log, "device-mapper is read"; "kernel_tells" => happening.is_some());
            is_logged = true;
        }
        let is_told = happening.is_some() && subjects.iter().all(Subject::is_end_an_event);
        let period = if is_told { PERIOD } else { PERIOD_IN_SILENCE };
        for (watcher, look) in watchers.into_iter().zip(kernel.look(subjects).await) {
            // A watcher that is busy, or gone, is told at the next look if it is still on the list.
            let _ = watcher.try_send(Looked(look));
        }
        let happened = async {
            sleep(REST).await;
            match happening {
                Some(happening) => happening.await,
                None => pending().await,
            }
        };
        // All are cancel-safe; what has happened, or who has entered, is seen by the look that follows any of them.
        select! {
            () = sleep(period) => {}
            () = watchlist.entered() => {}
            () = happened => {}
        }
    }
}

#[cfg(test)]
mod tests;
