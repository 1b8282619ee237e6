//! TOML to sections and keys, with the place of everything that is wrong.
//!
//! Sections and keys are asked for by name. The names asked for are the names that there are: whatever is left over in
//! the text is unknown, and is reported with the nearest known name.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kinds::Kind;

/// Something wrong in the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// What is wrong, and what would be permitted; one line.
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// How far a wrong name may be from the one that is suggested, in letters added, left out, replaced or exchanged.
const SUGGESTED_DISTANCE: usize = 3;
/// How much of a wrong value is repeated, in characters.
const REPEATED_CHARACTERS: usize = 40;

/// A TOML document whose sections are taken out one after the other, and of each its keys.
pub(super) struct Document<'text> {
    text: &'text str,
    rest: DeTable<'text>,
    known: Vec<&'static str>,
    section: Option<Section<'text>>,
    problems: Vec<Problem>,
}

/// The section whose keys are being taken out.
struct Section<'text> {
    name: &'static str,
    rest: DeTable<'text>,
    known: Vec<&'static str>,
}

impl<'text> Document<'text> {
    /// Reads the text.
    ///
    /// # Errors
    /// Every place at which it is not TOML.
    pub(super) fn parse(text: &'text str) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let not_toml = |error: &toml::de::Error| {
            problem(text, error.span().unwrap_or_default(), &format!("is not TOML: {}", error.message()))
        };
        let problems: Vec<_> = errors.iter().map(not_toml).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { text, rest: table.into_inner(), known: Vec::new(), section: None, problems })
    }

    /// Goes on to the section `name`; an absent one is empty.
    pub(super) fn section(&mut self, name: &'static str) {
        self.end_section();
        self.known.push(name);
        let found = self.rest.remove_entry(name).map(|(key, value)| (key.span(), value.into_inner()));
        let rest = match found {
            None => DeTable::default(),
            Some((_, DeValue::Table(table))) => table,
            Some((span, _)) => {
                let what = format!("{name} must be a section, [{name}]");
                self.problems.push(problem(self.text, span, &what));
                DeTable::default()
            }
        };
        self.section = Some(Section { name, rest, known: Vec::new() });
    }

    /// Takes the value of the key `name` out of the section, if it is there and permitted.
    pub(super) fn take<T>(&mut self, name: &'static str, kind: &Kind<T>) -> Option<T> {
        let section = self.section.as_mut()?;
        section.known.push(name);
        let value = section.rest.remove(name)?;
        let read = kind.read(value.get_ref());
        if read.is_none() {
            let wrong = repeated(self.text, &value);
            let what = format!("{}.{name} cannot be {wrong}; permitted: {}", section.name, kind.permitted);
            self.problems.push(problem(self.text, value.span(), &what));
        }
        read
    }

    /// Tells of the keys that nobody asked for.
    fn end_section(&mut self) {
        let Some(Section { name: section, rest, known }) = self.section.take() else { return };
        for key in rest.keys() {
            let name = key.get_ref();
            let what = match nearest(name, &known) {
                Some(near) => format!("there is no key {section}.{name}; did you mean {section}.{near}?"),
                None => format!("there is no key {section}.{name}; [{section}] has {}", listed(known.iter())),
            };
            self.problems.push(problem(self.text, key.span(), &what));
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Everything that was wrong, and the sections that nobody asked for; in the order of the text.
    pub(super) fn finish(mut self) -> Result<(), Vec<Problem>> {
        self.end_section();
        for (key, value) in &self.rest {
            let name = key.get_ref();
            let sections = listed(self.known.iter().map(|known| format!("[{known}]")));
            let what = match (value.get_ref(), nearest(name, &self.known)) {
                (DeValue::Table(_), Some(near)) => {
                    format!("there is no section [{name}]; did you mean [{near}]?")
                }
                (DeValue::Table(_), None) => format!("there is no section [{name}]; there are {sections}"),
                _ => format!("the key {name} is in no section; there are {sections}"),
            };
            self.problems.push(problem(self.text, key.span(), &what));
        }
        self.problems.sort();
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

fn problem(text: &str, span: Range<usize>, what: &str) -> Problem {
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Problem {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        what: what.replace('\n', " "),
    }
}

/// Returns the beginning of a value as it stands in the text.
fn repeated(text: &str, value: &Spanned<DeValue<'_>>) -> String {
    let whole = text.get(value.span()).unwrap_or_default();
    let line = whole.lines().next().unwrap_or_default();
    let mut shown: String = line.chars().take(REPEATED_CHARACTERS).collect();
    if shown.len() < whole.len() {
        shown.push('…');
    }
    shown
}

fn nearest<'name>(wrong: &str, known: &[&'name str]) -> Option<&'name str> {
    let distance = |name: &str| strsim::damerau_levenshtein(wrong, name);
    // Of a short name so many wrong letters leave nothing.
    let is_near = |name: &&str| distance(name) <= SUGGESTED_DISTANCE.min(name.len() / 2);
    known.iter().copied().filter(is_near).min_by_key(|name| distance(name))
}

fn listed(names: impl Iterator<Item = impl fmt::Display>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}
