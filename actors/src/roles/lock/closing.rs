//! The orderly end of a daemon that leaves its lockspaces: all of them, or none.
//!
//! ```text
//!            is asked to end             nobody asks any more,            the last was left
//!                                        and nothing is held
//!   Serving ─────────────────▶ Quieting ─────────────────────▶ Leaving ─────────────────▶ Ended
//!      ▲                          │ a lock is held,               │ one is not left,
//!      │                          │ somebody still asks           │ or not in time
//!      │◀─────────────────────────┘                               ▼
//!      └────────────────────────────────────────────────────── Returning
//!          each that was left is started again, or could not be
//! ```
//!
//! Requests wait, and none is answered, from [`Step::Quieting`] until [`Step::Serving`]: whoever asks for a lock or a start
//! meanwhile is served afterwards, or sees the daemon end. dlm's global lockspace is left last, as VGs need it.
//! One that is left after its time is started again as well: [`Step::Serving`] takes [`Event::Left`] still.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::global::GLOBAL_LOCKSPACE;
use crate::roles::lock::lockspace::picture::{LockspacePicture, Stage};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nobody asks for anything any more, and this is there.
    Quiet(Vec<Seen>),
    /// A lockspace was left.
    Left(Arc<str>),
    /// A lockspace was not left; it is as it was.
    NotLeft(Arc<str>),
    /// A lockspace is started again, or cannot be.
    Returned(Arc<str>),
    /// The time for this step is over.
    Late,
}

/// A lockspace, as far as an end is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: Arc<str>,
    /// It cannot be left: somebody holds a lock, waits for one, or it is being started or left.
    pub is_busy: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A lockspace is left, unless a lock is held in it.
    Leave(Arc<str>),
    /// One that was left is started again.
    Start(Arc<str>),
    /// The daemon ends.
    End,
    /// Requests are served again, as before.
    Serve(Refusal),
}

/// Why a daemon does not end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// In so many lockspaces a lock is held, is waited for, or is being started.
    #[error("a lock is held, or asked for, in {0} of them")]
    Busy(usize),
    /// A request is being answered, and that takes too long.
    #[error("a request is being answered")]
    Asked,
    /// These could not be left; those that were are started again.
    #[error("the lock manager does not let {} go", .0.iter().map(|name| &**name).collect::<Vec<_>>().join(", "))]
    NotLeft(BTreeSet<Arc<str>>),
}

impl Refusal {
    /// Returns how many lockspaces are in the way.
    pub fn lockspaces(&self) -> usize {
        match self {
            Self::Busy(count) => *count,
            Self::Asked => 0,
            Self::NotLeft(names) => names.len(),
        }
    }
}

/// How far the end is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Step {
    /// Requests wait; those that were there before are still being answered.
    #[default]
    Quieting,
    /// These are being left.
    Leaving(BTreeSet<Arc<str>>),
    /// These are being started again.
    Returning(BTreeSet<Arc<str>>),
    /// Requests are served, as if nothing had been asked.
    Serving,
    /// The daemon ends.
    Ended,
}

/// The end of a daemon, from when it was asked for until it is decided.
#[derive(Debug, Default)]
pub struct Closing {
    step: Step,
    left: BTreeSet<Arc<str>>,
    not_left: BTreeSet<Arc<str>>,
    global: Option<Arc<str>>,
}

impl Closing {
    /// Returns how far it is.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// Takes in what has happened; returns what is to be done.
    pub fn apply(&mut self, event: Event) -> Vec<Effect> {
        match (&mut self.step, event) {
            (Step::Quieting, Event::Quiet(seen)) => self.quiet(seen),
            (Step::Quieting, Event::Late) => self.serve(Refusal::Asked),
            (Step::Leaving(under_way), Event::Left(name)) => {
                under_way.remove(&name);
                self.left.insert(name);
                self.go_on_leaving()
            }
            (Step::Leaving(under_way), Event::NotLeft(name)) => {
                under_way.remove(&name);
                self.not_left.insert(name);
                self.go_on_leaving()
            }
            (Step::Leaving(under_way), Event::Late) => {
                self.not_left.append(under_way);
                self.return_all()
            }
            (Step::Returning(under_way), Event::Left(name)) => {
                under_way.insert(Arc::clone(&name));
                vec![Effect::Start(name)]
            }
            (Step::Serving, Event::Left(name)) => vec![Effect::Start(name)],
            (Step::Returning(under_way), Event::Returned(name)) => {
                under_way.remove(&name);
                self.go_on_returning()
            }
            (Step::Returning(_), Event::Late) => self.serve_again(),
            (Step::Quieting, Event::Left(_) | Event::NotLeft(_) | Event::Returned(_))
            | (Step::Leaving(_), Event::Quiet(_) | Event::Returned(_))
            | (Step::Returning(_), Event::Quiet(_) | Event::NotLeft(_))
            | (Step::Serving, Event::Quiet(_) | Event::NotLeft(_) | Event::Returned(_) | Event::Late)
            | (
                Step::Ended,
                Event::Quiet(_) | Event::Left(_) | Event::NotLeft(_) | Event::Returned(_) | Event::Late,
            ) => Vec::new(),
        }
    }

    fn quiet(&mut self, seen: Vec<Seen>) -> Vec<Effect> {
        let busy = seen.iter().filter(|seen| seen.is_busy).count();
        if busy > 0 {
            return self.serve(Refusal::Busy(busy));
        }
        let (global, vgs): (Vec<_>, Vec<_>) =
            seen.into_iter().map(|seen| seen.name).partition(|name| &**name == GLOBAL_LOCKSPACE);
        self.global = global.into_iter().next();
        let leaves = vgs.iter().map(|name| Effect::Leave(Arc::clone(name))).collect();
        self.step = Step::Leaving(vgs.into_iter().collect());
        if matches!(&self.step, Step::Leaving(under_way) if under_way.is_empty()) {
            return self.go_on_leaving();
        }
        leaves
    }

    fn go_on_leaving(&mut self) -> Vec<Effect> {
        if !matches!(&self.step, Step::Leaving(under_way) if under_way.is_empty()) {
            return Vec::new();
        }
        if !self.not_left.is_empty() {
            return self.return_all();
        }
        if let Some(global) = self.global.take() {
            self.step = Step::Leaving(BTreeSet::from([Arc::clone(&global)]));
            return vec![Effect::Leave(global)];
        }
        self.step = Step::Ended;
        vec![Effect::End]
    }

    fn return_all(&mut self) -> Vec<Effect> {
        let left = std::mem::take(&mut self.left);
        let starts = left.iter().map(|name| Effect::Start(Arc::clone(name))).collect();
        self.step = Step::Returning(left);
        [starts, self.go_on_returning()].concat()
    }

    fn go_on_returning(&mut self) -> Vec<Effect> {
        if matches!(&self.step, Step::Returning(under_way) if under_way.is_empty()) {
            return self.serve_again();
        }
        Vec::new()
    }

    fn serve_again(&mut self) -> Vec<Effect> {
        let not_left = std::mem::take(&mut self.not_left);
        self.serve(Refusal::NotLeft(not_left))
    }

    fn serve(&mut self, refusal: Refusal) -> Vec<Effect> {
        self.step = Step::Serving;
        vec![Effect::Serve(refusal)]
    }
}

impl Seen {
    /// Returns what an end has to know of a lockspace; nothing of one that is over.
    pub fn of(picture: &LockspacePicture) -> Option<Self> {
        let is_busy = match picture.stage {
            Stage::New | Stage::Starting | Stage::Stopping => true,
            Stage::Running => picture.is_in_use(),
            Stage::Finished | Stage::Failed => return None,
        };
        Some(Self { name: Arc::clone(&picture.spec.name), is_busy })
    }
}

#[cfg(test)]
mod tests;
