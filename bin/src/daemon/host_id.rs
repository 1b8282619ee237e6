//! This host's id in the lockspaces of sanlock, from a file in the form of lvmlocal.conf.

use std::path::Path;

use anyhow::{Context, bail};

/// Reads lines `key = value`, of which `host_id` counts; `#` begins a comment, and other keys say nothing.
///
/// # Errors
/// The file cannot be read, has no host id, or one that is no number.
///
/// Source: lvm2 2.03.16, lvmlockd(8).
pub(super) fn read(file: &Path) -> anyhow::Result<u32> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the host id from {}", file.display()))?;
    let Some(value) = text.lines().find_map(value_of_host_id) else {
        bail!("{} has no line `host_id = NUMBER`", file.display());
    };
    value.parse().with_context(|| format!("{} has the host id {value:?}", file.display()))
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
        std::fs::write(&file, "# host_id = 1\nother = 2\n\n host_id=7 # ours\nhost_id = 8\n").unwrap();
        assert_eq!(read(&file).unwrap(), 7);
    }

    #[test]
    fn a_file_without_a_usable_host_id_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvmlocal.conf");
        assert!(read(&file).unwrap_err().to_string().starts_with("cannot read the host id from "));
        for (text, problem) in
            [("", "has no line"), ("#host_id = 1\n", "has no line"), ("host_id = x", "has the host id \"x\"")]
        {
            std::fs::write(&file, text).unwrap();
            assert!(read(&file).unwrap_err().to_string().contains(problem), "{text}");
        }
    }
}
