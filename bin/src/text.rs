//! Text that comes from elsewhere, such as the name of a VG or the command line of a process, made fit to be seen.
//!
//! Whoever chose it may have wanted a terminal to act on it, or a line to look like two. It is made harmless where it
//! enters what people read: a log line (`daemon/logging/escaped.rs`), the output of the command line
//! (`cli/screen.rs`), and what systemd is told.

use std::borrow::Cow;

/// Returns the text with everything escaped that a terminal would act on, or that would begin a new line.
///
/// Text that has been escaped stays as it is. `\n` becomes `\n` in two characters, ESC `\u{1b}`.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) { plain.extend(character.escape_default()) } else { plain.push(character) }
    }
    Cow::Owned(plain)
}

/// Is it a control character (of C0 and C1), one that ends a line, or one that turns the direction of writing?
///
/// Source: Unicode 16, General Category Cc, Zl, Zp, and property `Bidi_Control`.
pub(crate) fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn no_name_can_move_the_cursor_change_colours_or_begin_a_line() {
        for (text, expected) in [
            ("vg\u{1b}[31m\n\u{7f}é", "vg\\u{1b}[31m\\n\\u{7f}é"),
            ("\u{9b}2J\r\u{85}", "\\u{9b}2J\\r\\u{85}"),
            ("\u{2028}\u{202e}gv\u{2066}\u{61c}", "\\u{2028}\\u{202e}gv\\u{2066}\\u{61c}"),
            ("C:\\n \u{1f427}", "C:\\n \u{1f427}"),
        ] {
            assert_eq!(plain(text), expected);
            assert_eq!(plain(expected), expected);
        }
    }
}
