//! A daemon that says what a test tells it to, one connection after the other.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use bytes::BytesMut;
use lvmwarden_protocol::api::{Call, InterfaceError, JsonCodec, Method, Reply};
use tempfile::TempDir;
use tokio_util::codec::{Decoder as _, Encoder as _};

/// What it does with one connection.
pub(crate) type Scene = Box<dyn FnOnce(&mut Connection) + Send>;

/// One connection of the client's.
pub(crate) struct Connection {
    stream: UnixStream,
    codec: JsonCodec<Call>,
    received: BytesMut,
}

impl Connection {
    /// Takes the next call, which is to be of `M`.
    #[track_caller]
    pub(crate) fn expect<M: Method>(&mut self) -> M {
        let call = self.next_call().expect("a call is expected, and the client went away");
        assert_eq!(call.method, M::NAME);
        call.read().unwrap()
    }

    /// Answers a call of `M` with its last reply.
    pub(crate) fn reply<M: Method>(&mut self, reply: &M::Reply) {
        self.send(&Reply::last::<M>(reply));
    }

    /// Answers a call of `M` with a reply that another follows.
    pub(crate) fn continue_with<M: Method>(&mut self, reply: &M::Reply) {
        self.send(&Reply::continued::<M>(reply));
    }

    /// Answers a call of `M` after it was asked for.
    #[track_caller]
    pub(crate) fn serve<M: Method>(&mut self, reply: &M::Reply) -> M {
        let parameters = self.expect::<M>();
        self.reply::<M>(reply);
        parameters
    }

    /// Refuses whatever is called.
    pub(crate) fn refuse(&mut self, error: &impl InterfaceError) {
        self.next_call();
        self.send(&Reply::error(error));
    }

    /// Answers whatever is called with these bytes.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.next_call();
        // The client may have seen enough.
        let _ = self.stream.write_all(bytes);
    }

    /// Says these bytes before anything is called, and closes the connection.
    pub(crate) fn turn_away(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.shutdown(Shutdown::Both).unwrap();
    }

    fn send(&mut self, reply: &Reply) {
        let mut bytes = BytesMut::new();
        self.codec.encode(reply, &mut bytes).unwrap();
        // As above.
        let _ = self.stream.write_all(&bytes);
    }

    fn next_call(&mut self) -> Option<Call> {
        loop {
            if let Some(call) = self.codec.decode(&mut self.received).unwrap() {
                return Some(call);
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk).unwrap() {
                0 => return None,
                length => self.received.extend_from_slice(&chunk[..length]),
            }
        }
    }
}

/// A daemon with a script.
pub(crate) struct FakeDaemon {
    folder: TempDir,
    scenes: Option<JoinHandle<()>>,
}

impl FakeDaemon {
    /// Starts one that plays a scene for each connection, and is gone after the last.
    pub(crate) fn new(scenes: Vec<Scene>) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join("api")).unwrap();
        let scenes = thread::spawn(move || {
            for scene in scenes {
                let (stream, _) = listener.accept().unwrap();
                scene(&mut Connection { stream, codec: JsonCodec::default(), received: BytesMut::new() });
            }
        });
        Self { folder, scenes: Some(scenes) }
    }

    /// Starts one for one connection.
    pub(crate) fn with(scene: impl FnOnce(&mut Connection) + Send + 'static) -> Self {
        Self::new(vec![Box::new(scene)])
    }

    /// Returns its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("api")
    }

    /// Returns its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until all scenes are played; what failed in them fails here.
    pub(crate) fn join(mut self) {
        if let Err(panic) = self.scenes.take().unwrap().join() {
            std::panic::resume_unwind(panic);
        }
    }
}
