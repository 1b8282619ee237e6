//! Collects numbers and writes them as a Markdown table.

use std::fmt::Write;
use std::time::Duration;

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `lvmwardend`.
    Ours,
    /// The C daemon.
    Theirs,
}

/// The numbers of one row, one for each round; `None` when the daemon hung.
#[derive(Debug)]
struct Row {
    name: String,
    ours: Vec<Option<f64>>,
    theirs: Vec<Option<f64>>,
}

/// All numbers so far, in the order in which their rows were first named.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds one number; `name` says what and in which unit.
    pub fn add(&mut self, subject: Subject, name: &str, value: Option<f64>) {
        let index = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            self.rows.push(Row { name: name.into(), ours: Vec::new(), theirs: Vec::new() });
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        match subject {
            Subject::Ours => row.ours.push(value),
            Subject::Theirs => row.theirs.push(value),
        }
    }

    /// Adds requests for each second and the distribution of latencies; `None` when the daemon hung.
    pub fn add_latencies(
        &mut self,
        subject: Subject,
        name: &str,
        measured: Option<(Vec<Duration>, Duration)>,
    ) {
        let Some((mut latencies, took)) = measured.filter(|(latencies, _)| !latencies.is_empty()) else {
            for column in ["requests/s", "p50 µs", "p99 µs", "p99.9 µs", "max µs"] {
                self.add(subject, &format!("{name}, {column}"), None);
            }
            return;
        };
        latencies.sort_unstable();
        let microseconds_at = |per_mille: usize| {
            let index = (latencies.len() * per_mille / 1000).min(latencies.len() - 1);
            Some(latencies[index].as_secs_f64() * 1e6)
        };
        self.add(subject, &format!("{name}, requests/s"), Some(rate(latencies.len(), took)));
        for (column, per_mille) in [("p50 µs", 500), ("p99 µs", 990), ("p99.9 µs", 999), ("max µs", 1000)]
        {
            self.add(subject, &format!("{name}, {column}"), microseconds_at(per_mille));
        }
    }

    /// Returns the table: medians over the rounds, and ours divided by theirs.
    pub fn table(&self) -> String {
        let mut table = String::from("| what | ours | C | ours / C |\n|---|---:|---:|---:|\n");
        for row in &self.rows {
            let (ours, theirs) = (median(&row.ours), median(&row.theirs));
            let ratio = match (ours, theirs) {
                (Some(ours), Some(theirs)) if theirs != 0.0 => format!("{:.2}", ours / theirs),
                _ => "-".into(),
            };
            writeln!(table, "| {} | {} | {} | {ratio} |", row.name, cell(&row.ours), cell(&row.theirs))
                .expect("a String takes everything");
        }
        table
    }
}

/// Returns how many in a second.
pub fn rate(count: usize, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no run counts to 2^52")]
    let count = count as f64;
    count / took.as_secs_f64()
}

fn cell(values: &[Option<f64>]) -> String {
    let hung = values.iter().filter(|value| value.is_none()).count();
    match (median(values), hung) {
        (None, 0) => "-".into(),
        (None, _) => "hung".into(),
        (Some(median), 0) => number(median),
        (Some(median), hung) => format!("{} (hung in {hung} of {})", number(median), values.len()),
    }
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

/// Returns the median of the rounds that did not hang; of an even number of them the lower one of the middle.
fn median(values: &[Option<f64>]) -> Option<f64> {
    let mut values: Vec<f64> = values.iter().copied().flatten().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{Report, Subject};

    #[test]
    fn the_table_shows_medians_ratios_and_hangs() {
        let mut report = Report::default();
        for value in [3.0, 100.0, 2.0] {
            report.add(Subject::Ours, "a, µs", Some(value));
            report.add(Subject::Theirs, "a, µs", Some(value * 2.0));
            report.add(Subject::Ours, "b", Some(7.0));
            report.add(Subject::Theirs, "b", None);
        }
        let lines: Vec<_> = report.table().lines().skip(2).map(str::to_owned).collect();
        assert_eq!(lines, ["| a, µs | 3.00 | 6.00 | 0.50 |", "| b | 7.00 | hung | - |"]);
    }
}
