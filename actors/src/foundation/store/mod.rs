//! What must not be forgotten: the journal, what it folds to, and the history on disk.

pub mod history;
pub(crate) mod journal;
pub mod ledger;
