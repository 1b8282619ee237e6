//! Texts that killed the C daemons, or would kill a careless parser: time and stack stay bounded.

use super::*;

#[test]
fn sections_nest_to_the_bound_and_no_further() {
    for sections in [0, 9, MAX_DEPTH - 1] {
        let (open, close) = ("a {".repeat(sections), "}".repeat(sections));
        let path = "a/".repeat(MAX_DEPTH - 1 - sections);
        canonical(format!("{open}{path}x=1{close}").as_bytes());
        let deeper = format!("{open}a/{path}x=1{close}");
        assert_eq!(parse(deeper.as_bytes()).expect_err("too deep").problem, Problem::TooDeep);
    }
    let deeper = "a {".repeat(MAX_DEPTH) + "x=1" + &"}".repeat(MAX_DEPTH);
    assert_eq!(parse(deeper.as_bytes()).expect_err("too deep").problem, Problem::TooDeep);
}

#[test]
fn a_million_opened_sections_are_refused_early() {
    let text = "a {".repeat(1_000_000);
    assert_eq!(parse(text.as_bytes()).expect_err("too deep").byte, 3 * MAX_DEPTH + 2);
    assert_eq!(parse("a/".repeat(1_000_000).as_bytes()).expect_err("no value").line, 1);
}

#[test]
fn three_hundred_thousand_siblings_are_fine() {
    let text = "a=1\n".repeat(300_000);
    let tree = parse(text.as_bytes()).expect("only long");
    assert_eq!(tree.nodes.len(), 300_000);
    assert_eq!(canonical(text.as_bytes()), text.as_bytes());
}

#[test]
fn a_string_of_nine_megabytes_is_fine() {
    for piece in ["x", "\\\"", "\\\\", "\\n"] {
        let text = format!("a=\"{}\"", piece.repeat(9 * 1024 * 1024 / piece.len()));
        let tree = parse(text.as_bytes()).expect("only long");
        assert!(tree.bytes("a").expect("a string").len() >= 4 * 1024 * 1024);
    }
}

#[test]
fn numbers_of_nine_megabytes_are_read_once() {
    let digits = "1".repeat(9 * 1024 * 1024);
    assert_eq!(
        parse(format!("x={digits}").as_bytes()).expect_err("out of range").problem,
        Problem::OutOfRange
    );
    assert!(parse(format!("x=0.{digits}").as_bytes()).is_ok());
    assert!(parse(format!("x=0x{digits}=1").as_bytes()).is_err());
}
