//! The pipes that a child writes to, and the daemon that reads along.
//!
//! They have names in the run directory and do not die with the daemon: the child writes on, and the next daemon reads on.
//! Each holds 64 KiB, so that neither a pvmove of a week nor a child that floods fills the tmpfs. What a child writes
//! while its pipe is full is lost, and the child goes on: it is progress, and the next line comes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::process::OutputReader;
use uuid::Uuid;

/// The longest line that is read.
const LINE_BYTES: usize = 64 * 1024;
/// The pause before what was written is read: a child that floods costs little, and its lines come together.
const PAUSE: Duration = Duration::from_millis(20);

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

/// Removes a child's pipes; what is not there is no error.
pub(crate) fn remove(output_dir: &Path, op: Uuid) {
    let (stdout, stderr) = paths(output_dir, op);
    for path in [stdout, stderr] {
        // A pipe that stays costs some bytes of tmpfs until the next start of the daemon, which clears them away.
        let _ = std::fs::remove_file(path);
    }
}

/// Removes the pipes of every operation that is not in `kept`.
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
    /// Makes the pipes of a child that is started next.
    pub(crate) fn make(output_dir: &Path, op: Uuid) -> Self {
        // What an earlier child wrote has been read.
        remove(output_dir, op);
        // Where one cannot be made, the child cannot be started either, and that is told.
        Self::of(output_dir, op, |path| OutputReader::open(path).ok())
    }

    /// Reads on what a child writes that runs already.
    pub(crate) fn resume(output_dir: &Path, op: Uuid) -> Self {
        Self::of(output_dir, op, |path| OutputReader::open_existing(path).ok())
    }

    fn of(output_dir: &Path, op: Uuid, open: impl Fn(&Path) -> Option<OutputReader>) -> Self {
        let (stdout, stderr) = paths(output_dir, op);
        let follower =
            |path: PathBuf| Follower { reader: open(&path).map(Arc::new), path, partial: Vec::new() };
        Self { stdout: follower(stdout), stderr: follower(stderr) }
    }

    /// Returns the whole lines that were written since the last time, stdout's first.
    pub(crate) fn read_lines(&mut self) -> Vec<String> {
        let mut lines = self.stdout.read_lines();
        lines.extend(self.stderr.read_lines());
        lines
    }

    /// Waits until there is more to read; for ever, where there is no pipe.
    pub(crate) fn more(&self) -> impl Future<Output = ()> + use<> {
        let readers = [&self.stdout, &self.stderr].map(|follower| follower.reader.clone());
        async move {
            let [stdout, stderr] = readers.map(readable);
            // Either may be dropped: what there is to read stays.
            tokio::select! {
                () = stdout => {}
                () = stderr => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn readable(reader: Option<Arc<OutputReader>>) {
    match reader {
        Some(reader) => reader.readable().await,
        None => std::future::pending().await,
    }
}

#[derive(Debug)]
struct Follower {
    path: PathBuf,
    /// `None`: it could not be opened yet, or is a C daemon's child's, which has none.
    reader: Option<Arc<OutputReader>>,
    partial: Vec<u8>,
}

impl Follower {
    fn read_lines(&mut self) -> Vec<String> {
        if self.reader.is_none() {
            self.reader = OutputReader::open_existing(&self.path).ok().map(Arc::new);
        }
        let Some(reader) = &self.reader else { return Vec::new() };
        reader.read(&mut self.partial);
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else {
            if self.partial.len() > LINE_BYTES {
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
    use std::time::Duration;

    use tokio::time::timeout;
    use uuid::Uuid;

    use super::{OutputFollower, paths, remove};

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
        let follower = OutputFollower::make(dir.path(), op);
        let (stdout, stderr) = paths(dir.path(), op);
        let open = |path| File::options().write(true).open(path).unwrap();
        Written { op, stdout: open(stdout), stderr: open(stderr), follower, dir }
    }

    #[tokio::test]
    async fn lines_come_once_and_whole() {
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

    #[tokio::test]
    async fn what_is_written_is_read_at_once_and_nothing_is_waited_for_afterwards() {
        let mut w = written();
        for _ in 0..3 {
            w.stderr.write_all(b"line\n").unwrap();
            timeout(Duration::from_secs(10), w.follower.more()).await.expect("there is more");
            assert_eq!(w.follower.read_lines(), ["line"]);
        }
        timeout(Duration::from_millis(100), w.follower.more()).await.expect_err("there is no more");
    }

    #[tokio::test]
    async fn the_next_daemon_reads_on() {
        let Written { dir, op, mut stdout, stderr, mut follower } = written();
        stdout.write_all(b"first\n").unwrap();
        assert_eq!(follower.read_lines(), ["first"]);
        // As the child does: it holds both ends.
        let (path, _) = paths(dir.path(), op);
        let child = File::options().read(true).write(true).open(path).unwrap();
        drop((follower, stderr));
        stdout.write_all(b"second\n").unwrap();
        assert_eq!(OutputFollower::resume(dir.path(), op).read_lines(), ["second"]);
        drop(child);
    }

    #[tokio::test]
    async fn where_nothing_was_made_there_is_nothing_to_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut follower = OutputFollower::resume(dir.path(), Uuid::from_u128(7));
        assert!(follower.read_lines().is_empty());
        timeout(Duration::from_millis(100), follower.more()).await.expect_err("nobody writes");
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    }

    #[tokio::test]
    async fn removing_leaves_nothing_and_may_be_repeated() {
        let w = written();
        remove(w.dir.path(), w.op);
        remove(w.dir.path(), w.op);
        assert_eq!(w.dir.path().read_dir().unwrap().count(), 0);
    }
}
