//! Measures two daemons, ours and the C one, in one run, alternating: A B A B.
//!
//! 1. [`rounds`]: starts a daemon in a folder of its own, takes it through every step, kills it;
//! 2. [`closed_loop`]: many connections, each with one request under way, from one thread (the daemon has the other processor);
//! 3. [`storm`]: clients that connect, say hello and close as fast as they can, and a witness who is served meanwhile;
//! 4. [`operations`]: a thousand operations, and what they cost in memory and threads;
//! 5. [`locks`]: the same for lock daemons in test mode;
//! 6. [`metadata`]: the metadata daemon, alone;
//! 7. [`cold`]: the service fills the cache from many PVs;
//! 8. [`report`]: medians over the rounds as a Markdown table.
//!
//! Every step has a deadline: the C daemon hangs for ever in some of them, and the table says so.

pub mod closed_loop;
pub mod cold;
pub mod locks;
pub mod metadata;
pub mod operations;
pub mod report;
pub mod rounds;
pub mod storm;
