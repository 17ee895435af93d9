//! Kinds of characters, and runs of them.

use unicode_normalization::char::is_combining_mark;

/// The length in bytes of the run of characters at the start of the text.
pub(super) fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Letters and digits that are written into words.
pub(crate) fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    if matches!(c, 'À'..='ÿ' | 'Ā'..='ſ' | 'Ѐ'..='ҁ' | '\u{620}'..='\u{64a}') {
        return !matches!(c, '×' | '÷');
    }
    if matches!(c, '\u{2010}'..='\u{2027}' | '\u{3000}'..='\u{3004}') {
        return false;
    }
    (c.is_alphanumeric() && !is_ideograph(c))
        || matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '·'
        )
        || is_combining_mark(c)
}

/// Characters of scripts that do not put spaces between words.
#[must_use]
pub fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' // Burmese
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3040}'..='\u{3098}'
        | '\u{309d}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
        && c != '・'
}
