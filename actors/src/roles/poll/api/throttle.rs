//! The kernel's knobs that slow copies down.

use lvmwarden_protocol::api::poll::{Error, Throttle, ThrottleKnob, ThrottlingReply};

use super::Serving;
use crate::foundation::names;
use crate::foundation::store::journal;
use crate::roles::poll::throttle::{DEADLINE, Knob, SetThrottle, Throttler};

/// The most that copies may take of the time.
const ALL_THE_TIME: u32 = 100;

impl Serving {
    pub(super) async fn throttle(&self, asked: Throttle) -> Result<ThrottlingReply, Error> {
        let Throttle { mirror_percent, snapshot_percent } = asked;
        if [mirror_percent, snapshot_percent].into_iter().flatten().any(|percent| percent > ALL_THE_TIME) {
            return Err(failed(format!("a throttle is at most {ALL_THE_TIME} percent")));
        }
        let wish = SetThrottle { mirror_percent, snapshot_percent };
        let asked = self.context.registry.ask::<Throttler, _>(&names::THROTTLE, wish, DEADLINE).await;
        asked.map_err(|_| Error::Busy)?.map_err(failed)?;
        self.throttling().await
    }

    pub(super) async fn throttling(&self) -> Result<ThrottlingReply, Error> {
        let knobs = &self.knobs;
        let held = move |ledger: &crate::foundation::store::ledger::PollLedger| {
            Knob::ALL.map(|knob| ledger.throttle(knob))
        };
        let held = journal::read(&self.context.registry, held).await.map_err(failed)?;
        let told = Knob::ALL.into_iter().zip(held).map(|(knob, held)| {
            // One that is being given back is nobody's wish any more.
            let held = held.filter(|held| !held.is_ending);
            ThrottleKnob {
                name: knob.as_str().to_owned(),
                scope: format!("{}, by the module {} on this host", knob.copies(), knob.module()),
                path: knobs.path(knob).to_string_lossy().into_owned(),
                wanted_percent: held.map(|held| held.wanted_percent),
                original_percent: held.map(|held| held.original_percent),
                actual_percent: knobs.read(knob).ok(),
            }
        });
        Ok(ThrottlingReply { knobs: told.collect() })
    }
}

fn failed(reason: String) -> Error {
    Error::Failed { reason }
}
