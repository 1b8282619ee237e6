//! What makes sense by itself, and cannot be on this host: two sockets in one place, a program that is not there, a directory
//! that is no archive.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use lvmwarden_actors::roles::lock::lock_manager::sanlock::KILL_PROGRAM;

use super::keys::Reconfigure;
use super::{Config, Fill, Role};
use crate::daemon::poll_role::{executable, may_be_run};

/// Where LVM has something else than its archive; lvm itself looks for metadata in the second.
const NO_ARCHIVES: [&str; 7] =
    ["/", "/etc/lvm/backup", "/etc/lvm", "/etc/lvm/cache", "/etc/lvm/devices", "/etc/lvm/profile", "/etc"];

/// Returns what cannot be, a line for each: nothing of it gets better by a start, and a start is refused.
pub(crate) fn impossible(config: &Config) -> Vec<String> {
    let mut problems = shared_paths(config);
    let directory = &config.archive_janitor.directory;
    let place = resolved(directory);
    let Reconfigure { prepare_limit_ms, apply_reserve_ms, hold_limit_ms, .. } = config.reconfigure;
    if prepare_limit_ms + apply_reserve_ms > hold_limit_ms {
        problems.push(format!(
            "reconfigure.hold_limit_ms: {hold_limit_ms} is less than prepare_limit_ms and apply_reserve_ms together"
        ));
    }
    if NO_ARCHIVES.iter().any(|other| resolved(Path::new(other)) == place) {
        problems.push(format!(
            "archive_janitor.directory: {} is not an archive of metadata",
            directory.display()
        ));
    }
    problems
}

/// Returns what cannot be now, and may be later, such as while lvm2 is being upgraded: a start is tried nevertheless.
pub(crate) fn not_yet_possible(config: &Config) -> Vec<String> {
    let mut problems = programs(config);
    let directory = &config.archive_janitor.directory;
    if config.archive_janitor.enabled && !may_be_archive(directory) {
        problems.push(format!(
            "archive_janitor.directory: {} is not an archive of metadata",
            directory.display()
        ));
    }
    problems
}

/// Finds programs that would be run, and cannot be.
fn programs(config: &Config) -> Vec<String> {
    let (lock, metadata) = (&config.lock, &config.metadata);
    let [polls, locks, tells] = [Role::Poll, Role::Lock, Role::Metadata].map(|role| config.plays(role));
    // Only sanlock needs it: what is there by default may be missing, which the log and doctor tell.
    let is_chosen = lock.kill_program != Path::new(KILL_PROGRAM);
    let on_complete = metadata.on_complete.first().map(PathBuf::from);
    let lvm = [
        (polls, "poll.binary", &config.poll.binary),
        (locks, "lock.binary", &lock.binary),
        (tells && metadata.fill == Fill::Disks, "metadata.binary", &metadata.binary),
        (config.plays(Role::Reconfigure), "reconfigure.binary", &config.reconfigure.binary),
    ];
    let lvm = lvm
        .into_iter()
        .filter_map(|(is_used, key, path)| Some((key, executable(path).err()?)).filter(|_| is_used));
    let others = [
        (locks && is_chosen, "lock.kill_program", Some(&lock.kill_program)),
        (tells, "metadata.on_complete", on_complete.as_ref()),
    ];
    let others = others
        .into_iter()
        .filter_map(|(is_used, key, path)| Some((key, may_be_run(path?).err()?)).filter(|_| is_used));
    lvm.chain(others).map(|(key, error)| format!("{key}: {error:#}")).collect()
}

/// Finds paths that two keys name, however they write them.
fn shared_paths(config: &Config) -> Vec<String> {
    let paths = [
        (config.plays(Role::Poll), "poll.socket", &config.poll.socket),
        (config.plays(Role::Lock), "lock.socket", &config.lock.socket),
        (config.plays(Role::Lock), "lock.pid_file", &config.lock.pid_file),
        (config.plays(Role::Lock), "lock.adopt_file", &config.lock.adopt_file),
        (config.plays(Role::Metadata), "metadata.socket", &config.metadata.socket),
        (true, "api.socket", &config.api.socket),
    ];
    let used: Vec<_> =
        paths.into_iter().filter(|(used, ..)| *used).map(|(_, key, path)| (key, resolved(path))).collect();
    let pairs =
        used.iter().enumerate().flat_map(|(at, one)| used[at + 1..].iter().map(move |other| (one, other)));
    let same = pairs.filter(|((_, one), (_, other))| one == other);
    same.map(|((one, path), (other, _))| format!("{one} and {other} are the same: {}", path.display()))
        .collect()
}

/// Returns where a path leads: links are followed as far as there is anything, and the rest is made plain.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        // It ends with `..`, below something that is not there.
        (Some(parent), None) => resolved(parent).parent().unwrap_or(Path::new("/")).to_owned(),
        (None, _) => path.to_owned(),
    }
}

/// Returns whether lvm may keep its copies there: nothing is there yet, or at least one copy among whatever else.
fn may_be_archive(directory: &Path) -> bool {
    match fs::read_dir(directory) {
        Ok(entries) => {
            let mut names = entries.flatten().map(|entry| entry.file_name()).peekable();
            names.peek().is_none() || names.any(|name| is_copy(&name))
        }
        Err(_) => !directory.exists(),
    }
}

/// Returns whether lvm gives such a name: `VG_NUMBER-NUMBER.vg`.
fn is_copy(name: &OsStr) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name.to_str().and_then(|name| name.strip_suffix(".vg")?.rsplit_once('_')?.1.split_once('-'));
    parts.is_some_and(|(index, random)| is_number(index) && is_number(random))
}
