//! A change as it is told: to the API, in events and in the log.

use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_protocol::api::reconfigure::{self as api, Answer, Concern, Host, OutcomeKind, Phase};
use lvmwarden_reconfigure::change::Event;
use lvmwarden_reconfigure::coordinator::{self, Coordinator};
use lvmwarden_reconfigure::effect::{Outcome, Timer};
use lvmwarden_reconfigure::participant::{self, Participant};
use lvmwarden_reconfigure::record::Record;
use lvmwarden_reconfigure::roll::Entry;
use lvmwarden_reconfigure::word::{self, Cause, Decision, Part, Word};
use slog::{info, warn};
use tokio::time::Instant;

use super::shell::Shell;
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::wall_clock::elapsed;
use crate::roles::reconfigure::goal::Wanted;
use crate::roles::reconfigure::memory::Known;

impl Shell {
    /// Shows the change as it is now to whoever asks.
    pub(super) fn show(&mut self) {
        let phase = self.phase_now();
        if phase != self.phase.0 {
            let now = Instant::now();
            self.environment.metrics.phase(self.phase.0, now.duration_since(self.phase.1));
            self.phase = (phase, now);
        }
        // The end is shown when it is written down.
        if !self.change.is_over() {
            self.environment.board.put(self.told());
        }
    }

    /// Returns the change as it is told now.
    pub(super) fn told(&self) -> api::Change {
        let outcome = self.outcome_now();
        let phase = self.phase_now();
        let deadline = timer_of(phase).and_then(|timer| self.timers.get(&timer));
        let deadline_ms = deadline
            .filter(|_| phase != Phase::Ended)
            .map(|due| millis(due.saturating_duration_since(Instant::now())));
        let took = if self.is_resumed {
            elapsed(self.known.at, Timestamp::now()).unwrap_or_default()
        } else {
            self.started.elapsed()
        };
        api::Change {
            phase,
            round: self.change.coordinator().map_or(1, Coordinator::round),
            took_ms: millis(took),
            deadline_ms,
            hosts: self.hosts(),
            outcome,
            coordinator: self.environment.name_of(self.known.coordinator.node),
            ..told_of(&self.known, String::new())
        }
    }

    fn phase_now(&self) -> Phase {
        use coordinator::State;
        let lags = self.change.participant().is_some_and(|part| part.state() == participant::State::Lagging);
        let is_asked = |machine: &Coordinator| machine.state() == State::Ended;
        if self.change.is_over() || (lags && self.change.coordinator().is_none_or(is_asked)) {
            // A host that lags goes on by itself: nobody waits for it.
            return Phase::Ended;
        }
        match self.change.coordinator().map(Coordinator::state) {
            Some(State::Asked | State::Locking) => Phase::Locking,
            Some(State::Proposing { .. }) => Phase::Proposing,
            Some(State::Voting { .. }) => Phase::Voting,
            Some(State::Preparing | State::AtGate) => Phase::Preparing,
            Some(State::Applying { .. }) => Phase::Applying,
            Some(State::Judging) => Phase::Judging,
            Some(State::Committing) => Phase::Committing,
            Some(State::Abandoning) => Phase::Abandoning,
            // What is left to do is the participant's.
            Some(State::Ended) | None => self.phase_of_part(),
        }
    }

    fn phase_of_part(&self) -> Phase {
        use participant::State;
        let decision = self.change.decision();
        match self.change.participant().map(Participant::state) {
            Some(State::Checking | State::Voted) => Phase::Voting,
            Some(State::Preparing | State::Ready { .. }) => Phase::Preparing,
            Some(State::Doubt) if self.known.machine.is_coordinator => Phase::Judging,
            Some(State::Doubt) => Phase::Doubt,
            Some(State::Refreshing) => Phase::Committing,
            Some(State::Undoing) => Phase::Abandoning,
            Some(State::Done | State::Lagging | State::Ended) | None => match decision {
                Some(Decision::Committed | Decision::Superseded) => Phase::Committing,
                Some(Decision::Abandoned) | None => Phase::Abandoning,
            },
        }
    }

    fn hosts(&self) -> Vec<Host> {
        let roll = |roll: &lvmwarden_reconfigure::roll::Roll| roll.entries().to_vec();
        let of_coordinator = self.change.coordinator().map(|machine| roll(machine.roll()));
        let entries = of_coordinator
            .filter(|entries| !entries.is_empty())
            .or_else(|| self.change.participant().map(|machine| roll(machine.roll())))
            .unwrap_or_default();
        if entries.is_empty() {
            let vote = self.known.machine.voted.map(|(concern, _)| word::Vote { concern, objection: None });
            let (is_ready, is_here) = (self.known.machine.is_ready, true);
            return vec![self.host(&Entry { member: self.me, vote, is_ready, part: None, is_here })];
        }
        entries.iter().map(|entry| self.host(entry)).collect()
    }

    fn host(&self, entry: &Entry) -> Host {
        let objection = entry.vote.as_ref().and_then(|vote| vote.objection.as_ref());
        let concern = entry.vote.as_ref().map_or(word::Concern::None, |vote| vote.concern);
        let is_me = entry.member == self.me;
        let own = self.change.participant().filter(|_| is_me).map(Participant::state);
        Host {
            node: entry.member.node,
            name: self.environment.name_of(entry.member.node),
            concern: match concern {
                word::Concern::None => Concern::None,
                word::Concern::Vg => Concern::Vg,
                word::Concern::Lv => Concern::Lv,
            },
            vote: entry.vote.as_ref().map(|_| if objection.is_some() { Answer::No } else { Answer::Yes }),
            code: objection.map(code),
            reason: objection.map(|cause| cause.reason.to_string()),
            notes: Vec::new(),
            state: own.map_or_else(|| heard_of(entry), word_of).to_owned(),
            held_ms: None,
            lagging: own.map_or(entry.part == Some(Part::Lagging), |own| own == participant::State::Lagging),
            gone: !entry.is_here,
        }
    }

    fn outcome_now(&self) -> Option<api::Outcome> {
        let why = self.why.as_ref().or_else(|| self.change.participant().and_then(Participant::why));
        let cause = match &self.outcome {
            Some(Outcome::Refused(cause)) => Some(cause.clone()),
            Some(Outcome::Decided(..) | Outcome::Unknown) | None => why.map(|why| why.cause.clone()),
        };
        let kind = match (&self.outcome, self.change.decision().or(self.known.machine.decision)) {
            (Some(Outcome::Refused(_)), _) => OutcomeKind::Refused,
            (Some(Outcome::Unknown), None) => OutcomeKind::Unknown,
            (Some(Outcome::Decided(decision, _)), _) => kind_of(*decision),
            (_, Some(decision)) => kind_of(decision),
            (None, None) => return None,
        };
        let own = self.change.participant().map(Participant::state);
        let is_done = matches!(own, Some(participant::State::Done | participant::State::Ended));
        let lagging = match &self.outcome {
            Some(Outcome::Decided(_, nodes)) => {
                let nodes = nodes.iter().filter(|node| !(is_done && **node == self.me.node));
                nodes.map(|node| self.environment.name_of(*node)).collect()
            }
            Some(Outcome::Refused(_) | Outcome::Unknown) | None => Vec::new(),
        };
        let cause = cause.filter(|_| kind != OutcomeKind::Committed);
        Some(api::Outcome {
            kind,
            node: cause
                .as_ref()
                .filter(|cause| cause.node != 0)
                .map(|cause| self.environment.name_of(cause.node)),
            phase: self.decided_in,
            code: cause.as_ref().map(code),
            reason: cause.as_ref().map(|cause| cause.reason.to_string()),
            remedy: (kind == OutcomeKind::Unknown)
                .then(|| format!("see whether it is made: lvs {}", self.known.goal.vgname)),
            simultaneous: self.change.coordinator().is_none_or(Coordinator::is_simultaneous),
            lagging,
        })
    }

    /// Takes note of an event before it is applied.
    pub(super) fn note(&mut self, event: &Event) {
        if self.change.decision().is_none() {
            self.decided_in = Some(self.phase_now());
        }
        match event {
            Event::Coordinator(coordinator::Event::WriterEnded(_)) => self.writer = None,
            Event::Participant(participant::Event::PartFailed) => {
                self.failures += 1;
                warn!(self.log, "this host lags"; "failures" => self.failures, "next" => "try again");
                self.publish("reconfigure.lagging", Vec::new());
            }
            Event::Participant(participant::Event::PartDone) => self.failures = 0,
            Event::Delivered(from, Word::Vote { vote: word::Vote { objection: Some(cause), .. }, .. }) => {
                let (node, word) = (self.environment.name_of(from.node), code(cause));
                warn!(self.log, "a host objects to a change"; "node" => &node, "code" => &word,
                      "reason" => %cause.reason, "next" => "it is abandoned");
                self.environment.metrics.objected(static_code(cause.code));
                let more = vec![("node", node), ("code", word), ("reason", cause.reason.to_string())];
                self.publish("reconfigure.objected", more);
            }
            _of_no_news => {}
        }
    }

    /// Tells what a record says, now that it is durable; `decided` is what was decided before.
    pub(super) fn tell_record(&self, record: Record, decided: Option<Decision>) {
        let what = match record {
            Record::Asked => "reconfigure.asked",
            Record::Proposed => "reconfigure.proposed",
            Record::Voted { objects: false, .. } => "reconfigure.voted",
            Record::Ready => "reconfigure.prepared",
            Record::Gate => "reconfigure.gate_opened",
            Record::Decided(_) if decided.is_some() => return,
            Record::Decided(Decision::Committed | Decision::Superseded) => "reconfigure.committed",
            Record::Decided(Decision::Abandoned) => "reconfigure.abandoned",
            Record::Done if self.terms.follows && self.change.decision() == Some(Decision::Committed) => {
                "reconfigure.refreshed"
            }
            Record::Voted { objects: true, .. } | Record::Preparing | Record::Done | Record::Ended => return,
        };
        let mut more = Vec::new();
        if record == Record::Asked {
            more.extend(self.known.asked_by.clone().map(|by| ("asked_by", by)));
        }
        if let (Record::Decided(Decision::Abandoned), Some(why)) = (record, &self.why) {
            more.extend([("code", code(&why.cause)), ("reason", why.cause.reason.to_string())]);
            more.push(("node", self.environment.name_of(why.cause.node)));
        }
        let goal = self.goal_text();
        if what == "reconfigure.abandoned" {
            let reason = self.why.as_ref().map(|why| why.cause.reason.to_string()).unwrap_or_default();
            warn!(self.log, "a change is abandoned"; "goal" => goal, "reason" => reason);
        } else {
            info!(self.log, "a change goes on"; "what" => what, "goal" => goal);
        }
        self.publish(what, more);
    }

    /// Tells the end.
    pub(super) fn tell_end(&self, told: &api::Change) {
        let Some(outcome) = &told.outcome else { return };
        self.environment.metrics.ended(told.goal.kind, outcome.kind);
        let reason = outcome.reason.clone().unwrap_or_default();
        info!(self.log, "a change has ended"; "goal" => &told.goal_text, "outcome" => outcome.kind.as_str(),
              "reason" => &reason, "took_ms" => told.took_ms);
        let mut more =
            vec![("outcome", outcome.kind.as_str().to_owned()), ("took_ms", told.took_ms.to_string())];
        more.extend(outcome.code.clone().map(|code| ("code", code)));
        more.extend(outcome.reason.clone().map(|reason| ("reason", reason)));
        more.extend(outcome.node.clone().map(|node| ("node", node)));
        self.publish("reconfigure.ended", more);
    }

    /// Tells everybody what has happened to the change.
    pub(super) fn publish(&self, what: &'static str, mut more: Vec<(&'static str, String)>) {
        let (goal, phase) = (&self.known.goal, self.phase_now());
        let subject = match &goal.lvnames[..] {
            [lv] => format!("{}/{lv}", goal.vgname),
            _none_or_several => goal.vgname.clone(),
        };
        more.extend([("id", self.id.to_string()), ("kind", goal.kind.as_str().to_owned())]);
        more.push(("phase", phase.as_str().to_owned()));
        self.environment.events.publish(&Occurrence::Reconfigured { subject: subject.into(), what, more });
    }

    fn goal_text(&self) -> String {
        self.known.described.in_words(self.known.goal.kind, &self.known.goal.vgname, &self.wanted)
    }
}

/// Returns a change as the journal alone tells it.
pub(in crate::roles::reconfigure) fn told_of(known: &Known, coordinator: String) -> api::Change {
    let goal = &known.goal;
    let goal_text = Wanted::parse(goal).map_or_else(
        |_| goal.kind.as_str().to_owned(),
        |wanted| known.described.in_words(goal.kind, &goal.vgname, &wanted),
    );
    let outcome = known.machine.decision.map(|decision| api::Outcome {
        kind: kind_of(decision),
        node: None,
        phase: None,
        code: None,
        reason: None,
        remedy: None,
        simultaneous: true,
        lagging: Vec::new(),
    });
    api::Change {
        id: known.id.to_string(),
        goal: goal.clone(),
        goal_text,
        coordinator,
        phase: if known.is_over() { Phase::Ended } else { Phase::Locking },
        round: 1,
        since: format!("{:.3}", known.at),
        took_ms: 0,
        deadline_ms: None,
        asked_by: known.asked_by.clone(),
        hosts: Vec::new(),
        outcome,
    }
}

fn kind_of(decision: Decision) -> OutcomeKind {
    match decision {
        Decision::Committed => OutcomeKind::Committed,
        Decision::Abandoned => OutcomeKind::Abandoned,
        Decision::Superseded => OutcomeKind::Superseded,
    }
}

/// Returns which timer bounds a phase.
fn timer_of(phase: Phase) -> Option<Timer> {
    match phase {
        Phase::Locking | Phase::Proposing => Some(Timer::Lock),
        Phase::Voting => Some(Timer::Vote),
        Phase::Preparing => Some(Timer::Prepare),
        Phase::Applying => Some(Timer::Apply),
        Phase::Judging | Phase::Doubt => Some(Timer::Doubt),
        Phase::Committing | Phase::Abandoning => Some(Timer::Commit),
        Phase::Ended => None,
    }
}

fn word_of(state: participant::State) -> &'static str {
    use participant::State;
    match state {
        State::Checking => "checking",
        State::Voted => "voted",
        State::Preparing => "preparing",
        State::Ready { is_released: false } => "ready",
        State::Ready { is_released: true } => "released",
        State::Doubt => "doubt",
        State::Refreshing => "refreshing",
        State::Undoing => "undoing",
        State::Done | State::Ended => "done",
        State::Lagging => "lagging",
    }
}

fn heard_of(entry: &Entry) -> &'static str {
    match (entry.part, entry.is_ready, &entry.vote) {
        (Some(Part::Done), ..) => "done",
        (Some(Part::Lagging), ..) => "lagging",
        (None, true, _) => "ready",
        (None, false, Some(_)) => "voted",
        (None, false, None) => "checking",
    }
}

fn code(cause: &Cause) -> String {
    static_code(cause.code).to_owned()
}

/// Returns the API's word for a code.
pub(in crate::roles::reconfigure) fn static_code(code: word::Code) -> &'static str {
    use word::Code;
    match code {
        Code::Busy => "busy",
        Code::LockNotOurs => "lock_not_ours",
        Code::NotAccepted => "not_accepted",
        Code::Version => "version",
        Code::NotQuorate => "not_quorate",
        Code::StaleMetadata => "stale_metadata",
        Code::NotAsDescribed => "not_as_described",
        Code::WrongType => "wrong_type",
        Code::Copying => "copying",
        Code::Open => "open",
        Code::Holders => "holders",
        Code::NameTaken => "name_taken",
        Code::DeviceMissing => "device_missing",
        Code::DeviceDiffers => "device_differs",
        Code::DeviceInUse => "device_in_use",
        Code::Swap => "swap",
        Code::NeededByUs => "needed_by_us",
        Code::Stacked => "stacked",
        Code::Suspended => "suspended",
        Code::HeldLately => "held_lately",
        Code::NoSpace => "no_space",
        Code::Journal => "journal",
        Code::Timeout => "timeout",
        Code::Left => "left",
        Code::RefusedByLvm => "refused_by_lvm",
        Code::AskedTo => "asked_to",
        Code::Internal => "internal",
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
