//! Prose diff: blocks paired and moved, then sentences, then words.
//!
//! Applying the operations to the old text gives exactly the new text.

mod segment;

pub use segment::Segment;

use serde::{Deserialize, Serialize};

/// What happened to one block.
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
    /// At another place than before, with or without other words.
    Move,
}

/// One block of the old text, of the new text, or of both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockDiff {
    /// What happened to it.
    pub op: BlockOp,
    /// Its number in the old text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// Its number in the new text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Rebuilds both sides of the block exactly.
    pub segments: Vec<Segment>,
}

/// How many words came and went.
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
    /// Every block of both texts, equal ones included.
    pub blocks: Vec<BlockDiff>,
    /// Words added and removed over all blocks; moved words do not count.
    pub words: WordCount,
    /// 0 (nothing in common) to 1 (the same words).
    pub similarity: f64,
    /// Set when the texts were too large or too different for the fine method.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coarse: bool,
}
