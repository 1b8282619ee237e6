//! Processes that exist in a test's script only.
//!
//! The test holds a [`FakeProcesses`] and gives clones of it to the actors. It decides what the next spawn returns,
//! ends processes when it likes, puts strangers into the process table, and sees every command and signal. Nothing
//! here uses I/O or time, so all of it works on a paused clock.
//!
//! What is like the real thing: a handle may be dropped and the process adopted again; an ended child keeps its exit
//! until somebody waits for it and is gone after that; SIGKILL ends any process; a stranger that ends is gone at once.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use tokio::sync::watch;

use super::{
    AdoptError, Blocked, BootId, BoxFuture, Command, FoundProcess, Process, ProcessExit, ProcessIdentity,
    Processes, ScanError, ScanFilter, Signal, SignalError, SpawnError,
};

/// A process table of scripted processes. Clones are the same table.
#[derive(Clone, Default)]
pub struct FakeProcesses {
    table: Arc<Table>,
}

/// One process that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spawned {
    /// Which process it became.
    pub identity: ProcessIdentity,
    /// What was asked for.
    pub command: Command,
}

impl FakeProcesses {
    /// Returns an empty table; every spawn succeeds until told otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next spawn fail with this errno: [`SpawnError::Fork`] for EAGAIN, [`SpawnError::Exec`] for others.
    /// Several are used up in order.
    pub fn refuse_spawn(&self, errno: Errno) {
        self.lock().refusals.push_back(errno);
    }

    /// Makes the next adoption fail with this errno, as [`AdoptError::Io`]. Several are used up in order.
    pub fn refuse_adoption(&self, errno: Errno) {
        self.lock().refused_adoptions.push_back(errno);
    }

    /// Makes every process that is started from now on ignore SIGTERM (`None`) or end with `exit` on it. At first they
    /// end with [`ProcessExit::Signal`] 15.
    pub fn on_terminate(&self, exit: Option<ProcessExit>) {
        self.lock().on_terminate = exit;
    }

    /// Puts a running process into the table that somebody else started. It can be found and adopted.
    pub fn add_stranger(&self, found: FoundProcess) {
        let mut state = self.lock();
        let identity = found.identity.clone();
        let on_terminate = state.on_terminate;
        state.entries.insert(identity.pid, Entry::new(identity, on_terminate, Origin::Stranger(found)));
    }

    /// Returns an identity that is not in the table, for a stranger or for one that is gone.
    pub fn unused_identity(&self) -> ProcessIdentity {
        self.lock().next_identity()
    }

    /// Ends the process that has `pid`.
    ///
    /// # Panics
    /// When no running process has that pid.
    #[track_caller]
    pub fn end(&self, pid: u32, exit: ProcessExit) {
        let mut state = self.lock();
        let entry = state.entries.get_mut(&pid).expect("no process has this pid");
        assert!(entry.is_running(), "process {pid} has ended already");
        entry.end(exit);
    }

    /// Makes the process that has `pid` wait for time to pass, or go on.
    ///
    /// # Panics
    /// When no process has that pid.
    #[track_caller]
    pub fn set_asleep(&self, pid: u32, is_asleep: bool) {
        self.lock().entries.get_mut(&pid).expect("no process has this pid").is_asleep = is_asleep;
    }

    /// Has a process wait in the kernel, or not any more.
    ///
    /// # Panics
    /// When no process has that pid.
    #[track_caller]
    pub fn set_blocked(&self, pid: u32, blocked: Option<Blocked>) {
        self.lock().entries.get_mut(&pid).expect("no process has this pid").blocked = blocked;
    }

    /// Returns every process started so far, in order.
    pub fn spawned(&self) -> Vec<Spawned> {
        self.lock().spawned.clone()
    }

    /// Waits until `count` processes have been started, and returns all of them in order.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn spawned_at_least(&self, count: usize) -> Vec<Spawned> {
        let mut counts = self.table.spawn_count.subscribe();
        counts.wait_for(|reached| *reached >= count).await.expect("the table holds the sender");
        self.spawned()
    }

    /// Returns the signals sent to `pid`, in order.
    pub fn signals(&self, pid: u32) -> Vec<Signal> {
        self.lock().entries.get(&pid).map(|entry| entry.signals.clone()).unwrap_or_default()
    }

    /// Returns the pids of the processes that have not ended, in order.
    pub fn running(&self) -> Vec<u32> {
        self.lock().entries.iter().filter(|(_, entry)| entry.is_running()).map(|(pid, _)| *pid).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.table.lock()
    }

    fn start(&self, command: Command) -> Result<Box<dyn Process>, SpawnError> {
        let mut state = self.lock();
        if let Some(errno) = state.refusals.pop_front() {
            let (program, source) = (command.program, io::Error::from(errno));
            return Err(match errno {
                Errno::AGAIN => SpawnError::Fork { program, source },
                _ => SpawnError::Exec { program, source },
            });
        }
        let identity = state.next_identity();
        let entry = Entry::new(identity.clone(), state.on_terminate, Origin::Child(command.clone()));
        let handle = self.handle(&entry);
        state.entries.insert(identity.pid, entry);
        state.spawned.push(Spawned { identity, command });
        self.table.spawn_count.send_replace(state.spawned.len());
        Ok(handle)
    }

    fn take_over(&self, wanted: ProcessIdentity) -> Result<Box<dyn Process>, AdoptError> {
        let mut state = self.lock();
        if let Some(errno) = state.refused_adoptions.pop_front() {
            return Err(AdoptError::Io { identity: wanted, source: errno.into() });
        }
        match state.entries.get(&wanted.pid) {
            Some(entry) if entry.identity != wanted => {
                Err(AdoptError::Stranger { wanted, found: entry.identity.clone() })
            }
            Some(entry) if entry.exists() => Ok(self.handle(entry)),
            _ => Err(AdoptError::Gone { identity: wanted }),
        }
    }

    fn list(&self, wanted: &ScanFilter) -> Vec<FoundProcess> {
        let state = self.lock();
        let running = state.entries.values().filter(|entry| entry.is_running());
        running.map(Entry::as_found).filter(|found| wanted(&found.command_line)).collect()
    }

    fn handle(&self, entry: &Entry) -> Box<dyn Process> {
        let table = Arc::clone(&self.table);
        Box::new(FakeProcess { identity: entry.identity.clone(), exit: entry.exit.subscribe(), table })
    }
}

impl Processes for FakeProcesses {
    fn spawn(&self, command: Command) -> BoxFuture<'static, Result<Box<dyn Process>, SpawnError>> {
        let this = self.clone();
        Box::pin(async move { this.start(command) })
    }

    fn adopt(&self, identity: ProcessIdentity) -> BoxFuture<'static, Result<Box<dyn Process>, AdoptError>> {
        let this = self.clone();
        Box::pin(async move { this.take_over(identity) })
    }

    fn scan(&self, wanted: ScanFilter) -> BoxFuture<'static, Result<Vec<FoundProcess>, ScanError>> {
        let this = self.clone();
        Box::pin(async move { Ok(this.list(&wanted)) })
    }
}

struct Table {
    state: Mutex<State>,
    spawn_count: watch::Sender<usize>,
}

impl Default for Table {
    fn default() -> Self {
        Self { state: Mutex::new(State::default()), spawn_count: watch::Sender::new(0) }
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    entries: BTreeMap<u32, Entry>,
    spawned: Vec<Spawned>,
    refusals: VecDeque<Errno>,
    refused_adoptions: VecDeque<Errno>,
    on_terminate: Option<ProcessExit>,
    identities_given: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            spawned: Vec::new(),
            refusals: VecDeque::new(),
            refused_adoptions: VecDeque::new(),
            on_terminate: Some(ProcessExit::Signal(Signal::TERM.as_raw())),
            identities_given: 0,
        }
    }
}

impl State {
    fn next_identity(&mut self) -> ProcessIdentity {
        self.identities_given += 1;
        ProcessIdentity {
            pid: 1000 + self.identities_given,
            start_time_ticks: 100 * u64::from(self.identities_given),
            boot_id: BootId::of_a_test("this boot"),
        }
    }
}

enum Origin {
    Child(Command),
    Stranger(FoundProcess),
}

struct Entry {
    identity: ProcessIdentity,
    origin: Origin,
    on_terminate: Option<ProcessExit>,
    exit: watch::Sender<Option<ProcessExit>>,
    is_reaped: bool,
    is_asleep: bool,
    blocked: Option<Blocked>,
    signals: Vec<Signal>,
}

impl Entry {
    fn new(identity: ProcessIdentity, on_terminate: Option<ProcessExit>, origin: Origin) -> Self {
        let exit = watch::Sender::new(None);
        Self {
            identity,
            origin,
            on_terminate,
            exit,
            is_reaped: false,
            is_asleep: false,
            blocked: None,
            signals: Vec::new(),
        }
    }

    fn is_running(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Running, or a child that has ended and keeps its exit.
    fn exists(&self) -> bool {
        self.is_running() || !self.is_reaped
    }

    fn end(&mut self, exit: ProcessExit) {
        self.exit.send_replace(Some(exit));
        // Its own parent, whoever that is, does not let it lie about.
        self.is_reaped = matches!(self.origin, Origin::Stranger(_));
    }

    fn as_found(&self) -> FoundProcess {
        match &self.origin {
            Origin::Stranger(found) => found.clone(),
            Origin::Child(command) => FoundProcess {
                parent: std::process::id(),
                environment: command.environment.clone(),
                ..FoundProcess::of_a_test(
                    self.identity.clone(),
                    [command.program.clone().into()].into_iter().chain(command.arguments.clone()).collect(),
                    super::Stdout::RootsOwn(command.stdout.clone()),
                )
            },
        }
    }
}

struct FakeProcess {
    identity: ProcessIdentity,
    exit: watch::Receiver<Option<ProcessExit>>,
    table: Arc<Table>,
}

impl Process for FakeProcess {
    fn identity(&self) -> &ProcessIdentity {
        &self.identity
    }

    fn wait(&self) -> BoxFuture<'static, ProcessExit> {
        let (mut exit, table, pid) = (self.exit.clone(), Arc::clone(&self.table), self.identity.pid);
        Box::pin(async move {
            let ended = exit.wait_for(Option::is_some).await.expect("the table holds the sender");
            let exit = ended.expect("waited for it");
            drop(ended);
            if let Some(entry) = table.lock().entries.get_mut(&pid) {
                entry.is_reaped = true;
            }
            exit
        })
    }

    fn ended(&self) -> BoxFuture<'static, ()> {
        let exit = self.wait();
        Box::pin(async move {
            exit.await;
        })
    }

    fn is_asleep(&self) -> bool {
        self.table.lock().entries.get(&self.identity.pid).is_some_and(|entry| entry.is_asleep)
    }

    fn blocked(&self) -> Option<Blocked> {
        self.table.lock().entries.get(&self.identity.pid)?.blocked.clone()
    }

    fn signal(&self, signal: Signal) -> Result<(), SignalError> {
        let mut state = self.table.lock();
        let entry = state.entries.get_mut(&self.identity.pid).expect("entries are never removed");
        if !entry.exists() {
            return Err(SignalError::Gone { identity: self.identity.clone() });
        }
        entry.signals.push(signal);
        if entry.is_running() {
            match signal {
                Signal::KILL => entry.end(ProcessExit::Signal(signal.as_raw())),
                Signal::TERM => entry.on_terminate.into_iter().for_each(|exit| entry.end(exit)),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
