//! `poll reconcile`: what LVM's metadata shows that nobody polls.

use std::time::Duration;

use lvmwarden_protocol::api::poll::{Reconcile, Standing, UnfinishedLv};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::operation::kind;
use crate::cli::screen::{BAD, DIM, GOOD, ODD, Screen, USUAL};
use crate::cli::table::{Cell, Table};

/// lvs reads every disk; one that does not answer holds it up for half a minute, and so does a look in progress.
const PATIENCE: Duration = Duration::from_secs(110);

/// Has the metadata searched.
pub(super) fn run(screen: &mut Screen, dry_run: bool) -> Result<Exit, Failure> {
    let mut client = screen.connect()?;
    client.send(&Reconcile { dry_run: Some(dry_run) })?;
    let answer = client.receive::<Reconcile>(Some(PATIENCE));
    let answer = answer.map_err(|error| error.about("LVM's metadata"))?;
    screen.answer(&answer, |reply| table(&reply.unfinished))?;
    let has_failed = |lv: &UnfinishedLv| lv.standing == Standing::Failed;
    Ok(if answer.reply.unfinished.iter().any(has_failed) { Exit::Failed } else { Exit::Done })
}

fn table(unfinished: &[UnfinishedLv]) -> String {
    if unfinished.is_empty() {
        return "LVM's metadata shows nothing that is under way\n".to_owned();
    }
    let mut table = Table::with_heading(["LV", "KIND", "STANDING"]);
    for lv in unfinished {
        table.row([
            Cell::new(format!("{}/{}", lv.vgname, lv.lvname)),
            kind(lv.kind, false).into(),
            standing(lv),
        ]);
    }
    table.lines("")
}

fn standing(lv: &UnfinishedLv) -> Cell {
    let id = lv.id.map_or_else(String::new, |id| id.to_string());
    let detail = lv.detail.as_deref().unwrap_or_default();
    let (words, style) = match lv.standing {
        Standing::Polled => (format!("polled: operation {id}"), USUAL),
        Standing::Foreign => {
            let pid = lv.pid.map_or_else(String::new, |pid| pid.to_string());
            (format!("left to process {pid}: {detail}"), ODD)
        }
        Standing::Inactive => ("not under way on this host".to_owned(), DIM),
        Standing::Resumed => (format!("nobody polled it, polled from now on: operation {id}"), GOOD),
        Standing::Waiting => ("nobody polls it, waits until others have ended".to_owned(), ODD),
        Standing::Reported => ("nobody polls it".to_owned(), ODD),
        Standing::Failed => (format!("nobody polls it, and it cannot be polled: {detail}"), BAD),
    };
    Cell::new(words).style(style)
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::poll::PollOperation;

    use super::*;
    use crate::cli::samples::{bare, id};

    fn lv(lvname: &str, kind: PollOperation, standing: Standing) -> UnfinishedLv {
        let (vgname, lvname) = ("vg0".try_into().unwrap(), lvname.try_into().unwrap());
        let lvid = "v".repeat(64).try_into().unwrap();
        UnfinishedLv { kind, vgname, lvname, lvid, standing, id: None, pid: None, detail: None }
    }

    #[test]
    fn each_lv_is_told_with_what_is_done_about_it() {
        let detail = |text: &str| Some(text.to_owned());
        let unfinished = [
            UnfinishedLv { id: Some(id(1)), ..lv("pvmove0", PollOperation::Pvmove, Standing::Resumed) },
            UnfinishedLv {
                pid: Some(7),
                detail: detail("pvmove -i 1"),
                ..lv("pvmove1", PollOperation::Pvmove, Standing::Foreign)
            },
            lv("data", PollOperation::Merge, Standing::Inactive),
            UnfinishedLv {
                detail: detail("the journal is full"),
                ..lv("thin", PollOperation::MergeThin, Standing::Failed)
            },
        ];
        assert_eq!(
            bare(&table(&unfinished)),
            "\
LV           KIND        STANDING
vg0/pvmove0  pvmove      nobody polled it, polled from now on: operation 10000000-0000-0000-0000-000000000000
vg0/pvmove1  pvmove      left to process 7: pvmove -i 1
vg0/data     merge       not under way on this host
vg0/thin     merge_thin  nobody polls it, and it cannot be polled: the journal is full
"
        );
    }

    #[test]
    fn nothing_is_told_in_words() {
        assert_eq!(table(&[]), "LVM's metadata shows nothing that is under way\n");
    }
}
