//! What an edit removed or added: its words, figures and marks.

use super::lexicon::{self, Languages, WordKind};
use crate::domain::diff::{Class, is_ideograph, tokens};

/// What an edit removed or added.
#[derive(Debug, Clone, Default)]
pub(super) struct EditSide {
    /// As published.
    pub(super) text: String,
    /// Its words, numbers and addresses.
    pub(super) words: Vec<Word>,
    /// Its punctuation, without quotation marks.
    pub(super) marks: String,
}

/// A word of an edit.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// As published.
    pub(super) text: String,
    /// In lower case with straight apostrophes.
    pub(super) lower: String,
    pub(super) class: Class,
}

/// Only the first 20,000 bytes of an edit are judged.
const JUDGED: usize = 20_000;

fn head(text: &str) -> &str {
    if text.len() <= JUDGED {
        return text;
    }
    let end = (0..=JUDGED).rev().find(|&at| text.is_char_boundary(at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

impl EditSide {
    pub(super) fn of(text: &str) -> Self {
        let text = head(text);
        let mut words = Vec::new();
        let mut marks = String::new();
        for token in tokens(text) {
            let shown = token.of(text);
            match token.class {
                Class::Space => {}
                Class::Mark => {
                    if !shown.chars().all(is_quotation_mark) {
                        marks.push_str(shown);
                    }
                }
                class => words.push(Word {
                    text: shown.to_owned(),
                    lower: shown.replace(['’', 'ʼ'], "'").to_lowercase(),
                    class,
                }),
            }
        }
        Self {
            text: text.to_owned(),
            words,
            marks,
        }
    }

    /// The words of the given kind, in lower case.
    pub(super) fn words_of(&self, kind: WordKind, languages: Languages) -> Vec<String> {
        let mut found: Vec<String> = self
            .words
            .iter()
            .filter(|word| {
                word.class == Class::Word && lexicon::is_word_of(kind, &word.lower, languages)
            })
            // In English, `May` and `March` are months only with a capital.
            .filter(|word| {
                let capital = word.text.starts_with(char::is_uppercase);
                match word.lower.as_str() {
                    "may" if kind == WordKind::Hedge => !capital,
                    "may" | "march" if kind == WordKind::Date => capital,
                    _ => true,
                }
            })
            .map(|word| word.lower.clone())
            .collect();
        found.extend(
            lexicon::found_inside(kind, &self.text, languages)
                .into_iter()
                .map(str::to_owned),
        );
        found
    }

    /// The signs among its marks: arrows, ticks, crosses, lights, thumbs. The meaning of other pictures is less
    /// certain.
    pub(super) fn signs(&self) -> String {
        let is_sign = |c: &char| {
            matches!(
                c,
                '<' | '>'
                    | '='
                    | '+'
                    | '\u{2190}'..='\u{22ff}'
                    | '\u{25a0}'..='\u{27bf}'
                    | '\u{2b00}'..='\u{2bff}'
                    | '\u{1f44d}'..='\u{1f44e}'
                    | '\u{1f534}'..='\u{1f535}'
                    | '\u{1f53a}'..='\u{1f53d}'
                    | '\u{1f7e0}'..='\u{1f7eb}'
            )
        };
        self.marks.chars().filter(is_sign).collect()
    }

    /// The figures, as compared: thousands separators and the spelling of units do not count.
    pub(super) fn figures(&self, languages: Languages) -> Vec<Figure> {
        let mut figures: Vec<Figure> = Vec::new();
        let mut last_is_figure = false;
        for word in &self.words {
            let has_digit = word.text.chars().any(char::is_numeric);
            if has_digit && word.class != Class::Address {
                figures.push(Figure {
                    shown: word.text.clone(),
                    key: figure_key(&word.text),
                    in_words: false,
                    counts: true,
                });
                last_is_figure = true;
                continue;
            }
            if last_is_figure && let Some(unit) = lexicon::unit(&word.lower) {
                if let Some(figure) = figures.last_mut() {
                    figure.key = with_unit(&figure.key, unit);
                    figure.shown = format!("{} {}", figure.shown, word.text);
                }
                continue;
            }
            last_is_figure = false;
            let value = word
                .lower
                .split('-')
                .filter_map(|part| lexicon::value(part, languages))
                .collect::<Vec<_>>();
            if !value.is_empty() {
                figures.push(Figure {
                    shown: word.text.clone(),
                    key: value.join("+"),
                    in_words: true,
                    counts: word
                        .lower
                        .split('-')
                        .any(|part| lexicon::is_count(part, languages)),
                });
                last_is_figure = true;
            }
        }
        let numerals: String = self.text.chars().filter(|&c| is_numeral(c)).collect();
        if !numerals.is_empty() {
            figures.push(Figure {
                counts: numerals.chars().any(|c| c != '一'),
                shown: numerals.clone(),
                key: numerals,
                in_words: true,
            });
        }
        figures
    }
}

/// A figure of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    /// As published.
    pub(super) shown: String,
    /// As compared.
    pub(super) key: String,
    /// Whether it is written in words.
    pub(super) in_words: bool,
    /// Whether it surely counts something, even if no other figure replaces it.
    pub(super) counts: bool,
}

fn is_numeral(c: char) -> bool {
    is_ideograph(c)
        && matches!(
            c,
            '一' | '二'
                | '三'
                | '四'
                | '五'
                | '六'
                | '七'
                | '八'
                | '九'
                | '十'
                | '百'
                | '千'
                | '万'
                | '萬'
                | '亿'
                | '億'
                | '兆'
                | '两'
                | '兩'
        )
}

/// `1,200` and `1200`, `3.5bn` and `3.5 billion`, `5%` and `5 percent` are equal; `1.5` and `15` are not.
fn figure_key(text: &str) -> String {
    let mut chars: Vec<char> = text
        .chars()
        .map(|c| match c {
            '−' | '–' => '-',
            '’' => '\'',
            '\u{202f}' | '\u{2009}' => '\u{a0}',
            c => c,
        })
        .collect();
    // A separator before exactly three digits is a thousands separator. A single dot may also be a decimal one, so
    // only commas (as in English `1,200`), apostrophes and spaces are removed.
    let is_group = |chars: &[char], at: usize| {
        let digits = chars[at + 1..]
            .iter()
            .take_while(|c| c.is_numeric())
            .count();
        digits == 3 && at > 0 && chars[at - 1].is_numeric() && chars[0] != '0'
    };
    let mut at = 0;
    while at < chars.len() {
        if matches!(chars[at], ',' | '\'' | '\u{a0}') && is_group(&chars, at) {
            chars.remove(at);
        } else {
            at += 1;
        }
    }
    let text: String = chars.into_iter().filter(|c| *c != '\u{a0}').collect();
    let digits_end = text.rfind(char::is_numeric).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    let (number, suffix) = text.split_at(digits_end);
    match lexicon::unit(&suffix.to_lowercase()) {
        Some(unit) => with_unit(number, unit),
        None => text,
    }
}

/// Currency signs are written before the figure.
fn with_unit(number: &str, unit: &str) -> String {
    match unit {
        "$" | "€" | "£" => format!("{unit}{number}"),
        _ => format!("{number}{unit}"),
    }
}

fn is_quotation_mark(c: char) -> bool {
    matches!(
        c,
        '"' | '“'
            | '”'
            | '„'
            | '‟'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '‘'
            | '’'
            | '‚'
            | '\''
            | '`'
            | '「'
            | '」'
            | '『'
            | '』'
            | '＂'
    )
}
