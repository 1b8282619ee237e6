//! The metadata role: every VG of the host known, complete or not, and told to whoever asks without a scan.
//!
//! ```text
//!              ┌───────────────────────── Cache, behind one mutex ───────────────────────────┐
//!  vg_lookup ─▶│ token, marks      PvIndex: PV ─▶ what is known of it, device, VG            │
//!  pv_list   ◀─│                   VGs:     Arc<VgState> ─ canonical text, shared, ...       │
//!              └───────▲────────────────────────────────────────────▲────────────────────────┘
//!                      │ 1. what must be decided?                   │ 3. put in place, in one step
//!  vg_update ─▶ Directory ── one change at a time ── 2. asks ─▶ CachedVgActor ── state.rs decides
//! ```
//!
//! A read locks the cache, copies or clones what it needs, and asks nobody. A change is decided by the actor of its VG,
//! from that VG's state alone; what it decided is put in place at once, so that every read sees the cache before a change
//! or after it. A panic in a VG's actor leaves all others as they were, and marks that VG as one that has to be read again.
//!
//! | module | is |
//! |---|---|
//! | [`token`] | who fills the cache, and under which name (pure) |
//! | [`pv_index`] | the PVs, by UUID and by device (pure) |
//! | [`cached_vg::state`] | what is cached of one VG (pure) |
//! | [`cache`] | all of it together, and the replies (pure) |
//! | [`cached_vg::actor`] | one VG |
//! | [`directory`] | what sessions call |
//! | [`session`] | lvmetad's clients |
//! | [`knowledge`] | what those who read PVs and those who tell of them agree on |
//! | [`announcer`] | tells what becomes of VGs |
//! | [`api`] | what people and programs are told |
//! | [`settings`] | what the role is told, and what its parts share |
//! | [`sources`] | reads the disks, and fills the cache from them |
//!
//! Nothing is remembered over a restart of the daemon: commands that found no daemon may have changed VGs meanwhile. The
//! token is empty then, and the first command that comes fills the cache; or the disks are read again.
//!
//! PVs come from whoever has read them, with where and when ([`Provenance`](pv_index::Provenance)): from lvm commands, by
//! [`Directory::answer`](directory::Directory::answer), or from the daemon itself, by
//! [`Directory::take`](directory::Directory::take).

pub mod announcer;
pub mod api;
pub mod cache;
pub mod cached_vg;
pub mod directory;
pub mod knowledge;
pub mod pv_index;
pub mod role;
pub mod session;
pub mod settings;
pub mod sources;
pub mod token;

#[cfg(test)]
mod tests;
