//! The LVM domain of lvmwarden: what its actors are, what each owns, who starts it, and whom it tells what.
//!
//! | module | is | owns | started by |
//! |---|---|---|---|
//! | [`tree`] | the supervision tree, as one list | nothing | the binary |
//! | [`names`] | the names that the tree gives | nothing | (no actor) |
//! | [`recovery`] | the first thing a daemon does | nothing | the tree, once |
//! | [`poll_operation`] | one pvmove, conversion or merge | its lvpoll child | [`poll_operation::directory`], for a client or for recovery |
//! | [`reconcile`] | a search of LVM's metadata for what nobody polls | what it found | the tree, in the service |
//! | [`throttle`] | the kernel's knobs that slow copies down | the knobs | the tree, in the service |
//! | [`door`] | a listening socket | its sessions | the tree |
//! | [`session`] | one client connection | nothing | its door |
//! | [`kernel`] | a look at device-mapper | nothing | (no actor) |
//! | [`roles::metadata`] | the metadata of every VG, remembered for those who ask | the cache | the tree, in the service where it is configured, and in the stand-in for lvmetad |
//! | [`archive_janitor`] | the copies of metadata in `/etc/lvm/archive`, kept within bounds | the one pass that is under way | the tree |
//! | [`history`] | what has happened, on disk | the journal in the state directory | the tree |
//! | [`ledger`] | what must not be forgotten | (pure) | the journal folds it |
//! | [`metrics`] | numbers for Prometheus | counts | (no actor) |
//! | [`events`] | the stream of what happens | the latest events | (no actor) |
//! | [`occurrence`] | what can happen | (pure) | (no actor) |
//! | [`lvm_report`] | the LVM commands whose output is read | (pure) | (no actor) |
//! | [`access`] | who may call what | (pure) | (no actor) |
//! | [`admission`] | who may come in, and who may have one more | (pure) | (no actor) |
//! | [`service`] | the daemon as its API sees it | nothing | (no actor) |
//! | [`local_time`] | the time as people read it | the time zone | (no actor) |
//! | [`activity`] | who needs the daemon | a count | (no actor) |
//!
//! A session asks a poll operation; a poll operation asks the journal. Nobody waits for an actor above itself.
//! No process is started here but through `lvmwarden_supervisor::process`, and no socket is opened.

#![forbid(unsafe_code)]

pub mod access;
pub mod activity;
pub mod admission;
pub mod archive_janitor;
pub mod door;
pub mod environment;
mod error_chain;
pub mod events;
pub mod history;
mod journal;
pub mod kernel;
pub mod ledger;
pub mod local_time;
pub mod lockspace;
pub mod lvm_report;
pub mod metrics;
pub mod names;
mod observed;
pub mod occurrence;
pub mod poll_operation;
pub mod reconcile;
pub mod recovery;
pub mod roles;
pub mod service;
pub mod session;
pub mod throttle;
pub mod tree;
pub mod wall_clock;
