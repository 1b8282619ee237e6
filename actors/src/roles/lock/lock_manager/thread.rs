//! Makes the calls of one connection, one after the other, on a thread of its own where they may block.
//!
//! The thread belongs to the connection, not to an actor: whoever asks may crash in the middle of a call, and its
//! successor finds here what is held. A call that never returns holds this thread and nobody else. Deadlines are the
//! asker's.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use lvmwarden_protocol::lock::{LockMode, ResultCode};
use tokio::sync::{oneshot, watch};

use super::{Connection, Fault, Renewal, Resource};
use crate::roles::lock::lockspace::event::{Answer, Call, Outcome};

/// Enough for the libraries of the lock managers, which keep what is large elsewhere; there may be hundreds of these.
const STACK_BYTES: usize = 256 * 1024;

/// A connection to a lock manager, as its lockspace uses it. Clones are the same connection.
#[derive(Clone)]
pub struct Calls {
    way: Way,
    held: Arc<Mutex<BTreeMap<Resource, LockMode>>>,
    under_way: watch::Sender<usize>,
}

/// How calls are made.
#[derive(Clone)]
enum Way {
    /// At once: they never block.
    Inline(Arc<Mutex<Box<dyn Connection>>>),
    /// On the connection's thread.
    Thread(mpsc::Sender<Job>),
}

enum Job {
    Call(Call, oneshot::Sender<Answer>),
    Renewal(oneshot::Sender<RenewalAnswer>),
}

type RenewalAnswer = Result<Option<Renewal>, Fault>;

/// What has come of a call so far.
pub enum Called {
    /// It is answered.
    Now(Answer),
    /// It will be; not at all if the thread dies.
    Later(oneshot::Receiver<Answer>),
}

impl Calls {
    /// Makes calls at once, for a connection that never blocks.
    pub fn inline(connection: Box<dyn Connection>) -> Self {
        Self::by(Way::Inline(Arc::new(Mutex::new(connection))))
    }

    /// Starts a thread for a connection; its name ends in `name`, as far as there is room.
    ///
    /// The thread ends when it has nothing more to do and nobody can ask any more.
    ///
    /// # Errors
    /// There are too many threads.
    pub fn on_thread(name: &str, connection: Box<dyn Connection>) -> io::Result<Self> {
        let (to_thread, jobs) = mpsc::channel();
        let calls = Self::by(Way::Thread(to_thread));
        let (held, under_way) = (Arc::clone(&calls.held), calls.under_way.clone());
        thread::Builder::new().name(format!("lk-{name}")).stack_size(STACK_BYTES).spawn(move || {
            let mut connection = connection;
            for job in jobs {
                perform_job(&mut *connection, job, &held);
                under_way.send_modify(|count| *count -= 1);
            }
        })?;
        Ok(calls)
    }

    fn by(way: Way) -> Self {
        Self { way, held: Arc::default(), under_way: watch::Sender::new(0) }
    }

    /// Makes a call, behind those that were made before.
    pub fn submit(&self, call: Call) -> Called {
        match &self.way {
            Way::Inline(connection) => {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                Called::Now(perform(&mut **connection, &call, &self.held))
            }
            Way::Thread(thread) => {
                let (answer, answered) = oneshot::channel();
                self.hand_over(thread, Job::Call(call, answer));
                Called::Later(answered)
            }
        }
    }

    /// Asks how the lease on our host's life is doing, behind the calls that were made before.
    ///
    /// # Errors
    /// It cannot be told.
    ///
    /// # Cancel safety
    /// Cancel-safe: nothing is changed.
    pub async fn renewal(&self) -> RenewalAnswer {
        match &self.way {
            Way::Inline(connection) => connection.lock().unwrap_or_else(PoisonError::into_inner).renewal(),
            Way::Thread(thread) => {
                let (answer, answered) = oneshot::channel();
                self.hand_over(thread, Job::Renewal(answer));
                answered.await.unwrap_or_else(|_dead| Err(dead_thread()))
            }
        }
    }

    fn hand_over(&self, thread: &mpsc::Sender<Job>, job: Job) {
        self.under_way.send_modify(|count| *count += 1);
        if thread.send(job).is_err() {
            self.under_way.send_modify(|count| *count -= 1);
        }
    }

    /// Waits until no call is under way.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn settled(&self) {
        let mut under_way = self.under_way.subscribe();
        // The sender lives as long as `self`.
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    /// Returns how many calls are under way.
    pub fn under_way(&self) -> usize {
        *self.under_way.borrow()
    }

    /// Returns what the connection holds, by resource.
    pub fn held(&self) -> BTreeMap<Resource, LockMode> {
        lock(&self.held).clone()
    }
}

/// Says that the thread of a connection is gone, or has panicked in a call.
pub fn dead_thread() -> Fault {
    Fault::new(ResultCode::LOCK_MANAGER, "call the lock manager: the connection's thread has crashed")
}

fn perform_job(connection: &mut dyn Connection, job: Job, held: &Mutex<BTreeMap<Resource, LockMode>>) {
    match job {
        Job::Call(call, answer) => {
            let done = catch_unwind(AssertUnwindSafe(|| perform(connection, &call, held)));
            // Nobody may be waiting any more: what is held is in the book.
            let _ = answer.send(done.unwrap_or_else(|_panic| Err(dead_thread())));
        }
        Job::Renewal(answer) => {
            let told = catch_unwind(AssertUnwindSafe(|| connection.renewal()));
            let _ = answer.send(told.unwrap_or_else(|_panic| Err(dead_thread())));
        }
    }
}

/// Makes one call, and keeps the book of what is held.
fn perform(
    connection: &mut dyn Connection,
    call: &Call,
    held: &Mutex<BTreeMap<Resource, LockMode>>,
) -> Answer {
    let outcome = match call {
        Call::Prepare { repair } => connection.prepare(*repair).map(Outcome::Prepared),
        Call::Join { adopt, nodelay } => connection.join(*adopt, *nodelay).map(Outcome::Joined),
        Call::Leave(how) => connection.leave(*how).map(|()| Outcome::Done),
        Call::Acquire(resource, mode, how) => connection.acquire(resource, *mode, how).map(Outcome::Acquired),
        Call::Convert(resource, mode, write) => {
            connection.convert(resource, *mode, *write).map(|()| Outcome::Done)
        }
        Call::Release { resource, write, free } => {
            connection.release(resource, *write, *free).map(|()| Outcome::Done)
        }
        Call::OtherHosts => connection.other_hosts().map(Outcome::Hosts),
        Call::Orphans => connection.orphans().map(Outcome::Orphans),
        Call::DropOrphans => connection.drop_orphans().map(|()| Outcome::Done),
        Call::FindFreeLock { size_bytes } => connection.find_free_lock(*size_bytes).map(|()| Outcome::Done),
        Call::InitLv(request) => connection.init_lv(request).map(Outcome::Args),
        Call::FreeLv { uuid, args } => connection.free_lv(*uuid, args).map(|()| Outcome::Done),
        Call::ReadGlobal => connection.read_global().map(Outcome::Global),
        Call::WriteGlobal { enabled } => connection.write_global(*enabled).map(|()| Outcome::Done),
    }?;
    let mut held = lock(held);
    match call {
        Call::Acquire(resource, mode, _) | Call::Convert(resource, mode, _) => {
            held.insert(resource.clone(), *mode);
        }
        Call::Release { resource, .. } => {
            held.remove(resource);
        }
        Call::Leave(_) => held.clear(),
        Call::Prepare { .. }
        | Call::Join { .. }
        | Call::OtherHosts
        | Call::Orphans
        | Call::DropOrphans
        | Call::FindFreeLock { .. }
        | Call::InitLv(_)
        | Call::FreeLv { .. }
        | Call::ReadGlobal
        | Call::WriteGlobal { .. } => {}
    }
    Ok(outcome)
}

fn lock(held: &Mutex<BTreeMap<Resource, LockMode>>) -> MutexGuard<'_, BTreeMap<Resource, LockMode>> {
    // Nothing that is done under the lock leaves the map half changed.
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
