//! What could not be watched: a feed without changes may be quiet, or may not have been read.

use serde::Serialize;

use crate::report::clean;
use crate::report::names;
use crate::report::when::{self, TimeView};
use crate::time::Timestamp;

/// What could not be watched, as of the end of the period.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Coverage {
    /// Feeds that were read without trouble.
    pub feeds_ok: u64,
    /// Feeds with a gap, the longest first.
    pub gaps: Vec<FeedGap>,
    /// Pages that are due and have not been checked.
    pub pages_late: u64,
    /// Pages whose last check found no article text: errors, walls, missing pages.
    pub pages_unread: u64,
    /// Since when this machine cannot reach any site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline_since: Option<Timestamp>,
}

/// A feed that is not fully watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FeedGap {
    /// Its name.
    pub feed: String,
    /// What is wrong.
    pub state: FeedCoverage,
    /// The last successful poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Polls that failed since then.
    pub missed: u64,
    /// What went wrong at the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why a feed is not fully watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeedCoverage {
    /// The last poll failed.
    Failing,
    /// Its server returned that it is permanently gone.
    Gone,
    /// It has never been read.
    NeverRead,
    /// It is due but has not been polled.
    Late,
    /// A user paused it.
    Paused,
}

impl FeedCoverage {
    /// The word for people.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::NeverRead => "never read",
            Self::Late => "late",
            Self::Paused => "paused",
        }
    }
}

impl FeedGap {
    /// `failing since 2026-11-20 10:04 (3 d): 14 polls failed, last: connection refused`.
    pub(super) fn sentence(&self, view: &TimeView) -> String {
        let mut text = self.state.as_str().to_owned();
        if let Some(since) = self.since {
            let long = when::duration(view.now.since(since));
            text = format!("{text}, last read {} ({long} ago)", view.exact(since));
        }
        if self.missed > 0 {
            text = format!("{text}, {} failed", names::count(self.missed, "poll"));
        }
        match &self.error {
            Some(error) => format!("{text}: {}", clean::excerpt(error, 160)),
            None => text,
        }
    }
}

impl Coverage {
    /// Facts about all feeds and pages together, one sentence each.
    pub(super) fn sentences(&self, view: &TimeView) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(since) = self.offline_since {
            let since = view.exact(since);
            lines.push(format!(
                "This machine has been offline since {since}; checks are postponed."
            ));
        }
        let all = self.feeds_ok + self.gaps.len() as u64;
        lines.push(match (all, self.gaps.len()) {
            (0, _) => "No feeds are configured.".to_owned(),
            (_, 0) => format!("{} read as scheduled.", names::count(all, "feed")),
            (_, gaps) => format!(
                "{gaps} of {} not read as scheduled.",
                names::count(all, "feed")
            ),
        });
        if self.pages_late > 0 {
            let late = names::count(self.pages_late, "page");
            lines.push(format!("{late} overdue for a check."));
        }
        if self.pages_unread > 0 {
            let unread = names::count(self.pages_unread, "page");
            lines.push(format!(
                "{unread} without readable text at the last check (revisor status)."
            ));
        }
        lines
    }
}
