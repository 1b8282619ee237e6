//! Places in the code where a test can make the program die, panic or hang.
//!
//! The environment variable `LVMWARDEN_FAULT` says where, once for the life of the process:
//!
//! ```text
//! LVMWARDEN_FAULT='kill@journal.synced;panic@poll_operation.started=vg0:3'
//!                  └┬─┘ └─────┬──────┘                             └┬─┘ └ at the third hit (default: the first)
//!                 action    point                        only hits whose subject contains this
//! ```
//!
//! `kill` sends SIGKILL to the process itself: nothing is flushed, dropped or said, as in a power cut. `panic` panics
//! in the code that holds the point. `stall` holds the thread there for ever, as a call does that never returns. Each
//! fault strikes once. A text that ends in `:` and digits needs a hit number after it.
//!
//! Only builds with debug assertions have this; in others a point is nothing.

#[cfg(debug_assertions)]
mod plan;

/// Marks a place where a fault may strike; `point` names it, `subject` says what the code is at work on.
///
/// # Panics
/// If the environment asks for it, or says something that cannot be understood. Never without debug assertions.
#[cfg(debug_assertions)]
pub fn point(point: &str, subject: &str) {
    plan::strike(point, subject);
}

/// Does nothing: this build has no debug assertions.
#[cfg(not(debug_assertions))]
#[inline]
pub fn point(_: &str, _: &str) {}
