//! A listening socket and the sessions of its clients, whatever they speak.
//!
//! The socket is made, or handed over, before the tree starts, and outlives every instance of this actor: clients that
//! connect while it is being restarted wait in the backlog. Nobody is served before the gate opens, which is when the
//! operations of an earlier life are known again.

use std::error::Error;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, net, os};

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{debug, info, warn};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error_chain::chain;
use crate::metrics::Metrics;

/// The wait after a connection could not be accepted: descriptors or memory may be back by then.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The time that an answer in progress has when the door is closed.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What is spoken at a door.
pub trait Protocol: Send + Sync + 'static {
    /// The door's name in metrics.
    const NAME: &'static str;
    /// The kind of socket that its clients connect to.
    type Listener: Listener;
    /// What the sessions of one instance of a door share.
    type Service: 'static;

    /// Makes what the sessions share, for the door that has this link.
    fn open(&self, link: &ChildLink) -> Self::Service;

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
    type Stream: 'static;

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
        Arc::new(Self { socket, gate, protocol, metrics, closing, sessions })
    }

    /// Returns what ends the sessions; those of an instance that has crashed belong to its successor.
    fn closing(&self) -> MutexGuard<'_, CancellationToken> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        match listener.next().await {
            Ok(client) => admit(client, Rc::clone(&service), &environment, log.clone()),
            Err(error) => {
                warn!(log, "cannot accept a client"; "error" => %error,
                      "next" => format!("try again in {ACCEPT_RETRY_DELAY:?}"));
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

fn admit<P: Protocol>(
    client: <P::Listener as Listener>::Stream,
    service: Rc<P::Service>,
    environment: &Arc<DoorEnvironment<P>>,
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
        drop(connected);
    });
}
