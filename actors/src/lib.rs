//! The LVM domain.
