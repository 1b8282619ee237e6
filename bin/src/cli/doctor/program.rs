//! Runs another program for what it prints, no longer than it may take.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cli::deadline::Deadline;

/// More than any of them takes; lvm waits longer than that for its locks, which these calls do not take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns what the program prints on stdout.
///
/// # Errors
/// Why not, in words: it is not there, took too long, or failed with this on its stderr.
#[expect(clippy::disallowed_methods, reason = "a question that is answered at once: nothing to supervise")]
pub(super) fn output_of(program: &str, arguments: &[impl AsRef<OsStr>]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("{program} cannot be started: {error}"))?;
    let result = read(&mut child, Deadline::after(PATIENCE));
    if result.is_err() {
        // It is gone already, or this makes it so.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("{program} was lost: {error}"))?;
    match result {
        Ok((printed, _)) if status.success() => Ok(printed),
        Ok((_, complaint)) => {
            let complaint = complaint.trim().lines().last().unwrap_or_default().trim().to_owned();
            Err(format!("{program} failed ({status}): {complaint}"))
        }
        Err(error) => Err(format!("{program} gave no answer: {error}")),
    }
}

/// Reads both outputs to their ends.
fn read(child: &mut Child, deadline: Deadline) -> io::Result<(String, String)> {
    let mut stdout = child.stdout.take().expect("it was asked for");
    let mut stderr = child.stderr.take().expect("it was asked for");
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let (mut stdout_ended, mut stderr_ended) = (false, false);
    while !stdout_ended || !stderr_ended {
        let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut chunk = [0; 4096];
        let wanted = |ended: bool| if ended { PollFlags::empty() } else { PollFlags::IN };
        let mut polled =
            [PollFd::new(&stdout, wanted(stdout_ended)), PollFd::new(&stderr, wanted(stderr_ended))];
        poll(&mut polled, Some(&left))?;
        let is_ready = polled.map(|fd| !fd.revents().is_empty());
        if is_ready[0] && !stdout_ended {
            let length = stdout.read(&mut chunk)?;
            printed.extend_from_slice(&chunk[..length]);
            stdout_ended = length == 0;
        }
        if is_ready[1] && !stderr_ended {
            let length = stderr.read(&mut chunk)?;
            complaint.extend_from_slice(&chunk[..length]);
            stderr_ended = length == 0;
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(printed), text(complaint)))
}
