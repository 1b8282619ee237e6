//! The lock protocol, point by point, asked of our daemon in test mode.
//!
//! The numbers C-1 to C-70 are those of the project's list of what a stand-in for `lvmlockd` must do. What is in `both` is asked of
//! lvm2's own `lvmlockd` too, by the tests of `lab_lockd`; what is in `better` is where that one is known to do worse, or
//! is older. What needs another host, a disk, or a lock manager, is elsewhere:
//!
//! | numbers | where |
//! |---|---|
//! | C-11, C-13 (stopping), C-40 to C-44, C-57, C-68 | the tests of `actors/src/lockspace/state` |
//! | C-41, C-42, C-44, C-51 to C-54, C-66 to C-70 | the tests `lab_lock_*`, with sanlock, dlm and lvm |
//! | C-63 | the bytes of `info` in `protocol/src/lock/tests/files.rs`; lvmlockctl in `lab_lock_*` |
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod better;
mod both;

use lvmwarden_integration::daemon::Flavour;

/// Which daemon is asked.
const FLAVOUR: Flavour = Flavour::Ours;
