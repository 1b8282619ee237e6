//! The rules of the contract's section on the lockspace that serves the global lock, row by row.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode, ResultFlags};

use super::{Effort, GLOBAL_LOCKSPACE, GlobalRules, Route};
use crate::roles::lock::lock_manager::GlobalLease;

const NO_EFFORT: Effort = Effort { probed: false, searched: false };
const ALL_EFFORT: Effort = Effort { probed: true, searched: true };
const SHARED: Option<LockMode> = Some(LockMode::Shared);

fn name(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// Rules with sanlock lockspaces started in this order.
fn sanlock(lockspaces: &[(&str, GlobalLease)]) -> GlobalRules {
    let mut rules = GlobalRules::new(None);
    for (lockspace, lease) in lockspaces {
        rules.started(&name(lockspace), LockType::Sanlock);
        rules.learned(lockspace, *lease);
    }
    rules
}

#[test]
fn the_option_is_static() {
    let mut rules = GlobalRules::new(Some(LockType::Dlm));
    rules.started(&name("lvm_vg"), LockType::Sanlock);
    rules.gone("lvm_vg");
    assert_eq!(rules.lock_type(), Some(LockType::Dlm));
    assert_eq!(rules.route(SHARED, NO_EFFORT), Route::Start);
}

#[test]
fn the_first_type_that_is_said_counts_until_there_is_no_lockspace_any_more() {
    let mut rules = GlobalRules::new(None);
    rules.request_says(LockType::Sanlock);
    rules.request_says(LockType::Dlm);
    assert_eq!(rules.lock_type(), Some(LockType::Sanlock));
    rules.started(&name("lvm_vg"), LockType::Sanlock);
    rules.gone("lvm_vg");
    assert_eq!(rules.lock_type(), None);
}

#[test]
fn what_runs_counts_if_it_is_exactly_one() {
    for (running, chosen) in [
        (&[][..], None),
        (&[LockType::Sanlock][..], Some(LockType::Sanlock)),
        (&[LockType::Dlm, LockType::Sanlock][..], None),
    ] {
        let mut rules = GlobalRules::new(None);
        assert_eq!(rules.route(SHARED, NO_EFFORT), Route::Probe);
        rules.probed(running);
        assert_eq!(rules.lock_type(), chosen, "{running:?}");
    }
    assert_eq!(GlobalRules::new(None).route(SHARED, ALL_EFFORT), Route::Refused);
}

#[test]
fn dlm_has_a_lockspace_of_its_own_that_is_started_on_demand() {
    let mut rules = GlobalRules::new(Some(LockType::Dlm));
    assert!(rules.needs_global_first(LockType::Dlm));
    assert!(!rules.needs_global_first(LockType::Sanlock));
    assert_eq!(rules.route(SHARED, NO_EFFORT), Route::Start);
    assert_eq!(rules.route(Some(LockMode::Exclusive), NO_EFFORT), Route::Start);
    for mode in [Some(LockMode::Unlocked), Some(LockMode::Null), None] {
        assert_eq!(rules.route(mode, NO_EFFORT), Route::Refused);
    }
    rules.started(&name(GLOBAL_LOCKSPACE), LockType::Dlm);
    assert_eq!(rules.route(SHARED, NO_EFFORT), Route::To(name(GLOBAL_LOCKSPACE)));
    assert!(!rules.needs_global_first(LockType::Dlm));
}

#[test]
fn dlms_global_lockspace_is_idle_when_the_last_vg_has_stopped() {
    let mut rules = GlobalRules::new(None);
    for lockspace in [GLOBAL_LOCKSPACE, "lvm_a", "lvm_b"] {
        rules.started(&name(lockspace), LockType::Dlm);
    }
    rules.gone("lvm_a");
    assert!(!rules.global_is_idle());
    rules.gone("lvm_b");
    assert!(rules.global_is_idle());
    rules.gone(GLOBAL_LOCKSPACE);
    assert!(!rules.global_is_idle());
}

#[test]
fn sanlocks_is_the_first_enabled_one_after_a_search() {
    let mut rules = sanlock(&[("lvm_a", GlobalLease::Disabled), ("lvm_b", GlobalLease::Disabled)]);
    let both = vec![name("lvm_a"), name("lvm_b")];
    assert_eq!(rules.route(SHARED, NO_EFFORT), Route::Search(both));
    assert_eq!(rules.route(SHARED, ALL_EFFORT), Route::Refused);
    rules.learned("lvm_b", GlobalLease::Enabled);
    assert_eq!(rules.route(SHARED, NO_EFFORT), Route::To(name("lvm_b")));
    assert_eq!(rules.serving(), Some(&name("lvm_b")));
}

#[test]
fn duplicates_are_seen_in_whichever_order_they_were_started_and_learned() {
    for order in [["lvm_a", "lvm_b"], ["lvm_b", "lvm_a"]] {
        let mut rules = sanlock(&[("lvm_a", GlobalLease::Absent), ("lvm_b", GlobalLease::Absent)]);
        assert!(!rules.learned(order[0], GlobalLease::Enabled));
        assert!(rules.learned(order[1], GlobalLease::Enabled));
        assert!(rules.has_duplicates());
        assert!(!rules.learned(order[1], GlobalLease::Enabled));
        assert!(rules.learned(order[0], GlobalLease::Disabled));
        assert_eq!(rules.serving(), Some(&name(order[1])));
    }
    let mut rules = sanlock(&[("lvm_a", GlobalLease::Enabled), ("lvm_b", GlobalLease::Enabled)]);
    assert!(rules.gone("lvm_a"));
    assert!(!rules.has_duplicates());
}

#[test]
fn a_global_lock_is_enabled_only_where_none_is_known_and_only_sanlocks() {
    let known = sanlock(&[("lvm_a", GlobalLease::Enabled), ("lvm_b", GlobalLease::Disabled)]);
    assert_eq!(known.may_switch("lvm_b", true), Err(ResultCode::INVALID));
    assert_eq!(known.may_switch("lvm_a", false), Ok(()));
    assert_eq!(known.may_switch("lvm_c", true), Err(ResultCode::NO_LOCKSPACE));
    let unknown = sanlock(&[("lvm_a", GlobalLease::Disabled)]);
    assert_eq!(unknown.may_switch("lvm_a", true), Ok(()));
    // The type is asked for first: also for a VG that nobody knows.
    let dlm = GlobalRules::new(Some(LockType::Dlm));
    assert_eq!(dlm.may_switch("lvm_c", true), Err(ResultCode::INVALID));
    assert_eq!(dlm.may_switch("lvm_c", false), Err(ResultCode::INVALID));
}

#[test]
fn a_new_vg_has_the_global_lock_if_it_is_the_first_or_if_that_is_asked_for() {
    let mut rules = GlobalRules::new(None);
    assert!(!rules.new_vg_is_enabled(false, false), "no type is chosen");
    rules.request_says(LockType::Sanlock);
    assert!(rules.new_vg_is_enabled(false, false));
    assert!(!rules.new_vg_is_enabled(false, true));
    assert!(rules.new_vg_is_enabled(true, false));
    rules.promised(name("lvm_a"));
    assert!(!rules.new_vg_is_enabled(false, false), "another one was just made");
    rules.started(&name("lvm_a"), LockType::Sanlock);
    rules.learned("lvm_a", GlobalLease::Disabled);
    assert!(!rules.new_vg_is_enabled(false, false), "a lockspace exists");
    assert!(rules.new_vg_is_enabled(true, false));
}

#[test]
fn the_vg_with_the_global_lock_is_missed_until_another_one_is_enabled() {
    let warn = ResultFlags::WARN_GL_REMOVED;
    let mut rules = sanlock(&[("lvm_a", GlobalLease::Enabled), ("lvm_b", GlobalLease::Disabled)]);
    rules.learned("lvm_a", GlobalLease::Absent);
    rules.gone("lvm_a");
    assert_eq!(rules.flags(ResultCode::OK, true), ResultFlags::NONE);
    rules.freed("lvm_a");
    assert_eq!(rules.flags(ResultCode::OK, true), warn);
    assert_eq!(rules.flags(ResultCode::NO_LOCKSPACE, true), warn | ResultFlags::NO_GL_LS);
    rules.learned("lvm_b", GlobalLease::Enabled);
    rules.enabled();
    assert_eq!(rules.flags(ResultCode::NO_LOCKSPACE, true), ResultFlags::NONE);
}

#[test]
fn removing_another_vg_or_the_last_one_is_no_loss() {
    let mut rules = sanlock(&[("lvm_a", GlobalLease::Enabled), ("lvm_b", GlobalLease::Disabled)]);
    rules.gone("lvm_b");
    rules.freed("lvm_b");
    rules.gone("lvm_a");
    rules.freed("lvm_a");
    assert_eq!(rules.flags(ResultCode::OK, true), ResultFlags::NONE);
}

#[test]
fn a_missing_lockspace_is_told_with_what_else_is_missing() {
    let none = ResultFlags::NO_LOCKSPACES;
    let no_global = none | ResultFlags::NO_GL_LS;
    let code = ResultCode::NO_LOCKSPACE;
    assert_eq!(GlobalRules::new(None).flags(code, true), no_global);
    assert_eq!(GlobalRules::new(None).flags(code, false), no_global | ResultFlags::NO_LM);
    assert_eq!(GlobalRules::new(Some(LockType::Sanlock)).flags(code, true), no_global);
    assert_eq!(GlobalRules::new(Some(LockType::Dlm)).flags(code, true), none);
    assert_eq!(GlobalRules::new(None).flags(ResultCode::AGAIN, false), ResultFlags::NONE);
    let started = sanlock(&[("lvm_a", GlobalLease::Enabled)]);
    assert_eq!(started.flags(code, true), ResultFlags::NONE);
    let disabled = sanlock(&[("lvm_a", GlobalLease::Disabled)]);
    assert_eq!(disabled.flags(code, true), ResultFlags::NO_GL_LS);
}
