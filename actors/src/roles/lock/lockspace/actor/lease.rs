//! Watches the lease on our host's life.

use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::lock::LockType;
use slog::debug;

use super::LockspaceActor;
use crate::roles::lock::lockspace::event::Event;
use crate::roles::lock::lockspace::picture::Stage;

/// How often the lease is looked at.
const PERIOD: Duration = Duration::from_secs(2);

impl LockspaceActor {
    /// Looks at the lease every now and then, where the lock manager has one.
    pub(super) fn watch_lease(&self, ctx: &mut Context<Self>) {
        if self.spec.lock_type == LockType::Sanlock && !self.environment.managers.is_inline() {
            ctx.run_interval(PERIOD, Self::look_at_lease);
        }
    }

    fn look_at_lease(&mut self, ctx: &mut Context<Self>) {
        if self.machine.stage() != Stage::Running {
            return;
        }
        let Some(connection) = self.opened.as_ref().map(|opened| opened.calls.clone()) else { return };
        if connection.under_way() > 0 {
            // It would only queue up behind a call that may hang; the machine knows how old the last look is.
            return self.apply(Event::TimeHasCome, ctx);
        }
        let told = async move { connection.renewal().await };
        ctx.spawn(told.into_actor(self).map(|told, actor, ctx| match told {
            Ok(renewal) => actor.apply(Event::Renewal(renewal), ctx),
            Err(fault) => {
                debug!(actor.log, "cannot tell how the lease is doing"; "error" => %fault);
                actor.apply(Event::TimeHasCome, ctx);
            }
        }));
    }
}
