//! `lock history`: what happened to lockspaces and their locks.

use lvmwarden_protocol::api::lock::{History, HistoryEntry};
use lvmwarden_protocol::ids::VgName;

use crate::cli::events::{fields_in_words, style_of};
use crate::cli::failure::Failure;
use crate::cli::screen::{Clock, DIM, Screen};
use crate::cli::table::{Cell, Table};

/// How many entries are looked at where nobody says how many.
const MOST: u32 = 10_000;

/// Shows it.
pub(super) fn run(screen: &mut Screen, vgname: Option<VgName>, limit: Option<u32>) -> Result<(), Failure> {
    let asked = History { vgname, limit: limit.or(Some(MOST)), page: None };
    let answer = screen.connect()?.call_all(&asked)?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| table(&reply.entries, &clock))
}

fn table(entries: &[HistoryEntry], clock: &Clock) -> String {
    if entries.is_empty() {
        return "nothing has happened yet\n".to_owned();
    }
    let mut table = Table::with_heading(["TIME", "VG", "WHAT", ""]);
    for entry in entries {
        let what = entry.kind.strip_prefix("lock.").unwrap_or(&entry.kind).replace('_', " ");
        table.row([
            Cell::new(clock.time(&entry.time)).style(DIM),
            entry.vgname.as_ref().map_or("(global)", VgName::as_str).into(),
            Cell::new(what).style(style_of(&entry.kind)),
            Cell::new(fields_in_words(&entry.fields)).style(DIM),
        ]);
    }
    table.lines("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::{bare, clock};

    fn entry(vg: Option<&str>, kind: &str, fields: &[(&str, &str)]) -> HistoryEntry {
        HistoryEntry {
            time: "2026-11-21T11:59:12.250Z".to_owned(),
            lockspace: "lvm_vg0".to_owned(),
            vgname: vg.map(|vg| vg.try_into().unwrap()),
            kind: kind.to_owned(),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn each_entry_is_a_line_in_the_words_of_events() {
        let entries = [
            entry(Some("vg0"), "lock.lease_late", &[("kill_in_seconds", "38"), ("reset_in_seconds", "98")]),
            entry(Some("vg0"), "lock.waited", &[("command", "lvcreate"), ("mode", "ex"), ("result", "ok")]),
            entry(None, "lock.started", &[]),
        ];
        let expected = "\
TIME      VG        WHAT
11:59:12  vg0       lease late  kill_in_seconds=38 reset_in_seconds=98
11:59:12  vg0       waited      command=lvcreate mode=ex result=ok
11:59:12  (global)  started
";
        assert_eq!(bare(&table(&entries, &clock())), expected);
        assert_eq!(table(&[], &clock()), "nothing has happened yet\n");
    }
}
