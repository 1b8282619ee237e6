//! What the filler does about what has happened.

use std::io;
use std::time::Duration;

use slog::{info, warn};

use super::Work;
use crate::roles::metadata::sources::device::DeviceNumber;
use crate::roles::metadata::sources::handle::Wishes;
use crate::roles::metadata::sources::plan::Want;
use crate::roles::metadata::sources::uevents::Happened;
use crate::roles::metadata::sources::watches::{Noticed, Place};

/// How long a list of the PVs that are online counts, while its directory changes all the time.
const LIST_REST: Duration = Duration::from_millis(20);

impl Work {
    pub(super) async fn heard(&mut self, happened: io::Result<Happened>, now: Duration) {
        match happened {
            Ok(Happened::Changed(device)) if self.listed.contains(device) => {
                self.plan.want(device, Want::Whole, now);
            }
            Ok(Happened::Changed(_)) => self.ask_lvm(false, now),
            Ok(Happened::Removed(device)) => self.forget(device, now).await,
            Ok(Happened::Dropped) => self.everything(now),
            Err(error) => {
                warn!(self.log, "the kernel's messages are not heard any more"; "error" => %error,
                      "next" => "go by LVM's directories alone");
                self.uevents = None;
                self.sources.eyes().no_uevents = Some(error.to_string());
                self.told_later();
            }
        }
    }

    pub(super) fn noticed(&mut self, noticed: io::Result<Noticed>, now: Duration) {
        match noticed {
            Ok(Noticed::File(Place::PvsOnline, _)) => self.list_soon(now),
            Ok(Noticed::File(Place::VgsOnline | Place::Backup, name)) => self.written(&name, now),
            Ok(Noticed::Directory) => self.watch_again(now),
            Ok(Noticed::Overflow) => self.everything(now),
            Err(error) => {
                warn!(self.log, "directories are not watched any more"; "error" => %error,
                      "next" => "go by the kernel's messages alone");
                self.watches = None;
                self.sources.eyes().no_watches = Some(error.to_string());
                self.told_later();
            }
        }
    }

    pub(super) fn list_soon(&mut self, now: Duration) {
        self.list_at = self.list_at.or(Some(now + LIST_REST));
    }

    pub(super) fn watch_again(&mut self, now: Duration) {
        let Some(watches) = &mut self.watches else { return };
        let before = watches.missing();
        watches.renew();
        let missing = watches.missing();
        if before != missing {
            self.list_soon(now);
        }
        self.sources.eyes().missing = missing;
        self.told_later();
    }

    /// A VG of this name was changed, or comes or goes: its PVs are looked at; of a name that nobody knows, all that have no VG.
    fn written(&mut self, name: &str, now: Duration) {
        // LVM writes a file of another name first, and gives it its own name then.
        if name.starts_with('.') {
            return;
        }
        let devices = self.sources.assembly().devices_of_name(name);
        if devices.is_empty() {
            self.ask_lvm(true, now);
        }
        let orphans = if devices.is_empty() { self.sources.assembly().orphans() } else { Vec::new() };
        for device in devices.into_iter().chain(orphans) {
            self.plan.want(device, Want::Check, now);
        }
        let unreadable = self.sources.assembly().unreadable();
        for device in unreadable {
            self.plan.want(device, Want::Whole, now);
        }
    }

    pub(super) fn wished(&mut self, wishes: Wishes, now: Duration) {
        if wishes.everything {
            return self.everything(now);
        }
        for device in wishes.devices {
            if self.listed.contains(device) {
                self.plan.want(device, Want::Whole, now);
            } else {
                self.ask_lvm(true, now);
            }
        }
        for vg in wishes.vgs {
            // One that does not answer is no help, if there is another.
            let verifiers = self.sources.assembly().verifiers(&vg);
            let answers = |device: &&DeviceNumber| self.plan.not_answering_since(**device).is_none();
            if let Some(device) = verifiers.iter().find(answers).or(verifiers.first()) {
                self.plan.want(*device, Want::Check, now);
            }
        }
    }

    pub(super) fn everything(&mut self, now: Duration) {
        info!(self.log, "all PVs are read again");
        self.list_soon(now);
        self.ask_lvm(true, now);
        for device in self.listed.in_order() {
            self.plan.want(device, Want::Whole, now);
        }
    }
}
