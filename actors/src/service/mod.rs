//! What the JSON API needs of the daemon that it belongs to.

pub mod access;
pub mod api;
pub mod http;

use std::sync::Arc;

use jiff::Timestamp;
use lvmwarden_supervisor::Registry;

use crate::foundation::facts::events::Events;
use crate::foundation::facts::metrics::Metrics;
use crate::foundation::role::Role;
use crate::foundation::store::history::chronicler::HistorySite;
use crate::service::access::Access;

/// A level of the log that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("set the log level: there are {}", permitted.join(", "))]
pub struct BadLevel {
    /// Those that there are, the most severe first.
    pub permitted: Vec<String>,
}

/// What clients may do to the daemon as a whole. Nothing here waits.
pub trait Control: Send + Sync {
    /// Makes the daemon log this level and those more severe, and tells the readers of events.
    ///
    /// # Errors
    /// [`BadLevel`] when there is no such level.
    fn set_log_level(&self, level: &str) -> Result<(), BadLevel>;

    /// Begins to end the daemon in order; children go on if `leave_children`, and are ended as well otherwise.
    fn stop(&self, leave_children: bool);

    /// Returns how many lines had no room on their way to the log, since the daemon started.
    fn log_lines_dropped(&self) -> u64;
}

/// Which daemon it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Its version, such as `0.1.0`.
    pub version: String,
    /// When this life of it began.
    pub started_at: Timestamp,
    /// What its children carry as the name of their daemon.
    pub instance: String,
    /// What it serves, such as `poll`.
    pub roles: Vec<String>,
}

/// What the sessions of the JSON API share.
pub struct ServiceEnvironment {
    /// Which daemon it is.
    pub info: ServiceInfo,
    /// What may be done to it.
    pub control: Arc<dyn Control>,
    /// What happens.
    pub events: Events,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who is let in.
    pub access: Access,
    /// What the daemon does, turned on or not.
    pub roles: Vec<Arc<dyn Role>>,
    /// The history on disk, with the roles that have one: poll and lock.
    pub history: Option<Arc<HistorySite>>,
}

impl ServiceEnvironment {
    /// Returns why the daemon must not end now, for people.
    pub async fn why_not_to_end(&self, registry: &Registry) -> Option<String> {
        for role in &self.roles {
            let why = role.why_not_to_end(registry).await;
            if why.is_some() {
                return why;
            }
        }
        None
    }

    /// Returns what the roles do now, in one line for `systemctl status`; `None` where none has a word for it.
    pub async fn status(&self, registry: &Registry) -> Option<String> {
        let mut words = Vec::new();
        for role in &self.roles {
            words.extend(role.status(registry).await);
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Returns why the history on disk cannot be written at the moment, for people.
    pub fn history_problem(&self) -> Option<String> {
        self.history.as_ref().and_then(|site| site.health.trouble())
    }
}
