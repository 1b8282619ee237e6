//! What goes and what stays: tables, and properties of all plans.

mod properties;

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn clock() -> Clock {
    Clock { now: now(), is_synchronised: true }
}

fn limits(files_per_vg: u32, bytes_per_vg: u64, age_days: u32, keep_newest: u32) -> Limits {
    Limits { files_per_vg, bytes_per_vg, age_days, keep_newest }
}

/// Makes copies of these ages in seconds, the newest first, of ten bytes each.
fn copies(ages: &[i64]) -> Vec<ArchivedCopy> {
    let count = u32::try_from(ages.len()).unwrap();
    let copy = |(age, index): (&i64, u32)| ArchivedCopy {
        index,
        random: 7,
        modified_at: Timestamp::from_second(now().as_second() - age).unwrap(),
        bytes: 10,
    };
    ages.iter().zip((0..count).rev()).map(copy).collect()
}

fn newest(count: usize) -> Protected {
    Protected::Newest((0..count).collect())
}

/// Returns the places of the copies that go, in the order of removal, each with its bound.
fn removed(copies: &[ArchivedCopy], plan: &VgPlan) -> Vec<(usize, Bound)> {
    let place = |copy: &ArchivedCopy| copies.iter().position(|there| there == copy).unwrap();
    plan.removals.iter().map(|removal| (place(&removal.copy), removal.bound)).collect()
}

#[test]
fn within_the_bounds_nothing_goes() {
    let copies = copies(&[0, HOUR, DAY, 30 * DAY]);
    let limits = limits(4, 40, 30, 1);
    assert!(!is_over(&copies, &limits, now()));
    assert_eq!(plan(&copies, &limits, &newest(1), clock()), VgPlan::default());
    assert_eq!(plan(&[], &limits, &newest(0), clock()), VgPlan::default());
}

#[test]
fn what_is_too_old_goes_the_oldest_first() {
    let copies = copies(&[0, DAY, 8 * DAY, 9 * DAY]);
    let limits = limits(100, 1000, 7, 1);
    assert!(is_over(&copies, &limits, now()));
    let plan = plan(&copies, &limits, &newest(1), clock());
    assert_eq!(removed(&copies, &plan), [(3, Bound::Age), (2, Bound::Age)]);
    assert_eq!(plan.unmet, []);
}

#[test]
fn the_copy_that_is_missed_least_for_its_age_goes_first() {
    // Two minutes between copies of today are much, two minutes between copies of last week are nothing.
    let copies = copies(&[0, 120, 240, 7 * DAY - 120, 7 * DAY, 7 * DAY + 120, 30 * DAY]);
    let one_too_many = plan(&copies, &limits(6, 1000, 365, 1), &newest(1), clock());
    assert_eq!(removed(&copies, &one_too_many), [(4, Bound::Files)]);
    let half = plan(&copies, &limits(3, 1000, 365, 1), &newest(1), clock());
    let left: Vec<_> = (0..copies.len())
        .filter(|place| removed(&copies, &half).iter().all(|(gone, _)| gone != place))
        .collect();
    assert_eq!(left.len(), 3);
    assert!(left.contains(&0) && left.contains(&6), "the newest and the oldest stay: {left:?}");
}

#[test]
fn a_burst_costs_the_months_before_nothing() {
    let burst = (0..10_000).map(|number| number / 100);
    let months: Vec<_> = (1..=6).map(|month| month * 30 * DAY).collect();
    let ages: Vec<_> = burst.chain(months.iter().copied()).collect();
    let copies = copies(&ages);
    let plan = plan(&copies, &limits(20, u64::MAX, 365, 5), &newest(5), clock());
    assert_eq!(plan.removals.len(), copies.len() - 20);
    let gone = removed(&copies, &plan);
    assert!(gone.iter().all(|(place, _)| *place < 10_000), "a copy of the months before is gone");
}

#[test]
fn what_is_left_is_dense_for_today_and_sparse_for_last_year() {
    let hourly: Vec<_> = (0..365 * 24).map(|hour| hour * HOUR).collect();
    let copies = copies(&hourly);
    let plan = plan(&copies, &limits(100, u64::MAX, 365, 10), &newest(10), clock());
    let gone: BTreeSet<_> = removed(&copies, &plan).into_iter().map(|(place, _)| place).collect();
    let left_within = |from: i64, to: i64| {
        let in_range = |place: &usize| (from..to).contains(&hourly[*place]) && !gone.contains(place);
        (0..copies.len()).filter(in_range).count()
    };
    let doublings: Vec<_> =
        (4..13).map(|power| left_within((1 << power) * HOUR, (2 << power) * HOUR)).collect();
    assert!(doublings.iter().all(|count| (6..=16).contains(count)), "copies by age, doubling: {doublings:?}");
}

#[test]
fn bytes_are_bounded_as_well() {
    let mut copies = copies(&[0, HOUR, 2 * HOUR, 3 * HOUR]);
    copies[2].bytes = 1000;
    let plan = plan(&copies, &limits(100, 25, 365, 1), &newest(1), clock());
    let left = Total::of(&copies).bytes - Total::of(plan.removals.iter().map(|removal| &removal.copy)).bytes;
    assert!(left <= 25, "{left} bytes are left");
    assert!(plan.removals.iter().all(|removal| removal.bound == Bound::Bytes));
    assert_eq!(plan.unmet, []);
}

#[test]
fn what_is_protected_stays_and_the_bound_that_is_not_kept_is_told() {
    let copies = copies(&[8 * DAY, 9 * DAY, 10 * DAY]);
    let because = Because::NewestCopies;
    let all = [Bound::Age, Bound::Files, Bound::Bytes].map(|bound| Unmet { bound, because });
    let two_kept = plan(&copies, &limits(1, 5, 7, 2), &newest(2), clock());
    assert_eq!(removed(&copies, &two_kept), [(2, Bound::Age)]);
    assert_eq!(two_kept.unmet, all);
    for because in [Because::OperationInProgress, Because::NoGoodCopies] {
        let plan = plan(&copies, &limits(1, 5, 7, 2), &Protected::Everything(because), clock());
        let all = [Bound::Age, Bound::Files, Bound::Bytes].map(|bound| Unmet { bound, because });
        assert_eq!(plan, VgPlan { removals: Vec::new(), unmet: all.to_vec() });
    }
}

#[test]
fn the_newest_of_all_stays_though_it_is_no_good() {
    let copies = copies(&[0, HOUR, 2 * HOUR]);
    let only_the_second_is_good = Protected::Newest([1].into());
    let plan = plan(&copies, &limits(2, 1000, 365, 1), &only_the_second_is_good, clock());
    assert_eq!(removed(&copies, &plan), [(2, Bound::Files)]);
}

#[test]
fn newer_is_what_has_the_higher_index_whatever_the_times_say() {
    let mut copies = copies(&[0, HOUR, 2 * HOUR]);
    copies.reverse();
    sort(&mut copies);
    assert_eq!(copies.iter().map(|copy| copy.index).collect::<Vec<_>>(), [2, 1, 0]);
    // The clock was wrong: the newest seems to be the oldest, another one is of tomorrow.
    copies[0].modified_at = Timestamp::from_second(0).unwrap();
    copies[1].modified_at = Timestamp::from_second(now().as_second() + DAY).unwrap();
    let plan = plan(&copies, &limits(1, 1000, 365, 1), &newest(1), clock());
    assert_eq!(removed(&copies, &plan).len(), 2);
    assert_eq!(plan.unmet, [Unmet { bound: Bound::Age, because: Because::NewestCopies }]);
}

#[test]
fn a_clock_that_jumps_forward_costs_no_copy() {
    let copies = copies(&[0, DAY, 8 * DAY, 9 * DAY]);
    let jumped = |days: i64, is_synchronised: bool| {
        let now = Timestamp::from_second(now().as_second() + days * DAY).unwrap();
        plan(&copies, &limits(100, 1000, 365, 1), &newest(1), Clock { now, is_synchronised })
    };
    let kept = |because| VgPlan { removals: vec![], unmet: vec![Unmet { bound: Bound::Age, because }] };
    assert_eq!(jumped(360, false), kept(Because::ClockNotSynchronised), "not all are too old");
    assert_eq!(jumped(3600, false), kept(Because::ClockNotSynchronised));
    assert_eq!(jumped(366, true), kept(Because::NewestCopySeemsOld), "somebody keeps it wrong");
    assert_eq!(removed(&copies, &jumped(360, true)), [(3, Bound::Age), (2, Bound::Age)], "a year that was");
}

#[test]
fn a_clock_in_doubt_keeps_no_copy_for_which_there_is_no_room() {
    let copies = copies(&[0, DAY, 8 * DAY, 9 * DAY]);
    let clock = Clock { now: now(), is_synchronised: false };
    let plan = plan(&copies, &limits(2, 1000, 7, 1), &newest(1), clock);
    assert_eq!(
        removed(&copies, &plan).iter().map(|(_, bound)| *bound).collect::<Vec<_>>(),
        [Bound::Files; 2]
    );
}

#[test]
fn a_quiet_vg_whose_newest_copies_are_all_that_is_old_is_not_in_doubt() {
    let copies = copies(&[400 * DAY, 401 * DAY]);
    let plan = plan(&copies, &limits(100, 1000, 365, 2), &newest(2), clock());
    assert_eq!(plan.unmet, [Unmet { bound: Bound::Age, because: Because::NewestCopies }]);
}
