//! Which call is answered at all, and by whom.

use lvmwarden_protocol::api::service::Bounded;
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{CodecError, Reply};

use super::connection::Arrived;
use super::{ApiService, Client, WAITING};
use crate::foundation::admission::Asker;
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{Asked, Patience, too_many};
use crate::service::access::Permission;

/// Returns what is asked and the number of the part that answers, or what to answer instead, and what that is called in
/// metrics.
///
/// Who may not call a method is not told what is wrong with the call; who may call some is told which names do not exist.
pub(super) fn admit(permission: Permission, call: Arrived) -> Result<(usize, Asked), (Reply, &'static str)> {
    let denied = (Reply::error(&VarlinkError::PermissionDenied), "(denied)");
    if permission == Permission::Refused {
        return Err(denied);
    }
    let unknown = matches!(
        call.request,
        Err(VarlinkError::InterfaceNotFound { .. } | VarlinkError::MethodNotFound { .. })
    );
    if !unknown && !permission.allows(call.is_watching) {
        return Err(denied);
    }
    call.request.map_err(|error| (Reply::error(&error), "(invalid)"))
}

impl ApiService {
    /// Answers a request that its client may make, and returns the last reply, which is to be sent.
    ///
    /// # Errors
    /// When replies before the last could not be sent.
    pub(super) async fn answer(
        &self,
        client: Client,
        (part, asked): (usize, Asked),
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let waits = asked.patience == Patience::Endless;
        let wanted = waits.then(|| self.waiting.take(WAITING, Asker::of(client.uid)));
        let _waiting = match wanted.transpose() {
            Ok(place) => place,
            Err(excess) => return Ok(Reply::error(&too_many(Bounded::WaitingCalls, WAITING, excess)).into()),
        };
        self.parts[part].answer(client.uid, asked.request, replies).await
    }
}
