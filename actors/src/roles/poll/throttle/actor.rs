//! The actor: the only one that turns the knobs.

use std::time::Duration;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Registry, Stop, fault};
use slog::{Logger, info, warn};
use tokio::sync::watch;

use super::knobs::{Knob, Knobs};
use super::state::{Held, Turn};
use crate::foundation::facts::events::Events;
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::{PollLedger, Record};
use crate::roles::poll::operation::state::Life;

/// The longest that an answer takes: a few records are written.
pub const DEADLINE: Duration = journal::DEADLINE.saturating_add(Duration::from_secs(5));

/// Asks that knobs be set, in percent; `None` gives the old value back.
///
/// The answer is why it was not done, for the client.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), String>")]
pub struct SetThrottle {
    /// What is wanted of [`Knob::Mirror`].
    pub mirror_percent: Option<u32>,
    /// What is wanted of [`Knob::Snapshot`].
    pub snapshot_percent: Option<u32>,
}

/// Asks that all knobs be given back.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), String>")]
pub struct GiveBack {
    /// Why, in a few words that are always the same.
    pub why: &'static str,
}

/// The worker that turns the knobs.
pub struct Throttler {
    hand: Hand,
    gate: watch::Receiver<bool>,
}

/// What turns a knob, step by step.
#[derive(Clone)]
struct Hand {
    knobs: Knobs,
    events: Events,
    registry: Registry,
    log: Logger,
}

impl Throttler {
    /// Makes the worker; it begins when `gate` says that the operations of an earlier life are known.
    pub fn new(knobs: Knobs, events: Events, gate: watch::Receiver<bool>, link: &ChildLink) -> Self {
        let (registry, log) = (link.registry.clone(), link.log.clone());
        Self { hand: Hand { knobs, events, registry, log }, gate }
    }
}

impl Actor for Throttler {
    type Context = Context<Self>;

    /// Whoever asks waits until what an earlier life has left is settled.
    fn started(&mut self, ctx: &mut Context<Self>) {
        let (hand, mut gate) = (self.hand.clone(), self.gate.clone());
        let settling = async move {
            if gate.wait_for(|open| *open).await.is_ok() {
                hand.settle().await;
            }
        };
        ctx.wait(settling.into_actor(self));
        let (hand, address) = (self.hand.clone(), ctx.address());
        ctx.spawn(hand.watch(address).into_actor(self));
    }
}

impl Handler<SetThrottle> for Throttler {
    type Result = AtomicResponse<Self, Result<(), String>>;

    fn handle(&mut self, wish: SetThrottle, _: &mut Context<Self>) -> Self::Result {
        let hand = self.hand.clone();
        let setting = async move {
            for (knob, percent) in
                [(Knob::Mirror, wish.mirror_percent), (Knob::Snapshot, wish.snapshot_percent)]
            {
                match percent {
                    Some(percent) => hand.hold(knob, percent).await?,
                    None => hand.give_back(knob, "asked for").await?,
                }
            }
            Ok(())
        };
        AtomicResponse::new(Box::pin(setting.into_actor(self)))
    }
}

impl Handler<GiveBack> for Throttler {
    type Result = AtomicResponse<Self, Result<(), String>>;

    fn handle(&mut self, GiveBack { why }: GiveBack, _: &mut Context<Self>) -> Self::Result {
        let hand = self.hand.clone();
        let giving_back = async move { hand.give_all_back(why).await };
        AtomicResponse::new(Box::pin(giving_back.into_actor(self)))
    }
}

impl Handler<Stop> for Throttler {
    type Result = ();

    /// Gives nothing back: this actor may be started again, and the daemon goes on.
    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Hand {
    /// Goes on where an earlier life stopped.
    async fn settle(&self) {
        let is_busy = self.is_busy().await;
        for knob in Knob::ALL {
            let done = match self.held(knob).await {
                Ok(None) => Ok(()),
                Ok(Some(held)) if held.is_ending => self.end(knob, held, "asked for").await,
                Ok(Some(_)) if is_busy == Ok(false) => self.give_back(knob, NOTHING_IN_PROGRESS).await,
                Ok(Some(held)) => self.turn(knob, held),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                warn!(self.log, "a throttle cannot be settled"; "knob" => %knob, "error" => error,
                      "next" => "leave it as it is");
            }
        }
    }

    /// Has everything given back whenever the last operation in progress has ended.
    async fn watch(self, address: Addr<Throttler>) {
        let mut position = self.events.position();
        loop {
            let is_end = |occurrence: &Occurrence| matches!(occurrence, Occurrence::PollEnded { .. });
            let _ = self.events.next_after(position, is_end).await;
            // Taken before the journal is asked: what ends later is behind it.
            position = self.events.position();
            if self.is_busy().await == Ok(false) {
                // An actor that is busy gives back after the next operation, or when it is asked.
                let _ = address.try_send(GiveBack { why: NOTHING_IN_PROGRESS });
            }
        }
    }

    async fn hold(&self, knob: Knob, percent: u32) -> Result<(), String> {
        let actual = self.read(knob)?;
        let held = Held::set(self.held(knob).await?.as_ref(), percent, actual);
        fault::point("throttle.wanted", knob.as_str());
        self.record(knob, Some(held)).await?;
        fault::point("throttle.recorded", knob.as_str());
        self.turn(knob, held)?;
        fault::point("throttle.turned", knob.as_str());
        info!(self.log, "copies are throttled"; "knob" => %knob, "percent" => percent,
              "original_percent" => held.original_percent, "scope" => knob.module());
        self.events.publish(&Occurrence::PollThrottled { knob, percent, original: held.original_percent });
        Ok(())
    }

    async fn give_all_back(&self, why: &'static str) -> Result<(), String> {
        let mut all = Ok(());
        for knob in Knob::ALL {
            // One that cannot be given back keeps no other from it.
            let given = self.give_back(knob, why).await;
            all = all.and(given);
        }
        all
    }

    async fn give_back(&self, knob: Knob, why: &'static str) -> Result<(), String> {
        let Some(held) = self.held(knob).await? else { return Ok(()) };
        let held = held.ending();
        self.record(knob, Some(held)).await?;
        fault::point("throttle.ending", knob.as_str());
        self.end(knob, held, why).await
    }

    /// Ends what is recorded to be ending.
    async fn end(&self, knob: Knob, held: Held, why: &'static str) -> Result<(), String> {
        // A module that is gone has taken its knob along.
        if self.knobs.path(knob).exists() {
            self.turn(knob, held)?;
            fault::point("throttle.turned_back", knob.as_str());
        }
        self.record(knob, None).await?;
        let actual = self.knobs.read(knob).ok();
        info!(self.log, "copies are not throttled any more"; "knob" => %knob, "percent" => actual, "why" => why);
        self.events.publish(&Occurrence::PollUnthrottled { knob, percent: actual, why });
        Ok(())
    }

    fn turn(&self, knob: Knob, held: Held) -> Result<(), String> {
        match held.turn(self.read(knob)?) {
            Turn::Nothing => Ok(()),
            Turn::To(percent) => self
                .knobs
                .write(knob, percent)
                .map_err(|error| format!("cannot write {}: {error}", self.knobs.path(knob).display())),
            Turn::SomebodyElses(percent) => {
                warn!(self.log, "somebody else has set a throttle"; "knob" => %knob, "percent" => percent,
                      "next" => "leave it as it is");
                Ok(())
            }
        }
    }

    fn read(&self, knob: Knob) -> Result<u32, String> {
        self.knobs.read(knob).map_err(|error| {
            format!(
                "cannot read {}: {error}; is the module {} loaded?",
                self.knobs.path(knob).display(),
                knob.module()
            )
        })
    }

    async fn held(&self, knob: Knob) -> Result<Option<Held>, String> {
        journal::read(&self.registry, move |ledger| ledger.throttle(knob)).await
    }

    async fn record(&self, knob: Knob, held: Option<Held>) -> Result<(), String> {
        journal::append(&self.registry, Record::Throttle { knob, held }).await
    }

    /// Returns whether an operation is in progress.
    async fn is_busy(&self) -> Result<bool, String> {
        let is_over = |life: &Life| matches!(life, Life::Ended { .. });
        let is_busy = move |ledger: &PollLedger| ledger.operations().any(|known| !is_over(&known.life));
        journal::read(&self.registry, is_busy).await
    }
}

/// Why a knob is given back unasked.
const NOTHING_IN_PROGRESS: &str = "no operation is in progress";
