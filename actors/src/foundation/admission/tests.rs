//! Who comes in, as a table; and what no sequence of clients can do.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

const USER: Asker = Asker::User(1000);
const OTHER: Asker = Asker::User(1001);

fn occupied(by: &[(Asker, usize)]) -> Occupancy {
    let mut occupancy = Occupancy::default();
    for (asker, count) in by {
        (0..*count).for_each(|_| occupancy.enter(*asker));
    }
    occupancy
}

#[test]
fn a_bound_is_divided_so_that_root_has_a_share_and_no_user_alone_has_the_rest() {
    for (all, others, each) in [(1, 0, 0), (2, 1, 1), (3, 2, 1), (4, 3, 2), (56, 42, 21), (1000, 750, 375)] {
        let shares = Shares { all };
        assert_eq!((shares.others(), shares.each()), (others, each), "of {all}");
    }
}

#[test]
fn who_may_come_in() {
    use Asker::{Root, Unknown};
    use Entrance::{Api, Lvm, Metrics};
    let excess = |excess| Err(Refusal::Excess(excess));
    let yours = excess(Excess::Yours { uid: 1000 });
    // With 300 open files: 75 clients of lvm, 54 of the API (40 of them others than root, 20 of each user), 18 readers.
    for (entrance, asker, who_is_in, descriptor, expected) in [
        (Api, USER, &[][..], 30, Ok(())),
        (Api, USER, &[(USER, 19)], 50, Ok(())),
        (Api, USER, &[(USER, 20)], 50, yours),
        (Api, OTHER, &[(USER, 20)], 50, Ok(())),
        (Api, Asker::User(1002), &[(USER, 20), (OTHER, 20)], 70, excess(Excess::Others)),
        (Api, Root, &[(USER, 20), (OTHER, 20)], 70, Ok(())),
        (Api, Root, &[(USER, 20), (OTHER, 20), (Root, 14)], 70, excess(Excess::All)),
        (Api, Root, &[(Root, 53)], 70, Ok(())),
        (Api, USER, &[(Root, 54)], 70, excess(Excess::All)),
        (Api, USER, &[], 184, Ok(())),
        (Api, USER, &[], 185, Err(Refusal::Kept)),
        (Api, Root, &[], 185, Ok(())),
        (Api, Root, &[], 258, Ok(())),
        (Api, Root, &[], 259, Err(Refusal::Kept)),
        (Metrics, Unknown, &[(Unknown, 17)], 30, Ok(())),
        (Metrics, Unknown, &[(Unknown, 18)], 30, excess(Excess::All)),
        (Metrics, Unknown, &[], 185, Err(Refusal::Kept)),
        (Lvm, Root, &[(Root, 74)], 200, Ok(())),
        (Lvm, Root, &[(Root, 75)], 200, excess(Excess::All)),
        (Lvm, Root, &[], 258, Ok(())),
        (Lvm, Root, &[], 259, Err(Refusal::Kept)),
    ] {
        let room = Room::of(entrance, asker, 300);
        let found = verdict(room, &occupied(who_is_in), asker, descriptor);
        assert_eq!(found, expected, "{asker:?} at {entrance:?}, {who_is_in:?}, descriptor {descriptor}");
    }
}

#[test]
fn a_high_limit_of_open_files_does_not_make_the_api_endless() {
    assert_eq!(Room::of(Entrance::Api, Asker::Root, 1 << 20).shares.all, 2000);
    assert_eq!(Room::of(Entrance::Metrics, Asker::Unknown, 1 << 20).shares.all, 64);
    assert_eq!(Room::of(Entrance::Lvm, Asker::Root, 1 << 20).shares.all, 1 << 18);
}

fn asker() -> impl Strategy<Value = Asker> {
    prop_oneof![Just(Asker::Root), (1..5_u32).prop_map(Asker::User)]
}

proptest! {
    #[test]
    fn whoever_comes_and_goes_root_has_room_and_nobody_more_than_a_share(
        all in 2..40_usize,
        steps in vec((asker(), any::<bool>()), 0..300),
    ) {
        let (shares, quota) = (Shares { all }, Quota::default());
        let mut inside: Vec<(Asker, Place)> = Vec::new();
        for (asker, comes) in steps {
            if comes {
                inside.extend(quota.take(shares, asker).ok().map(|place| (asker, place)));
            } else if let Some(at) = inside.iter().position(|(who, _)| *who == asker) {
                drop(inside.swap_remove(at));
            }
            let count = |wanted: Asker| inside.iter().filter(|(who, _)| *who == wanted).count();
            prop_assert_eq!(quota.all(), inside.len());
            prop_assert!(inside.len() <= all);
            prop_assert!(inside.len() - count(Asker::Root) <= shares.others());
            for uid in 1..5 {
                prop_assert!(count(Asker::User(uid)) <= shares.each());
            }
            // Whatever the others do, root gets its share.
            let has_its_share = count(Asker::Root) >= all - shares.others();
            prop_assert!(has_its_share || quota.take(shares, Asker::Root).is_ok());
        }
        drop(inside);
        prop_assert_eq!(quota.all(), 0);
    }

    #[test]
    fn a_descriptor_for_starting_a_program_is_always_kept_and_one_for_lvm(
        open_files in 64..100_000_usize,
        descriptor in 0..100_000_usize,
        asker in prop_oneof![asker(), Just(Asker::Unknown)],
    ) {
        let empty = Occupancy::default();
        for entrance in [Entrance::Lvm, Entrance::Api, Entrance::Metrics] {
            let room = Room::of(entrance, asker, open_files);
            if verdict(room, &empty, asker, descriptor).is_ok() {
                prop_assert!(descriptor + 8 <= open_files);
                let lvm = Room::of(Entrance::Lvm, Asker::Root, open_files);
                let is_lvms = entrance == Entrance::Lvm || asker == Asker::Root;
                prop_assert!(is_lvms || verdict(lvm, &empty, Asker::Root, descriptor + 1).is_ok());
            }
        }
    }
}

#[test]
fn a_shortage_is_told_when_it_begins_and_when_nobody_was_turned_away_for_a_while() {
    let (mut shortages, begin) = (Shortages::default(), Instant::now());
    let at = |seconds| begin + Duration::from_secs(seconds);
    let (kept, yours) = (Refusal::Kept, Refusal::Excess(Excess::Yours { uid: 7 }));
    assert_eq!(shortages.next_end(), None);
    assert!(shortages.turn_away(kept, at(0)));
    assert!(!shortages.turn_away(kept, at(1)));
    assert!(shortages.turn_away(yours, at(2)), "another reason is another shortage");
    assert!(!shortages.turn_away(kept, at(4)));
    assert_eq!(shortages.next_end(), Some(at(7)));
    assert_eq!(shortages.end(at(6)), []);
    let ended = |why, turned_away, lasted| Ended { why, turned_away, lasted: Duration::from_secs(lasted) };
    assert_eq!(shortages.end(at(7)), [ended(yours, 1, 0)]);
    assert_eq!(shortages.end(at(9)), [ended(kept, 3, 4)]);
    assert_eq!(shortages.next_end(), None);
    assert!(shortages.turn_away(kept, at(10)), "it begins anew");
}
