//! The life of a lockspace, as the contract words it.

mod adopting;
mod asking;
mod resuming;
mod starting;
mod stopping;
mod table;
