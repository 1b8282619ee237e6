//! The two programs of lvmwarden: `lvmwardend`, the service, and `lvmwarden`, what an administrator types.
//!
//! They share a package and nothing else: the command line speaks to the service through its API only.

#![forbid(unsafe_code)]

pub mod cli;
pub mod daemon;
mod text;
