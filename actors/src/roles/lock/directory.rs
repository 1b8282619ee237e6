//! The way to the lockspaces of a daemon: finds and starts their actors, and answers what concerns more than one.

mod close;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::{LockType, ResultCode};
use lvmwarden_supervisor::{
    AskError, ChildSpec, Name, Registry, Resolution, RestartType, Shutdown, StartChild, StartChildError,
    Supervisor,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::environment::LockEnvironment;
use super::gauges::LockCounts;
use super::global::GLOBAL_LOCKSPACE as GLOBAL;
use super::lock_manager::{Adopt, Fault};
use super::recovery;
use crate::foundation::names;
use crate::roles::lock::lockspace::actor::{LockspaceActor, Origin};
use crate::roles::lock::lockspace::ask::{Ask, Asked, Client, ClientId, Reply, StartAsk, StopRule, Ticket};
use crate::roles::lock::lockspace::event::Spec;
use crate::roles::lock::lockspace::messages::{AskLockspace, ClientLeft, Count, Describe, Undelivered};
use crate::roles::lock::lockspace::picture::{LockspacePicture, Stage};
pub use close::Closed;

/// What every lockspace's name begins with.
pub const PREFIX: &str = "lvm_";
/// How much of a lockspace's name sanlock keeps.
const SANLOCK_NAME_BYTES: usize = 48;
/// How long a lockspace's name may be in dlm.
const DLM_NAME_BYTES: usize = 64;
/// How long an actor may take to describe itself.
const DESCRIBE_DEADLINE: Duration = Duration::from_secs(10);
/// How long an actor may take to count what it has.
const COUNT_DEADLINE: Duration = Duration::from_secs(1);
/// How long the tree may take to start an actor.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// A client waits for others of its host as long as it likes: what ends that wait is the lockspace's own limit.
const AS_LONG_AS_IT_TAKES: Duration = Duration::from_hours(24 * 365);
/// How often those who wait for all lockspaces look again.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// What a job of the lock manager's that belongs to no lockspace may take.
const JOB_DEADLINE: Duration = Duration::from_mins(10);
/// How long an actor has to end.
const STOP_DEADLINE: Duration = Duration::from_millis(500);

/// The way to the lockspaces of a daemon.
#[derive(Clone)]
pub struct Directory {
    registry: Registry,
    environment: Arc<LockEnvironment>,
}

/// What a client asks, before it is known which lockspace it is for.
#[derive(Debug, Clone)]
pub struct Question {
    /// The request's own number.
    pub ticket: Ticket,
    /// Who asks.
    pub client: Arc<Client>,
    /// The lock type the client takes the VG for, where it says one.
    pub lock_type: Option<LockType>,
}

impl Question {
    /// Makes of it a request for one lockspace.
    pub fn with(&self, ask: Ask) -> Asked {
        Asked { ticket: self.ticket, client: Arc::clone(&self.client), lock_type: self.lock_type, ask }
    }
}

/// Returns the name of a VG's lockspace.
pub fn lockspace_of(vg: &VgName) -> String {
    [PREFIX, vg.as_str()].concat()
}

fn name_of(lockspace: &str) -> Name {
    names::LOCKSPACES.child(lockspace)
}

impl Directory {
    /// Makes the directory of the lockspaces below [`names::LOCKSPACES`].
    pub fn new(registry: Registry, environment: Arc<LockEnvironment>) -> Self {
        Self { registry, environment }
    }

    /// Returns what the lockspaces share.
    pub fn environment(&self) -> &Arc<LockEnvironment> {
        &self.environment
    }

    /// Passes a request on to the lockspace of this name; `None` when there is none.
    ///
    /// # Cancel safety
    /// The request goes on to wait in its lockspace until that is told that the client has left.
    pub async fn ask(&self, lockspace: &str, asked: Asked) -> Option<Reply> {
        let name = name_of(lockspace);
        let asked = AskLockspace(asked);
        match self.registry.ask::<LockspaceActor, _>(&name, asked, AS_LONG_AS_IT_TAKES).await {
            Ok(reply) => Some(reply),
            Err(AskError::Unknown(_)) => None,
            Err(AskError::GivenUp { .. } | AskError::Died { .. } | AskError::TimedOut { .. }) => {
                Some(Reply::of(ResultCode::LOCK_MANAGER))
            }
        }
    }

    /// Tells lockspaces that a client has left; waits for nobody.
    pub fn client_left(&self, client: ClientId, lockspaces: &[Arc<str>]) {
        for lockspace in lockspaces {
            self.tell(lockspace, ClientLeft(client));
        }
    }

    /// Tells a lockspace that a reply of its could not be delivered; waits for nobody.
    pub fn undelivered(&self, ticket: Ticket, lockspace: &str) {
        self.tell(lockspace, Undelivered(ticket));
    }

    fn tell<M>(&self, lockspace: &str, message: M)
    where
        M: actix::Message<Result = ()> + Clone + Send + 'static,
        LockspaceActor: actix::Handler<M>,
    {
        let name = name_of(lockspace);
        if matches!(self.registry.resolve::<LockspaceActor>(&name), Resolution::Unknown) {
            return;
        }
        let registry = self.registry.clone();
        // Of its own: it must get there, also when the session that tells it is gone, or the actor is being restarted.
        actix_rt::spawn(async move {
            let _ = registry.ask::<LockspaceActor, _>(&name, message, AS_LONG_AS_IT_TAKES).await;
        });
    }

    /// Starts the lockspace of a VG, and dlm's global one before it.
    ///
    /// Where locks are adopted, one that an earlier life of the daemon has left behind is taken over.
    pub async fn start(&self, spec: Spec, how: StartAsk, question: &Question) -> Reply {
        let how = StartAsk { adopt: self.adoption(how.adopt), ..how };
        if let Some(problem) = self.name_problem(&spec) {
            return Reply::from(problem);
        }
        if spec.lock_type == LockType::Dlm && &*spec.name != GLOBAL {
            let reply = Box::pin(self.start_global(question)).await;
            if !reply.code.is_ok() {
                return reply;
            }
        }
        self.start_one(&spec, how, question).await
    }

    fn adoption(&self, asked: Adopt) -> Adopt {
        if asked == Adopt::No && self.environment.memory.adopts { Adopt::IfThere } else { asked }
    }

    /// Starts dlm's global lockspace, unless it is there.
    pub async fn start_global(&self, question: &Question) -> Reply {
        let spec = Spec {
            name: Arc::from(GLOBAL),
            vg: None,
            vg_uuid: None,
            args: Arc::from(""),
            lock_type: LockType::Dlm,
            host_id: 0,
            local_wait: self.environment.local_wait,
        };
        let how = StartAsk { wait: true, adopt: self.adoption(Adopt::No), ..StartAsk::default() };
        loop {
            let reply = self.start_one(&spec, how, question).await;
            match reply.code {
                ResultCode::EXISTS => return Reply::of(ResultCode::OK),
                // Another client starts it, or it is being stopped.
                ResultCode::STARTING | ResultCode::AGAIN => sleep(LOOK_PERIOD).await,
                _done_or_failed => return reply,
            }
        }
    }

    async fn start_one(&self, spec: &Spec, how: StartAsk, question: &Question) -> Reply {
        loop {
            match self.ask(&spec.name, question.with(Ask::Start(how))).await {
                // It was left a moment ago, and is about to be taken off the tree.
                Some(reply) if reply.code == ResultCode::NO_LOCKSPACE => {
                    sleep(LOOK_PERIOD).await;
                    continue;
                }
                Some(reply) => return reply,
                None => {}
            }
            // One that an earlier life has left behind, and that could not be taken over yet.
            let earlier = self.environment.unsettled.get(&spec.name, &self.environment.book);
            let started = match earlier {
                Some(booked) => recovery::take_over(self, &booked, spec.clone()).await,
                None => self.start_actor(spec.clone(), Origin::Client).await,
            };
            if let Err(fault) = started {
                return Reply::from(fault);
            }
        }
    }

    /// Starts the actor of a lockspace, unless it is there.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn start_actor(&self, spec: Spec, origin: Origin) -> Result<(), Fault> {
        self.environment.connections.open(&spec, &self.environment.managers)?;
        let start = StartChild(child(spec, origin, Arc::clone(&self.environment)));
        let refused = |error: String| Err(Fault::new(ResultCode::LOCK_MANAGER, error));
        match self.registry.ask::<Supervisor, _>(&names::LOCKSPACES, start, START_DEADLINE).await {
            Ok(Ok(_) | Err(StartChildError::AlreadyStarted(_))) => Ok(()),
            Ok(Err(error)) => refused(error.to_string()),
            Err(error) => refused(error.to_string()),
        }
    }

    /// Says why a lockspace cannot have its name: others would take it for another VG's.
    fn name_problem(&self, spec: &Spec) -> Option<Fault> {
        let bad_args = |text: String| Some(Fault::new(ResultCode::BAD_ARGS, text));
        let name: &str = &spec.name;
        if name.len() > DLM_NAME_BYTES {
            return bad_args(format!("start {name}: the VG's name is too long for a lockspace"));
        }
        if spec.lock_type != LockType::Sanlock || name.len() < SANLOCK_NAME_BYTES {
            return None;
        }
        let on_disk = |name: &str| name.as_bytes()[..name.len().min(SANLOCK_NAME_BYTES)].to_vec();
        let others = self.lockspaces().into_iter().filter(|other| other != name);
        for other in others {
            if on_disk(&other) == on_disk(name) {
                return bad_args(format!("start {name}: sanlock would take it for {other}"));
            }
        }
        None
    }

    /// Returns the names of all lockspaces, in alphabetical order.
    pub fn lockspaces(&self) -> Vec<String> {
        let names = self.registry.names_under(&names::LOCKSPACES);
        names.iter().map(Name::last).map(str::to_owned).collect()
    }

    /// Describes all lockspaces, by name; one that does not answer is left out.
    pub async fn describe(&self) -> Vec<LockspacePicture> {
        let mut pictures = Vec::new();
        for name in self.registry.names_under(&names::LOCKSPACES) {
            let described = self.registry.ask::<LockspaceActor, _>(&name, Describe, DESCRIBE_DEADLINE).await;
            pictures.extend(described.ok().map(|picture| *picture));
        }
        pictures
    }

    /// Counts what all lockspaces have, by name; one that does not answer by this time counts as such.
    pub async fn count(&self, within: Duration) -> LockCounts {
        let deadline = Instant::now() + within;
        let left_behind = self.environment.unsettled.len();
        let mut counts = LockCounts { left_behind, ..LockCounts::default() };
        for name in self.registry.names_under(&names::LOCKSPACES) {
            // One that hangs leaves time for the others.
            let left = deadline.saturating_duration_since(Instant::now()).min(COUNT_DEADLINE);
            match self.registry.ask::<LockspaceActor, _>(&name, Count, left).await {
                Ok(lockspace) => counts.lockspaces.push(*lockspace),
                // It was left a moment ago.
                Err(AskError::Unknown(_)) => {}
                Err(AskError::GivenUp { .. } | AskError::Died { .. } | AskError::TimedOut { .. }) => {
                    counts.not_answering += 1;
                }
            }
        }
        counts
    }

    /// Returns the VGs whose leases are lost while locks are held in them, by name.
    pub async fn being_killed(&self) -> Vec<String> {
        let (pictures, now) = (self.describe().await, self.environment.now());
        let killed = pictures.iter().filter(|picture| picture.is_being_killed(now));
        killed
            .map(|picture| picture.spec.vg.as_ref().map_or(&*picture.spec.name, VgName::as_str).to_owned())
            .collect()
    }

    /// Describes the lockspace of this name; `None` where there is none, or it does not answer.
    pub async fn describe_one(&self, lockspace: &str) -> Option<LockspacePicture> {
        let name = name_of(lockspace);
        let described = self.registry.ask::<LockspaceActor, _>(&name, Describe, DESCRIBE_DEADLINE).await;
        described.ok().map(|picture| *picture)
    }

    /// Waits until no lockspace is being started.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn wait_for_starts(&self) {
        while self.describe().await.iter().any(|picture| picture.stage == Stage::Starting) {
            sleep(LOOK_PERIOD).await;
        }
    }

    /// Stops the lockspaces that `rule` lets be stopped; returns how many are left.
    pub async fn stop_all(&self, rule: StopRule, wait: bool, question: &Question) -> usize {
        loop {
            let vgs = self.lockspaces().into_iter().filter(|name| name != GLOBAL);
            let stops = vgs.map(|name| {
                let (directory, question) = (self.clone(), question.clone());
                let question = Question { ticket: self.environment.tickets.next(), ..question };
                actix_rt::spawn(async move {
                    directory.ask(&name, question.with(Ask::Stop(rule))).await;
                })
            });
            let stops: Vec<_> = stops.collect();
            if wait {
                for stop in stops {
                    // One that has crashed is looked at again below.
                    let _ = stop.await;
                }
            } else {
                // Those that hold nothing are gone in a moment where nothing has to be asked of a disk.
                sleep(LOOK_PERIOD).await;
            }
            self.stop_global_if_unused(question).await;
            let left = self.lockspaces().iter().filter(|name| *name != GLOBAL).count();
            if left == 0 || !wait {
                return left;
            }
            sleep(LOOK_PERIOD * 10).await;
        }
    }

    /// Stops dlm's global lockspace when it was the last.
    pub async fn stop_global_if_unused(&self, question: &Question) {
        if self.environment.global.rules().global_is_idle() {
            let ticket = self.environment.tickets.next();
            let question = Question { ticket, ..question.clone() };
            self.ask(GLOBAL, question.with(Ask::Stop(StopRule::Anyway))).await;
        }
    }
}

/// Does a job of a lock manager that belongs to no lockspace, on a thread of its own.
///
/// Not on the runtime's threads for blocking calls: a job may hang for as long as a disk does.
///
/// # Errors
/// It has failed, or takes too long: it may still be done then.
pub async fn job<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let fault = |code, problem| Fault::new(code, format!("{what}: {problem}"));
    let (done, result) = oneshot::channel();
    let started = thread::Builder::new().name("lk-job".to_owned()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    });
    if let Err(error) = started {
        return Err(fault(ResultCode::LOCK_MANAGER, error.to_string()));
    }
    match timeout(JOB_DEADLINE, result).await {
        Ok(Ok(done)) => done,
        Ok(Err(_panicked)) => Err(fault(ResultCode::LOCK_MANAGER, "it has crashed".to_owned())),
        Err(_late) => Err(fault(ResultCode::LOCK_IO, "the lock manager takes too long".to_owned())),
    }
}

/// Transient: a lockspace that was left is over; one whose actor crashed goes on with its connection.
fn child(spec: Spec, origin: Origin, environment: Arc<LockEnvironment>) -> ChildSpec {
    ChildSpec::worker(spec.name.to_string(), move |link| {
        LockspaceActor::new(spec.clone(), origin.clone(), Arc::clone(&environment), link)
    })
    .restart(RestartType::Transient)
    .shutdown(Shutdown::Deadline(STOP_DEADLINE))
}
