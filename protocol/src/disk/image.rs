//! Images of PVs, made as LVM makes PVs: for tests that have no devices.
//!
//! ```text
//! 0      4 KiB                  64 KiB        128 KiB                 192 KiB
//! │label │ area 0: header, ring │ (an extent) │ area 1: header, ring │
//! ```
//!
//! Source: the format as `pvck --dump headers` shows it, lvm2 2.03.16.

use super::{Area, HEADER_BYTES, SECTOR_BYTES, checksum};
use crate::ids::PvUuid;

const SIZE: usize = 192 * 1024;
const AREAS: [Area; 2] = [Area { offset: 4096, size: 61_440 }, Area { offset: 131_072, size: 65_536 }];
const USED: u32 = 1;
const IGNORED: u32 = 1;

/// The bytes of a small device with a PV.
#[derive(Debug, Clone)]
pub struct PvImage {
    bytes: Vec<u8>,
    uuid: PvUuid,
    /// How many areas it has, and where in each the next text goes.
    next: Vec<u64>,
    flags: Vec<u32>,
    current: Vec<Option<(u64, u64, u32)>>,
}

impl PvImage {
    /// Makes a PV that no VG uses, with up to two metadata areas.
    pub fn new(uuid: &PvUuid, areas: usize) -> Self {
        let mut image = Self {
            bytes: vec![0; SIZE],
            uuid: *uuid,
            next: vec![HEADER_BYTES as u64; areas],
            flags: vec![0; areas],
            current: vec![None; areas],
        };
        image.write_label(0);
        (0..areas).for_each(|area| image.write_header(area));
        image
    }

    /// Returns the device's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns them, to be damaged.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Returns where an area begins.
    pub fn offset(area: usize) -> usize {
        usize::try_from(AREAS[area].offset).expect("a small number")
    }

    /// Commits a text to all areas that are not ignored, as a change of the VG does.
    pub fn commit(&mut self, text: &str) {
        for area in (0..self.next.len()).filter(|area| self.flags[*area] & IGNORED == 0).collect::<Vec<_>>() {
            self.write_text(area, text);
            self.write_header(area);
        }
        self.write_label(USED);
    }

    /// Commits a text to one area alone.
    pub fn commit_to(&mut self, area: usize, text: &str) {
        self.write_text(area, text);
        self.write_header(area);
    }

    /// Writes the text of a change that is not committed: the header still names the text before it.
    pub fn write_text(&mut self, area: usize, text: &str) {
        let Area { offset, size } = AREAS[area];
        let at = self.next[area];
        let text = [text.as_bytes(), b"\0"].concat();
        for (number, byte) in (0..).zip(&text) {
            let (ring, header) = (size - HEADER_BYTES as u64, HEADER_BYTES as u64);
            let place = offset + header + (at - header + number) % ring;
            self.bytes[usize::try_from(place).expect("within the image")] = *byte;
        }
        let length = text.len() as u64;
        self.current[area] = Some((at, length, checksum(&text)));
        let next = (at + length).next_multiple_of(SECTOR_BYTES as u64);
        self.next[area] = if next >= size { next - size + HEADER_BYTES as u64 } else { next };
    }

    /// Makes a PV of it that no VG uses, as `vgreduce` does.
    pub fn release(&mut self) {
        self.current.fill(None);
        (0..self.next.len()).for_each(|area| self.write_header(area));
        self.write_label(0);
    }

    /// Has an area ignored from now on, or used.
    pub fn ignore(&mut self, area: usize, is_ignored: bool) {
        self.flags[area] = if is_ignored { IGNORED } else { 0 };
        self.write_header(area);
    }

    fn write_label(&mut self, flags: u32) {
        let mut sector = vec![0; SECTOR_BYTES];
        sector[..8].copy_from_slice(b"LABELONE");
        sector[8..16].copy_from_slice(&1_u64.to_le_bytes());
        sector[20..24].copy_from_slice(&32_u32.to_le_bytes());
        sector[24..32].copy_from_slice(b"LVM2 001");
        sector[32..64].copy_from_slice(self.uuid.as_str().replace('-', "").as_bytes());
        let areas = AREAS.iter().take(self.next.len()).flat_map(|area| [area.offset, area.size]);
        let numbers = [SIZE as u64, 65_536, 0, 0, 0].into_iter().chain(areas).chain([0, 0]);
        let mut at = 64;
        for number in numbers {
            sector[at..at + 8].copy_from_slice(&number.to_le_bytes());
            at += 8;
        }
        sector[at..at + 4].copy_from_slice(&2_u32.to_le_bytes());
        sector[at + 4..at + 8].copy_from_slice(&flags.to_le_bytes());
        let sum = checksum(&sector[20..]);
        sector[16..20].copy_from_slice(&sum.to_le_bytes());
        self.bytes[SECTOR_BYTES..2 * SECTOR_BYTES].copy_from_slice(&sector);
    }

    /// Commits what was written to an area last.
    pub fn write_header(&mut self, area: usize) {
        let Area { offset, size } = AREAS[area];
        let mut header = vec![0; HEADER_BYTES];
        header[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
        header[20..24].copy_from_slice(&1_u32.to_le_bytes());
        header[24..32].copy_from_slice(&offset.to_le_bytes());
        header[32..40].copy_from_slice(&size.to_le_bytes());
        let (at, length, sum) = self.current[area].unwrap_or_default();
        header[40..48].copy_from_slice(&at.to_le_bytes());
        header[48..56].copy_from_slice(&length.to_le_bytes());
        header[56..60].copy_from_slice(&sum.to_le_bytes());
        header[60..64].copy_from_slice(&self.flags[area].to_le_bytes());
        let sum = checksum(&header[4..]);
        header[..4].copy_from_slice(&sum.to_le_bytes());
        let begin = Self::offset(area);
        self.bytes[begin..begin + HEADER_BYTES].copy_from_slice(&header);
    }
}

/// Returns the UUID of a PV, VG or LV that tests call by a number.
pub fn uuid(number: usize) -> PvUuid {
    let digits = format!("{number:032}");
    PvUuid::try_from(digits.as_str()).expect("32 digits are a UUID")
}

/// Returns a VG's text as LVM writes it, with LVs of one extent.
pub fn vg_text(name: &str, vg: usize, seqno: u32, pvs: &[usize], lvs: usize) -> String {
    let pvs = pvs.iter().enumerate().map(|(at, pv)| {
        let id = uuid(*pv);
        format!(
            "pv{at} {{\nid = \"{id}\"\ndevice = \"/dev/sd{at}\"\n\nstatus = [\"ALLOCATABLE\"]\nflags = []\ndev_size = 384\n\
             pe_start = 128\npe_count = 1\n}}\n\n"
        )
    });
    let lvs = (0..lvs).map(|lv| {
        let id = uuid(vg * 1_000_000 + lv);
        format!(
            "lv{lv} {{\nid = \"{id}\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []\ncreation_time = 1700000000\n\
             creation_host = \"lab\"\nsegment_count = 1\n\nsegment1 {{\nstart_extent = 0\nextent_count = 1\n\n\
             type = \"striped\"\nstripe_count = 1\n\nstripes = [\n\"pv0\", {lv}\n]\n}}\n}}\n\n"
        )
    });
    let (id, pvs, lvs) = (uuid(vg), pvs.collect::<String>(), lvs.collect::<String>());
    format!(
        "{name} {{\nid = \"{id}\"\nseqno = {seqno}\nformat = \"lvm2\"\nstatus = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\n\
         extent_size = 8192\nmax_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n\nphysical_volumes {{\n\n{pvs}}}\n\n\
         logical_volumes {{\n\n{lvs}}}\n\n}}\n# Generated by LVM2\n\ncontents = \"Text Format Volume Group\"\nversion = 1\n"
    )
}
