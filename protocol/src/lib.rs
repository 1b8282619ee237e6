//! Words on the wire: bytes to typed requests and replies, and back.
//!
//! Unix stream sockets carry *messages*, one request then one reply or more:
//!
//! | socket | speaks | replaces | module |
//! |---|---|---|---|
//! | `/run/lvm/lvmpolld.socket` | config text | `lvmpolld` of lvm2 2.03.16 | [`poll`] |
//! | `/run/lvm/lvmlockd.socket` | config text | `lvmlockd` of lvm2 2.03.16 to 2.03.39 | [`lock`] |
//! | `/run/lvm/lvmetad.socket` | config text | `lvmetad` of lvm2 2.02.188 | [`metadata`] |
//! | `/run/lvmwarden/org.lvmwarden` | Varlink, which is JSON | nothing | [`api`] |
//!
//! Every request in config text, by its word in the field `request`:
//!
//! | socket | words | type |
//! |---|---|---|
//! | lvmpolld | `hello` | [`poll::Request::Hello`] |
//! | lvmpolld | `pvmove`, `convert`, `merge`, `merge_thin` | [`poll::StartRequest`] |
//! | lvmpolld | `progress_info` | [`poll::ProgressRequest`] |
//! | lvmpolld | `dump` | [`poll::Request::Dump`] |
//! | lvmlockd | `hello`, `quit`, `info`, `dump` | [`lock::Operation`] |
//! | lvmlockd | `lock_gl`, `lock_vg`, `lock_lv` | [`lock::Lock`] |
//! | lvmlockd | all others of [`lock::Operation::keyword`] | [`lock::Operation`] |
//! | lvmetad | all of [`metadata::Operation::keyword`] | [`metadata::Operation`] |
//!
//! [`api`] has its own list. Config text from the wire inwards, in this order:
//!
//! 1. [`framing`] cuts the byte stream into messages and bounds their size;
//! 2. [`config_text`] parses a message into a tree of sections and values, and prints such trees;
//! 3. [`poll`], [`lock`] and [`metadata`] turn the tree into a typed request or a typed refusal, and a typed reply into bytes. They do
//!    the opposite as well, for programs that speak as clients;
//! 4. [`ids`] holds the names that outlive a message: parsed once, valid ever after. The JSON API has the same.
//!    [`command_line`] has the one text for people that does.
//!
//! [`disk`] is what LVM writes on a PV, which is read where no lvm command is asked.
//!
//! This crate does no input or output, reads no clock, knows no actor and makes no policy: what a daemon *does* about
//! a request is not said here.
#![forbid(unsafe_code)]

pub mod api;
pub mod command_line;
pub mod config_text;
pub mod disk;
pub mod framing;
pub mod ids;
pub mod lock;
pub mod metadata;
pub mod poll;
