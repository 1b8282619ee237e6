//! Everything that can happen next.

use lvmwarden_reconfigure::change::{Change, Event};
use lvmwarden_reconfigure::effect::Timer;
use lvmwarden_reconfigure::participant;
use lvmwarden_reconfigure::word::Decision;

use super::quiet::is_timely;
use super::{Flaw, Task, World, Writer};

/// One step of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// The next item of a host's inbox; `crash`: its daemon dies when the first record of that is on disk.
    Deliver {
        at: usize,
        crash: bool,
    },
    Finish {
        at: usize,
        task: Task,
        is_fine: bool,
    },
    /// A timer is over; `is_due`: nothing else happens until then.
    Elapse {
        at: usize,
        timer: Timer,
        is_due: bool,
    },
    WriterGoesOn,
    WriterEnds,
    StartDaemon(usize),
    Detect {
        at: usize,
        kept: usize,
    },
    RecoverLocks(usize),
    CorosyncBack(usize),
    Merge,
    /// Somebody else writes, with the lock.
    ForeignWrite,
    HoldEnds(usize),
    KillDaemon(usize),
    KillHost(usize),
    KillCorosync(usize),
    KillGuard(usize),
    Part {
        away: Vec<usize>,
        kept: [usize; 2],
    },
    /// A participant abandons after its READY: the flaw of that name.
    AbandonByItself(usize),
}

impl Action {
    /// Tells whether it is something that goes wrong.
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Self::Deliver { crash, .. } => *crash,
            Self::Finish { is_fine, .. } => !is_fine,
            Self::Elapse { timer, is_due: false, .. } => match timer {
                Timer::Lock
                | Timer::Vote
                | Timer::Prepare
                | Timer::Reserve
                | Timer::Apply
                | Timer::Commit
                | Timer::Doubt => true,
                Timer::Objections | Timer::LookAgain | Timer::RefreshAgain => false,
            },
            Self::WriterGoesOn
            | Self::Elapse { is_due: true, .. }
            | Self::StartDaemon(_)
            | Self::Detect { .. }
            | Self::RecoverLocks(_)
            | Self::CorosyncBack(_)
            | Self::Merge => false,
            Self::WriterEnds
            | Self::ForeignWrite
            | Self::HoldEnds(_)
            | Self::KillDaemon(_)
            | Self::KillHost(_)
            | Self::KillCorosync(_)
            | Self::KillGuard(_)
            | Self::Part { .. }
            | Self::AbandonByItself(_) => true,
        }
    }
}

impl World {
    /// Returns what can happen next, faults only as long as there may be some.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for at in 0..self.hosts.len() {
            self.actions_of(at, &mut actions);
        }
        if matches!(self.writer, Writer::Started | Writer::Passed | Writer::Loaded | Writer::Written) {
            actions.push(Action::WriterGoesOn);
        }
        if self.rules.heals && self.hosts.iter().any(|host| host.side != 0) && !self.has_undetected() {
            actions.push(Action::Merge);
        }
        if actions.is_empty() {
            self.deadlines(&mut actions);
        }
        if self.faults > 0 {
            self.faults_of_all(&mut actions);
        }
        actions
    }

    /// Time passes: what is waited for is over. A doubt is the last thing to end.
    fn deadlines(&self, actions: &mut Vec<Action>) {
        for is_doubt in [false, true] {
            for (at, host) in self.hosts.iter().enumerate() {
                let Some(daemon) = &host.daemon else { continue };
                let is_meant =
                    |timer: &&Timer| (**timer == Timer::Doubt) == is_doubt && is_timely(daemon, **timer);
                let timers = daemon.timers.iter().filter(is_meant);
                actions.extend(timers.map(|timer| Action::Elapse { at, timer: *timer, is_due: true }));
            }
            if !actions.is_empty() {
                return;
            }
        }
    }

    fn has_undetected(&self) -> bool {
        self.hosts.iter().any(|host| host.joined.is_some() && !host.has_corosync)
    }

    fn actions_of(&self, at: usize, actions: &mut Vec<Action>) {
        let host = &self.hosts[at];
        let is_undetected = host.joined.is_some() && !host.has_corosync;
        if is_undetected {
            let rest: Vec<_> = self
                .joined_on(host.side)
                .into_iter()
                .map(|(at, _)| at)
                .filter(|other| *other != at)
                .collect();
            actions.extend((0..=self.droppable(&rest)).map(|kept| Action::Detect { at, kept }));
        }
        if !host.is_up {
            let has_lock = self.lock.exclusive == Some(at) || self.lock.shared.contains(&at);
            if !is_undetected && has_lock {
                actions.push(Action::RecoverLocks(at));
            }
            return;
        }
        if !host.has_corosync && !is_undetected && host.inbox.is_empty() && self.rules.heals {
            actions.push(Action::CorosyncBack(at));
        }
        let Some(daemon) = &host.daemon else {
            actions.push(Action::StartDaemon(at));
            return;
        };
        if !host.inbox.is_empty() {
            actions.push(Action::Deliver { at, crash: false });
        }
        for task in &daemon.tasks {
            // Who waits for a lock is let in when it is free.
            let waits = *task == Task::TakeLookLock
                && self.rules.is_eager
                && self.rules.flaw != Some(Flaw::LookWithoutTheLock)
                && self.lock.exclusive.is_some_and(|host| host != at);
            if !waits {
                actions.push(Action::Finish { at, task: *task, is_fine: true });
            }
        }
        let again = [Timer::Objections, Timer::LookAgain, Timer::RefreshAgain];
        for timer in again.into_iter().filter(|timer| daemon.timers.contains(timer)) {
            actions.push(Action::Elapse { at, timer, is_due: false });
        }
    }

    fn faults_of_all(&self, actions: &mut Vec<Action>) {
        for at in 0..self.hosts.len() {
            self.faults_of(at, actions);
        }
        if matches!(
            self.writer,
            Writer::Started | Writer::AtGate | Writer::Passed | Writer::Loaded | Writer::Written
        ) {
            actions.push(Action::WriterEnds);
        }
        let is_free = self.lock.exclusive.is_none() && self.lock.shared.is_empty();
        if !self.rules.is_eager && is_free && self.hosts[0].journal.is_coordinator && self.disk.writes < 3 {
            actions.push(Action::ForeignWrite);
        }
        self.partitions(actions);
    }

    fn faults_of(&self, at: usize, actions: &mut Vec<Action>) {
        let host = &self.hosts[at];
        if !host.is_up {
            return;
        }
        actions.push(Action::KillHost(at));
        if host.has_corosync {
            actions.push(Action::KillCorosync(at));
        }
        if host.guard.is_some_and(|guard| !guard.is_expired) {
            actions.push(Action::HoldEnds(at));
            if !self.rules.is_eager {
                actions.push(Action::KillGuard(at));
            }
        }
        let Some(daemon) = &host.daemon else { return };
        actions.push(Action::KillDaemon(at));
        if self.rules.has_few_faults {
            return;
        }
        if !host.inbox.is_empty() {
            actions.push(Action::Deliver { at, crash: true });
        }
        for task in &daemon.tasks {
            actions.push(Action::Finish { at, task: *task, is_fine: false });
        }
        if daemon.change.is_some() {
            let early = |timer: &Timer| Action::Elapse { at, timer: *timer, is_due: false };
            // What nobody knows within the limit is told as unknown: that is no part of the rules in question.
            let timers =
                daemon.timers.iter().filter(|timer| **timer != Timer::Doubt && is_timely(daemon, **timer));
            actions.extend(timers.map(early).filter(Action::is_fault));
        }
        let part = daemon.change.as_ref().and_then(Change::participant);
        let is_ready = part.is_some_and(|part| matches!(part.state(), participant::State::Ready { .. }));
        if is_ready && self.rules.flaw == Some(Flaw::AbandonsAfterItsYes) {
            actions.push(Action::AbandonByItself(at));
        }
    }

    /// One host alone against the rest: with three hosts these are all.
    fn partitions(&self, actions: &mut Vec<Action>) {
        for away in 0..self.hosts.len() {
            let side = self.hosts[away].side;
            let all: Vec<_> = self.joined_on(side).into_iter().map(|(at, _)| at).collect();
            let is_alone = all.iter().all(|at| *at == away);
            // Of two, it does not matter who is said to be away.
            let is_same = all.len() == 2 && all[0] != away;
            if !self.hosts[away].has_corosync || self.has_undetected() || is_alone || is_same {
                continue;
            }
            let rest: Vec<_> = all.iter().copied().filter(|at| *at != away).collect();
            for kept in 0..=self.droppable(&rest) {
                for alone in 0..=self.droppable(&[away]) {
                    actions.push(Action::Part { away: vec![away], kept: [kept, alone] });
                }
            }
        }
    }

    /// Does one step.
    pub(crate) fn step(&mut self, action: &Action) {
        if action.is_fault() {
            self.faults = self.faults.saturating_sub(1);
        }
        match action {
            Action::Deliver { at, crash } => self.deliver(*at, *crash),
            Action::Finish { at, task, is_fine } => self.finish(*at, *task, *is_fine),
            Action::Elapse { at, timer, .. } => self.elapse(*at, *timer),
            Action::WriterGoesOn => self.writer_goes_on(),
            Action::WriterEnds => self.end_writer(false),
            Action::StartDaemon(at) => self.start_daemon(*at),
            Action::Detect { at, kept } => self.detect(*at, *kept),
            Action::RecoverLocks(at) => self.recover_locks(*at),
            Action::CorosyncBack(at) => self.corosync_back(*at),
            Action::Merge => self.merge(),
            Action::ForeignWrite => self.disk.writes += 1,
            Action::HoldEnds(at) => self.hold_ends(*at),
            Action::KillDaemon(at) => self.kill_daemon(*at),
            Action::KillHost(at) => self.kill_host(*at),
            Action::KillCorosync(at) => self.kill_corosync(*at),
            Action::KillGuard(at) => self.kill_guard(*at),
            Action::Part { away, kept } => self.part(away, *kept),
            Action::AbandonByItself(at) => {
                let told = participant::Event::Told(None, Decision::Abandoned);
                self.apply(*at, Event::Participant(told), false);
            }
        }
        self.quiet_down();
        self.check();
    }

    fn elapse(&mut self, at: usize, timer: Timer) {
        if let Some(daemon) = &mut self.hosts[at].daemon {
            daemon.timers.remove(&timer);
        }
        self.apply(at, Event::Elapsed(timer), false);
    }
}
