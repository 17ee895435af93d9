//! The loop that empties the outbox.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::deliver::{Attempt, Deliver, DeliveryResult};
use super::outbox::Outbox;
use super::payload;
use super::target::Target;
use crate::domain::backoff::delivery_delay;
use crate::store::{AttemptRecord, LeasedDelivery, Next};
use crate::time::{Clock, Timestamp};

/// How long a delivery is taken for: longer than an attempt and its record can last. After a crash, what was being
/// sent is sent again that much later.
const LEASE: Duration = Duration::from_mins(1);
/// Deliveries taken by one transaction: one for each target, and few have more.
const LEASE_LIMIT: usize = 64;
/// The longest sleep: the wall clock may be set while we sleep.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The shortest sleep, should a delivery be due that nobody can take.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The pause after the store could not answer.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// How long a stop waits for the attempts that are under way; the service has five seconds in all.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// How often a record is tried. Without it, a delivery that has arrived would be sent again.
const RECORD_TRIES: u32 = 5;

/// Empties an outbox: takes what is due, sends it outside of any transaction, records the attempt.
pub struct Drain<O, D> {
    outbox: O,
    deliver: D,
    clock: Arc<dyn Clock>,
    targets: RwLock<Targets>,
}

type Targets = Arc<HashMap<String, Arc<Target>>>;

/// What a drain has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DrainSummary {
    /// Taken by their receivers.
    pub delivered: u64,
    /// To be tried again.
    pub retried: u64,
    /// Given up, because the schedule is over or the receiver is gone.
    pub dead: u64,
    /// Attempts that could not be recorded; they will be made again.
    pub unrecorded: u64,
}

impl DrainSummary {
    /// Whether a target has failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.retried + self.dead + self.unrecorded > 0
    }
}

impl AddAssign for DrainSummary {
    fn add_assign(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.retried += other.retried;
        self.dead += other.dead;
        self.unrecorded += other.unrecorded;
    }
}

impl<O: Outbox + 'static, D: Deliver + 'static> Drain<O, D> {
    /// A drain that sends by `deliver`.
    pub fn new(outbox: O, deliver: D, clock: Arc<dyn Clock>, targets: Vec<Target>) -> Arc<Self> {
        let drain = Self {
            outbox,
            deliver,
            clock,
            targets: RwLock::default(),
        };
        drain.set_targets(targets);
        Arc::new(drain)
    }

    /// Takes the targets of a new configuration; attempts under way end with the old ones.
    pub fn set_targets(&self, targets: Vec<Target>) {
        let by_name = targets
            .into_iter()
            .map(|target| (target.name.clone(), Arc::new(target)))
            .collect();
        *self.targets.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(by_name);
    }

    /// Drains until `stop`, then waits a little for the attempts under way. `wake` tells of new deliveries; those that
    /// are due later are found without it.
    pub async fn run(self: Arc<Self>, wake: Arc<Notify>, stop: CancellationToken) -> DrainSummary {
        let mut summary = DrainSummary::default();
        let mut attempts = JoinSet::new();
        loop {
            let pause = self.start_due(&mut attempts).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = attempts.join_next() => summary += counted(ended),
                () = wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        let ending = async {
            while let Some(ended) = attempts.join_next().await {
                summary += counted(ended);
            }
        };
        if tokio::time::timeout(STOP_GRACE, ending).await.is_err() {
            tracing::warn!(
                unfinished = attempts.len(),
                "stopped while deliveries were under way; they will be sent again"
            );
            attempts.shutdown().await;
        }
        summary
    }

    /// Drains until nothing is due: for commands. Deliveries that fail are left for their next time.
    pub async fn drain_once(self: &Arc<Self>) -> DrainSummary {
        let mut summary = DrainSummary::default();
        let mut attempts = JoinSet::new();
        loop {
            self.start_due(&mut attempts).await;
            match attempts.join_next().await {
                Some(ended) => summary += counted(ended),
                None => return summary,
            }
        }
    }

    /// Starts an attempt for each target that has something due; returns how long nothing else will be.
    async fn start_due(self: &Arc<Self>, attempts: &mut JoinSet<DrainSummary>) -> Duration {
        let now = self.clock.now();
        let leased = match self.outbox.lease_due(now, LEASE, LEASE_LIMIT).await {
            Ok(leased) => leased,
            Err(error) => {
                tracing::error!(%error, "cannot read the outbox");
                return STORE_PAUSE;
            }
        };
        for delivery in leased {
            let drain = Arc::clone(self);
            attempts.spawn(async move { drain.attempt(delivery).await });
        }
        match self.outbox.next_due().await {
            Ok(Some(due)) => due.since(now).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
            Ok(None) => LONGEST_PAUSE,
            Err(error) => {
                tracing::error!(%error, "cannot read the outbox");
                STORE_PAUSE
            }
        }
    }

    /// Sends one delivery and records what became of it.
    async fn attempt(&self, delivery: LeasedDelivery) -> DrainSummary {
        let LeasedDelivery {
            id,
            uid,
            body,
            target: name,
            attempt: number,
            ..
        } = delivery;
        let target = {
            let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
            targets.get(&name).cloned()
        };
        let attempt = match target {
            Some(target) => {
                let body = payload::fit_json(body, target.max_payload);
                self.deliver.deliver(&target, &uid, body).await
            }
            // It may come back with the next edit of the configuration, so the schedule goes on.
            None => Attempt {
                at: self.clock.now(),
                duration_ms: 0,
                result: DeliveryResult::Retry { after: None },
                status: None,
                error: Some(format!("no target `{name}` in the configuration")),
            },
        };
        let next = next_step(&attempt.result, number, self.clock.now(), jitter());
        report(&name, &uid, number, &attempt, &next);
        let record = AttemptRecord {
            at: attempt.at,
            status: attempt.status,
            duration_ms: attempt.duration_ms,
            error: attempt.error,
        };
        let mut tries = 1;
        while let Err(error) = self
            .outbox
            .record_attempt(id, record.clone(), next.clone())
            .await
        {
            if tries == RECORD_TRIES {
                tracing::error!(%error, target.name = name, event.id = uid,
                    "cannot record a delivery attempt; it will be made again");
                return DrainSummary {
                    unrecorded: 1,
                    ..DrainSummary::default()
                };
            }
            tokio::time::sleep(STORE_PAUSE / 5 * tries).await;
            tries += 1;
        }
        match next {
            Next::Delivered => DrainSummary {
                delivered: 1,
                ..DrainSummary::default()
            },
            Next::RetryAt(_) => DrainSummary {
                retried: 1,
                ..DrainSummary::default()
            },
            Next::Dead | Next::DisableTarget(_) => DrainSummary {
                dead: 1,
                ..DrainSummary::default()
            },
        }
    }
}

/// What becomes of a delivery after its attempt with this number (from 1).
fn next_step(result: &DeliveryResult, number: u32, now: Timestamp, jitter: f64) -> Next {
    match result {
        DeliveryResult::Delivered => Next::Delivered,
        DeliveryResult::Disabled => {
            Next::DisableTarget("the receiver answered 410 Gone".to_owned())
        }
        DeliveryResult::Dead => Next::Dead,
        DeliveryResult::Retry { after } => match delivery_delay(number, jitter) {
            Some(delay) => Next::RetryAt(now + delay.max(after.unwrap_or_default())),
            None => Next::Dead,
        },
    }
}

/// A number from 0 to 1, so that the deliveries that failed together do not come back together.
fn jitter() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

/// One line for an attempt that needs somebody's attention; never the body, never the answer, never the address.
fn report(target: &str, event: &str, number: u32, attempt: &Attempt, next: &Next) {
    let status = attempt.status;
    let duration_ms = attempt.duration_ms;
    match next {
        Next::Delivered => {
            tracing::debug!(
                target.name = target,
                event.id = event,
                status,
                duration_ms,
                "delivered"
            );
        }
        Next::RetryAt(at) => {
            tracing::warn!(target.name = target, event.id = event, attempt = number, status, retry_at = %at,
                "a delivery has failed and will be tried again");
        }
        Next::Dead => {
            tracing::error!(
                target.name = target,
                event.id = event,
                attempt = number,
                status,
                "a delivery is given up; `revisor notify retry` sends it again"
            );
        }
        Next::DisableTarget(_) => {
            tracing::error!(
                target.name = target,
                event.id = event,
                status,
                "the receiver is gone (410); the target is disabled"
            );
        }
    }
}

fn counted(ended: Result<DrainSummary, tokio::task::JoinError>) -> DrainSummary {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a delivery attempt broke off");
        DrainSummary {
            unrecorded: 1,
            ..DrainSummary::default()
        }
    })
}

#[cfg(test)]
mod tests;
