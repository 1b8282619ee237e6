//! The plan as a table of stories, and with devices that behave at random.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn device(number: u32) -> DeviceNumber {
    DeviceNumber { major: 8, minor: number }
}

fn at(milliseconds: u32) -> Duration {
    MS * milliseconds
}

#[test]
fn a_device_is_read_at_once_and_then_left_alone() {
    let mut plan = Plan::default();
    assert!(plan.want(device(1), Want::Whole, at(1000)));
    assert_eq!(plan.next(at(1000)), [Effect::Read(device(1), Want::Whole)]);
    assert_eq!(plan.next(at(1000)), []);
    assert_eq!(plan.ended(device(1), Outcome::Settled, at(1001)), Verdict::Counts);
    assert!(plan.is_idle());
    assert_eq!(plan.wake(), None);
}

#[test]
fn a_storm_of_events_is_a_few_reads() {
    let mut plan = Plan::default();
    let mut reads = 0;
    for now in 0..1000 {
        plan.want(device(1), Want::Whole, at(now));
        for effect in plan.next(at(now)) {
            assert_eq!(effect, Effect::Read(device(1), Want::Whole));
            reads += 1;
            plan.ended(device(1), Outcome::Settled, at(now));
        }
    }
    assert!((15..=21).contains(&reads), "{reads} reads in a second");
    assert!(plan.wake().is_some_and(|wake| wake <= at(1000) + REST), "the last event is not lost");
}

#[test]
fn what_happens_while_a_device_is_read_makes_one_more_read() {
    let mut plan = Plan::default();
    plan.want(device(1), Want::Check, at(0));
    assert_eq!(plan.next(at(0)), [Effect::Read(device(1), Want::Check)]);
    plan.want(device(1), Want::Check, at(1));
    plan.want(device(1), Want::Whole, at(2));
    assert_eq!(plan.next(at(3)), [], "it is being read");
    assert_eq!(plan.ended(device(1), Outcome::Settled, at(4)), Verdict::Counts);
    assert_eq!(plan.next(at(4)), [], "it rests");
    assert_eq!(plan.next(REST), [Effect::Read(device(1), Want::Whole)]);
}

#[test]
fn a_device_that_does_not_answer_costs_itself_alone() {
    let mut plan = Plan::default();
    (0..10).for_each(|number| assert!(plan.want(device(number), Want::Whole, at(0))));
    assert_eq!(plan.next(at(0)).len(), AT_ONCE);
    let lost: Vec<_> = (0..4).map(|number| Effect::NotAnswering(device(number))).collect();
    let effects = plan.next(DEADLINE);
    assert_eq!(effects[..4], lost);
    assert_eq!(effects[4..].len(), AT_ONCE, "others have their places");
    plan.want(device(0), Want::Whole, DEADLINE);
    assert_eq!(plan.not_answering_since(device(0)), Some(at(0)));
    for number in 4..10 {
        plan.next(DEADLINE);
        plan.ended(device(number), Outcome::Settled, DEADLINE);
    }
    assert!(plan.is_idle(), "nothing is queued behind those that hang");
    assert_eq!(plan.wake(), None);
    assert_eq!(
        plan.ended(device(0), Outcome::Settled, DEADLINE * 2),
        Verdict::Again,
        "it may be out of date"
    );
    assert_eq!(plan.next(DEADLINE * 2), [Effect::Read(device(0), Want::Whole)]);
    assert_eq!(plan.ended(device(0), Outcome::Settled, DEADLINE * 2), Verdict::Counts);
}

#[test]
fn a_torn_text_is_read_again_a_few_times_with_longer_pauses() {
    let mut plan = Plan::default();
    plan.want(device(1), Want::Whole, at(0));
    let (mut now, mut attempts) = (at(0), 0);
    loop {
        assert_eq!(plan.next(now), [Effect::Read(device(1), Want::Whole)]);
        attempts += 1;
        if plan.ended(device(1), Outcome::Torn, now) == Verdict::Damaged {
            break;
        }
        now = plan.wake().unwrap();
    }
    assert_eq!(attempts, ATTEMPTS);
    assert!(now < Duration::from_secs(1), "{now:?}");
    assert!(plan.is_idle());
}

#[test]
fn a_device_that_is_forgotten_while_it_is_read_is_a_new_one_when_it_comes_back() {
    let mut plan = Plan::default();
    plan.want(device(1), Want::Whole, at(0));
    plan.next(at(0));
    plan.forget(device(1));
    plan.want(device(1), Want::Whole, at(1));
    assert_eq!(plan.next(at(1)), [], "the first read has not ended");
    assert_eq!(plan.ended(device(1), Outcome::Settled, at(2)), Verdict::Nobody);
    assert_eq!(plan.next(at(2)), [Effect::Read(device(1), Want::Whole)]);
    assert_eq!(plan.ended(device(1), Outcome::Settled, at(3)), Verdict::Counts);
}

#[test]
fn there_is_a_bound_to_devices() {
    let mut plan = Plan::default();
    for number in 0..DEVICES {
        assert!(plan.want(device(u32::try_from(number).unwrap()), Want::Whole, at(0)));
    }
    assert!(!plan.want(DeviceNumber { major: 9, minor: 0 }, Want::Whole, at(0)));
    assert!(plan.want(device(0), Want::Whole, at(0)), "those that are known stay");
}

/// What may happen to a plan.
#[derive(Debug, Clone)]
enum Step {
    Want(u32, bool),
    Forget(u32),
    /// The read of a device ends so, if there is one.
    End(u32, Outcome),
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Settled), Just(Outcome::Changed), Just(Outcome::Torn)];
    prop_oneof![
        4 => (0..8_u32, any::<bool>()).prop_map(|(number, whole)| Step::Want(number, whole)),
        1 => (0..8_u32).prop_map(Step::Forget),
        4 => (0..8_u32, outcome).prop_map(|(number, outcome)| Step::End(number, outcome)),
        3 => (0..20_000_u32).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn nothing_is_read_twice_at_once_and_nothing_that_is_wanted_is_lost(
        steps in prop::collection::vec(step(), 1..200)
    ) {
        let mut plan = Plan::default();
        let mut now = Duration::from_secs(1);
        let mut reading = BTreeSet::new();
        let mut lost = BTreeSet::new();
        // Devices that were wanted, and no read of which has begun since.
        let mut owed = BTreeSet::new();
        for step in steps {
            match step {
                Step::Want(number, whole) => {
                    plan.want(device(number), if whole { Want::Whole } else { Want::Check }, now);
                    owed.insert(device(number));
                }
                Step::Forget(number) => {
                    plan.forget(device(number));
                    owed.remove(&device(number));
                }
                Step::End(number, outcome) => if reading.remove(&device(number)) {
                    lost.remove(&device(number));
                    let verdict = plan.ended(device(number), outcome, now);
                    if verdict == Verdict::Again { owed.insert(device(number)); }
                },
                Step::Pass(milliseconds) => now += at(milliseconds),
            }
            for effect in plan.next(now) {
                match effect {
                    Effect::Read(device, _) => {
                        prop_assert!(reading.insert(device), "{device} is read twice at once");
                        owed.remove(&device);
                    }
                    Effect::NotAnswering(device) => {
                        prop_assert!(reading.contains(&device) && lost.insert(device));
                    }
                }
            }
            prop_assert!(reading.len() - lost.len() <= AT_ONCE);
        }
        // From here on all devices answer.
        for device in std::mem::take(&mut reading) {
            if plan.ended(device, Outcome::Settled, now) == Verdict::Again { owed.insert(device); }
        }
        for _ in 0..1000 {
            for effect in plan.next(now) {
                let Effect::Read(device, _) = effect else { panic!("all answer") };
                owed.remove(&device);
                plan.ended(device, Outcome::Settled, now);
            }
            match plan.wake() { Some(wake) => now = now.max(wake), None => break }
        }
        prop_assert!(owed.is_empty() && plan.is_idle(), "{owed:?} were not read");
    }
}
