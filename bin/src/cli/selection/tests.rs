//! Which operations a text names.

use super::*;
use crate::cli::samples::{id, pvmove};

fn known() -> Vec<Operation> {
    let abort = Operation { abort: true, ..pvmove(0xa, "vg0", None) };
    let mut twin = pvmove(2, "vg2", None);
    twin.id = Uuid::from_u128(id(2).as_u128() | 1);
    vec![pvmove(1, "vg0", None), abort, pvmove(2, "vg1", None), twin]
}

#[track_caller]
fn assert_chosen(text: &str, expected: &[usize]) {
    let known = known();
    let chosen: Vec<_> = choose(&known, text).unwrap().iter().map(|operation| operation.id).collect();
    assert_eq!(chosen, expected.iter().map(|&index| known[index].id).collect::<Vec<_>>());
}

#[test]
fn an_id_or_its_beginning_names_one() {
    assert_chosen("1", &[0]);
    assert_chosen("10000000-0000", &[0]);
    assert_chosen("A", &[1]);
    assert_chosen(&id(2).to_string(), &[2]);
    assert_chosen(&id(2).simple().to_string(), &[2]);
}

#[test]
fn an_lv_names_all_of_its_operations() {
    assert_chosen("vg0/pvmove0", &[0, 1]);
    assert_chosen("/dev/vg1/pvmove0", &[2]);
}

#[test]
fn what_names_nothing_is_refused_with_what_to_type() {
    for text in ["3", "", "vg0/lv", "vg0/", "a/b/c", &id(3).to_string(), "pvmove0"] {
        let failure = choose(&known(), text).unwrap_err();
        assert_eq!(failure.message, format!("there is no operation {text:?}, or not any more"));
        assert!(failure.advice.unwrap().contains("lvmwarden poll list"));
    }
}

#[test]
fn a_beginning_of_several_ids_is_refused_with_their_names() {
    let failure = choose(&known(), "2").unwrap_err();
    assert_eq!(failure.message, "\"2\" may be any of 2 operations");
    let advice = failure.advice.unwrap();
    assert!(advice.contains(&id(2).to_string()) && advice.contains("pvmove of vg2/pvmove0"), "{advice}");
}

#[test]
fn a_single_operation_is_not_named_by_nothing() {
    assert!(choose(&known()[..1], "").is_err());
}
