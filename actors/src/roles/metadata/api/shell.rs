//! Who looks, waits and asks for reading on behalf of the API's clients.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::metadata::{Completeness, Error, Rescan, Vg, WaitReply, WatchReply};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::{Vgid, Vgname};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::mapped::device_name;
use super::numbers::numbers;
use super::vgs;
use super::view::View;
use super::watching::{Step, Watcher, compared};
use crate::foundation::facts::metrics::VgNumbers;
use crate::foundation::moment::since_boot;
use crate::roles::metadata::settings::MetadataEnvironment;

/// How long VGs may take to be verified before what is known is told as it is.
const VERIFY_DEADLINE: Duration = Duration::from_secs(5);
/// How many VGs are verified at once for one call.
const VERIFIED_AT_ONCE: usize = 8;
/// The pause between two looks of one who waits: a scan of thousands of PVs is thousands of changes.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks at the cache for whoever asks. Clones share it.
#[derive(Clone)]
pub struct Teller {
    environment: Arc<MetadataEnvironment>,
}

/// Tells one client of changes.
pub struct Watch {
    teller: Teller,
    vgname: Option<VgName>,
    changes: watch::Receiver<u64>,
    watcher: Watcher,
}

impl Teller {
    /// Makes one.
    pub fn new(environment: Arc<MetadataEnvironment>) -> Self {
        Self { environment }
    }

    /// Returns all that is known now.
    pub fn view(&self) -> View {
        let environment = &self.environment;
        let now = since_boot();
        let snapshot = environment.cache().snapshot();
        let knowledge = &environment.knowledge;
        let found = knowledge.problems().clone();
        View::new(snapshot, knowledge.reading(), found, now, device_name)
    }

    /// Returns all that is known now, with what the kernel says of LVs.
    pub async fn view_with_kernel(&self) -> View {
        let mapped = self.environment.mapped.look().await;
        let mut view = self.view();
        view.mapped = mapped;
        view
    }

    /// Makes sure that what is known of VGs was on their disks at most so long ago, as far as that can be done in time.
    pub async fn verify(&self, vgname: Option<&VgName>, max_age: Duration) {
        let Some(reader) = self.environment.knowledge.reader() else { return };
        let view = self.view();
        let is_old = |verified_ms_ago: u64| Duration::from_millis(verified_ms_ago) > max_age;
        let old = view.vgs(vgname, None).filter(|vg| is_old(view.freshness(&vg.provenance).verified_ms_ago));
        let mut to_do = old.map(|vg| vg.text.uuid.clone()).collect::<Vec<Vgid>>().into_iter();
        drop(view);
        let verified = async {
            let mut running = JoinSet::new();
            loop {
                while running.len() < VERIFIED_AT_ONCE {
                    let Some(uuid) = to_do.next() else { break };
                    running.spawn(reader.verify(uuid, max_age));
                }
                // A panic of the reader leaves its VG as it was; its age tells.
                if running.join_next().await.is_none() {
                    return;
                }
            }
        };
        // What was not done in time shows its age.
        let _in_time = timeout(VERIFY_DEADLINE, verified).await;
    }

    /// Returns the only VG that is meant.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Ambiguous`].
    pub fn only(view: &View, vgname: &VgName, uuid: Option<&str>) -> Result<String, Error> {
        let uuids = view.vgs(Some(vgname), None).map(|vg| vg.text.uuid.as_str());
        let mut uuids = uuids.filter(|one| uuid.is_none_or(|uuid| uuid == *one));
        match (uuids.next(), uuids.next()) {
            (Some(only), None) => Ok(only.to_owned()),
            (None, _) => Err(Error::NotFound { vgname: vgname.clone(), coverage: view.coverage() }),
            (Some(first), Some(second)) => {
                let uuids = [first, second].into_iter().chain(uuids).map(str::to_owned).collect();
                Err(Error::Ambiguous { vgname: vgname.clone(), uuids })
            }
        }
    }

    /// Waits until a VG is complete, or until the time is over.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn wait(&self, vgname: &VgName, limit: Option<Duration>) -> WaitReply {
        let mut changes = self.environment.knowledge.changes();
        let completed = async {
            loop {
                // Before the look: what happens meanwhile is seen by the next one.
                changes.borrow_and_update();
                if self.may_be_complete(vgname) {
                    let reply = self.how_far(vgname);
                    if reply.completeness == Completeness::Complete {
                        return reply;
                    }
                }
                sleep(PAUSE).await;
                if changes.changed().await.is_err() {
                    // The daemon ends, and this client's connection with it.
                    std::future::pending::<()>().await;
                }
            }
        };
        match limit {
            None => completed.await,
            Some(limit) => timeout(limit, completed).await.unwrap_or_else(|_| self.how_far(vgname)),
        }
    }

    /// Tells, without reading any text, whether it is worth a look.
    fn may_be_complete(&self, vgname: &VgName) -> bool {
        let Ok(name) = Vgname::try_from(vgname.as_str()) else { return false };
        let cache = self.environment.cache();
        let mut named = cache.named(&name).peekable();
        named.peek().is_some() && named.all(|vg| cache.is_complete(vg))
    }

    /// Returns how far the VGs of a name are: as far as the worst of them.
    fn how_far(&self, vgname: &VgName) -> WaitReply {
        let view = self.view();
        let read: Vec<_> = view.vgs(Some(vgname), None).map(|state| view.read(state)).collect();
        let told: Vec<Vg> = read.iter().map(|vg| vgs::told(&view, vg)).collect();
        let worst = told.into_iter().max_by_key(|vg| vg.completeness);
        let missing = read.iter().flat_map(|vg| &vg.model.pvs).filter(|pv| view.is_missing(pv));
        WaitReply {
            coverage: view.coverage(),
            completeness: worst.as_ref().map_or(Completeness::Missing, |vg| vg.completeness),
            missing_pv_uuids: missing.map(|pv| pv.uuid.clone()).collect(),
            vg: worst,
        }
    }

    /// Begins to tell of changes.
    pub fn watch(&self, vgname: Option<VgName>) -> Watch {
        let changes = self.environment.knowledge.changes();
        Watch { teller: self.clone(), vgname, changes, watcher: Watcher::default() }
    }

    /// Has a device read again.
    ///
    /// # Errors
    /// [`Error::CannotRescan`].
    pub async fn rescan(&self, asked: Rescan) -> Result<(), Error> {
        let Rescan { device } = asked;
        let Some(reader) = self.environment.knowledge.reader() else {
            let reason = "the daemon does not read disks: it knows what lvm commands tell it".to_owned();
            return Err(Error::CannotRescan { device, reason });
        };
        let read = timeout(VERIFY_DEADLINE, reader.rescan(PathBuf::from(device.as_str()))).await;
        match read {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(Error::CannotRescan { device, reason }),
            Err(_too_late) => Err(Error::Busy),
        }
    }
}

impl Watch {
    /// Returns what has become of VGs since the last time; at first all that there are, which may be none.
    ///
    /// # Cancel safety
    /// What is returned is taken as told; before that nothing is.
    pub async fn next(&mut self) -> (View, Vec<Step>) {
        loop {
            self.changes.borrow_and_update();
            let view = self.teller.view();
            let is_first = self.watcher.is_new();
            let steps = self.watcher.look(compared(&view, self.vgname.as_ref()));
            if is_first || !steps.is_empty() {
                return (view, steps);
            }
            sleep(PAUSE).await;
            if self.changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl MetadataEnvironment {
    /// Counts what there is for metrics, on another thread.
    pub async fn numbers(self: &Arc<Self>) -> VgNumbers {
        let view = Teller::new(Arc::clone(self)).view_with_kernel().await;
        // To count does not panic; if it does, a scrape goes without it.
        spawn_blocking(move || numbers(&view)).await.unwrap_or_default()
    }
}

/// Words a step, with its VG as it is now.
pub fn step_told(view: &View, step: Step) -> WatchReply {
    let state = view.vgs(None, None).find(|vg| vg.text.uuid.as_str() == step.uuid);
    WatchReply {
        coverage: view.coverage(),
        change: step.change,
        vg: state.map(|state| vgs::told(view, &view.read(state))),
        vgname: step.vgname,
        uuid: step.uuid,
    }
}
