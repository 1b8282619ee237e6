//! Hosts that share two disks: booted together, each with the lock manager, and named by their numbers from 1.

use super::disks::Disk;
use super::guest::Guest;
use super::hub::Hub;
use super::lock_host::Manager;
use super::story::tell_together;
use anyhow::Result;
use std::thread;

/// sanlock's leases take 256 MiB of a volume group.
const DISK_MIB: u64 = 1024;

/// Running hosts; dropping it is a power cut of all.
#[derive(Debug)]
pub struct Cluster {
    /// What carries their locks.
    pub manager: Manager,
    /// The hosts in order of their numbers.
    pub hosts: Vec<Guest>,
    disks: [Disk; 2],
    hub: Hub,
}

impl Cluster {
    /// Boots so many hosts at the same time and starts the lock manager on each, but no lock daemon.
    ///
    /// # Errors
    /// As [`Guest::boot`] and [`Guest::start_manager`].
    pub fn boot(manager: Manager, count: u8) -> Result<Self> {
        let (disks, hub) = ([Disk::create(DISK_MIB)?, Disk::create(DISK_MIB)?], Hub::start()?);
        let inits: Vec<_> = (1..=count).map(|number| hub.host(number)).collect();
        let hosts = Guest::boot_together(&disks, &inits)?;
        tell_together(&hosts, || at_once(&hosts, |host| host.start_manager(manager, count)))?;
        Ok(Self { manager, hosts, disks, hub })
    }

    /// Pulls the network cable of the host with this number.
    pub fn cut_off(&self, number: u8) {
        self.hub.cut(number);
    }

    /// Boots the host with this number again, which is off, and starts the lock manager on it.
    ///
    /// # Errors
    /// As [`Cluster::boot`].
    pub fn boot_again(&self, number: u8) -> Result<Guest> {
        let host = Guest::boot(&self.disks, &self.hub.host(number))?;
        host.start_manager(self.manager, u8::try_from(self.hosts.len())?)?;
        Ok(host)
    }
}

/// Runs `work` on each host at the same time, and returns what it gave, in the order of the hosts.
///
/// # Errors
/// That of the first host with one.
pub fn at_once<T: Send>(hosts: &[Guest], work: impl Fn(&Guest) -> Result<T> + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let running: Vec<_> = hosts.iter().map(|host| scope.spawn(|| work(host))).collect();
        running.into_iter().map(|thread| thread.join().expect("the work returns its errors")).collect()
    })
}
