//! The protocol of lvmetad: what lvm commands before 2.03 ask of the daemon that remembers metadata, and what it answers.
//!
//! ```text
//! client                                          daemon
//!   hello                                    ->     OK, protocol, version
//!   get_global_info                          ->     the token, and whether the cache may be used
//!   token_update "update in progress"        ->     OK | token_updating               one client fills the cache ...
//!   pv_clear_all, pv_found, pv_found, ...    ->     OK, orphan | partial | complete
//!   token_update "filter:..."                ->     OK                                ... and ends
//!   pv_list | vg_list | vg_lookup            ->     what is cached
//!   set_vg_info, vg_update, pv_found         ->     OK                                a change of a VG, told around its commit
//! ```
//!
//! All but `hello`, `dump` and `token_update` name the token under which the cache was filled, or `skip`.
//!
//! Both directions of both halves are here: [`Request::parse`] and [`Reply::to_bytes`] for a daemon,
//! [`Request::to_bytes`] and [`Reply::parse`] for a client. A VG's text ([`VgText`]) and a PV's ([`PvText`]) are brought
//! into the canonical form once, when a request is parsed; the long replies are put together from such texts, by
//! [`compose`].
//!
//! What the metadata mean, as sizes and names, is [`model`].
//!
//! Names and UUIDs may be any text (`ids.rs`). Those that are not UTF-8, which LVM has none of, count as absent. Numbers keep 64 bits, where the C daemon
//! keeps 32.
//!
//! Source: lvm2 2.02.188, observed by driving the real daemon; recorded exchanges are in `tests/fixtures/`.

pub mod compose;
mod dump;
mod ids;
pub mod model;
mod pv_text;
mod reply;
mod request;
mod vg_text;

#[cfg(test)]
mod tests;

pub use dump::{Dump, Pairs};
pub use ids::{EmptyId, Pvid, Vgid, Vgname};
pub use pv_text::PvText;
pub use reply::{Found, GlobalInfo, Reply, ReplyError, Response, Status};
pub use request::{Common, DisableReasons, FoundPv, Operation, PvKey, Refusal, Request, UpdatedVg};
pub use vg_text::{ListedPv, VgText};

/// The protocol's name in the reply to hello; a client refuses any other.
pub const PROTOCOL: &str = "lvmetad";

/// The protocol's version in the reply to hello; a client refuses any other.
pub const VERSION: i64 = 1;

/// The token of a client that fills the cache.
pub const UPDATE_IN_PROGRESS: &str = "update in progress";

/// The token that is always right.
pub const SKIP: &str = "skip";

/// What stands for a field that is absent.
pub const NONE: &str = "NONE";

/// What stands for the VG of a PV that is in none.
pub const ORPHAN: &str = "#orphan";
