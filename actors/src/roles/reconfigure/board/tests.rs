//! Which changes may begin, which are found, and which are forgotten.

use lvmwarden_protocol::api::reconfigure::Goal;

use super::*;

pub(in crate::roles::reconfigure) fn change(id: &str, vgname: &str, phase: Phase) -> Change {
    let goal = Goal::of(Kind::Tag, vgname);
    Change {
        id: id.to_owned(),
        goal,
        goal_text: String::new(),
        coordinator: String::new(),
        phase,
        round: 1,
        since: String::new(),
        took_ms: 0,
        deadline_ms: None,
        asked_by: None,
        hosts: Vec::new(),
        outcome: None,
    }
}

#[test]
fn one_change_of_a_vg_and_so_many_of_all_are_under_way() {
    let board = Board::default();
    let begin = |id: &str, vgname: &str| {
        board.begin(id, vgname)?;
        board.put(change(id, vgname, Phase::Locking));
        Ok(())
    };
    assert_eq!(begin("aaaa", "vg0"), Ok(()));
    let same = begin("aaaa", "vg1");
    assert!(matches!(same, Err(Refused::Known(_))), "{same:?}");
    assert_eq!(begin("bbbb", "vg0"), Err(Refused::AlreadyChanging("aaaa".to_owned())));
    board.put(change("aaaa", "vg0", Phase::Ended));
    assert_eq!(begin("bbbb", "vg0"), Ok(()));
    for vg in 1..UNFINISHED - 1 {
        assert_eq!(begin(&format!("cccc{vg}"), &format!("vg{vg}")), Ok(()));
    }
    assert_eq!(board.begin("dddd", "vg98"), Ok(()));
    assert_eq!(begin("eeee", "vg99"), Err(Refused::TooMany));
    board.give_up("dddd");
    assert_eq!(begin("eeee", "vg99"), Ok(()));
    assert_eq!(board.numbers().unfinished, 16);
}

#[test]
fn a_change_that_is_not_written_down_yet_is_not_seen_and_is_in_the_way() {
    let board = Board::default();
    assert_eq!(board.begin("aaaa", "vg0"), Ok(()));
    assert_eq!((board.find("aaaa"), board.all().len(), board.numbers().unfinished), (None, 0, 0));
    assert_eq!(board.begin("aaaa", "vg0"), Err(Refused::Beginning));
    assert_eq!(board.begin("bbbb", "vg0"), Err(Refused::AlreadyChanging("aaaa".to_owned())));
    board.give_up("aaaa");
    assert_eq!(board.begin("aaaa", "vg0"), Ok(()));
    board.put(change("aaaa", "vg0", Phase::Locking));
    board.give_up("aaaa");
    assert!(board.find("aaaa").is_some(), "what is written down stays");
}

#[test]
fn a_change_is_found_by_a_beginning_that_no_other_has() {
    let board = Board::default();
    board.put(change("abcd1", "vg0", Phase::Ended));
    board.put(change("abcd2", "vg0", Phase::Ended));
    let found = |id: &str| board.find(id).map(|change| change.id.clone());
    assert_eq!(found("abcd1").as_deref(), Some("abcd1"));
    assert_eq!((found("abcd"), found("abc"), found("")), (None, None, None));
    board.put(change("beef5678", "vg0", Phase::Ended));
    assert_eq!(found("beef").as_deref(), Some("beef5678"));
}

#[test]
fn the_eldest_that_are_over_are_forgotten_and_readers_are_woken() {
    let board = Board::default();
    let mut watch = board.watch();
    board.put(change("0000", "vg0", Phase::Voting));
    for number in 1..=ENDED {
        assert_eq!(board.put(change(&format!("{number:04}"), "vg1", Phase::Ended)), None);
    }
    assert_eq!(board.put(change("9999", "vg1", Phase::Ended)).as_deref(), Some("0001"));
    assert!(board.find("0000").is_some(), "what is under way stays");
    assert!(watch.has_changed().expect("the board is there"));
    watch.borrow_and_update();
    board.put(change("9999", "vg1", Phase::Ended));
    assert!(!watch.has_changed().expect("the board is there"), "nothing is new");
}
