//! The boxes of a page: what else is in the elements around a block, how much of that is links, and how far the
//! block is from the headline.

use std::collections::HashMap;

use super::evidence::{BlockEvidence, Clue};
use super::page::{Page, PageBlock};

/// A block at most this many blocks below the headline is near it; from the second figure on, it is far.
const NEAR: usize = 12;
const FAR: usize = 40;

/// From these shares of links on, a box has some links, or consists mostly of links.
const FEW_LINKS: f32 = 0.02;
const SOME_LINKS: f32 = 0.1;
const MANY_LINKS: f32 = 0.25;
const MOSTLY_LINKS: f32 = 0.5;

/// What each element of a page contains.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    /// Bytes of text.
    pub(super) bytes: Vec<usize>,
    /// Bytes of text in links to other pages.
    pub(super) linked: Vec<f32>,
    /// Number of blocks.
    blocks: Vec<usize>,
    /// How many children of each shape each element has.
    alike: HashMap<(usize, u64), usize>,
    /// Whether an element contains the whole article.
    around_region: Vec<bool>,
    /// The block with the headline, and the innermost element around it and the article.
    headline: Option<(usize, usize)>,
}

impl Boxes {
    /// Measures all elements of a page.
    pub(super) fn of(page: &Page) -> Self {
        let empty = || vec![0; page.elements.len()];
        let mut boxes = Self {
            bytes: empty(),
            linked: vec![0.0; page.elements.len()],
            blocks: empty(),
            ..Self::default()
        };
        for block in &page.blocks {
            let bytes = block.block.text.len();
            for at in page.around(block.element) {
                boxes.bytes[at] += bytes;
                boxes.linked[at] += block.linked * bytes as f32;
                boxes.blocks[at] += 1;
            }
        }
        for element in page.elements.iter().skip(1) {
            *boxes
                .alike
                .entry((element.parent, element.shape))
                .or_default() += 1;
        }
        boxes
    }

    /// Notes where the article is, and which block is its headline.
    pub(super) fn place(&mut self, page: &Page, region: usize, headline: Option<usize>) {
        self.around_region = vec![false; page.elements.len()];
        for at in page.around(region) {
            self.around_region[at] = true;
        }
        self.headline = headline.and_then(|at| {
            let block = page.blocks.get(at)?;
            Some((at, self.outer(page, block)?))
        });
    }

    /// The innermost element that contains both the article and a block.
    fn outer(&self, page: &Page, block: &PageBlock) -> Option<usize> {
        page.around(block.element)
            .find(|at| self.around_region[*at])
    }

    /// How many siblings of this element have its shape, counting itself.
    fn alike(&self, page: &Page, at: usize) -> usize {
        let element = page.elements.get(at);
        let key = element.map(|element| (element.parent, element.shape));
        key.and_then(|key| self.alike.get(&key))
            .copied()
            .unwrap_or(0)
    }

    /// The share of links in an element, not counting a block in it.
    fn links_beside(&self, at: usize, block: &PageBlock) -> f32 {
        let own = block.block.text.len();
        let linked = self.linked[at] - block.linked * own as f32;
        linked / self.bytes[at].saturating_sub(own).max(1) as f32
    }

    /// Notes what the boxes around a block suggest about it.
    pub(super) fn note(
        &self,
        page: &Page,
        at: usize,
        block: &PageBlock,
        evidence: &mut BlockEvidence,
    ) {
        self.note_headline(page, at, block, evidence);
        let group = page
            .around(block.element)
            .find(|at| self.blocks[*at] > 1)
            .unwrap_or(0);
        let beside = self.links_beside(group, block);
        evidence.note(
            Clue::BesideSomeLinks,
            (FEW_LINKS..MOSTLY_LINKS).contains(&beside),
        );
        evidence.note(Clue::BesideLinks, beside >= MOSTLY_LINKS);
        // The part of the page that the block is in: the outermost element around it that does not contain the
        // article.
        let part = page
            .around(block.element)
            .take_while(|at| !self.around_region[*at])
            .last()
            .unwrap_or(block.element);
        let alone = self.blocks[part] <= 1 && block.linked < MOSTLY_LINKS;
        let links = if alone { 0.0 } else { self.linked[part] };
        let links = links / self.bytes[part].max(1) as f32;
        evidence.note(Clue::PartFewLinks, (FEW_LINKS..SOME_LINKS).contains(&links));
        evidence.note(
            Clue::PartSomeLinks,
            (SOME_LINKS..MANY_LINKS).contains(&links),
        );
        evidence.note(Clue::PartManyLinks, links >= MANY_LINKS);
        evidence.note(Clue::OneOfMany, self.alike(page, block.element) >= 2);
    }

    fn note_headline(
        &self,
        page: &Page,
        at: usize,
        block: &PageBlock,
        evidence: &mut BlockEvidence,
    ) {
        evidence.note(Clue::NoHeadline, self.headline.is_none());
        let Some((headline, shared)) = self.headline else {
            return;
        };
        let below = at.checked_sub(headline);
        let within = |from: usize, to: usize| below.is_some_and(|n| (from..to).contains(&n));
        evidence.note(Clue::NearHeadline, within(0, NEAR));
        evidence.note(Clue::BelowHeadline, within(NEAR, FAR));
        evidence.note(Clue::FarBelowHeadline, within(FAR, usize::MAX));
        let inside = self
            .outer(page, block)
            .is_some_and(|outer| page.around(outer).any(|at| at == shared));
        evidence.note(Clue::WithHeadline, inside);
    }
}
