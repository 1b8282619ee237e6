//! The licences of everything that is linked into our executables, checked against a list.

use crate::lab::host::output_of;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::process::Command;

/// Licences that may be linked. None asks for more than that its notice is kept.
const ALLOWED: [&str; 8] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<String>,
}

/// Checks every package in the lock file.
pub(super) fn check() -> Result<()> {
    let mut metadata = Command::new("cargo");
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    let metadata: Metadata =
        serde_json::from_str(&output_of(&mut metadata)?).context("cargo metadata printed something else")?;
    let refused =
        metadata.packages.iter().filter(|package| !package.license.as_deref().is_some_and(is_allowed));
    let refused: Vec<String> =
        refused.map(|package| format!("{} is under {:?}", package.name, package.license)).collect();
    if !refused.is_empty() {
        bail!("licences that are not on the list:\n{}", refused.join("\n"));
    }
    Ok(())
}

/// Returns whether a licence expression can be satisfied by the list: one side of each OR, both sides of each AND.
///
/// An old form of OR is a slash. Parentheses are understood around alternatives, which is all that occurs.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|licence| ALLOWED.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alternative_is_enough_and_each_requirement_counts() {
        for (expression, allowed) in [
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("MPL-2.0 OR MIT OR Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-2.0-only", false),
            ("MPL-2.0", false),
            ("GPL-3.0-or-later", false),
        ] {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }
}
