//! The form of a text that is equal for texts that read the same.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::visible::visible;

/// Marks that become adjacent by folding are folded again, but hostile text must not do this endlessly.
const MAX_PASSES: usize = 8;

/// The visible text with quotation marks, apostrophes, dashes and ellipses in one shape, and letters and digits in
/// one width; see the [module](super).
///
/// A dash before a digit stays a sign, and a mark never disappears: `-2.5%` and `2.5%`, `"so"` and `so` stay
/// different. Spaces around a dash or an apostrophe between words, and before French punctuation, count as part of
/// the shape.
#[must_use]
pub fn reading(text: &str) -> Cow<'_, str> {
    let seen = visible(text);
    if !seen.chars().any(may_fold) {
        return seen;
    }
    // Folding can make two marks adjacent (`'` and `'`), which another pass folds again.
    let mut current = fold(&seen);
    for _ in 1..MAX_PASSES {
        // When a ligature is split, an accent may combine with its last letter.
        let next = visible(&fold(&current)).into_owned();
        if next == current {
            break;
        }
        current = next;
    }
    Cow::Owned(current)
}

fn may_fold(c: char) -> bool {
    match c {
        '\'' | '`' | '-' | '.' | '!' | '?' | ':' | ';' => true,
        _ => !c.is_ascii() && !matches!(shape(c), CharShape::Other(_)),
    }
}

/// The kind of a character, regardless of its shape.
#[derive(Clone, Copy)]
enum CharShape {
    Double,
    Single,
    /// `«`, or `»` if `left` is not set. French puts spaces inside them, German reverses them.
    Angle {
        left: bool,
    },
    Dash,
    Ellipsis,
    Ligature(&'static str),
    /// A letter, digit or mark of another width or keyboard, as its plain form.
    Plain(char),
    /// The stretching mark between Arabic letters.
    Stretcher,
    Joiner,
    Other(char),
}

fn shape(c: char) -> CharShape {
    match c {
        '"' | '“' | '”' | '„' | '‟' | '″' | '〝' | '〞' | '〟' | '＂' | '「' | '」' | '『'
        | '』' => CharShape::Double,
        '«' => CharShape::Angle { left: true },
        '»' => CharShape::Angle { left: false },
        '\'' | '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' | 'ʼ' | 'ʻ' | '＇' | '`' | '´' => {
            CharShape::Single
        }
        '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⸺' | '⸻' | '﹘' | '﹣' | '－' => {
            CharShape::Dash
        }
        '…' => CharShape::Ellipsis,
        'ﬀ' => CharShape::Ligature("ff"),
        'ﬁ' => CharShape::Ligature("fi"),
        'ﬂ' => CharShape::Ligature("fl"),
        'ﬃ' => CharShape::Ligature("ffi"),
        'ﬄ' => CharShape::Ligature("ffl"),
        '№' => CharShape::Ligature("No."),
        '\u{640}' => CharShape::Stretcher,
        '\u{200c}' | '\u{200d}' => CharShape::Joiner,
        other => plain(other).map_or(CharShape::Other(other), CharShape::Plain),
    }
}

/// The plain form of a character that differs only in its width or by keyboard: full-width letters, digits and
/// marks, half-width kana, `µ`, the Persian ye and kaf, digits of Arabic scripts.
fn plain(c: char) -> Option<char> {
    let shifted = |from: char, to: char| char::from_u32(c as u32 - from as u32 + to as u32);
    match c {
        '！'..='～' => shifted('！', '!'),
        // Characters without a compatibility form stay; voicing marks combine with the letter before them.
        '\u{ff61}'..='\u{ff9f}' => [c].into_iter().nfkc().next(),
        'µ' => Some('μ'),
        'ی' => Some('ي'),
        'ک' => Some('ك'),
        '٠'..='٩' => shifted('٠', '0'),
        '۰'..='۹' => shifted('۰', '0'),
        _ => None,
    }
}

/// One pass over the text.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match shape(c) {
            CharShape::Double => out.push('"'),
            CharShape::Angle { left } => {
                let word_before = out.ends_with(char::is_alphanumeric);
                let word_after = chars.peek().is_some_and(|next| next.is_alphanumeric());
                if !left && !word_after {
                    drop_space(&mut out);
                }
                out.push('"');
                if left && !word_before {
                    chars.next_if_eq(&' ');
                }
            }
            // Two adjacent single marks are a double mark.
            CharShape::Single if out.ends_with('\'') => {
                out.pop();
                out.push('"');
            }
            CharShape::Single => {
                let mut ahead = chars.clone();
                let spaced = out.ends_with(' ') && ahead.next() == Some(' ');
                let word_before = out.trim_end().ends_with(char::is_alphabetic);
                // An apostrophe with spaces on both sides is still an apostrophe: `seller ' s`.
                if spaced && word_before && ahead.next().is_some_and(char::is_alphabetic) {
                    drop_space(&mut out);
                    chars.next();
                }
                out.push('\'');
            }
            CharShape::Dash => {
                if out.ends_with('-') {
                    continue;
                }
                let next = chars.peek().copied();
                let spaced = out.ends_with(' ');
                let before = out.trim_end().chars().next_back();
                if spaced && next == Some(' ') && !is_figure(before) {
                    drop_space(&mut out);
                }
                out.push('-');
                if next == Some(' ') && !is_figure(before) {
                    let mut ahead = chars.clone();
                    ahead.next();
                    // A space before a figure stays: `fell - 5` is not `fell -5`.
                    if !is_figure(ahead.next()) {
                        chars.next();
                    }
                }
            }
            CharShape::Ellipsis => out.push_str("..."),
            CharShape::Ligature(letters) => out.push_str(letters),
            CharShape::Plain(c) => {
                if matches!(c, '!' | '?' | ':' | ';') {
                    drop_space(&mut out);
                }
                out.push(c);
            }
            CharShape::Stretcher => {}
            // Between letters, a joiner is only spelling; between emoji, it makes a different picture.
            CharShape::Joiner => {
                if !out.ends_with(char::is_alphabetic) {
                    out.push(c);
                }
            }
            CharShape::Other(c) => {
                if matches!(c, '!' | '?' | ':' | ';') {
                    drop_space(&mut out);
                }
                out.push(c);
            }
        }
    }
    out
}

fn drop_space(out: &mut String) {
    if out.ends_with(' ') {
        out.pop();
    }
}

fn is_figure(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_numeric() || matches!(c, '$' | '€' | '£' | '¥' | '%'))
}
