//! What the three machines of a host say to one another.

use super::*;
use crate::kind::Kind;
use crate::word::{Concern, Vote};

fn member(node: u32) -> Member {
    Member { node, pid: 1 }
}

/// The participant of host 2 in doubt, with the effects that followed.
fn in_doubt() -> (Change, Membership, Vec<Effect>) {
    let mut around = Membership::new();
    around.view_changed(&[], &[1, 2].map(member));
    [1, 2].map(member).into_iter().for_each(|member| around.hello_heard(member));
    let ring = crate::member::Ring { node: 1, sequence: 1 };
    around.ring_formed(ring);
    around.quorum_told(ring, true);
    let mut change = Change::heard(member(2), Kind::Resize.terms());
    let mut effects = Vec::new();
    let vote = Vote { concern: Concern::Lv, objection: None };
    let from = |node, word| Event::Delivered(member(node), word);
    for event in [
        from(1, Word::Propose { round: 1 }),
        Event::Participant(participant::Event::Checked(vote.clone())),
        from(1, Word::Vote { round: 1, vote: vote.clone() }),
        from(2, Word::Vote { round: 1, vote }),
        from(1, Word::Prepare),
        Event::Participant(participant::Event::Prepared),
        from(2, Word::Ready),
    ] {
        change.apply(event, &around, &mut effects);
    }
    effects.clear();
    around.view_changed(&[member(1)], &[]);
    change.apply(Event::ViewChanged(vec![member(1)], false), &around, &mut effects);
    (change, around, effects)
}

#[test]
fn a_doubt_gets_a_judge_whose_finding_the_participant_follows() {
    let (mut change, around, mut effects) = in_doubt();
    assert!(effects.contains(&Effect::TakeLookLock), "{effects:?}");
    effects.clear();
    change.apply(Event::Judge(judge::Event::Locked), &around, &mut effects);
    change.apply(Event::Looked(Finding::Applied), &around, &mut effects);
    assert!(effects.contains(&Effect::Refresh), "{effects:?}");
    assert_eq!(change.decision(), Some(Decision::Committed));
    let word = Word::of(Decision::Committed, None, true);
    change.apply(Event::Delivered(member(2), word), &around, &mut effects);
    assert_eq!(effects.last(), Some(&Effect::GiveBackLookLock));
}

#[test]
fn a_judge_goes_home_when_somebody_else_has_told() {
    let (mut change, around, mut effects) = in_doubt();
    effects.clear();
    change.apply(Event::Told(member(1), Decision::Abandoned), &around, &mut effects);
    assert!(effects.contains(&Effect::GiveBackLookLock) && effects.contains(&Effect::Undo), "{effects:?}");
}

#[test]
fn without_a_transport_a_host_hears_itself_and_comes_to_the_end() {
    let (mut change, mut around, mut effects) = in_doubt();
    around.lost();
    change.apply(Event::TransportLost, &around, &mut effects);
    change.apply(Event::Judge(judge::Event::Locked), &around, &mut effects);
    change.apply(Event::Looked(Finding::NotApplied), &around, &mut effects);
    change.apply(Event::Participant(participant::Event::PartDone), &around, &mut effects);
    assert!(change.is_over(), "{change:?}");
}

#[test]
fn the_coordinators_new_life_knows_that_nothing_is_written_unless_the_gate_was_open() {
    let voted = Some((Concern::Lv, false));
    let asked =
        Memory { is_coordinator: true, voted, is_preparing: true, is_ready: true, ..Memory::default() };
    let resumed = |memory| {
        let mut effects = Vec::new();
        let change = Change::resumed(member(1), member(1), Kind::Resize.terms(), memory, &mut effects);
        (change, effects)
    };
    let (change, effects) = resumed(asked);
    assert_eq!(effects[..2], [Effect::ShutGate, Effect::GiveBackLocks]);
    assert_eq!(change.decision(), Some(Decision::Abandoned));
    let (change, effects) = resumed(Memory { has_gate: true, ..asked });
    assert_eq!((effects.first(), change.decision()), (Some(&Effect::AwaitWriter), None));
    assert!(!effects.contains(&Effect::GiveBackLocks), "{effects:?}");
}
