//! The JSON API: what a client of `/run/lvmwarden/org.lvmwarden` is answered.
//!
//! One call after the other, in the order in which they come:
//!
//! 1. `connection` reads a call, and is answered for as long as the client is there;
//! 2. `dispatch` asks [`access`](crate::service::access) whether this client may call it, and finds who answers;
//! 3. an interface answers: `about`, `poll`, `foreign`, `watch`, `tree`, `stream`, `scrape`, `archive`, `lock`, `metadata`.
//!
//! A client can do no harm to others, whatever it sends or does not read:
//!
//! * a call has a largest size, and must be whole within [`HALF_MESSAGE_DEADLINE`](crate::foundation::door::text_session::HALF_MESSAGE_DEADLINE);
//! * what may be long is told in pages, which are made and bounded by `outgoing`;
//! * a reply must be taken within [`WRITE_DEADLINE`]; who resumes from its cursor has missed nothing;
//! * there are at most [`WAITING`] calls that wait for what happens, be it for a stream or a single reply, and each user has
//!   its share of them; each holds a page of events, and ends with its client.

mod about;
pub(crate) mod connection;
pub(crate) mod dispatch;
pub(crate) mod outgoing;
mod scrape;
mod stream;
mod tree;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use lvmwarden_protocol::api::service::{self, Bounded, Request as ServiceRequest};
use lvmwarden_protocol::api::{Call, CodecError, JsonCodec, Reply, Request};
use lvmwarden_supervisor::sys::peer_groups;
use lvmwarden_supervisor::{ChildLink, Registry};
use slog::{Logger, info, warn};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;
use tokio_util::codec::Encoder as _;
use tokio_util::sync::CancellationToken;

use crate::foundation::admission::{Entrance, Excess, Quota, Refusal, Room, Shares};
use crate::foundation::door::Protocol;
use crate::foundation::door::text_session::Parser;
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::store::history::teller::Teller;
use crate::roles::poll::api::foreign::Paces;
use crate::roles::poll::operation::directory::Directory;
use crate::service::ServiceEnvironment;
use crate::service::access::{Peer, Permission};
use connection::Connection;
use outgoing::Outgoing;

pub(crate) use scrape::scrape;

/// The longest that a client may take to read a reply.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// The longest that actors may take to answer what is asked of them, unless a journal is involved.
pub(crate) const ANSWER_DEADLINE: Duration = Duration::from_secs(5);
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
    pub(crate) environment: Arc<ServiceEnvironment>,
    pub(crate) registry: Registry,
    /// The poll operations, where the poll role is turned on.
    pub(crate) directory: Option<Directory>,
    /// What has happened to them.
    pub(crate) teller: Teller,
    pub(crate) parser: Parser,
    /// What is on its way to clients.
    pub(crate) outgoing: Outgoing,
    /// Who waits for what happens.
    pub(crate) waiting: Quota,
    pub(crate) last_refusal: Cell<Option<Instant>>,
    /// How fast copies are that are not ours, as far as clients have asked.
    pub(crate) foreign_paces: RefCell<Paces>,
    pub(crate) log: Logger,
}

/// One client, and what it may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    uid: u32,
    permission: Permission,
}

impl Protocol for Api {
    const NAME: &'static str = "api";
    const ENTRANCE: Entrance = Entrance::Api;
    type Listener = UnixListener;
    type Service = ApiService;

    fn open(&self, link: &ChildLink) -> ApiService {
        let registry = link.registry.clone();
        let poll = self.environment.poll.as_ref();
        ApiService {
            environment: Arc::clone(&self.environment),
            directory: poll.map(|poll| Directory::new(registry.clone(), Arc::clone(poll))),
            teller: Teller::new(registry.clone()),
            registry,
            parser: Parser::default(),
            outgoing: Outgoing::default(),
            waiting: Quota::default(),
            last_refusal: Cell::default(),
            foreign_paces: RefCell::default(),
            log: link.log.clone(),
        }
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

/// Returns how a client is told that it gets no more of something.
pub(crate) fn too_many(what: Bounded, shares: Shares, excess: Excess) -> service::Error {
    let (uid, limit) = match excess {
        Excess::Yours { uid } => (Some(uid), shares.each()),
        Excess::Others => (None, shares.others()),
        Excess::All => (None, shares.all),
    };
    service::Error::TooMany { what, uid, limit: limit as u64 }
}

impl ApiService {
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
                call = connection.next(&self.parser) => call?,
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
            let stop = match &request {
                Request::Service(ServiceRequest::Stop(stop)) => Some(stop.leave_children),
                _another => None,
            };
            let (method, is_patient) = (request.method(), dispatch::is_patient(&request));
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
                info!(self.log, "a client asks the daemon to end"; "uid" => client.uid,
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
        warn!(self.log, "a client is refused"; "uid" => uid, "next" => "each of its calls is denied");
        self.environment.events.publish(&Occurrence::ClientRefused { uid });
    }
}

#[cfg(test)]
mod tests;
