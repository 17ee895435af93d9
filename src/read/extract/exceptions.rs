//! Blocks that are judged by more than the sum of their clues: notices, dates of the page, captions, lines about
//! rights.

use super::clues::count_words;
use super::dateline::{self, DateLine};
use super::evidence::{BlockEvidence, Clue};
use super::furniture::{self, IgnoreRule};
use super::main_text::JudgedBlock;
use super::page::{Page, PageBlock};
use super::role::Role;
use crate::domain::assess::is_notice;
use crate::domain::state::{Block, BlockKind};

/// The position of a block, and where the text starts and ends.
pub(super) struct BlockPlace {
    /// The block's number.
    pub(super) at: usize,
    /// The first and last block of the text.
    pub(super) text: Option<(usize, usize)>,
    /// Whether the article is told in the captions of its pictures.
    pub(super) in_gallery: bool,
}

impl BlockPlace {
    /// Whether it is inside the text, or no more than some blocks away.
    fn is_near(&self, before: usize, after: usize) -> bool {
        self.text.is_some_and(|(first, last)| {
            (first.saturating_sub(before)..=last.saturating_add(after)).contains(&self.at)
        })
    }

    fn is_before_text(&self) -> bool {
        self.text.is_none_or(|(first, _)| self.at <= first)
    }
}

/// Whether the article is told in the captions of its pictures: their sentences have more words than the text.
pub(super) fn is_gallery(page: &Page, all: &[BlockEvidence], judged: &[JudgedBlock]) -> bool {
    let (mut captions, mut told, mut text) = (0, 0, 0);
    for ((block, evidence), judged) in page.blocks.iter().zip(all).zip(judged) {
        let has = |clue: Clue| evidence.clues.contains(&clue);
        let words = block.count;
        let inside = has(Clue::InRegion) || has(Clue::InArticleElement);
        if block.block.kind != BlockKind::Caption {
            text += if judged.role.is_text() { words } else { 0 };
        } else if inside && words >= 12 && has(Clue::EndsAsSentence) && has(Clue::Unlinked) {
            captions += 1;
            told += words;
        }
    }
    captions >= 3 && told > text
}

/// A notice of a correction may be in a footer or in a box beside the text, and a caption under a picture. The
/// page's own dates are not news.
pub(super) fn find(
    block: &PageBlock,
    evidence: &BlockEvidence,
    role: Role,
    place: &BlockPlace,
) -> Option<JudgedBlock> {
    let has = |clue: Clue| evidence.clues.contains(&clue);
    let text = &block.block.text;
    if role == Role::Headline || role == Role::OtherStory {
        return None;
    }
    match dateline::read(text) {
        Some(DateLine::OfPage) => {
            return Some(JudgedBlock::of(
                Role::DateLine,
                "it says when the page was published or changed",
            ));
        }
        Some(DateLine::Bare) if place.is_before_text() && role.is_text() => {
            return Some(JudgedBlock::of(
                Role::DateLine,
                "it is a date above the text",
            ));
        }
        _ => {}
    }
    if has(Clue::Copyright) && is_rights_line(text) {
        return Some(JudgedBlock::of(Role::Credit, Clue::Copyright.text()));
    }
    // A table of contents or tabs: links to places in the page itself.
    if block.anchored >= 0.85 && block.block.kind == BlockKind::ListItem {
        return Some(JudgedBlock::of(Role::Navigation, Clue::Anchored.text()));
    }
    let in_article = has(Clue::InRegion) || has(Clue::InArticleElement);
    let words = block.count;
    let said = || {
        let words = text.split_whitespace();
        words
            .filter(|word| word.contains(char::is_alphanumeric))
            .count()
    };
    if block.linked < 0.5
        && (words >= 4 && has(Clue::EndsAsSentence) || words / 2 >= 12 || said() >= 12)
        && is_notice(text)
    {
        let near = place.is_near(8, 6) && (in_article || !has(Clue::NamedComments));
        return near
            .then(|| JudgedBlock::of(Role::Notice, "it is a notice of a correction or an update"));
    }
    if !role.is_text() && is_labelled(block, evidence) && place.is_near(3, 3) {
        let role = Role::of_text(block.block.kind, false);
        return Some(JudgedBlock::of(
            role,
            "it is a label with a figure or a date",
        ));
    }
    let is_caption = block.block.kind == BlockKind::Caption;
    let alone = match block.block.kind {
        BlockKind::Paragraph => has(Clue::AloneInBox),
        BlockKind::ListItem => true,
        _ => false,
    };
    let plain = !evidence.is_marked() && !has(Clue::MentionsNewsletter);
    let beside_picture = has(Clue::HasPicture)
        && alone
        && (has(Clue::NamedCaption) || has(Clue::FormAlien) && plain);
    if !is_caption && !beside_picture {
        return None;
    }
    let says_credit = furniture::rule_of(&Block::paragraph(text.as_str()), block.linked);
    let is_credit = says_credit == Some(IgnoreRule::Caption)
        || (words <= 14
            && (has(Clue::Copyright) || text.contains('/'))
            && !has(Clue::EndsAsSentence));
    let prose = words >= 12 && has(Clue::EndsAsSentence);
    let near = place.is_near(10, 2) || (prose && place.is_near(30, 6)) || place.in_gallery;
    let says = words >= 5 && block.linked < 0.5 && !has(Clue::HasInputs) && !has(Clue::InCards);
    if is_credit && (is_caption || !role.is_text()) {
        return Some(JudgedBlock::of(Role::Credit, "it is a picture credit"));
    }
    // Text beside a picture far above the article may introduce it, see `opening`.
    let captions = says && near && in_article && (is_caption || !place.is_before_text());
    if captions {
        return Some(JudgedBlock::of(
            Role::Caption,
            "it is under a picture of the article",
        ));
    }
    is_caption.then(|| {
        JudgedBlock::of(
            Role::Outside,
            "it is under a picture outside of the article",
        )
    })
}

/// Whether a line of the article is a label with a figure or a date, such as `Revised: 4 January 2022`. That is a
/// fact, however short.
fn is_labelled(block: &PageBlock, evidence: &BlockEvidence) -> bool {
    let has = |clue: Clue| evidence.clues.contains(&clue);
    let label = block.block.text.split_once([':', '：']);
    let says = label.is_some_and(|(label, value)| {
        (1..=4).contains(&count_words(label))
            && count_words(value) <= 8
            && value.contains(char::is_numeric)
    });
    says && has(Clue::CoveredWhole)
        && has(Clue::InRegion)
        && has(Clue::Unlinked)
        && !evidence.is_marked()
        && furniture::rule_of(&block.block, block.linked).is_none()
}

/// `© 2026 The Courier. All rights reserved.`: the sign or word comes first, with a year near it.
fn is_rights_line(text: &str) -> bool {
    let lower = text.trim_start().to_lowercase();
    let start: String = lower.chars().take(40).collect();
    let begins = ["©", "ⓒ", "(c)", "copyright"]
        .iter()
        .any(|sign| start.starts_with(sign));
    let years = start.split(|c: char| !c.is_ascii_digit());
    begins && years.into_iter().any(|run| run.len() == 4)
}
