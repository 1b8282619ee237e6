//! Who may call what: the service's own check, where the socket's mode lets everybody in.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use serde_json::{Value, json};

use crate::netcat;
use crate::support::{Client, PERMISSION_DENIED, all_methods, open_to_members};

/// A user that nobody is.
pub(crate) const UID: u32 = 61_234;
/// A group that may watch; nobody else is in it.
pub(crate) const GROUP: u32 = 61_235;
/// What changes something.
const CHANGING: [&str; 20] = [
    "org.lvmwarden.Service.Stop",
    "org.lvmwarden.Poll.Start",
    "org.lvmwarden.Poll.Abort",
    "org.lvmwarden.Poll.Pause",
    "org.lvmwarden.Poll.Resume",
    "org.lvmwarden.Poll.Reconcile",
    "org.lvmwarden.Poll.Throttle",
    "org.lvmwarden.Supervisor.Restart",
    "org.lvmwarden.Supervisor.SetLogLevel",
    "org.lvmwarden.Archive.Clean",
    "org.lvmwarden.Lock.Start",
    "org.lvmwarden.Lock.Stop",
    "org.lvmwarden.Lock.Drop",
    "org.lvmwarden.Lock.Adopt",
    "org.lvmwarden.Lock.Release",
    "org.lvmwarden.Metadata.Rescan",
    "org.lvmwarden.Reconfigure.Propose",
    "org.lvmwarden.Reconfigure.Abandon",
    "org.lvmwarden.Reconfigure.Judge",
    "org.lvmwarden.Reconfigure.ReleaseHolds",
];

/// Starts a service whose socket everybody can connect to.
pub(crate) fn open_service(site: &Site) -> Service {
    open_to_members(site.service(), site).start()
}

/// A client that runs as somebody else.
pub(crate) struct Somebody {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Somebody {
    /// Connects with these credentials; `groups` are supplementary.
    pub(crate) fn connect(site: &Site, uid: u32, gid: u32, groups: &[u32]) -> Self {
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
        if groups.is_empty() {
            command.arg("--clear-groups");
        } else {
            let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
            command.arg(format!("--groups={}", groups.join(",")));
        }
        command.args(netcat::words()).arg(site.api_socket());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, to, from }
    }

    /// Says something, to which no answer is read.
    pub(crate) fn say(&mut self, text: &str) {
        self.to.write_all(text.as_bytes()).unwrap();
    }

    /// Calls a method, of which one reply is enough.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let call = json!({ "method": method, "parameters": parameters, "more": true });
        self.to.write_all(format!("{call}\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{method} is answered {line:?}: {error}"))
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Returns parameters with which a method could be carried out.
fn parameters_of(method: &str) -> Value {
    match method {
        "org.varlink.service.GetInterfaceDescription" => json!({"interface": "org.lvmwarden.Poll"}),
        "org.lvmwarden.Service.Stop" => json!({"leave_children": true}),
        "org.lvmwarden.Poll.Start" => {
            json!({"kind": "pvmove", "vgname": "v", "lvname": "l", "lvid": "x".repeat(64)})
        }
        "org.lvmwarden.Poll.Show"
        | "org.lvmwarden.Poll.Abort"
        | "org.lvmwarden.Poll.Pause"
        | "org.lvmwarden.Poll.Resume" => {
            json!({"id": "00000000-0000-0000-0000-000000000000"})
        }
        "org.lvmwarden.Poll.Wait" => json!({"id": "00000000-0000-0000-0000-000000000000", "timeout_ms": 1}),
        "org.lvmwarden.Supervisor.Restart" => json!({"name": "root/poll"}),
        "org.lvmwarden.Supervisor.SetLogLevel" => json!({"level": "error"}),
        "org.lvmwarden.Lock.Start"
        | "org.lvmwarden.Lock.Stop"
        | "org.lvmwarden.Lock.Drop"
        | "org.lvmwarden.Lock.Adopt"
        | "org.lvmwarden.Lock.Release"
        | "org.lvmwarden.Lock.Explain"
        | "org.lvmwarden.Metadata.Show"
        | "org.lvmwarden.Metadata.Wait" => json!({"vgname": "v"}),
        "org.lvmwarden.Metadata.Rescan" => json!({"device": "/dev/null"}),
        "org.lvmwarden.Reconfigure.Plan" | "org.lvmwarden.Reconfigure.Propose" => {
            json!({"goal": {"kind": "refresh", "vgname": "v"}})
        }
        "org.lvmwarden.Reconfigure.Show"
        | "org.lvmwarden.Reconfigure.Abandon"
        | "org.lvmwarden.Reconfigure.Judge"
        | "org.lvmwarden.Reconfigure.Wait" => json!({"id": "v"}),
        // So that a stream has something to tell.
        "org.lvmwarden.Events.Subscribe" => json!({"cursor": "earlier:1", "limit": 1}),
        _without_parameters => json!({}),
    }
}

/// Asserts that nothing has changed that a refused call would have changed.
fn assert_untouched(site: &Site, mut service: Service) {
    let mut root = Client::connect(site);
    assert_eq!(root.call("org.lvmwarden.Poll.List", &json!({})), json!({"operations": []}));
    let tree = root.call("org.lvmwarden.Supervisor.Tree", &json!({}));
    assert!(!tree.to_string().contains("\"restarts\":1"), "{tree}");
    assert!(!service.has_ended());
    assert_eq!(site.lvm.start_count(), 0);
}

#[test]
fn others_are_refused_on_every_method() {
    let site = Site::new();
    let service = open_service(&site);
    let methods = all_methods(&mut Client::connect(&site));
    for groups in [&[][..], &[0, 1, UID]] {
        let mut stranger = Somebody::connect(&site, UID, UID, groups);
        for method in
            methods.iter().map(String::as_str).chain(["org.lvmwarden.Poll.Nothing", "org.example.X"])
        {
            for parameters in [parameters_of(method), json!({})] {
                let reply = stranger.call(method, &parameters);
                assert_eq!(reply, json!({"error": PERMISSION_DENIED, "parameters": {}}), "{method}");
            }
        }
    }
    let recent = service.call("org.lvmwarden.Events.Recent", &json!({}));
    let told = recent["events"].as_array().unwrap().iter().find(|event| event["kind"] == "client.refused");
    assert_eq!(told.unwrap()["fields"]["uid"], UID.to_string());
    assert_untouched(&site, service);
}

#[test]
fn members_of_the_group_may_read_and_watch_and_nothing_else() {
    let site = Site::new();
    let service = open_service(&site);
    let methods = all_methods(&mut Client::connect(&site));
    assert!(CHANGING.iter().all(|changing| methods.iter().any(|method| method == changing)));
    // More groups than fit into what the kernel is asked for at first.
    let many: Vec<u32> = (100_000..100_200).chain([GROUP]).collect();
    for (gid, groups) in [(GROUP, &[][..]), (UID, &[GROUP]), (UID, &many)] {
        for method in &methods {
            // A watcher's stream does not end: a connection for each.
            let mut member = Somebody::connect(&site, UID, gid, groups);
            if method == "org.lvmwarden.Poll.Watch" {
                // All operations there are: none, and so no reply.
                let unknown = member.call(method, &json!({"id": "00000000-0000-0000-0000-000000000000"}));
                assert_eq!(unknown["error"], "org.lvmwarden.Poll.NotFound");
                continue;
            }
            let reply = member.call(method, &parameters_of(method));
            let is_denied = reply["error"] == PERMISSION_DENIED;
            assert_eq!(
                is_denied,
                CHANGING.contains(&method.as_str()),
                "{method} as {gid}, {groups:?}: {reply}"
            );
        }
    }
    assert_untouched(&site, service);
}

#[test]
fn root_may_do_everything_whatever_its_groups() {
    let site = Site::new();
    let _service = open_service(&site);
    let mut root = Somebody::connect(&site, 0, UID, &[]);
    let reply = root.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({"level": "debug"}));
    assert_eq!(reply, json!({"parameters": {}}));
}
