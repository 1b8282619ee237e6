//! The place of one test: its own folders, socket, pid file and stubs. Two tests never meet.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::client::Client;
use crate::daemon::{Flavour, Launch};
use crate::fake_lvm::FakeLvm;
use crate::request::Operation;
use crate::{binaries, service};

/// A temporary folder with everything a daemon under test reads and writes.
///
/// When it is dropped, stubs that still run are killed; if the test failed, the daemon's log and the stubs' starts are printed before.
/// Declare it before the daemons, so that it goes after them.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    run_dir: TempDir,
    /// The stub `lvm` of this test.
    pub lvm: FakeLvm,
}

impl Site {
    /// Returns a new, empty one.
    #[expect(clippy::new_without_default, reason = "it makes folders: not a value with a default")]
    pub fn new() -> Self {
        let folder = temporary_folder(&std::env::temp_dir());
        for name in ["state", "stub"] {
            fs::create_dir(folder.path().join(name)).expect("a new folder is empty");
        }
        let memory = Path::new("/dev/shm");
        let run_dir =
            if memory.is_dir() { temporary_folder(memory) } else { temporary_folder(&std::env::temp_dir()) };
        let lvm = FakeLvm::new(folder.path().join("stub"));
        Self { folder, run_dir, lvm }
    }

    /// Prepares a start of a daemon here.
    pub fn daemon(&self, flavour: Flavour) -> Launch<'_> {
        Launch::new(self, flavour)
    }

    /// Prepares a start of the service here.
    pub fn service(&self) -> service::Launch<'_> {
        service::Launch::new(self)
    }

    /// Returns a pvmove of `lv` in a VG of a name that no other test uses.
    ///
    /// A starting daemon of ours looks for left-over children in the whole process table, and what it goes by is their VG and LV.
    pub fn pvmove(&self, lv: &str) -> Operation {
        let unique = self.folder.path().file_name().expect("a temporary folder has a name");
        Operation::pvmove(&unique.to_string_lossy(), lv)
    }

    /// Connects to the daemon here.
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(&self.socket())
    }

    /// Connects to the daemon here, if it accepts just now.
    pub fn try_client(&self) -> Option<Client> {
        Client::try_connect(&self.socket())
    }

    /// Returns the path of `name` here.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the path of the daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.path("lvmpolld.socket")
    }

    /// Returns the path of the socket of the service's API.
    pub fn api_socket(&self) -> PathBuf {
        self.path("org.lvmwarden")
    }

    /// Returns the path of the folder that the archive janitor looks after.
    pub fn archive(&self) -> PathBuf {
        self.path("archive")
    }

    /// Returns the path of the service's configuration.
    pub fn configuration(&self) -> PathBuf {
        self.path("lvmwarden.toml")
    }

    /// Returns the path of the daemon's pid file.
    pub fn pid_file(&self) -> PathBuf {
        self.path("lvmpolld.pid")
    }

    /// Returns the path of what the daemons print, one after the other.
    pub fn log(&self) -> PathBuf {
        self.path("daemon.log")
    }

    /// Returns our daemon's run folder, lost with a reboot. It lies in memory, as /run does.
    pub fn run_dir(&self) -> PathBuf {
        self.run_dir.path().to_owned()
    }

    /// Returns the folder that has the images of the service's disks, and what LVM says of them.
    pub fn disks_dir(&self) -> PathBuf {
        self.path("disks")
    }

    /// Returns what our daemon takes for /sys: the kernel's knobs are nobody's to turn in a test.
    pub fn sys_dir(&self) -> PathBuf {
        self.path("sys")
    }

    /// Returns our daemon's state folder, kept for ever.
    pub fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    /// Returns a copy of the stub that belongs to this test alone, to be replaced or removed under the daemon's eyes.
    pub fn private_stub(&self) -> PathBuf {
        let copy = self.path("private-stub");
        fs::copy(binaries::fake_lvm(), &copy).expect("the stub is readable");
        copy
    }

    #[expect(clippy::print_stderr, reason = "the test runner shows it with the failed test")]
    fn tell_what_happened(&self) {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let tail_start = log.char_indices().rev().nth(6_000).map_or(0, |(index, _)| index);
        eprintln!("--- the daemon's log\n{}", &log[tail_start..]);
        eprintln!("--- starts of the stub");
        for start in self.lvm.starts().iter().take(20) {
            eprintln!("{} {:?}{}", start.pid, start.arguments, if start.is_alive() { " (runs)" } else { "" });
        }
    }
}

fn temporary_folder(parent: &Path) -> TempDir {
    tempfile::Builder::new().prefix("lvmwarden-").tempdir_in(parent).expect("temporary folders are writable")
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell_what_happened();
        }
        self.lvm.kill_all();
    }
}
