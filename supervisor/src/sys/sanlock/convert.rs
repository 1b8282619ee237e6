//! Between Rust's values and the fields of sanlock's structures; nothing here is unsafe.

use std::os::unix::ffi::OsStrExt;

use super::{Area, Caw, Place, Refusal, Usage, raw};

impl Area {
    /// Returns the flags that say so.
    pub(super) fn flags(self) -> Result<u32, Refusal> {
        let align = match self.align_mib {
            1 => raw::ALIGN_1M,
            2 => raw::ALIGN_2M,
            4 => raw::ALIGN_4M,
            8 => raw::ALIGN_8M,
            _ => return Err(Refusal(-libc::EINVAL)),
        };
        let sector = match self.sector_bytes {
            512 => raw::SECTOR_512,
            4096 => raw::SECTOR_4K,
            _ => return Err(Refusal(-libc::EINVAL)),
        };
        Ok(align | sector)
    }
}

/// Returns the sizes that `flags` tell; `None` where they tell none.
pub(super) fn area_of(flags: u32) -> Option<Area> {
    let of = |sizes: &[(u32, u32)]| sizes.iter().find(|(flag, _)| flags & flag != 0).map(|(_, size)| *size);
    let align_mib = of(&[(raw::ALIGN_1M, 1), (raw::ALIGN_2M, 2), (raw::ALIGN_4M, 4), (raw::ALIGN_8M, 8)])?;
    let sector_bytes = of(&[(raw::SECTOR_512, 512), (raw::SECTOR_4K, 4096)])?;
    Some(Area { sector_bytes, align_mib })
}

impl Usage {
    /// Returns the flags of a lockspace that say so.
    pub(super) fn flags(self) -> u32 {
        if self.no_timeout { raw::LSF_NO_TIMEOUT } else { 0 }
    }

    /// Returns the flags with which a lockspace or a resource is written so.
    pub(super) fn write_flags(self) -> u32 {
        match self.caw {
            Caw::AsConfigured => 0,
            Caw::Used => raw::WRITE_USE_CAW,
            Caw::NotUsed => raw::WRITE_NO_CAW,
        }
    }
}

/// Returns how leases are used, out of the flags that are read of their lockspace.
pub(super) fn usage_of(flags: u32) -> Usage {
    let caw = if flags & raw::LSF_USING_CAW == 0 { Caw::NotUsed } else { Caw::Used };
    Usage { no_timeout: flags & raw::LSF_NO_TIMEOUT != 0, caw }
}

/// Returns a name as sanlock wants it: filled with zeros, without one at the end when it has the full length.
pub(super) fn name(text: &str) -> Result<[u8; raw::NAME_LEN], Refusal> {
    let mut field = [0; raw::NAME_LEN];
    field.get_mut(..text.len()).ok_or(Refusal(-libc::ENAMETOOLONG))?.copy_from_slice(text.as_bytes());
    Ok(field)
}

/// Returns the name in a field of sanlock's; what is not UTF-8 in it was not written by this program.
pub(super) fn from_name(field: &[u8; raw::NAME_LEN]) -> String {
    let length = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..length]).into_owned()
}

pub(super) fn disk(place: Place<'_>) -> Result<raw::Disk, Refusal> {
    let bytes = place.path.as_os_str().as_bytes();
    let mut path = [0; raw::PATH_LEN];
    // One byte is left for the zero at the end.
    path[..raw::PATH_LEN - 1]
        .get_mut(..bytes.len())
        .ok_or(Refusal(-libc::ENAMETOOLONG))?
        .copy_from_slice(bytes);
    Ok(raw::Disk { path, offset: place.offset, pad1: 0, pad2: 0 })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn areas_survive_the_way_through_flags() {
        for (sector_bytes, align_mib) in [(512, 1), (4096, 1), (4096, 2), (4096, 4), (4096, 8)] {
            let area = Area { sector_bytes, align_mib };
            assert_eq!(area_of(area.flags().unwrap()), Some(area));
        }
        assert_eq!(area_of(raw::RES_SHARED), None);
        assert_eq!(Area { sector_bytes: 520, align_mib: 1 }.flags(), Err(Refusal(-libc::EINVAL)));
        assert_eq!(Area { sector_bytes: 512, align_mib: 3 }.flags(), Err(Refusal(-libc::EINVAL)));
    }

    #[test]
    fn leases_are_written_with_what_is_read_of_their_lockspace() {
        for (read, flags, write_flags) in [
            (0, 0, raw::WRITE_NO_CAW),
            (raw::ALIGN_1M | raw::SECTOR_512, 0, raw::WRITE_NO_CAW),
            (raw::LSF_NO_TIMEOUT, raw::LSF_NO_TIMEOUT, raw::WRITE_NO_CAW),
            (raw::LSF_USING_CAW, 0, raw::WRITE_USE_CAW),
            (raw::LSF_NO_TIMEOUT | raw::LSF_USING_CAW, raw::LSF_NO_TIMEOUT, raw::WRITE_USE_CAW),
        ] {
            let usage = usage_of(read);
            assert_eq!((usage.flags(), usage.write_flags()), (flags, write_flags), "{read:#x}");
        }
        let unsaid = Usage { no_timeout: false, caw: Caw::AsConfigured };
        assert_eq!((unsaid.flags(), unsaid.write_flags()), (0, 0));
    }

    #[test]
    fn names_may_fill_their_field_and_no_more() {
        let longest = "n".repeat(raw::NAME_LEN);
        assert_eq!(from_name(&name(&longest).unwrap()), longest);
        assert_eq!(from_name(&name("GLLK").unwrap()), "GLLK");
        assert_eq!(name(&"n".repeat(raw::NAME_LEN + 1)), Err(Refusal(-libc::ENAMETOOLONG)));
    }

    #[test]
    fn a_path_leaves_room_for_its_zero() {
        let of =
            |length| disk(Place { path: Path::new(&"p".repeat(length)), offset: 7 }).map(|disk| disk.path);
        assert_eq!(of(raw::PATH_LEN - 1).unwrap()[raw::PATH_LEN - 2..], [b'p', 0]);
        assert_eq!(of(raw::PATH_LEN), Err(Refusal(-libc::ENAMETOOLONG)));
    }
}
