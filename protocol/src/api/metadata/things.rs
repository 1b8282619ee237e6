//! What is told of VGs, PVs and LVs.

use serde::{Deserialize, Serialize};

/// Declares a struct that is sent.
macro_rules! thing {
    ($(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$field_docs])* pub $field: $type,)* }
    };
}

/// Declares an enum that is sent.
macro_rules! word {
    ($(#[$docs:meta])* $name:ident { $($(#[$variant_docs:meta])* $variant:ident,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_docs])* $variant,)* }
    };
}

word! {
    /// Whether all PVs were looked at.
    Reading {
        /// Not yet: what is not told may be there all the same.
        Underway,
        /// They were.
        Done,
    }
}
word! {
    /// Who has read something from the disks.
    Source {
        /// An lvm command, which has told it.
        Command,
        /// The daemon itself.
        Disk,
    }
}
word! {
    /// How much of a VG is there.
    Completeness {
        /// Every PV that its metadata list.
        Complete,
        /// Not all of them.
        Partial,
        /// Nothing: it is not known.
        Missing,
    }
}
word! {
    /// What is not as it should be.
    ProblemKind {
        /// One PV is on several devices.
        DuplicatePv,
        /// Several VGs have one name.
        SameName,
        /// A PV is there with metadata that are older than its VG's.
        OldCopy,
        /// PVs have different metadata with the same seqno.
        Contradiction,
        /// A PV that a VG lists is not there.
        MissingPv,
        /// What is on a device cannot be read, or makes no sense.
        Unreadable,
        /// What is known of a VG is older than what is on its disks.
        OutOfDate,
        /// One of those who tell of changes does not work.
        SourceDown,
    }
}
word! {
    /// What has become of a VG.
    Change {
        /// It is there, at the beginning of a watch.
        Known,
        /// It is there since now.
        Appeared,
        /// It has another seqno or name.
        Changed,
        /// Its last missing PV has come.
        Completed,
        /// A PV of it is missing since now.
        Degraded,
        /// It is not there any more.
        Gone,
    }
}

/// How far an answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Coverage {
    /// Whether all PVs were looked at.
    pub reading: Reading,
    /// For how long that has been so.
    pub since_ms: u64,
}

/// How far something is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Freshness {
    /// Who has read it from the disks.
    pub source: Source,
    /// The time since it was read.
    pub age_ms: u64,
    /// The time since it was last known to be what is on the disks.
    pub verified_ms_ago: u64,
}

thing! {
    /// A VG.
    Vg {
        /// Its name.
        vgname: String,
        /// Its UUID, as lvm writes it.
        uuid: String,
        /// Its version.
        seqno: i64,
        /// The letters of vgs(8).
        attr: String,
        /// How much of it is there.
        completeness: Completeness,
        /// How many PVs are not there.
        missing_pvs: u64,
        /// What is on the disks is known to be newer.
        is_out_of_date: bool,
        /// How many PVs it has.
        pvs: u64,
        /// How many LVs it has, without those that are parts of others.
        lvs: u64,
        /// How many snapshots are among them.
        snapshots: u64,
        /// How large it is.
        size_bytes: u64,
        /// How much of it is free.
        free_bytes: u64,
        /// How long an extent is.
        extent_size_bytes: u64,
        /// How many extents it has.
        extents: u64,
        /// How many of them are free.
        free_extents: u64,
        /// Its tags.
        tags: Vec<String>,
        /// The host that it belongs to; `None`: any.
        system_id: Option<String>,
        /// Its lock manager; `None`: it is not shared.
        lock_type: Option<String>,
        /// How far this is to be believed.
        freshness: Freshness,
    }
}
thing! {
    /// A stretch of a PV.
    Piece {
        /// Where it begins.
        start_extent: u64,
        /// How long it is.
        extents: u64,
        /// What lies there; `None`: it is free.
        lvname: Option<String>,
        /// The LV of which that is a part in the end, or itself.
        of_lvname: Option<String>,
    }
}
thing! {
    /// A PV.
    Pv {
        /// Its UUID, as lvm writes it.
        uuid: String,
        /// Its device; `None`: it is missing.
        device: Option<String>,
        /// Its VG's name; `None`: it is in none.
        vgname: Option<String>,
        /// Its VG's UUID.
        vg_uuid: Option<String>,
        /// Its VG's version.
        seqno: Option<i64>,
        /// The letters of pvs(8).
        attr: String,
        /// It is not there.
        is_missing: bool,
        /// It is in no VG; `None`: that is not known.
        is_orphan: Option<bool>,
        /// How large its device is; `None`: it is missing.
        device_size_bytes: Option<u64>,
        /// Where its first extent begins.
        data_start_bytes: Option<u64>,
        /// How much its extents are together; of one that is in no VG: all of its device.
        size_bytes: Option<u64>,
        /// How much of them is free.
        free_bytes: Option<u64>,
        /// How many extents it has.
        extents: Option<u64>,
        /// How many of them are free.
        free_extents: Option<u64>,
        /// Its tags.
        tags: Vec<String>,
        /// How far this is to be believed; `None`: it is missing, and known from its VG alone.
        freshness: Option<Freshness>,
        /// What lies on it; with [`Show`](super::Show) only.
        pieces: Option<Vec<Piece>>,
    }
}
thing! {
    /// Where a segment is mapped to.
    Area {
        /// A PV.
        pv_uuid: Option<String>,
        /// Its device, where it is there.
        device: Option<String>,
        /// Another LV.
        lvname: Option<String>,
        /// Where it begins there.
        start_extent: u64,
        /// How long it is; 0: all of it.
        extents: u64,
    }
}
thing! {
    /// A segment.
    Segment {
        /// Where in the LV it begins.
        start_bytes: u64,
        /// How long it is.
        size_bytes: u64,
        /// The type that lvs(8) shows.
        kind: String,
        /// Where it is mapped to.
        areas: Vec<Area>,
        /// How much goes to one area in turn.
        stripe_size_bytes: Option<u64>,
        /// How much is brought in sync at once.
        region_size_bytes: Option<u64>,
        /// How much is allocated or cached at once.
        chunk_size_bytes: Option<u64>,
    }
}
thing! {
    /// What the kernel says of an LV that is active.
    Kernel {
        /// Nothing is read from it or written to it just now.
        is_suspended: bool,
        /// How full it is, 0 to 100.
        data_percent: Option<f64>,
        /// How full its metadata are, 0 to 100.
        metadata_percent: Option<f64>,
        /// How much of it is in sync, 0 to 100.
        sync_percent: Option<f64>,
        /// What is wrong with it, in the kernel's words.
        trouble: Option<String>,
    }
}
thing! {
    /// An LV.
    Lv {
        /// Its VG's name.
        vgname: String,
        /// Its VG's UUID.
        vg_uuid: String,
        /// Its VG's version.
        seqno: i64,
        /// Its name.
        lvname: String,
        /// Its UUID, as lvm writes it.
        uuid: String,
        /// The letters of lvs(8), as far as they are known.
        attr: String,
        /// It is no part of another.
        is_visible: bool,
        /// A PV is missing on which some of it lies.
        is_partial: bool,
        /// The LV of which it is a part in the end.
        part_of: Option<String>,
        /// The type of its first segment, as lvs(8) shows it.
        kind: String,
        /// How large it is.
        size_bytes: u64,
        /// Of what it is a snapshot, or what it caches.
        origin: Option<String>,
        /// Its pool.
        pool: Option<String>,
        /// Its tags.
        tags: Vec<String>,
        /// When it was made, RFC 3339.
        created_at: Option<String>,
        /// The host on which it was made.
        created_on: Option<String>,
        /// What the kernel says; `None`: it is not active, or the kernel does not answer.
        kernel: Option<Kernel>,
        /// How far this is to be believed.
        freshness: Freshness,
        /// Its segments; with [`Show`](super::Show) only.
        segments: Option<Vec<Segment>>,
    }
}
thing! {
    /// Something that is not as it should be.
    Problem {
        /// What.
        kind: ProblemKind,
        /// The VG's name, where it is one's.
        vgname: Option<String>,
        /// The VG's UUID.
        vg_uuid: Option<String>,
        /// The PV, where it is one's.
        pv_uuid: Option<String>,
        /// The devices that are concerned.
        devices: Vec<String>,
        /// What is wrong and what can be done, for people.
        detail: String,
    }
}
