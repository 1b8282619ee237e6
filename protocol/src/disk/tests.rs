//! Labels and metadata areas that the tests write themselves; those that LVM wrote are compared in the lab.

use proptest::prelude::*;

use super::*;

const UUID: &[u8; 32] = b"6hwPRQubExOvshfj3nrkGYSbuKGi6Lfw";
const MDA: Area = Area { offset: 4096, size: 8192 };

/// Writes a label into `sector`, as `pvcreate` does.
fn label(sector: u64) -> Vec<u8> {
    let mut bytes = vec![0; SECTOR_BYTES];
    bytes[..8].copy_from_slice(b"LABELONE");
    bytes[8..16].copy_from_slice(&sector.to_le_bytes());
    bytes[20..24].copy_from_slice(&32_u32.to_le_bytes());
    bytes[24..32].copy_from_slice(b"LVM2 001");
    bytes[32..64].copy_from_slice(UUID);
    let numbers = [1 << 30, 1 << 20, 0, 0, 0, MDA.offset, MDA.size, 0, 0];
    let mut at = 64;
    for number in numbers {
        bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(number));
        at += 8;
    }
    bytes[at..at + 4].copy_from_slice(&2_u32.to_le_bytes());
    bytes[at + 4..at + 8].copy_from_slice(&1_u32.to_le_bytes());
    seal_label(&mut bytes);
    bytes
}

fn seal_label(bytes: &mut [u8]) {
    let sum = checksum(&bytes[20..]);
    bytes[16..20].copy_from_slice(&sum.to_le_bytes());
}

/// Returns the beginning of a device whose label is in `sector`.
fn device(sector: u64) -> Vec<u8> {
    let mut bytes = vec![0; SCANNED_BYTES];
    let at = usize::try_from(sector).expect("a small number") * SECTOR_BYTES;
    bytes[at..at + SECTOR_BYTES].copy_from_slice(&label(sector));
    bytes
}

/// Writes the header of [`MDA`] for a text at `offset`.
fn header(offset: u64, text: &[u8], flags: u32) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
    bytes[20..24].copy_from_slice(&1_u32.to_le_bytes());
    bytes[24..32].copy_from_slice(&MDA.offset.to_le_bytes());
    bytes[32..40].copy_from_slice(&MDA.size.to_le_bytes());
    bytes[40..48].copy_from_slice(&offset.to_le_bytes());
    bytes[48..56].copy_from_slice(&(text.len() as u64).to_le_bytes());
    bytes[56..60].copy_from_slice(&checksum(text).to_le_bytes());
    bytes[60..64].copy_from_slice(&flags.to_le_bytes());
    seal_header(&mut bytes);
    bytes
}

fn seal_header(bytes: &mut [u8]) {
    let sum = checksum(&bytes[4..]);
    bytes[..4].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_label_tells_where_everything_is() {
    let label = Label::parse(&device(1)).expect("a label");
    assert_eq!(label.pv_uuid.as_str(), "6hwPRQ-ubEx-Ovsh-fj3n-rkGY-SbuK-Gi6Lfw");
    assert_eq!(label.sector, 1);
    assert_eq!(label.device_size_bytes, 1 << 30);
    assert_eq!(label.data_areas, [Area { offset: 1 << 20, size: 0 }]);
    assert_eq!(label.metadata_areas, [MDA]);
    assert_eq!(label.extension, Some(Extension { version: 2, flags: 1, bootloader_areas: Vec::new() }));
}

#[test]
fn a_label_of_an_older_release_has_no_extension() {
    let mut bytes = device(1);
    bytes[SECTOR_BYTES + 136..SECTOR_BYTES + 144].fill(0);
    seal_label(&mut bytes[SECTOR_BYTES..2 * SECTOR_BYTES]);
    assert_eq!(Label::parse(&bytes).expect("a label").extension, None);
}

#[test]
fn a_label_is_found_in_any_of_four_sectors() {
    for sector in 0..4 {
        assert_eq!(Label::parse(&device(sector)).map(|label| label.sector), Ok(sector));
    }
    assert_eq!(Label::parse(&[0; SCANNED_BYTES]), Err(LabelError::None));
    assert_eq!(Label::parse(&[]), Err(LabelError::None));
}

#[test]
fn a_label_that_was_copied_into_another_sector_is_none() {
    let mut bytes = device(1);
    bytes.copy_within(SECTOR_BYTES..2 * SECTOR_BYTES, 2 * SECTOR_BYTES);
    bytes[SECTOR_BYTES..2 * SECTOR_BYTES].fill(0);
    assert_eq!(Label::parse(&bytes), Err(LabelError::Sector { sector: 2, said: 1 }));
}

#[test]
fn lists_that_do_not_end_within_the_label_are_refused() {
    let mut bytes = device(1);
    bytes[SECTOR_BYTES + 72..2 * SECTOR_BYTES].fill(1);
    seal_label(&mut bytes[SECTOR_BYTES..2 * SECTOR_BYTES]);
    assert_eq!(Label::parse(&bytes), Err(LabelError::Truncated { sector: 1, what: "list of data areas" }));
    let mut bytes = device(1);
    bytes[SECTOR_BYTES + 20..SECTOR_BYTES + 24].fill(0xff);
    seal_label(&mut bytes[SECTOR_BYTES..2 * SECTOR_BYTES]);
    assert_eq!(Label::parse(&bytes), Err(LabelError::Truncated { sector: 1, what: "contents" }));
}

#[test]
fn a_uuid_of_other_characters_is_refused() {
    let mut bytes = device(1);
    bytes[SECTOR_BYTES + 40] = b'/';
    seal_label(&mut bytes[SECTOR_BYTES..2 * SECTOR_BYTES]);
    assert_eq!(Label::parse(&bytes), Err(LabelError::Uuid { sector: 1 }));
}

#[test]
fn a_header_names_the_current_text() {
    let text = b"vg {\n}\n\0";
    let parsed = AreaHeader::parse(&header(512, text, 0), MDA).expect("a header");
    assert_eq!(parsed.text_pieces(), [Area { offset: MDA.offset + 512, size: 8 }]);
    assert!(!parsed.is_ignored);
    assert_eq!(parsed.text.expect("a text").verify(text), Ok(b"vg {\n}\n".as_slice()));
}

#[test]
fn a_text_goes_on_at_the_beginning_of_the_ring() {
    let text = [b'x'; 1000];
    let parsed = AreaHeader::parse(&header(MDA.size - 300, &text, 0), MDA).expect("a header");
    let (first, second) = (
        Area { offset: MDA.offset + MDA.size - 300, size: 300 },
        Area { offset: MDA.offset + 512, size: 700 },
    );
    assert_eq!(parsed.text_pieces(), [first, second]);
}

#[test]
fn an_area_without_text_and_an_ignored_one_are_told() {
    let empty = AreaHeader::parse(&header(0, b"", 0), MDA).expect("a header");
    assert_eq!((empty.text, empty.text_pieces()), (None, Vec::new()));
    let ignored = AreaHeader::parse(&header(512, b"x", 1), MDA).expect("a header");
    assert!(ignored.is_ignored);
}

#[test]
fn a_header_that_cannot_be_trusted_is_refused() {
    let elsewhere = Area { offset: 8192, ..MDA };
    let place = AreaError::Place { at: 8192, said: 4096 };
    assert_eq!(AreaHeader::parse(&header(512, b"x", 0), elsewhere), Err(place));
    assert_eq!(AreaHeader::parse(&[0; 100], MDA), Err(AreaError::Short(100)));
    let mut later = header(512, b"x", 0);
    later[20] = 2;
    seal_header(&mut later);
    assert_eq!(AreaHeader::parse(&later, MDA), Err(AreaError::Version(2)));
    let mut other = header(512, b"x", 0);
    other[4] = b'!';
    seal_header(&mut other);
    assert_eq!(AreaHeader::parse(&other, MDA), Err(AreaError::Magic));
}

#[test]
fn a_text_outside_the_ring_is_refused() {
    for (offset, size) in [(511, 1), (8192, 1), (512, 7681), (u64::MAX, u64::MAX), (4096, u64::MAX)] {
        let mut bytes = header(offset, b"", 0);
        bytes[48..56].copy_from_slice(&u64::to_le_bytes(size));
        seal_header(&mut bytes);
        let refused = AreaError::Text { offset, size, area_size: MDA.size };
        assert_eq!(AreaHeader::parse(&bytes, MDA), Err(refused), "{offset} {size}");
    }
}

#[test]
fn a_text_that_is_not_the_one_that_was_named_is_refused() {
    let location = TextLocation { offset: 512, size: 3, checksum: checksum(b"abc") };
    assert_eq!(location.verify(b"abc"), Ok(b"abc".as_slice()));
    assert_eq!(location.verify(b"ab"), Err(TextError::Size { size: 3, found: 2 }));
    let wrong = TextError::Checksum { stored: location.checksum, found: checksum(b"abx") };
    assert_eq!(location.verify(b"abx"), Err(wrong));
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2100), seal in any::<bool>()) {
        let mut bytes = bytes;
        if seal && bytes.len() >= SECTOR_BYTES {
            bytes[..8].copy_from_slice(b"LABELONE");
            bytes[8..16].fill(0);
            bytes[24..32].copy_from_slice(b"LVM2 001");
            seal_label(&mut bytes[..SECTOR_BYTES]);
        }
        let _ = Label::parse(&bytes);
        if seal && bytes.len() >= HEADER_BYTES {
            bytes[4..24].copy_from_slice(b" LVM2 x[5A%r0N*>\x01\0\0\0");
            bytes[24..32].copy_from_slice(&MDA.offset.to_le_bytes());
            seal_header(&mut bytes[..HEADER_BYTES]);
        }
        if let Ok(header) = AreaHeader::parse(&bytes, MDA) {
            let size: u64 = header.text_pieces().iter().map(|piece| piece.size).sum();
            prop_assert_eq!(size, header.text.map_or(0, |text| text.size));
        }
    }

    #[test]
    fn one_wrong_bit_is_noticed(at in 0..SECTOR_BYTES * 8) {
        let mut bytes = device(0);
        bytes[at / 8] ^= 1 << (at % 8);
        prop_assert!(Label::parse(&bytes).is_err());
        let mut bytes = header(512, b"vg {\n}\n\0", 0);
        bytes[at / 8] ^= 1 << (at % 8);
        prop_assert!(AreaHeader::parse(&bytes, MDA).is_err());
    }
}
