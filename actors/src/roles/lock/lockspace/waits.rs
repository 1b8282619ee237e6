//! Which requests for locks are told of when they are over: those that have waited long, and those that were refused. Pure.
//!
//! A refusal that comes again and again, as that of a command that tries until another host lets go, is told once in a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::ask::{Ask, Asked, Client, ClientId, Ticket};
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::Resource;

/// From when on a wait is long.
const LONG: Duration = Duration::from_secs(10);
/// How long the same refusal of the same lock is not told again.
const APART: Duration = Duration::from_mins(1);
/// Of how many refusals it is remembered that they were told; of more nothing is told.
const REMEMBERED: usize = 256;
/// What came of a request whose client has gone.
const CLIENT_GONE: &str = "client_gone";

/// The requests for locks that are not answered yet, and what was told lately.
#[derive(Debug, Default)]
pub(super) struct Waits {
    asked: HashMap<Ticket, Wanted>,
    refused: BTreeMap<(Resource, ResultCode), Refusals>,
}

/// A request for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) lock: Resource,
    pub(super) mode: LockMode,
    pub(super) client: Arc<Client>,
    since: Moment,
}

#[derive(Debug)]
struct Refusals {
    told_at: Moment,
    since_then: u32,
}

/// What is told of a request that is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It has waited long.
    Waited { wanted: Wanted, took: Duration, result: &'static str },
    /// It was refused, as that many since that was told last.
    Refused { wanted: Wanted, result: &'static str, times: u32 },
}

impl Waits {
    /// Takes a request in, if it is one for a lock.
    pub(super) fn asked(&mut self, asked: &Asked, now: Moment) {
        if let Ask::Lock(ask) = &asked.ask
            && let Some(mode) = ask.mode.filter(|mode| *mode != LockMode::Unlocked)
        {
            let (lock, client) = (ask.resource.clone(), Arc::clone(&asked.client));
            self.asked.insert(asked.ticket, Wanted { lock, mode, client, since: now });
        }
    }

    /// Lets a request go that is answered; returns what is told of it.
    pub(super) fn answered(&mut self, ticket: Ticket, code: ResultCode, now: Moment) -> Option<Told> {
        let wanted = self.asked.remove(&ticket)?;
        let took = now.saturating_sub(wanted.since);
        if took >= LONG {
            return Some(Told::Waited { wanted, took, result: code.as_str() });
        }
        let times = if is_worth_telling(code) { self.refuse(&wanted.lock, code, now)? } else { return None };
        Some(Told::Refused { wanted, result: code.as_str(), times })
    }

    /// Lets the requests of a client go that has gone; returns what is told of them.
    pub(super) fn left(&mut self, client: ClientId, now: Moment) -> Vec<Told> {
        let gone = self.asked.extract_if(|_, wanted| wanted.client.id == client);
        let told = gone.filter_map(|(_, wanted)| {
            let took = now.saturating_sub(wanted.since);
            (took >= LONG).then_some(Told::Waited { wanted, took, result: CLIENT_GONE })
        });
        told.collect()
    }

    /// Returns how many were refused like that since it was told; `None`: it is not told now.
    fn refuse(&mut self, lock: &Resource, code: ResultCode, now: Moment) -> Option<u32> {
        let is_recent = |refusals: &Refusals| now.saturating_sub(refusals.told_at) < APART;
        let key = (lock.clone(), code);
        let before = match self.refused.get_mut(&key) {
            Some(refusals) if is_recent(refusals) => {
                refusals.since_then = refusals.since_then.saturating_add(1);
                return None;
            }
            Some(refusals) => refusals.since_then,
            None => 0,
        };
        if self.refused.len() >= REMEMBERED {
            self.refused.retain(|_, refusals| is_recent(refusals));
        }
        let has_room = self.refused.len() < REMEMBERED;
        has_room.then(|| {
            self.refused.insert(key, Refusals { told_at: now, since_then: 0 });
            before + 1
        })
    }
}

/// A client that asks for what it has, or for nothing, is nobody's trouble.
fn is_worth_telling(code: ResultCode) -> bool {
    let usual = [
        ResultCode::NOT_FOUND,
        ResultCode::EXISTS,
        ResultCode::ALREADY,
        ResultCode::CANCELED,
        ResultCode::STARTING,
        ResultCode::INVALID,
        ResultCode::NO_LOCKSPACE,
    ];
    !code.is_ok() && !usual.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::lock::lockspace::ask::LockAsk;

    fn asks(waits: &mut Waits, ticket: u64, client: u32, mode: LockMode, at: u64) {
        let client = Client { id: ClientId(client), ..Client::of_this_daemon("vgs") };
        let ask = Ask::Lock(LockAsk::new(Resource::Vg, Some(mode)));
        let asked = Asked { ticket: Ticket(ticket), client: Arc::new(client), lock_type: None, ask };
        waits.asked(&asked, Duration::from_secs(at));
    }

    fn answered(waits: &mut Waits, ticket: u64, code: ResultCode, at: u64) -> Option<Told> {
        waits.answered(Ticket(ticket), code, Duration::from_secs(at))
    }

    #[test]
    fn a_long_wait_is_told_with_its_end_and_a_short_one_is_not() {
        let mut waits = Waits::default();
        asks(&mut waits, 1, 7, LockMode::Exclusive, 0);
        asks(&mut waits, 2, 7, LockMode::Shared, 0);
        asks(&mut waits, 3, 7, LockMode::Unlocked, 0);
        assert_eq!(answered(&mut waits, 1, ResultCode::OK, 9), None);
        let told = answered(&mut waits, 2, ResultCode::OK, 10);
        assert!(
            matches!(&told, Some(Told::Waited { wanted, took: LONG, result: "ok" }) if wanted.mode == LockMode::Shared),
            "{told:?}"
        );
        assert_eq!(answered(&mut waits, 3, ResultCode::OK, 99), None, "an unlock waits for nobody");
        assert!(waits.asked.is_empty());
    }

    #[test]
    fn who_goes_away_after_a_long_wait_is_told_of_and_forgotten() {
        let mut waits = Waits::default();
        asks(&mut waits, 1, 7, LockMode::Exclusive, 0);
        asks(&mut waits, 2, 7, LockMode::Exclusive, 55);
        asks(&mut waits, 3, 8, LockMode::Exclusive, 0);
        let told = waits.left(ClientId(7), Duration::from_mins(1));
        assert!(matches!(&told[..], [Told::Waited { result: CLIENT_GONE, .. }]), "{told:?}");
        assert_eq!(waits.asked.len(), 1);
    }

    #[test]
    fn a_refusal_that_comes_again_is_told_once_a_minute_with_their_number() {
        let mut waits = Waits::default();
        let mut told = Vec::new();
        for second in 0..150 {
            asks(&mut waits, second, 7, LockMode::Exclusive, second);
            if let Some(Told::Refused { times, result: "again", .. }) =
                answered(&mut waits, second, ResultCode::AGAIN, second)
            {
                told.push((second, times));
            }
        }
        assert_eq!(told, [(0, 1), (60, 60), (120, 60)]);
        asks(&mut waits, 200, 7, LockMode::Exclusive, 150);
        assert!(answered(&mut waits, 200, ResultCode::LOCK_IO, 150).is_some(), "another reason is told");
        asks(&mut waits, 201, 7, LockMode::Exclusive, 150);
        assert_eq!(answered(&mut waits, 201, ResultCode::ALREADY, 150), None, "it has what it asks for");
    }
}
