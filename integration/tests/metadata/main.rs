//! The protocol of lvmetad, point by point, asked of the built binary.
//!
//! The numbers M-01 to M-70 are those of the project's list of what a stand-in for lvmetad of lvm2 2.02.188 must do. Where real
//! commands of 2.02 are meant, their recorded requests are sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod disks;
mod process;
mod pvs;
mod text;
mod together;
mod token;
mod vgs;
