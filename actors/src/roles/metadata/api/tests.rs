//! What is told of a cache that was filled by commands.

mod told;
mod waiting;
