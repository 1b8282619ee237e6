//! A role that nobody else knows of: what it hands over is served, told and counted with that of all others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::System;
use lvmwarden_actors::foundation::admission::Entrance;
use lvmwarden_actors::foundation::api::replies::{Last, Replies};
use lvmwarden_actors::foundation::api::{ApiContext, ApiPart, Part, reply};
use lvmwarden_actors::foundation::door::{DoorEnvironment, Protocol, door};
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::{AddGauges, Metrics};
use lvmwarden_actors::foundation::role::{Branch, Later, Role};
use lvmwarden_actors::service::access::Access;
use lvmwarden_actors::service::{BadLevel, Control, ServiceEnvironment, ServiceInfo};
use lvmwarden_actors::tree::{self, ServiceTree};
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{Call, CodecError, Interface, InterfaceError, Method, Replies as Count};
use lvmwarden_supervisor::{ChildLink, Registry, Strategy, SupervisorSpec, start_root};
use prometheus_client::metrics::gauge::ConstGauge;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use slog::{Discard, Logger, o};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_mins(1);

/// The role: its door echoes, its method says how often it is asked for.
struct Echo {
    socket: UnixListener,
    /// Turns true when the test lets it.
    recovered: watch::Receiver<bool>,
}

/// What is spoken at its door: whatever comes is sent back.
struct EchoProtocol;

impl Protocol for EchoProtocol {
    const NAME: &'static str = "echo";
    const ENTRANCE: Entrance = Entrance::Lvm;
    type Listener = tokio::net::UnixListener;
    type Service = ();

    fn open(&self, _: &ChildLink) {}

    async fn serve(_: Rc<()>, mut client: UnixStream, _: CancellationToken) -> Result<(), Box<dyn Error>> {
        let (mut from, mut to) = client.split();
        tokio::io::copy(&mut from, &mut to).await?;
        Ok(())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Say {
    word: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Said {
    word: String,
}

impl Method for Say {
    const NAME: &'static str = "org.example.Echo.Say";
    const REPLIES: Count = Count::One;
    type Reply = Said;
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "error", content = "parameters")]
enum EchoError {}

impl InterfaceError for EchoError {
    const INTERFACE: &'static str = "org.example.Echo";
}

impl Interface for Say {
    const NAME: &'static str = "org.example.Echo";
    const DESCRIPTION: &'static str =
        "interface org.example.Echo\nmethod Say(word: string) -> (word: string)\n";

    fn method(&self) -> &'static str {
        <Self as Method>::NAME
    }

    fn parse(call: &Call) -> Result<Self, VarlinkError> {
        call.read()
    }
}

struct EchoApi;

impl Part for EchoApi {
    type Request = Say;

    const WATCHING: &'static [&'static str] = &[<Say as Method>::NAME];

    async fn answer(&self, _: u32, asked: Say, _: &mut Replies<'_, '_>) -> Result<Last<'_>, CodecError> {
        Ok(reply::<Say, EchoError>(Ok(Said { word: asked.word })).into())
    }
}

impl Role for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn branch(&self, metrics: &Arc<Metrics>) -> io::Result<Option<Branch>> {
        let socket = self.socket.try_clone()?;
        let environment =
            DoorEnvironment::new(socket, self.recovered.clone(), Arc::clone(metrics), EchoProtocol);
        let supervisor = SupervisorSpec::new(Strategy::OneForOne);
        Ok(Some(Branch { supervisor, doors: vec![door(&environment)], recovered: self.recovered.clone() }))
    }

    fn api(&self, _: &Rc<ApiContext>) -> Option<ApiPart> {
        Some(ApiPart::new(EchoApi))
    }

    fn gauges<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<AddGauges>> {
        let add = |gauges: &mut prometheus_client::registry::Registry| {
            gauges.register("echoes", "How loud it is", ConstGauge::new(7_i64));
        };
        Box::pin(async move { Some(Box::new(add) as AddGauges) })
    }

    fn status<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async { Some("echoing".to_owned()) })
    }

    fn why_not_to_end<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async { Some("somebody listens".to_owned()) })
    }
}

struct NoControl;

impl Control for NoControl {
    fn set_log_level(&self, _: &str) -> Result<(), BadLevel> {
        Ok(())
    }

    fn stop(&self, _: bool) {}

    fn log_lines_dropped(&self) -> u64 {
        0
    }
}

/// Calls a method, and returns the reply.
async fn call(socket: &Path, method: &str, parameters: Value) -> Value {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let call = json!({"method": method, "parameters": parameters}).to_string();
    stream.write_all(format!("{call}\0").as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    while reply.last() != Some(&0) {
        assert_ne!(stream.read_buf(&mut reply).await.unwrap(), 0, "the connection was closed");
    }
    reply.pop();
    serde_json::from_slice(&reply).unwrap()
}

#[test]
fn a_role_that_nobody_knows_is_in_the_tree_the_api_the_metrics_and_the_status_and_waited_for() {
    let test = async {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (recovers, recovered) = watch::channel(false);
        let socket = UnixListener::bind(path("echo")).unwrap();
        let metrics = Metrics::new();
        let environment = Arc::new(ServiceEnvironment {
            info: ServiceInfo {
                version: "0.1.0".to_owned(),
                started_at: "2026-11-29T10:00:00Z".parse().unwrap(),
                instance: "/run/x".to_owned(),
                roles: vec!["echo".to_owned()],
            },
            control: Arc::new(NoControl),
            events: Events::new(Arc::clone(&metrics), 100),
            metrics,
            // Whoever runs the test may watch.
            access: Access { group: Some(folder.path().metadata().unwrap().gid()) },
            roles: vec![Arc::new(Echo { socket, recovered })],
            history: None,
        });
        let (gate, mut ready) = watch::channel(false);
        let tree = ServiceTree {
            journal_dir: path("journal"),
            gate,
            environment: Arc::clone(&environment),
            api: UnixListener::bind(path("api")).unwrap(),
            metrics: None,
        };
        let root = start_root(tree::service(tree).unwrap(), Logger::root(Discard, o!()));
        // The tree runs, and the service is not ready before its role has recovered.
        let names = format!("{:?}", root.tree(DEADLINE).await.unwrap());
        assert!(names.contains("root/echo") && names.contains("root/doors/echo"), "{names}");
        assert!(!*ready.borrow_and_update());
        recovers.send_replace(true);
        ready.wait_for(|is_ready| *is_ready).await.unwrap();

        let mut client = UnixStream::connect(path("echo")).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");

        let api = path("api");
        let said = call(&api, "org.example.Echo.Say", json!({"word": "hi"})).await;
        assert_eq!(said["parameters"]["word"], "hi");
        let info = call(&api, "org.varlink.service.GetInfo", json!({})).await;
        assert!(info["parameters"]["interfaces"].as_array().unwrap().contains(&json!("org.example.Echo")));
        let scraped = call(&api, "org.lvmwarden.Metrics.Get", json!({})).await;
        let text = scraped["parameters"]["openmetrics"].as_str().unwrap();
        assert!(text.lines().any(|line| line == "lvmwarden_echoes 7"), "{text}");
        assert!(text.contains("door=\"echo\""), "{text}");
        let registry = root.registry();
        assert_eq!(environment.status(&registry).await.as_deref(), Some("echoing"));
        assert_eq!(environment.why_not_to_end(&registry).await.as_deref(), Some("somebody listens"));
    };
    let done = System::new().block_on(async { timeout(DEADLINE, test).await });
    done.expect("the test passed its deadline");
}
