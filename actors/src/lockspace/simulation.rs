//! Several hosts over one lock manager, played through in steps that a seed decides: requests, clients that die, answers
//! that come late or are errors, daemons that are killed and take over, hosts that are reset.
//!
//! What clients may believe is the reference: it is kept from what they have asked and were told, never from the
//! machine. After every step, whatever anybody believes to hold is compatible with what everybody else does, on all
//! hosts, and is held in the lock manager. At the end everybody was answered, and nothing is left behind.

mod grid;
mod host;
mod random;

use std::time::Duration;

use lvmwarden_protocol::lock::LockMode;
use proptest::prelude::*;

use grid::Grid;
use host::{Belief, Host};
use random::Random;

/// How a run is played.
#[derive(Debug, Clone, Copy)]
struct Plan {
    seed: u64,
    hosts: usize,
    steps: usize,
    /// In how many of a hundred calls the lock manager fails.
    faults: u64,
}

struct World {
    random: Random,
    grid: Grid,
    hosts: Vec<Host>,
    now: Duration,
}

impl World {
    fn new(plan: Plan) -> Self {
        let mut hosts: Vec<_> = (0..plan.hosts).map(Host::new).collect();
        let now = Duration::from_secs(1);
        for host in &mut hosts {
            host.start(now);
        }
        Self { random: Random::new(plan.seed), grid: Grid::new(plan.faults), hosts, now }
    }

    fn play(&mut self, plan: Plan) {
        for _ in 0..plan.steps {
            self.step();
            self.check();
        }
        self.calm_down();
    }

    fn step(&mut self) {
        let at = self.random.below(self.hosts.len());
        let host = &mut self.hosts[at];
        match self.random.below(100) {
            0..45 => host.ask_something(&mut self.random, self.now),
            45..75 => host.answer_a_call(&mut self.grid, &mut self.random, self.now),
            75..85 => {
                self.now += Duration::from_millis(u64::from(self.random.small(1500)));
                self.hosts.iter_mut().for_each(|host| host.wake(self.now));
            }
            85..92 => host.lose_a_client(&mut self.random, self.now),
            92..95 => host.overdue(&mut self.random, self.now),
            95..97 => host.stop_and_start(&mut self.random, self.now),
            97..99 => host.kill_the_daemon(&mut self.grid, self.now),
            _ => host.reset(&mut self.grid, self.now),
        }
    }

    /// Lets everything come to an end: no faults any more, and nobody holds anything for long.
    fn calm_down(&mut self) {
        self.grid.faults = 0;
        for _ in 0..200 {
            self.settle();
            for host in &mut self.hosts {
                host.send_home_those_in_the_way(self.now);
                host.unlock_persistent(self.now);
            }
        }
        self.settle();
        for host in &self.hosts {
            host.check_that_nothing_is_left();
        }
        self.grid.check_that_nothing_is_left();
    }

    fn settle(&mut self) {
        for _ in 0..3 {
            for host in &mut self.hosts {
                host.answer_all_calls(&mut self.grid, &mut self.random, self.now);
            }
            self.now += Duration::from_millis(700);
            self.hosts.iter_mut().for_each(|host| host.wake(self.now));
            self.check();
        }
    }

    fn check(&self) {
        let beliefs: Vec<(usize, &Belief)> = self
            .hosts
            .iter()
            .enumerate()
            .flat_map(|(at, host)| host.beliefs.iter().map(move |belief| (at, belief)))
            .collect();
        for (at, belief) in &beliefs {
            let held = self.grid.mode(*at, &belief.resource);
            assert!(held >= belief.mode, "host {at} has {held} and somebody believes {belief:?}");
            invariant_compatible(*at, belief, &beliefs);
        }
        self.hosts.iter().for_each(Host::check_picture);
    }
}

/// Nobody believes to hold a lock alone that somebody else believes to hold as well.
fn invariant_compatible(at: usize, belief: &Belief, all: &[(usize, &Belief)]) {
    let others = all.iter().filter(|(host, other)| {
        other.resource == belief.resource && (*host, other.owner) != (at, belief.owner)
    });
    for (host, other) in others {
        let is_fine = belief.mode == LockMode::Shared && other.mode == LockMode::Shared;
        assert!(is_fine, "host {at} {belief:?} beside host {host} {other:?}");
    }
}

fn play(plan: Plan) {
    World::new(plan).play(plan);
}

#[test]
fn one_host_with_a_lock_manager_that_does_not_fail() {
    for seed in 0..60 {
        play(Plan { seed, hosts: 1, steps: 400, faults: 0 });
    }
}

#[test]
fn one_host_with_failures() {
    for seed in 0..60 {
        play(Plan { seed, hosts: 1, steps: 400, faults: 15 });
    }
}

#[test]
fn several_hosts_with_conflicts_failures_and_crashes() {
    for seed in 0..60 {
        play(Plan { seed, hosts: 2 + usize::try_from(seed % 3).unwrap(), steps: 600, faults: 10 });
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let plan = Plan { seed: 7, hosts: 3, steps: 500, faults: 10 };
    let played = || {
        let mut world = World::new(plan);
        world.play(plan);
        (world.now, world.random.next(), world.hosts.iter().map(|host| host.told).collect::<Vec<_>>())
    };
    assert_eq!(played(), played());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_seed_any_number_of_hosts(
        seed in any::<u64>(), hosts in 1..5_usize, steps in 50..500_usize, faults in 0..40_u64,
    ) {
        play(Plan { seed, hosts, steps, faults });
    }
}
