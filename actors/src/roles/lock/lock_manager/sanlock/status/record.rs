//! The records of an answer, out of their bytes.

use std::io;

use super::{HEADER_BYTES, LOCKSPACE_BYTES, MAGIC, PROTOCOL, not_understood};

/// The fixed part: type, flags, a number, a wider number, a name, the length of the words, and what C adds.
const STATE_BYTES: usize = 80;
const RESOURCE_BYTES: usize = 128;
const DISK_BYTES: usize = 1040;
const NAME_BYTES: usize = 48;
const SHARED: u32 = 4;

/// One record.
#[derive(Debug)]
pub(super) enum Record<'a> {
    Daemon(Words<'a>),
    Lockspace { name: String, host_id: u64, words: Words<'a> },
    Resource { lockspace: String, resource: String, is_shared: bool, offset: u64, words: Words<'a> },
    Host { id: u64, words: Words<'a> },
    Other,
}

/// The daemon's own words about something: `key=value`, separated by blanks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    pub(super) fn get(self, key: &str) -> Option<&'a str> {
        self.0.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    pub(super) fn number(self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }
}

/// Takes an answer apart.
///
/// # Errors
/// It has another form.
pub(super) fn records(answer: &[u8]) -> io::Result<Vec<Record<'_>>> {
    let mut rest = Bytes(answer);
    let header = rest.take(HEADER_BYTES)?;
    if number(header, 0) != MAGIC || number(header, 4) != PROTOCOL {
        return Err(not_understood());
    }
    let mut records = Vec::new();
    while !rest.0.is_empty() {
        records.push(record(&mut rest)?);
    }
    Ok(records)
}

fn record<'a>(rest: &mut Bytes<'a>) -> io::Result<Record<'a>> {
    let state = rest.take(STATE_BYTES)?;
    let words = rest.take(usize::try_from(number(state, 72)).map_err(|_| not_understood())?)?;
    let words = Words(std::str::from_utf8(words).map_err(|_| not_understood())?.trim_end_matches('\0'));
    Ok(match number(state, 0) {
        1 => Record::Daemon(words),
        3 => {
            let lockspace = rest.take(LOCKSPACE_BYTES)?;
            Record::Lockspace { name: name(lockspace, 0), host_id: wide(lockspace, 48), words }
        }
        4 => {
            let resource = rest.take(RESOURCE_BYTES)?;
            let disks = usize::try_from(number(resource, 124)).map_err(|_| not_understood())?;
            let disks = rest.take(disks.checked_mul(DISK_BYTES).ok_or_else(not_understood)?)?;
            Record::Resource {
                lockspace: name(resource, 0),
                resource: name(resource, NAME_BYTES),
                is_shared: number(resource, 120) & SHARED != 0,
                offset: if disks.is_empty() { 0 } else { wide(disks, 1024) },
                words,
            }
        }
        5 => Record::Host { id: u64::from(number(state, 8)), words },
        _ => Record::Other,
    })
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(not_understood)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Returns the number at `at`; `bytes` was taken large enough.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn wide(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn name(bytes: &[u8], at: usize) -> String {
    let field = &bytes[at..at + NAME_BYTES];
    let length = field.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES);
    String::from_utf8_lossy(&field[..length]).into_owned()
}
