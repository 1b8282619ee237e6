//! `org.lvmwarden.Reconfigure`: what clients of the JSON API are answered.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::reconfigure::{
    Abandon, Change, ChangeReply, Error, Goal, Judge, List, ListReply, Member, Members, MembersReply, Phase,
    Plan, Propose, ReleaseHolds, ReleaseHoldsReply, Request, Show, Wait, Watch,
};
use lvmwarden_protocol::api::service::Bounded;
use lvmwarden_protocol::api::{CodecError, Done, Method, Reply};
use lvmwarden_reconfigure::membership::Quorum;
use slog::info;

use super::directory::{Directory, asker};
use super::environment::{PLANS, ReconfigureEnvironment};
use super::following::Following;
use crate::foundation::admission::Asker;
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{ApiContext, Part, Patience, reply, too_many};

/// What the API shows of changes; nothing is served where the role is turned off.
pub struct ReconfigureApi {
    pub(super) environment: Option<Arc<ReconfigureEnvironment>>,
    pub(super) context: Rc<ApiContext>,
}

impl Part for ReconfigureApi {
    type Request = Request;

    const WATCHING: &'static [&'static str] =
        &[Plan::NAME, List::NAME, Show::NAME, Wait::NAME, Watch::NAME, Members::NAME];

    fn patience(request: &Request) -> Patience {
        match request {
            Request::List(_) | Request::Show(_) | Request::Members(_) | Request::ReleaseHolds(_) => {
                Patience::Brief
            }
            Request::Plan(_) | Request::Propose(_) | Request::Abandon(_) | Request::Judge(_) => {
                Patience::Long
            }
            Request::Wait(_) | Request::Watch(_) => Patience::Endless,
        }
    }

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let Some(environment) = &self.environment else { return Ok(Reply::error(&Error::NotServed).into()) };
        let log = &self.context.log;
        let directory = Directory::new(self.context.registry.clone(), Arc::clone(environment), log.clone());
        let told = |change: Result<Change, Error>| change.map(|change| ChangeReply { change });
        Ok(match request {
            Request::Plan(Plan { goal }) => plan(environment, directory, uid, goal).await,
            Request::Propose(Propose { goal, id }) => {
                info!(log, "a client asks for a change"; "uid" => uid, "vg" => &goal.vgname,
                      "kind" => goal.kind.as_str());
                reply::<Propose, _>(told(directory.propose(goal, id, asker(uid)).await))
            }
            Request::List(List { limit }) => {
                let all = environment.board.all();
                let limit = limit.map_or(all.len(), |limit| limit as usize);
                let latest = all.iter().skip(all.len().saturating_sub(limit));
                let changes = latest.map(|change| Change::clone(change)).collect();
                reply::<List, Error>(Ok(ListReply { changes }))
            }
            Request::Show(Show { id }) => reply::<Show, _>(told(directory.find(&id))),
            Request::Wait(Wait { id, timeout_ms }) => {
                let limit = timeout_ms.map(Duration::from_millis);
                reply::<Wait, _>(told(directory.wait(&id, limit).await))
            }
            Request::Watch(Watch { id }) => return watch(environment, &directory, id, replies).await,
            Request::Abandon(Abandon { id }) => {
                info!(log, "a client has a change abandoned"; "uid" => uid, "change" => &id);
                reply::<Abandon, _>(directory.abandon(&id).await.map(|()| Done {}))
            }
            Request::Judge(Judge { id }) => reply::<Judge, _>(told(directory.judge(&id).await)),
            Request::Members(Members {}) => reply::<Members, Error>(Ok(members(environment))),
            Request::ReleaseHolds(ReleaseHolds {}) => {
                // Nothing is held in VGs that are not shared, and no other comes so far.
                reply::<ReleaseHolds, Error>(Ok(ReleaseHoldsReply { released: Vec::new() }))
            }
        }
        .into())
    }
}

/// Tells what a change would come to, unless too much is asked already.
async fn plan(environment: &ReconfigureEnvironment, directory: Directory, uid: u32, goal: Goal) -> Reply {
    let place = match environment.plans.take(PLANS, Asker::of(uid)) {
        Ok(place) => place,
        Err(excess) => return Reply::error(&too_many(Bounded::DryRuns, PLANS, excess)),
    };
    // Whether this client waits or not: its place is taken until lvm has ended.
    let planned = tokio::spawn(async move {
        let _place = place;
        directory.plan(goal).await
    });
    reply::<Plan, _>(planned.await.unwrap_or(Err(Error::Busy)))
}

/// Tells each change at once and whenever it is another than before; with an id, to its end.
async fn watch<'l>(
    environment: &ReconfigureEnvironment,
    directory: &Directory,
    id: Option<String>,
    replies: &mut Replies<'_, '_>,
) -> Result<Last<'l>, CodecError> {
    let only = match id.map(|id| directory.find(&id)).transpose() {
        Ok(only) => only.map(|change| change.id),
        Err(error) => return Ok(Reply::error(&error).into()),
    };
    let mut changed = environment.board.watch();
    let mut following = Following::new(only);
    loop {
        changed.borrow_and_update();
        let news = match following.news(environment.board.all()) {
            Ok(news) => news,
            Err(error) => return Ok(Reply::error(&error).into()),
        };
        for change in news {
            let reply = ChangeReply { change: Change::clone(&change) };
            if following.is_of_one() && change.phase == Phase::Ended {
                return Ok(Reply::last::<Watch>(&reply).into());
            }
            replies.send(Reply::continued::<Watch>(&reply)).await?;
        }
        if changed.changed().await.is_err() {
            // The daemon ends, and this client's connection with it.
            std::future::pending::<()>().await;
        }
    }
}

fn members(environment: &ReconfigureEnvironment) -> MembersReply {
    let (around, facts) = (environment.around(), environment.facts());
    let member = |member: lvmwarden_reconfigure::member::Member| {
        let is_self = around.me == Some(member);
        Member {
            node: member.node,
            name: environment.name_of(member.node),
            pid: member.pid,
            version: if is_self { env!("CARGO_PKG_VERSION").to_owned() } else { String::new() },
            is_self,
            accepts: if is_self { environment.settings.accepts.clone() } else { Vec::new() },
            vgs: Vec::new(),
            is_ready: around.membership.has_heard(member),
        }
    };
    MembersReply {
        transport: facts.as_ref().map_or_else(String::new, |facts| facts.transport.to_owned()),
        quorate: around.membership.quorum() == Quorum::Yes,
        ring: around.ring.map_or_else(String::new, |ring| format!("{}.{:x}", ring.node, ring.sequence)),
        members: around.membership.members().map(member).collect(),
        problem: facts.and_then(|facts| facts.problem),
    }
}
