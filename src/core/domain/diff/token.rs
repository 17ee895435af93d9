//! Splits text into units that are never split further: words, numbers with signs and units, addresses, graphemes.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::chars::{is_ideograph, is_word_char, run};
use super::number;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Letters, with inner hyphens and apostrophes.
    Word,
    /// A figure with its sign, separators, currency and unit.
    Number,
    /// A web or e-mail address, a handle or a hashtag.
    Address,
    /// One character of a script without spaces between words.
    Ideograph,
    /// White space.
    Space,
    /// Anything else.
    Mark,
}

/// A part of a text that is never split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Bytes of the text.
    pub(crate) range: Range<usize>,
    /// What it is.
    pub(crate) class: Class,
}

impl Token {
    /// The token's text.
    pub(crate) fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether it counts as a word.
    pub(crate) fn is_wordlike(&self) -> bool {
        !matches!(self.class, Class::Space | Class::Mark)
    }
}

/// Splits text into tokens that cover it without gaps.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(text.len() / 3 + 1);
    let mut at = 0;
    let mut before = None;
    let mut simple = true;
    while let Some(c) = text[at..].chars().next() {
        let (end, class) = token_at(text, at, c, before);
        let end = end.max(at + c.len_utf8());
        let token = &text[at..end];
        simple = simple && token.chars().all(is_simple);
        before = token.chars().next_back();
        out.push(Token {
            range: at..end,
            class,
        });
        at = end;
    }
    if !simple {
        join_graphemes(text, &mut out);
    }
    out
}

/// The end and class of the token that begins at `at` with `c`.
fn token_at(text: &str, at: usize, c: char, before: Option<char>) -> (usize, Class) {
    let rest = &text[at..];
    if c.is_whitespace() {
        return (at + run(rest, char::is_whitespace), Class::Space);
    }
    if is_ideograph(c) {
        let length = c.len_utf8();
        return (
            at + length + run(&rest[length..], is_combining_mark),
            Class::Ideograph,
        );
    }
    if let Some(length) = number::length(rest, before) {
        return (at + length, Class::Number);
    }
    if let Some(length) = address(rest, c) {
        return (at + length, Class::Address);
    }
    if is_word_char(c) {
        return (at + word(rest), Class::Word);
    }
    // The unit in `20 °C`.
    if c == '°' && rest['°'.len_utf8()..].starts_with(['C', 'F', 'K']) {
        let length = '°'.len_utf8() + 1;
        if !rest[length..].starts_with(is_word_char) {
            return (at + length, Class::Word);
        }
    }
    // Repeated dots, dashes and the like form one token.
    if c.is_ascii() {
        return (at + run(rest, |other| other == c), Class::Mark);
    }
    (at + c.len_utf8(), Class::Mark)
}

fn is_joint(c: char) -> bool {
    matches!(c, '-' | '\'' | '’' | '‐' | '‑' | '&' | 'ʼ' | '״' | '׳')
}

/// The length of the word at the start of the text, inner hyphens and apostrophes included.
fn word(text: &str) -> usize {
    let mut end = 0;
    let mut letters = 0_usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if is_word_char(c) {
            end = at + c.len_utf8();
            letters += 1;
            continue;
        }
        let next = chars.peek().map(|&(_, next)| next);
        if is_joint(c) && next.is_some_and(is_word_char) {
            letters = 0;
            continue;
        }
        // `U.S.`, `e.g.`, `J.F.K.`: single letters with dots.
        let initials = c == '.' && letters == 1 && !text[..at].ends_with(|c: char| c.is_numeric());
        if initials {
            let goes_on = next.is_some_and(char::is_alphabetic) && {
                let mut ahead = chars.clone();
                ahead.next();
                ahead
                    .next()
                    .is_none_or(|(_, c)| c == '.' || !is_word_char(c))
            };
            if goes_on {
                letters = 0;
                continue;
            }
            if text[..at].contains('.') {
                return at + 1;
            }
        }
        break;
    }
    end
}

/// The length of the web or e-mail address, handle or hashtag at the start of the text.
fn address(text: &str, first: char) -> Option<usize> {
    /// Characters after an address in a sentence are not part of it.
    const TRAILING: &[char] = &[
        '.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '"', '’', '”', '»',
    ];
    let bytes = text.as_bytes();
    if matches!(first, 'h' | 'H' | 'w' | 'W') {
        let head = bytes.get(..8).unwrap_or(bytes).to_ascii_lowercase();
        let scheme = [b"https://".as_slice(), b"http://", b"www."]
            .into_iter()
            .find(|scheme| head.starts_with(scheme));
        if let Some(scheme) = scheme {
            let end = run(text, |c| {
                !c.is_whitespace()
                    && !matches!(c, '<' | '>' | '"' | '“' | '”' | '«' | '»')
                    && !is_ideograph(c)
            });
            let trimmed = text[..end].trim_end_matches(TRAILING).len();
            return (trimmed > scheme.len()).then_some(trimmed);
        }
    }
    if matches!(first, '#' | '@') {
        let name = run(&text[1..], |c| is_word_char(c) || c == '.');
        let name = text[1..=name].trim_end_matches('.');
        return (!name.is_empty()).then_some(1 + name.len());
    }
    if first.is_ascii_alphanumeric() {
        // RFC 5321 allows 64 bytes before the at sign and 255 after it.
        let local = bytes
            .iter()
            .take(65)
            .position(|&byte| !(byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte)))?;
        if bytes.get(local) != Some(&b'@') {
            return None;
        }
        let domain = text.get(local + 1..)?;
        let length = domain
            .bytes()
            .take(255)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
            .count();
        let domain = domain[..length].trim_end_matches(['.', '-']);
        return domain.contains('.').then_some(local + 1 + domain.len());
    }
    None
}

/// Whether a character is always a grapheme of its own next to other such characters.
fn is_simple(c: char) -> bool {
    matches!(c,
        ' '..='~'
        | '\u{a0}'..='\u{ac}'
        | '\u{ae}'..='\u{2ff}'
        | '\u{370}'..='\u{482}'
        | '\u{48a}'..='\u{52f}'
        | '\u{5d0}'..='\u{5ea}'
        | '\u{620}'..='\u{64a}'
        | '\u{2010}'..='\u{2027}'
        | '\u{202f}'..='\u{205e}'
        | '\u{20a0}'..='\u{20cf}'
        | '\u{3000}'..='\u{3029}'
        | '\u{3040}'..='\u{3098}'
        | '\u{309b}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff01}'..='\u{ff9d}')
}

/// Joins tokens if the border between them is inside a grapheme.
fn join_graphemes(text: &str, tokens: &mut Vec<Token>) {
    let mut borders = text.grapheme_indices(true).map(|(at, _)| at).peekable();
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        while borders
            .next_if(|&border| border < token.range.start)
            .is_some()
        {}
        let clean = borders.peek() == Some(&token.range.start);
        match joined.last_mut() {
            Some(last) if !clean => {
                last.range.end = token.range.end;
                if last.class == Class::Space {
                    last.class = token.class;
                }
            }
            _ => joined.push(token),
        }
    }
    *tokens = joined;
}

/// The number of words in a text: words, numbers, addresses, and characters of scripts without spaces.
#[must_use]
pub fn word_count(text: &str) -> u32 {
    let count = tokens(text)
        .iter()
        .filter(|token| token.is_wordlike())
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}
