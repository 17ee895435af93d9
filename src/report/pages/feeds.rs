//! `/feeds`: all feeds and their state.

use maud::{Markup, html};

use super::{Other, PageContent, PageFrame, Section};
use crate::report::clean;
use crate::report::csv::line;
use crate::report::feeds::{FeedStatus, FeedSummary, summary};
use crate::time::Timestamp;

/// How the table is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// As in the configuration, or by name.
    #[default]
    Name,
    /// Feeds with trouble first.
    State,
    /// Feeds with the most changes first.
    Changes,
    /// Feeds that changed last first.
    LastChange,
}

const ORDERS: [(Order, &str, &str); 4] = [
    (Order::Name, "name", "Feed"),
    (Order::State, "state", "State"),
    (Order::Changes, "changes", "Changes"),
    (Order::LastChange, "last", "Last change"),
];

impl Order {
    /// Parses the parameter of the address; anything else is the default.
    #[must_use]
    pub(crate) fn parse(word: &str) -> Self {
        let found = ORDERS.iter().find(|(_, name, _)| *name == word);
        found.map_or(Self::Name, |(order, ..)| *order)
    }

    /// Sorts feeds.
    pub(crate) fn sort(self, feeds: &mut [FeedSummary]) {
        let trouble = |row: &FeedSummary| match row.state {
            FeedStatus::Failing => 0,
            FeedStatus::Gone => 1,
            FeedStatus::Paused => 2,
            FeedStatus::New => 3,
            FeedStatus::Ok => 4,
        };
        feeds.sort_by(|one, other| {
            let by = match self {
                Self::Name => std::cmp::Ordering::Equal,
                Self::State => trouble(one).cmp(&trouble(other)),
                Self::Changes => other.changes.cmp(&one.changes),
                Self::LastChange => other.last_change.cmp(&one.last_change),
            };
            by.then_with(|| one.name.cmp(&other.name))
        });
    }
}

/// The state in one word, with the number of failures.
#[must_use]
pub(crate) fn state(row: &FeedSummary) -> Markup {
    let (class, word) = match row.state {
        FeedStatus::New => ("", "new".to_owned()),
        FeedStatus::Ok => ("good", "ok".to_owned()),
        FeedStatus::Failing => ("bad", format!("failing ×{}", row.failures.max(1))),
        FeedStatus::Gone => ("bad", "gone".to_owned()),
        FeedStatus::Paused => ("", "paused".to_owned()),
    };
    html! { span class={ "state " (class) } { (word) } }
}

/// The page.
#[must_use]
pub(crate) fn page(
    site: &PageFrame,
    feeds: &[FeedSummary],
    order: Order,
    others: Vec<Other>,
) -> PageContent {
    let head = |of: Order, name: &str, word: &str| {
        let sort = if order == of {
            Some(if of == Order::Name {
                "ascending"
            } else {
                "descending"
            })
        } else {
            None
        };
        if site.links.are_files() {
            return html! { th scope="col" { (name) } };
        }
        html! { th scope="col" aria-sort=[sort] { a href={ (site.path("/feeds")) "?sort=" (word) } { (name) } } }
    };
    PageContent {
        title: "Feeds".to_owned(),
        section: Section::Feeds,
        others,
        body: html! {
            h1 { "Feeds" }
            p .lead { (summary(feeds)) "." }
            @if feeds.is_empty() { p .empty { "No feeds are configured." } }
            @else {
                div .wide tabindex="0" role="region" aria-label="Feeds" { table {
                    thead { tr {
                        @for (of, word, name) in ORDERS { (head(of, name, word)) }
                        th scope="col" { "Articles" }
                        th scope="col" { "Last read" }
                        th scope="col" { "Next check" }
                    } }
                    tbody { @for row in feeds { (table_row(site, row)) } }
                } }
            }
        },
    }
}

fn table_row(site: &PageFrame, row: &FeedSummary) -> Markup {
    let view = &site.view;
    html! {
        tr {
            th scope="row" {
                a href=(site.links.feed(&row.name).unwrap_or_default()) { (clean::line(&row.name)) }
                @for tag in &row.tags { " " small { (clean::excerpt(tag, 64)) } }
            }
            td { (state(row)) @if let Some(error) = &row.error { br; small { (clean::excerpt(error, 120)) } } }
            td { (row.changes) }
            td { @match row.last_change { Some(at) => (view.exact(at)), None => "–" } }
            td { (row.entries) }
            td { @match row.last_ok { Some(at) => (view.relative(at)), None => "never" } }
            td { @match row.next.filter(|_| row.state != FeedStatus::Paused) { Some(at) => (view.relative(at)), None => "never" } }
        }
    }
}

/// The table as comma-separated values.
#[must_use]
pub(crate) fn csv(feeds: &[FeedSummary]) -> String {
    let mut out = line(&[
        "feed",
        "address",
        "title",
        "tags",
        "state",
        "failures",
        "error",
        "entries",
        "changes",
        "last_change",
        "last_read",
        "next_check",
    ]);
    for row in feeds {
        let state = serde_json::to_value(row.state).ok();
        let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339).unwrap_or_default();
        out.push_str(&line(&[
            &row.name,
            &row.url,
            row.title.as_deref().unwrap_or_default(),
            &row.tags.join(" "),
            state
                .as_ref()
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default(),
            &row.failures.to_string(),
            row.error.as_deref().unwrap_or_default(),
            &row.entries.to_string(),
            &row.changes.to_string(),
            &time(row.last_change),
            &time(row.last_ok),
            &time(row.next),
        ]));
    }
    out
}
