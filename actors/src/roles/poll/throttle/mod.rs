//! Copies made slower by the kernel's own knobs, and the old values given back.
//!
//! device-mapper's copies of mirrors and of snapshots have a knob each: the share of the time that copying may take, for
//! every copy of the module on this host. There is none for a single operation.
//!
//! ```text
//!  client ──▶ actor ──▶ journal: what is wanted, and the old value ──▶ the knob
//!             actor ──▶ journal: it is being given back ──▶ the knob ──▶ journal: it was
//! ```
//!
//! Each record is durable before its effect, so that a daemon that comes after a crash knows what to do: `state` (pure)
//! has the table. The old value is given back
//!
//! * when a client asks for that;
//! * when no operation of the daemon is in progress any more: whoever is asked to be slow has been;
//! * when the service ends in order, for nobody would do it later;
//! * at the start of a daemon that finds no operation in progress.
//!
//! A value that somebody else has set meanwhile is theirs, and stays. A reboot gives back by itself: the knobs begin anew,
//! and the journal in `/run` does as well.

mod actor;
pub mod knobs;
pub mod state;

pub use actor::{DEADLINE, GiveBack, SetThrottle, Throttler};
pub use knobs::{Knob, Knobs};
