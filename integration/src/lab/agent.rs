//! The program in the guest that runs the host's commands, several at once: `lab agent`.
//!
//! Runs as root in a throw-away guest and nowhere else. A command's output goes to files rather than pipes: a daemon
//! that a command leaves behind would hold a pipe open, and its end would never be seen.

use super::wire::{Outcome, PORT, Reply, Request};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Serves the host until the port is closed.
///
/// # Errors
/// There is no port of ours (this is not a lab guest), or it fails.
pub fn serve() -> Result<()> {
    let port = File::options().read(true).write(true).open(find_port()?).context("cannot open the port")?;
    let replies = Arc::new(Mutex::new(port.try_clone()?));
    send(&replies, &Reply::Ready)?;
    for line in BufReader::new(port).lines() {
        let request: Request = serde_json::from_str(&line?).context("cannot read a request")?;
        let replies = Arc::clone(&replies);
        thread::spawn(move || {
            let id = request.id;
            let outcome = run(&request).unwrap_or_else(|error| Outcome {
                code: 127,
                stdout: String::new(),
                stderr: format!("lab agent: {error:#}\n"),
            });
            send(&replies, &Reply::Ended { id, outcome })
        });
    }
    Ok(())
}

fn find_port() -> Result<PathBuf> {
    for entry in fs::read_dir("/sys/class/virtio-ports").context("this is no lab guest")? {
        let entry = entry?;
        let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        if name.trim() == PORT {
            return Ok(PathBuf::from("/dev").join(entry.file_name()));
        }
    }
    anyhow::bail!("this is no lab guest: it has no virtio-serial port {PORT}")
}

fn send(port: &Mutex<File>, reply: &Reply) -> Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    let mut port = port.lock().expect("no thread panics while it writes");
    port.write_all(&line).context("cannot write to the port")
}

fn run(request: &Request) -> Result<Outcome> {
    let stdout = PathBuf::from(format!("/run/lab-{}.stdout", request.id));
    let stderr = PathBuf::from(format!("/run/lab-{}.stderr", request.id));
    let mut child = Command::new("/bin/sh")
        .args(["-c", &request.command])
        .stdin(Stdio::null())
        .stdout(File::create(&stdout)?)
        .stderr(File::create(&stderr)?)
        .process_group(0)
        .spawn()
        .context("cannot start the shell")?;
    let status = wait(&mut child, Duration::from_secs(request.timeout_seconds))?;
    let outcome = Outcome { code: code_of(status), stdout: take(&stdout)?, stderr: take(&stderr)? };
    Ok(outcome)
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
            kill_process_group(group, Signal::KILL)?;
            return Ok(child.wait()?);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn code_of(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn take(path: &PathBuf) -> Result<String> {
    let bytes = fs::read(path)?;
    fs::remove_file(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
