//! Finds actors by name, and asks them across their restarts.
//!
//! ```text
//!              register                     ended, to be restarted
//!  (no slot) ───────────► Running(address) ───────────────────────► Restarting
//!      ▲                    │      ▲                                   │  │
//!      │ forgotten          │      └───────────── register ────────────┘  │
//!      ├────────────────────┘                                             │ given up
//!      └─────────────────────────────────── GivenUp(reason) ◄─────────────┘
//! ```
//!
//! Only supervisors write here. An actor keeps the [`Name`] of another, never its address: the address dies with
//! the instance, the name is served by the next one.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::{Actor, Addr, Context, Handler, Message};
use thiserror::Error;
use tokio::sync::{Notify, futures::OwnedNotified};

use crate::{child_spec::ChildKind, name::Name};

#[cfg(test)]
mod tests;

/// How many times [`Registry::ask`] hands one message to an actor that dies before it answers.
///
/// A message that kills whoever handles it must not be able to use up a supervisor's restarts by itself: this is
/// below the default intensity.
pub const ATTEMPTS: u32 = 3;

/// Maps names to running actors. Clones share the map; it may be used from any thread.
#[derive(Clone, Default)]
pub struct Registry {
    slots: Arc<Mutex<Slots>>,
}

#[derive(Default)]
struct Slots {
    by_name: HashMap<Name, Slot>,
    /// Counts changes. No two states of any slot have the same version.
    version: u64,
}

struct Slot {
    state: State,
    version: u64,
    changed: Arc<Notify>,
    /// How many wait for an answer.
    pending: Arc<AtomicUsize>,
}

/// A question that waits for its answer; it is counted until this is dropped.
struct Pending(Arc<AtomicUsize>);

impl Pending {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

enum State {
    /// Holds an `Addr<A>`.
    Running(Box<dyn Any + Send + Sync>),
    Restarting,
    GivenUp(String),
}

/// What is known of a name.
pub enum Resolution<A: Actor> {
    /// An actor bears it; it may have ended a moment ago.
    Running(Addr<A>),
    /// Its actor is about to be started, for the first time or again.
    Restarting,
    /// Its actor failed too often, with this last reason.
    GivenUp(String),
    /// Nobody bears it.
    Unknown,
}

/// What an asker finds under a name.
struct Found<A: Actor> {
    resolution: Resolution<A>,
    version: u64,
    /// Counts the asker; `None` if nobody bears the name.
    pending: Option<Pending>,
}

/// Says why [`Registry::ask`] has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// There is no actor of that name, or there is none any more.
    #[error("ask {0}: no actor has this name")]
    Unknown(Name),
    /// The actor failed too often and is not restarted any more.
    #[error("ask {name}: it was given up: {reason}")]
    GivenUp {
        /// Who was asked.
        name: Name,
        /// How it ended.
        reason: String,
    },
    /// The actor died each time before it answered, [`ATTEMPTS`] times: the message is likely to be the cause.
    #[error("ask {name}: it died {times} times before it answered")]
    Died {
        /// Who was asked.
        name: Name,
        /// How often.
        times: u32,
    },
    /// There was no answer in time.
    #[error("ask {name}: no answer within {after:?}")]
    TimedOut {
        /// Who was asked.
        name: Name,
        /// The deadline that has passed.
        after: Duration,
    },
}

impl Registry {
    /// Returns what is known of `name`.
    ///
    /// # Panics
    /// If the name belongs to an actor of another type than `A`.
    pub fn resolve<A: Actor>(&self, name: &Name) -> Resolution<A> {
        self.look_up(name).resolution
    }

    /// Sends `message` to the actor called `name` and returns its answer.
    ///
    /// While the actor is being restarted this waits. If the actor dies before it has answered, the message is
    /// sent to its successor. So a message may be handled more than once, and must bear it: ask for states
    /// ("be stopped"), not for changes ("one more").
    ///
    /// Each call has a place of its own in the mailbox, beyond its bound: as many messages wait there as there
    /// are askers.
    ///
    /// # Errors
    /// See [`AskError`].
    ///
    /// # Cancel safety
    /// A message that is not being handled yet is taken back when the future is dropped; otherwise only the
    /// answer is lost.
    ///
    /// # Panics
    /// If the name belongs to an actor of another type than `A`.
    pub async fn ask<A, M>(&self, name: &Name, message: M, deadline: Duration) -> Result<M::Result, AskError>
    where
        A: Actor<Context = Context<A>> + Handler<M>,
        M: Message + Clone + Send + 'static,
        M::Result: Send,
    {
        match tokio::time::timeout(deadline, self.ask_until_answered::<A, M>(name, message)).await {
            Ok(answer) => answer,
            Err(_) => Err(AskError::TimedOut { name: name.clone(), after: deadline }),
        }
    }

    async fn ask_until_answered<A, M>(&self, name: &Name, message: M) -> Result<M::Result, AskError>
    where
        A: Actor<Context = Context<A>> + Handler<M>,
        M: Message + Clone + Send + 'static,
        M::Result: Send,
    {
        let mut deaths = 0;
        loop {
            let Found { resolution, version, pending: _pending } = self.look_up::<A>(name);
            match resolution {
                Resolution::Running(address) if address.connected() => {
                    // A fresh clone of the address on purpose: in actix 0.13 a request on one whose last message
                    // found the mailbox full is never woken.
                    let request = address.send(message.clone());
                    drop(address);
                    if let Ok(answer) = request.await {
                        return Ok(answer);
                    }
                    deaths += 1;
                    if deaths == ATTEMPTS {
                        return Err(AskError::Died { name: name.clone(), times: deaths });
                    }
                }
                // It is dead and its supervisor has yet to hear of it.
                Resolution::Running(_) | Resolution::Restarting => {}
                Resolution::GivenUp(reason) => return Err(AskError::GivenUp { name: name.clone(), reason }),
                Resolution::Unknown => return Err(AskError::Unknown(name.clone())),
            }
            if let Some(change) = self.change_after(name, version) {
                change.await;
            }
        }
    }

    /// Returns the names known below `supervisor`, at any depth, in alphabetical order. Looks at every name.
    pub fn names_under(&self, supervisor: &Name) -> Vec<Name> {
        let mut names: Vec<_> =
            self.lock().by_name.keys().filter(|name| name.is_below(supervisor)).cloned().collect();
        names.sort();
        names
    }

    /// Returns every name, and how many questions wait for the answer of whoever bears it.
    pub fn pending_requests(&self) -> Vec<(Name, usize)> {
        let count = |(name, slot): (&Name, &Slot)| (name.clone(), slot.pending.load(Ordering::Relaxed));
        self.lock().by_name.iter().map(count).collect()
    }

    /// Makes `address` the bearer of `name`.
    pub(crate) fn register<A: Actor>(&self, name: &Name, address: Addr<A>) {
        self.lock().set(name, State::Running(Box::new(address)));
    }

    /// Makes those who ask for one of `names` wait, and forgets all other names below the first of them.
    pub(crate) fn set_restarting(&self, names: &[Name]) {
        let mut slots = self.lock();
        if let [top, _, ..] = names {
            slots.remove_below(top, names);
        }
        for name in names {
            slots.set(name, State::Restarting);
        }
    }

    /// Makes `name` be given up, and everything below it.
    pub(crate) fn give_up(&self, name: &Name, reason: &str, kind: ChildKind) {
        let below = match kind {
            ChildKind::Worker => Vec::new(),
            ChildKind::Supervisor => self.names_under(name),
        };
        let mut slots = self.lock();
        for name in below.iter().chain([name]) {
            slots.set(name, State::GivenUp(reason.to_owned()));
        }
    }

    /// Forgets `name` and everything below it.
    pub(crate) fn remove(&self, name: &Name, kind: ChildKind) {
        let mut slots = self.lock();
        // A worker has nothing below it, and thousands of them may end at a time.
        if kind == ChildKind::Supervisor {
            slots.remove_below(name, &[]);
        }
        slots.remove(name);
    }

    fn look_up<A: Actor>(&self, name: &Name) -> Found<A> {
        let slots = self.lock();
        let Some(slot) = slots.by_name.get(name) else {
            return Found { resolution: Resolution::Unknown, version: 0, pending: None };
        };
        let resolution = match &slot.state {
            State::Running(address) => address.downcast_ref::<Addr<A>>().cloned().map(Resolution::Running),
            State::Restarting => Some(Resolution::Restarting),
            State::GivenUp(reason) => Some(Resolution::GivenUp(reason.clone())),
        };
        let (version, pending) = (slot.version, Some(Pending::new(&slot.pending)));
        drop(slots);
        let resolution =
            resolution.unwrap_or_else(|| panic!("{name} is not a {}", std::any::type_name::<A>()));
        Found { resolution, version, pending }
    }

    /// Returns what to wait for until `name` is no more as it was in `version`; `None` if that is so already.
    fn change_after(&self, name: &Name, version: u64) -> Option<OwnedNotified> {
        let slots = self.lock();
        let slot = slots.by_name.get(name).filter(|slot| slot.version == version)?;
        // Made under the lock: from here on it hears every notification, polled or not.
        Some(slot.changed.clone().notified_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Nothing that is done under the lock leaves the map half changed.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn set(&mut self, name: &Name, state: State) {
        self.version += 1;
        let version = self.version;
        if let Some(slot) = self.by_name.get_mut(name) {
            slot.state = state;
            slot.version = version;
            slot.changed.notify_waiters();
        } else {
            let slot = Slot { state, version, changed: Arc::default(), pending: Arc::default() };
            self.by_name.insert(name.clone(), slot);
        }
    }

    fn remove(&mut self, name: &Name) {
        if let Some(slot) = self.by_name.remove(name) {
            slot.changed.notify_waiters();
        }
    }

    fn remove_below(&mut self, top: &Name, except: &[Name]) {
        self.by_name.retain(|name, slot| {
            let keep = !name.is_below(top) || except.contains(name);
            if !keep {
                slot.changed.notify_waiters();
            }
            keep
        });
    }
}
