//! What the drain needs from the store.

use std::future::Future;
use std::time::Duration;

use crate::domain::event::Event;
use crate::domain::ids::DeliveryId;
use crate::store::{
    AttemptRecord, Gathered, LeasedDelivery, Next, Reader, Readers, StoreError, Writer,
};
use crate::time::Timestamp;

/// The queued deliveries. Each call is a short transaction of its own; none is open while something is sent.
pub trait Outbox: Send + Sync {
    /// Takes a lease on the oldest unfinished delivery of each target that is due, unless a delivery of that
    /// target is already leased: this keeps the order.
    fn lease_due(
        &self,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LeasedDelivery>, StoreError>> + Send;

    /// Stores the result of an attempt and ends its lease.
    fn record_attempt(
        &self,
        delivery: DeliveryId,
        attempt: AttemptRecord,
        next: Next,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives a lease back without an attempt. An outbox that cannot do this lets it expire.
    fn release(
        &self,
        _delivery: DeliveryId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Gives a lease back without an attempt, and postpones the delivery until then.
    fn postpone(
        &self,
        delivery: DeliveryId,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Moves a leased delivery from the queue to the digest that is due at `due` or earlier.
    fn gather(
        &self,
        delivery: DeliveryId,
        now: Timestamp,
        due: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The targets whose digests are due, each with the first events gathered for it.
    fn digests_to_make(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(String, Gathered)>, StoreError>> + Send;

    /// Postpones the digest of a target; with `None`, until something is gathered again.
    fn delay_digest(
        &self,
        target: &str,
        until: Option<Timestamp>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Queues a digest of what is gathered for a target, in one transaction with its members. Returns `false` if
    /// something else is gathered by now.
    fn make_digest(
        &self,
        target: &str,
        gathered: &Gathered,
        event: Event,
        next: Option<Timestamp>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// When the newest deliveries of a target arrived since then, newest first.
    fn arrivals(
        &self,
        target: &str,
        since: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Timestamp>, StoreError>> + Send;

    /// When something is due next; `None` if nothing is queued.
    fn next_due(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
}

/// The outbox in the database.
#[derive(Debug, Clone)]
pub struct StoredOutbox {
    writer: Writer,
    readers: Readers,
}

impl StoredOutbox {
    /// The outbox behind these handles.
    #[must_use]
    pub fn new(writer: Writer, readers: Readers) -> Self {
        Self { writer, readers }
    }
}

impl Outbox for StoredOutbox {
    async fn lease_due(
        &self,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> Result<Vec<LeasedDelivery>, StoreError> {
        // If the outbox is empty, this is one read and no write.
        match self.readers.with(Reader::next_delivery)? {
            Some(due) if due <= now => self.writer.lease_due(now, lease_for, limit).await,
            _ => Ok(Vec::new()),
        }
    }

    async fn record_attempt(
        &self,
        delivery: DeliveryId,
        attempt: AttemptRecord,
        next: Next,
    ) -> Result<(), StoreError> {
        self.writer
            .record_attempt(delivery, attempt, next)
            .await
            .map(|_| ())
    }

    async fn release(&self, delivery: DeliveryId) -> Result<(), StoreError> {
        self.writer.release(delivery).await
    }

    async fn postpone(&self, delivery: DeliveryId, until: Timestamp) -> Result<(), StoreError> {
        self.writer.postpone(delivery, until).await
    }

    async fn gather(
        &self,
        delivery: DeliveryId,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.gather(delivery, now, due).await
    }

    async fn digests_to_make(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Gathered)>, StoreError> {
        self.readers.with(|reader| {
            let due = reader.digests_to_make(now)?.into_iter();
            due.map(|target| {
                let gathered = reader.gathered(&target, limit)?;
                Ok((target, gathered))
            })
            .collect()
        })
    }

    async fn make_digest(
        &self,
        target: &str,
        gathered: &Gathered,
        event: Event,
        next: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        self.writer.make_digest(target, gathered, event, next).await
    }

    async fn delay_digest(&self, target: &str, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.writer.delay_digest(target, until).await
    }

    async fn arrivals(
        &self,
        target: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.readers
            .with(|reader| reader.arrivals(target, since, limit))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.with(Reader::next_delivery)
    }
}
