//! A listening socket and the sessions of its clients.
//!
//! The socket is made, or handed over, before the tree starts, and outlives every instance of this actor: clients that
//! connect while it is being restarted wait in the backlog. Nobody is served before the gate opens, which is when the
//! operations of an earlier life are known again.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{debug, info, warn};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::environment::PollEnvironment;
use crate::poll_operation::directory::Directory;
use crate::session;
use crate::session::poll::PollService;

/// The wait after a connection could not be accepted: descriptors or memory may be back by then.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// What a door needs, over all its restarts.
pub struct DoorEnvironment {
    /// The listening socket, in non-blocking mode.
    pub listener: StdListener,
    /// Opens when clients may be served.
    pub gate: watch::Receiver<bool>,
    /// Every message is logged.
    pub wire: bool,
    /// What the sessions ask of.
    pub poll: Arc<PollEnvironment>,
    /// Ends every session.
    pub closing: CancellationToken,
    /// The sessions, so that a stop can wait for them.
    pub sessions: TaskTracker,
}

/// The actor that accepts clients.
pub struct Door {
    link: ChildLink,
    environment: Arc<DoorEnvironment>,
}

impl Door {
    /// Makes the actor.
    pub fn new(environment: Arc<DoorEnvironment>, link: ChildLink) -> Self {
        Self { link, environment }
    }
}

impl Actor for Door {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let listener = match self.environment.listener.try_clone().and_then(UnixListener::from_std) {
            Ok(listener) => listener,
            Err(error) => {
                self.link.fail(format!("cannot listen: {error}"));
                ctx.stop();
                return;
            }
        };
        let directory = Directory::new(self.link.registry.clone(), Arc::clone(&self.environment.poll));
        let service = Rc::new(PollService::new(directory, self.link.log.clone(), self.environment.wire));
        let accepting = accept(listener, service, Arc::clone(&self.environment), self.link.log.clone());
        ctx.spawn(accepting.into_actor(self));
    }
}

impl Handler<Stop> for Door {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.environment.closing.cancel();
        self.environment.sessions.close();
        let sessions = self.environment.sessions.clone();
        ctx.wait(async move { sessions.wait().await }.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

async fn accept(
    listener: UnixListener,
    service: Rc<PollService>,
    environment: Arc<DoorEnvironment>,
    log: slog::Logger,
) {
    let mut gate = environment.gate.clone();
    if gate.wait_for(|open| *open).await.is_err() {
        return;
    }
    info!(log, "clients are served");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => admit(stream, Rc::clone(&service), &environment, log.clone()),
            Err(error) => {
                warn!(log, "cannot accept a client"; "error" => %error,
                      "next" => format!("try again in {ACCEPT_RETRY_DELAY:?}"));
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

fn admit(
    stream: UnixStream,
    service: Rc<PollService>,
    environment: &Arc<DoorEnvironment>,
    log: slog::Logger,
) {
    let activity = environment.poll.activity.begin();
    let closing = environment.closing.clone();
    environment.sessions.spawn_local(async move {
        // Both arms may be dropped: `serve` says what that means for a request in progress.
        tokio::select! {
            () = closing.cancelled() => {}
            served = session::serve(stream, &*service) => {
                if let Err(error) = served {
                    debug!(log, "a client was dropped"; "error" => %error, "cause" => cause(&error));
                }
            }
        }
        drop(activity);
    });
}

fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| "(none)".to_owned(), ToString::to_string)
}

/// Makes a listener of a socket that another process made, or this one before it started its threads.
///
/// # Errors
/// When the socket cannot be put into non-blocking mode.
pub fn prepare(listener: StdListener) -> io::Result<StdListener> {
    listener.set_nonblocking(true)?;
    Ok(listener)
}
