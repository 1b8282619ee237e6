//! Turns tokens into a tree: recursive over depth, which is bounded, and a loop over siblings, which are not.

use std::borrow::Cow;
use std::ffi::CStr;

use super::lexer::{Lexer, Token};
use super::value::{Content, Node, Scalar, Section, Text, Value, has_slash, segments};

/// How deep sections may nest; a top-level entry is at depth 1. LVM's own metadata reaches about 6.
pub const MAX_DEPTH: usize = 100;

/// What an integer under the key `creation_time` becomes when it does not fit: 2018-05-24, as lvm2 has it, because
/// old 32-bit builds wrote such numbers into metadata that must still be read.
const CREATION_TIME_FALLBACK: i64 = 1_527_120_000;

/// Fields of the largest request that lvm commands send; one allocation then holds them.
const USUAL_FIELDS: usize = 12;

/// A text that is not config text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse config text: byte {byte}, line {line}: {problem}")]
pub struct ParseError {
    /// Position of the token that did not fit, in bytes from 0.
    pub byte: usize,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why a text is not config text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is not one entry: the text is empty, blank or only comment.
    #[error("found no entry")]
    NoEntry,
    /// A token stands where the grammar has no place for it.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What could have stood there.
        expected: &'static str,
        /// What did, shortened.
        found: String,
    },
    /// A key is a quoted string without text.
    #[error("a key is empty")]
    EmptyKey,
    /// The text ends right behind an opening quote.
    #[error("a string opens at the end of the text")]
    LoneQuote,
    /// A number is beyond the 64 bits of an integer, or the range of a double.
    #[error("a number is out of range")]
    OutOfRange,
    /// Sections nest deeper than [`MAX_DEPTH`].
    #[error("sections nest deeper than {MAX_DEPTH}")]
    TooDeep,
}

/// Parses one message, without its terminator.
///
/// The text ends at its first NUL byte, if it has one. Time is linear in its length, and so is space: about 4 bytes
/// of tree for each byte of a usual request, and some 40 for each byte of a text made of the shortest entries.
///
/// # Errors
/// [`ParseError`], which names the first token that did not fit.
pub fn parse(message: &[u8]) -> Result<Section<'_>, ParseError> {
    let text = CStr::from_bytes_until_nul(message).map_or(message, CStr::to_bytes);
    let mut parser = Parser { lexer: Lexer::new(text), token: Token::End };
    parser.message().map_err(|problem| {
        let (byte, line) = parser.lexer.position();
        ParseError { byte, line, problem }
    })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The next token, not yet used; the lexer's position is its position.
    token: Token<'a>,
}

impl<'a> Parser<'a> {
    fn message(&mut self) -> Result<Section<'a>, Problem> {
        self.advance()?;
        let mut nodes = Vec::with_capacity(USUAL_FIELDS);
        while self.token != Token::End {
            nodes.push(self.entry(1)?);
        }
        if nodes.is_empty() { Err(Problem::NoEntry) } else { Ok(Section { nodes }) }
    }

    fn entry(&mut self, depth: usize) -> Result<Node<'a>, Problem> {
        let key = self.key()?;
        let depth = if has_slash(&key) { depth + segments(&key).count() - 1 } else { depth };
        if depth > MAX_DEPTH {
            return Err(Problem::TooDeep);
        }
        let content = match self.take() {
            Token::SectionBegin => Content::Section(self.section(depth)?),
            Token::Equals => Content::Value(self.value(&key)?),
            other => return Err(unexpected("`{` or `=`", &other)),
        };
        Ok(nested(key, content))
    }

    fn key(&mut self) -> Result<Text<'a>, Problem> {
        let key = match self.take() {
            Token::Key(word) => Cow::Borrowed(word),
            Token::Quoted(text) if text.is_empty() => return Err(Problem::EmptyKey),
            Token::Quoted(text) => text,
            other => return Err(unexpected("a key", &other)),
        };
        self.advance()?;
        Ok(key)
    }

    /// Parses what follows a section's `{`, which is itself at `depth`.
    fn section(&mut self, depth: usize) -> Result<Section<'a>, Problem> {
        self.advance()?;
        let mut nodes = Vec::new();
        while self.token != Token::SectionEnd {
            nodes.push(self.entry(depth + 1)?);
        }
        self.advance()?;
        Ok(Section { nodes })
    }

    /// Parses what follows the `=` behind `key`.
    fn value(&mut self, key: &[u8]) -> Result<Value<'a>, Problem> {
        self.advance()?;
        if self.token != Token::ArrayBegin {
            return self.scalar(key).map(Value::One);
        }
        self.advance()?;
        let mut elements = Vec::new();
        while self.token != Token::ArrayEnd {
            elements.push(self.scalar(key)?);
            if self.token == Token::Comma {
                self.advance()?;
            }
        }
        self.advance()?;
        Ok(Value::from_elements(elements))
    }

    fn scalar(&mut self, key: &[u8]) -> Result<Scalar<'a>, Problem> {
        let scalar = match self.take() {
            Token::Quoted(text) => Scalar::String(text),
            Token::Bare(word) => Scalar::String(Cow::Borrowed(word)),
            Token::Int(Some(value)) => Scalar::Int(value),
            Token::Int(None) if segments(key).last() == Some(b"creation_time") => {
                Scalar::Int(CREATION_TIME_FALLBACK)
            }
            Token::Float(value) if value.is_finite() => Scalar::Float(value),
            Token::Int(None) | Token::Float(_) => return Err(Problem::OutOfRange),
            other => return Err(unexpected("a value", &other)),
        };
        self.advance()?;
        Ok(scalar)
    }

    /// Takes the next token out; [`Parser::advance`] must follow, or an error, whose position is then the token's.
    fn take(&mut self) -> Token<'a> {
        std::mem::replace(&mut self.token, Token::End)
    }

    fn advance(&mut self) -> Result<(), Problem> {
        self.token = self.lexer.next()?;
        Ok(())
    }
}

/// Wraps `content` into one section for each `/` of its key: `a/b=1` is `a { b=1 }`.
fn nested<'a>(key: Text<'a>, content: Content<'a>) -> Node<'a> {
    if !has_slash(&key) {
        return Node { name: key, content };
    }
    let names: Vec<Text<'_>> = match key {
        Cow::Borrowed(key) => segments(key).map(Cow::Borrowed).collect(),
        Cow::Owned(key) => segments(&key).map(|name| Cow::Owned(name.to_vec())).collect(),
    };
    let mut names = names.into_iter().rev();
    let innermost = Node { name: names.next().unwrap_or_default(), content };
    names
        .fold(innermost, |node, name| Node { name, content: Content::Section(Section { nodes: vec![node] }) })
}

fn unexpected(expected: &'static str, found: &Token<'_>) -> Problem {
    Problem::Unexpected { expected, found: found.describe() }
}
