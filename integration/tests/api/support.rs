//! A client of the API in raw JSON: what it sends and expects is written down, so that no mistake of our own types hides.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use lvmwarden_integration::client::connect_within;
use lvmwarden_integration::fake_lvm::{Start, Step};
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::service::Launch;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use serde_json::{Value, json};

use crate::access::{GROUP, UID};

pub(crate) const PERMISSION_DENIED: &str = "org.varlink.service.PermissionDenied";

/// One connection.
pub(crate) struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    #[track_caller]
    pub(crate) fn connect(site: &Site) -> Self {
        Self::patient(site, wait::SOON)
    }

    /// Connects, and waits so long for each reply.
    #[track_caller]
    pub(crate) fn patient(site: &Site, deadline: Duration) -> Self {
        let stream = connect_within(&site.api_socket(), deadline).expect("the API accepts");
        Self { stream: BufReader::new(stream) }
    }

    /// Tells whether the daemon has closed the connection, whatever is still to be read; it reads nothing.
    pub(crate) fn is_hung_up(&self) -> bool {
        let mut asked = [PollFd::new(self.stream.get_ref(), PollFlags::RDHUP)];
        poll(&mut asked, Some(&Timespec::default())).expect("a socket can be asked");
        asked[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP)
    }

    #[track_caller]
    pub(crate) fn send(&mut self, message: &[u8]) {
        self.stream.get_mut().write_all(message).expect("the API takes a message");
    }

    /// Returns the next reply; `None` when the connection was closed.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut message = Vec::new();
        match self.stream.read_until(b'\0', &mut message) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            read => read.expect("the API answers in time"),
        };
        let json = message.strip_suffix(b"\0")?;
        Some(serde_json::from_slice(json).expect("a reply is JSON"))
    }

    /// Returns the next reply, if it comes before the deadline of this client.
    #[track_caller]
    pub(crate) fn try_next(&mut self) -> Option<Value> {
        match self.stream.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            _ => self.next(),
        }
    }

    /// Calls a method; returns the whole reply.
    #[track_caller]
    pub(crate) fn try_call(&mut self, method: &str, parameters: &Value) -> Value {
        self.send(format!("{}\0", json!({ "method": method, "parameters": parameters })).as_bytes());
        self.next().expect("a reply")
    }

    /// Calls a method; returns what it gives.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let mut reply = self.try_call(method, parameters);
        assert!(reply.get("error").is_none(), "{method}: {reply}");
        reply["parameters"].take()
    }

    /// Calls a method that gives more than one reply.
    #[track_caller]
    pub(crate) fn stream(&mut self, method: &str, parameters: &Value) {
        let call = json!({ "method": method, "parameters": parameters, "more": true });
        self.send(format!("{call}\0").as_bytes());
    }

    /// Returns the parameters of the next reply of a stream, and whether another follows.
    #[track_caller]
    pub(crate) fn next_of_stream(&mut self) -> (Value, bool) {
        let mut reply = self.next().expect("the stream goes on");
        assert!(reply.get("error").is_none(), "{reply}");
        (reply["parameters"].take(), reply.get("continues") == Some(&Value::Bool(true)))
    }

    /// Reads a stream until `wanted`, which must not come last of all.
    #[track_caller]
    pub(crate) fn await_in_stream(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (parameters, _) = self.next_of_stream();
            if wanted(&parameters) {
                return parameters;
            }
        }
    }
}

/// Lets whoever is in the group of members use the API of a service.
pub(crate) fn open_to_members<'site>(launch: Launch<'site>, site: &Site) -> Launch<'site> {
    // Others may pass through the test's folder.
    fs::set_permissions(site.path(""), Permissions::from_mode(0o711)).unwrap();
    launch.set("api.mode", "\"0666\"").set("api.group", &format!("\"{GROUP}\""))
}

/// Makes the calling thread, for the rest of its life, an ordinary user's that is in the group of members.
pub(crate) fn become_member() {
    let (user, group) = (Uid::from_raw(UID), Gid::from_raw(GROUP));
    set_thread_groups(&[]).unwrap();
    set_thread_res_gid(group, group, group).unwrap();
    set_thread_res_uid(user, user, user).unwrap();
}

/// Returns the parameters of `Poll.Start` for an operation.
pub(crate) fn start_parameters(operation: &Operation) -> Value {
    json!({
        "kind": operation.kind,
        "vgname": operation.vg,
        "lvname": operation.lv,
        "lvid": operation.lvid,
        "interval_seconds": 1,
    })
}

/// Has a pvmove polled, and returns its id and the child that polls it.
#[track_caller]
pub(crate) fn start_pvmove(site: &Site, client: &mut Client, pvmove: &Operation) -> (String, Start) {
    let reply = client.call("org.lvmwarden.Poll.Start", &start_parameters(pvmove));
    assert_eq!(reply["already_running"], false);
    let path = pvmove.path();
    let start = wait::until("the child", wait::SOON, || {
        site.lvm.starts().into_iter().rfind(|start| start.lv() == Some(&path))
    });
    (reply["id"].as_str().expect("an id is text").to_owned(), start)
}

/// Lets a child say how far it is.
pub(crate) fn say_percent(site: &Site, child: &Start, pvmove: &Operation, percent: &str) {
    site.lvm.tell(child, &[Step::Say(format!("  {}: Moved: {percent}%", pvmove.path()))]);
}

/// Returns the whole name of every method that the service describes, from its own words.
#[track_caller]
pub(crate) fn all_methods(client: &mut Client) -> Vec<String> {
    let info = client.call("org.varlink.service.GetInfo", &json!({}));
    let mut methods = Vec::new();
    for interface in info["interfaces"].as_array().expect("a list") {
        let interface = interface.as_str().expect("a name");
        let asked = json!({ "interface": interface });
        let told = client.call("org.varlink.service.GetInterfaceDescription", &asked);
        let text = told["description"].as_str().expect("a text");
        let names = text.lines().filter_map(|line| line.strip_prefix("method ")?.split_once('('));
        methods.extend(names.map(|(name, _)| format!("{interface}.{name}")));
    }
    methods
}
