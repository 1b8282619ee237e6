//! The poll role: pvmoves, conversions and merges are carried to their end, for the clients of lvmpolld.

pub(crate) mod api;
pub mod copying;
pub mod environment;
pub mod foreign;
mod observed;
pub mod operation;
pub mod reconcile;
pub mod recovery;
pub mod session;
pub mod throttle;
