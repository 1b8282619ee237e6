//! What a VG's metadata mean: the VG, its PVs and LVs with their segments, as numbers and names.
//!
//! ```text
//!  VgText (canonical text) ──▶ Vg ─┬─ pvs:  Pv        size, where its extents begin, how many
//!                                  └─ lvs:  Lv ─ segments: Segment ─ kind: SegmentKind ─ areas on PVs or in other LVs
//! ```
//!
//! | module | is |
//! |---|---|
//! | `read` | from the text to these types |
//! | [`segment`] | the kinds of segments |
//! | [`layout`] | what lies where on the PVs, and how much is free |
//! | [`family`] | which LV is a part of which other |
//! | [`attr`] | the letters that `vgs`, `pvs` and `lvs` show |
//!
//! The text is believed as little as possible: what is absent has lvm's default, what makes no sense counts as absent, and
//! a kind of segment that is not known is kept by its name. Only a VG without an extent size is refused: nothing in it could
//! be measured.
//!
//! Sizes in the text are sectors of 512 bytes or extents; here they are bytes, and extents where the name says so.
//!
//! Source: lvm2 2.03.16, texts that its commands have written, compared with its own reports (`tests/fixtures/`).

pub mod attr;
pub mod family;
pub mod layout;
mod read;
pub mod segment;

#[cfg(test)]
mod tests;

pub use segment::{Area, Place, Segment, SegmentKind};

/// A text that is no VG's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is no config text.
    #[error("read a VG's metadata: {0}")]
    Syntax(String),
    /// It does not say how long an extent is.
    #[error("read a VG's metadata: it has no extent size")]
    NoExtentSize,
}

/// A VG.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vg {
    /// Its name.
    pub name: String,
    /// Its UUID, 38 characters with dashes; empty if it has none.
    pub uuid: String,
    /// Its version; every change adds one.
    pub seqno: i64,
    /// The format of its metadata, such as `lvm2`.
    pub format: String,
    /// Its flags, such as `RESIZEABLE`.
    pub status: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The host that it belongs to; empty for any.
    pub system_id: String,
    /// Its lock manager, such as `sanlock`; empty for a local VG.
    pub lock_type: String,
    /// How long an extent is; never 0.
    pub extent_size_bytes: u64,
    /// How many LVs it may have; 0: any number.
    pub max_lv: u64,
    /// How many PVs it may have; 0: any number.
    pub max_pv: u64,
    /// How extents are chosen; empty for `normal`.
    pub allocation_policy: String,
    /// Its PVs, in the order of the text.
    pub pvs: Vec<Pv>,
    /// Its LVs, those included that are parts of others; in the order of the text.
    pub lvs: Vec<Lv>,
}

/// A PV, as its VG knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pv {
    /// What the text calls it, such as `pv0`.
    pub name: String,
    /// Its UUID, 38 characters with dashes; empty if it has none.
    pub uuid: String,
    /// Its flags, such as `ALLOCATABLE`, `MISSING`.
    pub status: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// How long its device is.
    pub device_size_bytes: u64,
    /// Where its first extent begins.
    pub data_start_bytes: u64,
    /// How many extents it has.
    pub extent_count: u64,
}

/// An LV.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lv {
    /// Its name.
    pub name: String,
    /// Its UUID, 38 characters with dashes; empty if it has none.
    pub uuid: String,
    /// Its flags, such as `READ`, `WRITE`, `VISIBLE`.
    pub status: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// How extents are chosen; empty for what the VG says.
    pub allocation_policy: String,
    /// When it was made, in Unix time; 0 if that is not known.
    pub creation_time: i64,
    /// The host on which it was made; empty if that is not known.
    pub creation_host: String,
    /// Its segments, in order.
    pub segments: Vec<Segment>,
}

impl Vg {
    /// Tells whether a flag is set.
    pub fn has(&self, flag: &str) -> bool {
        has(&self.status, flag)
    }

    /// Returns the LV with this name.
    pub fn lv(&self, name: &str) -> Option<&Lv> {
        self.lvs.iter().find(|lv| lv.name == name)
    }

    /// Returns how long so many extents are.
    pub fn bytes(&self, extents: u64) -> u64 {
        extents.saturating_mul(self.extent_size_bytes)
    }
}

impl Pv {
    /// Tells whether a flag is set.
    pub fn has(&self, flag: &str) -> bool {
        has(&self.status, flag)
    }
}

impl Lv {
    /// Tells whether a flag is set.
    pub fn has(&self, flag: &str) -> bool {
        has(&self.status, flag)
    }

    /// Returns how many extents it has.
    pub fn extent_count(&self) -> u64 {
        self.segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.extent_count))
    }
}

fn has(status: &[String], flag: &str) -> bool {
    status.iter().any(|set| set == flag)
}
