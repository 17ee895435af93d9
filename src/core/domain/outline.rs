//! The parts of an event that a report counts: without texts, so that counting very many events is fast.

use std::time::Duration;

use super::classify::{Label, Significance};
use super::event::{Event, EventKind, Field};
use super::ids::{EntryId, EventId, FeedId, RevisionNumber};
use super::state::HeadlineSource;
use crate::time::Timestamp;

/// Labels that a reader wants to see whatever the score.
pub const NOTABLE: [Label; 4] = [
    Label::Unannounced,
    Label::Number,
    Label::Negation,
    Label::Quote,
];

/// What happened, to what, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// The event.
    pub event: EventId,
    /// The kind of event.
    pub kind: EventKind,
    /// When it was noticed.
    pub at: Timestamp,
    /// Its feed.
    pub feed: Option<FeedId>,
    /// Its entry.
    pub entry: Option<EntryId>,
    /// The weight of the change.
    pub change: Option<OutlinedChange>,
}

/// How much a change matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlinedChange {
    /// How much it matters.
    pub significance: Significance,
    /// 0–100.
    pub score: u8,
    /// Whether a headline that readers see has changed.
    pub headline: bool,
    /// Whether the article does not announce the edit.
    pub unannounced: bool,
    /// Whether it has one of the labels [`NOTABLE`].
    pub notable: bool,
    /// For the first edit of an article, how long after publication it was.
    pub first_edit: Option<Duration>,
}

impl Outline {
    /// The outline of a complete event.
    #[must_use]
    pub fn of(id: EventId, feed: Option<FeedId>, entry: Option<EntryId>, event: &Event) -> Self {
        let data = &event.data;
        let change = data.change.as_ref().map(|change| OutlinedChange {
            significance: change.significance,
            score: change.score,
            headline: change.fields.contains(&Field::Title) && is_read(&change.headlines),
            unannounced: change.labels.contains(&Label::Unannounced),
            notable: change.labels.iter().any(|label| NOTABLE.contains(label)),
            first_edit: data.before.as_ref().and_then(|before| {
                let published = data.entry.as_ref().and_then(|entry| entry.published);
                first_edit(before.revision, published, change.window.first_changed)
            }),
        });
        Self {
            event: id,
            kind: event.kind,
            at: event.timestamp,
            feed,
            entry,
            change,
        }
    }
}

/// How long after publication an article was first edited: `before` is the revision that was edited.
#[must_use]
pub fn first_edit(
    before: RevisionNumber,
    published: Option<Timestamp>,
    seen: Timestamp,
) -> Option<Duration> {
    let published = published.filter(|at| *at > Timestamp::from_unix(0) && *at < seen)?;
    (before == RevisionNumber::FIRST).then(|| seen.since(published))
}

/// Whether readers of the article see one of the headlines, not only search engines and social networks.
#[must_use]
pub fn is_read(headlines: &[HeadlineSource]) -> bool {
    headlines.is_empty()
        || headlines
            .iter()
            .any(|source| matches!(source, HeadlineSource::Feed | HeadlineSource::H1))
}
