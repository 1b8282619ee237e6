//! Panics of actors: caught, named and logged.
//!
//! A panic is the way of an actor to say "I do not know this state". It ends the actor and nothing else: it
//! is caught at the actor's own future, and becomes
//! [`ExitReason::Panicked`](crate::exit_reason::ExitReason::Panicked).

use std::{
    any::Any,
    cell::RefCell,
    future::{Future, poll_fn},
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    task::Poll,
};

use slog::{Logger, error};

use crate::name::Name;

thread_local! {
    /// The actor whose code this thread is running now; the panic hook has no other way to know.
    static RUNNING: RefCell<Option<Name>> = const { RefCell::new(None) };
}

/// Logs every panic of this process from now on: the actor, the message and the place in the source.
///
/// Call it once, at the start of the program. It replaces the hook that prints to stderr.
pub fn log_panics(log: Logger) {
    panic::set_hook(Box::new(move |info| {
        let actor = RUNNING.with_borrow(|name| name.as_ref().map(Name::to_string));
        let location = info.location().map(ToString::to_string);
        error!(log, "panicked";
            "actor" => actor.as_deref().unwrap_or("none"),
            "reason" => message_of(info.payload()),
            "location" => location.as_deref().unwrap_or("unknown"));
    }));
}

/// Runs `step` as code of the actor `name`, and returns the message of its panic if it panics.
///
/// The caller must not look at anything that `step` may have left half done.
pub(crate) fn catch<T>(name: &Name, step: impl FnOnce() -> T) -> Result<T, String> {
    let outer = RUNNING.replace(Some(name.clone()));
    let outcome = panic::catch_unwind(AssertUnwindSafe(step));
    RUNNING.set(outer);
    outcome.map_err(|payload| message_of(&*payload))
}

/// Waits for `future` as code of the actor `name`; after a panic it is not polled again.
///
/// The future is borrowed, not moved, so that it is dropped after the unwinding and not in it: destructors
/// and `stopped` hooks may panic once more without aborting the process.
pub(crate) async fn catch_future<F: Future + Unpin>(
    name: &Name,
    future: &mut F,
) -> Result<F::Output, String> {
    poll_fn(|cx| match catch(name, || Pin::new(&mut *future).poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(message) => Poll::Ready(Err(message)),
    })
    .await
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "payload is not text".to_owned())
}
