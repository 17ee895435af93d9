//! `events`: everything that can be reported, as JSON, and the deliveries for each event.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, Row, RowIndex, params};

use super::codec::unpack;
use super::error::StoreError;
use super::instance;
use super::policy::Admission;
use super::reader::Reader;
use super::snapshots;
use super::sql::limit_of;
use super::targets;
use super::writer::{Overflow, Tx, Write, Writer};
use crate::domain::event::Event;
use crate::domain::ids::{ChangeNumber, EntryId, EventId, FeedId};
use crate::time::Timestamp;

/// An event with its position in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its position in the order of events.
    pub id: EventId,
    /// `msg_…`: the webhook-id, the same for every target and every retry.
    pub uid: String,
    /// The event.
    pub event: Event,
}

impl Reader {
    /// Events after a position in the order, oldest first, for readers that follow. Start with
    /// [`Reader::last_event`].
    pub fn events_after(
        &self,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, uid, bytes, body FROM events WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let mut rows = statement.query(params![after, limit_of(limit)])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(event_row(row)?);
            }
            Ok(events)
        })
    }

    /// The position of the newest event; zero before the first.
    pub fn last_event(&self) -> Result<EventId, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT COALESCE(max(id), 0) FROM events")?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }

    /// The event that reports a change.
    pub fn event_of_change(&self, change: ChangeNumber) -> Result<Option<EventId>, StoreError> {
        self.read(|conn| {
            Ok(conn
                .prepare_cached("SELECT event_id FROM changes WHERE number = ?1")?
                .query_row([change], |row| row.get(0))
                .optional()?)
        })
    }

    /// The event with a `msg_…` id.
    pub fn event_by_uid(&self, uid: &str) -> Result<Option<StoredEvent>, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT id, uid, bytes, body FROM events WHERE uid = ?1")?;
            let mut rows = statement.query([uid])?;
            rows.next()?.map(event_row).transpose()
        })
    }
}

impl Writer {
    /// Stores an event that does not come from a check, such as `ping.test`, with its deliveries.
    pub fn add_event(&self, event: Event, targets: Vec<String>) -> Write<EventId> {
        self.write(move |tx| insert(tx, &NewRow::alone(&event, &targets)))
    }
}

/// A complete event, and what it is about.
pub(super) struct NewRow<'a> {
    pub(super) event: &'a Event,
    pub(super) feed: Option<FeedId>,
    pub(super) entry: Option<EntryId>,
    pub(super) change: Option<ChangeNumber>,
    pub(super) targets: &'a [String],
}

impl<'a> NewRow<'a> {
    /// An event that is not about a feed.
    pub(super) fn alone(event: &'a Event, targets: &'a [String]) -> Self {
        Self {
            event,
            feed: None,
            entry: None,
            change: None,
            targets,
        }
    }
}

/// The id of the next event.
pub(super) fn next_id(conn: &Connection) -> Result<EventId, StoreError> {
    next_autoincrement(conn, "events").map(EventId)
}

/// The next id of a table whose ids are never reused. It is reliable because only this transaction writes.
pub(super) fn next_autoincrement(conn: &Connection, table: &str) -> Result<i64, StoreError> {
    let last: Option<i64> = conn
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0) + 1)
}

/// Stores an event and its deliveries.
pub(super) fn insert(tx: &mut Tx<'_>, row: &NewRow<'_>) -> Result<EventId, StoreError> {
    let id = next_id(tx.conn)?;
    let mut event = Cow::Borrowed(row.event);
    if let Some(entry) = row.entry
        && let Some(address) = snapshots::last_address(tx.conn, entry)?
        && let Some(info) = &mut event.to_mut().data.entry
    {
        info.archive = Some(address);
    }
    let json = serde_json::to_vec(&event)
        .map_err(|_| StoreError::Refused("an event that has no JSON form"))?;
    let body = tx.codec.pack(&json)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO events (id, uid, type, feed_id, entry_id, change_number, created_at, bytes, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            id,
            instance::event_name(tx.random)?,
            row.event.kind.as_str(),
            row.feed,
            row.entry,
            row.change,
            row.event.timestamp,
            i64::try_from(json.len()).unwrap_or(i64::MAX),
            body
        ])?;
    deliver(tx, id, row.targets, row.event.timestamp)?;
    Ok(id)
}

/// Adds an event to the queues of these targets, unless it is already in them.
pub(super) fn deliver(
    tx: &mut Tx<'_>,
    id: EventId,
    names: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    for name in names {
        let target = targets::ensure(tx.conn, name)?;
        let admission = targets::queue(tx.conn, target)?.admit();
        let done = (admission != Admission::Queued).then_some(now);
        let held = (admission == Admission::Held).then_some(now);
        let queued: Option<i64> = tx
            .conn
            .prepare_cached(
                "INSERT INTO deliveries (event_id, target_id, state, done_at, held_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (event_id, target_id) DO NOTHING RETURNING id",
            )?
            .query_row(
                params![id, target, admission.state().as_str(), done, held],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(delivery) = queued
            && admission == Admission::QueueFull
        {
            let first = !overflowed_before(tx.conn, target, delivery)?;
            tx.overflows.push(Overflow {
                target: name.clone(),
                first,
            });
        }
    }
    Ok(())
}

/// Whether the queue was already full at the previous delivery of a target.
fn overflowed_before(conn: &Connection, target: i64, delivery: i64) -> Result<bool, StoreError> {
    let before: Option<bool> = conn
        .prepare_cached(
            "SELECT state = 'dead' AND attempts = 0 FROM deliveries INDEXED BY deliveries_by_target \
             WHERE target_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![target, delivery], |row| row.get(0))
        .optional()?;
    Ok(before.unwrap_or(false))
}

/// Reads `id, uid, bytes, body` as an event.
pub(super) fn event_row(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let id: EventId = row.get("id")?;
    let json = event_json(row, "bytes", "body")?;
    Ok(StoredEvent {
        id,
        uid: row.get("uid")?,
        event: serde_json::from_slice(&json)
            .map_err(|error| StoreError::damaged(format!("event {id} cannot be read: {error}")))?,
    })
}

/// Reads the columns `bytes` and `body` as JSON.
pub(super) fn event_json(
    row: &Row<'_>,
    bytes: impl RowIndex,
    body: impl RowIndex,
) -> Result<Vec<u8>, StoreError> {
    let bytes: i64 = row.get(bytes)?;
    let body = row
        .get_ref(body)?
        .as_blob()
        .map_err(|_| StoreError::damaged("the body of an event is not a blob"))?;
    unpack(body, bytes)
}
