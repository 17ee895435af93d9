//! `targets`: where events are sent, and the state of each target.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::error::StoreError;
use super::policy::{Queue, TargetFlags};
use super::reader::Reader;
use super::sql::{columns, count};
use super::writer::{Write, Writer};
use crate::domain::ids::DeliveryId;
use crate::time::Timestamp;

/// A row of `targets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// The name in the configuration.
    pub name: String,
    /// Whether it is in the configuration.
    pub active: bool,
    /// When it was paused.
    pub paused: Option<Timestamp>,
    /// When its receiver asked us to stop, and why.
    pub disabled: Option<(Timestamp, String)>,
}

/// Settings for the queue of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// The target's name.
    pub target: String,
    /// The most open deliveries.
    pub max_open: u32,
    /// Whether each delivery waits until a person releases it.
    pub hold: bool,
    /// Whether it is notified when another target is disabled.
    pub notices: bool,
    /// The latest time for a digest of what is being gathered now.
    pub digest_by: Timestamp,
    /// When a digest is due even if there are no events.
    pub empty_digest: Option<Timestamp>,
}

/// A target and the state of its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// The target.
    pub target: TargetRow,
    /// Deliveries that are not done, including those that were set aside.
    pub open: u64,
    /// Deliveries that were set aside because the receiver repeatedly refused their events.
    pub set_aside: u64,
    /// Deliveries that wait for a person to release them.
    pub held: u64,
    /// Deliveries that are waiting to be sent together.
    pub gathered: u64,
    /// When these are sent.
    pub digest: Option<Timestamp>,
    /// The event time of the oldest delivery that is not done and keeps its place in the order.
    pub oldest_open: Option<Timestamp>,
    /// The next delivery in order, its attempts so far, and when it is tried next (`None`: immediately).
    pub next: Option<(DeliveryId, u32, Option<Timestamp>)>,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Of these, deliveries that were never tried because the queue was full.
    pub overflowed: u64,
    /// The last attempt: time, HTTP status, error.
    pub last_attempt: Option<(Timestamp, Option<u16>, Option<String>)>,
    /// When a delivery last succeeded.
    pub last_delivered: Option<Timestamp>,
}

impl Reader {
    /// All targets by name.
    pub fn targets(&self) -> Result<Vec<TargetRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT name, active, paused_at, disabled_at, disabled_reason FROM targets ORDER BY name",
            )?;
            let rows = statement.query_map([], target_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All targets by name, with the state of their queues.
    pub fn target_health(&self) -> Result<Vec<TargetHealth>, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let targets: Vec<(i64, TargetRow)> = tx
                .prepare_cached(
                    "SELECT name, active, paused_at, disabled_at, disabled_reason, id FROM targets ORDER BY name",
                )?
                .query_map([], |row| Ok((row.get("id")?, target_row(row)?)))?
                .collect::<Result<_, _>>()?;
            targets
                .into_iter()
                .map(|(id, target)| health(&tx, id, target))
                .collect()
        })
    }
}

fn health(conn: &Connection, id: i64, target: TargetRow) -> Result<TargetHealth, StoreError> {
    let open = conn
        .prepare_cached("SELECT count(*) FROM deliveries INDEXED BY deliveries_open WHERE target_id = ?1 AND done_at IS NULL")?
        .query_row([id], |row| count(row, 0))?;
    let set_aside = conn
        .prepare_cached(
            "SELECT count(*) FROM deliveries INDEXED BY deliveries_open \
             WHERE target_id = ?1 AND (set_aside_at IS NOT NULL) = 1 AND done_at IS NULL",
        )?
        .query_row([id], |row| count(row, 0))?;
    let held = conn
        .prepare_cached("SELECT count(*) FROM deliveries INDEXED BY deliveries_held WHERE target_id = ?1 AND held_at IS NOT NULL")?
        .query_row([id], |row| count(row, 0))?;
    let (gathered, digest) = conn
        .prepare_cached(
            "SELECT (SELECT count(*) FROM deliveries INDEXED BY deliveries_gathered \
               WHERE target_id = ?1 AND gathered_at IS NOT NULL AND digest_id IS NULL), digest_at FROM targets WHERE id = ?1",
        )?
        .query_row([id], |row| Ok((count(row, 0)?, row.get(1)?)))?;
    let dead = conn
        .prepare_cached("SELECT count(*) FROM deliveries INDEXED BY deliveries_dead WHERE target_id = ?1 AND state = 'dead'")?
        .query_row([id], |row| count(row, 0))?;
    let overflowed = conn
        .prepare_cached(
            "SELECT count(*) FROM deliveries INDEXED BY deliveries_dead \
             WHERE target_id = ?1 AND state = 'dead' AND attempts = 0",
        )?
        .query_row([id], |row| count(row, 0))?;
    let first: Option<(DeliveryId, u32, Option<Timestamp>, Timestamp)> = conn
        .prepare_cached(
            "SELECT d.id, d.attempts, d.next_attempt_at, v.created_at \
             FROM deliveries AS d INDEXED BY deliveries_open JOIN events AS v ON v.id = d.event_id \
             WHERE d.target_id = ?1 AND (d.set_aside_at IS NOT NULL) = 0 AND d.done_at IS NULL ORDER BY d.id LIMIT 1",
        )?
        .query_row([id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let last_attempt = conn
        .prepare_cached(
            "SELECT at, status, error FROM attempts WHERE target_id = ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let last_delivered = conn
        .prepare_cached(
            "SELECT done_at FROM deliveries WHERE target_id = ?1 AND state = 'delivered' \
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(TargetHealth {
        target,
        open,
        set_aside,
        held,
        gathered,
        digest,
        oldest_open: first.map(|first| first.3),
        next: first.map(|(id, attempts, next, _)| (id, attempts, next)),
        dead,
        overflowed,
        last_attempt,
        last_delivered,
    })
}

fn target_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<TargetRow> {
    let disabled: Option<Timestamp> = row.get("disabled_at")?;
    let reason: Option<String> = row.get("disabled_reason")?;
    Ok(TargetRow {
        name: row.get("name")?,
        active: row.get("active")?,
        paused: row.get("paused_at")?,
        disabled: disabled.map(|at| (at, reason.unwrap_or_default())),
    })
}

impl Writer {
    /// Applies the targets of the configuration. Deliveries to missing targets wait until these are back.
    pub fn sync_targets(&self, names: Vec<String>) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached("UPDATE targets SET active = 0 WHERE active = 1")?
                .execute([])?;
            for name in &names {
                tx.conn
                    .prepare_cached(
                        "INSERT INTO targets (name, active) VALUES (?1, 1) \
                         ON CONFLICT (name) DO UPDATE SET active = 1",
                    )?
                    .execute([name])?;
            }
            Ok(())
        })
    }

    /// Applies the settings for the queues of these targets.
    pub fn set_queues(&self, queues: Vec<QueueSettings>) -> Write<()> {
        self.write(move |tx| {
            let mut statement = tx.conn.prepare_cached(
                "UPDATE targets SET max_open = ?2, hold = ?3, notices = ?4 WHERE name = ?1 \
                 AND (max_open IS NOT ?2 OR hold <> ?3 OR notices <> ?4)",
            )?;
            // Gathered events are sent even if the target no longer has digests, and no later than with its new
            // settings.
            let mut digest = tx.conn.prepare_cached(
                "UPDATE targets SET digest_at = iif(EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_gathered \
                   WHERE target_id = targets.id AND gathered_at IS NOT NULL AND digest_id IS NULL), \
                   min(COALESCE(digest_at, ?2), ?2), min(COALESCE(digest_at, ?3), ?3)) WHERE name = ?1",
            )?;
            for queue in &queues {
                digest.execute(params![queue.target, queue.digest_by, queue.empty_digest])?;
                statement.execute(params![
                    queue.target,
                    queue.max_open,
                    queue.hold,
                    queue.notices
                ])?;
            }
            Ok(())
        })
    }

    /// Pauses a target: its deliveries wait. Returns whether there is such a target.
    pub fn pause_target(&self, name: &str, now: Timestamp) -> Write<bool> {
        let name = name.to_owned();
        self.write(move |tx| {
            let rows = tx
                .conn
                .prepare_cached(
                    "UPDATE targets SET paused_at = COALESCE(paused_at, :now) WHERE name = :name",
                )?
                .execute(named_params! {":now": now, ":name": name})?;
            Ok(rows > 0)
        })
    }

    /// Enables a disabled target again; a pause continues.
    pub fn enable_target(&self, name: &str) -> Write<()> {
        let name = name.to_owned();
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE targets SET disabled_at = NULL, disabled_reason = NULL WHERE name = ?1",
                )?
                .execute([&name])?;
            Ok(())
        })
    }

    /// Ends a pause and enables a disabled target again. Deliveries that were disabled with it stay disabled until
    /// they are retried. Returns whether there is such a target.
    pub fn resume_target(&self, name: &str) -> Write<bool> {
        let name = name.to_owned();
        self.write(move |tx| {
            let rows = tx
                .conn
                .prepare_cached(
                    "UPDATE targets SET paused_at = NULL, disabled_at = NULL, disabled_reason = NULL \
                     WHERE name = ?1",
                )?
                .execute([&name])?;
            Ok(rows > 0)
        })
    }
}

/// The row of a target, created if there is none: no event is lost because of an unknown name.
pub(super) fn ensure(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    let known = find(conn, name)?;
    if let Some(id) = known {
        return Ok(id);
    }
    Ok(conn
        .prepare_cached("INSERT INTO targets (name, active) VALUES (?1, 1)")?
        .insert([name])?)
}

/// The row of a target.
pub(super) fn find(conn: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT id FROM targets WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

columns!($ select_queue, queue, "", " FROM targets AS t WHERE id = ?1", [
    hold, disabled_at, max_open,
    open = "(SELECT count(*) FROM deliveries INDEXED BY deliveries_open WHERE target_id = t.id AND done_at IS NULL)",
]);

/// The queue of a target, which has a row.
pub(super) fn queue(conn: &Connection, target: i64) -> Result<Queue, StoreError> {
    Ok(conn
        .prepare_cached(select_queue!())?
        .query_row([target], |row| {
            let disabled: Option<Timestamp> = row.get(queue::disabled_at)?;
            let max_open: Option<u32> = row.get(queue::max_open)?;
            Ok(Queue {
                hold: row.get(queue::hold)?,
                disabled: disabled.is_some(),
                open: count(row, queue::open)?,
                max_open: max_open.map(u64::from),
            })
        })?)
}

columns!($ select_flags, flags, "", " FROM targets ORDER BY id", [id, name, active, notices, disabled_at]);

/// All targets, for choosing who is notified.
pub(super) fn flags(conn: &Connection) -> Result<Vec<(i64, String, TargetFlags)>, StoreError> {
    let mut statement = conn.prepare_cached(select_flags!())?;
    let rows = statement.query_map([], |row| {
        let disabled: Option<Timestamp> = row.get(flags::disabled_at)?;
        let flags = TargetFlags {
            active: row.get(flags::active)?,
            disabled: disabled.is_some(),
            notices: row.get(flags::notices)?,
        };
        Ok((row.get(flags::id)?, row.get(flags::name)?, flags))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Disables a target and all of its waiting deliveries.
pub(super) fn disable(
    conn: &Connection,
    target: i64,
    now: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE targets SET disabled_at = COALESCE(disabled_at, ?2), disabled_reason = COALESCE(disabled_reason, ?3) \
         WHERE id = ?1",
    )?
    .execute(params![target, now, reason])?;
    conn.prepare_cached(
        "UPDATE deliveries INDEXED BY deliveries_open SET state = 'disabled', done_at = ?2, lease_until = NULL \
         WHERE target_id = ?1 AND done_at IS NULL",
    )?
    .execute(params![target, now])?;
    Ok(())
}
