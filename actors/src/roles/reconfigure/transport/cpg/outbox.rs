//! The messages that wait to be sent, and when the next one is. Pure.
//!
//! ```text
//!           push                    take                      sent            heard
//!  the role ────▶ waiting, ≤ 256 ──────────▶ the library ──────────▶ unheard ──────▶ forgotten
//!                      ▲                          │                  ≤ 64
//!                      └────── again, first ◀─────┘ not now: 1, 2, 4 … 50 ms later, at most for so long
//! ```
//!
//! What is sent comes back in order, as every message does. So the number of those that have not come back bounds what a
//! cluster that stands still is given, and there is no other window; the age of the first one tells that it stands still.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use crate::roles::reconfigure::transport::SendError;

/// How many messages may wait.
pub(super) const WAITING: usize = 256;
/// How many messages may be under way.
pub(super) const UNHEARD: usize = 64;

const FIRST_RETRY: Duration = Duration::from_millis(1);
const LONGEST_RETRY: Duration = Duration::from_millis(50);

/// The queue.
#[derive(Debug)]
pub(super) struct Outbox {
    is_open: bool,
    waiting: VecDeque<Vec<u8>>,
    /// When each message that is under way was sent.
    unheard: VecDeque<Instant>,
    retry: Backoff,
    not_before: Option<Instant>,
    refused_since: Option<Instant>,
}

impl Outbox {
    /// Returns a queue that takes nothing yet.
    pub(super) fn new() -> Self {
        Self {
            is_open: false,
            waiting: VecDeque::new(),
            unheard: VecDeque::new(),
            retry: Backoff::new(FIRST_RETRY, LONGEST_RETRY),
            not_before: None,
            refused_since: None,
        }
    }

    /// Takes messages from now on.
    pub(super) fn open(&mut self) {
        *self = Self { is_open: true, ..Self::new() };
    }

    /// Forgets everything, and takes nothing any more.
    pub(super) fn close(&mut self) {
        *self = Self::new();
    }

    /// Adds a message.
    pub(super) fn push(&mut self, bytes: Vec<u8>) -> Result<(), SendError> {
        if !self.is_open {
            return Err(SendError::NoTransport);
        }
        if self.waiting.len() == WAITING {
            return Err(SendError::Busy);
        }
        self.waiting.push_back(bytes);
        Ok(())
    }

    /// Returns the message to send now, which is then [`sent`](Self::sent) or [`refused`](Self::refused).
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<u8>> {
        let may_go = self.unheard.len() < UNHEARD && self.not_before.is_none_or(|then| now >= then);
        if may_go { self.waiting.pop_front() } else { None }
    }

    /// Notes that a message is under way.
    pub(super) fn sent(&mut self, now: Instant) {
        self.unheard.push_back(now);
        self.retry.reset();
        (self.not_before, self.refused_since) = (None, None);
    }

    /// Takes a message back that is to be sent later; returns for how long it was refused.
    pub(super) fn refused(&mut self, bytes: Vec<u8>, now: Instant) -> Duration {
        self.waiting.push_front(bytes);
        self.not_before = Some(now + self.retry.wait());
        now - *self.refused_since.get_or_insert(now)
    }

    /// Notes that a message of this host's was delivered here.
    pub(super) fn heard(&mut self) {
        // One of an earlier connection may come after that one's end.
        self.unheard.pop_front();
    }

    /// Tells whether a message has not come back within `limit`.
    pub(super) fn is_overdue(&self, now: Instant, limit: Duration) -> bool {
        self.unheard.front().is_some_and(|sent| now.saturating_duration_since(*sent) > limit)
    }

    /// Returns how long to wait until there is something to send, or a message is overdue; `None`: until something happens.
    pub(super) fn wait(&self, now: Instant, limit: Duration) -> Option<Duration> {
        let left = |then: Instant| then.saturating_duration_since(now);
        let may_send = !self.waiting.is_empty() && self.unheard.len() < UNHEARD;
        let sends = may_send.then(|| self.not_before.map_or(Duration::ZERO, left));
        let overdue = self.unheard.front().map(|sent| left(*sent + limit) + Duration::from_millis(1));
        [sends, overdue].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn open() -> (Outbox, Instant) {
        let mut outbox = Outbox::new();
        outbox.open();
        (outbox, Instant::now())
    }

    #[test]
    fn nothing_is_taken_before_it_is_open_nor_after_it_is_closed() {
        let (mut outbox, now) = open();
        assert_eq!(Outbox::new().push(vec![1]), Err(SendError::NoTransport));
        assert_eq!(outbox.push(vec![1]), Ok(()));
        outbox.close();
        assert_eq!(outbox.push(vec![1]), Err(SendError::NoTransport));
        outbox.open();
        assert_eq!(outbox.take(now), None);
    }

    #[test]
    fn it_is_bounded_in_what_waits_and_in_what_is_under_way() {
        let (mut outbox, now) = open();
        for _ in 0..WAITING {
            outbox.push(Vec::new()).expect("there is room");
        }
        assert_eq!(outbox.push(Vec::new()), Err(SendError::Busy));
        for _ in 0..UNHEARD {
            outbox.take(now).expect("it may go");
            outbox.sent(now);
        }
        assert_eq!(outbox.take(now), None);
        assert_eq!(outbox.wait(now, LIMIT), Some(LIMIT + Duration::from_millis(1)));
        outbox.heard();
        assert_eq!(outbox.wait(now, LIMIT), Some(Duration::ZERO));
        assert!(outbox.take(now).is_some());
    }

    #[test]
    fn what_is_refused_is_the_next_again_after_growing_waits() {
        let (mut outbox, start) = open();
        outbox.push(vec![1]).expect("there is room");
        outbox.push(vec![2]).expect("there is room");
        let (mut now, mut waits) = (start, Vec::new());
        for _ in 0..8 {
            let bytes = outbox.take(now).expect("its time has come");
            assert_eq!(bytes, [1]);
            assert_eq!(outbox.refused(bytes, now), now - start);
            assert_eq!(outbox.take(now), None);
            let wait = outbox.wait(now, LIMIT).expect("it is known");
            waits.push(wait.as_millis());
            now += wait;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 50, 50]);
        assert_eq!(outbox.take(now), Some(vec![1]));
        outbox.sent(now);
        assert_eq!(outbox.take(now), Some(vec![2]));
        assert_eq!(outbox.refused(vec![2], now), Duration::ZERO);
    }

    #[test]
    fn a_message_that_does_not_come_back_is_overdue() {
        let (mut outbox, start) = open();
        assert_eq!(outbox.wait(start, LIMIT), None);
        for number in 0..2 {
            outbox.push(vec![number]).expect("there is room");
            outbox.take(start).expect("it may go");
            outbox.sent(start + Duration::from_secs(number.into()));
        }
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!outbox.is_overdue(at(30_000), LIMIT));
        assert!(outbox.is_overdue(at(30_001), LIMIT));
        outbox.heard();
        assert!(!outbox.is_overdue(at(30_001), LIMIT));
        assert_eq!(outbox.wait(at(30_001), LIMIT), Some(Duration::from_secs(1)));
        outbox.heard();
        // One of an earlier connection.
        outbox.heard();
        assert!(!outbox.is_overdue(at(90_000), LIMIT));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Push,
        Send,
        Refuse,
        Hear,
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Push),
            Just(Step::Send),
            Just(Step::Refuse),
            Just(Step::Hear),
            (0..100_u64).prop_map(Step::Pass)
        ]
    }

    proptest! {
        /// Whatever is refused and however often, messages go out in the order in which they came, and within the bounds.
        #[test]
        fn the_order_is_kept(steps in proptest::collection::vec(step(), 0..400)) {
            let (mut outbox, mut now) = open();
            let (mut next, mut out) = (0_u32, Vec::new());
            for step in steps {
                match step {
                    Step::Push => {
                        if outbox.push(next.to_be_bytes().to_vec()).is_ok() {
                            next += 1;
                        }
                    }
                    Step::Send => {
                        if let Some(bytes) = outbox.take(now) {
                            out.push(u32::from_be_bytes(bytes.try_into().expect("four")));
                            outbox.sent(now);
                        }
                    }
                    Step::Refuse => {
                        if let Some(bytes) = outbox.take(now) {
                            outbox.refused(bytes, now);
                        }
                    }
                    Step::Hear => outbox.heard(),
                    Step::Pass(ms) => now += Duration::from_millis(ms),
                }
                prop_assert!(outbox.unheard.len() <= UNHEARD && outbox.waiting.len() <= WAITING);
            }
            let count = u32::try_from(out.len()).expect("few");
            prop_assert_eq!(out, (0..count).collect::<Vec<_>>());
        }
    }
}
