//! What is told of the cache to people and programs: `org.lvmwarden.Metadata`, and the numbers for metrics.
//!
//! ```text
//!  Cache ── snapshot ──▶ View ──▶ [vgs] [pvs] [lvs] [problems]      pure: one moment, in one order, of which a page is a part
//!  device-mapper ── mapped ──▶ ┘
//!  Knowledge ── changes ──▶ [watching]                               pure: what has become of each VG since it was told
//! ```
//!
//! A snapshot takes the mutex of the cache for as long as it takes to clone what is shared; texts are read, and names of
//! devices looked up, on the thread that makes the reply. Nothing here waits for a disk: the kernel is asked without a
//! flush and within a deadline, and an answer without it says so.

mod answers;
pub mod lvs;
pub mod mapped;
pub mod numbers;
pub mod problems;
pub mod pvs;
pub mod shell;
pub mod vgs;
pub mod view;
pub mod watching;

#[cfg(test)]
mod tests;

pub use answers::MetadataApi;
pub use shell::Teller;
pub use view::{Place, View};
