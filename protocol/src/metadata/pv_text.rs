//! What a client says of one PV, in the canonical form.

use bytes::{Bytes, BytesMut};

use super::request::Refusal;
use crate::config_text::Section;
use crate::metadata::Pvid;

/// The level of a PV's entries within a VG's metadata: `metadata`, `physical_volumes`, the PV.
const LEVEL_IN_VG: usize = 3;
/// The metadata areas that are looked at; a PV has no more.
const METADATA_AREAS: [&str; 2] = ["mda0/ignore", "mda1/ignore"];

/// The section `pvmeta` of a `pv_found`: device, size, label, metadata areas and data areas of a PV.
///
/// Everything that the client said is kept. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PvText {
    /// The PV.
    pub id: Pvid,
    /// The number of its device, as `dev_t` has it.
    pub device: i64,
    /// One of its metadata areas is in use: what is read from it counts as its VG's metadata.
    pub has_used_area: bool,
    text: Bytes,
    in_vg: Bytes,
}

impl PvText {
    /// Brings a section into the canonical form.
    ///
    /// # Errors
    /// [`Refusal::NoPvUuid`] and [`Refusal::NoDevice`], where it has none.
    pub fn from_section(section: &Section<'_>) -> Result<Self, Refusal> {
        let id = section.string("id").and_then(|id| Pvid::try_from(id).ok()).ok_or(Refusal::NoPvUuid)?;
        let device = section.int("device").ok_or(Refusal::NoDevice)?;
        let (mut text, mut in_vg) = (BytesMut::new(), BytesMut::new());
        section.write(&mut text);
        // The VG's own entry says both.
        for node in section.nodes.iter().filter(|node| !matches!(&*node.name, b"id" | b"dev_size")) {
            node.write_at(LEVEL_IN_VG, &mut in_vg);
        }
        let has_used_area = METADATA_AREAS.iter().any(|path| section.int(path) == Some(0));
        // Into a buffer of just its size: thousands of these are kept.
        let exact = |text: BytesMut| Bytes::copy_from_slice(&text);
        Ok(Self { id, device, has_used_area, text: exact(text), in_vg: exact(in_vg) })
    }

    /// Returns the entries, at level 0.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// Returns the entries as they stand within a VG's metadata, without those that the VG's own entry has.
    pub fn in_vg(&self) -> &Bytes {
        &self.in_vg
    }

    /// Appends the entries at another level.
    pub fn write_at(&self, level: usize, out: &mut BytesMut) {
        indent(&self.text, level, out);
    }
}

/// Appends canonical text with so many tabs more in front of each entry; a newline within a string begins none.
fn indent(text: &[u8], tabs: usize, out: &mut BytesMut) {
    out.reserve(text.len() + text.len() / 8);
    let (mut line_begin, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'\n' if !is_quoted => {
                crate::config_text::put_tabs(out, tabs);
                out.extend_from_slice(&text[line_begin..=at]);
                line_begin = at + 1;
            }
            b'"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
}
