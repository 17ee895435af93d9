//! The report of a check.

use crate::domain::ids::{ChangeNumber, EntryId, FeedId};
use crate::time::Timestamp;

/// How the poll of a feed ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedResult {
    /// There were new or changed entries, or it was the first poll.
    NewContent,
    /// The feed was read; nothing is new in it.
    Unchanged,
    /// The server said that nothing has changed.
    NotModified,
    /// It could not be read; the text is for people.
    Failed(String),
}

impl FeedResult {
    /// A short name, for metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NewContent => "new_content",
            Self::Unchanged => "unchanged",
            Self::NotModified => "not_modified",
            Self::Failed(_) => "failed",
        }
    }
}

/// The report of a feed's poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedReport {
    /// The feed.
    pub feed: FeedId,
    /// Its name in the configuration.
    pub name: String,
    /// How the poll ended.
    pub result: FeedResult,
    /// Whether the poll reached the server; if not, nothing was stored and the feed is as due as before.
    pub asked: bool,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// How its document was read; `None` if there was none.
    pub reading: Option<FeedReading>,
    /// Entries that the feed lists; zero when it was not read.
    pub entries: usize,
    /// Entries seen for the first time.
    pub new: usize,
    /// Entries that were changed.
    pub changed: usize,
    /// The numbers of the changes.
    pub changes: Vec<ChangeNumber>,
    /// Pages that were fetched with it.
    pub pages: Vec<PageReport>,
    /// How long it took.
    pub duration_ms: u64,
    /// When the feed is polled next; `None` for never.
    pub next: Option<Timestamp>,
}

/// How the document of a feed was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedReading {
    /// The names of the repairs that were needed.
    pub repairs: Vec<&'static str>,
    /// Entries over the limit, which were left out.
    pub dropped: usize,
    /// New entries that are left for the next polls because there were too many for one.
    pub postponed: usize,
}

/// How the check of a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageResult {
    /// It was read for the first time, or it reads the same.
    Unchanged,
    /// The server said that nothing has changed, or sent the same bytes.
    NotModified,
    /// It was changed.
    Changed,
    /// It could not be read as an article; the text is for people.
    Failed(String),
}

impl PageResult {
    /// A short name, for metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::NotModified => "not_modified",
            Self::Changed => "changed",
            Self::Failed(_) => "failed",
        }
    }
}

/// The report of a page's check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageReport {
    /// The entry.
    pub entry: EntryId,
    /// The address that was fetched.
    pub url: String,
    /// How the check ended.
    pub result: PageResult,
    /// The numbers of the changes.
    pub changes: Vec<ChangeNumber>,
}
