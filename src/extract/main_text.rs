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
use super::furniture::{self, Mark, Rule};
use super::page::{Page, PageBlock};
use crate::domain::state::{Block, BlockKind};

/// A block counts when this share of its words is in the extractor's text.
const COVERED: f32 = 0.6;

/// So far the items of a list are looked at for one that the extractor has.
const IN_LIST: usize = 20;

/// All blocks of a text that a person has pointed out: each counts unless its own words say that it is furniture.
pub(super) fn explain_selected(html: &str, headlines: &[&str]) -> Vec<Explained> {
    let page = Page::read(html);
    let verdicts = page
        .blocks
        .iter()
        .map(|block| match by_its_own_text(block, headlines) {
            // Whoever points at a caption wants it.
            None | Some(Verdict::Furniture(Rule::Caption)) => Verdict::Selected,
            Some(verdict) => verdict,
        })
        .collect();
    told(page, verdicts)
}

/// All blocks of a page with the reason why each counts, or does not. `headlines` are the page's own titles: text that
/// says them again is left out.
pub(super) fn explain(html: &str, headlines: &[&str], base: Option<Url>) -> Vec<Explained> {
    let (page, verdicts) = judge(html, headlines, base);
    told(page, verdicts)
}

fn told(page: Page, verdicts: Vec<Verdict>) -> Vec<Explained> {
    let judged = page.blocks.into_iter().zip(verdicts);
    judged
        .map(|(block, verdict)| Explained {
            block: block.block,
            counts: verdict.counts(),
            why: verdict.why(),
        })
        .collect()
}

/// A block of a page and why it counts, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The block.
    pub block: Block,
    /// Whether it belongs to the main text.
    pub counts: bool,
    /// Why, for people: `the extractor has it`, `furniture: related`.
    pub why: String,
}

fn judge(html: &str, headlines: &[&str], base: Option<Url>) -> (Page, Vec<Verdict>) {
    let page = Page::read(html);
    let extracted = fragment::blocks(&extract(html, base));
    let mut verdicts = select(&page, &extracted, headlines);
    if !verdicts.iter().any(|verdict| verdict.counts()) {
        verdicts = all_plain_text(&page, headlines);
    }
    (page, verdicts)
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

/// Why a block counts, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The extractor has it.
    Extracted,
    /// It stands among blocks that the extractor has.
    Among,
    /// The extractor has nothing; this is plain text.
    Plain,
    /// A person has pointed it out.
    Selected,
    /// It stands outside of the article.
    Outside,
    /// It is no running text: a label, a link.
    NoText,
    /// It is one of a list of links.
    LinkList,
    /// It says the headline again.
    Headline,
    /// An element around it says what it is.
    Marked(Mark),
    /// A rule names it.
    Furniture(Rule),
}

impl Verdict {
    fn counts(self) -> bool {
        matches!(
            self,
            Self::Extracted | Self::Among | Self::Plain | Self::Selected
        )
    }

    fn why(self) -> String {
        match self {
            Self::Extracted => "the extractor has it".to_owned(),
            Self::Among => "it stands among blocks that the extractor has".to_owned(),
            Self::Plain => "plain text of a page in which the extractor finds nothing".to_owned(),
            Self::Selected => "selected by page.select".to_owned(),
            Self::Outside => "outside of the article".to_owned(),
            Self::NoText => "no running text".to_owned(),
            Self::LinkList => "a list of links".to_owned(),
            Self::Headline => "the headline again".to_owned(),
            Self::Marked(mark) => format!("inside of an element marked as {}", mark.as_str()),
            Self::Furniture(rule) => format!("furniture: {}", rule.as_str()),
        }
    }
}

fn select(page: &Page, extracted: &[Block], headlines: &[&str]) -> Vec<Verdict> {
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
    let held = held(page, &strength);
    let container = container(page, &held, total);
    let first = covered.iter().position(|covered| *covered).unwrap_or(0);
    let is_notice = |block: &PageBlock| furniture::is_notice(&block.block.text);
    let surroundings = if page.blocks.iter().take(first).any(is_notice) {
        surroundings(page, container)
    } else {
        container
    };
    // A note of a correction may stand between the headline and the text.
    let headline = page
        .blocks
        .iter()
        .take(first)
        .rposition(|block| says_again(&block.block, headlines));
    let below_headline =
        |at: usize| headline.is_some_and(|headline| (headline..first).contains(&at));
    let last = covered.iter().rposition(|covered| *covered).unwrap_or(0);
    // A list or a table that follows the last sentence belongs to it.
    let tail = page.blocks.iter().skip(last + 1).take_while(|block| {
        let kind = block.block.kind;
        matches!(kind, BlockKind::ListItem | BlockKind::TableRow)
            && looks_like_text(block)
            && page.is_inside(block, container)
    });
    let last = last + tail.count();
    // A mark on an element that holds much of the article is about something else.
    let marked = |block: &PageBlock| {
        page.around(block.element).find_map(|at| {
            let share = *held.get(at)? as f32 / total.max(1) as f32;
            let most = |mark: &Mark| share < if *mark == Mark::Hidden { 0.8 } else { 0.3 };
            page.elements.get(at)?.mark.filter(most)
        })
    };
    // An item that is half a link belongs to the sentences of the list that it stands in.
    let in_list = |at: usize| {
        let item = |at: usize| {
            let block = page.blocks.get(at);
            block.filter(|block| block.block.kind == BlockKind::ListItem)
        };
        let counts = |at: usize| covered.get(at) == Some(&true);
        let behind = (at + 1..).take_while(|at| item(*at).is_some());
        let before = (0..at).rev().take_while(|at| item(*at).is_some());
        item(at).is_some_and(|block| block.linked < 0.8)
            && behind.take(IN_LIST).chain(before.take(IN_LIST)).any(counts)
    };
    let verdict = |at: usize, block: &PageBlock| {
        let covered = covered.get(at).copied().unwrap_or(false);
        let mark = marked(block);
        if covered {
            return match mark {
                Some(mark) if mark.is_certain() => Verdict::Marked(mark),
                _ => Verdict::Extracted,
            };
        }
        let notice = is_notice(block);
        let above = at < first && page.is_inside(block, surroundings);
        let preamble = notice && (below_headline(at) || above);
        if !page.is_inside(block, container) && !preamble {
            Verdict::Outside
        } else if let Some(mark) = mark {
            Verdict::Marked(mark)
        } else if !looks_like_text(block) && !in_list(at) {
            Verdict::NoText
        } else if (first..=last).contains(&at) || notice {
            Verdict::Among
        } else {
            Verdict::Outside
        }
    };
    let mut verdicts: Vec<Verdict> = page
        .blocks
        .iter()
        .enumerate()
        .map(|(at, block)| match verdict(at, block) {
            verdict if verdict.counts() => by_its_own_text(block, headlines).unwrap_or(verdict),
            verdict => verdict,
        })
        .collect();
    drop_link_lists(page, &mut verdicts);
    drop_related_sections(page, &mut verdicts);
    verdicts
}

/// The rule that a block's own text falls under.
fn by_its_own_text(block: &PageBlock, headlines: &[&str]) -> Option<Verdict> {
    if says_again(&block.block, headlines) {
        return Some(Verdict::Headline);
    }
    furniture::rule_of(&block.block, block.linked).map(Verdict::Furniture)
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
        let is_container = page
            .elements
            .get(at)
            .is_some_and(|element| element.is_container);
        if is_container
            && *held as f32 >= total as f32 * 0.9
            && page.around(at).any(|around| around == best)
        {
            best = at;
        }
    }
    best
}

/// The outermost element around the article's that holds little else: a note above the text may stand there.
fn surroundings(page: &Page, container: usize) -> usize {
    let lengths: Vec<usize> = page
        .blocks
        .iter()
        .map(|block| block.block.text.len())
        .collect();
    let held = held(page, &lengths);
    let length = |at: usize| held.get(at).copied().unwrap_or(0);
    let most = length(container) + length(container) / 4;
    page.around(container)
        .take_while(|&at| length(at) <= most)
        .last()
        .unwrap_or(container)
}

/// Whether a block that the extractor left out is text of the article.
fn looks_like_text(block: &PageBlock) -> bool {
    let words = block.block.text.split_whitespace().count();
    match block.block.kind {
        BlockKind::Caption | BlockKind::Furniture => false,
        BlockKind::Code | BlockKind::TableRow | BlockKind::Quote => block.linked < 0.7,
        BlockKind::ListItem => block.linked < 0.5,
        BlockKind::Heading => block.linked < 0.5 && words <= 25,
        BlockKind::Paragraph => block.linked < 0.5 && words >= 5,
    }
}

/// A label above a list of links has at most so many words.
const LABEL_WORDS: usize = 4;
/// From so many links to places of the page in a row on, they are a list.
const PLACES: usize = 3;

/// Lists of links to other articles, with the heading above them.
fn drop_link_lists(page: &Page, verdicts: &mut [Verdict]) {
    let is_link = |block: &PageBlock| {
        let kind = block.block.kind;
        let linked = block.linked > 0.85 || (block.anchored > 0.85 && kind == BlockKind::ListItem);
        linked && kind != BlockKind::Heading && block.block.text.split_whitespace().count() <= 30
    };
    // Places of the page itself: the tabs of a text, its table of contents.
    let is_place =
        |block: &PageBlock| block.anchored > 0.85 && block.block.kind == BlockKind::Paragraph;
    // A heading of links to other pages, if only a label; a list of places of the page is a list that the page made.
    let is_heading = |at: usize| {
        page.blocks.get(at).is_some_and(|block| {
            let text = block.block.text.trim_end();
            let leads_away = page
                .blocks
                .get(at + 1)
                .is_some_and(|next| next.linked > 0.85);
            let is_label = block.block.kind == BlockKind::Paragraph
                && text.split_whitespace().count() <= LABEL_WORDS
                && !text.ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '।']);
            block.block.kind == BlockKind::Heading || (is_label && leads_away)
        })
    };
    let mut at = 0;
    while at < page.blocks.len() {
        let run = page
            .blocks
            .iter()
            .skip(at)
            .take_while(|block| is_link(block))
            .count();
        let places = page.blocks.iter().skip(at);
        let places = places.take_while(|block| is_place(block)).count();
        let run = if places >= PLACES { places } else { run };
        if run >= 2 {
            let from = at
                .checked_sub(1)
                .filter(|before| is_heading(*before))
                .unwrap_or(at);
            for verdict in verdicts.iter_mut().take(at + run).skip(from) {
                if verdict.counts() {
                    *verdict = Verdict::LinkList;
                }
            }
        }
        at += run.max(1);
    }
}

/// What follows a heading such as `More stories`: list items, and short texts that are mostly links.
fn drop_related_sections(page: &Page, verdicts: &mut [Verdict]) {
    let mut inside = false;
    for (block, verdict) in page.blocks.iter().zip(verdicts) {
        if *verdict == Verdict::Furniture(Rule::RelatedLink) {
            inside = block.linked < 0.3;
        } else if verdict.counts() && inside {
            inside = block.block.kind == BlockKind::ListItem || block.linked >= 0.4;
            if inside {
                *verdict = Verdict::LinkList;
            }
        }
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

/// The text of a page in which the extractor finds nothing: all unmarked text of the elements that say they are the
/// article, or of the page when none does.
fn all_plain_text(page: &Page, headlines: &[&str]) -> Vec<Verdict> {
    let verdict = |block: &PageBlock| {
        let mark = page
            .around(block.element)
            .find_map(|at| page.elements.get(at)?.mark);
        if let Some(mark) = mark {
            Verdict::Marked(mark)
        } else if block.linked >= 0.5 {
            Verdict::NoText
        } else {
            by_its_own_text(block, headlines).unwrap_or(Verdict::Plain)
        }
    };
    let mut verdicts: Vec<Verdict> = page.blocks.iter().map(verdict).collect();
    let in_article = |block: &PageBlock| {
        page.around(block.element).any(|at| {
            page.elements
                .get(at)
                .is_some_and(|element| element.is_article)
        })
    };
    let counts = |(block, verdict): (&PageBlock, &Verdict)| verdict.counts() && in_article(block);
    if page.blocks.iter().zip(&verdicts).any(counts) {
        for (block, verdict) in page.blocks.iter().zip(&mut verdicts) {
            if verdict.counts() && !in_article(block) {
                *verdict = Verdict::Outside;
            }
        }
    }
    verdicts
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
        // What hyphenates or glues a word is part of it.
        if matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') {
            continue;
        }
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
