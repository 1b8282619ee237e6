//! The commented configuration file, and lvmwarden.toml(5) from it.

use roff::{Roff, bold, roman};

use super::Page;
use super::man::title;

/// Makes both.
pub(super) fn pages() -> [Page; 2] {
    let defaults = lvmwarden::daemon::default_configuration();
    let text = title("lvmwarden.toml", 5)
        + include_str!("lvmwarden.toml.roff")
        + &keys(&defaults)
        + include_str!("lvmwarden.toml.end.roff");
    [Page::new("packaging/lvmwarden.toml", defaults), Page::new("docs/man/lvmwarden.toml.5", text)]
}

/// Makes a part for each section of the file, with an entry for each key: its default, then the remarks above it.
fn keys(defaults: &str) -> String {
    let mut roff = Roff::new();
    roff.control("SH", ["SECTIONS AND KEYS"]);
    let mut is_in_section = false;
    for block in defaults.split("\n\n").map(str::trim) {
        if block.starts_with('[') {
            is_in_section = true;
            roff.control("SS", [block]);
        } else if is_in_section {
            entry(&mut roff, block);
        }
    }
    roff.to_roff()
}

fn entry(roff: &mut Roff, block: &str) {
    // A remark has a space behind the sign, a key that is commented out has none.
    let is_remark = |line: &&str| line.starts_with("# ");
    let (remarks, keys): (Vec<_>, Vec<_>) = block.lines().partition(is_remark);
    for key in keys {
        roff.control("TP", []).text([bold(key.trim_start_matches('#'))]);
    }
    for sentence in remarks.iter().map(|line| line.trim_start_matches("# ")) {
        if sentence.starts_with("Permitted:") {
            roff.control("br", []);
        }
        roff.text([roman(sentence)]);
    }
}
