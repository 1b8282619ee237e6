//! The files that a child writes to, and the daemon that reads along.
//!
//! A file, other than a pipe, does not die with the daemon: the child writes on, and the next daemon reads on. The
//! files lie on the tmpfs of the run directory, so that reading them never waits for a disk. They are opened for
//! appending by the child, so that what has been read can be cut off: a pvmove of a week does not fill the tmpfs.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A file that has been read is cut off when it is longer than this.
const CUT_BYTES: u64 = 64 * 1024;
/// How much of a file is read at once. Of a child that writes faster only the end is read: it is progress that counts,
/// and a file that is never read to its end is never cut off.
const READ_BYTES: u64 = 256 * 1024;

/// The output of one child, read line by line.
#[derive(Debug)]
pub(crate) struct OutputFollower {
    stdout: Follower,
    stderr: Follower,
}

/// Where a child's stdout and stderr go.
pub(crate) fn paths(output_dir: &Path, op: Uuid) -> (PathBuf, PathBuf) {
    (output_dir.join(format!("{op}.out")), output_dir.join(format!("{op}.err")))
}

/// Removes a child's files; what is not there is no error.
pub(crate) fn remove(output_dir: &Path, op: Uuid) {
    let (stdout, stderr) = paths(output_dir, op);
    for path in [stdout, stderr] {
        // A file that stays costs some bytes of tmpfs until the next start of the daemon, which clears them away.
        let _ = std::fs::remove_file(path);
    }
}

/// Removes the files of every operation that is not in `kept`.
pub(crate) fn remove_others(output_dir: &Path, kept: impl Iterator<Item = Uuid>) {
    let kept: HashSet<String> = kept.map(|op| op.to_string()).collect();
    let Ok(entries) = std::fs::read_dir(output_dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_kept = path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| kept.contains(stem));
        if !is_kept {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl OutputFollower {
    /// Reads from the start of what is there.
    pub(crate) fn new(output_dir: &Path, op: Uuid) -> Self {
        let (stdout, stderr) = paths(output_dir, op);
        Self { stdout: Follower::new(stdout), stderr: Follower::new(stderr) }
    }

    /// Returns the whole lines that were written since the last time, stdout's first.
    pub(crate) fn read_lines(&mut self) -> Vec<String> {
        let mut lines = self.stdout.read_lines();
        lines.extend(self.stderr.read_lines());
        lines
    }
}

#[derive(Debug)]
struct Follower {
    path: PathBuf,
    read: u64,
    partial: Vec<u8>,
}

impl Follower {
    fn new(path: PathBuf) -> Self {
        Self { path, read: 0, partial: Vec::new() }
    }

    /// A file that cannot be read now says nothing now.
    fn read_lines(&mut self) -> Vec<String> {
        match self.read_new() {
            Ok(()) => self.take_lines(),
            Err(_not_now) => Vec::new(),
        }
    }

    fn read_new(&mut self) -> io::Result<()> {
        let mut file = File::options().read(true).write(true).open(&self.path)?;
        let length = file.metadata()?.len();
        if length < self.read {
            self.read = 0;
        }
        if length - self.read > READ_BYTES {
            self.read = length - READ_BYTES;
            self.partial.clear();
        }
        if length > self.read {
            file.seek(SeekFrom::Start(self.read))?;
            self.read += (&mut file).take(READ_BYTES).read_to_end(&mut self.partial)? as u64;
        }
        if self.read > CUT_BYTES && file.metadata()?.len() == self.read {
            // A line that is written between the look and the cut is lost: it is progress, and the next one comes.
            file.set_len(0)?;
            self.read = 0;
        }
        Ok(())
    }

    fn take_lines(&mut self) -> Vec<String> {
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else {
            if self.partial.len() as u64 > CUT_BYTES {
                self.partial.clear();
            }
            return Vec::new();
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use uuid::Uuid;

    use super::{CUT_BYTES, OutputFollower, READ_BYTES, paths, remove};

    struct Written {
        dir: tempfile::TempDir,
        op: Uuid,
        stdout: File,
        stderr: File,
        follower: OutputFollower,
    }

    fn written() -> Written {
        let dir = tempfile::tempdir().unwrap();
        let op = Uuid::from_u128(7);
        let (stdout, stderr) = paths(dir.path(), op);
        let open = |path| File::options().append(true).create(true).open(path).unwrap();
        let follower = OutputFollower::new(dir.path(), op);
        Written { op, stdout: open(stdout), stderr: open(stderr), follower, dir }
    }

    #[test]
    fn lines_come_once_and_whole() {
        let mut w = written();
        w.stdout.write_all(b"  vg/pvmove0: Moved: 1.00%\n  vg/pv").unwrap();
        assert_eq!(w.follower.read_lines(), ["  vg/pvmove0: Moved: 1.00%"]);
        assert!(w.follower.read_lines().is_empty());
        w.stdout.write_all(b"move0: Moved: 2.00%\n").unwrap();
        w.stderr.write_all(b"  WARNING: first\n  Second problem.\n\n").unwrap();
        assert_eq!(
            w.follower.read_lines(),
            ["  vg/pvmove0: Moved: 2.00%", "  WARNING: first", "  Second problem.", ""]
        );
    }

    #[test]
    fn a_long_file_is_cut_off_and_read_on() {
        let mut w = written();
        let line = "x".repeat(99);
        let count = usize::try_from(CUT_BYTES).unwrap() / 100 + 1;
        for _ in 0..count {
            writeln!(w.stdout, "{line}").unwrap();
        }
        assert_eq!(w.follower.read_lines().len(), count);
        assert_eq!(w.stdout.metadata().unwrap().len(), 0);
        writeln!(w.stdout, "after").unwrap();
        assert_eq!(w.follower.read_lines(), ["after"]);
    }

    #[test]
    fn of_a_flood_the_end_is_read_and_nothing_stays() {
        let mut w = written();
        w.stdout.write_all(&vec![b'x'; usize::try_from(3 * READ_BYTES).unwrap()]).unwrap();
        w.stdout.write_all(b"\n  vg/lv: Merged: 9.00%\n").unwrap();
        assert_eq!(w.follower.read_lines().last().unwrap(), "  vg/lv: Merged: 9.00%");
        assert_eq!(w.stdout.metadata().unwrap().len(), 0);
    }

    #[test]
    fn removing_leaves_nothing_and_may_be_repeated() {
        let w = written();
        remove(w.dir.path(), w.op);
        remove(w.dir.path(), w.op);
        assert_eq!(w.dir.path().read_dir().unwrap().count(), 0);
    }
}
