//! One lock, as the contract words it.

mod converting;
mod failing;
mod owners;
mod remote;
mod waiting;
