//! Texts from disks, in the form in which the cache keeps them.
//!
//! All PVs of a VG have the same text. The latest ones are kept as they stood on the disk, so that each is parsed once, and
//! what comes of it is shared.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use lvmwarden_protocol::config_text::{self, Content, ParseError};
use lvmwarden_protocol::disk::{AreaHeader, Label};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::{PvText, UpdatedVg, VgText, Vgname};

use super::device::DeviceNumber;

/// How many texts are kept: PVs are read VG by VG, several at once.
const KEPT: usize = 16;
/// How long they may be together, in bytes.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Why a text is no metadata of a VG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// It is longer than any that is read.
    #[error("its text of {size} bytes is too long to be read")]
    TooLong {
        /// How long the header says it is.
        size: u64,
    },
    /// It is no config text.
    #[error("its text cannot be parsed: {0}")]
    Parse(ParseError),
    /// It has no section with a name that a VG may have.
    #[error("its text names no VG")]
    NoName,
    /// Its VG has no UUID.
    #[error("its text has no UUID of a VG")]
    NoUuid,
    /// Its VG has no seqno, or one that no VG has.
    #[error("its text has no seqno")]
    NoSeqno,
}

/// The texts that were read last. May be used by many threads.
#[derive(Debug, Default)]
pub struct Texts(Mutex<VecDeque<(Box<[u8]>, UpdatedVg)>>);

impl Texts {
    /// Parses a text that was read from an area, without its final NUL.
    ///
    /// # Errors
    /// Each variant of [`NoText`] says when.
    pub fn parse(&self, text: &[u8]) -> Result<UpdatedVg, NoText> {
        if let Some((_, metadata)) = self.lock().iter().find(|(kept, _)| **kept == *text) {
            return Ok(metadata.clone());
        }
        let metadata = parse(text)?;
        let mut kept = self.lock();
        kept.push_back((text.into(), metadata.clone()));
        while kept.len() > KEPT || kept.iter().map(|(text, _)| text.len()).sum::<usize>() > KEPT_BYTES {
            kept.pop_front();
        }
        Ok(metadata)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(Box<[u8]>, UpdatedVg)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &[u8]) -> Result<UpdatedVg, NoText> {
    let parsed = config_text::parse(text).map_err(NoText::Parse)?;
    let vg = parsed.nodes.iter().find_map(|node| match &node.content {
        Content::Section(section) => Some((&node.name, section)),
        Content::Value(_) => None,
    });
    let (name, section) = vg.ok_or(NoText::NoName)?;
    let name = std::str::from_utf8(name).ok().filter(|name| VgName::try_from(*name).is_ok());
    let name = name.and_then(|name| Vgname::try_from(name).ok()).ok_or(NoText::NoName)?;
    let text = VgText::from_section(section).ok_or(NoText::NoUuid)?;
    if text.seqno <= 0 { Err(NoText::NoSeqno) } else { Ok(UpdatedVg { name, text }) }
}

/// Returns what a PV's label and headers say, as an lvm command would send it.
///
/// Source: lvm2 2.02.188, seen.
pub(super) fn pv_text(label: &Label, headers: &[AreaHeader], device: DeviceNumber) -> PvText {
    let mut text = format!(
        "device={}\ndev_size={}\nformat=\"lvm2\"\nlabel_sector={}\nid=\"{}\"\n",
        device.as_sent(),
        label.device_size_bytes,
        label.sector,
        label.pv_uuid.as_str()
    );
    let mut put = |line: std::fmt::Arguments<'_>| text.write_fmt(line).expect("a String takes any text");
    if let Some(extension) = &label.extension {
        put(format_args!("ext_version={}\next_flags={}\n", extension.version, extension.flags));
    }
    for (number, area) in label.metadata_areas.iter().enumerate() {
        // What is known of an area without a header is that it is no use.
        let header = headers.iter().find(|header| header.area.offset == area.offset);
        let ignore = u8::from(header.is_none_or(|header| header.is_ignored));
        let (start, size) = (area.offset, area.size);
        put(format_args!("mda{number} {{ ignore={ignore} start={start} size={size} free_sectors=0 }}\n"));
    }
    for (prefix, areas) in [("da", Some(&label.data_areas)), ("ba", boot_areas(label))] {
        for (number, area) in areas.into_iter().flatten().enumerate() {
            put(format_args!("{prefix}{number} {{ offset={} size={} }}\n", area.offset, area.size));
        }
    }
    let section = config_text::parse(text.as_bytes()).expect("it was written here, from numbers and a UUID");
    PvText::from_section(&section).expect("it has a UUID and a device")
}

fn boot_areas(label: &Label) -> Option<&Vec<lvmwarden_protocol::disk::Area>> {
    label.extension.as_ref().map(|extension| &extension.bootloader_areas)
}
