//! How long each test took, from nextest's report: the slowest are named, and a lab story has a stated time.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Where nextest writes its report (`.config/nextest.toml`), below the target folder.
pub(super) const REPORT: &str = "nextest/verify/junit.xml";
/// How many of the slowest are named.
const NAMED: usize = 10;

/// The most seconds that one story of a lab test's file may take on two cores, beside what else nextest runs. Twice
/// or three times what it took when this was written: a machine is not always equally fast.
///
/// A story that needs more is split, made shorter, or stated anew, where it is seen in the review that `cargo verify`
/// becomes longer.
const STATED_SECONDS: [(&str, u64); 20] = [
    ("lab_archive", 240),
    ("lab_control", 240),
    ("lab_corosync", 60),
    ("lab_crash", 240),
    ("lab_disk", 240),
    ("lab_events", 290),
    ("lab_field", 240),
    ("lab_foreign", 180),
    ("lab_headers", 60),
    ("lab_lock_one_host", 590),
    ("lab_lock_storage", 300),
    ("lab_lock_three_hosts", 480),
    ("lab_lock_two_hosts", 590),
    ("lab_lockd", 120),
    ("lab_metadata", 290),
    ("lab_poll", 290),
    ("lab_reboot", 240),
    ("lab_reconcile", 240),
    ("lab_sanlock", 290),
    ("lab_service", 480),
];

/// A test that was run, as nextest reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timed {
    /// The file of an integration test, or the package.
    pub(super) binary: String,
    pub(super) name: String,
    pub(super) took: Duration,
}

/// Reads nextest's report.
///
/// # Errors
/// There is none.
pub(super) fn read(target: &Path) -> Result<Vec<Timed>> {
    let path = target.join(REPORT);
    let report = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(parse(&report))
}

/// Returns the tests of a report in the form of `JUnit`, slowest first.
fn parse(report: &str) -> Vec<Timed> {
    let mut timed: Vec<Timed> = report.split("<testcase ").skip(1).filter_map(testcase).collect();
    timed.sort_by_key(|test| std::cmp::Reverse(test.took));
    timed
}

/// Reads the attributes of one element, without what is in it.
fn testcase(text: &str) -> Option<Timed> {
    let attributes = text.split('>').next()?;
    let value = |key: &str| attributes.split_once(&format!("{key}=\""))?.1.split('"').next();
    let binary = value("classname")?.rsplit("::").next()?.to_owned();
    let took = Duration::try_from_secs_f64(value(" time")?.parse().ok()?).ok()?;
    Some(Timed { binary, name: value("name").map(str::to_owned)?, took })
}

/// Returns a line for each of the slowest tests.
pub(super) fn slowest(timed: &[Timed]) -> Vec<String> {
    let line = |test: &Timed| format!("{:>7.1} s  {} {}", test.took.as_secs_f64(), test.binary, test.name);
    timed.iter().take(NAMED).map(line).collect()
}

/// Fails when a lab story took more than is stated for its file, or nothing is.
pub(super) fn check_stories(timed: &[Timed]) -> Result<()> {
    let offences: Vec<String> =
        timed.iter().filter(|test| test.binary.starts_with("lab_")).filter_map(offence).collect();
    if !offences.is_empty() {
        bail!("{}", offences.join("\n"));
    }
    Ok(())
}

fn offence(test: &Timed) -> Option<String> {
    let Some(stated) = stated(&test.binary) else {
        return Some(format!("{} has no stated time in STATED_SECONDS", test.binary));
    };
    (test.took > stated).then(|| {
        let took = test.took.as_secs_f64();
        format!(
            "{} {} took {took:.1} s, stated are {} s at the most",
            test.binary,
            test.name,
            stated.as_secs()
        )
    })
}

fn stated(binary: &str) -> Option<Duration> {
    let found = STATED_SECONDS.iter().find(|(name, _)| *name == binary)?;
    Some(Duration::from_secs(found.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTRIBUTES: &str = r#"timestamp="2026-11-29T15:42:50.639+00:00" time="#;

    fn report(took: &str) -> String {
        format!(
            "<testsuites><testsuite name=\"a\"><testcase name=\"quick\" classname=\"lvmwarden-actors\" {ATTRIBUTES}\"0.1\"/>\
             <testcase name=\"told\" classname=\"lvmwarden-integration::lab_disk\" {ATTRIBUTES}\"{took}\">\
             <failure message=\"time=&quot;9&quot;\"/></testcase></testsuite></testsuites>"
        )
    }

    #[test]
    fn the_slowest_test_comes_first() {
        let timed = parse(&report("3.250"));
        assert_eq!(slowest(&timed), ["    3.2 s  lab_disk told", "    0.1 s  lvmwarden-actors quick"]);
    }

    #[test]
    fn a_story_above_its_stated_time_is_an_offence() {
        assert!(check_stories(&parse(&report("239.9"))).is_ok());
        let error = check_stories(&parse(&report("240.1"))).expect_err("it took too long");
        assert!(error.to_string().contains("lab_disk told took 240.1 s"), "{error}");
        let error = check_stories(&parse(&report("1").replace("lab_disk", "lab_new"))).expect_err("unknown");
        assert!(error.to_string().contains("no stated time"), "{error}");
    }

    #[test]
    fn each_file_of_lab_stories_has_a_stated_time() {
        let tests = ["../integration/tests", "../actors/tests", "../supervisor/tests"];
        let tests = tests.map(|tests| Path::new(env!("CARGO_MANIFEST_DIR")).join(tests));
        let entries = tests.iter().flat_map(|tests| fs::read_dir(tests).expect("it is a folder"));
        let mut files: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("it can be read")
                    .path()
                    .file_stem()
                    .expect("it has a name")
                    .display()
                    .to_string()
            })
            .filter(|name| name.starts_with("lab_"))
            .collect();
        files.sort_unstable();
        assert_eq!(files, STATED_SECONDS.map(|(name, _)| name.to_owned()));
    }
}
