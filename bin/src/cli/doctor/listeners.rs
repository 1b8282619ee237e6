//! Who listens on a Unix socket, found without connecting to it: a connection would start a daemon on demand.

use std::fs;
use std::path::{Path, PathBuf};

use super::facts::{Holder, Socket, listening_inode};

/// Looks at the socket at `path`.
pub(super) fn look_at(path: &Path) -> Socket {
    let proc_net_unix = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let inode = listening_inode(&proc_net_unix, &path.display().to_string());
    Socket {
        path: path.display().to_string(),
        exists: path.exists(),
        is_listening: inode.is_some(),
        holders: inode.map_or_else(Vec::new, holders),
    }
}

/// Finds the processes that have the socket open, but those of other users when root does not ask.
fn holders(inode: u64) -> Vec<Holder> {
    let socket = PathBuf::from(format!("socket:[{inode}]"));
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| has_open(*pid, &socket)).filter_map(holder).collect()
}

fn has_open(pid: u32, socket: &Path) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors.into_iter().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == socket))
}

fn holder(pid: u32) -> Option<Holder> {
    /// What the kernel adds to the path of a file that has no name any more.
    const DELETED: &str = " (deleted)";
    let executable = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = executable.file_name()?.to_string_lossy().into_owned();
    let program = name.strip_suffix(DELETED).unwrap_or(&name).to_owned();
    Some(Holder { pid, is_outdated: name.ends_with(DELETED), program })
}
