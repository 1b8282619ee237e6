//! VGs, PVs and LVs that tests show.

use lvmwarden_protocol::api::metadata::{
    Completeness, Coverage, Freshness, Lv, Piece, Pv, Reading, Source, Vg,
};

const MIB: u64 = 1 << 20;

pub(super) fn coverage() -> Coverage {
    Coverage { reading: Reading::Done, since_ms: 60_000 }
}

fn fresh() -> Freshness {
    Freshness { source: Source::Disk, age_ms: 120_000, verified_ms_ago: 3000 }
}

pub(in crate::cli) fn vg(name: &str) -> Vg {
    Vg {
        vgname: name.to_owned(),
        uuid: "xKzQts-GiWl-g2TP-UP7i-GUmJ-tIp8-uD1pRk".to_owned(),
        seqno: 12,
        attr: "wz--n-".to_owned(),
        completeness: Completeness::Complete,
        missing_pvs: 0,
        is_out_of_date: false,
        pvs: 2,
        lvs: 3,
        snapshots: 0,
        size_bytes: 510 * MIB,
        free_bytes: 402 * MIB,
        extent_size_bytes: MIB,
        extents: 510,
        free_extents: 402,
        tags: vec!["prod".to_owned()],
        system_id: None,
        lock_type: None,
        freshness: fresh(),
    }
}

pub(super) fn pv(device: &str) -> Pv {
    Pv {
        uuid: "ol9Qmi-Z419-1oit-nJ7c-v7lr-C6ec-5Vcwnt".to_owned(),
        device: Some(device.to_owned()),
        vgname: Some("vg0".to_owned()),
        vg_uuid: None,
        seqno: Some(12),
        attr: "a--".to_owned(),
        is_missing: false,
        is_orphan: Some(false),
        device_size_bytes: Some(256 * MIB),
        data_start_bytes: Some(MIB),
        size_bytes: Some(255 * MIB),
        free_bytes: Some(195 * MIB),
        extents: Some(255),
        free_extents: Some(195),
        tags: vec![],
        freshness: Some(fresh()),
        pieces: None,
    }
}

pub(super) fn piece(start_extent: u64, extents: u64, of: Option<&str>) -> Piece {
    let of = of.map(str::to_owned);
    Piece { start_extent, extents, lvname: of.clone(), of_lvname: of }
}

pub(super) fn lv(name: &str) -> Lv {
    Lv {
        vgname: "vg0".to_owned(),
        vg_uuid: "xKzQts-GiWl-g2TP-UP7i-GUmJ-tIp8-uD1pRk".to_owned(),
        seqno: 12,
        lvname: name.to_owned(),
        uuid: "mZa9zA-8sQ8-5du0-uM9G-6ftB-uWtj-fQKblM".to_owned(),
        attr: "-wi-------".to_owned(),
        is_visible: true,
        is_partial: false,
        part_of: None,
        kind: "linear".to_owned(),
        size_bytes: 60 * MIB,
        origin: None,
        pool: None,
        tags: vec![],
        created_at: None,
        created_on: None,
        kernel: None,
        freshness: fresh(),
        segments: None,
    }
}
