//! `deliveries` and `attempts`: the outbox.
//!
//! A delivery takes a lease in one short transaction, is sent outside of any, and its attempt is recorded in another.
//! A sender that dies in between loses its lease by time, and the event is sent again under the same id. Per target
//! only the oldest delivery that is not done is ever leased: that keeps the order, and one in flight. A delivery whose
//! event the receiver refuses again and again is set aside: it leaves the order, keeps its own schedule, and is leased
//! between the others.
//!
//! The index is named where the open deliveries are looked for: without it the planner walks through all that was ever
//! delivered.

mod gathering;
mod leasing;
mod reading;

use crate::names;
use std::time::Duration;

pub use gathering::Gathered;
use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::error::StoreError;
use super::events::{self, NewRow};
use super::sql::count;
use super::targets;
use super::writer::{Tx, Write, Writer};
use crate::domain::backoff::DELIVERY_ATTEMPTS;
use crate::domain::event::EventKind;
use crate::domain::event_builder;
use crate::domain::ids::{ChangeNumber, DeliveryId, EventId};
use crate::time::Timestamp;

/// A delivery that is ours to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// The name of its target.
    pub target: String,
    /// The event.
    pub event: EventId,
    /// `msg_…`: the webhook-id.
    pub uid: String,
    /// The event as JSON; `None` when what is stored of it cannot be read.
    pub body: Option<Vec<u8>>,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// How often the receiver has refused this event so far.
    pub refusals: u32,
    /// When the event was noticed.
    pub created: Timestamp,
    /// Whether it is a digest of others.
    pub has_members: bool,
    /// Whether it was part of a digest that was unpacked: it is sent by itself.
    pub unpacked: bool,
    /// The first post at this target about the same article, as its kind noted it.
    pub thread: Option<String>,
}

/// What an attempt brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// When it was over.
    pub at: Timestamp,
    /// HTTP status, or the code of a mail server, when there was an answer.
    pub status: Option<u16>,
    /// Whether the receiver refused the event itself.
    pub refused: bool,
    /// How long it took.
    pub duration_ms: u64,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// Where the post is that it became, for what replies to it.
    pub post: Option<String>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It has arrived.
    Delivered,
    /// It is tried again, not before this moment.
    RetryAt(Timestamp),
    /// The same, and later events no longer wait for it.
    SetAside(Timestamp),
    /// The receiver does not take this digest: its members are sent one by one instead.
    Unpack,
    /// It is given up; it can be retried by hand.
    Dead,
    /// The receiver wants no more: the target is disabled for this reason, with all that waits for it.
    DisableTarget(String),
}

/// An attempt that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// When it was over, how long it took, and what it brought.
    pub record: AttemptRecord,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

names! {
    /// How an attempt ended.
    pub enum AttemptOutcome {
        /// The receiver took the event.
        Delivered = "delivered",
        /// It is tried again.
        Retry = "retry",
        /// It was the last one.
        Dead = "dead",
        /// The receiver asked for no more.
        Disabled = "disabled",
    }
}

names! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// It waits.
        Pending = "pending",
        /// A sender has it.
        Leased = "leased",
        /// It has arrived.
        Delivered = "delivered",
        /// It was given up.
        Dead = "dead",
        /// Its target was disabled before its turn came.
        Disabled = "disabled",
        /// It waits for a person to release it.
        Held = "held",
        /// It is part of a digest that has not arrived yet.
        Gathered = "gathered",
        /// It was a digest; its members are sent one by one.
        Unpacked = "unpacked",
    }
}

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The delivery.
    pub id: DeliveryId,
    /// The name of its target.
    pub target: String,
    /// The event.
    pub event: EventId,
    /// `msg_…`.
    pub uid: String,
    /// What kind of event.
    pub kind: Option<EventKind>,
    /// The change that the event tells.
    pub change: Option<ChangeNumber>,
    /// When the event was noticed.
    pub created: Timestamp,
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// Not before; `None` for at once.
    pub next_attempt: Option<Timestamp>,
    /// When it came to its end.
    pub done: Option<Timestamp>,
    /// When it was set aside, because the receiver refused this event again and again.
    pub set_aside: Option<Timestamp>,
    /// HTTP status of the last attempt.
    pub last_status: Option<u16>,
    /// What went wrong at the last attempt.
    pub last_error: Option<String>,
}

/// Events by the moment when they were noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaySpan {
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment; `None` for no end.
    pub until: Option<Timestamp>,
}

/// What is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// Everything of a target that is given up, disabled or waiting.
    Target(String),
    /// One delivery, unless it has arrived.
    Delivery(DeliveryId),
}

/// Why a target is disabled that was not reached for long.
const LONG_FAILURE: &str =
    "two events in a row were given up, each after ten attempts over three days";

/// Why a target is disabled that refuses whatever it is sent.
const ALL_REFUSED: &str =
    "it refused every event for days; the last ten were given up after ten attempts each";

/// So many events have to be given up as refused, with none accepted in between, before the receiver is at fault and not
/// the events: whoever writes a headline can make one that a firewall refuses, and a second one.
const REFUSED_EVENTS: u32 = 10;

impl Writer {
    /// Takes what is to be sent now: of each target that is active, not paused and not disabled, the oldest delivery
    /// that is not done, if its time has come and nobody has it. The lease ends by itself after `lease_for`.
    pub fn lease_due(
        &self,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> Write<Vec<LeasedDelivery>> {
        self.write(move |tx| leasing::lease(tx.conn, now, lease_for, limit))
    }

    /// Records an attempt and what becomes of the delivery. A delivery that is done already stays as it is; tells
    /// whether it was still open.
    pub fn record_attempt(
        &self,
        delivery: DeliveryId,
        record: AttemptRecord,
        next: Next,
    ) -> Write<bool> {
        self.write(move |tx| {
            let (target, open) = record_attempt(tx.conn, delivery, &record, &next)?;
            let why = match &next {
                Next::DisableTarget(why) => Some(why.as_str()),
                Next::Dead => nobody_there(tx.conn, target, delivery)?,
                _ => None,
            };
            if let Some(why) = why {
                disable(tx, target, record.at, why)?;
            }
            Ok(open)
        })
    }

    /// Gives all leases back: whoever had them is dead, since one process sends at a time, and the caller is that one.
    /// What was under way then is sent again at once, and not when its lease would have ended.
    pub fn release_all(&self) -> Write<usize> {
        self.write(|tx| {
            Ok(tx
                .conn
                .prepare_cached(
                    "UPDATE deliveries SET state = 'pending', lease_until = NULL \
                     WHERE done_at IS NULL AND state = 'leased'",
                )?
                .execute([])?)
        })
    }

    /// Gives a lease back without an attempt: at shutdown.
    pub fn release(&self, delivery: DeliveryId) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE deliveries SET state = 'pending', lease_until = NULL \
                     WHERE id = ?1 AND state = 'leased'",
                )?
                .execute([delivery])?;
            Ok(())
        })
    }

    /// Gives up what is still to be sent of these deliveries, by hand; says how many. Each is recorded as an attempt that
    /// was not made, and [`Self::retry`] takes it up again.
    pub fn skip(&self, deliveries: Vec<DeliveryId>, now: Timestamp) -> Write<usize> {
        self.write(move |tx| {
            let mut end = tx.conn.prepare_cached(
                "UPDATE deliveries SET state = 'dead', done_at = ?2, next_attempt_at = NULL, lease_until = NULL \
                 WHERE id = ?1 AND done_at IS NULL",
            )?;
            let mut note = tx.conn.prepare_cached(
                "INSERT INTO attempts (delivery_id, target_id, at, outcome, duration_ms, error) \
                 SELECT id, target_id, ?2, 'dead', 0, 'skipped by hand' FROM deliveries WHERE id = ?1",
            )?;
            let mut skipped = 0;
            for delivery in &deliveries {
                if end.execute(params![delivery, now])? > 0 {
                    note.execute(params![delivery, now])?;
                    skipped += 1;
                }
            }
            Ok(skipped)
        })
    }

    /// Lets deliveries go that wait for a person; says how many.
    pub fn release_held(&self, deliveries: Vec<DeliveryId>) -> Write<usize> {
        self.write(move |tx| {
            let mut statement = tx.conn.prepare_cached(
                "UPDATE deliveries SET state = 'pending', held_at = NULL, done_at = NULL, next_attempt_at = NULL \
                 WHERE id = ?1 AND held_at IS NOT NULL",
            )?;
            let mut released = 0;
            for delivery in &deliveries {
                released += statement.execute([delivery])?;
            }
            Ok(released)
        })
    }

    /// Gives a lease back without an attempt, until a moment: a target takes only so many in an hour.
    pub fn postpone(&self, delivery: DeliveryId, until: Timestamp) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE deliveries SET state = 'pending', lease_until = NULL, next_attempt_at = ?2 \
                     WHERE id = ?1 AND state = 'leased'",
                )?
                .execute(params![delivery, until])?;
            Ok(())
        })
    }

    /// Makes deliveries due at once that are given up, disabled or waiting, and says how many. What was given up starts
    /// its ladder anew.
    pub fn retry(&self, what: Retry) -> Write<usize> {
        self.write(move |tx| {
            let (delivery, target) = match &what {
                Retry::Delivery(id) => (Some(*id), None),
                Retry::Target(name) => (None, Some(name.as_str())),
            };
            Ok(tx
                .conn
                .prepare_cached(
                    "UPDATE deliveries SET attempts = iif(done_at IS NULL, attempts, 0), state = 'pending', \
                     done_at = NULL, next_attempt_at = NULL \
                     WHERE (id = :delivery OR target_id = (SELECT id FROM targets WHERE name = :target)) \
                       AND held_at IS NULL AND NOT (gathered_at IS NOT NULL AND state = 'disabled') \
                       AND (state IN ('dead', 'disabled') OR (state = 'pending' AND next_attempt_at IS NOT NULL))",
                )?
                .execute(named_params! {":delivery": delivery, ":target": target})?)
        })
    }

    /// Sends again all that a target was ever due of the events in a span of time, also what has arrived, under the same
    /// ids; says how many.
    pub fn replay(&self, target: &str, span: ReplaySpan) -> Write<usize> {
        let target = target.to_owned();
        self.write(move |tx| {
            Ok(tx
                .conn
                .prepare_cached(&format!(
                    "UPDATE deliveries SET state = 'pending', attempts = 0, next_attempt_at = NULL, done_at = NULL, \
                     set_aside_at = NULL, gathered_at = NULL, digest_id = NULL {REPLAYED}"
                ))?
                .execute(
                    named_params! {":target": target, ":since": span.since, ":until": span.until},
                )?)
        })
    }

    /// Sends these events to a target, whether it was ever due them or not; says how many.
    pub fn replay_events(&self, target: &str, events: Vec<EventId>) -> Write<usize> {
        let target = target.to_owned();
        self.write(move |tx| {
            let target = targets::ensure(tx.conn, &target)?;
            let mut statement = tx.conn.prepare_cached(
                "INSERT INTO deliveries (event_id, target_id, state) SELECT id, ?2, 'pending' FROM events WHERE id = ?1 \
                 ON CONFLICT (event_id, target_id) DO UPDATE SET state = 'pending', attempts = 0, \
                 next_attempt_at = NULL, done_at = NULL, set_aside_at = NULL, gathered_at = NULL, digest_id = NULL \
                 WHERE state <> 'leased' AND held_at IS NULL",
            )?;
            let mut sent = 0;
            for event in &events {
                sent += statement.execute(params![event, target])?;
            }
            Ok(sent)
        })
    }
}

/// The deliveries that a replay sends again; what is on its way right now is not among them, nor what waits for a digest.
/// Of a digest that has gone out its members are sent again, and not the digest.
const REPLAYED: &str = "WHERE target_id = (SELECT id FROM targets WHERE name = :target) AND state <> 'leased' AND held_at IS NULL \
     AND NOT (state = 'disabled' AND gathered_at IS NOT NULL AND (digest_id IS NULL OR EXISTS \
       (SELECT 1 FROM deliveries AS digest WHERE digest.id = deliveries.digest_id AND digest.done_at IS NULL))) \
     AND event_id IN (SELECT id FROM events \
       WHERE created_at >= :since AND (:until IS NULL OR created_at < :until) AND type <> 'digest.ready')";

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
    let (outcome, state, next_attempt) = match next {
        Next::Delivered => (AttemptOutcome::Delivered, DeliveryState::Delivered, None),
        Next::RetryAt(at) | Next::SetAside(at) => {
            (AttemptOutcome::Retry, DeliveryState::Pending, Some(*at))
        }
        Next::Dead => (AttemptOutcome::Dead, DeliveryState::Dead, None),
        // What is done without having arrived or being given up: `gathering::unpack` says the rest.
        Next::Unpack => (AttemptOutcome::Dead, DeliveryState::Disabled, None),
        Next::DisableTarget(_) => (AttemptOutcome::Disabled, DeliveryState::Disabled, None),
    };
    if outcome == AttemptOutcome::Delivered {
        try_refused_again(conn, target)?;
        gathering::settle(conn, delivery, record.at)?;
    }
    if let Some(post) = &record.post {
        conn.prepare_cached("UPDATE deliveries SET post = ?2 WHERE id = ?1")?
            .execute(params![delivery, post])?;
    }
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
    if open {
        let set_aside = matches!(next, Next::SetAside(_)).then_some(record.at);
        let done = (outcome != AttemptOutcome::Retry).then_some(record.at);
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
        if *next == Next::Unpack {
            gathering::unpack(conn, delivery, record.at)?;
        }
    } else if outcome == AttemptOutcome::Delivered {
        // It was given up or disabled while this attempt was on its way, and has arrived after all.
        conn.prepare_cached(
            "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1 WHERE id = ?1",
        )?
        .execute([delivery])?;
    }
    Ok((target, open))
}

/// A receiver that takes an event again has perhaps refused the ones before for a reason of its own: what was set aside
/// since it last took one is tried once more, now. The row of this attempt is not there yet.
fn try_refused_again(conn: &Connection, target: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE deliveries INDEXED BY deliveries_open SET next_attempt_at = NULL \
         WHERE target_id = ?1 AND set_aside_at IS NOT NULL AND done_at IS NULL AND set_aside_at > ?2",
    )?
    .execute(params![target, last_accepted(conn, target)?])?;
    Ok(())
}

/// When the target last took an event; the beginning of time when it never has.
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

/// Why nobody is there any more, now that this delivery is given up after all attempts. One event may be at fault; two in
/// a row that could not be sent for days mean that nobody is there, and so do ten that were refused while none was taken.
fn nobody_there(
    conn: &Connection,
    target: i64,
    delivery: DeliveryId,
) -> Result<Option<&'static str>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT state = 'dead' AND attempts >= ?3 AND set_aside_at IS NULL FROM deliveries \
         WHERE target_id = ?1 AND id <= ?2 AND gathered_at IS NULL ORDER BY id DESC LIMIT 2",
    )?;
    let rows = statement.query_map(params![target, delivery, DELIVERY_ATTEMPTS], |row| {
        row.get(0)
    })?;
    let given_up: Vec<bool> = rows.collect::<Result<_, _>>()?;
    if given_up == [true, true] {
        return Ok(Some(LONG_FAILURE));
    }
    let refused: u32 = conn
        .prepare_cached(
            "SELECT count(*) FROM deliveries INDEXED BY deliveries_dead \
             WHERE target_id = ?1 AND state = 'dead' AND attempts >= ?2 AND set_aside_at > ?3",
        )?
        .query_row(
            params![target, DELIVERY_ATTEMPTS, last_accepted(conn, target)?],
            |row| row.get(0),
        )?;
    Ok((refused >= REFUSED_EVENTS).then_some(ALL_REFUSED))
}

/// Disables a target, and tells all others that take events: what it should have told is told to nobody from now on.
fn disable(tx: &mut Tx<'_>, target: i64, now: Timestamp, why: &str) -> Result<(), StoreError> {
    let (name, known): (String, bool) = tx
        .conn
        .prepare_cached("SELECT name, disabled_at IS NOT NULL FROM targets WHERE id = ?1")?
        .query_row([target], |row| Ok((row.get(0)?, row.get(1)?)))?;
    targets::disable(tx.conn, target, now, why)?;
    if known {
        return Ok(());
    }
    let kept: u64 = tx
        .conn
        .prepare_cached(
            "SELECT count(*) FROM deliveries WHERE target_id = ?1 AND state IN ('disabled', 'dead')",
        )?
        .query_row([target], |row| count(row, 0))?;
    let others: Vec<String> = tx
        .conn
        .prepare_cached(
            "SELECT name FROM targets WHERE active = 1 AND notices = 1 AND disabled_at IS NULL AND id <> ?1",
        )?
        .query_map([target], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let event = event_builder::target_disabled(&name, why, kept, now);
    let _: EventId = events::insert(tx, &NewRow::alone(&event, &others))?;
    Ok(())
}
