//! The poll daemon in a guest: which one, started and killed by the scenario, and asked what it does.

use super::guest::Guest;
use crate::dump::{self, Entry};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_secs(20);
const LOG: &str = "/run/polld.log";

/// Which program serves `/run/lvm/lvmpolld.socket`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polld {
    /// The C daemon of the host's lvm2 package.
    Stock,
    /// Ours in the part of `lvmpolld`.
    Ours,
    /// The same, which watches copies itself.
    OursInEvents,
    /// Our service, with the JSON API, as it is configured.
    Service,
}

impl Polld {
    /// Returns the command that runs it in the foreground, with all of its log.
    fn command(self) -> String {
        let lvmpolld = |program| format!("{program} -f -l all -s /run/lvm/lvmpolld.socket -B /usr/sbin/lvm");
        match self {
            Self::Stock => lvmpolld("/usr/sbin/lvmpolld"),
            Self::Ours => lvmpolld("/usr/sbin/lvmwardend lvmpolld"),
            Self::OursInEvents => lvmpolld("/usr/sbin/lvmwardend lvmpolld --mode events"),
            Self::Service => "/usr/sbin/lvmwardend --log-level trace".to_owned(),
        }
    }
}

/// A running poll daemon.
#[derive(Debug)]
pub struct Daemon<'guest> {
    guest: &'guest Guest,
    /// Its process id in the guest.
    pub pid: u32,
}

impl Guest {
    /// Starts the daemon and waits until it answers. Its log follows those of its predecessors in one file.
    ///
    /// # Errors
    /// It does not answer within 20 s.
    pub fn start_polld(&self, polld: Polld) -> Result<Daemon<'_>> {
        let command = format!("setsid {} >> {LOG} 2>&1 < /dev/null & echo $!", polld.command());
        let pid = self.sh(&command)?.parse().context("the shell printed no process id")?;
        let daemon = Daemon { guest: self, pid };
        self.wait_until("the poll daemon answers", START_LIMIT, || daemon.operations())?;
        Ok(daemon)
    }
}

impl Daemon<'_> {
    /// Kills the daemon as a crash would.
    ///
    /// # Errors
    /// As [`Guest::sh`]: it does not run any more.
    pub fn kill(self) -> Result<()> {
        self.guest.sh(&format!(
            "kill -9 {pid}; while kill -0 {pid} 2> /dev/null; do sleep 0.02; done",
            pid = self.pid
        ))?;
        Ok(())
    }

    /// Asks the daemon to end, and waits until it has.
    ///
    /// # Errors
    /// It still runs after 10 s.
    pub fn stop(self) -> Result<()> {
        self.guest.sh(&format!("kill {}", self.pid))?;
        self.guest.wait_until("the poll daemon ends", Duration::from_secs(10), || {
            ensure!(self.guest.run(&format!("kill -0 {}", self.pid))?.code != 0, "process {} runs", self.pid);
            Ok(())
        })
    }

    /// Returns the poll operations (not the aborts) that the daemon knows, as its dump lists them.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub fn operations(&self) -> Result<Vec<Entry>> {
        let printed = self.guest.sh("timeout 5 lvmpolld --dump")?;
        // The C program ends with 0 as well when nobody listens.
        ensure!(printed.contains("# Registered polling operations"), "the daemon does not answer: {printed}");
        // The C program indents what the daemon says.
        let dump: Vec<&str> = printed.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
        let mut entries = dump::parse(&dump.join("\n"));
        entries.retain(|entry| entry.store == "poll");
        Ok(entries)
    }

    /// Waits until exactly one operation is in progress, and returns it.
    ///
    /// # Errors
    /// There is none, or there are several, for 20 s, or the daemon does not answer.
    pub fn operation_in_progress(&self) -> Result<Entry> {
        self.guest.wait_until("one operation is in progress", START_LIMIT, || {
            let mut operations = self.operations()?;
            operations.retain(|operation| operation.state == "in_progress");
            ensure!(operations.len() == 1, "in progress: {operations:?}");
            Ok(operations.remove(0))
        })
    }

    /// Waits until `operation` has ended with lvpoll's exit code 0.
    ///
    /// # Errors
    /// It has not after `limit`, or ended in another way, or the daemon does not answer.
    pub fn wait_until_done(&self, operation: &Entry, limit: Duration) -> Result<()> {
        let ended = self.wait_until_ended(operation, limit)?;
        ensure!((ended.reason.as_str(), ended.value) == ("retcode", 0), "{ended:?}");
        Ok(())
    }

    /// Waits until `operation` has ended, and returns what the daemon then says of it.
    ///
    /// # Errors
    /// It has not after `limit`, or the daemon does not answer.
    pub fn wait_until_ended(&self, operation: &Entry, limit: Duration) -> Result<Entry> {
        self.guest.wait_until("the operation has ended", limit, || {
            let operations = self.operations()?;
            let found = operations.into_iter().find(|found| found.lvid == operation.lvid);
            let found = found.context("the daemon does not know the operation any more")?;
            ensure!(found.state == "finished", "{found:?}");
            Ok(found)
        })
    }

    /// Returns the daemon's log, with those of its predecessors before it.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn log(&self) -> Result<String> {
        self.guest.sh(&format!("cat {LOG}"))
    }
}
