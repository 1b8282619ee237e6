//! Every crash point, and whatever somebody else may have done meanwhile.

use super::*;

const THEIRS: u32 = 33;

/// Set once, and set twice.
fn once() -> Held {
    Held::set(None, 5, 100)
}

fn twice() -> Held {
    Held::set(Some(&once()), 7, 5)
}

#[test]
fn the_value_before_the_first_wish_is_the_original_one() {
    let held = |wanted, original, replaced| Held {
        wanted_percent: wanted,
        original_percent: original,
        replaced_percent: replaced,
        is_ending: false,
    };
    assert_eq!(once(), held(5, 100, 100));
    assert_eq!(twice(), held(7, 100, 5));
    // The first wish was recorded, and a crash came before the knob was turned.
    assert_eq!(Held::set(Some(&once()), 7, 100), held(7, 100, 100));
    // Somebody else has set it meanwhile: theirs is what will be given back.
    assert_eq!(Held::set(Some(&once()), 7, THEIRS), held(7, THEIRS, THEIRS));
    // It was being given back when somebody wanted it again.
    assert_eq!(Held::set(Some(&once().ending()), 7, 100), held(7, 100, 100));
}

#[test]
fn what_is_found_decides_what_is_done() {
    use Turn::{Nothing, SomebodyElses, To};
    for (held, actual, expected) in [
        (once(), 5, Nothing),
        (once(), 100, To(5)),
        (once(), THEIRS, SomebodyElses(THEIRS)),
        (once().ending(), 5, To(100)),
        (once().ending(), 100, Nothing),
        (once().ending(), THEIRS, SomebodyElses(THEIRS)),
        (twice(), 7, Nothing),
        (twice(), 5, To(7)),
        // Nobody but somebody else has set the original value.
        (twice(), 100, SomebodyElses(100)),
        (twice().ending(), 7, To(100)),
        (twice().ending(), 5, To(100)),
        (twice().ending(), 100, Nothing),
        (twice().ending(), THEIRS, SomebodyElses(THEIRS)),
        // Whoever wants what is there anyway.
        (Held::set(None, 100, 100), 100, Nothing),
        (Held::set(None, 100, 100).ending(), 100, Nothing),
    ] {
        assert_eq!(held.turn(actual), expected, "{held:?} at {actual}");
    }
}

#[test]
fn a_crash_at_any_point_loses_neither_the_wish_nor_the_old_value() {
    /// The journal and the knob after the first so many durable steps of: wish 5, wish 7, give back.
    fn after(steps: usize) -> (Option<Held>, u32) {
        let (mut held, mut knob) = (None, 100);
        for step in 0..steps {
            match step {
                0 => held = Some(Held::set(held.as_ref(), 5, knob)),
                2 => held = Some(Held::set(held.as_ref(), 7, knob)),
                4 => held = held.map(Held::ending),
                _turned => {
                    if let Turn::To(percent) = held.unwrap().turn(knob) {
                        knob = percent;
                    }
                }
            }
        }
        (held, knob)
    }
    for (steps, wanted) in [(1, 5), (2, 5), (3, 7), (4, 7), (5, 100), (6, 100)] {
        let (held, knob) = after(steps);
        let held = held.unwrap();
        let found = match held.turn(knob) {
            Turn::To(percent) => percent,
            Turn::Nothing => knob,
            Turn::SomebodyElses(_) => panic!("nobody else was there: {held:?} at {knob}"),
        };
        assert_eq!(found, wanted, "after {steps} steps");
        assert_eq!(held.original_percent, 100, "after {steps} steps");
    }
}
