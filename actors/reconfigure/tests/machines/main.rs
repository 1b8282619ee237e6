//! The machines as they are, in a cluster in memory: played at random, and explored completely.

mod model;
mod random;
mod simulation;
mod world;
