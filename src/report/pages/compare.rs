//! `/e/ID/A..B`: any two revisions of an article, in one text or side by side.

use maud::{Markup, html};

use super::{PageContent, PageFrame, Section};
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::ids::RevisionNumber;
use crate::report::changed;
use crate::report::clean;
use crate::report::diff_json::FileDiff;
use crate::report::html::{self, Look, language, paragraph, segments};
use crate::report::names;

/// How two texts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CompareView {
    /// One text with removed and added words inside it.
    #[default]
    Inline,
    /// The old text beside the new one.
    Side,
}

impl CompareView {
    /// Parses the parameter of the address; anything else is the default.
    #[must_use]
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "side" => Self::Side,
            _ => Self::Inline,
        }
    }
}

/// Two revisions of an article.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    /// The `ent_…` of the article.
    pub entry: String,
    /// The old one.
    pub old: RevisionNumber,
    /// The new one.
    pub new: RevisionNumber,
    /// The newest of the article.
    pub last: RevisionNumber,
    /// What differs.
    pub diff: FileDiff,
    /// How it is shown.
    pub shape: CompareView,
}

/// The page.
#[must_use]
pub(crate) fn page(site: &PageFrame, compared: &Compared) -> PageContent {
    let diff = &compared.diff;
    let (old, new, id) = (compared.old, compared.new, compared.entry.as_str());
    let title = clean::excerpt(&Segment::new_side(&diff.title), 120);
    let sample: String = diff
        .blocks
        .iter()
        .take(5)
        .map(|block| Segment::new_side(&block.segments))
        .collect();
    let lang = language(&format!("{title} {sample}"));
    PageContent {
        title: format!("Revisions {old} and {new}: {title}"),
        section: Section::Elsewhere,
        others: Vec::new(),
        body: html! {
            p .about {
                a href=(site.links.entry(id).unwrap_or_default()) { "Article" }
                " · revision " a href=(site.links.revision(id, old).unwrap_or_default()) { (old) }
                " compared with " a href=(site.links.revision(id, new).unwrap_or_default()) { (new) }
            }
            h1 lang=(lang) dir="auto" {
                @if diff.title.is_empty() { (names::NO_HEADLINE) } @else { (segments(&diff.title, Look::Styled)) }
            }
            p .lead {
                @if diff.equal { "No visible difference." }
                @else { (changed::words(diff.words)) @if diff.similarity < 1.0 { " · " (format!("{:.0} % similar", diff.similarity * 100.0)) } }
            }
            @if !diff.labels.is_empty() {
                p { @for label in &diff.labels { span .pill { (names::label(*label)) } " " } }
            }
            (shapes(site, compared))
            @for (name, line) in [("Kicker", &diff.kicker), ("Standfirst", &diff.standfirst), ("By-line", &diff.byline)] {
                @if !line.is_empty() { h2 { (name) } p lang=(lang) dir="auto" { (segments(line, Look::Styled)) } }
            }
            h2 { "Text" }
            @if diff.blocks.is_empty() { p .empty { "No text." } }
            @match compared.shape {
                CompareView::Inline => (html::folded(&diff.blocks, lang, Look::Styled)),
                CompareView::Side => (side_by_side(&diff.blocks, old, new, lang)),
            }
            @if !diff.links.is_empty() {
                h2 { "Links" }
                ul { @for link in &diff.links { li { (clean::excerpt(&link.words, 200)) ": " (html::sides(&link.from, &link.to, Look::Styled)) } } }
            }
        },
    }
}

fn shapes(site: &PageFrame, compared: &Compared) -> Markup {
    let (old, new, id) = (compared.old, compared.new, compared.entry.as_str());
    let link = |old: u32, new: u32| {
        site.links
            .compare(id, RevisionNumber(old), RevisionNumber(new))
            .unwrap_or_default()
    };
    let here = link(old.0, new.0);
    let keep = if compared.shape == CompareView::Side {
        "?view=side"
    } else {
        ""
    };
    html! {
        nav .paging aria-label="Other comparisons" {
            @if old.0 > 1 && new.0 > 1 { a href={ (link(old.0 - 1, new.0 - 1)) (keep) } rel="prev" { "‹ " (old.0 - 1) " and " (new.0 - 1) } }
            @if !site.links.are_files() {
                a href=(here) aria-current=[(compared.shape == CompareView::Inline).then_some("page")] { "In one text" }
                a href={ (here) "?view=side" } aria-current=[(compared.shape == CompareView::Side).then_some("page")] { "Side by side" }
            }
            @if new < compared.last { a href={ (link(old.0 + 1, new.0 + 1)) (keep) } rel="next" { (old.0 + 1) " and " (new.0 + 1) " ›" } }
        }
    }
}

/// A row for each block: old text, new text.
fn side_by_side(
    blocks: &[BlockDiff],
    old: RevisionNumber,
    new: RevisionNumber,
    lang: &str,
) -> Markup {
    html! {
        table .sides {
            thead { tr { th scope="col" { "Revision " (old) } th scope="col" { "Revision " (new) } } }
            tbody {
                @for block in blocks {
                    tr {
                        td { @if block.op != BlockOp::Insert { (half(block, lang, false)) } }
                        td { @if block.op != BlockOp::Delete { (half(block, lang, true)) } }
                    }
                }
            }
        }
    }
}

/// One side of a block.
fn half(block: &BlockDiff, lang: &str, is_new: bool) -> Markup {
    let other = |segment: &&Segment| match segment {
        Segment::Equal(_) => true,
        Segment::Insert(_) => is_new,
        Segment::Delete(_) => !is_new,
    };
    let half = BlockDiff {
        segments: block.segments.iter().filter(other).cloned().collect(),
        ..block.clone()
    };
    paragraph(&half, lang, Look::Styled)
}
