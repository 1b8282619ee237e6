//! Runs `lvmwarden` at a service of the test's own.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use lvmwarden_integration::request::Operation;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{binaries, wait};

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Asserts that it went well and said nothing beside; returns what it said.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:#?}");
        self.stdout
    }

    /// Asserts how it failed, and that these words are on stderr.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32, words: &str) {
        assert!(
            self.code == Some(code) && self.stderr.contains(words),
            "{code}, {words:?} are expected: {self:#?}"
        );
    }

    fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

fn executable() -> PathBuf {
    binaries::lvmwardend().with_file_name("lvmwarden")
}

fn prepared(mut command: Command, site: &Site, arguments: &[&str]) -> Command {
    command.arg("--socket").arg(site.api_socket()).args(arguments).stdin(Stdio::null()).env("TZ", "UTC");
    for name in ["LVMWARDEN_SOCKET", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(site: &Site, arguments: &[&str]) -> Run {
    Run::of(prepared(Command::new(executable()), site, arguments))
}

/// Runs it to its end as the user `nobody`, who is in these groups.
pub(crate) fn run_as_nobody(site: &Site, groups: &str, arguments: &[&str]) -> Run {
    // Where everybody may reach it.
    let copy = site.path("lvmwarden");
    if !copy.exists() {
        fs::copy(executable(), &copy).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534"]).arg(groups).arg(copy);
    Run::of(prepared(command, site, arguments))
}

/// Starts an operation through it, whose lvpoll's output is read each second; returns its id.
#[track_caller]
pub(crate) fn start(site: &Site, operation: &Operation) -> String {
    let (lv, lvid) = (operation.path(), lvid());
    let options = ["--lvid", &lvid, "--interval", "1"];
    let said = run(site, &[&["poll", "start", operation.kind, &lv], &options[..]].concat()).done();
    said.trim().rsplit(' ').next().unwrap().to_owned()
}

/// An LV's id as lvm has it: any does.
pub(crate) fn lvid() -> String {
    "v".repeat(64)
}

/// A run in progress; killed when dropped.
pub(crate) struct Running {
    process: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it.
    pub(crate) fn start(site: &Site, arguments: &[&str]) -> Self {
        let mut command = prepared(Command::new(executable()), site, arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        for stream in [Box::new(stdout) as Box<dyn std::io::Read + Send>, Box::new(stderr)] {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines() {
                    // The test has seen enough.
                    let _ = sender.send(line.unwrap());
                }
            });
        }
        Self { process, lines }
    }

    /// Waits for a line with this in it, on either stream; returns it.
    #[track_caller]
    pub(crate) fn await_line(&self, part: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(wait::SOON) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {part:?} after {seen:#?}: {error}"),
            }
        }
    }

    /// Looks for a line with this in it among those that are there.
    pub(crate) fn try_line(&self, part: &str) -> Option<String> {
        self.lines.try_iter().find(|line| line.contains(part))
    }

    /// Waits for its end; returns the exit code.
    #[track_caller]
    pub(crate) fn await_end(mut self) -> Option<i32> {
        wait::until("the end of lvmwarden", wait::SOON, || self.process.try_wait().unwrap()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Runs it to its end on a terminal of its own; returns what that was sent.
pub(crate) fn run_on_terminal(site: &Site, arguments: &str) -> String {
    let line = format!("{} --socket {} {arguments}", executable().display(), site.api_socket().display());
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::null())
        .env("TERM", "xterm");
    command.env_remove("NO_COLOR");
    let run = Run::of(command);
    assert_eq!(run.code, Some(0), "{run:#?}");
    run.stdout
}

/// Runs `doctor` where the other programs are stubs: an lvm that is set up well, and no systemd.
pub(crate) fn run_doctor(site: &Site) -> Run {
    let folder = site.path("programs");
    fs::create_dir(&folder).unwrap();
    for (name, script) in [
        ("lvm", "echo '  LVM version:     2.03.16(2) (2022-05-18)'"),
        ("lvmconfig", "printf 'use_lvmpolld=1\\npolling_interval=15\\n'"),
    ] {
        fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(folder.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = prepared(Command::new(executable()), site, &["doctor"]);
    command.env("PATH", folder).env("LVM_LVMPOLLD_SOCKET", site.socket());
    Run::of(command)
}
