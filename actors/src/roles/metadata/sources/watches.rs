//! What happens in the directories in which LVM leaves traces.
//!
//! | directory | a file there is |
//! |---|---|
//! | `/run/lvm/pvs_online` | a PV whose device came, written by LVM's udev rule |
//! | `/run/lvm/vgs_online` | a VG that was complete, and is being activated |
//! | `/etc/lvm/backup` | the metadata of a VG, written after each change, called by the VG's name |
//!
//! Each may be absent, and come later: the directory above it is watched for that. Where more happens than the kernel keeps,
//! it says so, and everything has to be looked at.

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use lvmwarden_supervisor::sys::WatchedFd;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

/// One of the directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `/run/lvm/pvs_online`.
    PvsOnline,
    /// `/run/lvm/vgs_online`.
    VgsOnline,
    /// `/etc/lvm/backup`.
    Backup,
}

/// What has happened in one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noticed {
    /// A file of this name was written, or removed.
    File(Place, String),
    /// A directory has come, or gone.
    Directory,
    /// More than the kernel keeps.
    Overflow,
}

/// The directories that are watched.
#[derive(Debug)]
pub struct Watches {
    inotify: WatchedFd,
    paths: BTreeMap<Place, PathBuf>,
    /// Which watch is of which directory; `None`: of one above.
    watched: BTreeMap<i32, Option<Place>>,
    unread: Vec<Noticed>,
}

impl Watches {
    /// Watches these directories, as far as they are there. Must be called within the runtime.
    ///
    /// # Errors
    /// The system has no such watch left.
    pub fn open(paths: BTreeMap<Place, PathBuf>) -> io::Result<Self> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let inotify = WatchedFd::new(inotify).map_err(|(_, error)| error)?;
        let mut watches = Self { inotify, paths, watched: BTreeMap::new(), unread: Vec::new() };
        watches.renew();
        Ok(watches)
    }

    /// Watches what has come since. What is watched already stays so.
    pub fn renew(&mut self) {
        let files =
            WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM | WatchFlags::DELETE;
        let own = files
            | WatchFlags::CREATE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let above = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        for (place, path) in &self.paths {
            // The one above first: what comes between the two is seen by it.
            if let Some(Ok(watch)) = path.parent().map(|parent| add_watch(&self.inotify, parent, above)) {
                self.watched.entry(watch).or_insert(None);
            }
            if let Ok(watch) = add_watch(&self.inotify, path, own) {
                self.watched.insert(watch, Some(*place));
            }
        }
    }

    /// Returns the directories that cannot be watched: they are not there.
    pub fn missing(&self) -> Vec<Place> {
        let is_watched = |place: &Place| self.watched.values().any(|watched| *watched == Some(*place));
        self.paths.keys().filter(|place| !is_watched(place)).copied().collect()
    }

    /// Returns what happens next.
    ///
    /// # Errors
    /// inotify is of no use any more.
    ///
    /// # Cancel safety
    /// Cancel-safe: what was read is kept until it is returned.
    pub async fn next(&mut self) -> io::Result<Noticed> {
        loop {
            if let Some(noticed) = self.unread.pop() {
                return Ok(noticed);
            }
            let (watched, unread) = (&mut self.watched, &mut self.unread);
            let read = self.inotify.read_with(|inotify| read(inotify, watched, unread));
            read.await?;
        }
    }
}

fn read(
    inotify: BorrowedFd<'_>,
    watched: &mut BTreeMap<i32, Option<Place>>,
    unread: &mut Vec<Noticed>,
) -> io::Result<()> {
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut reader = Reader::new(inotify, &mut buffer);
    loop {
        // One buffer at a time: the kernel keeps the rest, and says if that becomes too much.
        if !unread.is_empty() && reader.is_buffer_empty() {
            return Ok(());
        }
        let event = match reader.next() {
            Ok(event) => event,
            Err(Errno::WOULDBLOCK) if !unread.is_empty() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let flags = event.events();
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            unread.push(Noticed::Overflow);
            continue;
        }
        if flags.contains(ReadFlags::IGNORED) {
            watched.remove(&event.wd());
            unread.push(Noticed::Directory);
            continue;
        }
        let name = event.file_name().and_then(|name| name.to_str().ok());
        match (watched.get(&event.wd()), name) {
            (Some(Some(place)), Some(name)) => unread.push(Noticed::File(*place, name.to_owned())),
            (Some(Some(_)), None) | (Some(None), _) => unread.push(Noticed::Directory),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_directory_that_comes_later_is_watched_and_one_that_goes_is_missing_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let mut watches = Watches::open(BTreeMap::from([(Place::Backup, path.clone())])).unwrap();
        assert_eq!(watches.missing(), [Place::Backup]);
        let soon = Duration::from_secs(30);
        for _ in 0..2 {
            fs::create_dir(&path).unwrap();
            while !watches.missing().is_empty() {
                assert_eq!(timeout(soon, watches.next()).await.unwrap().unwrap(), Noticed::Directory);
                watches.renew();
            }
            fs::write(path.join("vg0"), "text").unwrap();
            let expected = Noticed::File(Place::Backup, "vg0".to_owned());
            while timeout(soon, watches.next()).await.unwrap().unwrap() != expected {}
            fs::remove_dir_all(&path).unwrap();
            while watches.missing().is_empty() {
                timeout(soon, watches.next()).await.unwrap().unwrap();
            }
        }
    }
}
