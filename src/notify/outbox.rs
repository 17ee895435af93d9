//! What the drain needs of the store.

use std::future::Future;
use std::time::Duration;

use crate::domain::ids::DeliveryId;
use crate::time::Timestamp;

/// The queue of deliveries. Each method is one short transaction.
pub trait Outbox: Send + Sync {
    /// Takes deliveries that are due and marks them as taken until `now + lease_for`; at most `limit`, and at most one
    /// for each target: the oldest that is neither delivered nor dead. A target whose oldest one is not due yet, or is
    /// taken, gives none, so that order is kept.
    fn lease_due(
        &self,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LeasedDelivery>, OutboxError>> + Send;

    /// Writes down an attempt and what becomes of the delivery, and ends the lease.
    fn record_attempt(
        &self,
        delivery: DeliveryId,
        attempt: AttemptRecord,
        next: Next,
    ) -> impl Future<Output = Result<(), OutboxError>> + Send;

    /// When [`Self::lease_due`] will have something that it does not have at `now`; `None` when nothing waits.
    /// Deliveries that are taken count with the end of their lease.
    fn next_due(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Timestamp>, OutboxError>> + Send;
}

/// The store could not answer: the message for people, the chain of causes joined.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutboxError(pub String);

/// A delivery to send now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedDelivery {
    /// Its row.
    pub id: DeliveryId,
    /// The public id of the event, `webhook-id`: the same on every attempt.
    pub event_uid: String,
    /// The whole event as JSON.
    pub event_json: Vec<u8>,
    /// The name of the target.
    pub target: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

/// One attempt, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u64,
    /// What went wrong, for people.
    pub error: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// The receiver has taken it.
    Delivered,
    /// Not this time.
    Failed,
    /// The receiver wants nothing any more (410).
    Gone,
}

impl AttemptOutcome {
    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Done.
    Delivered,
    /// To be tried again, not before this moment.
    RetryAt(Timestamp),
    /// Given up: kept, listed, replayable.
    Dead,
    /// Given up, and the target with it.
    DisableTarget,
}
