//! Starts a lock daemon under test, ours or the C one, in test mode and in a place of its own.
//!
//! In test mode no lock manager is asked for anything. sanlock's devices are looked for all the same: [`LockSite::device`] puts
//! a file for one where only that daemon sees it; the C daemon, which has its place built in, by a mount namespace of its own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::daemon::{Daemon, Flavour};
use crate::lab::lock_packages;
use crate::lock_client::{LockClient, ask};
use crate::{binaries, wait};

/// Makes each function that takes a [`Flavour`] a test of the daemon that the crate names `FLAVOUR`.
#[macro_export]
#[expect(clippy::crate_in_macro_def, reason = "which daemon is asked is up to the crate of the tests")]
macro_rules! lock_tests {
    ($($name:ident),* $(,)?) => {
        mod tests { $(#[test] fn $name() { super::$name(crate::FLAVOUR); })* }
    };
}

/// The folders of one test.
#[derive(Debug)]
pub struct LockSite {
    folder: TempDir,
    run_dir: TempDir,
}

/// A daemon about to be started.
#[derive(Debug)]
#[must_use]
pub struct Launch<'site> {
    site: &'site LockSite,
    flavour: Flavour,
    options: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    pid_file: PathBuf,
    sees_devices: bool,
}

impl LockSite {
    /// Returns a new, empty one.
    #[expect(clippy::new_without_default, reason = "it makes folders: not a value with a default")]
    pub fn new() -> Self {
        let folder = temporary_folder(&std::env::temp_dir());
        for name in ["mapper", "state"] {
            fs::create_dir(folder.path().join(name)).expect("a new folder is empty");
        }
        let memory = Path::new("/dev/shm");
        let run_dir = if memory.is_dir() { memory } else { folder.path() };
        let run_dir = temporary_folder(run_dir);
        Self { folder, run_dir }
    }

    /// Prepares a start of a daemon here, in test mode.
    pub fn daemon(&self, flavour: Flavour) -> Launch<'_> {
        let (options, environment) = (vec!["-T".into()], Vec::new());
        Launch { site: self, flavour, options, environment, pid_file: self.pid_file(), sees_devices: false }
    }

    /// Connects to the daemon here.
    #[track_caller]
    pub fn client(&self) -> LockClient {
        LockClient::connect(&self.socket())
    }

    /// Starts a dlm VG and waits until it can be locked: the C daemon's replies run ahead of it.
    #[track_caller]
    pub fn start_vg(&self, vg: &str) {
        let mut client = self.client();
        assert_eq!(client.result(ask::start_vg(vg, "wait")), 0);
        client.await_started(vg);
        let lockspace = "the lockspace of the global lock";
        wait::until(lockspace, wait::SOON, || (client.result(ask::lock_gl("un")) == -2).then_some(()));
    }

    /// Puts a file where the device with the leases of a sanlock VG would be.
    pub fn device(&self, vg: &str) {
        let path = self.path("mapper").join(format!("{vg}-lvmlock"));
        fs::write(path, "").expect("the folder is ours");
    }

    /// Returns the path of `name` here.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the path of the daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.path("lvmlockd.socket")
    }

    /// Returns the path of the daemon's pid file.
    pub fn pid_file(&self) -> PathBuf {
        self.path("lvmlockd.pid")
    }

    /// Returns the path of the adopt file.
    pub fn adopt_file(&self) -> PathBuf {
        self.path("lvmlockd.adopt")
    }
}

impl Launch<'_> {
    /// Adds options.
    pub fn options<const N: usize>(mut self, options: [&str; N]) -> Self {
        self.options.extend(options.map(OsString::from));
        self
    }

    /// Sets a variable of the daemon's environment.
    pub fn environment(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Takes another pid file.
    pub fn pid_file(mut self, pid_file: PathBuf) -> Self {
        self.pid_file = pid_file;
        self
    }

    /// Lets it see the files of [`LockSite::device`] where devices would be.
    pub fn seeing_devices(mut self) -> Self {
        self.sees_devices = true;
        self
    }

    /// Returns the command with nothing but the options that were added.
    pub fn bare_command(&self) -> Command {
        let program = match self.flavour {
            Flavour::Ours => binaries::lvmwardend(),
            Flavour::Stock => stock_root().join("usr/sbin/lvmlockd"),
        };
        let mut command = match self.flavour {
            Flavour::Stock if self.sees_devices => in_a_namespace(&self.site.path("mapper"), &program),
            Flavour::Stock | Flavour::Ours => Command::new(program),
        };
        match self.flavour {
            Flavour::Ours => command.arg("lvmlockd"),
            Flavour::Stock => command.env("LD_LIBRARY_PATH", stock_root().join("usr/lib/x86_64-linux-gnu")),
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LVM")) {
            command.env_remove(name);
        }
        command
            .env("LVMWARDEN_RUN_DIR", self.site.run_dir.path())
            .env("LVMWARDEN_STATE_DIR", self.site.path("state"))
            .envs(self.sees_devices.then(|| ("LVMWARDEN_DEVICE_FOLDER", self.site.path("mapper"))))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(&self.options)
            .stdin(Stdio::null());
        command
    }

    /// Returns the command with socket, pid file and adopt file; in the background unless `-f` or `-D` was added.
    pub fn command(&self) -> Command {
        let mut command = self.bare_command();
        command.arg("-s").arg(self.site.socket()).arg("-p").arg(&self.pid_file);
        command.arg("--adopt-file").arg(self.site.adopt_file());
        command
    }

    /// Starts it in the foreground and waits until its socket is there.
    #[track_caller]
    pub fn start(self) -> Daemon {
        let pid_file = self.pid_file.clone();
        let socket = self.site.socket();
        let mut daemon = self.start_unready();
        wait::until("the daemon's socket and its pid in its pid file", wait::SOON, || {
            assert!(!daemon.has_ended(), "the daemon ended at once");
            let pid = fs::read_to_string(&pid_file).ok()?;
            (pid.trim() == daemon.pid().to_string() && socket.exists()).then_some(())
        });
        daemon
    }

    /// Starts it in the foreground and waits for nothing.
    #[track_caller]
    pub fn start_unready(self) -> Daemon {
        let mut command = self.command();
        let log = File::options().create(true).append(true).open(self.site.path("daemon.log"));
        let log = log.expect("the folder is ours");
        command.arg("-D").stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        Daemon::of(process, self.site.socket())
    }
}

/// Mounts the folder `$0` on `/dev/mapper`, and becomes the rest. A machine without device-mapper has no such folder; there
/// `/dev` is another one, with those nodes that a daemon opens.
const ON_DEV_MAPPER: &str = r#"
    set -e
    if ! [ -d /dev/mapper ]; then
        mkdir -p "$0.dev/mapper"
        for node in null zero random urandom; do
            : > "$0.dev/$node"
            mount --bind "/dev/$node" "$0.dev/$node"
        done
        mount --rbind "$0.dev" /dev
    fi
    mount --bind "$0" /dev/mapper
    exec "$@"
"#;

/// Starts `program` where `/dev/mapper` is `folder`, for it alone.
fn in_a_namespace(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", ON_DEV_MAPPER]).arg(folder).arg(program);
    command
}

/// Returns the folder with the packages of the C daemon: `LVMLOCKD_ROOT`, or from the lab's cache.
fn stock_root() -> PathBuf {
    let given = std::env::var_os("LVMLOCKD_ROOT").map(PathBuf::from);
    given.unwrap_or_else(|| lock_packages::root().expect("Debian's packages can be had"))
}

fn temporary_folder(parent: &Path) -> TempDir {
    tempfile::Builder::new().prefix("lvmwarden-").tempdir_in(parent).expect("temporary folders are writable")
}

impl Drop for LockSite {
    #[expect(clippy::print_stderr, reason = "the test runner shows it with the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read(self.path("daemon.log")).unwrap_or_default();
            let tail = &log[log.len().saturating_sub(6_000)..];
            eprintln!("--- the daemon's log\n{}", String::from_utf8_lossy(tail));
        }
    }
}
