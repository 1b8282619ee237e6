//! The one place where an LVM command is made whose output is read: pure.
//!
//! What an LVM command prints depends on lvm.conf, on profiles and on `LVM_COMMAND_PROFILE`: a prefix before each line, headings,
//! units, names of commands, another format altogether. Each key that shapes a report is said on the command line, where it
//! has the last word.
//!
//! Source: lvm2 2.03.16, `lvmconfig --type default` (the keys), lvm.conf(5), "Configuration cascade"; the test runs the
//! installed lvm with each of them turned over.

use std::ffi::OsString;
use std::time::Duration;

/// How long a report may take: it reads a few sectors of every disk. Past it, a disk does not answer.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Every key of lvm.conf that shapes a report, with the value that the readers here go by.
///
/// Keys that choose columns or their order for a command that is not told (`lvs_cols`, `vgs_sort`, ...) are not among them:
/// the columns are always named, and readers go by no order.
pub const SHAPE: [(&str, &str); 25] = [
    // With the log in it, lvs 2.03.16 puts a comma too many behind the report.
    ("log/report_command_log", "0"),
    ("log/verbose", "0"),
    ("log/silent", "0"),
    ("log/indent", "0"),
    ("log/command_names", "0"),
    ("log/prefix", r#""""#),
    ("log/activation", "0"),
    ("global/test", "0"),
    ("global/units", r#""b""#),
    ("global/si_unit_consistency", "1"),
    ("global/suffix", "0"),
    ("report/output_format", r#""json""#),
    ("report/compact_output", "0"),
    ("report/compact_output_cols", r#""""#),
    ("report/aligned", "0"),
    ("report/buffered", "1"),
    ("report/headings", "1"),
    ("report/separator", r#"" ""#),
    ("report/list_item_separator", r#"",""#),
    ("report/prefixes", "0"),
    ("report/quoted", "1"),
    ("report/columns_as_rows", "0"),
    ("report/binary_values_as_numeric", "1"),
    ("report/mark_hidden_devices", "1"),
    ("report/two_word_unknown_device", "0"),
];

/// Returns the words after `lvm` for a report of all LVs: JSON, with yes as `1`, whatever lvm.conf says.
///
/// `fields` are the columns, separated by commas; `more` are further options, such as `--select`. With `--readonly` it takes
/// no lock and asks the kernel nothing, so that neither a command that holds a VG nor a suspended device can hold it up, and
/// writes nothing.
pub fn lvs(fields: &str, more: &[&str]) -> Vec<OsString> {
    report("lvs", &["--all"], fields, more)
}

/// Returns the words after `lvm` for a report of one VG, as [`lvs`] does.
pub fn vgs(fields: &str, vg: &str) -> Vec<OsString> {
    report("vgs", &[], fields, &[vg])
}

/// Returns the words after `lvm` for a report of all devices that LVM looks at, PVs or not, as [`lvs`] does.
pub fn pvs(fields: &str) -> Vec<OsString> {
    report("pvs", &["--all"], fields, &[])
}

/// Returns the words after `lvm` for the values of these settings, such as `global/use_lvmpolld`, whether lvm.conf says them or
/// not: a line `use_lvmpolld=1` for each.
pub fn settings(keys: &[&str]) -> Vec<OsString> {
    let shape = shape();
    let words = ["lvmconfig", "--typeconfig", "full", "--config", &shape];
    words.iter().chain(keys).map(OsString::from).collect()
}

/// Returns the words after `lvm` for its version: a line `  LVM version:     2.03.16(2) (2022-05-18)`, and others.
pub fn version() -> Vec<OsString> {
    ["version", "--config", &shape()].map(OsString::from).into()
}

fn shape() -> String {
    let shape: Vec<String> = SHAPE.iter().map(|(key, value)| format!("{key}={value}")).collect();
    shape.join(" ")
}

fn report(command: &str, which: &[&str], fields: &str, more: &[&str]) -> Vec<OsString> {
    let shape = shape();
    let words = ["--readonly", "--binary", "--reportformat", "json", "--config", &shape, "--options", fields];
    let words = [command].into_iter().chain(which.iter().copied()).chain(words);
    words.chain(more.iter().copied()).map(OsString::from).collect()
}
