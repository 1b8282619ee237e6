//! Completions, in files with the names under which the shells look for them.

use clap_complete::{Shell, generate};

use super::Page;

/// Makes those of both programs for each shell.
pub(super) fn pages() -> Vec<Page> {
    let programs = [lvmwarden::cli::command(), lvmwarden::daemon::command()];
    programs
        .iter()
        .flat_map(|program| [Shell::Bash, Shell::Zsh, Shell::Fish].map(|shell| page(program, shell)))
        .collect()
}

fn page(program: &clap::Command, shell: Shell) -> Page {
    let name = program.get_name();
    let file = match shell {
        Shell::Zsh => format!("_{name}"),
        Shell::Fish => format!("{name}.fish"),
        _ => name.to_owned(),
    };
    let mut text = Vec::new();
    generate(shell, &mut program.clone(), name, &mut text);
    let text = String::from_utf8(text).expect("completions are made of our own words");
    Page::new(format!("packaging/completions/{shell}/{file}"), text)
}
