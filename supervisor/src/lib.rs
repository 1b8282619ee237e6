//! A supervision tree and child processes.
#![deny(unsafe_code)]

pub mod actor;
pub mod actor_child;
pub mod child_spec;
pub mod device_mapper;
pub mod exit_reason;
pub mod fault;
pub mod journal;
pub mod name;
pub mod panics;
pub mod process;
pub mod registry;
pub mod restart;
pub mod root;
#[expect(unsafe_code, reason = "the one place for what has no safe interface")]
pub mod sys;
pub mod tree;

pub use actor::{GetTree, RestartChild, StartChild, StartChildError, StopChild, Supervisor, UnknownChild};
pub use actor_child::ChildLink;
pub use child_spec::{ChildKind, ChildSpec, Shutdown, Stop, SupervisorSpec, Worker};
pub use exit_reason::ExitReason;
pub use name::Name;
pub use panics::log_panics;
pub use registry::{AskError, Registry, Resolution};
pub use restart::{Backoff, Intensity, OnExceeded, RestartPolicy, RestartType, Strategy};
pub use root::{Root, StopReport, start_root};
pub use tree::{NodeState, TreeNode};
