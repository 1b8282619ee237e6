//! org.lvmwarden(7): the API, from the `.varlink` texts.

use lvmwarden_protocol::api::INTERFACES;
use roff::{Roff, roman};

use super::Page;
use super::man::{title, verbatim};

/// Makes it.
pub(super) fn page() -> Page {
    let mut text = title("org.lvmwarden", 7) + include_str!("org.lvmwarden.roff");
    for (name, description) in INTERFACES {
        let mut section = Roff::new();
        section.control("SH", [format!("INTERFACE {name}").as_str()]);
        for block in description.split("\n\n") {
            let (remarks, words): (Vec<_>, Vec<_>) = block.lines().partition(|line| line.starts_with('#'));
            section.control("PP", []);
            section.text([roman(
                remarks.iter().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join(" "),
            )]);
            verbatim(&mut section, &words.join("\n"));
        }
        text += &section.to_roff();
    }
    text += include_str!("org.lvmwarden.end.roff");
    Page::new("docs/man/org.lvmwarden.7", text)
}
