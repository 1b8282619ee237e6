//! What must hold for any bytes as config text: shared by a fuzz target and `tests/properties.rs`.

use bytes::BytesMut;
use lvmwarden_protocol::config_text::{self, Content, Scalar, Section, Value};

/// Parsing never panics, and what parses is printed such that it parses to the same.
pub(crate) fn config_text_survives_printing(message: &[u8]) {
    let Ok(tree) = config_text::parse(message) else { return };
    let printed = print(&tree);
    let again = config_text::parse(&printed).expect("what was printed parses");
    assert_eq!(again, rounded(tree));
    assert_eq!(print(&again), printed);
}

fn print(tree: &Section<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    tree.write(&mut out);
    out
}

/// Rounds every float to the six decimals that are printed.
fn rounded(mut section: Section<'_>) -> Section<'_> {
    for node in &mut section.nodes {
        match &mut node.content {
            Content::Section(inner) => *inner = rounded(std::mem::take(inner)),
            Content::Value(Value::One(scalar)) => round(scalar),
            Content::Value(Value::Array(elements)) => elements.iter_mut().for_each(round),
        }
    }
    section
}

fn round(scalar: &mut Scalar<'_>) {
    if let Scalar::Float(value) = scalar {
        *value = format!("{value:.6}").parse().expect("a printed float");
    }
}
