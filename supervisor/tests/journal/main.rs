//! The journal as its users see it: one directory, one ledger, and every way to be interrupted.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod appending;
mod child;
mod crash;
mod format;
mod full_disk;
mod ledger;
mod opening;
mod worker;
