//! All revisions and all responses, one by one in the order in which they were stored, for exports.

use rusqlite::{Row, named_params};

use super::captures;
use super::error::StoreError;
use super::events;
use super::reader::Reader;
use super::sql::{feed_list, parse_channels};
use super::states;
use crate::domain::chain::StoredCapture;
use crate::domain::event::Event;
use crate::domain::ids::{CaptureId, FeedId, RevisionNumber};
use crate::domain::state::{Channel, EntryState};
use crate::time::Timestamp;

/// Which revisions or responses to export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportFilter {
    /// Seen at this moment or later.
    pub since: Option<Timestamp>,
    /// Seen before this moment.
    pub until: Option<Timestamp>,
    /// Only of these feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Only rows after this one, as [`ExportedRevision::row`] counts them.
    pub after: i64,
}

/// A revision with its entry and feed.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedRevision {
    /// Its position in the order in which revisions were stored; a later export continues after it.
    pub row: i64,
    /// `ent_…`.
    pub entry: String,
    /// The name of its feed.
    pub feed: String,
    /// The address of its feed.
    pub feed_url: String,
    /// Its number within the entry.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Which channels brought it.
    pub channels: Vec<Channel>,
    /// The event of the change that led to it; `None` for a first snapshot.
    pub event: Option<Event>,
    /// Its content; `None` if its text is not kept any more.
    pub state: Option<EntryState>,
}

const REVISIONS: &str = "SELECT v.id, v.uid, v.bytes, v.body, r.id AS row, e.public_id, f.name, f.url, r.number, r.seen_at, \
     r.channels, r.state_id FROM revisions AS r JOIN entries AS e ON e.id = r.entry_id JOIN feeds AS f ON f.id = e.feed_id \
     LEFT JOIN changes AS c ON c.entry_id = r.entry_id AND c.after_revision = r.number \
     LEFT JOIN events AS v ON v.id = c.event_id \
     WHERE r.id > :after AND (:since IS NULL OR r.seen_at >= :since) AND (:until IS NULL OR r.seen_at < :until) \
     AND (:feeds IS NULL OR e.feed_id IN (SELECT value FROM json_each(:feeds))) ORDER BY r.id";

const CAPTURES: &str = "SELECT c.id FROM captures AS c \
     WHERE (:since IS NULL OR c.fetched_at >= :since) AND (:until IS NULL OR c.fetched_at < :until) \
     AND (:feeds IS NULL OR c.feed_id IN (SELECT value FROM json_each(:feeds))) ORDER BY c.id";

impl Reader {
    /// Passes the revisions that match a filter to `take`, in the order in which they were stored; stops when it
    /// returns `false`.
    pub fn each_revision(
        &self,
        filter: &ExportFilter,
        mut take: impl FnMut(ExportedRevision) -> bool,
    ) -> Result<(), StoreError> {
        let feeds = filter.feeds.as_deref().map(feed_list);
        self.read(|conn| {
            let mut statement = conn.prepare_cached(REVISIONS)?;
            let mut rows = statement.query(named_params! {
                ":after": filter.after, ":since": filter.since, ":until": filter.until, ":feeds": feeds
            })?;
            while let Some(row) = rows.next()? {
                let mut revision = revision_row(row)?;
                revision.state = states::find(conn, row.get("state_id")?)?;
                if !take(revision) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// How many revisions match a filter.
    pub fn count_revisions(&self, filter: &ExportFilter) -> Result<u64, StoreError> {
        self.count_export(&format!("SELECT count(*) FROM ({REVISIONS})"), filter, true)
    }

    /// Passes the responses that match a filter to `take`, in the order in which they were stored; stops when it
    /// returns `false`.
    pub fn each_capture(
        &self,
        filter: &ExportFilter,
        mut take: impl FnMut(StoredCapture) -> bool,
    ) -> Result<(), StoreError> {
        let feeds = filter.feeds.as_deref().map(feed_list);
        self.read(|conn| {
            let mut statement = conn.prepare_cached(CAPTURES)?;
            let mut rows = statement.query(named_params! {
                ":since": filter.since, ":until": filter.until, ":feeds": feeds
            })?;
            while let Some(row) = rows.next()? {
                let id: CaptureId = row.get(0)?;
                // Retention may delete one while the others are read.
                if let Some(capture) = captures::get(conn, id)?
                    && !take(capture)
                {
                    break;
                }
            }
            Ok(())
        })
    }

    /// How many responses match a filter.
    pub fn count_captures(&self, filter: &ExportFilter) -> Result<u64, StoreError> {
        self.count_export(&format!("SELECT count(*) FROM ({CAPTURES})"), filter, false)
    }

    fn count_export(
        &self,
        sql: &str,
        filter: &ExportFilter,
        rows: bool,
    ) -> Result<u64, StoreError> {
        let feeds = filter.feeds.as_deref().map(feed_list);
        self.read(|conn| {
            let mut statement = conn.prepare_cached(sql)?;
            let mut values =
                named_params! {":since": filter.since, ":until": filter.until, ":feeds": feeds}
                    .to_vec();
            if rows {
                values.extend_from_slice(named_params! {":after": filter.after});
            }
            let count: i64 = statement.query_row(values.as_slice(), |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or_default())
        })
    }

    /// The identity of this database, in hexadecimal: an export can only be continued with the same database.
    pub fn identity(&self) -> Result<String, StoreError> {
        self.read(|conn| {
            Ok(conn.query_row(
                "SELECT lower(hex(instance)) FROM meta WHERE id = 1",
                [],
                |row| row.get(0),
            )?)
        })
    }
}

/// A revision without its text.
fn revision_row(row: &Row<'_>) -> Result<ExportedRevision, StoreError> {
    let event: Option<i64> = row.get("id")?;
    Ok(ExportedRevision {
        event: event
            .map(|_| events::event_row(row).map(|stored| stored.event))
            .transpose()?,
        row: row.get("row")?,
        entry: row.get("public_id")?,
        feed: row.get("name")?,
        feed_url: row.get("url")?,
        number: row.get("number")?,
        seen: row.get("seen_at")?,
        channels: parse_channels(&row.get::<_, String>("channels")?),
        state: None,
    })
}
