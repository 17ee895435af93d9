//! Deliveries that are gathered and sent together as a digest.
//!
//! A gathered delivery is done for the queue. A digest is an event with its own delivery. The transaction that makes it
//! also records its members, and the transaction that records its arrival also records theirs. If the receiver refuses it,
//! the transaction that records the refusal puts the members back into the queue. They are older than everything in it,
//! so they are next.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::super::error::StoreError;
use super::super::events::{self, NewRow};
use super::super::writer::{Write, Writer};
use super::leasing::sent_to;
use super::targets;
use crate::domain::event::Event;
use crate::domain::ids::DeliveryId;
use crate::policy;
use crate::reader::Reader;
use crate::sql::{count, limit_of};
use crate::time::Timestamp;

/// The deliveries that are gathered for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// How many deliveries.
    pub count: u64,
    /// The last of them; `None` when there are none.
    pub last: Option<DeliveryId>,
    /// When the first event was noticed; if there are none, when the last digest was made.
    pub since: Option<Timestamp>,
    /// The first events as JSON, in order, without those that cannot be read.
    pub events: Vec<Vec<u8>>,
}

impl Writer {
    /// Moves a leased delivery from the queue to the next digest, which is due at `due` or earlier.
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

    /// Postpones the digest of a target; with `None` until a delivery is gathered.
    pub fn delay_digest(&self, target: &str, until: Option<Timestamp>) -> Write<()> {
        let target = target.to_owned();
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE targets SET digest_at = ?2 WHERE name = ?1 AND (?2 IS NOT NULL OR NOT EXISTS \
                       (SELECT 1 FROM deliveries INDEXED BY deliveries_gathered \
                        WHERE target_id = targets.id AND gathered_at IS NOT NULL AND digest_id IS NULL))",
                )?
                .execute(params![target, until])?;
            Ok(())
        })
    }

    /// Makes the digest of a target: `event` reports what is `gathered`, and `next` is when another one is due even if
    /// nothing is gathered until then. If something else is gathered by now, it does nothing, and the digest is still due.
    pub fn make_digest(
        &self,
        target: &str,
        gathered: &Gathered,
        event: Event,
        next: Option<Timestamp>,
    ) -> Write<bool> {
        let (target, told) = (target.to_owned(), (gathered.count, gathered.last));
        self.write(move |tx| {
            let Some(id) = targets::find(tx.conn, &target)? else {
                return Ok(false);
            };
            let known: (u64, Option<DeliveryId>) = tx
                .conn
                .prepare_cached(
                    "SELECT count(*), max(id) FROM deliveries INDEXED BY deliveries_gathered \
                     WHERE target_id = ?1 AND gathered_at IS NOT NULL AND digest_id IS NULL",
                )?
                .query_row([id], |row| Ok((count(row, 0)?, row.get(1)?)))?;
            if known != told {
                return Ok(false);
            }
            let event_id = events::insert(tx, &NewRow::alone(&event, &[]))?;
            // It replaces many deliveries, so a full queue accepts it too.
            let digest: DeliveryId = tx
                .conn
                .prepare_cached(
                    "INSERT INTO deliveries (event_id, target_id, state) VALUES (?1, ?2, 'pending') RETURNING id",
                )?
                .query_row(params![event_id, id], |row| row.get(0))?;
            tx.conn
                .prepare_cached(
                    "UPDATE deliveries INDEXED BY deliveries_gathered SET digest_id = ?2 \
                     WHERE target_id = ?1 AND gathered_at IS NOT NULL AND digest_id IS NULL",
                )?
                .execute(params![id, digest])?;
            tx.conn
                .prepare_cached("UPDATE targets SET digest_at = ?2, digested_at = ?3 WHERE id = ?1")?
                .execute(params![id, next, event.timestamp])?;
            Ok(true)
        })
    }
}

/// Records that the members of a digest have arrived with it.
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

/// Puts the members of a digest back into the queue. They keep its number, so they are not gathered again. The digest is
/// marked, which distinguishes it from one that is disabled and may be retried.
pub(super) fn unpack(
    conn: &Connection,
    digest: DeliveryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE deliveries INDEXED BY deliveries_in_digest SET state = 'pending', attempts = 0, next_attempt_at = NULL, \
         done_at = NULL, set_aside_at = NULL, gathered_at = NULL WHERE digest_id = ?1 AND state = 'disabled'",
    )?
    .execute([digest])?;
    conn.prepare_cached("UPDATE deliveries SET unpacked_at = ?2 WHERE id = ?1")?
        .execute(params![digest, at])?;
    Ok(())
}

impl Reader {
    /// The targets whose digests are due.
    pub fn digests_to_make(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(concat!(
                "SELECT name FROM targets WHERE ",
                sent_to!(),
                " AND (digest_at <= :now OR digest_at > :last_digest) ORDER BY digest_at"
            ))?;
            let rows = statement.query_map(
                named_params! {":now": now, ":last_digest": policy::last_digest(now)},
                |row| row.get(0),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The deliveries that are gathered for a target, with at most `limit` of their events.
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
                let created: Timestamp = row.get("created_at")?;
                first = Some(first.map_or(created, |first: Timestamp| first.min(created)));
                match events::event_json(row, "bytes", "body") {
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
