//! One VG in the cache: what is known of it, and the actor that decides what becomes of it.

pub mod actor;
pub mod state;
