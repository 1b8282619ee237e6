//! The program `lvmwarden` against the real service, which starts stubs for `lvm`: each command, who may use it, and what
//! becomes of it when the service is killed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod commands;
mod metadata;
mod program;
mod restarts;
