//! The difference between two texts: aligns sentences first, then the words inside them.

use super::align::{AlignWeights, Budget, Match, align};
use super::grouping::{Sentences, groups};
use super::prepared::{Interner, Prepared};
use super::segment::Segment;
use super::weight;
use super::words;

/// What happened to the sentences of a text, following the taxonomy of `NewsEdits` (Spangher et al., 2022).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SentenceSteps {
    pub(super) added: u32,
    pub(super) removed: u32,
    pub(super) edited: u32,
}

impl SentenceSteps {
    pub(super) fn add(&mut self, other: Self) {
        self.added = self.added.saturating_add(other.added);
        self.removed = self.removed.saturating_add(other.removed);
        self.edited = self.edited.saturating_add(other.edited);
    }
}

/// How many sentences a text has.
pub(crate) fn sentence_count(text: &str) -> u32 {
    let mut interner = Interner::default();
    let prepared = Prepared::new(text, &mut interner);
    count(Sentences::of(&prepared).len())
}

/// The matched items of two texts, sentence by sentence, ready to be shown.
pub(super) fn matches(
    old: &Prepared,
    new: &Prepared,
    interner: &Interner,
    budget: &mut Budget,
    steps: &mut SentenceSteps,
) -> Vec<Match> {
    let mut out = Vec::new();
    if old.ids == new.ids {
        return (0..old.ids.len()).map(|i| (i, i)).collect();
    }
    let old_sentences = Sentences::of(old);
    let new_sentences = Sentences::of(new);
    for group in groups(&old_sentences, &new_sentences, old, new, interner, budget) {
        let (from, to) = (
            old_sentences.items(&group.old),
            new_sentences.items(&group.new),
        );
        let (a, b) = (&old.ids[from.clone()], &new.ids[to.clone()]);
        let shift = |(i, j): Match| (i + from.start, j + to.start);
        if a == b {
            out.extend((0..a.len()).map(|i| shift((i, i))));
            continue;
        }
        if a.is_empty() || b.is_empty() {
            steps.added += count(group.new.len());
            steps.removed += count(group.old.len());
            continue;
        }
        steps.edited += count(group.old.len().max(group.new.len()));
        let weights = AlignWeights {
            of: interner.weights(),
            open: weight::OPEN,
        };
        let pairs = align(
            old.sequence().range(from.clone()),
            new.sequence().range(to.clone()),
            &weights,
            budget,
        );
        let first = out.len();
        out.extend(pairs.into_iter().map(shift));
        words::tidy(old, new, from, to, &mut out, first);
    }
    out
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The segments of two texts, given their matched items.
pub(super) fn segments(old: &Prepared, new: &Prepared, matches: &[Match]) -> Vec<Segment> {
    words::render(old, new, matches)
}

/// The difference between two lines: headlines, by-lines.
#[must_use]
pub fn diff_line(old: &str, new: &str) -> Vec<Segment> {
    if old == new {
        return if old.is_empty() {
            Vec::new()
        } else {
            vec![Segment::Equal(old.to_owned())]
        };
    }
    let mut interner = Interner::default();
    let a = Prepared::new(old, &mut interner);
    let b = Prepared::new(new, &mut interner);
    let pairs = matches(
        &a,
        &b,
        &interner,
        &mut Budget::new(),
        &mut SentenceSteps::default(),
    );
    segments(&a, &b, &pairs)
}
