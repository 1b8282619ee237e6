//! Changes that all hosts of a shared VG make together, or none of them: what makes the machines of `lvmwarden-reconfigure` run.

pub mod transport;
