//! Every state of a participant with every event, as one table; and what the table cannot say.

use std::fmt::Write as _;

use super::*;
use crate::kind::Kind;
use crate::member::Ring;

fn member(node: u32) -> Member {
    Member { node, pid: 1 }
}

const ME: Member = Member { node: 2, pid: 1 };

fn cause(node: u32) -> Cause {
    Cause::new(node, Code::Holders, "dm-3")
}

fn yes(concern: Concern) -> Vote {
    Vote { concern, objection: None }
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

struct Play {
    machine: Participant,
    around: Membership,
}

impl Play {
    fn new() -> Self {
        let around = group();
        let machine = Participant::new(ME, member(1), Kind::Resize.terms(), 1, &around, &mut Vec::new());
        Self { machine, around }
    }

    fn give(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.machine.apply(event, &self.around, &mut effects);
        effects
    }

    fn deliver(&mut self, from: u32, word: Word) -> Vec<Effect> {
        self.give(Event::Delivered(member(from), word))
    }

    /// Goes on to a state: all three are concerned.
    fn until(state: State) -> Self {
        let mut play = Self::new();
        let from = |node, word| Event::Delivered(member(node), word);
        let voted = |node| from(node, Word::Vote { round: 1, vote: yes(Concern::Lv) });
        let mut way =
            vec![Event::Checked(yes(Concern::Lv)), voted(1), voted(2), voted(3), from(1, Word::Prepare)];
        way.extend([Event::Prepared, from(1, Word::Ready), from(2, Word::Ready), from(3, Word::Ready)]);
        let commit = from(1, Word::of(Decision::Committed, None, false));
        match state {
            State::Checking | State::Voted | State::Preparing | State::Ready { is_released: false } => {}
            State::Ready { is_released: true } => way.push(Event::HoldOver),
            State::Doubt => way.push(Event::ViewChanged(vec![member(1)])),
            State::Undoing => way.push(from(1, Word::of(Decision::Abandoned, None, false))),
            State::Refreshing => way.push(commit),
            State::Lagging => way.extend([commit, Event::PartFailed]),
            State::Done => way.extend([commit, Event::PartDone]),
            State::Ended => way.extend([commit, Event::PartDone, from(1, Word::End(Decision::Committed))]),
        }
        for event in way {
            let is_there = play.machine.state == state && state < State::Ready { is_released: false };
            if is_there {
                break;
            }
            play.give(event);
        }
        assert_eq!(play.machine.state, state);
        play
    }
}

const STATES: [(&str, State); 11] = [
    ("Check", State::Checking),
    ("Voted", State::Voted),
    ("Prep", State::Preparing),
    ("Ready", State::Ready { is_released: false }),
    ("Relsd", State::Ready { is_released: true }),
    ("Doubt", State::Doubt),
    ("Refr", State::Refreshing),
    ("Undo", State::Undoing),
    ("Done", State::Done),
    ("Lag", State::Lagging),
    ("Ended", State::Ended),
];

fn events() -> Vec<(&'static str, Event)> {
    let from = |node, word| Event::Delivered(member(node), word);
    let mut events = vec![
        ("checked yes", Event::Checked(yes(Concern::Lv))),
        ("checked no", Event::Checked(Vote { concern: Concern::Lv, objection: Some(cause(2)) })),
        ("prepared", Event::Prepared),
        ("not prepared", Event::NotPrepared(cause(2))),
        ("hold over", Event::HoldOver),
        ("part done", Event::PartDone),
        ("part failed", Event::PartFailed),
        ("PROPOSE 2", from(1, Word::Propose { round: 2 })),
        ("PROPOSE of 3", from(3, Word::Propose { round: 2 })),
        ("PREPARE", from(1, Word::Prepare)),
        ("PREPARE of 3", from(3, Word::Prepare)),
        ("COMMIT", from(1, Word::of(Decision::Committed, None, false))),
        ("superseded", from(3, Word::of(Decision::Superseded, None, true))),
        ("ABANDON", from(1, Word::of(Decision::Abandoned, None, false))),
        ("END", from(1, Word::End(Decision::Committed))),
        ("DONE of 3", from(3, Word::Done(Part::Done))),
        ("HELLO: commit", Event::Told(Some(member(3)), Decision::Committed)),
        ("1 leaves", Event::ViewChanged(vec![member(1)])),
        ("3 leaves", Event::ViewChanged(vec![member(3)])),
        ("lost", Event::TransportLost),
        ("no voted", Event::NotRecorded(Record::Voted { concern: Concern::Lv, objects: false })),
        ("no preparing", Event::NotRecorded(Record::Preparing)),
        ("no ready", Event::NotRecorded(Record::Ready)),
    ];
    events.extend(Timer::ALL.map(|timer| ("", Event::Elapsed(timer))));
    events
}

/// Returns the table as text: a row for each event, a column for each state; `!`: a conflict is told.
fn shown() -> String {
    let mut text = format!("{:15}", "");
    for (name, _) in STATES {
        write!(text, "{name:7}").expect("a string");
    }
    for (name, event) in events() {
        let name = if let Event::Elapsed(timer) = &event { format!("{timer:?}") } else { name.to_owned() };
        text = format!("{}\n{name:15}", text.trim_end());
        for (_, state) in STATES {
            let mut play = Play::until(state);
            let before = play.machine.clone();
            let effects = play.give(event.clone());
            let after = STATES.iter().find(|(_, state)| *state == play.machine.state);
            let cell = match (play.machine == before, effects.is_empty()) {
                (true, true) => ".",
                (false, true) if play.machine.state == state => "noted",
                (_, _) => after.map_or("?", |(name, _)| name),
            };
            let is_conflict = effects.iter().any(|effect| matches!(effect, Effect::Conflict(_)));
            write!(text, "{:7}", format!("{cell}{}", if is_conflict { "!" } else { "" })).expect("a string");
        }
    }
    text.trim_end().to_owned()
}

#[test]
fn every_state_with_every_event() {
    let expected = include_str!("tests/table.txt").trim_end();
    let shown = shown();
    assert_eq!(shown, expected, "\n{shown}\n");
}

#[test]
fn each_record_is_on_disk_before_what_it_stands_for() {
    let mut play = Play::new();
    let voted = play.give(Event::Checked(yes(Concern::Lv)));
    assert!(
        matches!(voted[..], [Effect::Record(Record::Voted { .. }), Effect::Send(Word::Vote { .. })]),
        "{voted:?}"
    );
    let preparing = play.deliver(1, Word::Prepare);
    assert_eq!(preparing[..2], [Effect::Record(Record::Preparing), Effect::Prepare]);
    let ready = play.give(Event::Prepared);
    assert_eq!(ready[..2], [Effect::Record(Record::Ready), Effect::Send(Word::Ready)]);
    let committed = play.deliver(1, Word::of(Decision::Committed, None, false));
    let expected = [Effect::Record(Record::Decided(Decision::Committed)), Effect::TellGuard, Effect::Refresh];
    assert_eq!(committed, expected);
}

#[test]
fn yes_needs_the_quorum_and_every_hello_and_waits_for_the_quorums_word() {
    let ring = |sequence| Ring { node: 1, sequence };
    let mut play = Play::new();
    play.around.ring_formed(ring(2));
    assert_eq!(play.give(Event::Checked(yes(Concern::Lv))), []);
    play.around.quorum_told(ring(2), true);
    assert_eq!(play.give(Event::SurroundingsChanged).len(), 2);
    assert_eq!(play.machine.voted, Some((Concern::Lv, false)));

    let mut play = Play::new();
    play.around.quorum_told(ring(1), false);
    play.give(Event::Checked(yes(Concern::Lv)));
    assert_eq!(play.machine.voted, Some((Concern::Lv, true)));

    let mut play = Play::new();
    play.around.view_changed(&[], &[member(4)]);
    play.give(Event::Checked(yes(Concern::Lv)));
    assert_eq!(play.machine.voted, Some((Concern::Lv, true)));
}

#[test]
fn the_lowest_that_is_left_judges_and_says_the_end() {
    let mut play = Play::until(State::Doubt);
    assert!(play.machine.is_to_judge());
    play.give(Event::Told(None, Decision::Abandoned));
    play.give(Event::PartDone);
    play.deliver(2, Word::Done(Part::Done));
    let ended = play.deliver(3, Word::Done(Part::Done));
    assert_eq!(ended.first(), Some(&Effect::Send(Word::End(Decision::Abandoned))));
    assert_eq!(play.machine.state, State::Ended);
}

#[test]
fn who_is_not_concerned_is_in_doubt_when_the_coordinator_leaves_and_does_not_judge() {
    let mut play = Play::new();
    play.give(Event::Checked(yes(Concern::None)));
    for node in 1..=3 {
        let concern = if node == 2 { Concern::None } else { Concern::Lv };
        play.deliver(node, Word::Vote { round: 1, vote: yes(concern) });
    }
    play.give(Event::ViewChanged(vec![member(1), member(3)]));
    assert_eq!((play.machine.state, play.machine.is_to_judge()), (State::Doubt, false));
    let effects = play.give(Event::Told(Some(member(3)), Decision::Committed));
    assert!(!effects.contains(&Effect::Refresh), "{effects:?}");
    assert_eq!(play.machine.state, State::Ended);
}

#[test]
fn a_new_life_does_what_its_journal_says() {
    let voted = Some((Concern::Lv, false));
    let ready = Memory { voted, is_preparing: true, is_ready: true, ..Memory::default() };
    for (memory, expected) in [
        (Memory { voted, ..Memory::default() }, State::Undoing),
        (Memory { voted, is_preparing: true, ..Memory::default() }, State::Undoing),
        (ready, State::Doubt),
        (Memory { voted: Some((Concern::None, false)), ..Memory::default() }, State::Doubt),
        (Memory { voted: Some((Concern::None, true)), ..Memory::default() }, State::Ended),
        (Memory { decision: Some(Decision::Committed), ..ready }, State::Refreshing),
        (Memory { decision: Some(Decision::Abandoned), ..ready }, State::Undoing),
        (Memory { decision: Some(Decision::Committed), is_done: true, ..ready }, State::Ended),
    ] {
        let resumed = Participant::resumed(ME, member(1), Kind::Resize.terms(), memory, &mut Vec::new());
        assert_eq!(resumed.state, expected, "{memory:?}");
    }
}
