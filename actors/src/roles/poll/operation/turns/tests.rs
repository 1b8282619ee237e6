//! Who goes on and who waits.

use jiff::civil::time;
use proptest::prelude::*;

use super::*;

const NOON: Time = Time::constant(12, 0, 0, 0);

fn op(number: u8) -> Uuid {
    Uuid::from_u128(number.into())
}

fn site(vgname: &str, devices: &[&str]) -> Site {
    let devices = devices.iter().map(|device| (*device).to_owned()).collect();
    Site { vgname: vgname.try_into().unwrap(), devices }
}

fn turns(per_vg: Option<u32>, per_pv: Option<u32>) -> Turns {
    Turns::new(Rules { per_vg, per_pv, windows: Vec::new() })
}

#[test]
fn without_rules_everybody_goes_on() {
    let mut turns = Turns::default();
    for number in 0..50 {
        assert_eq!(turns.take(op(number), site("vg", &["8:0"]), NOON), Ok(()));
    }
}

#[test]
fn a_vg_has_as_many_turns_as_its_limit_and_another_vg_its_own() {
    let mut turns = turns(Some(1), None);
    assert_eq!(turns.take(op(1), site("vg", &[]), NOON), Ok(()));
    assert_eq!(turns.take(op(2), site("vg", &[]), NOON), Err(Hold::VgLimit));
    assert_eq!(turns.take(op(3), site("other", &[]), NOON), Ok(()));
    // Who has a turn keeps it.
    assert_eq!(turns.take(op(1), site("vg", &[]), NOON), Ok(()));
    turns.leave(op(1));
    assert_eq!(turns.take(op(2), site("vg", &[]), NOON), Ok(()));
}

#[test]
fn a_pv_is_counted_where_it_is_read_and_where_it_is_written() {
    let mut turns = turns(None, Some(1));
    assert_eq!(turns.take(op(1), site("vg", &["8:0", "8:16"]), NOON), Ok(()));
    assert_eq!(turns.take(op(2), site("vg", &["8:16", "8:32"]), NOON), Err(Hold::PvLimit));
    assert_eq!(turns.take(op(3), site("vg", &["8:48", "8:64"]), NOON), Ok(()));
}

#[test]
fn the_oldest_goes_on_first_and_whoever_waits_for_something_else_does_not_stand_in_the_way() {
    let mut turns = turns(Some(2), Some(1));
    let (left, right) = (site("vg", &["8:0"]), site("vg", &["8:16"]));
    assert_eq!(turns.take(op(5), left.clone(), NOON), Ok(()));
    assert_eq!(turns.take(op(3), left.clone(), NOON), Err(Hold::PvLimit));
    assert_eq!(turns.take(op(4), right.clone(), NOON), Ok(()), "it waits for nothing that 3 waits for");
    assert_eq!(turns.take(op(1), left.clone(), NOON), Err(Hold::VgLimit));
    turns.leave(op(5));
    assert_eq!(
        turns.take(op(3), left.clone(), NOON),
        Err(Hold::VgLimit),
        "1 is older, and there is room for it"
    );
    assert_eq!(turns.take(op(1), left, NOON), Ok(()));
}

#[test]
fn what_lvm_has_begun_counts_and_waits_at_the_end_of_its_segment() {
    let mut turns = turns(Some(1), None);
    let all = [op(1), op(2), op(3)];
    for op in all {
        turns.goes_on(op, site("vg", &[]));
    }
    assert_eq!(turns.take(op(2), site("vg", &[]), NOON), Err(Hold::VgLimit));
    assert_eq!(turns.take(op(1), site("vg", &[]), NOON), Err(Hold::VgLimit));
    assert_eq!(turns.take(op(3), site("vg", &[]), NOON), Err(Hold::VgLimit));
    assert_eq!(turns.take(op(2), site("vg", &[]), NOON), Err(Hold::VgLimit));
    assert_eq!(turns.take(op(1), site("vg", &[]), NOON), Ok(()));
}

#[test]
fn outside_its_windows_nobody_goes_on_and_it_is_told_when_the_next_one_opens() {
    let windows = ["22:00-06:00", "13:00-13:30"].map(|text| text.parse().unwrap()).to_vec();
    let mut turns = Turns::new(Rules { windows, ..Rules::default() });
    for (now, expected) in [
        (time(12, 0, 0, 0), Err(Hold::Window { opens: time(13, 0, 0, 0) })),
        (time(13, 5, 0, 0), Ok(())),
        (time(14, 0, 0, 0), Err(Hold::Window { opens: time(22, 0, 0, 0) })),
        (time(2, 0, 0, 0), Ok(())),
    ] {
        assert_eq!(turns.take(op(1), site("vg", &[]), now), expected);
    }
}

#[test]
fn a_turn_that_is_dropped_is_free_and_rules_may_change() {
    let keeper = TurnKeeper::new(Rules { per_vg: Some(1), ..Rules::default() });
    let (first, second) = (keeper.enter(op(1)), keeper.enter(op(2)));
    assert_eq!(first.take(site("vg", &[])), Ok(()));
    assert_eq!(second.take(site("vg", &[])), Err(Hold::VgLimit));
    drop(first);
    assert_eq!(second.take(site("vg", &[])), Ok(()));
    let third = keeper.enter(op(3));
    assert_eq!(third.take(site("vg", &[])), Err(Hold::VgLimit));
    keeper.set_rules(Rules::default());
    assert_eq!(third.take(site("vg", &[])), Ok(()));
}

/// What may happen to one of a few operations.
#[derive(Debug, Clone)]
enum Step {
    Take(u8),
    Leave(u8),
}

proptest! {
    /// Nobody goes beyond a limit, and when everybody asks again and again everybody comes to an end.
    #[test]
    fn limits_hold_and_nobody_starves(
        steps in prop::collection::vec(
            prop_oneof![(0..8_u8).prop_map(Step::Take), (0..8_u8).prop_map(Step::Leave)], 0..60),
        per_vg in 1..4_u32,
        per_pv in 1..4_u32,
    ) {
        let mut turns = turns(Some(per_vg), Some(per_pv));
        let where_it_is = |number: u8| site(["vg0", "vg1"][usize::from(number % 2)], &[["8:0", "8:16", "8:32"][usize::from(number % 3)]]);
        let check = |turns: &Turns| {
            for site in turns.taken.values() {
                let in_vg = turns.taken.values().filter(|other| other.vgname == site.vgname).count();
                let on_pv = turns.taken.values().filter(|other| other.devices == site.devices).count();
                assert!(in_vg <= per_vg as usize && on_pv <= per_pv as usize);
            }
        };
        for step in &steps {
            match step {
                Step::Take(number) => {
                    let _verdict = turns.take(op(*number), where_it_is(*number), NOON);
                }
                Step::Leave(number) => turns.leave(op(*number)),
            }
            check(&turns);
        }
        let mut left: Vec<u8> = (0..8).collect();
        for _round in 0..8 {
            // Whoever goes on ends in this round.
            left.retain(|number| turns.take(op(*number), where_it_is(*number), NOON).is_err());
            for number in (0..8).filter(|number| !left.contains(number)) {
                turns.leave(op(number));
            }
        }
        prop_assert_eq!(left, Vec::<u8>::new());
    }
}
