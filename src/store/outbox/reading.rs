//! Queries about deliveries and attempts.

use rusqlite::{OptionalExtension, Row, named_params};

use super::super::error::StoreError;
use super::{
    AttemptOutcome, AttemptRecord, AttemptRow, DeliveryRow, DeliveryState, REPLAYED, ReplaySpan,
    leasing,
};
use crate::domain::event::EventKind;
use crate::domain::ids::{DeliveryId, EventId};
use crate::reader::Reader;
use crate::sql::{columns, count, limit_of};
use crate::time::Timestamp;

columns!($ select_delivery, column, "d.",
    " FROM deliveries AS d JOIN targets AS t ON t.id = d.target_id JOIN events AS v ON v.id = d.event_id \
     LEFT JOIN attempts AS a ON a.id = (SELECT max(id) FROM attempts WHERE delivery_id = d.id) ",
    [
        id, target = "t.name", event_id, uid = "v.uid", kind = "v.type", change_number = "v.change_number",
        created_at = "v.created_at",
        state = "CASE WHEN d.held_at IS NOT NULL THEN 'held' \
           WHEN d.unpacked_at IS NOT NULL THEN 'unpacked' \
           WHEN d.gathered_at IS NOT NULL AND d.state = 'disabled' THEN 'gathered' ELSE d.state END",
        attempts, next_attempt_at, done_at, last_status = "a.status", last_error = "a.error", set_aside_at,
    ]
);

columns!($ select_attempt, attempt, "", " FROM attempts WHERE delivery_id = ?1 ORDER BY id",
    [at, outcome, status, duration_ms, error, refused]
);

impl Reader {
    /// How many deliveries [`Writer::replay`] would send again.
    pub fn replayable(&self, target: &str, span: ReplaySpan) -> Result<u64, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached(&format!("SELECT count(*) FROM deliveries {REPLAYED}"))?;
            Ok(statement.query_row(
                named_params! {":target": target, ":since": span.since, ":until": span.until},
                |row| count(row, 0),
            )?)
        })
    }

    /// Deliveries, newest first: of one target or of all, in some states or in all.
    pub fn deliveries(
        &self,
        target: Option<&str>,
        states: &[DeliveryState],
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|conn| {
            let names: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            let names = serde_json::to_string(&names).unwrap_or_else(|_| "[]".into());
            let mut statement = conn.prepare_cached(select_delivery!(
                "WHERE (:target IS NULL OR t.name = :target) \
                   AND (:all OR d.state IN (SELECT value FROM json_each(:states))) \
                 ORDER BY d.id DESC LIMIT :limit"
            ))?;
            let rows = statement.query_map(
                named_params! {
                    ":target": target, ":all": states.is_empty(), ":states": names, ":limit": limit_of(limit),
                },
                delivery_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The deliveries that were set aside because their events were refused, oldest first.
    pub fn set_aside(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_delivery!(
                "WHERE d.done_at IS NULL AND d.set_aside_at IS NOT NULL ORDER BY d.id LIMIT :limit"
            ))?;
            let rows =
                statement.query_map(named_params! {":limit": limit_of(limit)}, delivery_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The held deliveries, oldest first: of one target or of all.
    pub fn held(&self, target: Option<&str>, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_delivery!(
                "WHERE d.held_at IS NOT NULL AND (:target IS NULL OR t.name = :target) ORDER BY d.id LIMIT :limit"
            ))?;
            let rows = statement.query_map(
                named_params! {":target": target, ":limit": limit_of(limit)},
                delivery_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// When the newest deliveries of a target arrived, newest first: at most `limit`, none before `since`.
    pub fn arrivals(
        &self,
        target: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT at FROM attempts INDEXED BY attempts_by_target \
                 WHERE target_id = (SELECT id FROM targets WHERE name = :target) AND outcome = 'delivered' \
                   AND at > :since ORDER BY id DESC LIMIT :limit",
            )?;
            let rows = statement.query_map(
                named_params! {":target": target, ":since": since, ":limit": limit_of(limit)},
                |row| row.get(0),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The delivery of a target that all later ones are waiting for.
    pub fn first_in_order(&self, target: &str) -> Result<Option<DeliveryRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_delivery!(
                "WHERE t.name = :target AND d.done_at IS NULL AND d.set_aside_at IS NULL ORDER BY d.id LIMIT 1"
            ))?;
            let mut rows = statement.query_map(named_params! {":target": target}, delivery_row)?;
            Ok(rows.next().transpose()?)
        })
    }

    /// The deliveries of one event, one for each target.
    pub fn deliveries_of(&self, event: EventId) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_delivery!(
                "WHERE d.event_id = :event ORDER BY t.name"
            ))?;
            let rows = statement.query_map(named_params! {":event": event}, delivery_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The members of a digest, in order.
    pub fn members_of(
        &self,
        digest: DeliveryId,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_delivery!(
                "WHERE d.digest_id = :digest ORDER BY d.id LIMIT :limit"
            ))?;
            let rows = statement.query_map(
                named_params! {":digest": digest, ":limit": limit_of(limit)},
                delivery_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// `msg_…` of the digest that a delivery is in, and whether it was unpacked.
    pub fn digest_of(&self, delivery: DeliveryId) -> Result<Option<(String, bool)>, StoreError> {
        self.read(|conn| {
            Ok(conn
                .prepare_cached(
                    "SELECT v.uid, digest.unpacked_at IS NOT NULL FROM deliveries AS d \
                     JOIN deliveries AS digest ON digest.id = d.digest_id \
                     JOIN events AS v ON v.id = digest.event_id WHERE d.id = ?1",
                )?
                .query_row([delivery], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?)
        })
    }

    /// The attempts at a delivery, oldest first.
    pub fn attempts(&self, delivery: DeliveryId) -> Result<Vec<AttemptRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_attempt!())?;
            let rows = statement.query_map([delivery], attempt_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// When [`Writer::lease_due`] next has something, or a digest is due: a time that may have passed, the beginning of
    /// time for immediately, `None` if nothing waits.
    pub fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(leasing::next)
    }
}

fn delivery_row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get(column::id)?,
        target: row.get(column::target)?,
        event: row.get(column::event_id)?,
        uid: row.get(column::uid)?,
        kind: EventKind::parse(row.get_ref(column::kind)?.as_str()?),
        change: row.get(column::change_number)?,
        created: row.get(column::created_at)?,
        state: DeliveryState::parse(row.get_ref(column::state)?.as_str()?)
            .unwrap_or(DeliveryState::Dead),
        attempts: row.get(column::attempts)?,
        next_attempt: row.get(column::next_attempt_at)?,
        done: row.get(column::done_at)?,
        last_status: row.get(column::last_status)?,
        last_error: row.get(column::last_error)?,
        set_aside: row.get(column::set_aside_at)?,
    })
}

fn attempt_row(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        outcome: AttemptOutcome::parse(row.get_ref(attempt::outcome)?.as_str()?)
            .unwrap_or(AttemptOutcome::Dead),
        record: AttemptRecord {
            at: row.get(attempt::at)?,
            status: row.get(attempt::status)?,
            duration_ms: u64::try_from(row.get::<_, i64>(attempt::duration_ms)?).unwrap_or(0),
            error: row.get(attempt::error)?,
            refused: row.get(attempt::refused)?,
            post: None,
        },
    })
}
