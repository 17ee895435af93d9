//! Numbered items that were renumbered because one was added, removed or moved, and references to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::hunks::{as_read, hunks};
use super::list_number::list_number;
use super::segment::Segment;
use super::{BlockDiff, BlockOp};

/// A shorter run of numbers may be anything, and so may fewer references.
const SHORTEST_RUN: usize = 3;
/// A number with more digits is a year or an amount.
const DIGITS: usize = 3;

/// Which items of a text were renumbered, and which words refer to them.
#[derive(Debug, Default)]
pub struct Renumbering {
    /// The new number of each old one; only of renumbered items.
    numbers: BTreeMap<u32, u32>,
    /// The renumbered items: the old and the new number of their blocks, and of the items.
    items: HashMap<(u32, u32), (u32, u32)>,
    /// Words before figures that follow the items: `clause` in `see clause 14`.
    references: HashSet<String>,
}

impl Renumbering {
    /// Finds the renumbered items. Equal blocks may be left out.
    #[must_use]
    pub fn of(blocks: &[BlockDiff]) -> Self {
        let mut found = Self::default();
        let numbered = blocks.iter().filter(|block| begins_with_number(block));
        let (mut olds, mut news, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        for block in numbered {
            let old = item_number(&Segment::old_side(&block.segments));
            let new = item_number(&Segment::new_side(&block.segments));
            olds.extend(block.from.zip(old));
            news.extend(block.to.zip(new));
            if let (Some(from), Some(to), Some(old), Some(new)) = (block.from, block.to, old, new)
                && old != new
            {
                pairs.push(((from, to), (old, new)));
            }
        }
        if pairs.is_empty() {
            return found;
        }
        pairs.sort_unstable_by_key(|((_, to), _)| *to);
        let (olds, news) = (in_a_row(olds), in_a_row(news));
        let shifted = pairs.chunk_by(|(_, a), (_, b)| b.0 == a.0 + 1 && b.1 == a.1 + 1);
        for run in shifted {
            for (place, numbers) in run {
                let is_counted = olds.contains(&place.0) && news.contains(&place.1);
                if is_counted || run.len() >= SHORTEST_RUN {
                    found.items.insert(*place, *numbers);
                    found.numbers.insert(numbers.0, numbers.1);
                }
            }
        }
        found.find_references(blocks);
        found
    }

    fn find_references(&mut self, blocks: &[BlockDiff]) {
        if self.items.is_empty() {
            return;
        }
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut others: HashSet<String> = HashSet::new();
        let edits = blocks
            .iter()
            .filter(|block| matches!(block.op, BlockOp::Edit | BlockOp::Move));
        for (word, numbers) in edits.flat_map(|block| figures(&block.segments)).flatten() {
            if numbers.is_some_and(|(old, new)| self.renamed(old) == Some(new)) {
                *counts.entry(word).or_default() += 1;
            } else {
                others.insert(word);
            }
        }
        self.references = counts
            .into_iter()
            .filter(|(word, count)| {
                *count >= SHORTEST_RUN && !word.is_empty() && !others.contains(word)
            })
            .map(|(word, _)| word)
            .collect();
    }

    /// The new number of an item. Items after the last known one shift as that one does.
    fn renamed(&self, old: u32) -> Option<u32> {
        self.numbers.get(&old).copied().or_else(|| {
            let (last, new) = self.numbers.last_key_value()?;
            (old > *last).then(|| (old - last).saturating_add(*new))
        })
    }

    /// The blocks of the renumbered items.
    pub fn items(&self) -> impl Iterator<Item = (u32, u32)> {
        self.items.keys().copied()
    }

    /// Whether the item of these two blocks was renumbered.
    #[must_use]
    pub fn has(&self, from: u32, to: u32) -> bool {
        self.items.contains_key(&(from, to))
    }

    /// Whether a figure in the text follows the items because the word before it refers to them.
    #[must_use]
    pub fn follows(&self, before: &str, old: &str, new: &str) -> bool {
        self.references.contains(before)
            && number(old).is_some_and(|old| self.renamed(old) == number(new))
    }

    /// The old and the new number of an item, if only its number has changed.
    #[must_use]
    pub fn only(&self, block: &BlockDiff) -> Option<(u32, u32)> {
        let numbers = *self.items.get(&(block.from?, block.to?))?;
        let all_follow = figures(&block.segments)
            .into_iter()
            .enumerate()
            .all(|(at, figure)| {
                matches!(figure, Some((word, Some((old, new))))
                if (at == 0 && (old, new) == numbers)
                    || (self.references.contains(&word) && self.renamed(old) == Some(new)))
            });
        all_follow.then_some(numbers)
    }
}

/// Runs of items of which only the number has changed, as `[first, last]` of old and new numbers; and the blocks
/// in them, by the number of the new one.
#[must_use]
pub fn renumbered_runs(blocks: &[BlockDiff]) -> (Vec<[(u32, u32); 2]>, BTreeSet<u32>) {
    let renumbering = Renumbering::of(blocks);
    let mut runs: Vec<[(u32, u32); 2]> = Vec::new();
    let mut folded = BTreeSet::new();
    for block in blocks {
        let place = block.from.zip(block.to);
        let Some(numbers) = place.and_then(|place| renumbering.items.get(&place)) else {
            continue;
        };
        // An item with another edit is part of the run, and is also shown.
        if renumbering.only(block).is_some() {
            folded.extend(block.to);
        }
        match runs.last_mut() {
            Some([_, last]) if (last.0 + 1, last.1 + 1) == *numbers => *last = *numbers,
            _ => runs.push([*numbers, *numbers]),
        }
    }
    if folded.len() < SHORTEST_RUN {
        return (Vec::new(), BTreeSet::new());
    }
    (runs, folded)
}

/// A changed figure: the word before it, in lower case, and both values if they are numbers.
type ExchangedFigure = (String, Option<(u32, u32)>);

/// The edits of a block in order; `None` for an edit without a figure.
fn figures(segments: &[Segment]) -> Vec<Option<ExchangedFigure>> {
    let segments = as_read(segments);
    let edits = hunks(&segments).into_iter().map(|hunk| {
        let is_figure = |text: &str| text.contains(char::is_numeric);
        if !is_figure(&hunk.removed) && !is_figure(&hunk.added) {
            return None;
        }
        let before = hunk.at.checked_sub(1).and_then(|at| segments.get(at));
        let before = before
            .map_or("", Segment::text)
            .split_whitespace()
            .next_back();
        let numbers = number(&hunk.removed).zip(number(&hunk.added));
        Some((before.unwrap_or_default().to_lowercase(), numbers))
    });
    edits.collect()
}

fn number(text: &str) -> Option<u32> {
    let digits = text.trim().trim_end_matches(['.', ')', ':', ',', ';']);
    let is_number =
        (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Only checks the first segments.
fn begins_with_number(block: &BlockDiff) -> bool {
    let text: String = block
        .segments
        .iter()
        .take(3)
        .flat_map(|s| s.text().chars().take(24))
        .collect();
    text.contains(|c: char| c.is_ascii_digit())
}

/// The number of an item: `12. Refunds`, `Article 12 Refunds`, `§ 12 Refunds`.
fn item_number(text: &str) -> Option<u32> {
    if let Some((number, _)) = list_number(text) {
        return Some(number);
    }
    let mut words = text.split_whitespace();
    let is_label = |word: &str| word == "§" || word.chars().all(char::is_alphabetic);
    words.next().filter(|word| is_label(word))?;
    number(words.next()?)
}

/// The blocks, given with their numbers, whose numbers run 1, 2, 3 …. Such numbers say no more than the order of
/// the blocks, and the list marker may have shown them before. Any other number is a figure of the text.
#[must_use]
pub fn in_a_row(mut numbers: Vec<(u32, u32)>) -> HashSet<u32> {
    numbers.sort_unstable();
    numbers
        .chunk_by(|before, behind| behind.1 == before.1 + 1)
        .filter(|run| run.len() >= SHORTEST_RUN && run.first().is_some_and(|first| first.1 == 1))
        .flatten()
        .map(|(block, _)| *block)
        .collect()
}
