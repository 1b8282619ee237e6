//! The table: what becomes of each state with each event. A dot: nothing changes and nothing is done.

use std::fmt::Write as _;

use super::*;

const STATES: [(&str, State); 14] = [
    ("Asked", State::Asked),
    ("Lock", State::Locking),
    ("Prop", State::Proposing { is_sent: false }),
    ("Sent", State::Proposing { is_sent: true }),
    ("Vote", State::Voting { is_objected: false }),
    ("Obj", State::Voting { is_objected: true }),
    ("Prep", State::Preparing),
    ("Gate", State::AtGate),
    ("Appl", State::Applying { is_late: false }),
    ("Late", State::Applying { is_late: true }),
    ("Judge", State::Judging),
    ("Comm", State::Committing),
    ("Aband", State::Abandoning),
    ("Ended", State::Ended),
];

fn events() -> Vec<(&'static str, Event)> {
    let from = |node, word| Event::Delivered(member(node), word);
    let mut events = vec![
        ("accepted", Event::Accepted),
        ("locks held", Event::LocksHeld),
        ("locks refused", Event::LocksRefused(cause(2))),
        ("locks lost", Event::LocksLost),
        ("read", Event::VgRead(Ok(()))),
        ("bad goal", Event::VgRead(Err(cause(1)))),
        ("own PROPOSE", from(1, Word::Propose { round: 1 })),
        ("VOTE yes of 1", from(1, vote(Concern::Lv, None))),
        ("VOTE no of 1", from(1, vote(Concern::Lv, Some(cause(1))))),
        ("VOTE of 9", from(9, vote(Concern::Lv, Some(cause(9))))),
        ("READY of 2", from(2, Word::Ready)),
        ("NOT_READY of 2", from(2, Word::NotReady(cause(2)))),
        ("NOT_READY of 9", from(9, Word::NotReady(cause(9)))),
        ("RELEASED of 2", from(2, Word::Released)),
        ("DONE of 1", from(1, Word::Done(Part::Done))),
        ("COMMIT of 9", from(9, Word::of(Decision::Committed, None, false))),
        ("2 leaves", Event::ViewChanged(vec![member(2)], false)),
        ("3 leaves", Event::ViewChanged(vec![member(3)], false)),
        ("lost", Event::TransportLost),
        ("gate asked", Event::GateAsked),
        ("ended well", Event::WriterEnded(WriterEnd::AtGoal)),
        ("ended badly", Event::WriterEnded(WriterEnd::Otherwise(cause(1)))),
        ("applied", Event::Looked(Finding::Applied)),
        ("not applied", Event::Looked(Finding::NotApplied)),
        ("superseded", Event::Looked(Finding::Superseded)),
        ("unreadable", Event::Looked(Finding::Unreadable)),
        ("asked to", Event::AskedToAbandon),
        ("no gate record", Event::NotRecorded(Record::Gate)),
        ("no proposed", Event::NotRecorded(Record::Proposed)),
    ];
    events.extend(Timer::ALL.map(|timer| ("", Event::Elapsed(timer))));
    events
}

/// Returns the table as text: a row for each event, a column for each state.
fn shown() -> String {
    let mut text = format!("{:15}", "");
    for (name, _) in STATES {
        write!(text, "{name:6}").expect("a string");
    }
    for (name, event) in events() {
        let timer = if let Event::Elapsed(timer) = &event { format!("{timer:?}") } else { name.to_owned() };
        text = format!("{}\n{timer:15}", text.trim_end());
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
            write!(text, "{cell:6}").expect("a string");
        }
    }
    text.trim_end().to_owned()
}

#[test]
fn every_state_with_every_event() {
    let expected = include_str!("table.txt").trim_end();
    let shown = shown();
    assert_eq!(shown, expected, "\n{shown}\n");
}
