//! Which block of the old text corresponds to which of the new one.
//!
//! Equal blocks are anchors. The remaining blocks are paired by the words that they share, nearby ones first. What
//! is then still left may be a part that was split off or joined.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use super::align::{AlignWeights, Budget, Items, align};
use super::pairs::Pairing;
use super::parts;
use super::prepared::Interner;
use super::side::Side;
use crate::domain::normalise::visible;
use crate::domain::state::Block;

/// Blocks that are less similar than this do not correspond (research: ux §6, 2).
const SIMILAR: f64 = 0.4;
/// If exactly one block is left between the same neighbours on both sides, it was rewritten if it is at least this
/// similar.
const SIMILAR_ALONE: f64 = 0.2;
/// A block at another place that was also edited has to be this similar to count as moved. A short block has to be
/// more similar, since short blocks are alike by chance; a block of one or two words never counts as moved.
const SIMILAR_ELSEWHERE: f64 = 0.55;
const SIMILAR_SHORT: f64 = 0.7;
const SHORT: usize = 6;
const SHORTEST: usize = 3;
/// A block with at least this many words, of which at least this share is in another block, is part of that block.
const CONTAINED_WORDS: usize = 4;
const CONTAINED: f64 = 0.75;
/// A gap with at most this many pairs is compared completely; in a larger one, only blocks at about the same
/// position.
const ALL_PAIRS: usize = 2500;
const WINDOW: usize = 20;
/// A word in more blocks than this says nothing about where a block went.
const RARE: usize = 4;

/// Pairs the blocks, and tokenises the blocks of both sides that are not equal.
pub(super) fn pair<'a>(
    old: &mut Side<'a>,
    new: &mut Side<'a>,
    interner: &mut Interner<'a>,
    budget: &mut Budget,
) -> Pairing {
    let mut pairing = Pairing {
        of_old: vec![None; old.len()],
        of_new: vec![None; new.len()],
        joined_into: vec![None; old.len()],
        split_from: vec![None; new.len()],
        wholes: (HashSet::new(), HashSet::new()),
    };
    let anchors = equal_blocks(old.blocks(), new.blocks(), &mut pairing, budget);
    let old_free = free(&pairing.of_old);
    let new_free = free(&pairing.of_new);
    for (side, indices) in [(&mut *old, &old_free), (&mut *new, &new_free)] {
        for &index in indices {
            side.prepare(index, interner);
            side.fill_bag(index, interner);
        }
    }
    if old_free.is_empty() || new_free.is_empty() {
        // A split needs a block on the other side that has a pair. All pairs are equal here, so nothing was split
        // off.
        return pairing;
    }
    let mut candidates = Candidates {
        old,
        new,
        interner,
        budget,
        found: Vec::new(),
    };
    candidates.near(&old_free, &new_free, &anchors);
    candidates.far(&old_free, &new_free);
    let mut found = candidates.found;
    let place = |i: usize, n: usize| i as f64 / n.max(1) as f64;
    let distance = |c: &PairCandidate| (place(c.old, old.len()) - place(c.new, new.len())).abs();
    found.sort_by(|x, y| {
        y.rank
            .total_cmp(&x.rank)
            .then_with(|| distance(x).total_cmp(&distance(y)))
            .then_with(|| (x.old, x.new).cmp(&(y.old, y.new)))
    });
    for candidate in found {
        pairing.join(candidate.old, candidate.new);
    }
    parts::find(old, new, interner, budget, &mut pairing);
    pairing.join_alone(old, new, interner);
    pairing
}

fn free(pairs: &[Option<usize>]) -> Vec<usize> {
    pairs
        .iter()
        .enumerate()
        .filter(|(_, pair)| pair.is_none())
        .map(|(index, _)| index)
        .collect()
}

/// Pairs blocks that look the same: first those in order, then those that moved. Returns the pairs in order.
fn equal_blocks(
    old: &[Block],
    new: &[Block],
    pairing: &mut Pairing,
    budget: &mut Budget,
) -> Vec<(usize, usize)> {
    let mut keys: HashMap<Cow<'_, str>, u32> = HashMap::with_capacity(old.len() + 8);
    let mut weights: Vec<i32> = Vec::with_capacity(old.len() + 8);
    let mut numbers: Vec<u32> = Vec::with_capacity(old.len() + new.len());
    for block in old.iter().chain(new) {
        let next = u32::try_from(weights.len()).unwrap_or(u32::MAX);
        let id = *keys.entry(visible(&block.text)).or_insert(next);
        if id == next {
            weights.push(i32::try_from(block.text.len() / 16).map_or(1024, |w| w.min(1024)) + 1);
        }
        numbers.push(id);
    }
    let (old_keys, new_keys) = numbers.split_at(old.len());
    let weights = AlignWeights {
        of: &weights,
        open: 0,
    };
    let anchors = align(
        Items::plain(old_keys),
        Items::plain(new_keys),
        &weights,
        budget,
    );
    for &(i, j) in &anchors {
        pairing.join(i, j);
    }
    // Pairs what moved: the first with the first.
    let mut elsewhere: HashMap<u32, VecDeque<usize>> = HashMap::new();
    for i in free(&pairing.of_old) {
        elsewhere.entry(old_keys[i]).or_default().push_back(i);
    }
    for j in free(&pairing.of_new) {
        if let Some(i) = elsewhere
            .get_mut(&new_keys[j])
            .and_then(VecDeque::pop_front)
        {
            pairing.join(i, j);
        }
    }
    anchors
}

struct PairCandidate {
    old: usize,
    new: usize,
    /// The similarity, with figures counted less: items are renumbered, and table cells move.
    rank: f64,
}

/// This share of the similarity from figures does not help to choose between two blocks.
const FIGURES: f64 = 2.0 / 3.0;

struct Candidates<'s, 'a> {
    old: &'s Side<'a>,
    new: &'s Side<'a>,
    interner: &'s Interner<'a>,
    budget: &'s mut Budget,
    found: Vec<PairCandidate>,
}

impl Candidates<'_, '_> {
    fn compare(&mut self, i: usize, j: usize, least: f64) {
        let (a, b) = (self.old.bag(i), self.new.bag(j));
        let all = (a.weight + b.weight).max(1) as f64;
        let smaller = a.weight.min(b.weight) as f64;
        let near = least <= SIMILAR;
        let may_contain = near && a.ids.len().min(b.ids.len()) >= CONTAINED_WORDS;
        let possible = 2.0 * smaller / all >= least || may_contain;
        if !possible || !self.budget.take((a.ids.len() + b.ids.len() + 8) as u64) {
            return;
        }
        let [words, figures] = a.shared_words_and_figures(b, self.interner);
        let shared = (words + figures) as f64;
        let mut similarity = 2.0 * shared / all;
        // A paragraph that gained or lost a sentence: the shorter version is contained in the longer one.
        if may_contain && similarity < least && shared >= CONTAINED * smaller {
            similarity += least;
        }
        if similarity >= least {
            self.found.push(PairCandidate {
                old: i,
                new: j,
                rank: similarity - FIGURES * 2.0 * figures as f64 / all,
            });
        }
    }

    /// Pairs blocks between the same anchors.
    fn near(&mut self, old_free: &[usize], new_free: &[usize], anchors: &[(usize, usize)]) {
        let (mut p, mut q) = (0, 0);
        let ends = anchors.iter().copied().chain([(usize::MAX, usize::MAX)]);
        for (end_old, end_new) in ends {
            let (first_old, first_new) = (p, q);
            while old_free.get(p).is_some_and(|&i| i < end_old) {
                p += 1;
            }
            while new_free.get(q).is_some_and(|&j| j < end_new) {
                q += 1;
            }
            let (olds, news) = (&old_free[first_old..p], &new_free[first_new..q]);
            let all = olds.len().saturating_mul(news.len()) <= ALL_PAIRS;
            for (a, &i) in olds.iter().enumerate() {
                let (from, to) = if all {
                    (0, news.len())
                } else {
                    let middle = a * news.len() / olds.len().max(1);
                    (
                        middle.saturating_sub(WINDOW),
                        (middle + WINDOW).min(news.len()),
                    )
                };
                for &j in &news[from..to] {
                    self.compare(i, j, SIMILAR);
                }
            }
        }
    }

    /// Pairs blocks that share rare words, wherever they are.
    fn far(&mut self, old_free: &[usize], new_free: &[usize]) {
        let mut holders: HashMap<u32, Vec<usize>> = HashMap::new();
        for &j in new_free {
            let mut previous = None;
            for &id in &self.new.bag(j).ids {
                if previous != Some(id) {
                    previous = Some(id);
                    let list = holders.entry(id).or_default();
                    // One entry over the limit is enough to see that the word is not rare.
                    if list.len() <= RARE {
                        list.push(j);
                    }
                }
            }
        }
        for &i in old_free {
            let bag = self.old.bag(i);
            if bag.ids.len() < SHORTEST {
                continue;
            }
            let mut hits: HashMap<usize, usize> = HashMap::new();
            for id in &bag.ids {
                for &j in holders
                    .get(id)
                    .filter(|list| list.len() <= RARE)
                    .into_iter()
                    .flatten()
                {
                    *hits.entry(j).or_default() += 1;
                }
            }
            let mut hits: Vec<(usize, usize)> = hits.into_iter().filter(|hit| hit.1 >= 2).collect();
            hits.sort_unstable_by_key(|&(j, count)| (std::cmp::Reverse(count), j));
            for &(j, _) in hits.iter().take(RARE) {
                let words = bag.ids.len().min(self.new.bag(j).ids.len());
                let least = if words < SHORT {
                    SIMILAR_SHORT
                } else {
                    SIMILAR_ELSEWHERE
                };
                if words >= SHORTEST {
                    self.compare(i, j, least);
                }
            }
        }
    }
}

impl Pairing {
    /// Pairs single blocks that are left between the same neighbours on both sides: a paragraph that was rewritten
    /// but kept some of its words, not a different paragraph in its place.
    fn join_alone(&mut self, old: &Side, new: &Side, interner: &Interner) {
        let (n, m) = (self.of_old.len(), self.of_new.len());
        for i in 0..n {
            if self.of_old[i].is_some() || self.joined_into[i].is_some() {
                continue;
            }
            // After the pair of the block before it, and before the pair of the block after it.
            let j = match i.checked_sub(1) {
                None => 0,
                Some(before) => match self.of_old[before] {
                    Some(pair) => pair + 1,
                    None => continue,
                },
            };
            let fits = match self.of_old.get(i + 1) {
                None => j + 1 == m,
                Some(behind) => *behind == Some(j + 1),
            };
            if !fits || self.of_new.get(j) != Some(&None) || self.split_from[j].is_some() {
                continue;
            }
            let (a, b) = (old.bag(i), new.bag(j));
            let shared = a.shared(b, interner) as f64;
            if 2.0 * shared >= SIMILAR_ALONE * (a.weight + b.weight).max(1) as f64 {
                self.join(i, j);
            }
        }
    }
}
