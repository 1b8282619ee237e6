//! The sources as others see them: what the actor that reads has in common with whoever asks it to, over all its lives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lvmwarden_protocol::metadata::Vgid;
use lvmwarden_supervisor::process::BoxFuture;
use rustix::fs::{FileType, stat};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::assembly::Assembly;
use super::device::DeviceNumber;
use super::settings::SourcesSettings;
use super::watches::Place;
use crate::foundation::moment::since_boot;
use crate::roles::metadata::knowledge::{Knowledge, Problem, ProblemKind, Reader};

/// How many wishes are kept; past that everything is looked at.
const WISHES: usize = 1000;
/// How long a VG is verified: a disk that has to spin up takes some ten seconds, and nobody waits for that.
const VERIFY_DEADLINE: Duration = Duration::from_secs(5);

/// By whom the daemon is not told of changes, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Eyes {
    pub(super) no_uevents: Option<String>,
    pub(super) no_watches: Option<String>,
    /// The directories that are not there.
    pub(super) missing: Vec<Place>,
    /// Why LVM has not said, the last time, which devices it uses.
    pub(super) no_survey: Option<String>,
}

/// What is to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) everything: bool,
    pub(super) devices: BTreeSet<DeviceNumber>,
    pub(super) vgs: BTreeSet<Vgid>,
}

/// The sources of a cache. They outlive the actor that reads.
pub struct Sources {
    /// Where they look.
    pub settings: SourcesSettings,
    assembly: Mutex<Assembly>,
    eyes: Mutex<Eyes>,
    wishes: Mutex<Wishes>,
    wished: Notify,
    /// Counts what has been read.
    reads: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept here is put in place in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sources {
    /// Makes them, and says in `knowledge` that they can be asked to read. Nobody reads yet.
    pub fn new(settings: SourcesSettings, knowledge: &Knowledge) -> Arc<Self> {
        let sources = Arc::new(Self {
            settings,
            assembly: Mutex::default(),
            eyes: Mutex::default(),
            wishes: Mutex::default(),
            wished: Notify::new(),
            reads: watch::Sender::new(0),
        });
        knowledge.set_reader(Arc::new(SourcesReader(Arc::clone(&sources))));
        sources
    }

    /// Has everything read again; waits for nothing.
    pub fn rescan_all(&self) {
        self.wish(|wishes| wishes.everything = true);
    }

    fn wish(&self, add: impl FnOnce(&mut Wishes)) {
        let mut wishes = lock(&self.wishes);
        add(&mut wishes);
        if wishes.vgs.len() + wishes.devices.len() > WISHES {
            *wishes = Wishes { everything: true, ..Wishes::default() };
        }
        drop(wishes);
        self.wished.notify_one();
    }

    /// Waits until a VG is known to have been on its disks, as it is cached, since `oldest`; or until no disk tells of it.
    async fn verified_since(&self, vg: &Vgid, oldest: Duration) {
        let mut reads = self.reads.subscribe();
        // What is doubted is being read again: an answer before that would be one between two states.
        while self.assembly().verified(vg).is_some_and(|last| last < oldest) {
            self.wish(|wishes| wishes.vgs.extend([vg.clone()]));
            // The other end is as old as this.
            let _ = reads.changed().await;
        }
    }

    pub(super) fn assembly(&self) -> MutexGuard<'_, Assembly> {
        lock(&self.assembly)
    }

    pub(super) fn eyes(&self) -> MutexGuard<'_, Eyes> {
        lock(&self.eyes)
    }

    /// Waits for wishes.
    ///
    /// # Cancel safety
    /// Cancel-safe: a wish stays until it is returned.
    pub(super) async fn wishes(&self) -> Wishes {
        self.wished.notified().await;
        std::mem::take(&mut *lock(&self.wishes))
    }

    /// Something was read.
    pub(super) fn tell_read(&self) {
        self.reads.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Returns all that is wrong, for people.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let path = |device| self.settings.devices.path(device);
        let mut problems = self.assembly().problems(path);
        let eyes = lock(&self.eyes);
        let silent = [
            ("the kernel's messages are not heard", &eyes.no_uevents),
            ("LVM's directories are not watched", &eyes.no_watches),
            ("LVM does not say which devices it uses", &eyes.no_survey),
        ];
        let silent = silent.into_iter().filter_map(|(what, why)| Some(format!("{what}: {}", why.as_ref()?)));
        let missing = eyes
            .missing
            .iter()
            .filter(|place| **place != Place::VgsOnline)
            .map(|place| format!("{} is not there", self.directories()[place].display()));
        problems.extend(silent.chain(missing).map(|detail| Problem {
            kind: ProblemKind::SourceDown,
            vg: None,
            pv: None,
            devices: Vec::new(),
            detail,
        }));
        problems
    }

    /// Returns the directories that are watched.
    pub(super) fn directories(&self) -> BTreeMap<Place, PathBuf> {
        let SourcesSettings { run, backup, .. } = &self.settings;
        BTreeMap::from([
            (Place::PvsOnline, run.join(super::online::PVS_ONLINE)),
            (Place::VgsOnline, run.join("vgs_online")),
            (Place::Backup, backup.clone()),
        ])
    }
}

/// Who can be asked to read.
struct SourcesReader(Arc<Sources>);

impl Reader for SourcesReader {
    fn verify(&self, vg: Vgid, max_age: Duration) -> BoxFuture<'static, ()> {
        let sources = Arc::clone(&self.0);
        let oldest = since_boot().saturating_sub(max_age);
        Box::pin(async move {
            // Past it the answer says how old it is.
            let _ = timeout(VERIFY_DEADLINE, sources.verified_since(&vg, oldest)).await;
        })
    }

    fn rescan(&self, path: PathBuf) -> BoxFuture<'static, Result<(), String>> {
        let sources = Arc::clone(&self.0);
        Box::pin(async move {
            // The path's own file system may hang: not the disk of the PV, on which nothing is read here.
            let found = tokio::task::spawn_blocking(move || device_at(&path)).await;
            let device = found.map_err(|error| error.to_string())??;
            sources.wish(|wishes| wishes.devices.extend([device]));
            Ok(())
        })
    }
}

fn device_at(path: &std::path::Path) -> Result<DeviceNumber, String> {
    if !path.starts_with("/dev") {
        return Err(format!("{} is no path below /dev", path.display()));
    }
    let stat = stat(path).map_err(|error| format!("cannot look at {}: {error}", path.display()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice {
        return Err(format!("{} is no block device", path.display()));
    }
    Ok(DeviceNumber::of_dev(stat.st_rdev))
}
