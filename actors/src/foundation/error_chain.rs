//! Errors on one line, with their causes.

use std::error::Error;
use std::fmt::Write;

/// Returns an error and its causes, outermost first, joined by `: `.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("a String takes all text");
        cause = error.source();
    }
    text
}
