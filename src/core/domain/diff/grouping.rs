//! Which sentences of one text correspond to which of the other.

use std::collections::HashMap;
use std::ops::Range;

use super::align::{AlignWeights, Budget, Items, align};
use super::prepared::{Interner, Prepared};
use super::sentence;

/// The sentences of a text as ranges of items.
pub(super) struct Sentences {
    ends: Vec<usize>,
}

impl Sentences {
    pub(super) fn of(text: &Prepared) -> Self {
        Self {
            ends: sentence::ends(text.text, &text.tokens, &text.items),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn item_range(&self, sentence: usize) -> Range<usize> {
        self.items(&(sentence..sentence + 1))
    }

    /// The items of a range of sentences.
    pub(super) fn items(&self, run: &Range<usize>) -> Range<usize> {
        let at = |k: usize| {
            k.checked_sub(1)
                .map_or(0, |k| self.ends.get(k).copied().unwrap_or_default())
        };
        at(run.start)..at(run.end.max(run.start))
    }
}

/// Sentences that correspond to each other; one side may be empty.
pub(super) struct Group {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

/// Aligns the sentences of both texts in order: first equal ones, then similar ones between them.
pub(super) fn groups(
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
    // Sentences are aligned by the same code as items, each worth its length.
    let mut numbers: HashMap<&[u32], u32> = HashMap::new();
    let mut lengths: Vec<i32> = Vec::new();
    let old_ids: Vec<&[u32]> = (0..old_sentences.len())
        .map(|k| &old.ids[old_sentences.item_range(k)])
        .collect();
    let new_ids: Vec<&[u32]> = (0..new_sentences.len())
        .map(|k| &new.ids[new_sentences.item_range(k)])
        .collect();
    let old_keys: Vec<&[u32]> = (0..old_sentences.len())
        .map(|k| &old.keys[old_sentences.item_range(k)])
        .collect();
    let new_keys: Vec<&[u32]> = (0..new_sentences.len())
        .map(|k| &new.keys[new_sentences.item_range(k)])
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
    let weights = AlignWeights {
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
        similar_groups(gap, &old_keys, &new_keys, interner, budget, &mut out);
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
/// Sentences that are less similar than this do not correspond.
const SIMILAR: f64 = 0.35;

/// Aligns the sentences of a gap between equal ones: one to one, or two to one if a sentence was split or joined.
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
    let old_bags = bags(&old[gap.old.clone()]);
    let new_bags = bags(&new[gap.new.clone()]);
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
                    let (bag, other) = (&old_bags[di - 1][pi], &new_bags[dj - 1][pj]);
                    let similarity = dice(bag, other);
                    // Two to one has to be clearly better than one to one.
                    let threshold = if di + dj > 2 { 0.6 } else { SIMILAR };
                    if similarity < threshold {
                        continue;
                    }
                    best[pi][pj].0 + similarity * (bag.len() + other.len()) as f64 + 0.001
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

/// The share of common items in two sorted bags: 0 to 1.
fn dice(a: &[u32], b: &[u32]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    2.0 * shared(a, b) as f64 / (a.len() + b.len()) as f64
}

/// How many items two sorted bags share.
fn shared(a: &[u32], b: &[u32]) -> usize {
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
