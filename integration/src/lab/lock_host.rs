//! Words for hosts that share their disks: lock managers, the lock daemon, and what each of them says it holds.

use super::guest::Guest;
use anyhow::{Result, ensure};
use std::env;
use std::fmt::Write;
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_secs(40);
const LOG: &str = "/run/lockd.log";
const PID_FILE: &str = "/run/lvmlockd.pid";
const SOCKET: &str = "/run/lvm/lvmlockd.socket";

/// What carries the locks from host to host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Leases on the shared disks.
    Sanlock,
    /// The kernel's, over the network, with corosync.
    Dlm,
}

/// Which program serves `/run/lvm/lvmlockd.socket`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lockd {
    /// The C daemon of Debian's package lvm2-lockd.
    C,
    /// Ours in the part of `lvmlockd`; with `LVMWARDEN_LAB_LOCKD=c` in the environment the C daemon in its place, to see
    /// whether the daemon is wrong or the test.
    Ours,
}

impl Manager {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sanlock, Self::Dlm];
}

impl Lockd {
    /// Returns the command that runs it in the foreground, with all of its log.
    fn command(self, manager: Manager) -> String {
        let program = match self {
            Self::Ours if env::var("LVMWARDEN_LAB_LOCKD").is_ok_and(|lockd| lockd == "c") => {
                "/usr/sbin/lvmlockd"
            }
            Self::C => "/usr/sbin/lvmlockd",
            Self::Ours => "/usr/sbin/lvmwardend lvmlockd",
        };
        let manager = match manager {
            // The shortest time after which sanlock calls a read or write failed; with 10 s, its own, all takes minutes.
            Manager::Sanlock => "--sanlock-timeout 1",
            Manager::Dlm => "--gl-type dlm",
        };
        format!("{program} -D -s {SOCKET} -p {PID_FILE} --adopt 1 {manager}")
    }
}

impl Guest {
    /// Starts the lock manager's daemons and waits until they serve; `hosts` is how many hosts the cluster has.
    ///
    /// # Errors
    /// They do not serve within 40 s.
    pub fn start_manager(&self, manager: Manager, hosts: u8) -> Result<()> {
        match manager {
            Manager::Sanlock => self.start_sanlock(),
            Manager::Dlm => self.start_corosync(hosts).and_then(|()| self.start_dlm()),
        }
    }

    /// No watchdog: a lost lease shall not end the guest. The name is what makes a host that boots again the same host.
    fn start_sanlock(&self) -> Result<()> {
        self.sh("sanlock daemon -w 0 -l 0 -U root -G root -e $(hostname)")?;
        self.wait_until("sanlock answers", START_LIMIT, || self.sh("sanlock client status")).map(drop)
    }

    fn start_corosync(&self, hosts: u8) -> Result<()> {
        let mut nodes = String::new();
        for (number, name) in (1..=hosts).zip('a'..) {
            let _ =
                writeln!(nodes, "node {{\nring0_addr: 10.77.0.{number}\nname: {name}\nnodeid: {number}\n}}");
        }
        // Two hosts have no majority when one is gone; with one alone nobody is waited for either.
        let two = if hosts < 3 { "two_node: 1\nwait_for_all: 0\n" } else { "" };
        self.sh(&format!(
            "mkdir -p /etc/corosync /var/lib/corosync && cat > /etc/corosync/corosync.conf <<'END'\n\
             totem {{\nversion: 2\ncluster_name: lab\ntransport: knet\ncrypto_cipher: none\ncrypto_hash: none\ntoken: 1000\n}}\n\
             system {{\nsched_rr: no\n}}\n\
             nodelist {{\n{nodes}}}\n\
             quorum {{\nprovider: corosync_votequorum\n{two}}}\n\
             logging {{\nto_syslog: no\nto_logfile: yes\nlogfile: /run/corosync.log\n}}\nEND\n\
             corosync"
        ))?;
        self.wait_until("corosync is quorate", START_LIMIT, || {
            self.sh("corosync-quorumtool -s | grep -q 'Quorate: *Yes'")
        })?;
        Ok(())
    }

    fn start_dlm(&self) -> Result<()> {
        self.sh("setsid dlm_controld -D --enable_fencing 0 > /run/dlm_controld.log 2>&1 < /dev/null &")?;
        self.wait_until("dlm_controld answers", START_LIMIT, || self.sh("dlm_tool status")).map(drop)
    }

    /// Starts the lock daemon, which adopts what an earlier one left, and waits until it answers.
    /// Its log follows those of its predecessors in one file.
    ///
    /// # Errors
    /// It does not answer within 40 s; the error carries the end of its log.
    pub fn start_lockd(&self, lockd: Lockd, manager: Manager) -> Result<()> {
        self.sh(&format!("setsid {} >> {LOG} 2>&1 < /dev/null &", lockd.command(manager)))?;
        self.wait_until("the lock daemon answers", START_LIMIT, || {
            // lvmlockctl waits for ever for a daemon that does not answer.
            let asked = self.run("timeout 20 lvmlockctl --info")?;
            ensure!(asked.code == 0, "{}{}", asked.stderr, self.sh(&format!("tail -n 20 {LOG}"))?);
            Ok(())
        })
    }

    /// Kills the lock daemon as a crash would.
    ///
    /// # Errors
    /// As [`Guest::sh`]: it does not run any more.
    pub fn kill_lockd(&self) -> Result<()> {
        self.sh(&format!(
            "pid=$(cat {PID_FILE}); kill -9 $pid; while kill -0 $pid 2> /dev/null; do sleep 0.02; done"
        ))
        .map(drop)
    }

    /// Returns what `lvmlockctl --info` prints.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn lock_info(&self) -> Result<String> {
        self.sh("timeout 20 lvmlockctl --info")
    }

    /// Returns the log of the lock daemon, with those of its predecessors before it.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn lockd_log(&self) -> Result<String> {
        self.sh(&format!("cat {LOG}"))
    }
}
