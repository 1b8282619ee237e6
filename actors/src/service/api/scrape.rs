//! All metrics, with what is the case at the moment.

use std::sync::Arc;

use lvmwarden_protocol::api::metrics::{Error, GetReply};
use lvmwarden_supervisor::Registry;
use tokio::time::timeout;

use super::{ANSWER_DEADLINE, ApiService};
use crate::foundation::facts::metrics::Snapshot;
use crate::roles::poll::operation::directory::Directory;
use crate::service::ServiceEnvironment;

impl ApiService {
    pub(super) async fn metrics(&self) -> Result<impl FnOnce() -> GetReply + Send + 'static, Error> {
        let scraped = scrape(&self.environment, &self.registry, self.directory.as_ref()).await;
        let make = scraped.ok_or(Error::Busy)?;
        Ok(|| GetReply { openmetrics: make() })
    }
}

/// Looks at all metrics, and returns what makes `OpenMetrics` text of them, on another thread; `None` when the operations do
/// not answer in time.
///
/// Nothing is asked but the daemon's own memory: no lvm command, no disk.
pub(crate) async fn scrape(
    environment: &ServiceEnvironment,
    registry: &Registry,
    directory: Option<&Directory>,
) -> Option<impl FnOnce() -> String + Send + 'static> {
    let mut now = Snapshot {
        pending_requests: registry.pending_requests(),
        log_lines_dropped: environment.control.log_lines_dropped(),
        archive: environment.archive.memory.seen(),
        archive_pass: environment.archive.memory.last_pass(),
        history_stuck: environment.history_problem().is_some(),
        ..Snapshot::default()
    };
    if let Some(directory) = directory {
        let counting = directory.describe_each(|operation| {
            *now.operations.entry((operation.request.kind, operation.state)).or_default() += 1;
            now.silent += u32::from(operation.silent);
        });
        timeout(ANSWER_DEADLINE, counting).await.ok()?;
    }
    if let Some(metadata) = &environment.metadata {
        now.vgs = Some(metadata.numbers().await);
    }
    let metrics = Arc::clone(&environment.metrics);
    Some(move || metrics.encode(&now))
}
