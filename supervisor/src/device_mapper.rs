//! The kernel's device-mapper ABI, as far as reading status and table of one device needs it: bytes to values, no I/O
//! but for waiting ([`first_event`]).
//!
//! One buffer goes to the kernel and comes back: a header of 312 bytes, then one record per target of the device's
//! table, each with its status as text. Everything in the answer is checked against the length of the buffer.
//! The system call itself is in [`sys::device_mapper_status`](crate::sys::device_mapper_status).
//!
//! Source: Linux 6.18, `include/uapi/linux/dm-ioctl.h`; `drivers/md/dm-ioctl.c`, `retrieve_status`.

mod event;

use std::io;

pub use event::first_event;

/// What the kernel says about one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmStatus {
    /// Whether I/O to the device is held back just now.
    pub suspended: bool,
    /// Whether anybody has it open: a process, a filesystem, or a device on top of it.
    pub is_open: bool,
    /// Its targets in order of sectors; empty when no table is loaded.
    pub targets: Vec<DmTarget>,
}

/// One target: a range of the device and what maps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmTarget {
    /// Where it starts on the device, in sectors of 512 bytes.
    pub start_sector: u64,
    /// How long it is, in sectors of 512 bytes; never 0.
    pub length_sectors: u64,
    /// The type of target, such as `linear` or `mirror`; 1 to 15 bytes.
    pub kind: String,
    /// Its status, one line in the words of the target, empty for types that have none, as `linear`; or its line of the
    /// table, as [`Ask`] said.
    pub params: String,
}

/// What is asked about each target of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// How it is.
    Status,
    /// How it was set up: its line of the device's table.
    Table,
}

/// The answer to a request for a status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The status.
    Status(DmStatus),
    /// The status does not fit: ask again with a larger buffer.
    BufferFull,
}

/// The interface that the header announces; the kernel takes any later minor version as well.
const VERSION: [u32; 3] = [4, 0, 0];

// Offsets and sizes of `struct dm_ioctl`.
const DATA_SIZE_AT: usize = 12;
const DATA_START_AT: usize = 16;
const TARGET_COUNT_AT: usize = 20;
const OPEN_COUNT_AT: usize = 24;
const FLAGS_AT: usize = 28;
const UUID_AT: usize = 176;
const UUID_SIZE: usize = 129;
pub(crate) const HEADER_SIZE: u32 = 312;

// Flags of the header.
/// The kernel is asked for the table.
const TABLE: u32 = 1 << 4;
const SUSPENDED: u32 = 1 << 1;
const BUFFER_FULL: u32 = 1 << 8;
/// The kernel must not flush the device to be up to date: that would wait for its disks.
const NO_FLUSH: u32 = 1 << 11;

// Offsets and sizes of `struct dm_target_spec`.
const LENGTH_AT: usize = 8;
const NEXT_AT: usize = 20;
const KIND_AT: usize = 24;
const SPEC_SIZE: usize = 40;

/// Writes the request for status or table of the device `uuid` at the start of a buffer of `size` bytes, which is also the
/// room for the answer.
///
/// # Errors
/// `InvalidInput` when `uuid` is empty, has 129 bytes or more, or contains a NUL.
pub(crate) fn write_status_request(uuid: &str, ask: Ask, size: u32) -> io::Result<Vec<u8>> {
    if uuid.is_empty() || uuid.len() >= UUID_SIZE || uuid.contains('\0') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a uuid of a device-mapper device"));
    }
    let mut buffer = vec![0; HEADER_SIZE.max(size) as usize];
    for (number, at) in VERSION.into_iter().zip([0, 4, 8]) {
        write_u32(&mut buffer, at, number);
    }
    write_u32(&mut buffer, DATA_SIZE_AT, size);
    write_u32(&mut buffer, DATA_START_AT, HEADER_SIZE);
    let flags = match ask {
        Ask::Status => NO_FLUSH,
        Ask::Table => NO_FLUSH | TABLE,
    };
    write_u32(&mut buffer, FLAGS_AT, flags);
    buffer[UUID_AT..UUID_AT + uuid.len()].copy_from_slice(uuid.as_bytes());
    Ok(buffer)
}

/// Parses the buffer that the kernel filled.
///
/// # Errors
/// `InvalidData` when a record or its text reaches beyond the buffer, or records overlap.
pub(crate) fn parse_status(buffer: &[u8]) -> io::Result<Answer> {
    parse(buffer)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the device-mapper's answer is malformed"))
}

fn parse(buffer: &[u8]) -> Option<Answer> {
    let flags = read_u32(buffer, FLAGS_AT)?;
    if flags & BUFFER_FULL != 0 {
        return Some(Answer::BufferFull);
    }
    let records = buffer.get(read_u32(buffer, DATA_START_AT)? as usize..)?;
    let mut targets = Vec::new();
    let mut here = 0;
    for _ in 0..read_u32(buffer, TARGET_COUNT_AT)? {
        let record = records.get(here..)?;
        targets.push(parse_target(record)?);
        // Counted from the first record. An offset that does not advance would give the same target for ever.
        let next = read_u32(record, NEXT_AT)? as usize;
        here = if next >= here + SPEC_SIZE { next } else { return None };
    }
    // Signed, and negative where it is not known.
    let is_open = read_u32(buffer, OPEN_COUNT_AT)?.cast_signed() > 0;
    Some(Answer::Status(DmStatus { suspended: flags & SUSPENDED != 0, is_open, targets }))
}

fn parse_target(record: &[u8]) -> Option<DmTarget> {
    Some(DmTarget {
        start_sector: read_u64(record, 0)?,
        length_sectors: read_u64(record, LENGTH_AT)?,
        kind: read_text(record.get(KIND_AT..SPEC_SIZE)?)?,
        params: read_text(record.get(SPEC_SIZE..)?)?,
    })
}

/// Reads text that ends with NUL; names of devices in it need not be UTF-8.
fn read_text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn read_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn write_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
}

#[cfg(test)]
mod tests;
