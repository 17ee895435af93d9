//! How much was edited, and how soon: counts over the changes of a time.

use std::time::Duration;

use rusqlite::params;

use super::error::StoreError;
use super::reader::Reader;
use super::sql::count;
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// What became of the articles of a feed. Changes that were kept quiet do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedStats {
    /// The feed.
    pub feed: FeedId,
    /// Its articles that were first seen in the time.
    pub articles: u64,
    /// Those of them that were edited.
    pub edited: u64,
    /// Changes in the time.
    pub changes: u64,
    /// Those that changed what the text says.
    pub substantive: u64,
    /// Those that the article does not mention.
    pub unannounced: u64,
    /// Those of a headline.
    pub headlines: u64,
}

/// One edit, for charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// When it was first seen.
    pub at: Timestamp,
    /// For the first edit of an article: the time since it was published, as claimed.
    pub delay: Option<Duration>,
}

impl Reader {
    /// The counts of one feed or of all, where there was an article or a change since.
    pub fn feed_stats(
        &self,
        since: Timestamp,
        feed: Option<FeedId>,
    ) -> Result<Vec<FeedStats>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "WITH counted AS (\
                   SELECT feed_id, count(*) AS changes, sum(significance = 'substantive') AS substantive, \
                          sum(instr(',' || labels || ',', ',unannounced,') > 0) AS unannounced, \
                          sum(instr(',' || fields || ',', ',title,') > 0) AS headlines \
                   FROM changes WHERE quiet IS NULL AND first_changed_at >= ?1 AND (?2 IS NULL OR feed_id = ?2) GROUP BY feed_id), \
                 seen AS (\
                   SELECT feed_id, count(*) AS articles, sum(last_change_at IS NOT NULL) AS edited \
                   FROM entries WHERE first_seen_at >= ?1 AND (?2 IS NULL OR feed_id = ?2) GROUP BY feed_id) \
                 SELECT f.id, COALESCE(s.articles, 0), COALESCE(s.edited, 0), COALESCE(c.changes, 0), \
                        COALESCE(c.substantive, 0), COALESCE(c.unannounced, 0), COALESCE(c.headlines, 0) \
                 FROM feeds AS f LEFT JOIN counted AS c ON c.feed_id = f.id LEFT JOIN seen AS s ON s.feed_id = f.id \
                 WHERE c.changes IS NOT NULL OR s.articles IS NOT NULL",
            )?;
            let rows = statement.query_map(params![since, feed], |row| {
                Ok(FeedStats {
                    feed: row.get(0)?,
                    articles: count(row, 1)?,
                    edited: count(row, 2)?,
                    changes: count(row, 3)?,
                    substantive: count(row, 4)?,
                    unannounced: count(row, 5)?,
                    headlines: count(row, 6)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The edits since, of one feed or of all, oldest first; quiet ones do not count. At most `most`, the newest.
    pub fn edits(
        &self,
        feed: Option<FeedId>,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<Edit>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT c.first_changed_at, iif(c.before_revision = 1, \
                        c.first_changed_at - COALESCE(e.feed_published_at, e.page_published_at), NULL) \
                 FROM changes AS c JOIN entries AS e ON e.id = c.entry_id \
                 WHERE c.quiet IS NULL AND c.first_changed_at >= ?1 AND (?2 IS NULL OR c.feed_id = ?2) \
                 ORDER BY c.first_changed_at DESC LIMIT ?3",
            )?;
            let rows = statement.query_map(params![since, feed, super::sql::limit_of(most)], |row| {
                let delay: Option<i64> = row.get(1)?;
                Ok(Edit {
                    at: row.get(0)?,
                    // What claims a date after its edit claims nothing.
                    delay: delay.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis),
                })
            })?;
            let mut edits: Vec<Edit> = rows.collect::<Result<_, _>>()?;
            edits.reverse();
            Ok(edits)
        })
    }
}
