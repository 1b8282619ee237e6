//! The tools that `cargo verify` needs beside the Rust toolchain: cargo-nextest, cargo-deb, pip and typos.

use super::run;
use crate::lab::{cache, packages};
use anyhow::Result;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Another release knows other words, and would find other mistakes.
const TYPOS_VERSION: &str = "1.52.0";

/// Installs what is missing.
pub(super) fn install_missing() -> Result<()> {
    for tool in ["nextest", "deb"] {
        if !works(Command::new("cargo").args([tool, "--version"])) {
            // Unoptimized: that halves the minutes of its compilation, and it starts tests or packs a few files.
            run(Command::new("cargo").args(["install", &format!("cargo-{tool}"), "--locked", "--debug"]))?;
        }
    }
    // A test fetches a client of the JSON API that is not ours by it.
    if !works(Command::new("python3").args(["-m", "pip", "--version"])) {
        packages::install(&["python3-pip"])?;
    }
    typos().map(drop)
}

/// Returns the path of typos: our own copy in the lab's cache, made when it is missing.
///
/// pip's package holds the ready-made binary.
pub(super) fn typos() -> Result<PathBuf> {
    let folder = cache::folder()?.join(format!("typos-{TYPOS_VERSION}"));
    let typos = folder.join("bin/typos");
    if typos.exists() {
        return Ok(typos);
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&folder);
    pip.arg(format!("typos=={TYPOS_VERSION}"));
    run(&mut pip)?;
    Ok(typos)
}

fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
