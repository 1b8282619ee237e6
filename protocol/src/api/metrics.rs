//! `org.lvmwarden.Metrics`: numbers for Prometheus and its like.

use serde::{Deserialize, Serialize};

use super::interface::interface;

interface!("org.lvmwarden.Metrics", "org.lvmwarden.Metrics.varlink", {
    Get -> One(GetReply),
});

/// Asks for all metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Get {}

/// All metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GetReply {
    /// `OpenMetrics` 1.0 text, ended by `# EOF`.
    pub openmetrics: String,
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// The actors concerned did not answer in time; the call may be repeated.
    #[error("get an answer in time: the daemon is busy")]
    Busy,
}
