//! Live bars for others' copies, below those of operations, on a terminal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lvmwarden_protocol::api::poll::{Foreign, ForeignCopy};

use super::bars;
use super::foreign::{HEADING, REMARK, lv, mismatches};
use crate::cli::client::{Client, ClientError};
use crate::cli::deadline::pause;
use crate::cli::operation::{per_mille_of, percent_of, speed};
use crate::cli::screen::plain;

/// How often the daemon is asked.
const PERIOD: Duration = Duration::from_secs(1);

/// A thread that asks and draws.
pub(super) struct ForeignBars {
    ours_go_on: Sender<()>,
    drawing: JoinHandle<()>,
}

impl ForeignBars {
    /// Begins.
    pub(super) fn start(all: MultiProgress, socket: PathBuf) -> Self {
        let (ours_go_on, ours) = channel();
        let drawing =
            thread::spawn(move || Drawing { all, heading: None, bars: BTreeMap::new() }.run(&socket, &ours));
        Self { ours_go_on, drawing }
    }

    /// Returns when nothing of others' is copied any more: the operations that were watched as well are over.
    pub(super) fn finish(self) {
        drop(self.ours_go_on);
        // It can only fail by a panic, which has been told.
        let _ = self.drawing.join();
    }
}

struct Drawing {
    all: MultiProgress,
    heading: Option<ProgressBar>,
    bars: BTreeMap<String, ProgressBar>,
}

impl Drawing {
    fn run(mut self, socket: &Path, ours: &Receiver<()>) {
        loop {
            // A daemon that is away for a moment is asked again: each time by a connection of its own.
            let copies = ask(socket).unwrap_or_default();
            self.show(&copies);
            let waited = ours.recv_timeout(PERIOD);
            if waited == Err(RecvTimeoutError::Disconnected) {
                if copies.is_empty() {
                    break;
                }
                pause(PERIOD);
            }
        }
    }

    fn show(&mut self, copies: &[ForeignCopy]) {
        let names: Vec<String> =
            copies.iter().map(|copy| format!("{} {}", lv(copy), copy.kind.as_str())).collect();
        self.bars.retain(|name, bar| {
            let goes_on = names.contains(name);
            if !goes_on {
                bar.finish_and_clear();
                self.all.remove(bar);
            }
            goes_on
        });
        if copies.is_empty() {
            if let Some(heading) = self.heading.take() {
                heading.finish_and_clear();
                self.all.remove(&heading);
            }
            return;
        }
        let all = &self.all;
        self.heading.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg}").expect("the template is well-formed");
            let heading = all.add(ProgressBar::new(0).with_style(style));
            heading.set_message(format!("{HEADING}: {REMARK}"));
            heading
        });
        for (copy, name) in copies.iter().zip(names) {
            let bar = self.bars.entry(name.clone()).or_insert_with(|| {
                let bar = all.add(ProgressBar::new(1000).with_style(bars::style()));
                bar.set_prefix(plain(&name));
                bar
            });
            bar.set_position(per_mille_of(copy.percent).into());
            let speed = copy.copy.and_then(|copy| speed(&copy)).unwrap_or_default();
            let parts = [percent_of(copy.percent), speed, mismatches(copy)];
            let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            bar.set_message(told.join("  "));
        }
    }
}

fn ask(socket: &Path) -> Result<Vec<ForeignCopy>, ClientError> {
    Ok(Client::connect(socket)?.call_all(&Foreign::default())?.reply.copies)
}
