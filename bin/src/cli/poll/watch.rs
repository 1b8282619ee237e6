//! `poll watch`: follows operations to their end.

use std::collections::HashMap;
use std::ops::ControlFlow;

use lvmwarden_protocol::api::poll::{List, Operation, OperationReply, Watch};
use uuid::Uuid;

use super::bars::Bars;
use super::foreign_bars::ForeignBars;
use super::{history, show};
use crate::cli::client::{Answer, Client, ClientError};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::follow::{self, Reader};
use crate::cli::operation::{self, kind, lv, percent, state};
use crate::cli::pace::Pace;
use crate::cli::screen::{DIM, Screen, plain, styled};
use crate::cli::selection;

/// Follows them.
pub(super) fn run(screen: &mut Screen, texts: &[String]) -> Result<Exit, Failure> {
    let mut client = screen.connect()?;
    let is_all = texts.is_empty();
    let operations = if is_all {
        let listed = client.call_all(&List::default())?.reply.operations;
        listed.into_iter().filter(|operation| operation.outcome.is_none()).collect()
    } else {
        selection::find(&mut client, texts)?
    };
    let mut watching = Watching {
        operations,
        is_all,
        paces: HashMap::new(),
        told: HashMap::new(),
        bars: screen.is_live.then(Bars::default),
    };
    let of_others = watching.bars.as_ref().filter(|_| is_all).map(Bars::all);
    let of_others = of_others.map(|all| ForeignBars::start(all, screen.socket.clone()));
    follow::follow(client, screen, &mut watching)?;
    if let Some(of_others) = of_others {
        of_others.finish();
    }
    let operations = std::mem::take(&mut watching.operations);
    for operation in &operations {
        // The end of those whose result somebody has collected was not in the stream.
        watching.tell(operation, screen)?;
    }
    drop(watching);
    if !screen.json {
        screen.print(&show::table(&operations, &screen.clock()))?;
    }
    Ok(operation::exit(&operations))
}

struct Watching {
    /// Those that are watched, as they were seen last.
    operations: Vec<Operation>,
    /// Those that begin meanwhile are watched as well.
    is_all: bool,
    paces: HashMap<Uuid, Pace>,
    /// What was said last of each.
    told: HashMap<Uuid, String>,
    /// On a terminal.
    bars: Option<Bars>,
}

impl Watching {
    /// Shows an operation, unless nothing about it has changed.
    fn tell(&mut self, operation: &Operation, screen: &mut Screen) -> Result<(), Failure> {
        let clock = screen.clock();
        let pace = self.paces.entry(operation.id).or_default();
        if let Some(percent) = operation.percent {
            pace.saw(clock.now, percent);
        }
        if let Some(bars) = &mut self.bars {
            bars.show(operation, pace.estimate());
            return Ok(());
        }
        let words = words(operation);
        if self.told.get(&operation.id) == Some(&words) {
            return Ok(());
        }
        self.told.insert(operation.id, words.clone());
        if screen.json {
            return screen.print_json(&OperationReply { operation: operation.clone() });
        }
        screen.print(&format!("{} {words}\n", styled(&clock.wall_time(), DIM)))
    }

    fn progress(&self) -> ControlFlow<()> {
        let is_over = self.operations.iter().all(|operation| operation.outcome.is_some());
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Reader for Watching {
    type Method = Watch;

    fn begin(&mut self, client: &mut Client) -> Result<ControlFlow<()>, ClientError> {
        history::fill_in_ends(client, &mut self.operations)?;
        Ok(self.progress())
    }

    fn call(&self) -> Watch {
        match self.operations.as_slice() {
            [one] if !self.is_all => Watch { id: Some(one.id) },
            _ => Watch { id: None },
        }
    }

    fn take(&mut self, answer: &Answer<Watch>, screen: &mut Screen) -> Result<ControlFlow<()>, Failure> {
        let operation = &answer.reply.operation;
        match self.operations.iter_mut().find(|known| known.id == operation.id) {
            Some(known) => *known = operation.clone(),
            // Those that had ended before are none of it.
            None if self.is_all && operation.outcome.is_none() => self.operations.push(operation.clone()),
            None => return Ok(ControlFlow::Continue(())),
        }
        self.tell(operation, screen)?;
        Ok(self.progress())
    }

    fn notice(&mut self, message: &str, screen: &mut Screen) {
        match &self.bars {
            Some(bars) => bars.beside(|| screen.notice(message)),
            None => screen.notice(message),
        }
    }
}

/// Returns what a line says of an operation.
fn words(operation: &Operation) -> String {
    let (state, style) = state(operation);
    let name = format!("{} {}", lv(operation), kind(operation.kind, operation.abort));
    let mut parts = vec![format!("{} {}", plain(&name), styled(&plain(&state), style))];
    if operation.outcome.is_none() {
        parts.extend(operation.percent.map(|_| percent(operation)));
        parts.extend(operation.pid.map(|pid| format!("lvpoll {pid}")));
    }
    parts.join(", ")
}
