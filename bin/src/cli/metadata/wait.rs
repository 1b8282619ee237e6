//! `metadata wait`.

use std::ops::ControlFlow;
use std::time::Duration;

use lvmwarden_protocol::api::metadata::{Completeness, Reading, Wait, WaitReply};
use lvmwarden_protocol::ids::VgName;

use super::{count, time};
use crate::cli::client::{Answer, ClientError, PATIENCE};
use crate::cli::deadline::Deadline;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::follow::{self, Reader};
use crate::cli::screen::Screen;

/// Waits.
pub(super) fn run(screen: &mut Screen, vgname: VgName, timeout: Option<Duration>) -> Result<Exit, Failure> {
    let client = screen.connect()?;
    let mut waiting = Waiting { vgname, deadline: timeout.map(Deadline::after), last: None };
    follow::follow(client, screen, &mut waiting)?;
    let Some(reply) = waiting.last else { return Err(Failure::with(Exit::TimedOut, "the time is over")) };
    match reply.completeness {
        Completeness::Complete => Ok(Exit::Done),
        Completeness::Partial | Completeness::Missing => Err(too_late(&waiting.vgname, &reply)),
    }
}

fn too_late(vgname: &VgName, reply: &WaitReply) -> Failure {
    let message = match (reply.completeness, reply.coverage.reading) {
        (Completeness::Missing, Reading::Done) => format!("the time is over: there is no VG {vgname}"),
        (Completeness::Missing, Reading::Underway) => {
            let since = time(reply.coverage.since_ms);
            format!("the time is over: VG {vgname} is not known yet, since {since}")
        }
        (Completeness::Complete | Completeness::Partial, _) => {
            let missing = reply.missing_pv_uuids.join(", ");
            format!("the time is over: VG {vgname} is partial, it lacks PV {missing}")
        }
    };
    Failure::with(Exit::TimedOut, message)
        .advise("see what is there: lvmwarden metadata pvs; and what is wrong: lvmwarden metadata problems")
}

struct Waiting {
    vgname: VgName,
    deadline: Option<Deadline>,
    last: Option<WaitReply>,
}

impl Waiting {
    /// Returns how long is left; `None`: for ever.
    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left().unwrap_or_default())
    }
}

impl Reader for Waiting {
    type Method = Wait;

    fn call(&self) -> Wait {
        let timeout_ms = self.left().map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        Wait { vgname: self.vgname.clone(), timeout_ms }
    }

    fn patience(&self) -> Option<Duration> {
        self.left().map(|left| left + PATIENCE)
    }

    fn take(&mut self, answer: &Answer<Wait>, screen: &mut Screen) -> Result<ControlFlow<()>, Failure> {
        self.last = Some(answer.reply.clone());
        if screen.json {
            screen.print_json(&answer.raw)?;
        } else if let (Completeness::Complete, Some(vg)) = (answer.reply.completeness, &answer.reply.vg) {
            screen.print(&format!("{} is complete: {}\n", self.vgname, count(vg.pvs, "PV")))?;
        }
        Ok(ControlFlow::Break(()))
    }

    fn explain(&self, error: ClientError) -> Failure {
        error.about(format!("VG {}", self.vgname))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::coverage;
    use super::*;
    use lvmwarden_protocol::api::metadata::Coverage;

    #[test]
    fn whoever_has_waited_in_vain_is_told_for_what() {
        let vgname: VgName = "vg0".try_into().unwrap();
        let reply = |completeness, reading, missing: &[&str]| WaitReply {
            coverage: Coverage { reading, ..coverage() },
            completeness,
            vg: None,
            missing_pv_uuids: missing.iter().map(|uuid| (*uuid).to_owned()).collect(),
        };
        for (reply, expected) in [
            (reply(Completeness::Missing, Reading::Done, &[]), "there is no VG vg0"),
            (
                reply(Completeness::Missing, Reading::Underway, &[]),
                "VG vg0 is not known yet, since 1 min 0 s",
            ),
            (reply(Completeness::Partial, Reading::Done, &["a", "b"]), "VG vg0 is partial, it lacks PV a, b"),
        ] {
            let failure = too_late(&vgname, &reply);
            assert_eq!(
                (failure.exit, failure.message),
                (Exit::TimedOut, format!("the time is over: {expected}"))
            );
        }
    }
}
