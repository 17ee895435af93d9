//! `/` and `/headlines`: changes, newest first.

use maud::{Markup, html};

use super::{Other, PageContent, PageFrame, Section, paging};
use crate::domain::classify::Label;
use crate::domain::diff::Segment;
use crate::report::changed;
use crate::report::clean;
use crate::report::html::{self, Look, headline, language_of};
use crate::report::log::LogRow;
use crate::report::names;
use crate::report::period::reasons;

/// A list of changes, as far as one page shows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeStream {
    /// Newest first.
    pub rows: Vec<LogRow>,
    /// The filter of the list, as in the form.
    pub wanted: StreamFilter,
    /// How many changes are hidden: typographic and quiet ones.
    pub hidden: u64,
    /// The address of the list including the hidden ones.
    pub with_hidden: Option<String>,
    /// The address of the newest page of the list; `None` on that page.
    pub newest: Option<String>,
    /// The address of the next page.
    pub older: Option<String>,
    /// The list in other formats.
    pub others: Vec<Other>,
    /// Names of feeds to choose from.
    pub feeds: Vec<String>,
    /// Tags to choose from.
    pub tags: Vec<String>,
}

/// The filter of a list; empty fields filter nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StreamFilter {
    /// The name of a feed.
    pub feed: String,
    /// A tag.
    pub tag: String,
    /// The lowest significance.
    pub significance: String,
    /// A label.
    pub label: String,
    /// Changes since: `2d`, `yesterday`, `2026-11-20`.
    pub since: String,
    /// Changes before.
    pub until: String,
    /// Whether to include hidden ones.
    pub all: bool,
}

impl StreamFilter {
    /// The parameters of its address, in the order of the form.
    #[must_use]
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let all = if self.all { "1" } else { "" };
        let pairs = [
            ("feed", self.feed.as_str()),
            ("tag", &self.tag),
            ("significance", &self.significance),
            ("label", &self.label),
            ("since", &self.since),
            ("until", &self.until),
            ("all", all),
        ];
        let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        given
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }
}

/// `/`: grouped by article.
#[must_use]
pub(crate) fn changes(site: &PageFrame, stream: &ChangeStream) -> PageContent {
    let title = match (stream.wanted.feed.as_str(), stream.wanted.tag.as_str()) {
        ("", "") => "Changes".to_owned(),
        ("", tag) => format!("Changes of feeds with the tag {}", clean::excerpt(tag, 64)),
        (feed, _) => format!("Changes of {}", clean::excerpt(feed, 64)),
    };
    PageContent {
        section: Section::Changes,
        others: stream.others.clone(),
        body: html! {
            h1 { (title) }
            @if !site.links.are_files() { (filter_form(site, stream)) }
            (hidden(stream))
            @if stream.rows.is_empty() { p .empty { "No changes." } }
            @for group in groups(&stream.rows) { (story(site, &group)) }
            (paging(stream.newest.as_deref(), stream.older.as_deref()))
        },
        title,
    }
}

/// The rows grouped by article, in the order of each article's newest row.
fn groups(rows: &[LogRow]) -> Vec<Vec<&LogRow>> {
    let id = |row: &LogRow| row.event.data.entry.as_ref().map(|entry| entry.id.clone());
    let mut groups: Vec<Vec<&LogRow>> = Vec::new();
    for row in rows {
        let own = groups.iter_mut().find(|group| {
            id(row).is_some() && group.first().is_some_and(|first| id(first) == id(row))
        });
        match own {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// An article with its changes.
fn story(site: &PageFrame, rows: &[&LogRow]) -> Markup {
    let Some(first) = rows.first() else {
        return html! {};
    };
    let data = &first.event.data;
    let title = changed::title(data, 300);
    let entry = data.entry.as_ref();
    html! {
        article .story {
            h2 {
                @match entry.and_then(|entry| site.links.entry(&entry.id)) {
                    Some(link) => a href=(link) { (headline(title.as_deref())) },
                    None => { (headline(title.as_deref())) }
                }
            }
            p .about {
                @if let Some(feed) = &data.feed {
                    a href=(site.links.feed(&feed.name).unwrap_or_default()) { (changed::feed_name(Some(feed), 80)) }
                }
                @if let Some(published) = entry.and_then(|entry| entry.published) {
                    " · dated " time datetime=(published) { (site.view.exact(published)) }
                }
                @if let Some(found) = changed::address(data).filter(|found| changed::is_web(found)) {
                    " · " a href=(found) rel="noreferrer nofollow" { "the article now" }
                }
            }
            @for row in rows {
                div .step { (html::step(row, &reasons(row), &site.view, &site.links)) }
            }
        }
    }
}

fn hidden(stream: &ChangeStream) -> Markup {
    html! {
        @if stream.hidden > 0 {
            p .about {
                (names::count(stream.hidden, "change")) " hidden (typographic, or below the alert threshold)"
                @if let Some(link) = &stream.with_hidden { " · " a href=(link) { "show" } }
            }
        }
    }
}

/// Labels to choose from, the most informative first.
const LABELS: [Label; 12] = [
    Label::Unannounced,
    Label::Number,
    Label::Negation,
    Label::Quote,
    Label::Name,
    Label::Attribution,
    Label::Headline,
    Label::CorrectionNotice,
    Label::Revert,
    Label::ParagraphRemoved,
    Label::ParagraphAdded,
    Label::Link,
];

fn filter_form(site: &PageFrame, stream: &ChangeStream) -> Markup {
    let wanted = &stream.wanted;
    let levels = ["minor", "substantive"];
    let labels = LABELS.map(names::label);
    html! {
        form .filters method="get" action=(site.path("/")) role="search" aria-label="Filter changes" {
            p {
                label for="feed" { "Feed" }
                input #feed name="feed" list="feeds" value=(clean::line(&wanted.feed)) autocomplete="off";
                datalist #feeds { @for feed in &stream.feeds { option value=(clean::line(feed)) {} } }
            }
            @if !stream.tags.is_empty() {
                p { label for="tag" { "Tag" } (choice("tag", "any", stream.tags.iter().map(String::as_str), &wanted.tag)) }
            }
            p { label for="significance" { "At least" } (choice("significance", "any", levels.into_iter(), &wanted.significance)) }
            p { label for="label" { "Label" } (choice("label", "any", labels.into_iter(), &wanted.label)) }
            p { label for="since" { "Since" } input #since name="since" value=(clean::line(&wanted.since)) placeholder="2d, yesterday"; }
            p { label for="all" { "Hidden too" } input #all type="checkbox" name="all" value="1" checked[wanted.all]; }
            p { button { "Filter" } }
        }
    }
}

/// A list to choose one option from.
fn choice<'a>(
    name: &str,
    none: &str,
    values: impl Iterator<Item = &'a str>,
    chosen: &str,
) -> Markup {
    html! {
        select id=(name) name=(name) {
            option value="" { (none) }
            @for value in values { option value=(clean::line(value)) selected[value == chosen] { (clean::line(value)) } }
        }
    }
}

/// `/headlines`: the old headline above the new one, for a page that stays open.
#[must_use]
pub(crate) fn headlines(site: &PageFrame, stream: &ChangeStream) -> PageContent {
    PageContent {
        title: "Headlines".to_owned(),
        section: Section::Headlines,
        others: stream.others.clone(),
        body: html! {
            h1 { "Headlines" }
            (hidden(stream))
            @if stream.rows.is_empty() { p .empty { "No headline was changed." } }
            ol .headlines { @for row in &stream.rows { li { (pair(site, row)) } } }
            (paging(stream.newest.as_deref(), stream.older.as_deref()))
        },
    }
}

fn pair(site: &PageFrame, row: &LogRow) -> Markup {
    let data = &row.event.data;
    let lang = language_of(data);
    let segments = data.diff.as_ref().and_then(|diff| diff.title.as_deref());
    let side = |keep: fn(&Segment) -> bool| -> Vec<Segment> {
        segments
            .unwrap_or_default()
            .iter()
            .filter(|segment| keep(segment))
            .cloned()
            .collect()
    };
    let old = side(|segment| !matches!(segment, Segment::Insert(_)));
    let new = side(|segment| !matches!(segment, Segment::Delete(_)));
    html! {
        p .about {
            @if let Some(number) = data.number { a href=(site.links.change(number).unwrap_or_default()) { b { "#" (number) } } " · " }
            (html::when(row, &site.view)) " · "
            @if let Some(feed) = &data.feed {
                a href=(site.links.feed(&feed.name).unwrap_or_default()) { (changed::feed_name(Some(feed), 60)) }
            }
        }
        @if segments.is_some() {
            p .old lang=(lang) dir="auto" { (html::segments(&old, Look::Styled)) }
            p .now lang=(lang) dir="auto" { (html::segments(&new, Look::Styled)) }
        } @else {
            p .now { (headline(changed::title(data, 300).as_deref())) }
            p .about { (html::what(row)) }
        }
    }
}
