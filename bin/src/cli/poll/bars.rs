//! One live bar for each operation, on a terminal.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lvmwarden_protocol::api::poll::Operation;
use uuid::Uuid;

use crate::cli::operation::{copy_speed, kind, lv, per_mille, percent, state};
use crate::cli::pace::Estimate;
use crate::cli::screen::plain;

/// The bars; gone from the terminal when dropped.
#[derive(Default)]
pub(super) struct Bars {
    all: MultiProgress,
    bars: Vec<(Uuid, ProgressBar)>,
}

impl Bars {
    /// Shows an operation as it is now.
    pub(super) fn show(&mut self, operation: &Operation, pace: Option<Estimate>) {
        let bar = self.bar(operation);
        bar.set_position(per_mille(operation).into());
        let (state, _) = state(operation);
        let speed =
            copy_speed(operation).or_else(|| Some(pace?.to_string())).filter(|_| operation.outcome.is_none());
        let parts = [percent(operation), plain(&state), speed.unwrap_or_default()];
        let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        bar.set_message(told.join("  "));
        if operation.outcome.is_some() {
            bar.abandon();
        }
    }

    /// Returns where more can be drawn, below.
    pub(super) fn all(&self) -> MultiProgress {
        self.all.clone()
    }

    /// Writes beside the bars.
    pub(super) fn beside(&self, write: impl FnOnce()) {
        self.all.suspend(write);
    }

    fn bar(&mut self, operation: &Operation) -> &ProgressBar {
        let known = self.bars.iter().position(|(id, _)| *id == operation.id);
        let index = known.unwrap_or_else(|| {
            let bar = self.all.add(ProgressBar::new(1000).with_style(style()));
            bar.set_prefix(plain(&format!("{} {}", lv(operation), kind(operation.kind, operation.abort))));
            // It moves, so that a bar that stands still is known to be alive.
            bar.enable_steady_tick(Duration::from_millis(200));
            self.bars.push((operation.id, bar));
            self.bars.len() - 1
        });
        &self.bars[index].1
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for (_, bar) in &self.bars {
            bar.finish_and_clear();
        }
        // A terminal that is gone needs no clearing.
        let _ = self.all.clear();
    }
}

/// Returns how a bar looks.
pub(super) fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix:24} {bar:20} {wide_msg}")
        .expect("the template is well-formed")
}
