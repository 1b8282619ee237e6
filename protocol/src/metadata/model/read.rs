//! From the text to the model.

use std::collections::BTreeSet;

use super::{Area, Lv, ModelError, Place, Pv, Segment, SegmentKind, Vg};
use crate::config_text::{self, Content, Scalar, Section, Value};
use crate::metadata::VgText;

/// What the text counts sizes in.
const SECTOR_BYTES: u64 = 512;

impl Vg {
    /// Reads the metadata of the VG `name`.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn from_text(name: &str, text: &VgText) -> Result<Self, ModelError> {
        Self::parse(name, text.body())
    }

    /// Reads what stands between the braces of a VG's section.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn parse(name: &str, body: &[u8]) -> Result<Self, ModelError> {
        let section = config_text::parse(body).map_err(|error| ModelError::Syntax(error.to_string()))?;
        Self::from_section(name, &section)
    }

    /// Reads a VG's section.
    ///
    /// # Errors
    /// [`ModelError::NoExtentSize`].
    pub fn from_section(name: &str, section: &Section<'_>) -> Result<Self, ModelError> {
        let extent_size_bytes = bytes(section, "extent_size");
        if extent_size_bytes == 0 {
            return Err(ModelError::NoExtentSize);
        }
        let pvs: Vec<_> = entries(section, "physical_volumes").map(|(name, pv)| read_pv(name, pv)).collect();
        let names = Names {
            pvs: pvs.iter().map(|pv| pv.name.clone()).collect(),
            lvs: entries(section, "logical_volumes").map(|(name, _)| name).collect(),
        };
        Ok(Self {
            name: name.to_owned(),
            uuid: text(section, "id"),
            seqno: section.int("seqno").unwrap_or(-1),
            format: text(section, "format"),
            status: flags(section),
            tags: words(section, "tags"),
            system_id: text(section, "system_id"),
            lock_type: text(section, "lock_type"),
            extent_size_bytes,
            max_lv: number(section, "max_lv"),
            max_pv: number(section, "max_pv"),
            allocation_policy: text(section, "allocation_policy"),
            lvs: entries(section, "logical_volumes").map(|(name, lv)| read_lv(name, lv, &names)).collect(),
            pvs,
        })
    }
}

/// What there is that an area may be a piece of.
struct Names {
    pvs: BTreeSet<String>,
    lvs: BTreeSet<String>,
}

fn read_pv(name: String, section: &Section<'_>) -> Pv {
    Pv {
        name,
        uuid: text(section, "id"),
        status: flags(section),
        tags: words(section, "tags"),
        device_size_bytes: bytes(section, "dev_size"),
        data_start_bytes: bytes(section, "pe_start"),
        extent_count: number(section, "pe_count"),
    }
}

fn read_lv(name: String, section: &Section<'_>, names: &Names) -> Lv {
    // They are numbered from 1, in order; one that is absent ends them, whatever their count says.
    let sections = (1..).map_while(|number| section.section(&format!("segment{number}")));
    Lv {
        name,
        uuid: text(section, "id"),
        status: flags(section),
        tags: words(section, "tags"),
        allocation_policy: text(section, "allocation_policy"),
        creation_time: section.int("creation_time").unwrap_or_default(),
        creation_host: text(section, "creation_host"),
        segments: sections.map(|segment| read_segment(segment, names)).collect(),
    }
}

fn read_segment(section: &Section<'_>, names: &Names) -> Segment {
    let full = text(section, "type");
    let type_name = full.split('+').next().unwrap_or_default().to_owned();
    let extent_count = number(section, "extent_count");
    let kind = read_kind(&type_name, section, extent_count, names);
    Segment { start_extent: number(section, "start_extent"), extent_count, type_name, kind }
}

fn read_kind(type_name: &str, section: &Section<'_>, extent_count: u64, names: &Names) -> SegmentKind {
    let name = |key| text(section, key);
    match type_name {
        "striped" | "linear" => {
            let areas = areas(section, "stripes", names);
            let share = extent_count / (areas.len() as u64).max(1);
            let areas = areas.into_iter().map(|area| Area { extent_count: share, ..area }).collect();
            SegmentKind::Striped { areas, stripe_size_bytes: bytes(section, "stripe_size") }
        }
        "mirror" => {
            let areas = areas(section, "mirrors", names);
            let areas = areas.into_iter().map(|area| Area { extent_count, ..area }).collect();
            let region_size_bytes = bytes(section, "region_size");
            SegmentKind::Mirror { areas, log: name("mirror_log"), region_size_bytes }
        }
        raid if raid.starts_with("raid") => read_raid(section, names),
        "snapshot" => {
            let (merging, cow) = (name("merging_store"), name("cow_store"));
            let is_merging = !merging.is_empty();
            SegmentKind::Snapshot {
                origin: name("origin"),
                cow: if is_merging { merging } else { cow },
                chunk_size_bytes: bytes(section, "chunk_size"),
                is_merging,
            }
        }
        "thin" => SegmentKind::Thin {
            pool: name("thin_pool"),
            device_id: number(section, "device_id"),
            origin: name("origin"),
            external_origin: name("external_origin"),
            merges_into: name("merge"),
        },
        "thin-pool" => SegmentKind::ThinPool {
            data: name("pool"),
            metadata: name("metadata"),
            chunk_size_bytes: bytes(section, "chunk_size"),
            zeroes: number(section, "zero_new_blocks") != 0,
            discards: name("discards"),
        },
        "cache" => SegmentKind::Cache { pool: name("cache_pool"), origin: name("origin") },
        "cache-pool" => SegmentKind::CachePool {
            data: name("data"),
            metadata: name("metadata"),
            chunk_size_bytes: bytes(section, "chunk_size"),
            mode: name("cache_mode"),
        },
        "writecache" => SegmentKind::Writecache {
            cache: name("writecache"),
            origin: name("origin"),
            // The only size of all that the text has in bytes.
            block_size_bytes: number(section, "writecache_block_size"),
        },
        "vdo" => SegmentKind::Vdo { pool: name("vdo_pool") },
        "vdo-pool" => SegmentKind::VdoPool { data: name("data") },
        "integrity" => SegmentKind::Integrity { origin: name("origin"), metadata: name("meta_dev") },
        "error" => SegmentKind::Error,
        "zero" => SegmentKind::Zero,
        _ => SegmentKind::Unknown,
    }
}

/// A raid's list has images alone, or metas and images in turn: an image is followed by its number, a meta is not.
fn read_raid(section: &Section<'_>, names: &Names) -> SegmentKind {
    let listed = ["raids", "raid0_lvs"].into_iter().map(|key| strings(section, key));
    let listed = listed.max_by_key(Vec::len).unwrap_or_default();
    let count = ["device_count", "stripe_count"].into_iter().map(|key| number(section, key)).max();
    let has_metas = count.is_some_and(|count| count > 0 && listed.len() as u64 == count.saturating_mul(2));
    let (mut images, mut metas) = (Vec::new(), Vec::new());
    for (at, name) in listed.into_iter().enumerate() {
        let area = Area { place: place(name, names), start_extent: 0, extent_count: 0 };
        if has_metas && at % 2 == 0 { metas.push(area) } else { images.push(area) }
    }
    let stripe_size_bytes = bytes(section, "stripe_size");
    SegmentKind::Raid { images, metas, stripe_size_bytes, region_size_bytes: bytes(section, "region_size") }
}

/// Reads pairs of a name and the extent at which the area begins.
fn areas(section: &Section<'_>, key: &str, names: &Names) -> Vec<Area> {
    let listed = elements(section, key);
    let pairs = listed.chunks_exact(2).filter_map(|pair| match pair {
        [Scalar::String(name), Scalar::Int(start)] => {
            let place = place(String::from_utf8_lossy(name).into_owned(), names);
            Some(Area { place, start_extent: u64::try_from(*start).unwrap_or_default(), extent_count: 0 })
        }
        _no_area => None,
    });
    pairs.collect()
}

fn place(name: String, names: &Names) -> Place {
    if names.pvs.contains(&name) {
        Place::Pv(name)
    } else if names.lvs.contains(&name) {
        Place::Lv(name)
    } else {
        Place::Nowhere(name)
    }
}

/// Returns the sections in a section.
fn entries<'s>(section: &'s Section<'_>, key: &str) -> impl Iterator<Item = (String, &'s Section<'s>)> {
    let nodes = section.section(key).map(|section| &section.nodes[..]).unwrap_or_default();
    nodes.iter().filter_map(|node| match &node.content {
        Content::Section(entries) => Some((String::from_utf8_lossy(&node.name).into_owned(), entries)),
        Content::Value(_) => None,
    })
}

fn text(section: &Section<'_>, key: &str) -> String {
    section.string(key).unwrap_or_default().to_owned()
}

/// Returns a number that cannot be below zero; one that is counts as absent.
fn number(section: &Section<'_>, key: &str) -> u64 {
    section.int(key).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

fn bytes(section: &Section<'_>, key: &str) -> u64 {
    number(section, key).saturating_mul(SECTOR_BYTES)
}

fn elements<'s, 'a>(section: &'s Section<'a>, key: &str) -> &'s [Scalar<'a>] {
    match section.find(key) {
        Some(Content::Value(Value::One(only))) => std::slice::from_ref(only),
        Some(Content::Value(Value::Array(elements))) => elements,
        Some(Content::Section(_)) | None => &[],
    }
}

fn strings(section: &Section<'_>, key: &str) -> Vec<String> {
    let strings = elements(section, key).iter().filter_map(|element| match element {
        Scalar::String(text) => Some(String::from_utf8_lossy(text).into_owned()),
        Scalar::Int(_) | Scalar::Float(_) => None,
    });
    strings.collect()
}

/// Returns a list of words; an empty word is none.
fn words(section: &Section<'_>, key: &str) -> Vec<String> {
    strings(section, key).into_iter().filter(|word| !word.is_empty()).collect()
}

/// Returns all flags: those that old versions of lvm must not ignore stand apart in the text.
fn flags(section: &Section<'_>) -> Vec<String> {
    [words(section, "status"), words(section, "flags")].concat()
}
