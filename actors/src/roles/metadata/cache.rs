//! The whole cache: what every request means for it, and what it is answered. Pure.
//!
//! A request is answered in three steps, of which the second may be an actor's:
//!
//! 1. [`Cache::question`]: has a VG to decide something, and what?
//! 2. [`Cache::decide`]: the VG's decision, from its own state and from which PVs are there;
//! 3. [`Cache::answer`]: what was decided is put in place, all at once, and the reply is made.
//!
//! Between 1 and 3 nothing else may change the cache.

mod changes;
mod lookups;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lvmwarden_protocol::metadata::{DisableReasons, FoundPv, GlobalInfo, Operation, PvText, Reply, Request};
use lvmwarden_protocol::metadata::{Pvid, Vgid, Vgname};

use super::cached_vg::state::{Decision, Event, Reporter, VgState};
use super::pv_index::{Identity, Provenance, PvIndex, Source};
use super::token::Token;
pub use snapshot::Snapshot;

/// Everything that is known of the VGs and PVs of a host.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    token: Token,
    /// Another host has changed something.
    is_invalid: bool,
    /// Commands shall not use the cache; and why not.
    is_disabled: bool,
    reasons: DisableReasons,
    pvs: PvIndex,
    vgs: BTreeMap<Vgid, Arc<VgState>>,
    /// The VGs of each name, the latest last.
    names: BTreeMap<Vgname, Vec<Vgid>>,
    /// The VGs that have come or gone since somebody took this list.
    comings: Vec<Vgid>,
}

/// When a request is answered, and who has read from the disks what it says.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// By the clock that nobody sets.
    pub monotonic: Duration,
    /// Who has read what the request says.
    pub source: Source,
}

/// What a request is answered.
#[derive(Debug)]
pub enum Answer {
    /// This.
    Ready(Bytes),
    /// Everything: it is long, and takes a while to be written.
    Dump(Snapshot),
}

impl From<Reply<'_>> for Answer {
    fn from(reply: Reply<'_>) -> Self {
        Self::Ready(reply.to_bytes())
    }
}

/// Tells whether a request may change the cache; all others only read it.
pub fn is_change(operation: &Operation) -> bool {
    match operation {
        Operation::Hello
        | Operation::PvLookup(_)
        | Operation::PvList
        | Operation::VgList
        | Operation::VgLookup { .. }
        | Operation::Dump
        | Operation::Unknown(_) => false,
        Operation::TokenUpdate
        | Operation::GetGlobalInfo
        | Operation::SetGlobalInfo { .. }
        | Operation::PvClearAll
        | Operation::PvFound(_)
        | Operation::PvGone(_)
        | Operation::VgUpdate(_)
        | Operation::VgRemove(_)
        | Operation::VgClearOutdatedPvs(_)
        | Operation::SetVgInfo { .. } => true,
    }
}

impl Cache {
    /// Returns what is cached of a VG.
    pub fn vg(&self, uuid: &Vgid) -> Option<&Arc<VgState>> {
        self.vgs.get(uuid)
    }

    /// Returns the VGs of this name.
    pub fn named(&self, name: &Vgname) -> impl Iterator<Item = &Arc<VgState>> {
        self.names.get(name).into_iter().flatten().filter_map(|uuid| self.vgs.get(uuid))
    }

    /// Returns what is known of a PV that is there.
    pub fn pv(&self, pv: &Pvid) -> Option<&PvText> {
        self.pvs.get(pv).map(|present| &present.text)
    }

    /// Returns the VG that a PV is in, be it there or not.
    pub fn vg_of(&self, pv: &Pvid) -> Option<&Vgid> {
        self.pvs.vg_of(pv)
    }

    /// Returns how many VGs are cached.
    pub fn vg_count(&self) -> usize {
        self.vgs.len()
    }

    /// Returns the VGs that have come or gone since this was asked the last time; whether they are there, the cache tells.
    pub fn take_comings(&mut self) -> Vec<Vgid> {
        std::mem::take(&mut self.comings)
    }

    /// Returns which VG has to decide what before the request can be answered; `None`: nobody has.
    pub fn question(&self, request: &Request, now: Now) -> Option<(Vgid, Event)> {
        if self.refuse(request).is_some() {
            return None;
        }
        let provenance = Provenance::fresh(now.source, now.monotonic);
        let (uuid, event) = match &request.operation {
            Operation::PvFound(Ok(FoundPv { pv, metadata: Some(metadata) })) => {
                if matches!(self.pvs.identify(pv), Identity::Duplicate { .. }) {
                    return None;
                }
                let reporter = Reporter { id: pv.id.clone(), has_used_area: pv.has_used_area };
                (metadata.text.uuid.clone(), Event::Offered(metadata.clone(), provenance, reporter))
            }
            Operation::VgUpdate(Ok(Some(metadata))) => {
                (metadata.text.uuid.clone(), Event::Updated(metadata.clone(), provenance))
            }
            Operation::SetVgInfo { version, uuid, name } => {
                let version = version.filter(|version| *version != -1)?;
                (self.vg_meant(uuid.as_ref(), name.as_ref())?, Event::Announced(version))
            }
            Operation::VgClearOutdatedPvs(Some(uuid)) => {
                // Every read of a VG is followed by one of these.
                self.vg(uuid).filter(|vg| !vg.outdated.is_empty())?;
                (uuid.clone(), Event::OutdatedCleared)
            }
            _nobody_decides => return None,
        };
        self.vgs.contains_key(&uuid).then_some((uuid, event))
    }

    /// Marks a VG whose actor has crashed as one that has to be read again.
    pub fn crashed(&mut self, uuid: &Vgid) {
        let decision = self.decide(uuid, Event::Crashed);
        self.put(decision);
    }

    /// Decides for a VG; `None` if it is not cached.
    pub fn decide(&self, uuid: &Vgid, event: Event) -> Option<Decision> {
        let has_used_area = |pv: &Pvid| self.pv(pv).is_some_and(|pv| pv.has_used_area);
        self.vg(uuid).map(|vg| vg.apply(event, has_used_area))
    }

    /// Answers a request, with what was decided of what was asked.
    pub fn answer(&mut self, request: Request, decision: Option<Decision>, now: Now) -> Answer {
        if request.operation == Operation::Hello {
            return Reply::Hello.into();
        }
        if request.operation == Operation::TokenUpdate {
            return self.token.update(&request.common, now.monotonic).into();
        }
        if let Some(refusal) = self.refuse(&request) {
            return refusal.into();
        }
        self.answer_admitted(request.operation, decision, now)
    }

    fn refuse(&self, request: &Request) -> Option<Reply<'static>> {
        match request.operation {
            Operation::Hello | Operation::TokenUpdate => None,
            ref other => self.token.refuse(other, &request.common),
        }
    }

    fn answer_admitted(&mut self, operation: Operation, decision: Option<Decision>, now: Now) -> Answer {
        let provenance = Provenance::fresh(now.source, now.monotonic);
        match operation {
            Operation::Hello => Reply::Hello,
            Operation::GetGlobalInfo => self.global_info(now),
            Operation::SetGlobalInfo { invalid, disable, reasons } => {
                self.set_global(invalid, disable, reasons)
            }
            Operation::PvClearAll => self.clear(),
            Operation::PvFound(Ok(found)) => self.found(found, decision, provenance),
            Operation::PvFound(Err(refusal)) | Operation::VgUpdate(Err(refusal)) => refusal.into(),
            Operation::PvGone(key) => self.gone(&key),
            Operation::VgUpdate(Ok(metadata)) => self.updated(metadata, decision, provenance),
            Operation::VgRemove(Some(uuid)) => self.removed(&uuid),
            Operation::VgRemove(None) | Operation::VgClearOutdatedPvs(None) => Reply::failed("need VG UUID"),
            Operation::VgClearOutdatedPvs(Some(_)) | Operation::SetVgInfo { .. } => self.decided(decision),
            Operation::PvLookup(key) => return self.pv_lookup(&key),
            Operation::PvList => return self.pv_list(),
            Operation::VgList => return self.vg_list(),
            Operation::VgLookup { uuid, name } => return self.vg_lookup(uuid.as_ref(), name.as_ref()),
            Operation::Dump => return Answer::Dump(self.snapshot()),
            Operation::TokenUpdate | Operation::Unknown(_) => Reply::failed("request not implemented"),
        }
        .into()
    }

    fn global_info(&mut self, now: Now) -> Reply<'static> {
        self.token.notice_overdue(now.monotonic);
        let mut info = GlobalInfo {
            invalid: self.is_invalid,
            disable: self.is_disabled,
            reasons: self.reasons,
            daemon_pid: std::process::id().into(),
            ..GlobalInfo::default()
        };
        self.token.describe(&mut info);
        Reply::GlobalInfo(info)
    }

    fn set_global(
        &mut self,
        invalid: Option<bool>,
        disable: Option<bool>,
        reasons: DisableReasons,
    ) -> Reply<'static> {
        self.is_invalid = invalid.unwrap_or(self.is_invalid);
        match disable {
            Some(true) => self.disable(reasons),
            Some(false) => (self.is_disabled, self.reasons) = (false, DisableReasons::default()),
            None => {}
        }
        Reply::Ok
    }

    fn disable(&mut self, reasons: DisableReasons) {
        self.is_disabled = true;
        self.reasons = self.reasons.and(reasons);
    }

    /// Returns the VG that a UUID, or else a name, means: of several with one name the latest.
    fn vg_meant(&self, uuid: Option<&Vgid>, name: Option<&Vgname>) -> Option<Vgid> {
        let by_uuid = uuid.filter(|uuid| self.vgs.contains_key(*uuid));
        by_uuid.or_else(|| self.names.get(name?)?.last()).cloned()
    }
}
