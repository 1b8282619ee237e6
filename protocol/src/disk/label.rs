//! The label: what makes a device a PV.

use super::bytes::Bytes;
use super::{Area, checksum};
use crate::ids::PvUuid;

/// The unit of the label's place, whatever the device's own sectors are, in bytes.
pub const SECTOR_BYTES: usize = 512;

/// How much of a device's beginning may hold the label, in bytes.
pub const SCANNED_BYTES: usize = 4 * SECTOR_BYTES;

const MAGIC: &[u8; 8] = b"LABELONE";
const LVM2: &[u8; 8] = b"LVM2 001";
/// The checksum covers what stands behind it.
const CHECKED_FROM: usize = 20;

/// What a PV's label says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The PV.
    pub pv_uuid: PvUuid,
    /// In which sector of [`SECTOR_BYTES`] the label was found, 0 to 3; `pvcreate` writes it into 1.
    pub sector: u64,
    /// The device's size when the label was written, in bytes.
    pub device_size_bytes: u64,
    /// Where the extents are, in the order of the label.
    pub data_areas: Vec<Area>,
    /// Where metadata is, in the order of the label; none on a PV that was made without.
    pub metadata_areas: Vec<Area>,
    /// What newer releases added; `None` where an older one wrote the label.
    pub extension: Option<Extension>,
}

/// The end of the label, which LVM writes since 2.02.99.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// 1 or 2.
    pub version: u32,
    /// Bit 0, since version 2: a VG uses the PV.
    pub flags: u32,
    /// Space for a boot loader.
    pub bootloader_areas: Vec<Area>,
}

/// Why a device's beginning is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// No sector begins as a label does: the device is no PV.
    #[error("find an LVM label: there is none in the first {SCANNED_BYTES} bytes")]
    None,
    /// A label's checksum is not that of its contents.
    #[error(
        "read the label in sector {sector}: its checksum is {stored:#010x}, its contents have {found:#010x}"
    )]
    Checksum {
        /// The sector.
        sector: u64,
        /// What the label says.
        stored: u32,
        /// What its contents make.
        found: u32,
    },
    /// A label says that it is of another sector: it was copied there.
    #[error("read the label in sector {sector}: it says that it is of sector {said}")]
    Sector {
        /// The sector.
        sector: u64,
        /// What the label says.
        said: u64,
    },
    /// A label ends before what it has to say.
    #[error("read the label in sector {sector}: its {what} does not fit into it")]
    Truncated {
        /// The sector.
        sector: u64,
        /// What is missing.
        what: &'static str,
    },
    /// A label's UUID has other characters than a PV's.
    #[error("read the label in sector {sector}: its PV UUID has characters that no UUID has")]
    Uuid {
        /// The sector.
        sector: u64,
    },
}

impl Label {
    /// Finds the label in the first [`SCANNED_BYTES`] of a device, as LVM does: the first sector that is one.
    ///
    /// # Errors
    /// [`LabelError::None`] for what is no PV; the others for a label that cannot be trusted, when no later sector
    /// has a good one.
    pub fn parse(beginning: &[u8]) -> Result<Self, LabelError> {
        let mut first_error = LabelError::None;
        for (sector, bytes) in (0..).zip(beginning.chunks_exact(SECTOR_BYTES)).take(4) {
            match Self::parse_sector(sector, bytes) {
                Ok(label) => return Ok(label),
                Err(error) if first_error == LabelError::None => first_error = error,
                Err(_) => {}
            }
        }
        Err(first_error)
    }

    fn parse_sector(sector: u64, bytes: &[u8]) -> Result<Self, LabelError> {
        let truncated = |what| move || LabelError::Truncated { sector, what };
        let mut header = Bytes(bytes);
        if header.array() != Some(MAGIC) {
            return Err(LabelError::None);
        }
        let said = header.u64().ok_or_else(truncated("header"))?;
        let stored = header.u32().ok_or_else(truncated("header"))?;
        let offset = header.u32().ok_or_else(truncated("header"))?;
        if header.array() != Some(LVM2) {
            return Err(LabelError::None);
        }
        let found = checksum(&bytes[CHECKED_FROM..]);
        if found != stored {
            return Err(LabelError::Checksum { sector, stored, found });
        }
        if said != sector {
            return Err(LabelError::Sector { sector, said });
        }
        let offset = usize::try_from(offset).ok();
        let mut body =
            Bytes(offset.and_then(|offset| bytes.get(offset..)).ok_or_else(truncated("contents"))?);
        let uuid = body.array::<32>().ok_or_else(truncated("PV UUID"))?;
        let pv_uuid = std::str::from_utf8(uuid).ok().and_then(|uuid| PvUuid::try_from(uuid).ok());
        let pv_uuid = pv_uuid.ok_or(LabelError::Uuid { sector })?;
        let device_size_bytes = body.u64().ok_or_else(truncated("device size"))?;
        let data_areas = body.areas().ok_or_else(truncated("list of data areas"))?;
        let metadata_areas = body.areas().ok_or_else(truncated("list of metadata areas"))?;
        // An older release left the rest of the sector zero.
        let extension = if let (Some(version @ 1..), Some(flags)) = (body.u32(), body.u32()) {
            let bootloader_areas = body.areas().ok_or_else(truncated("list of boot loader areas"))?;
            Some(Extension { version, flags, bootloader_areas })
        } else {
            None
        };
        Ok(Self { pv_uuid, sector, device_size_bytes, data_areas, metadata_areas, extension })
    }
}
