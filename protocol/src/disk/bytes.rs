//! Numbers at the front of bytes.

use super::Area;

/// What is left to be read of some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// Takes the next `N` bytes; `None` when there are fewer.
    pub(super) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn area(&mut self) -> Option<Area> {
        Some(Area { offset: self.u64()?, size: self.u64()? })
    }

    /// Takes areas up to the one that begins at 0, which ends the list; `None` when none ends it.
    pub(super) fn areas(&mut self) -> Option<Vec<Area>> {
        let mut areas = Vec::new();
        loop {
            match self.area()? {
                Area { offset: 0, .. } => return Some(areas),
                area => areas.push(area),
            }
        }
    }
}
