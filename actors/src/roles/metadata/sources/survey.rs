//! When LVM itself is asked which devices have PVs: one `lvm pvs`, and what it says. Pure.
//!
//! The stock udev rule notes a PV when its device comes, not when `pvcreate` makes one on a device that is there. So LVM is
//! asked at the start, and when something happens to a device that is not known as a PV's.
//!
//! ```text
//!  Quiet ── an unknown device changed ──▶ Wanted(from) ── that time ──▶ Running ── ended ──▶ Quiet
//!    ▲                                        ▲                           │
//!    └── nothing new: the next one waits ─────┴── wanted meanwhile ───────┘
//!        twice as long
//! ```
//!
//! [`FIRST`] after the first such event all that came with it is there. On a host whose other devices change all the time,
//! each `lvm pvs` that finds nothing new makes the next one wait twice as long, up to [`LONGEST`]; a change of a VG that nobody
//! knows asks at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use serde::Deserialize;

use super::device::DeviceNumber;
use super::plan::DEVICES;
use crate::foundation::lvm_report;

/// The least time from an event to the `lvm pvs` that follows it.
pub const FIRST: Duration = Duration::from_millis(150);
/// The longest.
pub const LONGEST: Duration = Duration::from_mins(1);

/// The columns.
const FIELDS: &str = "pv_uuid,pv_major,pv_minor,pv_duplicate,vg_name";

/// When LVM is asked.
#[derive(Debug, Clone)]
pub struct Survey {
    state: State,
    pause: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Quiet { since: Duration },
    Wanted { from: Duration },
    Running { again: Option<Duration> },
}

impl Default for Survey {
    fn default() -> Self {
        Self { state: State::Quiet { since: Duration::ZERO }, pause: FIRST }
    }
}

impl Survey {
    /// LVM has to be asked; `at_once`: something is known to be new.
    pub fn want(&mut self, at_once: bool, now: Duration) {
        if at_once {
            self.pause = FIRST;
        }
        match &mut self.state {
            State::Quiet { since } => {
                let from = if at_once { now } else { (now + FIRST).max(*since + self.pause) };
                self.state = State::Wanted { from };
            }
            State::Wanted { from } => *from = if at_once { now } else { *from },
            State::Running { again } => *again = Some(now),
        }
    }

    /// Tells whether to ask now; then it counts as being asked.
    pub fn begins(&mut self, now: Duration) -> bool {
        let begins = matches!(self.state, State::Wanted { from } if from <= now);
        if begins {
            self.state = State::Running { again: None };
        }
        begins
    }

    /// LVM has answered, or not.
    pub fn ended(&mut self, found_something: bool, now: Duration) {
        let again = match self.state {
            State::Running { again } => again,
            State::Quiet { .. } | State::Wanted { .. } => None,
        };
        self.pause = if found_something { FIRST } else { (self.pause * 2).min(LONGEST) };
        self.state = State::Quiet { since: now };
        if again.is_some() {
            self.state = State::Wanted { from: now + self.pause };
        }
    }

    /// Returns when there is something to do.
    pub fn wake(&self) -> Option<Duration> {
        match self.state {
            State::Wanted { from } => Some(from),
            State::Quiet { .. } | State::Running { .. } => None,
        }
    }

    /// Tells whether LVM is being asked, or will be.
    pub fn is_busy(&self) -> bool {
        !matches!(self.state, State::Quiet { .. })
    }
}

/// Returns the words after `lvm`.
pub fn arguments() -> Vec<OsString> {
    lvm_report::pvs(FIELDS)
}

#[derive(Deserialize)]
struct Output {
    report: Vec<Rows>,
}

#[derive(Deserialize)]
struct Rows {
    #[serde(default)]
    pv: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    pv_uuid: String,
    pv_major: String,
    pv_minor: String,
    pv_duplicate: String,
    vg_name: String,
}

/// Returns the devices that LVM says have PVs, duplicates included, with the VG of each.
///
/// # Errors
/// It is no such report.
pub fn parse(stdout: &[u8]) -> Result<BTreeMap<DeviceNumber, Option<String>>, serde_json::Error> {
    let output: Output = serde_json::from_slice(stdout)?;
    let rows = output.report.into_iter().flat_map(|rows| rows.pv);
    let pvs = rows.filter(|row| !row.pv_uuid.is_empty() || !matches!(&*row.pv_duplicate, "" | "0"));
    let devices = pvs.filter_map(|row| {
        let device = format!("{}:{}", row.pv_major, row.pv_minor).parse().ok()?;
        // A PV that is missing has no device.
        (device != DeviceNumber { major: 0, minor: 0 })
            .then_some((device, Some(row.vg_name).filter(|vg| !vg.is_empty())))
    });
    Ok(devices.take(DEVICES).collect())
}

/// The devices that are known to have PVs, by whom.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// By LVM's udev rule.
    pub online: BTreeMap<DeviceNumber, Option<String>>,
    /// By `lvm pvs`.
    pub by_lvm: BTreeMap<DeviceNumber, Option<String>>,
}

impl Listed {
    /// Returns all of them, in the order in which they are read best: VG by VG.
    pub fn in_order(&self) -> Vec<DeviceNumber> {
        let all: BTreeSet<_> =
            self.by_lvm.iter().chain(&self.online).map(|(device, vg)| (vg, *device)).collect();
        let mut seen = BTreeSet::new();
        all.into_iter().map(|(_, device)| device).filter(|device| seen.insert(*device)).collect()
    }

    /// Tells whether anybody says that a device has a PV.
    pub fn contains(&self, device: DeviceNumber) -> bool {
        self.online.contains_key(&device) || self.by_lvm.contains_key(&device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn devices_that_change_all_the_time_have_lvm_asked_ever_more_seldom() {
        let mut survey = Survey::default();
        let (mut now, mut asked) = (SECOND, 0);
        while now < SECOND * 3600 {
            survey.want(false, now);
            if survey.begins(now) {
                asked += 1;
                survey.ended(false, now + SECOND / 5);
            }
            now += SECOND / 10;
        }
        assert!((50..80).contains(&asked), "{asked} times in an hour");
        survey.want(true, now);
        assert!(survey.begins(now), "something new is asked for at once");
    }

    proptest! {
        #[test]
        fn whoever_wants_to_know_is_told_by_a_report_that_begins_afterwards(
            steps in prop::collection::vec((0..3_u8, 0..2000_u64), 1..100)
        ) {
            let mut survey = Survey::default();
            let (mut now, mut wanted, mut running) = (Duration::ZERO, None, false);
            for (step, pause) in steps {
                now += Duration::from_millis(pause);
                match step {
                    0 | 1 => { survey.want(step == 1, now); wanted = wanted.or(Some(now)); }
                    _ => if running { survey.ended(false, now); running = false; },
                }
                if survey.begins(now) {
                    prop_assert!(!running, "two at once");
                    (running, wanted) = (true, None);
                }
                prop_assert!(wanted.is_none() || survey.is_busy());
            }
            if running { survey.ended(false, now); }
            prop_assert!(wanted.is_none() || survey.begins(now + LONGEST));
        }
    }

    #[test]
    fn lvms_report_is_read_and_missing_pvs_have_no_device() {
        let text = br#"{"report":[{"pv":[
            {"pv_uuid":"a","pv_major":"8","pv_minor":"16","pv_duplicate":"","vg_name":"vg0"},
            {"pv_uuid":"b","pv_major":"0","pv_minor":"0","pv_duplicate":"0","vg_name":"vg0"},
            {"pv_uuid":"","pv_major":"8","pv_minor":"32","pv_duplicate":"1","vg_name":""},
            {"pv_uuid":"","pv_major":"8","pv_minor":"48","pv_duplicate":"0","vg_name":""}]}]}"#;
        let expected = [("8:16", Some("vg0")), ("8:32", None)];
        let expected = expected.map(|(device, vg)| (device.parse().unwrap(), vg.map(str::to_owned)));
        assert_eq!(parse(text).unwrap(), BTreeMap::from(expected));
        assert!(parse(b"nothing").is_err());
    }
}
