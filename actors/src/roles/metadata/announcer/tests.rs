//! The table of what is told.

use proptest::prelude::*;

use super::*;

fn seen(name: &str, seqno: i64, missing_pvs: usize) -> Seen {
    Seen { name: Vgname::try_from(name).unwrap(), seqno, missing_pvs }
}

#[test]
fn what_is_told_of_a_vg_depends_on_what_was_told_before() {
    use VgChange::{Changed, Complete, Gone, Partial};

    let states =
        [None, Some(seen("v", 1, 0)), Some(seen("v", 2, 0)), Some(seen("v", 1, 2)), Some(seen("w", 1, 1))];
    let expected = [
        [None, Some(Complete), Some(Complete), Some(Partial), Some(Partial)],
        [Some(Gone), None, Some(Changed), Some(Partial), Some(Partial)],
        [Some(Gone), Some(Changed), None, Some(Partial), Some(Partial)],
        [Some(Gone), Some(Complete), Some(Complete), None, Some(Changed)],
        [Some(Gone), Some(Complete), Some(Complete), Some(Changed), None],
    ];
    let uuid = Vgid::try_from("G").unwrap();
    let known = |state: &Option<Seen>| {
        state.iter().map(|seen| (uuid.clone(), seen.clone())).collect::<BTreeMap<_, _>>()
    };
    for (before, row) in states.iter().zip(&expected) {
        for (now, expected) in states.iter().zip(row) {
            let mut announced = Announced::default();
            announced.differ(known(before));
            let told: Vec<_> =
                announced.differ(known(now)).into_iter().map(|(_, change, _)| change).collect();
            assert_eq!(told, expected.iter().copied().collect::<Vec<_>>(), "{before:?}, then {now:?}");
        }
    }
}

proptest! {
    #[test]
    fn whoever_follows_what_is_told_knows_which_vgs_are_complete(
        steps in prop::collection::vec(prop::collection::btree_map(0..4_u8, (1..4_i64, 0..3_usize), 0..4), 1..20)
    ) {
        let mut announced = Announced::default();
        let mut followed: BTreeMap<Vgid, bool> = BTreeMap::new();
        for step in steps {
            let now: BTreeMap<_, _> = step.into_iter().map(|(vg, (seqno, missing))| {
                (Vgid::try_from(vg.to_string().as_str()).unwrap(), seen("v", seqno, missing))
            }).collect();
            for (uuid, change, _) in announced.differ(now.clone()) {
                match change {
                    VgChange::Complete => drop(followed.insert(uuid, true)),
                    VgChange::Partial => drop(followed.insert(uuid, false)),
                    VgChange::Gone => drop(followed.remove(&uuid)),
                    VgChange::Changed => {}
                }
            }
            let truth: BTreeMap<_, _> = now.into_iter().map(|(vg, seen)| (vg, seen.missing_pvs == 0)).collect();
            prop_assert_eq!(&followed, &truth);
        }
    }
}
