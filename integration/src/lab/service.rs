//! Words for the service in a guest with systemd: its package, its units, and what its command line says.

use super::guest::Guest;
use super::init::PACKAGE_FOLDER;
use super::package;
use anyhow::{Context, Result};
use lvmwarden_protocol::api::poll::{
    ForeignCopy, ForeignReply, HistoryEntry, HistoryReply, ListReply, Operation,
};
use serde::de::DeserializeOwned;

impl Guest {
    /// Installs a revision of our package, or upgrades to it.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn install(&self, revision: u32) -> Result<()> {
        let name = package::name(revision);
        self.sh(&format!("apt-get install -qq -y {PACKAGE_FOLDER}/{name}")).map(drop)
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

    fn ask<T: DeserializeOwned>(&self, command: &str) -> Result<T> {
        let said = self.sh(&format!("lvmwarden --json {command}"))?;
        serde_json::from_str(&said).with_context(|| format!("lvmwarden {command} said {said}"))
    }
}
