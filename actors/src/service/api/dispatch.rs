//! Which call is answered at all, and by whom.

use std::str::FromStr;

use lvmwarden_protocol::api::service::Bounded;
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{
    CodecError, InterfaceError, Method, Reply, Request, archive, events, lock, metadata, metrics, page, poll,
    service, supervisor, varlink_service,
};

use super::connection::{Arrived, Last, Replies};
use super::{ApiService, Client, WAITING, too_many};
use crate::foundation::admission::Asker;
use crate::service::access::Permission;

/// Returns what is asked, or what to answer instead, and what that is called in metrics.
///
/// Who may not call a method is not told what is wrong with the call; who may call some is told which names do not exist.
pub(crate) fn admit(permission: Permission, call: Arrived) -> Result<Request, (Reply, &'static str)> {
    let denied = (Reply::error(&VarlinkError::PermissionDenied), "(denied)");
    if permission == Permission::Refused {
        return Err(denied);
    }
    let unknown = matches!(
        call.request,
        Err(VarlinkError::InterfaceNotFound { .. } | VarlinkError::MethodNotFound { .. })
    );
    if !unknown && !permission.allows(&call.method) {
        return Err(denied);
    }
    call.request.map_err(|error| (Reply::error(&error), "(invalid)"))
}

/// Returns whether the answer comes when something happens, which may be never, or when a disk answers.
pub(crate) fn is_patient(request: &Request) -> bool {
    is_waiting(request)
        || matches!(
            request,
            Request::Archive(archive::Request::Plan(_) | archive::Request::Clean(_))
                | Request::Lock(lock::Request::Start(_) | lock::Request::Stop(_) | lock::Request::Drop(_))
        )
}

/// Returns whether the answer comes when something happens, which may be never: there are only so many of these.
fn is_waiting(request: &Request) -> bool {
    matches!(
        request,
        Request::Poll(poll::Request::Wait(_) | poll::Request::Watch(_))
            | Request::Events(events::Request::Subscribe(_))
            | Request::Lock(lock::Request::Watch(_))
            | Request::Metadata(metadata::Request::Wait(_) | metadata::Request::Watch(_))
    )
}

impl ApiService {
    /// Answers a request that its client may make, and returns the last reply, which is to be sent.
    ///
    /// # Errors
    /// When replies before the last could not be sent.
    pub(crate) async fn answer(
        &self,
        client: Client,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let uid = client.uid;
        let wanted = is_waiting(&request).then(|| self.waiting.take(WAITING, Asker::of(uid)));
        let _waiting = match wanted.transpose() {
            Ok(place) => place,
            Err(excess) => return Ok(Reply::error(&too_many(Bounded::WaitingCalls, WAITING, excess)).into()),
        };
        let short = match request {
            Request::Varlink(varlink_service::Request::GetInfo(_)) => self.get_info(),
            Request::Varlink(varlink_service::Request::GetInterfaceDescription(asked)) => {
                reply::<varlink_service::GetInterfaceDescription, _>(super::about::describe(&asked))
            }
            Request::Service(service::Request::Info(_)) => self.info().await,
            // It is carried out after the reply.
            Request::Service(service::Request::Stop(_)) => {
                let refusal = self.environment.why_not_to_end(&self.registry).await;
                let refusal = refusal.map(|reason| service::Error::StillNeeded { reason });
                reply::<service::Stop, _>(refusal.map_or(Ok(lvmwarden_protocol::api::Done {}), Err))
            }
            Request::Poll(request) => return self.answer_poll(uid, request, replies).await,
            Request::Supervisor(supervisor::Request::Tree(asked)) => {
                return self.tree(uid, asked, replies).await;
            }
            Request::Supervisor(supervisor::Request::Restart(asked)) => {
                reply::<supervisor::Restart, _>(self.restart(asked, uid).await)
            }
            Request::Supervisor(supervisor::Request::SetLogLevel(asked)) => {
                reply::<supervisor::SetLogLevel, _>(self.set_log_level(asked))
            }
            Request::Events(events::Request::Recent(asked)) => return self.recent(uid, asked, replies).await,
            Request::Events(events::Request::Subscribe(asked)) => self.subscribe(asked, replies).await?,
            Request::Metrics(metrics::Request::Get(_)) => {
                let metrics = self.metrics();
                return self.large::<metrics::Get, _>(uid, replies, metrics::Error::Busy, metrics).await;
            }
            Request::Archive(request) => return self.answer_archive(uid, request, replies).await,
            Request::Lock(request) => return self.answer_lock(uid, request, replies).await,
            Request::Metadata(request) => return self.answer_metadata(uid, request, replies).await,
        };
        Ok(short.into())
    }

    /// Answers with what may be long: when there is a share for it, it is looked up, and then made on another thread in
    /// its turn.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub(crate) async fn large<M: Method, E: InterfaceError>(
        &self,
        uid: u32,
        replies: &Replies<'_, '_>,
        busy: E,
        look: impl Future<Output = Result<impl FnOnce() -> M::Reply + Send + 'static, E>>,
    ) -> Result<Last<'_>, CodecError> {
        let Some(load) = self.outgoing.load(uid).await else { return Ok(Reply::error(&busy).into()) };
        let make = match look.await {
            Ok(make) => make,
            Err(error) => return Ok(Reply::error(&error).into()),
        };
        let _turn = self.outgoing.turn(uid).await;
        Ok(Last::Made(replies.make(load, || Reply::last::<M>(&make())).await?))
    }
}

/// Returns the place at which a page is to begin.
///
/// # Errors
/// The reply to a client that has made one up.
pub(crate) fn place<T: FromStr>(page: Option<&str>) -> Result<Option<T>, Reply> {
    let wrong = |_| Reply::error(&VarlinkError::InvalidParameter { parameter: page::PAGE.to_owned() });
    page.map(str::parse).transpose().map_err(wrong)
}

/// Returns the reply of a method that gives one.
pub(crate) fn reply<M: Method, E: InterfaceError>(result: Result<M::Reply, E>) -> Reply {
    match result {
        Ok(answer) => Reply::last::<M>(&answer),
        Err(error) => Reply::error(&error),
    }
}
