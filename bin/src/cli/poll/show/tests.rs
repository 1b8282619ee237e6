//! Tables of operations.

use lvmwarden_protocol::api::poll::{Outcome, OutcomeKind};

use super::*;
use crate::cli::samples::{bare, clock, ended, pvmove};

#[test]
fn the_list_has_a_line_for_each() {
    let done = ended(pvmove(2, "vg1", Some(100.0)), Outcome::of(OutcomeKind::Done));
    assert_eq!(
        bare(&table(&[pvmove(1, "vg0", Some(41.25)), done], &clock())),
        "\
ID        LV           KIND    STATE       DONE   PID  STARTS  SINCE
10000000  vg0/pvmove0  pvmove  running   41.2 %  4711       1  11:45:00
20000000  vg1/pvmove0  pvmove  done     100.0 %  4711       1  11:45:00
"
    );
}

#[test]
fn what_did_not_end_well_is_explained_below() {
    let outcome = Outcome {
        cause: Some("it ran full".to_owned()),
        remedy: Some("remove it".to_owned()),
        ..Outcome::of(OutcomeKind::Invalid)
    };
    assert_eq!(
        bare(&table(&[ended(pvmove(1, "vg0", None), outcome)], &clock())),
        "\
ID        LV           KIND    STATE    DONE   PID  STARTS  SINCE
10000000  vg0/pvmove0  pvmove  invalid        4711       1  11:45:00
vg0/pvmove0: invalid: it ran full
  remove it
"
    );
}

#[test]
fn no_operation_is_told_in_words() {
    assert_eq!(table(&[], &clock()), "no operation is in progress\n");
}

#[test]
fn details_tell_everything_that_is_known() {
    let story = story_of(&pvmove(1, "vg0", None));
    let abort = Operation { abort: true, percent: None, ..pvmove(1, "vg0", None) };
    assert_eq!(
        bare(&details(&abort, &story, &clock())),
        format!(
            "\
id        10000000-0000-0000-0000-000000000000
LV        vg0/pvmove0
lvid      {}
kind      pvmove abort
state     running
lvpoll    pid 4711
starts    1
since     11:45:00 (15 min ago)
asked by  pvmove /dev/sdb (user 1000)
requests  1
",
            "v".repeat(64)
        )
    );
}

fn story_of(operation: &Operation) -> OperationStory {
    OperationStory {
        id: operation.id,
        kind: operation.kind,
        abort: operation.abort,
        vgname: operation.vgname.clone(),
        lvname: operation.lvname.clone(),
        asked_by: operation.asked_by.clone(),
        uid: Some(1000),
        is_over: true,
        left_out: 0,
        steps: Vec::new(),
    }
}

#[test]
fn an_operation_that_is_forgotten_is_known_by_its_story() {
    assert_eq!(
        bare(&past(&story_of(&pvmove(1, "vg0", None)))),
        "\
id        10000000-0000-0000-0000-000000000000
LV        vg0/pvmove0
kind      pvmove
state     its end is not known
asked by  pvmove /dev/sdb (user 1000)
"
    );
}
