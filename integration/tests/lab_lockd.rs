//! The lock protocol, point by point, asked of lvm2's own `lvmlockd` 2.03.16 in test mode: what `lock` asks of ours is right
//! because this passes.
//!
//! The daemon is Debian's, unpacked into the lab's cache and never installed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lock/both/mod.rs"]
mod both;

use lvmwarden_integration::daemon::Flavour;

/// Which daemon is asked.
const FLAVOUR: Flavour = Flavour::Stock;
