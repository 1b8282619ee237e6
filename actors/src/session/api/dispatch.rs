//! Which call is answered at all, and by whom.

use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{
    CodecError, InterfaceError, Method, Reply, Request, archive, events, lock, metrics, poll, service,
    supervisor, varlink_service,
};

use tokio::task::spawn_blocking;

use super::connection::{Arrived, Replies};
use super::{ApiService, Client};
use crate::access::Permission;

/// Returns what is asked, or what to answer instead, and what that is called in metrics.
///
/// Who may not call a method is not told what is wrong with the call; who may call some is told which names do not exist.
pub(super) fn admit(permission: Permission, call: Arrived) -> Result<Request, (Reply, &'static str)> {
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
pub(super) fn is_patient(request: &Request) -> bool {
    matches!(
        request,
        Request::Poll(poll::Request::Wait(_) | poll::Request::Watch(_))
            | Request::Events(events::Request::Subscribe(_))
            | Request::Archive(archive::Request::Plan(_) | archive::Request::Clean(_))
            | Request::Lock(
                lock::Request::Start(_)
                    | lock::Request::Stop(_)
                    | lock::Request::Drop(_)
                    | lock::Request::Watch(_)
            )
    )
}

impl ApiService {
    /// Answers a request that its client may make, and returns the last reply, which is to be sent.
    ///
    /// # Errors
    /// When replies before the last could not be sent.
    pub(super) async fn answer(
        &self,
        client: Client,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Reply, CodecError> {
        Ok(match request {
            Request::Varlink(varlink_service::Request::GetInfo(_)) => self.get_info(),
            Request::Varlink(varlink_service::Request::GetInterfaceDescription(asked)) => {
                reply::<varlink_service::GetInterfaceDescription, _>(super::about::describe(&asked))
            }
            Request::Service(service::Request::Info(_)) => self.info(),
            // It is carried out after the reply.
            Request::Service(service::Request::Stop(_)) => {
                let refusal = self.environment.why_not_to_end(&self.registry).await;
                let refusal = refusal.map(|reason| service::Error::StillNeeded { reason });
                reply::<service::Stop, _>(refusal.map_or(Ok(lvmwarden_protocol::api::Done {}), Err))
            }
            Request::Poll(request) => self.answer_poll(client.uid, request, replies).await?,
            Request::Supervisor(supervisor::Request::Tree(_)) => {
                reply::<supervisor::Tree, _>(self.tree().await)
            }
            Request::Supervisor(supervisor::Request::Restart(asked)) => {
                reply::<supervisor::Restart, _>(self.restart(asked, client.uid).await)
            }
            Request::Supervisor(supervisor::Request::SetLogLevel(asked)) => {
                reply::<supervisor::SetLogLevel, _>(self.set_log_level(asked))
            }
            Request::Events(events::Request::Recent(asked)) => self.recent(asked).await,
            Request::Events(events::Request::Subscribe(asked)) => self.subscribe(asked, replies).await?,
            Request::Metrics(metrics::Request::Get(_)) => reply::<metrics::Get, _>(self.metrics().await),
            Request::Archive(request) => self.answer_archive(client.uid, request).await,
            Request::Lock(request) => self.answer_lock(client.uid, request, replies).await?,
        })
    }
}

/// Returns the reply of a method that may give thousands of things; made on another thread, so that the others are not
/// kept waiting.
pub(super) async fn large_reply<M, E>(result: Result<M::Reply, E>) -> Reply
where
    M: Method<Reply: Send + 'static>,
    E: InterfaceError + Send + 'static,
{
    spawn_blocking(|| reply::<M, E>(result)).await.expect("to make a reply does not panic")
}

/// Returns the reply of a method that gives one.
pub(super) fn reply<M: Method, E: InterfaceError>(result: Result<M::Reply, E>) -> Reply {
    match result {
        Ok(answer) => Reply::last::<M>(&answer),
        Err(error) => Reply::error(&error),
    }
}
