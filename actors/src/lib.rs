//! The LVM domain of lvmwarden: what its actors are, what each owns, who starts it, and whom it tells what.
//!
//! | module | is | owns | started by |
//! |---|---|---|---|
//! | [`tree`] | the supervision tree, as one list | nothing | the binary |
//! | [`foundation::names`] | the names that the tree gives | nothing | (no actor) |
//! | [`roles::poll::recovery`] | the first thing a daemon does | nothing | the tree, once |
//! | [`roles::poll::operation`] | one pvmove, conversion or merge | its lvpoll child | [`roles::poll::operation::directory`], for a client or for recovery |
//! | [`roles::poll::reconcile`] | a search of LVM's metadata for what nobody polls | what it found | the tree, in the service |
//! | [`roles::poll::throttle`] | the kernel's knobs that slow copies down | the knobs | the tree, in the service |
//! | [`foundation::door`] | a listening socket | its sessions | the tree |
//! | [`foundation::door::text_session`] | one client connection | nothing | its door |
//! | [`foundation::kernel`] | a look at device-mapper | nothing | (no actor) |
//! | [`roles::metadata`] | the metadata of every VG, remembered for those who ask | the cache | the tree, in the service where it is configured, and in the stand-in for lvmetad |
//! | [`roles::reconfigure`] | changes that all hosts of a VG make together | its writing children | the tree, in the service where it is configured |
//! | [`roles::archive`] | the copies of metadata in `/etc/lvm/archive`, kept within bounds | the one pass that is under way | the tree |
//! | [`foundation::store::history`] | what has happened, on disk | the journal in the state directory | the tree |
//! | [`foundation::store::ledger`] | what must not be forgotten | (pure) | the journal folds it |
//! | [`foundation::facts::metrics`] | numbers for Prometheus | counts | (no actor) |
//! | [`foundation::facts::events`] | the stream of what happens | the latest events | (no actor) |
//! | [`foundation::facts::occurrence`] | what can happen | (pure) | (no actor) |
//! | [`foundation::lvm_report`] | the LVM commands whose output is read | (pure) | (no actor) |
//! | [`service::access`] | who may call what | (pure) | (no actor) |
//! | [`foundation::admission`] | who may come in, and who may have one more | (pure) | (no actor) |
//! | [`service`] | the daemon as its API sees it | nothing | (no actor) |
//! | [`foundation::local_time`] | the time as people read it | the time zone | (no actor) |
//! | [`foundation::activity`] | who needs the daemon | a count | (no actor) |
//!
//! A session asks a poll operation; a poll operation asks the journal. Nobody waits for an actor above itself.
//! No process is started here but through `lvmwarden_supervisor::process`, and no socket is opened.

#![forbid(unsafe_code)]

pub mod foundation;
pub mod role;
pub mod roles;
pub mod service;
pub mod tree;
