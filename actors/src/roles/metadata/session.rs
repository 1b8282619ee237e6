//! What lvmetad's clients are answered.

use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use lvmwarden_protocol::metadata::Request;
use lvmwarden_supervisor::ChildLink;
use slog::Logger;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cache::Answer;
use super::directory::Directory;
use super::settings::MetadataEnvironment;
use crate::foundation::admission::Entrance;
use crate::foundation::door::Protocol;
use crate::foundation::door::text_session::{self, Parser, Service, log_message};
use crate::foundation::facts::metrics::Metrics;

/// The protocol of lvmetad, at a door of its own.
pub struct Lvmetad {
    /// What the sessions ask of.
    pub metadata: Arc<MetadataEnvironment>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Every message is logged.
    pub wire: bool,
}

impl Protocol for Lvmetad {
    const NAME: &'static str = "lvmetad";
    const ENTRANCE: Entrance = Entrance::Lvm;
    type Listener = UnixListener;
    type Service = MetadataService;

    fn open(&self, link: &ChildLink) -> MetadataService {
        MetadataService {
            directory: Directory::new(link.registry.clone(), Arc::clone(&self.metadata), link.log.clone()),
            metadata: Arc::clone(&self.metadata),
            parser: Parser::default(),
            metrics: Arc::clone(&self.metrics),
            log: link.log.clone(),
            wire: self.wire,
        }
    }

    async fn serve(
        service: Rc<MetadataService>,
        client: UnixStream,
        closing: CancellationToken,
    ) -> Result<(), Box<dyn Error>> {
        let _activity = service.metadata.activity.begin();
        // A request in progress is dropped: it may or may not take effect, as when the daemon is killed.
        tokio::select! {
            () = closing.cancelled() => Ok(()),
            served = text_session::serve(client, &*service) => Ok(served?),
        }
    }
}

/// What the sessions of lvmetad's clients share.
pub struct MetadataService {
    directory: Directory,
    metadata: Arc<MetadataEnvironment>,
    parser: Parser,
    metrics: Arc<Metrics>,
    log: Logger,
    wire: bool,
}

impl MetadataService {
    fn log_wire(&self, direction: &str, message: &[u8]) {
        if self.wire {
            log_message(&self.log, direction, message);
        }
    }

    async fn reply(&self, request: Request) -> Bytes {
        match self.directory.answer(request).await {
            Answer::Ready(reply) => reply,
            // It takes long: no other client waits for it.
            Answer::Dump(snapshot) => {
                let writing = spawn_blocking(move || snapshot.dump()).await;
                writing.expect("a dump does not panic; if it does, that ends this session alone")
            }
        }
    }
}

impl Service for MetadataService {
    async fn answer(&self, message: Bytes) -> Bytes {
        let begin = Instant::now();
        self.log_wire("<-", &message);
        let request = self.parser.parse(message, Request::parse).await;
        let word = request.operation.known_keyword().unwrap_or("(unknown)");
        let reply = self.reply(request).await;
        self.log_wire("->", &reply);
        self.metrics.answered(Lvmetad::NAME, word, begin.elapsed());
        reply
    }
}
