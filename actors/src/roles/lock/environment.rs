//! What all lockspaces of a daemon, and the sessions of its clients, share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lvmwarden_protocol::command_line::CommandLine;
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::{LockType, ResultCode};
use lvmwarden_supervisor::process::{ProcessIdentity, Processes};
use rustix::fs::{Access, access};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::adopt_file::AdoptFile;
use super::global::GlobalRules;
use super::host_id::HostId;
use super::lock_manager::thread::Calls;
use super::lock_manager::{Fault, LockManager, Site};
use crate::foundation::activity::Activity;
use crate::foundation::facts::events::Events;
use crate::foundation::kernel::ActiveLvs;
use crate::foundation::moment::Moment;
use crate::roles::lock::lockspace::ask::{Client, ClientId, Ticket};
use crate::roles::lock::lockspace::book::{Booked, LockBook};
use crate::roles::lock::lockspace::event::Spec;
use crate::roles::lock::lockspace::state::Standing;

/// How long the disk of the kill program may take.
const KILL_PROGRAM_DEADLINE: Duration = Duration::from_secs(2);

/// What all lockspaces of a daemon share.
pub struct LockEnvironment {
    /// The lock managers that there can be.
    pub managers: Managers,
    /// Our host id where a client does not say one (sanlock).
    pub host_id: HostId,
    /// How long a request waits for clients of the same host; `None`: for ever, as with the C daemon.
    pub local_wait: Option<Duration>,
    /// What is remembered in memory, for actors that start again.
    pub book: Book,
    /// The lockspaces of an earlier life that were not taken over yet.
    pub unsettled: Unsettled,
    /// Where locks of LVs are remembered beyond the daemon's life.
    pub memory: Memory,
    /// The connections of lockspaces; they outlive a crash of the actor.
    pub connections: Connections,
    /// Which lockspace serves the global lock.
    pub global: Global,
    /// Who is connected.
    pub clients: Clients,
    /// What sanlock runs when the leases of a VG are lost.
    pub kill_program: KillProgram,
    /// How lvm is run to start a lockspace; nowhere but in the service.
    pub starter: Option<Starter>,
    /// Who may begin anything while the daemon is about to end.
    pub requests: Requests,
    /// Tells which LVs are active.
    pub devices: Arc<dyn ActiveLvs>,
    /// Who needs the daemon.
    pub activity: Activity,
    /// Is told what happens to lockspaces.
    pub events: Events,
    /// When the daemon started: the origin of every [`Moment`].
    pub started: Instant,
    /// Numbers the requests.
    pub tickets: Tickets,
}

impl LockEnvironment {
    /// Returns the time since the daemon started.
    pub fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// Returns the instant of a moment.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.started + moment
    }
}

/// The program that sanlock runs when the leases of a VG are lost.
#[derive(Debug, Clone)]
pub struct KillProgram(pub PathBuf);

impl KillProgram {
    /// Returns why it cannot be run, for people; looks at the disk.
    pub async fn problem(&self) -> Option<String> {
        let path = self.0.clone();
        let looked = spawn_blocking(move || access(&path, Access::EXEC_OK));
        let problem = match timeout(KILL_PROGRAM_DEADLINE, looked).await {
            Ok(Ok(Ok(()))) => return None,
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(_panicked)) => "nobody could look".to_owned(),
            Err(_late) => "its disk does not answer".to_owned(),
        };
        Some(format!("{} cannot be executed: {problem}", self.0.display()))
    }
}

/// How lvm is run to start a lockspace.
pub struct Starter {
    /// The lvm binary.
    pub binary: PathBuf,
    /// Where its output goes.
    pub output_dir: PathBuf,
    /// The directory in which it is started; `None`: our own.
    pub directory: Option<PathBuf>,
    /// Its environment.
    pub inherited: BTreeMap<OsString, OsString>,
    /// Starts it.
    pub processes: Arc<dyn Processes>,
}

/// Where locks of LVs are remembered beyond the daemon's life.
#[derive(Default)]
pub struct Memory {
    /// The journal remembers them.
    pub journal: bool,
    /// What an earlier life has left behind is taken over.
    pub adopts: bool,
    /// A file in the C daemon's format does.
    pub adopt_file: Option<AdoptFile>,
}

/// The lock managers that there can be.
pub struct Managers {
    by_type: BTreeMap<LockType, Arc<dyn LockManager>>,
    /// They never block, and need no threads.
    inline: bool,
}

impl Managers {
    /// Makes the set of these; `inline` when none of them ever blocks.
    pub fn new(managers: impl IntoIterator<Item = Arc<dyn LockManager>>, inline: bool) -> Self {
        let by_type = managers.into_iter().map(|manager| (manager.lock_type(), manager)).collect();
        Self { by_type, inline }
    }

    /// Returns the manager of this type.
    pub fn get(&self, lock_type: LockType) -> Option<&Arc<dyn LockManager>> {
        self.by_type.get(&lock_type)
    }

    /// Returns all of them, in the order in which lvmlockd looks for a running one.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn LockManager>> {
        self.by_type.values()
    }

    /// Returns whether a call of them never blocks.
    pub fn is_inline(&self) -> bool {
        self.inline
    }
}

/// The connections of lockspaces, by the lockspace's name.
#[derive(Default)]
pub struct Connections(Mutex<HashMap<Arc<str>, Opened>>);

/// A connection, and how far its lockspace is.
#[derive(Clone)]
pub struct Opened {
    /// The connection.
    pub calls: Calls,
    /// What the last actor knew beside the locks; `None`: there was none yet.
    standing: Arc<Mutex<Option<Standing>>>,
}

impl Opened {
    /// Returns what the last actor knew.
    pub fn standing(&self) -> Option<Standing> {
        *lock(&self.standing)
    }

    /// Takes in what has to be known when the actor starts again.
    pub fn stands(&self, standing: Standing) {
        *lock(&self.standing) = Some(standing);
    }
}

impl Connections {
    /// Makes the connection of a lockspace, unless there is one.
    ///
    /// # Errors
    /// There is no such lock manager, its library is absent, or the lockspace's arguments make no sense.
    pub fn open(&self, spec: &Spec, managers: &Managers) -> Result<(), Fault> {
        if lock(&self.0).contains_key(&spec.name) {
            return Ok(());
        }
        let Some(manager) = managers.get(spec.lock_type) else {
            let text = format!("start {}: lock type {} is not served here", spec.name, spec.lock_type);
            return Err(Fault::new(ResultCode::NOT_SUPPORTED, text));
        };
        let site = Site { vg: spec.vg.clone(), args: Arc::clone(&spec.args), host_id: spec.host_id };
        let connection = manager.connect(&site)?;
        let calls = if managers.is_inline() {
            Calls::inline(connection)
        } else {
            let name = spec.vg.as_ref().map_or("global", VgName::as_str);
            Calls::on_thread(name, connection).map_err(|error| {
                Fault::new(ResultCode::LOCK_MANAGER, format!("start a thread for {}: {error}", spec.name))
            })?
        };
        lock(&self.0).entry(Arc::clone(&spec.name)).or_insert(Opened { calls, standing: Arc::default() });
        Ok(())
    }

    /// Returns the connection of a lockspace.
    pub fn get(&self, lockspace: &str) -> Option<Opened> {
        lock(&self.0).get(lockspace).cloned()
    }

    /// Forgets the connection of a lockspace that was left; it is closed when its last call is over.
    pub fn close(&self, lockspace: &str) {
        lock(&self.0).remove(lockspace);
    }
}

/// What is remembered in memory.
#[derive(Default)]
pub struct Book(Mutex<LockBook>);

impl Book {
    /// Returns the book, for a moment.
    pub fn open(&self) -> MutexGuard<'_, LockBook> {
        lock(&self.0)
    }
}

/// The lockspaces of an earlier life, as far as they were not taken over yet: what is remembered of them stays, whatever fails.
#[derive(Default)]
pub struct Unsettled(Mutex<BTreeSet<String>>);

impl Unsettled {
    /// Takes one in.
    pub fn insert(&self, lockspace: &str) {
        lock(&self.0).insert(lockspace.to_owned());
    }

    /// Takes one off: it was taken over, or the lock manager does not have it any more.
    pub fn remove(&self, lockspace: &str) {
        lock(&self.0).remove(lockspace);
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    /// Returns what is remembered of one, if it is one of these.
    pub fn get(&self, lockspace: &str, book: &Book) -> Option<Booked> {
        lock(&self.0).get(lockspace).and_then(|name| book.open().get(name).cloned())
    }

    /// Returns what is remembered of all.
    pub fn all(&self, book: &Book) -> Vec<Booked> {
        lock(&self.0).iter().filter_map(|name| book.open().get(name).cloned()).collect()
    }
}

/// Which lockspace serves the global lock.
pub struct Global(Mutex<GlobalRules>);

impl Global {
    /// Starts with these rules.
    pub fn new(rules: GlobalRules) -> Self {
        Self(Mutex::new(rules))
    }

    /// Returns the rules, for a moment.
    pub fn rules(&self) -> MutexGuard<'_, GlobalRules> {
        lock(&self.0)
    }
}

/// The requests that are being answered, and the end of the daemon, which begins none beside it.
///
/// Requests share it; an end has it alone. Who comes while an end waits for it, or has it, waits.
#[derive(Default)]
pub struct Requests(Arc<RwLock<()>>);

impl Requests {
    /// Waits until a request may be answered; it is under way until the value is dropped.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn begin(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.0).read_owned().await
    }

    /// Waits until no request is under way; none begins until the value is dropped.
    ///
    /// # Cancel safety
    /// Cancel-safe: those that wait go on.
    pub async fn end(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.0).write_owned().await
    }
}

/// Numbers the requests of all clients.
#[derive(Default)]
pub struct Tickets(AtomicU64);

impl Tickets {
    /// Returns the next number.
    pub fn next(&self) -> Ticket {
        Ticket(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Who is connected, by number.
#[derive(Default)]
pub struct Clients {
    last: AtomicU32,
    connected: Mutex<BTreeMap<ClientId, Arc<Client>>>,
}

impl Clients {
    /// Takes a connection in: the process `pid` is at its other end, 0 where that is not known, and `process` as far as the
    /// kernel tells.
    pub fn enter(&self, pid: u32, process: Option<ProcessIdentity>) -> Arc<Client> {
        let mut connected = lock(&self.connected);
        // 0 stands for nobody; after 2^32 connections, numbers that are still in use are passed over.
        let id = loop {
            let id = ClientId(self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
            if id.0 != 0 && !connected.contains_key(&id) {
                break id;
            }
        };
        let client = Arc::new(Client { id, pid, process, name: Arc::from("") });
        connected.insert(id, Arc::clone(&client));
        client
    }

    /// Numbers the connections of this life from behind `last` of an earlier one, whose clients keep their numbers.
    pub fn continue_after(&self, last: u32) {
        self.last.fetch_max(last, Ordering::Relaxed);
    }

    /// Takes somebody in who had asked an earlier life, and has no connection any more.
    pub fn enter_again(&self, client: Arc<Client>) {
        lock(&self.connected).insert(client.id, client);
    }

    /// Returns whoever has no connection but lives, and is this process.
    pub fn of_process(&self, process: &ProcessIdentity) -> Option<Arc<Client>> {
        lock(&self.connected).values().find(|client| client.process.as_ref() == Some(process)).cloned()
    }

    /// Returns a connected client, with the name that it has by now.
    pub fn get(&self, id: ClientId) -> Option<Arc<Client>> {
        lock(&self.connected).get(&id).cloned()
    }

    /// Gives a connection the name that its first request says, or as much of it as is kept.
    pub fn name(&self, id: ClientId, name: &str) -> Option<Arc<Client>> {
        let name = Arc::from(&*CommandLine::from(name));
        let mut connected = lock(&self.connected);
        let client = connected.get_mut(&id)?;
        *client = Arc::new(Client { name, ..(**client).clone() });
        Some(Arc::clone(client))
    }

    /// Lets a connection go.
    pub fn leave(&self, id: ClientId) {
        lock(&self.connected).remove(&id);
    }

    /// Returns all, by number.
    pub fn all(&self) -> Vec<Arc<Client>> {
        lock(&self.connected).values().cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under one of these locks leaves what it guards half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
