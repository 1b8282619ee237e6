//! `poll foreign`, and the section of others' copies in what shows operations.

use lvmwarden_protocol::api::poll::{Foreign, ForeignCopy};

use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::operation::{bar_of, percent_of, speed};
use crate::cli::screen::{BOLD, DIM, ODD, Screen, styled};
use crate::cli::table::{Cell, Table};

/// What the section is called.
pub(in crate::cli) const HEADING: &str = "Foreign";
/// What is said of all of them.
pub(in crate::cli) const REMARK: &str = "not ours, left alone";

/// Shows them.
pub(super) fn run(screen: &mut Screen) -> Result<(), Failure> {
    let answer = screen.connect()?.call_all(&Foreign::default())?;
    screen.answer(&answer, |reply| match section(&reply.copies) {
        none if none.is_empty() => "the kernel copies nothing that is not ours\n".to_owned(),
        section => section.trim_start().to_owned(),
    })
}

/// Shows the section below operations; nothing where there is nothing, nor as JSON.
pub(super) fn below(client: &mut Client, screen: &mut Screen) -> Result<(), Failure> {
    if screen.json {
        return Ok(());
    }
    let copies = client.call_all(&Foreign::default())?.reply.copies;
    screen.print(&section(&copies))
}

/// Returns the section; nothing where there is nothing.
pub(in crate::cli) fn section(copies: &[ForeignCopy]) -> String {
    if copies.is_empty() {
        return String::new();
    }
    let mut table = Table::default();
    for copy in copies {
        table.row([
            lv(copy).into(),
            copy.kind.as_str().into(),
            bar_of(copy.percent).into(),
            Cell::number(percent_of(copy.percent)),
            copy.copy.and_then(|copy| speed(&copy)).unwrap_or_default().into(),
            Cell::new(mismatches(copy)).style(ODD),
        ]);
    }
    format!("\n{} {}\n{}", styled(HEADING, BOLD), styled(REMARK, DIM), table.lines("  "))
}

/// Returns the names of VG and LV.
pub(super) fn lv(copy: &ForeignCopy) -> String {
    format!("{}/{}", copy.vgname, copy.lvname)
}

/// Returns how many sectors differ, where some do.
pub(super) fn mismatches(copy: &ForeignCopy) -> String {
    match copy.mismatches {
        None | Some(0) => String::new(),
        Some(count) => format!("{count} sectors differ"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::{bare, check};

    #[test]
    fn the_section_has_a_line_for_each_copy() {
        let text = bare(&section(&[check("t", Some(50.0), 0), check("home", None, 128)]));
        let expected = "
Foreign not ours, left alone
  vg0/t     check  ██████████░░░░░░░░░░  50.0 %  1.00 MiB/s, 8 s left
  vg0/home  check                                1.00 MiB/s, 8 s left  128 sectors differ
";
        assert_eq!(text, expected);
    }

    #[test]
    fn there_is_no_section_without_copies() {
        assert_eq!(section(&[]), "");
    }
}
