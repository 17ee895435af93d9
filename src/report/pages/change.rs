//! `/c/N`: one change, at a permanent address.

use maud::{Markup, html};

use super::entry::{Moment, timeline};
use super::{Other, PageContent, PageFrame, Section, facts};
use crate::domain::event::{ChangeInfo, EventData};
use crate::domain::ids::ChangeNumber;
use crate::report::changed;
use crate::report::clean;
use crate::report::html::{Look, address, differences, headline, language_of, segments};
use crate::report::log::{self, LogRow};
use crate::report::names;
use crate::report::show::Archived;
use crate::report::when;

/// A change and its context.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The change.
    pub row: LogRow,
    /// The change of the same article before this one.
    pub earlier: Option<ChangeNumber>,
    /// The one after it.
    pub later: Option<ChangeNumber>,
    /// The revisions of the article, oldest first.
    pub revisions: Vec<Moment>,
    /// The page in other formats.
    pub others: Vec<Other>,
    /// The copy of the page in a web archive.
    pub archived: Option<Archived>,
}

/// The page.
#[must_use]
pub(crate) fn page(site: &PageFrame, change: &Change) -> PageContent {
    let data = &change.row.event.data;
    let number = data.number.unwrap_or(ChangeNumber(0));
    let title = changed::title(data, 120);
    PageContent {
        title: format!(
            "#{number} {}",
            title.as_deref().unwrap_or(names::NO_HEADLINE)
        ),
        section: Section::Elsewhere,
        others: change.others.clone(),
        body: html! {
            (top(site, data, number))
            h1 lang=(language_of(data)) dir="auto" {
                @match data.diff.as_ref().and_then(|diff| diff.title.as_deref()) {
                    Some(title) => { (changed::kicker(data)) (segments(title, Look::Styled)) }
                    None => { (headline(title.as_deref())) }
                }
            }
            @if let Some(info) = &data.change {
                (lead(site, data, info))
                (labels(info))
            }
            @if let Some(quiet) = change.row.quiet {
                p .about { "No alert was sent: " (log::quiet_name(quiet)) "." }
            }
            (timeline(site, &change.revisions, data.entry.as_ref().map(|entry| entry.id.as_str()), data.after.as_ref().map(|after| after.revision)))
            (around(site, change))
            @if let Some(diff) = &data.diff {
                h2 { "What was changed" }
                (differences(data, diff, Look::Styled))
            }
            h2 { "Details" }
            (facts(&details(site, data, change.archived.as_ref())))
        },
    }
}

fn top(site: &PageFrame, data: &EventData, number: ChangeNumber) -> Markup {
    html! {
        p .about {
            @if let Some(feed) = &data.feed {
                a href=(site.links.feed(&feed.name).unwrap_or_default()) { (changed::feed_name(Some(feed), 80)) }
                " · "
            }
            "change #" (number)
            @for tag in data.feed.iter().flat_map(|feed| &feed.tags) { " · " (clean::excerpt(tag, 64)) }
        }
    }
}

/// `Changed between 09:32 and 10:04, 64 min after publication · 84 % similar · +9 −10 words`.
fn lead(site: &PageFrame, data: &EventData, info: &ChangeInfo) -> Markup {
    let amount = changed::amount(info, data.diff.as_ref());
    let window = info.window;
    // Two checks within a minute look like the same time.
    let (from, to) = (
        site.view.exact(window.last_unchanged),
        site.view.exact(window.first_changed),
    );
    html! {
        p .lead {
            @if from == to {
                "First seen changed " time datetime=(window.first_changed) { b { (to) } }
            } @else {
                "Changed between " time datetime=(window.last_unchanged) { b { (from) } }
                " and " time datetime=(window.first_changed) { b { (site.view.beside(window.first_changed, window.last_unchanged)) } }
            }
            @if let Some(age) = log::age(data, info) { ", " (age) }
            @if info.similarity < 1.0 { " · " (format!("{:.0} % similar", info.similarity * 100.0)) }
            @if !amount.is_empty() { " · " (amount) }
        }
    }
}

/// The labels with their reasons, and the parts of the score.
fn labels(info: &ChangeInfo) -> Markup {
    html! {
        ul .labels {
            @for label in &info.labels {
                li {
                    span .pill { (names::label(*label)) }
                    @let why: Vec<String> = info.reasons.iter().filter(|reason| reason.label == *label)
                        .map(|reason| clean::excerpt(&reason.text, 160)).collect();
                    @if !why.is_empty() { " " (clean::excerpt(&why.join("; "), 400)) }
                }
            }
        }
        p .about {
            (info.significance.as_str()) ", score " (info.score) " of 100"
        }
    }
}

fn around(site: &PageFrame, change: &Change) -> Markup {
    let data = &change.row.event.data;
    let entry = data.entry.as_ref().map(|entry| entry.id.as_str());
    let sides = data.before.as_ref().zip(data.after.as_ref());
    html! {
        nav .paging aria-label="Other changes of this article" {
            @if let Some(number) = change.earlier { a href=(site.links.change(number).unwrap_or_default()) rel="prev" { "‹ #" (number) } }
            @if let Some(entry) = entry {
                a href=(site.links.entry(entry).unwrap_or_default()) {
                    "All " (names::count(change.revisions.len() as u64, "revision"))
                }
                @if let Some((before, after)) = sides {
                    @let link = site.links.compare(entry, before.revision, after.revision).unwrap_or_default();
                    a href=(link) { "Full text" }
                    @if !site.links.are_files() { a href={ (link) "?view=side" } { "Side by side" } }
                }
            }
            @if let Some(number) = change.later { a href=(site.links.change(number).unwrap_or_default()) rel="next" { "#" (number) " ›" } }
        }
    }
}

fn details(
    site: &PageFrame,
    data: &EventData,
    archived: Option<&Archived>,
) -> Vec<(&'static str, Markup)> {
    let mut rows = Vec::new();
    if let Some(found) = changed::address(data) {
        rows.push(("Article", address(&found)));
    }
    if let Some(archived) = archived {
        let shown = match &archived.address {
            Some(found) => address(found),
            None => html! { (archived.text()) },
        };
        rows.push(("Archived", shown));
    }
    if let Some(entry) = &data.entry {
        if let Some(published) = entry.published {
            rows.push(("Dated", html! { (site.view.exact(published)) }));
        }
        rows.push(("First seen", html! { (site.view.exact(entry.first_seen)) }));
    }
    if let Some(window) = changed::window(data) {
        rows.push((
            "Last seen unchanged",
            html! { (site.view.exact(window.last_unchanged)) },
        ));
        rows.push((
            "First seen changed",
            html! { (site.view.exact(window.first_changed)) },
        ));
        let span = when::duration(window.first_changed.since(window.last_unchanged));
        let checks = format!(
            "{} over {span}, {} failed",
            names::count(window.checks, "check"),
            window.failed_checks
        );
        rows.push(("In between", html! { (checks) }));
    }
    for (name, side) in [("Before", &data.before), ("After", &data.after)] {
        let (Some(side), Some(entry)) = (side, &data.entry) else {
            continue;
        };
        rows.push((
            name,
            html! {
                a href=(site.links.revision(&entry.id, side.revision).unwrap_or_default()) { "Revision " (side.revision) }
                ", first seen " (site.view.exact(side.seen))
                br; small { "SHA-256 of the text: " code { (clean::excerpt(&side.body_sha256, 64)) } }
            },
        ));
    }
    rows
}
