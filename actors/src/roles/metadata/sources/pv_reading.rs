//! One PV read from its device: label, headers of its metadata areas, and the newest text that is whole.
//!
//! ```text
//! label ──▶ header of each area ──▶ the text that it names ──▶ the newest is the PV's
//!   │             │                        │
//!   │             │                        └ its checksum is wrong: LVM is writing, or it is damaged: read both again
//!   │             └ not in order: told, and the other area counts
//!   └ none: the device is no PV (any more)
//! ```
//!
//! A text that two areas name in the same words (size and checksum) is read once. Nothing here waits: whoever calls runs on
//! a thread that may be held up by a disk.

use std::io;
use std::sync::Arc;

use lvmwarden_protocol::disk::{
    Area, AreaError, AreaHeader, HEADER_BYTES, Label, LabelError, SCANNED_BYTES, TextError, TextLocation,
};
use lvmwarden_protocol::metadata::{PvText, UpdatedVg};

use super::device::DeviceNumber;
use super::texts::{self, NoText, Texts};

/// The longest text that is read, in bytes. LVM's areas have 1 MiB unless somebody wants more, and a text half of that.
pub const TEXT_BYTES: u64 = 8 * 1024 * 1024;

/// Something that can be read at any offset, as a device or an image of one.
pub trait ReadAt {
    /// Returns `size` bytes from `offset` on, or fewer where it ends before.
    ///
    /// # Errors
    /// That of the read.
    fn read_at(&mut self, offset: u64, size: usize) -> io::Result<Vec<u8>>;
}

/// What was read of a PV. Clones share the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct PvReading {
    /// The PV as clients are told of it.
    pub pv: PvText,
    /// The label says that a VG uses it; `None`: an older release wrote the label.
    pub is_used: Option<bool>,
    /// What the headers of its areas say, as far as they could be read: whoever sees the same need not read the texts.
    pub headers: Arc<[AreaHeader]>,
    /// The newest text, unless the PV has none.
    pub metadata: Option<UpdatedVg>,
    /// What is wrong with its areas.
    pub faults: Arc<[AreaFault]>,
}

/// What is wrong with a metadata area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaFault {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// What.
    pub what: Fault,
}

/// What may be wrong with a metadata area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its header is none.
    #[error(transparent)]
    Header(AreaError),
    /// Its text is no metadata.
    #[error(transparent)]
    Text(NoText),
    /// It has an older text than another area of the same PV.
    #[error("it has seqno {seqno}, another area of the same PV {newest}")]
    Older {
        /// What it has.
        seqno: i64,
        /// The other.
        newest: i64,
    },
}

/// Why there is nothing to be had of a device.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no PV.
    #[error("read the PV: its device has no label")]
    NoPv,
    /// Its label cannot be trusted.
    #[error(transparent)]
    Label(LabelError),
    /// A text is not what its header says: LVM is writing another one.
    #[error("read the PV: a text does not fit its header")]
    Torn(#[source] TextError),
    /// The device cannot be opened, or not be read.
    #[error("read the device")]
    Io(#[from] io::Error),
}

/// Reads a whole PV.
///
/// # Errors
/// Each variant of [`ReadError`] says when. [`ReadError::Torn`] is worth another attempt.
pub fn read(from: &mut dyn ReadAt, device: DeviceNumber, texts: &Texts) -> Result<PvReading, ReadError> {
    let label = label(from)?;
    let (mut headers, mut faults) = (Vec::new(), Vec::new());
    for &area in &label.metadata_areas {
        match header(from, area)? {
            Ok(header) => headers.push(header),
            Err(error) => faults.push(AreaFault { offset: area.offset, what: Fault::Header(error) }),
        }
    }
    let metadata = newest(from, &headers, texts, &mut faults)?;
    Ok(PvReading {
        pv: texts::pv_text(&label, &headers, device),
        is_used: label.extension.filter(|extension| extension.version >= 2).map(|end| end.flags & 1 != 0),
        headers: headers.into(),
        metadata,
        faults: faults.into(),
    })
}

/// Tells whether a PV is as it was read, by the header of one area in use: one read of 4 KiB. For a PV that has none the label
/// is read.
///
/// # Errors
/// As [`read`].
pub fn is_unchanged(from: &mut dyn ReadAt, known: &PvReading) -> Result<bool, ReadError> {
    match known.headers.iter().find(|header| !header.is_ignored) {
        Some(known) => Ok(header(from, known.area)?.is_ok_and(|header| header == *known)),
        None => Ok(label(from)?.pv_uuid.as_str() == known.pv.id.as_str() && known.headers.is_empty()),
    }
}

fn label(from: &mut dyn ReadAt) -> Result<Label, ReadError> {
    match Label::parse(&from.read_at(0, SCANNED_BYTES)?) {
        Ok(label) => Ok(label),
        Err(LabelError::None) => Err(ReadError::NoPv),
        Err(error) => Err(ReadError::Label(error)),
    }
}

fn header(from: &mut dyn ReadAt, area: Area) -> io::Result<Result<AreaHeader, AreaError>> {
    Ok(AreaHeader::parse(&from.read_at(area.offset, HEADER_BYTES)?, area))
}

/// Returns the newest of the texts in areas that are in use.
fn newest(
    from: &mut dyn ReadAt,
    headers: &[AreaHeader],
    texts: &Texts,
    faults: &mut Vec<AreaFault>,
) -> Result<Option<UpdatedVg>, ReadError> {
    let mut found: Vec<(u64, TextLocation, UpdatedVg)> = Vec::new();
    for header in headers.iter().filter(|header| !header.is_ignored) {
        let Some(location) = header.text else { continue };
        let offset = header.area.offset;
        let known = found.iter().find(|(_, other, _)| is_same_text(other, &location));
        if let Some((_, _, metadata)) = known {
            let metadata = metadata.clone();
            found.push((offset, location, metadata));
            continue;
        }
        if location.size > TEXT_BYTES {
            faults.push(AreaFault { offset, what: Fault::Text(NoText::TooLong { size: location.size }) });
            continue;
        }
        let bytes = text(from, header)?;
        let text = location.verify(&bytes).map_err(ReadError::Torn)?;
        match texts.parse(text) {
            Ok(metadata) => found.push((offset, location, metadata)),
            Err(why) => faults.push(AreaFault { offset, what: Fault::Text(why) }),
        }
    }
    // Of several that are as new the first counts, as with LVM.
    let Some(newest) = found.iter().map(|(_, _, metadata)| metadata.text.seqno).max() else {
        return Ok(None);
    };
    for (offset, _, metadata) in found.iter().filter(|(_, _, metadata)| metadata.text.seqno < newest) {
        let what = Fault::Older { seqno: metadata.text.seqno, newest };
        faults.push(AreaFault { offset: *offset, what });
    }
    Ok(found.into_iter().map(|(_, _, metadata)| metadata).find(|metadata| metadata.text.seqno == newest))
}

fn is_same_text(one: &TextLocation, other: &TextLocation) -> bool {
    (one.size, one.checksum) == (other.size, other.checksum)
}

fn text(from: &mut dyn ReadAt, header: &AreaHeader) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for piece in header.text_pieces() {
        let size = usize::try_from(piece.size).map_err(io::Error::other)?;
        bytes.extend(from.read_at(piece.offset, size)?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
