//! Two configurations compared: what a running daemon takes on, what needs a restart, and what is not the default.

use super::Config;
use super::keys::{Key, TakenOn, Visitor, keys};

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Section and key, such as `log.level`.
    pub(crate) key: String,
    /// Whether it can be taken on without a restart.
    pub(crate) at_once: bool,
    /// The values of before and of now, as the file would have them; `None`: not set.
    pub(crate) values: [Option<String>; 2],
}

/// Returns the keys that differ, in the order of the file.
pub(crate) fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let mut comparison = Comparison { old, new, section: "", changes: Vec::new() };
    keys(&mut comparison);
    comparison.changes
}

/// Returns a line for each key whose value is not the default, in the order of the file.
pub(crate) fn differences(config: &Config) -> Vec<String> {
    let line = |Change { key, values: [default, value], .. }| {
        let [default, value] = [default, value].map(|value| value.unwrap_or_else(|| "not set".to_owned()));
        format!("{key} = {value} (by default {default})")
    };
    changes(&Config::default(), config).into_iter().map(line).collect()
}

struct Comparison<'configs> {
    old: &'configs Config,
    new: &'configs Config,
    section: &'static str,
    changes: Vec<Change>,
}

impl Visitor for Comparison<'_> {
    fn section(&mut self, name: &'static str) {
        self.section = name;
    }

    fn key<T: PartialEq + Clone>(&mut self, key: Key<T>) {
        let values = [self.old, self.new].map(key.get);
        if values[0] != values[1] {
            self.changes.push(Change {
                key: format!("{}.{}", self.section, key.name),
                at_once: key.taken_on == TakenOn::Reload,
                values: values.map(|value| key.kind.write(value)),
            });
        }
    }
}

/// Takes on the new values of the keys that a reload changes.
pub(crate) fn take_on(config: &mut Config, new: &Config) {
    keys(&mut Reload { config, new });
}

struct Reload<'configs> {
    config: &'configs mut Config,
    new: &'configs Config,
}

impl Visitor for Reload<'_> {
    fn section(&mut self, _name: &'static str) {}

    fn key<T: PartialEq + Clone>(&mut self, key: Key<T>) {
        if key.taken_on == TakenOn::Reload {
            *(key.get_mut)(self.config) = (key.get)(self.new).clone();
        }
    }
}
