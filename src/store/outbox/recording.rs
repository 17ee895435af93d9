//! Recording attempts, and what they mean for the target.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::error::StoreError;
use super::super::events::{self, NewRow};
use super::super::policy::{self, DeliveryUpdate, GivenUp, PastDelivery, TargetFlags};
use super::super::sql::{columns, count};
use super::super::writer::Tx;
use super::targets;
use super::{AttemptOutcome, AttemptRecord, DeliveryState, Next, gathering};
use crate::domain::backoff::DELIVERY_ATTEMPTS;
use crate::domain::event_builder;
use crate::domain::ids::{DeliveryId, EventId};
use crate::time::Timestamp;

/// Records an attempt. Returns whether the delivery was open.
pub(super) fn record(
    tx: &mut Tx<'_>,
    delivery: DeliveryId,
    record: &AttemptRecord,
    next: &Next,
) -> Result<bool, StoreError> {
    let (target, open) = record_attempt(tx.conn, delivery, record, next)?;
    let why = match next {
        Next::DisableTarget(why) => Some(why.as_str()),
        Next::Dead => give_up(tx.conn, target, delivery)?.map(GivenUp::as_str),
        _ => None,
    };
    if let Some(why) = why {
        disable(tx, target, record.at, why)?;
    }
    Ok(open)
}

fn record_attempt(
    conn: &Connection,
    delivery: DeliveryId,
    record: &AttemptRecord,
    next: &Next,
) -> Result<(i64, bool), StoreError> {
    let known: Option<(i64, bool)> = conn
        .prepare_cached("SELECT target_id, done_at IS NULL FROM deliveries WHERE id = ?1")?
        .query_row([delivery], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((target, open)) = known else {
        return Err(StoreError::Refused(
            "an attempt at a delivery that does not exist",
        ));
    };
    let (outcome, update) = policy::after_attempt(next, open);
    if outcome == AttemptOutcome::Delivered {
        try_refused_again(conn, target)?;
        gathering::settle(conn, delivery, record.at)?;
    }
    if let Some(post) = &record.post {
        conn.prepare_cached("UPDATE deliveries SET post = ?2 WHERE id = ?1")?
            .execute(params![delivery, post])?;
    }
    insert_attempt(conn, delivery, target, record, outcome)?;
    update_delivery(conn, delivery, record.at, update)?;
    if open && *next == Next::Unpack {
        gathering::unpack(conn, delivery, record.at)?;
    }
    Ok((target, open))
}

fn insert_attempt(
    conn: &Connection,
    delivery: DeliveryId,
    target: i64,
    record: &AttemptRecord,
    outcome: AttemptOutcome,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO attempts (delivery_id, target_id, at, outcome, status, duration_ms, error, refused) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        delivery,
        target,
        record.at,
        outcome.as_str(),
        record.status,
        i64::try_from(record.duration_ms).unwrap_or(i64::MAX),
        record.error,
        record.refused
    ])?;
    Ok(())
}

fn update_delivery(
    conn: &Connection,
    delivery: DeliveryId,
    at: Timestamp,
    update: DeliveryUpdate,
) -> Result<(), StoreError> {
    let (state, next_attempt, done, set_aside) = match update {
        DeliveryUpdate::Unchanged => return Ok(()),
        DeliveryUpdate::ArrivedLate => {
            conn.prepare_cached(
                "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1 WHERE id = ?1",
            )?
            .execute([delivery])?;
            return Ok(());
        }
        DeliveryUpdate::Done(state) => (state, None, Some(at), None),
        DeliveryUpdate::Again {
            at: next,
            set_aside,
        } => (
            DeliveryState::Pending,
            Some(next),
            None,
            set_aside.then_some(at),
        ),
    };
    conn.prepare_cached(
        "UPDATE deliveries SET state = ?2, attempts = attempts + 1, next_attempt_at = ?3, lease_until = NULL, \
         done_at = ?4, set_aside_at = COALESCE(set_aside_at, ?5) WHERE id = ?1",
    )?
    .execute(params![
        delivery,
        state.as_str(),
        next_attempt,
        done,
        set_aside
    ])?;
    Ok(())
}

/// Makes deliveries due that were set aside since the target last accepted an event. Now that it accepts one again, it may
/// have refused them because of a fault of its own. The row of this attempt does not exist yet.
fn try_refused_again(conn: &Connection, target: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE deliveries INDEXED BY deliveries_open SET next_attempt_at = NULL \
         WHERE target_id = ?1 AND set_aside_at IS NOT NULL AND done_at IS NULL AND set_aside_at > ?2",
    )?
    .execute(params![target, last_accepted(conn, target)?])?;
    Ok(())
}

/// When the target last accepted an event; the beginning of time if it never has.
fn last_accepted(conn: &Connection, target: i64) -> Result<Timestamp, StoreError> {
    let at: Option<Timestamp> = conn
        .prepare_cached(
            "SELECT at FROM attempts INDEXED BY attempts_by_target WHERE target_id = ?1 AND outcome = 'delivered' \
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([target], |row| row.get(0))
        .optional()?;
    Ok(at.unwrap_or_default())
}

columns!($ select_past, past, "", " FROM deliveries \
    WHERE target_id = ?1 AND id <= ?2 AND gathered_at IS NULL AND unpacked_at IS NULL \
    ORDER BY id DESC LIMIT 2", [state, attempts, set_aside_at]);

fn past_row(row: &Row<'_>) -> rusqlite::Result<PastDelivery> {
    let set_aside: Option<Timestamp> = row.get(past::set_aside_at)?;
    Ok(PastDelivery {
        state: DeliveryState::parse(row.get_ref(past::state)?.as_str()?)
            .unwrap_or(DeliveryState::Dead),
        attempts: row.get(past::attempts)?,
        set_aside: set_aside.is_some(),
    })
}

/// Whether the target is given up with this delivery, which is dead.
fn give_up(
    conn: &Connection,
    target: i64,
    delivery: DeliveryId,
) -> Result<Option<GivenUp>, StoreError> {
    let newest: Vec<PastDelivery> = conn
        .prepare_cached(select_past!())?
        .query_map(params![target, delivery], past_row)?
        .collect::<Result<_, _>>()?;
    let refused: u32 = conn
        .prepare_cached(
            "SELECT count(*) FROM deliveries INDEXED BY deliveries_dead \
             WHERE target_id = ?1 AND state = 'dead' AND attempts >= ?2 AND set_aside_at > ?3",
        )?
        .query_row(
            params![target, DELIVERY_ATTEMPTS, last_accepted(conn, target)?],
            |row| row.get(0),
        )?;
    Ok(policy::give_up(&newest, refused))
}

/// Disables a target and notifies the others, since its alerts no longer reach anyone.
fn disable(tx: &mut Tx<'_>, target: i64, now: Timestamp, why: &str) -> Result<(), StoreError> {
    let all: Vec<(i64, String, TargetFlags)> = targets::flags(tx.conn)?;
    targets::disable(tx.conn, target, now, why)?;
    let (this, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(id, ..)| *id == target);
    let Some((_, name, before)) = this.into_iter().next() else {
        return Ok(());
    };
    if before.disabled {
        return Ok(());
    }
    let kept: u64 = tx
        .conn
        .prepare_cached(
            "SELECT count(*) FROM deliveries WHERE target_id = ?1 AND state IN ('disabled', 'dead')",
        )?
        .query_row([target], |row| count(row, 0))?;
    let others: Vec<String> = others
        .into_iter()
        .filter(|(.., flags)| flags.takes_notice())
        .map(|(_, name, _)| name)
        .collect();
    let event = event_builder::target_disabled(&name, why, kept, now);
    let _: EventId = events::insert(tx, &NewRow::alone(&event, &others))?;
    Ok(())
}
