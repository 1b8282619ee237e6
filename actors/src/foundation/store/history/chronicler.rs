//! The actor that copies what happens to the disk, in its own time, and lets others look at what is there.
//!
//! It copies until nothing is left, ends the stories of operations that nobody knows any more, and then waits to be told
//! that something happened. Whatever goes wrong with the disk is tried again after a while, from the beginning: where to
//! go on is read from the disk each time.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use lvmwarden_supervisor::journal::Journal;
use lvmwarden_supervisor::process::BootId;
use lvmwarden_supervisor::{ChildLink, Stop, fault};
use slog::{debug, warn};
use tokio::sync::Notify;
use tokio::time::sleep;
use uuid::Uuid;

use super::chronicle::{Chronicle, Record};
use super::disk::{self, Trouble};
use super::health::Health;
use crate::foundation::error_chain::chain;
use crate::foundation::facts::events::Events;
use crate::foundation::facts::keeping::Keeping;
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::history::{Outbox, What};
use crate::foundation::store::ledger::{self, PollLedger};

/// How long more steps are waited for after one, to be written together.
const GATHERING: Duration = Duration::from_millis(200);
/// How many steps are written at once; a record of them is far from too long.
const AT_ONCE: usize = 200;
/// The wait before the disk is tried again; it doubles up to the second.
const RETRY_DELAYS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// How long the last steps may take at an orderly end.
const LAST_STEPS_DEADLINE: Duration = Duration::from_secs(1);

/// Where the history on disk is, and how it fares.
pub struct HistorySite {
    /// The directory of its journal; it need not be there yet.
    pub directory: PathBuf,
    /// How many operations it keeps.
    pub keep: u32,
    /// Whether it is written.
    pub health: Health,
    /// Is told when it is not, and when it is again.
    pub events: Events,
    /// What is to be kept and is not in the journal yet.
    pub keeping: Arc<Keeping>,
}

/// The only writer of the history on disk.
pub struct Chronicler {
    site: Arc<HistorySite>,
    link: ChildLink,
    shared: Rc<Shared>,
}

/// What the actor shares with its work.
#[derive(Default)]
struct Shared {
    /// None while it is not open.
    journal: RefCell<Option<Rc<Journal<Chronicle>>>>,
    /// Wakes the work: there may be something to copy, or it is to end.
    wake: Notify,
    is_stopping: Cell<bool>,
}

/// Tells that a record is durable in the journal of the run directory.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct Stored;

/// Asks for what a look at the history on disk yields; the answer is `None` while it cannot be looked at.
pub(crate) struct Look<T>(Arc<dyn Fn(&Chronicle) -> T + Send + Sync>);

impl<T> Look<T> {
    pub(crate) fn new(look: impl Fn(&Chronicle) -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }
}

impl<T> Clone for Look<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static> Message for Look<T> {
    type Result = Option<T>;
}

impl Chronicler {
    /// Makes the actor; nothing is opened before it is started.
    pub fn new(site: Arc<HistorySite>, link: ChildLink) -> Self {
        Self { site, link, shared: Rc::default() }
    }
}

impl Actor for Chronicler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (site, link, shared) = (Arc::clone(&self.site), self.link.clone(), Rc::clone(&self.shared));
        let work = Rc::new(Work { site, link, shared });
        ctx.spawn(Rc::clone(&work).write_facts().into_actor(self));
        ctx.spawn(work.run().into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stored> for Chronicler {
    type Result = ();

    fn handle(&mut self, _: Stored, _: &mut Context<Self>) {
        self.shared.wake.notify_one();
    }
}

impl<T: Send + 'static> Handler<Look<T>> for Chronicler {
    type Result = ResponseFuture<Option<T>>;

    fn handle(&mut self, Look(look): Look<T>, _: &mut Context<Self>) -> Self::Result {
        let journal = self.shared.journal.borrow();
        let seen = journal.as_ref().map(|journal| journal.read(move |chronicle| look(chronicle)));
        Box::pin(async move { seen?.await.ok() })
    }
}

impl Handler<Stop> for Chronicler {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.shared.is_stopping.set(true);
        self.shared.wake.notify_one();
        // What is not copied by then is copied by the next daemon.
        ctx.run_later(LAST_STEPS_DEADLINE, |_, ctx| ctx.stop());
    }
}

/// The copying.
struct Work {
    site: Arc<HistorySite>,
    link: ChildLink,
    shared: Rc<Shared>,
}

impl Work {
    /// Returns after a [`Stop`], when everything is copied.
    async fn run(self: Rc<Self>) {
        let (first, longest) = RETRY_DELAYS;
        let mut delay = first;
        while let Err(trouble) = self.go_on(&mut delay).await {
            self.fails(&chain(&trouble));
            if trouble.is_closed() {
                self.shared.journal.take();
            }
            sleep(delay).await;
            delay = (delay * 2).min(longest);
        }
    }

    async fn go_on(&self, delay: &mut Duration) -> Result<(), Trouble> {
        let journal = self.opened().await?;
        self.copy_all(&journal).await?;
        self.end_lost_stories(&journal).await?;
        loop {
            (*delay, _) = RETRY_DELAYS;
            self.site.health.works(&self.site.events, &self.link.log);
            if self.shared.is_stopping.get() {
                return Ok(());
            }
            self.shared.wake.notified().await;
            if !self.shared.is_stopping.get() {
                sleep(GATHERING).await;
            }
            self.copy_all(&journal).await?;
        }
    }

    /// Returns the journal, which is opened where it is not.
    async fn opened(&self) -> Result<Rc<Journal<Chronicle>>, Trouble> {
        if let Some(journal) = &*self.shared.journal.borrow() {
            return Ok(Rc::clone(journal));
        }
        let (directory, log) = (self.site.directory.clone(), self.link.log.clone());
        let journal = Rc::new(disk::open(directory, log, || self.waits()).await?);
        self.shared.journal.replace(Some(Rc::clone(&journal)));
        Ok(journal)
    }

    /// Writes what is to be kept to the journal of the run directory as it comes, whatever the disk does.
    async fn write_facts(self: Rc<Self>) {
        loop {
            self.site.keeping.wait().await;
            if let Err(error) = self.write_waiting_facts().await {
                debug!(self.link.log, "what happened is not in the journal yet"; "error" => error, "next" => "try again");
                sleep(RETRY_DELAYS.1).await;
            }
        }
    }

    /// Writes what waits to be kept to the journal of the run directory.
    async fn write_waiting_facts(&self) -> Result<(), String> {
        loop {
            let steps = self.site.keeping.first(AT_ONCE);
            if steps.is_empty() {
                return Ok(());
            }
            fault::point("history.before_fact", "");
            journal::append(&self.link.registry, ledger::Record::Facts(steps.clone())).await?;
            self.site.keeping.remove(&steps);
        }
    }

    /// Copies all there is, of operations and of all else.
    async fn copy_all(&self, journal: &Journal<Chronicle>) -> Result<(), Trouble> {
        self.write_waiting_facts().await.map_err(Trouble::Outbox)?;
        self.copy(journal).await?;
        self.copy_facts(journal).await
    }

    async fn copy_facts(&self, journal: &Journal<Chronicle>) -> Result<(), Trouble> {
        loop {
            let look = |chronicle: &Chronicle| chronicle.facts().last().cloned();
            let last = disk::read(journal, look, || self.waits()).await?;
            let outbox = move |ledger: &PollLedger| ledger.facts(last.as_ref(), AT_ONCE);
            let Outbox { steps, is_incomplete } = self.read_ledger(outbox).await?;
            if steps.is_empty() {
                return Ok(());
            }
            if is_incomplete {
                self.tell_gap();
            }
            disk::append(journal, Record::Facts(steps), || self.waits()).await?;
        }
    }

    /// Copies steps of operations until there are none.
    async fn copy(&self, journal: &Journal<Chronicle>) -> Result<(), Trouble> {
        loop {
            let last = disk::read(journal, |chronicle| chronicle.last().cloned(), || self.waits()).await?;
            let outbox = move |ledger: &PollLedger| ledger.outbox(last.as_ref(), AT_ONCE);
            let Outbox { steps, is_incomplete } = self.read_ledger(outbox).await?;
            if steps.is_empty() {
                return Ok(());
            }
            if is_incomplete {
                self.note_gap(journal).await?;
            }
            fault::point("history.before_append", "");
            disk::append(journal, Record::Steps(steps), || self.waits()).await?;
            fault::point("history.appended", "");
        }
    }

    /// Ends the stories of operations that the journal of the run directory does not know any more, and writes down whose
    /// time it is now.
    async fn end_lost_stories(&self, journal: &Journal<Chronicle>) -> Result<(), Trouble> {
        let look = |chronicle: &Chronicle| {
            (chronicle.life().cloned(), chronicle.going_on(), chronicle.last().cloned())
        };
        let (life, going_on, last) = disk::read(journal, look, || self.waits()).await?;
        let known = move |ledger: &PollLedger| -> HashSet<Uuid> {
            let not_copied = ledger.outbox(last.as_ref(), usize::MAX).steps.into_iter().map(|step| step.op);
            ledger.operations().map(|operation| operation.op).chain(not_copied).collect()
        };
        let known = self.read_ledger(known).await?;
        let unknown: Vec<Uuid> = going_on.into_iter().filter(|op| !known.contains(op)).collect();
        let boot = BootId::current().map_err(|error| Trouble::Outbox(error.to_string()))?;
        if !unknown.is_empty() {
            let same_boot = life.as_ref().is_none_or(|(before, _)| *before == boot);
            let what = if same_boot { What::JournalLost } else { What::HostRestarted };
            warn!(self.link.log, "operations did not come to an end that is known"; "operations" => unknown.len(),
                  "host_was_restarted" => !same_boot, "next" => "their stories say so");
            self.note(journal, unknown, what).await?;
        }
        let now = (boot, self.site.keep);
        if life.as_ref() != Some(&now) {
            let (boot, keep) = now;
            disk::append(journal, Record::Life { boot, keep }, || self.waits()).await?;
        }
        Ok(())
    }

    /// Says that the outbox has given up steps that were not copied.
    async fn note_gap(&self, journal: &Journal<Chronicle>) -> Result<(), Trouble> {
        self.tell_gap();
        let going_on = disk::read(journal, Chronicle::going_on, || self.waits()).await?;
        self.note(journal, going_on, What::StepsMissing).await
    }

    fn tell_gap(&self) {
        warn!(self.link.log, "more has happened than is kept until the disk takes it";
              "next" => "the history lacks steps; stories that were going on say so");
        self.site.events.publish(&Occurrence::HistoryGap);
    }

    async fn note(&self, journal: &Journal<Chronicle>, ops: Vec<Uuid>, what: What) -> Result<(), Trouble> {
        let record = Record::Noted { ops, what, at: Timestamp::now() };
        disk::append(journal, record, || self.waits()).await
    }

    async fn read_ledger<T: Send + 'static>(
        &self,
        look: impl Fn(&PollLedger) -> T + Send + Sync + 'static,
    ) -> Result<T, Trouble> {
        journal::read(&self.link.registry, look).await.map_err(Trouble::Outbox)
    }

    fn waits(&self) {
        self.fails("the disk does not answer");
    }

    fn fails(&self, why: &str) {
        self.site.health.fails(why, &self.site.events, &self.link.log);
    }
}
