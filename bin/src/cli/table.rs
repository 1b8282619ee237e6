//! Columns of text.

use anstyle::Style;

use super::screen::{BOLD, USUAL, plain, styled};

/// One cell.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    style: Style,
    is_number: bool,
}

impl Cell {
    /// Makes one; anything that a terminal would act on is taken out of the text.
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self { text: plain(text.as_ref()), style: USUAL, is_number: false }
    }

    /// Makes one that is lined up at its right end.
    pub(super) fn number(text: impl AsRef<str>) -> Self {
        Self { is_number: true, ..Self::new(text) }
    }

    /// Sets its style.
    pub(super) fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Returns whether it has no text.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// Rows of cells; each column is as wide as its widest cell.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Makes one whose first row is a heading.
    pub(super) fn with_heading<const COLUMNS: usize>(names: [&str; COLUMNS]) -> Self {
        Self { rows: vec![names.map(|name| Cell::new(name).style(BOLD)).into()] }
    }

    /// Adds a row.
    pub(super) fn row<const COLUMNS: usize>(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells.into());
    }

    /// Returns the lines, each behind `indent`.
    pub(super) fn lines(&self, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
        let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let numbers: Vec<_> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).any(|cell| cell.is_number))
            .collect();
        let mut lines = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            let mut pending = 0;
            for (column, cell) in row.iter().enumerate().filter(|(column, _)| widths[*column] > 0) {
                let room = widths[column] - cell.width();
                let (before, after) = if numbers[column] { (room, 0) } else { (0, room) };
                if cell.is_empty() {
                    pending += room + 2;
                } else {
                    line.push_str(&" ".repeat(pending + before));
                    line.push_str(&styled(&cell.text, cell.style));
                    pending = after + 2;
                }
            }
            lines.push_str(&line);
            lines.push('\n');
        }
        lines
    }
}

#[cfg(test)]
mod tests;
