//! Sessions of the JSON API at the end of a socket pair, of a daemon without roles.
//!
//! Where the clock is paused, it jumps to the next deadline as soon as both ends wait: that is sound because nothing but
//! the two ends is at work.

mod calls;
mod clients;
mod streams;

use std::sync::Mutex;

use lvmwarden_protocol::api::archive::Limits;
use lvmwarden_protocol::api::{Call, INTERFACES, Message as _};
use serde_json::{Value, json};
use slog::{Discard, o};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::*;
use crate::foundation::admission::Asker;
use crate::foundation::api::outgoing;
use crate::foundation::api::replies::WRITE_DEADLINE;
use crate::foundation::facts::events::Events;
use crate::foundation::facts::metrics::{Metrics, Snapshot};
use crate::foundation::kernel::DeviceMapper;
use crate::roles::archive::role::Archive;
use crate::roles::archive::{ArchiveEnvironment, Settings};
use crate::roles::lock::role::Lock;
use crate::roles::metadata::role::Metadata;
use crate::roles::poll::role::Poll;
use crate::roles::reconfigure::role::Reconfigure;
use crate::service::access::Access;
use crate::service::{BadLevel, Control, ServiceInfo};

/// No test takes as long, not even on a paused clock.
const TEST_DEADLINE: Duration = Duration::from_mins(3);
const ROOT: Client = Client { uid: 0, permission: Permission::Full };
const MEMBER: Client = Client { uid: 1000, permission: Permission::Watch };
const STRANGER: Client = Client { uid: 1001, permission: Permission::Refused };

/// A daemon that notes what it is told to do.
#[derive(Default)]
struct Daemon(Mutex<Vec<String>>);

impl Control for Daemon {
    fn set_log_level(&self, level: &str) -> Result<(), BadLevel> {
        if level != "debug" {
            return Err(BadLevel { permitted: vec!["info".to_owned(), "debug".to_owned()] });
        }
        self.0.lock().unwrap().push(format!("log {level}"));
        Ok(())
    }

    fn stop(&self, leave_children: bool) {
        self.0.lock().unwrap().push(format!("stop, leave_children: {leave_children}"));
    }

    fn log_lines_dropped(&self) -> u64 {
        7
    }
}

fn archive_settings() -> Settings {
    let limits = Limits { files_per_vg: 500, bytes_per_vg: 1 << 20, age_days: 365, keep_newest: 10 };
    Settings { enabled: false, directory: "/nowhere".into(), limits, period: Duration::from_hours(1) }
}

/// What a test talks to.
struct Fixture {
    service: ApiService,
    daemon: Arc<Daemon>,
    events: Events,
    closing: CancellationToken,
}

impl Fixture {
    /// Makes a service that keeps the latest `keep` events.
    fn new(keep: usize) -> Self {
        let (metrics, daemon) = (Metrics::new(), Arc::new(Daemon::default()));
        let events = Events::new(Arc::clone(&metrics), keep);
        let archive = ArchiveEnvironment::new(
            archive_settings(),
            Arc::new(DeviceMapper::default()),
            || true,
            events.clone(),
        );
        let environment = Arc::new(ServiceEnvironment {
            info: ServiceInfo {
                version: "0.1.0".to_owned(),
                started_at: "2026-11-21T10:00:00Z".parse().unwrap(),
                instance: "/run/x".to_owned(),
                roles: vec![],
            },
            control: Arc::<Daemon>::clone(&daemon),
            events: events.clone(),
            metrics,
            access: Access { group: None },
            roles: vec![
                Arc::new(Poll { served: None }),
                Arc::new(Lock { served: None }),
                Arc::new(Metadata { served: None }),
                Arc::new(Archive { environment: Arc::new(archive) }),
                Arc::new(Reconfigure { served: None }),
            ],
            history: None,
        });
        let service = ApiService::new(&environment, Registry::default(), Logger::root(Discard, o!()));
        Self { service, daemon, events, closing: CancellationToken::new() }
    }

    fn publish(&self, uids: std::ops::Range<u32>) {
        uids.for_each(|uid| self.events.publish(&Occurrence::ClientRefused { uid }));
    }

    fn told(&self) -> Vec<String> {
        self.daemon.0.lock().unwrap().clone()
    }

    /// Lets `client` talk to a session; returns how the session ended, and what the client returned.
    async fn talk<T>(
        &self,
        who: Client,
        client: impl AsyncFnOnce(Talker) -> T,
    ) -> (Result<(), CodecError>, T) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let session = async {
            let served = self.service.serve(who, Connection::new(&mut theirs), &self.closing).await;
            drop(theirs);
            served
        };
        let client = client(Talker { stream: ours, received: Vec::new() });
        let both = Box::pin(async { tokio::join!(session, client) });
        timeout(TEST_DEADLINE, LocalSet::new().run_until(both))
            .await
            .expect("client or session waits for ever")
    }
}

/// The client's end.
struct Talker {
    stream: UnixStream,
    received: Vec<u8>,
}

impl Talker {
    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Returns the next message, its end included; an empty one when the session has closed the connection.
    async fn next(&mut self) -> String {
        loop {
            if let Some(end) = self.received.iter().position(|byte| matches!(byte, b'\0' | b'\n')) {
                let message: Vec<_> = self.received.drain(..=end).collect();
                return String::from_utf8(message).unwrap();
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(1..) => {}
                // A reset is what is left where the session has not read everything.
                Ok(0) | Err(_) => return String::from_utf8(std::mem::take(&mut self.received)).unwrap(),
            }
        }
    }

    async fn reply(&mut self) -> Value {
        let message = self.next().await;
        let json = message.strip_suffix('\0').unwrap_or_else(|| panic!("no whole message: {message:?}"));
        serde_json::from_str(json).unwrap()
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.send(&call(method, &parameters)).await;
        self.reply().await
    }

    async fn stream(&mut self, method: &str, parameters: Value) {
        self.send(&format!("{}\0", json!({"method": method, "parameters": parameters, "more": true}))).await;
    }
}

fn call(method: &str, parameters: &Value) -> String {
    format!("{}\0", json!({"method": method, "parameters": parameters}))
}

/// Returns the interfaces of a daemon without roles: those of a role that is turned off are there as well.
pub(in crate::service) fn described() -> Arc<[Described]> {
    Fixture::new(0).service.described
}

/// Returns every method that clients are told of, by its full name.
fn all_methods() -> Vec<String> {
    let of_interface = |(name, text): (&'static str, &'static str)| {
        let names = text.lines().filter_map(|line| line.strip_prefix("method ")?.split_once('('));
        names.map(move |(method, _)| format!("{name}.{method}"))
    };
    INTERFACES.into_iter().flat_map(of_interface).collect()
}
