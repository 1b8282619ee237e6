//! Hosts: daemons of sanlock, and the processes that use them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

use crate::disk::Disk;

/// The variable that makes a process of this program a host's; its value is the folder with the devices.
pub(crate) const DEVICE_FOLDER: &str = "LVMWARDEN_TEST_DEVICE_FOLDER";
pub(crate) const KILL_PROGRAM: &str = "kill-program";
pub(crate) const IO_TIMEOUT_SECONDS: u32 = 1;
pub(crate) const VG: &str = "vg";
pub(crate) const ARGS: &str = "1.0.0:lvmlock";
/// More than anything takes: a join, or the loss of a lease, some I/O timeouts.
const PATIENCE: Duration = Duration::from_secs(40);

/// A disk with leases that hosts share.
pub(crate) struct Lab {
    folder: TempDir,
    root: PathBuf,
}

/// A daemon of sanlock, and a process that uses it.
pub(crate) struct Host {
    id: u32,
    run_folder: PathBuf,
    device_folder: PathBuf,
    root: PathBuf,
    daemon: Child,
    process: Process,
}

struct Process {
    child: Child,
    calls: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Lab {
    /// Makes a disk with room for `lvs` leases of LVs; nothing is on it.
    pub(crate) fn new(lvs: u64) -> Self {
        let root =
            env::var_os("LVMWARDEN_SANLOCK_ROOT").expect("LVMWARDEN_SANLOCK_ROOT says where sanlock is");
        let lab = Self { folder: TempDir::new().unwrap(), root: root.into() };
        lab.disk().resize(67 + lvs);
        fs::write(lab.killed(), "").unwrap();
        let program = lab.folder.path().join(KILL_PROGRAM);
        fs::write(&program, format!("#!/bin/sh\necho \"$*\" >> {}\n", lab.killed().display())).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        lab
    }

    /// Makes a VG on the disk, by a host that is gone again.
    pub(crate) fn with_vg(lvs: u64) -> Self {
        let lab = Self::new(lvs);
        lab.host(1).expect("init_vg lvmlock true", "\"1.0.0:lvmlock\"");
        lab
    }

    pub(crate) fn disk(&self) -> Disk {
        Disk::new(self.folder.path().join(format!("{VG}-lvmlock")))
    }

    pub(crate) fn rename_disk(&self, vg: &str) -> Disk {
        let renamed = self.folder.path().join(format!("{vg}-lvmlock"));
        fs::rename(self.folder.path().join(format!("{VG}-lvmlock")), &renamed).unwrap();
        Disk::new(renamed)
    }

    /// Returns the file in which the program that sanlock runs notes its arguments.
    pub(crate) fn killed(&self) -> PathBuf {
        self.folder.path().join("killed")
    }

    /// Starts a host.
    pub(crate) fn host(&self, id: u32) -> Host {
        let run_folder = self.folder.path().join(format!("host{id}"));
        fs::create_dir_all(&run_folder).unwrap();
        let mut daemon = program(&self.root, "usr/sbin/sanlock", &run_folder);
        // In the foreground, without watchdog, locked memory, priority, other users, or a log but its standard error.
        daemon.args("daemon -D -w 0 -l 0 -h 0 -U root -G root -L -1 -S -1 -e".split(' '));
        daemon.arg(format!("host-{id}")).stderr(fs::File::create(run_folder.join("log")).unwrap());
        let daemon = daemon.spawn().unwrap();
        let socket = run_folder.join("sanlock.sock");
        // An earlier daemon may have left its socket.
        wait_for("sanlock's socket", || UnixStream::connect(&socket).is_ok());
        let process = process(&self.root, &run_folder, self.folder.path());
        Host {
            id,
            run_folder,
            device_folder: self.folder.path().to_owned(),
            root: self.root.clone(),
            daemon,
            process,
        }
    }

    /// Starts a host that has joined the VG's lockspace.
    pub(crate) fn joined(&self, id: u32) -> Host {
        let mut host = self.host(id);
        host.prepare();
        let generation = host.call("join no");
        assert!(generation.parse::<u32>().is_ok_and(|generation| generation > 0), "{generation}");
        host
    }

    /// Starts hosts that have joined the VG's lockspace, at the same time.
    pub(crate) fn two_joined(&self) -> [Host; 2] {
        thread::scope(|scope| {
            [1, 2].map(|id| scope.spawn(move || self.joined(id))).map(|host| host.join().unwrap())
        })
    }
}

impl Host {
    /// Makes a call; returns what came of it.
    pub(crate) fn call(&mut self, words: &str) -> String {
        writeln!(self.process.calls, "{words}").unwrap();
        let mut answer = String::new();
        self.process.answers.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "host {} died of `{words}`", self.id);
        answer.trim_end().to_owned()
    }

    /// Makes a call whose answer is known, or begins with what is.
    #[track_caller]
    pub(crate) fn expect(&mut self, words: &str, answer: &str) {
        let answered = self.call(words);
        assert!(answered.starts_with(answer), "host {}: `{words}`: {answered}, not {answer}", self.id);
    }

    /// Makes calls whose answers are known.
    #[track_caller]
    pub(crate) fn expect_all(&mut self, calls: &[(&str, &str)]) {
        for (words, answer) in calls {
            self.expect(words, answer);
        }
    }

    #[track_caller]
    pub(crate) fn prepare(&mut self) {
        let connect = format!("connect {ARGS} {}", self.id);
        self.expect(&connect, "()");
        self.expect("prepare", "Prepared { global: ");
    }

    /// Repeats a call until it has this answer.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, words: &str, answer: &str) {
        let mut last = String::new();
        wait_for(answer, || {
            last = self.call(words);
            last.starts_with(answer)
        });
    }

    /// Ends the process as a crash would, and starts another one, which is connected and prepared.
    pub(crate) fn crash(&mut self) {
        let old =
            std::mem::replace(&mut self.process, process(&self.root, &self.run_folder, &self.device_folder));
        old.kill();
        self.prepare();
    }

    /// Ends the daemon, and leaves the process.
    pub(crate) fn end_daemon(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }

    /// Returns what `sanlock client status` prints.
    pub(crate) fn status(&self) -> String {
        let mut client = program(&self.root, "usr/sbin/sanlock", &self.run_folder);
        String::from_utf8(client.args(["client", "status"]).stdout(Stdio::piped()).output().unwrap().stdout)
            .unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The process first: the daemon would wait for it. Both may be gone.
        let _ = self.process.child.kill();
        let _ = self.process.child.wait();
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Process {
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn process(root: &Path, run_folder: &Path, device_folder: &Path) -> Process {
    let mut command = Command::new(env::current_exe().unwrap());
    set_environment(&mut command, root, run_folder);
    command.env(DEVICE_FOLDER, device_folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (calls, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    Process { child, calls, answers: BufReader::new(answers) }
}

fn program(root: &Path, path: &str, run_folder: &Path) -> Command {
    let mut command = Command::new(root.join(path));
    set_environment(&mut command, root, run_folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn set_environment(command: &mut Command, root: &Path, run_folder: &Path) {
    command.env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"));
    command.env("SANLOCK_RUN_DIR", run_folder).env("SANLOCK_PRIVILEGED", "0");
}

/// Waits until `is_so`.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
