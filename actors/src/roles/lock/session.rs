//! What lvmlockd's clients are answered.
//!
//! A client that waits for a lock is watched: when it goes away its request leaves the queue. (The C daemon looks only
//! when it has answered.)

mod answers;
mod listing;
mod routes;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use lvmwarden_protocol::framing::{FramingError, MessageCodec};
use lvmwarden_protocol::lock::{Reply, Request};
use lvmwarden_supervisor::ChildLink;
use lvmwarden_supervisor::process::peer_identity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use slog::{Logger, debug, trace};
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::codec::Encoder as _;
use tokio_util::sync::CancellationToken;

use crate::foundation::admission::Entrance;
use crate::foundation::door::Protocol;
use crate::foundation::door::text_session::{Parser, WRITE_DEADLINE, read_message, within};
use crate::roles::lock::directory::Directory;
use crate::roles::lock::environment::LockEnvironment;
use crate::roles::lock::lockspace::ask::{Client, ClientId, Ticket};
use crate::roles::lock::metrics::{Counted, DOOR, LockMetrics};

/// How much of a message is logged.
const LOGGED_BYTES: usize = 16 * 1024;

/// The lock protocol, at a door of its own.
pub struct Lvmlockd {
    /// What the sessions ask of.
    pub lock: Arc<LockEnvironment>,
    /// Where `info` and `dump` go.
    pub dumps: Arc<dyn Dumps>,
    /// Told when a client has the daemon end.
    pub quit: Arc<Notify>,
    /// What is counted.
    pub metrics: LockMetrics,
    /// Every message is logged.
    pub wire: bool,
}

/// The other way by which lvmlockctl gets what is long.
pub trait Dumps: Send + Sync {
    /// Returns the latest lines of the log, oldest first.
    fn log(&self) -> Bytes;

    /// Writes what `info` shows, in the way that the lvmlockctl of this host reads.
    fn format(&self) -> lvmwarden_protocol::lock::info::InfoFormat;

    /// Begins to send a dump to whoever listens; waits for nobody.
    fn send(&self, dump: Bytes);
}

impl Protocol for Lvmlockd {
    const NAME: &'static str = DOOR;
    const ENTRANCE: Entrance = Entrance::Lvm;
    type Listener = UnixListener;
    type Service = LockService;

    fn open(&self, link: &ChildLink) -> LockService {
        LockService {
            directory: Directory::new(link.registry.clone(), Arc::clone(&self.lock)),
            dumps: Arc::clone(&self.dumps),
            quit: Arc::clone(&self.quit),
            metrics: self.metrics.clone(),
            parser: Parser::default(),
            log: link.log.clone(),
            wire: self.wire,
        }
    }

    async fn serve(
        service: Rc<LockService>,
        client: UnixStream,
        closing: CancellationToken,
    ) -> Result<(), Box<dyn Error>> {
        let environment = service.directory.environment();
        let _activity = environment.activity.begin();
        let session = Session::enter(&service, &client);
        // A request in progress is dropped: it may or may not take effect, as when the daemon is killed.
        tokio::select! {
            () = closing.cancelled() => Ok(()),
            served = session.serve(client) => Ok(served?),
        }
    }
}

/// What the sessions of lvmlockd's clients share.
pub struct LockService {
    directory: Directory,
    dumps: Arc<dyn Dumps>,
    quit: Arc<Notify>,
    metrics: LockMetrics,
    parser: Parser,
    log: Logger,
    wire: bool,
}

/// One connected client.
struct Session<'a> {
    service: &'a LockService,
    id: ClientId,
    client: RefCell<Arc<Client>>,
    /// The lockspaces that know this client.
    met: RefCell<Vec<Arc<str>>>,
    /// The request for a lock that was not answered yet, and its lockspace.
    last: RefCell<Option<(Ticket, Arc<str>)>>,
    is_named: Cell<bool>,
}

/// A reply, and what comes after it.
struct Answered {
    reply: Reply,
    dump: Option<Bytes>,
    quits: bool,
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self { reply, dump: None, quits: false }
    }
}

impl<'a> Session<'a> {
    fn enter(service: &'a LockService, stream: &UnixStream) -> Self {
        let pid = stream.peer_cred().ok().and_then(|peer| u32::try_from(peer.pid()?).ok()).unwrap_or(0);
        let clients = &service.directory.environment().clients;
        let process = peer_identity(stream.as_fd(), pid).ok();
        let client = clients.enter(pid, process);
        Self {
            service,
            id: client.id,
            client: RefCell::new(client),
            met: RefCell::default(),
            last: RefCell::default(),
            is_named: Cell::new(false),
        }
    }

    async fn serve(&self, mut stream: UnixStream) -> Result<(), FramingError> {
        let mut codec = MessageCodec;
        while let Some(message) = read_message(&mut stream, &mut codec).await? {
            let (metrics, begin) = (&self.service.metrics, Instant::now());
            let Some(request) = self.parse(message).await else {
                metrics.not_understood();
                continue;
            };
            let counted = Counted::of(&request.operation);
            let answered = tokio::select! {
                biased;
                answered = Box::pin(self.answer(request)) => answered,
                () = hung_up(&stream) => {
                    metrics.left(counted, begin.elapsed());
                    return Ok(());
                }
            };
            metrics.answered(counted, answered.reply.result().as_str(), begin.elapsed());
            let mut framed = BytesMut::new();
            codec.encode(answered.reply.to_bytes(), &mut framed)?;
            if self.service.wire {
                trace!(self.service.log, "reply"; "client" => self.id.0, "message" => shown(&framed));
            }
            within(WRITE_DEADLINE, stream.write_all(&framed)).await.flatten()?;
            self.last.replace(None);
            if let Some(dump) = answered.dump {
                self.service.dumps.send(dump);
            }
            if answered.quits {
                self.service.quit.notify_one();
            }
        }
        Ok(())
    }

    /// Returns what a message asks for; nothing where it gets no reply.
    async fn parse(&self, message: Bytes) -> Option<Request> {
        if self.service.wire {
            trace!(self.service.log, "request"; "client" => self.id.0, "message" => shown(&message));
        }
        match self.service.parser.parse(message, Request::parse).await {
            Ok(request) => {
                self.name_after(&request);
                Some(request)
            }
            Err(error) => {
                debug!(self.service.log, "request not understood"; "client" => self.id.0, "error" => %error,
                       "next" => "it gets no reply");
                None
            }
        }
    }

    /// The first command that says what it is names the connection.
    fn name_after(&self, request: &Request) {
        if !request.cmd.is_empty() && !self.is_named.replace(true) {
            let named = self.service.directory.environment().clients.name(self.id, &request.cmd);
            if let Some(named) = named {
                self.client.replace(named);
            }
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let directory = &self.service.directory;
        directory.environment().clients.leave(self.id);
        directory.client_left(self.id, &self.met.borrow());
        // In this order: what waits has left the queue by then, and what was granted meanwhile is given back.
        if let Some((ticket, lockspace)) = self.last.take() {
            directory.undelivered(ticket, &lockspace);
        }
    }
}

/// Waits until the client has closed its connection; one that has only said its last word is not gone.
async fn hung_up(stream: &UnixStream) {
    match stream.ready(Interest::READABLE).await {
        Ok(ready) if !ready.is_read_closed() => {
            // It has said something already: it is heard when it is its turn.
            std::future::pending::<()>().await;
        }
        Ok(_) | Err(_) => {
            let mut watched = [PollFd::new(stream, PollFlags::empty())];
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            let is_gone = poll(&mut watched, Some(&at_once)).is_ok()
                && watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR);
            if !is_gone {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Returns as much of a message as is logged.
fn shown(message: &[u8]) -> String {
    String::from_utf8_lossy(&message[..message.len().min(LOGGED_BYTES)]).into_owned()
}
