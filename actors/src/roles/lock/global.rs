//! Which lockspace serves the global lock: what is daemon-wide about locks.
//!
//! dlm has a lockspace of its own for it, [`GLOBAL_LOCKSPACE`], which is there as long as a VG's is. With sanlock it is
//! one of the VGs' locks: the one whose lease is called enabled. Which of the two it is, the type of the global lock,
//! is fixed by an option, or chosen by the first request that says a type, or by what runs; it is open again when there
//! is no lockspace any more.
//!
//! ```text
//!              ┌─ open ──▶ probe the managers ──▶ exactly one runs: chosen; else refused
//!   lock_gl ───┼─ dlm ───▶ lvm_global, which is started first where it is missing
//!              └─ sanlock ─▶ the first started of the enabled ones; none: each is read once; none: refused
//! ```
//!
//! This is pure: the directory of lockspaces keeps it, tells it what has changed, and does what it says.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode, ResultFlags};

use super::lock_manager::GlobalLease;

/// The name of dlm's global lockspace.
pub const GLOBAL_LOCKSPACE: &str = "lvm_global";

/// What is known of all lockspaces together.
#[derive(Debug, Clone, Default)]
pub struct GlobalRules {
    /// By option, for ever.
    fixed: Option<LockType>,
    chosen: Option<LockType>,
    /// All that exist, in the order of their starts.
    lockspaces: Vec<Member>,
    /// The VG that was last made with an enabled global lock, until it is started.
    promised: Option<Arc<str>>,
    /// The last lockspace that was left whose global lock was in use.
    left_with_global: Option<Arc<str>>,
    was_removed: bool,
}

/// One lockspace.
#[derive(Debug, Clone)]
struct Member {
    name: Arc<str>,
    lock_type: LockType,
    global: GlobalLease,
}

/// Where a request for the global lock goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To this lockspace.
    To(Arc<str>),
    /// To [`GLOBAL_LOCKSPACE`], once it is started (dlm).
    Start,
    /// Back here, after the lock managers were probed.
    Probe,
    /// Back here, after these lockspaces have read what their global lock's lease is called.
    Search(Vec<Arc<str>>),
    /// Nowhere: the client is told -210.
    Refused,
}

/// What was done for a request already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// The lock managers were probed.
    pub probed: bool,
    /// The lockspaces were searched.
    pub searched: bool,
}

impl GlobalRules {
    /// Makes the rules of a daemon without lockspaces; `fixed` is the type that its options say.
    pub fn new(fixed: Option<LockType>) -> Self {
        Self { fixed, ..Self::default() }
    }

    /// Returns the type of the global lock, where it is fixed or chosen.
    pub fn lock_type(&self) -> Option<LockType> {
        self.fixed.or(self.chosen)
    }

    /// Takes in that a request says a type, which counts where none is known.
    pub fn request_says(&mut self, lock_type: LockType) {
        self.chosen = self.chosen.or(Some(lock_type));
    }

    /// Takes in which lock managers run, which counts where no type is known and it is exactly one.
    ///
    /// Source: lvm2 2.03.39; 2.03.16 takes the first of several.
    pub fn probed(&mut self, running: &[LockType]) {
        if let &[only] = running {
            self.request_says(only);
        }
    }

    /// Takes in that a lockspace exists from now on; one that was there is moved to the end.
    pub fn started(&mut self, name: &Arc<str>, lock_type: LockType) {
        self.lockspaces.retain(|member| member.name != *name);
        self.lockspaces.push(Member { name: Arc::clone(name), lock_type, global: GlobalLease::Absent });
        self.promised.take_if(|promised| *promised == *name);
        self.request_says(lock_type);
    }

    /// Takes in what the global lock's lease of a lockspace is called; returns whether [`Self::has_duplicates`] has
    /// changed, which all lockspaces of sanlock are to be told.
    pub fn learned(&mut self, name: &str, lease: GlobalLease) -> bool {
        let before = self.has_duplicates();
        let in_use = self.serving().is_some_and(|serving| **serving == *name);
        if let Some(member) = self.lockspaces.iter_mut().find(|member| *member.name == *name) {
            member.global = lease;
            if in_use && lease == GlobalLease::Absent {
                self.left_with_global = Some(Arc::clone(&member.name));
            }
        }
        before != self.has_duplicates()
    }

    /// Takes in that a lockspace is over; returns whether [`Self::has_duplicates`] has changed.
    pub fn gone(&mut self, name: &str) -> bool {
        let changed = self.learned(name, GlobalLease::Absent);
        self.lockspaces.retain(|member| *member.name != *name);
        if self.lockspaces.is_empty() {
            self.chosen = None;
        }
        changed
    }

    /// Takes in that a VG was removed, whose lockspace is over: the warning stays where it had the global lock of
    /// others.
    pub fn freed(&mut self, name: &str) {
        let had_global = self.left_with_global.take_if(|left| **left == *name).is_some();
        let has_others = self.lockspaces.iter().any(|member| member.lock_type == LockType::Sanlock);
        self.was_removed |= had_global && has_others;
    }

    /// Takes in that a client has enabled a global lock.
    pub fn enabled(&mut self) {
        self.was_removed = false;
    }

    /// Returns whether the global lock of a new VG is made enabled.
    pub fn new_vg_is_enabled(&self, asks_enable: bool, asks_disable: bool) -> bool {
        let is_first = self.lock_type() == Some(LockType::Sanlock)
            && self.lockspaces.is_empty()
            && self.promised.is_none();
        asks_enable || (!asks_disable && is_first)
    }

    /// Takes in that a VG was made with an enabled global lock: the next one is not, though this is not started yet.
    pub fn promised(&mut self, name: Arc<str>) {
        self.promised = Some(name);
    }

    /// Returns whether more than one lockspace has an enabled global lock, in whichever order they were started.
    pub fn has_duplicates(&self) -> bool {
        self.enabled_ones().nth(1).is_some()
    }

    /// Returns the lockspace of sanlock whose global lock is in use: the first one that is enabled.
    pub fn serving(&self) -> Option<&Arc<str>> {
        self.enabled_ones().next()
    }

    fn enabled_ones(&self) -> impl Iterator<Item = &Arc<str>> {
        let enabled = self.lockspaces.iter().filter(|member| member.global == GlobalLease::Enabled);
        enabled.map(|member| &member.name)
    }

    /// Returns where a request for the global lock goes, for which `effort` was made already.
    pub fn route(&self, mode: Option<LockMode>, effort: Effort) -> Route {
        match self.lock_type() {
            None if effort.probed => Route::Refused,
            None => Route::Probe,
            Some(LockType::Sanlock) => self.route_sanlock(effort),
            Some(LockType::Dlm | LockType::Idm) => match self.find(GLOBAL_LOCKSPACE) {
                Some(member) => Route::To(Arc::clone(&member.name)),
                None if matches!(mode, Some(LockMode::Shared | LockMode::Exclusive)) => Route::Start,
                None => Route::Refused,
            },
        }
    }

    fn route_sanlock(&self, effort: Effort) -> Route {
        if let Some(serving) = self.serving() {
            return Route::To(Arc::clone(serving));
        }
        let all = self.lockspaces.iter().filter(|member| member.lock_type == LockType::Sanlock);
        let names: Vec<_> = all.map(|member| Arc::clone(&member.name)).collect();
        if effort.searched || names.is_empty() { Route::Refused } else { Route::Search(names) }
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.lockspaces.iter().find(|member| *member.name == *name)
    }

    /// Looks whether the global lock of a VG may be enabled or disabled.
    ///
    /// # Errors
    /// -22: the global lock is not sanlock's; one is enabled already, where one is to be; -210: no such lockspace.
    pub fn may_switch(&self, name: &str, enable: bool) -> Result<(), ResultCode> {
        if matches!(self.lock_type(), Some(LockType::Dlm | LockType::Idm)) {
            return Err(ResultCode::INVALID);
        }
        let member = self.find(name).ok_or(ResultCode::NO_LOCKSPACE)?;
        if member.lock_type != LockType::Sanlock || (enable && self.serving().is_some()) {
            return Err(ResultCode::INVALID);
        }
        Ok(())
    }

    /// Returns whether a lockspace of this type needs dlm's global one, which is not there yet.
    pub fn needs_global_first(&self, lock_type: LockType) -> bool {
        lock_type == LockType::Dlm && self.find(GLOBAL_LOCKSPACE).is_none()
    }

    /// Returns whether dlm's global lockspace is there for no VG any more, and is to be stopped.
    pub fn global_is_idle(&self) -> bool {
        let has_vgs = self
            .lockspaces
            .iter()
            .any(|member| member.lock_type == LockType::Dlm && &*member.name != GLOBAL_LOCKSPACE);
        self.find(GLOBAL_LOCKSPACE).is_some() && !has_vgs
    }

    /// Returns what a reply with this result says beside it. `a_manager_runs`: whether any lock manager does.
    pub fn flags(&self, code: ResultCode, a_manager_runs: bool) -> ResultFlags {
        let mut flags = ResultFlags::NONE;
        if self.was_removed {
            flags = flags | ResultFlags::WARN_GL_REMOVED;
        }
        if code != ResultCode::NO_LOCKSPACE {
            return flags;
        }
        if self.lockspaces.is_empty() {
            flags = flags | ResultFlags::NO_LOCKSPACES;
        }
        match self.lock_type() {
            Some(LockType::Sanlock) if self.serving().is_none() => flags | ResultFlags::NO_GL_LS,
            Some(_) => flags,
            None if a_manager_runs => flags | ResultFlags::NO_GL_LS,
            None => flags | ResultFlags::NO_GL_LS | ResultFlags::NO_LM,
        }
    }
}

#[cfg(test)]
mod tests;
