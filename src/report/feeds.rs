//! `revisor feeds`: feeds and their state.

use serde::Serialize;

use super::clean;
use super::names;
use super::style::{Line, TextRole, cut};
use super::table::{CellSide, table};
use super::when::TimeView;
use crate::time::Timestamp;

/// A feed. Its JSON form is an element of the output of `feeds --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FeedSummary {
    /// Its name in the configuration.
    pub name: String,
    /// Its address in the configuration.
    pub url: String,
    /// Its own title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its state.
    pub state: FeedStatus,
    /// Failed polls since the last successful one.
    pub failures: u32,
    /// What went wrong at the last poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// HTTP status of the last poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its entries, including those that have left it.
    pub entries: u64,
    /// Changes of its entries, without quiet ones.
    pub changes: u64,
    /// When the newest of them was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Timestamp>,
    /// The last successful poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ok: Option<Timestamp>,
    /// New entries that its last poll left for the next ones because there were too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub postponed: u64,
    /// The next poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// The reason for that time.
    pub next_why: String,
    /// The usual interval between polls in seconds, while the feed has no trouble.
    pub interval: u64,
    /// The reason for that interval.
    pub interval_why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The state of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeedStatus {
    /// It has never been read.
    New,
    /// The last poll succeeded.
    Ok,
    /// The last poll failed.
    Failing,
    /// The server returned that it is gone.
    Gone,
    /// A user paused it.
    Paused,
}

/// A table.
#[must_use]
pub(crate) fn text(feeds: &[FeedSummary], view: &TimeView) -> String {
    let rows: Vec<Vec<Line>> = feeds.iter().map(|feed| table_row(feed, view)).collect();
    table(
        &[
            ("feed", CellSide::Left),
            ("state", CellSide::Left),
            ("entries", CellSide::Right),
            ("changes", CellSide::Right),
            ("last read", CellSide::Left),
            ("next check", CellSide::Left),
        ],
        &rows,
        view.paint,
    )
}

/// `name<TAB>address`, for scripts.
#[must_use]
pub(crate) fn oneline(feed: &FeedSummary) -> String {
    format!(
        "{}\t{}\n",
        clean::line(&feed.name),
        clean::address(&feed.url)
    )
}

fn table_row(feed: &FeedSummary, view: &TimeView) -> Vec<Line> {
    let state = match feed.state {
        FeedStatus::New => Line::new().with(TextRole::Faint, "new"),
        FeedStatus::Ok => Line::new().with(TextRole::Good, "ok"),
        FeedStatus::Failing => {
            Line::new().with(TextRole::Bad, format!("failing ×{}", feed.failures.max(1)))
        }
        FeedStatus::Gone => Line::new().with(TextRole::Bad, "gone"),
        FeedStatus::Paused => Line::new().with(TextRole::Warning, "paused"),
    };
    let last = feed
        .last_ok
        .map_or("never".to_owned(), |at| view.relative(at));
    let mut next = match (feed.state, feed.next) {
        (FeedStatus::Paused, _) | (_, None) => Line::plain("never"),
        (_, Some(at)) if at <= view.now => Line::plain("now"),
        (_, Some(at)) => Line::plain(view.relative(at)),
    };
    let why = clean::excerpt(&feed.next_why, 40);
    if !why.is_empty() && feed.next.is_some() && feed.state != FeedStatus::Paused {
        let usual = clean::excerpt(&feed.interval_why, 40);
        let usual = match usual == why || feed.interval_why.is_empty() {
            true => String::new(),
            false => format!("; usually {usual}"),
        };
        next = next.with(TextRole::Faint, format!(" ({why}{usual})"));
    }
    if let Some(error) = &feed.error {
        next = next.with(
            TextRole::Warning,
            format!("  {}", clean::excerpt(error, 80)),
        );
    }
    vec![
        Line::new().with(TextRole::Strong, cut(&clean::line(&feed.name), 32)),
        state,
        Line::plain(feed.entries.to_string()),
        Line::plain(feed.changes.to_string()),
        Line::plain(last),
        next,
    ]
}

/// `3 feeds, 1 failing`; for standard error.
#[must_use]
pub(crate) fn summary(feeds: &[FeedSummary]) -> String {
    let of = |state| feeds.iter().filter(|feed| feed.state == state).count() as u64;
    let mut text = names::count(feeds.len() as u64, "feed");
    for (count, what) in [
        (of(FeedStatus::Failing), "failing"),
        (of(FeedStatus::Gone), "gone"),
        (of(FeedStatus::Paused), "paused"),
    ] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    pub(crate) fn feed(name: &str, state: FeedStatus) -> FeedSummary {
        FeedSummary {
            name: name.into(),
            url: format!("https://{name}.example/rss.xml"),
            title: None,
            tags: vec![],
            state,
            failures: 0,
            error: None,
            status: Some(200),
            entries: 30,
            changes: 4,
            last_change: None,
            last_ok: Some(at("2026-11-23T11:56:00Z")),
            next: Some(at("2026-11-23T12:11:00Z")),
            next_why: "every 15m".into(),
            interval: 900,
            postponed: 0,
            interval_why: "every 15m".into(),
        }
    }

    #[test]
    fn the_table_says_how_each_feed_is() {
        let mut failing = feed("bbc-world", FeedStatus::Failing);
        failing.failures = 52;
        failing.error = Some("HTTP 403\u{1b}[2J".into());
        failing.next_why = "failed 52 times".into();
        let mut gone = feed("old-blog", FeedStatus::Gone);
        gone.next = None;
        gone.error = Some("HTTP 410".into());
        let mut new = feed("new", FeedStatus::New);
        new.last_ok = None;
        new.next = Some(at("2026-11-23T11:00:00Z"));
        new.entries = 0;
        new.changes = 0;
        let feeds = [feed("example-news", FeedStatus::Ok), failing, gone, new];
        assert_eq!(
            text(&feeds, &plain_view(at("2026-11-23T12:00:00Z"))),
            "\
feed          state        entries  changes  last read  next check
example-news  ok                30        4  4 min ago  in 11 min (every 15m)
bbc-world     failing ×52       30        4  4 min ago  in 11 min (failed 52 times; usually every 15m)  HTTP 403
old-blog      gone              30        4  4 min ago  never  HTTP 410
new           new                0        0  never      now (every 15m)
"
        );
        assert_eq!(summary(&feeds), "4 feeds, 1 failing, 1 gone");
    }
}
