//! The commented file that packages install: every key with its remarks and its default, commented out.

use std::fmt::Write as _;

use super::Config;
use super::keys::{Key, Visitor, keys};

/// What stands above the sections.
const PREAMBLE: &str = include_str!("default_file.preamble.toml");

/// Writes the file.
pub(crate) fn default_file() -> String {
    let mut writer = Writer { defaults: Config::default(), text: PREAMBLE.to_owned() };
    keys(&mut writer);
    writer.text
}

struct Writer {
    defaults: Config,
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        // A String takes whatever is written.
        let _ = writeln!(self.text, "{line}");
    }
}

impl Visitor for Writer {
    fn section(&mut self, name: &'static str) {
        self.line(&format!("\n[{name}]"));
    }

    fn key<T: PartialEq + Clone>(&mut self, key: Key<T>) {
        let default = key.kind.write((key.get)(&self.defaults));
        self.line("");
        for remark in key.remarks {
            self.line(&format!("#{remark}"));
        }
        if default.is_none() {
            self.line("# Not set by default.");
        }
        self.line(&format!("# Permitted: {}.", key.kind.permitted));
        let value = default.as_deref().or(key.example).unwrap_or_default();
        self.line(&format!("#{} = {value}", key.name));
    }
}
