//! What becomes of a goal in a VG, and when it is reached.

use std::collections::BTreeSet;

use super::*;

/// VG vg0 with extents of 4 MiB: LV `data` of two extents, LV `other` of one.
pub(in crate::roles::reconfigure) fn picture() -> Picture {
    let lv = |name: &str, extents: u64| PicturedLv {
        name: name.to_owned(),
        uuid: format!("uuid-of-{name}"),
        bytes: extents << 22,
        is_copying: false,
        is_snapshot: false,
        tags: BTreeSet::new(),
    };
    Picture {
        name: "vg0".to_owned(),
        uuid: "uuid-of-vg0".to_owned(),
        seqno: 7,
        extent_bytes: 1 << 22,
        free_extents: 100,
        lock_type: None,
        tags: BTreeSet::from(["old".to_owned()]),
        missing_pvs: 0,
        lvs: vec![lv("data", 2), lv("other", 1)],
    }
}

fn lv(name: &str) -> lvmwarden_protocol::ids::LvName {
    name.try_into().expect("a name")
}

pub(in crate::roles::reconfigure) fn resize(size: Size) -> Wanted {
    Wanted::Resize { lv: lv("data"), size, pvs: Vec::new() }
}

#[test]
fn a_size_becomes_whole_extents_and_never_fewer_than_there_are() {
    let extents = |size| Description::of(&resize(size), &picture()).map(|described| described.goal_extents);
    assert_eq!(extents(Size::Grow(1)), Ok(Some(3)));
    assert_eq!(extents(Size::Bytes(5 << 22)), Ok(Some(5)));
    assert_eq!(extents(Size::Bytes((4 << 22) + 1)), Ok(Some(5)));
    assert_eq!(extents(Size::Bytes(2 << 22)), Ok(Some(2)), "the same size is reached already");
    assert_eq!(extents(Size::Bytes(1)).expect_err("smaller").field, "size_bytes");
    assert_eq!(extents(Size::Grow(u64::MAX)).expect_err("too large").field, "grow_bytes");
    assert_eq!(extents(Size::Bytes(u64::MAX)).expect_err("too large").field, "size_bytes");
}

#[test]
fn what_is_not_in_the_vg_is_named() {
    let field = |wanted: &Wanted| Description::of(wanted, &picture()).expect_err("it cannot be").field;
    assert_eq!(field(&Wanted::Activate(vec![lv("nope")])), "lvnames");
    assert_eq!(field(&Wanted::Rename { lv: lv("data"), new: lv("other") }), "new_name");
    let all = Description::of(&Wanted::Refresh(Vec::new()), &picture()).expect("all of them");
    assert_eq!(all.lvs.len(), 2);
}

#[test]
fn a_goal_is_reached_by_what_the_metadata_say_of_the_uuid() {
    let before = picture();
    let is_reached = |wanted: &Wanted, change: &dyn Fn(&mut Picture)| {
        let described = Description::of(wanted, &before).expect("a goal");
        let mut after = picture();
        change(&mut after);
        (described.is_reached(wanted, &before), described.is_reached(wanted, &after))
    };
    let tag = |name: Option<&str>| Wanted::Tag {
        lv: name.map(lv),
        add: vec!["new".to_owned()],
        remove: vec!["old".to_owned()],
    };
    let grown = is_reached(&resize(Size::Grow(1)), &|after| after.lvs[0].bytes = 9 << 22);
    assert_eq!(grown, (false, true));
    let renamed = Wanted::Rename { lv: lv("data"), new: lv("new") };
    assert_eq!(is_reached(&renamed, &|after| after.lvs[0].name = "new".to_owned()), (false, true));
    // Another LV of that name is not this one.
    assert_eq!(is_reached(&renamed, &|after| after.lvs[1].name = "new".to_owned()), (false, false));
    let tagged = |after: &mut Picture| after.tags = BTreeSet::from(["new".to_owned()]);
    assert_eq!(is_reached(&tag(None), &tagged), (false, true));
    assert_eq!(is_reached(&tag(Some("data")), &tagged), (false, false));
    assert_eq!(is_reached(&resize(Size::Grow(1)), &|after| after.lvs.clear()), (false, false));
    let other_vg = |after: &mut Picture| {
        after.uuid = "another".to_owned();
        after.lvs[0].bytes = 9 << 22;
    };
    assert_eq!(is_reached(&resize(Size::Grow(1)), &other_vg), (false, false));
    // Of what writes nothing the metadata cannot tell.
    assert_eq!(is_reached(&Wanted::Activate(vec![lv("data")]), &|_| {}), (false, false));
}

#[test]
fn the_goal_is_told_in_words() {
    let words = |kind, wanted: &Wanted| {
        Description::of(wanted, &picture()).expect("a goal").in_words(kind, "vg0", wanted)
    };
    let resized = words(Kind::Resize, &resize(Size::Bytes(1 << 30)));
    assert_eq!(resized, "resize vg0/data 0.01 GiB to 1.00 GiB (256 extents)");
    assert_eq!(words(Kind::Refresh, &Wanted::Refresh(Vec::new())), "refresh vg0");
    assert_eq!(words(Kind::Activate, &Wanted::Activate(vec![lv("data")])), "activate vg0/data");
}
