//! What is cached of one VG, and what becomes of it. Pure.
//!
//! ```text
//!                  a PV says it, with seqno > 0; a command has changed it
//!      (unknown) ─────────────────────────────────────────────────────────▶ Cached(seqno)
//!          ▲                                                                  │    │   ▲
//!          │ its last PV that is there goes, or moves to another VG;          │    │   │ metadata: see the table
//!          │ a command has removed it                                        │    └───┘
//!          └──────────────────────────────────────────────────────────────────┘
//!
//!      valid ──── a version above the seqno is announced; its actor has crashed ───▶ invalid
//!        ▲                                                                             │
//!        └─────── a command has changed it, and its seqno reaches that version ────────┘
//! ```
//!
//! Metadata that come while others are cached, by their seqno:
//!
//! | seqno | a PV says it | a command has changed the VG |
//! |---|---|---|
//! | below | refused, and that PV is outdated | taken: the command knows |
//! | the same, same text | nothing changes | nothing changes |
//! | the same, other text | refused: the PVs contradict one another | taken: the command knows |
//! | above | taken, and the PVs of the old metadata are outdated | taken |
//!
//! With another name, it is a renamed VG: what was outdated or announced is forgotten. That is forgotten as well when a
//! command brings metadata that are not newer. A PV counts as outdated only if it has a metadata area that is in use.
//!
//! Source: lvm2 2.02.188, lvmetad; better in one point: texts are compared with their keys.

use lvmwarden_protocol::metadata::{Pvid, Vgname};
use lvmwarden_protocol::metadata::{UpdatedVg, VgText};

use crate::roles::metadata::pv_index::Provenance;

#[cfg(test)]
mod tests;

/// What is cached of a VG. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VgState {
    /// Its name.
    pub name: Vgname,
    /// Its metadata.
    pub text: VgText,
    /// Where the metadata come from.
    pub provenance: Provenance,
    /// PVs that are there with other versions of the metadata, the newest found first.
    pub outdated: Vec<Pvid>,
    /// What was announced, if anything ever was.
    pub announced: Option<Announced>,
}

/// A version that the VG will have, or has on the disk already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Its seqno; 0: unknown.
    pub version: i64,
    /// The cache is older.
    pub is_invalid: bool,
}

/// What happens to a VG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A PV that is found says these metadata.
    Offered(UpdatedVg, Provenance, Reporter),
    /// A command has changed the VG.
    Updated(UpdatedVg, Provenance),
    /// The VG will have this seqno, or 0 for one that nobody knows.
    Announced(i64),
    /// What was outdated is dealt with.
    OutdatedCleared,
    /// The actor of the VG has crashed.
    Crashed,
}

/// The PV that says what its VG is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// The PV.
    pub id: Pvid,
    /// It has a metadata area that is in use.
    pub has_used_area: bool,
}

/// What becomes of a VG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The VG from now on.
    pub state: VgState,
    /// What that means for its PVs.
    pub outcome: Outcome,
}

/// What an event means for the PVs of a VG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The metadata are as they were.
    Unchanged,
    /// The PVs of the old metadata are let go, and those of the new ones taken.
    Replaced,
    /// The metadata were refused: they are older than those that are cached.
    Older,
    /// The metadata were refused: others with the same seqno are cached.
    Contradicting,
    /// The metadata were refused: they have no seqno.
    WithoutSeqno,
}

impl VgState {
    /// Returns the state of a VG that nobody knows, after its metadata have come; `None` if they have no seqno.
    pub fn first(metadata: UpdatedVg, provenance: Provenance) -> Option<Self> {
        (metadata.text.seqno > 0).then(|| Self::of(metadata, provenance))
    }

    fn of(metadata: UpdatedVg, provenance: Provenance) -> Self {
        let UpdatedVg { name, text } = metadata;
        Self { name, text, provenance, outdated: Vec::new(), announced: None }
    }

    /// Tells whether what is cached is known to be out of date.
    pub fn is_invalid(&self) -> bool {
        self.announced.is_some_and(|announced| announced.is_invalid)
    }

    /// Decides what becomes of the VG; `has_used_area` tells of a PV that is there whether a metadata area of its is in use.
    pub fn apply(&self, event: Event, has_used_area: impl Fn(&Pvid) -> bool) -> Decision {
        match event {
            Event::Offered(metadata, provenance, reporter) => {
                let is_used = |pv: &Pvid| {
                    if *pv == reporter.id { reporter.has_used_area } else { has_used_area(pv) }
                };
                self.offered(metadata, provenance, &reporter.id, is_used)
            }
            Event::Updated(metadata, provenance) => self.updated(metadata, provenance),
            Event::Announced(version) => self.announced(version),
            Event::OutdatedCleared => Self::unchanged(Self { outdated: Vec::new(), ..self.clone() }),
            Event::Crashed => {
                let announced = Some(Announced { version: 0, is_invalid: true });
                Self::unchanged(Self { announced, ..self.clone() })
            }
        }
    }

    fn unchanged(state: Self) -> Decision {
        Decision { state, outcome: Outcome::Unchanged }
    }

    fn offered(
        &self,
        metadata: UpdatedVg,
        provenance: Provenance,
        reporter: &Pvid,
        is_used: impl Fn(&Pvid) -> bool,
    ) -> Decision {
        let refused = |state, outcome| Decision { state, outcome };
        let (cached, seqno) = (self.text.seqno, metadata.text.seqno);
        if seqno <= 0 {
            return refused(self.clone(), Outcome::WithoutSeqno);
        }
        if seqno < cached {
            let mut state = self.clone();
            if is_used(reporter) {
                state.mark_outdated(reporter);
            }
            return refused(state, Outcome::Older);
        }
        if seqno == cached {
            if metadata.text != self.text {
                return refused(self.clone(), Outcome::Contradicting);
            }
            return self.confirmed(metadata, provenance);
        }
        let mut state = self.replaced(metadata, provenance);
        if state.name == self.name {
            for listed in self.text.pvs().iter().filter(|listed| is_used(&listed.id)) {
                state.mark_outdated(&listed.id);
            }
        }
        Decision { state, outcome: Outcome::Replaced }
    }

    fn updated(&self, metadata: UpdatedVg, provenance: Provenance) -> Decision {
        let (cached, seqno) = (self.text.seqno, metadata.text.seqno);
        let is_same = seqno == cached && metadata.text == self.text;
        let mut decision = if is_same {
            self.confirmed(metadata, provenance)
        } else if seqno > cached {
            Decision { state: self.replaced(metadata, provenance), outcome: Outcome::Replaced }
        } else {
            Decision { state: Self::of(metadata, provenance), outcome: Outcome::Replaced }
        };
        if let Some(announced) = &mut decision.state.announced {
            announced.is_invalid &= seqno < announced.version;
        }
        decision
    }

    /// The text is the one that is cached; the name may be another.
    fn confirmed(&self, metadata: UpdatedVg, provenance: Provenance) -> Decision {
        if metadata.name != self.name {
            return Decision { state: Self::of(metadata, provenance), outcome: Outcome::Replaced };
        }
        let verified_at = provenance.verified_at;
        let provenance = Provenance { verified_at, ..self.provenance };
        Self::unchanged(Self { provenance, ..self.clone() })
    }

    /// Newer metadata: what is outdated and announced is known still, unless the VG has another name.
    fn replaced(&self, metadata: UpdatedVg, provenance: Provenance) -> Self {
        let mut state = Self::of(metadata, provenance);
        if state.name == self.name {
            state.outdated.clone_from(&self.outdated);
            state.announced = self.announced;
        }
        state
    }

    fn announced(&self, version: i64) -> Decision {
        if version != 0 && version <= self.text.seqno {
            return Self::unchanged(self.clone());
        }
        let announced = Some(Announced { version, is_invalid: true });
        Self::unchanged(Self { announced, ..self.clone() })
    }

    fn mark_outdated(&mut self, pv: &Pvid) {
        if !self.outdated.contains(pv) {
            self.outdated.insert(0, pv.clone());
        }
    }
}
