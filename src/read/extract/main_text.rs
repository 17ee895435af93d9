//! The main text of a page: which of its blocks are the article, and what the others are.
//!
//! Two views are combined. The extractor (crate trafilatura) finds *where* the article is. It is the best at that,
//! but it drops words: linked parts of sentences, lists, tables, whole paragraphs whose class it dislikes. The
//! page's own blocks show *what* is there. Each block is judged by the sum of its evidence, see
//! [`super::evidence`]; the extractor's opinion is one clue among others.

use std::collections::HashMap;
use std::panic::catch_unwind;

use trafilatura::{ExtractionFocus, Options};
use url::Url;

use super::clues::{self, Scores};
use super::coverage::{Index, words};
use super::dateline::{self, DateLine};
use super::evidence::{BlockEvidence, Clue};
use super::exceptions::{self, BlockPlace};
use super::fragment;
use super::furniture::{self, IgnoreRule};
use super::headlines::Headlines;
use super::opening;
use super::page::{Page, PageBlock};
use super::role::Role;
use super::survey::Survey;
use super::teasers;
use crate::domain::state::{Block, BlockKind, Link};

/// The most links of a page that are kept.
const LINKS: usize = 1_000;

/// A block of a page and its role in the article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The block.
    pub block: Block,
    /// Its role.
    pub role: Role,
    /// Whether its words are compared.
    pub counts: bool,
    /// Whether it is hidden at first.
    pub hidden: bool,
    /// The reason that users see: `the extractor has it`, `it is a caption`.
    pub why: String,
}

/// The text of a page.
#[derive(Debug, Default)]
pub(super) struct MainText {
    /// All blocks, in the order of the page.
    pub(super) blocks: Vec<Explained>,
    /// The links in the text, addresses as written.
    pub(super) links: Vec<Link>,
}

/// What a page says about its own article, used to recognise it.
pub(super) struct ArticleHints<'a> {
    /// Its titles: text that repeats them is the headline.
    pub(super) headlines: Headlines,
    /// Its descriptions: only hints at the standfirst.
    pub(super) descriptions: Vec<&'a str>,
}

/// Reads a page.
pub(super) fn read(html: &str, known: &ArticleHints<'_>, base: Option<Url>) -> MainText {
    let page = Page::read(html);
    let survey = survey_of(&page, html, known, base);
    let judged = judge(&page, &survey, known);
    finish(page, judged)
}

/// Surveys a page by the extractor's text, or by its own prose if the extractor has gone astray.
fn survey_of<'a>(
    page: &'a Page,
    html: &str,
    known: &ArticleHints<'_>,
    base: Option<Url>,
) -> Survey<'a> {
    let extracted = fragment::blocks(&extract(html, base));
    let extracted = extracted.iter().map(|block| words(&block.text));
    let mut survey = Survey::of(page, &Index::of(extracted));
    let is_headline = |block: &PageBlock| known.headlines.said_by(block);
    let headline = page.blocks.iter().find(|block| is_headline(block));
    if survey.is_empty() {
        survey = Survey::of_prose(page, 0);
    } else if let Some(missed) = headline.and_then(|headline| survey.missed(headline)) {
        // The extractor took a box beside the article, misled by a word in a class.
        survey = Survey::of_prose(page, missed);
    }
    survey.place_headline(is_headline);
    survey
}

/// Reads a text that a person has selected: each block counts unless its own words say that it is furniture.
pub(super) fn read_selected(html: &str, known: &ArticleHints<'_>) -> MainText {
    let page = Page::read(html);
    let judge = |block: &PageBlock| {
        if known.headlines.said_by(block) {
            return JudgedBlock::of(Role::Headline, "the headline again");
        }
        match furniture::rule_of(&block.block, block.linked) {
            // Anyone who selects a caption wants it.
            None | Some(IgnoreRule::Caption) => JudgedBlock::of(
                Role::of_text(block.block.kind, false),
                "selected by page.select",
            ),
            Some(rule) => JudgedBlock::of(Role::Outside, rule.as_str()),
        }
    };
    let judged = page.blocks.iter().map(judge).collect();
    finish(page, judged)
}

fn finish(page: Page, judged: Vec<JudgedBlock>) -> MainText {
    let mut text = MainText::default();
    let hidden: Vec<bool> = page
        .blocks
        .iter()
        .map(|block| page.is_hidden(block))
        .collect();
    for ((block, judged), hidden) in page.blocks.into_iter().zip(judged).zip(hidden) {
        let room = LINKS.saturating_sub(text.links.len());
        if judged.role.is_text() {
            text.links.extend(block.links.into_iter().take(room));
        }
        let kind = match judged.role {
            Role::Caption => BlockKind::Caption,
            _ => block.block.kind,
        };
        text.blocks.push(Explained {
            block: Block {
                kind,
                text: block.block.text,
            },
            role: judged.role,
            counts: judged.role.is_watched(),
            hidden,
            why: judged.why.to_owned(),
        });
    }
    text
}

/// The extractor's text as HTML; empty if it does not find any, or panics.
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

/// The role of a block, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JudgedBlock {
    pub(super) role: Role,
    pub(super) why: &'static str,
}

impl JudgedBlock {
    pub(super) fn of(role: Role, why: &'static str) -> Self {
        Self { role, why }
    }
}

/// Judges each block by itself, then all of them again using their neighbours.
fn evidence_of(page: &Page, survey: &Survey<'_>) -> Vec<BlockEvidence> {
    let mut all: Vec<BlockEvidence> = (0..page.blocks.len())
        .map(|at| survey.evidence(at))
        .collect();
    let scores = Scores::of(page, &all);
    for (at, evidence) in all.iter_mut().enumerate() {
        clues::note_neighbours(survey, &scores, at, evidence);
    }
    all
}

fn judge(page: &Page, survey: &Survey<'_>, known: &ArticleHints<'_>) -> Vec<JudgedBlock> {
    let all = evidence_of(page, survey);
    let others = other_articles(page, survey, known);
    let mut judged: Vec<JudgedBlock> = page
        .blocks
        .iter()
        .zip(&all)
        .enumerate()
        .map(|(at, (block, evidence))| {
            let is_other = || others.iter().any(|other| page.is_inside(block, *other));
            if known.headlines.said_by(block) {
                JudgedBlock::of(Role::Headline, "it repeats the headline")
            } else if known.headlines.named_by(block) {
                JudgedBlock::of(Role::Headline, "it repeats the headline with a label")
            } else if is_bare_address(&block.block.text) {
                JudgedBlock::of(Role::Outside, "it is only an address")
            } else if is_other() {
                JudgedBlock::of(
                    Role::OtherStory,
                    "it is part of another article on the page",
                )
            } else {
                by_evidence(at, block, evidence, survey)
            }
        })
        .collect();
    let is_text = |at: &usize| {
        let role = judged.get(*at).map(|judged| judged.role);
        role.is_some_and(|role| role.is_text() && role != Role::Caption)
            && dateline::read(&page.blocks[*at].block.text).is_none()
    };
    let first = (0..judged.len()).find(is_text);
    let last = (0..judged.len()).rev().find(is_text);
    let in_gallery = exceptions::is_gallery(page, &all, &judged);
    for (at, block) in page.blocks.iter().enumerate() {
        let place = BlockPlace {
            at,
            text: first.zip(last),
            in_gallery,
        };
        if let Some(better) = all
            .get(at)
            .and_then(|evidence| exceptions::find(block, evidence, judged[at].role, &place))
        {
            judged[at] = better;
        }
    }
    drop_repetitions(survey, &all, &mut judged);
    complete_lists(page, &all, &mut judged);
    drop_link_lists(page, &mut judged);
    teasers::drop(page, &mut judged);
    drop_labels(page, &mut judged);
    opening::find(page, known, survey, &mut judged);
    judged
}

/// This many consecutive lines that are links without sentences are a list of other stories.
const LINK_LIST: usize = 3;

/// Drops lists of links to other stories, whatever the extractor makes of them: many lines, or lines below a
/// heading that is not part of the article.
fn drop_link_lists(page: &Page, judged: &mut [JudgedBlock]) {
    let is_link = |block: &PageBlock| {
        block.linked > 0.85
            && matches!(block.block.kind, BlockKind::ListItem | BlockKind::Paragraph)
            && !furniture::ends_as_sentence(&block.block.text)
            && block.count <= 30
    };
    let mut at = 0;
    while at < page.blocks.len() {
        let run = page
            .blocks
            .iter()
            .skip(at)
            .take_while(|block| is_link(block))
            .count();
        let labelled = at.checked_sub(1).is_some_and(|label| {
            page.blocks[label].block.kind == BlockKind::Heading && !judged[label].role.is_watched()
        });
        if run >= LINK_LIST || labelled {
            for judged in judged
                .iter_mut()
                .skip(at)
                .take(run)
                .filter(|one| one.role.is_text())
            {
                *judged = JudgedBlock::of(Role::OtherStory, "it is one of a list of links");
            }
        }
        at += run.max(1);
    }
}

/// A heading directly above links to other stories is their label. A date with nothing below it is a date of the
/// page.
fn drop_labels(page: &Page, judged: &mut [JudgedBlock]) {
    for at in 0..judged.len() {
        let text = &page.blocks[at].block.text;
        let heads = judged.get(at + 1).is_some_and(|next| next.role.is_text());
        if judged[at].role == Role::Heading
            && !heads
            && dateline::read(text) == Some(DateLine::Bare)
        {
            judged[at] = JudgedBlock::of(Role::DateLine, "it is a date, and no text follows it");
        }
        let words = page.blocks[at].count;
        let is_label = judged[at].role == Role::Heading && words <= 8
            || judged[at].role == Role::Text && words <= 4 && !furniture::ends_as_sentence(text);
        if !is_label {
            continue;
        }
        let below = page.blocks.iter().zip(judged.iter()).skip(at + 1);
        let leads_away = |(block, judged): &(&PageBlock, &JudgedBlock)| {
            block.linked.max(block.anchored) >= 0.7 && !judged.role.is_watched()
        };
        let links = below.take_while(leads_away).count();
        if links >= 2 && !is_nearer_to_text(page, judged, at) {
            judged[at] = JudgedBlock::of(Role::OtherStory, "only links to other stories follow it");
        }
    }
}

/// Whether a line is nearer to the text above it than to what follows: a signature, followed by the page's links.
fn is_nearer_to_text(page: &Page, judged: &[JudgedBlock], at: usize) -> bool {
    let shared = |other: usize| {
        let other = &page.blocks[other];
        page.around(page.blocks[at].element)
            .position(|around| page.is_inside(other, around))
    };
    let above = at.checked_sub(1).filter(|above| {
        let role = judged[*above].role;
        role.is_text() && role != Role::Caption
    });
    let below = (at + 1 < page.blocks.len()).then_some(at + 1);
    above
        .and_then(shared)
        .zip(below.and_then(shared))
        .is_some_and(|(above, below)| above < below)
}

/// Judges a block by the sum of its clues.
fn by_evidence(
    at: usize,
    block: &PageBlock,
    evidence: &BlockEvidence,
    survey: &Survey<'_>,
) -> JudgedBlock {
    let has = |clue: Clue| evidence.clues.contains(&clue);
    // The block is far from the text, and the extractor does not have it, nor does it look like the article. Its
    // wording does not matter then.
    let covered = [Clue::CoveredWhole, Clue::CoveredMostly, Clue::CoveredPartly];
    let elsewhere = has(Clue::FarOutside) && !covered.into_iter().any(has);
    let counts = !elsewhere && (evidence.score(1) > 0.0 || is_plain_prose(block, evidence));
    let clue = evidence.strongest(counts).unwrap_or(Clue::Always);
    if has(Clue::HiddenProse) {
        JudgedBlock::of(Role::Hidden, Clue::Hidden.text())
    } else if counts && survey.is_hidden_copy(at) {
        JudgedBlock::of(
            Role::Repetition,
            "it is hidden, and its words are shown elsewhere",
        )
    } else if counts {
        let role = Role::of_text(block.block.kind, has(Clue::TagAside));
        JudgedBlock::of(role, clue.text())
    } else {
        JudgedBlock::of(Role::of_other(clue), clue.text())
    }
}

/// If several boxes have blocks with the same words, all judged to be text, only the surest one is text.
fn drop_repetitions(survey: &Survey<'_>, all: &[BlockEvidence], judged: &mut [JudgedBlock]) {
    for at in 0..judged.len() {
        let Some(first) = survey.repeated(at) else {
            continue;
        };
        if !judged[at].role.is_text() || !judged[first].role.is_text() {
            continue;
        }
        let score = |at: usize| all.get(at).map_or(0.0, |evidence| evidence.score(1));
        let other = if score(at) > score(first) { first } else { at };
        judged[other] = JudgedBlock::of(Role::Repetition, Clue::Repeats.text());
    }
}

/// Prose inside the text counts despite some evidence against it, but not down to this score.
const FAR_FROM_TEXT: f32 = -1.5;

/// Prose between the paragraphs of the article outweighs the names of the elements around it.
fn is_plain_prose(block: &PageBlock, evidence: &BlockEvidence) -> bool {
    let has = |clue: Clue| evidence.clues.contains(&clue);
    let prose = has(Clue::EndsAsSentence) && block.count >= 8 && block.linked < 0.3;
    let about_something_else = [
        Clue::HasInputs,
        Clue::Hidden,
        Clue::InCards,
        Clue::NamedComments,
        Clue::SaysAdvertisement,
        Clue::SaysRelated,
        Clue::SaysNewsletter,
        Clue::MentionsNewsletter,
        Clue::SaysShare,
        Clue::SaysContact,
        Clue::SaysCredit,
        Clue::Copyright,
    ];
    // A bold line among the paragraphs is a heading for those below it, or a question that they answer.
    let emphasised = has(Clue::AllEmphasised);
    let bold = emphasised
        && has(Clue::CoveredWhole)
        && has(Clue::Unlinked)
        && has(Clue::Between)
        && !evidence.is_marked();
    let quoted = block.block.kind == BlockKind::Quote
        && (has(Clue::Between) || has(Clue::RightAfter))
        && block.count >= 8;
    // A list or a table after the last sentence belongs to it.
    let row = block.block.kind == BlockKind::TableRow
        && has(Clue::Between)
        && block.linked < 0.3
        && !has(Clue::TagNavigation);
    let listed = matches!(block.block.kind, BlockKind::ListItem | BlockKind::TableRow)
        && (has(Clue::Between) || has(Clue::RightAfter))
        && block.linked < 0.3
        && !evidence.is_marked();
    // A box between the paragraphs contains facts or quotes if nothing speaks against it.
    let beside = has(Clue::TagAside)
        && has(Clue::Between)
        && has(Clue::Unlinked)
        && block.count >= 4
        && !evidence.is_marked();
    // So does a box of prose after the text, if nothing speaks against it.
    let boxed = prose
        && has(Clue::RightAfter)
        && has(Clue::Unlinked)
        && (has(Clue::TagAside) || block.count >= 20)
        && !evidence.is_marked();
    let in_text = (prose && has(Clue::Between)) || quoted || row || listed || boxed || beside;
    has(Clue::InRegion)
        && (bold || in_text && !emphasised)
        && evidence.score(1) > FAR_FROM_TEXT
        && !about_something_else.into_iter().any(has)
}

/// An item belongs with the rest of its list: if most of its siblings are text, it is text.
fn complete_lists(page: &Page, all: &[BlockEvidence], judged: &mut [JudgedBlock]) {
    let list_of = |block: &PageBlock| {
        let listed = matches!(block.block.kind, BlockKind::ListItem | BlockKind::TableRow);
        listed.then(|| page.around(block.element).nth(1)).flatten()
    };
    let mut lists: HashMap<usize, (usize, usize)> = HashMap::new();
    for (block, judged) in page.blocks.iter().zip(judged.iter()) {
        if let Some(list) = list_of(block) {
            let (text, items) = lists.entry(list).or_default();
            *text += usize::from(judged.role.is_text());
            *items += 1;
        }
    }
    for (at, block) in page.blocks.iter().enumerate() {
        let most = list_of(block)
            .and_then(|list| lists.get(&list))
            .is_some_and(|(text, items)| text * 2 >= *items && *text > 0);
        let plain = block.linked < 0.5 && all.get(at).is_some_and(|evidence| !evidence.is_marked());
        if most && plain && matches!(judged[at].role, Role::Outside | Role::OtherStory) {
            let role = Role::of_text(block.block.kind, false);
            judged[at] = JudgedBlock::of(role, "most of its list is part of the article");
        }
    }
}

/// Elements that are separate articles beside the one with the page's headline: further stories of an endless
/// page.
fn other_articles(page: &Page, survey: &Survey<'_>, known: &ArticleHints<'_>) -> Vec<usize> {
    let headline = page
        .blocks
        .iter()
        .find(|block| known.headlines.said_by(block));
    let is_article = |at: &usize| {
        page.elements
            .get(*at)
            .is_some_and(|element| element.is_story)
    };
    let Some(own) = headline.and_then(|block| page.around(block.element).find(is_article)) else {
        return Vec::new();
    };
    let held = |at: usize| survey.held.get(at).copied().unwrap_or(0.0);
    if held(own) < 0.2 {
        return Vec::new();
    }
    let has_heading = |article: usize| {
        let heads = |block: &&PageBlock| block.block.kind == BlockKind::Heading;
        page.blocks
            .iter()
            .filter(heads)
            .any(|block| page.is_inside(block, article))
    };
    (1..page.elements.len())
        .filter(is_article)
        .filter(|at| *at != own)
        .filter(|at| {
            !page.around(*at).any(|around| around == own)
                && !page.around(own).any(|around| around == *at)
        })
        .take(100)
        .filter(|at| has_heading(*at))
        .collect()
}

fn is_bare_address(text: &str) -> bool {
    text.starts_with("http") && text.contains("://") && !text.contains(char::is_whitespace)
}
