//! Leaves all lockspaces at the end of a daemon, or none: carries out what [`closing`](crate::roles::lock::closing) decides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::ResultCode;
use tokio::sync::{OwnedRwLockWriteGuard, mpsc};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Directory, LOOK_PERIOD, Question};
use crate::roles::lock::closing::{Closing, Effect, Event, Refusal, Seen, Step};
use crate::roles::lock::lockspace::ask::{Ask, Client, StartAsk, StopRule};
use crate::roles::lock::lockspace::event::Spec;

/// How long requests that are being answered may take; others wait behind them.
const QUIET_DEADLINE: Duration = Duration::from_secs(5);
/// How long all lockspaces together may take to be left: some time-outs of sanlock.
const LEAVE_DEADLINE: Duration = Duration::from_secs(40);
/// How long they may take to be started again: a lease on the life of a host takes twice as long.
const RETURN_DEADLINE: Duration = Duration::from_mins(2);

/// That all lockspaces were left, and that no request is answered any more as long as it lives.
#[derive(Debug)]
pub struct Closed {
    _no_request: OwnedRwLockWriteGuard<()>,
}

/// What an end works with.
struct Pass {
    directory: Directory,
    specs: BTreeMap<Arc<str>, Spec>,
    closing: Closing,
    events: mpsc::UnboundedSender<Event>,
}

impl Directory {
    /// Leaves all lockspaces, unless a lock is held, wanted or waited for in any; where one cannot be left, those that
    /// were left are started again.
    ///
    /// Requests that come meanwhile wait: they are answered after a refusal, and never after an end.
    ///
    /// # Errors
    /// Why the daemon is not to end. It goes on as before.
    pub async fn close(&self) -> Result<Closed, Refusal> {
        // First without holding up anybody: a lock that is held is no short matter.
        let busy = self.look().await.iter().filter(|seen| seen.is_busy).count();
        if busy > 0 {
            return Err(Refusal::Busy(busy));
        }
        let alone = timeout(QUIET_DEADLINE, self.environment.requests.end()).await;
        let no_request = alone.map_err(|_late| Refusal::Asked)?;
        let pictures = self.describe().await;
        let specs = pictures.iter().map(|picture| (Arc::clone(&picture.spec.name), picture.spec.clone()));
        let (events, happened) = mpsc::unbounded_channel();
        let pass =
            Pass { directory: self.clone(), specs: specs.collect(), closing: Closing::default(), events };
        let seen = pictures.iter().filter_map(Seen::of).collect();
        pass.run(seen, happened).await?;
        Ok(Closed { _no_request: no_request })
    }

    async fn look(&self) -> Vec<Seen> {
        self.describe().await.iter().filter_map(Seen::of).collect()
    }
}

impl Pass {
    async fn run(
        mut self,
        seen: Vec<Seen>,
        mut happened: mpsc::UnboundedReceiver<Event>,
    ) -> Result<(), Refusal> {
        let mut event = Event::Quiet(seen);
        let mut deadline = Instant::now() + LEAVE_DEADLINE;
        let mut is_returning = false;
        loop {
            for effect in self.closing.apply(event) {
                match effect {
                    Effect::Leave(name) => self.leave(name),
                    Effect::Start(name) => self.start(name),
                    Effect::End => return Ok(()),
                    Effect::Serve(refusal) => {
                        // Whatever is left after its time is started again.
                        actix_rt::spawn(self.mop_up(happened));
                        return Err(refusal);
                    }
                }
            }
            if matches!(self.closing.step(), Step::Returning(_)) && !is_returning {
                is_returning = true;
                deadline = Instant::now() + RETURN_DEADLINE;
            }
            // The sender is ours as well: there is always one.
            event = timeout_at(deadline, happened.recv()).await.ok().flatten().unwrap_or(Event::Late);
        }
    }

    async fn mop_up(self, mut happened: mpsc::UnboundedReceiver<Event>) {
        let Self { directory, specs, mut closing, events } = self;
        let weak = events.downgrade();
        drop(events);
        // Until the last of those that were asked to be left has answered.
        while let Some(event) = happened.recv().await {
            for effect in closing.apply(event) {
                if let (Effect::Start(name), Some(events)) = (effect, weak.upgrade()) {
                    start(&directory, &specs, name, events);
                }
            }
        }
    }

    fn leave(&self, name: Arc<str>) {
        let (directory, events) = (self.directory.clone(), self.events.clone());
        actix_rt::spawn(async move {
            let is_left = leave(&directory, &name).await;
            // Nobody may be listening any more.
            let _ = events.send(if is_left { Event::Left(name) } else { Event::NotLeft(name) });
        });
    }

    fn start(&self, name: Arc<str>) {
        start(&self.directory, &self.specs, name, self.events.clone());
    }
}

/// Has a lockspace left; returns whether it was, once that is certain, however long it takes.
async fn leave(directory: &Directory, name: &str) -> bool {
    let question = directory.own_question();
    let mut answer = directory.ask(name, question.with(Ask::Stop(StopRule::UnlessLocks))).await;
    loop {
        match answer.map(|reply| reply.code) {
            None | Some(ResultCode::OK | ResultCode::NO_LOCKSPACE) => return true,
            Some(ResultCode::BUSY) => return false,
            // Left, not left, or neither yet, as after a crash of its actor, or with a lock manager that is silent.
            Some(_) => {}
        }
        sleep(LOOK_PERIOD).await;
        answer = directory.ask(name, directory.own_question().with(Ask::Status)).await;
        if answer.as_ref().is_some_and(|reply| reply.code.is_ok()) {
            return false;
        }
    }
}

fn start(
    directory: &Directory,
    specs: &BTreeMap<Arc<str>, Spec>,
    name: Arc<str>,
    events: mpsc::UnboundedSender<Event>,
) {
    let (directory, spec) = (directory.clone(), specs.get(&name).cloned());
    actix_rt::spawn(async move {
        if let Some(spec) = spec {
            // Its actor tells why where it cannot be.
            let how = StartAsk { wait: true, ..StartAsk::default() };
            let _ = directory.start(spec, how, &directory.own_question()).await;
        }
        let _ = events.send(Event::Returned(name));
    });
}

impl Directory {
    /// Makes a question that is the daemon's own.
    fn own_question(&self) -> Question {
        let nobody = Client::of_this_daemon("lvmlockd");
        Question { ticket: self.environment.tickets.next(), client: Arc::new(nobody), lock_type: None }
    }
}
