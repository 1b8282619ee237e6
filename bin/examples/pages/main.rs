//! Makes the man pages and the completions from what the programs, the API and the default configuration say.
//!
//! ```sh
//! cargo pages             # writes them
//! cargo pages --check     # says which of those that are there differ, and fails if any does
//! ```
//!
//! What is generated is never edited. What no definition says (how to take over, which signals there are) is prose in
//! the `.roff` files beside this one, which goes into the pages as it is.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the report of a command is what it prints")]

mod api;
mod completions;
mod configuration;
mod man;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A file to be written.
struct Page {
    /// Below the repository's root.
    path: PathBuf,
    text: String,
}

impl Page {
    fn new(path: impl Into<PathBuf>, text: String) -> Self {
        Self { path: path.into(), text }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let is_check = match arguments.as_slice() {
        [] => false,
        [option] if option == "--check" => true,
        _ => bail!("usage: pages [--check]"),
    };
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().context("this package lies in no repository")?;
    let mut pages = vec![man::lvmwarden(), man::lvmwardend(), api::page()];
    pages.extend(configuration::pages());
    pages.extend(completions::pages());
    if is_check { check(root, &pages) } else { write(root, &pages) }
}

fn write(root: &Path, pages: &[Page]) -> Result<()> {
    for page in pages {
        let path = root.join(&page.path);
        let folder = path.parent().context("a page lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, &page.text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", page.path.display());
    }
    Ok(())
}

fn check(root: &Path, pages: &[Page]) -> Result<()> {
    let is_old = |page: &&Page| fs::read_to_string(root.join(&page.path)).ok().as_ref() != Some(&page.text);
    let old: Vec<_> = pages.iter().filter(is_old).map(|page| page.path.display().to_string()).collect();
    if !old.is_empty() {
        bail!("not what `cargo pages` writes: {}", old.join(", "));
    }
    println!("{} pages are up to date", pages.len());
    Ok(())
}
