//! What the filler does: lets the pure parts decide, and carries out what they say.
//!
//! ```text
//!  pvs_online, lvm pvs ──▶ listed ─┐                      ┌──▶ pool: label, headers, text
//!  uevents, inotify ──────────────▶│ plan: what is read ──┤            │
//!  verify, rescan ────────────────▶│ next?                │            ▼
//!                                  └──────────────────────┴── assembly: what it means ──▶ Directory::take
//! ```

mod hearing;
mod listing;

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::metadata::{Operation, PvKey};
use lvmwarden_supervisor::process::ProcessIdentity;
use lvmwarden_supervisor::{ChildLink, fault};
use rustix::io::Errno;
use slog::{Logger, info, warn};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::assembly::{Assembly, Settled};
use super::device::DeviceNumber;
use super::handle::{Eyes, Sources, Wishes};
use super::lvm_pvs::{self, Surveyed};
use super::plan::{AT_ONCE, Effect, Outcome, Plan, Verdict, Want};
use super::pool::{Pool, Ticket};
use super::problems::Trouble;
use super::pv_reading::{self, PvReading, ReadError};
use super::survey::{Listed, Survey};
use super::texts::Texts;
use super::uevents::{Happened, Uevents};
use super::watches::{Noticed, Watches};
use crate::foundation::error_chain::chain;
use crate::foundation::moment::since_boot;
use crate::roles::metadata::directory::Directory;
use crate::roles::metadata::knowledge::Reading;
use crate::roles::metadata::pv_index::Source;
use crate::roles::metadata::settings::MetadataEnvironment;

/// How long what is wrong may be told late, while much happens: it is worked out anew each time.
const TELL_REST: Duration = Duration::from_millis(100);
/// How often the cache is told of VGs that it dropped for the sake of others, at one time.
const ROUNDS: usize = 3;
/// How often what could not be read is read again, without any event.
const RETRY: Duration = Duration::from_mins(1);
/// How often directories are looked for whose parents are absent as well.
const WATCH_AGAIN: Duration = Duration::from_secs(10);

/// What a read found.
#[derive(Debug)]
enum Found {
    Pv(Box<PvReading>),
    Unchanged,
    Changed,
}

/// A read that has ended.
#[derive(Debug)]
struct Ended {
    device: DeviceNumber,
    begun: Duration,
    result: Result<Found, ReadError>,
}

/// Something that wakes the filler.
enum Woken {
    Read(Ended),
    Surveyed(Surveyed),
    Uevent(io::Result<Happened>),
    Noticed(io::Result<Noticed>),
    Wished(Wishes),
    Time,
}

/// All that one life of the filler knows.
pub(super) struct Work {
    environment: Arc<MetadataEnvironment>,
    sources: Arc<Sources>,
    directory: Directory,
    log: Logger,
    plan: Plan,
    survey: Survey,
    hanging: Option<ProcessIdentity>,
    listed: Listed,
    pool: Pool,
    /// Of the reads that have not ended.
    tickets: BTreeMap<DeviceNumber, Ticket>,
    texts: Arc<Texts>,
    reads: (UnboundedSender<Ended>, UnboundedReceiver<Ended>),
    surveys: (UnboundedSender<Surveyed>, UnboundedReceiver<Surveyed>),
    uevents: Option<Uevents>,
    watches: Option<Watches>,
    /// When the PVs that are online are listed again.
    list_at: Option<Duration>,
    watch_at: Duration,
    retry_at: Duration,
    /// When it is told what is wrong.
    tell_at: Option<Duration>,
    is_filled: bool,
}

impl Work {
    /// Begins, with nothing known: what an earlier life of the actor knew is doubted.
    ///
    /// # Errors
    /// There is no thread to read on.
    pub(super) fn begin(
        environment: Arc<MetadataEnvironment>,
        sources: Arc<Sources>,
        link: &ChildLink,
    ) -> io::Result<Self> {
        let log = link.log.clone();
        let begun = since_boot();
        *sources.assembly() = Assembly::default();
        environment.knowledge.set_reading(Reading::Underway { since: begun });
        // Before the first list: what happens from now on is noticed.
        let watches = Watches::open(sources.directories());
        let uevents = sources.settings.has_uevents.then(Uevents::listen).transpose();
        let no_watches = watches.as_ref().err().map(ToString::to_string);
        let no_uevents = uevents.as_ref().err().map(ToString::to_string);
        for (what, why) in [("directories", &no_watches), ("the kernel's messages", &no_uevents)] {
            if let Some(why) = why {
                warn!(log, "changes are not told by one who should"; "who" => what, "error" => why,
                      "next" => "go by the others");
            }
        }
        *sources.eyes() = Eyes { no_uevents, no_watches, ..Eyes::default() };
        let mut work = Self {
            directory: Directory::new(link.registry.clone(), Arc::clone(&environment), log.clone()),
            pool: Pool::start(AT_ONCE)?,
            environment,
            sources,
            log,
            plan: Plan::default(),
            tickets: BTreeMap::new(),
            survey: Survey::default(),
            hanging: None,
            listed: Listed::default(),
            texts: Arc::default(),
            reads: unbounded_channel(),
            surveys: unbounded_channel(),
            uevents: uevents.ok().flatten(),
            watches: watches.ok(),
            list_at: Some(begun),
            watch_at: begun,
            retry_at: begun + RETRY,
            tell_at: None,
            is_filled: false,
        };
        work.ask_lvm(true, begun);
        Ok(work)
    }

    fn ask_lvm(&mut self, at_once: bool, now: Duration) {
        if self.sources.settings.lvm.is_some() {
            self.survey.want(at_once, now);
        }
    }

    /// Fills the cache and keeps it filled, for ever.
    pub(super) async fn go_on(mut self) {
        loop {
            self.do_what_is_due().await;
            let woken = self.wake().await;
            let now = since_boot();
            match woken {
                Woken::Read(ended) => self.read_ended(ended, now).await,
                Woken::Surveyed(surveyed) => self.surveyed(surveyed, now).await,
                Woken::Uevent(happened) => self.heard(happened, now).await,
                Woken::Noticed(noticed) => self.noticed(noticed, now),
                Woken::Wished(wishes) => self.wished(wishes, now),
                Woken::Time => {}
            }
        }
    }

    /// Waits for whatever comes first.
    async fn wake(&mut self) -> Woken {
        let times = [self.plan.wake(), self.survey.wake(), self.list_at, self.tell_at];
        let next =
            times.into_iter().flatten().chain([self.watch_at, self.retry_at]).min().unwrap_or(self.watch_at);
        let uevent = async {
            match &self.uevents {
                Some(uevents) => uevents.next().await,
                None => pending().await,
            }
        };
        let noticed = async {
            match &mut self.watches {
                Some(watches) => watches.next().await,
                None => pending().await,
            }
        };
        let wishing = self.sources.wishes();
        // All are cancel-safe: what has come stays where it is until its arm takes it. What was read comes first: the
        // events of a storm are merged behind it.
        tokio::select! {
            biased;
            Some(ended) = self.reads.1.recv() => Woken::Read(ended),
            Some(surveyed) = self.surveys.1.recv() => Woken::Surveyed(surveyed),
            happened = uevent => Woken::Uevent(happened),
            noticed = noticed => Woken::Noticed(noticed),
            wishes = wishing => Woken::Wished(wishes),
            () = sleep(next.saturating_sub(since_boot())) => Woken::Time,
        }
    }

    async fn do_what_is_due(&mut self) {
        let due = since_boot();
        if self.list_at.is_some_and(|at| at <= due) {
            self.list_at = None;
            self.list(due).await;
        }
        if self.tell_at.is_some_and(|at| at <= due) {
            self.tell_at = None;
            self.tell();
        }
        if self.retry_at <= due {
            self.retry_at = due + RETRY;
            let unreadable = self.sources.assembly().unreadable();
            for device in unreadable {
                self.plan.want(device, Want::Whole, due);
            }
        }
        if self.watch_at <= due {
            self.watch_at = due + WATCH_AGAIN;
            self.watch_again(due);
        }
        if let Some(lvm) = self.sources.settings.lvm.clone()
            && self.survey.begins(due)
        {
            let (answer, hanging) = (self.surveys.0.clone(), self.hanging.take());
            // Whoever has gone need not know.
            actix_rt::spawn(async move { drop(answer.send(lvm_pvs::ask(lvm, hanging).await)) });
        }
        for effect in self.plan.next(due) {
            match effect {
                Effect::Read(device, want) => self.read(device, want),
                Effect::NotAnswering(device) => self.not_answering(device),
            }
        }
        if !self.is_filled && self.list_at.is_none() && !self.survey.is_busy() && self.plan.is_idle() {
            self.is_filled = true;
            self.filled().await;
        }
    }

    fn read(&mut self, device: DeviceNumber, want: Want) {
        let known = (want == Want::Check).then(|| self.sources.assembly().reading(device).cloned()).flatten();
        let (devices, texts, ended) =
            (Arc::clone(&self.sources.settings.devices), Arc::clone(&self.texts), self.reads.0.clone());
        let ticket = self.pool.run(move || {
            let begun = since_boot();
            let read = || {
                fault::point("metadata.reading", &device.to_string());
                devices.open(device).map_err(ReadError::Io).and_then(|mut opened| match &known {
                    Some(known) => pv_reading::is_unchanged(&mut *opened, known)
                        .map(|is_unchanged| if is_unchanged { Found::Unchanged } else { Found::Changed }),
                    None => pv_reading::read(&mut *opened, device, &texts)
                        .map(|reading| Found::Pv(Box::new(reading))),
                })
            };
            // What makes the reader panic costs its own PV alone.
            let panicked = |_| Err(ReadError::Io(io::Error::other("the reader has panicked")));
            let result = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked);
            // Whoever has gone need not know.
            let _ = ended.send(Ended { device, begun, result });
        });
        self.tickets.insert(device, ticket);
    }

    fn not_answering(&mut self, device: DeviceNumber) {
        warn!(self.log, "a device does not answer"; "device" => %device,
              "next" => "its PV is told as it was; it is read again when that read has ended");
        let replaced = self.tickets.get(&device).map_or(Ok(()), |ticket| self.pool.replace(ticket));
        if let Err(error) = replaced {
            warn!(self.log, "there is no thread for another read"; "error" => %error, "next" => "there is one less");
        }
        // One that was forgotten meanwhile is nobody's trouble.
        if self.plan.not_answering_since(device).is_some() {
            self.sources.assembly().trouble(device, Trouble::NotAnswering);
            self.told_later();
        }
    }

    async fn read_ended(&mut self, ended: Ended, now: Duration) {
        let Ended { device, begun, result } = ended;
        let outcome = match &result {
            Ok(Found::Changed) => Outcome::Changed,
            Err(ReadError::Torn(_)) => Outcome::Torn,
            Ok(Found::Pv(_) | Found::Unchanged)
            | Err(ReadError::NoPv | ReadError::Label(_) | ReadError::Io(_)) => Outcome::Settled,
        };
        self.tickets.remove(&device);
        match self.plan.ended(device, outcome, now) {
            Verdict::Nobody | Verdict::Again => {}
            Verdict::Counts | Verdict::Damaged => self.settle(device, begun, result, now).await,
        }
    }

    async fn settle(
        &mut self,
        device: DeviceNumber,
        begun: Duration,
        result: Result<Found, ReadError>,
        now: Duration,
    ) {
        let settled = match result {
            Ok(Found::Pv(reading)) => self.sources.assembly().read(device, *reading, begun),
            Ok(Found::Unchanged) => self.sources.assembly().unchanged(device, begun),
            Ok(Found::Changed) => return,
            Err(ReadError::NoPv) => self.sources.assembly().gone(device),
            // LVM's list of PVs that are online keeps devices that are gone.
            Err(ReadError::Io(error)) if is_absent(&error) => self.sources.assembly().gone(device),
            Err(error) => {
                let trouble = Trouble::Unreadable(chain(&error));
                let (settled, is_new) = self.sources.assembly().lost(device, trouble);
                if is_new {
                    warn!(self.log, "a PV cannot be read"; "device" => %device, "error" => chain(&error),
                          "next" => "it counts as missing, and is read again from time to time");
                }
                settled
            }
        };
        self.apply(settled, now).await;
    }

    async fn apply(&mut self, settled: Settled, now: Duration) {
        for device in &settled.again {
            self.plan.want(*device, Want::Check, now);
        }
        settled.say(&mut self.environment.cache());
        for operation in settled.operations.clone() {
            // The cache refuses nothing of this; a VG that does not decide is told in the log.
            let _ = self.directory.take(operation).await;
        }
        for _ in 0..ROUNDS {
            let missing = settled.missing(&self.environment.cache());
            if missing.is_empty() {
                break;
            }
            for operation in missing {
                let _ = self.directory.take(operation).await;
            }
        }
        self.told_later();
    }

    fn told_later(&mut self) {
        self.sources.tell_read();
        self.tell_at = self.tell_at.or_else(|| Some(since_boot() + TELL_REST));
    }

    fn tell(&self) {
        let problems = self.sources.problems();
        if *self.environment.knowledge.problems() != problems {
            self.environment.knowledge.set_problems(problems);
        }
    }

    /// All that answers has been read: what is cached from an earlier life of this actor, and is nowhere any more, goes.
    async fn filled(&mut self) {
        let snapshot = self.environment.cache().snapshot();
        let mut operations = Vec::new();
        {
            let assembly = self.sources.assembly();
            let (pvs, vgs) = assembly.told_of();
            let of_disk = |source| source == Source::Disk;
            for pv in
                snapshot.pvs.iter().filter(|pv| of_disk(pv.provenance.source) && !pvs.contains(&pv.text.id))
            {
                operations.push(Operation::PvGone(PvKey { uuid: Some(pv.text.id.clone()), device: None }));
            }
            for vg in
                snapshot.vgs.iter().filter(|vg| of_disk(vg.provenance.source) && !vgs.contains(&vg.text.uuid))
            {
                operations.push(Operation::VgRemove(Some(vg.text.uuid.clone())));
            }
        }
        let filled = since_boot();
        self.apply(Settled::of(operations), filled).await;
        let (devices, vgs) = (self.plan.devices().count(), self.environment.cache().vg_count());
        info!(self.log, "the metadata of all PVs that answer have been read"; "devices" => devices, "vgs" => vgs);
        self.tell();
        self.environment.knowledge.set_reading(Reading::Done { at: filled });
    }
}

/// Tells whether a device cannot be opened because there is none.
fn is_absent(error: &io::Error) -> bool {
    let absent = [Errno::NOENT, Errno::NXIO, Errno::NODEV].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|error| absent.contains(&error))
}
