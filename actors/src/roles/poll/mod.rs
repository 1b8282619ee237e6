//! The poll role: pvmoves, conversions and merges are carried to their end, for the clients of lvmpolld.

pub mod api;
pub mod environment;
mod observed;
pub mod operation;
pub mod reconcile;
pub mod recovery;
pub mod role;
pub mod session;
mod status;
pub mod throttle;
