//! All metrics, with what is the case at the moment.

use std::sync::Arc;

use lvmwarden_protocol::api::metrics::{Error, Get, GetReply, Request};
use lvmwarden_protocol::api::{CodecError, Method};
use lvmwarden_supervisor::Registry;
use tokio::time::timeout;

use super::Own;
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{ANSWER_DEADLINE, Part};
use crate::foundation::facts::metrics::Snapshot;
use crate::service::ServiceEnvironment;

/// `org.lvmwarden.Metrics`.
pub(super) struct Numbers(pub(super) Own);

impl Part for Numbers {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[Get::NAME];

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let Request::Get(_) = request;
        let Own { environment, context } = &self.0;
        let look = async {
            let make = scrape(environment, &context.registry).await.ok_or(Error::Busy)?;
            Ok(|| GetReply { openmetrics: make() })
        };
        context.large::<Get, _>(uid, replies, Error::Busy, look).await
    }
}

/// Looks at all metrics, and returns what makes `OpenMetrics` text of them, on another thread; `None` when the roles do
/// not answer in time.
///
/// Nothing is asked but the daemon's own memory: no lvm command, no disk.
pub(crate) async fn scrape(
    environment: &ServiceEnvironment,
    registry: &Registry,
) -> Option<impl FnOnce() -> String + Send + 'static> {
    let mut now = Snapshot {
        pending_requests: registry.pending_requests(),
        log_lines_dropped: environment.control.log_lines_dropped(),
        history_stuck: environment.history_problem().is_some(),
        of_roles: Vec::new(),
    };
    for role in &environment.roles {
        now.of_roles.push(timeout(ANSWER_DEADLINE, role.gauges(registry)).await.ok()??);
    }
    let metrics = Arc::clone(&environment.metrics);
    Some(move || metrics.encode(now))
}
