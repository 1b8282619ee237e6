//! Help, man page and completions name the same commands, and with each the same options.
//!
//! They are made from one definition (`cargo pages`); this looks at what came of it, each in its own words.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The options that each command has, by its words: `poll start` to `--lvid` and so on; the program itself is "".
type Commands = BTreeMap<String, BTreeSet<String>>;

struct Program {
    name: &'static str,
    executable: &'static str,
    page: &'static str,
}

const PROGRAMS: [Program; 2] = [
    Program { name: "lvmwarden", executable: env!("CARGO_BIN_EXE_lvmwarden"), page: "docs/man/lvmwarden.1" },
    Program {
        name: "lvmwardend",
        executable: env!("CARGO_BIN_EXE_lvmwardend"),
        page: "docs/man/lvmwardend.8",
    },
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// Returns the long options in a text in which they are words.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

/// Asks the program for the help of a command, and of those below it.
#[expect(clippy::disallowed_methods, reason = "it starts the program under test")]
fn collect_help(program: &Program, words: &[String], commands: &mut Commands) {
    let output = Command::new(program.executable).args(words).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    // The line of an option begins with it; others only mention some.
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let named = lines.map(|line| line.split_once("  ").map_or(line, |(option, _)| option));
    commands.insert(words.join(" "), options(&named.collect::<Vec<_>>().join("\n")));
    let below = help.split_once("Commands:\n").map_or("", |(_, below)| below);
    for line in below.lines().take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ")) {
        if let Some(word) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            let word = word.split(' ').next().unwrap().to_owned();
            collect_help(program, &[words, &[word]].concat(), commands);
        }
    }
}

fn from_help(program: &Program) -> Commands {
    let mut commands = Commands::new();
    collect_help(program, &[], &mut commands);
    commands
}

/// Reads a bash completion: a case for each command, with the line `opts="..."`.
fn from_bash(program: &Program) -> Commands {
    let text = read(&format!("packaging/completions/bash/{}", program.name));
    let mut commands = Commands::new();
    let mut words = None;
    for line in text.lines().map(str::trim) {
        if let Some(label) = line.strip_suffix(')').and_then(|label| label.strip_prefix(program.name)) {
            words = Some(label.trim_start_matches("__subcmd__").replace("__subcmd__", " "));
        } else if let (Some(line), Some(words)) = (line.strip_prefix("opts="), words.take()) {
            commands.insert(words, options(line));
        }
    }
    commands
}

/// Reads a fish completion: each line says for which command it holds.
fn from_fish(program: &Program) -> Commands {
    let text = read(&format!("packaging/completions/fish/{}.fish", program.name));
    let mut commands = Commands::new();
    for line in text.lines().filter(|line| line.starts_with("complete ")) {
        let condition = line.split('"').nth(1).unwrap();
        let place: Vec<_> = condition.split("; and ").collect();
        let words = match place.as_slice() {
            [_, below] if !below.starts_with("not ") => {
                format!("{} {}", place[0].rsplit(' ').next().unwrap(), below.rsplit(' ').next().unwrap())
            }
            [top, ..] if top.contains("using_subcommand") => top.rsplit(' ').next().unwrap().to_owned(),
            _ => String::new(),
        };
        let option = line.split(" -l ").nth(1).and_then(|rest| rest.split(' ').next());
        commands.entry(words).or_default().extend(option.map(|option| format!("--{option}")));
    }
    commands
}

/// Reads a zsh completion: `_arguments` for each command, in a case by its last word.
fn from_zsh(program: &Program) -> Commands {
    let text = read(&format!("packaging/completions/zsh/_{}", program.name));
    let mut commands = Commands::new();
    let (mut last_word, mut line_before) = (String::new(), "");
    for line in text.lines().map(str::trim) {
        if line.starts_with("_arguments ") {
            let label = line_before.strip_prefix('(').and_then(|label| label.strip_suffix(')'));
            label.unwrap_or_default().clone_into(&mut last_word);
        } else if line.starts_with("'--") || line.starts_with("'*--") {
            let option = options(line.split(['[', '=']).next().unwrap());
            commands.entry(last_word.clone()).or_default().extend(option);
        }
        line_before = line;
    }
    commands
}

/// Reads a man page: a part for each command that has none below it, with the options of its own.
fn from_page(program: &Program) -> Commands {
    let text = read(program.page).replace("\\-", "-");
    let mut commands = Commands::new();
    let mut words = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix(".SS \"").and_then(|line| line.strip_prefix(program.name)) {
            let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let path: Vec<_> = heading.trim_matches('"').split_whitespace().take_while(is_word).collect();
            words = Some(path.join(" "));
        } else if let Some(heading) = line.strip_prefix(".SH ") {
            words = (heading == "OPTIONS").then(String::new);
        }
        if let Some(words) = &words {
            let is_option = line.starts_with("\\fB-");
            commands.entry(words.clone()).or_default().extend(
                is_option
                    .then(|| options(&line.replace("\\fB", " ").replace("\\fR", " ")))
                    .into_iter()
                    .flatten(),
            );
        }
    }
    commands
}

/// Returns the commands that have none below them, and the program itself.
fn leaves(commands: &Commands) -> Commands {
    let is_leaf = |words: &str| {
        words.is_empty() || !commands.keys().any(|other| other.starts_with(&format!("{words} ")))
    };
    commands
        .iter()
        .filter(|(words, _)| is_leaf(words))
        .map(|(words, options)| (words.clone(), options.clone()))
        .collect()
}

#[test]
fn the_program_has_the_commands_that_this_test_knows_how_to_find() {
    let commands = from_help(&PROGRAMS[0]);
    assert!(commands["poll start"].contains("--lvid"), "{commands:#?}");
    assert!(leaves(&commands).len() > 15, "{commands:#?}");
    assert!(from_help(&PROGRAMS[1])["lvmpolld"].contains("--pidfile"));
}

#[test]
fn bash_completes_what_help_names() {
    for program in &PROGRAMS {
        let help = from_help(program);
        // Labels of bash have a blank for each hyphen.
        let by_label: Commands =
            help.into_iter().map(|(words, named)| (words.replace('-', " "), named)).collect();
        assert_eq!(from_bash(program), by_label, "{}", program.name);
    }
}

#[test]
fn fish_completes_what_help_names() {
    for program in &PROGRAMS {
        assert_eq!(from_fish(program), from_help(program), "{}", program.name);
    }
}

#[test]
fn zsh_completes_what_help_names() {
    for program in &PROGRAMS {
        let mut by_last_word = Commands::new();
        // Several commands end in the same word, such as `poll show` and `lock show`.
        for (words, options) in from_help(program) {
            let last_word = words.rsplit(' ').next().unwrap_or_default().to_owned();
            by_last_word.entry(last_word).or_default().extend(options);
        }
        assert_eq!(from_zsh(program), by_last_word, "{}", program.name);
    }
}

#[test]
fn the_man_page_describes_what_help_names() {
    for program in &PROGRAMS {
        let help = from_help(program);
        let in_help = leaves(&help);
        // Options that go with every command are described once.
        let is_global = |option: &&String| help.values().all(|options| options.contains(*option));
        let global: Vec<_> = in_help[""].iter().filter(is_global).cloned().collect();
        let mut in_page = from_page(program);
        for options in in_page.values_mut() {
            options.extend(global.iter().cloned());
        }
        assert_eq!(in_page, in_help, "{}", program.name);
    }
}

#[test]
fn the_configuration_page_describes_every_key_of_the_default_file() {
    let page = read("docs/man/lvmwarden.toml.5").replace("\\-", "-");
    let defaults = read("packaging/lvmwarden.toml");
    let keys: Vec<_> = defaults
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| !key.starts_with(' '))
        .collect();
    assert!(keys.contains(&"interval_seconds"), "{keys:?}");
    for key in keys {
        assert!(page.contains(&format!("\\fB{key} = ")), "{key} is in the page");
    }
}

#[test]
fn the_api_page_has_every_line_of_every_interface() {
    let page = read("docs/man/org.lvmwarden.7").replace("\\-", "-");
    for (name, text) in lvmwarden_protocol::api::INTERFACES {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(page.contains(line), "{line:?} of {name} is in the page");
        }
    }
}

#[test]
fn the_readme_shows_the_overview_that_the_tests_check() {
    let screenshot = format!("```text\n{}```\n", read("docs/overview.txt"));
    assert!(read("README.md").contains(&screenshot), "docs/overview.txt is in README.md");
}
