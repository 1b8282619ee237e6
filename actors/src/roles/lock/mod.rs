//! The lock role: the locks of shared VGs are held with a lock manager, for the clients of lvmlockd.

pub mod adopt_file;
pub mod api;
mod askers;
pub mod closing;
pub mod directory;
pub mod environment;
pub mod gauges;
pub mod global;
pub mod host_id;
pub mod lock_manager;
pub mod lockspace;
pub mod metrics;
pub mod recovery;
pub mod role;
pub mod session;
pub mod settle;
