//! Changes that hosts make together, on a host by itself: asked of the built binary, with an lvm that remembers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
mod cli;
mod crash;
mod fake;
mod kinds;
mod refusing;
