//! Every state of a judge with every event.

use super::*;

const ME: Member = Member { node: 2, pid: 1 };

fn judge(state: State, is_kept: bool) -> Judge {
    Judge { me: ME, state, is_kept }
}

fn events() -> Vec<Event> {
    let found = [Finding::Applied, Finding::NotApplied, Finding::Superseded, Finding::Unreadable];
    let mut events =
        vec![Event::WriterEnded, Event::Locked, Event::Refused, Event::Settled, Event::TransportLost];
    events.extend([Event::Delivered(ME), Event::Delivered(Member { node: 3, pid: 1 })]);
    events.extend([Event::Elapsed(Timer::LookAgain), Event::Elapsed(Timer::Doubt)]);
    events.extend(found.map(Event::Looked));
    events
}

/// What a row of the table says; whatever is not in it changes nothing.
fn expected(state: State, event: Event) -> Option<(State, usize)> {
    match (state, event) {
        (State::Waiting, Event::WriterEnded) | (State::Locking, Event::Locked) => Some((State::Reading, 1)),
        (State::Locking, Event::Refused | Event::Elapsed(Timer::LookAgain)) => Some((State::Locking, 1)),
        (State::Reading, Event::Looked(Finding::Unreadable) | Event::Elapsed(Timer::LookAgain)) => {
            Some((State::Reading, 1))
        }
        (State::Reading, Event::Looked(_)) => Some((State::Telling, 2)),
        (State::Locking | State::Reading, Event::Settled) | (State::Telling, Event::TransportLost) => {
            Some((State::Over, 1))
        }
        (State::Telling, Event::Delivered(ME)) => Some((State::Over, 1)),
        (_, _) => None,
    }
}

#[test]
fn every_state_with_every_event() {
    for state in [State::Waiting, State::Locking, State::Reading, State::Telling, State::Over] {
        for event in events() {
            let mut machine = judge(state, false);
            let mut effects = Vec::new();
            machine.apply(event, &mut effects);
            let expected = expected(state, event).unwrap_or((state, 0));
            assert_eq!((machine.state, effects.len()), expected, "{state:?} {event:?}: {effects:?}");
        }
    }
}

#[test]
fn a_look_is_on_disk_before_it_is_told_and_the_lock_is_kept_until_it_is_heard() {
    let mut effects = Vec::new();
    let mut machine = Judge::asking(ME, &mut effects);
    machine.apply(Event::Locked, &mut effects);
    assert_eq!(machine.apply(Event::Looked(Finding::Applied), &mut effects), Some(Decision::Committed));
    machine.apply(Event::Delivered(ME), &mut effects);
    let told = Word::of(Decision::Committed, None, true);
    let recorded = Effect::Record(Record::Decided(Decision::Committed));
    let expected =
        [Effect::TakeLookLock, Effect::Look, recorded, Effect::Send(told), Effect::GiveBackLookLock];
    assert_eq!(effects, expected);
}

#[test]
fn a_new_life_of_the_coordinator_keeps_its_lock_while_its_child_lives() {
    let mut effects = Vec::new();
    let mut machine = Judge::keeping(ME, &mut effects);
    machine.apply(Event::Settled, &mut effects);
    assert_eq!((machine.state(), effects.len()), (State::Waiting, 1));
    machine.apply(Event::WriterEnded, &mut effects);
    machine.apply(Event::Looked(Finding::NotApplied), &mut effects);
    machine.apply(Event::TransportLost, &mut effects);
    assert_eq!(effects.last(), Some(&Effect::GiveBackLocks));
}
