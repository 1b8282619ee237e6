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
use lvmwarden_actors::roles::metadata::sources::survey;
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

/// Keys of the section `global` that leave it as it is: what is allowed, where things are, how locks are taken and how other
/// commands do their work. `activation` and `lvdisplay_shows_full_device_path` would shape what lvs asks the kernel, which it
/// does not here, and what lvdisplay prints.
const HARMLESS_GLOBAL: [&str; 42] = [
    "abort_on_internal_errors",
    "activation",
    "cache_check_executable",
    "cache_check_options",
    "cache_disabled_features",
    "cache_dump_executable",
    "cache_repair_executable",
    "cache_repair_options",
    "etc",
    "event_activation",
    "fsadm_executable",
    "io_memory_size",
    "library_dir",
    "locking_dir",
    "lvdisplay_shows_full_device_path",
    "lvmlockctl_kill_command",
    "lvmlockd_lock_retries",
    "metadata_read_only",
    "mirror_segtype_default",
    "notify_dbus",
    "prioritise_write_locks",
    "proc",
    "raid10_segtype_default",
    "sanlock_lv_extend",
    "sparse_segtype_default",
    "support_mirrored_mirror_log",
    "system_id_file",
    "system_id_source",
    "thin_check_executable",
    "thin_check_options",
    "thin_disabled_features",
    "thin_dump_executable",
    "thin_repair_executable",
    "thin_repair_options",
    "umask",
    "use_aio",
    "use_lvmlockd",
    "use_lvmpolld",
    "vdo_disabled_features",
    "vdo_format_executable",
    "vdo_format_options",
    "wait_for_locks",
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
    for words in [
        report::arguments(&[]),
        survey::arguments(),
        lvm_report::settings(&["global/use_lvmpolld", "activation/polling_interval"]),
        lvm_report::version(),
    ] {
        let expected = directory.lvm(&[], &words);
        for setting in TURNED_OVER {
            assert_eq!(directory.lvm(&[setting], &words), expected, "{setting:?} {words:?}");
        }
        assert_eq!(directory.lvm(&TURNED_OVER, &words), expected, "{words:?}");
    }
}

#[test]
fn what_is_printed_is_what_is_read() {
    let directory = SystemDir::new();
    let lvm = |words: &[OsString]| directory.lvm(&TURNED_OVER, words);
    assert_eq!(report::parse(lvm(&report::arguments(&[])).as_bytes()).unwrap(), []);
    assert_eq!(survey::parse(lvm(&survey::arguments()).as_bytes()).unwrap().len(), 0);
    let settings = lvm(&lvm_report::settings(&["global/use_lvmpolld", "activation/polling_interval"]));
    assert_eq!(settings, "use_lvmpolld=1\npolling_interval=15\n");
    assert!(
        lvm(&lvm_report::version()).starts_with("  LVM version:     2."),
        "{}",
        lvm(&lvm_report::version())
    );
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
    let is_ours =
        |key: &&String| ["log/", "report/", "global/"].iter().any(|section| key.starts_with(section));
    // Columns are named, and their order matters to nobody.
    let is_columns = |key: &str| key.contains("_cols") || key.contains("_sort");
    for key in known.iter().filter(is_ours) {
        let is_said = said.contains(&key.as_str());
        let is_harmless = HARMLESS.contains(&key.as_str())
            || key.strip_prefix("global/").is_some_and(|key| HARMLESS_GLOBAL.contains(&key));
        assert!(is_said || is_harmless || is_columns(key), "{key} is not told to lvs");
    }
    for key in said {
        assert!(known.contains(key) || key == "log/file", "lvm does not know {key}");
    }
}

fn key(line: &str) -> String {
    line.split_whitespace().next().unwrap_or_default().to_owned()
}
