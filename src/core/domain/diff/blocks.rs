//! The difference between two texts of blocks: pairs, moves and splits. `text` compares the words inside a pair.

use super::align::{AlignWeights, Budget, Items, align};
use super::hunks::count_words;
use super::pairing::pair;
use super::pairs::Pairing;
use super::prepared::Interner;
use super::segment::Segment;
use super::side::Side;
use super::text::{SentenceSteps, matches, segments, sentence_count};
use super::token::word_count;
use super::{BlockDiff, BlockOp, LeftOut, ProseDiff, SentenceOps, WordCount};
use crate::domain::state::Block;

/// The difference between two texts of blocks.
///
/// Blocks are compared by their text only, not by their kind. With `n` old and `m` new blocks, every `from` in
/// `1..=n` and every `to` in `1..=m` occurs exactly once, and the segments of a block rebuild both of its sides
/// byte for byte. Blocks that look the same but differ in their bytes are [`BlockOp::Edit`] with the smallest
/// segments that rebuild both. They count no words, and [`BlockDiff::is_visible`] distinguishes them from real
/// edits.
///
/// A block that was split stays paired with one of its parts; the others are [`BlockOp::Insert`] with `part_of`,
/// the number of the old block. Blocks that were joined are [`BlockOp::Delete`] with `part_of`, the number of the
/// new one. Text that only crossed a border counts no words.
#[must_use]
pub fn diff_blocks(old: &[Block], new: &[Block]) -> ProseDiff {
    let mut diff = Differ {
        old: Side::new(old),
        new: Side::new(new),
        interner: Interner::default(),
        budget: Budget::new(),
        steps: SentenceSteps::default(),
        words: WordCount::default(),
    };
    let pairing = pair(
        &mut diff.old,
        &mut diff.new,
        &mut diff.interner,
        &mut diff.budget,
    );
    let (blocks, moved) = diff.blocks(&pairing, old.len(), new.len());
    diff.joints(&pairing);
    let total =
        |blocks: &[Block]| -> u64 { blocks.iter().map(|block| rough_count(&block.text)).sum() };
    let all = total(old) + total(new);
    let gone = u64::from(diff.words.added) + u64::from(diff.words.removed);
    ProseDiff {
        blocks,
        words: diff.words,
        similarity: similarity(gone, all),
        sentences: SentenceOps {
            added: diff.steps.added,
            removed: diff.steps.removed,
            edited: diff.steps.edited,
            moved,
        },
        coarse: diff.budget.coarse,
        left_out: LeftOut::default(),
    }
}

/// The share of words that are in both texts, 0 to 1.
pub(super) fn similarity(gone: u64, all: u64) -> f64 {
    if all == 0 {
        return 1.0;
    }
    (1.0 - gone as f64 / all as f64).clamp(0.0, 1.0)
}

/// About as many words as [`word_count`] finds, without splitting the text into tokens.
fn rough_count(text: &str) -> u64 {
    let mut count = 0;
    let mut inside = false;
    for c in text.chars() {
        let ideograph = !c.is_ascii() && super::chars::is_ideograph(c);
        let word =
            !ideograph && (c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric()));
        count += u64::from(ideograph || (word && !inside));
        inside = word || (inside && !ideograph && matches!(c, '-' | '\'' | '’' | '.' | ',' | ':'));
    }
    count
}

struct Differ<'a> {
    old: Side<'a>,
    new: Side<'a>,
    interner: Interner<'a>,
    budget: Budget,
    steps: SentenceSteps,
    words: WordCount,
}

impl Differ<'_> {
    /// The blocks in the order of the new text, and how many sentences moved.
    fn blocks(&mut self, pairing: &Pairing, n: usize, m: usize) -> (Vec<BlockDiff>, u32) {
        let moved = pairing.moved(&self.new);
        let mut blocks = Vec::with_capacity(n.max(m));
        let mut moved_sentences = 0_u32;
        // A deleted block comes after the block that it followed in the old text.
        let mut behind: Vec<Vec<usize>> = vec![Vec::new(); m + 1];
        let mut last = 0;
        for i in 0..n {
            match pairing.of_old.get(i).copied().flatten() {
                Some(j) => {
                    if !moved.get(j).copied().unwrap_or(false) {
                        last = j + 1;
                    }
                }
                None => behind[last].push(i),
            }
        }
        self.deleted(&behind[0], pairing, &mut blocks);
        for j in 0..m {
            if let Some(i) = pairing.of_new.get(j).copied().flatten() {
                let is_moved = moved.get(j).copied().unwrap_or(false);
                let is_equal = self.old.text(i) == self.new.text(j);
                let shared = pairing.is_shared(i, j);
                let segments = self.pair_segments(i, j, shared);
                if is_moved {
                    let text = self.new.text(j);
                    moved_sentences = moved_sentences.saturating_add(sentence_count(text));
                }
                blocks.push(BlockDiff {
                    op: match (is_moved, is_equal) {
                        (true, _) => BlockOp::Move,
                        (false, true) => BlockOp::Equal,
                        (false, false) => BlockOp::Edit,
                    },
                    from: number(i),
                    to: number(j),
                    part_of: None,
                    segments,
                });
            } else {
                let text = self.new.text(j);
                let part_of = pairing.split_from.get(j).copied().flatten();
                if part_of.is_none() {
                    self.words.added = self.words.added.saturating_add(word_count(text));
                    self.steps.added = self.steps.added.saturating_add(sentence_count(text));
                }
                blocks.push(BlockDiff {
                    op: BlockOp::Insert,
                    from: None,
                    to: number(j),
                    part_of: part_of.and_then(number),
                    segments: segments_of(text, Segment::Insert),
                });
            }
            self.deleted(&behind[j + 1], pairing, &mut blocks);
        }
        (blocks, moved_sentences)
    }

    fn deleted(&mut self, indices: &[usize], pairing: &Pairing, blocks: &mut Vec<BlockDiff>) {
        for &i in indices {
            let text = self.old.text(i);
            let part_of = pairing.joined_into.get(i).copied().flatten();
            if part_of.is_none() {
                self.words.removed = self.words.removed.saturating_add(word_count(text));
                self.steps.removed = self.steps.removed.saturating_add(sentence_count(text));
            }
            blocks.push(BlockDiff {
                op: BlockOp::Delete,
                from: number(i),
                to: None,
                part_of: part_of.and_then(number),
                segments: segments_of(text, Segment::Delete),
            });
        }
    }

    fn pair_segments(&mut self, i: usize, j: usize, shared: bool) -> Vec<Segment> {
        let text = self.new.text(j);
        if self.old.text(i) == text {
            return segments_of(text, Segment::Equal);
        }
        self.old.prepare(i, &mut self.interner);
        self.new.prepare(j, &mut self.interner);
        let (Some(a), Some(b)) = (self.old.prepared(i), self.new.prepared(j)) else {
            return Vec::new();
        };
        let mut steps = SentenceSteps::default();
        let pairs = matches(a, b, &self.interner, &mut self.budget, &mut steps);
        let segments = segments(a, b, &pairs);
        if !shared {
            self.steps.add(steps);
            self.words = self.words + count_words(&segments);
        }
        segments
    }

    /// Counts the words of blocks that were split or joined, comparing the whole blocks.
    fn joints(&mut self, pairing: &Pairing) {
        for (i, pair) in pairing.of_old.iter().enumerate() {
            let Some(j) = *pair else { continue };
            if !pairing.is_shared(i, j) {
                continue;
            }
            let olds = with_parts(i, j, &pairing.joined_into);
            let news = with_parts(j, i, &pairing.split_from);
            let a: Vec<u32> = olds
                .iter()
                .filter_map(|&k| self.old.prepared(k))
                .flat_map(|p| p.keys.iter().copied())
                .collect();
            let b: Vec<u32> = news
                .iter()
                .filter_map(|&k| self.new.prepared(k))
                .flat_map(|p| p.keys.iter().copied())
                .collect();
            let weights = AlignWeights {
                of: self.interner.weights(),
                open: super::weight::OPEN,
            };
            let kept = align(
                Items::plain(&a),
                Items::plain(&b),
                &weights,
                &mut self.budget,
            );
            let words = |ids: &[u32]| {
                ids.iter()
                    .filter(|&&id| self.interner.is_wordlike(id))
                    .count()
            };
            let same = kept
                .iter()
                .filter(|(k, _)| a.get(*k).is_some_and(|&id| self.interner.is_wordlike(id)))
                .count();
            let less = |all: usize| u32::try_from(all.saturating_sub(same)).unwrap_or(u32::MAX);
            self.words = self.words
                + WordCount {
                    added: less(words(&b)),
                    removed: less(words(&a)),
                };
            self.steps.edited = self.steps.edited.saturating_add(1);
        }
    }
}

/// A block and the parts of its pair, in order.
fn with_parts(index: usize, whole: usize, part_of: &[Option<usize>]) -> Vec<usize> {
    let mut all: Vec<usize> = part_of
        .iter()
        .enumerate()
        .filter(|(_, of)| **of == Some(whole))
        .map(|(part, _)| part)
        .chain([index])
        .collect();
    all.sort_unstable();
    all
}

fn number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}

/// One segment, or none if the text is empty.
fn segments_of(text: &str, kind: fn(String) -> Segment) -> Vec<Segment> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![kind(text.to_owned())]
    }
}
