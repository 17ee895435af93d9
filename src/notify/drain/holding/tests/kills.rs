//! The process is killed between any two writes.

use super::*;

/// An outbox whose process is killed right before or after one of its writes.
struct Mortal {
    outbox: StoredOutbox,
    /// How many writes are left; the last of them fails.
    left: Arc<AtomicI64>,
    /// Whether the last write is stored, and only its result is lost.
    stored: bool,
}

impl Mortal {
    async fn write<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            left if left > 1 => write.await,
            1 if self.stored => {
                write.await?;
                Err(StoreError::Refused("killed"))
            }
            _ => Err(StoreError::Refused("killed")),
        }
    }
}

impl Outbox for Mortal {
    async fn lease_due(
        &self,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> Result<Vec<LeasedDelivery>, StoreError> {
        self.write(self.outbox.lease_due(now, lease_for, limit))
            .await
    }

    async fn record_attempt(
        &self,
        delivery: DeliveryId,
        attempt: AttemptRecord,
        next: Next,
    ) -> Result<(), StoreError> {
        self.write(self.outbox.record_attempt(delivery, attempt, next))
            .await
    }

    async fn postpone(&self, delivery: DeliveryId, until: Timestamp) -> Result<(), StoreError> {
        self.write(self.outbox.postpone(delivery, until)).await
    }

    async fn gather(
        &self,
        delivery: DeliveryId,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(self.outbox.gather(delivery, now, due)).await
    }

    async fn digests_to_make(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Gathered)>, StoreError> {
        self.outbox.digests_to_make(now, limit).await
    }

    async fn delay_digest(&self, target: &str, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(self.outbox.delay_digest(target, until)).await
    }

    async fn make_digest(
        &self,
        target: &str,
        gathered: &Gathered,
        event: Event,
        next: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        self.write(self.outbox.make_digest(target, gathered, event, next))
            .await
    }

    async fn arrivals(
        &self,
        target: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.outbox.arrivals(target, since, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.outbox.next_due().await
    }
}

/// Runs with a process that is killed at its n-th write, and then with one that is not.
async fn run_killed(bench: &Bench, kill: i64, stored: bool, minutes_of_it: &[i64]) {
    let holding = digest("15m");
    bench.tell_all(&["one", "two", "three"]).await;
    let left = Arc::new(AtomicI64::new(kill));
    for minute in minutes_of_it {
        bench.clock.set(minutes(*minute));
        let outbox = Mortal {
            outbox: bench.outbox(),
            left: Arc::clone(&left),
            stored,
        };
        let drain = bench.drain(outbox, &holding);
        // A process that cannot store results keeps trying for a while; one that was killed does not.
        let _ = tokio::time::timeout(Duration::from_millis(300), drain.drain_once()).await;
        if left.load(Ordering::SeqCst) <= 0 {
            break;
        }
    }
    bench.store.writer().release_all().await.unwrap();
    for minute in (60..120).step_by(10) {
        bench.drain_at(minute, &holding).await;
    }
}

/// The messages and their ids, without repetitions.
fn messages(bench: &Bench) -> Vec<(String, String)> {
    let got = bench.receiver.got();
    let ids = got.iter().map(|got| got.header("webhook-id").to_owned());
    let mut messages: Vec<(String, String)> = Vec::new();
    for message in ids.zip(bench.arrived()) {
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    messages
}

/// Every event arrives in one message with one id, whenever the process is killed; that message may be repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_any_two_writes_loses_nothing_and_tells_nothing_twice() {
    for kill in 1..14 {
        for stored in [false, true] {
            let bench = Bench::new(fine()).await;
            run_killed(&bench, kill, stored, &[0, 15]).await;
            let messages = messages(&bench);
            let mut told: Vec<&str> = messages
                .iter()
                .flat_map(|(_, text)| text.trim_matches(['[', ']']).split(' '))
                .collect();
            told.sort_unstable();
            assert_eq!(told, ["one", "three", "two"], "{kill} {stored}");
            assert!(bench.states().iter().all(|state| *state == DELIVERED));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_digest_is_unpacked_loses_nothing_and_keeps_the_order() {
    for kill in 7..20 {
        for stored in [false, true] {
            let mut bench = Bench::new(fine()).await;
            bench.receiver = picky("digest.ready", "400 Bad Request").await;
            run_killed(&bench, kill, stored, &[0, 15, 16, 22, 55]).await;
            let messages = messages(&bench);
            let singles = messages.iter().filter(|(_, text)| !text.starts_with('['));
            let told: Vec<&str> = singles.map(|(_, text)| text.as_str()).collect();
            assert_eq!(told, ["one", "two", "three"], "{kill} {stored}");
            let states = bench.states();
            assert_eq!(states[..3], [DELIVERED; 3]);
            assert!(
                states[3..]
                    .iter()
                    .all(|state| *state == DeliveryState::Unpacked)
            );
        }
    }
}
