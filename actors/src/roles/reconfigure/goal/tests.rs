//! Which goals are taken, and which field is told of the others.

use super::*;

fn goal(kind: Kind, lvnames: &[&str]) -> Goal {
    Goal { lvnames: lvnames.iter().map(|name| (*name).to_owned()).collect(), ..Goal::of(kind, "vg0") }
}

#[test]
fn a_goal_that_lvm_would_not_take_is_refused_with_the_field() {
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let resize = || Goal { size_bytes: Some(1), ..goal(Kind::Resize, &["lv"]) };
    let rows = [
        ("vgname", Goal { vgname: "-x".to_owned(), ..resize() }),
        ("vgname", Goal { vgname: "a/b".to_owned(), ..resize() }),
        ("lvnames", Goal { lvnames: tags(&["--force"]), ..resize() }),
        ("lvnames", Goal { lvnames: Vec::new(), ..resize() }),
        ("lvnames", Goal { lvnames: tags(&["a", "a"]), ..goal(Kind::Activate, &[]) }),
        ("lvnames", goal(Kind::Activate, &[])),
        ("lvnames", goal(Kind::Refresh, &["lv"; 65])),
        ("size_bytes", goal(Kind::Resize, &["lv"])),
        ("size_bytes", Goal { size_bytes: Some(0), ..resize() }),
        ("size_bytes", Goal { size_bytes: Some(1), ..goal(Kind::Refresh, &[]) }),
        ("grow_bytes", Goal { grow_bytes: Some(1), ..resize() }),
        ("pvs", Goal { pvs: tags(&["-x"]), ..resize() }),
        ("new_name", goal(Kind::RenameLv, &["lv"])),
        ("new_name", Goal { new_name: Some("lv".to_owned()), ..goal(Kind::RenameLv, &["lv"]) }),
        ("new_name", Goal { new_name: Some("a b".to_owned()), ..goal(Kind::RenameLv, &["lv"]) }),
        ("add_tags", goal(Kind::Tag, &[])),
        ("add_tags", Goal { add_tags: tags(&["a b"]), ..goal(Kind::Tag, &[]) }),
        ("add_tags", Goal { add_tags: tags(&["-a"]), ..goal(Kind::Tag, &[]) }),
        ("remove_tags", Goal { add_tags: tags(&["a"]), remove_tags: tags(&["a"]), ..goal(Kind::Tag, &[]) }),
        ("hold", Goal { hold: Some(HoldWish::Always), ..goal(Kind::Refresh, &[]) }),
        ("device_ids", Goal { device_ids: tags(&["x"]), ..resize() }),
        ("kind", Goal { new_name: Some("vg1".to_owned()), ..goal(Kind::RenameVg, &[]) }),
        ("kind", Goal { device_ids: tags(&["x"]), ..goal(Kind::PvAdd, &[]) }),
    ];
    for (field, goal) in rows {
        let refused = Wanted::parse(&goal).expect_err(field);
        assert_eq!(refused.field, field, "{goal:?}: {refused}");
    }
}

#[test]
fn a_goal_that_lvm_would_take_is_taken() {
    let resize =
        Goal { grow_bytes: Some(7), pvs: vec!["/dev/sda".to_owned()], ..goal(Kind::Resize, &["lv"]) };
    let wanted = Wanted::parse(&resize).expect("a goal");
    assert!(
        matches!(&wanted, Wanted::Resize { size: Size::Grow(7), pvs, .. } if pvs.len() == 1),
        "{wanted:?}"
    );
    assert_eq!(wanted.lvs().len(), 1);
    let tagged = Goal { add_tags: vec!["a=b/c".to_owned()], ..goal(Kind::Tag, &[]) };
    assert!(matches!(Wanted::parse(&tagged), Ok(Wanted::Tag { lv: None, .. })));
    assert_eq!(Wanted::parse(&goal(Kind::Refresh, &[])), Ok(Wanted::Refresh(Vec::new())));
}
