//! One connection to a lock daemon, in raw text: independent of our own parser and writer.

use std::collections::HashMap;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use crate::client::Client;
use crate::wait;

/// The abstract socket to which a daemon sends what is long: one for the whole machine.
const DUMP_SOCKET: &str = "lvmlockd-dump.sock";
/// How long another test may keep that socket.
const DUMP_SOCKET_DEADLINE: Duration = Duration::from_mins(1);

/// The word for every request to change or look at a lock, with the fields lvm gives it.
pub mod ask {
    /// Locks the global lock in `mode`.
    pub fn lock_gl(mode: &str) -> String {
        format!(
            "request=\"lock_gl\"\ncmd =\"vgs\"\npid =1\nmode =\"{mode}\"\nopts =\"none\"\nvg_lock_type =\"none\"\n"
        )
    }

    /// Locks a VG in `mode`.
    pub fn lock_vg(vg: &str, mode: &str) -> String {
        format!(
            "request=\"lock_vg\"\ncmd =\"vgs\"\npid =1\nmode =\"{mode}\"\nopts =\"none\"\nvg_name =\"{vg}\"\n\
             vg_lock_type =\"none\"\nvg_lock_args =\"none\"\n"
        )
    }

    /// Locks an LV of a dlm VG in `mode`.
    pub fn lock_lv(vg: &str, lv: &str, mode: &str, opts: &str) -> String {
        let uuid = uuid(lv);
        format!(
            "request=\"lock_lv\"\ncmd =\"lvchange\"\npid =1\nmode =\"{mode}\"\nopts =\"{opts}\"\nvg_name =\"{vg}\"\n\
             lv_name =\"{lv}\"\nlv_uuid =\"{uuid}\"\nvg_lock_type =\"dlm\"\nvg_lock_args =\"1.0.0:test\"\n\
             lv_lock_args =\"dlm\"\n"
        )
    }

    /// Starts a dlm VG.
    pub fn start_vg(vg: &str, opts: &str) -> String {
        start_vg_of_type(vg, "dlm", "1.0.0:test", 0, opts)
    }

    /// Starts a VG.
    pub fn start_vg_of_type(vg: &str, lock_type: &str, args: &str, host_id: u32, opts: &str) -> String {
        let uuid = uuid(vg);
        format!(
            "request=\"start_vg\"\npid =1\nvg_name =\"{vg}\"\nvg_lock_type =\"{lock_type}\"\nvg_lock_args =\"{args}\"\n\
             vg_uuid =\"{uuid}\"\nversion =1\nhost_id ={host_id}\nopts =\"{opts}\"\n"
        )
    }

    /// Asks anything else about a VG; `fields` are further lines.
    pub fn of_vg(keyword: &str, vg: &str, fields: &str) -> String {
        format!("request=\"{keyword}\"\npid =1\nvg_name =\"{vg}\"\n{fields}")
    }

    /// Asks anything about no VG.
    pub fn of_daemon(keyword: &str) -> String {
        format!("request=\"{keyword}\"\npid =1\n")
    }

    /// Returns a UUID for a name, in the form that LVM gives them.
    pub fn uuid(name: &str) -> String {
        let text = format!("{name:x<32}");
        let groups = [0..6, 6..10, 10..14, 14..18, 18..22, 22..26, 26..32];
        groups.map(|group| text[group].to_owned()).join("-")
    }
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(pub String);

/// A line of `info`: its first word, and its values.
#[derive(Debug, Clone)]
pub struct Line {
    /// `structs`, `client`, `ls`, `r`, `lk`, ...
    pub kind: String,
    values: HashMap<String, String>,
}

/// One connection.
#[derive(Debug)]
pub struct LockClient {
    client: Client,
}

impl Answer {
    /// Returns a field's text, without quotes.
    pub fn field(&self, name: &str) -> Option<&str> {
        let of_line = |line: &str| line.strip_prefix(name)?.strip_prefix(" = ").map(str::len);
        let line = self.0.lines().find(|line| of_line(line).is_some())?;
        Some(line[name.len() + 3..].trim_matches('"'))
    }

    /// Returns `op_result`.
    #[track_caller]
    pub fn result(&self) -> i32 {
        let result = self.field("op_result").and_then(|result| result.parse().ok());
        result.unwrap_or_else(|| panic!("{:?} has no op_result", self.0))
    }

    /// Returns `result_flags`.
    #[track_caller]
    pub fn flags(&self) -> &str {
        self.field("result_flags").unwrap_or_else(|| panic!("{:?} has no result_flags", self.0))
    }
}

impl Line {
    /// Returns a value, empty when there is none.
    pub fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    fn parse(line: &str) -> Self {
        let mut pairs = line.split_whitespace().filter_map(|word| word.split_once('='));
        let (_, kind) = pairs.next().unwrap_or_default();
        let values = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self { kind: kind.to_owned(), values }
    }
}

impl LockClient {
    /// Connects, and says nothing yet.
    #[track_caller]
    pub fn connect(socket: &Path) -> Self {
        Self { client: Client::connect(socket) }
    }

    /// Returns the connection as bytes.
    pub fn raw(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Sends a request and returns its reply.
    #[track_caller]
    pub fn ask(&mut self, request: impl AsRef<str>) -> Answer {
        self.send(request);
        self.receive()
    }

    /// Sends a request and returns its reply; nothing where the daemon ends instead.
    #[track_caller]
    pub fn try_ask(&mut self, request: impl AsRef<str>) -> Option<Answer> {
        self.client.try_ask(request.as_ref()).map(Answer)
    }

    /// Sends a request and returns its result.
    #[track_caller]
    pub fn result(&mut self, request: impl AsRef<str>) -> i32 {
        self.ask(request).result()
    }

    /// Sends a request whose reply may take its time.
    #[track_caller]
    pub fn send(&mut self, request: impl AsRef<str>) {
        self.client.send(request.as_ref());
    }

    /// Returns the next reply.
    #[track_caller]
    pub fn receive(&mut self) -> Answer {
        Answer(self.client.receive())
    }

    /// Waits until a VG that was started can be locked: the C daemon's replies run ahead of it.
    #[track_caller]
    pub fn await_started(&mut self, vg: &str) {
        wait::until("the lockspace", wait::SOON, || {
            (self.result(ask::lock_vg(vg, "un")) == -2).then_some(())
        });
    }

    /// Waits for so long, and makes sure that no reply has come.
    #[track_caller]
    pub fn hears_nothing_for(&mut self, time: Duration) {
        let heard = self.client.receive_within(time);
        assert_eq!(heard, None, "a reply that should have waited");
    }

    /// Asks for `info` and returns its lines.
    #[track_caller]
    pub fn info(&mut self) -> Vec<Line> {
        self.dump("info").lines().map(Line::parse).collect()
    }

    /// Returns the lines of one kind that have this value.
    #[track_caller]
    pub fn info_of(&mut self, kind: &str, key: &str, value: &str) -> Vec<Line> {
        let mut lines = self.info();
        lines.retain(|line| line.kind == kind && line.value(key) == value);
        lines
    }

    /// Asks for `info` or `dump`, and returns what comes by the other way.
    #[track_caller]
    pub fn dump(&mut self, keyword: &str) -> String {
        let socket = wait::until("the dump socket", DUMP_SOCKET_DEADLINE, || bind_dump_socket().ok());
        socket.set_read_timeout(Some(wait::SOON)).expect("a timeout above zero is accepted");
        let reply = self.ask(format!("request = \"{keyword}\"\n"));
        assert_eq!(reply.field("result"), Some("0"), "{reply:?}");
        let len: usize = reply.field("dump_len").and_then(|len| len.parse().ok()).expect("a length");
        let mut text = Vec::new();
        let mut chunk = vec![0; 1 << 17];
        while text.len() < len {
            let count = socket.recv(&mut chunk).expect("the dump goes on");
            text.extend_from_slice(&chunk[..count]);
        }
        assert_eq!(text.len(), len);
        String::from_utf8(text).expect("a dump is text")
    }
}

fn bind_dump_socket() -> io::Result<UnixDatagram> {
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(DUMP_SOCKET)?)
}
