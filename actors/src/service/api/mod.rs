//! The JSON API: what a client of `/run/lvmwarden/org.lvmwarden` is answered.
//!
//! One call after the other, in the order in which they come:
//!
//! 1. `connection` reads a call, and is answered for as long as the client is there;
//! 2. `dispatch` asks [`access`](crate::service::access) whether this client may call it, and finds who answers;
//! 3. the part of the interface answers: the own ones are `about`, `tree`, `stream` and `scrape`; the others are the roles'.
//!
//! A client can do no harm to others, whatever it sends or does not read:
//!
//! * a call has a largest size, and must be whole within [`HALF_MESSAGE_DEADLINE`](crate::foundation::door::text_session::HALF_MESSAGE_DEADLINE);
//! * what may be long is told in pages, which are made and bounded by `outgoing`;
//! * a reply must be taken within [`WRITE_DEADLINE`](crate::foundation::api::replies::WRITE_DEADLINE); who resumes from its cursor has missed nothing;
//! * there are at most [`WAITING`] calls that wait for what happens, be it for a stream or a single reply, and each user has
//!   its share of them; each holds a page of events, and ends with its client.

mod about;
mod connection;
mod dispatch;
mod scrape;
mod stream;
mod tree;

use std::cell::Cell;
use std::error::Error;
use std::iter;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use lvmwarden_protocol::api::service::{self, Bounded, Request as ServiceRequest};
use lvmwarden_protocol::api::{Call, CodecError, INTERFACES, JsonCodec, Reply};
use lvmwarden_supervisor::sys::peer_groups;
use lvmwarden_supervisor::{ChildLink, Registry};
use slog::{Logger, info, warn};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;
use tokio_util::codec::Encoder as _;
use tokio_util::sync::CancellationToken;

use crate::foundation::admission::{Entrance, Quota, Refusal, Room, Shares};
use crate::foundation::api::outgoing::Outgoing;
use crate::foundation::api::{ApiContext, ApiPart, Described, Patience, too_many};
use crate::foundation::door::Protocol;
use crate::foundation::door::text_session::Parser;
use crate::foundation::facts::occurrence::Occurrence;
use crate::service::ServiceEnvironment;
use crate::service::access::{Peer, Permission};
use about::{About, Whole};
use connection::Connection;
use scrape::Numbers;
use stream::Happenings;
use tree::Supervision;

pub(crate) use scrape::scrape;

/// How many calls may wait for what happens at once: each costs something whenever anything happens.
pub const WAITING: Shares = Shares { all: 1000 };
/// After a client was refused, how long others may be without an event of their own.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);

/// The JSON API, at a door of its own.
pub struct Api {
    /// What the sessions share.
    pub environment: Arc<ServiceEnvironment>,
}

/// What the sessions of one instance of the door share.
pub struct ApiService {
    environment: Arc<ServiceEnvironment>,
    /// Who answers: a part for each interface.
    parts: Vec<ApiPart>,
    /// Their interfaces, in the same order.
    described: Arc<[Described]>,
    parser: Parser,
    /// Who waits for what happens.
    waiting: Quota,
    last_refusal: Cell<Option<Instant>>,
    /// What the parts share.
    context: Rc<ApiContext>,
}

/// One client, and what it may do.
#[derive(Debug, Clone, Copy)]
struct Client {
    uid: u32,
    permission: Permission,
}

impl Protocol for Api {
    const NAME: &'static str = "api";
    const ENTRANCE: Entrance = Entrance::Api;
    type Listener = UnixListener;
    type Service = ApiService;

    fn open(&self, link: &ChildLink) -> ApiService {
        ApiService::new(&self.environment, link.registry.clone(), link.log.clone())
    }

    fn turned_away(why: Refusal, room: Room) -> Vec<u8> {
        let error = match why {
            Refusal::Excess(excess) => too_many(Bounded::Connections, room.shares, excess),
            Refusal::Kept | Refusal::System => service::Error::Busy,
        };
        let mut told = BytesMut::new();
        JsonCodec::<Call>::default().encode(&Reply::error(&error), &mut told).expect("it is short");
        told.to_vec()
    }

    async fn serve(
        service: Rc<ApiService>,
        mut stream: UnixStream,
        closing: CancellationToken,
    ) -> Result<(), Box<dyn Error>> {
        let cred = stream.peer_cred()?;
        let mut gids = peer_groups(stream.as_fd())?;
        gids.push(cred.gid());
        let permission = service.environment.access.of(&Peer { uid: cred.uid(), gids });
        let client = Client { uid: cred.uid(), permission };
        Ok(service.serve(client, Connection::new(&mut stream), &closing).await?)
    }
}

impl ApiService {
    fn new(environment: &Arc<ServiceEnvironment>, registry: Registry, log: Logger) -> Self {
        let context = Rc::new(ApiContext { registry, outgoing: Outgoing::default(), log });
        let of_roles = environment.roles.iter().filter_map(|role| role.api(&context));
        let mut parts: Vec<_> = of_roles.chain(own_parts(environment, &context)).collect();
        // As clients are told of them.
        parts.sort_by_key(|part| {
            let place = INTERFACES.iter().position(|(name, _)| *name == part.described.name);
            place.unwrap_or(usize::MAX)
        });
        let described: Arc<[_]> =
            iter::once(Described::of::<About>()).chain(parts.iter().map(|part| part.described)).collect();
        let about = About { environment: Arc::clone(environment), described: Arc::clone(&described) };
        parts.insert(0, ApiPart::new(about));
        Self {
            environment: Arc::clone(environment),
            parts,
            described,
            parser: Parser::default(),
            waiting: Quota::default(),
            last_refusal: Cell::default(),
            context,
        }
    }

    /// Answers one call after the other, until the client goes away or the daemon ends.
    async fn serve(
        &self,
        client: Client,
        mut connection: Connection<'_>,
        closing: &CancellationToken,
    ) -> Result<(), CodecError> {
        if client.permission == Permission::Refused {
            self.note_refusal(client.uid);
        }
        loop {
            // Nothing of a call is lost that would have been answered.
            let call = tokio::select! {
                call = connection.next(&self.parser, &self.described) => call?,
                () = closing.cancelled() => return Ok(()),
            };
            let Some(call) = call else { return Ok(()) };
            let (begin, metrics) = (Instant::now(), &self.environment.metrics);
            let oneway = call.oneway;
            let request = match dispatch::admit(client.permission, call) {
                Ok(request) => request,
                Err((refusal, word)) => {
                    metrics.answered(Api::NAME, word, begin.elapsed());
                    connection.replies(oneway).send(refusal).await?;
                    continue;
                }
            };
            let (method, is_patient) = (request.1.method, request.1.patience != Patience::Brief);
            let stop = match request.1.request.downcast_ref() {
                Some(ServiceRequest::Stop(stop)) => Some(stop.leave_children),
                _another => None,
            };
            let (mut replies, presence) = connection.both(oneway);
            // On the heap: an idle session, of which there may be thousands, needs no room for any answer.
            let answering = Box::pin(self.answer(client, request, &mut replies));
            let last = if is_patient {
                metrics.streamed(Api::NAME, method);
                // Whoever waits changes nothing: what is dropped here can be asked again.
                tokio::select! {
                    last = answering => last?,
                    () = presence.end() => return Ok(()),
                    () = closing.cancelled() => return Ok(()),
                }
            } else {
                let last = answering.await?;
                metrics.answered(Api::NAME, method, begin.elapsed());
                last
            };
            let is_refused = last.is_refusal();
            let sent = replies.send_last(last).await;
            if let Some(leave_children) = stop.filter(|_| !is_refused) {
                info!(self.context.log, "a client asks the daemon to end"; "uid" => client.uid,
                      "leave_children" => leave_children);
                self.environment.control.stop(leave_children);
            }
            sent?;
        }
    }

    /// Says that somebody was refused; not so often that it drowns everything else.
    fn note_refusal(&self, uid: u32) {
        if self.last_refusal.get().is_some_and(|last| last.elapsed() < REFUSAL_PAUSE) {
            return;
        }
        self.last_refusal.set(Some(Instant::now()));
        warn!(self.context.log, "a client is refused"; "uid" => uid, "next" => "each of its calls is denied");
        self.environment.events.publish(&Occurrence::ClientRefused { uid });
    }
}

/// Returns the parts that are the service's own, but for [`About`], which knows them all.
fn own_parts(environment: &Arc<ServiceEnvironment>, context: &Rc<ApiContext>) -> [ApiPart; 4] {
    let own = || Own { environment: Arc::clone(environment), context: Rc::clone(context) };
    [
        ApiPart::new(Whole(own())),
        ApiPart::new(Supervision(own())),
        ApiPart::new(Happenings(own())),
        ApiPart::new(Numbers(own())),
    ]
}

/// What the service's own parts work with.
struct Own {
    environment: Arc<ServiceEnvironment>,
    context: Rc<ApiContext>,
}

#[cfg(test)]
pub(in crate::service) mod tests;
