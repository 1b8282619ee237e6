//! Words for the service in a guest: its package and its units under systemd, its life without, and what its command line
//! says.

use super::guest::Guest;
use super::init::PACKAGE_FOLDER;
use super::package;
use anyhow::{Context, Result};
use lvmwarden_protocol::api::poll::{
    ForeignCopy, ForeignReply, HistoryEntry, HistoryReply, ListReply, Operation, ReconcileReply, UnfinishedLv,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_secs(20);

/// A service that was started by hand.
#[derive(Debug)]
pub struct Service<'guest> {
    guest: &'guest Guest,
    pid: u32,
}

impl Service<'_> {
    /// Kills it as a crash would.
    ///
    /// # Errors
    /// As [`Guest::sh`]: it does not run any more.
    pub fn kill(self) -> Result<()> {
        self.end("KILL")
    }

    /// Has it end in order.
    ///
    /// # Errors
    /// As [`Service::kill`].
    pub fn stop(self) -> Result<()> {
        self.end("TERM")
    }

    fn end(self, signal: &str) -> Result<()> {
        let pid = self.pid;
        self.guest
            .sh(&format!("kill -{signal} {pid}; while kill -0 {pid} 2> /dev/null; do sleep 0.02; done"))?;
        Ok(())
    }
}

impl Guest {
    /// Starts the service without systemd, with this configuration, and waits until it serves.
    ///
    /// # Errors
    /// It does not within 20 s.
    pub fn start_service(&self, configuration: &str) -> Result<Service<'_>> {
        let pid = self.sh(&format!(
            "printf '%s' '{configuration}' > /run/lvmwarden.toml; \
             setsid lvmwardend --config /run/lvmwarden.toml >> /run/service.log 2>&1 < /dev/null & echo $!"
        ))?;
        let pid = pid.parse().context("the shell printed no process id")?;
        self.wait_until("the service serves", START_LIMIT, || self.sh("lvmwarden info"))?;
        Ok(Service { guest: self, pid })
    }

    /// Has LVM's metadata searched for what nobody polls; with the option `--dry-run` only that.
    ///
    /// # Errors
    /// The service does not answer, or could not search.
    pub fn reconcile(&self, option: &str) -> Result<Vec<UnfinishedLv>> {
        self.ask::<ReconcileReply>(&format!("poll reconcile {option}")).map(|reply| reply.unfinished)
    }

    /// Installs a revision of our package, or upgrades to it.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn install(&self, revision: u32) -> Result<()> {
        let name = package::name(revision);
        // A configuration that is there stays, as an administrator would answer.
        let keep = "-o Dpkg::Options::=--force-confold";
        self.sh(&format!("apt-get install -qq -y {keep} {PACKAGE_FOLDER}/{name}")).map(drop)
    }

    /// Writes the service's configuration, which holds for the next one that is started.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn configure(&self, text: &str) -> Result<()> {
        let folder = "/etc/lvmwarden";
        self.sh(&format!("mkdir -p {folder}; cat > {folder}/lvmwarden.toml <<'END'\n{text}\nEND")).map(drop)
    }

    /// Returns whether a unit is `enabled`, `masked`, ..., and whether it is `active`, `inactive`, ....
    ///
    /// # Errors
    /// The guest is gone.
    pub fn unit(&self, name: &str) -> Result<String> {
        let states = self.sh(&format!("systemctl is-enabled {name}; systemctl is-active {name}; true"))?;
        Ok(states.replace('\n', " "))
    }

    /// Returns the operations of the service, as `lvmwarden` lists them.
    ///
    /// # Errors
    /// The service does not answer.
    pub fn operations(&self) -> Result<Vec<Operation>> {
        self.ask::<ListReply>("poll list").map(|reply| reply.operations)
    }

    /// Returns what has happened to operations, as `lvmwarden` tells it, oldest first.
    ///
    /// # Errors
    /// The service does not answer.
    pub fn history(&self) -> Result<Vec<HistoryEntry>> {
        self.ask::<HistoryReply>("poll history").map(|reply| reply.entries)
    }

    /// Returns the copies that are not the service's.
    ///
    /// # Errors
    /// The service does not answer.
    pub fn foreign(&self) -> Result<Vec<ForeignCopy>> {
        self.ask::<ForeignReply>("poll foreign").map(|reply| reply.copies)
    }

    pub(super) fn ask<T: DeserializeOwned>(&self, command: &str) -> Result<T> {
        let said = self.sh(&format!("lvmwarden --json {command}"))?;
        serde_json::from_str(&said).with_context(|| format!("lvmwarden {command} said {said}"))
    }
}
