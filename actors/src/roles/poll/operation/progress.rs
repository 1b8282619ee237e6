//! What lvpoll says about its progress: pure.

use thiserror::Error;

/// A line that looks like progress but does not say how much.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgressError {
    /// The text before the percent sign is no number.
    #[error("{text:?} is not a percentage")]
    NotANumber {
        /// What stands there.
        text: String,
    },
    /// The number is above 100 or below 0.
    #[error("{text}% is out of range")]
    OutOfRange {
        /// What stands there.
        text: String,
    },
}

/// What lvpoll calls the work it reports on.
const TITLES: [&str; 3] = [": Moved: ", ": Converted: ", ": Merged: "];

/// Parses one line of lvpoll's output, such as `  vg0/pvmove0: Moved: 12.50%`.
///
/// Returns the share done, in percent, 0.0 to 100.0 inclusive; 100.0 does not mean that the process has ended. `line`
/// is one line without its newline. Lines that carry no progress give `Ok(None)`.
///
/// # Errors
/// [`ProgressError::NotANumber`] and [`ProgressError::OutOfRange`] for a percentage that is none.
///
/// Source: seen with lvm2 2.03.16 and 2.03.39.
pub fn parse_progress(line: &str) -> Result<Option<f64>, ProgressError> {
    let Some(text) = TITLES.iter().find_map(|title| line.split_once(title)).map(|(_, text)| text) else {
        return Ok(None);
    };
    let Some(number) = text.trim_end().strip_suffix('%') else {
        return Ok(None);
    };
    let percent: f64 = number.parse().map_err(|_| ProgressError::NotANumber { text: number.to_owned() })?;
    if (0.0..=100.0).contains(&percent) {
        Ok(Some(percent))
    } else {
        Err(ProgressError::OutOfRange { text: number.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{ProgressError, parse_progress};

    #[test]
    fn lines_give_the_share_done() {
        for (line, percent) in [
            ("  vg/pvmove0: Moved: 31.25%", Some(31.25)),
            ("  vg/lv: Converted: 81.25%", Some(81.25)),
            ("  vg/orig: Merged: 100.00%", Some(100.0)),
            ("  /dev/vda: Moved: 0.00%", Some(0.0)),
            ("  Merge of snapshot into logical volume vg/thin has finished.", None),
            ("  WARNING: This metadata update is NOT backed up.", None),
            ("", None),
        ] {
            assert_eq!(parse_progress(line), Ok(percent), "{line:?}");
        }
    }

    #[test]
    fn a_percentage_that_is_none_is_an_error() {
        let not_a_number = ProgressError::NotANumber { text: "half".to_owned() };
        assert_eq!(parse_progress("  vg/lv: Moved: half%"), Err(not_a_number));
        let out_of_range = ProgressError::OutOfRange { text: "100.01".to_owned() };
        assert_eq!(parse_progress("  vg/lv: Moved: 100.01%"), Err(out_of_range));
        assert!(parse_progress("  vg/lv: Moved: NaN%").is_err());
    }
}
