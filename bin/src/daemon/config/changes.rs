//! Two configurations compared: what a running daemon takes on, and what needs a restart.

use super::Config;

/// A key whose value differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// Section and key, such as `log.level`.
    pub(crate) key: &'static str,
    /// Whether it can be taken on without a restart.
    pub(crate) at_once: bool,
}

/// Returns the keys that differ, in the order of the file.
pub(crate) fn changes(old: &Config, new: &Config) -> Vec<Change> {
    // Taken apart without `..`: a key that is added must be considered here.
    let Config {
        service_roles,
        log_level,
        log_format,
        log_wire,
        poll_socket,
        poll_binary,
        poll_mode,
        poll_interval_seconds,
        poll_starts_at_once,
        poll_reconcile,
        poll_reconcile_at_once,
        poll_rules,
        lock,
        metadata_socket,
        api_socket,
        api_mode,
        api_group,
        metrics_listen,
        events_keep,
        archive_janitor_enabled,
        archive_janitor_directory,
        archive_janitor_files_per_vg,
        archive_janitor_bytes_per_vg,
        archive_janitor_age_days,
        archive_janitor_keep_newest,
        archive_janitor_period_minutes,
        history_keep,
    } = old;
    let at_once = |key, is_same: bool| (key, is_same, true);
    let restart = |key, is_same: bool| (key, is_same, false);
    [
        restart("service.roles", *service_roles == new.service_roles),
        at_once("log.level", *log_level == new.log_level),
        restart("log.format", *log_format == new.log_format),
        restart("log.wire", *log_wire == new.log_wire),
        restart("poll.socket", *poll_socket == new.poll_socket),
        restart("poll.binary", *poll_binary == new.poll_binary),
        restart("poll.mode", *poll_mode == new.poll_mode),
        at_once("poll.interval_seconds", *poll_interval_seconds == new.poll_interval_seconds),
        restart("poll.starts_at_once", *poll_starts_at_once == new.poll_starts_at_once),
        restart("poll.reconcile", *poll_reconcile == new.poll_reconcile),
        restart("poll.reconcile_at_once", *poll_reconcile_at_once == new.poll_reconcile_at_once),
        at_once("poll.limit_per_vg", poll_rules.per_vg == new.poll_rules.per_vg),
        at_once("poll.limit_per_pv", poll_rules.per_pv == new.poll_rules.per_pv),
        at_once("poll.windows", poll_rules.windows == new.poll_rules.windows),
        restart("lock.socket", lock.socket == new.lock.socket),
        restart("lock.pid_file", lock.pid_file == new.lock.pid_file),
        restart("lock.adopt_file", lock.adopt_file == new.lock.adopt_file),
        restart("lock.global_type", lock.global_type == new.lock.global_type),
        restart("lock.host_id", lock.host_id == new.lock.host_id),
        restart("lock.io_timeout_seconds", lock.io_timeout_seconds == new.lock.io_timeout_seconds),
        restart("lock.wait_limit_seconds", lock.wait_limit_seconds == new.lock.wait_limit_seconds),
        restart("lock.lvmlockctl", lock.lvmlockctl == new.lock.lvmlockctl),
        restart("lock.binary", lock.binary == new.lock.binary),
        restart("lock.kill_program", lock.kill_program == new.lock.kill_program),
        restart("metadata.socket", *metadata_socket == new.metadata_socket),
        restart("api.socket", *api_socket == new.api_socket),
        restart("api.mode", *api_mode == new.api_mode),
        restart("api.group", *api_group == new.api_group),
        restart("metrics.listen", *metrics_listen == new.metrics_listen),
        restart("events.keep", *events_keep == new.events_keep),
        restart("archive_janitor.enabled", *archive_janitor_enabled == new.archive_janitor_enabled),
        restart("archive_janitor.directory", *archive_janitor_directory == new.archive_janitor_directory),
        restart(
            "archive_janitor.files_per_vg",
            *archive_janitor_files_per_vg == new.archive_janitor_files_per_vg,
        ),
        restart(
            "archive_janitor.bytes_per_vg",
            *archive_janitor_bytes_per_vg == new.archive_janitor_bytes_per_vg,
        ),
        restart("archive_janitor.age_days", *archive_janitor_age_days == new.archive_janitor_age_days),
        restart(
            "archive_janitor.keep_newest",
            *archive_janitor_keep_newest == new.archive_janitor_keep_newest,
        ),
        restart(
            "archive_janitor.period_minutes",
            *archive_janitor_period_minutes == new.archive_janitor_period_minutes,
        ),
        restart("history.keep", *history_keep == new.history_keep),
    ]
    .into_iter()
    .filter(|(_, is_same, _)| !is_same)
    .map(|(key, _, at_once)| Change { key, at_once })
    .collect()
}
