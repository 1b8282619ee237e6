//! Images of PVs: whole ones, torn ones, damaged ones, and bytes that are none.

use std::io;

use lvmwarden_protocol::disk::image::{PvImage, uuid, vg_text};
use proptest::prelude::*;

use super::*;

const DEVICE: DeviceNumber = DeviceNumber { major: 7, minor: 0 };

/// A device in memory, which counts how it is read, and may be written to between two reads.
struct Memory<'image> {
    bytes: &'image [u8],
    reads: Vec<(u64, usize)>,
    /// From which read on it is another.
    then: Option<(usize, &'image [u8])>,
}

impl<'image> Memory<'image> {
    fn of(image: &'image PvImage) -> Self {
        Self { bytes: image.bytes(), reads: Vec::new(), then: None }
    }
}

impl ReadAt for Memory<'_> {
    fn read_at(&mut self, offset: u64, size: usize) -> io::Result<Vec<u8>> {
        self.reads.push((offset, size));
        let bytes =
            self.then.filter(|(from, _)| self.reads.len() > *from).map_or(self.bytes, |(_, other)| other);
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[begin..begin.saturating_add(size).min(bytes.len())].to_vec())
    }
}

fn read_image(image: &PvImage) -> Result<PvReading, ReadError> {
    read(&mut Memory::of(image), DEVICE, &Texts::default())
}

fn seqno(reading: &PvReading) -> Option<i64> {
    reading.metadata.as_ref().map(|metadata| metadata.text.seqno)
}

fn faults(reading: &PvReading) -> Vec<String> {
    reading.faults.iter().map(|fault| fault.what.to_string()).collect()
}

#[test]
fn a_pv_is_read_with_its_vg() {
    let mut image = PvImage::new(&uuid(1), 2);
    image.commit(&vg_text("vg0", 100, 3, &[1, 2], 2));
    let mut device = Memory::of(&image);
    let reading = read(&mut device, DEVICE, &Texts::default()).unwrap();
    let metadata = reading.metadata.clone().unwrap();
    assert_eq!((metadata.name.as_str(), metadata.text.seqno), ("vg0", 3));
    assert_eq!(metadata.text.uuid.as_str(), uuid(100).as_str());
    assert_eq!(metadata.text.pvs().len(), 2);
    assert_eq!(reading.pv.id.as_str(), uuid(1).as_str());
    assert_eq!(
        (reading.pv.device, reading.pv.has_used_area, reading.is_used),
        (DEVICE.as_sent(), true, Some(true))
    );
    assert_eq!(faults(&reading), [""; 0]);
    assert_eq!(device.reads.len(), 4, "label, two headers, and one text for both: {:?}", device.reads);
}

#[test]
fn what_is_no_pv_any_more_is_told_apart_from_what_is_damaged() {
    let mut image = PvImage::new(&uuid(1), 1);
    assert_eq!(seqno(&read_image(&image).unwrap()), None, "nobody uses it");
    image.bytes_mut()[600] ^= 1;
    assert!(matches!(read_image(&image), Err(ReadError::Label(_))));
    image.bytes_mut().fill(0);
    assert!(matches!(read_image(&image), Err(ReadError::NoPv)));
}

#[test]
fn a_text_that_is_being_replaced_is_not_believed() {
    let mut before = PvImage::new(&uuid(1), 1);
    before.commit(&vg_text("vg0", 100, 3, &[1], 2));
    // The ring goes round until the next text lies where the current one was when its header was read.
    let mut after = before.clone();
    for seqno in 4..100 {
        after.commit(&vg_text("vg0", 100, seqno, &[1], 2));
    }
    let mut device = Memory { then: Some((2, after.bytes())), ..Memory::of(&before) };
    assert!(matches!(read(&mut device, DEVICE, &Texts::default()), Err(ReadError::Torn(_))));
    assert_eq!(seqno(&read_image(&after).unwrap()), Some(99));
}

#[test]
fn a_change_that_is_not_committed_is_not_seen() {
    let mut image = PvImage::new(&uuid(1), 2);
    image.commit(&vg_text("vg0", 100, 3, &[1], 0));
    image.write_text(0, &vg_text("vg0", 100, 4, &[1], 0));
    assert_eq!(seqno(&read_image(&image).unwrap()), Some(3));
    image.write_header(0);
    let reading = read_image(&image).unwrap();
    assert_eq!(seqno(&reading), Some(4), "the newest of the areas counts");
    assert_eq!(faults(&reading), ["it has seqno 3, another area of the same PV 4"]);
}

#[test]
fn an_area_that_is_damaged_is_told_and_the_other_counts() {
    let mut image = PvImage::new(&uuid(1), 2);
    image.commit(&vg_text("vg0", 100, 3, &[1], 0));
    image.bytes_mut()[PvImage::offset(0) + 100] ^= 1;
    let reading = read_image(&image).unwrap();
    assert_eq!(seqno(&reading), Some(3));
    assert_eq!(reading.faults.len(), 1);
    assert_eq!(reading.faults[0].offset, PvImage::offset(0) as u64);
    image.commit_to(0, "no metadata {");
    image.commit_to(1, "vg0 { id = \"x\" }");
    let reading = read_image(&image).unwrap();
    assert_eq!((seqno(&reading), reading.faults.len()), (None, 2), "{:?}", reading.faults);
}

#[test]
fn a_name_that_no_vg_has_is_no_vg() {
    let mut image = PvImage::new(&uuid(1), 1);
    for name in ["../x", "-rf", "a b"] {
        image.commit(&vg_text(&format!("\"{name}\""), 100, 3, &[1], 0));
        let reading = read_image(&image).unwrap();
        assert_eq!(
            (seqno(&reading), faults(&reading)),
            (None, vec!["its text names no VG".to_owned()]),
            "{name}"
        );
    }
}

#[test]
fn ignored_areas_are_left_alone() {
    let mut image = PvImage::new(&uuid(1), 1);
    image.commit(&vg_text("vg0", 100, 3, &[1], 0));
    image.ignore(0, true);
    let reading = read_image(&image).unwrap();
    assert_eq!((seqno(&reading), reading.pv.has_used_area), (None, false));
}

#[test]
fn one_read_of_a_header_tells_whether_a_pv_is_as_it_was() {
    let mut image = PvImage::new(&uuid(1), 2);
    image.commit(&vg_text("vg0", 100, 3, &[1], 0));
    let known = read_image(&image).unwrap();
    let mut device = Memory::of(&image);
    assert!(is_unchanged(&mut device, &known).unwrap());
    assert_eq!(device.reads, [(PvImage::offset(0) as u64, HEADER_BYTES)]);
    image.commit(&vg_text("vg0", 100, 4, &[1], 0));
    assert!(!is_unchanged(&mut Memory::of(&image), &known).unwrap());
    let bare = PvImage::new(&uuid(2), 0);
    let known = read_image(&bare).unwrap();
    assert!(is_unchanged(&mut Memory::of(&bare), &known).unwrap());
    assert!(!is_unchanged(&mut Memory::of(&PvImage::new(&uuid(3), 0)), &known).unwrap());
}

proptest! {
    #[test]
    fn whatever_is_on_a_device_is_read_or_refused(
        damages in prop::collection::vec((0..200_000_usize, any::<u8>()), 0..40),
        length in 0..200_000_usize,
    ) {
        let mut image = PvImage::new(&uuid(1), 2);
        image.commit(&vg_text("vg0", 100, 3, &[1], 1));
        for (at, byte) in damages {
            // Mostly where it matters.
            let at = match at % 4 { 0 => 512 + at % 512, 1 => 4096 + at % 2048, _ => at };
            if let Some(place) = image.bytes_mut().get_mut(at) { *place = byte; }
        }
        let bytes = &image.bytes()[..length.min(image.bytes().len())];
        let mut device = Memory { bytes, reads: Vec::new(), then: None };
        if let Ok(reading) = read(&mut device, DEVICE, &Texts::default()) {
            // A damaged text is never believed: its checksum is wrong.
            prop_assert!(reading.metadata.is_none_or(|metadata| metadata.text.seqno == 3));
        }
    }
}
