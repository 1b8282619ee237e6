//! A test that starts itself again as a child process, to kill it or to limit it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

const DIRECTORY: &str = "LVMWARDEN_TEST_JOURNAL";
const DEADLINE: Duration = Duration::from_secs(30);

/// A child process that runs one test of this program as the child's part.
pub(crate) struct Part {
    child: Child,
    lines: Receiver<String>,
}

/// Returns the journal directory if this process is the child.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Says `line` to the parent. Not `println!`, whose output the test harness may keep.
pub(crate) fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("says {line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

impl Part {
    /// Starts the test called `test` as a child that works in `directory`, with SIGXFSZ ignored.
    #[expect(clippy::disallowed_methods, reason = "a child of a test, not a supervised process")]
    pub(crate) fn start(test: &str, directory: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(DIRECTORY, directory)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix("says ") {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        Self { child, lines }
    }

    /// Returns the next line that the child says; `None` when it has ended.
    #[track_caller]
    pub(crate) fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the child said nothing for {DEADLINE:?}"),
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for the end of a child that has closed its output, and returns whether it succeeded.
    pub(crate) fn succeeded(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
