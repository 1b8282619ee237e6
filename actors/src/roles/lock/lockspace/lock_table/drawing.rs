//! What the lock looks like from outside.

use std::sync::Arc;

use lvmwarden_protocol::lock::LockMode;

use super::{Act, Holder, LockTable, Request, Wish};
use crate::roles::lock::lockspace::ask::Ticket;
use crate::roles::lock::lockspace::picture::{HolderPicture, ResourcePicture, WaiterPicture, Why};

impl LockTable {
    /// Tells everything about it.
    pub(in crate::roles::lock::lockspace) fn describe(&self) -> ResourcePicture {
        ResourcePicture {
            resource: self.resource.clone(),
            mode: self.mode,
            version: self.known.version,
            holders: self.holders.iter().map(Holder::describe).collect(),
            waiters: self.queue.iter().filter_map(|request| self.describe_waiter(request)).collect(),
            is_busy: self.underway.is_some(),
            unadopted: self.unadopted.as_ref().map(|unadopted| unadopted.fault.clone()),
            unreleased: self.unheld.as_ref().map(|unheld| (unheld.since, unheld.fault.clone())),
        }
    }

    fn describe_waiter(&self, request: &Request) -> Option<WaiterPicture> {
        let Wish::Lock(mode, ask) = &request.wish else { return None };
        Some(WaiterPicture {
            client: Arc::clone(&request.client),
            mode: *mode,
            persistent: ask.persistent,
            since: request.since,
            why: self.why(request),
        })
    }

    fn why(&self, request: &Request) -> Why {
        if self.asked_for() == Some(request.ticket) {
            return Why::Asking;
        }
        if let Some(conflict) = &request.conflict {
            let fault = conflict.fault.clone();
            return Why::Conflict { fault, tries: conflict.tries, again: conflict.again };
        }
        if self.unheld.is_some() {
            Why::Unreleased
        } else if self.mode == LockMode::Unlocked || self.is_behind(request) {
            Why::Behind
        } else {
            Why::Held
        }
    }

    fn asked_for(&self) -> Option<Ticket> {
        match &self.underway.as_ref()?.act {
            Act::Acquiring { ticket, .. } | Act::Converting { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }

    fn is_behind(&self, request: &Request) -> bool {
        self.queue
            .iter()
            .take_while(|other| other.ticket != request.ticket)
            .any(|other| matches!(other.wish, Wish::Lock(..)))
    }
}

impl Holder {
    fn describe(&self) -> HolderPicture {
        HolderPicture {
            client: Arc::clone(&self.client),
            mode: self.mode,
            version: self.version,
            persistent: self.persistent,
            since: self.since,
            lv_name: Arc::clone(&self.lv_name),
            lv_args: Arc::clone(&self.lv_args),
        }
    }
}
