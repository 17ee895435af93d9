//! The text between headline and body: kicker and standfirst.
//!
//! The standfirst (also called dek) is found by its position: prose directly under the headline with markup that
//! differs from the paragraphs of the text. A description in the head of the page hints at which block it is. The
//! description itself is never the standfirst, since readers do not see it.

use super::coverage::{Index, words};
use super::dateline;
use super::furniture;
use super::main_text::{ArticleHints, JudgedBlock};
use super::page::{Page, PageBlock};
use super::role::Role;
use super::survey::Survey;
use crate::domain::state::BlockKind;

/// A standfirst is at most this many blocks after the headline.
const FAR: usize = 16;
/// A standfirst has at most this many words.
const LONGEST: usize = 120;
/// A description shares this fraction of the standfirst's words.
const ALIKE: f32 = 0.5;

/// Finds kicker and standfirst, and sets the roles of the blocks.
pub(super) fn find(
    page: &Page,
    known: &ArticleHints<'_>,
    survey: &Survey<'_>,
    judged: &mut [JudgedBlock],
) {
    let described = Index::of(known.descriptions.iter().map(|text| words(text)));
    let is_prose =
        |judged: &JudgedBlock| matches!(judged.role, Role::Text | Role::Quotation | Role::FactBox);
    let text = judged.iter().position(is_prose);
    let end = text.unwrap_or(page.blocks.len());
    let Some(headline) = headline(judged, end) else {
        return;
    };
    if let Some(at) = headline.checked_sub(1)
        && is_kicker(page, at, headline, judged)
    {
        judged[at] = JudgedBlock::of(Role::Kicker, "it is a short line above the headline");
    }
    let candidates = (headline + 1..page.blocks.len())
        .take(FAR)
        .take_while(|at| *at < end + 1);
    let mut best: Option<(u32, usize)> = None;
    for at in candidates {
        let block = &page.blocks[at];
        let in_text = judged[at].role.is_text();
        let hint = described.share(&block.words) >= ALIKE;
        if !introduces(block, judged[at].role) || survey.is_hidden_copy(at) {
            continue;
        }
        // A first paragraph that looks like the following ones is text, even if the page uses it as its
        // description.
        if in_text && (survey.is_common_form(block) || at == end && !hint) {
            continue;
        }
        let words = block.count;
        let near = at <= headline + 3;
        let heads = block.block.kind == BlockKind::Heading;
        if !hint && names_a_time(&block.block.text) {
            continue;
        }
        let strength = match (hint, heads && near, words >= 8, near) {
            (true, ..) => 4,
            (_, true, ..) => 3,
            (_, _, true, true) => 2,
            (_, _, true, false) if furniture::ends_as_sentence(&block.block.text) => 1,
            _ => continue,
        };
        if best.is_none_or(|(known, _)| strength > known) {
            best = Some((strength, at));
        }
    }
    if let Some((strength, at)) = best {
        let why = match strength {
            4 => "it is under the headline, and the page describes itself so",
            _ => "it is under the headline and above the text",
        };
        judged[at] = JudgedBlock::of(Role::Standfirst, why);
    }
}

/// The last block before the text that repeats the headline.
fn headline(judged: &[JudgedBlock], end: usize) -> Option<usize> {
    let is_headline = |judged: &JudgedBlock| judged.role == Role::Headline;
    let before = judged.iter().take(end).rposition(is_headline);
    before.or_else(|| judged.iter().position(is_headline))
}

/// Whether a block may introduce the article: words, not links, and by its own text neither a date nor furniture.
fn introduces(block: &PageBlock, role: Role) -> bool {
    let text = &block.block.text;
    let words = block.count;
    let kind = matches!(
        block.block.kind,
        BlockKind::Paragraph | BlockKind::Heading | BlockKind::Quote
    );
    let role = !matches!(
        role,
        Role::Navigation
            | Role::Notice
            | Role::Comment
            | Role::Control
            | Role::Credit
            | Role::Caption
            | Role::DateLine
            | Role::Headline
    );
    kind && role
        && (5..=LONGEST).contains(&words)
        && block.linked < 0.4
        && !text.contains('@')
        && dateline::read(text).is_none()
        && furniture::rule_of(&block.block, block.linked).is_none()
}

/// `6:21`, as in a line that says who posted something and when.
fn names_a_time(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|three| three[0].is_ascii_digit() && three[1] == b':' && three[2].is_ascii_digit())
}

/// A short line directly above the headline, in the same box, that names a subject.
fn is_kicker(page: &Page, at: usize, headline: usize, judged: &[JudgedBlock]) -> bool {
    let (Some(block), Some(title), Some(judged)) = (
        page.blocks.get(at),
        page.blocks.get(headline),
        judged.get(at),
    ) else {
        return false;
    };
    let text = &block.block.text;
    let parent = |block: &PageBlock| page.around(block.element).nth(1);
    let together = page
        .around(title.element)
        .any(|around| Some(around) == parent(block));
    let role = !matches!(
        judged.role,
        Role::Navigation
            | Role::Sharing
            | Role::Control
            | Role::Comment
            | Role::DateLine
            | Role::OtherStory
    );
    let alone = at == 0
        || page
            .blocks
            .get(at - 1)
            .is_none_or(|before| parent(before) != parent(block));
    matches!(block.block.kind, BlockKind::Paragraph | BlockKind::Heading)
        && together
        && alone
        && role
        && block.count <= 6
        && !text.chars().any(|c| c.is_ascii_digit())
        && furniture::rule_of(&block.block, block.linked).is_none()
}
