//! The sockets of the service, all of them open before anybody is served.

use std::net::TcpListener;

use anyhow::Context;
use slog::{Logger, warn};

use crate::daemon::config::{Config, Group, Role};
use crate::daemon::group;
use crate::daemon::pid_file::PidFile;
use crate::daemon::sockets::{HandedOver, Listening, Wanted};

/// The sockets of the service; their files go away with this value.
pub(super) struct Doors {
    /// Where LVM commands ask, if the service polls for them.
    pub(super) lvmpolld: Option<Listening>,
    /// Where LVM commands ask for locks, if the service holds them.
    pub(super) lvmlockd: Option<Listening>,
    /// Where LVM commands ask for metadata, if the service remembers them.
    pub(super) lvmetad: Option<Listening>,
    /// What says to LVM commands that they need not look in vain; it goes away with this value.
    _lvmlockd_pid_file: Option<PidFile>,
    /// Where clients of the API ask.
    pub(super) api: Listening,
    /// Where metrics are read by HTTP, if anywhere.
    pub(super) metrics: Option<TcpListener>,
    /// The group that may read and watch; `None`: root alone may ask.
    pub(super) group: Option<u32>,
}

impl Doors {
    /// Takes over what systemd has made, and makes the others.
    pub(super) fn open(config: &Config, log: &Logger) -> anyhow::Result<Self> {
        let group = group_of(config, log)?;
        let mut handed_over = HandedOver::take()?;
        let lvmpolld = Wanted::by_root("lvmpolld", &config.poll.socket);
        let lvmpolld =
            config.plays(Role::Poll).then(|| Listening::open(&lvmpolld, &mut handed_over)).transpose()?;
        let locks = config.plays(Role::Lock);
        let pid_file = locks.then(|| PidFile::lock(&config.lock.pid_file)).transpose()?;
        let lvmlockd = Wanted::by_root("lvmlockd", &config.lock.socket);
        let lvmlockd = locks.then(|| Listening::open(&lvmlockd, &mut handed_over)).transpose()?;
        let lvmetad = Wanted::by_root("lvmetad", &config.metadata.socket);
        let lvmetad =
            config.plays(Role::Metadata).then(|| Listening::open(&lvmetad, &mut handed_over)).transpose()?;
        let (path, mode) = (&config.api.socket, config.api.mode);
        let api = Wanted { name: "api", path, mode, mode_before: 0o777, group };
        let api = Listening::open(&api, &mut handed_over)?;
        let metrics = config.metrics.listen.map(TcpListener::bind).transpose();
        let metrics = metrics.with_context(|| {
            let address = config.metrics.listen.map(|address| address.to_string()).unwrap_or_default();
            format!("cannot listen at {address} for readers of metrics")
        })?;
        for what in handed_over.unclaimed() {
            warn!(log, "systemd passes what is not configured"; "what" => what, "next" => "close it");
        }
        Ok(Self { lvmpolld, lvmlockd, lvmetad, _lvmlockd_pid_file: pid_file, api, metrics, group })
    }

    /// Removes the files of the sockets that this process made: the next daemon may make its own there.
    pub(super) fn unlink(&mut self) {
        let for_lvm = [&mut self.lvmpolld, &mut self.lvmlockd, &mut self.lvmetad];
        for_lvm.into_iter().flatten().chain([&mut self.api]).for_each(Listening::unlink);
    }
}

fn group_of(config: &Config, log: &Logger) -> anyhow::Result<Option<u32>> {
    let group = group::number_of(&config.api.group).context("cannot look the group of the API up")?;
    if let (None, Group::Named(name)) = (group, &config.api.group) {
        warn!(log, "this host has no such group"; "group" => name, "next" => "only root may use the API");
    }
    Ok(group)
}
