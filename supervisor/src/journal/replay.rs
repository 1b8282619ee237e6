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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::super::record::write_frame;
    use super::*;

    /// Keeps every record as it came.
    #[derive(Default)]
    struct Everything(Vec<Record>);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Record {
        Text(String),
        Number { number: i64 },
    }

    impl Ledger for Everything {
        type Record = Record;
        type Illegal = Infallible;

        fn apply(&mut self, record: &Record) -> Result<(), Infallible> {
            self.0.push(record.clone());
            Ok(())
        }

        fn records(&self) -> Vec<Record> {
            self.0.clone()
        }
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let record = prop_oneof![
            ".{0,20}".prop_map(Record::Text),
            any::<i64>().prop_map(|number| Record::Number { number }),
        ];
        prop::collection::vec(record, 0..6)
    }

    fn frames(records: &[Record]) -> Vec<u8> {
        let mut frames = Vec::new();
        for record in records {
            write_frame(&mut frames, record).unwrap();
        }
        frames
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn frames_cut_anywhere_replay_to_the_whole_records_before_the_cut(records in records()) {
            let bytes = frames(&records);
            for cut in 0..=bytes.len() {
                let replayed = replay::<Everything>(&bytes[..cut]);
                let whole = (0..=records.len()).rev().find(|n| frames(&records[..*n]).len() <= cut).unwrap();
                prop_assert_eq!(&replayed.ledger.0, &records[..whole]);
                prop_assert_eq!(replayed.good_bytes, frames(&records[..whole]).len());
                let expected = if replayed.good_bytes == cut { Ending::Clean } else { Ending::Torn };
                prop_assert_eq!(replayed.ending, expected);
            }
        }

        #[test]
        fn a_flipped_bit_never_yields_a_record_that_was_not_written(records in records()) {
            let mut bytes = frames(&records);
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let replayed = replay::<Everything>(&bytes);
                prop_assert!(records.starts_with(&replayed.ledger.0), "bit {}", bit);
                prop_assert!(replayed.ledger.0.len() < records.len(), "bit {}", bit);
                prop_assert_eq!(replayed.ending, Ending::Damaged, "bit {}", bit);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(replay::<Everything>(&bytes).good_bytes <= bytes.len());
        }
    }
}
