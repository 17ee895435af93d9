//! `/f/NAME`: one feed.

use maud::{Markup, html};

use super::feeds::state;
use super::stats::{FeedNumbers, Times};
use super::{Other, PageContent, PageFrame, Section, facts};
use crate::report::clean;
use crate::report::feeds::FeedSummary;
use crate::report::html::{address, card};
use crate::report::log::LogRow;
use crate::report::names;
use crate::report::period::reasons;
use crate::report::when;
use crate::time::Timestamp;

/// A rule that is in force for a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleLine {
    /// The text, or the regular expression.
    pub pattern: String,
    /// Where it comes from: `learned`, `person`, `config`.
    pub origin: &'static str,
    /// Since when.
    pub since: Timestamp,
}

/// A feed and everything known about it.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    /// The feed.
    pub row: FeedSummary,
    /// Its counts; `None` if nothing happened.
    pub numbers: Option<FeedNumbers>,
    /// When its articles were edited.
    pub times: Times,
    /// The first rules for ignored text of this feed.
    pub rules: Vec<RuleLine>,
    /// The total number of rules.
    pub all_rules: usize,
    /// Its newest changes.
    pub newest: Vec<LogRow>,
    /// The list of all its changes.
    pub all_changes: String,
    /// That list in other formats.
    pub others: Vec<Other>,
}

/// The page.
#[must_use]
pub(crate) fn page(site: &PageFrame, feed: &Feed) -> PageContent {
    let row = &feed.row;
    let title = row.title.as_deref().map(|title| clean::excerpt(title, 120));
    let title = title
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| clean::excerpt(&row.name, 64));
    PageContent {
        section: Section::Feeds,
        others: feed.others.clone(),
        body: html! {
            h1 dir="auto" { (title) }
            (facts(&about(site, feed)))
            (feed.times.by_day())
            h2 { "Newest changes" }
            @if feed.newest.is_empty() { p .empty { "No changes." } }
            @for row in &feed.newest { (card(row, &reasons(row), &site.view, &site.links)) }
            @if !feed.newest.is_empty() { p { a href=(feed.all_changes) { "All changes of this feed" } } }
            (rules(site, feed))
        },
        title,
    }
}

fn about(site: &PageFrame, feed: &Feed) -> Vec<(&'static str, Markup)> {
    let (row, view) = (&feed.row, &site.view);
    let mut rows = vec![
        ("Name", html! { (clean::line(&row.name)) }),
        ("Address", address(&row.url)),
    ];
    if !row.tags.is_empty() {
        let tags: Vec<String> = row.tags.iter().map(|tag| clean::excerpt(tag, 64)).collect();
        rows.push(("Tags", html! { (tags.join(", ")) }));
    }
    rows.push((
        "State",
        html! {
            (state(row))
            @if let Some(error) = &row.error { " " (clean::excerpt(error, 200)) }
            @match row.last_ok { Some(at) => { ", last read " (view.relative(at)) } None => ", never read" }
        },
    ));
    rows.push((
        "Schedule",
        html! {
            (clean::excerpt(&row.interval_why, 200))
            @if let Some(next) = row.next { ", next " (view.relative(next)) @if !row.next_why.is_empty() && row.next_why != row.interval_why { " (" (clean::excerpt(&row.next_why, 120)) ")" } }
        },
    ));
    let all = format!(
        "{}, {}",
        names::count(row.entries, "article"),
        names::count(row.changes, "change")
    );
    rows.push(("In all", html! { (all) }));
    if let Some(numbers) = &feed.numbers {
        let share = (numbers.edited * 100).checked_div(numbers.articles);
        let recent = format!(
            "{}, {}{}",
            names::count(numbers.changes, "change"),
            names::count(numbers.articles, "new article"),
            share
                .map(|share| format!(", {share} % of them edited"))
                .unwrap_or_default()
        );
        rows.push(("Last 30 days", html! { (recent) }));
    }
    if let Some(median) = feed.times.median_delay() {
        rows.push((
            "First edit",
            html! { "half of them within " (when::duration(median)) " of publication" },
        ));
    }
    rows
}

fn rules(site: &PageFrame, feed: &Feed) -> Markup {
    html! {
        @if !feed.rules.is_empty() {
            h2 { "Ignored text" }
            p .about { (names::count(feed.all_rules as u64, "rule")) " in force: text of these pages that is not compared." }
            ul {
                @for rule in &feed.rules {
                    li { span dir="auto" { (clean::excerpt(&rule.pattern, 120)) } " " small { (rule.origin) ", since " (site.view.exact(rule.since)) } }
                }
            }
            @if feed.all_rules > feed.rules.len() { p .about { "revisor rules lists all." } }
        }
    }
}
