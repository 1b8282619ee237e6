//! Poll operations: the same that lvm's commands start.

mod foreign;
mod throttle;
mod watch;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lvmwarden_protocol::api::poll::{
    Abort, Blocked, CopyProgress, Error, Foreign, History, HistoryEntry, HistoryReply, Hold, HoldKind, List,
    ListReply, Operation, OperationReply, Pause, Reconcile, ReconcileReply, Request, Resume, Show, Start,
    StartReply, Story, StoryReply, Throttle, Throttling, Wait, Watch,
};
use lvmwarden_protocol::api::{CodecError, Method, Reply};
use lvmwarden_protocol::poll::{Interval, PollOperation, StartRequest};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use self::foreign::Paces;
use crate::foundation::api::outgoing::{PAGE_ITEMS, json_bytes, page};
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{ANSWER_DEADLINE, ApiContext, Part, Patience, place, reply};
use crate::foundation::names;
use crate::foundation::store::history::place::Place;
use crate::foundation::store::history::teller::Teller;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::directory::{Directory, Unanswered};
use crate::roles::poll::operation::messages::{Description, PauseError};
use crate::roles::poll::operation::pace;
use crate::roles::poll::operation::state::StartAnswer;
use crate::roles::poll::operation::stuck::Stuck;
use crate::roles::poll::operation::turns;
use crate::roles::poll::reconcile::{self, Reconciler};
use crate::roles::poll::throttle::Knobs;

/// `org.lvmwarden.Poll`; nothing is served where the role is turned off.
pub struct PollApi(pub(super) Option<Serving>);

/// What the role's part of the API works with.
pub(super) struct Serving {
    pub(super) poll: Arc<PollEnvironment>,
    pub(super) knobs: Knobs,
    /// Whether what nobody polls is looked for.
    pub(super) reconciles: bool,
    pub(super) directory: Directory,
    /// What has happened to operations.
    pub(super) teller: Teller,
    /// How fast copies are that are not ours, as far as clients have asked.
    pub(super) foreign_paces: RefCell<Paces>,
    pub(super) context: Rc<ApiContext>,
}

impl Part for PollApi {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[
        List::NAME,
        Show::NAME,
        Wait::NAME,
        Watch::NAME,
        Throttling::NAME,
        History::NAME,
        Story::NAME,
        Foreign::NAME,
    ];

    fn patience(request: &Request) -> Patience {
        if matches!(request, Request::Wait(_) | Request::Watch(_)) {
            Patience::Endless
        } else {
            Patience::Brief
        }
    }

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        if let Some(serving) = &self.0 {
            return serving.answer(uid, request, replies).await;
        }
        let reason = "the poll role is turned off".to_owned();
        Ok(Reply::error(&Error::Failed { reason }).into())
    }
}

impl Serving {
    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let directory = &self.directory;
        let short = match request {
            Request::List(List { page }) => {
                let after = match place::<Uuid>(page.as_deref()) {
                    Ok(after) => after,
                    Err(refusal) => return Ok(refusal.into()),
                };
                let look = list(directory, after);
                return self.context.large::<List, _>(uid, replies, Error::Busy, look).await;
            }
            Request::Show(Show { id }) => reply::<Show, _>(show(directory, id).await),
            Request::Start(asked) => {
                let default = self.poll.default_interval_seconds.load(Ordering::Relaxed);
                reply::<Start, _>(start(directory, start_request(asked, default), uid).await)
            }
            Request::Abort(asked) => reply::<Abort, _>(abort(directory, asked, uid).await),
            Request::Pause(Pause { id }) => reply::<Pause, _>(pause(directory, id, true).await),
            Request::Resume(Resume { id }) => reply::<Resume, _>(pause(directory, id, false).await),
            Request::Wait(asked) => reply::<Wait, _>(self.wait(directory, asked).await),
            Request::Foreign(Foreign { page }) => {
                let look = self.foreign(directory, page);
                return self.context.large::<Foreign, _>(uid, replies, Error::Busy, look).await;
            }
            Request::Watch(asked) => self.watch(directory, asked.id, replies).await?,
            Request::Throttle(asked) => reply::<Throttle, _>(self.throttle(asked).await),
            Request::Throttling(_) => reply::<Throttling, _>(self.throttling().await),
            Request::Reconcile(asked) => {
                // It takes long: nobody else is to wait for its share.
                let found = self.reconcile(asked).await;
                let look = async { found.map(|found| move || found) };
                return self.context.large::<Reconcile, _>(uid, replies, Error::Busy, look).await;
            }
            Request::History(History { limit, page }) => {
                let before = match place::<Place>(page.as_deref()) {
                    Ok(before) => before,
                    Err(refusal) => return Ok(refusal.into()),
                };
                let look = self.history(limit, before);
                return self.context.large::<History, _>(uid, replies, Error::Busy, look).await;
            }
            Request::Story(Story { id }) => {
                let look = async {
                    let story = self.teller.story(id).await.map_err(|_| Error::Busy)?;
                    let story = story.ok_or_else(|| not_found(id))?;
                    Ok(move || StoryReply { story: story.into() })
                };
                return self.context.large::<Story, _>(uid, replies, Error::Busy, look).await;
            }
        };
        Ok(short.into())
    }

    /// Looks at the latest steps of those before a place, of which as many are told as fit.
    async fn history(
        &self,
        limit: Option<u32>,
        before: Option<Place>,
    ) -> Result<impl FnOnce() -> HistoryReply + Send + 'static, Error> {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let at_most = limit.map_or(PAGE_ITEMS, |limit| limit.min(PAGE_ITEMS));
        let steps = self.teller.latest(at_most + 1, before).await.map_err(|_| Error::Busy)?;
        Ok(move || {
            let latest = steps.iter().rev().take(at_most).cloned().map(HistoryEntry::from);
            let (mut entries, _is_cut) = page(latest, json_bytes);
            entries.reverse();
            let (older, told) = steps.split_at(steps.len() - entries.len());
            let next = Place::before(told, before).filter(|_| !older.is_empty());
            HistoryReply { entries, next_page: next.map(|place| place.to_string()) }
        })
    }

    async fn reconcile(&self, asked: Reconcile) -> Result<ReconcileReply, Error> {
        if !self.reconciles {
            return Err(Error::Failed {
                reason: "poll.reconcile is \"off\" in the configuration".to_owned(),
            });
        }
        let question = reconcile::Reconcile { dry_run: asked.dry_run.unwrap_or_default() };
        let (name, deadline) = (&names::RECONCILE, reconcile::DEADLINE);
        let asked = self.context.registry.ask::<Reconciler, _>(name, question, deadline).await;
        let unfinished = asked.map_err(|_| Error::Busy)?.map_err(|reason| Error::Failed { reason })?;
        Ok(ReconcileReply { unfinished })
    }

    async fn wait(&self, directory: &Directory, asked: Wait) -> Result<OperationReply, Error> {
        // A time-out beyond what the clock can tell is none.
        let time = asked.timeout_ms.map(Duration::from_millis);
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        let ended = directory.wait(asked.id, deadline).await.map_err(busy)?;
        Ok(OperationReply { operation: ended.ok_or_else(|| not_found(asked.id))?.into() })
    }
}

/// Looks at the operations behind one, oldest first, of which as many are told as fit.
async fn list(
    directory: &Directory,
    after: Option<Uuid>,
) -> Result<impl FnOnce() -> ListReply + Send + 'static, Error> {
    let described = described(directory, after, PAGE_ITEMS + 1).await?;
    Ok(move || {
        let (operations, is_cut) = page(described.into_iter().map(Operation::from), json_bytes);
        let last = operations.last().filter(|_| is_cut).map(|operation| operation.id.to_string());
        ListReply { operations, next_page: last }
    })
}

/// Returns the operations behind one (`None`: from the first), oldest first.
async fn described(
    directory: &Directory,
    after: Option<Uuid>,
    at_most: usize,
) -> Result<Vec<Description>, Error> {
    let described = timeout(ANSWER_DEADLINE, directory.describe_after(after, at_most)).await;
    described.map_err(|_| Error::Busy)?.map_err(busy)
}

async fn show(directory: &Directory, id: Uuid) -> Result<OperationReply, Error> {
    let found = find(directory, id).await?;
    Ok(OperationReply { operation: found.into() })
}

async fn pause(directory: &Directory, id: Uuid, is_paused: bool) -> Result<OperationReply, Error> {
    match directory.pause(id, is_paused).await {
        Ok(operation) => Ok(OperationReply { operation: operation.into() }),
        Err(PauseError::Gone) => Err(not_found(id)),
        Err(PauseError::Impossible(why)) => Err(Error::CannotPause { reason: why.to_string() }),
        Err(PauseError::NotStored(reason)) => Err(Error::Failed { reason }),
    }
}

async fn find(directory: &Directory, id: Uuid) -> Result<Description, Error> {
    let found = timeout(ANSWER_DEADLINE, directory.find(id)).await.map_err(|_| Error::Busy)?;
    found.map_err(busy)?.ok_or_else(|| not_found(id))
}

async fn start(directory: &Directory, request: StartRequest, uid: u32) -> Result<StartReply, Error> {
    match directory.start(request, Some(uid)).await {
        StartAnswer::Ok { op, already_running } => Ok(StartReply { id: op, already_running }),
        StartAnswer::DifferentOperation => Err(Error::DifferentOperation),
        StartAnswer::Leaving => Err(Error::Failed { reason: "the daemon is shutting down".to_owned() }),
        StartAnswer::Failed { reason } => Err(Error::Failed { reason }),
    }
}

fn start_request(asked: Start, default_interval_seconds: u32) -> StartRequest {
    let seconds = asked.interval_seconds.unwrap_or(default_interval_seconds);
    StartRequest {
        kind: asked.kind,
        abort: false,
        handle_missing_pvs: asked.handle_missing_pvs.unwrap_or_default(),
        lvid: asked.lvid.into(),
        vgname: asked.vgname,
        lvname: asked.lvname,
        interval: Interval::try_from(seconds.to_string()).expect("a number of seconds is an interval"),
        sysdir: asked.sysdir,
        devicesfile: asked.devicesfile,
        cmdline: None,
    }
}

/// Starts the abort of a pvmove; it is polled as its pvmove was.
async fn abort(directory: &Directory, asked: Abort, uid: u32) -> Result<StartReply, Error> {
    let pvmove = match asked {
        Abort::ById(id) => find(directory, id).await?,
        Abort::ByLv { vgname, lvname } => {
            let all = timeout(ANSWER_DEADLINE, directory.describe()).await.map_err(|_| Error::Busy)?;
            let is_it = |one: &Description| one.request.vgname == vgname && one.request.lvname == lvname;
            let id = format!("{vgname}/{lvname}");
            // What is in progress, and of these the last, which is the abort if there is one.
            let named = all.into_iter().filter(is_it).max_by_key(|one| one.ending.is_none());
            named.ok_or(Error::NotFound { id })?
        }
    };
    if pvmove.request.kind != PollOperation::Pvmove {
        return Err(Error::NotPvmove);
    }
    if pvmove.ending.is_some() {
        return Err(Error::Failed { reason: "it has ended".to_owned() });
    }
    start(directory, StartRequest { abort: true, cmdline: None, ..pvmove.request }, uid).await
}

fn not_found(id: Uuid) -> Error {
    Error::NotFound { id: id.to_string() }
}

fn busy(_: Unanswered) -> Error {
    Error::Busy
}

impl From<pace::CopyProgress> for CopyProgress {
    fn from(copy: pace::CopyProgress) -> Self {
        Self {
            done_bytes: copy.done_bytes,
            total_bytes: copy.total_bytes,
            segment: copy.segment,
            segments: copy.segments,
            bytes_per_second: copy.bytes_per_second,
            left_seconds: copy.left.map(|left| left.as_secs()),
        }
    }
}

impl From<Stuck> for Blocked {
    fn from(Stuck { since, blocked }: Stuck) -> Self {
        let device = blocked.device.map(|path| path.to_string_lossy().into_owned());
        Self { since: since.to_string(), wait_point: blocked.wait_point, device }
    }
}

impl From<turns::Hold> for Hold {
    fn from(hold: turns::Hold) -> Self {
        let (kind, until) = match hold {
            turns::Hold::Paused => (HoldKind::Paused, None),
            turns::Hold::VgLimit => (HoldKind::VgLimit, None),
            turns::Hold::PvLimit => (HoldKind::PvLimit, None),
            turns::Hold::Window { opens } => (HoldKind::Window, Some(opens.strftime("%H:%M").to_string())),
        };
        Self { kind, until }
    }
}

impl From<Description> for Operation {
    fn from(known: Description) -> Self {
        let request = known.request;
        Self {
            id: known.op,
            kind: request.kind,
            abort: request.abort,
            vgname: request.vgname,
            lvname: request.lvname,
            lvid: request.lvid,
            sysdir: request.sysdir,
            state: known.state,
            pid: known.pid,
            attempt: known.attempt,
            init_requests: known.init_requests,
            started_at: known.started_at.to_string(),
            percent: known.percent,
            copy: known.copy.map(Into::into),
            blocked: known.stuck.map(Into::into),
            paused: known.is_paused,
            hold: known.hold.map(Into::into),
            silent: known.silent,
            outcome: known.ending.map(Into::into),
            asked_by: request.cmdline.map(|cmdline| cmdline.to_string()),
        }
    }
}
