//! Config text: the language of every LVM daemon's messages (and of LVM's metadata).
//!
//! ```text
//! message = { entry }                        at least one
//! entry   = key ( "{" { entry } "}" | "=" value )
//! value   = scalar | "[" { scalar [ "," ] } "]"
//! key     = bareword | "dq string" | 'sq string'
//! scalar  = int | float | "dq string" | 'sq string' | bareword
//! ```
//!
//! The reference is C's parser, so its habits are rules here; `lexer` and `parser` name each where they keep it.
//! The ones that surprise: a token means something else right after `=`, `[` and `,`; a `/` in a key makes nested
//! sections; duplicates are all kept and look-up takes the first; a one-element array *is* the scalar.
//!
//! Where this differs from C on purpose:
//!
//! * nesting is bounded by [`MAX_DEPTH`], and siblings and long strings cost no stack;
//! * floats keep double precision; one beyond its range is an error;
//! * keys are printed such that they parse again, with white space or without any text in them too.
//!
//! Texts are bytes: nothing in the language asks for UTF-8, and a path or a command line may be in any encoding.
//! The tree keeps every byte ([`Text`]), borrowed from the message unless an escape had to be decoded.
//! [`Section::string`] hands out what is UTF-8, [`Section::bytes`] everything.
//!
//! In order: `lexer` makes tokens (`number` converts as C does), `parser` makes the tree in `value`, `writer` prints it.
//!
//! Source: lvm2 2.02.188 and 2.03.16, observed by driving the real daemons.

mod lexer;
mod number;
mod parser;
mod value;
mod writer;

#[cfg(test)]
mod tests;

pub use parser::{MAX_DEPTH, ParseError, Problem, parse};
pub use value::{Content, Node, Scalar, Section, Text, Value};
pub(crate) use writer::{put_key, put_quoted, put_tabs};
