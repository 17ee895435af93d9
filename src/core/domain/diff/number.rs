//! Figures with their signs and units: `-2.5%`, `$1.5`, `€3.5bn`, `1,200`, `12:30`, `3,5 %`, `20th`, `2026-11-23`.

use super::chars::{is_ideograph, is_word_char, run};

/// Currency signs before or after a figure.
fn is_currency(c: char) -> bool {
    matches!(
        c,
        '$' | '£'
            | '¥'
            | '€'
            | '¢'
            | '₹'
            | '₽'
            | '₩'
            | '₺'
            | '₴'
            | '₪'
            | '₫'
            | '₦'
            | '₱'
            | '฿'
            | '₿'
            | '￥'
            | '＄'
            | '￡'
    )
}

/// Letters before a dollar or another sign: `US$`, `HK$`, `R$`.
const PREFIXES: &[&str] = &[
    "US$", "A$", "AU$", "C$", "CA$", "HK$", "NZ$", "S$", "R$", "NT$", "MX$", "Rs.", "Rs",
];

/// The length in bytes of the figure at the start of `text`; `None` if there is none. `before` is the character
/// before it: after a letter or a digit, a hyphen is not a sign.
pub(super) fn length(text: &str, before: Option<char>) -> Option<usize> {
    let first = text.chars().next()?;
    // Nearly every call returns here.
    let may_start = first.is_ascii_digit()
        || is_currency(first)
        || matches!(
            first,
            '+' | '-' | '−' | '–' | '±' | '.' | ',' | '~' | '≈' | '№'
        )
        || (!first.is_ascii() && first.is_numeric())
        || matches!(first, 'U' | 'A' | 'C' | 'H' | 'N' | 'S' | 'R' | 'M');
    if !may_start {
        return None;
    }
    let free = !before.is_some_and(|c| is_word_char(c) || is_ideograph(c) || is_currency(c));
    let mut at = 0;
    if let Some(prefix) = PREFIXES.iter().find(|prefix| text.starts_with(**prefix)) {
        if before.is_some_and(is_word_char) {
            return None;
        }
        at = prefix.len();
    } else {
        if matches!(first, '+' | '-' | '−' | '–' | '±' | '~' | '≈') {
            if !free {
                return None;
            }
            at += first.len_utf8();
        }
        if let Some(money) = text[at..].chars().next().filter(|&c| is_currency(c)) {
            at += money.len_utf8();
            // `$-5` is also common.
            if at == money.len_utf8() && text[at..].starts_with(['-', '−']) {
                at += text[at..].chars().next().map_or(0, char::len_utf8);
            }
        }
    }
    // `.5` and `,5`.
    if text[at..].starts_with(['.', ',']) && free {
        at += 1;
    }
    let digits = run(&text[at..], char::is_numeric);
    if digits == 0 {
        return None;
    }
    at += digits;
    Some(tail(text, at))
}

/// The end of the figure; `at` is the position after its first digits.
fn tail(text: &str, mut at: usize) -> usize {
    loop {
        let mut chars = text[at..].chars();
        let Some(c) = chars.next() else { return at };
        let next = chars.next();
        let joins_digits = matches!(
            c,
            '.' | ',' | ':' | '/' | '\'' | '’' | '-' | '‑' | '·' | '٫' | '٬' | '，' | '．'
        ) && next.is_some_and(char::is_numeric);
        if joins_digits {
            at += c.len_utf8();
            at += run(&text[at..], char::is_numeric);
            continue;
        }
        // A no-break or thin space between groups of three digits.
        if matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}') {
            let behind = &text[at + c.len_utf8()..];
            let digits = run(behind, char::is_numeric);
            if digits == 3 {
                at += c.len_utf8() + digits;
                continue;
            }
            if next.is_some_and(|c| c == '%' || c == '‰' || is_currency(c)) {
                at += c.len_utf8() + next.map_or(0, char::len_utf8);
            }
            return at;
        }
        // Units and suffixes: `5km`, `3.5bn`, `20th`, `1990s`, `5-year-old`, `20-jährige`.
        if is_word_char(c) {
            at += run(&text[at..], is_word_char);
            continue;
        }
        if matches!(c, '-' | '‑' | '\'' | '’')
            && next.is_some_and(|c| is_word_char(c) && !c.is_numeric())
        {
            at += c.len_utf8();
            continue;
        }
        if matches!(c, '%' | '‰' | '°' | 'º' | 'ª' | '′' | '″' | '٪' | '％') || is_currency(c)
        {
            at += c.len_utf8();
            // `5°C`
            if c == '°' && next.is_some_and(|c| matches!(c, 'C' | 'F' | 'K')) {
                at += 1;
            }
        }
        return at;
    }
}
