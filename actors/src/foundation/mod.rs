//! What every role stands on, and what knows no role.

pub mod activity;
pub mod admission;
pub mod api;
pub mod door;
pub(crate) mod error_chain;
pub mod facts;
pub mod kernel;
pub mod local_time;
pub mod lvm_report;
pub mod moment;
pub mod names;
pub mod role;
pub mod store;
pub mod wall_clock;
