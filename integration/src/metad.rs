//! Starts `lvmwardend lvmetad` in a place of its own, and speaks to it as lvm commands do.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::{binaries, wait};

/// The reply to what is done.
pub const OK: &str = "response = \"OK\"\n";

/// The token of a client that fills the cache.
pub const UPDATING: &str = "update in progress";

/// The folder of one test.
#[derive(Debug)]
pub struct MetadSite(TempDir);

/// A daemon about to be started.
#[derive(Debug)]
#[must_use]
pub struct Launch<'site> {
    site: &'site MetadSite,
    options: Vec<OsString>,
    environment: Vec<(String, OsString)>,
}

/// One client, which speaks under the token that is always right unless it says another.
#[derive(Debug)]
pub struct MetadClient(Client);

impl MetadSite {
    /// Returns a new, empty one.
    #[expect(clippy::new_without_default, reason = "it makes a folder: not a value with a default")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be made"))
    }

    /// Returns the path of `name` here.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns the path of the daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.path("lvmetad.socket")
    }

    /// Returns the path of the daemon's pid file.
    pub fn pid_file(&self) -> PathBuf {
        self.path("lvmetad.pid")
    }

    /// Prepares a start here.
    pub fn daemon(&self) -> Launch<'_> {
        Launch { site: self, options: Vec::new(), environment: Vec::new() }
    }

    /// Starts a daemon here, with a client that is connected.
    #[track_caller]
    pub fn start(&self) -> (Daemon, MetadClient) {
        (self.daemon().start(), self.client())
    }

    /// Connects to the daemon here.
    #[track_caller]
    pub fn client(&self) -> MetadClient {
        MetadClient(Client::connect(&self.socket()))
    }
}

impl Launch<'_> {
    /// Adds options.
    pub fn options<S: AsRef<OsStr>>(mut self, options: impl IntoIterator<Item = S>) -> Self {
        self.options.extend(options.into_iter().map(|option| option.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the daemon's environment.
    pub fn environment(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the command with nothing but the options that were added.
    pub fn bare_command(&self) -> Command {
        let mut command = Command::new(binaries::lvmwardend());
        command.arg("lvmetad");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LVM")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(&self.options).stdin(Stdio::null());
        command
    }

    /// Returns the command with socket and pid file; in the background unless `-f` was added.
    pub fn command(&self) -> Command {
        let mut command = self.bare_command();
        command.arg("-s").arg(self.site.socket()).arg("-p").arg(self.site.pid_file());
        command
    }

    /// Starts it in the foreground and waits until it serves.
    #[track_caller]
    pub fn start(self) -> Daemon {
        let socket = self.site.socket();
        let log = File::options().create(true).append(true).open(self.site.path("log"));
        let log = log.expect("the folder is ours");
        let mut command = self.command();
        let process = command.arg("-f").stdout(Stdio::null()).stderr(log).spawn();
        let mut daemon = Daemon::of(process.expect("it was built"), socket.clone());
        let pid_file = self.site.pid_file();
        wait::until("the daemon's socket and its pid in its pid file", wait::SOON, || {
            assert!(!daemon.has_ended(), "the daemon ended at once");
            let pid = fs::read_to_string(&pid_file).ok()?;
            (pid.trim() == daemon.pid().to_string() && socket.exists()).then_some(())
        });
        daemon
    }
}

impl MetadClient {
    /// Returns the reply to a message, both without terminator.
    #[track_caller]
    pub fn raw(&mut self, message: &str) -> String {
        let mut reply = self.0.ask(message);
        reply.truncate(reply.len() - crate::client::TERMINATOR.len());
        reply
    }

    /// Asks under the token that is always right.
    #[track_caller]
    pub fn ask(&mut self, request: &str) -> String {
        self.raw(&format!("request={request} token=skip"))
    }

    /// Finds a PV on a device; `metadata`: what it says of its VG, see [`vg`].
    #[track_caller]
    pub fn found(&mut self, pv: &str, device: i64, metadata: &str) -> String {
        self.found_with(pv, device, "mda0 { ignore=0 }", metadata)
    }

    /// Finds a PV of which more is said.
    #[track_caller]
    pub fn found_with(&mut self, pv: &str, device: i64, meta: &str, metadata: &str) -> String {
        self.ask(&format!("pv_found pvmeta {{ id=\"{pv}\" device={device} dev_size=9 {meta} }} {metadata}"))
    }

    /// Says that a VG was changed.
    #[track_caller]
    pub fn update(&mut self, metadata: &str) -> String {
        self.ask(&format!("vg_update {metadata}"))
    }

    /// Begins to fill the cache, as the client of this pid.
    #[track_caller]
    pub fn begin(&mut self, pid: i64, timeout: i64) -> String {
        self.raw(&format!(
            "request=token_update token=\"{UPDATING}\" pid={pid} update_timeout={timeout} cmd=pvs"
        ))
    }

    /// Ends to fill the cache.
    #[track_caller]
    pub fn end(&mut self, pid: i64, token: &str) -> String {
        self.raw(&format!("request=token_update token=\"{token}\" pid={pid}"))
    }

    /// Returns the connection.
    pub fn into_inner(self) -> Client {
        self.0
    }
}

/// Returns the fields of a VG's metadata: `vg("v", "G", 3, &["A", "B"])`.
pub fn vg(name: &str, uuid: &str, seqno: i64, pvs: &[&str]) -> String {
    vg_with(name, uuid, seqno, pvs, "")
}

/// The same, with more entries.
pub fn vg_with(name: &str, uuid: &str, seqno: i64, pvs: &[&str], more: &str) -> String {
    let pv = |(at, pv): (usize, &&str)| {
        format!("pv{at} {{ id=\"{pv}\" status=[\"ALLOCATABLE\"] flags=[] dev_size=8 }} ")
    };
    let pvs: String = pvs.iter().enumerate().map(pv).collect();
    format!("vgname=\"{name}\" metadata {{ id=\"{uuid}\" seqno={seqno} {more} physical_volumes {{ {pvs}}} }}")
}

/// Returns the reply to a PV that was found.
pub fn found(status: &str, changed: u8, vg: &str, name: &str, before: i64, after: i64) -> String {
    format!(
        "response = \"OK\"\nstatus = \"{status}\"\nchanged = {changed}\nvgid = \"{vg}\"\nvgname = \"{name}\"\n\
         seqno_before = {before}\nseqno_after = {after}\n"
    )
}

/// Returns a refusal.
pub fn refused(response: &str, reason: &str) -> String {
    format!("response = \"{response}\"\nreason = \"{reason}\"\n")
}
