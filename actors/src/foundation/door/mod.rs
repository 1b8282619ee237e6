//! A listening socket and the sessions of its clients, whatever they speak.
//!
//! The socket is made, or handed over, before the tree starts, and outlives every instance of this actor: clients that
//! connect while it is being restarted wait in the backlog. Nobody is served before the gate opens, which is when the
//! operations of an earlier life are known again.
//!
//! Every client is either served or turned away at once: [`admission`](crate::foundation::admission) says which. Nobody is left in the
//! backlog because others have taken what there was.

pub mod text_session;

use std::error::Error;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, net, os};

use actix::prelude::*;
use lvmwarden_supervisor::process::open_files_limit;
use lvmwarden_supervisor::{ChildLink, ChildSpec, Shutdown, Stop};
use rustix::net::{SendFlags, send};
use slog::{debug, info, warn};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::foundation::admission::{Asker, Entrance, Place, Quota, Refusal, Room, Shortages, verdict};
use crate::foundation::error_chain::chain;
use crate::foundation::facts::metrics::Metrics;

/// The wait after a connection could not be accepted: descriptors or memory may be back by then.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The time that an answer in progress has when the door is closed.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long the clients' sessions have to end.
const DOOR_DEADLINE: Duration = Duration::from_millis(500);

/// What is spoken at a door.
pub trait Protocol: Send + Sync + 'static {
    /// The door's name in metrics.
    const NAME: &'static str;
    /// Whom it is for.
    const ENTRANCE: Entrance;
    /// The kind of socket that its clients connect to.
    type Listener: Listener;
    /// What the sessions of one instance of a door share.
    type Service: 'static;

    /// Makes what the sessions share, for the door that has this link.
    fn open(&self, link: &ChildLink) -> Self::Service;

    /// Returns what a client is told that is turned away; nothing where the protocol has no words for that.
    fn turned_away(_why: Refusal, _room: Room) -> Vec<u8> {
        Vec::new()
    }

    /// Serves a client until it goes away, or until `closing`; then there is time for an answer in progress.
    ///
    /// # Errors
    /// Why the client was dropped.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; a request that is being answered may or may not have taken effect.
    fn serve(
        service: Rc<Self::Service>,
        client: <Self::Listener as Listener>::Stream,
        closing: CancellationToken,
    ) -> impl Future<Output = Result<(), Box<dyn Error>>>;
}

/// A kind of listening socket.
pub trait Listener: Sized + 'static {
    /// The socket outside of any runtime.
    type Socket: Send + Sync;
    /// A connection.
    type Stream: AsFd + 'static;

    /// Registers a duplicate of `socket` with the current runtime; both are in non-blocking mode then.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated or registered.
    fn register(socket: &Self::Socket) -> io::Result<Self>;

    /// Waits for the next client.
    ///
    /// # Errors
    /// When it cannot be accepted; the next one may be.
    ///
    /// # Cancel safety
    /// Cancel-safe: no client is lost.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Returns who is at the other end.
    fn asker(stream: &Self::Stream) -> Asker;
}

impl Listener for UnixListener {
    type Socket = os::unix::net::UnixListener;
    type Stream = UnixStream;

    fn register(socket: &Self::Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.try_clone().and_then(Self::from_std)
    }

    async fn next(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }

    fn asker(stream: &UnixStream) -> Asker {
        // Whoever the kernel does not tell is no better than the user that is nobody.
        stream.peer_cred().map_or(Asker::User(u32::MAX), |cred| Asker::of(cred.uid()))
    }
}

impl Listener for TcpListener {
    type Socket = net::TcpListener;
    type Stream = TcpStream;

    fn register(socket: &Self::Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.try_clone().and_then(Self::from_std)
    }

    async fn next(&self) -> io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }

    fn asker(_: &TcpStream) -> Asker {
        Asker::Unknown
    }
}

/// What a door needs, over all its restarts.
pub struct DoorEnvironment<P: Protocol> {
    socket: <P::Listener as Listener>::Socket,
    /// Opens when clients may be served.
    gate: watch::Receiver<bool>,
    protocol: P,
    metrics: Arc<Metrics>,
    /// Ends every session; another one after a restart that was asked for.
    closing: Mutex<CancellationToken>,
    /// The sessions, so that a stop can wait for them.
    sessions: TaskTracker,
    /// Who is in, also of instances that have crashed.
    clients: Quota,
    shortages: Mutex<Shortages>,
}

impl<P: Protocol> DoorEnvironment<P> {
    /// Describes a door at `socket` that is open as soon as `gate` is true.
    pub fn new(
        socket: <P::Listener as Listener>::Socket,
        gate: watch::Receiver<bool>,
        metrics: Arc<Metrics>,
        protocol: P,
    ) -> Arc<Self> {
        let (closing, sessions) = (Mutex::default(), TaskTracker::new());
        let (clients, shortages) = (Quota::default(), Mutex::default());
        Arc::new(Self { socket, gate, protocol, metrics, closing, sessions, clients, shortages })
    }

    /// Returns what ends the sessions; those of an instance that has crashed belong to its successor.
    fn closing(&self) -> MutexGuard<'_, CancellationToken> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shortages(&self) -> MutexGuard<'_, Shortages> {
        self.shortages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a client is turned away, and says so when it is the first for this reason.
    fn turn_away(&self, why: Refusal, log: &slog::Logger, next: &str) {
        self.metrics.turned_away(P::NAME, why.as_str());
        if self.shortages().turn_away(why, Instant::now()) {
            warn!(log, "clients are turned away"; "why" => %why, "next" => next);
        }
    }

    /// Says which shortages are over, when they are.
    async fn await_end_of_shortage(&self, log: &slog::Logger) {
        let Some(end) = self.shortages().next_end() else { return std::future::pending().await };
        sleep_until(end).await;
        for ended in self.shortages().end(Instant::now()) {
            info!(log, "clients are let in again"; "why_not_before" => %ended.why,
                  "turned_away" => ended.turned_away, "lasted_seconds" => ended.lasted.as_secs());
        }
    }
}

/// The gate of a door behind which nothing has to be recovered.
pub fn always_open() -> watch::Receiver<bool> {
    watch::channel(true).1
}

/// Returns a door as a child of a supervisor.
pub fn door<P: Protocol>(environment: &Arc<DoorEnvironment<P>>) -> ChildSpec {
    let environment = Arc::clone(environment);
    ChildSpec::worker(P::NAME, move |link| Door::new(Arc::clone(&environment), link))
        .shutdown(Shutdown::Deadline(DOOR_DEADLINE))
}

/// The actor that accepts clients.
pub struct Door<P: Protocol> {
    link: ChildLink,
    environment: Arc<DoorEnvironment<P>>,
}

impl<P: Protocol> Door<P> {
    /// Makes the actor.
    pub fn new(environment: Arc<DoorEnvironment<P>>, link: ChildLink) -> Self {
        Self { link, environment }
    }
}

impl<P: Protocol> Actor for Door<P> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let listener = match P::Listener::register(&self.environment.socket) {
            Ok(listener) => listener,
            Err(error) => {
                self.link.fail(format!("cannot listen: {error}"));
                ctx.stop();
                return;
            }
        };
        if self.environment.closing().is_cancelled() {
            *self.environment.closing() = CancellationToken::new();
            self.environment.sessions.reopen();
        }
        let service = Rc::new(self.environment.protocol.open(&self.link));
        let accepting = accept(listener, service, Arc::clone(&self.environment), self.link.log.clone());
        ctx.spawn(accepting.into_actor(self));
    }
}

impl<P: Protocol> Handler<Stop> for Door<P> {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.environment.closing().cancel();
        self.environment.sessions.close();
        let sessions = self.environment.sessions.clone();
        ctx.wait(async move { sessions.wait().await }.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

async fn accept<P: Protocol>(
    listener: P::Listener,
    service: Rc<P::Service>,
    environment: Arc<DoorEnvironment<P>>,
    log: slog::Logger,
) {
    let mut gate = environment.gate.clone();
    if gate.wait_for(|open| *open).await.is_err() {
        return;
    }
    info!(log, "clients are served");
    loop {
        // Both are cancel-safe.
        tokio::select! {
            accepted = listener.next() => match accepted {
                Ok(client) => admit(client, Rc::clone(&service), &environment, log.clone()),
                Err(error) => {
                    let next = format!("try again in {ACCEPT_RETRY_DELAY:?}: {error}");
                    environment.turn_away(Refusal::System, &log, &next);
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
            () = environment.await_end_of_shortage(&log) => {}
        }
    }
}

/// Serves a client, or turns it away.
fn admit<P: Protocol>(
    client: <P::Listener as Listener>::Stream,
    service: Rc<P::Service>,
    environment: &Arc<DoorEnvironment<P>>,
    log: slog::Logger,
) {
    let asker = P::Listener::asker(&client);
    // Asked each time: whoever has started the daemon may change it.
    let room = Room::of(P::ENTRANCE, asker, open_files_limit());
    let number = usize::try_from(client.as_fd().as_raw_fd()).unwrap_or(usize::MAX);
    match environment.clients.take_if(asker, |inside| verdict(room, inside, asker, number)) {
        Ok(place) => serve(client, service, environment, place, log),
        Err(why) => {
            environment.turn_away(
                why,
                &log,
                "close their connections, until some of those that are open are closed",
            );
            // It need not be there any more, and a buffer that is new has room.
            let _ = send(&client, &P::turned_away(why, room), SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
    }
}

fn serve<P: Protocol>(
    client: <P::Listener as Listener>::Stream,
    service: Rc<P::Service>,
    environment: &Arc<DoorEnvironment<P>>,
    place: Place,
    log: slog::Logger,
) {
    let connected = environment.metrics.connection(P::NAME);
    let closing = environment.closing().clone();
    environment.sessions.spawn_local(async move {
        let out_of_time = async {
            closing.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        // Both arms may be dropped: `serve` says what that means for a request in progress.
        tokio::select! {
            () = out_of_time => {}
            served = P::serve(service, client, closing.clone()) => {
                if let Err(error) = served {
                    debug!(log, "a client was dropped"; "error" => chain(&*error));
                }
            }
        }
        drop((connected, place));
    });
}
