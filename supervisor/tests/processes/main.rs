//! Supervised processes on the real system: what they inherit, how they end, how they are found again.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod adopting;
mod scanning;
mod spawning;
mod support;
mod terminating;
