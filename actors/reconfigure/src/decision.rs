//! What survivors know when the coordinator leaves. Pure.
//!
//! Members that go together from one view to the next have delivered the same messages in it. So each survivor comes to the
//! same answer from what it has delivered, without asking:
//!
//! | | delivered when the coordinator leaves | answer |
//! |---|---|---|
//! | D-1 | COMMIT | committed |
//! | D-2 | ABANDON | abandoned |
//! | D-3 | no VOTE of at least one participant *that survives*, or its no; or no READY of at least one concerned one that does | abandoned |
//! | D-4 | everything of all survivors | doubt |
//!
//! Why D-3 is certain: had the coordinator delivered that message, its sender, who is alive, would have delivered it too, in
//! this view. So the coordinator cannot have opened the gate, and does not open it without the sender. It says nothing of a
//! participant that has left as well: what the two have delivered before they died is not known to anybody.
//!
//! That PREPARE is missing proves nothing by itself: hosts that are not concerned may part from a coordinator that goes on
//! without them, and they would call abandoned what it then commits. (The simulation has found that.)
//!
//! Where nothing is written there is no doubt: without COMMIT it is abandoned.

use crate::kind::Terms;
use crate::roll::Roll;
use crate::word::Decision;

/// What a survivor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// What has become of the change.
    Certain(Decision),
    /// Whether it is written must be read.
    Doubt,
}

/// Returns what is known when the coordinator has left and `roll` says who is left; `told` is the decision that was
/// delivered.
pub fn without_coordinator(terms: Terms, told: Option<Decision>, roll: &Roll) -> Verdict {
    match told {
        Some(decision) => Verdict::Certain(decision),
        None if !terms.writes || !roll.have_all_said_yes() || !roll.are_all_ready() => {
            Verdict::Certain(Decision::Abandoned)
        }
        None => Verdict::Doubt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::member::Member;
    use crate::word::{Cause, Code, Concern, Vote};

    fn member(node: u32) -> Member {
        Member { node, pid: 1 }
    }

    /// Coordinator 1 has left; 2 and 3 are concerned, 4 is not.
    fn roll(ready: &[u32], left: &[u32]) -> Roll {
        let mut roll = Roll::new((1..=4).map(member));
        for node in 1..=4 {
            let concern = if node == 4 { Concern::None } else { Concern::Lv };
            assert!(roll.vote(member(node), Vote { concern, objection: None }));
        }
        for node in ready {
            roll.ready(member(*node));
        }
        let left: Vec<_> = left.iter().map(|node| member(*node)).collect();
        roll.leave(&left);
        roll
    }

    #[test]
    fn the_answer_follows_from_what_survivors_share() {
        use Decision::{Abandoned, Committed};
        let rows = [
            // told, ready, left, answer
            (Some(Committed), &[1, 2, 3][..], &[1][..], Verdict::Certain(Committed)),
            (Some(Abandoned), &[1, 2, 3], &[1], Verdict::Certain(Abandoned)),
            (None, &[], &[1], Verdict::Certain(Abandoned)),
            (None, &[1, 3], &[1], Verdict::Certain(Abandoned)),
            (None, &[2, 3], &[1], Verdict::Doubt),
            (None, &[1, 2, 3], &[1], Verdict::Doubt),
            // The one that is not ready has left as well: the coordinator may have heard it.
            (None, &[1, 2], &[1, 3], Verdict::Doubt),
            (None, &[1], &[1, 3], Verdict::Certain(Abandoned)),
            // Nobody is concerned: the coordinator may have gone on without them.
            (None, &[], &[1, 2, 3], Verdict::Doubt),
        ];
        for (told, ready, left, expected) in rows {
            let verdict = without_coordinator(Kind::Resize.terms(), told, &roll(ready, left));
            assert_eq!(verdict, expected, "{told:?} {ready:?} {left:?}");
        }
    }

    #[test]
    fn a_survivor_who_has_not_voted_or_objects_makes_it_certain() {
        for vote in [None, Some(Cause::new(2, Code::Copying, "pvmove0"))] {
            let mut roll = Roll::new([1, 2].map(member).into_iter());
            if vote.is_some() {
                roll.vote(member(2), Vote { concern: Concern::None, objection: vote });
            }
            roll.leave(&[member(1)]);
            let verdict = without_coordinator(Kind::Resize.terms(), None, &roll);
            assert_eq!(verdict, Verdict::Certain(Decision::Abandoned));
        }
    }

    #[test]
    fn where_nothing_is_written_there_is_no_doubt() {
        let terms = Kind::Activate.terms();
        let verdict = without_coordinator(terms, None, &roll(&[1, 2, 3], &[1]));
        assert_eq!(verdict, Verdict::Certain(Decision::Abandoned));
    }
}
