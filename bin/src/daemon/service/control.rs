//! What clients of the API may do to the service as a whole.

use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::occurrence::Occurrence;
use lvmwarden_actors::role::Roles;
use lvmwarden_actors::roles::poll::operation::state::Stop;
use lvmwarden_actors::service::{BadLevel, Control};
use slog::{Level, Logger, warn};
use tokio::sync::mpsc;

use crate::daemon::config::{LEVELS, level_called};
use crate::daemon::logging::LogControl;

/// That the service be ended in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopAsked {
    /// Whether running operations are left alone.
    leave_children: bool,
}

impl StopAsked {
    /// Makes the coming end the one that was asked for; returns why the service ends.
    pub(super) fn prepare(self, roles: &Roles) -> String {
        if let (false, Some(poll)) = (self.leave_children, &roles.poll.served) {
            poll.environment.set_on_stop(Stop::EndChild);
        }
        "asked through the API".to_owned()
    }
}

/// The service as clients reach it.
pub(super) struct ServiceControl {
    /// What is logged.
    pub(super) level: LevelControl,
    /// Room for one: a second wish to end is the same wish.
    pub(super) stop: mpsc::Sender<StopAsked>,
}

/// The log level, and who is to be told of a change.
#[derive(Clone)]
pub(super) struct LevelControl {
    pub(super) log: Logger,
    pub(super) control: LogControl,
    pub(super) events: Events,
}

impl LevelControl {
    /// Sets the level; whoever follows the log or the events learns of a change.
    pub(super) fn set(&self, level: Level) {
        let before = self.control.level();
        if before == level {
            return;
        }
        let (name, name_before) = (name_of(level), name_of(before));
        self.control.set_level(level);
        // A warning, so that a log that falls silent says why.
        warn!(self.log, "the log level has changed"; "level" => name, "before" => name_before);
        self.events.publish(&Occurrence::LogLevelChanged { level: name.to_owned() });
    }
}

fn name_of(level: Level) -> &'static str {
    let name = LEVELS.iter().find(|(_, there)| *there == level).map(|(name, _)| *name);
    name.expect("every level has a name")
}

impl Control for ServiceControl {
    fn set_log_level(&self, level: &str) -> Result<(), BadLevel> {
        let permitted = || LEVELS.map(|(name, _)| name.to_owned()).into();
        let level = level_called(level).ok_or_else(|| BadLevel { permitted: permitted() })?;
        self.level.set(level);
        Ok(())
    }

    fn stop(&self, leave_children: bool) {
        // When there is no room, the end is near already.
        let _ = self.stop.try_send(StopAsked { leave_children });
    }

    fn log_lines_dropped(&self) -> u64 {
        self.level.control.lines_dropped()
    }
}
