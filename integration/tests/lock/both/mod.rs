//! What both daemons do.

mod connections;
mod conversions;
mod daemon;
mod global;
mod info;
mod kill;
mod locks;
mod lockspaces;
mod persistent;
mod sanlock;
