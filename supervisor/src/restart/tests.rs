//! The table of decisions, the limits at their edges, and what holds for every history.

use std::ops::Range;

use proptest::prelude::*;

use super::{OnExceeded::*, RestartType::*, Strategy, Strategy::*, *};

const SECOND: Duration = Duration::from_secs(1);

fn policy(strategy: Strategy) -> RestartPolicy {
    RestartPolicy {
        strategy,
        intensity: Intensity { restarts: 3, period: 10 * SECOND },
        on_exceeded: Escalate,
        backoff: Backoff { first: Duration::ZERO, max: Duration::ZERO, quiet_period: SECOND },
    }
}

fn reasons() -> [ExitReason; 5] {
    [
        ExitReason::Normal,
        ExitReason::Shutdown,
        ExitReason::Failed("x".into()),
        ExitReason::Panicked("x".into()),
        ExitReason::Killed,
    ]
}

/// One scope of counting with the child at position 1 of four; the last child is temporary.
#[derive(Default)]
struct Scope {
    history: RestartHistory,
    streak: RestartStreak,
}

impl Scope {
    fn decide(
        &mut self,
        policy: &RestartPolicy,
        restart: RestartType,
        reason: &ExitReason,
        now: Duration,
    ) -> Decision {
        let children = [(0, Permanent), (1, restart), (4, Transient), (7, Temporary)];
        let death = Death { position: 1, restart, reason, now, jitter: 0.5 };
        decide(policy, &mut self.history, &mut self.streak, death, children.into_iter())
    }

    fn panic_at(&mut self, policy: &RestartPolicy, now: Duration) -> Decision {
        self.decide(policy, Permanent, &ExitReason::Panicked("boom".into()), now)
    }
}

fn restarts(decision: &Decision) -> bool {
    matches!(decision, Decision::Restart { .. })
}

#[test]
fn the_whole_table_of_strategy_restart_type_and_reason() {
    for strategy in [OneForOne, OneForAll, RestForOne] {
        for reason in reasons() {
            for restart in [Permanent, Transient, Temporary] {
                let expected = match (restart, &reason) {
                    (Temporary, _) | (Transient, ExitReason::Normal | ExitReason::Shutdown) => {
                        Decision::Forget
                    }
                    (Permanent, _)
                    | (Transient, ExitReason::Failed(_) | ExitReason::Panicked(_) | ExitReason::Killed) => {
                        let (stop, start) = match strategy {
                            OneForOne => (vec![], vec![1]),
                            OneForAll => (vec![7, 4, 0], vec![0, 1, 4]),
                            RestForOne => (vec![7, 4], vec![1, 4]),
                        };
                        Decision::Restart { stop, start, delay: Duration::ZERO, attempt: 1 }
                    }
                };
                let decision = Scope::default().decide(&policy(strategy), restart, &reason, SECOND);
                assert_eq!(decision, expected, "{strategy:?}, {restart:?}, {reason}");
            }
        }
    }
}

#[test]
fn a_burst_is_allowed_up_to_the_intensity() {
    let policy = policy(OneForOne);
    let mut scope = Scope::default();
    for attempt in 1..=3 {
        let Decision::Restart { attempt: actual, .. } = scope.panic_at(&policy, SECOND) else { panic!() };
        assert_eq!(actual, attempt);
    }
    let reason = "more than 3 restarts within 10s, last: panicked: boom".to_owned();
    assert_eq!(scope.panic_at(&policy, SECOND), Decision::Escalate { reason });
}

#[test]
fn a_restart_counts_until_the_period_is_over_and_not_a_moment_longer() {
    let policy = policy(OneForOne);
    for (last, allowed) in [(Duration::from_secs(11), false), (Duration::new(11, 1), true)] {
        let mut scope = Scope::default();
        for second in [1, 2, 3] {
            assert!(restarts(&scope.panic_at(&policy, second * SECOND)));
        }
        assert_eq!(restarts(&scope.panic_at(&policy, last)), allowed, "at {last:?}");
    }
}

#[test]
fn an_intensity_of_zero_allows_no_restart() {
    let policy = RestartPolicy { intensity: Intensity { restarts: 0, period: SECOND }, ..policy(OneForOne) };
    assert!(matches!(Scope::default().panic_at(&policy, SECOND), Decision::Escalate { .. }));
}

#[test]
fn orderly_ends_of_transient_children_do_not_count() {
    let policy = policy(OneForOne);
    let mut scope = Scope::default();
    for _ in 0..100 {
        assert_eq!(scope.decide(&policy, Transient, &ExitReason::Normal, SECOND), Decision::Forget);
    }
    assert!(restarts(&scope.panic_at(&policy, SECOND)));
}

#[test]
fn only_independent_children_are_given_up_alone() {
    for (strategy, alone) in [(OneForOne, true), (OneForAll, false), (RestForOne, false)] {
        let intensity = Intensity { restarts: 0, period: SECOND };
        let policy = RestartPolicy { intensity, on_exceeded: GiveUpChild, ..policy(strategy) };
        let decision = Scope::default().panic_at(&policy, SECOND);
        assert_eq!(matches!(decision, Decision::GiveUp { .. }), alone, "{strategy:?}: {decision:?}");
    }
}

/// Returns the delays of one restart after the other, each as soon as the one before is in effect.
fn delays_in_a_row(backoff: Backoff, jitter: f64, count: usize) -> Vec<u128> {
    let mut streak = RestartStreak::default();
    let mut now = 1000 * SECOND;
    std::iter::repeat_with(|| {
        let delay = streak.next_delay(&backoff, now, jitter);
        now += delay;
        delay.as_millis()
    })
    .take(count)
    .collect()
}

#[test]
fn delays_double_up_to_the_longest() {
    let backoff = Backoff { first: Duration::from_millis(200), max: SECOND, quiet_period: 60 * SECOND };
    assert_eq!(delays_in_a_row(backoff, 0.5, 5), [200, 400, 800, 1000, 1000]);
    let at_once = Backoff { first: Duration::ZERO, ..backoff };
    assert_eq!(delays_in_a_row(at_once, 0.5, 6), [0, 100, 200, 400, 800, 1000]);
    let none = Backoff { max: Duration::ZERO, ..at_once };
    assert_eq!(delays_in_a_row(none, 0.5, 3), [0, 0, 0]);
}

#[test]
fn jitter_varies_by_a_fifth_and_never_beyond_the_longest() {
    let backoff = Backoff { first: Duration::from_millis(500), max: SECOND, quiet_period: 60 * SECOND };
    assert_eq!(delays_in_a_row(backoff, 0.0, 3), [400, 800, 800]);
    assert_eq!(delays_in_a_row(backoff, 1.0, 3), [600, 1000, 1000]);
}

#[test]
fn a_thousand_restarts_in_a_row_overflow_nothing() {
    let backoff = Backoff { first: SECOND, max: Duration::from_hours(1), quiet_period: Duration::MAX };
    assert_eq!(delays_in_a_row(backoff, 1.0, 1000).last(), Some(&3_600_000));
}

#[test]
fn a_quiet_period_begins_a_new_row() {
    let backoff = Backoff { first: SECOND, max: 8 * SECOND, quiet_period: 60 * SECOND };
    let mut streak = RestartStreak::default();
    let mut delay_at = |seconds| streak.next_delay(&backoff, seconds * SECOND, 0.5);
    assert_eq!(delay_at(100), SECOND);
    assert_eq!(delay_at(160), 2 * SECOND, "in effect at 101, so it lived 59 s: not quiet enough");
    assert_eq!(delay_at(222), SECOND, "in effect at 162, so it lived 60 s");
}

proptest! {
    #[test]
    fn no_stretch_of_a_period_holds_more_restarts_than_allowed(
        gaps in prop::collection::vec(0_u64..4000, 1..200),
        allowed in 0_u32..6,
        period in 1_u64..20_000,
    ) {
        let intensity = Intensity { restarts: allowed, period: Duration::from_millis(period) };
        let policy = RestartPolicy { intensity, on_exceeded: GiveUpChild, ..policy(OneForOne) };
        let mut scope = Scope::default();
        let mut now = Duration::ZERO;
        let mut times = Vec::new();
        for gap in gaps {
            now += Duration::from_millis(gap);
            if restarts(&scope.panic_at(&policy, now)) {
                times.push(now);
            }
            invariant_intensity_is_kept(&times, now, intensity);
        }
    }

    #[test]
    fn every_decision_keeps_the_rules(
        strategy in prop::sample::select(vec![OneForOne, OneForAll, RestForOne]),
        types in prop::collection::vec(prop::sample::select(vec![Permanent, Transient, Temporary]), 1..12),
        ended in any::<prop::sample::Index>(),
        reason in prop::sample::select(reasons().to_vec()),
        jitter in 0.0..=1.0,
    ) {
        let ended = ended.index(types.len());
        let backoff = Backoff { first: SECOND, max: 3 * SECOND, quiet_period: SECOND };
        let policy = RestartPolicy { backoff, ..policy(strategy) };
        let death =
            Death { position: ended as u64, restart: types[ended], reason: &reason, now: SECOND, jitter };
        let children = (0..).zip(types.iter().copied());
        let decision = decide(
            &policy,
            &mut RestartHistory::default(),
            &mut RestartStreak::default(),
            death,
            children.collect::<Vec<_>>().into_iter(),
        );
        invariant_only_who_wants_is_restarted(&decision, types[ended], &reason);
        if let Decision::Restart { stop, start, delay, .. } = decision {
            invariant_start_in_order_and_stop_in_reverse(&stop, &start);
            invariant_temporary_children_are_not_started(&start, &types);
            invariant_strategy_bounds_who_is_touched(strategy, ended as u64, types.len() as u64, &stop, &start);
            prop_assert!(start.contains(&(ended as u64)) && !stop.contains(&(ended as u64)));
            prop_assert!((0.8..=1.2).contains(&delay.as_secs_f64()), "{delay:?}");
        }
    }
}

fn invariant_intensity_is_kept(times: &[Duration], now: Duration, intensity: Intensity) {
    let within = times.iter().filter(|&&time| now.saturating_sub(time) <= intensity.period).count();
    assert!(within <= intensity.restarts as usize, "{within} restarts up to {now:?}");
}

fn invariant_only_who_wants_is_restarted(decision: &Decision, restart: RestartType, reason: &ExitReason) {
    let wanted = restart == Permanent || (restart == Transient && reason.is_abnormal());
    assert_eq!(restarts(decision), wanted);
}

fn invariant_start_in_order_and_stop_in_reverse(stop: &[Position], start: &[Position]) {
    assert!(start.is_sorted() && stop.iter().rev().is_sorted());
}

fn invariant_temporary_children_are_not_started(start: &[Position], types: &[RestartType]) {
    assert!(start.iter().all(|&position| types[usize::try_from(position).unwrap()] != Temporary));
}

fn invariant_strategy_bounds_who_is_touched(
    strategy: Strategy,
    ended: Position,
    count: u64,
    stop: &[Position],
    start: &[Position],
) {
    let touchable: Range<u64> = match strategy {
        OneForOne => ended..ended + 1,
        OneForAll => 0..count,
        RestForOne => ended..count,
    };
    assert!(stop.iter().chain(start).all(|position| touchable.contains(position)));
    let expected_stops = touchable.end - touchable.start - 1;
    assert_eq!(stop.len() as u64, expected_stops, "all of them but the one that ended");
}
