//! A booted guest, as scenarios see it: commands in, outcomes out, and a transcript of all that was said.

use super::connection::{Connection, Pending};
use super::disks::{self, Disk};
use super::init::Init;
use super::machine::Machine;
use super::transcript::Transcript;
use super::wire::Outcome;
use anyhow::{Context, Result, bail};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A guest boots within 5 s alone on a machine, within 30 s beside others.
const BOOT_LIMIT: Duration = Duration::from_mins(2);
const COMMAND_LIMIT: Duration = Duration::from_mins(2);
/// How often a guest is started that does not come up. Seen once: an unreadable initramfs and a broken virtqueue within
/// the first two seconds, as if the emulation had corrupted the guest's memory. No scenario has begun by then, so nothing
/// that is tested is tried twice.
const BOOT_ATTEMPTS: u32 = 3;

/// A running guest; dropping it is a power cut.
#[derive(Debug)]
pub struct Guest {
    // Before the machine, so that the connection is closed before the other side is killed.
    connection: Connection,
    machine: Machine,
    transcript: Arc<Transcript>,
    disk_count: usize,
}

impl Guest {
    /// Boots a guest with `disks` as `/dev/vda`, `/dev/vdb`, ...
    ///
    /// # Errors
    /// The machine does not start, or its agent does not answer within two minutes, three times in a row; the error
    /// carries the console's log.
    pub fn boot(disks: &[Disk], init: &Init) -> Result<Self> {
        Self::boot_on(Booting::start(disks, init), disks, init)
    }

    /// Boots guests at the same time, all with the same disks.
    ///
    /// # Errors
    /// As [`Guest::boot`], of any of them.
    pub fn boot_together(disks: &[Disk], inits: &[Init]) -> Result<Vec<Self>> {
        // Not one thread each: a machine ends with the thread that started it.
        let booting: Vec<_> = inits.iter().map(|init| Booting::start(disks, init)).collect();
        booting.into_iter().zip(inits).map(|(booting, init)| Self::boot_on(booting, disks, init)).collect()
    }

    #[expect(clippy::print_stderr, reason = "a boot that was repeated is to be seen in the test's output")]
    fn boot_on(first: Result<Booting>, disks: &[Disk], init: &Init) -> Result<Self> {
        let mut booted = first.and_then(Booting::finish);
        for attempt in 1..BOOT_ATTEMPTS {
            let Err(error) = &booted else { break };
            eprintln!("attempt {attempt} of {BOOT_ATTEMPTS} to boot a guest: {error:#}");
            booted = Booting::start(disks, init).and_then(Booting::finish);
        }
        booted
    }

    /// Cuts the power of the host. Its log can still be read.
    ///
    /// # Errors
    /// QEMU cannot be killed.
    pub fn cut_power(&self) -> Result<()> {
        self.transcript.note("power cut");
        self.machine.cut_power()
    }

    /// Restarts the host at once, as `reboot -f` does: nothing that runs is asked to end, and what was not written to the
    /// disks is lost; then boots it with the same disks.
    ///
    /// # Errors
    /// As [`Guest::boot`]; or the machine does not end.
    pub fn reboot(mut self, disks: &[Disk], init: &Init) -> Result<Self> {
        // Nobody is left to say how that ended.
        let _unanswered = self.spawn("busybox reboot -f")?;
        self.machine.wait_for_end()?;
        drop(self);
        Self::boot(disks, init)
    }

    /// Returns the guest's names of its disks.
    pub(super) fn disks(&self) -> Vec<String> {
        (0..self.disk_count).map(disks::device).collect()
    }

    /// Returns the guest's name of the disk of random bytes.
    pub(super) fn random_disk(&self) -> String {
        disks::device(self.disk_count)
    }

    /// Runs `command` in a shell and returns how it ended, whatever that is.
    ///
    /// # Errors
    /// The guest is gone.
    pub fn run(&self, command: &str) -> Result<Outcome> {
        self.spawn(command)?.finish()
    }

    /// Runs `command` in a shell and returns what it wrote to stdout, without blanks at either end.
    ///
    /// # Errors
    /// The guest is gone, or the command's exit code is not 0.
    pub fn sh(&self, command: &str) -> Result<String> {
        let outcome = self.run(command)?;
        if outcome.code != 0 {
            bail!("`{command}` ended with exit code {}:\n{}{}", outcome.code, outcome.stdout, outcome.stderr);
        }
        Ok(outcome.stdout.trim().to_owned())
    }

    /// Starts `command` in a shell and returns at once.
    ///
    /// # Errors
    /// The guest is gone.
    pub fn spawn(&self, command: &str) -> Result<Running> {
        let pending = self.connection.send(command, COMMAND_LIMIT)?;
        Ok(Running { command: command.to_owned(), pending, transcript: Arc::clone(&self.transcript) })
    }

    /// Tries `condition` until it is `Ok`, and returns what it then gave.
    ///
    /// # Errors
    /// It still fails after `limit`: then its last error, which is to say the state that it saw.
    pub fn wait_until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        self.transcript.note(&format!("waiting until {what}"));
        let start = Instant::now();
        loop {
            match condition() {
                Ok(value) => return Ok(value),
                Err(error) if start.elapsed() > limit => {
                    return Err(error).with_context(|| format!("waited {limit:?} in vain until {what}"));
                }
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Writes a remark into the log.
    pub fn note(&self, remark: &str) {
        self.transcript.note(remark);
    }

    /// Returns everything that was said so far: the commands with their output, then the console's log.
    pub fn log(&self) -> String {
        format!("--- commands ---\n{}--- console ---\n{}", self.transcript.text(), self.machine.console())
    }
}

/// A command that was started with [`Guest::spawn`].
#[derive(Debug)]
pub struct Running {
    command: String,
    pending: Pending,
    transcript: Arc<Transcript>,
}

impl Running {
    /// Waits until the command ends; it is killed two minutes after its start.
    ///
    /// # Errors
    /// The guest is gone.
    pub fn finish(self) -> Result<Outcome> {
        let outcome = self.pending.wait().with_context(|| format!("no outcome of `{}`", self.command))?;
        self.transcript.command(&self.command, &outcome);
        Ok(outcome)
    }
}

/// A machine whose agent is not ready yet.
struct Booting {
    machine: Machine,
    agent: UnixStream,
    transcript: Transcript,
    disk_count: usize,
}

impl Booting {
    fn start(disks: &[Disk], init: &Init) -> Result<Self> {
        let transcript = Transcript::new();
        let (machine, agent) = Machine::start(disks, init)?;
        Ok(Self { machine, agent, transcript, disk_count: disks.len() })
    }

    fn finish(self) -> Result<Guest> {
        let Self { machine, agent, transcript, disk_count } = self;
        match Connection::establish(agent, BOOT_LIMIT) {
            Ok(connection) => {
                transcript.note("the guest is up");
                Ok(Guest { connection, machine, transcript: Arc::new(transcript), disk_count })
            }
            Err(error) => Err(error.context(format!("the guest did not boot:\n{}", machine.console()))),
        }
    }
}
