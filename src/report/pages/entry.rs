//! `/e/ID` and `/e/ID/N`: an article with its revisions, and one of them.

use maud::{Markup, html};

use super::{Other, PageContent, PageFrame, Section, facts};
use crate::domain::ids::RevisionNumber;
use crate::domain::state::{Block, BlockKind, EntryState};
use crate::report::changed;
use crate::report::clean;
use crate::report::history::{History, HistoryRow, change_text, remarks};
use crate::report::html::{address, headline, language};
use crate::report::names;
use crate::report::style::Paint;
use crate::time::Timestamp;

/// A revision on the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Its number.
    pub revision: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
}

const WIDTH: u64 = 600;

/// How many revisions get a dot of their own; beyond that, only the newest ones.
const DOTS: usize = 60;

/// The revisions of an article on a timeline, as a picture with words: an open circle for the first, filled ones
/// for the others, a larger one for the revision of the page.
#[must_use]
pub(crate) fn timeline(
    site: &PageFrame,
    revisions: &[Moment],
    entry: Option<&str>,
    here: Option<RevisionNumber>,
) -> Markup {
    let shown = &revisions[revisions.len().saturating_sub(DOTS)..];
    let [first, .., last] = shown else {
        return html! {};
    };
    let span = last.seen.since(first.seen).as_secs().max(1);
    let x = |at: Timestamp| 10 + at.since(first.seen).as_secs() * (WIDTH - 20) / span;
    let (from, to) = (site.view.exact(first.seen), site.view.exact(last.seen));
    html! {
        figure .timeline {
            svg viewBox={ "0 0 " (WIDTH) " 24" } role="img"
                aria-label={ (names::count(shown.len() as u64, "revision")) " from " (from) " to " (to) } {
                line x1="10" y1="12" x2=(WIDTH - 10) y2="12" stroke="currentColor" stroke-width="1.5" {}
                @for (place, moment) in shown.iter().enumerate() {
                    @let is_here = here == Some(moment.revision);
                    @let fill = if place == 0 && shown.len() == revisions.len() { "var(--back)" } else { "currentColor" };
                    circle cx=(x(moment.seen)) cy="12" r=(if is_here { 8 } else { 5 }) fill=(fill) stroke="currentColor"
                        stroke-width="2" {
                        title { "Revision " (moment.revision) ", " (site.view.exact(moment.seen)) }
                    }
                }
            }
            figcaption {
                "Revisions "
                @for (place, moment) in shown.iter().enumerate().skip(shown.len().saturating_sub(12)) {
                    @if place > shown.len().saturating_sub(12) { ", " }
                    @match entry.and_then(|id| site.links.revision(id, moment.revision)) {
                        Some(link) => a href=(link) aria-current=[(here == Some(moment.revision)).then_some("true")] { (moment.revision) },
                        None => { (moment.revision) }
                    }
                }
                ", " (from) " to " (to)
            }
        }
    }
}

/// `/e/ID`.
#[must_use]
pub(crate) fn page(site: &PageFrame, history: &History, others: Vec<Other>) -> PageContent {
    let newest = history
        .revisions
        .iter()
        .rev()
        .find_map(|row| row.title.as_deref());
    let moments: Vec<Moment> = history
        .revisions
        .iter()
        .map(|row| Moment {
            revision: row.revision,
            seen: row.seen,
        })
        .collect();
    PageContent {
        title: newest.map_or_else(
            || names::NO_HEADLINE.to_owned(),
            |title| clean::excerpt(title, 120),
        ),
        section: Section::Elsewhere,
        others,
        body: html! {
            p .about {
                a href=(site.links.feed(&history.feed.name).unwrap_or_default()) { (changed::feed_name(Some(&history.feed), 80)) }
                @if history.removed { " · " span .pill { "removed" } }
            }
            h1 { (headline(newest)) }
            (facts(&about(site, history)))
            (timeline(site, &moments, Some(&history.entry.id), None))
            (revisions(site, history))
            @let remarks = remarks(history, &site.view);
            @if !remarks.is_empty() {
                h2 { "Notes" }
                ul { @for remark in remarks.iter().filter(|remark| !remark.is_empty()) { li { (remark) } } }
            }
        },
    }
}

fn about(site: &PageFrame, history: &History) -> Vec<(&'static str, Markup)> {
    let entry = &history.entry;
    let mut rows = Vec::new();
    if let Some(url) = &entry.url {
        rows.push(("Article", address(url)));
    }
    if let Some(author) = &entry.author {
        rows.push((
            "By",
            html! { span dir="auto" { (clean::excerpt(author, 200)) } },
        ));
    }
    if let Some(published) = entry.published {
        rows.push(("Dated", html! { (site.view.exact(published)) }));
    }
    rows.push(("First seen", html! { (site.view.exact(entry.first_seen)) }));
    rows
}

/// All revisions, with a form to compare any two of them; the last two are preselected.
fn revisions(site: &PageFrame, history: &History) -> Markup {
    let rows = &history.revisions;
    let id = history.entry.id.as_str();
    let many = rows.len() > 1 && !site.links.are_files();
    let radio = |name: &'static str, row: &HistoryRow, checked: bool| {
        html! {
            input type="radio" name=(name) value=(row.revision) checked[checked] disabled[row.text_dropped]
                aria-label={ (if name == "a" { "Compare from revision " } else { "Compare to revision " }) (row.revision) };
        }
    };
    let table = html! {
            div .wide tabindex="0" role="region" aria-label="Revisions" { table .revisions {
                thead {
                    tr {
                        th scope="col" { "No." }
                        @if many { th scope="col" { "from" } th scope="col" { "to" } }
                        th scope="col" { "First seen" }
                        th scope="col" { "What" }
                        th scope="col" { "Headline" }
                    }
                }
                tbody {
                    @for (place, row) in rows.iter().enumerate().rev() {
                        @let before = place.checked_sub(1).and_then(|before| rows.get(before));
                        tr {
                            th scope="row" { a href=(site.links.revision(id, row.revision).unwrap_or_default()) { (row.revision) } }
                            @if many {
                                td { (radio("a", row, place + 2 == rows.len())) }
                                td { (radio("b", row, place + 1 == rows.len())) }
                            }
                            td { time datetime=(row.seen) { (site.view.exact(row.seen)) } }
                            td {
                                @match &row.change {
                                    Some(change) => {
                                        a href=(site.links.change(change.number).unwrap_or_default()) { "#" (change.number) } " "
                                        (change_text(history, before, row).paint(Paint::default()).trim_start_matches(&format!("#{}", change.number)).trim())
                                        @if change.words != crate::domain::diff::WordCount::default() { br; small { (changed::words(change.words)) } }
                                    }
                                    None => { (change_text(history, before, row).paint(Paint::default())) }
                                }
                            }
                            td { @if row.text_dropped { "(text not kept)" } @else { (headline(row.title.as_deref())) } }
                        }
                    }
                }
            } }
    };
    html! {
        h2 { "Revisions" }
        @if many {
            form method="get" action=(site.links.entry(id).unwrap_or_default()) {
                (table)
                p { button { "Compare" } }
            }
        } @else { (table) }
    }
}

/// A revision, as far as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    /// The `ent_…` of its article.
    pub entry: String,
    /// Its number.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// When the next one was first seen.
    pub until: Option<Timestamp>,
    /// The newest revision of the article.
    pub last: RevisionNumber,
    /// Its text; `None` if it is no longer stored.
    pub state: Option<EntryState>,
    /// Its link in the chain, in hexadecimal.
    pub hash: String,
}

/// `/e/ID/N`.
#[must_use]
pub(crate) fn revision(site: &PageFrame, revision: &Revision) -> PageContent {
    let state = revision.state.as_ref();
    let title = state.and_then(EntryState::title);
    let number = revision.number;
    let id = revision.entry.as_str();
    let beside = |number: u32| {
        site.links
            .revision(id, RevisionNumber(number))
            .unwrap_or_default()
    };
    PageContent {
        title: format!(
            "Revision {number}: {}",
            title.map_or_else(
                || names::NO_HEADLINE.to_owned(),
                |title| clean::excerpt(title, 120)
            )
        ),
        section: Section::Elsewhere,
        others: Vec::new(),
        body: html! {
            p .about {
                a href=(site.links.entry(id).unwrap_or_default()) { "Article" } " · revision " (number) " of " (revision.last)
            }
            h1 { (headline(title)) }
            p .lead {
                "First seen " time datetime=(revision.seen) { b { (site.view.exact(revision.seen)) } }
                @match revision.until {
                    Some(until) => { ", replaced by " time datetime=(until) { b { (site.view.exact(until)) } } }
                    None => ", the newest text"
                }
                "."
            }
            nav .paging aria-label="Other revisions" {
                @if number.0 > 1 {
                    a href=(beside(number.0 - 1)) rel="prev" { "‹ Revision " (number.0 - 1) }
                    a href=(site.links.compare(id, RevisionNumber(number.0 - 1), number).unwrap_or_default()) { "What it changed" }
                }
                @if number < revision.last { a href=(beside(number.0 + 1)) rel="next" { "Revision " (number.0 + 1) " ›" } }
            }
            @match state {
                Some(state) => (text(state)),
                None => p { "The text of this revision has been deleted (" code { "keep.revisions" } "); its hash is kept." },
            }
            h2 { "Details" }
            p .about {
                "This is the text that revisor read, not the page as it looked. Hash in the chain of revisions: "
                code { (revision.hash) }
            }
        },
    }
}

/// The text of an article, as it was read.
fn text(state: &EntryState) -> Markup {
    let body = state.body();
    let sample: String = body
        .iter()
        .take(5)
        .map(|block| block.text.as_str())
        .collect();
    let lang = language(&sample);
    html! {
        div .text lang=(lang) dir="auto" {
            @if let Some(kicker) = state.kicker() { p .about dir="auto" { (clean::line(kicker)) } }
            @if let Some(standfirst) = state.standfirst() { p .lead dir="auto" { (clean::line(standfirst)) } }
            @if let Some(byline) = state.byline() { p .about dir="auto" { (clean::line(byline)) } }
            @for block in body { (block_text(block)) }
        }
    }
}

fn block_text(block: &Block) -> Markup {
    let text = clean::lines(&block.text);
    match block.kind {
        BlockKind::Heading => html! { p .heading dir="auto" { b { (text) } } },
        BlockKind::ListItem => html! { p .item dir="auto" { "• " (text) } },
        BlockKind::Quote => html! { blockquote dir="auto" { p { (text) } } },
        BlockKind::Code => html! { pre { (text) } },
        BlockKind::Caption => html! { p .about dir="auto" { (text) } },
        BlockKind::Furniture => html! {},
        BlockKind::Paragraph | BlockKind::TableRow => html! { p dir="auto" { (text) } },
    }
}
