//! What lvmpolld's clients are answered.

use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use lvmwarden_protocol::ids::Store;
use lvmwarden_protocol::poll::{
    Dump, DumpEntry, DumpState, Outcome as WireOutcome, POLLING_FAILED, ProgressRequest, Refusal, Reply,
    Request, StartRequest,
};
use lvmwarden_supervisor::ChildLink;
use slog::{Logger, warn};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::foundation::activity::Activity;
use crate::foundation::admission::Entrance;
use crate::foundation::door::Protocol;
use crate::foundation::door::text_session::{self, Parser, Service, log_message};
use crate::foundation::facts::metrics::Metrics;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::directory::Directory;
use crate::roles::poll::operation::messages::Description;
use crate::roles::poll::operation::outcome::Outcome;
use crate::roles::poll::operation::state::{Progress, StartAnswer};

/// The poll protocol, at a door of its own.
pub struct Lvmpolld {
    /// What the sessions ask of.
    pub poll: Arc<PollEnvironment>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Every message is logged.
    pub wire: bool,
}

impl Protocol for Lvmpolld {
    const NAME: &'static str = "lvmpolld";
    const ENTRANCE: Entrance = Entrance::Lvm;
    type Listener = UnixListener;
    type Service = PollService;

    fn open(&self, link: &ChildLink) -> PollService {
        PollService {
            directory: Directory::new(link.registry.clone(), Arc::clone(&self.poll)),
            activity: self.poll.activity.clone(),
            metrics: Arc::clone(&self.metrics),
            parser: Parser::default(),
            log: link.log.clone(),
            wire: self.wire,
        }
    }

    async fn serve(
        service: Rc<PollService>,
        client: UnixStream,
        closing: CancellationToken,
    ) -> Result<(), Box<dyn Error>> {
        let _activity = service.activity.begin();
        let session = Client { service: &service, uid: client.peer_cred().ok().map(|peer| peer.uid()) };
        // A request in progress is dropped: it may or may not take effect, as when the daemon is killed.
        tokio::select! {
            () = closing.cancelled() => Ok(()),
            served = text_session::serve(client, &session) => Ok(served?),
        }
    }
}

/// What the sessions of lvmpolld's clients share.
pub struct PollService {
    directory: Directory,
    activity: Activity,
    metrics: Arc<Metrics>,
    parser: Parser,
    log: Logger,
    wire: bool,
}

/// One client.
struct Client<'a> {
    service: &'a PollService,
    uid: Option<u32>,
}

impl PollService {
    async fn reply(&self, request: Result<Request, Refusal>, uid: Option<u32>) -> Reply {
        match request {
            Ok(Request::Hello) => Reply::Hello,
            Ok(Request::Start(request)) => self.start(request, uid).await,
            Ok(Request::Progress(request)) => self.progress(&request).await,
            Ok(Request::Dump) => dump(self.directory.describe().await),
            Err(refusal) => refusal.into(),
        }
    }

    async fn start(&self, request: StartRequest, uid: Option<u32>) -> Reply {
        match self.directory.start(request, uid).await {
            StartAnswer::Ok { .. } => Reply::Ok,
            StartAnswer::DifferentOperation => Refusal::DifferentOperation.into(),
            StartAnswer::Leaving => Reply::Failed("lvmpolld is shutting down".to_owned()),
            StartAnswer::Failed { reason } => Reply::Failed(reason),
        }
    }

    async fn progress(&self, request: &ProgressRequest) -> Reply {
        match self.directory.collect(&request.id()).await {
            Ok(Progress::NotFound) => Reply::NotFound,
            Ok(Progress::InProgress) => Reply::InProgress,
            Ok(Progress::Ended(outcome)) => match wire_outcome(&outcome) {
                Some(outcome) => Reply::Finished(outcome),
                None => Reply::Failed(POLLING_FAILED.to_owned()),
            },
            Err(error) => {
                warn!(self.log, "a poll operation does not answer"; "operation" => %request.id(), "error" => %error,
                      "next" => "the client is told that polling failed");
                Reply::Failed(POLLING_FAILED.to_owned())
            }
        }
    }

    fn log_wire(&self, direction: &str, message: &[u8]) {
        if self.wire {
            log_message(&self.log, direction, message);
        }
    }
}

impl Service for Client<'_> {
    async fn answer(&self, message: Bytes) -> Bytes {
        let (service, begin) = (self.service, Instant::now());
        service.log_wire("<-", &message);
        let request = service.parser.parse(message, Request::parse).await;
        let word = word(&request);
        let reply = service.reply(request, self.uid).await.to_bytes();
        service.log_wire("->", &reply);
        service.metrics.answered(Lvmpolld::NAME, word, begin.elapsed());
        reply
    }
}

/// Returns what a request is called in metrics.
fn word(request: &Result<Request, Refusal>) -> &'static str {
    match request {
        Ok(Request::Hello) => "hello",
        Ok(Request::Start(request)) => request.kind.as_str(),
        Ok(Request::Progress(_)) => "progress_info",
        Ok(Request::Dump) => "dump",
        Err(_) => "(refused)",
    }
}

/// Returns how an end is said on the wire; `None` for an operation that could not be followed.
fn wire_outcome(outcome: &Outcome) -> Option<WireOutcome> {
    match outcome {
        Outcome::Retcode(code) => Some(WireOutcome::Retcode(*code)),
        Outcome::Signal(signal) => Some(WireOutcome::Signal(*signal)),
        Outcome::Lost { .. } => None,
    }
}

fn dump(operations: Vec<Description>) -> Reply {
    let mut dump = Dump::default();
    for operation in operations {
        let store = match operation.id.store() {
            Store::Poll => &mut dump.poll,
            Store::Abort => &mut dump.abort,
        };
        store.push(entry(operation));
    }
    Reply::Dump(dump)
}

fn entry(operation: Description) -> DumpEntry {
    let Description { request, silence_limit, pid, init_requests, ending, .. } = operation;
    let state = match ending {
        None => DumpState::InProgress,
        Some(ending) => wire_outcome(&ending.outcome).map_or(DumpState::Failed, DumpState::Finished),
    };
    DumpEntry {
        lvid: request.lvid,
        kind: request.kind,
        vgname: request.vgname,
        lvname: request.lvname,
        internal_timeout_seconds: silence_limit.as_secs(),
        interval: request.interval,
        sysdir: request.sysdir,
        lvpoll_pid: pid.unwrap_or(0),
        state,
        init_requests_count: init_requests.into(),
    }
}
