//! The language, rule by rule: one table for each part of it, then properties that hold for any text.

use bytes::BytesMut;

use super::*;

mod limits;

/// Returns the canonical form of what `text` says.
#[track_caller]
fn canonical(text: &[u8]) -> Vec<u8> {
    let tree = parse(text).unwrap_or_else(|error| panic!("{:?}: {error}", String::from_utf8_lossy(text)));
    let mut out = BytesMut::new();
    tree.write(&mut out);
    out.to_vec()
}

#[track_caller]
fn assert_means(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let found = canonical(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&found).trim_end(), *expected, "{text:?}");
    }
}

#[track_caller]
fn assert_refused(table: &[&str]) {
    for text in table {
        assert!(parse(text.as_bytes()).is_err(), "{text:?} was taken for {:?}", parse(text.as_bytes()));
    }
}

#[test]
fn grammar() {
    assert_means(&[
        ("a=1", "a=1"),
        ("a = 1", "a=1"),
        ("a\n=\n1", "a=1"),
        ("a{b=1}", "a {\n\tb=1\n}"),
        ("a { }", "a {\n}"),
        ("a { b { c=1 } } d=2", "a {\n\tb {\n\t\tc=1\n\t}\n}\nd=2"),
        ("\"a\"=1 'b'=2", "a=1\nb=2"),
        ("a=1 b=2 c=\"x\"d=3", "a=1\nb=2\nc=\"x\"\nd=3"),
        ("a=1\0}}}", "a=1"),
        ("a=\"b\0c\"", "a=\"\""),
    ]);
    assert_refused(&[
        "",
        " \t\r\n\x0b\x0c",
        "# comment",
        "\0a=1",
        "a",
        "a=",
        "a={b=1}",
        "a {",
        "a { b=1",
        "}",
        "a=1 }",
        "=1",
        "a b=1",
        "a==1",
        "\"\"=1",
        "''=1",
        "[a]=1",
        ",a=1",
        "a=}",
        "a=1,2",
        "a=1 2",
    ]);
}

#[test]
fn tokens_blanks_and_comments() {
    assert_means(&[
        (" \t\r\n\x0b\x0ca=1 \t\r\n\x0b\x0c", "a=1"),
        ("# c\na=1 # d\n#e", "a=1"),
        ("a # c\n= # d\n1", "a=1"),
        ("x=a#b", "x=\"a\""),
        ("request=\"a\"\n##\nrequest=\"b\"", "request=\"a\"\nrequest=\"b\""),
    ]);
}

#[test]
fn tokens_barewords() {
    assert_means(&[
        ("x=true", "x=\"true\""),
        ("x=a,b", "x=\"a,b\""),
        ("x=a[]\"':@!/y", "x=\"a[]\\\"':@!/y\""),
        ("a,b]=1", "a,b]=1"),
        ("12ab=1 -=2 .x=3", "12ab=1\n-=2\n.x=3"),
    ]);
    assert_refused(&["x=a=1", "x=a{b=1}", "x=a}"]);
}

#[test]
fn tokens_integers() {
    assert_means(&[
        ("x=0", "x=0"),
        ("x=+5", "x=5"),
        ("x=-5", "x=-5"),
        ("x=010", "x=8"),
        ("x=-010", "x=-8"),
        ("x=+010", "x=8"),
        ("x=08", "x=0"),
        ("x=0129", "x=10"),
        ("x=-", "x=0"),
        ("x=+", "x=0"),
        ("x=12 y=3", "x=12\ny=3"),
        ("x=12abc=1", "x=12\nabc=1"),
        ("x=1-2=3", "x=1\n-2=3"),
        ("x=9223372036854775807", "x=9223372036854775807"),
        ("x=-9223372036854775808", "x=-9223372036854775808"),
        ("creation_time=9223372036854775808", "creation_time=1527120000"),
        ("vg/creation_time=99999999999999999999", "vg {\n\tcreation_time=1527120000\n}"),
        ("vg { creation_time=-99999999999999999999 }", "vg {\n\tcreation_time=1527120000\n}"),
    ]);
    assert_refused(&[
        "x=12abc",
        "x=9223372036854775808",
        "x=-9223372036854775809",
        "creation_time/x=9223372036854775808",
        "x=0777777777777777777777777",
    ]);
}

#[test]
fn tokens_hexadecimal_leaves_a_stray_key() {
    assert_means(&[
        ("x=0x10=5", "x=16\nx10=5"),
        ("x=-0X1f { }", "x=-31\nX1f {\n}"),
        ("x=0x=5", "x=0\nx=5"),
        ("x=00x1=5", "x=0\nx1=5"),
    ]);
    assert_refused(&["x=0x10", "x=0x10000000000000000=1"]);
}

#[test]
fn tokens_floats() {
    assert_means(&[
        ("x=1.5", "x=1.500000"),
        ("x=.5", "x=0.500000"),
        ("x=5.", "x=5.000000"),
        ("x=.", "x=0.000000"),
        ("x=-.", "x=0.000000"),
        ("x=-.5", "x=-0.500000"),
        ("x=+1.25", "x=1.250000"),
        ("x=010.5", "x=10.500000"),
        ("x=16777217.0", "x=16777217.000000"),
        ("x=1.5.5=1", "x=1.500000\n.5=1"),
        ("x=1.5e5=1", "x=150000.000000\ne5=1"),
        ("x=1.5e-1=1", "x=0.150000\ne-1=1"),
        ("x=1.5e=1", "x=1.500000\ne=1"),
    ]);
    assert_refused(&["x=1e5", "x=1.5e5", "x=1.5.5", "x=1.5e999=1"]);
}

#[test]
fn tokens_strings() {
    assert_means(&[
        (r#"x="""#, r#"x="""#),
        (r#"x="a b""#, r#"x="a b""#),
        (r#"x="a\"b\\c""#, r#"x="a\"b\\c""#),
        (r#"x="a\nb\t""#, r#"x="a\\nb\\t""#),
        (r#"x="\\""#, r#"x="\\""#),
        (r#"x="\\\"""#, r#"x="\\\"""#),
        ("x=\"a\nb # no comment\"", "x=\"a\nb # no comment\""),
        ("x='a\\'y=1", "x=\"a\\\\\"\ny=1"),
        (r#"x='a"b'"#, r#"x="a\"b""#),
        (r"x=''", r#"x="""#),
        ("x=\"é\"", "x=\"é\""),
    ]);
}

#[test]
fn tokens_strings_that_are_not_closed_lose_their_last_byte() {
    assert_means(&[
        ("x=\"abc", "x=\"ab\""),
        ("x='abc", "x=\"ab\""),
        ("x=\"a", "x=\"\""),
        ("x=\"abc\\", "x=\"abc\""),
        ("x=\"abc\\\"", "x=\"abc\\\\\""),
        ("x=\"abc\0\"", "x=\"ab\""),
    ]);
    assert_refused(&["x=\"", "x='", "a { x=\"abc", "x=[\"abc", "\"x=1"]);
}

#[test]
fn arrays() {
    assert_means(&[
        ("x=[1,2,3]", "x=[1,2,3]"),
        ("x = [ 1 , 2 ]", "x=[1,2]"),
        ("x=[1, # one\n2\n]", "x=[1,2]"),
        ("x=[\"a\" \"b\"'c']", "x=[\"a\",\"b\",\"c\"]"),
        ("x=[1 \"b\"]", "x=[1,\"b\"]"),
        ("x=[1,]", "x=1"),
        ("x=[1,2,]", "x=[1,2]"),
        ("x=[ a , b ]", "x=[\"a\",\"b\"]"),
        ("x=[1,1.5,\"a\",-2]", "x=[1,1.500000,\"a\",-2]"),
        ("x=[]", "x=[]"),
        ("x=[ ]", "x=[]"),
        ("x=[\"a\"]", "x=\"a\""),
        ("x=[ a ]", "x=\"a\""),
    ]);
    assert_refused(&[
        "x=[1 2]",
        "x=[\"a\" b]",
        "x=[\"a\" 1]",
        "x=[a,b]",
        "x=[a]",
        "x=[,1]",
        "x=[1,,2]",
        "x=[,]",
        "x=[[1]]",
        "x=[1",
        "x=[",
        "x=[1}",
        "x=]",
    ]);
    assert_eq!(parse(b"x=[]").unwrap().find("x"), Some(&Content::Value(Value::Array(vec![]))));
    assert_eq!(parse(b"x=[7]"), parse(b"x=7"));
    assert_ne!(parse(b"x=[]"), parse(b"x=\"\""));
}

#[test]
fn keys_and_paths() {
    assert_means(&[
        ("a/b=1", "a {\n\tb=1\n}"),
        ("a/b { c=1 }", "a {\n\tb {\n\t\tc=1\n\t}\n}"),
        ("//a///b=1", "a {\n\tb=1\n}"),
        ("\"a/b\"=1", "a {\n\tb=1\n}"),
        ("\"a\\\"/b\"=1", "\"a\\\"\" {\n\tb=1\n}"),
        ("a/b=1 a/c=2", "a {\n\tb=1\n}\na {\n\tc=2\n}"),
        ("a/=1", "a {\n\t/=1\n}"),
        ("a/// { }", "a {\n\t/ {\n\t}\n}"),
        ("/=1", "/=1"),
        ("a=1 a=2 b{} b{c=1}", "a=1\na=2\nb {\n}\nb {\n\tc=1\n}"),
    ]);
}

#[test]
fn look_up_takes_the_first_of_a_name_at_each_level() {
    let tree =
        parse(b"a { b=1 b=2 } a { b=3 c=4 } s=\"x\" s=\"y\" e=\"\" e=\"z\" t/=5 v=1 v { w=2 }").unwrap();
    assert_eq!(tree.int("a/b"), Some(1));
    assert_eq!(tree.int("/a//b"), Some(1));
    assert_eq!(tree.find("a/c"), None);
    assert_eq!(tree.string("s"), Some("x"));
    assert_eq!(tree.string("e"), None);
    assert_eq!(tree.int("t/"), Some(5));
    assert_eq!(tree.find("v/w"), None);
    assert_eq!(tree.section("v"), None);
    assert_eq!(tree.section("a").and_then(|section| section.int("b")), Some(1));
    assert_eq!(tree.find(""), None);
}

#[test]
fn look_up_is_by_type() {
    let tree = parse(
        b"i=5 q=\"5\" f=5.0 w=word none=[] ints=[1,2] texts=[\"a\",\"b\"] mixed=[1,\"a\"] bad=\"\xff\" s{}",
    );
    let tree = tree.unwrap();
    let table = [
        ("i", None, Some(5)),
        ("q", Some("5"), None),
        ("f", None, None),
        ("w", Some("word"), None),
        ("none", None, None),
        ("ints", None, Some(1)),
        ("texts", Some("a"), None),
        ("mixed", None, Some(1)),
        ("bad", None, None),
        ("s", None, None),
        ("absent", None, None),
    ];
    for (path, string, int) in table {
        assert_eq!((tree.string(path), tree.int(path)), (string, int), "{path}");
    }
    assert_eq!(tree.bytes("bad"), Some(&b"\xff"[..]));
}

#[test]
fn printing() {
    assert_means(&[
        ("a { b { c=\"x\\\\y\" } }", "a {\n\tb {\n\t\tc=\"x\\\\y\"\n\t}\n}"),
        ("'a#b'=1", "\"a#b\"=1"),
        ("'a\"b'=1", "\"a\\\"b\"=1"),
        ("a!b=1", "\"a!b\"=1"),
        ("'a b' { }", "\"a b\" {\n}"),
        ("'a\tb'=1 'c=d'=2 'e{'=3 '}'=4", "\"a\tb\"=1\n\"c=d\"=2\n\"e{\"=3\n\"}\"=4"),
        ("'[a'=1 ']'=2 ','=3 \"'a\"=4", "\"[a\"=1\n\"]\"=2\n\",\"=3\n\"'a\"=4"),
        ("x=1.23456789 y=-0.0000001", "x=1.234568\ny=-0.000000"),
        ("b=2 a=1", "b=2\na=1"),
    ]);
}

#[test]
fn printing_indents_no_further_than_32_tabs() {
    let text = format!("{}x=1", "a/".repeat(40));
    let printed = String::from_utf8(canonical(text.as_bytes())).unwrap();
    assert!(printed.contains(&format!("\n{}x=1\n", "\t".repeat(32))), "{printed}");
    assert!(!printed.contains(&"\t".repeat(33)), "{printed}");
}

#[test]
fn bytes_that_are_not_utf8_survive() {
    assert_eq!(canonical(b"\xff=\xfe\n'\x80 '=\"\xc3\\\"\""), b"\xff=\"\xfe\"\n\"\x80 \"=\"\xc3\\\"\"\n");
}

#[test]
fn an_unescaped_text_is_borrowed_from_the_message() {
    let tree = parse(b"a=\"x\" b=\"x\\\"\"").unwrap();
    assert!(matches!(tree.find("a"), Some(Content::Value(Value::One(Scalar::String(Text::Borrowed(b"x")))))));
    assert!(matches!(tree.find("b"), Some(Content::Value(Value::One(Scalar::String(Text::Owned(_)))))));
}

#[test]
fn errors_tell_where_and_what() {
    let table = [
        ("", "byte 0, line 1: found no entry"),
        ("a=1\nb 2", "byte 6, line 2: expected `{` or `=`, found the word `2`"),
        ("a=\n\n}", "byte 4, line 3: expected a value, found `}`"),
        ("a { b=1", "byte 7, line 1: expected a key, found the end of the text"),
        ("\"\"=1", "byte 0, line 1: a key is empty"),
        ("x=\"", "byte 2, line 1: a string opens at the end of the text"),
        ("x=9999999999999999999", "byte 2, line 1: a number is out of range"),
        ("x=[\"\x1b\" \"b\" c]", "byte 11, line 1: expected a value, found the word `c]`"),
        (
            "x 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
            concat!(
                "byte 2, line 1: expected `{` or `=`, found the string ",
                "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"",
            ),
        ),
    ];
    for (text, expected) in table {
        let error = parse(text.as_bytes()).expect_err(text).to_string();
        assert_eq!(error, format!("parse config text: {expected}"));
    }
}
