//! `poll throttle`: the kernel's knobs that slow copies down.

use lvmwarden_protocol::api::poll::{Throttle, ThrottleKnob, Throttling};

use crate::cli::arguments;
use crate::cli::failure::Failure;
use crate::cli::screen::{DIM, ODD, Screen, USUAL, styled};
use crate::cli::table::{Cell, Table};

/// What has to be known of a knob before it is turned.
const WARNING: &str = "Each value holds for all such copies on this host, not for one operation.\n";

/// Sets them, gives them back, or shows them.
pub(super) fn run(screen: &mut Screen, options: &arguments::Throttle) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let shown = client.call(&Throttling {})?;
    let is_asked = options.off || options.mirror.is_some() || options.snapshot.is_some();
    if !is_asked {
        return screen.answer(&shown, |reply| table(&reply.knobs));
    }
    // What is not named stays as it is, unless it is given back.
    let wanted = |name: &str| {
        let knob = shown.reply.knobs.iter().find(|knob| knob.name == name);
        if options.off { None } else { knob.and_then(|knob| knob.wanted_percent) }
    };
    let wish = Throttle {
        mirror_percent: options.mirror.or_else(|| wanted("mirror")),
        snapshot_percent: options.snapshot.or_else(|| wanted("snapshot")),
    };
    let answer = client.call(&wish).map_err(|error| error.about("the throttle"))?;
    screen.answer(&answer, |reply| table(&reply.knobs))
}

fn table(knobs: &[ThrottleKnob]) -> String {
    let percent = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |value| format!("{value} %"));
    let mut table = Table::with_heading(["KNOB", "WANTED", "NOW", "BEFORE", "SLOWS DOWN"]);
    for knob in knobs {
        let is_odd = knob.wanted_percent.is_some() && knob.wanted_percent != knob.actual_percent;
        table.row([
            Cell::new(&knob.name),
            Cell::number(percent(knob.wanted_percent)),
            Cell::number(percent(knob.actual_percent)).style(if is_odd { ODD } else { USUAL }),
            Cell::number(percent(knob.original_percent)),
            Cell::new(&knob.scope),
        ]);
    }
    table.lines("") + &styled(WARNING, DIM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::bare;

    #[test]
    fn each_knob_is_shown_with_what_it_holds_for() {
        let knob = |name: &str, wanted, actual, original| ThrottleKnob {
            name: name.to_owned(),
            scope: format!("all of {name}"),
            path: "/sys/x".to_owned(),
            wanted_percent: wanted,
            original_percent: original,
            actual_percent: actual,
        };
        let knobs = [knob("mirror", Some(5), Some(5), Some(100)), knob("snapshot", None, None, None)];
        assert_eq!(
            bare(&table(&knobs)),
            "\
KNOB      WANTED  NOW  BEFORE  SLOWS DOWN
mirror       5 %  5 %   100 %  all of mirror
snapshot       -    -       -  all of snapshot
Each value holds for all such copies on this host, not for one operation.
"
        );
    }
}
