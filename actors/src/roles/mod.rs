//! What the daemon does for LVM: each role in a folder of its own. No role knows another.

pub mod archive;
pub mod lock;
pub mod metadata;
pub mod poll;
pub mod reconfigure;
