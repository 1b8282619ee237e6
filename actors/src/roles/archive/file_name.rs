//! The names of LVM's archive: which file is a copy of which VG's metadata. Pure.
//!
//! ```text
//! vg_system_00042-1804289383.vg
//! └──┬────┘ └─┬─┘ └───┬────┘
//!   VG name index   random    at least five digits for the index, none too many
//! ```
//!
//! Whatever is written in another way was not made by lvm, and is none of our business: lvm's own temporary files
//! (`.lvm_HOST_PID_RANDOM`), what a person renamed or copied, folders.
//!
//! Source: lvm2 2.03.16 and its head of 2026, `lib/format_text/archive.c` (`%s_%05u-%d.vg`; the index counts on from the
//! highest one there is, the random number is not negative), `lib/misc/lvm-string.c` (names of VGs).

use std::fmt;

use lvmwarden_protocol::ids::is_lvm_name;

/// How many digits an index has at least.
const INDEX_DIGITS: usize = 5;

/// What the name of a copy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileName<'name> {
    /// The VG that it is a copy of.
    pub(super) vgname: &'name str,
    /// The how-manieth copy of this VG it is; lvm gives the next one the highest of all and one.
    pub(super) index: u32,
    /// What keeps two hosts that share the directory apart.
    pub(super) random: u32,
}

impl<'name> FileName<'name> {
    /// Parses a file's name; `None` when lvm would not have written it so.
    pub(super) fn parse(name: &'name [u8]) -> Option<Self> {
        let (vgname, numbers) = std::str::from_utf8(name).ok()?.strip_suffix(".vg")?.rsplit_once('_')?;
        let (index, random) = numbers.split_once('-')?;
        let parsed = Self { vgname, index: number(index)?, random: number(random)? };
        let is_index = index.len() == INDEX_DIGITS || (index.len() > INDEX_DIGITS && !index.starts_with('0'));
        let is_random = random == "0" || !random.starts_with('0');
        (is_vg_name(vgname) && is_index && is_random).then_some(parsed)
    }
}

impl fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vgname, index, random } = self;
        write!(f, "{vgname}_{index:0INDEX_DIGITS$}-{random}.vg")
    }
}

/// Parses digits and nothing else.
fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Hidden files are left out although lvm permits such VGs: a name with a dot in front is usually somebody's own.
fn is_vg_name(name: &str) -> bool {
    is_lvm_name(name) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_lvm_writes_is_recognised() {
        for (name, vgname, index, random) in [
            ("vg_00000-0.vg", "vg", 0, 0),
            ("vg_00042-1804289383.vg", "vg", 42, 1_804_289_383),
            ("vg_99999-1.vg", "vg", 99_999, 1),
            ("vg_110000-1.vg", "vg", 110_000, 1),
            ("vg_4294967295-2147483647.vg", "vg", u32::MAX, 2_147_483_647),
            ("vg_system_00001-7.vg", "vg_system", 1, 7),
            ("a_00001-2_00003-4.vg", "a_00001-2", 3, 4),
            ("A+b.c-d__00001-7.vg", "A+b.c-d_", 1, 7),
            ("vg.vg_00001-7.vg", "vg.vg", 1, 7),
        ] {
            let expected = FileName { vgname, index, random };
            assert_eq!(FileName::parse(name.as_bytes()), Some(expected), "{name}");
            assert_eq!(expected.to_string(), name);
        }
    }

    #[test]
    fn what_lvm_does_not_write_is_not() {
        let too_long = format!("{}_00001-7.vg", "v".repeat(128));
        for name in [
            "",
            ".vg",
            "vg",
            "vg.vg",
            "_00001-7.vg",
            "vg_00001.vg",
            "vg_00001-.vg",
            "vg_-7.vg",
            "vg_0001-7.vg",
            "vg_000001-7.vg",
            "vg_00001-07.vg",
            "vg_00001--7.vg",
            "vg_+0001-7.vg",
            "vg_00001-+7.vg",
            "vg_00001-7-7.vg",
            "vg_00001-7.vg.bak",
            "vg_00001-7.VG",
            "vg_00001-7 .vg",
            "vg_4294967296-7.vg",
            "vg_00001-4294967296.vg",
            "-vg_00001-7.vg",
            ".vg_00001-7.vg",
            ".._00001-7.vg",
            "v g_00001-7.vg",
            "vg/x_00001-7.vg",
            "vü_00001-7.vg",
            ".lvm_lab_812_1804289383",
            &too_long,
        ] {
            assert_eq!(FileName::parse(name.as_bytes()), None, "{name}");
        }
        assert_eq!(FileName::parse(b"v\xff_00001-7.vg"), None);
    }

    proptest! {
        #[test]
        fn a_recognised_name_is_written_as_it_was(name in "[a-z._+-]{1,4}_[0-9]{1,11}-[0-9]{1,11}\\.vg") {
            if let Some(parsed) = FileName::parse(name.as_bytes()) {
                prop_assert_eq!(parsed.to_string(), name);
            }
        }

        #[test]
        fn any_bytes_can_be_looked_at(name in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(parsed) = FileName::parse(&name) {
                prop_assert_eq!(parsed.to_string().into_bytes(), name);
            }
        }
    }
}
