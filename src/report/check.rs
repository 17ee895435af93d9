//! `revisor check`: one line per feed, and the JSON form, which is a contract.

use serde::{Deserialize, Serialize};

use super::clean;
use super::names;
use super::style::{Line, TextRole, cut};
use super::when::{self, TimeView};
use crate::domain::ids::ChangeNumber;

/// The result of a check. Its JSON form is the output of `check --json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// The feeds that were polled.
    pub feeds: Vec<CheckedFeed>,
    /// The checks of pages.
    pub pages: CheckedPages,
    /// The changes that were found.
    pub changes: Vec<ChangeNumber>,
}

/// A feed that was polled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedFeed {
    /// Its name.
    pub feed: String,
    /// How the poll ended.
    pub outcome: CheckOutcome,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// Entries that the feed lists.
    pub entries: u64,
    /// Entries that were seen for the first time.
    pub new: u64,
    /// New entries that are left for the next polls because there were too many in one poll.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub postponed: u64,
    /// Entries that were changed.
    pub changed: u64,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

/// How a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The content of the feed differs from the last poll.
    NewContent,
    /// The feed was sent in full and has not changed.
    Unchanged,
    /// The server reports that the feed has not changed.
    NotModified,
    /// It could not be read.
    Failed,
}

/// Checks of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckedPages {
    /// Pages that were checked.
    pub checked: u64,
    /// Pages that have not changed according to their server.
    pub not_modified: u64,
    /// Pages with changes.
    pub changed: u64,
    /// Pages that could not be read.
    pub failed: u64,
}

impl CheckReport {
    /// Whether some feeds failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.feeds
            .iter()
            .any(|feed| feed.outcome == CheckOutcome::Failed)
    }
}

/// One line; `width` is the width of the name column.
#[must_use]
pub(crate) fn line(feed: &CheckedFeed, width: usize, view: &TimeView) -> String {
    let paint = view.paint;
    let (role, mark) = match feed.outcome {
        CheckOutcome::Failed => (TextRole::Bad, "✗ "),
        _ if feed.new > 0 || feed.changed > 0 => (TextRole::Good, "✓ "),
        _ => (TextRole::Faint, "= "),
    };
    let status = feed
        .status
        .map_or("—".to_owned(), |status| status.to_string());
    let mut line = Line::new()
        .with(role, mark)
        .and(Line::plain(cut(&clean::line(&feed.feed), width)).padded(width, paint))
        .and(Line::plain(format!("  {status}")).padded(7, paint));
    line = match feed.outcome {
        CheckOutcome::Failed => {
            let error = feed.error.as_deref().unwrap_or("failed");
            line.with(TextRole::Bad, clean::excerpt(error, 200))
        }
        CheckOutcome::NotModified => line.with(TextRole::Faint, "not modified"),
        CheckOutcome::Unchanged => line.with(TextRole::Faint, "unchanged"),
        CheckOutcome::NewContent => {
            let mut counts = vec![entries(feed.entries)];
            if feed.new > 0 {
                counts.push(format!("{} new", feed.new));
            }
            if feed.postponed > 0 {
                counts.push(format!("{} more in the next polls", feed.postponed));
            }
            if feed.changed > 0 {
                counts.push(format!("{} changed", feed.changed));
            }
            line.with(TextRole::Plain, counts.join("  "))
        }
    };
    let line = line.padded(width + 40, paint);
    let line = line.with(
        TextRole::Faint,
        format!("  {}", when::took(feed.duration_ms)),
    );
    format!("{}\n", line.paint(paint))
}

/// The width that [`line`] needs for these feeds.
#[must_use]
pub(crate) fn name_width<'a>(names: impl IntoIterator<Item = &'a str>) -> usize {
    names
        .into_iter()
        .map(|name| super::style::columns(&clean::line(name)))
        .max()
        .unwrap_or(0)
        .clamp(8, 36)
}

/// `3 feeds · 20 pages · 1 new · 1 changed · 1 failed · 0.4 s`.
#[must_use]
pub(crate) fn summary(report: &CheckReport, elapsed_ms: u64) -> String {
    let total = |of: fn(&CheckedFeed) -> u64| report.feeds.iter().map(of).sum::<u64>();
    let failed = total(|feed| u64::from(feed.outcome == CheckOutcome::Failed));
    let mut parts = vec![names::count(report.feeds.len() as u64, "feed")];
    if report.pages.checked > 0 {
        parts.push(names::count(report.pages.checked, "page"));
    }
    parts.push(format!("{} new", total(|feed| feed.new)));
    parts.push(names::count(report.changes.len() as u64, "change"));
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if report.pages.failed > 0 {
        parts.push(format!(
            "{} failed",
            names::count(report.pages.failed, "page")
        ));
    }
    parts.push(when::took(elapsed_ms));
    parts.join(" · ")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn entries(count: u64) -> String {
    if count == 1 {
        "1 entry".to_owned()
    } else {
        format!("{count} entries")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    fn report() -> CheckReport {
        let feed = |name: &str, outcome, status| CheckedFeed {
            feed: name.into(),
            outcome,
            status,
            entries: 30,
            new: 0,
            postponed: 0,
            changed: 0,
            error: None,
            duration_ms: 88,
        };
        let mut news = feed("example-news", CheckOutcome::NewContent, Some(200));
        news.new = 1;
        news.changed = 1;
        news.duration_ms = 1212;
        let mut blog = feed("old-blog", CheckOutcome::Failed, None);
        blog.error = Some("cannot connect\n\u{1b}[2J".into());
        blog.entries = 0;
        CheckReport {
            feeds: vec![
                news,
                feed("guardian", CheckOutcome::NotModified, Some(304)),
                blog,
            ],
            pages: CheckedPages {
                checked: 20,
                ..CheckedPages::default()
            },
            changes: vec![ChangeNumber(412)],
        }
    }

    #[test]
    fn each_feed_has_a_line_of_its_own() {
        let report = report();
        let view = plain_view(at("2026-11-23T12:00:00Z"));
        let width = name_width(report.feeds.iter().map(|feed| feed.feed.as_str()));
        let text: String = report
            .feeds
            .iter()
            .map(|feed| line(feed, width, &view))
            .collect();
        assert_eq!(
            text,
            "\
✓ example-news  200  30 entries  1 new  1 changed     1.2 s
= guardian      304  not modified                     88 ms
✗ old-blog      —    cannot connect                   88 ms
"
        );
        assert_eq!(
            summary(&report, 412),
            "3 feeds · 20 pages · 1 new · 1 change · 1 failed · 412 ms"
        );
        assert!(report.has_failures());
    }

    #[test]
    fn the_machine_form_is_the_contract() {
        let value = serde_json::to_value(report()).unwrap();
        let expected = serde_json::json!({
            "feed": "example-news", "outcome": "new_content", "status": 200, "entries": 30, "new": 1, "changed": 1,
            "error": null, "duration_ms": 1212
        });
        assert_eq!(value["feeds"][0], expected);
        assert_eq!(
            value["pages"],
            serde_json::json!({"checked": 20, "not_modified": 0, "changed": 0, "failed": 0})
        );
        assert_eq!(value["changes"], serde_json::json!([412]));
        let outcomes: Vec<_> = ["new_content", "unchanged", "not_modified", "failed"]
            .iter()
            .map(|name| serde_json::from_value::<CheckOutcome>((*name).into()).is_ok())
            .collect();
        assert_eq!(outcomes, [true; 4]);
        let back: CheckReport = serde_json::from_value(value).unwrap();
        assert_eq!(back, report());
    }
}
