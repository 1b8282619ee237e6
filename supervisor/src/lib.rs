//! A supervision tree and child processes.
