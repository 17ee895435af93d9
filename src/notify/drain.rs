//! The loop that empties the outbox.

mod holding;

use std::collections::HashMap;
use std::future::Future;
use std::ops::AddAssign;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::deliver::{self, Attempt, Deliver, Outgoing};
use super::kinds::DeliveryResult;
use super::outbox::Outbox;
use super::payload;
use super::target::Target;
use crate::config::TargetKind;
use crate::domain::backoff::{REFUSALS, delivery_delay};
use crate::domain::ids::DeliveryId;
use crate::store::{AttemptRecord, LeasedDelivery, Next, StoreError};
use crate::time::{Clock, Timestamp};

/// The lease of a delivery: longer than an attempt may last, including the lookup of a name. After a crash,
/// whatever was being sent is sent again after this time.
const LEASE: Duration = Duration::from_mins(1);
const _: () = assert!(deliver::LONGEST.as_secs() < LEASE.as_secs());
/// The most deliveries per transaction: one for each target, and few installations have more targets.
const LEASE_LIMIT: usize = 64;
/// The longest sleep: the wall clock may be set while we sleep.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The shortest sleep, in case another process has just leased a delivery that was due.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The pause after the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// The pause if something is due for a target that is not in the configuration: the database may soon be updated.
const STRANGER_PAUSE: Duration = Duration::from_secs(5);
/// How long a stop waits for attempts in progress; the service has five seconds in total.
const STOP_GRACE: Duration = Duration::from_secs(3);
/// How often recording is tried. Without a record, a delivery that has arrived would be sent again.
const RECORD_TRIES: u32 = 5;
/// After this many attempts, a `Retry-After` that is shorter than the schedule is ignored. Otherwise a receiver
/// that keeps asking for seconds would use up all attempts within minutes.
const BELIEVED_ATTEMPTS: u32 = 3;

/// Drains an outbox: leases what is due, sends it outside of any transaction, and records the attempt.
pub struct Drain<O, D> {
    outbox: O,
    deliver: D,
    clock: Arc<dyn Clock>,
    targets: RwLock<Targets>,
    /// The address of the web pages, for links to changes.
    base_url: RwLock<Option<Arc<str>>>,
    /// Why the database must no longer be used.
    unfit: OnceLock<StoreError>,
}

type Targets = Arc<HashMap<String, Arc<Target>>>;

/// What a drain has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DrainSummary {
    /// Accepted by their receivers.
    pub delivered: u64,
    /// To be retried.
    pub retried: u64,
    /// Those of the retried ones that later events no longer wait for, because the receiver refuses them.
    pub set_aside: u64,
    /// Given up, because the schedule is exhausted or the receiver is gone.
    pub dead: u64,
    /// Attempts that could not be recorded; they will be repeated.
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
        self.set_aside += other.set_aside;
        self.dead += other.dead;
        self.unrecorded += other.unrecorded;
    }
}

impl<O: Outbox + 'static, D: Deliver + 'static> Drain<O, D> {
    /// A drain that sends with `deliver`.
    pub fn new(outbox: O, deliver: D, clock: Arc<dyn Clock>, targets: Vec<Target>) -> Arc<Self> {
        let drain = Self {
            outbox,
            deliver,
            clock,
            targets: RwLock::default(),
            base_url: RwLock::default(),
            unfit: OnceLock::new(),
        };
        drain.set_targets(targets);
        Arc::new(drain)
    }

    /// Uses the address of the web pages from a new configuration.
    pub fn set_base_url(&self, base_url: Option<&str>) {
        let mut known = self
            .base_url
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = base_url.map(Arc::from);
    }

    fn base_url(&self) -> Option<Arc<str>> {
        let known = self.base_url.read();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses the targets of a new configuration; attempts in progress still use the old ones.
    pub fn set_targets(&self, targets: Vec<Target>) {
        let by_name = targets
            .into_iter()
            .map(|target| (target.name.clone(), Arc::new(target)))
            .collect();
        *self.targets.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(by_name);
    }

    /// The targets of a kind, as configured now.
    pub fn targets_of(&self, kind: TargetKind) -> Vec<Arc<Target>> {
        let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
        let of_kind = targets.values().filter(|target| target.kind == kind);
        of_kind.cloned().collect()
    }

    /// Drains until `stop`, then waits briefly for attempts in progress. `wake` signals new deliveries; those that
    /// become due later are found without it. Returns an error if the database must no longer be used.
    pub async fn run(
        self: Arc<Self>,
        wake: Arc<Notify>,
        stop: CancellationToken,
    ) -> Result<DrainSummary, StoreError> {
        let mut flights = Flights::default();
        loop {
            let pause = self.start_due(&mut flights).await;
            if self.unfit.get().is_some() {
                break;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                true = flights.land() => {}
                () = wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        let ending = async { while flights.land().await {} };
        if tokio::time::timeout(STOP_GRACE, ending).await.is_err() {
            self.cut_off(&mut flights).await;
        }
        match self.unfit.get() {
            Some(unfit) => Err(unfit.clone()),
            None => Ok(flights.summary),
        }
    }

    /// Drains until nothing is due: for commands. A failed delivery waits for its next scheduled attempt.
    pub async fn drain_once(self: &Arc<Self>) -> DrainSummary {
        let mut flights = Flights::default();
        loop {
            self.start_due(&mut flights).await;
            if !flights.land().await {
                return flights.summary;
            }
        }
    }

    /// Starts an attempt for each target with something due. Returns the time until more may be due.
    async fn start_due(self: &Arc<Self>, flights: &mut Flights) -> Duration {
        let now = self.clock.now();
        let mut shortest = SHORTEST_PAUSE;
        match self.make_digests(now).await {
            Ok(true) => {}
            Ok(false) => shortest = STRANGER_PAUSE,
            Err(error) => return self.cannot_read(&error),
        }
        let leased = match self.outbox.lease_due(now, LEASE, LEASE_LIMIT).await {
            Ok(leased) => leased,
            Err(error) => {
                return self.cannot_read(&error);
            }
        };
        for delivery in leased {
            if flights.has(delivery.id) {
                // The clock jumped, and its lease ended before its attempt; it has a new one now.
                continue;
            }
            let Some(target) = self.target(&delivery.target) else {
                // The target may come back with the next edit of the configuration: until then its deliveries
                // wait.
                self.give_back(&delivery.target, delivery.id).await;
                shortest = STRANGER_PAUSE;
                continue;
            };
            let flight = (delivery.target.clone(), delivery.id);
            let drain = Arc::clone(self);
            flights.start(
                flight,
                async move { drain.attempt(&target, delivery).await },
            );
        }
        match self.outbox.next_due().await {
            Ok(Some(due)) => due.since(now).clamp(shortest, LONGEST_PAUSE),
            Ok(None) => LONGEST_PAUSE,
            Err(error) => self.cannot_read(&error),
        }
    }

    fn cannot_read(&self, error: &StoreError) -> Duration {
        tracing::error!(%error, "cannot read the outbox");
        self.judge(error);
        STORE_PAUSE
    }

    /// Remembers an error after which the database must no longer be used.
    fn judge(&self, error: &StoreError) {
        if error.is_unfit() {
            self.unfit.get_or_init(|| error.clone());
        }
    }

    /// The target of this name.
    pub(crate) fn target(&self, name: &str) -> Option<Arc<Target>> {
        let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
        targets.get(name).cloned()
    }

    /// Aborts the attempts in progress. Their deliveries are sent at the next start, not when their leases end.
    async fn cut_off(&self, flights: &mut Flights) {
        for (target, delivery) in flights.cut_off().await {
            tracing::warn!(
                target.name = target,
                "stopped during a delivery; it will be sent again"
            );
            self.give_back(&target, delivery).await;
        }
    }

    async fn give_back(&self, target: &str, delivery: DeliveryId) {
        if let Err(error) = self.outbox.release(delivery).await {
            tracing::error!(%error, target.name = target, "cannot release a delivery; its lease expires by itself");
        }
    }

    /// Sends one delivery and records the result.
    async fn attempt(&self, target: &Target, delivery: LeasedDelivery) -> DrainSummary {
        if self.is_held_back(target, &delivery).await {
            return DrainSummary::default();
        }
        let LeasedDelivery {
            id,
            uid,
            body,
            attempt: number,
            refusals,
            created,
            has_members,
            thread,
            ..
        } = delivery;
        let name = target.name.as_str();
        let attempt = match body {
            Some(body) => {
                let outgoing = Outgoing {
                    uid: uid.clone(),
                    body: payload::linked(body, self.base_url().as_deref()),
                    created,
                    thread,
                };
                self.deliver.deliver(target, outgoing).await
            }
            None => unreadable(name, &uid, self.clock.now()),
        };
        let next = next_step(&attempt.result, number, self.clock.now(), jitter());
        let refusals = refusals + u32::from(attempt.refused);
        let next = if unpacks(&attempt, has_members, refusals) {
            Next::Unpack
        } else {
            set_aside(next, attempt.refused && refusals >= REFUSALS)
        };
        report(name, &uid, number, &attempt, &next);
        let record = AttemptRecord {
            at: attempt.at,
            status: attempt.status,
            refused: attempt.refused,
            duration_ms: attempt.duration_ms,
            error: attempt.error,
            post: attempt.post,
        };
        let mut tries = 1;
        while let Err(error) = self
            .outbox
            .record_attempt(id, record.clone(), next.clone())
            .await
        {
            self.judge(&error);
            if tries == RECORD_TRIES || error.is_unfit() {
                tracing::error!(%error, target.name = name, event.id = uid,
                    "cannot record a delivery attempt; it will be repeated");
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
            Next::RetryAt(_) | Next::Unpack => DrainSummary {
                retried: 1,
                ..DrainSummary::default()
            },
            Next::SetAside(_) => DrainSummary {
                retried: 1,
                set_aside: 1,
                ..DrainSummary::default()
            },
            Next::Dead | Next::DisableTarget(_) => DrainSummary {
                dead: 1,
                ..DrainSummary::default()
            },
        }
    }
}

/// An attempt that sends nothing, because the stored event cannot be read. Later events are still sent.
fn unreadable(target: &str, event: &str, now: Timestamp) -> Attempt {
    tracing::error!(
        target.name = target,
        event.id = event,
        "a stored event cannot be read; run `revisor db verify` to see what else is damaged"
    );
    Attempt {
        at: now,
        duration_ms: 0,
        result: DeliveryResult::Dead,
        status: None,
        refused: false,
        error: Some("the event cannot be read: this part of the database is damaged".to_owned()),
        post: None,
    }
}

/// The next step for a delivery after its attempt with this number (from 1).
fn next_step(result: &DeliveryResult, number: u32, now: Timestamp, jitter: f64) -> Next {
    match result {
        DeliveryResult::Delivered => Next::Delivered,
        DeliveryResult::Disabled(why) => Next::DisableTarget(why.clone()),
        DeliveryResult::Dead => Next::Dead,
        DeliveryResult::Retry { after } => match (delivery_delay(number, jitter), after) {
            (None, _) => Next::Dead,
            (Some(delay), None) => Next::RetryAt(now + delay),
            (Some(_), Some(after)) if number <= BELIEVED_ATTEMPTS => Next::RetryAt(now + *after),
            (Some(delay), Some(after)) => Next::RetryAt(now + delay.max(*after)),
        },
    }
}

/// The same step, but out of order if the receiver has now refused the event itself often enough.
fn set_aside(next: Next, refused: bool) -> Next {
    match next {
        Next::RetryAt(at) if refused => Next::SetAside(at),
        next => next,
    }
}

/// Whether a digest is unpacked: it cannot be sent as it is, or was refused as often as a single event before it
/// is set aside. Then only the members at fault fail to arrive. Refused credentials say nothing about the members.
fn unpacks(attempt: &Attempt, has_members: bool, refusals: u32) -> bool {
    let refused = attempt.refused && attempt.status != Some(401) && refusals >= REFUSALS;
    let retries = matches!(attempt.result, DeliveryResult::Retry { .. });
    has_members && (attempt.result == DeliveryResult::Dead || (retries && refused))
}

/// A number from 0 to 1, so that deliveries that failed together are not retried together.
fn jitter() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

/// One log line for an attempt. It never has the body, the response or the address.
fn report(target: &str, event: &str, number: u32, attempt: &Attempt, next: &Next) {
    let status = attempt.status;
    let duration_ms = attempt.duration_ms;
    match next {
        Next::Delivered => {
            tracing::info!(
                target.name = target,
                event.id = event,
                status,
                duration_ms,
                "delivered"
            );
        }
        Next::RetryAt(at) => {
            tracing::warn!(target.name = target, event.id = event, attempt = number, status, retry_at = %at,
                "a delivery failed and will be retried");
        }
        Next::SetAside(at) => {
            tracing::error!(target.name = target, event.id = event, attempt = number, status, retry_at = %at,
                "the receiver keeps refusing this event; later events are sent without waiting for it, and it is retried");
        }
        Next::Unpack => {
            tracing::error!(
                target.name = target,
                event.id = event,
                attempt = number,
                status,
                "the receiver refuses this digest; its events are sent one by one"
            );
        }
        Next::Dead => {
            tracing::error!(
                target.name = target,
                event.id = event,
                attempt = number,
                status,
                "a delivery was given up; `revisor notify retry` sends it again"
            );
        }
        Next::DisableTarget(_) => {
            tracing::error!(
                target.name = target,
                event.id = event,
                status,
                "the receiver is gone; the target is disabled"
            );
        }
    }
}

/// Attempts in progress. The outbox leases one delivery of each target at a time, and the next one only when it is
/// recorded.
#[derive(Default)]
struct Flights {
    tasks: JoinSet<DrainSummary>,
    leases: HashMap<Id, (String, DeliveryId)>,
    summary: DrainSummary,
}

impl Flights {
    fn start(
        &mut self,
        lease: (String, DeliveryId),
        attempt: impl Future<Output = DrainSummary> + Send + 'static,
    ) {
        let task = self.tasks.spawn(attempt);
        self.leases.insert(task.id(), lease);
    }

    fn has(&self, delivery: DeliveryId) -> bool {
        self.leases.values().any(|(_, id)| *id == delivery)
    }

    /// Waits for one attempt to end; `false` if none is in progress. Cancelling the wait loses nothing.
    async fn land(&mut self) -> bool {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.count(ended),
            None => return false,
        }
        true
    }

    fn count(&mut self, ended: Result<(Id, DrainSummary), JoinError>) {
        match ended {
            Ok((id, summary)) => {
                self.leases.remove(&id);
                self.summary += summary;
            }
            Err(error) => {
                // A panic in an attempt only ends that attempt; its lease expires, and the attempt is repeated.
                let target = self.leases.remove(&error.id()).map(|(target, _)| target);
                tracing::error!(%error, target.name = target, "a delivery attempt was aborted");
                self.summary.unrecorded += 1;
            }
        }
    }

    /// Aborts all attempts and returns those that had not ended.
    async fn cut_off(&mut self) -> Vec<(String, DeliveryId)> {
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next_with_id().await {
            match ended {
                Err(error) if error.is_cancelled() => {}
                ended => self.count(ended),
            }
        }
        self.leases.drain().map(|(_, lease)| lease).collect()
    }
}

#[cfg(test)]
mod tests;
