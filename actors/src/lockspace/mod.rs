//! One lockspace of a shared VG: who holds which lock, and who waits.

pub mod lock_manager;
