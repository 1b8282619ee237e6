//! From the bytes of a generation to the ledger: a pure fold.

use super::Ledger;
use super::record::{Step, read_frame};

/// What the frames of one generation amount to.
pub(super) struct Replay<L> {
    pub(super) ledger: L,
    /// Length of the whole frames before the first one that is not.
    pub(super) good_bytes: usize,
    pub(super) ending: Ending,
    pub(super) rejected: Vec<Rejection>,
}

/// How the frames of one generation end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Clean,
    /// An append was interrupted.
    Torn,
    /// A bad frame; what follows it is not read, because a record may be missing in between.
    Damaged,
}

/// A frame that is as it was written, but whose record the ledger does not take.
pub(super) struct Rejection {
    /// Where its frame begins, in bytes from the first frame.
    pub(super) offset: usize,
    pub(super) reason: String,
}

/// Folds `frames`, the bytes of a generation after its header.
///
/// A rejected record is skipped: the ledger decides for each later record whether it can stand without it.
pub(super) fn replay<L: Ledger>(frames: &[u8]) -> Replay<L> {
    let mut ledger = L::default();
    let mut rejected = Vec::new();
    let mut offset = 0;
    let ending = loop {
        match read_frame(&frames[offset..]) {
            Step::End => break Ending::Clean,
            Step::Torn => break Ending::Torn,
            Step::Bad => break Ending::Damaged,
            Step::Frame { payload, length } => {
                if let Err(reason) = take(&mut ledger, payload) {
                    rejected.push(Rejection { offset, reason });
                }
                offset += length;
            }
        }
    };
    Replay { ledger, good_bytes: offset, ending, rejected }
}

fn take<L: Ledger>(ledger: &mut L, payload: &[u8]) -> Result<(), String> {
    let record = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    ledger.apply(&record).map_err(|error| error.to_string())
}

/// Folds `records`, oldest first, into a ledger.
///
/// # Errors
/// The reason of the first record that is illegal.
pub fn fold<L: Ledger>(records: &[L::Record]) -> Result<L, L::Illegal> {
    let mut ledger = L::default();
    for record in records {
        ledger.apply(record)?;
    }
    Ok(ledger)
}
