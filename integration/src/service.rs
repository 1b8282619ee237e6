//! Starts the service under test as systemd does, listens to what it tells systemd, and asks it through its API.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::connect_within;
use crate::daemon::Daemon;
use crate::site::Site;
use crate::{binaries, fake_lvm, wait};

/// What a watched service tells systemd again and again.
const SIGN_OF_LIFE: &str = "WATCHDOG=1";

/// A socket that was made before the service, as a socket unit makes it.
#[derive(Debug)]
struct HandedOver {
    name: String,
    listener: UnixListener,
}

/// A service about to be started.
#[derive(Debug)]
#[must_use]
pub struct Launch<'site> {
    site: &'site Site,
    settings: BTreeMap<String, String>,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    handed_over: Vec<HandedOver>,
    open_files: Option<u32>,
}

impl<'site> Launch<'site> {
    pub(crate) fn new(site: &'site Site) -> Self {
        let quoted = |path: PathBuf| format!("{:?}", path.to_str().expect("a test's paths are text"));
        let settings = [
            ("log.wire", "true".to_owned()),
            ("log.level", "\"trace\"".to_owned()),
            ("poll.socket", quoted(site.socket())),
            ("poll.binary", quoted(binaries::fake_lvm())),
            // The stub copies nothing that device-mapper could show.
            ("poll.mode", "\"classic\"".to_owned()),
            // What LVM has on this machine is no test's business.
            ("metadata.fill", "\"commands\"".to_owned()),
            ("metadata.binary", quoted(binaries::fake_lvm())),
            ("api.socket", quoted(site.api_socket())),
            ("api.group", "\"root\"".to_owned()),
            ("archive_janitor.directory", quoted(site.archive())),
        ];
        Self {
            site,
            settings: settings.map(|(key, value)| (key.to_owned(), value)).into(),
            options: Vec::new(),
            environment: Vec::new(),
            handed_over: Vec::new(),
            open_files: None,
        }
    }

    /// Sets `key`, such as `log.level`, to `value` as it stands in TOML.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds an option.
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// Sets a variable of the service's environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Is watched by a systemd that wants a sign of life in each `period`.
    pub fn watched(self, period: Duration) -> Self {
        self.environment("WATCHDOG_USEC", &period.as_micros().to_string())
    }

    /// Hands over a socket at `path` under `name`; the first one made becomes descriptor 3. At most two.
    pub fn hand_over(mut self, name: &str, path: PathBuf) -> Self {
        let listener = UnixListener::bind(path).expect("the folder is ours");
        self.handed_over.push(HandedOver { name: name.to_owned(), listener });
        self
    }

    /// Lets it have no more files open than these.
    pub fn open_files(mut self, limit: u32) -> Self {
        self.open_files = Some(limit);
        self
    }

    /// Writes the configuration.
    pub fn configure(self) -> Self {
        let lines = self.settings.iter().map(|(key, value)| format!("{key} = {value}\n"));
        fs::write(self.site.configuration(), lines.collect::<String>()).expect("the folder is ours");
        self
    }

    /// Returns the command with the configuration that was written last.
    ///
    /// A shell in front keeps its pid across the exec, and puts sockets where systemd puts them.
    pub fn command(&self) -> Command {
        let activation = match self.handed_over.len() {
            0 => r#"exec "$0" "$@" </dev/null"#,
            1 => r#"LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&0 </dev/null"#,
            _ => r#"LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@" 3<&0 4<&1 </dev/null >/dev/null"#,
        };
        let limit = self.open_files.map_or_else(String::new, |limit| format!("ulimit -n {limit} && "));
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(limit + activation).arg(binaries::lvmwardend());
        command.arg("--config").arg(self.site.configuration()).args(&self.options);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LVM")) {
            command.env_remove(name);
        }
        command
            .env(fake_lvm::FOLDER_VARIABLE, self.site.lvm.folder())
            .env("LVMWARDEN_RUN_DIR", self.site.run_dir())
            .env("LVMWARDEN_STATE_DIR", self.site.state_dir())
            .env("LVMWARDEN_SYS_DIR", self.site.sys_dir())
            // Never the host's own.
            .env("LVMWARDEN_DISKS_DIR", self.site.disks_dir())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if !self.handed_over.is_empty() {
            let names: Vec<_> = self.handed_over.iter().map(|handed| handed.name.as_str()).collect();
            command.env("LISTEN_FDNAMES", names.join(":"));
        }
        command
    }

    /// Writes the configuration, starts the service, and waits until it says that it is ready.
    #[track_caller]
    pub fn start(self) -> Service {
        let mut service = self.start_unready();
        service.await_notice("READY=1");
        service
    }

    /// Writes the configuration and starts the service; waits for nothing.
    #[track_caller]
    pub fn start_unready(self) -> Service {
        let launch = self.configure();
        let notify = launch.site.path("notify");
        // The one of an earlier life.
        fs::remove_file(&notify).ok();
        let notices = UnixDatagram::bind(&notify).expect("the folder is ours");
        let mut command = launch.command();
        let log = File::options().create(true).append(true).open(launch.site.log());
        command.env("NOTIFY_SOCKET", &notify).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(log.expect("the folder is ours"));
        let mut sockets = launch.handed_over.into_iter().map(|handed| OwnedFd::from(handed.listener));
        if let Some(first) = sockets.next() {
            command.stdin(first);
        }
        if let Some(second) = sockets.next() {
            command.stdout(second);
        }
        let process = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        let daemon = Daemon::of(process, launch.site.socket());
        Service { daemon, notices, told: Vec::new(), last_sign: None, api_socket: launch.site.api_socket() }
    }
}

/// A running service; killed when dropped. It is also a [`Daemon`].
#[derive(Debug)]
#[must_use]
pub struct Service {
    daemon: Daemon,
    notices: UnixDatagram,
    /// What was told and not waited for yet, and when it was heard.
    told: Vec<(Instant, String)>,
    last_sign: Option<Instant>,
    api_socket: PathBuf,
}

impl Service {
    /// Waits until the service tells systemd a line that begins with `beginning`, other than any waited for so far;
    /// returns the line.
    #[track_caller]
    pub fn await_notice(&mut self, beginning: &str) -> String {
        wait::until(&format!("the notice {beginning}, after {:?}", self.told), wait::SOON, || {
            let has_ended = self.daemon.has_ended();
            self.listen();
            let index = self.told.iter().position(|(_, line)| line.starts_with(beginning));
            assert!(index.is_some() || !has_ended, "the service has ended without it");
            let index = index?;
            Some(self.told.drain(..=index).next_back()?.1)
        })
    }

    /// Tells whether the service has told systemd a line that begins so, which nobody has waited for yet.
    pub fn was_told(&mut self, beginning: &str) -> bool {
        self.listen();
        self.told.iter().any(|(_, line)| line.starts_with(beginning))
    }

    /// Waits for the next sign of life for the watchdog; returns when it came.
    #[track_caller]
    pub fn await_sign_of_life(&mut self) -> Instant {
        let heard = wait::until("a sign of life", wait::SOON, || {
            self.listen();
            let index = self.told.iter().position(|(_, line)| line == SIGN_OF_LIFE)?;
            Some(self.told.drain(..=index).next_back()?.0)
        });
        self.last_sign = Some(heard);
        heard
    }

    /// Returns when the last sign of life so far came, of which at least one was waited for.
    pub fn last_sign_of_life(&mut self) -> Instant {
        self.listen();
        let signs = self.told.iter().filter(|(_, line)| line == SIGN_OF_LIFE).map(|(heard, _)| *heard);
        signs.chain(self.last_sign).max().expect("one was waited for")
    }

    /// Kills it without warning.
    #[track_caller]
    pub fn kill(self) {
        self.daemon.kill();
    }

    /// Calls a method of the API; returns the parameters of its reply.
    #[track_caller]
    pub fn call(&self, method: &str, parameters: &Value) -> Value {
        let mut reply = self.try_call(method, parameters);
        assert!(reply.get("error").is_none(), "{method}: {reply}");
        reply["parameters"].take()
    }

    /// Calls a method of the API; returns its whole reply, which may be an error.
    #[track_caller]
    pub fn try_call(&self, method: &str, parameters: &Value) -> Value {
        let mut stream = connect_within(&self.api_socket, wait::SOON).expect("the API accepts");
        let call = serde_json::json!({ "method": method, "parameters": parameters });
        stream.write_all(format!("{call}\0").as_bytes()).expect("the API takes a call");
        let mut reply = Vec::new();
        while !reply.ends_with(b"\0") {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).expect("the API answers in time");
            assert!(count > 0, "no whole reply: {}", String::from_utf8_lossy(&reply));
            reply.extend_from_slice(&chunk[..count]);
        }
        serde_json::from_slice(&reply[..reply.len() - 1]).expect("a reply is JSON")
    }

    fn listen(&mut self) {
        let mut buffer = [0; 4096];
        self.notices.set_nonblocking(true).expect("a socket can be made non-blocking");
        while let Ok(count) = self.notices.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            self.told.extend(text.lines().map(|line| (Instant::now(), line.to_owned())));
        }
    }
}

impl Deref for Service {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl DerefMut for Service {
    fn deref_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}
