//! What became of an operation: worked out from how lvpoll ended, what it said, and what the kernel shows. Pure.
//!
//! lvm is told lvpoll's exit code, as its contract wants it. An exit code is no conclusion: lvpoll ends with 0 also when
//! it found nothing to do, and when the LV was deactivated in the middle of the copy.
//!
//! | lvpoll | said | kernel | conclusion |
//! |---|---|---|---|
//! | 0 | `No longer active` | | interrupted |
//! | 0 | | still there | failed |
//! | 0 | nothing in progress | | aborted if somebody aborted it, nothing to do otherwise |
//! | 0 | that it is finished | | done |
//! | 0 | | over | done |
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
use super::state::Verdict;
use crate::kernel::copying::{Due, Situation};

/// How many of lvpoll's last lines are kept.
const LINES_KEPT: usize = 5;
/// How many bytes of a line are kept.
const LINE_BYTES: usize = 200;

/// lvpoll found nothing to do.
const NOTHING_THERE: [&str; 3] = ["No pvmove in progress", "Can't find LV in", "is no longer merging origin"];
/// lvpoll has finished the work itself.
const FINISHED: [&str; 3] = [": Moved: 100.00%", " converted.", "Merge of snapshot into logical volume"];

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
    /// What the kernel said when it gave the copy up, such as `Invalid`.
    given_up: Option<String>,
    is_abort_asked: bool,
}

impl Evidence {
    /// Begins with what the journal tells.
    pub fn of_earlier_life(is_abort_asked: bool) -> Self {
        Self { is_abort_asked, ..Self::default() }
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

    /// Takes note of what the kernel showed after lvpoll had ended.
    pub fn kernel_judged(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    /// Takes note of what the kernel showed meanwhile.
    pub fn kernel_showed(&mut self, situation: &Situation) {
        if let Situation::Due(Due::Failed { words }) = situation {
            self.given_up = Some(words.clone());
        }
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
        let is_well =
            matches!(conclusion.kind, OutcomeKind::Done | OutcomeKind::Aborted | OutcomeKind::NothingToDo);
        let last_lines = if is_well { Vec::new() } else { self.said.clone() };
        Conclusion { last_lines, ..conclusion }
    }

    fn after_success(&self, request: &StartRequest) -> Conclusion {
        let StartRequest { vgname, lvname, .. } = request;
        if self.has_said("No longer active") {
            return Conclusion::of(OutcomeKind::Interrupted)
                .because(format!("{vgname}/{lvname} is not active any more"))
                .with_remedy(format!("activate it: `vgchange -ay {vgname}` also has LVM poll it again"));
        }
        if self.verdict == Some(Verdict::NotOver) {
            return failed(
                "lvpoll ends with 0 again and again, but device-mapper shows the copy unfinished".into(),
            )
            .with_remedy(poll_again(request));
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

    fn after_failure(&self, request: &StartRequest, code: i32) -> Conclusion {
        let StartRequest { vgname, lvname, .. } = request;
        let kernel = self.given_up.as_deref();
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
