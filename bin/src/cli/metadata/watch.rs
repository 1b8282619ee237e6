//! `metadata watch`.

use std::ops::ControlFlow;

use lvmwarden_protocol::api::metadata::{Change, Completeness, Watch, WatchReply};
use lvmwarden_protocol::ids::VgName;

use super::count;
use crate::cli::client::Answer;
use crate::cli::failure::Failure;
use crate::cli::follow::{self, Reader};
use crate::cli::screen::{BAD, DIM, GOOD, Screen, USUAL, plain, styled};

/// Tells of changes until it is ended.
pub(super) fn run(screen: &mut Screen, vgname: Option<VgName>) -> Result<(), Failure> {
    let client = screen.connect()?;
    follow::follow(client, screen, &mut Watching { vgname })
}

struct Watching {
    vgname: Option<VgName>,
}

impl Reader for Watching {
    type Method = Watch;

    fn call(&self) -> Watch {
        Watch { vgname: self.vgname.clone() }
    }

    fn take(&mut self, answer: &Answer<Watch>, screen: &mut Screen) -> Result<ControlFlow<()>, Failure> {
        if screen.json {
            screen.print_json(&answer.raw)?;
        } else {
            let time = styled(&screen.clock().wall_time(), DIM);
            screen.print(&format!("{time}  {}\n", words(&answer.reply)))?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn words(reply: &WatchReply) -> String {
    let (word, style) = match reply.change {
        Change::Known => ("is there", USUAL),
        Change::Appeared => ("has come", GOOD),
        Change::Changed => ("has changed", USUAL),
        Change::Completed => ("is complete now", GOOD),
        Change::Degraded => ("lacks a PV now", BAD),
        Change::Gone => ("is gone", BAD),
    };
    let state = reply.vg.as_ref().map_or_else(String::new, |vg| {
        let missing = match vg.completeness {
            Completeness::Partial => format!(", {} missing", vg.missing_pvs),
            Completeness::Complete | Completeness::Missing => String::new(),
        };
        format!("  seqno {}, {}{missing}", vg.seqno, count(vg.pvs, "PV"))
    });
    format!("{} {}{}", plain(&reply.vgname), styled(word, style), styled(&state, DIM))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{coverage, vg};
    use super::*;
    use crate::cli::samples::bare;

    #[test]
    fn a_change_is_told_in_a_line() {
        let mut partial = vg("vg0");
        (partial.completeness, partial.missing_pvs) = (Completeness::Partial, 1);
        let reply = WatchReply {
            coverage: coverage(),
            change: Change::Degraded,
            vgname: "vg0".to_owned(),
            uuid: String::new(),
            vg: Some(partial),
        };
        assert_eq!(bare(&words(&reply)), "vg0 lacks a PV now  seqno 12, 2 PVs, 1 missing");
        let gone = WatchReply { change: Change::Gone, vg: None, ..reply };
        assert_eq!(bare(&words(&gone)), "vg0 is gone");
    }
}
