//! What an operation does, how it went so far, and how often it may be tried again.

use std::time::Duration;

use lvmwarden_protocol::poll::StartRequest;
use uuid::Uuid;

use super::vocabulary::Target;
use crate::foundation::kernel::copying::Copied;
use crate::foundation::moment::Moment;

/// How often lvpoll is started again after a crash within [`CRASH_PERIOD`].
pub const CRASH_RESTARTS: usize = 3;
/// The window in which [`CRASH_RESTARTS`] are counted.
pub const CRASH_PERIOD: Duration = Duration::from_mins(1);
/// The wait before the first restart after a crash; it doubles with each one in the window.
pub const CRASH_DELAY: Duration = Duration::from_millis(200);

/// How often lvpoll is started again because it ended with 0 and the kernel still shows the operation.
pub const UNFINISHED_RESTARTS: u32 = 10;
/// The wait before the first such restart; it doubles up to [`UNFINISHED_DELAY_MAX`].
pub const UNFINISHED_DELAY: Duration = Duration::from_secs(1);
/// The longest wait before lvpoll is started again for an unfinished operation.
pub const UNFINISHED_DELAY_MAX: Duration = Duration::from_mins(1);

/// The wait before lvpoll is started again that did not find its LV.
pub const OUT_OF_SIGHT_DELAY: Duration = Duration::from_secs(1);
/// An lvpoll that does not find its LV for the second time in this time will not find it the third time either: its
/// configuration is another one than that of the command that began the operation.
pub const OUT_OF_SIGHT_PERIOD: Duration = Duration::from_mins(5);

/// How often in a row it is tried again to start lvpoll where memory, processes or descriptors are lacking.
pub const SHORTAGE_RESTARTS: u32 = 5;
/// The wait before it is first tried again; it doubles with each time.
pub const SHORTAGE_DELAY: Duration = Duration::from_millis(200);

/// The least time of silence that is worth a word.
///
/// Source: lvm2 2.03.16, `lvmpolld_internal_timeout` of an interval of up to 30 s.
pub const SILENCE_FLOOR: Duration = Duration::from_mins(1);

/// How often lvpoll may be started for a copy that is done, and leave everything as it was, before it is left to
/// watch by itself.
pub const FUTILE_STEPS: u32 = 3;

/// What an operation does, and how it went so far.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The operation's name in the journal and in its children's environment.
    pub op: Uuid,
    /// What was asked.
    pub request: StartRequest,
    /// The user who asked, where the connection told.
    pub uid: Option<u32>,
    /// How many times lvpoll was started, the running one included.
    pub attempt: u32,
    /// The latest child.
    pub pid: Option<u32>,
    /// The running lvpoll was asked to end: how it does says nothing about the operation.
    pub(super) is_relieved: bool,
    /// It is to wait at the end of a segment.
    pub is_paused: bool,
    /// When lvpoll crashed, oldest first, within [`CRASH_PERIOD`].
    pub(super) crashes: Vec<Moment>,
    /// How often lvpoll ended with 0 although the operation was not over.
    pub(super) unfinished: u32,
    /// When lvpoll last did not find its LV.
    pub(super) out_of_sight: Option<Moment>,
    /// The request says something else by now than the latest lvpoll was told.
    pub(super) is_renewed: bool,
    /// How often in a row lvpoll could not be started for lack of something.
    pub(super) shortages: u32,
    /// lvpoll watches by itself, whatever the mode.
    pub(super) has_fallen_back: bool,
    /// How far the copy was when lvpoll was started last to do something about it.
    pub(super) before_step: Option<Copied>,
    /// How often in a row lvpoll was started and left everything as it was.
    pub(super) futile_steps: u32,
}

impl Job {
    pub(super) fn new(op: Uuid, request: StartRequest, uid: Option<u32>) -> Self {
        Self {
            op,
            request,
            uid,
            attempt: 0,
            pid: None,
            is_relieved: false,
            is_paused: false,
            crashes: Vec::new(),
            unfinished: 0,
            out_of_sight: None,
            is_renewed: false,
            shortages: 0,
            has_fallen_back: false,
            before_step: None,
            futile_steps: 0,
        }
    }

    /// Returns how long the child may write nothing before it is called silent: two intervals, at least a minute.
    pub fn silence_limit(&self) -> Duration {
        (self.request.interval.duration() * 2).max(SILENCE_FLOOR)
    }

    /// Takes note that lvpoll is started because a segment is copied; `false` when that has led to nothing too often.
    pub(super) fn steps_on(&mut self, copied: Option<Copied>) -> bool {
        self.futile_steps = if copied == self.before_step { self.futile_steps + 1 } else { 0 };
        self.before_step = copied;
        self.futile_steps < FUTILE_STEPS
    }

    /// Returns the wait before lvpoll is started again after a crash, or `None` when it crashed too often.
    pub(super) fn delay_after_crash(&mut self, now: Moment) -> Option<Duration> {
        self.crashes.retain(|&crash| now.saturating_sub(crash) < CRASH_PERIOD);
        let restarts = self.crashes.len();
        self.crashes.push(now);
        (restarts < CRASH_RESTARTS).then(|| CRASH_DELAY * (1 << restarts))
    }

    /// Returns the wait before lvpoll is started again for an unfinished operation, or `None` when it was often
    /// enough.
    pub(super) fn delay_when_unfinished(&mut self) -> Option<Duration> {
        let restarts = self.unfinished;
        self.unfinished += 1;
        (restarts < UNFINISHED_RESTARTS)
            .then(|| (UNFINISHED_DELAY * (1 << restarts.min(16))).min(UNFINISHED_DELAY_MAX))
    }

    /// Returns the wait before lvpoll is started again that did not find its LV, or `None` when it was the second time.
    pub(super) fn delay_when_out_of_sight(&mut self, now: Moment) -> Option<Duration> {
        let before = self.out_of_sight.replace(now);
        let is_second = before.is_some_and(|before| now.saturating_sub(before) < OUT_OF_SIGHT_PERIOD);
        (!is_second).then_some(OUT_OF_SIGHT_DELAY)
    }

    /// Has the next lvpoll told this; returns whether that is something else than before.
    pub(super) fn renew(&mut self, target: Target) -> bool {
        let is_other = Target::of(&self.request) != target;
        if is_other {
            target.apply_to(&mut self.request);
            self.is_renewed = true;
        }
        is_other
    }

    /// Somebody asks again: what did not help before may help now.
    pub(super) fn forgive(&mut self) {
        (self.unfinished, self.out_of_sight) = (0, None);
    }

    /// Returns the wait before it is tried again to start lvpoll where the system lacked something, or `None` when it
    /// was often enough.
    pub(super) fn delay_after_shortage(&mut self) -> Option<Duration> {
        let restarts = self.shortages;
        self.shortages += 1;
        (restarts < SHORTAGE_RESTARTS).then(|| SHORTAGE_DELAY * (1 << restarts))
    }
}
