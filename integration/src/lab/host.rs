//! Runs programs of the host to their end: `apt-get`, `dpkg`, `depmod`, `cpio`, `xz`, and cargo.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// Runs `command` to its end and returns what it wrote to stdout.
///
/// # Errors
/// The program cannot be started, ends with another exit code than 0 (the error then carries what it printed), or
/// prints something that is not UTF-8.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {}", text_of(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}:\n{}{}",
            text_of(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", text_of(command)))
}

/// Returns `command` as one would type it; arguments with blanks are quoted.
pub(crate) fn text_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        if word.contains([' ', '*', '$', ';', '|']) { format!("'{word}'") } else { word.into_owned() }
    });
    quoted.collect::<Vec<_>>().join(" ")
}
