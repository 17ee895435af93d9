//! `revisor entries`: articles and their state.

use serde::Serialize;

use super::clean;
use super::names;
use super::style::{Line, TextRole, cut};
use super::when::TimeView;
use crate::domain::ids::RevisionNumber;
use crate::time::Timestamp;

/// An article. Its JSON form is an element of the output of `entries --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EntryRow {
    /// Its identifier, `ent_…`.
    pub id: String,
    /// The name of its feed.
    pub feed: String,
    /// Its newest headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its state.
    pub state: ArticleStatus,
    /// The number of its newest revision.
    pub revision: RevisionNumber,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When its newest change was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Timestamp>,
    /// When its page is checked next; absent if it is no longer checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_check: Option<Timestamp>,
}

/// The state of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ArticleStatus {
    /// Its feed lists it.
    Listed,
    /// It is a single watched page that no feed lists.
    Watched,
    /// Its feed no longer lists it.
    LeftFeed,
    /// The last check did not find its page, but its removal is not confirmed yet.
    NotFound,
    /// It was removed.
    Removed,
}

impl ArticleStatus {
    fn line(self) -> Line {
        match self {
            Self::Listed => Line::new().with(TextRole::Good, "in feed"),
            Self::Watched => Line::new().with(TextRole::Good, "watched page"),
            Self::LeftFeed => Line::new().with(TextRole::Faint, "left feed"),
            Self::NotFound => Line::new().with(TextRole::Warning, "not found"),
            Self::Removed => Line::new().with(TextRole::Bad, "removed"),
        }
    }
}

/// Two lines: the headline; identifier, feed, state, revisions.
#[must_use]
pub(crate) fn text(row: &EntryRow, view: &TimeView) -> String {
    let changed = match row.last_change {
        Some(at) => format!("changed {}", view.moment(at)),
        None => format!("first seen {}", view.moment(row.first_seen)),
    };
    let about = Line::new()
        .with(TextRole::Faint, clean::line(&row.id))
        .with(
            TextRole::Plain,
            format!("  {}  ", cut(&clean::excerpt(&row.feed, 60), 24)),
        )
        .and(row.state.line())
        .with(
            TextRole::Plain,
            format!("  {}, {changed}", names::count(row.revision.0, "revision")),
        );
    let mut out = Line::new()
        .with(TextRole::Strong, title(row))
        .wrap("", "  ", view.paint);
    out.push_str(&about.wrap("  ", "  ", view.paint));
    out
}

/// `id<TAB>address<TAB>headline`, for scripts.
#[must_use]
pub(crate) fn oneline(row: &EntryRow) -> String {
    let url = row.url.as_deref().map(clean::address).unwrap_or_default();
    format!("{}\t{url}\t{}\n", clean::line(&row.id), title(row))
}

fn title(row: &EntryRow) -> String {
    let title = row.title.as_deref().map(|title| clean::excerpt(title, 300));
    title
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| names::NO_HEADLINE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    #[test]
    fn an_article_takes_two_lines_or_one() {
        let row = EntryRow {
            id: "ent_42".into(),
            feed: "example-news".into(),
            title: Some("Bridge\topen".into()),
            url: Some("https://news.example/a".into()),
            state: ArticleStatus::Removed,
            revision: RevisionNumber(3),
            first_seen: at("2026-11-20T09:00:00Z"),
            last_change: Some(at("2026-11-23T09:04:12Z")),
            next_check: None,
        };
        assert_eq!(
            text(&row, &plain_view(at("2026-11-23T12:00:00Z"))),
            "Bridge open\n  ent_42  example-news  removed  3 revisions, changed today 09:04\n"
        );
        assert_eq!(
            oneline(&row),
            "ent_42\thttps://news.example/a\tBridge open\n"
        );
    }
}
