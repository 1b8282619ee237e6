//! Locks of an earlier life of the daemon.
//!
//! Each is asked for as an orphan in the mode in which it was held, and in the other one where the lock manager says
//! so: a crash may have come in the middle of a conversion. One that cannot be had is told, does not stop the others, and
//! is tried again. What becomes of each is known before: see [`orphan`](crate::roles::lock::lockspace::orphan).
//!
//! Then the lock manager is asked what else there is. Of that nobody knows who may rely on it: locks of LVs are taken over
//! and kept until somebody unlocks them, which protects them as before; those of the VG and the global lock, which every
//! command needs, stay orphans, and are told. A list that cannot be had is not an empty one: it is asked for again.

use lvmwarden_protocol::lock::ResultCode;

use std::time::Duration;

use super::{Life, Machine};
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Fault, Leave, Leftover, Resource};
use crate::roles::lock::lockspace::ask::{Reply, Ticket};
use crate::roles::lock::lockspace::desk::{Context, Purpose, WithOrphans};
use crate::roles::lock::lockspace::event::{Answer, Call, Notice, Outcome};
use crate::roles::lock::lockspace::orphan::Orphan;

/// The longest wait before the list is asked for again; the first one is a second.
const LONGEST_WAIT: Duration = Duration::from_secs(64);

/// The list of what an earlier life has left behind is not there yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unlisted {
    /// How often it could not be had.
    failed: u32,
    /// When it is asked for again; `None`: it is being asked for.
    again: Option<Moment>,
}

impl Machine {
    /// Takes over what an earlier life has left behind, when the lockspace is joined.
    pub(super) fn adopt_orphans(&mut self, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        let Some(orphans) = starting.orphans.take() else { return };
        let held = std::mem::take(&mut starting.held);
        for orphan in orphans {
            let resource = orphan.resource.clone();
            let held = held.get(&resource).copied();
            self.with_lock(&resource, cx, |table, cx| match held {
                // An earlier actor has got as far as that.
                _ if !table.is_idle() => {}
                Some(mode) => table.inherit(&orphan, mode, cx),
                None => table.adopt(orphan, cx),
            });
        }
        self.list_unknown(cx);
    }

    /// Asks what else an earlier life has left behind.
    pub(super) fn list_unknown(&mut self, cx: &mut Context<'_>) {
        let failed = self.unlisted.map_or(0, |unlisted| unlisted.failed);
        self.unlisted = Some(Unlisted { failed, again: None });
        cx.call(Purpose::Orphans { ticket: None, then: WithOrphans::Adopt }, Call::Orphans);
    }

    /// Asks again for a list that could not be had.
    pub(super) fn list_again(&mut self, cx: &mut Context<'_>) {
        let Some(again) = self.unlisted.and_then(|unlisted| unlisted.again) else { return };
        if again > cx.now {
            cx.wake_at(again);
        } else if self.is_running() {
            self.list_unknown(cx);
        } else {
            self.not_listed(cx);
        }
    }

    fn not_listed(&mut self, cx: &mut Context<'_>) {
        let failed = self.unlisted.map_or(0, |unlisted| unlisted.failed);
        let again = cx.now + (Duration::from_secs(1) * 2_u32.pow(failed.min(6))).min(LONGEST_WAIT);
        self.unlisted = Some(Unlisted { failed: failed + 1, again: Some(again) });
        cx.wake_at(again);
    }

    /// Takes in what else an earlier life has left behind, as far as the lock manager has told.
    fn unknown_listed(&mut self, listed: Result<Option<Vec<Leftover>>, Fault>, cx: &mut Context<'_>) {
        match listed {
            Ok(Some(leftovers)) if matches!(self.life, Life::Starting(_) | Life::Running) => {
                self.unlisted = None;
                self.adopt_unknown(leftovers, cx);
            }
            // It is about to be left, or was.
            Ok(Some(_)) => self.not_listed(cx),
            untold => {
                if self.unlisted.is_none_or(|unlisted| unlisted.failed == 0) {
                    cx.tell(Notice::NotListed(untold.err()));
                }
                self.not_listed(cx);
            }
        }
        if let Life::Starting(starting) = &mut self.life {
            starting.is_listing = false;
        }
        self.go_on_adopting(cx);
    }

    pub(super) fn orphans_listed(
        &mut self,
        ticket: Option<Ticket>,
        then: WithOrphans,
        answer: Answer,
        cx: &mut Context<'_>,
    ) {
        let listed = match answer {
            Ok(Outcome::Orphans(listed)) => Ok(listed),
            Ok(_) => Ok(None),
            Err(fault) => Err(fault),
        };
        match (then, listed, ticket) {
            (WithOrphans::Adopt, listed, _) => self.unknown_listed(listed, cx),
            (_, _, None) => {}
            (_, Err(fault), Some(ticket)) => cx.fail(ticket, fault),
            (WithOrphans::Tell, Ok(orphans), Some(ticket)) => {
                cx.reply(ticket, Reply { orphans, ..Reply::of(ResultCode::OK) });
            }
            (WithOrphans::Settle { which: None, keep: false }, Ok(None), Some(ticket)) => {
                cx.call(Purpose::DropOrphans(Some(ticket)), Call::DropOrphans);
            }
            (WithOrphans::Settle { which, keep }, Ok(orphans), Some(ticket)) => {
                self.settle(ticket, which.as_ref(), keep, orphans.unwrap_or_default(), cx);
            }
            (WithOrphans::End(how), Ok(orphans), Some(ticket)) => self.end(ticket, how, orphans, cx),
        }
    }

    /// Leaves the lockspace, as its VG is removed or renamed: only where nobody of this host has anything in it still.
    fn end(&mut self, ticket: Ticket, how: Leave, orphans: Option<Vec<Leftover>>, cx: &mut Context<'_>) {
        if orphans.is_none() {
            cx.tell(Notice::NotListed(None));
        }
        if !self.is_running() {
            cx.answer(ticket, ResultCode::STOPPING);
        } else if orphans.is_some_and(|orphans| orphans.is_empty()) && !self.holds_lv_locks() {
            self.stop(vec![ticket], how, how == Leave::Keep, cx);
        } else {
            cx.answer(ticket, ResultCode::BUSY);
        }
    }

    fn adopt_unknown(&mut self, leftovers: Vec<Leftover>, cx: &mut Context<'_>) {
        for Leftover { resource, mode, lv_args } in leftovers {
            let is_known = self.locks().any(|table| table.is_of(&resource) && !table.is_idle());
            match resource {
                _ if is_known => {}
                Resource::Lv(_) => {
                    let orphan = Orphan::kept(resource.clone(), mode, lv_args);
                    self.with_lock(&resource, cx, |table, cx| table.adopt(orphan, cx));
                }
                Resource::Global | Resource::Vg => cx.tell(Notice::InDoubt { resource, mode }),
            }
        }
    }

    /// Does what somebody has decided who knows more.
    fn settle(
        &mut self,
        ticket: Ticket,
        which: Option<&Resource>,
        keep: bool,
        leftovers: Vec<Leftover>,
        cx: &mut Context<'_>,
    ) {
        let is_meant = |resource: &Resource| match which {
            Some(wanted) => wanted == resource,
            None => matches!(resource, Resource::Lv(_)),
        };
        let mut code = if which.is_some() { ResultCode::NOT_FOUND } else { ResultCode::OK };
        for Leftover { resource, mode, lv_args } in leftovers {
            if !is_meant(&resource) {
                continue;
            }
            // Nobody could ever give it back.
            if keep && !matches!(resource, Resource::Lv(_)) {
                code = ResultCode::INVALID;
                continue;
            }
            code = ResultCode::OK;
            let orphan = if keep {
                Orphan::kept(resource.clone(), mode, lv_args)
            } else {
                Orphan::given_back(resource.clone(), mode, lv_args)
            };
            self.with_lock(&resource, cx, |table, cx| table.settle(orphan, cx));
        }
        cx.answer(ticket, code);
    }
}
