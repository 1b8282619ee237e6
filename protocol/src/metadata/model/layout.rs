//! What lies where on the PVs, and how much is free.

use super::{Lv, Place, Pv, Vg};

/// A piece of a PV, in extents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'vg> {
    /// Where it begins on the PV.
    pub start_extent: u64,
    /// How long it is; never 0.
    pub extent_count: u64,
    /// What lies there; `None`: it is free.
    pub lv: Option<&'vg Lv>,
}

impl Vg {
    /// Returns how many extents its PVs have.
    pub fn extent_count(&self) -> u64 {
        self.pvs.iter().fold(0, |sum, pv| sum.saturating_add(pv.extent_count))
    }

    /// Returns how many of them are used, of all PVs together.
    pub fn used_extents(&self) -> u64 {
        self.pvs.iter().fold(0, |sum, pv| sum.saturating_add(used(&self.used_pieces(pv))))
    }

    /// Returns how many extents of a PV are used.
    pub fn used_extents_of(&self, pv: &Pv) -> u64 {
        used(&self.used_pieces(pv))
    }

    /// Returns what lies on a PV, and what is free, in the order of its extents, without a gap.
    ///
    /// Where the metadata say that two LVs lie in one place, the one that begins first is told.
    pub fn pieces(&self, pv: &Pv) -> Vec<Piece<'_>> {
        let (mut pieces, mut end) = (Vec::new(), 0);
        for piece in self.used_pieces(pv) {
            if piece.start_extent > end {
                pieces.push(Piece { start_extent: end, extent_count: piece.start_extent - end, lv: None });
            }
            end = piece.start_extent + piece.extent_count;
            pieces.push(piece);
        }
        if pv.extent_count > end {
            pieces.push(Piece { start_extent: end, extent_count: pv.extent_count - end, lv: None });
        }
        pieces
    }

    /// Returns what lies on a PV in order, cut to what the PV has, and such that nothing overlaps.
    fn used_pieces(&self, pv: &Pv) -> Vec<Piece<'_>> {
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for lv in &self.lvs {
            for area in lv.segments.iter().flat_map(super::Segment::areas) {
                if matches!(&area.place, Place::Pv(name) if *name == pv.name) && area.extent_count > 0 {
                    let (start_extent, extent_count) = (area.start_extent, area.extent_count);
                    pieces.push(Piece { start_extent, extent_count, lv: Some(lv) });
                }
            }
        }
        pieces.sort_by_key(|piece| piece.start_extent);
        let mut end = 0;
        pieces.retain_mut(|piece| {
            let begin = piece.start_extent.max(end);
            let piece_end = piece.start_extent.saturating_add(piece.extent_count).min(pv.extent_count);
            if piece_end <= begin {
                return false;
            }
            (piece.start_extent, piece.extent_count) = (begin, piece_end - begin);
            end = piece_end;
            true
        });
        pieces
    }
}

fn used(pieces: &[Piece<'_>]) -> u64 {
    pieces.iter().map(|piece| piece.extent_count).sum()
}
