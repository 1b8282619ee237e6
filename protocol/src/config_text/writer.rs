//! Prints a tree in the canonical form: one entry a line, `key=value` without blanks, a tab a level.

use std::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};

use super::lexer::is_blank;
use super::value::{Content, Node, Scalar, Section, Value};

/// Deeper levels are indented no further; reference: lvm2 2.02.188.
const MAX_TABS: usize = 32;

impl Section<'_> {
    /// Appends the entries to `out` in the canonical form, each line with its newline.
    ///
    /// Parsing what was written gives an equal tree; floats are equal to the six decimals that are printed.
    pub fn write(&self, out: &mut BytesMut) {
        self.write_at(0, out);
    }

    pub(crate) fn write_at(&self, level: usize, out: &mut BytesMut) {
        for node in &self.nodes {
            node.write_at(level, out);
        }
    }
}

impl Node<'_> {
    pub(crate) fn write_at(&self, level: usize, out: &mut BytesMut) {
        put_tabs(out, level);
        put_key(out, &self.name);
        match &self.content {
            Content::Value(value) => {
                out.put_u8(b'=');
                put_value(out, value);
            }
            Content::Section(section) => {
                out.put_slice(b" {\n");
                section.write_at(level + 1, out);
                put_tabs(out, level);
                out.put_u8(b'}');
            }
        }
        out.put_u8(b'\n');
    }
}

pub(crate) fn put_tabs(out: &mut BytesMut, level: usize) {
    out.put_bytes(b'\t', level.min(MAX_TABS));
}

pub(crate) fn put_value(out: &mut BytesMut, value: &Value<'_>) {
    match value {
        Value::One(scalar) => put_scalar(out, scalar),
        Value::Array(elements) => {
            out.put_u8(b'[');
            for (index, scalar) in elements.iter().enumerate() {
                if index > 0 {
                    out.put_u8(b',');
                }
                put_scalar(out, scalar);
            }
            out.put_u8(b']');
        }
    }
}

fn put_scalar(out: &mut BytesMut, scalar: &Scalar<'_>) {
    const GROWS: &str = "a buffer that grows takes any text";
    match scalar {
        Scalar::Int(value) => write!(out, "{value}").expect(GROWS),
        Scalar::Float(value) => write!(out, "{value:.6}").expect(GROWS),
        Scalar::String(text) => put_quoted(out, text),
    }
}

/// Appends a key such that it parses again: raw where it can be, else quoted.
///
/// C quotes keys with `#`, `"` or `!` only (`!` can stand in an LVM UUID and needs no quotes; they are kept alike).
/// An empty name cannot be quoted; it is what stands behind a lone `/`.
pub(crate) fn put_key(out: &mut BytesMut, name: &[u8]) {
    let needs_quotes = |&byte: &u8| is_blank(byte) || matches!(byte, b'#' | b'"' | b'!' | b'=' | b'{' | b'}');
    match name {
        [] => out.put_u8(b'/'),
        [b'[' | b']' | b',' | b'\'', ..] => put_quoted(out, name),
        _ if name.iter().any(needs_quotes) => put_quoted(out, name),
        _ => out.put_slice(name),
    }
}

/// Appends a string in double quotes, with a backslash before each `"` and `\`.
pub(crate) fn put_quoted(out: &mut BytesMut, text: &[u8]) {
    out.put_u8(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        out.put_slice(&rest[..at]);
        out.put_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
    out.put_u8(b'"');
}
