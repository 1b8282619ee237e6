//! The cache as a whole, without actors: recordings of the C daemon, rules one by one, and random walks.

mod recordings;
mod rules;
pub(super) mod support;
mod walks;
