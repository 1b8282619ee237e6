//! Columns.

use super::*;
use crate::cli::samples::bare;
use crate::cli::screen::BAD;

#[test]
fn columns_are_as_wide_as_their_widest_cell_and_numbers_end_together() {
    let mut table = Table::with_heading(["NAME", "SIZE", "STATE"]);
    table.row(["root".into(), Cell::number("7"), Cell::new("bad").style(BAD)]);
    table.row(["a-long-name".into(), Cell::number("12345"), "good".into()]);
    assert_eq!(
        bare(&table.lines("  ")),
        "  NAME          SIZE  STATE\n  root             7  bad\n  a-long-name  12345  good\n"
    );
}

#[test]
fn empty_cells_keep_their_place_and_empty_columns_do_not() {
    let mut table = Table::default();
    table.row(["a".into(), "".into(), "".into(), "d".into()]);
    table.row(["b".into(), "".into(), "cc".into(), "".into()]);
    assert_eq!(table.lines(""), "a      d\nb  cc\n");
}

#[test]
fn what_a_terminal_would_act_on_is_spelled_out() {
    let mut table = Table::default();
    table.row(["\u{1b}[2J".into()]);
    assert_eq!(table.lines(""), "\\u{1b}[2J\n");
}
