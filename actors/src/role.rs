//! The roles of a service: the one list of them.

use std::sync::Arc;

use crate::foundation::role::Role;
use crate::roles::archive::role::Archive;
use crate::roles::lock::role::Lock;
use crate::roles::metadata::role::Metadata;
use crate::roles::poll::role::Poll;
use crate::roles::reconfigure::role::Reconfigure;

/// The roles of a service, turned on or not.
pub struct Roles {
    /// Carries pvmoves, conversions and merges to their end.
    pub poll: Arc<Poll>,
    /// Holds the locks of shared VGs.
    pub lock: Arc<Lock>,
    /// Remembers the metadata of every VG.
    pub metadata: Arc<Metadata>,
    /// Keeps the copies of metadata within bounds.
    pub archive: Arc<Archive>,
    /// Makes changes that all hosts of a VG make together.
    pub reconfigure: Arc<Reconfigure>,
}

impl Roles {
    /// Returns all of them, in the order in which they are started.
    pub fn all(&self) -> Vec<Arc<dyn Role>> {
        let Self { poll, lock, metadata, archive, reconfigure } = self;
        vec![poll.clone(), lock.clone(), metadata.clone(), archive.clone(), reconfigure.clone()]
    }
}
