//! The poll protocol, point by point, asked of both daemons: ours and lvm2's own `lvmpolld`.
//!
//! The numbers P-1 to P-32 are those of the project's list of what a stand-in for `lvmpolld` must do. What `stock::` passes is
//! what the real daemon does; where it is known to do worse, the test says so and asks only ours for the better.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod children;
mod connections;
mod dump;
mod progress;
mod requests;
mod seeking;
