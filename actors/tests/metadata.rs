//! Cached VGs as actors of a tree: they come and go with what is cached, whoever has read it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::foundation::door::{DoorEnvironment, always_open};
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::foundation::names;
use lvmwarden_actors::roles::metadata::cache::Answer;
use lvmwarden_actors::roles::metadata::directory::Directory;
use lvmwarden_actors::roles::metadata::pv_index::Source;
use lvmwarden_actors::roles::metadata::session::Lvmetad;
use lvmwarden_actors::roles::metadata::settings::MetadataEnvironment;
use lvmwarden_actors::tree;
use lvmwarden_protocol::metadata::Request;
use lvmwarden_protocol::metadata::Vgid;
use lvmwarden_supervisor::{Root, start_root};
use slog::{Discard, Logger, o};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(15);

/// A metadata daemon in this process.
struct Daemon {
    _folder: TempDir,
    root: Root,
    environment: Arc<MetadataEnvironment>,
    directory: Directory,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = Arc::<MetadataEnvironment>::default();
        let metrics = Metrics::new();
        let protocol =
            Lvmetad { metadata: Arc::clone(&environment), metrics: Arc::clone(&metrics), wire: false };
        let socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        let door = DoorEnvironment::new(socket, always_open(), metrics, protocol);
        let log = Logger::root(Discard, o!());
        let root = start_root(tree::metadata_daemon(&door), log.clone());
        let directory = Directory::new(root.registry(), Arc::clone(&environment), log);
        Self { _folder: folder, root, environment, directory }
    }

    /// Waits until just these VGs have an actor.
    async fn await_actors(&self, uuids: &[&str]) {
        let wanted: Vec<_> = uuids.iter().map(|uuid| names::CACHED_VGS.child(uuid)).collect();
        let seen = async {
            while self.root.registry().names_under(&names::CACHED_VGS) != wanted {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, seen).await.unwrap_or_else(|_| {
            panic!("{:?}", self.root.registry().names_under(&names::CACHED_VGS));
        });
    }

    fn source_of(&self, uuid: &str) -> Source {
        self.environment.cache().vg(&Vgid::try_from(uuid).unwrap()).unwrap().provenance.source
    }
}

fn request(text: &str) -> Request {
    Request::parse(format!("request={text} token=skip").as_bytes())
}

fn found(pv: &str, device: u8, vg: &str) -> Request {
    request(&format!(
        "pv_found pvmeta {{ id={pv} device={device} }} vgname=v{vg} metadata {{ id={vg} seqno=1 physical_volumes {{ p {{ id={pv} }} }} }}"
    ))
}

fn reply(answer: Answer) -> String {
    let Answer::Ready(reply) = answer else { panic!("a dump") };
    String::from_utf8(reply.to_vec()).unwrap()
}

#[actix::test]
async fn a_vg_has_an_actor_as_long_as_it_is_cached() {
    let daemon = Daemon::start();
    let directory = &daemon.directory;
    assert!(reply(directory.answer(found("A", 1, "G")).await).contains("complete"));
    assert!(reply(directory.answer(found("B", 2, "H")).await).contains("complete"));
    daemon.await_actors(&["G", "H"]).await;
    directory.answer(request("vg_remove uuid=G")).await;
    daemon.await_actors(&["H"]).await;
    directory.answer(request("pv_clear_all")).await;
    daemon.await_actors(&[]).await;
    // One that comes back at once has an actor when it needs one.
    directory.answer(found("A", 1, "G")).await;
    directory.answer(request("pv_clear_all")).await;
    directory.answer(found("A", 1, "G")).await;
    assert!(reply(directory.answer(found("A", 1, "G")).await).contains("complete"));
    daemon.await_actors(&["G"]).await;
}

#[actix::test]
async fn what_the_daemon_has_read_itself_is_cached_beside_what_commands_say() {
    let daemon = Daemon::start();
    let directory = &daemon.directory;
    assert!(reply(directory.take(found("A", 1, "G").operation).await).contains("complete"));
    directory.answer(found("B", 2, "H")).await;
    assert_eq!((daemon.source_of("G"), daemon.source_of("H")), (Source::Disk, Source::Command));
    let refused = reply(directory.answer(Request::parse(b"request=vg_list token=t")).await);
    assert!(refused.contains("token_mismatch"), "commands have not filled it: {refused}");
}
