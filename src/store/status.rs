//! Counts over all tables, for `status` and `feeds`.

use rusqlite::Connection;

use super::error::StoreError;
use super::feeds::{self, FeedRow};
use super::reader::Reader;
use super::sql;
use crate::domain::life::Reason;
use crate::time::Timestamp;

/// How much is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreCounts {
    /// Feeds in the configuration.
    pub feeds: u64,
    /// Of these, feeds whose last poll failed.
    pub feeds_failing: u64,
    /// Of these, paused feeds.
    pub feeds_paused: u64,
    /// Feeds that are due.
    pub feeds_due: u64,
    /// Entries, including those of feeds that have left the configuration.
    pub entries: u64,
    /// Entries whose page has a check schedule.
    pub pages_on_clock: u64,
    /// Pages that are due.
    pub pages_due: u64,
    /// Pages with a check schedule whose last check did not read a text, by reason.
    pub pages_unread: Vec<(Reason, u64)>,
    /// The newest addresses of pages without a text of their own.
    pub pages_without_text: Vec<String>,
    /// Entries whose article was taken down.
    pub removed: u64,
    /// Revisions.
    pub revisions: u64,
    /// Changes.
    pub changes: u64,
    /// Changes first seen since the requested time, except quiet ones.
    pub changes_since: u64,
    /// Captures whose body is kept.
    pub captures: u64,
    /// Deliveries that are not done.
    pub deliveries_open: u64,
    /// Deliveries that were given up.
    pub deliveries_dead: u64,
    /// Size of the database file without its WAL.
    pub bytes: u64,
}

/// How much is pending; cheap enough to be queried every few seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Active feeds whose last poll did not fail.
    pub feeds_ok: u64,
    /// Active feeds whose last poll failed.
    pub feeds_failing: u64,
    /// Paused feeds.
    pub feeds_paused: u64,
    /// Configured feeds that have been given up.
    pub feeds_gone: u64,
    /// Feeds that are due.
    pub feeds_due: u64,
    /// Of these, feeds that were already due at the requested time.
    pub feeds_late: u64,
    /// Since when the longest waiting feed has been due.
    pub feeds_due_since: Option<Timestamp>,
    /// Entries whose page has a check schedule.
    pub pages: u64,
    /// Pages that are due.
    pub pages_due: u64,
    /// Of these, pages that were already due at the requested time.
    pub pages_late: u64,
    /// Size of the database file without its WAL.
    pub bytes: u64,
}

/// A document whose text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadDocumentRow {
    /// Its address.
    pub url: String,
    /// How many checks in a row each found a different document in its place.
    pub replaced: u32,
}

/// A feed and its results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedHealth {
    /// The feed.
    pub feed: FeedRow,
    /// Its entries.
    pub entries: u64,
    /// Entries that it lists now.
    pub in_feed: u64,
    /// Changes of its entries, except quiet ones.
    pub changes: u64,
    /// When the newest of them was first seen.
    pub last_change: Option<Timestamp>,
}

/// How much is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchedCounts {
    /// Articles that are known.
    pub entries: u64,
    /// Pages that are still checked.
    pub pages_on_clock: u64,
    /// Pages whose last check did not find the text of an article.
    pub pages_unread: u64,
}

const ENTRIES: &str = "SELECT count(*) FROM entries";

const PAGES_ON_CLOCK: &str = "SELECT count(*) FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
     WHERE e.page_next_at IS NOT NULL AND e.page_url IS NOT NULL AND f.active = 1";

impl Reader {
    /// The latest time at which a feed was polled or an event was noticed; `None` before the first.
    pub fn last_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT max(at) FROM (SELECT max(last_poll_at) AS at FROM feeds \
                 UNION ALL SELECT max(created_at) FROM events)",
            )?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }

    /// Documents without a text that have a check schedule, at most `limit` of them; those that keep changing come
    /// first.
    pub fn unread_documents(&self, limit: usize) -> Result<Vec<UnreadDocumentRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT e.page_url, COALESCE(l.held_looks, 0) AS looks FROM entries AS e \
                 JOIN feeds AS f ON f.id = e.feed_id LEFT JOIN page_lives AS l ON l.entry_id = e.id \
                 WHERE e.page_reason = ?1 AND e.page_next_at IS NOT NULL AND e.page_url IS NOT NULL AND f.active = 1 \
                 ORDER BY looks DESC, e.page_url LIMIT ?2",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query_map((Reason::Document.as_str(), limit), |row| {
                Ok(UnreadDocumentRow {
                    url: row.get(0)?,
                    replaced: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Counts as of `now`; `changes_since` counts from `since`.
    pub fn counts(&self, now: Timestamp, since: Timestamp) -> Result<StoreCounts, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let count = |query: &str, at: Option<Timestamp>| -> Result<u64, StoreError> {
                let mut statement = tx.prepare_cached(query)?;
                Ok(match at {
                    Some(at) => statement.query_row([at], |row| sql::count(row, 0))?,
                    None => statement.query_row([], |row| sql::count(row, 0))?,
                })
            };
            Ok(StoreCounts {
                feeds: count("SELECT count(*) FROM feeds WHERE active = 1", None)?,
                feeds_failing: count(
                    "SELECT count(*) FROM feeds WHERE active = 1 AND last_error IS NOT NULL",
                    None,
                )?,
                feeds_paused: count(
                    "SELECT count(*) FROM feeds WHERE active = 1 AND paused_at IS NOT NULL",
                    None,
                )?,
                feeds_due: count(
                    "SELECT count(*) FROM feeds WHERE active = 1 AND paused_at IS NULL \
                     AND next_poll_at IS NOT NULL AND next_poll_at <= ?1",
                    Some(now),
                )?,
                entries: count(ENTRIES, None)?,
                pages_on_clock: count(PAGES_ON_CLOCK, None)?,
                pages_due: count(
                    "SELECT count(*) FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
                     WHERE e.page_next_at IS NOT NULL AND e.page_next_at <= ?1 AND e.page_url IS NOT NULL \
                     AND f.active = 1 AND f.paused_at IS NULL",
                    Some(now),
                )?,
                pages_unread: unread(&tx)?,
                pages_without_text: without_text(&tx)?,
                // The page of such an entry has not been read since, so the small index finds it.
                removed: count(
                    "SELECT count(*) FROM entries WHERE life = 'removed' AND page_reason IS NOT NULL",
                    None,
                )?,
                revisions: count("SELECT count(*) FROM revisions", None)?,
                changes: count("SELECT count(*) FROM changes", None)?,
                changes_since: count(
                    "SELECT count(*) FROM changes WHERE quiet IS NULL AND first_changed_at >= ?1",
                    Some(since),
                )?,
                captures: count("SELECT count(*) FROM captures WHERE body_id IS NOT NULL", None)?,
                deliveries_open: count("SELECT count(*) FROM deliveries INDEXED BY deliveries_open WHERE done_at IS NULL", None)?,
                deliveries_dead: count("SELECT count(*) FROM deliveries INDEXED BY deliveries_dead WHERE state = 'dead'", None)?,
                bytes: count(
                    "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
                    None,
                )?,
            })
        })
    }

    /// How much is watched: the part of [`StoreCounts`] that a report shows.
    pub fn watched(&self) -> Result<WatchedCounts, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let count = |query: &str| -> Result<u64, StoreError> {
                let mut statement = tx.prepare_cached(query)?;
                Ok(statement.query_row([], |row| sql::count(row, 0))?)
            };
            Ok(WatchedCounts {
                entries: count(ENTRIES)?,
                pages_on_clock: count(PAGES_ON_CLOCK)?,
                pages_unread: unread(&tx)?.into_iter().map(|(_, pages)| pages).sum(),
            })
        })
    }

    /// How much is pending at `now`, and how much of it was already due at `late`.
    pub fn backlog(&self, now: Timestamp, late: Timestamp) -> Result<Backlog, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let mut backlog = tx
                .prepare_cached(
                    "SELECT count(*) FILTER (WHERE paused_at IS NULL AND next_poll_at IS NOT NULL AND last_error IS NULL), \
                            count(*) FILTER (WHERE paused_at IS NULL AND next_poll_at IS NOT NULL AND last_error IS NOT NULL), \
                            count(*) FILTER (WHERE paused_at IS NOT NULL), \
                            count(*) FILTER (WHERE paused_at IS NULL AND next_poll_at IS NULL), \
                            count(*) FILTER (WHERE paused_at IS NULL AND next_poll_at <= ?1), \
                            count(*) FILTER (WHERE paused_at IS NULL AND next_poll_at <= ?2), \
                            min(next_poll_at) FILTER (WHERE paused_at IS NULL AND next_poll_at <= ?1) \
                     FROM feeds WHERE active = 1",
                )?
                .query_row([now, late], |row| {
                    Ok(Backlog {
                        feeds_ok: sql::count(row, 0)?,
                        feeds_failing: sql::count(row, 1)?,
                        feeds_paused: sql::count(row, 2)?,
                        feeds_gone: sql::count(row, 3)?,
                        feeds_due: sql::count(row, 4)?,
                        feeds_late: sql::count(row, 5)?,
                        feeds_due_since: row.get(6)?,
                        ..Backlog::default()
                    })
                })?;
            (backlog.pages, backlog.pages_due, backlog.pages_late) = tx
                .prepare_cached(
                    "SELECT count(*), count(*) FILTER (WHERE e.page_next_at <= ?1 AND f.paused_at IS NULL), \
                            count(*) FILTER (WHERE e.page_next_at <= ?2 AND f.paused_at IS NULL) \
                     FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
                     WHERE e.page_next_at IS NOT NULL AND e.page_url IS NOT NULL AND f.active = 1",
                )?
                .query_row([now, late], |row| {
                    Ok((sql::count(row, 0)?, sql::count(row, 1)?, sql::count(row, 2)?))
                })?;
            backlog.bytes = tx
                .prepare_cached("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")?
                .query_row([], |row| sql::count(row, 0))?;
            Ok(backlog)
        })
    }

    /// All feeds by name with their results: the configured ones, or also those that have left the configuration.
    pub fn feed_health(&self, include_inactive: bool) -> Result<Vec<FeedHealth>, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let rows: Vec<FeedRow> = tx
                .prepare_cached(feeds::select_feed!(
                    "WHERE active = 1 OR ?1 ORDER BY active DESC, name, id"
                ))?
                .query_map([include_inactive], feeds::feed_row)?
                .collect::<Result<_, _>>()?;
            rows.into_iter().map(|feed| health(&tx, feed)).collect()
        })
    }

    /// The same for one feed.
    pub fn health_of(&self, feed: FeedRow) -> Result<FeedHealth, StoreError> {
        self.read(|conn| health(conn, feed))
    }
}

/// A feed with its results.
fn health(conn: &Connection, feed: FeedRow) -> Result<FeedHealth, StoreError> {
    let (entries, in_feed) = conn
                        .prepare_cached(
                            "SELECT (SELECT count(*) FROM entries WHERE feed_id = ?1), \
                                    (SELECT count(*) FROM entries WHERE feed_id = ?1 AND in_feed = 1)",
                        )?
                        .query_row([feed.id], |row| Ok((sql::count(row, 0)?, sql::count(row, 1)?)))?;
    let (changes, last_change) = conn
        .prepare_cached(
            "SELECT count(*), max(first_changed_at) FROM changes \
                             WHERE feed_id = ?1 AND quiet IS NULL",
        )?
        .query_row([feed.id], |row| Ok((sql::count(row, 0)?, row.get(1)?)))?;
    Ok(FeedHealth {
        feed,
        entries,
        in_feed,
        changes,
        last_change,
    })
}

/// The most pages without a text that are named.
const PAGES_NAMED: u32 = 5;

/// The first addresses of pages that have no text of their own, or show one that is not theirs.
fn without_text(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.page_url FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
         WHERE e.page_reason IN ('no_text', 'not_article') AND e.page_next_at IS NOT NULL AND f.active = 1 \
         AND e.page_url IS NOT NULL ORDER BY e.id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([PAGES_NAMED], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Pages whose last check did not read a text, by reason, most frequent first.
fn unread(conn: &Connection) -> Result<Vec<(Reason, u64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.page_reason, count(*) AS pages FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
         WHERE e.page_reason IS NOT NULL AND e.page_next_at IS NOT NULL AND f.active = 1 \
         GROUP BY e.page_reason ORDER BY pages DESC, e.page_reason",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, sql::count(row, 1)?))
    })?;
    let mut unread = Vec::new();
    for row in rows {
        let (name, pages) = row?;
        unread.extend(Reason::parse(&name).map(|reason| (reason, pages)));
    }
    Ok(unread)
}
