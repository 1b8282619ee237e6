//! One change on this host: its actor, and what that does.
//!
//! ```text
//!  the group ──Heard──┐                                   ┌─▶ journal          on disk before what follows
//!  timers ────────────┼─▶ Shell ──▶ lvmwarden_reconfigure ┼─▶ transport, locks
//!  children, readers ─┘    ▲         Change::apply (pure)  ├─▶ lvm: children, each with a deadline
//!                          └──────────── results ──────────┴─▶ board, events, log
//! ```
//!
//! | file | is |
//! |---|---|
//! | `actor.rs` | a life of a change under its supervisor |
//! | `shell.rs` | one event after the other; effects in order |
//! | `effects.rs` | what each effect does |
//! | `children.rs` | lvm for this change |
//! | `telling.rs` | the change as it is told |
//!
//! A change that panics is started anew from the journal, as after a crash of the daemon: what had not come to its gate is
//! abandoned, what had is read. Nothing of that is felt by another change.

pub mod actor;
mod children;
mod effects;
mod shell;
mod telling;

pub(super) use telling::{static_code as code_word, told_of};
