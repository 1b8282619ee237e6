//! A command with locks that is a process of its own: it lives on when the daemon is killed, and ends when a test says so.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::binaries;
use crate::lock_client::Answer;

/// The command; killed when dropped.
#[derive(Debug)]
pub struct Asker {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Asker {
    /// Starts one that is connected to the lock daemon at `socket`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(socket: &Path) -> Self {
        let mut command = Command::new(binaries::asker());
        command.arg(socket).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the asker can be started");
        let answers = BufReader::new(process.stdout.take().expect("it was asked for"));
        Self { process, answers }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn result(&mut self, request: impl AsRef<str>) -> i32 {
        let requests = self.process.stdin.as_mut().expect("it was asked for");
        requests.write_all(format!("{}\n##\n", request.as_ref()).as_bytes()).expect("the asker lives");
        requests.flush().expect("the asker lives");
        let mut answer = String::new();
        while !answer.ends_with("##\n") {
            let count = self.answers.read_line(&mut answer).expect("it is text");
            assert!(count > 0, "no answer but {answer:?}");
        }
        Answer(answer).result()
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        // It may be gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
