//! What happens when a child ends: a pure function of policy, history, reason and time.
//!
//! ```text
//!                             the child has ended
//!                                     │
//!            permanent: always ───────┤
//!   transient: if abnormal ───────────┤
//!                                     │  temporary, or a transient child that ended in order
//!            restart it?  ────────────┼───────────────────────────────────────────────► Forget
//!                                     │ yes
//!      more than `restarts` within    │  GiveUpChild (one_for_one only): the child alone ► GiveUp
//!      `period`?  ────────────────────┼──────────────────────────────────────────────────
//!                                     │ no      Escalate: all children, then ourselves  ► Escalate
//!                                     ▼
//!                    Restart { stop, start, delay, attempt }
//! ```
//!
//! Which siblings share the fate of the one that ended is the strategy's business, as in OTP:
//!
//! | strategy       | stopped, last started first | started again, first started first |
//! |----------------|-----------------------------|------------------------------------|
//! | `one_for_one`  | nobody                      | the one that ended                 |
//! | `one_for_all`  | all others                  | all                                |
//! | `rest_for_one` | those started after it      | it and those started after it      |
//!
//! Temporary children are stopped with the others and never started again.
//!
//! # Limits
//! Two limits work together, and each must be chosen with the other in mind:
//! - **Intensity** bounds how often: a restart that would be number `restarts + 1` within `period` does not happen.
//!   Through levels these multiply: if each of two levels allows 5, a leaf is restarted up to 5 × 6 times and
//!   some more before the top is touched.
//! - **Back-off** bounds how fast: each restart in a row waits longer. If the first `restarts` delays add up
//!   to more than `period`, the intensity is never exceeded and the child is tried for ever at the slowest pace.
//!
//! Nothing here reads a clock or draws a random number: `now` and `jitter` are arguments. Nothing here acts:
//! [`actor`](crate::actor) does.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use crate::exit_reason::ExitReason;

#[cfg(test)]
mod tests;

/// Says after which ends a child is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartType {
    /// Always.
    Permanent,
    /// Only if it ended abnormally.
    Transient,
    /// Never.
    Temporary,
}

impl RestartType {
    fn wants_restart(self, reason: &ExitReason) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => reason.is_abnormal(),
            Self::Temporary => false,
        }
    }
}

/// Says which siblings are restarted together with a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// None: children do not depend on one another.
    OneForOne,
    /// All: each depends on every other.
    OneForAll,
    /// Those started after it: each depends on those before it.
    RestForOne,
}

/// Bounds how often restarts may happen: at most `restarts` within any stretch of `period`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed within a period; 0 allows none.
    pub restarts: u32,
    /// Length of the sliding period.
    pub period: Duration,
}

/// Says what happens when the intensity is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExceeded {
    /// The supervisor stops all its children and ends as failed; its own supervisor decides what next. Restarts
    /// are counted for the supervisor as a whole. This is OTP's way.
    Escalate,
    /// The one child is given up and its siblings live on. Restarts are counted for each child by itself. Holds
    /// for [`Strategy::OneForOne`] only: with the others the siblings cannot do without the child, and the
    /// supervisor escalates.
    GiveUpChild,
}

/// Spaces the restarts of one child: `first`, then doubling up to `max`, each varied by [`JITTER`].
///
/// After a `first` of zero the second restart waits [`SMALLEST_STEP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Delay of the first restart in a row; zero restarts at once.
    pub first: Duration,
    /// No delay is longer.
    pub max: Duration,
    /// A child that has lived this long since its last restart begins again at `first`.
    pub quiet_period: Duration,
}

/// Share by which a delay is lengthened or shortened at most, so that many children that fell together do not rise
/// together.
pub const JITTER: f64 = 0.2;

/// Delay that doubling starts from when [`Backoff::first`] is zero.
pub const SMALLEST_STEP: Duration = Duration::from_millis(100);

/// Holds everything about restarts that a supervisor is told in its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Who is restarted together.
    pub strategy: Strategy,
    /// How often.
    pub intensity: Intensity,
    /// What happens beyond that.
    pub on_exceeded: OnExceeded,
    /// How fast.
    pub backoff: Backoff,
}

/// Place of a child in the order of starts; later started children have larger ones.
pub type Position = u64;

/// Describes the end of one child.
#[derive(Clone, Copy, Debug)]
pub struct Death<'a> {
    /// Which child.
    pub position: Position,
    /// Its restart type.
    pub restart: RestartType,
    /// How it ended.
    pub reason: &'a ExitReason,
    /// When: time since any fixed origin.
    pub now: Duration,
    /// A random number, 0.0 to 1.0.
    pub jitter: f64,
}

/// Says what a supervisor does about the end of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the child has done its work.
    Forget,
    /// Stops `stop` one after the other in this order, waits `delay`, starts `start` in this order.
    Restart {
        /// Siblings to stop first; those that do not run are passed over.
        stop: Vec<Position>,
        /// Children to start.
        start: Vec<Position>,
        /// Time between the last stop and the first start.
        delay: Duration,
        /// Restarts of the child in a row, this one included, counted from 1.
        attempt: u32,
    },
    /// Leaves the child ended for good.
    GiveUp {
        /// Why, for the log and for those who ask for the child.
        reason: String,
    },
    /// Stops all children and ends the supervisor as failed.
    Escalate {
        /// Why, without the child's name.
        reason: String,
    },
}

/// Remembers the restarts of the last period: one for each scope in which they are counted.
#[derive(Clone, Debug, Default)]
pub struct RestartHistory {
    /// Oldest first; never longer than [`Intensity::restarts`].
    times: VecDeque<Duration>,
}

impl RestartHistory {
    /// Records a restart at `now` if the intensity allows it, and returns whether it does.
    fn admit(&mut self, intensity: Intensity, now: Duration) -> bool {
        while self.times.front().is_some_and(|&time| now.saturating_sub(time) > intensity.period) {
            self.times.pop_front();
        }
        let allowed = self.times.len() < intensity.restarts as usize;
        if allowed {
            self.times.push_back(now);
        }
        allowed
    }
}

/// Remembers how many restarts of one child followed one another without a quiet period between them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestartStreak {
    restarts: u32,
    /// When the last of them came into effect: its decision plus its delay.
    last: Duration,
}

impl RestartStreak {
    /// Records a restart and returns its delay.
    fn next_delay(&mut self, backoff: &Backoff, now: Duration, jitter: f64) -> Duration {
        if now.saturating_sub(self.last) >= backoff.quiet_period {
            self.restarts = 0;
        }
        let delay = vary(backoff.nth_delay(self.restarts), jitter).min(backoff.max);
        self.restarts = self.restarts.saturating_add(1);
        self.last = now + delay;
        delay
    }
}

impl Backoff {
    /// Returns the delay of the restart that follows `earlier` others in a row, without jitter.
    fn nth_delay(&self, earlier: u32) -> Duration {
        if earlier == 0 {
            return self.first.min(self.max);
        }
        let (step, doublings) =
            if self.first.is_zero() { (SMALLEST_STEP, earlier - 1) } else { (self.first, earlier) };
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        step.saturating_mul(factor).min(self.max)
    }
}

/// Lengthens or shortens `delay` by up to [`JITTER`] of it: shortest for 0.0, unchanged for 0.5, longest for 1.0.
fn vary(delay: Duration, jitter: f64) -> Duration {
    delay.mul_f64(1.0 + JITTER * (2.0 * jitter.clamp(0.0, 1.0) - 1.0))
}

/// Decides what to do about `death`, and records the restart if there is to be one.
///
/// `history` is the supervisor's or, with [`OnExceeded::GiveUpChild`], the child's; `streak` is the child's.
/// `children` are all children including the one that ended, first started first. With
/// [`Strategy::OneForOne`] it is not looked at, so that the decision takes the same time for ten thousand
/// children as for two.
pub fn decide(
    policy: &RestartPolicy,
    history: &mut RestartHistory,
    streak: &mut RestartStreak,
    death: Death<'_>,
    children: impl DoubleEndedIterator<Item = (Position, RestartType)> + Clone,
) -> Decision {
    if !death.restart.wants_restart(death.reason) {
        return Decision::Forget;
    }
    if !history.admit(policy.intensity, death.now) {
        let Intensity { restarts, period } = policy.intensity;
        let reason = format!("more than {restarts} restarts within {period:?}, last: {}", death.reason);
        return match (policy.on_exceeded, policy.strategy) {
            (OnExceeded::GiveUpChild, Strategy::OneForOne) => Decision::GiveUp { reason },
            (OnExceeded::GiveUpChild | OnExceeded::Escalate, _) => Decision::Escalate { reason },
        };
    }
    let delay = streak.next_delay(&policy.backoff, death.now, death.jitter);
    let (stop, start) = plan_order(policy.strategy, death.position, children);
    Decision::Restart { stop, start, delay, attempt: streak.restarts }
}

/// Returns whom to stop and whom to start, each in its order.
pub(crate) fn plan_order(
    strategy: Strategy,
    ended: Position,
    children: impl DoubleEndedIterator<Item = (Position, RestartType)> + Clone,
) -> (Vec<Position>, Vec<Position>) {
    let first = match strategy {
        Strategy::OneForOne => return (Vec::new(), vec![ended]),
        Strategy::OneForAll => Position::MIN,
        Strategy::RestForOne => ended,
    };
    let affected = children.filter(|&(position, _)| position >= first);
    let stop =
        affected.clone().rev().map(|(position, _)| position).filter(|&position| position != ended).collect();
    let start = affected
        .filter(|&(_, restart)| restart != RestartType::Temporary)
        .map(|(position, _)| position)
        .collect();
    (stop, start)
}
