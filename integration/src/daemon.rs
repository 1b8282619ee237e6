//! Starts and ends a daemon under test: ours, or the C one, with the same options.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};

use crate::client::Client;
use crate::dump::{self, Entry};
use crate::request::Operation;
use crate::site::Site;
use crate::{binaries, fake_lvm, wait};

/// Which daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `lvmwardend lvmpolld`.
    Ours,
    /// lvm2's own `lvmpolld`: what the suite was checked against.
    Stock,
}

/// Makes each function that takes a [`Flavour`] two tests: `ours::NAME` and `stock::NAME`.
#[macro_export]
macro_rules! both_daemons {
    ($($name:ident),* $(,)?) => {
        mod ours { $(#[test] fn $name() { super::$name($crate::daemon::Flavour::Ours); })* }
        mod stock { $(#[test] fn $name() { super::$name($crate::daemon::Flavour::Stock); })* }
    };
}

/// A daemon about to be started.
#[derive(Debug)]
#[must_use]
pub struct Launch<'site> {
    site: &'site Site,
    flavour: Flavour,
    program: Option<PathBuf>,
    binary: PathBuf,
    pid_file: PathBuf,
    quiet: bool,
    directory: Option<PathBuf>,
    options: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl<'site> Launch<'site> {
    pub(crate) fn new(site: &'site Site, flavour: Flavour) -> Self {
        let environment = [
            (fake_lvm::FOLDER_VARIABLE, site.lvm.folder().to_owned()),
            ("LVMWARDEN_RUN_DIR", site.run_dir()),
            ("LVMWARDEN_STATE_DIR", site.state_dir()),
        ];
        Self {
            site,
            flavour,
            program: None,
            binary: binaries::fake_lvm(),
            pid_file: site.pid_file(),
            quiet: false,
            directory: None,
            options: Vec::new(),
            environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
        }
    }

    /// Adds an option.
    pub fn option(mut self, option: impl AsRef<OsStr>) -> Self {
        self.options.push(option.as_ref().into());
        self
    }

    /// Sets a variable of the daemon's environment.
    pub fn environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().into()));
        self
    }

    /// Takes another program for `lvm`.
    pub fn binary(mut self, binary: PathBuf) -> Self {
        self.binary = binary;
        self
    }

    /// Does not log every message: for tests of speed.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Is started in this directory.
    pub fn directory(mut self, directory: PathBuf) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Takes another daemon than the one found by [`binaries`].
    pub fn program(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Takes another pid file.
    pub fn pid_file(mut self, pid_file: PathBuf) -> Self {
        self.pid_file = pid_file;
        self
    }

    /// Returns the command without any option but those that were added.
    pub fn bare_command(&self) -> Command {
        let program = self.program.clone().unwrap_or_else(|| match self.flavour {
            Flavour::Ours => binaries::lvmwardend(),
            Flavour::Stock => binaries::stock_lvmpolld(),
        });
        let mut command = Command::new(program);
        if self.flavour == Flavour::Ours {
            command.arg("lvmpolld");
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LVM")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).args(&self.options);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Returns the command with socket, pid file and binary; in the background unless `-f` was added.
    pub fn command(&self) -> Command {
        let mut command = self.bare_command();
        command
            .arg("-s")
            .arg(self.site.socket())
            .arg("-p")
            .arg(self.site.pid_file())
            .arg("-B")
            .arg(&self.binary);
        command
    }

    /// Starts it in the foreground and waits until its socket accepts.
    #[track_caller]
    pub fn start(self) -> Daemon {
        let pid_file = self.pid_file.clone();
        let mut daemon = self.start_unready();
        wait::until("the daemon's socket and its pid in its pid file", wait::SOON, || {
            assert!(!daemon.has_ended(), "the daemon ended at once: {:?}", daemon.process.try_wait());
            let pid = fs::read_to_string(&pid_file).ok()?;
            (pid.trim() == daemon.pid().to_string() && daemon.socket.exists()).then_some(())
        });
        daemon
    }

    /// Starts it in the foreground and waits for nothing: it may end before it serves.
    #[track_caller]
    pub fn start_unready(self) -> Daemon {
        let mut command = self.command();
        let log =
            File::options().create(true).append(true).open(self.site.log()).expect("the folder is ours");
        if !self.quiet {
            command.args(["-l", "wire"]);
        }
        command.arg("-f").stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        Daemon::of(process, self.site.socket())
    }
}

/// A running daemon; killed when dropped.
#[derive(Debug)]
#[must_use]
pub struct Daemon {
    process: Child,
    socket: PathBuf,
}

impl Daemon {
    /// Takes care of a process that serves `socket`.
    pub(crate) fn of(process: Child, socket: PathBuf) -> Self {
        Self { process, socket }
    }

    /// Returns its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns its process as the kernel's calls take it.
    pub fn raw_pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Connects; no hello was said yet.
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(&self.socket)
    }

    /// Returns the operations it knows.
    #[track_caller]
    pub fn dump(&self) -> Vec<Entry> {
        dump::parse(&self.client().ask("request=\"dump\"\n"))
    }

    /// Waits until the dump says that `operation` is in `state`.
    #[track_caller]
    pub fn await_state(&self, operation: &Operation, state: &str) {
        let mut client = self.client();
        wait::until(&format!("{state} of {}", operation.path()), wait::SOON, || {
            let entries = dump::parse(&client.ask("request=\"dump\"\n"));
            entries.iter().any(|entry| entry.lvid == operation.lvid && entry.state == state).then_some(())
        });
    }

    /// Waits until the dump shows just these children, and returns it. A child runs before its number can be told.
    #[track_caller]
    pub fn await_pids(&self, pids: &[i32]) -> Vec<Entry> {
        let sorted = |pids: &mut dyn Iterator<Item = i32>| {
            let mut pids: Vec<_> = pids.collect();
            pids.sort_unstable();
            pids
        };
        let wanted = sorted(&mut pids.iter().copied());
        let mut client = self.client();
        wait::until(&format!("the children {wanted:?} in the dump"), wait::SOON, || {
            Some(dump::parse(&client.ask("request=\"dump\"\n")))
                .filter(|entries| sorted(&mut entries.iter().map(|entry| entry.pid)) == wanted)
        })
    }

    /// Returns how many descriptors it has open.
    pub fn descriptor_count(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count)
    }

    /// Returns how much memory it holds.
    pub fn resident_bytes(&self) -> u64 {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.pid())).unwrap_or_default();
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        pages.expect("the kernel tells the memory of a living process") * rustix::param::page_size() as u64
    }

    /// Takes from it the right to open any further descriptor.
    #[track_caller]
    pub fn limit_descriptors_to_those_open(&self) {
        let is_open =
            |number: &u64| fs::symlink_metadata(format!("/proc/{}/fd/{number}", self.pid())).is_ok();
        // New ones get the lowest free number, which this limit forbids; those open above it stay usable.
        let limit = (0..1 << 20).find(|number| !is_open(number));
        rustix::process::prlimit(
            Some(self.raw_pid()),
            Resource::Nofile,
            Rlimit { current: limit, maximum: limit },
        )
        .expect("root may limit its children");
    }

    /// Kills it without warning, as the kernel does when memory is short.
    #[track_caller]
    pub fn kill(mut self) {
        self.process.kill().expect("the daemon was still there");
        self.await_end(wait::SOON);
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.raw_pid(), signal).expect("the daemon is there");
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn await_end(&mut self, deadline: Duration) -> ExitStatus {
        wait::until("the daemon's end", deadline, || self.process.try_wait().expect("it is our child"))
    }

    /// Has it ended?
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("it is our child").is_some()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
