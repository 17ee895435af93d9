//! One edit inside a text: figures, negations, names, attributions, typos, other words.

use super::evidence::{Edit, Evidence, Place};
use super::judge::{Judge, clip};
use super::lexicon::{self, WordKind};
use super::listing::{cancel, cancel_alike};
use super::notice;
use super::side::{EditSide, Figure};
use super::typo;
use crate::domain::classify::{Label, Significance};
use crate::domain::diff::Class;
use crate::domain::normalise::same_to_the_eye;

impl Judge {
    /// Names everything that an edit does.
    pub(super) fn edit(&mut self, edit: &Edit, evidence: &Evidence) {
        if edit.place == Place::Byline {
            return;
        }
        // A notice is not a change of wording.
        if edit.removed.words.is_empty() && notice::find(&edit.added.text).is_some() {
            return;
        }
        let before = self.findings();
        if let Some(what) = slip(edit) {
            self.found(
                Label::Typo,
                Significance::Minor,
                format!("{what} in {}", edit.place),
            );
            self.names(edit, evidence, Significance::Minor);
            return;
        }
        let mut names = self.numbers(edit, evidence);
        self.negations(edit, evidence);
        if !edit.whole_sentences {
            names.extend(self.names(edit, evidence, Significance::Substantive));
            self.attribution(edit, evidence);
        }
        self.links(edit);
        let is_named = self.findings() > before;
        // In scripts where one character is a word, the finding already covers all of a short edit.
        let words = || edit.removed.words.iter().chain(&edit.added.words);
        let characters = words().all(|word| word.class == Class::Ideograph) && words().count() <= 3;
        if !(is_named && characters) {
            self.wording(edit, evidence, is_named, &names);
        }
    }

    /// Names the figures that were changed. Returns the words that this also explains: units.
    pub(super) fn numbers(&mut self, edit: &Edit, evidence: &Evidence) -> Vec<String> {
        let mut old = edit.removed.figures(evidence.languages);
        let mut new = edit.added.figures(evidence.languages);
        cancel(&mut old, &mut new, |figure| figure.key.clone());
        // A number word alone may not be a number (`one of them`, `second`). It counts only if the other side has
        // a figure, or if it is part of an added or removed sentence.
        let in_words = |figures: &[Figure]| {
            let is_vague =
                |figure: &Figure| figure.in_words && !(edit.whole_sentences && figure.counts);
            figures.iter().all(is_vague)
        };
        let lonely = old.is_empty() || new.is_empty();
        if (old.is_empty() && new.is_empty()) || (lonely && in_words(&old) && in_words(&new)) {
            return self.dates(edit, evidence);
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
        Vec::new()
    }

    /// Months and days also count as figures if one replaces another.
    fn dates(&mut self, edit: &Edit, evidence: &Evidence) -> Vec<String> {
        let mut named = Vec::new();
        let mut old = edit.removed.words_of(WordKind::Date, evidence.languages);
        let mut new = edit.added.words_of(WordKind::Date, evidence.languages);
        cancel(&mut old, &mut new, Clone::clone);
        // `5 mg` → `5 g`: a short word after a figure is its unit.
        if edit.before.contains(char::is_numeric)
            && let ([old], [new]) = (edit.removed.words.as_slice(), edit.added.words.as_slice())
            && [old, new].iter().all(|word| word.text.chars().count() <= 3)
        {
            let text = format!(
                "{0} {1} → {0} {2} in {3}",
                edit.before, old.text, new.text, edit.place
            );
            self.found(Label::Number, Significance::Substantive, text);
            named = vec![old.lower.clone(), new.lower.clone()];
        }
        if let (Some(old), Some(new)) = (old.first(), new.first()) {
            let text = format!(
                "{} → {} in {}",
                as_shown(&edit.removed, old),
                as_shown(&edit.added, new),
                edit.place
            );
            self.found(Label::Number, Significance::Substantive, text);
        }
        named
    }

    pub(super) fn negations(&mut self, edit: &Edit, evidence: &Evidence) {
        let langs = evidence.languages;
        for (kind, name) in [(WordKind::Negation, ""), (WordKind::Hedge, " (hedge)")] {
            // Nearly every sentence has a hedging word, so it says nothing about a whole sentence that came or
            // went.
            if kind == WordKind::Hedge && edit.whole_sentences {
                continue;
            }
            let mut old = edit.removed.words_of(kind, langs);
            let mut new = edit.added.words_of(kind, langs);
            // One negation for another means the same; one hedge for another nearly the same.
            let common = old.len().min(new.len());
            if kind == WordKind::Negation {
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

    /// Names the names that were changed, and returns them.
    fn names(
        &mut self,
        edit: &Edit,
        evidence: &Evidence,
        significance: Significance,
    ) -> Vec<String> {
        // German capitalises every noun, and a headline may capitalise every word.
        let is_title = matches!(edit.place, Place::Headline | Place::Kicker);
        if evidence.languages.is("de") || is_title && is_title_case(evidence, edit.place) {
            return Vec::new();
        }
        let mut old = names(&edit.removed, edit.begins_sentence, evidence);
        let mut new = names(&edit.added, edit.begins_sentence, evidence);
        cancel(&mut old, &mut new, |name| name.to_lowercase());
        if old.is_empty() || new.is_empty() {
            return Vec::new();
        }
        let text = format!(
            "{} → {} in {}",
            clip(&old.join(" ")),
            clip(&new.join(" ")),
            edit.place
        );
        self.found(Label::Name, significance, text);
        old.iter()
            .chain(&new)
            .map(|name| name.to_lowercase())
            .collect()
    }

    fn attribution(&mut self, edit: &Edit, evidence: &Evidence) {
        let mut old = speech(&edit.removed, &edit.before, evidence);
        let mut new = speech(&edit.added, &edit.before, evidence);
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
        let addresses = |side: &EditSide| -> Vec<String> {
            side.words
                .iter()
                .filter(|word| word.class == Class::Address)
                .filter(|word| word.lower.contains('.') || word.lower.starts_with('@'))
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

    /// Names what is left when the special kinds have been named.
    fn wording(&mut self, edit: &Edit, evidence: &Evidence, is_named: bool, names: &[String]) {
        let content = |side: &EditSide| -> Vec<String> {
            side.words
                .iter()
                .filter(|word| {
                    let is_hashtag = word.class == Class::Address && word.lower.starts_with('#');
                    matches!(word.class, Class::Word | Class::Ideograph) || is_hashtag
                })
                .filter(|word| !word.text.contains(char::is_numeric))
                .map(|word| word.lower.clone())
                .collect()
        };
        let (mut old, mut new) = (content(&edit.removed), content(&edit.added));
        cancel(&mut old, &mut new, Clone::clone);
        let says = |word: &String| {
            let special = [
                WordKind::Negation,
                WordKind::Hedge,
                WordKind::Speech,
                WordKind::Date,
            ]
            .into_iter()
            .any(|kind| lexicon::is_word_of(kind, word, evidence.languages));
            !lexicon::is_stop_word(word, evidence.languages)
                && !special
                && !names.contains(word)
                && lexicon::unit(word).is_none()
                && lexicon::value(word, evidence.languages).is_none()
        };
        let marks_only = old.is_empty() && new.is_empty();
        if marks_only && (is_named || edit.removed.marks == edit.added.marks) {
            // Quotation marks and figures are named elsewhere; the same words in another order are not.
            if !is_named && edit.removed.words.len() > 1 && !edit.added.words.is_empty() {
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
        if is_named && silent {
            return;
        }
        let asks = edit.removed.marks.contains(['?', '？', '؟'])
            != edit.added.marks.contains(['?', '？', '؟']);
        let (old_signs, new_signs) = (edit.removed.signs(), edit.added.signs());
        // A sign that replaces another says something else. One that was added or removed may be an ornament.
        let signals = !old_signs.is_empty() && !new_signs.is_empty() && old_signs != new_signs;
        let significance = if silent && !asks && !signals {
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
}

/// What was corrected, if the edit does nothing else: letters, capitals, punctuation, a repeated word.
pub(super) fn slip(edit: &Edit) -> Option<String> {
    let (old, new) = (&edit.removed, &edit.added);
    if has_quotation_mark(old) || has_quotation_mark(new) {
        return None;
    }
    if old.words.is_empty() && new.words.is_empty() {
        // Only punctuation: no question mark, and nothing that may be a sign or a unit.
        let harmless = |side: &EditSide| {
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
    let repeated = |full: &EditSide, empty: &EditSide| {
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
        // `e.g` and `e.g.`
        a.text.trim_end_matches('.') == b.text.trim_end_matches('.')
            || (a.class == Class::Word
                && b.class == Class::Word
                && (a.lower == b.lower || typo::is_slip(&a.lower, &b.lower)))
    });
    (all && !same_to_the_eye(&old.text, &new.text)).then(|| shown(edit))
}

fn has_quotation_mark(side: &EditSide) -> bool {
    side.text.chars().any(|c| {
        matches!(
            c,
            '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」' | '『' | '』'
        )
    })
}

/// The verbs of speech, in lower case, without those that mean something else in the passive.
fn speech(side: &EditSide, before: &str, evidence: &Evidence) -> Vec<String> {
    let mut found = side.words_of(WordKind::Speech, evidence.languages);
    let is = |kind, word: &str| lexicon::is_word_of(kind, word, evidence.languages);
    for (at, word) in side.words.iter().enumerate() {
        let nearby = side.words[at.saturating_sub(2)..at].iter();
        let nearby = nearby.map(|word| word.lower.as_str());
        let front = (at < 2).then_some(before);
        if is(WordKind::Passive, &word.lower)
            && nearby
                .chain(front)
                .any(|word| is(WordKind::Auxiliary, word))
            && let Some(at) = found.iter().position(|found| *found == word.lower)
        {
            found.remove(at);
        }
    }
    found
}

/// The capitalised words, except those with a capital only because they begin a sentence.
fn names(side: &EditSide, begins_sentence: bool, evidence: &Evidence) -> Vec<String> {
    side.words
        .iter()
        .enumerate()
        .filter(|(index, word)| {
            let capital = word.class == Class::Word && word.text.starts_with(char::is_uppercase);
            let ordinary = lexicon::is_stop_word(&word.lower, evidence.languages)
                || [
                    WordKind::Negation,
                    WordKind::Speech,
                    WordKind::Date,
                    WordKind::Hedge,
                ]
                .into_iter()
                .any(|kind| lexicon::is_word_of(kind, &word.lower, evidence.languages));
            let sign = word.text.contains(char::is_numeric);
            let forced = *index == 0 && begins_sentence;
            capital && !ordinary && !sign && !forced
        })
        .map(|(_, word)| word.text.clone())
        .collect()
}

/// Whether most words of the headline are capitalised.
fn is_title_case(evidence: &Evidence, place: Place) -> bool {
    let headlines = evidence
        .passages
        .iter()
        .filter(|passage| passage.place == place);
    let (mut capital, mut all) = (0, 0);
    for word in headlines.flat_map(|passage| passage.new.split_whitespace()) {
        if word.starts_with(char::is_alphabetic) && word.chars().count() > 3 {
            all += 1;
            capital += u32::from(word.starts_with(char::is_uppercase));
        }
    }
    all > 0 && capital * 10 >= all * 7
}

fn as_shown(side: &EditSide, lower: &str) -> String {
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
