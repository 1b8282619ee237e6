//! The section of shared VGs in what shows the host at a glance.

use std::cmp::Reverse;

use lvmwarden_protocol::api::lock::{Lockspace, State};
use lvmwarden_protocol::ids::VgName;

use super::time;
use crate::cli::screen::{BAD, BOLD, DIM, GOOD, ODD, styled};
use crate::cli::table::{Cell, Table};

/// How many VGs are shown.
const SHOWN: usize = 8;

/// How urgent a lockspace is; the first is the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// Its leases are lost, or about to be.
    Lost,
    /// It could not be joined or left.
    Failed,
    /// Somebody waits.
    Waiting,
    /// Nothing.
    Well,
}

/// Returns the section: those that need somebody come first.
pub(in crate::cli) fn section(lockspaces: &[Lockspace]) -> String {
    let heading = |count: &str| format!("\n{} {}\n", styled("Shared VGs", BOLD), styled(count, DIM));
    let mut vgs: Vec<_> = lockspaces.iter().filter(|lockspace| lockspace.vgname.is_some()).collect();
    if vgs.is_empty() {
        return heading("none");
    }
    vgs.sort_by_key(|lockspace| (urgency(lockspace), Reverse(lockspace.waiters), lockspace.vgname.clone()));
    let mut table = Table::default();
    for lockspace in vgs.iter().take(SHOWN) {
        table.row([
            lockspace.vgname.as_ref().map_or("", VgName::as_str).into(),
            state(lockspace),
            Cell::number(format!("{} held", lockspace.locks)).style(DIM),
            match lockspace.waiters {
                0 => "".into(),
                count => Cell::number(format!("{count} waiting")).style(ODD),
            },
        ]);
    }
    let more = match vgs.len().saturating_sub(SHOWN) {
        0 => String::new(),
        count => format!("  and {count} more: lvmwarden lock list\n"),
    };
    heading(&vgs.len().to_string()) + &table.lines("  ") + &more
}

fn urgency(lockspace: &Lockspace) -> Urgency {
    if lockspace.is_killed || is_late(lockspace) {
        Urgency::Lost
    } else if lockspace.state == State::Failed || lockspace.problem.is_some() {
        Urgency::Failed
    } else if lockspace.waiters > 0 {
        Urgency::Waiting
    } else {
        Urgency::Well
    }
}

fn is_late(lockspace: &Lockspace) -> bool {
    lockspace.lease.as_ref().is_some_and(|lease| lease.age_ms > lease.kill_in_ms)
}

/// Words the state in a few words: the reasons are in `lock list`.
fn state(lockspace: &Lockspace) -> Cell {
    let reset = || match &lockspace.lease {
        Some(lease) => format!(", host reset in {}", time(lease.reset_in_ms)),
        None => String::new(),
    };
    let (words, style) = match lockspace.state {
        _ if lockspace.is_killed => (format!("LEASES LOST{}", reset()), BAD),
        _ if is_late(lockspace) => (format!("LEASE LATE{}", reset()), BAD),
        State::Failed => ("failed".to_owned(), BAD),
        State::Stopping if lockspace.problem.is_some() => ("cannot be stopped".to_owned(), BAD),
        State::Starting => ("starting".to_owned(), ODD),
        State::Stopping => ("stopping".to_owned(), ODD),
        State::Running => ("running".to_owned(), GOOD),
    };
    Cell::new(words).style(style)
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::api::lock::Lease;

    use super::*;
    use crate::cli::lock::tests::lockspace;
    use crate::cli::samples::bare;

    fn vg(name: &str, locks: u32, waiters: u32) -> Lockspace {
        Lockspace { vgname: Some(name.try_into().unwrap()), locks, waiters, ..lockspace() }
    }

    #[test]
    fn lost_leases_come_first_then_who_waits_and_all_fits_sixty_columns() {
        let late = Lease { age_ms: 50_000, kill_in_ms: 30_000, reset_in_ms: 90_000 };
        let lost = Lockspace { is_killed: true, lease: None, ..vg("vg_backup", 1, 0) };
        let late = Lockspace { lease: Some(late), ..vg("vg_home", 12, 0) };
        let global = Lockspace { vgname: None, ..lockspace() };
        let text = bare(&section(&[vg("a", 0, 0), vg("vg_mail", 3, 2), late, lost, global]));
        let expected = "
Shared VGs 4
  vg_backup  LEASES LOST                           1 held
  vg_home    LEASE LATE, host reset in 1 min 30 s  12 held
  vg_mail    running                                3 held  2 waiting
  a          running                                0 held
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&text), squeezed(expected), "{text}");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(70), "{text}");
    }

    #[test]
    fn of_many_vgs_eight_are_shown_and_without_one_it_says_so() {
        let vgs: Vec<_> = (0..20).map(|number| vg(&format!("vg{number:02}"), 1, 0)).collect();
        let text = bare(&section(&vgs));
        assert_eq!(text.lines().count(), 11, "{text}");
        assert!(text.ends_with("and 12 more: lvmwarden lock list\n"), "{text}");
        assert_eq!(bare(&section(&[])), "\nShared VGs none\n");
    }
}
