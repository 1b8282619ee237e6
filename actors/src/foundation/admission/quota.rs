//! A bound whose places are given back when they are dropped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Asker, Excess, Occupancy, Shares};

/// A bound, and who has how much of it; a clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Quota(Arc<Mutex<Occupancy>>);

/// One of what there is; given back when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Place {
    quota: Quota,
    asker: Asker,
}

impl Quota {
    /// Gives `asker` one more, where its share permits.
    ///
    /// # Errors
    /// Why there is no more.
    pub fn take(&self, shares: Shares, asker: Asker) -> Result<Place, Excess> {
        self.take_if(asker, |occupancy| occupancy.admits(shares, asker))
    }

    /// Gives `asker` one more, where `admits` does.
    ///
    /// # Errors
    /// What `admits` says.
    pub fn take_if<E>(
        &self,
        asker: Asker,
        admits: impl FnOnce(&Occupancy) -> Result<(), E>,
    ) -> Result<Place, E> {
        let mut occupancy = self.occupancy();
        admits(&occupancy)?;
        occupancy.enter(asker);
        Ok(Place { quota: self.clone(), asker })
    }

    /// Returns how much all have together.
    pub fn all(&self) -> usize {
        self.occupancy().all()
    }

    fn occupancy(&self) -> MutexGuard<'_, Occupancy> {
        // Whoever panicked was not in here: each change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.quota.occupancy().leave(self.asker);
    }
}
