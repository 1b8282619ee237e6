//! Which devices the filler reads: those that LVM uses, as its udev rule and LVM itself say.

use std::io;
use std::time::Duration;

use slog::{debug, warn};
use tokio::task::spawn_blocking;

use super::Work;
use crate::foundation::error_chain::chain;
use crate::roles::metadata::sources::device::DeviceNumber;
use crate::roles::metadata::sources::lvm_pvs::Surveyed;
use crate::roles::metadata::sources::online::{self, OnlineError};
use crate::roles::metadata::sources::plan::Want;

impl Work {
    /// Lists the PVs that are online: those that are new are read, those that are gone forgotten.
    pub(super) async fn list(&mut self, now: Duration) {
        let run = self.sources.settings.run.clone();
        // Thousands of small files, in memory.
        let listed = spawn_blocking(move || online::list(&run)).await;
        let listed = listed.unwrap_or_else(|error| Err(OnlineError::Io(io::Error::other(error))));
        let why = listed.as_ref().err().map(|error| chain(error));
        if let Some(why) = &why {
            debug!(self.log, "the list of PVs that are online is not known"; "error" => why);
        }
        let before = std::mem::replace(&mut self.listed.online, listed.unwrap_or_default());
        self.follow(before.into_keys(), now).await;
    }

    pub(super) async fn surveyed(&mut self, Surveyed { result, hanging }: Surveyed, now: Duration) {
        self.hanging = hanging;
        let why = result.as_ref().err().map(|error| chain(error));
        if let Some(why) = &why {
            warn!(self.log, "LVM does not say which devices it uses"; "error" => why,
                  "next" => "go by the list of PVs that are online");
        }
        self.sources.eyes().no_survey = why;
        self.told_later();
        let Ok(devices) = result else { return self.survey.ended(false, now) };
        let is_new = devices.keys().any(|device| !self.plan.knows(*device));
        let before = std::mem::replace(&mut self.listed.by_lvm, devices);
        self.survey.ended(is_new, now);
        self.follow(before.into_keys(), now).await;
    }

    /// Reads what is listed now and was not before, and forgets what is not listed any more.
    async fn follow(&mut self, before: impl Iterator<Item = DeviceNumber>, now: Duration) {
        for device in self.listed.in_order() {
            if !self.plan.knows(device) && !self.plan.want(device, Want::Whole, now) {
                warn!(self.log, "there are too many devices"; "device" => %device, "next" => "it is not read");
            }
        }
        for device in before.filter(|device| !self.listed.contains(*device)).collect::<Vec<_>>() {
            self.forget(device, now).await;
        }
    }

    pub(super) async fn forget(&mut self, device: DeviceNumber, now: Duration) {
        // A list that LVM's udev rule keeps is not ours to change: it comes back under the same number.
        self.listed.by_lvm.remove(&device);
        self.plan.forget(device);
        let settled = self.sources.assembly().gone(device);
        self.apply(settled, now).await;
    }
}
