//! The configuration, read again while the service runs.
//!
//! What can be taken on is; for the rest the log says that it needs a restart. A configuration that is refused changes
//! nothing. One that is read also has LVM's metadata searched again for what nobody polls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::occurrence::Occurrence;
use lvmwarden_actors::foundation::local_time;
use lvmwarden_actors::role::Roles;
use slog::{Level, Logger, error, info, warn};
use tokio::time::timeout;

use super::RolesBySocket;
use super::control::LevelControl;
use super::systemd::{Notice, Systemd};
use crate::daemon::config::{Change, Config, ConfigError, Source, changes, take_on};

/// How long the file may take: past it a disk is stuck.
const FILE_DEADLINE: Duration = Duration::from_secs(10);

/// What is needed to read the configuration again.
pub(super) struct Reloader {
    /// Which file.
    pub(super) source: Source,
    /// What is in force.
    pub(super) config: Config,
    /// The level of the command line, which beats the file's.
    pub(super) level_by_hand: Option<Level>,
    /// The roles that are played whatever the file says.
    pub(super) by_socket: RolesBySocket,
}

impl Reloader {
    /// Reads the configuration again, and takes on what can be.
    pub(super) async fn reload(
        &mut self,
        log: &Logger,
        level: &LevelControl,
        roles: &Roles,
        events: &Events,
        systemd: &Systemd,
    ) {
        systemd.tell(Notice::Reloading);
        match self.load().await {
            Ok(new) => self.take_on(&self.by_socket.add_to(new), log, level, roles, events),
            Err(problems) => {
                for problem in problems {
                    error!(log, "the configuration is refused"; "problem" => problem, "next" => "go on with the one before");
                }
            }
        }
        systemd.tell(Notice::Ready);
    }

    /// Returns the new configuration, or what is wrong with it, a line each.
    async fn load(&self) -> Result<Config, Vec<String>> {
        let source = self.source.clone();
        let loading = actix_rt::task::spawn_blocking(move || {
            local_time::read_zone();
            source.load()
        });
        let path = self.source.path().display();
        match timeout(FILE_DEADLINE, loading).await {
            Ok(loaded) => loaded.expect("reading a configuration does not panic").map_err(in_lines),
            Err(_) => Err(vec![format!("{path}: not read within {FILE_DEADLINE:?}")]),
        }
    }

    fn take_on(&mut self, new: &Config, log: &Logger, level: &LevelControl, roles: &Roles, events: &Events) {
        let changes = changes(&self.config, new);
        let keys = |at_once| {
            let chosen = changes.iter().filter(move |change: &&Change| change.at_once == at_once);
            chosen.map(|change| change.key.clone()).collect::<Vec<_>>()
        };
        let (applied, needs_restart) = (keys(true), keys(false));
        level.set(self.level_by_hand.unwrap_or(new.log.level));
        take_on(&mut self.config, new);
        if let Some(poll) = &roles.poll.served {
            poll.environment.default_interval_seconds.store(new.poll.interval_seconds, Ordering::Relaxed);
            poll.environment.turns.set_rules(new.poll.rules());
            if let Some(reconcile) = &poll.reconcile {
                reconcile.look_again();
            }
        }
        info!(log, "the configuration was read again"; "changed" => applied.join(" "));
        for key in &needs_restart {
            warn!(log, "a changed key needs a restart"; "key" => key, "next" => "go on with its value of before");
        }
        events.publish(&Occurrence::ConfigurationReloaded { applied, needs_restart });
    }
}

fn in_lines(error: ConfigError) -> Vec<String> {
    format!("{:#}", anyhow::Error::from(error)).lines().map(str::to_owned).collect()
}
