//! The main text of a page: which of its blocks are the article.
//!
//! Two views are laid over one another. The extractor (crate trafilatura) says *where* the article is; it is the best
//! at that, and it drops words: linked parts of sentences, lists, tables, embedded quotations. The page's own blocks
//! say *what* stands there. A block counts when the extractor has most of it, or when it stands among blocks that
//! count and looks like them; it does not count when a furniture rule names it. So the text is whole, and the same
//! page gives the same blocks whatever stands around them.

use std::collections::HashSet;
use std::panic::catch_unwind;

use trafilatura::{ExtractionFocus, Options};
use url::Url;

use super::fragment;
use super::furniture::{self, Mark};
use super::page::{Page, PageBlock};
use crate::domain::state::{Block, BlockKind};

/// A block counts when this share of its words is in the extractor's text.
const COVERED: f32 = 0.6;

/// The blocks of the main text. `headlines` are the page's own titles: text that says them again is left out.
pub(super) fn blocks(html: &str, headlines: &[&str], base: Option<Url>) -> Vec<Block> {
    let page = Page::read(html);
    let extracted = fragment::blocks(&extract(html, base));
    let kept = select(&page, &extracted, headlines);
    if kept.is_empty() {
        return densest(&page, headlines);
    }
    kept
}

/// The extractor's text as HTML; empty when it finds none or falls over.
fn extract(html: &str, base: Option<Url>) -> String {
    let extracted = catch_unwind(|| {
        let mut options = Options::default()
            .with_fallback(true)
            .with_focus(ExtractionFocus::FavorPrecision);
        if let Some(base) = base {
            options = options.with_url(base);
        }
        trafilatura::extract(html, &options)
            .map(|result| result.content_html)
            .unwrap_or_default()
    });
    extracted.unwrap_or_default()
}

/// What is known of a page's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Out,
    Kept,
}

fn select(page: &Page, extracted: &[Block], headlines: &[&str]) -> Vec<Block> {
    let index = Index::of(extracted);
    let covered: Vec<bool> = page
        .blocks
        .iter()
        .map(|block| index.covers(&block.block.text))
        .collect();
    let strength: Vec<usize> = page
        .blocks
        .iter()
        .zip(&covered)
        .map(|(block, covered)| if *covered { block.block.text.len() } else { 0 })
        .collect();
    let total: usize = strength.iter().sum();
    if total == 0 {
        return Vec::new();
    }
    let held = held(page, &strength);
    // A mark on an element that holds much of the article is about something else.
    let marked = |block: &PageBlock| {
        page.around(block.element).find_map(|at| {
            let element = page.elements.get(at)?;
            let share = *held.get(at)? as f32 / total as f32;
            element
                .mark
                .filter(|mark| share < if *mark == Mark::Hidden { 0.8 } else { 0.3 })
        })
    };
    let container = container(page, &held, total);
    let first = covered.iter().position(|covered| *covered).unwrap_or(0);
    let last = covered.iter().rposition(|covered| *covered).unwrap_or(0);
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(page.blocks.len());
    for (at, (block, covered)) in page.blocks.iter().zip(&covered).enumerate() {
        let mark = marked(block);
        let keep = if *covered {
            !matches!(
                mark,
                Some(Mark::Hidden | Mark::Advertisement | Mark::Caption)
            )
        } else {
            (first..=last).contains(&at)
                && mark.is_none()
                && page.is_inside(block, container)
                && looks_like_text(block)
        };
        let keep = keep
            && furniture::rule_of(&block.block, block.linked).is_none()
            && !says_again(&block.block, headlines);
        verdicts.push(if keep { Verdict::Kept } else { Verdict::Out });
    }
    drop_link_lists(page, &mut verdicts);
    page.blocks
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| **verdict == Verdict::Kept)
        .map(|(block, _)| block.block.clone())
        .collect()
}

/// How much of the covered text each element holds.
fn held(page: &Page, strength: &[usize]) -> Vec<usize> {
    let mut held = vec![0usize; page.elements.len()];
    for (block, strength) in page.blocks.iter().zip(strength) {
        for at in page.around(block.element) {
            if let Some(held) = held.get_mut(at) {
                *held += strength;
            }
        }
    }
    held
}

/// The innermost element that holds nearly all of the covered text.
fn container(page: &Page, held: &[usize], total: usize) -> usize {
    let mut best = 0;
    for (at, held) in held.iter().enumerate() {
        // Elements are numbered outer before inner: the last one that qualifies is the innermost.
        if *held as f32 >= total as f32 * 0.9 && page.around(at).any(|around| around == best) {
            best = at;
        }
    }
    best
}

/// Whether a block that the extractor left out is text of the article.
fn looks_like_text(block: &PageBlock) -> bool {
    let words = block.block.text.split_whitespace().count();
    match block.block.kind {
        BlockKind::Caption => false,
        BlockKind::Code | BlockKind::TableRow | BlockKind::Quote => block.linked < 0.7,
        BlockKind::ListItem => block.linked < 0.5,
        BlockKind::Heading => block.linked < 0.5 && words <= 25,
        BlockKind::Paragraph => block.linked < 0.5 && words >= 5,
    }
}

/// Lists of links to other articles, with the heading above them.
fn drop_link_lists(page: &Page, verdicts: &mut [Verdict]) {
    let is_link = |block: &PageBlock| {
        block.linked > 0.85
            && block.block.text.split_whitespace().count() <= 30
            && block.block.kind != BlockKind::Heading
    };
    let mut at = 0;
    while at < page.blocks.len() {
        let run = page
            .blocks
            .iter()
            .skip(at)
            .take_while(|block| is_link(block))
            .count();
        if run >= 2 {
            verdicts
                .iter_mut()
                .skip(at)
                .take(run)
                .for_each(|verdict| *verdict = Verdict::Out);
            if let Some(before) = at.checked_sub(1)
                && page
                    .blocks
                    .get(before)
                    .is_some_and(|block| block.block.kind == BlockKind::Heading)
                && let Some(verdict) = verdicts.get_mut(before)
            {
                *verdict = Verdict::Out;
            }
        }
        at += run.max(1);
    }
}

/// Whether a block says one of the page's titles again.
fn says_again(block: &Block, headlines: &[&str]) -> bool {
    if block.text.len() > 400 || block.kind == BlockKind::Code {
        return false;
    }
    let words = words(&block.text);
    !words.is_empty()
        && headlines
            .iter()
            .any(|headline| self::words(headline) == words)
}

/// The text of a page in which the extractor finds nothing: all unmarked text of the innermost element that says it is
/// the article, or of the page.
fn densest(page: &Page, headlines: &[&str]) -> Vec<Block> {
    let plain = |block: &&PageBlock| {
        let marked = page.around(block.element).any(|at| {
            page.elements
                .get(at)
                .is_some_and(|element| element.mark.is_some())
        });
        !marked
            && block.linked < 0.5
            && furniture::rule_of(&block.block, block.linked).is_none()
            && !says_again(&block.block, headlines)
    };
    let in_article = |block: &&PageBlock| {
        page.around(block.element).any(|at| {
            page.elements
                .get(at)
                .is_some_and(|element| element.is_article)
        })
    };
    let article: Vec<Block> = page
        .blocks
        .iter()
        .filter(plain)
        .filter(in_article)
        .map(|block| block.block.clone())
        .collect();
    if !article.is_empty() {
        return article;
    }
    page.blocks
        .iter()
        .filter(plain)
        .map(|block| block.block.clone())
        .collect()
}

/// The words of the extractor's text, to look blocks up in.
struct Index {
    /// Hashes of four words in a row.
    shingles: HashSet<u64>,
    /// Whole short blocks.
    short: HashSet<Vec<u64>>,
    /// Single words, pairs and triples.
    pieces: HashSet<u64>,
}

impl Index {
    const SHINGLE: usize = 4;

    fn of(blocks: &[Block]) -> Self {
        let mut index = Self {
            shingles: HashSet::new(),
            short: HashSet::new(),
            pieces: HashSet::new(),
        };
        for block in blocks {
            let words = words(&block.text);
            index
                .shingles
                .extend(words.windows(Self::SHINGLE).map(combine));
            for length in 1..Self::SHINGLE {
                index.pieces.extend(words.windows(length).map(combine));
            }
            if words.len() < Self::SHINGLE {
                index.short.insert(words);
            }
        }
        index
    }

    /// Whether most of a block's words are in the extractor's text, in their order.
    fn covers(&self, text: &str) -> bool {
        let words = words(text);
        if words.is_empty() {
            return false;
        }
        if words.len() < Self::SHINGLE {
            return self.short.contains(&words);
        }
        let shingles = words.windows(Self::SHINGLE);
        let all = shingles.len() as f32;
        let found = shingles
            .filter(|shingle| self.shingles.contains(&combine(shingle)))
            .count() as f32;
        found / all >= COVERED
    }
}

/// The words of a text as hashes, without regard to case and punctuation; a character of scripts without spaces
/// between words is a word.
fn words(text: &str) -> Vec<u64> {
    let mut words = Vec::new();
    let mut word = FNV;
    let mut open = false;
    for c in text.chars() {
        let spaceless = matches!(u32::from(c), 0x0e00..=0x0eff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0x20000..=0x3ffff);
        if c.is_alphanumeric() && !spaceless {
            word = c
                .to_lowercase()
                .fold(word, |word, c| step(word, u64::from(u32::from(c))));
            open = true;
            continue;
        }
        if open {
            words.push(word);
        }
        open = false;
        word = FNV;
        if spaceless {
            words.push(step(FNV, u64::from(u32::from(c))));
        }
    }
    if open {
        words.push(word);
    }
    words
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x0100_0000_01b3)
}

fn combine(words: &[u64]) -> u64 {
    words
        .iter()
        .fold(FNV, |hash, word| step(hash, *word).rotate_left(7))
}
