//! Every state of a coordinator with every event, as one table; and what the table cannot say.

use super::*;
use crate::kind::Kind;
use crate::member::Ring;
use crate::word::{Concern, Part, Vote};

mod table;

fn member(node: u32) -> Member {
    Member { node, pid: 1 }
}

const ME: Member = Member { node: 1, pid: 1 };

fn cause(node: u32) -> Cause {
    Cause::new(node, Code::Copying, "pvmove0")
}

fn vote(concern: Concern, objection: Option<Cause>) -> Word {
    Word::Vote { round: 1, vote: Vote { concern, objection } }
}

/// A group of three that knows all and is quorate.
fn group() -> Membership {
    let mut group = Membership::new();
    group.view_changed(&[], &[1, 2, 3].map(member));
    [1, 2, 3].map(member).into_iter().for_each(|member| group.hello_heard(member));
    let ring = Ring { node: 1, sequence: 1 };
    group.ring_formed(ring);
    group.quorum_told(ring, true);
    group
}

/// A coordinator with its group, and what it does.
struct Play {
    machine: Coordinator,
    around: Membership,
}

impl Play {
    fn new() -> Self {
        Self { machine: Coordinator::new(ME, Kind::Resize.terms(), 3), around: group() }
    }

    fn give(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.machine.apply(event, &self.around, &mut effects);
        effects
    }

    fn deliver(&mut self, from: u32, word: Word) -> Vec<Effect> {
        self.give(Event::Delivered(member(from), word))
    }

    /// Goes on to a state: 1 and 2 are concerned, 3 is not.
    fn until(state: State) -> Self {
        let mut play = Self::new();
        let mut way: Vec<Event> = vec![
            Event::Accepted,
            Event::LocksHeld,
            Event::VgRead(Ok(())),
            Event::Delivered(ME, Word::Propose { round: 1 }),
            Event::Delivered(member(3), vote(Concern::None, None)),
            Event::Delivered(member(1), vote(Concern::Lv, None)),
            Event::Delivered(member(2), vote(Concern::Lv, None)),
            Event::GateAsked,
            Event::Delivered(member(1), Word::Ready),
            Event::Delivered(member(2), Word::Ready),
            Event::WriterEnded(WriterEnd::AtGoal),
            Event::Delivered(member(1), Word::Done(Part::Done)),
            Event::Delivered(member(2), Word::Done(Part::Done)),
        ];
        match state {
            State::Proposing { is_sent: false } => {
                play.around.quorum_told(Ring { node: 1, sequence: 0 }, true);
            }
            State::AtGate => way.retain(|event| *event != Event::GateAsked),
            State::Judging => way[10] = Event::WriterEnded(WriterEnd::Otherwise(cause(1))),
            State::Abandoning => way[7] = Event::AskedToAbandon,
            State::Voting { is_objected: true } => {
                way[5] = Event::Delivered(ME, vote(Concern::Lv, Some(cause(1))));
            }
            State::Applying { is_late: true } => way[10] = Event::Elapsed(Timer::Apply),
            State::Asked
            | State::Locking
            | State::Proposing { is_sent: true }
            | State::Voting { is_objected: false }
            | State::Preparing
            | State::Applying { is_late: false }
            | State::Committing
            | State::Ended => {}
        }
        for event in way {
            if play.machine.state == state {
                break;
            }
            play.give(event);
        }
        assert_eq!(play.machine.state, state);
        play.around = group();
        play
    }
}

#[test]
fn the_gate_is_on_disk_before_it_opens_and_shut_before_anybody_is_told() {
    let mut play = Play::until(State::AtGate);
    let opened = play.give(Event::GateAsked);
    assert_eq!(opened, [Effect::Record(Record::Gate), Effect::OpenGate, Effect::Arm(Timer::Apply)]);
    let mut play = Play::until(State::AtGate);
    let shut = play.deliver(2, Word::Released);
    let at = |wanted: fn(&Effect) -> bool| shut.iter().position(wanted).expect("it is there");
    let gate = at(|effect| *effect == Effect::ShutGate);
    let record = at(|effect| *effect == Effect::Record(Record::Decided(Decision::Abandoned)));
    let told = at(|effect| matches!(effect, Effect::Send(Word::Abandon { .. })));
    assert!(gate < record && record < told, "{shut:?}");
}

#[test]
fn what_was_waited_for_before_the_proposal_is_named() {
    for (is_held, lacks) in [(false, "neither lock nor quorum"), (true, "lvm has not read the VG")] {
        let mut play = Play::until(State::Locking);
        if is_held {
            play.give(Event::LocksHeld);
        }
        let effects = play.give(Event::Elapsed(Timer::Lock));
        let Some(Effect::Ended(Outcome::Refused(cause))) = effects.last() else { panic!("{effects:?}") };
        assert_eq!(&*cause.reason, format!("{lacks} within the limit"));
    }
}

#[test]
fn the_gate_waits_for_the_quorums_word_and_stays_shut_without_it() {
    for (is_quorate, expected) in [(true, State::Applying { is_late: false }), (false, State::Abandoning)] {
        let mut play = Play::until(State::AtGate);
        let ring = Ring { node: 1, sequence: 2 };
        play.around.ring_formed(ring);
        play.give(Event::GateAsked);
        assert_eq!(play.machine.state, State::AtGate);
        play.around.quorum_told(ring, is_quorate);
        play.give(Event::SurroundingsChanged);
        assert_eq!(play.machine.state, expected);
    }
}

#[test]
fn all_objections_are_told_by_node() {
    let mut play = Play::until(State::Voting { is_objected: false });
    play.deliver(2, vote(Concern::Lv, Some(cause(2))));
    play.deliver(1, vote(Concern::Lv, None));
    assert_eq!(play.machine.state, State::Voting { is_objected: true });
    let told = play.give(Event::Elapsed(Timer::Objections));
    let Some(Effect::Send(Word::Abandon { why, looked: false })) = told.get(2) else { panic!("{told:?}") };
    assert_eq!((why.cause.node, why.objections.len()), (2, 1));
}

#[test]
fn a_newcomer_is_asked_in_a_next_round_and_votes_of_the_last_one_are_none() {
    let mut play = Play::until(State::Voting { is_objected: false });
    play.around.view_changed(&[], &[member(4)]);
    assert_eq!(play.give(Event::ViewChanged(Vec::new(), true)), [Effect::Arm(Timer::Vote)]);
    play.around.hello_heard(member(4));
    let proposed = play.give(Event::SurroundingsChanged);
    assert_eq!(proposed, [Effect::Send(Word::Propose { round: 2 })]);
    play.deliver(1, Word::Propose { round: 2 });
    play.deliver(2, vote(Concern::Lv, None));
    assert_eq!((play.machine.roll.silent(), play.machine.roll.entries().len()), (Some(ME), 4));
    assert!(play.machine.roll.entries().iter().all(|entry| entry.vote.is_none()));
}

#[test]
fn members_who_come_and_go_without_end_end_it() {
    let mut play = Play::until(State::Voting { is_objected: false });
    for (round, node) in [(2, 4), (3, 5)] {
        play.around.view_changed(&[], &[member(node)]);
        play.give(Event::ViewChanged(Vec::new(), true));
        play.around.hello_heard(member(node));
        play.give(Event::SurroundingsChanged);
        play.deliver(1, Word::Propose { round });
    }
    play.around.view_changed(&[], &[member(6)]);
    play.give(Event::ViewChanged(Vec::new(), true));
    assert_eq!((play.machine.decision, play.machine.round), (Some(Decision::Abandoned), 3));
}

#[test]
fn who_is_not_concerned_and_has_voted_may_leave() {
    for (left, expected) in [(3, State::Preparing), (2, State::Abandoning)] {
        let mut play = Play::until(State::Preparing);
        play.around.view_changed(&[member(left)], &[]);
        play.give(Event::ViewChanged(vec![member(left)], false));
        assert_eq!(play.machine.state, expected, "{left} leaves");
    }
}

#[test]
fn a_gate_without_its_record_stays_shut() {
    let mut play = Play::until(State::Applying { is_late: false });
    let effects = play.give(Event::NotRecorded(Record::Gate));
    assert_eq!((play.machine.state, effects.first()), (State::Abandoning, Some(&Effect::ShutGate)));
}

#[test]
fn a_kind_that_writes_nothing_is_committed_when_all_are_ready() {
    let mut play = Play::new();
    play.machine.terms = Kind::Activate.terms();
    play.machine.state = State::Preparing;
    play.machine.roll = Roll::new([1, 2].map(member).into_iter());
    for node in [1, 2] {
        play.machine.roll.vote(member(node), Vote { concern: Concern::Vg, objection: None });
    }
    assert_eq!(play.deliver(2, Word::Ready), []);
    let effects = play.deliver(1, Word::Ready);
    assert_eq!(play.machine.state, State::Committing);
    assert!(!effects.contains(&Effect::Record(Record::Gate)), "{effects:?}");
}
