//! What became of an operation: worked out from how lvpoll ended, what it said, and what the kernel shows. Pure.
//!
//! lvm is told lvpoll's exit code, as its contract wants it. An exit code is no conclusion: lvpoll ends with 0 also when
//! it found nothing to do, and when the LV was deactivated in the middle of the copy.
//!
//! | lvpoll | said | kernel | conclusion |
//! |---|---|---|---|
//! | 0 | `No longer active` | | interrupted |
//! | 0 | that it does not find the VG | not over | failed: it looks in the wrong place |
//! | 0 | | still there | failed |
//! | 0 | nothing in progress | | aborted if somebody aborted it, nothing to do otherwise |
//! | 0 | that it is finished | | done |
//! | 0 | | over | done |
//! | 0 | done, as above | could not read or write everywhere meanwhile | done, with errors |
//! | 0 | | unknown | lost: nothing shows that it is done |
//! | not 0 | `invalidated`, `Merge failed` | | invalid, with the remedy |
//! | not 0 | `Interrupted` | | interrupted |
//! | not 0, or a signal | anything else | | failed, with lvpoll's last words |
//!
//! Source: lvm2 2.03.16, `polldaemon.c`, `lvconvert_poll.c`, `pvmove_poll.c` (what is said); seen in the lab.

use lvmwarden_protocol::api::poll::{Outcome as ApiOutcome, OutcomeKind};
use lvmwarden_protocol::poll::StartRequest;
use serde::{Deserialize, Serialize};

use super::outcome::{EXEC_FAILED, Outcome};
use super::progress::parse_progress;
use crate::foundation::kernel::Verdict;
use crate::foundation::kernel::copying::{Due, Fault, Look, Situation};

/// How many of lvpoll's last lines are kept.
const LINES_KEPT: usize = 5;
/// How many bytes of a line are kept.
const LINE_BYTES: usize = 200;

/// lvpoll found nothing to do.
const NOTHING_THERE: [&str; 3] = ["No pvmove in progress", "Can't find LV in", "is no longer merging origin"];
/// lvpoll has finished the work itself.
const FINISHED: [&str; 3] = [": Moved: 100.00%", " converted.", "Merge of snapshot into logical volume"];

/// lvpoll has not found the VG. The first is not said where lvm.conf has `silent=1`.
const VG_NOT_FOUND: [&str; 2] = ["Can't find VG", "\" not found"];
/// Options that hold for the command that they are given to, and not for the lvpoll that goes on with its work.
///
/// Source: lvm2 2.03.16, `lvmpolld-client.c`: what a request tells.
const NOT_PASSED_ON: [&str; 4] = ["--config", "--devices", "--profile", "--commandprofile"];

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// In one word.
    pub kind: OutcomeKind,
    /// Why, for people; `None` where the word says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The last lines that lvpoll wrote, where it did not end well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_lines: Vec<String>,
}

/// How an operation ended: what lvm is told, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// What lvm is told.
    pub outcome: Outcome,
    /// What became of it; an earlier release has written none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conclusion: Option<Conclusion>,
}

impl Ending {
    /// Concludes from an outcome and what else is known.
    pub fn new(outcome: Outcome, request: &StartRequest, evidence: &Evidence) -> Self {
        let conclusion = Some(evidence.conclude(request, &outcome));
        Self { outcome, conclusion }
    }

    /// Returns what became of the operation; nothing but the outcome tells where an earlier release has written it.
    pub fn conclusion(&self) -> Conclusion {
        self.conclusion.clone().unwrap_or_else(|| match &self.outcome {
            Outcome::Retcode(0) => Conclusion::of(OutcomeKind::Done),
            Outcome::Retcode(code) => failed(format!("lvpoll exited with {code}")),
            Outcome::Signal(signal) => failed(format!("lvpoll was ended by signal {signal}")),
            Outcome::Lost { reason } => Conclusion::of(OutcomeKind::Lost).because(reason.clone()),
        })
    }
}

impl From<Ending> for ApiOutcome {
    fn from(ending: Ending) -> Self {
        let Conclusion { kind, cause, remedy, last_lines } = ending.conclusion();
        let (retcode, signal) = match ending.outcome {
            Outcome::Retcode(code) => (Some(code), None),
            Outcome::Signal(signal) => (None, Some(signal)),
            Outcome::Lost { .. } => (None, None),
        };
        Self { kind, cause, remedy, last_lines, retcode, signal }
    }
}

#[cfg(test)]
impl Ending {
    /// As it stands in a journal.
    pub(crate) fn written(outcome: Outcome, conclusion: Option<Conclusion>) -> Self {
        Self { outcome, conclusion }
    }
}

/// As an earlier release has written it.
#[cfg(test)]
impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        Self::written(outcome, None)
    }
}

/// What is known of an operation beside how its lvpoll ended.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The latest lvpoll's last lines, oldest first.
    said: Vec<String>,
    verdict: Option<Verdict>,
    /// Where the kernel could not read or write, once for each device.
    faults: Vec<Fault>,
    /// What the kernel said when it gave the copy up, such as `Invalid`.
    given_up: Option<String>,
    is_abort_asked: bool,
}

impl Evidence {
    /// Begins with what the journal tells.
    pub fn of_earlier_life(is_abort_asked: bool, faults: Vec<Fault>) -> Self {
        Self { faults, is_abort_asked, ..Self::default() }
    }

    /// Forgets the lvpoll before this one.
    pub fn lvpoll_begins(&mut self) {
        self.said.clear();
        self.verdict = None;
    }

    /// Takes note of what lvpoll said.
    pub fn lvpoll_said(&mut self, lines: &[String]) {
        for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
            // Of its progress the last word is enough.
            if is_progress(line) {
                self.said.retain(|said| !is_progress(said));
            }
            self.said.push(line.chars().take(LINE_BYTES).collect());
        }
        let surplus = self.said.len().saturating_sub(LINES_KEPT);
        self.said.drain(..surplus);
    }

    /// Takes note of what the kernel showed after lvpoll had ended with 0, and returns what that means with lvpoll's words.
    ///
    /// An lvpoll that has found its LV tells how far it is, unless lvm.conf has it silent. What it says in other cases
    /// differs, and what it finds then is none of its business.
    pub fn kernel_judged(&mut self, verdict: Verdict) -> Verdict {
        let is_vg_found = !VG_NOT_FOUND.iter().any(|words| self.has_said(words));
        let verdict = match verdict {
            Verdict::NotOver if !self.said.iter().any(|line| is_progress(line)) => Verdict::OutOfSight,
            Verdict::NotOver | Verdict::Unknown if !is_vg_found => Verdict::OutOfSight,
            as_it_is => as_it_is,
        };
        self.verdict = Some(verdict);
        verdict
    }

    /// Takes note of what the kernel showed meanwhile; returns the devices with errors that were not known yet.
    pub fn kernel_showed(&mut self, look: &Look) -> Vec<Fault> {
        if let Situation::Due(Due::Failed { words }) = &look.situation {
            self.given_up = Some(words.clone());
        }
        let is_known = |fault: &Fault| self.faults.iter().any(|known| known.device == fault.device);
        let new: Vec<Fault> = look.faults.iter().filter(|fault| !is_known(fault)).cloned().collect();
        self.faults.extend(new.iter().cloned());
        new
    }

    /// Takes note that somebody asked for the operation to be aborted.
    pub fn abort_asked(&mut self) {
        self.is_abort_asked = true;
    }

    /// Returns whether somebody asked for that.
    pub fn is_abort_asked(&self) -> bool {
        self.is_abort_asked
    }

    /// Returns the last line that lvpoll wrote.
    pub fn last_line(&self) -> Option<&str> {
        self.said.last().map(String::as_str)
    }

    /// Returns what became of the operation, now that it has ended.
    pub fn conclude(&self, request: &StartRequest, outcome: &Outcome) -> Conclusion {
        let conclusion = match outcome {
            Outcome::Retcode(0) => self.after_success(request),
            Outcome::Retcode(code) => self.after_failure(request, *code),
            Outcome::Signal(signal) => failed(format!("lvpoll was ended by signal {signal} again and again"))
                .with_remedy(poll_again(request)),
            Outcome::Lost { reason } => {
                Conclusion::of(OutcomeKind::Lost).because(reason.clone()).with_remedy(poll_again(request))
            }
        };
        let conclusion = match (conclusion.kind, &self.faults[..]) {
            (OutcomeKind::Done, [_, ..]) => self.done_with_errors(),
            _unharmed => conclusion,
        };
        let is_well =
            matches!(conclusion.kind, OutcomeKind::Done | OutcomeKind::Aborted | OutcomeKind::NothingToDo);
        let last_lines = if is_well { Vec::new() } else { self.said.clone() };
        Conclusion { last_lines, ..conclusion }
    }

    fn after_success(&self, request: &StartRequest) -> Conclusion {
        let StartRequest { vgname, lvname, .. } = request;
        if VG_NOT_FOUND.iter().any(|words| self.has_said(words)) {
            return Conclusion::of(OutcomeKind::Interrupted)
                .because(format!("lvpoll does not find the VG {vgname}, and {vgname}/{lvname} is not active"))
                .with_remedy(format!(
                    "where `vgs` shows the VG, perhaps under another name: `vgchange -ay` activates it and has LVM poll what is unfinished in it, {lvname} included"
                ));
        }
        if self.has_said("No longer active") {
            return Conclusion::of(OutcomeKind::Interrupted)
                .because(format!("{vgname}/{lvname} is not active any more"))
                .with_remedy(format!("activate it: `vgchange -ay {vgname}` also has LVM poll it again"));
        }
        if NOTHING_THERE.iter().any(|words| self.has_said(words)) {
            let kind = if self.is_abort_asked { OutcomeKind::Aborted } else { OutcomeKind::NothingToDo };
            return Conclusion::of(kind);
        }
        if self.verdict == Some(Verdict::Over) || FINISHED.iter().any(|words| self.has_said(words)) {
            return Conclusion::of(OutcomeKind::Done);
        }
        Conclusion::of(OutcomeKind::Lost)
            .because(
                "lvpoll ended with 0, but neither what it said nor the kernel shows that the work is done"
                    .into(),
            )
            .with_remedy(format!("see `lvs -a {vgname}`"))
    }

    /// The work is done, but not everything is where it should be by now.
    fn done_with_errors(&self) -> Conclusion {
        let faults: Vec<String> = self.faults.iter().map(Fault::to_string).collect();
        let devices: Vec<&str> = self.faults.iter().map(|fault| fault.device.as_str()).collect();
        Conclusion::of(OutcomeKind::DoneWithErrors)
            .because(format!(
                "{}: the kernel went on, and what could not be copied is not in the new place, which holds there what it held before",
                faults.join("; ")
            ))
            .with_remedy(format!(
                "the kernel's log names the sectors (`journalctl -k`): find what is damaged (fsck, checksums, a backup), and neither wipe nor reuse {} until then",
                devices.join(" and ")
            ))
    }

    fn after_failure(&self, request: &StartRequest, code: i32) -> Conclusion {
        let StartRequest { vgname, lvname, .. } = request;
        let kernel = self.given_up.as_deref();
        if self.verdict == Some(Verdict::OutOfSight) {
            return out_of_sight(
                request,
                &format!("lvpoll does not find {vgname}/{lvname}, which is not over"),
            );
        }
        if self.has_said("while PVs are missing") {
            return out_of_sight(request, &format!("lvpoll does not see all disks of the VG {vgname}"));
        }
        if self.verdict == Some(Verdict::NotOver) {
            return failed(
                "lvpoll ends with 0 again and again, but device-mapper shows the copy unfinished".into(),
            )
            .with_remedy(poll_again(request));
        }
        if self.has_said("Merging snapshot invalidated") {
            let kernel = kernel.unwrap_or("Invalid");
            return Conclusion::of(OutcomeKind::Invalid)
                .because(format!(
                    "the snapshot that was being merged into {vgname}/{lvname} is invalid (device-mapper: {kernel}): it ran full or lost a write"
                ))
                .with_remedy(format!(
                    "`lvs -a {vgname}` names the snapshot: remove it with `lvremove {vgname}/SNAPSHOT`; {vgname}/{lvname} then is as it was left, merged in part or not at all: check its content"
                ));
        }
        if self.has_said("Merge failed") {
            let kernel = kernel.unwrap_or("Merge failed");
            return Conclusion::of(OutcomeKind::Invalid)
                .because(format!("the kernel gave the merge into {vgname}/{lvname} up (device-mapper: {kernel})"))
                .with_remedy(format!(
                    "see the kernel's log for errors of the disks below, then deactivate and activate {vgname}/{lvname}: the merge goes on"
                ));
        }
        if self.has_said("is not merged") {
            return failed(format!("the thin merge into {vgname}/{lvname} has not begun: it is in use"))
                .with_remedy(format!("deactivate and activate {vgname}/{lvname}"));
        }
        if self.has_said("Interrupted") || self.has_said("Polling interrupted") {
            return Conclusion::of(OutcomeKind::Interrupted)
                .because("lvpoll was asked to end by somebody else".into())
                .with_remedy(poll_again(request));
        }
        let cause = if code == EXEC_FAILED {
            "lvpoll could not be started".to_owned()
        } else {
            format!("lvpoll exited with {code}")
        };
        failed(cause).with_remedy(poll_again(request))
    }

    fn has_said(&self, words: &str) -> bool {
        self.said.iter().any(|line| line.contains(words))
    }
}

impl Conclusion {
    fn of(kind: OutcomeKind) -> Self {
        Self { kind, cause: None, remedy: None, last_lines: Vec::new() }
    }

    fn because(self, cause: String) -> Self {
        Self { cause: Some(cause), ..self }
    }

    fn with_remedy(self, remedy: String) -> Self {
        Self { remedy: Some(remedy), ..self }
    }
}

/// lvpoll's view of the disks is another one than that of the command that began the operation.
fn out_of_sight(request: &StartRequest, what: &str) -> Conclusion {
    let StartRequest { vgname, sysdir, devicesfile, cmdline, .. } = request;
    let folder = sysdir.as_ref().map_or("/etc/lvm", |sysdir| sysdir.as_str());
    let devices =
        devicesfile.as_ref().map_or_else(String::new, |file| format!(" and the devices file {file}"));
    let given: Vec<&str> = cmdline.as_deref().map_or_else(Vec::new, not_passed_on);
    let given = if given.is_empty() {
        String::new()
    } else {
        format!("; the command was given {}, which LVM does not pass on", given.join(" and "))
    };
    failed(format!("{what}: it goes by {folder}/lvm.conf{devices}{given}")).with_remedy(format!(
        "have the configuration show the disks of {vgname} to every command: `lvs -a {vgname}`, without options, then lists it; `vgchange --poll y {vgname}` has it polled again"
    ))
}

/// Returns the options of a command that lvpoll knows nothing of.
fn not_passed_on(cmdline: &str) -> Vec<&'static str> {
    let is_given = |option: &&str| {
        let mut words = cmdline.split_whitespace();
        words.any(|word| {
            word == *option || word.strip_prefix(*option).is_some_and(|rest| rest.starts_with('='))
        })
    };
    NOT_PASSED_ON.into_iter().filter(is_given).collect()
}

fn failed(cause: String) -> Conclusion {
    Conclusion::of(OutcomeKind::Failed).because(cause)
}

fn poll_again(request: &StartRequest) -> String {
    let StartRequest { vgname, .. } = request;
    format!("see `lvs -a {vgname}`; `vgchange --poll y {vgname}` has it polled again")
}

fn is_progress(line: &str) -> bool {
    matches!(parse_progress(line), Ok(Some(_percent)))
}

#[cfg(test)]
mod tests;
