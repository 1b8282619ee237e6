//! Poll operations in the daemon's real tree, with a real journal, on processes that exist in a script only.
//!
//! The clock is the real one: the journal writes on a thread of its own, and a paused clock would jump meanwhile. So
//! waits have lower bounds that are promises, and upper bounds that only end a test that hangs.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod adopting;
mod following;
mod many;
#[cfg(debug_assertions)]
mod panicking;
mod requesting;
mod seeking;
mod stopping;
mod support;
mod telling;
mod watching;
