//! Normalised forms by which blocks are recognised.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::normalise::reading;

/// The longest text that is learned, in bytes: a longer one has content.
pub(super) const LONGEST: usize = 1_200;

/// The most words of a template.
const LONGEST_TEMPLATE: usize = 40;

/// The fewest letters, besides numbers and names, of a template that a person writes.
const LETTERS: usize = 6;

/// Replaces a part that is not compared; no publisher uses this character.
const MASK: char = '\u{fffc}';

/// A text with a mask in place of each part. `parts` are in order.
pub(super) fn without(text: &str, parts: impl IntoIterator<Item = Range<usize>>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for part in parts {
        out.push_str(text.get(from..part.start).unwrap_or_default());
        out.push(MASK);
        from = part.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// A key that is equal for texts that differ only in typography.
pub(super) fn text_key(text: &str) -> String {
    reading(text).to_lowercase()
}

/// The kind of value in a place of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// `12`, `1,234`
    Whole,
    /// `6.3`, `1.10.2`
    Decimal,
    /// `+1.4`, `-3`
    Signed,
    /// `10:15`
    Clock,
    /// Capitalised words inside a sentence.
    Name,
}

/// A number or name in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextValue {
    /// Where it is, in bytes.
    pub(super) range: Range<usize>,
    /// What it is.
    pub(super) kind: ValueKind,
}

/// A text whose numbers and names are separated from its other words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// The text in lower case, with `#` for each number and `@` for each name.
    pub(super) key: String,
    /// The values in the order of the text.
    pub(super) values: Vec<TextValue>,
    /// How many letters and pictures the text has besides the values.
    pub(super) literal: usize,
}

impl Shape {
    /// The shape of a text; `None` if it has no number and no name, or too many words for a template.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut shape = Self {
            key: String::new(),
            values: Vec::new(),
            literal: 0,
        };
        let mut first = true;
        for (count, word) in text.split_whitespace().enumerate() {
            if count == LONGEST_TEMPLATE {
                return None;
            }
            // The offset of the word, which is a slice of the text.
            let at = word.as_ptr().addr() - text.as_ptr().addr();
            let initial = word.chars().find(|c| c.is_alphanumeric());
            if !first && initial.is_some_and(char::is_uppercase) {
                shape.name(at..at + word.len());
            } else {
                shape.word(at, word);
            }
            // After a full stop or a colon, a capital means nothing.
            first = word.ends_with(['.', ':', '!', '?']);
        }
        (!shape.values.is_empty()).then_some(shape)
    }

    fn name(&mut self, range: Range<usize>) {
        match self.values.last_mut() {
            // A name of several words is one name.
            Some(last) if self.key.ends_with('@') && last.kind == ValueKind::Name => {
                last.range.end = range.end;
            }
            _ => {
                self.between_words();
                self.key.push('@');
                let kind = ValueKind::Name;
                self.values.push(TextValue { range, kind });
            }
        }
    }

    /// `1,234` → `#`, `21°C` → `#°c`.
    fn word(&mut self, at: usize, word: &str) {
        self.between_words();
        let mut rest = word;
        while let Some(begin) = rest.find(char::is_numeric) {
            let is_first = rest.len() == word.len();
            let sign = sign(&rest[..begin]).filter(|at| is_first || *at > 0);
            let (literal, number) = rest.split_at(sign.unwrap_or(begin));
            self.literal(literal);
            let signed = begin - literal.len();
            let end = signed + number_end(&number[signed..]);
            let start = at + (word.len() - number.len());
            self.key.push('#');
            self.values.push(TextValue {
                range: start..start + end,
                kind: match sign {
                    Some(_) => ValueKind::Signed,
                    None => kind_of(&number[..end]),
                },
            });
            rest = &number[end..];
        }
        self.literal(rest);
    }

    fn literal(&mut self, part: &str) {
        self.literal += part.chars().filter(|c| is_literal(*c)).count();
        self.key.push_str(&reading(part).to_lowercase());
    }

    fn between_words(&mut self) {
        if !self.key.is_empty() {
            self.key.push(' ');
        }
    }

    /// Whether enough letters remain besides numbers and names to identify the text.
    pub(super) fn says_enough(&self) -> bool {
        self.literal >= LETTERS
    }
}

fn is_literal(c: char) -> bool {
    !c.is_ascii_punctuation() && !c.is_whitespace()
}

/// Where the sign is, if the text before a number ends with one; `None` for a hyphen after a letter or digit, as
/// in `3-4`.
fn sign(before: &str) -> Option<usize> {
    let (at, last) = before.char_indices().next_back()?;
    let is_sign = matches!(last, '+' | '-' | '−' | '±');
    (is_sign && !before[..at].ends_with(char::is_alphanumeric)).then_some(at)
}

/// Where the number at the start of the text ends. A separator between two digits is part of the number.
fn number_end(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = matches!(c, '.' | ',' | ':' | '\'' | '’' | '\u{a0}' | '\u{202f}');
        let next = chars.peek().is_some_and(|(_, next)| next.is_numeric());
        if !(c.is_numeric() || (joins && next)) {
            return at;
        }
    }
    text.len()
}

fn kind_of(number: &str) -> ValueKind {
    if number.contains(':') {
        return ValueKind::Clock;
    }
    let mut groups = number.split(|c: char| !c.is_numeric());
    let first = groups.next().unwrap_or_default().chars().count();
    let mut rest = groups.peekable();
    let is_grouped = first <= 3 && rest.peek().is_some() && !number.starts_with('0');
    if rest.peek().is_none() || (is_grouped && rest.all(|group| group.chars().count() == 3)) {
        ValueKind::Whole
    } else {
        ValueKind::Decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        Shape::of(text).map(|shape| shape.key)
    }

    #[test]
    fn shapes_keep_the_words_and_set_numbers_and_names_apart() {
        for (one, other) in [
            (
                "1,234 people are reading this",
                "88 people are reading this",
            ),
            (
                "Weather in Tallinn today: 21°C",
                "Weather in New York today: 3°C",
            ),
            (
                "It is 10:15 and 3.5 km of jams",
                "It is 9:02 and 12 km of jams",
            ),
            ("閲覧数：1234", "閲覧数：７"),
        ] {
            assert_eq!(key(one), key(other), "{one}");
            assert!(key(one).is_some(), "{one}");
        }
        assert_ne!(key("12 people were killed"), key("12 people were hurt"));
        assert_eq!(key("No numbers in here at all"), None);
        for short in ["12", "12 °C", "A B C D"] {
            assert!(
                !Shape::of(short).is_some_and(|shape| shape.says_enough()),
                "{short}"
            );
        }
    }

    #[test]
    fn values_know_where_they_stand_and_what_they_are() {
        let text = "On 12,500 screens at 10:15, severity 6.3 of 10, before Judge Ann Lee in hall 3-4 (−1.2%) of covid-19";
        let shape = Shape::of(text).unwrap();
        let found: Vec<(&str, ValueKind)> = shape
            .values
            .iter()
            .map(|value| (&text[value.range.clone()], value.kind))
            .collect();
        assert_eq!(
            found,
            [
                ("12,500", ValueKind::Whole),
                ("10:15", ValueKind::Clock),
                ("6.3", ValueKind::Decimal),
                ("10", ValueKind::Whole),
                ("Judge Ann Lee", ValueKind::Name),
                ("3", ValueKind::Whole),
                ("4", ValueKind::Whole),
                ("−1.2", ValueKind::Signed),
                ("19", ValueKind::Whole),
            ]
        );
    }
}
