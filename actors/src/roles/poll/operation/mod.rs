//! One poll operation: a pvmove, a conversion or a merge that lvpoll carries on until it is done.
//!
//! [`state`] decides (with [`job`]: how often it may be tried again), [`actor`] acts, `notes` tells of its decisions;
//! the drawing of an operation's life is on top of `state.rs`. Around them:
//!
//! 1. [`outcome`]: how it ends for lvm; [`conclusion`]: what became of it; requests that mean the same operation have the
//!    same `OperationId`.
//! 2. [`directory`]: what sessions call; it finds or starts the operation's actor.
//! 3. [`lvpoll`]: the child's command line and environment; `output` and [`progress`]: what it writes; [`pace`]: how fast
//!    the kernel copies.
//! 4. [`turns`]: whose turn it is to go on to the next segment; [`stuck`]: an lvpoll that waits in the kernel.
//! 5. [`orphans`]: children that no journal knows, such as those of a C daemon that was killed.
//!
//! The child itself is started in `lvmwarden_supervisor::process`.

pub mod actor;
pub mod conclusion;
mod description;
pub mod directory;
pub mod job;
pub mod lvpoll;
pub mod messages;
mod notes;
pub(crate) mod op_names;
pub mod orphans;
pub mod outcome;
pub(crate) mod output;
pub mod pace;
pub mod progress;
pub mod segments;
pub mod state;
pub mod stuck;
pub mod turns;
mod vocabulary;
