//! Words inside a sentence: what a match is worth, what is confetti, where an edit begins, how it is shown.

use std::ops::Range;

use super::align::Match;
use super::segment::Segment;
use super::text::Prepared;
use super::token::Class;

/// What it costs to begin one more edit, in units of [`weight`].
pub(super) const OPEN: i32 = 6;

/// From this weight on, a token carries sense.
pub(super) const WEIGHTY: i32 = 12;

/// What it is worth to keep a token: much for words that carry the sense, little for what stands in every sentence.
pub(super) fn weight(text: &str, class: Class) -> i32 {
    match class {
        Class::Space => 0,
        Class::Mark => 4,
        Class::Ideograph => 6,
        Class::Number | Class::Address => 12,
        Class::Word if is_function_word(text) => 6,
        Class::Word => 12,
    }
}

/// Short words of the ten most used languages of news that carry little sense.
pub(super) fn is_function_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "a", "al", "an", "and", "as", "at", "au", "aux", "by", "con", "da", "das", "de", "del",
        "dem", "den", "der", "des", "di", "die", "do", "dos", "du", "e", "ein", "el", "em", "en",
        "et", "for", "from", "i", "il", "im", "in", "is", "it", "la", "las", "le", "les", "lo",
        "los", "mit", "na", "no", "o", "of", "on", "or", "os", "par", "por", "que", "si", "so",
        "than", "that", "the", "to", "u", "un", "una", "und", "une", "von", "was", "we", "with",
        "y", "zu", "в", "и", "на", "о", "по", "с", "у",
    ];
    word.len() <= 6 && WORDS.binary_search(&word.to_lowercase().as_str()).is_ok()
}

/// Takes away matches that would leave confetti: see the module.
pub(super) fn tidy(
    old: &Prepared,
    new: &Prepared,
    from: Range<usize>,
    to: Range<usize>,
    matches: &mut Vec<Match>,
    first: usize,
) {
    let _ = (old, new, from, to, matches, first);
}

/// Moves edits that could stand in several places to the one that reads best.
pub(super) fn slide(old: &Prepared, new: &Prepared, matches: &mut Vec<Match>) {
    let _ = (old, new, matches);
}

/// Shows the matched items and what stands between them. Both sides are rebuilt byte for byte.
pub(super) fn render(old: &Prepared, new: &Prepared, matches: &[Match]) -> Vec<Segment> {
    let mut out = Writer::default();
    let mut at = (0, 0);
    let end = (old.items.len(), new.items.len());
    for next in matches.iter().copied().chain([end]) {
        hunk(old, new, at, next, &mut out);
        if next.0 < end.0 && next.1 < end.1 {
            out.equal(old.item(next.0));
        }
        at = (next.0 + 1, next.1 + 1);
    }
    out.finish()
}

/// What stands between two matches: the items from `from` up to `to`, and all white space around them.
fn hunk(old: &Prepared, new: &Prepared, from: Match, to: Match, out: &mut Writer) {
    let gap =
        |text: &Prepared, item: usize| -> Range<usize> { text.end_before(item)..text.start(item) };
    let (old_lead, new_lead) = (gap(old, from.0), gap(new, from.1));
    let old_text = old.text;
    let new_text = new.text;
    if from.0 >= to.0 && from.1 >= to.1 {
        out.pair(&old_text[old_lead], &new_text[new_lead]);
        return;
    }
    let old_body = old.start(from.0).min(old.end_before(to.0))..old.end_before(to.0);
    let new_body = new.start(from.1).min(new.end_before(to.1))..new.end_before(to.1);
    let (old_trail, new_trail) = (gap(old, to.0), gap(new, to.1));
    if from.0 < to.0 && from.1 < to.1 {
        out.pair(&old_text[old_lead], &new_text[new_lead]);
        out.delete(&old_text[old_body]);
        out.insert(&new_text[new_body]);
        out.pair(&old_text[old_trail], &new_text[new_trail]);
    } else if from.0 < to.0 {
        let single = &new_text[new_lead];
        if old_text[old_lead.clone()] == *single {
            out.equal(single);
            out.delete(&old_text[old_body.start..old_trail.end]);
        } else if old_text[old_trail.clone()] == *single {
            out.delete(&old_text[old_lead.start..old_body.end]);
            out.equal(single);
        } else {
            out.delete(&old_text[old_lead.start..old_trail.end]);
            out.insert(single);
        }
    } else {
        let single = &old_text[old_lead];
        if new_text[new_lead.clone()] == *single {
            out.equal(single);
            out.insert(&new_text[new_body.start..new_trail.end]);
        } else if new_text[new_trail.clone()] == *single {
            out.insert(&new_text[new_lead.start..new_body.end]);
            out.equal(single);
        } else {
            out.delete(single);
            out.insert(&new_text[new_lead.start..new_trail.end]);
        }
    }
}

/// Collects segments: neighbours of one kind are one, and of an edit the deletion comes first.
#[derive(Default)]
struct Writer {
    done: Vec<Segment>,
    equal: String,
    deleted: String,
    inserted: String,
}

impl Writer {
    fn pair(&mut self, old: &str, new: &str) {
        if old == new {
            self.equal(old);
        } else {
            self.delete(old);
            self.insert(new);
        }
    }

    fn equal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush_edit();
        self.equal.push_str(text);
    }

    fn delete(&mut self, text: &str) {
        if !text.is_empty() {
            self.flush_equal();
            self.deleted.push_str(text);
        }
    }

    fn insert(&mut self, text: &str) {
        if !text.is_empty() {
            self.flush_equal();
            self.inserted.push_str(text);
        }
    }

    fn flush_equal(&mut self) {
        if !self.equal.is_empty() {
            self.done
                .push(Segment::Equal(std::mem::take(&mut self.equal)));
        }
    }

    fn flush_edit(&mut self) {
        if !self.deleted.is_empty() {
            self.done
                .push(Segment::Delete(std::mem::take(&mut self.deleted)));
        }
        if !self.inserted.is_empty() {
            self.done
                .push(Segment::Insert(std::mem::take(&mut self.inserted)));
        }
    }

    fn finish(mut self) -> Vec<Segment> {
        self.flush_equal();
        self.flush_edit();
        self.done
    }
}
