//! One lockspace of a shared VG: who holds which lock, and who waits.

pub mod ask;
pub mod book;
pub mod event;
pub mod lock_manager;
pub mod picture;
pub mod record;
pub mod state;
