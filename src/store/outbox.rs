//! `deliveries` and `attempts`: the outbox.
//!
//! A delivery is leased in one short transaction, sent outside of any transaction, and its attempt is recorded in another
//! one. If the sender dies in between, the lease ends by itself, and the event is sent again under the same id. Only the
//! oldest open delivery of a target is leased, which keeps the order and one delivery in flight. If the receiver
//! repeatedly refuses an event, its delivery is set aside: it leaves the order, keeps its own schedule, and is leased
//! between the others. `policy` makes these decisions.
//!
//! Queries for open deliveries name their index: without it the planner would read everything that was ever delivered.

mod gathering;
mod leasing;
mod reading;
mod recording;

use crate::names;
use std::time::Duration;

pub use gathering::Gathered;
use rusqlite::{named_params, params};

use super::targets;
use super::writer::{Write, Writer};
use crate::domain::event::EventKind;
use crate::domain::ids::{ChangeNumber, DeliveryId, EventId};
use crate::time::Timestamp;

/// A delivery that this process may send.
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
    /// The event as JSON; `None` if what is stored cannot be read.
    pub body: Option<Vec<u8>>,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// How often the receiver has refused this event so far.
    pub refusals: u32,
    /// When the event was noticed.
    pub created: Timestamp,
    /// Whether it is a digest.
    pub has_members: bool,
    /// Whether its digest was unpacked: it is sent by itself.
    pub unpacked: bool,
    /// The first post at this target about the same article, in the form of its kind.
    pub thread: Option<String>,
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// When it ended.
    pub at: Timestamp,
    /// HTTP status, or the code of a mail server, if there was a response.
    pub status: Option<u16>,
    /// Whether the receiver refused the event itself.
    pub refused: bool,
    /// How long it took.
    pub duration_ms: u64,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The post that was made of it, for later replies.
    pub post: Option<String>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It has arrived.
    Delivered,
    /// It is tried again, not before this time.
    RetryAt(Timestamp),
    /// The same, and later events no longer wait for it.
    SetAside(Timestamp),
    /// The receiver refuses this digest: its members are sent one by one.
    Unpack,
    /// It is given up; it can be retried by hand.
    Dead,
    /// The receiver asked us to stop: the target is disabled for this reason, with all of its open deliveries.
    DisableTarget(String),
}

/// An attempt that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its result.
    pub record: AttemptRecord,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

names! {
    /// How an attempt ended.
    pub enum AttemptOutcome {
        /// The receiver accepted the event.
        Delivered = "delivered",
        /// It is tried again.
        Retry = "retry",
        /// It was the last one.
        Dead = "dead",
        /// The receiver asked us to stop.
        Disabled = "disabled",
    }
}

names! {
    /// The state of a delivery.
    pub enum DeliveryState {
        /// It is waiting for its turn.
        Pending = "pending",
        /// It is being sent.
        Leased = "leased",
        /// It has arrived.
        Delivered = "delivered",
        /// It was given up.
        Dead = "dead",
        /// Its target was disabled first.
        Disabled = "disabled",
        /// It is waiting for a person to release it.
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
    /// The kind of the event.
    pub kind: Option<EventKind>,
    /// The change that the event reports.
    pub change: Option<ChangeNumber>,
    /// When the event was noticed.
    pub created: Timestamp,
    /// Its state.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// The earliest next attempt; `None` for immediately.
    pub next_attempt: Option<Timestamp>,
    /// When it was done.
    pub done: Option<Timestamp>,
    /// When it was set aside because the receiver repeatedly refused this event.
    pub set_aside: Option<Timestamp>,
    /// HTTP status of the last attempt.
    pub last_status: Option<u16>,
    /// The error of the last attempt.
    pub last_error: Option<String>,
}

/// Events by the time when they were noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaySpan {
    /// From this time on.
    pub since: Timestamp,
    /// Before this time; `None` for no end.
    pub until: Option<Timestamp>,
}

/// What to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// All deliveries of a target that are dead, disabled or waiting.
    Target(String),
    /// One delivery, if it has not arrived.
    Delivery(DeliveryId),
}

impl Writer {
    /// Leases what is due: of each target that is active, not paused and not disabled, the oldest open delivery, if it is
    /// due and not leased. The lease ends by itself after `lease_for`.
    pub fn lease_due(
        &self,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> Write<Vec<LeasedDelivery>> {
        self.write(move |tx| leasing::lease(tx.conn, now, lease_for, limit))
    }

    /// Records an attempt and what becomes of the delivery, unless it is done already. Returns whether it was open.
    pub fn record_attempt(
        &self,
        delivery: DeliveryId,
        record: AttemptRecord,
        next: Next,
    ) -> Write<bool> {
        self.write(move |tx| recording::record(tx, delivery, &record, &next))
    }

    /// Ends all leases. Only one process sends, which is the caller, so the process that had them is dead. Its deliveries
    /// are sent again now instead of when the leases would have ended.
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

    /// Ends a lease without an attempt, at shutdown.
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

    /// Gives up those of these deliveries that are open, for a person; returns how many. Each gets a record of an attempt
    /// that was not made. [`Self::retry`] sends them after all.
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

    /// Releases held deliveries; returns how many.
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

    /// Ends a lease without an attempt and delays the delivery: the target has had its limit for this hour.
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

    /// Makes deliveries due now that are dead, disabled or waiting; returns how many. Those that were done start their
    /// schedule of retries again.
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
                       AND held_at IS NULL AND unpacked_at IS NULL AND NOT (gathered_at IS NOT NULL AND state = 'disabled') \
                       AND (state IN ('dead', 'disabled') OR (state = 'pending' AND next_attempt_at IS NOT NULL))",
                )?
                .execute(named_params! {":delivery": delivery, ":target": target})?)
        })
    }

    /// Sends a target again, under the same ids, all of its deliveries of the events in a time span, even those that have
    /// arrived; returns how many.
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

    /// Sends these events to a target, even those it has no delivery of; returns how many.
    pub fn replay_events(&self, target: &str, events: Vec<EventId>) -> Write<usize> {
        let target = target.to_owned();
        self.write(move |tx| {
            let target = targets::ensure(tx.conn, &target)?;
            let mut statement = tx.conn.prepare_cached(
                "INSERT INTO deliveries (event_id, target_id, state) SELECT id, ?2, 'pending' FROM events WHERE id = ?1 \
                 ON CONFLICT (event_id, target_id) DO UPDATE SET state = 'pending', attempts = 0, \
                 next_attempt_at = NULL, done_at = NULL, set_aside_at = NULL, gathered_at = NULL, digest_id = NULL, \
                 unpacked_at = NULL WHERE state <> 'leased' AND held_at IS NULL",
            )?;
            let mut sent = 0;
            for event in &events {
                sent += statement.execute(params![event, target])?;
            }
            Ok(sent)
        })
    }
}

/// The deliveries that a replay sends again: not those that are being sent, and not those that wait for a digest. Instead
/// of a digest that was sent, its members are sent.
const REPLAYED: &str = "WHERE target_id = (SELECT id FROM targets WHERE name = :target) AND state <> 'leased' AND held_at IS NULL \
     AND NOT (state = 'disabled' AND gathered_at IS NOT NULL AND (digest_id IS NULL OR EXISTS \
       (SELECT 1 FROM deliveries AS digest WHERE digest.id = deliveries.digest_id AND digest.done_at IS NULL))) \
     AND event_id IN (SELECT id FROM events \
       WHERE created_at >= :since AND (:until IS NULL OR created_at < :until) AND type <> 'digest.ready')";
