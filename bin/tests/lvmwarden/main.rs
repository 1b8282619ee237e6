//! The program `lvmwarden` against a daemon of our own making: what each answer, each refusal and each silence makes of it.
//!
//! What the real daemon answers is tested in `integration/tests/lvmwarden_cli`.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod doctor;
mod failures;
mod fake_daemon;
mod following;
mod program;
mod typed_wrong;
