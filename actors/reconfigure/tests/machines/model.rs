//! Every order of everything, for two or three hosts and one change, with up to two faults, by stateright.
//!
//! The states are those of the world itself, with the machines in it as they are; two states are taken for the same when
//! 64 bits of a hash are. What is done at once, and what may come first, is said in `world/quiet.rs`.
#![expect(clippy::print_stdout, reason = "how many states were looked at is told")]

use stateright::{Checker, Model, Property};

use crate::world::{Action, Flaw, Rules, World};
use lvmwarden_reconfigure::kind::Kind;

/// The worlds that are explored.
struct Explored {
    rules: Rules,
    faults: u32,
    from_prepare: bool,
}

impl Model for Explored {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![if self.from_prepare {
            World::prepared(self.rules, self.faults)
        } else {
            World::new(self.rules, self.faults)
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.violation.is_none() {
            match world.silent_delivery() {
                Some(action) => actions.push(action),
                None => actions.extend(world.actions()),
            }
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.step(&action);
        if let Action::Deliver { at, crash: true } = action
            && next.hosts[at].daemon.is_some()
        {
            // There was no record after which it could have died.
            return None;
        }
        if next.violation.is_none() && next.is_at_rest() {
            next.check_rest();
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no rule is broken", |_, world: &World| world.violation.is_none())]
    }
}

pub(crate) const RULES: Rules = Rules {
    hosts: 3,
    kind: Kind::Resize,
    unconcerned: None,
    unready: None,
    is_writer_late: false,
    objector: None,
    heals: true,
    has_few_faults: false,
    is_eager: true,
    flaw: None,
};

/// Explores everything from the proposal on, or from PREPARE on; returns the rule that is broken, if one is.
fn explore(rules: Rules, faults: u32, from_prepare: bool) -> Option<(&'static str, Vec<Action>)> {
    let checker = Explored { rules, faults, from_prepare }.checker().threads(2).spawn_dfs().join();
    println!(
        "{:>9} states, {:>9} steps, {:>2} at most in a row, {faults} faults: {rules:?}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
    );
    let path = checker.discovery("no rule is broken")?;
    let rule = path.last_state().violation.unwrap_or("none");
    Some((rule, path.into_actions()))
}

/// Explores everything, in which no rule may be broken.
#[track_caller]
fn is_well(rules: Rules, faults: u32, from_prepare: bool) {
    if let Some((rule, actions)) = explore(rules, faults, from_prepare) {
        panic!("{rule}: {actions:#?}");
    }
}

const DEATHS: Rules = Rules { has_few_faults: true, ..RULES };

#[test]
fn every_order_without_a_fault_comes_to_the_end() {
    for unconcerned in [None, Some(2)] {
        for (objector, unready) in [(None, None), (Some(1), None), (None, Some(1)), (None, Some(0))] {
            is_well(Rules { unconcerned, objector, unready, is_writer_late: true, ..RULES }, 0, false);
        }
    }
}

#[test]
fn two_hosts_and_two_deaths_or_partitions_that_do_not_heal() {
    is_well(Rules { hosts: 2, heals: false, ..DEATHS }, 2, true);
}

#[test]
fn three_hosts_and_a_death_or_a_partition_that_does_not_heal() {
    is_well(Rules { heals: false, ..DEATHS }, 1, true);
}

#[test]
fn any_fault_where_a_host_is_not_concerned_or_nothing_is_held() {
    is_well(Rules { unconcerned: Some(2), ..RULES }, 1, true);
    is_well(Rules { unconcerned: Some(1), heals: false, ..RULES }, 1, true);
    is_well(Rules { kind: Kind::RenameLv, heals: false, ..RULES }, 1, true);
}

#[test]
fn every_fault_in_the_rules_is_found() {
    for flaw in Flaw::ALL {
        let found = explore(Rules { heals: false, flaw: Some(flaw), ..RULES }, 1, true)
            .or_else(|| explore(Rules { hosts: 2, flaw: Some(flaw), ..RULES }, 2, true));
        println!("{flaw:?}: {:?}", found.as_ref().map(|(rule, _)| rule));
        assert!(found.is_some(), "{flaw:?} is not found");
    }
}

/// Longer than is good for an inner loop.
mod thorough {
    use super::*;

    #[test]
    fn two_hosts_and_any_two_faults() {
        is_well(Rules { hosts: 2, ..RULES }, 2, true);
    }

    /// A minute of one core.
    #[test]
    fn three_hosts_and_two_deaths_or_partitions_that_do_not_heal() {
        is_well(Rules { heals: false, ..DEATHS }, 2, true);
    }

    #[test]
    fn three_hosts_and_any_fault() {
        is_well(RULES, 1, true);
    }
}
