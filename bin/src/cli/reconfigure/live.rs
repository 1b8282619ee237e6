//! A change followed to its end: a line for each phase that is over, then how it has ended.

use std::time::Duration;

use lvmwarden_protocol::api::reconfigure::{Abandon, Change, Phase, Watch};

use super::interrupt::Interrupts;
use super::{exit_of, words};
use crate::cli::client::{Answer, Client, ClientError};
use crate::cli::deadline::{Deadline, pause};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::follow::COMEBACK;
use crate::cli::screen::Screen;

/// How often it is looked whether somebody wants to stop.
const LOOK: Duration = Duration::from_millis(200);

/// What was told so far.
struct Told {
    phase: Phase,
    /// How long the change had taken when the phase began.
    since_ms: u64,
    /// The change as it was last.
    last: Change,
    answer: Option<Answer<Watch>>,
}

/// Follows a change; `may_abandon`: Ctrl-C abandons it, where that is still possible.
pub(super) fn follow(screen: &mut Screen, change: &Change, may_abandon: bool) -> Result<Exit, Failure> {
    let interrupts = may_abandon.then(Interrupts::listen);
    let mut told = Told { phase: change.phase, since_ms: 0, last: change.clone(), answer: None };
    if !screen.is_json() {
        screen.print(&words::heading(change))?;
    }
    let mut client = Some(watching(screen, &change.id)?);
    let (mut comeback, mut handled) = (None, 0);
    while told.last.phase != Phase::Ended || told.answer.is_none() {
        if let Some(pressed) = interrupts.as_ref().map(Interrupts::count).filter(|pressed| *pressed > handled)
        {
            handled = pressed;
            if let Some(exit) = interrupted(screen, &told.last, pressed) {
                return Ok(exit);
            }
        }
        let received = match &mut client {
            Some(client) => client.receive::<Watch>(Some(LOOK)),
            None => Err(ClientError::Lost),
        };
        match received {
            Ok(answer) => {
                comeback = None;
                take(screen, &mut told, answer)?;
            }
            // Nothing is new.
            Err(ClientError::NoAnswer) => {}
            Err(ClientError::Lost | ClientError::Connect { .. }) => {
                client = again(screen, &change.id, &mut comeback)?;
            }
            Err(error) => return Err(error.about(&change.id)),
        }
    }
    if let (true, Some(answer)) = (screen.is_json(), &told.answer) {
        screen.print_json(&answer.raw)?;
    } else {
        screen.print(&words::end(&told.last))?;
    }
    for host in told.last.outcome.iter().flat_map(|outcome| &outcome.lagging) {
        screen.notice(&format!("{host} has not done its part yet, and goes on trying"));
    }
    Ok(exit_of(&told.last))
}

fn watching(screen: &Screen, id: &str) -> Result<Client, ClientError> {
    let mut client = screen.connect()?;
    client.send(&Watch { id: Some(id.to_owned()) })?;
    Ok(client)
}

/// Tries to reach the next daemon, for as long as one may take to come up.
fn again(screen: &mut Screen, id: &str, comeback: &mut Option<Deadline>) -> Result<Option<Client>, Failure> {
    if comeback.is_none() {
        screen.notice("the connection to the daemon is lost; waiting for the next one");
    }
    let deadline = *comeback.get_or_insert_with(|| Deadline::after(COMEBACK));
    if deadline.left().is_none() {
        return Err(Failure::with(Exit::Unreachable, "the daemon went away and did not come back")
            .advise(format!("what became of the change: lvmwarden reconfigure show {id}")));
    }
    pause(LOOK);
    Ok(watching(screen, id).ok())
}

fn take(screen: &mut Screen, told: &mut Told, answer: Answer<Watch>) -> Result<(), Failure> {
    let change = answer.reply.change.clone();
    if change.phase != told.phase {
        if !screen.is_json() {
            screen.print(&words::phase(told.phase, &change, change.took_ms.saturating_sub(told.since_ms)))?;
        }
        (told.phase, told.since_ms) = (change.phase, change.took_ms);
    }
    told.last = change;
    told.answer = Some(answer);
    Ok(())
}

/// Abandons the change where that is still possible; returns how the program ends where it is not.
fn interrupted(screen: &mut Screen, change: &Change, pressed: u32) -> Option<Exit> {
    let id = change.id.clone();
    let abandoned = screen.connect().and_then(|mut client| client.call(&Abandon { id: id.clone() }));
    if abandoned.is_ok() && pressed == 1 {
        screen.notice("the change is being abandoned");
        return None;
    }
    screen.notice(&format!("the change goes on: lvmwarden reconfigure wait {}", words::short(&id)));
    Some(Exit::TimedOut)
}
