//! The tree that config text stands for, and typed look-up in it.

use std::borrow::Cow;

/// A name or a string: any bytes but NUL, borrowed from the message where nothing had to be decoded.
pub type Text<'a> = Cow<'a, [u8]>;

/// Entries in the order received, duplicates included: a whole message, or what stands between `{` and `}`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section<'a> {
    /// The entries.
    pub nodes: Vec<Node<'a>>,
}

/// One named entry of a section.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// The name, without any `/` (a key that has one makes several nodes). Empty if the key ended in `/`.
    pub name: Text<'a>,
    /// What the name stands for.
    pub content: Content<'a>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// `key = value`
    Value(Value<'a>),
    /// `key { .. }`
    Section(Section<'a>),
}

/// What stands behind a `=`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A scalar, or an array of one, which is the same.
    One(Scalar<'a>),
    /// An array of none, two or more elements, possibly of several types.
    Array(Vec<Scalar<'a>>),
}

/// One number or string.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// A signed 64-bit integer.
    Int(i64),
    /// A finite float, printed with six decimals.
    Float(f64),
    /// A string, decoded.
    String(Text<'a>),
}

impl<'a> Value<'a> {
    /// Makes the value that an array of `elements` is: one element makes a scalar.
    pub fn from_elements(elements: Vec<Scalar<'a>>) -> Self {
        match <[Scalar<'a>; 1]>::try_from(elements) {
            Ok([only]) => Self::One(only),
            Err(elements) => Self::Array(elements),
        }
    }

    /// Returns the scalar or the first element; `None` for the empty array.
    pub fn first(&self) -> Option<&Scalar<'a>> {
        match self {
            Self::One(scalar) => Some(scalar),
            Self::Array(elements) => elements.first(),
        }
    }
}

impl<'a> Section<'a> {
    /// Returns what stands at `path`, names joined by `/`: at each level the first node so named.
    pub fn find(&self, path: &str) -> Option<&Content<'a>> {
        let mut names = segments(path.as_bytes());
        let mut content = self.child(names.next()?)?;
        for name in names {
            let Content::Section(section) = content else { return None };
            content = section.child(name)?;
        }
        Some(content)
    }

    fn child(&self, name: &[u8]) -> Option<&Content<'a>> {
        self.nodes.iter().find(|node| *node.name == *name).map(|node| &node.content)
    }

    /// Returns the string at `path` if the first value there is one and is not empty; an empty one counts as absent.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        match self.first(path)? {
            Scalar::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Returns the same as [`Section::bytes`] if it is UTF-8.
    pub fn string(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(path)?).ok()
    }

    /// Returns the integer at `path` if the first value there is one; `"5"` and `5.0` are none.
    pub fn int(&self, path: &str) -> Option<i64> {
        match self.first(path)? {
            Scalar::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the section at `path`.
    pub fn section(&self, path: &str) -> Option<&Section<'a>> {
        match self.find(path)? {
            Content::Section(section) => Some(section),
            Content::Value(_) => None,
        }
    }

    fn first(&self, path: &str) -> Option<&Scalar<'a>> {
        match self.find(path)? {
            Content::Value(value) => value.first(),
            Content::Section(_) => None,
        }
    }
}

/// Tells whether a key makes nested sections.
pub(super) fn has_slash(key: &[u8]) -> bool {
    key.contains(&b'/')
}

/// Splits a key at its slashes. Leading and repeated ones are skipped; behind a trailing one stands an empty name.
pub(super) fn segments(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(key);
    std::iter::from_fn(move || {
        let path = rest.take()?;
        let path = &path[path.iter().take_while(|&&byte| byte == b'/').count()..];
        let Some(slash) = path.iter().position(|&byte| byte == b'/') else { return Some(path) };
        rest = Some(&path[slash + 1..]);
        Some(&path[..slash])
    })
}
