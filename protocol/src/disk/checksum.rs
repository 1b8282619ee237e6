//! The checksum of everything that LVM2 writes.

use crc32fast::Hasher;

/// What LVM begins with, where others begin with all bits set.
const INITIAL: u32 = 0xf597_a6cf;

/// Returns LVM's checksum of `bytes`: CRC-32 with a beginning of its own, and without the inversion at the end.
pub fn checksum(bytes: &[u8]) -> u32 {
    // The crate inverts what it is given and what it returns.
    let mut hasher = Hasher::new_with_initial(!INITIAL);
    hasher.update(bytes);
    !hasher.finalize()
}
