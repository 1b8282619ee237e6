//! The threads on which devices are read.
//!
//! A read of a disk that does not answer does not end, and nothing can end it. So reads have threads of their own, not
//! those of the runtime; one that is stuck is replaced ([`Pool::replace`]) and ends when its read does. How many may be stuck is the
//! plan's business ([`LOST`](super::plan::LOST)).

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a thread needs to read and to parse: config text nests to a bounded depth.
const STACK_BYTES: usize = 512 * 1024;

/// It waits, or a thread is at it.
const UNDER_WAY: u8 = 0;
/// The thread that is at it has been replaced.
const REPLACED: u8 = 1;
/// It has come to its end.
const DONE: u8 = 2;

/// A job that was given to the pool.
#[derive(Debug)]
pub struct Ticket(Arc<AtomicU8>);

struct Job {
    work: Box<dyn FnOnce() + Send>,
    state: Arc<AtomicU8>,
}

/// The threads. They end when the pool is dropped, each after its own job.
#[derive(Debug)]
pub struct Pool {
    jobs: Sender<Job>,
    receiver: Arc<Mutex<Receiver<Job>>>,
}

impl Pool {
    /// Starts so many threads.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(threads: usize) -> io::Result<Self> {
        let (jobs, receiver) = channel();
        let pool = Self { jobs, receiver: Arc::new(Mutex::new(receiver)) };
        (0..threads).try_for_each(|_| pool.add())?;
        Ok(pool)
    }

    /// Has a job done, as soon as a thread is free.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) -> Ticket {
        let state = Arc::new(AtomicU8::new(UNDER_WAY));
        // The other end is as old as this one.
        let _ = self.jobs.send(Job { work: Box::new(work), state: Arc::clone(&state) });
        Ticket(state)
    }

    /// Starts a thread in place of one that is stuck with a job, and ends when that job does.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn replace(&self, stuck: &Ticket) -> io::Result<()> {
        let changed = stuck.0.compare_exchange(UNDER_WAY, REPLACED, Ordering::AcqRel, Ordering::Acquire);
        if changed.is_ok() { self.add() } else { Ok(()) }
    }

    fn add(&self) -> io::Result<()> {
        let jobs = Arc::clone(&self.receiver);
        let builder = thread::Builder::new().name("pv-reader".to_owned()).stack_size(STACK_BYTES);
        builder.spawn(move || work(&jobs)).map(drop)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { work, state }) = job else { return };
        work();
        if state.swap(DONE, Ordering::AcqRel) == REPLACED {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_job_that_is_stuck_holds_up_no_other() {
        let pool = Pool::start(1).unwrap();
        let (release, stuck) = channel::<()>();
        let (done, results) = channel();
        let ticket = pool.run(move || {
            let _ = stuck.recv();
        });
        pool.replace(&ticket).unwrap();
        pool.replace(&ticket).unwrap();
        for number in 0..10 {
            let done = done.clone();
            pool.run(move || done.send(number).unwrap());
        }
        let wait = Duration::from_secs(30);
        assert_eq!(
            (0..10).map(|_| results.recv_timeout(wait).unwrap()).collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        release.send(()).unwrap();
        pool.run(move || done.send(10).unwrap());
        assert_eq!(results.recv_timeout(wait), Ok(10));
    }
}
