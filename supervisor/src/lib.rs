//! A supervision tree and child processes.
#![deny(unsafe_code)]

pub mod actor;
pub mod actor_child;
pub mod child_spec;
pub mod device_mapper;
pub mod exit_reason;
pub mod fault;
pub mod journal;
pub mod process;
pub mod registry;
pub mod restart;
#[allow(unsafe_code)]
pub mod sys;
pub mod tree;
