//! Changes that all hosts of a VG make together, or none of them: what makes the machines of `lvmwarden-reconfigure` run.
//!
//! ```text
//!  API ──▶ directory ──▶ change (an actor each) ──▶ lvm, journal, board
//!              │             ▲    │
//!              ▼             │    ▼ words
//!            board        group ◀── transport
//! ```
//!
//! | file | is |
//! |---|---|
//! | `goal.rs` | what is wanted, typed (pure) |
//! | `picture.rs` | a VG as lvm reports it (pure) |
//! | `described.rs` | the goal made absolute, and whether it is reached (pure) |
//! | `checks.rs` | whether the change can be made here: the vote (pure) |
//! | `commands.rs` | the lvm commands of each kind (pure) |
//! | `devices.rs` | what device-mapper says |
//! | `lvm.rs` | lvm, run |
//! | `locks.rs` | the port to the locks of VGs |
//! | `transport/` | how members hear one another |
//! | `group.rs` | the actor that hears the group |
//! | `change/` | one change, an actor each |
//! | `memory.rs` | what the journal has of a change |
//! | `board.rs` | all changes as they are told |
//! | `directory.rs` | begins and finds changes |
//! | `following.rs` | what is news to a client that watches (pure) |
//! | `recovery.rs` | what an earlier life has left behind |
//!
//! So far the one transport is that of a host by itself, and a VG that is shared is refused. In a VG that is not shared there is
//! neither gate nor hold: the writing child is started when the gate opens, takes lvm's own lock file, and suspends what it
//! changes by itself. Phases, records and answers are the same.

pub mod api;
pub mod board;
pub mod change;
pub mod checks;
pub mod commands;
pub mod described;
pub mod devices;
pub mod directory;
pub mod environment;
pub mod following;
pub mod goal;
pub mod group;
pub mod locks;
pub mod lvm;
pub mod memory;
pub mod metrics;
pub mod picture;
pub mod recovery;
pub mod role;
pub mod transport;
