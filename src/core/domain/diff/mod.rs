//! Prose diff: blocks paired and moved, then sentences, then words.
//!
//! Applying the operations to the old text gives exactly the new text.

mod align;
mod blocks;
mod chars;
mod grouping;
mod hunks;
mod list_number;
mod number;
mod pairing;
mod pairs;
mod parts;
mod prepared;
mod renumber;
mod segment;
mod sentence;
mod side;
mod tally;
mod text;
mod token;
mod weight;
mod words;

pub use blocks::diff_blocks;
pub use chars::is_ideograph;
pub use hunks::{Hunk, as_read, count_words, hunks};
pub(crate) use list_number::list_number;
pub use renumber::{Renumbering, in_a_row, renumbered_runs};
pub use segment::Segment;
pub(crate) use tally::WordTally;
pub use text::diff_line;
pub(crate) use text::sentence_count;
pub use token::word_count;
pub(crate) use token::{Class, tokens};

use serde::{Deserialize, Serialize};

use super::normalise::same_to_the_eye;

/// The kind of difference in one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockOp {
    /// The same text in the same order.
    Equal,
    /// The same block with other words.
    Edit,
    /// Only in the new text.
    Insert,
    /// Only in the old text.
    Delete,
    /// In another place than before, with or without other words.
    Move,
}

/// One block of the old text, of the new text, or of both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockDiff {
    /// What happened to the block.
    pub op: BlockOp,
    /// Its number in the old text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// Its number in the new text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// The old block that this new one was split from, or the new block that this old one was joined into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<u32>,
    /// The segments, from which both sides of the block can be rebuilt exactly.
    pub segments: Vec<Segment>,
}

impl BlockDiff {
    /// Whether a reader sees a difference in the block.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        match self.op {
            BlockOp::Equal => false,
            BlockOp::Edit => !same_to_the_eye(
                &Segment::old_side(&self.segments),
                &Segment::new_side(&self.segments),
            ),
            BlockOp::Insert | BlockOp::Delete | BlockOp::Move => true,
        }
    }
}

/// What happened to the sentences, following the taxonomy of `NewsEdits` (Spangher et al., 2022): addition,
/// deletion, edit and refactor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SentenceOps {
    /// Only in the new text.
    pub added: u32,
    /// Only in the old text.
    pub removed: u32,
    /// In both texts, with other words.
    pub edited: u32,
    /// In another place.
    pub moved: u32,
}

impl SentenceOps {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How many words were added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WordCount {
    /// Words only in the new text.
    pub added: u32,
    /// Words only in the old text.
    pub removed: u32,
}

impl std::ops::Add for WordCount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            added: self.added.saturating_add(other.added),
            removed: self.removed.saturating_add(other.removed),
        }
    }
}

/// The difference between two texts of blocks, in the order of the new text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProseDiff {
    /// Every block of both texts, including equal ones.
    pub blocks: Vec<BlockDiff>,
    /// Words added and removed over all blocks; moved words do not count.
    pub words: WordCount,
    /// 0 (nothing in common) to 1 (the same words).
    pub similarity: f64,
    /// What happened to the sentences.
    #[serde(default, skip_serializing_if = "SentenceOps::is_empty")]
    pub sentences: SentenceOps,
    /// Set if the texts were too large or too different for the fine method.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coarse: bool,
    /// The parts of the published texts that were not compared.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
}

/// Blocks of two published texts that were not compared and so are not in the diff: page furniture. Their numbers
/// count from 1 over all blocks of the stored text, ascending; the numbers in the diff count only the remaining
/// blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Blocks of the old text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<u32>,
    /// Blocks of the new text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    /// Blocks of the new text that differ from an old one only in parts that are not compared; the diff shows the
    /// old wording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub as_before: Vec<u32>,
}

impl LeftOut {
    /// Whether both texts were compared completely.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty() && self.as_before.is_empty()
    }
}

#[cfg(test)]
mod tests;
