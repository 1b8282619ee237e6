//! Numbers as C's `strtoll(text, .., 0)` and `strtod` read them.
//!
//! Both are given the text from the number's first byte to the end of the message, as C gives it to them. They may so
//! read on beyond the number token: `0x10` and `1.5e5` have their full value, though the lexer ended the token at `x`
//! and at `e` and the parser will stumble over what follows.

/// Returns the integer at the head of `text`, 0 if there is none, or `None` when it does not fit 64 bits.
///
/// A leading `0` means octal and `0x` hexadecimal, after a sign too.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => (16, rest),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    let mut value: i64 = 0;
    for digit in digits.iter().map_while(|&byte| char::from(byte).to_digit(radix)) {
        let digit = i64::from(digit);
        // Counted downwards when negative, because the smallest number has no positive counterpart.
        value = value.checked_mul(i64::from(radix))?.checked_add(if negative { -digit } else { digit })?;
    }
    Some(value)
}

/// Returns the decimal float at the head of `text`, 0 if there is none; infinite when it is too large.
///
/// `token_len` is the length of the float token; an exponent that follows it counts.
pub(super) fn float(text: &[u8], token_len: usize) -> f64 {
    let len = token_len + exponent_len(&text[token_len..]);
    // A lone point, with or without a sign, is all that does not parse here.
    std::str::from_utf8(&text[..len]).ok().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn exponent_len(text: &[u8]) -> usize {
    let [b'e' | b'E', rest @ ..] = text else { return 0 };
    let (_, digits) = sign(rest);
    let digit_count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digit_count == 0 { 0 } else { text.len() - digits.len() + digit_count }
}
