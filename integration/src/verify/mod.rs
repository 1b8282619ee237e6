//! `cargo verify`: every check of this repository, one after the other, with one table at the end.
//!
//! A step that fails does not stop the others; its command is printed for repetition. What is missing on the machine is
//! installed first; when nothing is missing, no network is used.
#![expect(clippy::print_stdout, reason = "the report of a command is what it prints")]

mod durations;
mod licences;
mod tidy;
mod tools;

use crate::binaries::GUESTS_BINARIES;
use crate::lab;
use crate::lab::host::text_of;
use anyhow::{Context, Result, anyhow, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io};

/// What all checks together may take on two cores. More is told, not failed: a machine may have other things to do.
const BUDGET: Duration = Duration::from_mins(30);

/// The profile in which our programs are built for the guests.
const GUESTS: &str = "guests";

/// One check: a command, or a function of our own with the command that repeats it.
struct Step {
    name: &'static str,
    repeat: String,
    result: Result<()>,
    took: Duration,
}

/// Runs all checks in the repository at `root`.
///
/// # Errors
/// At least one check failed; the table on stdout says which.
pub fn verify(root: &Path) -> Result<()> {
    env::set_current_dir(root).with_context(|| format!("cannot go to {}", root.display()))?;
    let start = Instant::now();
    // Optimized, as in the package: an emulated processor takes seconds for what is not. Beside the steps that follow.
    let optimized = in_background(&["build", "--package", "lvmwarden", "--bins", "--profile", GUESTS]);
    let mut steps = vec![
        function("install tools", "cargo verify", tools::install_missing),
        function("prepare the lab", "cargo verify", lab::prepare),
        cargo("format", &["fmt", "--all", "--check"]),
        cargo("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        documentation(),
        function("spelling", "typos", || run(&mut Command::new(tools::typos()?))),
        function("tidy", "cargo verify", || tidy::check(root)),
        cargo("pages", &["pages", "--check"]),
        function("licences", "cargo verify", licences::check),
        // Tests start the executables of the workspace, which nextest alone would not build.
        cargo("build", &["build", "--workspace", "--bins"]),
        cargo("documentation tests", &["test", "--workspace", "--doc"]),
    ];
    steps.push(optimized.finish("optimized build"));
    // Alone: some of them measure times.
    steps.push(tests());
    let mut timed = Vec::new();
    steps.push(function("stated times", "cargo verify", || {
        timed = durations::read(&target()?)?;
        durations::check_stories(&timed)
    }));
    println!("\n=== slowest tests\n{}", durations::slowest(&timed).join("\n"));
    summarize(&steps, start.elapsed())
}

/// A cargo command that runs beside other steps; what it says is shown when it is over.
struct Background {
    text: String,
    thread: JoinHandle<(io::Result<Output>, Duration)>,
}

fn in_background(arguments: &[&str]) -> Background {
    let mut command = Command::new("cargo");
    command.args(arguments);
    let text = text_of(&command);
    let start = Instant::now();
    Background { text, thread: thread::spawn(move || (command.output(), start.elapsed())) }
}

impl Background {
    /// Waits for the command; the step's time is the command's own.
    fn finish(self, name: &'static str) -> Step {
        let Self { text, thread } = self;
        let mut own_time = Duration::ZERO;
        let mut step = step(name, text.clone(), || {
            let (output, took) = thread.join().map_err(|_| anyhow!("the thread of {text} panicked"))?;
            own_time = took;
            let output = output.with_context(|| format!("cannot run {text}"))?;
            if !output.status.success() {
                bail!("{}{text} ended with {}", String::from_utf8_lossy(&output.stderr), output.status);
            }
            Ok(())
        });
        step.took = own_time;
        step
    }
}

fn documentation() -> Step {
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    let repeat = format!("RUSTDOCFLAGS='-D warnings' {}", text_of(&doc));
    step("documentation", repeat, || run(&mut doc))
}

fn tests() -> Step {
    let arguments = ["run", "--workspace", "--profile", "verify"];
    // The tests of the lock managers start the sanlock daemon, where it is. The guests have optimized programs.
    let repeat =
        format!("LVMWARDEN_SANLOCK_ROOT=$(cargo lock-packages) cargo nextest {}", arguments.join(" "));
    step("tests", repeat, || {
        let mut nextest = tools::nextest()?;
        nextest.env("LVMWARDEN_SANLOCK_ROOT", lab::lock_packages::root()?);
        nextest.env(GUESTS_BINARIES, target()?.join(GUESTS));
        run(nextest.args(arguments))
    })
}

/// Returns the folder where cargo puts what it builds: ours lies in its profile's folder there.
fn target() -> Result<PathBuf> {
    let executable = env::current_exe().context("this program has no path")?;
    Ok(executable.ancestors().nth(2).context("this program lies in no target folder")?.to_owned())
}

fn cargo(name: &'static str, arguments: &[&str]) -> Step {
    let mut command = Command::new("cargo");
    command.args(arguments);
    step(name, text_of(&command), || run(&mut command))
}

fn function(name: &'static str, repeat: &str, check: impl FnOnce() -> Result<()>) -> Step {
    step(name, repeat.to_owned(), check)
}

fn step(name: &'static str, repeat: String, check: impl FnOnce() -> Result<()>) -> Step {
    println!("\n=== {name}: {repeat}");
    let start = Instant::now();
    let result = check();
    let took = start.elapsed();
    match &result {
        Ok(()) => println!("=== {name}: ok, {:.1} s", took.as_secs_f64()),
        Err(error) => println!("{error:#}\n=== {name}: FAILED, repeat it with: {repeat}"),
    }
    Step { name, repeat, result, took }
}

/// Runs `command` with its output on ours.
fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", text_of(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", text_of(command));
    }
    Ok(())
}

/// Prints one line for each step with its share of the whole; a step beside others adds nothing to the whole.
fn summarize(steps: &[Step], whole: Duration) -> Result<()> {
    println!("\n=== summary");
    for step in steps {
        let verdict = if step.result.is_ok() { "ok" } else { "FAILED" };
        let repeat = if step.result.is_ok() { "" } else { &step.repeat };
        let (took, share) = (step.took.as_secs_f64(), 100.0 * step.took.div_duration_f64(whole));
        println!("{:<20} {verdict:<6} {took:>7.1} s {share:>5.1} %  {repeat}", step.name);
    }
    println!("{:<27} {:>7.1} s of {} s", "whole", whole.as_secs_f64(), BUDGET.as_secs());
    let failed = steps.iter().filter(|step| step.result.is_err()).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed", steps.len());
    }
    Ok(())
}
