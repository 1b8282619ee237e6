//! What is done at once where every state is looked at, because nothing can come of its waiting.
//!
//! | done at once | why its waiting changes nothing |
//! |---|---|
//! | a VOTE, where there is no coordinator | it is written down; who has left is not asked for it, and PREPARE comes after it |
//! | a DONE, where there is no coordinator and the coordinator is here | it is written down |
//! | END, where the part is done | the change is forgotten; a new life comes to the same from its journal |
//! | a HELLO, where no proposal waits for it, and nobody is in doubt whom it would tell | it is written down |
//! | a HELLO without a decision is not even said once all have voted | only a proposal waits for it |
//! | anything, where there is no change any more | nobody is there who could decide something |
//! | checks, reads, refreshes that succeed | the daemon may die before or after: the record comes before |
//! | timers whose state has passed are forgotten | the machines ignore them: their tables say so |

use std::mem;

use lvmwarden_reconfigure::change::Change;
use lvmwarden_reconfigure::coordinator::{self, Coordinator};
use lvmwarden_reconfigure::effect::Timer;
use lvmwarden_reconfigure::participant::{self, Participant};
use lvmwarden_reconfigure::word::Word;

use super::{Action, Daemon, Host, Item, World};

impl World {
    /// Does everything that is done at once.
    pub(crate) fn quiet_down(&mut self) {
        if !self.rules.is_eager {
            return;
        }
        while let Some(at) = (0..self.hosts.len()).find(|at| self.is_next_quiet(*at)) {
            self.deliver(at, false);
        }
        for host in &mut self.hosts {
            if let Some(daemon) = &mut host.daemon {
                let timers = mem::take(&mut daemon.timers);
                daemon.timers = timers.into_iter().filter(|timer| is_timely(daemon, *timer)).collect();
            }
        }
    }

    /// Returns the delivery that may come first where no fault can come any more: it changes nothing but its own host, so
    /// whatever else happens is the same before it and after it. What is checked only ever adds up, and a decision that
    /// comes too early is found the sooner.
    pub(crate) fn silent_delivery(&self) -> Option<Action> {
        if self.faults > 0 || !self.rules.is_eager {
            return None;
        }
        let is_silent = |at: &usize| {
            let host = &self.hosts[*at];
            if host.inbox.is_empty() || host.daemon.is_none() {
                return false;
            }
            let mut next = self.clone();
            next.step(&Action::Deliver { at: *at, crash: false });
            let is_same = |(other, host): (usize, &Host)| other == *at || *host == self.hosts[other];
            next.lock == self.lock
                && next.disk == self.disk
                && next.writer == self.writer
                && next.hosts.iter().enumerate().all(is_same)
        };
        let at = (0..self.hosts.len()).find(is_silent)?;
        Some(Action::Deliver { at, crash: false })
    }

    fn is_next_quiet(&self, at: usize) -> bool {
        let host = &self.hosts[at];
        let (Some(daemon), Some(item)) = (&host.daemon, host.inbox.front()) else { return false };
        let Some(change) = &daemon.change else {
            return !matches!(item, Item::Word(_, Word::Propose { .. }));
        };
        let is_asked = change.coordinator().is_some();
        match item {
            Item::Word(_, Word::Vote { .. }) => !is_asked,
            Item::Word(_, Word::Done(_)) => {
                !is_asked && change.participant().is_some_and(Participant::has_coordinator)
            }
            Item::Word(_, Word::End(_)) => {
                !is_asked && change.participant().is_some_and(|part| part.state() == participant::State::Done)
            }
            Item::Hello(_, decision) => {
                let is_doubt =
                    change.participant().is_some_and(|part| part.state() == participant::State::Doubt);
                let is_told = decision.is_some() && is_doubt;
                !is_told && change.coordinator().is_none_or(|machine| !is_proposing(machine))
            }
            Item::Word(
                _,
                Word::Propose { .. }
                | Word::Prepare
                | Word::Ready
                | Word::NotReady(_)
                | Word::Released
                | Word::Commit { .. }
                | Word::Abandon { .. },
            )
            | Item::View { .. }
            | Item::Quorum(..)
            | Item::Lost => false,
        }
    }
}

fn is_proposing(machine: &Coordinator) -> bool {
    matches!(machine.state(), coordinator::State::Proposing { .. })
}

pub(super) fn is_timely(daemon: &Daemon, timer: Timer) -> bool {
    use coordinator::State;
    let state = daemon.change.as_ref().and_then(Change::coordinator).map(Coordinator::state);
    let part = daemon.change.as_ref().and_then(Change::participant).map(Participant::state);
    match timer {
        Timer::Lock => matches!(state, Some(State::Locking | State::Proposing { .. })),
        Timer::Vote => {
            matches!(state, Some(State::Voting { .. } | State::Proposing { .. }))
                || part == Some(participant::State::Checking)
        }
        Timer::Objections => matches!(state, Some(State::Voting { .. })),
        Timer::Prepare => state == Some(State::Preparing) || part == Some(participant::State::Preparing),
        Timer::Reserve => matches!(state, Some(State::Preparing | State::AtGate)),
        Timer::Apply => state == Some(State::Applying { is_late: false }),
        Timer::Commit => {
            matches!(state, Some(State::Committing | State::Abandoning))
                || part == Some(participant::State::Done)
        }
        Timer::RefreshAgain => part == Some(participant::State::Lagging),
        Timer::LookAgain => daemon.change.is_some(),
        Timer::Doubt => part == Some(participant::State::Doubt) || state == Some(State::Judging),
    }
}
