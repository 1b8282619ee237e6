//! Tests that the `.varlink` files and the Rust types say the same.
//!
//! Both are turned into statements, one for each method, parameter, field of a reply, type and error:
//! [`from_text`] reads the file with zlink's parser, [`RustInterface`] asks the types for their JSON schema, which follows
//! what `serde` is told about them. A statement that only one side makes is a difference.

mod from_rust;
mod from_text;

use std::collections::BTreeSet;

pub(super) use from_rust::RustInterface;

use super::{
    archive, events, lock, metadata, metrics, poll, reconfigure, service, supervisor, varlink_service,
};

/// What an interface consists of, such as `method Show, parameter id: string`.
pub(super) type Interface = BTreeSet<String>;

/// Returns what one side alone says.
fn differences(text: &Interface, rust: &Interface) -> Vec<String> {
    let only_text = text.difference(rust).map(|statement| format!("only in the .varlink file: {statement}"));
    let only_rust = rust.difference(text).map(|statement| format!("only in Rust: {statement}"));
    only_text.chain(only_rust).collect()
}

#[track_caller]
fn assert_agreement(text: &str, rust: &Interface) {
    assert_eq!(differences(&from_text::interface(text), rust), Vec::<String>::new());
}

#[test]
fn every_interface_is_what_its_text_says() {
    assert_agreement(varlink_service::DESCRIPTION, &varlink_service::rust_interface());
    assert_agreement(service::DESCRIPTION, &service::rust_interface());
    assert_agreement(poll::DESCRIPTION, &poll::rust_interface());
    assert_agreement(reconfigure::DESCRIPTION, &reconfigure::rust_interface());
    assert_agreement(supervisor::DESCRIPTION, &supervisor::rust_interface());
    assert_agreement(events::DESCRIPTION, &events::rust_interface());
    assert_agreement(metrics::DESCRIPTION, &metrics::rust_interface());
    assert_agreement(archive::DESCRIPTION, &archive::rust_interface());
    assert_agreement(lock::DESCRIPTION, &lock::rust_interface());
    assert_agreement(metadata::DESCRIPTION, &metadata::rust_interface());
}

#[test]
fn every_name_and_text_of_the_index_belong_together() {
    for (name, text) in super::INTERFACES {
        assert!(from_text::interface(text).contains(&format!("interface {name}")), "{name}");
    }
}

/// Asserts that a change of the Poll interface's text is found, and what is said of it.
#[track_caller]
fn assert_found(from: &str, to: &str, expected: &[&str]) {
    assert!(poll::DESCRIPTION.contains(from), "{from:?} is in the file");
    let changed = poll::DESCRIPTION.replacen(from, to, 1);
    assert_eq!(differences(&from_text::interface(&changed), &poll::rust_interface()), expected);
}

#[test]
fn a_parameter_on_one_side_only_is_found() {
    assert_found(
        "method Show(id: string)",
        "method Show(id: string, verbose: ?bool)",
        &["only in the .varlink file: method Show, parameter verbose: ?bool"],
    );
    assert_found(
        "method Show(id: string)",
        "method Show()",
        &["only in Rust: method Show, parameter id: string"],
    );
}

#[test]
fn a_field_of_a_type_on_one_side_only_is_found() {
    assert_found("  attempt: int,\n", "", &["only in Rust: type Operation, field attempt: int"]);
    assert_found(
        "retcode: ?int,",
        "retcode: ?int, core_dumped: ?bool,",
        &["only in the .varlink file: type Outcome, field core_dumped: ?bool"],
    );
}

#[test]
fn another_type_or_a_missing_question_mark_is_found() {
    assert_found(
        "percent: ?float",
        "percent: ?int",
        &[
            "only in the .varlink file: type Operation, field percent: ?int",
            "only in Rust: type Operation, field percent: ?float",
        ],
    );
    assert_found(
        "sysdir: ?string,\n  state",
        "sysdir: string,\n  state",
        &[
            "only in the .varlink file: type Operation, field sysdir: string",
            "only in Rust: type Operation, field sysdir: ?string",
        ],
    );
    assert_found(
        "-> (operations: []Operation,",
        "-> (operations: [string]Operation,",
        &[
            "only in the .varlink file: method List, reply operations: [string]Operation",
            "only in Rust: method List, reply operations: []Operation",
        ],
    );
}

#[test]
fn a_method_a_type_a_word_and_an_error_on_one_side_only_are_found() {
    assert_found(
        "method List(",
        "method Ls(",
        &[
            "only in the .varlink file: method Ls",
            "only in the .varlink file: method Ls, parameter page: ?string",
            "only in the .varlink file: method Ls, reply next_page: ?string",
            "only in the .varlink file: method Ls, reply operations: []Operation",
            "only in Rust: method List",
            "only in Rust: method List, parameter page: ?string",
            "only in Rust: method List, reply next_page: ?string",
            "only in Rust: method List, reply operations: []Operation",
        ],
    );
    assert_found(
        "error Busy ()",
        "type Unused (a: int)",
        &[
            "only in the .varlink file: type Unused",
            "only in the .varlink file: type Unused, field a: int",
            "only in Rust: error Busy",
        ],
    );
    assert_found(
        "merge_thin)",
        "merge_thin, cache)",
        &[
            "only in the .varlink file: type PollOperation (pvmove, convert, merge, merge_thin, cache)",
            "only in Rust: type PollOperation (pvmove, convert, merge, merge_thin)",
        ],
    );
    assert_found(
        "error Failed (reason: string)",
        "error Failed ()",
        &["only in Rust: error Failed, parameter reason: string"],
    );
}
