//! Every kind of metadata in every state, and what is announced.

use std::time::Duration;

use lvmwarden_protocol::config_text;

use super::*;
use crate::roles::metadata::pv_index::Source;

fn metadata(name: &str, seqno: i64, more: &str) -> UpdatedVg {
    let text = format!("id=G seqno={seqno} physical_volumes {{ p {{ id=A }} q {{ id=B }} }} {more}");
    let text = VgText::from_section(&config_text::parse(text.as_bytes()).unwrap()).unwrap();
    UpdatedVg { name: name.try_into().unwrap(), text }
}

fn provenance(second: u64) -> Provenance {
    Provenance::fresh(Source::Command, Duration::from_secs(second))
}

fn pv(id: &str) -> Pvid {
    id.try_into().unwrap()
}

/// Returns a VG with seqno 5, of which something is outdated and announced.
fn cached() -> VgState {
    let state = VgState::first(metadata("v", 5, ""), provenance(1)).unwrap();
    VgState { outdated: vec![pv("X")], announced: Some(Announced { version: 7, is_invalid: true }), ..state }
}

/// What became of name, seqno, the outdated and the announced: `v5 X 7!`, where `!` means invalid.
fn shown(state: &VgState) -> String {
    let outdated: String = state.outdated.iter().map(Pvid::as_str).collect();
    let announced = state.announced.map_or_else(
        || "-".to_owned(),
        |announced| format!("{}{}", announced.version, if announced.is_invalid { "!" } else { "" }),
    );
    format!("{}{} {outdated} {announced}", state.name, state.text.seqno)
}

#[test]
fn metadata_are_taken_or_refused_by_their_seqno() {
    use Outcome::{Contradicting, Older, Replaced, Unchanged, WithoutSeqno};
    for (name, seqno, more, offered, updated) in [
        ("v", 0, "", (WithoutSeqno, "v5 X 7!"), (Replaced, "v0  -")),
        ("v", 4, "", (Older, "v5 AX 7!"), (Replaced, "v4  -")),
        ("v", 5, "", (Unchanged, "v5 X 7!"), (Unchanged, "v5 X 7!")),
        ("v", 5, "x=1", (Contradicting, "v5 X 7!"), (Replaced, "v5  -")),
        ("v", 6, "", (Replaced, "v6 BAX 7!"), (Replaced, "v6 X 7!")),
        ("v", 7, "", (Replaced, "v7 BAX 7!"), (Replaced, "v7 X 7")),
        ("w", 4, "", (Older, "v5 AX 7!"), (Replaced, "w4  -")),
        ("w", 5, "", (Replaced, "w5  -"), (Replaced, "w5  -")),
        ("w", 5, "x=1", (Contradicting, "v5 X 7!"), (Replaced, "w5  -")),
        ("w", 6, "", (Replaced, "w6  -"), (Replaced, "w6  -")),
    ] {
        let reporter = Reporter { id: pv("A"), has_used_area: true };
        for (event, expected) in [
            (Event::Offered(metadata(name, seqno, more), provenance(2), reporter), offered),
            (Event::Updated(metadata(name, seqno, more), provenance(2)), updated),
        ] {
            let decision = cached().apply(event.clone(), |other| *other == pv("B"));
            assert_eq!((decision.outcome, &*shown(&decision.state)), expected, "{name} {seqno} {more:?}");
        }
    }
}

#[test]
fn only_a_pv_with_an_area_in_use_is_outdated_and_only_once() {
    let old = |has_used_area| {
        let reporter = Reporter { id: pv("X"), has_used_area };
        let event = Event::Offered(metadata("v", 4, ""), provenance(2), reporter);
        shown(&cached().apply(event, |_| true).state)
    };
    assert_eq!((&*old(true), &*old(false)), ("v5 X 7!", "v5 X 7!"));
    let reporter = Reporter { id: pv("B"), has_used_area: false };
    let newer = Event::Offered(metadata("v", 6, ""), provenance(2), reporter);
    assert_eq!(shown(&cached().apply(newer, |_| true).state), "v6 AX 7!");
}

#[test]
fn what_is_confirmed_is_verified_anew_and_what_is_replaced_is_read_anew() {
    let updated = |seqno| cached().apply(Event::Updated(metadata("v", seqno, ""), provenance(2)), |_| false);
    let second = |seqno| {
        let state = updated(seqno).state;
        (state.provenance.read_at.as_secs(), state.provenance.verified_at.as_secs())
    };
    assert_eq!((second(5), second(6)), ((1, 2), (2, 2)));
}

#[test]
fn a_version_is_announced_unless_it_is_cached_already() {
    for (version, expected) in [(0, "v5 X 0!"), (4, "v5 X 7!"), (5, "v5 X 7!"), (6, "v5 X 6!")] {
        let decision = cached().apply(Event::Announced(version), |_| false);
        assert_eq!((decision.outcome, &*shown(&decision.state)), (Outcome::Unchanged, expected));
    }
}

#[test]
fn a_vg_whose_actor_has_crashed_is_invalid_and_else_as_it_was() {
    let decision = cached().apply(Event::Crashed, |_| false);
    assert_eq!((decision.outcome, &*shown(&decision.state)), (Outcome::Unchanged, "v5 X 0!"));
    let cleared = decision.state.apply(Event::Updated(metadata("v", 6, ""), provenance(3)), |_| false);
    assert_eq!(shown(&cleared.state), "v6 X 0");
    assert_eq!(shown(&cached().apply(Event::OutdatedCleared, |_| false).state), "v5  7!");
}
