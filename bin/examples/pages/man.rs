//! The pages of the two programs: lvmwarden(1) and lvmwardend(8).

use clap::Command;
use clap_mangen::Man;
use roff::{Inline, Roff, bold, roman};

use super::Page;

/// Makes lvmwarden(1).
pub(super) fn lvmwarden() -> Page {
    let command = lvmwarden::cli::command();
    let mut text = head(&command, 1) + &commands(&command);
    let mut codes = Roff::new();
    codes.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in lvmwarden::cli::exit_codes() {
        codes.control("TP", []).text([bold(code.to_string())]).text([roman(meaning)]);
    }
    text += &codes.to_roff();
    text += include_str!("lvmwarden.roff");
    Page::new("docs/man/lvmwarden.1", text)
}

/// Makes lvmwardend(8).
pub(super) fn lvmwardend() -> Page {
    let command = lvmwarden::daemon::command();
    let text = head(&command, 8) + &commands(&command) + include_str!("lvmwardend.roff");
    Page::new("docs/man/lvmwardend.8", text)
}

/// What `clap_mangen` and roff put before everything else; a page needs it once.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// Makes the beginning of a page, with its title.
pub(super) fn title(name: &str, section: u8) -> String {
    let mut roff = Roff::new();
    let version = concat!("lvmwarden ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [name, &section.to_string(), "", version, "lvmwarden"]);
    roff.render()
}

/// Makes everything from the title to the options.
fn head(command: &Command, section: u8) -> String {
    let man = Man::new(without_subcommand_help(command));
    let mut text = title(command.get_name(), section);
    text += &rendered(|out| man.render_name_section(out));
    text += &rendered(|out| man.render_synopsis_section(out));
    text += &rendered(|out| man.render_description_section(out));
    text + &rendered(|out| man.render_options_section(out))
}

/// Makes the section on the commands, with those below them.
fn commands(program: &Command) -> String {
    let mut built = program.clone();
    built.build();
    let mut text = ".SH COMMANDS\n".to_owned();
    for (command, built) in leaves(program, &built) {
        text += &command_text(command, built);
    }
    text
}

/// Returns the commands that have none below them; and each of them as it is when it knows how it is called.
fn leaves<'c>(command: &'c Command, built: &'c Command) -> Vec<(&'c Command, &'c Command)> {
    if !command.has_subcommands() {
        return vec![(command, built)];
    }
    command
        .get_subcommands()
        .flat_map(|below| {
            let built = built.find_subcommand(below.get_name()).expect("building takes no command away");
            leaves(below, built)
        })
        .collect()
}

fn command_text(command: &Command, built: &Command) -> String {
    let usage = built.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let mut roff = Roff::new();
    roff.control("SS", [usage]);
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    for paragraph in about.unwrap_or_default().split("\n\n") {
        roff.control("PP", []).text([roman(paragraph)]);
    }
    if let Some(more) = command.get_after_help() {
        roff.control("PP", []).text([roman(more.to_string())]);
    }
    let own = without_subcommand_help(command).disable_help_flag(true).disable_version_flag(true);
    if own.get_arguments().next().is_none() {
        return roff.to_roff();
    }
    let options = rendered(|out| Man::new(own.clone()).render_options_section(out));
    // They belong to the command, not to a section of their own.
    roff.to_roff() + options.strip_prefix(".SH OPTIONS\n").unwrap_or(&options)
}

/// A page has the help of its commands already.
fn without_subcommand_help(command: &Command) -> Command {
    command.clone().disable_help_subcommand(true)
}

/// Returns what `clap_mangen` writes, without its preamble.
fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    render(&mut text).expect("a text grows");
    let text = String::from_utf8(text).expect("pages are made of our own words");
    text.strip_prefix(PREAMBLE).unwrap_or(&text).to_owned()
}

/// Returns a text as it stands.
pub(super) fn verbatim(roff: &mut Roff, text: &str) {
    roff.control("RS", ["4"]).control("nf", []);
    for line in text.lines() {
        roff.text([Inline::Roman(line.to_owned())]);
    }
    roff.control("fi", []).control("RE", []);
}
