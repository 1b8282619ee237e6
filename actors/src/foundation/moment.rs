//! The clock of all machines.

use std::time::Duration;

/// Time since the daemon started.
pub type Moment = Duration;
