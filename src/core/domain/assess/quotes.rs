//! Quotations in a text, whatever their marks, and what happened to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::evidence::{Evidence, Place};
use super::judge::{Judge, MANY, clip};
use super::lexicon::{self, Languages, WordKind};
use super::listing::cancel;
use crate::domain::classify::{Label, Significance};
use crate::domain::normalise::{reading, visible};

/// A quotation: the text between the marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quotation {
    /// As published.
    pub(super) text: String,
    /// As compared.
    pub(super) key: String,
    /// The word in front of it, in lower case, with its punctuation.
    pub(super) before: String,
}

/// At most this many quotations of a text are checked.
const MOST: usize = 1_000;
/// In bytes. Longer texts are not searched for the words of a quotation.
const SEARCHED: usize = 100_000;
/// In bytes. A quotation in single marks is a word or a sentence.
const LONGEST_SINGLE: usize = 400;

/// The quotations of a text. One that is not closed continues to the end, like a quotation over several
/// paragraphs.
pub(super) fn quotations(text: &str) -> Vec<Quotation> {
    let mut found = Vec::new();
    // (the mark that closes it, where the quotation begins)
    let mut open: Option<(Closing, usize)> = None;
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if found.len() >= MOST {
            return found;
        }
        let after = chars.peek().map(|&(_, next)| next);
        match open {
            None => {
                if let Some(closing) = opens(c, before, after) {
                    open = Some((closing, at + c.len_utf8()));
                }
            }
            // An apostrophe that looks like an opening mark is never closed.
            Some((Closing::Single, start)) if at - start > LONGEST_SINGLE => open = None,
            Some((closing, start)) => {
                if closing.closes(c, before, after) {
                    push(&mut found, text, start..at);
                    open = None;
                }
            }
        }
        before = Some(c);
    }
    if let Some((Closing::Double | Closing::Angle | Closing::Corner, start)) = open {
        push(&mut found, text, start..text.len());
    }
    found
}

fn push(found: &mut Vec<Quotation>, whole: &str, range: Range<usize>) {
    // The text before the opening mark.
    let lead = whole[..range.start].char_indices().next_back();
    let before = lead.map_or("", |(mark, _)| &whole[..mark]);
    let before = before.split_whitespace().next_back().unwrap_or_default();
    let text = &whole[range];
    let folded = reading(text);
    let key = folded
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    if !key.is_empty() {
        found.push(Quotation {
            text: visible(text).trim().to_owned(),
            key,
            before: before.to_lowercase(),
        });
    }
}

#[derive(Clone, Copy)]
enum Closing {
    Double,
    Single,
    Angle,
    Corner,
}

fn is_letter(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

fn opens(c: char, before: Option<char>, after: Option<char>) -> Option<Closing> {
    match c {
        '"' | '“' | '„' | '‟' | '”' | '＂' => Some(Closing::Double),
        '«' | '»' => Some(Closing::Angle),
        '「' | '『' => Some(Closing::Corner),
        // A single mark opens only before a word; `'90s` and `rock 'n' roll` are not quotations.
        '‘' | '\'' | '‚' | '‹' | '’'
            if !is_letter(before) && after.is_some_and(char::is_alphabetic) =>
        {
            Some(Closing::Single)
        }
        _ => None,
    }
}

impl Closing {
    fn closes(self, c: char, before: Option<char>, after: Option<char>) -> bool {
        match self {
            Self::Double => matches!(c, '"' | '”' | '“' | '‟' | '＂'),
            Self::Angle => matches!(c, '»' | '«'),
            Self::Corner => matches!(c, '」' | '』'),
            Self::Single => {
                matches!(c, '’' | '\'' | '›' | '‘')
                    && !is_letter(after)
                    && before.is_some_and(|c| !c.is_whitespace())
            }
        }
    }
}

impl Judge {
    fn title_marks(&mut self, quote: &Quotation, what: &str, place: Place) {
        let text = format!(
            "marks around the title “{}” {what} in {place}",
            clip(&quote.text)
        );
        self.found(Label::Wording, Significance::Minor, text);
    }

    /// Names the quotations that were added, removed or reworded.
    pub(super) fn quotations(&mut self, evidence: &Evidence) {
        let mut old: Vec<(Place, Quotation)> = Vec::new();
        let mut new: Vec<(Place, Quotation)> = Vec::new();
        for passage in &evidence.passages {
            old.extend(
                quotations(&passage.old)
                    .into_iter()
                    .map(|quote| (passage.place, quote)),
            );
            new.extend(
                quotations(&passage.new)
                    .into_iter()
                    .map(|quote| (passage.place, quote)),
            );
        }
        cancel(&mut old, &mut new, |(_, quote)| quote.key.clone());
        old.truncate(MANY);
        new.truncate(MANY);
        let places: BTreeSet<Place> = old.iter().chain(&new).map(|(place, _)| *place).collect();
        let mut texts: BTreeMap<Place, [String; 2]> = BTreeMap::new();
        for passage in &evidence.passages {
            if places.contains(&passage.place) {
                let sides = texts.entry(passage.place).or_default();
                for (side, text) in sides.iter_mut().zip([&passage.old, &passage.new]) {
                    if text.len() > SEARCHED || side.len() > SEARCHED {
                        continue;
                    }
                    side.push_str(&reading(text).to_lowercase());
                    side.push(' ');
                }
            }
        }
        let stands = |new: usize, place: Place, key: &str| {
            texts
                .get(&place)
                .is_some_and(|sides| sides[new].contains(key))
        };
        let mut taken = vec![false; new.len()];
        for (place, quote) in &old {
            let heir = new
                .iter()
                .enumerate()
                .find(|(k, (_, other))| !taken[*k] && are_alike(&quote.key, &other.key));
            let text = if let Some((k, (_, other))) = heir {
                taken[k] = true;
                format!("“{}” → “{}”", clip(&quote.text), clip(&other.text))
            } else if stands(1, *place, &quote.key) {
                if is_title(quote, evidence.languages) {
                    self.title_marks(quote, "dropped", *place);
                    continue;
                }
                format!("marks around “{}” dropped", clip(&quote.text))
            } else {
                format!("“{}” dropped", clip(&quote.text))
            };
            self.found(
                Label::Quote,
                Significance::Substantive,
                format!("{text} in {place}"),
            );
        }
        for (k, (place, quote)) in new.iter().enumerate() {
            if taken[k] {
                continue;
            }
            let text = if stands(0, *place, &quote.key) {
                if is_title(quote, evidence.languages) {
                    self.title_marks(quote, "added", *place);
                    continue;
                }
                format!("marks around “{}” added", clip(&quote.text))
            } else {
                format!("“{}” added", clip(&quote.text))
            };
            self.found(
                Label::Quote,
                Significance::Substantive,
                format!("{text} in {place}"),
            );
        }
    }
}

/// Whether the marks enclose a title instead of speech: it has a capital where the sentence does not need one, and
/// no verb of speech introduces it.
fn is_title(quote: &Quotation, languages: Languages) -> bool {
    // German capitalises every noun.
    !languages.is("de")
        && quote.text.starts_with(char::is_uppercase)
        && quote.before.ends_with(char::is_alphanumeric)
        && !lexicon::is_word_of(WordKind::Speech, &quote.before, languages)
}

/// Whether one quotation is a rewording of the other.
fn are_alike(a: &str, b: &str) -> bool {
    let words =
        |text: &'_ str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (mut old, mut new) = (words(a), words(b));
    let all = old.len() + new.len();
    cancel(&mut old, &mut new, Clone::clone);
    let left = old.len() + new.len();
    all > 0 && left * 2 <= all
}
