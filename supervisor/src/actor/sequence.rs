//! Stopping several children, one after the other, for something that comes when all have ended.
//!
//! There is at most one sequence at a time. Its children end in three ways, and all are the same to it: stopped
//! when their turn comes, dead before that, or stopped by somebody else's request.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use actix::{ActorContext, Context};
use slog::debug;

use super::{
    DeadlinePassed, Supervisor,
    children::{Ending, State},
    send_after,
};
use crate::{child_spec::Shutdown, exit_reason::ExitReason, observer::Next, restart::Position};

/// Children being stopped one after the other, and what comes when they are.
pub(super) struct Sequence {
    /// Whose turn has not come; last started first.
    queue: VecDeque<Position>,
    /// Whose end is waited for.
    stopping: BTreeSet<Position>,
    then: Then,
}

/// What a sequence of stops is for.
pub(super) enum Then {
    /// Start these, in the order of their positions, `delay` after the last stop.
    Start { children: Vec<Position>, delay: Duration },
    /// End the supervisor: as failed with this reason, or in order.
    End { failure: Option<String> },
}

impl Supervisor {
    /// Stops the children in `queue`, last started first, and then does what `then` says.
    ///
    /// Takes over from a sequence under way: whom that waits for is waited for, and whom it was to start in the
    /// end is started in the new end, unless that is the supervisor's own.
    pub(super) fn begin_sequence(
        &mut self,
        mut queue: VecDeque<Position>,
        mut then: Then,
        ctx: &mut Context<Self>,
    ) {
        for &position in &queue {
            // Else the timer of one might run down before its turn comes.
            if let Some(child) = self.children.get_mut(position)
                && matches!(child.state, State::Waiting { .. })
            {
                child.state = State::Ended;
            }
        }
        let mut stopping = BTreeSet::new();
        if let Some(earlier) = self.sequence.take() {
            stopping = earlier.stopping;
            queue = merge(queue, earlier.queue).into_iter().rev().collect();
            if let (Then::Start { children, .. }, Then::Start { children: more, .. }) =
                (&mut then, earlier.then)
            {
                *children = merge(std::mem::take(children), more).into_iter().collect();
            }
        }
        self.sequence = Some(Sequence { queue, stopping, then });
        self.advance_sequence(ctx);
    }

    /// Stops the next child of the sequence if the one before has ended; all of them at once as long as they
    /// are dynamic.
    fn advance_sequence(&mut self, ctx: &mut Context<Self>) {
        while let Some(sequence) = &mut self.sequence {
            let Some(&position) = sequence.queue.front() else { break };
            let dynamic = self.children.get(position).is_some_and(|child| child.dynamic);
            if !sequence.stopping.is_empty() && !dynamic {
                return;
            }
            sequence.queue.pop_front();
            if self.begin_stop(position, ctx)
                && let Some(sequence) = &mut self.sequence
            {
                sequence.stopping.insert(position);
            }
        }
        if let Some(sequence) = self.sequence.take_if(|sequence| sequence.stopping.is_empty()) {
            match sequence.then {
                Then::Start { children, delay } => self.start_after(children, delay, ctx),
                Then::End { failure } => {
                    if let Some(reason) = &failure {
                        self.link.fail(reason);
                    }
                    // Kept, so that whatever comes until the end is known to come too late.
                    self.sequence = Some(Sequence { then: Then::End { failure }, ..sequence });
                    ctx.stop();
                }
            }
        }
    }

    /// Asks a child to stop, or calls off its restart. Returns whether its end is to be waited for.
    pub(super) fn begin_stop(&mut self, position: Position, ctx: &mut Context<Self>) -> bool {
        let Some(child) = self.children.get_mut(position) else { return false };
        let life = match std::mem::replace(&mut child.state, State::Ended) {
            State::Running(life) => life,
            State::Waiting { .. } => return false,
            unchanged @ (State::Stopping(_) | State::Ended | State::GivenUp) => {
                child.state = unchanged;
                return matches!(child.state, State::Stopping(_));
            }
        };
        let deadline = match child.spec.shutdown {
            Shutdown::Brutal => {
                life.task.kill();
                None
            }
            Shutdown::Deadline(after) => {
                life.task.stop();
                let passed = DeadlinePassed { position, generation: life.generation, after };
                Some(send_after(after, passed, ctx))
            }
            Shutdown::Infinity => {
                life.task.stop();
                None
            }
        };
        child.state =
            State::Stopping(Ending { life, _deadline: deadline, start_again: false, askers: Vec::new() });
        true
    }

    /// Goes on after the end of a child that was asked to stop.
    pub(super) fn handle_stopped(
        &mut self,
        position: Position,
        ending: Ending,
        reason: &ExitReason,
        ctx: &mut Context<Self>,
    ) {
        let child = self.children.get(position).expect("it was found just now");
        debug!(self.link.log, "child stopped"; "child" => &child.name, "reason" => %reason);
        let next =
            if ending.start_again || self.is_to_be_started(position) { Next::Restart } else { Next::Nothing };
        self.link.tree().observe_end(&child.name, reason, next);
        for asker in ending.askers {
            // Whoever has ceased to wait does not want to know.
            let _ = asker.send(reason.clone());
        }
        if let Some(sequence) = &mut self.sequence
            && sequence.stopping.remove(&position)
        {
            if self.is_to_be_started(position) {
                self.mark_restarting(position);
            } else if !self.is_ending() {
                self.settle(position);
            }
            self.advance_sequence(ctx);
        } else if ending.start_again && !self.is_ending() {
            self.start(position, ctx);
        } else {
            self.settle(position);
        }
    }

    /// Returns whether the child is one that the sequence under way starts in the end.
    pub(super) fn is_to_be_started(&self, position: Position) -> bool {
        match &self.sequence {
            Some(Sequence { then: Then::Start { children, .. }, .. }) => children.contains(&position),
            Some(Sequence { then: Then::End { .. }, .. }) | None => false,
        }
    }

    /// Returns whether all children are being stopped, or have been, for the supervisor to end.
    pub(super) fn is_ending(&self) -> bool {
        matches!(self.sequence, Some(Sequence { then: Then::End { .. }, .. }))
    }
}

fn merge(
    some: impl IntoIterator<Item = Position>,
    others: impl IntoIterator<Item = Position>,
) -> BTreeSet<Position> {
    some.into_iter().chain(others).collect()
}
