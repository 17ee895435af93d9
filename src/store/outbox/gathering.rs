//! Deliveries that are held back, and sent together as one.
//!
//! What is gathered is done for the queue. A digest is an event of its own with a delivery of its own: its members are
//! noted in the transaction that makes it, and have arrived in the transaction that records its arrival.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::super::error::StoreError;
use super::super::events::{self, NewRow};
use super::super::writer::{Write, Writer};
use super::targets;
use crate::domain::event::Event;
use crate::domain::ids::DeliveryId;
use crate::reader::Reader;
use crate::sql::{count, limit_of};
use crate::time::Timestamp;

/// No digest is further away: what is was left by a clock that had leapt forward and came back.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 9);

/// What is gathered for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// How many deliveries.
    pub count: u64,
    /// The last of them; `None` when there are none.
    pub last: Option<DeliveryId>,
    /// When the first event was noticed; without any, when the last digest was made.
    pub since: Option<Timestamp>,
    /// The first events as JSON, in their order; what cannot be read is left out.
    pub events: Vec<Vec<u8>>,
}

impl Writer {
    /// Takes a leased delivery out of the queue, for a digest that is due at `due` or earlier.
    pub fn gather(&self, delivery: DeliveryId, now: Timestamp, due: Timestamp) -> Write<()> {
        self.write(move |tx| {
            let target: Option<i64> = tx
                .conn
                .prepare_cached(
                    "UPDATE deliveries SET state = 'disabled', lease_until = NULL, next_attempt_at = NULL, \
                     done_at = ?2, gathered_at = ?2, digest_id = NULL \
                     WHERE id = ?1 AND state = 'leased' RETURNING target_id",
                )?
                .query_row(params![delivery, now], |row| row.get(0))
                .optional()?;
            tx.conn
                .prepare_cached(
                    "UPDATE targets SET digest_at = min(COALESCE(digest_at, ?2), ?2) WHERE id = ?1",
                )?
                .execute(params![target, due])?;
            Ok(())
        })
    }

    /// Makes a digest of a target: `event` tells what is gathered up to `last`, and `next` is when another one is due
    /// even if nothing is gathered until then. Without an event there is nothing to tell.
    pub fn make_digest(
        &self,
        target: &str,
        last: Option<DeliveryId>,
        event: Option<Event>,
        now: Timestamp,
        next: Option<Timestamp>,
    ) -> Write<()> {
        let target = target.to_owned();
        self.write(move |tx| {
            let Some(id) = targets::find(tx.conn, &target)? else {
                return Ok(());
            };
            if let Some(event) = &event {
                let row = NewRow {
                    event,
                    feed: None,
                    entry: None,
                    change: None,
                    targets: std::slice::from_ref(&target),
                };
                let event = events::insert(tx, &row)?;
                tx.conn
                    .prepare_cached(
                        "UPDATE deliveries INDEXED BY deliveries_gathered SET digest_id = \
                           (SELECT id FROM deliveries WHERE event_id = ?2 AND target_id = ?1) \
                         WHERE target_id = ?1 AND id <= ?3 AND gathered_at IS NOT NULL AND digest_id IS NULL",
                    )?
                    .execute(params![id, event, last])?;
            }
            tx.conn
                .prepare_cached("UPDATE targets SET digest_at = ?2, digested_at = ?3 WHERE id = ?1")?
                .execute(params![id, next, now])?;
            Ok(())
        })
    }
}

/// The members of a digest have arrived with it.
pub(super) fn settle(
    conn: &Connection,
    digest: DeliveryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE deliveries INDEXED BY deliveries_in_digest SET state = 'delivered', done_at = ?2, set_aside_at = NULL \
         WHERE digest_id = ?1 AND state = 'disabled'",
    )?
    .execute(params![digest, at])?;
    Ok(())
}

impl Reader {
    /// The targets whose digests are due.
    pub fn digests_to_make(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT name FROM targets WHERE active = 1 AND paused_at IS NULL AND disabled_at IS NULL \
                   AND (digest_at <= :now OR digest_at > :far) ORDER BY digest_at",
            )?;
            let rows = statement.query_map(
                named_params! {":now": now, ":far": now + LONGEST_WAIT},
                |row| row.get(0),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What is gathered for a target, with at most `limit` of the events.
    pub fn gathered(&self, target: &str, limit: usize) -> Result<Gathered, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let mut gathered = tx
                .prepare_cached(
                    "SELECT count(*), max(id), (SELECT digested_at FROM targets WHERE name = ?1) \
                     FROM deliveries INDEXED BY deliveries_gathered \
                     WHERE target_id = (SELECT id FROM targets WHERE name = ?1) \
                       AND gathered_at IS NOT NULL AND digest_id IS NULL",
                )?
                .query_row([target], summed)?;
            let mut statement = tx.prepare_cached(
                "SELECT v.created_at, v.bytes, v.body FROM deliveries AS d INDEXED BY deliveries_gathered \
                 JOIN events AS v ON v.id = d.event_id \
                 WHERE d.target_id = (SELECT id FROM targets WHERE name = ?1) \
                   AND d.gathered_at IS NOT NULL AND d.digest_id IS NULL ORDER BY d.id LIMIT ?2",
            )?;
            let mut rows = statement.query(params![target, limit_of(limit)])?;
            let mut first = None;
            while let Some(row) = rows.next()? {
                let created: Timestamp = row.get(0)?;
                first = Some(first.map_or(created, |first: Timestamp| first.min(created)));
                match events::event_json(row, 1) {
                    Ok(json) => gathered.events.push(json),
                    Err(StoreError::Damaged { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            gathered.since = first.or(gathered.since);
            Ok(gathered)
        })
    }
}

fn summed(row: &Row<'_>) -> rusqlite::Result<Gathered> {
    Ok(Gathered {
        count: count(row, 0)?,
        last: row.get(1)?,
        since: row.get(2)?,
        events: Vec::new(),
    })
}
