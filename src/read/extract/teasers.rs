//! Boxes that lead to other stories: a row of elements of one shape, each with a linked title and a sentence or
//! two about the story behind it.
//!
//! Such a sentence reads like any sentence of the article, so no clue of the block alone can distinguish it. Its
//! neighbours can, and so can the headline: it has prose of its own in an element without these boxes. A list of
//! stories under one headline, as in a morning briefing, is not changed: there the boxes are the text.

use std::collections::{HashMap, HashSet};

use super::main_text::JudgedBlock;
use super::page::{Page, PageBlock};
use super::role::Role;

/// The fewest boxes in a row.
const ROW: usize = 3;

/// A box with more words tells a story instead of leading to one.
const WORDS: usize = 60;

/// The words of prose that an article has of its own beside such boxes.
const PROSE: usize = 60;

const WHY: &str = "it is in a row of boxes that link to other stories";

/// Removes such boxes from the text.
pub(super) fn drop(page: &Page, judged: &mut [JudgedBlock]) {
    let boxes = rows(page);
    if boxes.is_empty() {
        return;
    }
    let of_headline = |at: &usize| judged[*at].role == Role::Headline;
    let headlines: Vec<usize> = (0..judged.len()).filter(of_headline).collect();
    let parents: HashSet<usize> = boxes.iter().map(|at| page.elements[*at].parent).collect();
    for parent in parents {
        let apart = |headline: &usize| stands_apart(page, judged, *headline, parent);
        if headlines.iter().any(apart) {
            for (block, judged) in page.blocks.iter().zip(judged.iter_mut()) {
                let in_box = |at: usize| boxes.contains(&at) && page.elements[at].parent == parent;
                if judged.role.is_text() && page.around(block.element).any(in_box) {
                    *judged = JudgedBlock::of(Role::OtherStory, WHY);
                }
            }
        }
    }
}

/// The elements that lead to other stories, in rows of elements of one shape.
fn rows(page: &Page) -> HashSet<usize> {
    let mut inside: HashMap<usize, Vec<&PageBlock>> = HashMap::new();
    for block in &page.blocks {
        for at in page.around(block.element) {
            let blocks = inside.entry(at).or_default();
            // A box has fewer blocks than this, so further ones need not be collected.
            if blocks.len() <= 6 {
                blocks.push(block);
            }
        }
    }
    let leads = |at: &usize| inside.get(at).is_some_and(|blocks| leads_away(blocks));
    let mut rows: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for at in (1..page.elements.len()).filter(leads) {
        let element = &page.elements[at];
        rows.entry((element.parent, element.shape))
            .or_default()
            .push(at);
    }
    let rows = rows.into_values().filter(|row| row.len() >= ROW);
    rows.flatten().collect()
}

/// Whether blocks are a linked title and a little prose.
fn leads_away(blocks: &[&PageBlock]) -> bool {
    let is_title = |block: &&PageBlock| block.linked > 0.85 && block.count >= 3;
    let words: usize = blocks.iter().map(|block| block.count).sum();
    let said = blocks.iter().filter(|block| block.linked < 0.15);
    let said: usize = said.map(|block| block.count).sum();
    blocks.len() <= 5 && words <= WORDS && said >= 5 && blocks.iter().take(2).any(is_title)
}

/// Whether the headline has prose of its own in an element outside `row`.
fn stands_apart(page: &Page, judged: &[JudgedBlock], headline: usize, row: usize) -> bool {
    let around: HashSet<usize> = page.around(row).collect();
    let home = page.around(page.blocks[headline].element);
    let Some(home) = home.take_while(|at| !around.contains(at)).last() else {
        return false;
    };
    let prose = page
        .blocks
        .iter()
        .zip(judged)
        .filter(|(block, judged)| judged.role.is_text() && page.is_inside(block, home));
    prose.map(|(block, _)| block.count).sum::<usize>() >= PROSE
}
