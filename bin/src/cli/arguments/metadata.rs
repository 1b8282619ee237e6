//! `metadata`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};
use lvmwarden_protocol::ids::{PvName, VgName, VgUuid};

use super::name;

/// What is to be told of VGs, PVs and LVs.
#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum Metadata {
    /// List VGs, as vgs does
    Vgs {
        /// Only those of this name
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,

        #[command(flatten)]
        age: Age,
    },

    /// List LVs, as lvs does
    Lvs {
        /// Only those of this VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,

        /// Those as well that are parts of others, in brackets
        #[arg(short, long)]
        all: bool,

        #[command(flatten)]
        age: Age,
    },

    /// List PVs, as pvs does
    Pvs {
        /// Only those of this VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,

        #[command(flatten)]
        age: Age,
    },

    /// Draw a VG: what lies where on its PVs, and its LVs with their segments
    Show {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,

        /// Which of several VGs with this name
        #[arg(long, value_name = "UUID", value_parser = vg_uuid)]
        uuid: Option<VgUuid>,

        #[command(flatten)]
        age: Age,
    },

    /// Wait until every PV of a VG is there
    ///
    /// The VG need not be known before. The exit code is 0 when it is complete, 5 when the time is over. It survives a restart of the
    /// daemon.
    Wait {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,

        /// Give up after this time, such as 30s or 5min
        #[arg(long, value_name = "TIME", value_parser = span)]
        timeout: Option<Duration>,
    },

    /// Tell of VGs that come, change, become complete or partial, and go
    Watch {
        /// Only of this VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,
    },

    /// Show what is not as it should be: missing, doubled and old PVs, VGs of one name
    Problems,

    /// Have a device read again, whatever is known of it
    Rescan {
        /// Its path
        #[arg(value_name = "DEVICE", value_hint = ValueHint::FilePath, value_parser = name::<PvName>)]
        device: PvName,
    },
}

/// How old an answer may be.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Age {
    /// Have what is older than this looked at on the disks: one header of each VG, without a lock; such as 10s
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(in crate::cli) max_age: Option<Duration>,
}

impl Age {
    /// Returns it as the API takes it.
    pub(in crate::cli) fn max_age_ms(&self) -> Option<u64> {
        self.max_age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    }
}

fn vg_uuid(text: &str) -> Result<VgUuid, &'static str> {
    text.try_into().map_err(|_| "expected a UUID as `lvmwarden metadata vgs --json` prints it")
}

/// Reads a time: a number with `ms`, `s`, `min` or `h`, or of seconds.
fn span(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a time such as 500ms, 30s, 5min or 1h";
    let unit = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _unknown => return Err(EXPECTED),
    };
    let seconds = number.trim().parse::<f64>().map_err(|_| EXPECTED)? * seconds;
    if !(0.0..=1e9).contains(&seconds) {
        return Err(EXPECTED);
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("30s", 30_000),
            ("1.5 s", 1500),
            ("500ms", 500),
            ("2min", 120_000),
            ("1h", 3_600_000),
            ("0", 0),
        ] {
            assert_eq!(span(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1s", "1e99", "1d", "30 s x", "inf", "nan", "1ss", "١s"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
