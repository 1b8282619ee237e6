//! The end of a daemon that has lockspaces, walked through as a table and at random.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Arc<str> {
    Arc::from(text)
}

fn seen(names: &[&str]) -> Event {
    Event::Quiet(names.iter().map(|text| Seen { name: name(text), is_busy: false }).collect())
}

fn left(text: &str) -> Event {
    Event::Left(name(text))
}

fn not_left(text: &str) -> Event {
    Event::NotLeft(name(text))
}

fn returned(text: &str) -> Event {
    Event::Returned(name(text))
}

fn leave(text: &str) -> Effect {
    Effect::Leave(name(text))
}

fn start(text: &str) -> Effect {
    Effect::Start(name(text))
}

fn refused(names: &[&str]) -> Effect {
    Effect::Serve(Refusal::NotLeft(names.iter().map(|text| name(text)).collect()))
}

/// What happens, one after the other, and what is done at each.
type Row = (&'static str, Vec<(Event, Vec<Effect>)>);

fn rows() -> Vec<Row> {
    let busy = |name: &str, is_busy| Seen { name: Arc::from(name), is_busy };
    vec![
        ("nothing is there", vec![(seen(&[]), vec![Effect::End])]),
        ("requests do not come to an end", vec![(Event::Late, vec![Effect::Serve(Refusal::Asked)])]),
        (
            "a lock is held in one",
            vec![(
                Event::Quiet(vec![busy("a", false), busy("b", true), busy("c", false)]),
                vec![Effect::Serve(Refusal::Busy(1))],
            )],
        ),
        (
            "all are left, dlm's global one last",
            vec![
                (seen(&["a", GLOBAL_LOCKSPACE, "b"]), vec![leave("a"), leave("b")]),
                (left("b"), vec![]),
                (left("a"), vec![leave(GLOBAL_LOCKSPACE)]),
                (left(GLOBAL_LOCKSPACE), vec![Effect::End]),
                (Event::Late, vec![]),
            ],
        ),
        ("only dlm's global one is there", vec![(seen(&[GLOBAL_LOCKSPACE]), vec![leave(GLOBAL_LOCKSPACE)])]),
        (
            "one cannot be left",
            vec![
                (seen(&["a", "b", "c"]), vec![leave("a"), leave("b"), leave("c")]),
                (left("a"), vec![]),
                (not_left("b"), vec![]),
                (left("c"), vec![start("a"), start("c")]),
                (returned("c"), vec![]),
                (returned("a"), vec![refused(&["b"])]),
            ],
        ),
        (
            "the global one cannot be left",
            vec![
                (seen(&["a", GLOBAL_LOCKSPACE]), vec![leave("a")]),
                (left("a"), vec![leave(GLOBAL_LOCKSPACE)]),
                (not_left(GLOBAL_LOCKSPACE), vec![start("a")]),
                (returned("a"), vec![refused(&[GLOBAL_LOCKSPACE])]),
            ],
        ),
        (
            "one is left when the others are being started again",
            vec![
                (seen(&["a", "b"]), vec![leave("a"), leave("b")]),
                (left("a"), vec![]),
                (Event::Late, vec![start("a")]),
                (left("b"), vec![start("b")]),
                (returned("a"), vec![]),
                (returned("b"), vec![refused(&["b"])]),
            ],
        ),
        (
            "one is left when all is over",
            vec![
                (seen(&["a"]), vec![leave("a")]),
                (Event::Late, vec![refused(&["a"])]),
                (left("a"), vec![start("a")]),
                (returned("a"), vec![]),
            ],
        ),
        (
            "one does not come back in time",
            vec![
                (seen(&["a", "b"]), vec![leave("a"), leave("b")]),
                (not_left("a"), vec![]),
                (left("b"), vec![start("b")]),
                (Event::Late, vec![refused(&["a"])]),
            ],
        ),
    ]
}

#[test]
fn an_end_is_of_all_lockspaces_or_of_none() {
    for (what, steps) in rows() {
        let mut closing = Closing::default();
        for (event, effects) in steps {
            assert_eq!(closing.apply(event.clone()), effects, "{what}: {event:?}");
        }
    }
}

/// The world beside the machine: which lockspaces are there, and what was asked of them and not answered yet.
#[derive(Default)]
struct World {
    there: BTreeSet<Arc<str>>,
    leaving: Vec<Arc<str>>,
    starting: Vec<Arc<str>>,
    verdict: Option<Effect>,
}

impl World {
    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Leave(name) => {
                    assert!(self.there.contains(&name) && !self.leaving.contains(&name));
                    self.leaving.push(name);
                }
                Effect::Start(name) => {
                    assert!(!self.there.contains(&name), "{name} was not left");
                    self.starting.push(name);
                }
                verdict @ (Effect::End | Effect::Serve(_)) => {
                    assert!(self.verdict.is_none(), "it was decided already");
                    self.verdict = Some(verdict);
                }
            }
        }
    }

    /// Answers one of the calls under way.
    fn event(&mut self, choice: usize, works: bool) -> Option<Event> {
        let (leaving, under_way) = (self.leaving.len(), self.leaving.len() + self.starting.len());
        let at = choice.checked_rem(under_way)?;
        if at >= leaving {
            let name = self.starting.remove(at - leaving);
            self.there.insert(Arc::clone(&name));
            return Some(Event::Returned(name));
        }
        let name = self.leaving.remove(at);
        Some(if works {
            self.there.remove(&name);
            Event::Left(name)
        } else {
            Event::NotLeft(name)
        })
    }
}

proptest! {
    #[test]
    fn whatever_the_lock_manager_says_and_when_all_are_gone_or_all_are_back(
        vgs in 0..12_usize,
        has_global in any::<bool>(),
        busy in proptest::option::weighted(0.1, 0..12_usize),
        steps in proptest::collection::vec((any::<usize>(), 0..20_u8), 60),
    ) {
        let mut names: Vec<_> = (0..vgs).map(|number| name(&format!("lvm_{number}"))).collect();
        names.extend(has_global.then(|| name(GLOBAL_LOCKSPACE)));
        let all: BTreeSet<_> = names.iter().cloned().collect();
        let mut world = World { there: all.clone(), ..World::default() };
        let seen = |(at, name): (usize, &Arc<str>)| Seen { name: Arc::clone(name), is_busy: Some(at) == busy };
        let mut closing = Closing::default();
        world.carry_out(closing.apply(Event::Quiet(names.iter().enumerate().map(seen).collect())));
        for (choice, luck) in steps {
            let event = if luck == 0 { Some(Event::Late) } else { world.event(choice, luck > 2) };
            if let Some(event) = event {
                world.carry_out(closing.apply(event));
            }
        }
        // Whatever is under way comes to an end, well, and a clock goes on.
        while let Some(event) = world.event(0, true) {
            world.carry_out(closing.apply(event));
        }
        match world.verdict {
            Some(Effect::End) => prop_assert!(world.there.is_empty()),
            Some(Effect::Serve(_)) => prop_assert_eq!(world.there, all),
            other => prop_assert!(false, "it was not decided: {:?}", other),
        }
    }
}
