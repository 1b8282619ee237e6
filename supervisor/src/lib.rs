//! A supervision tree on actix, and child processes that outlive the program.
//!
//! What OTP's `supervisor` is to Erlang (`sup_princ` in its design principles), in the same words: child specs,
//! restart types, strategies, intensity and period. It knows no LVM word. Where it differs from OTP,
//! [`actor`] says so.
//!
//! # The tree
//! ```text
//!                     Root                  what the program holds: ended(), stop(), tree()
//!                      │
//!                  Supervisor "root"        one task each; owns the tasks of its children
//!          ┌───────────┼────────────────┐
//!        Worker    Supervisor         Worker          started left to right,
//!       "journal"    "poll"           "doors"         stopped right to left
//!                  ┌───┴────┬ ─ ─ ─ ┐
//!                Worker   Worker   Worker             dynamic children: StartChild, StopChild
//!
//!   Registry   root/poll/... ──► address of whoever bears the name now
//! ```
//! Everything runs on one thread, the actix system's. A worker is any actix actor that answers [`Stop`]; it is given a
//! [`ChildLink`], and finds others by [`Name`] in the [`Registry`].
//!
//! # One restart, in the order of events
//! ```text
//!   asker                 actor                   its supervisor             registry
//!     │ ask(name, message)  │                            │                      │ Running(1st)
//!     ├────────────────────►│ 1. panics in its handler   │                      │
//!     │                     ╳ 2. is caught, is dropped   │                      │
//!     │ 3. mailbox closed   │                            │                      │
//!     │◄────────────────────┤ 4. Down(panicked) ────────►│                      │
//!     │ waits for a change                               │ 5. decides: restart  │
//!     │                                                  ├─────────────────────►│ Restarting
//!     │                                                  │ 6. logs, waits       │
//!     │                  new actor ◄─────────────────────┤ 7. starts            │
//!     │                     │                            ├─────────────────────►│ Running(2nd)
//!     │◄────────────────────┼────────────────────────────┼──────────────────────┤ 8. is woken
//!     │ 9. sends again      │ factory, started           │                      │
//!     ├────────────────────►│ 10. answers                │                      │
//!     │◄────────────────────┤                            │                      │
//! ```
//! 1. A panic anywhere in the actor's code ends this actor and no other.
//! 2. [`panics`] takes the message; the actor is dropped, which runs its `stopped`.
//! 3. Every message in its mailbox, and the one it was at, is gone; those who asked know it.
//! 4. [`actor_child`] reports the [`ExitReason`], once, after the actor is gone.
//! 5. [`restart`] decides, from restart type, reason, history and time: here, to restart. It might also
//!    forget the child, give it up, or escalate: then the supervisor stops all children and ends as failed, which is a
//!    4. for the supervisor above it, and for the program if there is none.
//! 6. One line in the log says who ended, why, and what comes next.
//! 7. The factory of the [`ChildSpec`] makes a new actor. Nothing of the old one is left: state comes back
//!    from the journal and from looking at the world.
//! 8. to 10. The asker has noticed nothing but the time it took.
//!
//! # Where to look
//! | module | is |
//! |---|---|
//! | [`child_spec`] | what a supervisor is told of its children |
//! | [`restart`] | the rules, pure |
//! | [`actor`] | the supervisor |
//! | [`actor_child`] | the life of one actor |
//! | [`registry`], [`name`] | finding and asking actors |
//! | [`root`] | start and end of a tree |
//! | [`tree`] | a picture of a living tree |
//! | [`exit_reason`], [`panics`] | how actors end |
//! | [`observer`] | who is told how they fare |
//! | [`fault`] | injected deaths, for tests |
//! | [`process`] | child processes |
//! | [`journal`] | state that survives |
//! | [`device_mapper`], [`sys`] | the kernel and C libraries, as far as no other crate reaches them |
#![deny(unsafe_code)]

pub mod actor;
pub mod actor_child;
pub mod child_spec;
pub mod device_mapper;
pub mod exit_reason;
pub mod fault;
pub mod journal;
pub mod name;
pub mod observer;
pub mod panics;
pub mod process;
pub mod registry;
pub mod restart;
pub mod root;
#[expect(unsafe_code, reason = "the one place for what has no safe interface")]
pub mod sys;
pub mod tree;

pub use actor::{
    GetTree, RestartChild, RestartChildError, StartChild, StartChildError, StopChild, Supervisor,
    UnknownChild,
};
pub use actor_child::ChildLink;
pub use child_spec::{ChildKind, ChildSpec, Shutdown, Stop, SupervisorSpec, Worker};
pub use exit_reason::ExitReason;
pub use name::Name;
pub use observer::{Next, Observer};
pub use panics::log_panics;
pub use registry::{AskError, Registry, Resolution};
pub use restart::{Backoff, Intensity, OnExceeded, RestartPolicy, RestartType, Strategy};
pub use root::{Root, StopReport, start_root, start_root_observed};
pub use tree::{NodeState, TreeNode};
