//! Cuts config text into tokens, in one pass.
//!
//! The token right after `=`, `[` or `,` is read in *value mode*, every other in *key mode*. Only value mode knows
//! numbers and takes a bareword for a string; quoted strings and punctuation are the same in both.

use std::borrow::Cow;

use super::number;
use super::parser::Problem;
use super::value::Text;

/// One token of config text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    SectionBegin,
    SectionEnd,
    ArrayBegin,
    ArrayEnd,
    Comma,
    Equals,
    /// A bareword read in key mode: good as a key only.
    Key(&'a [u8]),
    /// A bareword read in value mode: good as a value only.
    Bare(&'a [u8]),
    /// A quoted string, decoded: good as either.
    Quoted(Text<'a>),
    /// An integer; `None` when it does not fit 64 bits, which one key may.
    Int(Option<i64>),
    Float(f64),
    End,
}

impl Token<'_> {
    /// Returns what a reader of an error message would call this token.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::SectionBegin => "`{`".to_owned(),
            Token::SectionEnd => "`}`".to_owned(),
            Token::ArrayBegin => "`[`".to_owned(),
            Token::ArrayEnd => "`]`".to_owned(),
            Token::Comma => "`,`".to_owned(),
            Token::Equals => "`=`".to_owned(),
            Token::Key(word) | Token::Bare(word) => format!("the word `{}`", shortened(word)),
            Token::Quoted(text) => format!("the string \"{}\"", shortened(text)),
            Token::Int(_) | Token::Float(_) => "a number".to_owned(),
            Token::End => "the end of the text".to_owned(),
        }
    }
}

/// Returns at most the first 32 bytes, with what is not UTF-8 or a control character made harmless for a log.
fn shortened(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 32;
    let shown = String::from_utf8_lossy(&text[..text.len().min(SHOWN_BYTES)]).escape_debug().to_string();
    if text.len() > SHOWN_BYTES { shown + "..." } else { shown }
}

/// The tokens of one text that holds no NUL byte.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    /// Where the next token is looked for.
    at: usize,
    /// Where the last token began.
    token_at: usize,
    value_mode: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, token_at: 0, value_mode: false }
    }

    /// Returns the byte position of the last token, from 0, and its line, from 1.
    pub(super) fn position(&self) -> (usize, usize) {
        let line = self.text[..self.token_at].split(|&byte| byte == b'\n').count();
        (self.token_at, line)
    }

    /// Returns the next token; [`Token::End`] again and again at the end of the text.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Problem> {
        self.skip_blanks();
        self.token_at = self.at;
        let value_mode = std::mem::take(&mut self.value_mode);
        let Some(&first) = self.text.get(self.at) else { return Ok(Token::End) };
        match first {
            b'{' => Ok(self.punctuation(Token::SectionBegin)),
            b'}' => Ok(self.punctuation(Token::SectionEnd)),
            b']' => Ok(self.punctuation(Token::ArrayEnd)),
            b'[' => Ok(self.punctuation_before_value(Token::ArrayBegin)),
            b',' => Ok(self.punctuation_before_value(Token::Comma)),
            b'=' => Ok(self.punctuation_before_value(Token::Equals)),
            b'"' => self.double_quoted(),
            b'\'' => self.single_quoted(),
            b'0'..=b'9' | b'+' | b'-' | b'.' if value_mode => Ok(self.number()),
            _ if value_mode => Ok(Token::Bare(self.bareword())),
            _ => Ok(Token::Key(self.bareword())),
        }
    }

    /// Skips white space and comments; a `#` line, such as a message's end mark, is a comment.
    fn skip_blanks(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            if byte == b'#' {
                self.at = self.find_from(self.at, |byte| byte == b'\n');
            } else if is_blank(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn punctuation(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        token
    }

    fn punctuation_before_value(&mut self, token: Token<'a>) -> Token<'a> {
        self.value_mode = true;
        self.punctuation(token)
    }

    /// Takes everything up to a blank, `#`, `=`, `{` or `}`; so it may hold `, [ ] " '` behind its first byte.
    fn bareword(&mut self) -> &'a [u8] {
        let begin = self.at;
        self.at = self.find_from(begin, |byte| is_blank(byte) || matches!(byte, b'#' | b'=' | b'{' | b'}'));
        &self.text[begin..self.at]
    }

    /// Takes one byte, then digits and at most one point in all. What follows directly is a token of its own.
    fn number(&mut self) -> Token<'a> {
        let rest = &self.text[self.at..];
        let mut is_float = rest[0] == b'.';
        let mut len = 1;
        while let Some(&byte) = rest.get(len) {
            match byte {
                b'0'..=b'9' => {}
                b'.' if !is_float => is_float = true,
                _ => break,
            }
            len += 1;
        }
        self.at += len;
        if is_float { Token::Float(number::float(rest, len)) } else { Token::Int(number::integer(rest)) }
    }

    fn single_quoted(&mut self) -> Result<Token<'a>, Problem> {
        let begin = self.at + 1;
        let end = self.find_from(begin, |byte| byte == b'\'');
        self.string_body(begin, end).map(|body| Token::Quoted(Cow::Borrowed(body)))
    }

    fn double_quoted(&mut self) -> Result<Token<'a>, Problem> {
        let begin = self.at + 1;
        let mut end = self.find_from(begin, |byte| matches!(byte, b'"' | b'\\'));
        let has_escapes = self.text.get(end) == Some(&b'\\');
        while self.text.get(end) == Some(&b'\\') {
            // The byte behind a backslash never ends the string, whatever it is.
            let behind_pair = (end + 2).min(self.text.len());
            end = self.find_from(behind_pair, |byte| matches!(byte, b'"' | b'\\'));
        }
        let body = self.string_body(begin, end)?;
        Ok(Token::Quoted(if has_escapes { unescaped(body) } else { Cow::Borrowed(body) }))
    }

    /// Returns the text between quotes and goes behind the closing one.
    ///
    /// A string that is not closed ends with the text and loses its last byte there, as in C, which takes that byte
    /// for the quote. A lone quote has no byte to lose.
    fn string_body(&mut self, begin: usize, end: usize) -> Result<&'a [u8], Problem> {
        let is_closed = end < self.text.len();
        self.at = if is_closed { end + 1 } else { end };
        self.text.get(begin..self.at - 1).ok_or(Problem::LoneQuote)
    }

    fn find_from(&self, begin: usize, wanted: impl Fn(u8) -> bool) -> usize {
        self.text[begin..]
            .iter()
            .position(|&byte| wanted(byte))
            .map_or(self.text.len(), |found| begin + found)
    }
}

/// Tells whether C's `isspace` holds in its own locale.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Decodes `\"` and `\\`; any other pair with a backslash stays as it is.
fn unescaped(body: &[u8]) -> Text<'_> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = bytes.next_if(|next| byte == b'\\' && matches!(next, b'"' | b'\\'));
        decoded.push(escaped.unwrap_or(byte));
    }
    Cow::Owned(decoded)
}
