//! Blocks that were only split or joined, and list numbers that were written out or left to the list marker.

use std::collections::{HashMap, HashSet};

use crate::domain::diff::{
    BlockDiff, BlockOp, ProseDiff, Renumbering, Segment, in_a_row, list_number,
};

/// How many bytes on either side of a border are searched for in the other text.
const AT_BORDER: usize = 24;

/// How the blocks of a text were split and joined.
#[derive(Debug, Default)]
pub(super) struct Recut<'a> {
    /// The blocks that were split off (true) or joined (false), by the number of the whole block.
    parts: HashMap<(bool, u32), Vec<&'a BlockDiff>>,
    /// New blocks that gained a list number, and old blocks that lost one.
    gained: HashSet<u32>,
    lost: HashSet<u32>,
    /// Items whose number only changed with their position.
    renumbering: Renumbering,
}

/// A pair of blocks, each with all its parts.
pub(super) struct Whole {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) split: bool,
    pub(super) joined: bool,
}

impl<'a> Recut<'a> {
    pub(super) fn of(diff: &'a ProseDiff) -> Self {
        let mut recut = Self::default();
        for block in &diff.blocks {
            if let Some(whole) = block.part_of {
                let key = (block.op == BlockOp::Insert, whole);
                recut.parts.entry(key).or_default().push(block);
            }
        }
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        for block in &diff.blocks {
            if matches!(block.op, BlockOp::Edit | BlockOp::Move)
                && (recut.has_parts(block) || may_have_number(block))
            {
                let olds = recut.side(block, false);
                let news = recut.side(block, true);
                numbers_only_in(&news, &olds, &mut gained);
                numbers_only_in(&olds, &news, &mut lost);
            }
        }
        recut.gained = in_a_row(gained);
        recut.lost = in_a_row(lost);
        recut.renumbering = Renumbering::of(&diff.blocks);
        recut
    }

    /// The items that were renumbered, and references to them.
    pub(super) fn renumbering(&self) -> &Renumbering {
        &self.renumbering
    }

    /// How many list numbers were written out, how many no longer are, and how many follow a new position.
    pub(super) fn numbers(&self) -> [usize; 3] {
        [
            self.gained.len(),
            self.lost.len(),
            self.renumbering.items().count(),
        ]
    }

    /// A block of both sides with all its parts, if any of it was split, joined or renumbered.
    ///
    /// Text that only crossed a border is not an edit, nor is a list number that was written out: neither is in
    /// the result.
    pub(super) fn whole(&self, block: &BlockDiff) -> Option<Whole> {
        let place = (block.from.unwrap_or_default(), block.to.unwrap_or_default());
        let counted_on = self.renumbering.has(place.0, place.1);
        let renamed = counted_on || !self.gained.is_empty() || !self.lost.is_empty();
        if !self.has_parts(block) && !renamed {
            return None;
        }
        let mut olds = self.side(block, false);
        let mut news = self.side(block, true);
        let (split, joined) = (news.len() > 1, olds.len() > 1);
        let mut renumbered = false;
        for (texts, numbers, own) in [
            (&mut olds, &self.lost, place.0),
            (&mut news, &self.gained, place.1),
        ] {
            for (number, text) in texts {
                if (numbers.contains(number) || (counted_on && *number == own))
                    && let Some((_, item)) = list_number(text)
                {
                    *text = item.to_owned();
                    renumbered = true;
                }
            }
        }
        if !split && !joined && !renumbered {
            return None;
        }
        let plain = |texts: &[(u32, String)]| -> String {
            let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
            texts.join(" ")
        };
        Some(Whole {
            old: put_together(&olds, &plain(&news)),
            new: put_together(&news, &plain(&olds)),
            split,
            joined,
        })
    }

    /// Whether a block was split, or others were joined into it.
    fn has_parts(&self, block: &BlockDiff) -> bool {
        let has = |new, whole: Option<u32>| {
            whole.is_some_and(|whole| self.parts.contains_key(&(new, whole)))
        };
        !self.parts.is_empty() && (has(true, block.from) || has(false, block.to))
    }

    /// One side of a block and its parts: the texts with their numbers, in order.
    fn side(&self, block: &BlockDiff, new: bool) -> Vec<(u32, String)> {
        let whole = if new { block.from } else { block.to };
        let shown = |block: &BlockDiff| {
            let (number, text) = if new {
                (block.to, Segment::new_side(&block.segments))
            } else {
                (block.from, Segment::old_side(&block.segments))
            };
            (number.unwrap_or_default(), text)
        };
        let parts = whole.and_then(|whole| self.parts.get(&(new, whole)));
        let mut texts: Vec<(u32, String)> = parts
            .into_iter()
            .flatten()
            .copied()
            .chain([block])
            .map(shown)
            .collect();
        texts.sort_by_key(|(number, _)| *number);
        texts
    }
}

/// Whether a block may begin with a list number on one of its sides. Only its first segments are checked.
fn may_have_number(block: &BlockDiff) -> bool {
    let first = block.segments.iter().take(2);
    let mut first = first.map(Segment::text);
    first.any(|text| text.starts_with(|c: char| c == '(' || c.is_ascii_digit()))
}

/// The blocks (with their list numbers) that are numbered, if no text of the other side is.
fn numbers_only_in(texts: &[(u32, String)], others: &[(u32, String)], found: &mut Vec<(u32, u32)>) {
    for (block, text) in texts {
        let Some((number, item)) = list_number(text) else {
            continue;
        };
        let numbered = head(text, text.len() - item.len() + AT_BORDER);
        if !others
            .iter()
            .any(|(_, other)| list_number(other).is_some() || other.contains(numbered))
        {
            found.push((*block, number));
        }
    }
}

/// Joins texts to one. Where the other side has a mark between two of them, the mark is added: a border replaced
/// it, or it replaced a border.
fn put_together(texts: &[(u32, String)], other: &str) -> String {
    const MARKS: [&str; 7] = [". ", ": ", " : ", " – ", " — ", " - ", "; "];
    let mut out = String::new();
    for (_, text) in texts {
        if !out.is_empty() {
            let around = |mark: &str| {
                format!(
                    "{}{mark}{}",
                    tail(&out, AT_BORDER),
                    head(text.as_str(), AT_BORDER)
                )
            };
            let mark = MARKS.iter().find(|mark| other.contains(&around(mark)));
            out.push_str(mark.copied().unwrap_or(" "));
        }
        out.push_str(text);
    }
    out
}

fn head(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rfind(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}

fn tail(text: &str, most: usize) -> &str {
    let start =
        (text.len().saturating_sub(most)..=text.len()).find(|&at| text.is_char_boundary(at));
    &text[start.unwrap_or(text.len())..]
}
