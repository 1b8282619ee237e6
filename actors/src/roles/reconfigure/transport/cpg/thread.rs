//! The thread: connects, joins, passes on what is told and what is to be sent; begins again when the connection is lost.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_reconfigure::member::Member;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Settings;
use super::backoff::Backoff;
use super::connection::{Connection, Refused};
use super::shared::Shared;
use super::teller::Teller;
use super::watch::Watch;
use crate::roles::reconfigure::transport::TransportEvent;

/// How long it is tried to join: at the longest for as long as a cluster forms.
const JOIN_LIMIT: Duration = Duration::from_secs(30);
/// How long to wait between two attempts to join, or to tell somebody who has no room.
const PAUSE: Duration = Duration::from_millis(20);

/// What the thread has.
pub(super) struct Thread {
    pub(super) settings: Settings,
    pub(super) shared: Arc<Shared>,
    pub(super) events: mpsc::Sender<TransportEvent>,
    pub(super) watch: Watch,
    pub(super) dropped: u64,
}

/// How a connection ends.
enum End {
    /// Nobody needs it any more.
    Stopped,
    /// It is lost; why, for people.
    Lost(String),
}

impl Thread {
    /// Serves until nobody needs the transport any more.
    pub(super) fn run(mut self) {
        let mut backoff = Backoff::new(self.settings.first_reconnect, self.settings.longest_reconnect);
        while let End::Lost(problem) = self.connect(&mut backoff) {
            self.shared.lock().problem = Some(problem);
            let until = Instant::now() + backoff.wait();
            while !self.is_stopped() && Instant::now() < until {
                self.sleep(&[], Some(until.saturating_duration_since(Instant::now())));
            }
            if self.is_stopped() {
                return;
            }
        }
    }

    /// Serves one connection, from its beginning to its end.
    fn connect(&mut self, backoff: &mut Backoff) -> End {
        let limit = self.settings.send_limit;
        let mut connection = match Connection::open(&self.watch, limit) {
            Ok(connection) => connection,
            Err(problem) => return End::Lost(problem),
        };
        let me = Member { node: connection.node(), pid: std::process::id() };
        self.shared.lock().node = Some(me.node);
        let mut teller = Teller::new(me);
        let end = match self.join(&mut connection) {
            Ok(()) => self.serve(&mut connection, &mut teller, me, backoff),
            Err(end) => end,
        };
        self.dropped += teller.too_long();
        self.shared.lock().outbox.close();
        match &end {
            End::Stopped => connection.close(&self.watch, Some(&self.settings.group)),
            End::Lost(why) => {
                let lost = || TransportEvent::Lost(why.clone());
                let is_told = !teller.is_inside() || self.events.try_send(lost()).is_ok();
                connection.close(&self.watch, None);
                if !is_told {
                    // Nobody else is kept waiting any more.
                    while self.tell(lost()).is_err_and(|end| matches!(end, End::Lost(_))) {}
                }
            }
        }
        end
    }

    fn join(&self, connection: &mut Connection) -> Result<(), End> {
        let start = Instant::now();
        loop {
            match connection.join(&self.watch, &self.settings.group) {
                Ok(()) => return Ok(()),
                Err(Refused::Broken(why)) => return Err(End::Lost(why)),
                Err(Refused::NotNow) if self.is_stopped() => return Err(End::Stopped),
                Err(Refused::NotNow) if start.elapsed() > JOIN_LIMIT => {
                    return Err(End::Lost("corosync does not let this host join".to_owned()));
                }
                Err(Refused::NotNow) => self.sleep(&[], Some(PAUSE)),
            }
        }
    }

    fn serve(
        &self,
        connection: &mut Connection,
        teller: &mut Teller,
        me: Member,
        backoff: &mut Backoff,
    ) -> End {
        loop {
            if self.is_stopped() {
                return End::Stopped;
            }
            let was_inside = teller.is_inside();
            let has_heard = match self.listen(connection, teller, me) {
                Ok(has_heard) => has_heard,
                Err(end) => return end,
            };
            if teller.is_inside() && !was_inside {
                backoff.reset();
            }
            match self.send_next(connection) {
                Err(end) => return end,
                Ok(has_sent) if has_heard || has_sent => {}
                Ok(_) => {
                    let (now, limit) = (Instant::now(), self.settings.delivery_limit);
                    let (is_overdue, wait) = {
                        let state = self.shared.lock();
                        (state.outbox.is_overdue(now, limit), state.outbox.wait(now, limit))
                    };
                    if is_overdue {
                        let seconds = limit.as_secs_f64();
                        let why = format!("corosync has delivered no message of this host's for {seconds} s");
                        return End::Lost(why);
                    }
                    self.sleep(&connection.descriptors(), wait);
                }
            }
        }
    }

    /// Takes one event of each service; returns whether there was one.
    fn listen(&self, connection: &mut Connection, teller: &mut Teller, me: Member) -> Result<bool, End> {
        let group = connection.group_event().map_err(End::Lost)?;
        let quorum = connection.quorum_event().map_err(End::Lost)?;
        let has_heard = group.is_some() || quorum.is_some();
        let mut told = Vec::new();
        if let Some(event) = group {
            told.extend(teller.group_told(event).map_err(End::Lost)?);
            self.shared.set_dropped(self.dropped + teller.too_long());
        }
        if let Some(event) = quorum {
            told.extend(teller.quorum_told(&event));
        }
        for event in told {
            let mut state = self.shared.lock();
            match &event {
                TransportEvent::Joined(_) => {
                    state.outbox.open();
                    state.problem = None;
                }
                TransportEvent::Delivered(from, _) if *from == me => state.outbox.heard(),
                _ => {}
            }
            drop(state);
            self.tell(event)?;
        }
        Ok(has_heard)
    }

    /// Sends one message, if there is one and its time has come; returns whether it was sent.
    fn send_next(&self, connection: &mut Connection) -> Result<bool, End> {
        let Some(bytes) = self.shared.lock().outbox.take(Instant::now()) else { return Ok(false) };
        match connection.multicast(&self.watch, &bytes) {
            Ok(()) => {
                self.shared.lock().outbox.sent(Instant::now());
                Ok(true)
            }
            Err(Refused::Broken(why)) => Err(End::Lost(why)),
            Err(Refused::NotNow) => {
                let refused_for = self.shared.lock().outbox.refused(bytes, Instant::now());
                if refused_for > self.settings.send_limit {
                    let seconds = self.settings.send_limit.as_secs_f64();
                    return Err(End::Lost(format!("corosync has taken no message for {seconds} s")));
                }
                Ok(false)
            }
        }
    }

    /// Tells an event; waits for room, but not for longer than a message may take.
    fn tell(&self, event: TransportEvent) -> Result<(), End> {
        let (start, mut event) = (Instant::now(), event);
        loop {
            match self.events.try_send(event) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(End::Stopped),
                Err(mpsc::error::TrySendError::Full(back)) => event = back,
            }
            if self.is_stopped() {
                return Err(End::Stopped);
            }
            if start.elapsed() > self.settings.send_limit {
                // Whoever does not listen holds the whole group up.
                return Err(End::Lost("this daemon does not take what is told in its group".to_owned()));
            }
            self.sleep(&[], Some(PAUSE));
        }
    }

    fn is_stopped(&self) -> bool {
        self.shared.lock().is_stopped || self.events.is_closed()
    }

    /// Sleeps until one of these is readable, the thread is woken, or the time is over.
    fn sleep(&self, descriptors: &[BorrowedFd<'_>], longest: Option<Duration>) {
        let mut polled: Vec<_> = descriptors.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        let waker = self.shared.waker();
        polled.push(PollFd::new(&waker, PollFlags::IN));
        let longest = longest.and_then(|longest| Timespec::try_from(longest).ok());
        // A signal wakes as well; whoever sleeps looks again.
        let _ = poll(&mut polled, longest.as_ref());
        self.shared.woken();
    }
}
