//! An overview of a page: where the extractor's text is, how the article is marked up, and what follows from that
//! for each block.

use std::collections::{HashMap, HashSet};

use super::boxes::Boxes;
use super::clues;
use super::coverage::Index;
use super::evidence::{BlockEvidence, Clue};
use super::furniture::{self, Mark, Marks};
use super::page::{Page, PageBlock};

/// A block is the extractor's if the extractor has this share of its words.
const MOSTLY: f32 = 0.6;
const WHOLLY: f32 = 0.9;
const PARTLY: f32 = 0.15;

/// A word in a class or id means nothing if elements with it contain this share of the article.
const TOO_MUCH: f32 = 0.25;

/// From this many words on, the same words again are a repetition of the same text.
const REPEATED_WORDS: usize = 12;

/// This many repeated blocks in a row are a repetition of the text, wherever they are.
const REPEATED_BLOCKS: usize = 3;

/// How the blocks of a page relate to its article.
pub(super) struct Survey<'a> {
    pub(super) page: &'a Page,
    /// The share of each block that the extractor has, 0–1.
    covered: Vec<f32>,
    /// The innermost element that contains nearly all of the extractor's text.
    region: usize,
    /// The element around it that claims to be the article.
    article: Option<usize>,
    /// The first and the last block that the extractor has.
    first: usize,
    last: usize,
    /// The share of the extractor's text in each element, 0–1.
    pub(super) held: Vec<f32>,
    /// The same share by markup: the shapes of the two innermost elements.
    forms: HashMap<[u64; 2], f32>,
    /// The same share by the word that marks an element.
    marked: HashMap<u64, f32>,
    /// Shapes of elements that directly contain much of the article.
    containers: HashSet<u64>,
    /// Elements that are one of several boxes of links.
    cards: HashSet<usize>,
    /// Blocks whose text was on the page before, and where.
    repeats: HashMap<usize, usize>,
    /// Hidden blocks whose words are shown elsewhere.
    hidden_copies: HashSet<usize>,
    /// The share of the prose in the region that is hidden at first, 0–1. If it is large, the prose is shown
    /// later.
    hidden_share: f32,
    /// The content of each element.
    pub(super) boxes: Boxes,
}

impl<'a> Survey<'a> {
    /// Surveys a page; `extracted` is the extractor's text.
    pub(super) fn of(page: &'a Page, extracted: &Index) -> Self {
        let covered = page
            .blocks
            .iter()
            .map(|block| extracted.share(&block.words))
            .collect();
        Self::with(page, covered)
    }

    /// Surveys a page in which the extractor finds nothing, or the wrong text: the prose inside `element` must be
    /// the article.
    pub(super) fn of_prose(page: &'a Page, element: usize) -> Self {
        let covered = page.blocks.iter().map(|block| {
            let is_prose = is_plain(page, block) && page.is_inside(block, element);
            f32::from(u8::from(is_prose))
        });
        Self::with(page, covered.collect())
    }

    /// The element around the headline that has more prose than the extractor's text, if the extractor has none of
    /// it.
    pub(super) fn missed(&self, headline: &PageBlock) -> Option<usize> {
        let page = self.page;
        // Summed up once for all elements, since a headline may be as deep as a page allows.
        let mut prose = vec![0; page.elements.len()];
        for block in &page.blocks {
            let text = &block.block.text;
            if furniture::ends_as_sentence(text) && block.count >= 12 && is_plain(page, block) {
                for at in page.around(block.element) {
                    prose[at] += text.len();
                }
            }
        }
        let held = |at: usize| self.held.get(at).copied().unwrap_or(0.0);
        let has: usize = self
            .covered
            .iter()
            .zip(&page.blocks)
            .filter(|(share, _)| **share >= MOSTLY)
            .map(|(_, block)| block.block.text.len())
            .sum();
        page.around(headline.element)
            .filter(|at| self.is_container(*at))
            .take_while(|at| held(*at) <= 0.05)
            .find(|at| prose[*at] > has + has / 2)
    }

    fn with(page: &'a Page, covered: Vec<f32>) -> Self {
        let mut survey = Self {
            page,
            region: 0,
            article: None,
            first: 0,
            last: 0,
            held: Vec::new(),
            forms: HashMap::new(),
            marked: HashMap::new(),
            containers: HashSet::new(),
            cards: HashSet::new(),
            repeats: HashMap::new(),
            hidden_copies: HashSet::new(),
            hidden_share: 0.0,
            boxes: Boxes::of(page),
            covered,
        };
        let is_covered = |share: &f32| *share >= MOSTLY;
        survey.first = survey.covered.iter().position(is_covered).unwrap_or(0);
        survey.last = survey.covered.iter().rposition(is_covered).unwrap_or(0);
        survey.weigh();
        survey.find_region();
        survey.find_cards();
        survey.find_repeats();
        survey
    }

    /// Notes which blocks repeat the headline; the last one before the text counts.
    pub(super) fn place_headline(&mut self, says: impl Fn(&PageBlock) -> bool) {
        let blocks = self.page.blocks.iter().enumerate();
        let said = blocks.filter(|(_, block)| says(block)).map(|(at, _)| at);
        let (mut found, mut first) = (None, None);
        for at in said {
            first.get_or_insert(at);
            found = if at <= self.first { Some(at) } else { found };
        }
        self.boxes.place(self.page, self.region, found.or(first));
    }

    /// Whether the extractor found nothing.
    pub(super) fn is_empty(&self) -> bool {
        !self.covered.iter().any(|share| *share >= MOSTLY)
    }

    fn weigh(&mut self) {
        let page = self.page;
        let strength = |at: usize, block: &PageBlock| match self.covered.get(at) {
            Some(share) if *share >= MOSTLY => block.block.text.len(),
            _ => 0,
        };
        let strengths: Vec<usize> = page
            .blocks
            .iter()
            .enumerate()
            .map(|(at, block)| strength(at, block))
            .collect();
        let total = strengths.iter().sum::<usize>().max(1) as f32;
        let mut held = vec![0usize; page.elements.len()];
        let mut direct: HashMap<u64, f32> = HashMap::new();
        for (block, strength) in page.blocks.iter().zip(&strengths) {
            let mut said = Vec::new();
            let part = *strength as f32 / total;
            for at in page.around(block.element) {
                held[at] += strength;
                if let Some((_, word)) = page
                    .elements
                    .get(at)
                    .and_then(|element| element.marks.named)
                    && !said.contains(&word)
                {
                    said.push(word);
                    *self.marked.entry(word).or_default() += part;
                }
            }
            *self.forms.entry(self.form(block)).or_default() += part;
            let container = page.around(block.element).find(|at| self.is_container(*at));
            if let Some(element) = container.and_then(|at| page.elements.get(at)) {
                *direct.entry(element.shape).or_default() += part;
            }
        }
        self.held = held.into_iter().map(|held| held as f32 / total).collect();
        self.containers = direct
            .into_iter()
            .filter(|(_, part)| *part >= 0.2)
            .map(|(shape, _)| shape)
            .collect();
    }

    /// The markup of a block: the shapes of the element that contains it and of the one around that.
    fn form(&self, block: &PageBlock) -> [u64; 2] {
        let mut around = self.page.around(block.element);
        let mut next = || {
            around
                .next()
                .and_then(|at| self.page.elements.get(at))
                .map_or(0, |element| element.shape)
        };
        [next(), next()]
    }

    fn is_container(&self, at: usize) -> bool {
        self.page
            .elements
            .get(at)
            .is_some_and(|element| element.is_container)
    }

    fn find_region(&mut self) {
        let mut best = 0;
        for (at, held) in self.held.iter().enumerate() {
            // Elements are numbered outer before inner: the last one that qualifies is the innermost.
            if self.is_container(at)
                && *held >= 0.9
                && self.page.around(at).any(|around| around == best)
            {
                best = at;
            }
        }
        self.region = best;
        self.article = self.page.around(best).find(|at| {
            self.page
                .elements
                .get(*at)
                .is_some_and(|element| element.is_article)
        });
    }

    /// Three or more elements of one shape that contain little but links.
    fn find_cards(&mut self) {
        let page = self.page;
        let Boxes { bytes, linked, .. } = &self.boxes;
        let mut groups: HashMap<u64, (usize, usize, f32)> = HashMap::new();
        let is_box = |at: usize| self.is_container(at) || page.elements[at].is_item;
        let boxes = |at: &usize| is_box(*at) && bytes[*at] > 0;
        for at in (1..page.elements.len()).filter(boxes) {
            let group = groups.entry(page.elements[at].shape).or_default();
            group.0 += 1;
            group.1 += bytes[at];
            group.2 += linked[at];
        }
        let is_card = |at: &usize| {
            let (count, bytes, linked) = groups
                .get(&page.elements[*at].shape)
                .copied()
                .unwrap_or_default();
            let share = if page.elements[*at].is_item {
                0.25
            } else {
                0.4
            };
            count >= 3 && linked > share * bytes as f32 && bytes < count * 600
        };
        self.cards = (1..page.elements.len())
            .filter(boxes)
            .filter(is_card)
            .collect();
    }

    /// The same words in another box are a repetition. All blocks of such a group but the first are noted, and so
    /// are hidden blocks whose words are shown elsewhere.
    fn find_repeats(&mut self) {
        let blocks = self.page.blocks.iter();
        let texts: Vec<&[u64]> = blocks.map(|block| block.words.as_slice()).collect();
        let parent = |at: usize| {
            let block = self.page.blocks.get(at);
            block.and_then(|block| self.page.around(block.element).nth(1))
        };
        let mut seen: HashMap<&[u64], usize> = HashMap::new();
        let mut at = 0;
        while at < texts.len() {
            let text = texts[at];
            let first = match text.len() >= REPEATED_WORDS {
                true => *seen.entry(text).or_insert(at),
                false => at,
            };
            let run = (at..texts.len())
                .zip(first..at)
                .take_while(|(at, first)| texts[*at] == texts[*first])
                .count();
            // A single line may be a refrain of the same text; this many in the same order repeat the text.
            let again = run >= REPEATED_BLOCKS && run * 2 >= at - first;
            if again || (run > 0 && parent(at) != parent(first)) {
                self.repeats
                    .extend((0..run).map(|step| (at + step, first + step)));
            }
            at += run.max(1);
        }
        let page = self.page;
        let (unseen, shown): (Vec<_>, Vec<_>) = (0..self.page.blocks.len())
            .map(|at| (at, &self.page.blocks[at]))
            .partition(|(_, block)| page.is_hidden(block));
        let long = |block: &PageBlock| block.count >= REPEATED_WORDS;
        if !unseen.iter().any(|(_, block)| long(block)) {
            return;
        }
        let index = Index::of(shown.iter().map(|(_, block)| &block.words));
        let copies = unseen
            .iter()
            .filter(|(_, block)| long(block) && index.share(&block.words) >= MOSTLY);
        self.hidden_copies = copies.map(|(at, _)| *at).collect();
        let bytes = |hidden_only: bool| -> usize {
            let blocks = page.blocks.iter().enumerate();
            let prose = blocks.filter(|(at, block)| {
                page.is_inside(block, self.region)
                    && !self.hidden_copies.contains(at)
                    && (page.is_hidden(block) || !hidden_only)
                    && furniture::ends_as_sentence(&block.block.text)
            });
            prose.map(|(_, block)| block.block.text.len()).sum()
        };
        self.hidden_share = bytes(true) as f32 / bytes(false).max(1) as f32;
    }

    /// The first block with the words of this one, in another box.
    pub(super) fn repeated(&self, at: usize) -> Option<usize> {
        self.repeats.get(&at).copied()
    }

    /// Whether it is hidden, and its words are shown elsewhere.
    pub(super) fn is_hidden_copy(&self, at: usize) -> bool {
        self.hidden_copies.contains(&at)
    }

    /// Whether much of the article is marked up like this block.
    pub(super) fn is_common_form(&self, block: &PageBlock) -> bool {
        self.forms
            .get(&self.form(block))
            .is_some_and(|share| *share >= 0.25)
    }

    /// The evidence on a block by itself.
    pub(super) fn evidence(&self, at: usize) -> BlockEvidence {
        let mut evidence = BlockEvidence::default();
        let Some(block) = self.page.blocks.get(at) else {
            return evidence;
        };
        evidence.note(Clue::Always, true);
        let covered = self.covered.get(at).copied().unwrap_or(0.0);
        evidence.note(Clue::CoveredWhole, covered >= WHOLLY);
        evidence.note(Clue::CoveredMostly, (MOSTLY..WHOLLY).contains(&covered));
        evidence.note(Clue::CoveredPartly, (PARTLY..MOSTLY).contains(&covered));
        self.note_place(at, block, &mut evidence);
        self.note_marks(block, &mut evidence);
        clues::note_text(block, &mut evidence);
        evidence.note(Clue::Repeats, self.repeats.contains_key(&at));
        let near = self.box_of(block);
        let near = near.and_then(|at| self.page.elements.get(at));
        evidence.note(
            Clue::HasInputs,
            near.is_some_and(|element| element.has_input),
        );
        let mut around = self.page.around(block.element);
        let item = around.find(|at| self.page.elements[*at].is_item || self.is_container(*at));
        let item = item.filter(|at| self.page.elements[*at].is_item);
        let pictured = [near, item.and_then(|at| self.page.elements.get(at))];
        let mut pictured = pictured.into_iter().flatten();
        evidence.note(
            Clue::HasPicture,
            pictured.any(|element| element.has_picture),
        );
        let few = near.is_some_and(|element| !self.containers.contains(&element.shape));
        evidence.note(Clue::AloneInBox, few);
        self.boxes.note(self.page, at, block, &mut evidence);
        let has = |clue: Clue| evidence.clues.contains(&clue);
        let line = (has(Clue::Label) || has(Clue::ShortText)) && !has(Clue::EndsAsSentence);
        let above = at < self.first && has(Clue::NearHeadline);
        evidence.note(Clue::LineAboveText, line && above);
        evidence
    }

    /// The innermost container around a block, if it is small: a box in the text.
    fn box_of(&self, block: &PageBlock) -> Option<usize> {
        let at = self
            .page
            .around(block.element)
            .find(|at| self.is_container(*at))?;
        (at != self.region && self.boxes.bytes[at] <= 600.max(block.block.text.len())).then_some(at)
    }

    fn note_place(&self, at: usize, block: &PageBlock, evidence: &mut BlockEvidence) {
        let page = self.page;
        let in_region = page.is_inside(block, self.region);
        let in_article = self
            .article
            .is_some_and(|article| page.is_inside(block, article));
        let like = !in_region
            && page
                .around(block.element)
                .filter_map(|at| page.elements.get(at))
                .any(|element| {
                    element.is_container
                        && self.containers.contains(&element.shape)
                        && element.shape != 0
                });
        evidence.note(Clue::InRegion, in_region);
        evidence.note(Clue::InArticleElement, in_article && !in_region);
        evidence.note(Clue::LikeRegion, like);
        evidence.note(Clue::FarOutside, !in_region && !in_article && !like);
        evidence.note(Clue::Between, (self.first..=self.last).contains(&at));
        evidence.note(Clue::RightBefore, at < self.first && at + 3 >= self.first);
        evidence.note(Clue::LongBefore, at + 3 < self.first);
        evidence.note(Clue::RightAfter, at > self.last && at <= self.last + 3);
        evidence.note(Clue::LongAfter, at > self.last + 3);
        let form = self.forms.get(&self.form(block)).copied().unwrap_or(0.0);
        evidence.note(Clue::FormMost, form >= 0.4);
        evidence.note(Clue::FormSome, (0.08..0.4).contains(&form));
        evidence.note(Clue::FormFew, form > 0.0 && form < 0.08);
        evidence.note(Clue::FormAlien, form <= 0.0);
        let inner = page
            .around(block.element)
            .take_while(|at| *at != self.region);
        evidence.note(
            Clue::InCards,
            inner.into_iter().any(|at| self.cards.contains(&at)),
        );
    }

    fn note_marks(&self, block: &PageBlock, evidence: &mut BlockEvidence) {
        for at in self.page.around(block.element) {
            let Some(element) = self.page.elements.get(at) else {
                break;
            };
            let held = self.held.get(at).copied().unwrap_or(0.0);
            // A mark on an element that contains much of the article means something else.
            if let Some((mark, word)) = element.marks.named
                && held < TOO_MUCH
                && self.marked.get(&word).copied().unwrap_or(0.0) < TOO_MUCH
                // A name on one of several sections that are otherwise alike says what the section is about.
                && !(held > 0.0 && self.containers.contains(&element.shape))
                && !evidence.clues.contains(&named(mark))
            {
                evidence.note(named(mark), true);
            }
            if let Some(mark) = element.marks.by_tag
                && held < TOO_MUCH
            {
                let clue = match mark {
                    Mark::Navigation => Clue::TagNavigation,
                    Mark::Aside => Clue::TagAside,
                    _ => Clue::TagForm,
                };
                evidence.note(
                    clue,
                    mark != Mark::Caption && !evidence.clues.contains(&clue),
                );
            }
            if element.marks.hidden
                && self.hidden_share < TOO_MUCH
                && !evidence.clues.contains(&Clue::Hidden)
            {
                evidence.note(Clue::Hidden, true);
                evidence.note(
                    Clue::HiddenProse,
                    block.block.text.split_whitespace().count() >= 12 && block.linked < 0.3,
                );
            }
        }
    }
}

/// Whether only its own words say what a block is.
fn is_plain(page: &Page, block: &PageBlock) -> bool {
    let marks = page
        .around(block.element)
        .filter_map(|at| page.elements.get(at))
        .map(|element| element.marks);
    let marked = |marks: Marks| marks.hidden || marks.by_tag.is_some() || marks.named.is_some();
    !marks.into_iter().any(marked)
        && block.linked < 0.5
        && furniture::rule_of(&block.block, block.linked).is_none()
}

fn named(mark: Mark) -> Clue {
    match mark {
        Mark::Navigation => Clue::NamedNavigation,
        Mark::Aside => Clue::NamedAside,
        Mark::Advertisement => Clue::NamedAdvertisement,
        Mark::Related => Clue::NamedRelated,
        Mark::Newsletter => Clue::NamedNewsletter,
        Mark::Share => Clue::NamedShare,
        Mark::Comments => Clue::NamedComments,
        Mark::Control | Mark::Hidden => Clue::NamedControl,
        Mark::Caption => Clue::NamedCaption,
        Mark::Meta => Clue::NamedMeta,
    }
}
