//! `feeds`: the configured feeds and their state.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::error::StoreError;
use super::known_items;
use super::reader::Reader;
use super::rules;
use super::sql;
use super::sql::{columns, limit_of};
use super::writer::{Tx, Write, Writer};
use crate::domain::ids::FeedId;
use crate::domain::outcome::{FeedPoll, Pace, PollResult, Validators};
use crate::domain::schedule::Rhythm;
use crate::time::Timestamp;

/// A feed in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredFeed {
    /// Its address, which identifies its history.
    pub url: String,
    /// Its name.
    pub name: String,
    /// The host of the address.
    pub host: String,
    /// Its schedule as text for users. A different text means a different schedule.
    pub schedule: String,
    /// Regular expressions for text that is not compared.
    pub ignore: Vec<String>,
}

/// The effect of a new configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedSync {
    /// Feeds that are new.
    pub added: usize,
    /// Feeds that are back.
    pub returned: usize,
    /// Feeds that have left the configuration; their history is kept.
    pub left: usize,
    /// Existing feeds whose next poll was planned with a different schedule from the current one.
    pub rescheduled: Vec<FeedId>,
}

/// When a feed is polled next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescheduled {
    /// Which feed.
    pub feed: FeedId,
    /// When.
    pub at: Timestamp,
    /// The reason; `None` leaves it unchanged.
    pub why: Option<String>,
    /// The schedule that was used; `None` leaves it unchanged.
    pub schedule: Option<String>,
}

/// A row of `feeds`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// The row.
    pub id: FeedId,
    /// The address in the configuration.
    pub url: String,
    /// The name in the configuration.
    pub name: String,
    /// The host of the address.
    pub host: String,
    /// Whether it is in the configuration.
    pub active: bool,
    /// When it was paused.
    pub paused: Option<Timestamp>,
    /// When it was first in the configuration.
    pub added: Timestamp,
    /// Its own title.
    pub title: Option<String>,
    /// The validators for the next conditional request.
    pub validators: Validators,
    /// When to poll next; `None` for never.
    pub next_poll: Option<Timestamp>,
    /// The reason for that time.
    pub next_why: String,
    /// The last poll, whatever its result.
    pub last_poll: Option<Timestamp>,
    /// The last poll that read the feed or found it unchanged.
    pub last_ok: Option<Timestamp>,
    /// HTTP status of the last poll.
    pub last_status: Option<u16>,
    /// The error of the last poll.
    pub last_error: Option<String>,
    /// Consecutive failures, for the backoff.
    pub failures: u32,
    /// Polls since `last_ok`, all of which failed, for the detection window.
    pub checks_since_ok: u32,
    /// The target of a permanent redirect.
    pub moved_to: Option<String>,
    /// When it was given up after repeated 410 responses.
    pub gone: Option<Timestamp>,
    /// When its first entries were stored.
    pub baseline: Option<Timestamp>,
    /// Whether its guids identify entries, once that is known.
    pub guids_trusted: Option<bool>,
    /// What its last document and the headers of its responses say about its own rhythm.
    pub pace: Pace,
    /// The earliest next poll, whatever its schedule.
    pub not_before: Option<Timestamp>,
    /// The first of the consecutive polls with a 410 response.
    pub gone_since: Option<Timestamp>,
    /// The number of those polls.
    pub gone_polls: u32,
    /// The poll at which most texts suddenly disappeared, until a second one confirms it.
    pub emptied: Option<Timestamp>,
    /// When it was reported as failing or gone, until its recovery is reported.
    pub failing_told: Option<Timestamp>,
    /// New entries that its last successful poll left to the next ones.
    pub postponed: u32,
}

columns!($ select_feed, column, "", " FROM feeds ", [
    id, url, name, host, active, paused_at, added_at, title, etag, last_modified, body_sha256, next_poll_at,
    next_why, last_poll_at, last_ok_at, last_status, last_error, failures, checks_since_ok, moved_to, gone_at,
    baseline_at, guids_trusted, ttl_ms, skip_hours, skip_days, entry_gap_ms, newest_entry_at, not_before_at,
    gone_since, gone_polls, emptied_at, lifetime_ms, failing_told_at, postponed, packed_sha256,
]);
#[expect(
    clippy::single_component_path_imports,
    reason = "so that other files can name the macro by its path"
)]
pub(super) use select_feed;

pub(super) fn feed_row(row: &Row<'_>) -> rusqlite::Result<FeedRow> {
    Ok(FeedRow {
        id: row.get(column::id)?,
        url: row.get(column::url)?,
        name: row.get(column::name)?,
        host: row.get(column::host)?,
        active: row.get(column::active)?,
        paused: row.get(column::paused_at)?,
        added: row.get(column::added_at)?,
        title: row.get(column::title)?,
        validators: Validators {
            etag: row.get(column::etag)?,
            last_modified: row.get(column::last_modified)?,
            body_sha256: row.get(column::body_sha256)?,
            packed_sha256: row
                .get::<_, Option<_>>(column::packed_sha256)?
                .map(Box::new),
        },
        next_poll: row.get(column::next_poll_at)?,
        next_why: row.get(column::next_why)?,
        last_poll: row.get(column::last_poll_at)?,
        last_ok: row.get(column::last_ok_at)?,
        last_status: row.get(column::last_status)?,
        last_error: row.get(column::last_error)?,
        failures: row.get(column::failures)?,
        checks_since_ok: row.get(column::checks_since_ok)?,
        moved_to: row.get(column::moved_to)?,
        gone: row.get(column::gone_at)?,
        baseline: row.get(column::baseline_at)?,
        guids_trusted: row.get(column::guids_trusted)?,
        pace: Pace {
            lifetime: sql::duration(row, column::lifetime_ms)?,
            ttl: sql::duration(row, column::ttl_ms)?,
            skip_hours: row.get(column::skip_hours)?,
            skip_days: row.get(column::skip_days)?,
            rhythm: match (
                sql::duration(row, column::entry_gap_ms)?,
                row.get(column::newest_entry_at)?,
            ) {
                (Some(gap), Some(newest)) => Some(Rhythm { gap, newest }),
                _ => None,
            },
        },
        not_before: row.get(column::not_before_at)?,
        gone_since: row.get(column::gone_since)?,
        gone_polls: row.get(column::gone_polls)?,
        emptied: row.get(column::emptied_at)?,
        failing_told: row.get(column::failing_told_at)?,
        postponed: row.get(column::postponed)?,
    })
}

impl Reader {
    /// Configured feeds that are due and not paused, most overdue first.
    pub fn due_feeds(&self, now: Timestamp, limit: usize) -> Result<Vec<FeedRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_feed!(
                "WHERE active = 1 AND paused_at IS NULL AND next_poll_at IS NOT NULL AND next_poll_at <= :now \
                 ORDER BY next_poll_at, id LIMIT :limit"
            ))?;
            let rows = statement.query_map(
                named_params! {":now": now, ":limit": limit_of(limit)},
                feed_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All feeds that [`due_feeds`](Self::due_feeds) would return, without their rows, by name.
    pub fn due_feed_ids(&self, now: Timestamp) -> Result<Vec<FeedId>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id FROM feeds WHERE active = 1 AND paused_at IS NULL AND next_poll_at IS NOT NULL \
                 AND next_poll_at <= ?1 ORDER BY name, id",
            )?;
            let rows = statement.query_map([now], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The configured feeds, without their rows, by name.
    pub fn active_feeds(&self) -> Result<Vec<FeedId>, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT id FROM feeds WHERE active = 1 ORDER BY name, id")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The next time a feed or a page is due; `None` if none ever is.
    pub fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT min(at) FROM ( \
                   SELECT (SELECT next_poll_at FROM feeds \
                           WHERE active = 1 AND paused_at IS NULL AND next_poll_at IS NOT NULL \
                           ORDER BY next_poll_at LIMIT 1) AS at \
                   UNION ALL \
                   SELECT (SELECT entries.page_next_at FROM entries JOIN feeds ON feeds.id = entries.feed_id \
                           WHERE entries.page_next_at IS NOT NULL AND entries.page_url IS NOT NULL \
                             AND feeds.active = 1 AND feeds.paused_at IS NULL \
                           ORDER BY entries.page_next_at LIMIT 1))",
            )?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }

    /// One feed.
    pub fn feed(&self, id: FeedId) -> Result<Option<FeedRow>, StoreError> {
        self.read(|conn| one(conn, select_feed!("WHERE id = ?1"), id))
    }

    /// The feed with an address, configured or not.
    pub fn feed_by_url(&self, url: &str) -> Result<Option<FeedRow>, StoreError> {
        self.read(|conn| one(conn, select_feed!("WHERE url = ?1"), url))
    }

    /// The feed with a name; a configured feed takes precedence over one that has left the configuration.
    pub fn feed_by_name(&self, name: &str) -> Result<Option<FeedRow>, StoreError> {
        self.read(|conn| {
            one(
                conn,
                select_feed!("WHERE name = ?1 ORDER BY active DESC, id DESC LIMIT 1"),
                name,
            )
        })
    }

    /// All feeds, including those that have left the configuration, in no order: sorting very many takes longer
    /// than reading them.
    pub fn feeds_unordered(&self) -> Result<Vec<FeedRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_feed!(""))?;
            let rows = statement.query_map([], feed_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All feeds by name: the configured ones, or also those that have left the configuration.
    pub fn feeds(&self, include_inactive: bool) -> Result<Vec<FeedRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_feed!(
                "WHERE active = 1 OR ?1 ORDER BY active DESC, name, id"
            ))?;
            let rows = statement.query_map([include_inactive], feed_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

impl Writer {
    /// Records the results of polls that have nothing else to store. Cheap: send many in one go.
    pub fn record_polls(&self, polls: Vec<FeedPoll>) -> Write<()> {
        self.write(move |tx| polls.iter().try_for_each(|poll| record_poll(tx, poll)))
    }

    /// Applies the feeds of the configuration. New feeds are due immediately. Missing ones become inactive and
    /// keep their history. Returning ones are due again, even if they were gone.
    ///
    /// It refuses if the feeds belonged to another configuration file that still exists, and feeds would become
    /// inactive: the two configurations would take the feeds from each other. `configuration` is absolute; `None`
    /// if there is no file.
    pub fn sync_feeds(
        &self,
        feeds: Vec<ConfiguredFeed>,
        configuration: Option<PathBuf>,
        now: Timestamp,
    ) -> Write<FeedSync> {
        self.write(move |tx| {
            let report = sync(tx.conn, &feeds, now)?;
            claim(tx.conn, configuration.as_deref(), report.left)?;
            Ok(report)
        })
    }

    /// Pauses a feed: neither it nor its pages are checked. Returns whether there is such a feed.
    pub fn pause_feed(&self, feed: FeedId, now: Timestamp) -> Write<bool> {
        self.write(move |tx| {
            let rows = tx
                .conn
                .prepare_cached(
                    "UPDATE feeds SET paused_at = COALESCE(paused_at, :now) WHERE id = :id",
                )?
                .execute(named_params! {":now": now, ":id": feed})?;
            Ok(rows > 0)
        })
    }

    /// Ends a pause, and restarts a feed that was gone or backing off: it is due immediately. Returns whether
    /// there is such a feed.
    pub fn resume_feed(&self, feed: FeedId, now: Timestamp) -> Write<bool> {
        self.write(move |tx| {
            let rows = tx
                .conn
                .prepare_cached(
                    "UPDATE feeds SET paused_at = NULL, gone_at = NULL, gone_since = NULL, gone_polls = 0, \
                     failures = 0, next_poll_at = :now, next_why = 'resumed' WHERE id = :id",
                )?
                .execute(named_params! {":now": now, ":id": feed})?;
            Ok(rows > 0)
        })
    }

    /// Sets the next poll of feeds after a change of schedule or a time in which nothing was polled. Feeds that
    /// are gone stay gone.
    pub fn reschedule_feeds(&self, next: Vec<Rescheduled>) -> Write<()> {
        self.write(move |tx| {
            let mut statement = tx.conn.prepare_cached(
                "UPDATE feeds SET next_poll_at = iif(gone_at IS NULL, ?2, next_poll_at), \
                 next_why = COALESCE(?3, next_why), schedule = COALESCE(?4, schedule) WHERE id = ?1",
            )?;
            for next in &next {
                statement.execute(params![next.feed, next.at, next.why, next.schedule])?;
            }
            Ok(())
        })
    }
}

fn one(
    conn: &Connection,
    sql: &str,
    key: impl rusqlite::ToSql,
) -> Result<Option<FeedRow>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.query_row([key], feed_row).optional()?)
}

/// Parameters are bound by position, since this runs for each feed of each round.
pub(super) fn record_poll(tx: &mut Tx<'_>, poll: &FeedPoll) -> Result<(), StoreError> {
    let (error, gone) = match &poll.result {
        PollResult::Ok => (None, false),
        PollResult::Failed(error) => (Some(error.as_str()), false),
        PollResult::Gone(error) => (Some(error.as_str()), true),
    };
    let rows = if error.is_none() {
        tx.conn
            .prepare_cached(
                "UPDATE feeds SET last_poll_at = ?1, last_ok_at = ?1, last_status = ?2, last_error = NULL, \
                 failures = 0, checks_since_ok = 0, gone_at = NULL, gone_since = NULL, gone_polls = 0, \
                 next_poll_at = ?3, next_why = ?4, title = COALESCE(?5, title), not_before_at = ?6, \
                 postponed = ?8 WHERE id = ?7",
            )?
            .execute(params![
                poll.at,
                poll.status,
                poll.next,
                poll.next_why,
                poll.title,
                poll.not_before,
                poll.feed,
                poll.postponed
            ])?
    } else {
        tx.conn
            .prepare_cached(
                "UPDATE feeds SET last_poll_at = ?1, last_status = ?2, last_error = ?3, failures = failures + 1, \
                 checks_since_ok = checks_since_ok + 1, next_poll_at = ?4, next_why = ?5, \
                 gone_at = CASE WHEN ?6 THEN COALESCE(gone_at, ?1) ELSE gone_at END, \
                 gone_polls = iif(?7 IS NULL, 0, gone_polls + 1), gone_since = ?7, \
                 title = COALESCE(?8, title), not_before_at = ?9 WHERE id = ?10",
            )?
            .execute(params![
                poll.at,
                poll.status,
                error,
                poll.next,
                poll.next_why,
                gone,
                poll.gone_since,
                poll.title,
                poll.not_before,
                poll.feed
            ])?
    };
    if rows == 0 {
        return Err(StoreError::Refused("a poll of a feed that does not exist"));
    }
    if let Some(pace) = &poll.pace {
        tx.conn
            .prepare_cached(
                "UPDATE feeds SET ttl_ms = ?1, skip_hours = ?2, skip_days = ?3, entry_gap_ms = ?4, \
                 newest_entry_at = ?5, lifetime_ms = ?6 WHERE id = ?7",
            )?
            .execute(params![
                pace.ttl.map(sql::millis),
                pace.skip_hours,
                pace.skip_days,
                pace.rhythm.map(|rhythm| sql::millis(rhythm.gap)),
                pace.rhythm.map(|rhythm| rhythm.newest),
                pace.lifetime.map(sql::millis),
                poll.feed
            ])?;
    }
    if let Some(to) = &poll.moved_to {
        tx.conn
            .prepare_cached("UPDATE feeds SET moved_to = ?1 WHERE id = ?2")?
            .execute(params![to, poll.feed])?;
    }
    if let Some(items) = &poll.items {
        known_items::put(tx, poll.feed, items)?;
    }
    if let Some(emptied) = poll.emptied {
        tx.conn
            .prepare_cached("UPDATE feeds SET emptied_at = ?1 WHERE id = ?2")?
            .execute(params![emptied, poll.feed])?;
    }
    if let Some(validators) = &poll.validators {
        tx.conn
            .prepare_cached(
                "UPDATE feeds SET etag = ?1, last_modified = ?2, body_sha256 = ?3, packed_sha256 = ?4 WHERE id = ?5",
            )?
            .execute(params![
                validators.etag,
                validators.last_modified,
                validators.body_sha256,
                validators.packed_sha256.as_deref(),
                poll.feed
            ])?;
    }
    Ok(())
}

/// Records that a feed was reported as failing at `since`, so that its recovery must be reported; `None` if that
/// is done.
pub(super) fn owe_recovery(
    tx: &Tx<'_>,
    feed: FeedId,
    since: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("UPDATE feeds SET failing_told_at = ?2 WHERE id = ?1")?
        .execute(params![feed, since])?;
    Ok(())
}

fn sync(
    conn: &Connection,
    feeds: &[ConfiguredFeed],
    now: Timestamp,
) -> Result<FeedSync, StoreError> {
    let mut report = FeedSync::default();
    let mut left: std::collections::HashSet<FeedId> = conn
        .prepare_cached("SELECT id FROM feeds WHERE active = 1")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for feed in feeds {
        let known: Option<(FeedId, bool, Option<String>)> = conn
            .prepare_cached("SELECT id, active, schedule FROM feeds WHERE url = ?1")?
            .query_row([&feed.url], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        match known {
            None => {
                conn.prepare_cached(
                    "INSERT INTO feeds (url, name, host, active, added_at, next_poll_at, next_why, schedule) \
                     VALUES (:url, :name, :host, 1, :now, :now, 'new', :schedule)",
                )?
                .execute(named_params! {
                    ":url": feed.url, ":name": feed.name, ":host": feed.host, ":now": now,
                    ":schedule": feed.schedule,
                })?;
                rules::sync_config(conn, FeedId(conn.last_insert_rowid()), &feed.ignore, now)?;
                report.added += 1;
            }
            Some((id, true, schedule)) => {
                left.remove(&id);
                match schedule {
                    None => {
                        conn.prepare_cached("UPDATE feeds SET schedule = ?2 WHERE id = ?1")?
                            .execute(params![id, feed.schedule])?;
                    }
                    Some(schedule) if schedule != feed.schedule => report.rescheduled.push(id),
                    Some(_) => {}
                }
                rules::sync_config(conn, id, &feed.ignore, now)?;
                conn.prepare_cached(
                    "UPDATE feeds SET name = :name, host = :host \
                     WHERE id = :id AND (name <> :name OR host <> :host)",
                )?
                .execute(named_params! {":name": feed.name, ":host": feed.host, ":id": id})?;
            }
            Some((id, false, _)) => {
                rules::sync_config(conn, id, &feed.ignore, now)?;
                conn.prepare_cached(
                    "UPDATE feeds SET name = :name, host = :host, active = 1, gone_at = NULL, gone_since = NULL, \
                     gone_polls = 0, failures = 0, next_poll_at = :now, next_why = 'back in the configuration', \
                     schedule = :schedule WHERE id = :id",
                )?
                .execute(named_params! {
                    ":name": feed.name, ":host": feed.host, ":now": now, ":id": id,
                    ":schedule": feed.schedule,
                })?;
                report.returned += 1;
            }
        }
    }
    for id in &left {
        conn.prepare_cached("UPDATE feeds SET active = 0 WHERE id = ?1")?
            .execute([id])?;
    }
    report.left = left.len();
    Ok(report)
}

/// Records which configuration owns the feeds. A configuration that does not take feeds from another one is a
/// guest, and changes nothing.
fn claim(conn: &Connection, ours: Option<&Path>, left: usize) -> Result<(), StoreError> {
    let known: Option<String> =
        conn.query_row("SELECT configuration FROM meta WHERE id = 1", [], |row| {
            row.get(0)
        })?;
    let ours_text = ours.map(|path| path.display().to_string());
    let other = known
        .as_ref()
        .filter(|known| ours_text.as_ref() != Some(known))
        .map(PathBuf::from)
        // A configuration that was moved or removed does not count.
        .filter(|other| other.is_file());
    match other {
        Some(other) if left > 0 => Err(StoreError::OtherConfiguration {
            known: other,
            feeds: left,
        }),
        Some(_) => Ok(()),
        None if ours_text.is_some() && ours_text != known => {
            conn.execute("UPDATE meta SET configuration = ?1", [ours_text])?;
            Ok(())
        }
        None => Ok(()),
    }
}
