//! The journal as a worker in the supervision tree.
//!
//! 1. It opens the journal beside the actor's thread; messages wait in the mailbox.
//! 2. It passes appends on to the writing thread and answers when they are durable; many may be under way.
//! 3. A write that fails is the asker's to know and no reason to end.
//! 4. When it cannot open, or the writing thread is gone, it fails and is restarted: the next instance knows only
//!    what is on disk.
//! 5. Asked to stop, it ends after what was queued.

use std::error::Error;
use std::iter::successors;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, ResponseFuture,
    WrapFuture,
};
use actix_rt::task::spawn_blocking;
use slog::{Logger, info, warn};
use tokio::time::{Instant, sleep};

use super::{AppendError, Journal, Ledger, OpenError, ReadError, Replayed};
use crate::actor_child::ChildLink;
use crate::child_spec::Stop;

/// How long a locked directory is waited for. A predecessor that was just killed may have to finish a write, and a
/// child process has its descriptors until its exec.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// The only writer of one journal.
pub struct JournalActor<L: Ledger> {
    directory: PathBuf,
    link: ChildLink,
    /// None before it is opened and after it was asked to stop.
    journal: Option<Journal<L>>,
}

/// Appends a record; the answer comes when it is on disk.
///
/// Sent again after a restart it may already be there: see [`Ledger::apply`] on repetitions.
pub struct Append<L: Ledger>(pub L::Record);

/// Asks for what `T` a look at the durable ledger yields. The look runs on the writing thread, so it must be short.
pub struct Read<L, T>(Arc<dyn Fn(&L) -> T + Send + Sync>);

impl<L, T> Read<L, T> {
    /// Makes the question.
    pub fn new(look: impl Fn(&L) -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }
}

/// Says that the writing thread panicked: the ledger has a bug.
#[derive(Message)]
#[rtype(result = "()")]
struct ThreadEnded;

impl<L: Ledger> JournalActor<L> {
    /// Makes the worker for the journal in `directory`; nothing is opened before it is started.
    pub fn new(directory: PathBuf, link: ChildLink) -> Self {
        Self { directory, link, journal: None }
    }

    fn opened(&mut self, outcome: Result<(Journal<L>, Replayed<L>), OpenError>, context: &mut Context<Self>) {
        match outcome {
            Ok((journal, replayed)) => {
                report(&self.link.log, &self.directory, &replayed);
                self.journal = Some(journal);
            }
            Err(error) => {
                self.link.fail(chain(&error));
                context.stop();
            }
        }
    }
}

impl<L: Ledger> Actor for JournalActor<L> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let open = open_patiently(self.directory.clone(), self.link.log.clone());
        context.wait(open.into_actor(self).map(|outcome, actor, context| actor.opened(outcome, context)));
    }
}

impl<L: Ledger> Handler<Append<L>> for JournalActor<L> {
    type Result = ResponseFuture<Result<(), AppendError>>;

    fn handle(&mut self, Append(record): Append<L>, context: &mut Self::Context) -> Self::Result {
        let Some(journal) = &self.journal else { return Box::pin(async { Err(AppendError::Closed) }) };
        let closed = |error: &AppendError| matches!(error, AppendError::Closed);
        Box::pin(pass_on(journal.append(record), closed, context.address()))
    }
}

impl<L: Ledger, T: Send + 'static> Handler<Read<L, T>> for JournalActor<L> {
    type Result = ResponseFuture<Result<T, ReadError>>;

    fn handle(&mut self, Read(look): Read<L, T>, context: &mut Self::Context) -> Self::Result {
        let Some(journal) = &self.journal else { return Box::pin(async { Err(ReadError::Closed) }) };
        let closed = |error: &ReadError| matches!(error, ReadError::Closed);
        Box::pin(pass_on(journal.read(move |ledger| look(ledger)), closed, context.address()))
    }
}

impl<L: Ledger> Handler<ThreadEnded> for JournalActor<L> {
    type Result = ();

    fn handle(&mut self, _: ThreadEnded, context: &mut Self::Context) {
        self.link.fail("the journal thread ended by a panic");
        context.stop();
    }
}

impl<L: Ledger> Handler<Stop> for JournalActor<L> {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        let Some(journal) = self.journal.take() else { return context.stop() };
        let closed = spawn_blocking(|| journal.close());
        context.wait(closed.into_actor(self).map(|_, _, context: &mut Context<Self>| context.stop()));
    }
}

impl<L: Ledger> Message for Append<L> {
    type Result = Result<(), AppendError>;
}

impl<L: Ledger> Clone for Append<L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L: Ledger, T: Send + 'static> Message for Read<L, T> {
    type Result = Result<T, ReadError>;
}

impl<L, T> Clone for Read<L, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Returns the answer of the writing thread.
///
/// If the thread is gone the actor is told first, so that whoever then asks again asks its successor. The answer is
/// given even if the actor ends meanwhile.
async fn pass_on<L: Ledger, T, E>(
    answered: impl Future<Output = Result<T, E>>,
    closed: impl FnOnce(&E) -> bool,
    actor: Addr<JournalActor<L>>,
) -> Result<T, E> {
    let outcome = answered.await;
    if outcome.as_ref().err().is_some_and(closed) {
        // An error here says that it has ended already.
        let _ = actor.send(ThreadEnded).await;
    }
    outcome
}

/// Opens the journal, and tries again for a while if it is locked.
async fn open_patiently<L: Ledger>(
    directory: PathBuf,
    log: Logger,
) -> Result<(Journal<L>, Replayed<L>), OpenError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let (path, opening_log) = (directory.clone(), log.clone());
        let opened = spawn_blocking(move || Journal::open(&path, opening_log)).await;
        match opened.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic())) {
            Err(OpenError::Locked { .. }) if Instant::now() < deadline => sleep(LOCK_INTERVAL).await,
            outcome => return outcome,
        }
    }
}

/// Returns `error` and its causes on one line.
fn chain(error: &OpenError) -> String {
    let causes = successors(Some(error as &dyn Error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn report<L>(log: &Logger, directory: &Path, replayed: &Replayed<L>) {
    let Replayed { torn_bytes, set_aside, rejected, .. } = replayed;
    info!(log, "journal opened"; "path" => %directory.display());
    if *torn_bytes > 0 {
        warn!(log, "an append was interrupted; its record is gone, nobody was told that it is safe";
            "torn_bytes" => torn_bytes);
    }
    if !set_aside.is_empty() {
        warn!(log, "journal was damaged; it goes on with what could be read, the damaged files are kept";
            "set_aside" => ?set_aside, "rejected_records" => rejected);
    }
}
