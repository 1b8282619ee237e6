//! Where the C daemon is known to do worse, or is older, or shows too little in test mode.

mod daemon;
mod global;
mod lockspaces;
mod words;
