//! Who fills the cache, and under which name it was filled.
//!
//! ```text
//!                 begin                      end, by whoever began
//!   (empty) ───────────────▶ Updating ───────────────────────────▶ Filled(token)
//!      ▲                      │  ▲ │ begin, once it is overdue          │
//!      │ overdue, and noticed │  └─┘                                    │
//!      └──────────────────────┘  ▲                begin                 │
//!                                └──────────────────────────────────────┘
//! ```
//! *begin* is a `token_update` with the token `update in progress`, *end* one with another. It is noticed that an update is
//! overdue when another client wants to begin, or asks for the state of the cache. A token cannot be set without an update.
//!
//! Source: lvm2 2.02.188, lvmetad.

use std::time::Duration;

use lvmwarden_protocol::metadata::{Common, GlobalInfo, NONE, Operation, Reply, SKIP, UPDATE_IN_PROGRESS};

/// How much of a token is kept, in bytes.
const TOKEN_BYTES: usize = 127;
/// How much of a command's name is kept, in bytes.
const CMD_BYTES: usize = 31;

/// Why a request is refused that does not fit the state of the cache.
const POPULATED: &str = "another command has populated the cache";
/// Why a request of a client is refused whose update was taken over.
const PREEMPTED: &str = "another command has populated the lvmetad cache";

/// Under which name the cache was filled, and who fills it now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Token {
    /// It was never filled.
    #[default]
    Empty,
    /// A client fills it.
    Updating(Update),
    /// It was filled, by clients that look at the same devices as everybody who says this token.
    Filled(String),
}

/// A client that fills the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pid: i64,
    cmd: String,
    /// Since when, by a clock that never goes back.
    begin: Duration,
    /// For how long nobody may take over.
    timeout_seconds: i64,
}

impl Update {
    fn is_overdue(&self, now: Duration) -> bool {
        let age = now.as_secs().saturating_sub(self.begin.as_secs());
        i64::try_from(age).unwrap_or(i64::MAX) >= self.timeout_seconds
    }
}

impl Token {
    /// Returns the text that requests are compared with; empty where the cache was never filled.
    pub fn text(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Updating(_) => UPDATE_IN_PROGRESS,
            Self::Filled(token) => token,
        }
    }

    fn update_pid(&self) -> i64 {
        match self {
            Self::Updating(update) => update.pid,
            Self::Empty | Self::Filled(_) => 0,
        }
    }

    /// Returns the refusal of a request that may not be answered now; `None` if it may.
    ///
    /// Not for `hello` and `token_update`.
    pub fn refuse(&self, operation: &Operation, common: &Common) -> Option<Reply<'static>> {
        let received = common.token.as_deref().unwrap_or(NONE);
        let is_right = received == self.text() || received == SKIP || *operation == Operation::Dump;
        if !is_right {
            return Some(self.mismatch(received, POPULATED));
        }
        let (pid, holder) = (common.pid.unwrap_or(0), self.update_pid());
        let is_preempted = received == UPDATE_IN_PROGRESS && pid != 0 && holder != 0 && pid != holder;
        is_preempted.then(|| self.mismatch(received, PREEMPTED))
    }

    fn mismatch(&self, received: &str, reason: &str) -> Reply<'static> {
        Reply::TokenMismatch {
            expected: self.text().to_owned(),
            received: received.to_owned(),
            update_pid: self.update_pid(),
            reason: reason.to_owned(),
        }
    }

    /// Answers a `token_update`.
    pub fn update(&mut self, common: &Common, now: Duration) -> Reply<'static> {
        let wanted = common.token.as_deref().unwrap_or(NONE);
        let pid = common.pid.unwrap_or(0);
        match (&*self, wanted) {
            (Self::Updating(update), UPDATE_IN_PROGRESS) if !update.is_overdue(now) => Reply::TokenUpdating {
                expected: UPDATE_IN_PROGRESS.to_owned(),
                update_pid: update.pid,
                reason: POPULATED.to_owned(),
            },
            (Self::Empty | Self::Filled(_) | Self::Updating(_), UPDATE_IN_PROGRESS) => {
                let prev_token = self.text().to_owned();
                let cmd = shortened(common.cmd.as_deref().unwrap_or(NONE), CMD_BYTES);
                let timeout_seconds = common.update_timeout.unwrap_or(0);
                *self = Self::Updating(Update { pid, cmd, begin: now, timeout_seconds });
                Reply::TokenUpdated { prev_token, update_pid: pid }
            }
            (Self::Updating(update), _) if update.pid == pid => {
                *self = Self::Filled(shortened(wanted, TOKEN_BYTES));
                Reply::TokenUpdated { prev_token: UPDATE_IN_PROGRESS.to_owned(), update_pid: 0 }
            }
            (Self::Updating(_), _) => self.mismatch(wanted, POPULATED),
            (Self::Empty | Self::Filled(_), _) => {
                Reply::TokenUpdated { prev_token: String::new(), update_pid: 0 }
            }
        }
    }

    /// Gives up an update that has a time-out and is overdue.
    pub fn notice_overdue(&mut self, now: Duration) {
        let is_over = |update: &Update| update.timeout_seconds != 0 && update.is_overdue(now);
        if matches!(self, Self::Updating(update) if is_over(update)) {
            *self = Self::Empty;
        }
    }

    /// Says in `info` what is known.
    pub fn describe(&self, info: &mut GlobalInfo) {
        self.text().clone_into(&mut info.token);
        if let Self::Updating(update) = self {
            info.update_cmd.clone_from(&update.cmd);
            info.update_pid = update.pid;
            info.update_begin = i64::try_from(update.begin.as_secs()).unwrap_or(i64::MAX);
            info.update_timeout = update.timeout_seconds;
        }
    }
}

/// Returns the beginning of a text, of at most so many bytes.
fn shortened(text: &str, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text[..end.unwrap_or(0)].to_owned()
}
