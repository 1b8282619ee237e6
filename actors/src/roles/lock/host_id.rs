//! This host's id in the lockspaces of sanlock, where a client says none.

use std::fs;
use std::path::{Path, PathBuf};

use lvmwarden_protocol::lock::ResultCode;

use super::lock_manager::Fault;

/// Where this host's id is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostId {
    /// The daemon was told; 0: there is none.
    Number(u32),
    /// A file in the form of lvmlocal.conf has it, read whenever a lockspace is started: it may be written, or its file
    /// system mounted, after the daemon's start.
    File(PathBuf),
}

/// Reads lines `key = value`, of which `host_id` counts; `#` begins a comment, and other keys say nothing.
///
/// # Errors
/// [`ResultCode::BAD_HOST_ID`]: the file cannot be read, has no host id, or one that is no number.
///
/// Source: lvm2 2.03.16, lvmlockd(8).
pub fn read(file: &Path) -> Result<u32, Fault> {
    let fault = |why: String| {
        Fault::new(ResultCode::BAD_HOST_ID, format!("read the host id from {}: {why}", file.display()))
    };
    let text = fs::read_to_string(file).map_err(|error| fault(error.to_string()))?;
    let value = text.lines().find_map(value_of_host_id);
    let value = value.ok_or_else(|| fault("it has no line `host_id = NUMBER`".to_owned()))?;
    value.parse().map_err(|_| fault(format!("{value:?} is no number")))
}

fn value_of_host_id(line: &str) -> Option<&str> {
    let line = line.split_once('#').map_or(line, |(line, _)| line);
    let (key, value) = line.split_once('=')?;
    (key.trim() == "host_id").then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_id_is_found_among_other_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvmlocal.conf");
        fs::write(&file, "# host_id = 1\nother = 2\n\n host_id=7 # ours\nhost_id = 8\n").unwrap();
        assert_eq!(read(&file).unwrap(), 7);
    }

    #[test]
    fn a_file_without_a_usable_host_id_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvmlocal.conf");
        let refused = |problem: &str| {
            let fault = read(&file).unwrap_err();
            assert!(fault.text.contains(problem), "{fault}");
            assert_eq!(fault.code, ResultCode::BAD_HOST_ID);
        };
        refused("No such file");
        for (text, problem) in
            [("", "has no line"), ("#host_id = 1\n", "has no line"), ("host_id = x", "\"x\" is no number")]
        {
            fs::write(&file, text).unwrap();
            refused(problem);
        }
    }
}
