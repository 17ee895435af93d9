//! HTML fragments that the report, the evidence of a change and all web pages share.
//!
//! Text is cleaned, then escaped by `maud`; only web addresses become links. Colour is never the only sign:
//! removed text is struck out and added text underlined, and both are announced to screen readers. Nothing uses a
//! script, a `style` attribute, or anything from another address.

pub(crate) mod chart;
mod language;
mod links;

pub(crate) use language::language;
pub(crate) use links::Links;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::changed;
use super::clean;
use super::log::{self, LogRow};
use super::names;
use super::style::Paint;
use super::when::TimeView;
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::event::{BlocksInfo, DiffInfo, EventData};
use crate::domain::state::HeadlineSource;

/// The style sheet of every page and file: light, dark and print.
pub(crate) const SHEET: &str = include_str!("sheet.css");

/// Where a fragment is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A page or file with [`SHEET`], which hides the text that is only for screen readers.
    Styled,
    /// In a feed reader or a mail, which keep `del` and `ins` but drop styles: there must be nothing to hide.
    Bare,
}

/// A space that keeps removed and added words apart when a page is copied as text.
const THIN_SPACE: &str = "\u{2009}";

/// A self-contained file, with its style inside and no external resources.
#[must_use]
pub(crate) fn file(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (clean::excerpt(title, 200)) }
                style { (PreEscaped(SHEET)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}

/// A link to a web address; any other address is plain text.
#[must_use]
pub(crate) fn address(address: &str) -> Markup {
    let shown = clean::excerpt(&clean::address(address), 500);
    if changed::is_web(&shown) {
        html! { a href=(shown) rel="noreferrer nofollow" { (shown) } }
    } else {
        html! { span .address { (shown) } }
    }
}

/// The words of a text on both sides of a change.
#[must_use]
pub(crate) fn segments(segments: &[Segment], look: Look) -> Markup {
    let segments = clean::segments(segments);
    html! {
        @for (place, segment) in segments.iter().enumerate() {
            @match segment {
                Segment::Equal(text) => { (text) }
                Segment::Delete(text) => { del { (spoken("removed: ", text, look)) } }
                Segment::Insert(text) => {
                    @if place > 0 && matches!(segments[place - 1], Segment::Delete(_)) { (THIN_SPACE) }
                    ins { (spoken("added: ", text, look)) }
                }
            }
        }
        @if changed::is_invisible(&segments) { small { " " (changed::INVISIBLE) } }
    }
}

/// Removed or added words, with the text for screen readers around them.
fn spoken(name: &str, text: &str, look: Look) -> Markup {
    match look {
        Look::Styled => {
            html! { span .spoken lang="en" { (name) } (text) span .spoken lang="en" { " (end)" } }
        }
        Look::Bare => html! { (text) },
    }
}

/// Every text of a change that differs, under its name; `level` is the level of the headings.
#[must_use]
pub(crate) fn differences(data: &EventData, diff: &DiffInfo, look: Look) -> Markup {
    let kicker = !changed::kicker(data).is_empty();
    let lang = language_of(data);
    let line = |name: &str, text: &[Segment]| {
        html! { h3 { (clean::excerpt(name, 200)) } p lang=(lang) dir="auto" { (segments(text, look)) } }
    };
    html! {
        @if let Some(title) = &diff.title { (line(if kicker { "Kicker" } else { "Headline" }, title)) }
        @for other in &diff.headlines {
            @match other.source {
                HeadlineSource::Kicker => { (line("Kicker", &other.segments)) }
                source => { (line(&format!("Headline ({})", source.as_str()), &other.segments)) }
            }
        }
        @if let Some(text) = &diff.standfirst { (line("Standfirst", text)) }
        @if let Some(text) = &diff.byline { (line("By-line", text)) }
        @for link in &diff.links {
            h3 { "Link: " span lang=(lang) dir="auto" { (clean::excerpt(&link.words, 200)) } }
            p { (sides(&link.from, &link.to, look)) }
        }
        @if let Some([old, new]) = &diff.address { h3 { "Address" } p { (sides(old, new, look)) } }
        @if let Some([old, new]) = &diff.guid { h3 { "Guid" } p { (sides(old, new, look)) } }
        @if let Some(info) = &diff.body { h3 { "Text" } (blocks(info, lang, look)) }
        @if let Some(info) = &diff.summary { h3 { "Description" } (blocks(info, lang, look)) }
    }
}

/// The paragraphs of a text that changed, in the language `lang`.
#[must_use]
pub(crate) fn blocks(info: &BlocksInfo, lang: &str, look: Look) -> Markup {
    html! {
        (folded(&info.blocks, lang, look))
        @if info.truncated { p { small { "Further changed paragraphs are omitted for size." } } }
    }
}

/// How many unchanged paragraphs in a row are folded.
const FOLDED: usize = 2;

/// Paragraphs in order. On a page, consecutive unchanged ones are folded.
#[must_use]
pub(crate) fn folded(blocks: &[BlockDiff], lang: &str, look: Look) -> Markup {
    let runs =
        blocks.chunk_by(|one, next| (one.op == BlockOp::Equal) == (next.op == BlockOp::Equal));
    html! {
        @for run in runs {
            @let is_equal = run.first().is_some_and(|block| block.op == BlockOp::Equal);
            @if is_equal && run.len() >= FOLDED && look == Look::Styled {
                details .same {
                    summary { (names::count(run.len() as u64, "unchanged paragraph")) }
                    @for block in run { (paragraph(block, lang, look)) }
                }
            } @else {
                @for block in run { (paragraph(block, lang, look)) }
            }
        }
    }
}

/// The old text and the new text, in full.
#[must_use]
pub(crate) fn sides(old: &str, new: &str, look: Look) -> Markup {
    let sides = [
        Segment::Delete(old.to_owned()),
        Segment::Equal(" ".to_owned()),
        Segment::Insert(new.to_owned()),
    ];
    segments(&sides, look)
}

/// A paragraph with what happened to it.
#[must_use]
pub(crate) fn paragraph(block: &BlockDiff, lang: &str, look: Look) -> Markup {
    let text = segments(&block.segments, look);
    let (class, remark) = match block.op {
        BlockOp::Equal | BlockOp::Edit => (None, None),
        BlockOp::Insert => (Some("new"), Some("paragraph added".to_owned())),
        BlockOp::Delete => (Some("gone"), Some("paragraph removed".to_owned())),
        BlockOp::Move => {
            let place = |at: Option<u32>| at.map_or_else(|| "?".to_owned(), |at| at.to_string());
            let (from, to) = (place(block.from), place(block.to));
            (
                Some("moved"),
                Some(format!("moved from paragraph {from} to {to}")),
            )
        }
    };
    html! {
        p class=[class] lang=(lang) dir="auto" {
            (text)
            @if let Some(remark) = remark { small lang="en" { " (" (remark) ")" } }
        }
    }
}

/// The language of the article of an event.
#[must_use]
pub(crate) fn language_of(data: &EventData) -> &'static str {
    let title = changed::title(data, 500).unwrap_or_default();
    let blocks = data
        .diff
        .iter()
        .flat_map(|diff| [&diff.body, &diff.summary]);
    let text: String = blocks
        .flatten()
        .flat_map(|info| &info.blocks)
        .take(5)
        .map(|block| Segment::new_side(&block.segments))
        .collect();
    language(&format!("{title} {text}"))
}

/// A headline, in its own language and direction.
#[must_use]
pub(crate) fn headline(title: Option<&str>) -> Markup {
    let title = title
        .map(|title| clean::excerpt(title, 300))
        .filter(|title| !title.is_empty());
    html! {
        @match title {
            Some(title) => span lang=(language(&title)) dir="auto" { (title) },
            None => span { (names::NO_HEADLINE) },
        }
    }
}

/// A change as a card with the headline of its article: what, when, where, the words, and why it matters.
#[must_use]
pub(crate) fn card(row: &LogRow, reasons: &str, view: &TimeView, links: &Links) -> Markup {
    let data = &row.event.data;
    html! {
        article {
            h3 lang=(language_of(data)) dir="auto" {
                @match data.diff.as_ref().and_then(|diff| diff.title.as_deref()) {
                    Some(title) => { (changed::kicker(data)) (segments(title, Look::Styled)) }
                    None => { (changed::title(data, 300).unwrap_or_else(|| names::NO_HEADLINE.to_owned())) }
                }
            }
            (about(row, view, links, true))
            (words(row, reasons))
            @if let Some(found) = changed::address(data) { p .about { (address(&found)) } }
        }
    }
}

/// A change under the heading of its article.
#[must_use]
pub(crate) fn step(row: &LogRow, reasons: &str, view: &TimeView, links: &Links) -> Markup {
    let data = &row.event.data;
    let title = data.diff.as_ref().and_then(|diff| diff.title.as_deref());
    html! {
        (about(row, view, links, false))
        @if let Some(title) = title {
            p .headline lang=(language_of(data)) dir="auto" { (changed::kicker(data)) (segments(title, Look::Styled)) }
        }
        (words(row, reasons))
    }
}

/// Which change it is, where and when, and how much changed.
fn about(row: &LogRow, view: &TimeView, links: &Links, with_feed: bool) -> Markup {
    let data = &row.event.data;
    html! {
        p .about {
            @if let Some(number) = data.number {
                @match links.change(number) {
                    Some(link) => a href=(link) { b { "#" (number) } },
                    None => b { "#" (number) },
                }
                " · "
            }
            @if with_feed { (changed::feed_name(data.feed.as_ref(), 80)) " · " }
            (when(row, view))
            @if let Some(change) = &data.change {
                @if let Some(age) = log::age(data, change) { ", " (age) }
            }
            " · " (what(row))
        }
    }
}

/// The words removed and added.
fn words(row: &LogRow, reasons: &str) -> Markup {
    let data = &row.event.data;
    let lang = language_of(data);
    html! {
        @for block in first_blocks(data) { (paragraph(block, lang, Look::Styled)) }
        @if let Some(text) = standfirst_alone(data) { p lang=(lang) dir="auto" { (segments(text, Look::Styled)) } }
        @if let Some(detail) = data.detail.as_deref() { p dir="auto" { (clean::excerpt(detail, 300)) } }
        @if !reasons.is_empty() { p .why { (reasons) } }
    }
}

/// Paragraphs of a card; a longer change is read in full elsewhere.
const PARAGRAPHS: usize = 3;

fn first_blocks(data: &EventData) -> Vec<&BlockDiff> {
    let texts = data
        .diff
        .iter()
        .flat_map(|diff| [&diff.body, &diff.summary]);
    let first = texts.flatten().next();
    first
        .map(changed::by_weight)
        .unwrap_or_default()
        .into_iter()
        .take(PARAGRAPHS)
        .collect()
}

fn standfirst_alone(data: &EventData) -> Option<&[Segment]> {
    data.diff.as_ref()?.standfirst.as_deref()
}

/// When it happened, with a machine-readable time.
#[must_use]
pub(crate) fn when(row: &LogRow, view: &TimeView) -> Markup {
    let shown = match changed::window(&row.event.data) {
        Some(window) => view.exact_window(window),
        None => view.exact(row.event.timestamp),
    };
    html! { time datetime=(row.event.timestamp) { (shown) } }
}

/// `headline + text · +9 −10 words · number, unannounced`.
#[must_use]
pub(crate) fn what(row: &LogRow) -> String {
    let data = &row.event.data;
    let Some(change) = &data.change else {
        return names::event(row.event.kind).to_owned();
    };
    let plain = Paint::default();
    let parts = [
        changed::fields(change).paint(plain).to_lowercase(),
        changed::amount(change, data.diff.as_ref()),
        changed::telling_labels(change).paint(plain),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}
