//! `reconfigure`: what is typed.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use lvmwarden_protocol::api::reconfigure::HoldWish;

use super::{Lv, VgOrLv, lv, seconds, vg_or_lv};

/// What to do about changes.
#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum Reconfigure {
    /// Have an LV grow
    ///
    /// The filesystem is not part of it: grow that afterwards, once, on one host.
    Resize {
        /// The LV
        #[arg(value_name = "VG/LV", value_parser = lv)]
        lv: Lv,
        /// The size wanted, such as 20G, or how much more, such as +5G; in MiB without a unit, as with lvextend
        #[arg(long, value_name = "SIZE", value_parser = size)]
        size: Size,
        /// Whether I/O is held meanwhile, where the VG is shared
        #[arg(long, value_parser = PossibleValuesParser::new(HoldWish::ALL.iter().map(|wish| wish.as_str())))]
        hold: Option<String>,
        /// The PVs on which new extents may lie; without any: all
        #[arg(value_name = "PV")]
        pvs: Vec<String>,
        #[command(flatten)]
        how: How,
    },

    /// Bring the devices of LVs to what the metadata say
    Refresh {
        /// A VG, for all its LVs that are active, or LVs of one VG
        #[arg(value_name = "VG[/LV]", required = true, value_parser = vg_or_lv)]
        names: Vec<VgOrLv>,
        #[command(flatten)]
        how: How,
    },

    /// Give an LV another name
    Rename {
        /// The LV
        #[arg(value_name = "VG/OLD", value_parser = lv)]
        lv: Lv,
        /// Its new name
        #[arg(value_name = "NEW")]
        new: String,
        #[command(flatten)]
        how: How,
    },

    /// Activate LVs on every host
    Activate {
        /// LVs of one VG
        #[arg(value_name = "VG/LV", required = true, value_parser = lv)]
        lvs: Vec<Lv>,
        #[command(flatten)]
        how: How,
    },

    /// Deactivate LVs on every host
    Deactivate {
        /// LVs of one VG
        #[arg(value_name = "VG/LV", required = true, value_parser = lv)]
        lvs: Vec<Lv>,
        #[command(flatten)]
        how: How,
    },

    /// Add tags to a VG or an LV, and remove tags
    Tag {
        /// The VG or the LV
        #[arg(value_name = "VG[/LV]", value_parser = vg_or_lv)]
        name: VgOrLv,
        /// A tag that it is to have
        #[arg(long, value_name = "TAG")]
        add: Vec<String>,
        /// A tag that it is not to have
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
        #[command(flatten)]
        how: How,
    },

    /// List the changes that are under way, and the latest that are over
    List {
        /// The latest so many only
        #[arg(long, value_name = "COUNT")]
        limit: Option<u32>,
    },

    /// Show one change: its hosts, their votes and reasons
    Show {
        /// Its id, or a beginning of it
        id: String,
    },

    /// Tell a change to its end, or all changes for ever
    Watch {
        /// Its id, or a beginning of it
        id: Option<String>,
    },

    /// Wait until a change has ended
    Wait {
        /// Its id, or a beginning of it
        id: String,
        /// Give up after so many seconds, with exit code 5
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
    },

    /// Abandon a change that has not come to its write
    Abandon {
        /// Its id, or a beginning of it
        id: String,
    },

    /// Read the metadata now, and decide a change in doubt
    Judge {
        /// Its id, or a beginning of it
        id: String,
    },

    /// Show the daemons in the group
    Members,

    /// Let go what is held on this host
    ReleaseHolds,
}

/// How a change is asked for.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct How {
    /// Only show what each host would say and do; nothing is changed
    #[arg(long)]
    pub(in crate::cli) plan: bool,

    /// A UUID for the change, so that to ask twice changes once
    #[arg(long, value_name = "UUID")]
    pub(in crate::cli) id: Option<String>,
}

/// A size, or how much more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Size {
    /// So many bytes.
    Bytes(u64),
    /// So many bytes more than now.
    Grow(u64),
}

/// Reads a size as lvextend does: powers of 1024, whatever the case of the unit; MiB without one.
///
/// Source: lvextend(8) of lvm2 2.03.16.
fn size(text: &str) -> Result<Size, &'static str> {
    const EXPECTED: &str = "expected a size such as 20G, or +5G for so much more";
    let (is_more, text) = text.strip_prefix('+').map_or((false, text), |text| (true, text));
    let digits =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let bits = match unit.to_ascii_lowercase().as_str() {
        "b" => 0,
        "s" => 9,
        "k" | "kib" => 10,
        "" | "m" | "mib" => 20,
        "g" | "gib" => 30,
        "t" | "tib" => 40,
        "p" | "pib" => 50,
        "e" | "eib" => 60,
        _unknown => return Err(EXPECTED),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let places = u32::try_from(part.len()).map_err(|_| EXPECTED)?;
    if places > 9 {
        return Err(EXPECTED);
    }
    let scaled: u128 = format!("{whole}{part}").parse().map_err(|_| EXPECTED)?;
    let bytes = scaled.checked_mul(1 << bits).ok_or(EXPECTED)?.div_ceil(10_u128.pow(places));
    let bytes = u64::try_from(bytes).map_err(|_| EXPECTED)?;
    Ok(if is_more { Size::Grow(bytes) } else { Size::Bytes(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_lvextend_reads_it() {
        for (text, expected) in [
            ("20G", Size::Bytes(20 << 30)),
            ("20g", Size::Bytes(20 << 30)),
            ("+5GiB", Size::Grow(5 << 30)),
            ("100", Size::Bytes(100 << 20)),
            ("1.5k", Size::Bytes(1536)),
            ("512b", Size::Bytes(512)),
            ("+1s", Size::Grow(512)),
            ("0.1k", Size::Bytes(103)),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in ["", "G", "-5G", "++5G", "5X", "5 G", "1e3", "99999999999e", "1.2.3", "."] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
