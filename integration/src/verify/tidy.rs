//! Rules of this repository that no lint knows: module docs, where `unsafe` may be, which package may know which, and the walls
//! within the package of the actors.

mod walls;

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Each package with the packages of this workspace that it may depend on.
const MAY_DEPEND_ON: [(&str, &[&str]); 6] = [
    ("protocol", &[]),
    ("supervisor", &[]),
    ("actors/reconfigure", &[]),
    // Itself: its integration tests turn the feature on that has the stand-ins for tests.
    ("actors", &["lvmwarden-actors", "lvmwarden-protocol", "lvmwarden-reconfigure", "lvmwarden-supervisor"]),
    ("bin", &["lvmwarden-actors", "lvmwarden-protocol", "lvmwarden-supervisor"]),
    ("integration", &["lvmwarden-protocol"]),
];

const UNSAFE_MAY_BE_IN: &str = "supervisor/src/sys/";
/// In two parts: this file is checked as well.
const UNSAFE: &str = concat!("un", "safe");

/// Checks the repository at `root` against all rules.
pub(super) fn check(root: &Path) -> Result<()> {
    let mut offences = Vec::new();
    for (package, allowed) in MAY_DEPEND_ON {
        let folder = root.join(package);
        let manifest =
            fs::read_to_string(folder.join("Cargo.toml")).context("a package has no Cargo.toml")?;
        offences.extend(
            wrong_dependencies(&manifest, allowed).map(|name| format!("{package} depends on {name}")),
        );
        for file in rust_files(&folder)? {
            let path = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
            if !text.starts_with("//!") {
                offences.push(format!("{path} does not begin with module docs (//!)"));
            }
            if !path.starts_with(UNSAFE_MAY_BE_IN) && has_unsafe(&text) {
                offences.push(format!("{path} has {UNSAFE} code, which belongs into {UNSAFE_MAY_BE_IN}"));
            }
        }
    }
    offences.extend(walls::offences(&sources(&root.join("actors/src"))?));
    if !offences.is_empty() {
        bail!("{}", offences.join("\n"));
    }
    Ok(())
}

/// Returns the sources below `folder`, by their paths there.
fn sources(folder: &Path) -> Result<Vec<(String, String)>> {
    let read = |file: PathBuf| {
        let path = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
        Ok((path, text))
    };
    rust_files(folder)?.into_iter().map(read).collect()
}

/// Returns the packages of this workspace that `manifest` names as dependencies and must not.
fn wrong_dependencies<'a>(manifest: &'a str, allowed: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let keys = manifest.lines().filter_map(|line| line.split(['.', '=']).next()).map(str::trim);
    let names = keys.filter(|key| *key == "lvmwarden" || key.starts_with("lvmwarden-"));
    names.filter(|name| !allowed.contains(name))
}

fn has_unsafe(text: &str) -> bool {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let is_word_end = |character: char| !character.is_alphanumeric() && character != '_';
    text.lines().filter(is_code).any(|line| line.split(is_word_end).any(|word| word == UNSAFE))
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_packages_of_the_workspace_pass() {
        let manifest = "[package]\nname = \"lvmwarden-x\"\n\n[dependencies]\nlvmwarden-protocol.workspace = true\n\
                        lvmwarden-actors = { workspace = true }\nserde = \"1\"\n\
                        [package.metadata]\ndescription = \"\"\"\nlvmwardend is a daemon.\n\"\"\"\n";
        let wrong: Vec<_> = wrong_dependencies(manifest, &["lvmwarden-protocol"]).collect();
        assert_eq!(wrong, ["lvmwarden-actors"]);
    }

    #[test]
    fn the_walls_of_this_repository_stand() {
        let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../actors/src");
        assert_eq!(walls::offences(&sources(&actors).unwrap()), [""; 0]);
    }

    #[test]
    fn the_word_counts_in_code_but_not_in_comments_and_longer_words() {
        assert!(has_unsafe(&format!("let x = {UNSAFE} {{ call() }};")));
        assert!(!has_unsafe(&format!("// {UNSAFE} is forbidden\n#![forbid({UNSAFE}_code)]")));
    }
}
