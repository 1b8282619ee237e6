//! The stub `lvm`: plays `lvm lvpoll` and `lvm lvs` for a daemon under test. See `fake_lvm.rs` for the files it meets the test in.
//!
//! In order: makes its FIFO, records its start (so a recorded stub can be told at once), plays its script, then does what it is told.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lvmwarden_integration::fake_lvm::{
    FOLDER_VARIABLE, LIFETIME, LVS, Start, Step, control_path, read_lvs_starts, read_starts, record_start,
    script_path,
};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Pid, Signal};

/// What is left of the script across an exec of itself.
const REST_VARIABLE: &str = "FAKE_LVM_REST";

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::var_os(FOLDER_VARIABLE).context("FAKE_LVM_DIR is not set")?);
    let pid = std::process::id().cast_signed();
    let start = Start { pid, arguments: std::env::args().collect(), environment: std::env::vars().collect() };
    let rest = std::env::var(REST_VARIABLE).ok();
    let path = control_path(&folder, pid);
    if rest.is_none() {
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    }
    // Also open for writing, so that the FIFO never reads as ended.
    let control = File::options().read(true).write(true).open(path)?;
    let steps = if let Some(rest) = rest {
        serde_json::from_str(&rest)?
    } else {
        record_start(&folder, &start)?;
        planned_steps(&folder, &start)?
    };
    play(&start, steps)?;
    obey(&start, control)
}

fn planned_steps(folder: &Path, start: &Start) -> Result<Vec<Step>> {
    let name = if start.is_lvs() { LVS } else { start.lv().unwrap_or_default() };
    let Ok(text) = std::fs::read_to_string(script_path(folder, name)) else {
        return Ok(if start.is_lvs() { report_nothing() } else { Vec::new() });
    };
    let mut scripts: Vec<Vec<Step>> = serde_json::from_str(&text)?;
    let earlier = match scripts.len() {
        0 => return Ok(Vec::new()),
        1 => 0,
        _ if start.is_lvs() => read_lvs_starts(folder).iter().filter(|one| one.pid != start.pid).count(),
        _ => read_starts(folder).iter().filter(|one| one.lv() == Some(name) && one.pid != start.pid).count(),
    };
    Ok(scripts.swap_remove(earlier.min(scripts.len() - 1)))
}

fn report_nothing() -> Vec<Step> {
    vec![Step::Say(r#"{"report":[{"lv":[]}]}"#.to_owned()), Step::Exit(0)]
}

fn obey(start: &Start, control: File) -> Result<()> {
    let timeout = rustix::event::Timespec::try_from(LIFETIME)?;
    let mut lines = BufReader::new(control);
    loop {
        let mut wanted = [PollFd::new(lines.get_ref(), PollFlags::IN)];
        // Two lines may have come at once.
        let is_told = !lines.buffer().is_empty() || rustix::event::poll(&mut wanted, Some(&timeout))? > 0;
        if !is_told {
            bail!("nobody told this stub anything for {LIFETIME:?}");
        }
        let mut line = String::new();
        lines.read_line(&mut line)?;
        play(start, serde_json::from_str(&line)?)?;
    }
}

fn play(start: &Start, steps: Vec<Step>) -> Result<()> {
    let mut steps = steps.into_iter();
    while let Some(step) = steps.next() {
        match step {
            Step::Say(line) => writeln!(std::io::stdout(), "{line}")?,
            Step::Complain(line) => writeln!(std::io::stderr(), "{line}")?,
            Step::Progress(pause_milliseconds) => {
                for eighths in 0..=8 {
                    let percent = f64::from(eighths) * 12.5;
                    writeln!(std::io::stdout(), "  {}: Moved: {percent:.2}%", start.lv().unwrap_or("?"))?;
                    std::thread::sleep(Duration::from_millis(pause_milliseconds));
                }
            }
            Step::Flood(milliseconds) => flood(milliseconds),
            Step::Sleep(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
            Step::IgnoreTerminate => return exec_ignoring_terminate(&steps.collect::<Vec<_>>()),
            Step::Exit(code) => {
                if code == 0 && start.arguments.iter().any(|word| word == "lvpoll") {
                    // As the real one: a code alone is no proof that the work is done.
                    writeln!(std::io::stdout(), "  {}: Moved: 100.00%", start.lv().unwrap_or("?"))?;
                }
                std::process::exit(code)
            }
            Step::Die(signal) => {
                let signal = Signal::from_named_raw(signal).context("no such signal")?;
                rustix::process::kill_process(
                    Pid::from_raw(start.pid).context("a pid is positive")?,
                    signal,
                )?;
            }
        }
    }
    Ok(())
}

fn flood(milliseconds: u64) {
    const PAUSE: Duration = Duration::from_millis(10);
    let line = format!("  {}\n", "x".repeat(97));
    let bytes_at_once = 6_000_000 / 100;
    for _ in 0..milliseconds / 10 {
        for _ in 0..bytes_at_once / line.len() {
            // lvm does not look whether it could write.
            let _ = std::io::stdout().write_all(line.as_bytes());
        }
        std::thread::sleep(PAUSE);
    }
}

/// An ignored signal stays ignored across an exec; a shell can ignore one without unsafe code.
fn exec_ignoring_terminate(rest: &[Step]) -> Result<()> {
    let error = Command::new("/bin/sh")
        .args(["-c", r#"trap "" TERM; exec "$0" "$@""#])
        .args(std::env::args_os())
        .env(REST_VARIABLE, serde_json::to_string(rest)?)
        .exec();
    Err(error).context("failed to start a shell")
}
