//! The walls within the package of the actors: which room may know which.
//!
//! ```text
//!  tree.rs  role.rs          the top: knows all
//!      │       │
//!      ▼       ▼
//!  service   roles/poll   roles/lock   roles/…       no role knows another, nor the service
//!      │       │             │
//!      └───────┴──────┬──────┘
//!                     ▼
//!                foundation                          knows no role and no service
//! ```
//!
//! Tests may look over walls: they put together what they test.

use std::fmt;

/// Which imports that go through a wall are there still, each with what has to be done about it. None may be added, and
/// one that is not needed any more is an offence as well.
const STILL: [(&str, &str, &str); 7] = [
    ("roles/archive/pass.rs", "roles/poll", LEDGER),
    ("foundation/facts/occurrence.rs", "roles/archive", FACTS),
    ("foundation/facts/occurrence.rs", "roles/poll", FACTS),
    ("foundation/store/history/story.rs", "roles/poll", LEDGER),
    ("foundation/store/ledger.rs", "roles/lock", LEDGER),
    ("foundation/store/ledger.rs", "roles/poll", LEDGER),
    ("foundation/store/ledger/history.rs", "roles/poll", LEDGER),
];

/// A role says what happens in its own words.
const FACTS: &str = "one enum has the facts of all roles";
/// A role folds its own records.
const LEDGER: &str = "one enum has the records of all roles";

/// A part of the package, by its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Room {
    Top,
    Service,
    Role(String),
    Foundation,
}

impl Room {
    /// Returns where a module is, by its path from the root of the crate.
    fn of(module: &[String]) -> Self {
        match (module.first().map(String::as_str), module.get(1)) {
            (Some("foundation"), _) => Self::Foundation,
            (Some("service"), _) => Self::Service,
            (Some("roles"), Some(role)) => Self::Role(role.clone()),
            _ => Self::Top,
        }
    }

    fn may_know(&self, other: &Self) -> bool {
        *self == Self::Top || self == other || *other == Self::Foundation
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => f.write_str("the top"),
            Self::Service => f.write_str("service"),
            Self::Role(role) => write!(f, "roles/{role}"),
            Self::Foundation => f.write_str("foundation"),
        }
    }
}

/// Returns what is wrong with the sources of the package, each with its path below `src/`.
pub(super) fn offences(sources: &[(String, String)]) -> Vec<String> {
    check(sources, &STILL)
}

fn check(sources: &[(String, String)], still: &[(&str, &str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = vec![false; still.len()];
    for (path, text) in sources.iter().filter(|(path, _)| !is_test(path)) {
        let module = module_of(path);
        let room = Room::of(&module);
        let mut known: Vec<String> = imports(text, &module)
            .iter()
            .map(|import| Room::of(import))
            .filter(|other| !room.may_know(other))
            .map(|other| other.to_string())
            .collect();
        known.sort();
        known.dedup();
        for other in known {
            match still.iter().position(|(file, there, _)| file == path && *there == other) {
                Some(excepted) => used[excepted] = true,
                None => found.push(format!("actors/src/{path} is of {room} and must not know {other}")),
            }
        }
    }
    let unused = still.iter().zip(used).filter(|(_, is_used)| !is_used);
    found.extend(
        unused.map(|((file, there, _), _)| format!("{file} knows {there} no more: take it from the list")),
    );
    found
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "tests.rs", "testing.rs", "simulation"].contains(&part))
}

/// Returns the module that a file is, such as `roles`, `poll` for `roles/poll/mod.rs`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// Returns the modules and items of the crate that the code of `module` names, by their paths from the crate's root.
fn imports(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let code = code(text);
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        // `pub(in crate::…)` is no import, `lvmwarden_crate::` none of this crate.
        if !code[..start].ends_with("in ") && !code[..start].ends_with(is_of_word) {
            expand(&code[start + "crate::".len()..], &[], &mut found);
        }
    }
    for (start, _) in code.match_indices("super::") {
        if code[..start].ends_with(is_of_word) || code[..start].ends_with("super::") {
            continue;
        }
        let (mut rest, mut base) = (&code[start..], module.len());
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, base) = (after, base.saturating_sub(1));
        }
        expand(rest, &module[..base], &mut found);
    }
    found
}

/// Returns the code before the tests at its end, without lines of comments.
fn code(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Adds the paths that `tree` begins with, below `above`: one, or those of a list in braces.
fn expand(tree: &str, above: &[String], found: &mut Vec<Vec<String>>) {
    let tree = tree.trim_start();
    if let Some(list) = tree.strip_prefix('{') {
        return items(list).into_iter().for_each(|item| expand(item, above, found));
    }
    let end = tree.find(|character| !is_of_word(character)).unwrap_or(tree.len());
    let mut path = above.to_vec();
    if tree[..end] != *"self" {
        path.push(tree[..end].to_owned());
    }
    match tree[end..].strip_prefix("::") {
        Some(below) => expand(below, &path, found),
        None => found.push(path),
    }
}

/// Returns the items of a list up to the brace that ends it.
fn items(list: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if character == '}' && start == at + 1 {
            break;
        }
    }
    items.retain(|item| !item.trim().is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences_of(path: &str, text: &str) -> Vec<String> {
        check(&[(path.to_owned(), text.to_owned())], &[])
    }

    #[test]
    fn a_role_that_knows_another_is_found_however_it_says_so() {
        for text in [
            "use crate::roles::lock::directory::Directory;",
            "use crate::roles::{lock::{self, directory}, poll};",
            "use crate::{\n    foundation::names,\n    roles::{poll::session, lock},\n};",
            "fn f() { crate::roles::lock::f(); }",
            "use super::super::lock::api;",
            "use super::super::{lock, poll};",
        ] {
            let expected = "actors/src/roles/poll/api.rs is of roles/poll and must not know roles/lock";
            assert_eq!(offences_of("roles/poll/api.rs", text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_said_twice_is_one_offence_and_each_room_is_named() {
        let text = "use crate::roles::lock::a;\nuse crate::service::b;\nuse crate::roles::lock::c;\n";
        let found = offences_of("foundation/door/mod.rs", text);
        let begin = "actors/src/foundation/door/mod.rs is of foundation and must not know";
        assert_eq!(found, [format!("{begin} roles/lock"), format!("{begin} service")]);
    }

    #[test]
    fn who_may_know_whom() {
        for (path, other, is_allowed) in [
            ("foundation/a.rs", "foundation::b", true),
            ("foundation/a.rs", "roles::poll::b", false),
            ("foundation/a.rs", "service::b", false),
            ("foundation/a.rs", "tree::b", false),
            ("roles/poll/a.rs", "foundation::b", true),
            ("roles/poll/a.rs", "roles::poll::b", true),
            ("roles/poll/a.rs", "roles::lock::b", false),
            ("roles/poll/a.rs", "service::b", false),
            ("roles/poll/a.rs", "role::b", false),
            ("service/a.rs", "service::b", true),
            ("service/a.rs", "foundation::b", true),
            ("service/a.rs", "roles::poll::b", false),
            ("role.rs", "roles::poll::b", true),
            ("tree.rs", "service::b", true),
            ("tree.rs", "roles::lock::b", true),
        ] {
            let found = offences_of(path, &format!("use crate::{other};"));
            assert_eq!(found.is_empty(), is_allowed, "{path} and {other}: {found:?}");
        }
    }

    #[test]
    fn comments_tests_visibilities_and_other_crates_are_no_imports() {
        for text in [
            "//! See [`x`](crate::roles::lock::x).\n    // crate::roles::lock",
            "pub(in crate::roles::lock) fn f() {}",
            "use lvmwarden_crate::roles::lock::x;",
            "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::roles::lock::x;\n}\n",
        ] {
            assert_eq!(offences_of("roles/poll/a.rs", text), [""; 0], "{text}");
        }
        let text = "use crate::roles::lock::x;";
        assert_eq!(offences_of("roles/poll/a/tests.rs", text), [""; 0]);
        assert_eq!(offences_of("roles/poll/a/tests/b.rs", text), [""; 0]);
    }

    #[test]
    fn an_exception_holds_for_one_file_and_must_be_needed() {
        let sources = [
            ("foundation/a.rs".to_owned(), "use crate::service::x;".to_owned()),
            ("foundation/b.rs".to_owned(), String::new()),
        ];
        let still = [("foundation/a.rs", "service", "why"), ("foundation/b.rs", "service", "why")];
        assert_eq!(check(&sources, &still[..1]), [""; 0]);
        assert_eq!(check(&sources, &still), ["foundation/b.rs knows service no more: take it from the list"]);
    }
}
