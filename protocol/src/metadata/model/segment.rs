//! The kinds of segments.

/// A part of an LV that is mapped in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where in the LV it begins.
    pub start_extent: u64,
    /// How long it is.
    pub extent_count: u64,
    /// Its kind as the text names it, such as `striped`, without what may follow a `+`.
    pub type_name: String,
    /// How it is mapped.
    pub kind: SegmentKind,
}

/// How a segment is mapped. LVs are meant by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SegmentKind {
    /// To one place (linear), or in turn to several.
    Striped {
        /// Where to.
        areas: Vec<Area>,
        /// How much goes to one place in turn; 0 for linear.
        stripe_size_bytes: u64,
    },
    /// To several places, each with all of it. A pvmove's places are on PVs.
    Mirror {
        /// Where to.
        areas: Vec<Area>,
        /// The LV that notes what is in sync; empty: memory.
        log: String,
        /// How much is copied at once.
        region_size_bytes: u64,
    },
    /// To several LVs, by the rules of md.
    Raid {
        /// The LVs with the data.
        images: Vec<Area>,
        /// The LVs with what md remembers; none for raid0.
        metas: Vec<Area>,
        /// How much goes to one image in turn; 0 for raid1.
        stripe_size_bytes: u64,
        /// How much is brought in sync at once.
        region_size_bytes: u64,
    },
    /// Not mapped: says that one LV is a snapshot of another. The LV that has this segment has no other use.
    Snapshot {
        /// The LV as it is.
        origin: String,
        /// The LV with what it was.
        cow: String,
        /// How much is copied at once.
        chunk_size_bytes: u64,
        /// What it was is being brought back.
        is_merging: bool,
    },
    /// To a thin pool.
    Thin {
        /// The pool.
        pool: String,
        /// Its number in the pool.
        device_id: u64,
        /// The thin LV of which it is a snapshot; empty: of none.
        origin: String,
        /// The LV outside of the pool that has what was never written; empty: none.
        external_origin: String,
        /// The LV into which it is being merged; empty: none.
        merges_into: String,
    },
    /// A thin pool.
    ThinPool {
        /// The LV with the data.
        data: String,
        /// The LV that says where they are.
        metadata: String,
        /// How much is allocated at once.
        chunk_size_bytes: u64,
        /// What is allocated is zeroed.
        zeroes: bool,
        /// What is done with discards, such as `passdown`; empty if the text does not say.
        discards: String,
    },
    /// To a slow LV, with a fast one before it.
    Cache {
        /// The cache pool, or the one LV that serves as such.
        pool: String,
        /// The slow LV.
        origin: String,
    },
    /// A cache pool.
    CachePool {
        /// The LV with the data.
        data: String,
        /// The LV that says whose they are.
        metadata: String,
        /// How much is cached at once.
        chunk_size_bytes: u64,
        /// Such as `writethrough`; empty if the text does not say.
        mode: String,
    },
    /// To a slow LV, with a fast one that takes what is written.
    Writecache {
        /// The fast LV.
        cache: String,
        /// The slow LV.
        origin: String,
        /// How much is written at once.
        block_size_bytes: u64,
    },
    /// To a VDO pool.
    Vdo {
        /// The pool.
        pool: String,
    },
    /// A VDO pool.
    VdoPool {
        /// The LV with the data.
        data: String,
    },
    /// To an LV whose data are checked.
    Integrity {
        /// The LV.
        origin: String,
        /// The LV with the checksums; empty: the LV itself.
        metadata: String,
    },
    /// Reads and writes fail.
    Error,
    /// Reads give zeros.
    Zero,
    /// By a rule that this program does not know; see the name of the type.
    Unknown,
}

/// A piece of a PV or of another LV, as long as its share of the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Where it is.
    pub place: Place,
    /// The extent at which it begins there.
    pub start_extent: u64,
    /// How long it is; 0 where the whole LV serves.
    pub extent_count: u64,
}

/// What an area is a piece of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A PV, by what the text calls it.
    Pv(String),
    /// Another LV, by its name.
    Lv(String),
    /// Something that the VG does not have (any more).
    Nowhere(String),
}

impl Segment {
    /// Returns the areas that it is mapped to.
    pub fn areas(&self) -> &[Area] {
        match &self.kind {
            SegmentKind::Striped { areas, .. } | SegmentKind::Mirror { areas, .. } => areas,
            SegmentKind::Raid { images, .. } => images,
            SegmentKind::Snapshot { .. }
            | SegmentKind::Thin { .. }
            | SegmentKind::ThinPool { .. }
            | SegmentKind::Cache { .. }
            | SegmentKind::CachePool { .. }
            | SegmentKind::Writecache { .. }
            | SegmentKind::Vdo { .. }
            | SegmentKind::VdoPool { .. }
            | SegmentKind::Integrity { .. }
            | SegmentKind::Error
            | SegmentKind::Zero
            | SegmentKind::Unknown => &[],
        }
    }

    /// Returns the type as lvm's reports name it: a striped segment with one place is `linear`.
    pub fn report_type(&self) -> &str {
        match &self.kind {
            SegmentKind::Striped { areas, .. } if areas.len() == 1 => "linear",
            SegmentKind::Striped { .. }
            | SegmentKind::Mirror { .. }
            | SegmentKind::Raid { .. }
            | SegmentKind::Snapshot { .. }
            | SegmentKind::Thin { .. }
            | SegmentKind::ThinPool { .. }
            | SegmentKind::Cache { .. }
            | SegmentKind::CachePool { .. }
            | SegmentKind::Writecache { .. }
            | SegmentKind::Vdo { .. }
            | SegmentKind::VdoPool { .. }
            | SegmentKind::Integrity { .. }
            | SegmentKind::Error
            | SegmentKind::Zero
            | SegmentKind::Unknown => &self.type_name,
        }
    }
}
