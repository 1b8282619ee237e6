//! Waits that outlive the daemon: when the connection breaks, a new one is made to the next daemon.

use std::ops::ControlFlow;
use std::time::Duration;

use lvmwarden_protocol::api::Method;

use super::client::{Answer, Client, ClientError};
use super::deadline::{Deadline, pause};
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;

/// How long the next daemon has to come up.
pub(super) const COMEBACK: Duration = Duration::from_secs(30);
/// The pause between two attempts to reach it.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);

/// Someone who waits for replies.
pub(super) trait Reader {
    /// What is called.
    type Method: Method;

    /// Looks around on a new connection before the call; a break says that no call is needed.
    fn begin(&mut self, _client: &mut Client) -> Result<ControlFlow<()>, ClientError> {
        Ok(ControlFlow::Continue(()))
    }

    /// Returns the call, which goes on where the replies so far have led.
    fn call(&self) -> Self::Method;

    /// Returns how long to wait for the next reply; `None`: for ever.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Takes a reply; a break says that no more is wanted.
    fn take(
        &mut self,
        answer: &Answer<Self::Method>,
        screen: &mut Screen,
    ) -> Result<ControlFlow<()>, Failure>;

    /// Tells the user of something beside the output.
    fn notice(&mut self, message: &str, screen: &mut Screen) {
        screen.notice(message);
    }

    /// Explains an error that is not a lost connection.
    fn explain(&self, error: ClientError) -> Failure {
        error.into()
    }
}

/// Gives `reader` all replies, from one daemon after the other, until it breaks or the last reply has come.
///
/// # Errors
/// The daemon did not come back within [`COMEBACK`], or refuses; and those of the reader.
pub(super) fn follow<R: Reader>(client: Client, screen: &mut Screen, reader: &mut R) -> Result<(), Failure> {
    let mut client = Some(client);
    let mut comeback: Option<Deadline> = None;
    loop {
        let error = match client.take().map_or_else(|| screen.connect(), Ok) {
            Ok(connected) => match follow_once(connected, screen, reader, &mut comeback)? {
                None => return Ok(()),
                Some(error) => error,
            },
            Err(error) => error,
        };
        if !matches!(error, ClientError::Lost | ClientError::Connect { .. }) {
            return Err(reader.explain(error));
        }
        if comeback.is_none() {
            reader.notice("the connection to the daemon is lost; waiting for the next one", screen);
        }
        let deadline = *comeback.get_or_insert_with(|| Deadline::after(COMEBACK));
        if deadline.left().is_none() {
            let message =
                format!("the daemon went away and did not come back within {} s", COMEBACK.as_secs());
            return Err(Failure::with(Exit::Unreachable, message)
                .advise("operations in progress go on without it; start it: systemctl start lvmwardend"));
        }
        pause(BETWEEN_ATTEMPTS);
    }
}

/// Returns `None` when all is told, or why this connection cannot be used any more.
fn follow_once<R: Reader>(
    mut client: Client,
    screen: &mut Screen,
    reader: &mut R,
    comeback: &mut Option<Deadline>,
) -> Result<Option<ClientError>, Failure> {
    match reader.begin(&mut client) {
        Ok(ControlFlow::Continue(())) => {}
        Ok(ControlFlow::Break(())) => return Ok(None),
        Err(error) => return Ok(Some(error)),
    }
    if let Err(error) = client.send(&reader.call()) {
        return Ok(Some(error));
    }
    loop {
        let answer = match client.receive(reader.patience()) {
            Ok(answer) => answer,
            Err(error @ ClientError::Call(_)) => {
                // What was there a moment ago may be over by now.
                let is_over = reader.begin(&mut client).is_ok_and(|next| next.is_break());
                return Ok((!is_over).then_some(error));
            }
            Err(error) => return Ok(Some(error)),
        };
        *comeback = None;
        if reader.take(&answer, screen)?.is_break() || !answer.continues {
            return Ok(None);
        }
    }
}
