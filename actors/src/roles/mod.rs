//! What the daemon does for LVM, a folder for each role. No role knows another.

pub mod metadata;
