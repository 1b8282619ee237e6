//! What is on its way to clients: made in turns on another thread, and bounded over all connections.
//!
//! ```text
//!  a call ──▶ load: its share of the bytes ──▶ what is to be told ──▶ turn: reply and text are made ──▶ written ──▶ given back
//!             (none in time: Busy)              (a page of it)         (one at a time)                    (or dropped)
//! ```
//!
//! A client that asks and does not read keeps its bytes until it is dropped. What all of them keep is bounded, for each user
//! and for all together, so that it costs others nothing but Busy; root has a bound of its own.

mod shares;

use std::cell::RefCell;
use std::io;
use std::pin::pin;

use serde::Serialize;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::ANSWER_DEADLINE;
use shares::Shares;
#[cfg(test)]
pub(crate) use shares::UID_BYTES;

/// How much of what is listed fits one page, as JSON; the rest of the reply comes on top.
pub const PAGE_BYTES: usize = 256 * 1024;
/// How many things fit one page; nothing that is listed is so short that more of them would.
pub const PAGE_ITEMS: usize = 1000;

/// What is on its way to the clients of one door.
#[derive(Debug)]
pub struct Outgoing {
    shares: RefCell<Shares>,
    given_back: Notify,
    /// Replies are made one at a time, so that neither processors nor memory go to whoever asks most.
    turns: [Semaphore; 2],
}

/// The share of one reply, until it is taken by its client or given up.
#[derive(Debug)]
pub struct Load<'a> {
    outgoing: &'a Outgoing,
    uid: u32,
    bytes: usize,
}

impl Default for Outgoing {
    fn default() -> Self {
        let turns = [Semaphore::new(1), Semaphore::new(1)];
        Self { shares: RefCell::default(), given_back: Notify::new(), turns }
    }
}

impl Outgoing {
    /// Takes the share of a page for a user; `None` when there is none in time.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn load(&self, uid: u32) -> Option<Load<'_>> {
        let taken = async {
            loop {
                let mut given_back = pin!(self.given_back.notified());
                given_back.as_mut().enable();
                if self.shares.borrow_mut().take(uid, PAGE_BYTES) {
                    return Load { outgoing: self, uid, bytes: PAGE_BYTES };
                }
                given_back.await;
            }
        };
        timeout(ANSWER_DEADLINE, taken).await.ok()
    }

    /// Waits for the turn to make a reply; root waits for nobody else.
    pub async fn turn(&self, uid: u32) -> SemaphorePermit<'_> {
        let turns = &self.turns[usize::from(uid == 0)];
        turns.acquire().await.expect("the semaphore is never closed")
    }
}

#[cfg(test)]
impl Outgoing {
    /// Returns how much a user keeps.
    pub fn taken(&self, uid: u32) -> usize {
        self.shares.borrow().of(uid)
    }
}

impl Load<'_> {
    /// Says how much the reply is by now, beyond which nothing is kept for it.
    pub fn is(&mut self, bytes: usize) {
        self.outgoing.shares.borrow_mut().change(self.uid, self.bytes, bytes);
        self.bytes = bytes;
        self.outgoing.given_back.notify_waiters();
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        self.is(0);
    }
}

/// Takes as many things as fit a page; says whether any is left.
pub fn page<T>(things: impl IntoIterator<Item = T>, bytes: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let (mut taken, mut left) = (Vec::new(), PAGE_BYTES);
    for thing in things {
        let bytes = bytes(&thing);
        // One that is too large for any page has one of its own.
        if taken.len() == PAGE_ITEMS || (bytes > left && !taken.is_empty()) {
            return (taken, true);
        }
        left = left.saturating_sub(bytes);
        taken.push(thing);
    }
    (taken, false)
}

/// Returns how long something is as JSON.
pub fn json_bytes(thing: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, thing).expect("what is told has string keys");
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_the_thing_that_does_not_fit() {
        let (kib, rest) = ("x".repeat(1022), "y".repeat(10));
        assert_eq!(json_bytes(&kib), 1024);
        let things = |count: usize| vec![kib.clone(); count];
        assert_eq!(page(things(256), json_bytes), (things(256), false));
        assert_eq!(page(things(257), json_bytes), (things(256), true));
        assert_eq!(page([vec![rest.clone(); 3], things(256)].concat(), json_bytes).0.len(), 258);
        assert_eq!(page(vec![1; PAGE_ITEMS + 1], json_bytes), (vec![1; PAGE_ITEMS], true));
    }

    #[test]
    fn what_is_too_large_for_any_page_has_one_of_its_own() {
        let large = "x".repeat(2 * PAGE_BYTES);
        assert_eq!(page([large.clone(), large.clone()], json_bytes), (vec![large], true));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_give_back_leaves_none_for_itself_and_some_for_others() {
        let outgoing = Outgoing::default();
        let mut kept = Vec::new();
        while let Some(load) = outgoing.load(1000).await {
            kept.push(load);
        }
        assert_eq!(kept.len() * PAGE_BYTES, UID_BYTES);
        assert!(outgoing.load(1001).await.is_some() && outgoing.load(0).await.is_some());
        let (waited, ()) = tokio::join!(outgoing.load(1000), async { drop(kept.pop()) });
        assert!(waited.is_some(), "what is given back is taken");
    }
}
