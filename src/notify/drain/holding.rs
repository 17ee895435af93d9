//! Deliveries held back for a digest, and the digests that are due.

use std::time::Duration;

use super::Drain;
use crate::domain::event::Event;
use crate::domain::holding::TurnDecision;
use crate::notify::deliver::Deliver;
use crate::notify::digest;
use crate::notify::outbox::Outbox;
use crate::notify::target::Target;
use crate::store::{LeasedDelivery, StoreError};
use crate::time::Timestamp;

/// The period that `max_per_hour` of a target counts in.
const HOUR: Duration = Duration::from_hours(1);

impl<O: Outbox + 'static, D: Deliver + 'static> Drain<O, D> {
    /// Queues the digests that are due; `false` if one is due for a target that is not in the configuration.
    pub(super) async fn make_digests(&self, now: Timestamp) -> Result<bool, StoreError> {
        let due = self
            .outbox
            .digests_to_make(now, digest::MOST_MEMBERS)
            .await?;
        let mut known = true;
        for (name, gathered) in due {
            let Some(target) = self.target(&name) else {
                known = false;
                continue;
            };
            let holding = &target.holding;
            let waits = holding.digest_waits(now, self.too_many(&target).await);
            let next = holding.empty_due(now);
            if waits.is_some() || (gathered.count == 0 && next.is_none()) {
                self.outbox.delay_digest(&name, waits).await?;
                continue;
            }
            let event = digest::compose(&gathered, now);
            if self
                .outbox
                .make_digest(&name, &gathered, event, next)
                .await?
            {
                tracing::info!(target.name = name, events = gathered.count, "digest queued");
            }
        }
        Ok(known)
    }

    /// Whether the event of a delivery is held back. If so, it is stored where it waits.
    pub(super) async fn is_held_back(&self, target: &Target, delivery: &LeasedDelivery) -> bool {
        let holding = &target.holding;
        let event = delivery.body.as_deref().filter(|_| !holding.is_none());
        let event = event.and_then(|body| serde_json::from_slice::<Event>(body).ok());
        let Some(event) = event else { return false };
        let now = self.clock.now();
        let alone = delivery.attempt > 1 || delivery.unpacked;
        let turn = holding.turn(&event, now, alone, self.too_many(target).await);
        let stored = match turn {
            TurnDecision::Send => return false,
            // Public posts are sent one by one, never as a digest.
            TurnDecision::Gather(until) if target.kind.is_public() => {
                self.outbox.postpone(delivery.id, until).await
            }
            TurnDecision::Gather(due) => self.outbox.gather(delivery.id, now, due).await,
            TurnDecision::Wait(until) => self.outbox.postpone(delivery.id, until).await,
        };
        let name = target.name.as_str();
        match stored {
            Ok(()) => tracing::debug!(target.name = name, event.id = delivery.uid, "held back"),
            Err(error) => {
                self.judge(&error);
                tracing::error!(%error, target.name = name,
                    "cannot hold a delivery back; its lease expires by itself");
            }
        }
        true
    }

    /// Until when a target takes nothing because it has reached its hourly limit.
    async fn too_many(&self, target: &Target) -> Option<Timestamp> {
        let most = usize::try_from(target.holding.most?).ok()?;
        let since = self.clock.now() - HOUR;
        let arrivals = self.outbox.arrivals(&target.name, since, most).await;
        let arrivals = arrivals.inspect_err(|error| self.judge(error)).ok()?;
        (arrivals.len() >= most).then(|| arrivals.last().map(|first| *first + HOUR))?
    }
}

#[cfg(test)]
mod tests;
