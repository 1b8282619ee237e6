//! What people read.

use lvmwarden_protocol::api::reconfigure::Goal;

use super::*;

fn host(name: &str, code: Option<&str>) -> Host {
    Host {
        node: 1,
        name: name.to_owned(),
        concern: Concern::Lv,
        vote: Some(if code.is_some() { Answer::No } else { Answer::Yes }),
        code: code.map(str::to_owned),
        reason: code
            .map(|_| "it reads vg0 with seqno 41, the proposal has 43: is a path missing?".to_owned()),
        notes: Vec::new(),
        state: "done".to_owned(),
        held_ms: None,
        lagging: false,
        gone: false,
    }
}

fn ended(kind: OutcomeKind, hosts: Vec<Host>) -> Change {
    let goal = Goal::of(Kind::Tag, "vg0");
    let outcome = Outcome {
        kind,
        node: Some("b".to_owned()),
        phase: Some(Phase::Voting),
        code: Some("left".to_owned()),
        reason: Some("it has left".to_owned()),
        remedy: None,
        simultaneous: true,
        lagging: Vec::new(),
    };
    Change {
        id: "0b5c41d2-0000-4000-8000-000000000001".to_owned(),
        goal,
        goal_text: "tag vg0 +a".to_owned(),
        coordinator: "a".to_owned(),
        phase: Phase::Ended,
        round: 1,
        since: "2026-11-29T10:00:00Z".to_owned(),
        took_ms: 1234,
        deadline_ms: None,
        asked_by: Some("root".to_owned()),
        hosts,
        outcome: Some(outcome),
    }
}

#[test]
fn an_end_says_on_how_many_hosts_or_who_has_objected() {
    let committed = |hosts| end(&ended(OutcomeKind::Committed, hosts));
    assert_eq!(committed(vec![host("a", None)]), "Committed on 1 host.\n");
    assert_eq!(committed(vec![host("a", None), host("b", None)]), "Committed on 2 hosts.\n");
    assert_eq!(committed(Vec::new()), "Nothing to do: it is so already.\n");
    let objected =
        end(&ended(OutcomeKind::Abandoned, vec![host("a", None), host("b", Some("stale_metadata"))]));
    let expected = "Change 0b5c41d2: abandoned while voting.
Nothing was changed.
  b  no  stale_metadata
    it reads vg0 with seqno 41, the proposal has 43: is a
    path missing?
";
    assert_eq!(objected, expected);
    let left = end(&ended(OutcomeKind::Abandoned, vec![host("a", None)]));
    assert!(left.ends_with("  b  left\n    it has left\n"), "{left}");
}

#[test]
fn no_line_of_a_change_is_wider_than_sixty() {
    let change = ended(OutcomeKind::Abandoned, vec![host("a", None), host("b", Some("stale_metadata"))]);
    let text = end(&change) + &phase(Phase::Voting, &change, 310) + &heading(&change);
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    assert!(text.contains("  voting      a yes  b no"), "{text}");
}

#[test]
fn what_comes_from_elsewhere_cannot_act_on_the_terminal() {
    let hostile = Host { reason: Some("\u{1b}[2Jgone".to_owned()), ..host("\u{1b}[31mb", Some("open")) };
    let text = end(&ended(OutcomeKind::Abandoned, vec![hostile]));
    assert!(!text.contains('\u{1b}'), "{text:?}");
}
