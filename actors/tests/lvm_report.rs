//! The installed lvm, with an lvm.conf that turns over whatever shapes a report: it prints what it prints without one.
//!
//! lvm is given a system directory of the test's own, whose lvm.conf refuses every device: it reads no disk of this machine.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use lvmwarden_actors::foundation::lvm_report;
use lvmwarden_actors::roles::poll::reconcile::report;
use tempfile::TempDir;

/// For each key of [`lvm_report::SHAPE`] a value that is not the one that we go by.
const TURNED_OVER: [(&str, &str); 25] = [
    ("log/report_command_log", "1"),
    ("log/verbose", "3"),
    ("log/silent", "1"),
    ("log/indent", "1"),
    ("log/command_names", "1"),
    ("log/prefix", r##""#""##),
    ("log/activation", "1"),
    ("global/test", "1"),
    ("global/units", r#""K""#),
    ("global/si_unit_consistency", "0"),
    ("global/suffix", "1"),
    ("report/output_format", r#""basic""#),
    ("report/compact_output", "1"),
    ("report/compact_output_cols", r#""move_pv""#),
    ("report/aligned", "1"),
    ("report/buffered", "0"),
    ("report/headings", "0"),
    ("report/separator", r#""|""#),
    ("report/list_item_separator", r#"";""#),
    ("report/prefixes", "1"),
    ("report/quoted", "0"),
    ("report/columns_as_rows", "1"),
    ("report/binary_values_as_numeric", "0"),
    ("report/mark_hidden_devices", "0"),
    ("report/two_word_unknown_device", "1"),
];

/// Keys of the sections `log` and `report` that leave a report as it is: what goes to files and to syslog, the columns of
/// the log that is off, and the form of times, of which we read none.
const HARMLESS: [&str; 12] = [
    "log/command_log_cols",
    "log/command_log_selection",
    "log/command_log_sort",
    "log/debug_classes",
    "log/debug_file_fields",
    "log/debug_output_fields",
    "log/file",
    "log/journal",
    "log/level",
    "log/overwrite",
    "log/syslog",
    "report/time_format",
];

/// A system directory whose lvm.conf refuses every device.
struct SystemDir(TempDir);

impl SystemDir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Runs an lvm command with these settings beside, and returns what it prints on stdout.
    #[expect(clippy::disallowed_methods, reason = "a test of what the installed program prints")]
    fn lvm(&self, settings: &[(&str, &str)], words: &[OsString]) -> String {
        let settings = settings.iter().map(|(key, value)| format!("{key}={value}\n"));
        let refuse = r#"devices { filter=["r|.*|"] global_filter=["r|.*|"] }"#;
        fs::write(self.0.path().join("lvm.conf"), settings.collect::<String>() + refuse).unwrap();
        let lvm = Path::new("/usr/sbin/lvm");
        let run = Command::new(lvm)
            .args(words)
            .env_clear()
            .env("LC_ALL", "C")
            .env("LVM_SYSTEM_DIR", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    }
}

#[test]
fn no_setting_of_lvm_conf_changes_what_is_read() {
    let directory = SystemDir::new();
    let expected = directory.lvm(&[], &report::arguments(&[]));
    assert_eq!(report::parse(expected.as_bytes()).unwrap(), []);
    for setting in TURNED_OVER {
        assert_eq!(directory.lvm(&[setting], &report::arguments(&[])), expected, "{setting:?}");
    }
    assert_eq!(directory.lvm(&TURNED_OVER, &report::arguments(&[])), expected);
}

/// A key that a later lvm brings fails here, until somebody has said what it does to a report.
#[test]
fn each_key_that_shapes_a_report_is_said_and_turned_over() {
    let said: Vec<_> = lvm_report::SHAPE.iter().map(|(key, _)| *key).collect();
    assert_eq!(said, TURNED_OVER.map(|(key, _)| key));
    for ((key, ours), (_, theirs)) in lvm_report::SHAPE.iter().zip(TURNED_OVER) {
        assert_ne!(*ours, theirs, "{key}");
    }
    let words = ["lvmconfig", "--list"].map(OsString::from);
    let known: BTreeSet<String> = SystemDir::new().lvm(&[], &words).lines().map(key).collect();
    let is_ours = |key: &&String| key.starts_with("log/") || key.starts_with("report/");
    // Columns are named, and their order matters to nobody.
    let is_columns = |key: &str| key.contains("_cols") || key.contains("_sort");
    for key in known.iter().filter(is_ours) {
        let is_said = said.contains(&key.as_str());
        assert!(is_said || HARMLESS.contains(&key.as_str()) || is_columns(key), "{key} is not told to lvs");
    }
    for key in said {
        assert!(known.contains(key) || key == "log/file", "lvm does not know {key}");
    }
}

fn key(line: &str) -> String {
    line.split_whitespace().next().unwrap_or_default().to_owned()
}
