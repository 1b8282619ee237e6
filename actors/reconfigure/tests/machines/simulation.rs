//! The world played at random: a seed decides every step, so a run that fails is played again by its seed.

use lvmwarden_reconfigure::kind::Kind;

use crate::random::Random;
use crate::world::{Action, Flaw, Rules, World};

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    pub(crate) steps: u64,
    pub(crate) committed: u64,
    pub(crate) abandoned: u64,
}

/// A run that has broken a rule.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    pub(crate) steps: Vec<Action>,
}

/// Returns how many steps no run takes that is well: whoever joins is greeted by all, and greets all.
fn steps_limit(hosts: usize) -> usize {
    20_000 + 50 * hosts * hosts
}

/// Returns the rules of a run: what kind, who is not concerned, who objects.
pub(crate) fn rules_of(random: &mut Random, hosts: usize, flaw: Option<Flaw>) -> Rules {
    let kind = if random.percent(85) { Kind::Resize } else { Kind::RenameLv };
    let mut some = |share| random.percent(share).then(|| 1 + random.below(hosts.max(2) - 1));
    let (unconcerned, objector, unready) = (some(20), some(5), some(3));
    Rules {
        hosts,
        kind,
        unconcerned,
        objector,
        unready,
        is_writer_late: true,
        heals: true,
        has_few_faults: false,
        is_eager: false,
        flaw,
    }
}

/// Plays one run to its end.
pub(crate) fn play(seed: u64, hosts: usize, flaw: Option<Flaw>, tally: &mut Tally) -> Result<World, Broken> {
    let mut random = Random::new(seed);
    let rules = rules_of(&mut random, hosts, flaw);
    let faults = u32::try_from(random.below((4 + hosts / 2).min(12))).expect("few faults");
    let mut world = World::new(rules, faults);
    let mut steps = Vec::new();
    let broken = |rule, steps| Err(Broken { rule, steps });
    // Fewer faults in a long run than in a short one: they come anywhere in it.
    let haste = 2 + random.below(12) as u64;
    loop {
        if let Some(rule) = world.violation {
            return broken(rule, steps);
        }
        if world.is_at_rest() && (world.faults == 0 || random.percent(50)) {
            break;
        }
        if steps.len() >= steps_limit(hosts) {
            return broken("I-5: it does not end", steps);
        }
        let (faults, calm): (Vec<_>, Vec<_>) = world.actions().into_iter().partition(Action::is_fault);
        let is_fault = calm.is_empty() || (!faults.is_empty() && random.percent(haste));
        let choice = if is_fault { &faults } else { &calm };
        let Some(action) = choice.get(random.below(choice.len().max(1))).cloned() else { break };
        world.step(&action);
        steps.push(action);
    }
    world.check_rest();
    tally.runs += 1;
    tally.steps += steps.len() as u64;
    tally.committed += u64::from(world.told.committed);
    tally.abandoned += u64::from(world.told.abandoned);
    match world.violation {
        Some(rule) => broken(rule, steps),
        None => Ok(world),
    }
}

/// Plays one run, which must break no rule.
#[track_caller]
fn play_well(seed: u64, hosts: usize, tally: &mut Tally) {
    if let Err(broken) = play(seed, hosts, None, tally) {
        panic!("seed {seed}, {hosts} hosts: {}\n{}", broken.rule, story(&broken.steps, hosts, seed));
    }
}

/// A million steps, whatever the seeds are.
#[test]
fn hosts_that_die_pause_part_and_come_back_agree_about_every_change() {
    let mut tally = Tally::default();
    for seed in 0.. {
        let hosts = 2 + usize::try_from(seed % 5).unwrap_or(0) + if seed % 40 == 0 { 9 } else { 0 };
        play_well(seed, hosts, &mut tally);
        if tally.steps >= 1_000_000 {
            break;
        }
    }
    assert!(tally.committed * 20 > tally.runs && tally.abandoned * 20 > tally.runs, "{tally:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let play =
        |seed| play(seed, 4, None, &mut Tally::default()).map(|world| world.shown()).unwrap_or_default();
    assert_eq!(play(7), play(7));
}

/// Returns how many runs it takes to find a flaw.
fn runs_to_find(flaw: Flaw) -> Option<(u64, &'static str)> {
    (0..20_000).find_map(|seed| {
        let hosts = 3 + usize::try_from(seed % 2).unwrap_or(0);
        let broken = play(seed, hosts, Some(flaw), &mut Tally::default()).err()?;
        // Without it, the same run is well.
        play_well(seed, hosts, &mut Tally::default());
        Some((seed, broken.rule))
    })
}

#[test]
fn every_fault_in_the_rules_is_found() {
    for flaw in Flaw::ALL {
        let runs = runs_to_find(flaw);
        println!("{flaw:?}: {runs:?}");
        assert!(runs.is_some(), "{flaw:?} is not found");
    }
}
/// Returns the steps of a run, one a line, with what each has changed.
fn story(steps: &[Action], hosts: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let rules = rules_of(&mut random, hosts, None);
    let mut world = World::new(rules, u32::MAX);
    let mut lines = vec![format!("{rules:?}")];
    for step in steps {
        let before = world.shown();
        let item = if let Action::Deliver { at, .. } = step {
            format!("{:?}", world.hosts[*at].inbox.front())
        } else {
            String::new()
        };
        world.step(step);
        let after = world.shown();
        let changed = after.iter().filter(|line| !before.contains(line)).cloned().collect::<Vec<_>>();
        lines.push(format!("{step:?} {item}\n        {}", changed.join("\n        ")));
    }
    lines.push(world.shown().join("\n"));
    lines.join("\n")
}

/// Longer than is good for an inner loop.
mod thorough {
    use super::*;

    #[test]
    fn sixty_four_hosts_agree_as_well() {
        for seed in 0..4 {
            play_well(seed, 64, &mut Tally::default());
        }
    }
}
