//! The difference between two texts: sentences aligned, then words inside them.

use std::collections::HashMap;

use super::align::{Budget, Items, Match, Weights, align};
use super::segment::Segment;
use super::sentence;
use super::token::{Class, Token, tokens};
use super::words;
use crate::domain::normalise::reading;

/// Numbers for tokens, the same for the same text; shared by all blocks of one diff.
#[derive(Debug, Default)]
pub(super) struct Interner<'a> {
    ids: HashMap<&'a str, u32>,
    /// Forms of tokens that are no tokens themselves so far.
    folded: HashMap<String, u32>,
    keys: Vec<u32>,
    weights: Vec<i32>,
    wordlike: Vec<bool>,
}

impl<'a> Interner<'a> {
    fn id(&mut self, text: &'a str, class: Class) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = u32::try_from(self.weights.len()).unwrap_or(u32::MAX);
        self.ids.insert(text, id);
        let key = match fold(text) {
            Some(folded) => match self.ids.get(folded.as_str()) {
                Some(&plain) => self.keys.get(plain as usize).copied().unwrap_or(plain),
                None => *self.folded.entry(folded).or_insert(id),
            },
            None => self.folded.get(text).copied().unwrap_or(id),
        };
        self.keys.push(key);
        self.weights.push(words::weight(text, class));
        self.wordlike
            .push(!matches!(class, Class::Space | Class::Mark));
        id
    }

    /// Whether the id is a word's, not a punctuation mark's.
    pub(super) fn is_wordlike(&self, id: u32) -> bool {
        self.wordlike.get(id as usize).copied().unwrap_or(false)
    }

    /// What a word carries when blocks are compared: much, unless it stands in every sentence.
    pub(super) fn sense(&self, id: u32) -> u64 {
        let weight = self.weights.get(id as usize).copied().unwrap_or(0);
        if weight >= words::WEIGHTY { 3 } else { 1 }
    }

    /// What a match of each id is worth.
    pub(super) fn weights(&self) -> &[i32] {
        &self.weights
    }
}

/// A text, cut and numbered.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    /// The tokens that are no white space.
    pub(super) items: Vec<usize>,
    /// Of the items.
    pub(super) ids: Vec<u32>,
    /// Of the items, the same for words that differ in their capitals or in the shape of marks only.
    pub(super) keys: Vec<u32>,
}

/// The form of a token in which it is matched, when that is another.
fn fold(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b',' || byte == b'.'
    });
    (!plain).then(|| reading(text).to_lowercase())
}

impl<'a> Prepared<'a> {
    pub(super) fn new(text: &'a str, interner: &mut Interner<'a>) -> Self {
        let tokens = tokens(text);
        let mut items = Vec::with_capacity(tokens.len() / 2 + 1);
        let mut ids = Vec::with_capacity(tokens.len() / 2 + 1);
        let mut keys = Vec::with_capacity(tokens.len() / 2 + 1);
        for (index, token) in tokens.iter().enumerate() {
            if token.class != Class::Space {
                items.push(index);
                let id = interner.id(token.of(text), token.class);
                ids.push(id);
                keys.push(interner.keys.get(id as usize).copied().unwrap_or(id));
            }
        }
        Self {
            text,
            tokens,
            items,
            ids,
            keys,
        }
    }

    /// The items, to be aligned.
    pub(super) fn sequence(&self) -> Items<'_> {
        Items {
            ids: &self.ids,
            keys: &self.keys,
        }
    }

    /// The token of an item.
    pub(super) fn token(&self, item: usize) -> Option<&Token> {
        self.items
            .get(item)
            .and_then(|&index| self.tokens.get(index))
    }

    /// The text of an item.
    pub(super) fn item(&self, item: usize) -> &'a str {
        self.token(item).map_or("", |token| token.of(self.text))
    }

    /// Where the item begins; the end of the text behind the last one.
    pub(super) fn start(&self, item: usize) -> usize {
        self.token(item)
            .map_or(self.text.len(), |token| token.range.start)
    }

    /// Where the item before `item` ends; 0 in front of the first one.
    pub(super) fn end_before(&self, item: usize) -> usize {
        item.checked_sub(1)
            .and_then(|item| self.token(item))
            .map_or(0, |token| token.range.end)
    }
}

/// What happened to the sentences of a text, after the taxonomy of `NewsEdits` (Spangher et al., 2022).
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
pub(super) fn sentence_count(text: &str) -> u32 {
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
        let weights = Weights {
            of: interner.weights(),
            open: words::OPEN,
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

/// The sentences of a text as ranges of items.
struct Sentences {
    ends: Vec<usize>,
}

impl Sentences {
    fn of(text: &Prepared) -> Self {
        Self {
            ends: sentence::ends(text.text, &text.tokens, &text.items),
        }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn item_range(&self, sentence: usize) -> std::ops::Range<usize> {
        self.items(&(sentence..sentence + 1))
    }

    /// The items of a run of sentences.
    fn items(&self, run: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        let at = |k: usize| {
            k.checked_sub(1)
                .map_or(0, |k| self.ends.get(k).copied().unwrap_or_default())
        };
        at(run.start)..at(run.end.max(run.start))
    }
}

/// Sentences that stand for one another; one side may be empty.
struct Group {
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
}

/// Sentences of both texts in order, aligned: equal ones first, then similar ones between them.
fn groups(
    old_sentences: &Sentences,
    new_sentences: &Sentences,
    old: &Prepared,
    new: &Prepared,
    interner: &Interner,
    budget: &mut Budget,
) -> Vec<Group> {
    let whole = Group {
        old: 0..old_sentences.len(),
        new: 0..new_sentences.len(),
    };
    if whole.old.len() <= 1 && whole.new.len() <= 1 {
        return vec![whole];
    }
    // A sentence is an item too: the same machinery aligns them, each worth its length.
    let mut numbers: HashMap<&[u32], u32> = HashMap::new();
    let mut lengths: Vec<i32> = Vec::new();
    let old_ids: Vec<&[u32]> = (0..old_sentences.len())
        .map(|k| &old.ids[old_sentences.item_range(k)])
        .collect();
    let new_ids: Vec<&[u32]> = (0..new_sentences.len())
        .map(|k| &new.ids[new_sentences.item_range(k)])
        .collect();
    let mut old_numbers = Vec::with_capacity(old_ids.len());
    let mut new_numbers = Vec::with_capacity(new_ids.len());
    for (ids, out) in [(&old_ids, &mut old_numbers), (&new_ids, &mut new_numbers)] {
        for sentence in ids {
            let next = u32::try_from(lengths.len()).unwrap_or(u32::MAX);
            let id = *numbers.entry(sentence).or_insert(next);
            if id == next {
                lengths.push(i32::try_from(sentence.len()).unwrap_or(i32::MAX / 1024));
            }
            out.push(id);
        }
    }
    let weights = Weights {
        of: &lengths,
        open: 0,
    };
    let equal = align(
        Items::plain(&old_numbers),
        Items::plain(&new_numbers),
        &weights,
        budget,
    );
    let mut out = Vec::new();
    let mut from = (0, 0);
    for to in equal
        .into_iter()
        .chain([(whole.old.len(), whole.new.len())])
    {
        let gap = Group {
            old: from.0..to.0,
            new: from.1..to.1,
        };
        similar_groups(gap, &old_ids, &new_ids, interner, budget, &mut out);
        if to.0 < whole.old.len() {
            out.push(Group {
                old: to.0..to.0 + 1,
                new: to.1..to.1 + 1,
            });
        }
        from = (to.0 + 1, to.1 + 1);
    }
    out
}

/// Up to this many sentences on each side of a gap are aligned by similarity.
const GAP: usize = 40;
/// Sentences below this similarity do not stand for one another.
const SIMILAR: f64 = 0.35;

/// Aligns the sentences of a gap between equal ones: one to one, or two to one where a sentence was split or joined.
fn similar_groups(
    gap: Group,
    old: &[&[u32]],
    new: &[&[u32]],
    interner: &Interner,
    budget: &mut Budget,
    out: &mut Vec<Group>,
) {
    let (n, m) = (gap.old.len(), gap.new.len());
    if (n <= 1 && m <= 1) || n == 0 || m == 0 || n > GAP || m > GAP {
        if n > GAP || m > GAP {
            budget.coarse |= n.min(m) > 0;
        }
        if n + m > 0 {
            out.push(gap);
        }
        return;
    }
    let bag = |ids: &[&[u32]]| -> Vec<u32> {
        let mut bag: Vec<u32> = ids
            .iter()
            .flat_map(|ids| ids.iter().copied())
            .filter(|&id| interner.is_wordlike(id))
            .collect();
        bag.sort_unstable();
        bag
    };
    let bags = |ids: &[&[u32]]| -> [Vec<Vec<u32>>; 2] {
        [
            ids.windows(1).map(bag).collect(),
            ids.windows(2).map(bag).collect(),
        ]
    };
    let (a, b) = (bags(&old[gap.old.clone()]), bags(&new[gap.new.clone()]));
    // best[i][j]: value of the best grouping of the first i and j sentences, and the sizes of its last group.
    let mut best = vec![vec![(0.0_f64, (0_usize, 0_usize)); m + 1]; n + 1];
    for i in 0..=n {
        for j in 0..=m {
            let mut top = (-1.0, (0, 0));
            for (di, dj) in [(1, 1), (1, 2), (2, 1), (1, 0), (0, 1)] {
                let (Some(pi), Some(pj)) = (i.checked_sub(di), j.checked_sub(dj)) else {
                    continue;
                };
                let value = if di == 0 || dj == 0 {
                    best[pi][pj].0
                } else {
                    let (x, y) = (&a[di - 1][pi], &b[dj - 1][pj]);
                    let similarity = dice(x, y);
                    // Two for one has to be clearly better than one for one.
                    let threshold = if di + dj > 2 { 0.6 } else { SIMILAR };
                    if similarity < threshold {
                        continue;
                    }
                    best[pi][pj].0 + similarity * (x.len() + y.len()) as f64 + 0.001
                };
                if value > top.0 {
                    top = (value, (di, dj));
                }
            }
            best[i][j] = if i == 0 && j == 0 { (0.0, (0, 0)) } else { top };
        }
    }
    let mut back = Vec::new();
    let (mut i, mut j) = (n, m);
    while i > 0 || j > 0 {
        let (di, dj) = best[i][j].1;
        if di + dj == 0 {
            break;
        }
        back.push(Group {
            old: gap.old.start + i - di..gap.old.start + i,
            new: gap.new.start + j - dj..gap.new.start + j,
        });
        i -= di;
        j -= dj;
    }
    back.reverse();
    out.extend(back);
}

/// The share of common items of two sorted bags: 0 to 1.
pub(super) fn dice(a: &[u32], b: &[u32]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    2.0 * shared(a, b) as f64 / (a.len() + b.len()) as f64
}

/// How many items two sorted bags share.
pub(super) fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                both += 1;
                i += 1;
                j += 1;
            }
        }
    }
    both
}

/// The segments of two texts whose matched items are known.
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
