//! Names of actors: the path from the root of the tree.
//!
//! A name outlives the actors that bear it, so it is what one actor keeps of another; addresses change with every
//! restart.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Names one place in the tree, such as `root/poll/operations/poll:ABC`.
///
/// Cheap to clone. Two children of one supervisor have the same name only if they have the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Name(Arc<str>);

impl Name {
    /// Returns the name of the root supervisor.
    pub fn root() -> Self {
        Self::from("root")
    }

    /// Returns the name of the child `id` of this supervisor.
    ///
    /// Any `id` is allowed. Its `/` and `%` are written as `%2F` and `%25`, so that an id made from a file name
    /// or from a client's words cannot be taken for another place in the tree.
    #[must_use]
    pub fn child(&self, id: &str) -> Self {
        let parent = &*self.0;
        if id.contains(['/', '%']) {
            let id = id.replace('%', "%25").replace('/', "%2F");
            return Self([parent, "/", &id].concat().into());
        }
        // Not `format!`: names are made for every question to an actor, and it takes three times as long.
        Self([parent, "/", id].concat().into())
    }

    /// Returns the whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last part of the path: the child's id with `/` and `%` still escaped.
    pub fn last(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, last)| last)
    }

    /// Returns whether this is a child, grandchild, ... of `ancestor`. No name is below itself.
    pub fn is_below(&self, ancestor: &Name) -> bool {
        self.0.strip_prefix(&*ancestor.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Name {
    fn from(path: &str) -> Self {
        Self(path.into())
    }
}

impl From<String> for Name {
    fn from(path: String) -> Self {
        Self(path.into())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl slog::Value for Name {
    fn serialize(
        &self,
        _: &slog::Record<'_>,
        key: slog::Key,
        serializer: &mut dyn slog::Serializer,
    ) -> slog::Result {
        serializer.emit_str(key, self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_pose_as_another_place_in_the_tree() {
        let poll = Name::root().child("poll");
        assert_eq!(poll.as_str(), "root/poll");
        assert_ne!(Name::root().child("poll/x"), poll.child("x"));
        assert_ne!(Name::root().child("a%2Fb"), Name::root().child("a/b"));
        assert_eq!(Name::root().child("a/b").last(), "a%2Fb");
    }

    #[test]
    fn below_means_a_whole_part_of_the_path() {
        let poll = Name::root().child("poll");
        assert!(poll.child("x").is_below(&poll));
        assert!(poll.child("x").child("y").is_below(&Name::root()));
        assert!(!Name::root().child("polling").is_below(&poll));
        assert!(!poll.is_below(&poll));
    }
}
