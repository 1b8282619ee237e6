//! The locks of shared VGs: who holds what, who waits, and why.

mod history;
mod listing;
mod orphans;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::lock::{
    Adopt, Drop, Error, Explain, ExplainReply, GlobalLock, History, Kind, Lease, Lock, Locks, LocksReply,
    Lockspace, Lockspaces, LockspacesReply, Orphans, OrphansReply, Release, Request, Start, State, Stop,
    Waiter, Waiters, WaitersReply, Watch, WatchReply, Why,
};
use lvmwarden_protocol::api::{CodecError, Done, Method, Reply};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::ResultCode;
use lvmwarden_supervisor::process::{Command, ProcessExit, WhenFull, run};
use slog::info;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::foundation::api::outgoing::{PAGE_ITEMS, json_bytes, page};
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{ApiContext, Part, Patience, place, reply};
use crate::foundation::moment::Moment;
use crate::foundation::store::history::place::Place as HistoryPlace;
use crate::foundation::store::history::teller::Teller;
use crate::roles::lock::directory::{Directory, Question, lockspace_of};
use crate::roles::lock::environment::LockEnvironment;
use crate::roles::lock::lock_manager::{GlobalLease, Resource};
use crate::roles::lock::lockspace::ask::{Ask, Client, StopRule};
use crate::roles::lock::lockspace::explain::explain;
use crate::roles::lock::lockspace::picture::{
    HolderPicture, LockspacePicture, ResourcePicture, Stage, WaiterPicture, Why as Reason,
};
use crate::roles::lock::settle::Fate;
use listing::{Place, Thing, Wanted, things};

/// How often a watcher is told what has changed.
const WATCH_PERIOD: Duration = Duration::from_secs(1);
/// How long lvm may take to start a lockspace.
const START_DEADLINE: Duration = Duration::from_mins(5);

/// `org.lvmwarden.Lock`; nothing is served where the role is turned off.
pub struct LockApi {
    pub(super) lock: Option<Arc<LockEnvironment>>,
    pub(super) context: Rc<ApiContext>,
}

impl Part for LockApi {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[
        Lockspaces::NAME,
        Locks::NAME,
        Waiters::NAME,
        Orphans::NAME,
        History::NAME,
        Explain::NAME,
        Watch::NAME,
    ];

    fn patience(request: &Request) -> Patience {
        match request {
            Request::Watch(_) => Patience::Endless,
            Request::Start(_) | Request::Stop(_) | Request::Drop(_) => Patience::Long,
            Request::Lockspaces(_)
            | Request::Locks(_)
            | Request::Waiters(_)
            | Request::Orphans(_)
            | Request::History(_)
            | Request::Adopt(_)
            | Request::Release(_)
            | Request::Explain(_) => Patience::Brief,
        }
    }

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let Some(lock) = &self.lock else { return Ok(Reply::error(&Error::NotServed).into()) };
        let directory = Directory::new(self.context.registry.clone(), Arc::clone(lock));
        let short = match request {
            Request::Lockspaces(Lockspaces { vgname, page }) => {
                let list = List { uid, directory, vgname, wanted: Wanted::Lockspaces };
                let made = |told: Told| LockspacesReply { lockspaces: told.lockspaces, next_page: told.next };
                return self.list_locks::<Lockspaces>(list, page, replies, made).await;
            }
            Request::Locks(Locks { vgname, page }) => {
                let list = List { uid, directory, vgname, wanted: Wanted::Locks };
                let made = |told: Told| LocksReply { locks: told.locks, next_page: told.next };
                return self.list_locks::<Locks>(list, page, replies, made).await;
            }
            Request::Waiters(Waiters { vgname, page }) => {
                let list = List { uid, directory, vgname, wanted: Wanted::Waiters };
                let made = |told: Told| WaitersReply { waiters: told.waiters, next_page: told.next };
                return self.list_locks::<Waiters>(list, page, replies, made).await;
            }
            Request::Start(Start { vgname }) => {
                reply::<Start, _>(self.start_lockspace(lock, uid, vgname).await)
            }
            Request::Stop(Stop { vgname }) => {
                info!(self.context.log, "a client has a lockspace stopped"; "vg" => %vgname, "uid" => uid);
                let ask = Ask::Stop(StopRule::UnlessLvLocks);
                let stopped = change(&directory, vgname, ask, "an LV of it is locked here").await;
                reply::<Stop, _>(stopped)
            }
            Request::Drop(Drop { vgname }) => {
                info!(self.context.log, "a client has a lockspace dropped"; "vg" => %vgname, "uid" => uid);
                let dropped =
                    change(&directory, vgname, Ask::Drop, "the lock manager does not let it go").await;
                reply::<Drop, _>(dropped)
            }
            Request::Orphans(Orphans { vgname }) => {
                let listed = async {
                    let mut orphans = orphans::list(&directory, vgname.as_ref()).await;
                    let has_more = orphans.len() > PAGE_ITEMS;
                    orphans.truncate(PAGE_ITEMS);
                    Ok(move || OrphansReply { orphans, has_more })
                };
                return self.context.large::<Orphans, Error>(uid, replies, Error::Busy, listed).await;
            }
            Request::Adopt(Adopt { vgname, lock }) => {
                info!(self.context.log, "a client has locks of an earlier daemon taken over"; "vg" => %vgname, "lock" => &lock, "uid" => uid);
                reply::<Adopt, _>(orphans::settle(&directory, vgname, lock, Fate::Kept, uid).await)
            }
            Request::Release(Release { vgname, lock, force }) => {
                info!(self.context.log, "a client has locks of an earlier daemon given back"; "vg" => %vgname, "lock" => &lock, "force" => force, "uid" => uid);
                let fate = if force == Some(true) { Fate::GivenBack } else { Fate::GivenBackUnused };
                reply::<Release, _>(orphans::settle(&directory, vgname, lock, fate, uid).await)
            }
            Request::History(History { vgname, limit, page }) => {
                let before = match place::<HistoryPlace>(page.as_deref()) {
                    Ok(before) => before,
                    Err(refusal) => return Ok(refusal.into()),
                };
                let told = history::latest(
                    Teller::new(self.context.registry.clone()),
                    vgname.as_ref(),
                    limit,
                    before,
                );
                return self.context.large::<History, _>(uid, replies, Error::Busy, told).await;
            }
            Request::Explain(Explain { vgname, lv }) => {
                let explained = async {
                    // A picture of everything: one at a time.
                    let _turn = self.context.outgoing.turn(uid).await;
                    let pictures = directory.describe().await;
                    let told = explain(&pictures, &vgname, lv.as_deref(), lock.now());
                    let told = told.ok_or(Error::NotStarted { vgname })?;
                    Ok(move || ExplainReply { is_blocked: told.is_blocked, lines: told.lines })
                };
                return self.context.large::<Explain, _>(uid, replies, Error::Busy, explained).await;
            }
            Request::Watch(Watch {}) => {
                let list = List { uid, directory, vgname: None, wanted: Wanted::Everything };
                self.watch_locks(&list, replies).await?
            }
        };
        Ok(short.into())
    }
}

impl LockApi {
    /// Answers with a page of what is listed.
    async fn list_locks<M: Method<Reply: Send>>(
        &self,
        list: List,
        page: Option<String>,
        replies: &Replies<'_, '_>,
        make: impl FnOnce(Told) -> M::Reply + Send + 'static,
    ) -> Result<Last<'_>, CodecError> {
        let after = match place::<Place>(page.as_deref()) {
            Ok(after) => after,
            Err(refusal) => return Ok(refusal.into()),
        };
        let look = async {
            let things = self.look(&list, after.as_ref()).await;
            Ok(|| make(Told::page(things)))
        };
        self.context.large::<M, Error>(list.uid, replies, Error::Busy, look).await
    }

    /// Tells all that there is whenever it has changed, page by page. Of what was told nothing is kept but a hash.
    async fn watch_locks(&self, list: &List, replies: &mut Replies<'_, '_>) -> Result<Reply, CodecError> {
        let mut told = None;
        loop {
            let now = self.lasting_hash(list).await;
            if told != Some(now) {
                let mut after = None;
                loop {
                    let Some(load) = self.context.outgoing.load(list.uid).await else {
                        return Ok(Reply::error(&Error::Busy));
                    };
                    let page = Told::page(self.look(list, after.as_ref()).await);
                    after = page.next.as_deref().and_then(|next| next.parse().ok());
                    let turn = self.context.outgoing.turn(list.uid).await;
                    let made = replies.make(load, || Reply::continued::<Watch>(&page.into())).await?;
                    drop(turn);
                    replies.send_made(made).await?;
                    if after.is_none() {
                        break;
                    }
                }
                told = Some(now);
            }
            sleep(WATCH_PERIOD).await;
        }
    }

    /// Returns a hash of all that there is, but for times: they go on by themselves, which is no change.
    async fn lasting_hash(&self, list: &List) -> u64 {
        let (mut hasher, mut after) = (DefaultHasher::new(), None);
        loop {
            let things = self.look(list, after.as_ref()).await;
            let Some((end, _)) = things.last() else { return hasher.finish() };
            after = Some(end.clone());
            let work = spawn_blocking(move || {
                for (_, thing) in things {
                    serde_json::to_string(&thing.lasting()).expect("things have names").hash(&mut hasher);
                }
                hasher
            });
            hasher = work.await.expect("to hash does not panic");
        }
    }

    /// Looks at what is listed behind a place: what fits a page, and one thing more where there is.
    async fn look(&self, list: &List, after: Option<&Place>) -> Vec<(Place, Thing)> {
        // The picture of a lockspace may be large: one at a time.
        let _turn = self.context.outgoing.turn(list.uid).await;
        let mut names = list.directory.lockspaces();
        names.sort_unstable();
        let is_meant = |name: &String| {
            list.vgname.as_ref().is_none_or(|vg| *name == lockspace_of(vg))
                && after.is_none_or(|after| *name >= after.lockspace)
        };
        let mut seen = Vec::new();
        for name in names.iter().filter(|name| is_meant(name)) {
            let Some(picture) = list.directory.describe_one(name).await else { continue };
            let left = PAGE_ITEMS + 1 - seen.len();
            let now = list.directory.environment().now();
            let after = after.filter(|after| after.lockspace == *name);
            seen.extend(things(&picture, list.wanted, after, now).take(left));
            if seen.len() > PAGE_ITEMS {
                break;
            }
        }
        seen
    }

    /// lvm knows how the VG is locked, and activates the LV of its leases.
    async fn start_lockspace(&self, lock: &LockEnvironment, uid: u32, vgname: VgName) -> Result<Done, Error> {
        let Some(starter) = &lock.starter else { return Err(Error::NotServed) };
        info!(self.context.log, "a client has a lockspace started"; "vg" => %vgname, "uid" => uid);
        let output = |suffix: &str| starter.output_dir.join(format!("lockstart.{suffix}"));
        let arguments = ["vgchange", "--lock-start", "--", vgname.as_str()].map(Into::into).into();
        let command = Command {
            program: starter.binary.clone(),
            arguments,
            environment: starter.inherited.clone().into_iter().collect(),
            directory: starter.directory.clone(),
            stdout: output("out"),
            stderr: output("err"),
            when_full: WhenFull::Wait,
        };
        let refused = |reason: String| Err(Error::Refused { vgname, code: ResultCode::FAILED.0, reason });
        match run(&*starter.processes, command, START_DEADLINE).await {
            Ok(finished) if finished.exit == ProcessExit::Code(0) => Ok(Done {}),
            Ok(finished) => refused(finished.stderr.trim().replace('\n', "; ")),
            Err(error) => refused(crate::foundation::error_chain::chain(&error)),
        }
    }
}

async fn change(directory: &Directory, vgname: VgName, ask: Ask, busy: &str) -> Result<Done, Error> {
    let environment = directory.environment();
    let client = Arc::new(Client::of_this_daemon("lvmwarden"));
    let question = Question { ticket: environment.tickets.next(), client, lock_type: None };
    let Some(answer) = directory.ask(&lockspace_of(&vgname), question.with(ask)).await else {
        return Err(Error::NotStarted { vgname });
    };
    directory.stop_global_if_unused(&question).await;
    match answer.code {
        ResultCode::OK => Ok(Done {}),
        ResultCode::NO_LOCKSPACE => Err(Error::NotStarted { vgname }),
        ResultCode::BUSY => Err(Error::Refused { vgname, code: ResultCode::BUSY.0, reason: busy.to_owned() }),
        other => {
            let reason = "the lock manager, or its state, does not allow it".to_owned();
            Err(Error::Refused { vgname, code: other.0, reason })
        }
    }
}

/// What is listed, for whom.
struct List {
    uid: u32,
    directory: Directory,
    /// Of this VG; `None`: of all.
    vgname: Option<VgName>,
    wanted: Wanted,
}

/// A page of what is listed.
#[derive(Default)]
struct Told {
    lockspaces: Vec<Lockspace>,
    locks: Vec<Lock>,
    waiters: Vec<Waiter>,
    next: Option<String>,
}

impl Told {
    /// Takes as many things as fit.
    fn page(things: Vec<(Place, Thing)>) -> Self {
        let (fitting, is_cut) = page(things, |(_, thing)| json_bytes(thing));
        let next = fitting.last().filter(|_| is_cut).map(|(place, _)| place.to_string());
        let mut told = Self { next, ..Self::default() };
        for (_, thing) in fitting {
            match thing {
                Thing::Lockspace(lockspace) => told.lockspaces.push(*lockspace),
                Thing::Lock(lock) => told.locks.push(*lock),
                Thing::Waiter(waiter) => told.waiters.push(*waiter),
            }
        }
        told
    }
}

impl From<Told> for WatchReply {
    fn from(Told { lockspaces, locks, waiters, next }: Told) -> Self {
        Self { lockspaces, locks, waiters, is_partial: next.is_some() }
    }
}

fn lockspace(picture: &LockspacePicture, now: Moment) -> Lockspace {
    let spec = &picture.spec;
    let sum = |count: fn(&ResourcePicture) -> usize| {
        u32::try_from(picture.resources.iter().map(count).sum::<usize>()).unwrap_or(u32::MAX)
    };
    Lockspace {
        name: spec.name.to_string(),
        vgname: spec.vg.clone(),
        vg_uuid: spec.vg_uuid.map(String::from).unwrap_or_default(),
        lock_type: spec.lock_type,
        args: spec.args.to_string(),
        host_id: spec.host_id,
        generation: picture.generation,
        state: match picture.stage {
            Stage::New | Stage::Starting => State::Starting,
            Stage::Running => State::Running,
            Stage::Stopping | Stage::Finished => State::Stopping,
            Stage::Failed => State::Failed,
        },
        is_killed: picture.killed,
        global_lock: match picture.global {
            GlobalLease::Enabled => GlobalLock::Enabled,
            GlobalLease::Disabled => GlobalLock::Disabled,
            GlobalLease::Absent => GlobalLock::Absent,
        },
        lease: picture.renewal.as_ref().map(|(renewal, seen)| {
            let age = renewal.age + now.saturating_sub(*seen);
            Lease {
                age_ms: millis(age),
                kill_in_ms: millis(renewal.kill_after.saturating_sub(age)),
                reset_in_ms: millis(renewal.reset_after.saturating_sub(age)),
            }
        }),
        locks: sum(|resource| resource.holders.len()),
        waiters: sum(|resource| resource.waiters.len()),
        problem: picture.fault.as_ref().map(ToString::to_string),
    }
}

fn held(picture: &LockspacePicture, resource: &ResourcePicture, holder: &HolderPicture, now: Moment) -> Lock {
    let (pid, command) = client(&holder.client);
    Lock {
        lvname: Some(holder.lv_name.to_string()).filter(|name| !name.is_empty()),
        mode: holder.mode,
        version: holder.version,
        is_persistent: holder.persistent,
        pid,
        command,
        held_ms: Some(millis(now.saturating_sub(holder.since))),
        ..bare(picture, resource)
    }
}

fn unreleased(picture: &LockspacePicture, resource: &ResourcePicture, now: Moment) -> Option<Lock> {
    let (since, fault) = resource.unreleased.as_ref()?;
    let held_ms = Some(millis(now.saturating_sub(*since)));
    Some(Lock { held_ms, problem: Some(fault.to_string()), ..bare(picture, resource) })
}

fn bare(picture: &LockspacePicture, resource: &ResourcePicture) -> Lock {
    let (kind, lv_uuid) = kind(&resource.resource);
    Lock {
        lockspace: picture.spec.name.to_string(),
        vgname: picture.spec.vg.clone(),
        kind,
        lvname: None,
        lv_uuid,
        mode: resource.mode,
        version: resource.version,
        is_persistent: false,
        pid: None,
        command: None,
        held_ms: None,
        problem: None,
    }
}

fn waiting(
    picture: &LockspacePicture,
    resource: &ResourcePicture,
    waiter: &WaiterPicture,
    now: Moment,
) -> Waiter {
    let (kind, lv_uuid) = kind(&resource.resource);
    let (pid, command) = client(&waiter.client);
    let mut told = Waiter {
        lockspace: picture.spec.name.to_string(),
        vgname: picture.spec.vg.clone(),
        kind,
        lv_uuid,
        mode: waiter.mode,
        is_persistent: waiter.persistent,
        pid,
        command,
        waited_ms: millis(now.saturating_sub(waiter.since)),
        why: Why::HeldHere,
        host_id: None,
        host_name: None,
        tries: None,
        retry_in_ms: None,
    };
    match &waiter.why {
        Reason::Held => {}
        Reason::Behind => told.why = Why::Behind,
        Reason::Asking => told.why = Why::Asking,
        Reason::Unreleased => told.why = Why::NotGivenBack,
        Reason::Conflict { fault, tries, again } => {
            told.why = Why::HeldElsewhere;
            told.host_id = fault.owner.as_ref().map(|owner| owner.host_id);
            let name = fault.owner.as_ref().map(|owner| owner.name.clone());
            told.host_name = name.filter(|name| !name.is_empty());
            told.tries = Some(*tries);
            told.retry_in_ms = Some(millis(again.saturating_sub(now)));
        }
    }
    told
}

fn kind(resource: &Resource) -> (Kind, Option<String>) {
    match resource {
        Resource::Global => (Kind::Global, None),
        Resource::Vg => (Kind::Vg, None),
        Resource::Lv(uuid) => (Kind::Lv, Some(uuid.to_string())),
    }
}

fn client(client: &Client) -> (Option<u32>, Option<String>) {
    let command = Some(client.name.to_string()).filter(|name| !name.is_empty());
    (Some(client.pid).filter(|pid| *pid != 0), command)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
