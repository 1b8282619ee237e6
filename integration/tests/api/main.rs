//! The JSON API of the running service, with a stub for lvm: what its clients get, and what they cannot do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod admission;
mod archive;
mod crowd;
mod events;
mod hostile;
mod introspection;
mod lock;
mod netcat;
mod operations;
mod python;
mod supervisor;
mod support;
mod throttle;
