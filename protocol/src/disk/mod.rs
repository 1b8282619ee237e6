//! What LVM2 writes on a PV: bytes to typed values. Nothing here reads a device, and nothing writes one.
//!
//! ```text
//! PV
//! ├─ sectors 0 to 3     one of them is the label: the PV's UUID, its size, where everything else is      label.rs
//! ├─ metadata area 0    first 512 bytes: the header, which says where the current text lies              area.rs
//! │                     the rest: a ring, in which each text begins behind the one before it
//! ├─ data               the extents
//! └─ metadata area 1    optional, at the end of the device
//! ```
//!
//! The header is the only thing that is replaced in place. LVM writes a new text into the ring first, and then the header
//! that names it: one sector, so a reader sees the old text or the new one. Whoever reads the header, then the text, and
//! meanwhile the ring has gone round, sees a text whose checksum is wrong, and has to read both again.
//!
//! All numbers are little-endian. Offsets and sizes are in bytes.
//!
//! Source: the format as lvm2 2.03.16 and 2.02.188 write it, compared with `pvck --dump headers` and
//! `pvck --dump metadata` of the same PVs.

mod area;
mod bytes;
mod checksum;
#[cfg(any(test, feature = "testing"))]
pub mod image;
mod label;

#[cfg(test)]
mod tests;

pub use area::{AreaError, AreaHeader, HEADER_BYTES, TextError, TextLocation};
pub use checksum::checksum;
pub use label::{Extension, Label, LabelError, SCANNED_BYTES, SECTOR_BYTES};

/// A part of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Area {
    /// Where it begins, in bytes from the device's beginning.
    pub offset: u64,
    /// How long it is, in bytes; 0 of a data area: up to the end of the device.
    pub size: u64,
}

impl Area {
    /// Returns where it ends, or `None` where no device can be that large.
    pub fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.size)
    }
}
