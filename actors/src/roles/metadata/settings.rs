//! What the parts of the role share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::api::mapped::MappedLook;
use super::cache::{Cache, Now};
use super::knowledge::Knowledge;
use super::pv_index::Source;
use crate::foundation::activity::Activity;
use crate::foundation::moment::since_boot;

/// What the parts of the role share, over all their restarts.
#[derive(Debug, Default)]
pub struct MetadataEnvironment {
    cache: Mutex<Cache>,
    /// Held by whoever changes the cache, from the question to the answer.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// What is known beside the cache, and who waits for changes.
    pub knowledge: Knowledge,
    /// What the kernel says of LVs.
    pub mapped: MappedLook,
    /// Who needs the daemon.
    pub activity: Activity,
}

impl MetadataEnvironment {
    /// Returns the cache. It must not be held across an await, nor while something long is done.
    pub fn cache(&self) -> MutexGuard<'_, Cache> {
        // What is decided is put in place by code that is tried with whatever may come; where it panics all the same, the
        // cache is no worse than one that was never told.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time, for what `source` has read.
    pub fn now(&self, source: Source) -> Now {
        Now { monotonic: since_boot(), source }
    }
}
