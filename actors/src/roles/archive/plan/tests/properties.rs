//! What holds for every archive and all bounds.

use proptest::prelude::*;

use super::super::*;
use super::{clock, now};

fn any_copies() -> impl Strategy<Value = Vec<ArchivedCopy>> {
    let one = (0..60_u32, 0..3_u32, -1000..40_000_000_i64, 0..5000_u64);
    prop::collection::vec(one, 0..60).prop_map(|rows| {
        let copy = |(index, random, age, bytes)| ArchivedCopy {
            index,
            random,
            modified_at: Timestamp::from_second(now().as_second() - age).unwrap(),
            bytes,
        };
        let mut copies: Vec<_> = rows.into_iter().map(copy).collect();
        sort(&mut copies);
        copies.dedup_by_key(|copy| (copy.index, copy.random));
        copies
    })
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let one = (1..40_u32, 0..100_000_u64, 1..500_u32, 1..10_u32);
    one.prop_map(|(files_per_vg, bytes_per_vg, age_days, keep_newest)| Limits {
        files_per_vg,
        bytes_per_vg,
        age_days,
        keep_newest,
    })
}

/// Which copies are good, by their place; the newest of them are protected.
fn protected(is_good: &[bool], limits: &Limits) -> Protected {
    let good = is_good.iter().enumerate().filter(|(_, good)| **good).map(|(place, _)| place);
    Protected::Newest(good.take(limits.keep_newest as usize).collect())
}

fn left(copies: &[ArchivedCopy], plan: &VgPlan) -> Vec<ArchivedCopy> {
    let goes = |copy: &ArchivedCopy| plan.removals.iter().any(|removal| removal.copy == *copy);
    copies.iter().copied().filter(|copy| !goes(copy)).collect()
}

proptest! {
    #[test]
    fn protected_copies_stay_and_all_others_are_bounded(
        copies in any_copies(),
        is_good in prop::collection::vec(any::<bool>(), 60),
        limits in any_limits(),
        is_synchronised in any::<bool>(),
    ) {
        let clock = Clock { now: now(), is_synchronised };
        let Protected::Newest(newest) = protected(&is_good[..copies.len()], &limits) else { unreachable!() };
        let plan = plan(&copies, &limits, &Protected::Newest(newest.clone()), clock);
        let left = left(&copies, &plan);
        prop_assert_eq!(left.len() + plan.removals.len(), copies.len(), "each goes once at most");
        let stays = |copy: &ArchivedCopy| copies.iter().position(|there| there == copy).is_some_and(|place| place == 0 || newest.contains(&place));
        for (place, copy) in copies.iter().enumerate().filter(|(place, _)| *place == 0 || newest.contains(place)) {
            prop_assert!(left.contains(copy), "the protected copy at {place} is gone");
        }
        let others: Vec<_> = left.iter().filter(|copy| !stays(copy)).collect();
        let total = Total::of(&left);
        if doubt(&copies, clock).is_some() {
            prop_assert!(plan.removals.iter().all(|removal| removal.bound != Bound::Age));
        } else {
            prop_assert!(others.iter().all(|copy| !copy.is_too_old(&limits, now())));
        }
        if !others.is_empty() {
            prop_assert!(!total.exceeds_files(&limits) && !total.exceeds_bytes(&limits), "{total:?} are left");
        }
        // A bound is told as not kept exactly when it is not.
        let told = |bound| plan.unmet.iter().any(|unmet| unmet.bound == bound);
        prop_assert_eq!(told(Bound::Files), total.exceeds_files(&limits));
        prop_assert_eq!(told(Bound::Bytes), total.exceeds_bytes(&limits));
        prop_assert_eq!(told(Bound::Age), left.iter().any(|copy| copy.is_too_old(&limits, now())));
    }

    #[test]
    fn no_more_goes_than_the_bounds_ask_for(
        copies in any_copies(),
        limits in any_limits(),
    ) {
        let plan = plan(&copies, &limits, &Protected::Newest(BTreeSet::new()), clock());
        prop_assert_eq!(is_over(&copies, &limits, now()), !plan.removals.is_empty() || !plan.unmet.is_empty());
        // With the last one back, a bound would not be kept.
        if let Some(last) = plan.removals.iter().rfind(|removal| removal.bound != Bound::Age) {
            let mut total = Total::of(&left(&copies, &plan));
            total.files += 1;
            total.bytes += last.copy.bytes;
            prop_assert!(total.exceeded(&limits).is_some());
        }
    }

    #[test]
    fn after_the_removal_nothing_more_goes(
        copies in any_copies(),
        is_good in prop::collection::vec(any::<bool>(), 60),
        limits in any_limits(),
    ) {
        let first = plan(&copies, &limits, &protected(&is_good[..copies.len()], &limits), clock());
        let goodness = |copy: &ArchivedCopy| is_good[copies.iter().position(|there| there == copy).unwrap()];
        let left = left(&copies, &first);
        let still_good: Vec<_> = left.iter().map(goodness).collect();
        let second = plan(&left, &limits, &protected(&still_good, &limits), clock());
        prop_assert_eq!(second.removals, vec![]);
        prop_assert_eq!(second.unmet, first.unmet);
    }

    #[test]
    fn half_a_removal_and_another_pass_keep_the_bounds_too(
        copies in any_copies(),
        limits in any_limits(),
        done in 0..60_usize,
    ) {
        let none = Protected::Newest(BTreeSet::new());
        let mut first = plan(&copies, &limits, &none, clock());
        first.removals.truncate(done);
        let left_by_the_first = left(&copies, &first);
        let second = plan(&left_by_the_first, &limits, &none, clock());
        let at_once = left(&copies, &plan(&copies, &limits, &none, clock()));
        prop_assert_eq!(left(&left_by_the_first, &second), at_once);
    }

    #[test]
    fn of_a_vg_in_progress_nothing_goes(copies in any_copies(), limits in any_limits()) {
        let everything = Protected::Everything(Because::OperationInProgress);
        prop_assert_eq!(plan(&copies, &limits, &everything, clock()).removals, vec![]);
    }
}
