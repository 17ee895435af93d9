//! Clean edges: a block that nobody touched is not reported when only our verdict on it has changed.
//!
//! Where an article begins and ends is judged from the whole page. When its first paragraph is taken out, the line above
//! it may count from now on; it stood there before with the same words. So the last verdict holds for every block that
//! stands in the same place of the page as at the last check, word for word.

use std::collections::{HashMap, HashSet};

use super::sequence::{Numbers, shared};
use super::{Piece, Snapshot};
use crate::domain::state::{Block, Link};

/// Blocks of both pages together; beyond that nothing is cleaned, and what differs is reported.
const BLOCKS: usize = 6_000;

/// A page with the verdicts of the last check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The article.
    pub body: Vec<Block>,
    /// What is ignored.
    pub ignored: Vec<Piece>,
    /// Blocks that count as before, although today's verdict is another one.
    pub kept: Vec<Block>,
    /// Blocks that do not count as before, although today's verdict is another one.
    pub left_out: Vec<Block>,
}

impl Cleaned {
    /// Brings the links of the article to those of its blocks: `known` are those of the last check.
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

/// The new page with the verdicts of the last check on blocks that nobody touched; `None` when there are no such.
///
/// A block is untouched when the same words stand on both pages equally often, in the same order among all blocks of the
/// page, with the same block right before or right after it. A text that one of the two pages hides from its readers is
/// never taken for untouched, and neither is one that a rule leaves out.
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
    let flips: HashMap<usize, usize> = flips.map(|(before, is)| (is, before)).collect();
    (!flips.is_empty()).then(|| cleaned(&old, &new, &flips))
}

/// A block of a page, whether it counts or not.
struct EdgeBlock<'a> {
    number: usize,
    block: Option<&'a Block>,
    piece: Option<&'a Piece>,
}

impl EdgeBlock<'_> {
    fn is_seen(&self) -> bool {
        self.piece.is_none_or(|piece| piece.seen)
    }
}

/// All blocks of a page in their order. What a rule leaves out is a block of the article here.
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

/// Whether any text counts on one page and not on the other: in most checks none does.
fn may_flip(old: &[EdgeBlock<'_>], new: &[EdgeBlock<'_>]) -> bool {
    let counted = |items: &[EdgeBlock<'_>]| -> HashSet<usize> {
        let counted = items.iter().filter(|item| item.block.is_some());
        counted.map(|item| item.number).collect()
    };
    let (was, is) = (counted(old), counted(new));
    let ignored = |items: &[EdgeBlock<'_>], there: &HashSet<usize>| {
        let mut ignored = items.iter().filter(|item| item.block.is_none());
        ignored.any(|item| there.contains(&item.number))
    };
    ignored(old, &is) || ignored(new, &was)
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
        let (block, piece) = match before {
            Some(before) => (before.block, before.piece),
            None => (item.block, item.piece),
        };
        if before.is_some() {
            cleaned.kept.extend(block.cloned());
            cleaned.left_out.extend(item.block.cloned());
        }
        cleaned.body.extend(block.cloned());
        cleaned.ignored.extend(piece.map(|piece| Piece {
            after: u32::try_from(cleaned.body.len()).unwrap_or(u32::MAX),
            ..piece.clone()
        }));
    }
    cleaned
}
