//! `poll wait`.

use std::ops::ControlFlow;
use std::time::Duration;

use lvmwarden_protocol::api::poll::{Operation, OperationReply, Wait};

use super::{history, show};
use crate::cli::client::{Answer, Client, ClientError, PATIENCE};
use crate::cli::deadline::Deadline;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::follow::{self, Reader};
use crate::cli::operation::{self, lv};
use crate::cli::screen::Screen;
use crate::cli::selection;

/// Waits for one after the other, which takes no longer than for all at once.
pub(super) fn run(screen: &mut Screen, texts: &[String], timeout: Option<Duration>) -> Result<Exit, Failure> {
    let deadline = timeout.map(Deadline::after);
    let operations = selection::find(&mut screen.connect()?, texts)?;
    let mut ended = Vec::new();
    for operation in operations {
        let mut waiting = Waiting { operation, deadline };
        let client = screen.connect()?;
        follow::follow(client, screen, &mut waiting)?;
        if screen.json {
            screen.print_json(&OperationReply { operation: waiting.operation.clone() })?;
        }
        ended.push(waiting.operation);
    }
    if !screen.json {
        screen.print(&show::table(&ended, &screen.clock()))?;
    }
    if ended.iter().any(|operation| operation.outcome.is_none()) {
        return Err(Failure::with(Exit::TimedOut, "the time is over; the operations go on"));
    }
    Ok(operation::exit(&ended))
}

struct Waiting {
    operation: Operation,
    deadline: Option<Deadline>,
}

impl Waiting {
    /// Returns how long is left; `None`: for ever.
    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left().unwrap_or_default())
    }
}

impl Reader for Waiting {
    type Method = Wait;

    fn begin(&mut self, client: &mut Client) -> Result<ControlFlow<()>, ClientError> {
        history::fill_in_ends(client, [&mut self.operation])?;
        let has_ended = self.operation.outcome.is_some();
        Ok(if has_ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn call(&self) -> Wait {
        let timeout_ms = self.left().map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        Wait { id: self.operation.id, timeout_ms }
    }

    fn patience(&self) -> Option<Duration> {
        self.left().map(|left| left + PATIENCE)
    }

    fn take(&mut self, answer: &Answer<Wait>, _: &mut Screen) -> Result<ControlFlow<()>, Failure> {
        self.operation = answer.reply.operation.clone();
        Ok(ControlFlow::Break(()))
    }

    fn explain(&self, error: ClientError) -> Failure {
        error.about(lv(&self.operation))
    }
}
