//! How much was edited, and how soon: counts of the changes in a period.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::ToSql;

use super::error::StoreError;
use super::reader::Reader;
use super::sql::{count, json_word};
use crate::domain::classify::{Label, Significance};
use crate::domain::ids::FeedId;
use crate::domain::outline::first_edit;
use crate::time::Timestamp;

/// Statistics on the articles of a feed. Quiet changes do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedStats {
    /// The feed.
    pub feed: FeedId,
    /// Articles that were first seen in the period.
    pub articles: u64,
    /// Those of them that were edited.
    pub edited: u64,
    /// Changes in the period.
    pub changes: u64,
    /// Changes of what the text says.
    pub substantive: u64,
    /// Changes that the article does not mention.
    pub unannounced: u64,
    /// Changes of a headline.
    pub headlines: u64,
}

/// One edit, for charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditPoint {
    /// When it was first seen.
    pub at: Timestamp,
    /// For the first edit of an article: the time since its claimed publication.
    pub delay: Option<Duration>,
}

impl Reader {
    /// The counts of one feed or of all, for feeds with an article or a change since then. Each edit is passed to
    /// `take`. Changes are read from an index alone; those stored before that index had a column for headlines do
    /// not count as changes of a headline.
    pub fn feed_stats(
        &self,
        since: Timestamp,
        feed: Option<FeedId>,
        mut take: impl FnMut(EditPoint),
    ) -> Result<Vec<FeedStats>, StoreError> {
        // One statement for both cases would be planned for all feeds.
        let own = feed.map_or("", |_| " AND feed_id = ?2");
        let values: Vec<&dyn ToSql> = match &feed {
            Some(feed) => vec![&since, feed],
            None => vec![&since],
        };
        let unannounced = json_word(&Label::Unannounced);
        let mut found: BTreeMap<FeedId, FeedStats> = BTreeMap::new();
        self.read(|conn| {
            let mut articles = conn.prepare_cached(&format!(
                "SELECT feed_id, count(*), sum(last_change_at IS NOT NULL) FROM entries \
                 WHERE first_seen_at >= ?1{own} GROUP BY feed_id"
            ))?;
            let mut rows = articles.query(values.as_slice())?;
            while let Some(row) = rows.next()? {
                let feed: FeedId = row.get(0)?;
                let stats = found.entry(feed).or_insert(FeedStats::of(feed));
                (stats.articles, stats.edited) = (count(row, 1)?, count(row, 2)?);
            }
            let mut changes = conn.prepare_cached(&format!(
                "SELECT feed_id, significance, labels, headline, before_revision, published_at, first_changed_at \
                 FROM changes WHERE quiet IS NULL AND noticed_at >= ?1{own}"
            ))?;
            let mut rows = changes.query(values.as_slice())?;
            while let Some(row) = rows.next()? {
                let feed: FeedId = row.get(0)?;
                let stats = found.entry(feed).or_insert(FeedStats::of(feed));
                stats.changes += 1;
                let is = |column: usize, word: &str| -> Result<bool, StoreError> {
                    let text = row.get_ref(column)?.as_str().unwrap_or_default();
                    Ok(text.split(',').any(|one| one == word))
                };
                stats.substantive += u64::from(is(1, Significance::Substantive.as_str())?);
                stats.unannounced += u64::from(is(2, &unannounced)?);
                stats.headlines += u64::from(row.get::<_, Option<bool>>(3)?.unwrap_or(false));
                let at = row.get(6)?;
                take(EditPoint {
                    at,
                    delay: first_edit(row.get(4)?, row.get(5)?, at),
                });
            }
            Ok(())
        })?;
        Ok(found.into_values().collect())
    }
}

impl FeedStats {
    fn of(feed: FeedId) -> Self {
        Self {
            feed,
            articles: 0,
            edited: 0,
            changes: 0,
            substantive: 0,
            unannounced: 0,
            headlines: 0,
        }
    }
}
