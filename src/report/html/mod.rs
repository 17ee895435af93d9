//! HTML fragments that the report, the evidence of a change and every later page share.
//!
//! Text is escaped by `maud` and cleaned before; only addresses of the web become links. Colour never stands alone:
//! removed text is struck out and added text underlined, and both are named for those who listen. Nothing uses a script,
//! a `style` attribute, or anything from another address.

pub mod chart;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::changed;
use super::clean;
use super::log::{self, LogRow};
use super::names;
use super::style::Paint;
use super::when::View;
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::event::{BlocksInfo, DiffInfo, EventData};
use crate::domain::state::HeadlineSource;

/// The style sheet of every page and file, light, dark and on paper.
pub const SHEET: &str = include_str!("sheet.css");

/// Where a fragment is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A page or file with [`SHEET`]: what only screen readers say is hidden by it.
    Styled,
    /// In a feed reader or a mail, which keep `del` and `ins` and drop the style: nothing may need hiding.
    Bare,
}

/// A space that keeps removed and added words apart where a page is copied as text.
const THIN_SPACE: &str = "\u{2009}";

/// A file of its own, with its style inside and nothing from elsewhere.
#[must_use]
pub fn file(title: &str, body: &Markup) -> String {
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

/// A link to an address of the web; any other address is text.
#[must_use]
pub fn address(address: &str) -> Markup {
    let shown = clean::excerpt(&clean::address(address), 500);
    if changed::is_web(&shown) {
        html! { a href=(shown) rel="noreferrer nofollow" { (shown) } }
    } else {
        html! { span .address { (shown) } }
    }
}

/// The words of a text on both sides of a change.
#[must_use]
pub fn segments(segments: &[Segment], look: Look) -> Markup {
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

/// Removed or added words, with what a screen reader says around them.
fn spoken(name: &str, text: &str, look: Look) -> Markup {
    match look {
        Look::Styled => html! { span .spoken { (name) } (text) span .spoken { " (end)" } },
        Look::Bare => html! { (text) },
    }
}

/// Every text of a change that differs, under its name; `level` is that of the headings.
#[must_use]
pub fn differences(data: &EventData, diff: &DiffInfo, look: Look) -> Markup {
    let kicker = !changed::kicker(data).is_empty();
    let line = |name: &str, text: &[Segment]| {
        html! { h3 { (clean::excerpt(name, 200)) } p dir="auto" { (segments(text, look)) } }
    };
    let sides = |old: &str, new: &str| {
        let sides = [
            Segment::Delete(old.to_owned()),
            Segment::Equal(" ".to_owned()),
            Segment::Insert(new.to_owned()),
        ];
        html! { p { (segments(&sides, look)) } }
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
            h3 { "Link: " (clean::excerpt(&link.words, 200)) }
            (sides(&link.from, &link.to))
        }
        @if let Some([old, new]) = &diff.address { h3 { "Address" } (sides(old, new)) }
        @if let Some([old, new]) = &diff.guid { h3 { "Guid" } (sides(old, new)) }
        @if let Some(info) = &diff.body { h3 { "Text" } (blocks(info, look)) }
        @if let Some(info) = &diff.summary { h3 { "Description" } (blocks(info, look)) }
    }
}

/// The paragraphs of a text that changed.
#[must_use]
pub fn blocks(info: &BlocksInfo, look: Look) -> Markup {
    html! {
        @for block in &info.blocks { (paragraph(block, look)) }
        @if info.truncated { p { small { "Further changed paragraphs are omitted for size." } } }
    }
}

fn paragraph(block: &BlockDiff, look: Look) -> Markup {
    let text = segments(&block.segments, look);
    match block.op {
        BlockOp::Equal | BlockOp::Edit => html! { p dir="auto" { (text) } },
        BlockOp::Insert => html! { p .new dir="auto" { (text) small { " (paragraph added)" } } },
        BlockOp::Delete => html! { p .gone dir="auto" { (text) small { " (paragraph removed)" } } },
        BlockOp::Move => {
            let place = |at: Option<u32>| at.map_or_else(|| "?".to_owned(), |at| at.to_string());
            let (from, to) = (place(block.from), place(block.to));
            html! { p .moved dir="auto" { (text) small { " (moved from paragraph " (from) " to " (to) ")" } } }
        }
    }
}

/// A change as a card: what, when, where, the words, and why it matters.
#[must_use]
pub fn card(row: &LogRow, reasons: &str, view: &View) -> Markup {
    let data = &row.event.data;
    html! {
        article {
            h3 dir="auto" {
                @match data.diff.as_ref().and_then(|diff| diff.title.as_deref()) {
                    Some(title) => { (changed::kicker(data)) (segments(title, Look::Styled)) }
                    None => { (changed::title(data, 300).unwrap_or_else(|| names::NO_HEADLINE.to_owned())) }
                }
            }
            p .about {
                @if let Some(number) = data.number { b { "#" (number) } " · " }
                (changed::feed_name(data.feed.as_ref(), 80)) " · " (when(row, view))
                @if let Some(change) = &data.change {
                    @if let Some(age) = log::age(data, change) { ", " (age) }
                }
            }
            p .about { (what(row)) }
            @for block in first_blocks(data) { (paragraph(block, Look::Styled)) }
            @if let Some(text) = standfirst_alone(data) { p dir="auto" { (segments(text, Look::Styled)) } }
            @if let Some(detail) = data.detail.as_deref() { p dir="auto" { (clean::excerpt(detail, 300)) } }
            @if !reasons.is_empty() { p .why { (reasons) } }
            @if let Some(found) = changed::address(data) { p .about { (address(&found)) } }
        }
    }
}

/// Paragraphs of a card; a change with more is read in full elsewhere.
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

/// When it happened, with the moment for machines.
fn when(row: &LogRow, view: &View) -> Markup {
    let shown = match changed::window(&row.event.data) {
        Some(window) => view.exact_window(window),
        None => view.exact(row.event.timestamp),
    };
    html! { time datetime=(row.event.timestamp) { (shown) } }
}

/// `headline + text · +9 −10 words · number, unannounced`.
fn what(row: &LogRow) -> String {
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
