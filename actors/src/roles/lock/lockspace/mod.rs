//! One lockspace of a shared VG: who holds which lock, and who waits.
//!
//! The core is pure: [`state::Lockspace`] takes in an [`event::Event`] and the time, and says which
//! [`event::Effect`]s are to be carried out. It calls no lock manager, writes no file and reads no clock.
//!
//! ```text
//!    sessions            the actor                       the core
//!   ──────────  Ask   ┌────────────┐   Event   ┌──────────────────────────────┐
//!             ──────▶ │            │ ────────▶ │ state: the lockspace's life  │
//!             ◀────── │            │           │   ├ lock_table: GLLK         │
//!              Reply  │            │           │   ├ lock_table: VGLK         │
//!                     │            │ ◀──────── │   └ lock_table: one per LV   │
//!                     └────────────┘   Effect  └──────────────────────────────┘
//!      lock manager  ◀── Call │ ▲ Answer
//! ```
//!
//! Which lockspace serves the global lock is daemon-wide, and decided in [`global`](super::global).

pub mod actor;
pub mod ask;
pub mod book;
pub mod crash;
mod desk;
pub mod event;
pub mod explain;
mod lock_table;
pub mod messages;
pub mod orphan;
pub mod picture;
pub mod record;
pub mod state;
mod value_block;
mod waits;

#[cfg(test)]
mod replay;
#[cfg(test)]
mod simulation;
#[cfg(test)]
pub(super) mod testing;
