//! A metadata area: its header, and the ring of texts behind that.

use super::bytes::Bytes;
use super::{Area, checksum};

/// The size of an area's header, in bytes; the ring begins behind it.
pub const HEADER_BYTES: usize = 512;

const RING_BEGIN: u64 = 512;
const MAGIC: &[u8; 16] = b" LVM2 x[5A%r0N*>";
const VERSION: u32 = 1;
/// The checksum covers what stands behind it.
const CHECKED_FROM: usize = 4;
const IGNORED: u32 = 1;

/// What the header of a metadata area says.
///
/// Two that are equal name the same text: whoever has read that need not read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AreaHeader {
    /// The area, as it says itself.
    pub area: Area,
    /// LVM does not read or write metadata here, because enough other areas have it.
    pub is_ignored: bool,
    /// The current text; `None` in a PV that no VG uses, and in an area that nothing was written to.
    pub text: Option<TextLocation>,
}

/// Where a text lies in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLocation {
    /// Where it begins, in bytes from the area's beginning; at least [`HEADER_BYTES`].
    pub offset: u64,
    /// How long it is, in bytes, its final NUL included; at most the ring.
    pub size: u64,
    /// The checksum of all of it.
    pub checksum: u32,
}

/// Why bytes are not the header of a metadata area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// There are fewer than [`HEADER_BYTES`].
    #[error("read a metadata area's header: it has {0} bytes instead of {HEADER_BYTES}")]
    Short(usize),
    /// The checksum is not that of the contents: nothing was written there, or it was damaged.
    #[error("read a metadata area's header: its checksum is {stored:#010x}, its contents have {found:#010x}")]
    Checksum {
        /// What the header says.
        stored: u32,
        /// What its contents make.
        found: u32,
    },
    /// The checksum is right, and it is something else.
    #[error("read a metadata area's header: it does not begin as one")]
    Magic,
    /// A later release wrote it.
    #[error("read a metadata area's header: its version is {0}, and only {VERSION} is known")]
    Version(u32),
    /// It is the header of an area elsewhere.
    #[error("read a metadata area's header: it says that it begins at byte {said}, and stands at byte {at}")]
    Place {
        /// Where it stands.
        at: u64,
        /// What it says.
        said: u64,
    },
    /// The text that it names does not fit into the ring.
    #[error(
        "read a metadata area's header: a text of {size} bytes at {offset} is not within its {area_size} bytes"
    )]
    Text {
        /// Where the text is said to begin.
        offset: u64,
        /// How long it is said to be.
        size: u64,
        /// How large the area is.
        area_size: u64,
    },
}

/// Why bytes are not the text that a header names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There are more or fewer.
    #[error("read metadata: it has {found} bytes instead of {size}")]
    Size {
        /// What the header says.
        size: u64,
        /// How many there are.
        found: usize,
    },
    /// The checksum is not that of the text: LVM wrote another one meanwhile, or it was damaged.
    #[error("read metadata: its checksum is {stored:#010x}, its text has {found:#010x}")]
    Checksum {
        /// What the header says.
        stored: u32,
        /// What the text makes.
        found: u32,
    },
}

impl AreaHeader {
    /// Parses the first [`HEADER_BYTES`] of `area`, as the label names it.
    ///
    /// # Errors
    /// Each variant of [`AreaError`] says when.
    pub fn parse(bytes: &[u8], area: Area) -> Result<Self, AreaError> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(AreaError::Short(bytes.len()));
        };
        let mut header = Bytes(bytes);
        let stored = header.u32().unwrap_or_default();
        let found = checksum(&bytes[CHECKED_FROM..]);
        if stored != found {
            return Err(AreaError::Checksum { stored, found });
        }
        if header.array() != Some(MAGIC) {
            return Err(AreaError::Magic);
        }
        let version = header.u32().unwrap_or_default();
        if version != VERSION {
            return Err(AreaError::Version(version));
        }
        let (said, size) = (header.u64().unwrap_or_default(), header.u64().unwrap_or_default());
        if said != area.offset {
            return Err(AreaError::Place { at: area.offset, said });
        }
        let area = Area { offset: said, size };
        let (offset, size) = (header.u64().unwrap_or_default(), header.u64().unwrap_or_default());
        let (checksum, flags) = (header.u32().unwrap_or_default(), header.u32().unwrap_or_default());
        // What stands behind is a text that is not current yet: nobody but its writer may read that.
        let text = (offset != 0 && size != 0).then_some(TextLocation { offset, size, checksum });
        if text.is_some() && !fits(offset, size, area.size) {
            return Err(AreaError::Text { offset, size, area_size: area.size });
        }
        Ok(Self { area, is_ignored: flags & IGNORED != 0, text })
    }

    /// Returns where the text lies on the device, in order: in one piece, or, where the ring ends within it, in two, of
    /// which the second begins at the ring's beginning. Nothing where there is no text.
    pub fn text_pieces(&self) -> Vec<Area> {
        let Some(text) = self.text else { return Vec::new() };
        let in_one = text.size.min(self.area.size - text.offset);
        let piece = |offset, size| Area { offset: self.area.offset + offset, size };
        let pieces = [piece(text.offset, in_one), piece(RING_BEGIN, text.size - in_one)];
        pieces.into_iter().filter(|piece| piece.size > 0).collect()
    }
}

/// Tells whether a text lies within the ring, which it may leave at the end and enter again at the beginning.
fn fits(offset: u64, size: u64, area_size: u64) -> bool {
    let Some(ring) = area_size.checked_sub(RING_BEGIN) else { return false };
    (RING_BEGIN..area_size).contains(&offset) && size <= ring
}

impl TextLocation {
    /// Returns the text without its final NUL, when `bytes` are what this location names.
    ///
    /// # Errors
    /// Each variant of [`TextError`] says when.
    pub fn verify<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], TextError> {
        if u64::try_from(bytes.len()) != Ok(self.size) {
            return Err(TextError::Size { size: self.size, found: bytes.len() });
        }
        let found = checksum(bytes);
        if found != self.checksum {
            return Err(TextError::Checksum { stored: self.checksum, found });
        }
        Ok(bytes.strip_suffix(b"\0").unwrap_or(bytes))
    }
}
