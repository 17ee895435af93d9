//! From the edits to labels with reasons.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::evidence::{Edit, Evidence, Figure, Place, Side};
use super::lexicon::{self, Kind};
use super::notice::{self, Notice};
use super::quotes::{Quotation, quotations};
use super::typo;
use crate::domain::classify::{Label, Significance};
use crate::domain::compare::Comparison;
use crate::domain::diff::{Class, word_count};
use crate::domain::event::Field;
use crate::domain::normalise::{reading, same_to_the_eye};

/// A label with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) label: Label,
    pub(super) significance: Significance,
    /// For people, without the label.
    pub(super) text: String,
    /// How many findings of the label this one stands for.
    pub(super) count: u32,
}

/// So many reasons are given for a label; more are counted.
const REASONS: usize = 5;
/// So many characters of a text are shown in a reason.
const SHOWN: usize = 60;
/// So many quotations, and so many added texts, are looked at one by one.
const MANY: usize = 200;
/// In bytes: `訂正`.
const SHORTEST_NOTICE: usize = 6;
/// From so many words on, an added or removed paragraph says something.
const TELLING: u32 = 5;

/// What was found of one label.
struct Tally {
    /// The first few.
    shown: Vec<Finding>,
    /// How many there are.
    count: u32,
    /// The weightiest of all.
    significance: Significance,
}

#[derive(Default)]
pub(super) struct Judge {
    tallies: BTreeMap<Label, Tally>,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Judge {
    /// Looks at everything.
    pub(super) fn all(&mut self, comparison: &Comparison, evidence: &Evidence, context: &Context) {
        for edit in &evidence.edits {
            self.edit(edit, evidence);
        }
        self.quotations(evidence);
        self.blocks(evidence);
        self.fields(comparison, evidence);
        for (place, shown) in &evidence.typographic {
            self.found(
                Label::Typographic,
                Significance::Typographic,
                format!("{} in {place}", clip(shown)),
            );
        }
        if comparison.typographic_only && !self.has(Label::Typographic) {
            self.found(
                Label::Typographic,
                Significance::Typographic,
                "only the shape of marks".to_owned(),
            );
        }
        self.notices(evidence);
        if let Some(revision) = context.revert_of {
            self.found(
                Label::Revert,
                Significance::Minor,
                format!("back to revision {revision}"),
            );
        }
        self.stealth(comparison, context);
    }

    /// The findings in the order of [`Label`].
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut out = Vec::new();
        for (_, tally) in self.tallies {
            let rest = tally.count.saturating_sub(count(tally.shown.len()));
            let last = tally.shown.len().saturating_sub(1);
            for (index, mut finding) in tally.shown.into_iter().enumerate() {
                if index == last && rest > 0 {
                    finding.significance = tally.significance;
                    finding.count = rest + 1;
                    finding.text = format!("{} (and {rest} more)", finding.text);
                }
                out.push(finding);
            }
        }
        out
    }

    fn found(&mut self, label: Label, significance: Significance, text: String) {
        let tally = self.tallies.entry(label).or_insert_with(|| Tally {
            shown: Vec::new(),
            count: 0,
            significance,
        });
        if tally.shown.iter().any(|finding| finding.text == text) {
            return;
        }
        tally.count += 1;
        tally.significance = tally.significance.max(significance);
        if tally.shown.len() < REASONS {
            tally.shown.push(Finding {
                label,
                significance,
                text,
                count: 1,
            });
        }
    }

    fn has(&self, label: Label) -> bool {
        self.tallies.contains_key(&label)
    }

    fn findings(&self) -> u32 {
        self.tallies.values().map(|tally| tally.count).sum()
    }

    fn edit(&mut self, edit: &Edit, evidence: &Evidence) {
        if edit.place == Place::Byline {
            return;
        }
        let before = self.findings();
        if let Some(what) = slip(edit) {
            self.found(
                Label::Typo,
                Significance::Minor,
                format!("{what} in {}", edit.place),
            );
            return;
        }
        if !edit.whole_sentences {
            self.numbers(edit, evidence);
            self.negations(edit, evidence);
            self.names(edit, evidence);
            self.attribution(edit, evidence);
        }
        self.links(edit);
        let named = self.findings() > before;
        self.wording(edit, evidence, named);
    }

    fn numbers(&mut self, edit: &Edit, evidence: &Evidence) {
        let mut old = edit.removed.figures(evidence.languages);
        let mut new = edit.added.figures(evidence.languages);
        cancel(&mut old, &mut new, |figure| figure.key.clone());
        // A number in words by itself may be no number (`one of them`, `second`): it counts beside another.
        let in_words = |figures: &[Figure]| figures.iter().all(|figure| figure.in_words);
        let lonely = old.is_empty() || new.is_empty();
        if (old.is_empty() && new.is_empty()) || (lonely && in_words(&old) && in_words(&new)) {
            self.dates(edit, evidence);
            return;
        }
        let shown = |figures: &[Figure]| -> String {
            let list: Vec<&str> = figures.iter().map(|figure| figure.shown.as_str()).collect();
            list.join(", ")
        };
        let text = match (old.is_empty(), new.is_empty()) {
            (false, false) => format!("{} → {}", clip(&shown(&old)), clip(&shown(&new))),
            (false, true) => format!("{} dropped", clip(&shown(&old))),
            _ => format!("{} added", clip(&shown(&new))),
        };
        self.found(
            Label::Number,
            Significance::Substantive,
            format!("{text} in {}", edit.place),
        );
    }

    /// Months and days are figures too, when one stands in the place of another.
    fn dates(&mut self, edit: &Edit, evidence: &Evidence) {
        let mut old = edit.removed.words_of(Kind::Date, evidence.languages);
        let mut new = edit.added.words_of(Kind::Date, evidence.languages);
        cancel(&mut old, &mut new, Clone::clone);
        if let (Some(old), Some(new)) = (old.first(), new.first()) {
            let text = format!(
                "{} → {} in {}",
                as_shown(&edit.removed, old),
                as_shown(&edit.added, new),
                edit.place
            );
            self.found(Label::Number, Significance::Substantive, text);
        }
    }

    fn negations(&mut self, edit: &Edit, evidence: &Evidence) {
        let langs = evidence.languages;
        for (kind, name) in [(Kind::Negation, ""), (Kind::Hedge, " (hedge)")] {
            let mut old = edit.removed.words_of(kind, langs);
            let mut new = edit.added.words_of(kind, langs);
            // One negation for another says the same; one hedge for another nearly so.
            let common = old.len().min(new.len());
            if kind == Kind::Negation {
                old.drain(..common);
                new.drain(..common);
            } else {
                cancel(&mut old, &mut new, Clone::clone);
            }
            let text = match (old.first(), new.first()) {
                (Some(old), Some(new)) => format!("“{old}” → “{new}”{name}"),
                (Some(old), None) => format!("“{old}” dropped{name}"),
                (None, Some(new)) => format!("“{new}” added{name}"),
                (None, None) => continue,
            };
            self.found(
                Label::Negation,
                Significance::Substantive,
                format!("{text} in {}", edit.place),
            );
        }
        if let ([old], [new]) = (edit.removed.words.as_slice(), edit.added.words.as_slice())
            && typo::are_opposites(&old.lower, &new.lower)
        {
            let text = format!("“{}” → “{}” in {}", old.text, new.text, edit.place);
            self.found(Label::Negation, Significance::Substantive, text);
        }
    }

    fn names(&mut self, edit: &Edit, evidence: &Evidence) {
        // German writes every noun with a capital, and headlines may do so with every word.
        if evidence.languages.is("de") || edit.place == Place::Headline && is_title_case(evidence) {
            return;
        }
        let mut old = names(&edit.removed, edit.begins_sentence, evidence);
        let mut new = names(&edit.added, edit.begins_sentence, evidence);
        cancel(&mut old, &mut new, Clone::clone);
        if old.is_empty() || new.is_empty() {
            return;
        }
        let text = format!(
            "{} → {} in {}",
            clip(&old.join(" ")),
            clip(&new.join(" ")),
            edit.place
        );
        self.found(Label::Name, Significance::Substantive, text);
    }

    fn attribution(&mut self, edit: &Edit, evidence: &Evidence) {
        let mut old = edit.removed.words_of(Kind::Speech, evidence.languages);
        let mut new = edit.added.words_of(Kind::Speech, evidence.languages);
        cancel_alike(&mut old, &mut new, |a, b| a == b || typo::are_forms(a, b));
        let text = match (old.first(), new.first()) {
            (Some(old), Some(new)) => format!("“{old}” → “{new}”"),
            (Some(old), None) => format!("“{old}” dropped"),
            (None, Some(new)) => format!("“{new}” added"),
            (None, None) => return,
        };
        self.found(
            Label::Attribution,
            Significance::Substantive,
            format!("{text} in {}", edit.place),
        );
    }

    fn links(&mut self, edit: &Edit) {
        let addresses = |side: &Side| -> Vec<String> {
            side.words
                .iter()
                .filter(|word| word.class == Class::Address && word.lower.contains('.'))
                .map(|word| word.text.clone())
                .collect()
        };
        let (mut old, mut new) = (addresses(&edit.removed), addresses(&edit.added));
        cancel(&mut old, &mut new, Clone::clone);
        let text = match (old.first(), new.first()) {
            (Some(old), Some(new)) => format!("{} → {}", clip(old), clip(new)),
            (Some(old), None) => format!("{} dropped", clip(old)),
            (None, Some(new)) => format!("{} added", clip(new)),
            (None, None) => return,
        };
        self.found(
            Label::Link,
            Significance::Minor,
            format!("{text} in {}", edit.place),
        );
    }

    /// What is left when the special kinds have been named.
    fn wording(&mut self, edit: &Edit, evidence: &Evidence, named: bool) {
        let content = |side: &Side| -> Vec<String> {
            side.words
                .iter()
                .filter(|word| matches!(word.class, Class::Word | Class::Ideograph))
                .map(|word| word.lower.clone())
                .collect()
        };
        let (mut old, mut new) = (content(&edit.removed), content(&edit.added));
        cancel(&mut old, &mut new, Clone::clone);
        let says = |word: &String| {
            let special = [Kind::Negation, Kind::Hedge, Kind::Speech, Kind::Date]
                .into_iter()
                .any(|kind| lexicon::is_word_of(kind, word, evidence.languages));
            !lexicon::is_stop_word(word)
                && !special
                && lexicon::value(word, evidence.languages).is_none()
        };
        let marks_only = old.is_empty() && new.is_empty();
        if marks_only && (named || edit.removed.marks == edit.added.marks) {
            // Quotation marks and figures are named by others; the same words in another order are not.
            if !named && edit.removed.words.len() > 1 && !edit.added.words.is_empty() {
                self.found(
                    Label::Wording,
                    Significance::Minor,
                    format!("the order of words in {}", edit.place),
                );
            }
            return;
        }
        let (mut a, mut b): (Vec<String>, Vec<String>) = (
            old.iter().filter(|word| says(word)).cloned().collect(),
            new.iter().filter(|word| says(word)).cloned().collect(),
        );
        cancel_alike(&mut a, &mut b, |x, y| {
            typo::are_forms(x, y) || typo::is_slip(x, y) || typo::are_opposites(x, y)
        });
        let silent = a.is_empty() && b.is_empty();
        if named && silent {
            return;
        }
        let asks = edit.removed.marks.contains(['?', '？', '؟'])
            != edit.added.marks.contains(['?', '？', '؟']);
        let significance = if silent && !asks {
            Significance::Minor
        } else {
            Significance::Substantive
        };
        self.found(
            Label::Wording,
            significance,
            format!("{} in {}", shown(edit), edit.place),
        );
    }

    fn quotations(&mut self, evidence: &Evidence) {
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

    fn blocks(&mut self, evidence: &Evidence) {
        let weight = |text: &str| {
            if word_count(text) >= TELLING {
                Significance::Substantive
            } else {
                Significance::Minor
            }
        };
        for block in &evidence.added {
            let text = format!("{}: “{}”", block.place, clip(&block.text));
            self.found(Label::ParagraphAdded, weight(&block.text), text);
        }
        for block in &evidence.removed {
            let text = format!("{}: “{}”", block.place, clip(&block.text));
            self.found(Label::ParagraphRemoved, weight(&block.text), text);
        }
        for (from, to) in &evidence.moved {
            let text = if from == to || *from == 0 || *to == 0 {
                "a sentence stands elsewhere".to_owned()
            } else {
                format!("from ¶{from} to ¶{to}")
            };
            self.found(Label::Moved, Significance::Minor, text);
        }
        for (count, what) in [(evidence.split, "split"), (evidence.joined, "joined")] {
            if count > 0 && evidence.edits.is_empty() {
                let noun = if count == 1 {
                    "paragraph"
                } else {
                    "paragraphs"
                };
                self.found(
                    Label::Wording,
                    Significance::Minor,
                    format!("{count} {noun} {what}, the words as before"),
                );
            }
        }
    }

    fn fields(&mut self, comparison: &Comparison, evidence: &Evidence) {
        if let Some(title) = &comparison.title {
            let edits: Vec<&Edit> = evidence
                .edits
                .iter()
                .filter(|edit| edit.place == Place::Headline)
                .collect();
            if !edits.is_empty() {
                let significance = if edits.iter().all(|edit| slip(edit).is_some()) {
                    Significance::Minor
                } else {
                    Significance::Substantive
                };
                let mut sources: Vec<&str> = comparison
                    .headlines
                    .iter()
                    .map(|headline| headline.source.as_str())
                    .collect();
                sources.dedup();
                let old = crate::domain::diff::Segment::old_side(title);
                let new = crate::domain::diff::Segment::new_side(title);
                let text = format!(
                    "“{}” → “{}” ({})",
                    clip(&old),
                    clip(&new),
                    sources.join(", ")
                );
                self.found(Label::Headline, significance, text);
            }
        }
        if let Some(byline) = &comparison.byline {
            let old = crate::domain::diff::Segment::old_side(byline);
            let new = crate::domain::diff::Segment::new_side(byline);
            if reading(&old) != reading(&new) {
                let text = match (old.is_empty(), new.is_empty()) {
                    (true, _) => format!("{} added", clip(&new)),
                    (_, true) => format!("{} dropped", clip(&old)),
                    _ => format!("{} → {}", clip(&old), clip(&new)),
                };
                self.found(Label::Byline, Significance::Minor, text);
            }
        }
        if let Some([old, new]) = &comparison.address {
            self.found(
                Label::Address,
                Significance::Minor,
                format!("{old} → {new}"),
            );
        }
        if let Some([old, new]) = &comparison.guid {
            self.found(
                Label::Guid,
                Significance::Minor,
                format!("{} → {}", clip(old), clip(new)),
            );
        }
        // Something moved that no rule has a name for: it is told all the same.
        let text_moved = comparison
            .fields
            .iter()
            .any(|field| matches!(field, Field::Title | Field::Summary | Field::Body));
        if text_moved && self.tallies.is_empty() && !comparison.typographic_only {
            self.found(Label::Wording, Significance::Minor, "the text".to_owned());
        }
    }

    fn notices(&mut self, evidence: &Evidence) {
        let added = evidence
            .added
            .iter()
            .map(|block| (block.place, block.text.as_str()))
            .chain(
                evidence
                    .edits
                    .iter()
                    .map(|edit| (edit.place, edit.added.text.as_str())),
            );
        let added: Vec<(Place, &str)> = added
            .filter(|(_, text)| text.len() >= SHORTEST_NOTICE)
            .collect();
        // A notice stands at the beginning or at the end.
        let far = added.len().saturating_sub(MANY).max(MANY.min(added.len()));
        for &(place, text) in added.iter().take(MANY).chain(&added[far..]) {
            let Some(notice) = notice::find(text) else {
                continue;
            };
            // A notice that was there before, in other words, is no new one.
            let known = evidence.passages.iter().any(|passage| {
                passage.place == place
                    && !passage.old.is_empty()
                    && notice::find(&passage.old).is_some_and(|old| old >= notice)
            });
            if known {
                continue;
            }
            let (significance, what) = match notice {
                Notice::Correction => (Significance::Substantive, "correction"),
                Notice::Update => (Significance::Minor, "update"),
            };
            self.found(
                Label::CorrectionNotice,
                significance,
                format!("{what} in {place}: “{}”", clip(text)),
            );
        }
    }

    fn stealth(&mut self, comparison: &Comparison, context: &Context) {
        let material = self
            .tallies
            .values()
            .any(|tally| tally.significance == Significance::Substantive);
        let read = comparison
            .fields
            .iter()
            .any(|field| matches!(field, Field::Title | Field::Body));
        if material && read && !context.dates_moved && !self.has(Label::CorrectionNotice) {
            let text = "no notice appeared and no claimed date moved".to_owned();
            self.found(Label::Stealth, Significance::Substantive, text);
        }
    }
}

/// Takes away what both lists have, as often as both have it.
fn cancel<T, K: Ord>(old: &mut Vec<T>, new: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut counts: BTreeMap<K, (u32, u32)> = BTreeMap::new();
    for item in old.iter() {
        counts.entry(key(item)).or_default().0 += 1;
    }
    for item in new.iter() {
        counts.entry(key(item)).or_default().1 += 1;
    }
    for (own, other) in counts.values_mut() {
        let both = (*own).min(*other);
        (*own, *other) = (both, both);
    }
    let take = |left: Option<&mut u32>| match left {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    old.retain(|item| take(counts.get_mut(&key(item)).map(|left| &mut left.0)));
    new.retain(|item| take(counts.get_mut(&key(item)).map(|left| &mut left.1)));
}

/// Longer lists are not searched for likenesses.
const FEW: usize = 64;

/// Takes away pairs that are alike, of lists that are short.
fn cancel_alike<T>(old: &mut Vec<T>, new: &mut Vec<T>, alike: impl Fn(&T, &T) -> bool) {
    if old.len() > FEW || new.len() > FEW {
        return;
    }
    old.retain(
        |item| match new.iter().position(|other| alike(item, other)) {
            Some(at) => {
                new.remove(at);
                false
            }
            None => true,
        },
    );
}

/// What was put right, when the edit does no more than that: letters, capitals, punctuation, a word written twice.
fn slip(edit: &Edit) -> Option<String> {
    let (old, new) = (&edit.removed, &edit.added);
    if has_quotation_mark(old) || has_quotation_mark(new) {
        return None;
    }
    if old.words.is_empty() && new.words.is_empty() {
        // Punctuation, but no question, and nothing that may be a sign or a unit.
        let harmless = |side: &Side| {
            side.marks.chars().all(|c| {
                matches!(
                    c,
                    '.' | ','
                        | ';'
                        | ':'
                        | '-'
                        | '–'
                        | '—'
                        | '…'
                        | '،'
                        | '、'
                        | '，'
                        | '。'
                        | '：'
                        | '；'
                        | '!'
                )
            })
        };
        let any = !old.marks.is_empty() || !new.marks.is_empty();
        return (any && harmless(old) && harmless(new))
            .then(|| format!("punctuation {}", shown(edit)));
    }
    let repeated = |full: &Side, empty: &Side| {
        empty.words.is_empty()
            && empty.marks.is_empty()
            && full.marks.is_empty()
            && full.words.len() == 1
            && full
                .words
                .iter()
                .all(|word| word.lower == edit.before && word.class == Class::Word)
    };
    if repeated(old, new) || repeated(new, old) {
        return Some(format!("repeated {}", shown(edit)));
    }
    if old.words.len() != new.words.len() || old.words.len() > 4 || old.marks != new.marks {
        return None;
    }
    let all = old.words.iter().zip(&new.words).all(|(a, b)| {
        a.text == b.text
            || (a.class == Class::Word
                && b.class == Class::Word
                && (a.lower == b.lower || typo::is_slip(&a.lower, &b.lower)))
    });
    (all && !same_to_the_eye(&old.text, &new.text)).then(|| shown(edit))
}

fn has_quotation_mark(side: &Side) -> bool {
    side.text.chars().any(|c| {
        matches!(
            c,
            '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」' | '『' | '』'
        )
    })
}

/// The words with a capital that is not explained by the beginning of a sentence.
fn names(side: &Side, begins_sentence: bool, evidence: &Evidence) -> Vec<String> {
    side.words
        .iter()
        .enumerate()
        .filter(|(index, word)| {
            let capital = word.class == Class::Word && word.text.starts_with(char::is_uppercase);
            let ordinary = lexicon::is_stop_word(&word.lower)
                || [Kind::Negation, Kind::Speech, Kind::Date, Kind::Hedge]
                    .into_iter()
                    .any(|kind| lexicon::is_word_of(kind, &word.lower, evidence.languages));
            capital && !ordinary && !(*index == 0 && begins_sentence) && word.lower != "i"
        })
        .map(|(_, word)| word.text.clone())
        .collect()
}

/// Whether most words of the headline begin with a capital.
fn is_title_case(evidence: &Evidence) -> bool {
    let headlines = evidence
        .passages
        .iter()
        .filter(|passage| passage.place == Place::Headline);
    let (mut capital, mut all) = (0, 0);
    for word in headlines.flat_map(|passage| passage.new.split_whitespace()) {
        if word.starts_with(char::is_alphabetic) && word.chars().count() > 3 {
            all += 1;
            capital += u32::from(word.starts_with(char::is_uppercase));
        }
    }
    all > 0 && capital * 10 >= all * 7
}

/// Whether a quotation is another with other words.
fn are_alike(a: &str, b: &str) -> bool {
    let words =
        |text: &'_ str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (mut old, mut new) = (words(a), words(b));
    let all = old.len() + new.len();
    cancel(&mut old, &mut new, Clone::clone);
    let left = old.len() + new.len();
    all > 0 && left * 2 <= all
}

fn as_shown(side: &Side, lower: &str) -> String {
    side.words
        .iter()
        .find(|word| word.lower == lower)
        .map_or_else(|| lower.to_owned(), |word| word.text.clone())
}

/// The edit itself: `“denies” → “confirms”`.
fn shown(edit: &Edit) -> String {
    let (old, new) = (clip(&edit.removed.text), clip(&edit.added.text));
    match (old.is_empty(), new.is_empty()) {
        (false, false) => format!("“{old}” → “{new}”"),
        (false, true) => format!("“{old}” dropped"),
        _ => format!("“{new}” added"),
    }
}

/// The text on one line, cut when it is long.
fn clip(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((at, _)) => {
            let head = &text[..at];
            let end = head
                .rfind(char::is_whitespace)
                .filter(|end| *end > at / 2)
                .unwrap_or(at);
            format!("{}…", head[..end].trim_end())
        }
    }
}
