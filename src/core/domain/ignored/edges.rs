//! Clean edges: an untouched block is not reported if only our verdict on it has changed.
//!
//! The beginning and the end of an article are judged from the whole page. If the first paragraph is removed, the
//! line above it may count as article text from then on, although it was there before with the same words. So the
//! last verdict is kept for every block that is in the same place of the page as at the last check, word for word.
//!
//! An edit can also change the verdict on the very block that was edited. Then a word was changed, and no
//! paragraph was removed. See [`edited`].

use std::collections::{HashMap, HashSet};

use super::pairing::{common, words};
use super::sequence::{Numbers, shared};
use super::{Piece, Snapshot};
use crate::domain::state::{Block, Link};

/// The most blocks of both pages together. Beyond that, verdicts are not corrected, and differences are reported.
const BLOCKS: usize = 6_000;

/// A page with the verdicts of the last check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The article.
    pub body: Vec<Block>,
    /// What is ignored.
    pub ignored: Vec<Piece>,
    /// Blocks that still count, although today's verdict differs.
    pub kept: Vec<Block>,
    /// Blocks that are still ignored, although today's verdict differs.
    pub left_out: Vec<Block>,
}

impl Cleaned {
    /// Adjusts the links of the article to its blocks; `known` are the links of the last check.
    pub fn put_links(&self, known: &[Link], links: &mut Vec<Link>) {
        let is_in = |blocks: &[Block], link: &Link| {
            let mut blocks = blocks.iter();
            blocks.any(|block| block.text.contains(&link.words))
        };
        links.retain(|link| !is_in(&self.left_out, link) || known.contains(link));
        for link in known {
            if is_in(&self.kept, link) && !links.contains(link) {
                links.push(link.clone());
            }
        }
    }
}

/// The new page with the verdicts of the last check on untouched blocks; `None` if there are none.
///
/// A block is untouched if both pages have the same words equally often, in the same order among all blocks of the
/// page, with the same block directly before or after it. Text that one of the pages hides from its readers never
/// counts as untouched, nor does text that a rule ignores. A block of the article that was edited in place also
/// stays part of it.
#[must_use]
pub fn clean_edges(
    old_body: &[Block],
    old: &Snapshot,
    new_body: &[Block],
    new: &[Piece],
) -> Option<Cleaned> {
    let mut numbers = Numbers::default();
    let remembered = old.live().map(|kept| &kept.piece);
    let old = sequence(old_body, remembered, &mut numbers);
    let new = sequence(new_body, new.iter(), &mut numbers);
    if old.len() + new.len() > BLOCKS || !may_flip(&old, &new) {
        return None;
    }
    let ids = |items: &[EdgeBlock<'_>]| items.iter().map(|item| item.number).collect::<Vec<_>>();
    let (old_ids, new_ids) = (ids(&old), ids(&new));
    let (old_copies, new_copies) = (copies(&old_ids), copies(&new_ids));
    let mut was: Vec<Option<usize>> = vec![None; new.len()];
    let pairs = shared(&old_ids, &new_ids);
    let edited = edited(&old, &new, &pairs);
    for (before, is) in &pairs {
        if let Some(slot) = was.get_mut(*is) {
            *slot = Some(*before);
        }
    }
    let beside = |before: usize, is: usize| {
        let behind = |before: Option<usize>, is: Option<usize>| match (before, is) {
            (None, None) => true,
            (Some(before), Some(is)) => was.get(is) == Some(&Some(before)),
            _ => false,
        };
        let next = |at: usize, len: usize| Some(at + 1).filter(|at| *at < len);
        behind(before.checked_sub(1), is.checked_sub(1))
            || behind(next(before, old.len()), next(is, new.len()))
    };
    let flips = pairs.into_iter().filter(|(before, is)| {
        let (Some(one), Some(other)) = (old.get(*before), new.get(*is)) else {
            return false;
        };
        let number = one.number;
        one.block.is_some() != other.block.is_some()
            && one.is_seen()
            && other.is_seen()
            && old_copies.get(&number) == new_copies.get(&number)
            && beside(*before, *is)
    });
    let flips = flips.map(|(before, is)| (is, before)).chain(edited);
    let flips: HashMap<usize, usize> = flips.collect();
    (!flips.is_empty()).then(|| cleaned(&old, &new, &flips))
}

/// A block of a page, whether it is compared or ignored.
struct EdgeBlock<'a> {
    number: usize,
    block: Option<&'a Block>,
    piece: Option<&'a Piece>,
}

impl EdgeBlock<'_> {
    fn is_seen(&self) -> bool {
        self.piece.is_none_or(|piece| piece.seen)
    }

    fn text(&self) -> &str {
        let block = self.block.map(|block| block.text.as_str());
        let piece = self.piece.map(|piece| piece.text.as_str());
        block.or(piece).unwrap_or_default()
    }
}

/// All blocks of a page in order. Text that a rule ignores is a block of the article here.
fn sequence<'a>(
    body: &'a [Block],
    ignored: impl Iterator<Item = &'a Piece>,
    numbers: &mut Numbers,
) -> Vec<EdgeBlock<'a>> {
    let mut ignored = ignored.filter(|piece| piece.rule.is_none()).peekable();
    let mut items = Vec::new();
    let mut take = |items: &mut Vec<EdgeBlock<'a>>, up_to: usize, numbers: &mut Numbers| {
        let here = |piece: &&Piece| usize::try_from(piece.after).is_ok_and(|after| after <= up_to);
        while let Some(piece) = ignored.next_if(here) {
            items.push(EdgeBlock {
                number: numbers.of(&piece.text),
                block: None,
                piece: Some(piece),
            });
        }
    };
    for (at, block) in body.iter().enumerate() {
        take(&mut items, at, numbers);
        items.push(EdgeBlock {
            number: numbers.of(&block.text),
            block: Some(block),
            piece: None,
        });
    }
    take(&mut items, usize::MAX, numbers);
    items
}

/// Whether a text is compared on one page and not on the other, or text of the article may have been edited into
/// ignored text. Most checks find neither.
fn may_flip(old: &[EdgeBlock<'_>], new: &[EdgeBlock<'_>]) -> bool {
    let numbers = |items: &[EdgeBlock<'_>], counted: bool| -> HashSet<usize> {
        let items = items.iter().filter(|item| item.block.is_some() == counted);
        items.map(|item| item.number).collect()
    };
    let (was, was_not) = (numbers(old, true), numbers(old, false));
    let (is, is_not) = (numbers(new, true), numbers(new, false));
    let differs = |some: &HashSet<usize>, one: &HashSet<usize>, other: &HashSet<usize>| {
        let mut some = some.iter();
        some.any(|number| !one.contains(number) && !other.contains(number))
    };
    !was_not.is_disjoint(&is)
        || !is_not.is_disjoint(&was)
        || differs(&was, &is, &is_not) && differs(&is_not, &was, &was_not)
}

/// The smallest share of words that an edited block keeps of the block before, and of the longer of the two.
const SAME: f32 = 0.6;
const SAME_OF_LONGER: f32 = 0.4;

/// With fewer words than this, shared words say nothing.
const FEW_WORDS: usize = 3;

/// Blocks of the article that became ignored because their words were edited: pairs of the block on the new page
/// and the one before. They are between the same untouched blocks of both pages and have most of their words in
/// common. The reverse is reported: text that counts from now on may have been missed before.
fn edited(
    old: &[EdgeBlock<'_>],
    new: &[EdgeBlock<'_>],
    pairs: &[(usize, usize)],
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut from, mut to) = (0, 0);
    for (before, is) in pairs.iter().copied().chain([(old.len(), new.len())]) {
        let gap = (old.get(from..before), new.get(to..is));
        if let (Some(was @ [_, ..]), Some(now @ [_, ..])) = gap {
            let pairs = edited_between(was, now).into_iter();
            found.extend(pairs.map(|(is, before)| (is + to, before + from)));
        }
        (from, to) = (before + 1, is + 1);
    }
    found
}

/// The pairs in one gap.
fn edited_between(old: &[EdgeBlock<'_>], new: &[EdgeBlock<'_>]) -> Vec<(usize, usize)> {
    if old.len() * new.len() > BLOCKS {
        return Vec::new();
    }
    let words_of = |items: &[EdgeBlock<'_>]| -> Vec<Vec<String>> {
        items.iter().map(|item| words(item.text())).collect()
    };
    let (was, is) = (words_of(old), words_of(new));
    let nearest = |text: &Vec<String>, others: &[Vec<String>]| {
        let shares = others.iter().map(|other| common(text, other)).enumerate();
        let best = shares.max_by(|(_, one), (_, other)| one.total_cmp(other));
        best.map(|(at, _)| at)
    };
    let same = |one: &Vec<String>, other: &Vec<String>| {
        let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
        let share = common(one, other);
        let of_shorter = share * longer as f32 / shorter.max(1) as f32;
        shorter >= FEW_WORDS && share >= SAME_OF_LONGER && of_shorter >= SAME
    };
    let mut found = Vec::new();
    for (before, item) in old.iter().enumerate() {
        // Each is the closest match of the other, compared or ignored: a block that moved elsewhere was not edited
        // in place.
        let now = nearest(&was[before], &is).filter(|now| nearest(&is[*now], &was) == Some(before));
        let Some((now, other)) = now.and_then(|now| Some((now, new.get(now)?))) else {
            continue;
        };
        let is_flip = item.block.is_some() && other.block.is_none();
        if is_flip && other.is_seen() && same(&was[before], &is[now]) {
            found.push((now, before));
        }
    }
    found
}

fn copies(numbers: &[usize]) -> HashMap<usize, usize> {
    let mut copies = HashMap::new();
    for number in numbers {
        *copies.entry(*number).or_default() += 1;
    }
    copies
}

fn cleaned(old: &[EdgeBlock<'_>], new: &[EdgeBlock<'_>], flips: &HashMap<usize, usize>) -> Cleaned {
    let mut cleaned = Cleaned {
        body: Vec::new(),
        ignored: Vec::new(),
        kept: Vec::new(),
        left_out: Vec::new(),
    };
    for (at, item) in new.iter().enumerate() {
        let before = flips.get(&at).and_then(|before| old.get(*before));
        let judged = before.unwrap_or(item);
        let block = judged.block.map(|block| Block {
            text: item.text().to_owned(),
            ..block.clone()
        });
        if before.is_some() {
            cleaned.kept.extend(block.clone());
            cleaned.left_out.extend(item.block.cloned());
        }
        cleaned.body.extend(block);
        cleaned.ignored.extend(judged.piece.map(|piece| Piece {
            text: item.text().to_owned(),
            after: u32::try_from(cleaned.body.len()).unwrap_or(u32::MAX),
            ..piece.clone()
        }));
    }
    cleaned
}
