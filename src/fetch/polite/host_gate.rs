//! Takes turns: the async edge of [`HostQueue`].
//!
//! Every request waits here for its turn; the number of turns over all hosts is limited as well. A task that waits
//! for its host takes no place from others, and one that is dropped leaves nothing behind.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::fetch::polite::host_queue::{HostLimits, HostQueue, Lane, Pause, Ticket};
use crate::fetch::polite::sites::Sites;

/// The gate in front of all requests; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Turns {
    gate: Arc<HostGate>,
}

#[derive(Debug)]
struct HostGate {
    started: Instant,
    queue: Mutex<Queue>,
    /// Notified when the timer task has to check the queue again, and when the gate is gone.
    bell: Arc<Notify>,
    /// Whether the timer task is running.
    kept: AtomicBool,
    /// Notified when a host has asked us to wait.
    held: Notify,
}

#[derive(Debug)]
struct Queue {
    hosts: HostQueue<oneshot::Sender<Granted>>,
    /// Which sites are rate-limited as a whole.
    sites: Sites,
    /// When the timer task wakes up next by itself; `None` if it does not.
    keeper: Option<Duration>,
}

#[derive(Debug)]
struct Granted {
    host: Arc<str>,
    lane: Lane,
    pause: Pause,
}

/// The right to make one request; it ends when dropped.
#[derive(Debug)]
pub struct Turn {
    gate: Arc<HostGate>,
    host: Arc<str>,
    lane: Lane,
}

impl Turns {
    /// At most `per_host` turns of a host at the same time and `concurrency` over all hosts, and at least
    /// `host_delay` between the starts of two turns of the same host.
    #[must_use]
    pub fn new(per_host: usize, host_delay: Duration, concurrency: usize) -> Self {
        Self {
            gate: Arc::new(HostGate {
                started: Instant::now(),
                queue: Mutex::new(Queue {
                    hosts: HostQueue::new(per_host, host_delay, concurrency),
                    sites: Sites::default(),
                    keeper: None,
                }),
                bell: Arc::new(Notify::new()),
                kept: AtomicBool::new(false),
                held: Notify::new(),
            }),
        }
    }

    /// Waits for a turn at a host; first come, first served, with feeds before pages. Dropping the future gives up
    /// the place in the queue.
    pub async fn take(&self, host: &str, lane: Lane) -> Turn {
        let (grant, granted) = oneshot::channel();
        let mut waiting = QueuedTurn {
            gate: &self.gate,
            host,
            ticket: self.gate.push(host, lane, grant),
            granted,
            taken: false,
        };
        // The queue drops a sender only when this place is given up, so something is always received.
        let received = (&mut waiting.granted).await;
        waiting.taken = true;
        Turn {
            host: received.map_or_else(|_| host.into(), |granted| granted.host),
            lane,
            gate: Arc::clone(&self.gate),
        }
    }

    /// Waits for a turn at a host, unless it has asked us, or asks us meanwhile, to wait for longer than
    /// `patience`; then returns for how long.
    pub async fn take_within(
        &self,
        host: &str,
        lane: Lane,
        patience: Duration,
    ) -> Result<Turn, Duration> {
        tokio::select! {
            biased;
            held = self.held_beyond(host, patience) => Err(held),
            turn = self.take(host, lane) => Ok(turn),
        }
    }

    async fn held_beyond(&self, host: &str, patience: Duration) -> Duration {
        loop {
            // Start listening before checking, so that a hold that begins in between is not missed.
            let mut rung = pin!(self.gate.held.notified());
            rung.as_mut().enable();
            let held = {
                let (mut queue, now) = (self.gate.queue(), self.gate.now());
                queue.hold_with_site(host, now);
                queue.hosts.held_for(host, now)
            };
            if held > patience {
                return held;
            }
            rung.await;
        }
    }

    /// Starts no turn at a host for the time that it asked for. If several hosts of a site ask for that, the same
    /// applies to its other hosts. Returns the site if that begins with this host.
    pub fn hold(&self, host: &str, time: Duration) -> Option<String> {
        let now = self.gate.now();
        let until = now.saturating_add(time);
        let mut queue = self.gate.queue();
        queue.hosts.hold_until(host, until);
        let before = queue.sites.held(host, now);
        let held = queue.sites.note(host, now, until);
        if let Some(held) = &held {
            queue.hosts.hold_site(&held.site, held.until);
        }
        drop(queue);
        self.gate.held.notify_waiters();
        held.filter(|_| before.is_none()).map(|held| held.site)
    }

    /// Sets other limits for turns that start from now on.
    pub fn set_limits(&self, per_host: usize, host_delay: Duration, concurrency: usize) {
        let mut queue = self.gate.queue();
        queue.hosts.set_limits(per_host, host_delay, concurrency);
        self.gate.hand_out(&mut queue);
    }

    /// Sets individual limits for some hosts, by their [`crate::fetch::host_key`], for turns that start from now on.
    pub fn set_hosts(&self, own: HashMap<String, HostLimits>) {
        let mut queue = self.gate.queue();
        queue.hosts.set_hosts(own);
        self.gate.hand_out(&mut queue);
    }
}

/// A place in the queue.
struct QueuedTurn<'a> {
    gate: &'a Arc<HostGate>,
    host: &'a str,
    ticket: Ticket,
    granted: oneshot::Receiver<Granted>,
    taken: bool,
}

impl Drop for QueuedTurn<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut queue = self.gate.queue();
        // Grants are made under the same lock: whatever is no longer in the queue has been granted.
        if queue.hosts.cancel(self.host, self.ticket).is_none()
            && let Ok(granted) = self.granted.try_recv()
        {
            queue
                .hosts
                .take_back(&granted.host, granted.lane, granted.pause);
        }
        self.gate.hand_out(&mut queue);
    }
}

impl Turn {
    /// Starts the pause of the host again, because the request is sent only now.
    pub fn restart(&self) {
        let now = self.gate.now();
        self.gate.queue().hosts.restart(&self.host, now);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.gate.queue();
        queue.hosts.done(&self.host, self.lane, self.gate.now());
        self.gate.hand_out(&mut queue);
    }
}

impl Drop for HostGate {
    fn drop(&mut self) {
        self.bell.notify_one();
    }
}

impl Queue {
    /// Holds a host that had not been asked when its site was held.
    fn hold_with_site(&mut self, host: &str, now: Duration) {
        if let Some(held) = self.sites.held(host, now) {
            self.hosts.hold_until(host, held.until);
        }
    }
}

impl HostGate {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn push(self: &Arc<Self>, host: &str, lane: Lane, grant: oneshot::Sender<Granted>) -> Ticket {
        if !self.kept.swap(true, Ordering::Relaxed) {
            tokio::spawn(keep_time(Arc::downgrade(self), Arc::clone(&self.bell)));
        }
        let mut queue = self.queue();
        queue.hold_with_site(host, self.now());
        let ticket = queue.hosts.push(host, lane, grant);
        self.hand_out(&mut queue);
        ticket
    }

    /// Grants every turn that can start now, and makes sure that the next one is granted in time.
    fn hand_out(&self, queue: &mut Queue) {
        let now = self.now();
        while let Some(start) = queue.hosts.pop_ready(now) {
            let granted = Granted {
                host: start.host,
                lane: start.lane,
                pause: start.pause,
            };
            if let Err(unheard) = start.job.send(granted) {
                queue
                    .hosts
                    .take_back(&unheard.host, unheard.lane, unheard.pause);
            }
        }
        if let Some(next) = queue.hosts.next_ready_at()
            && queue.keeper.is_none_or(|at| next < at)
        {
            queue.keeper = Some(next);
            self.bell.notify_one();
        }
    }
}

/// The timer task: grants turns that wait only for time, as long as the gate is in use.
async fn keep_time(gate: Weak<HostGate>, bell: Arc<Notify>) {
    loop {
        let wake_at = {
            let Some(gate) = gate.upgrade() else { return };
            let mut queue = gate.queue();
            let next = queue.hosts.next_ready_at();
            queue.keeper = next;
            next.map(|at| gate.started.checked_add(at))
        };
        match wake_at {
            Some(Some(at)) => tokio::select! {
                () = tokio::time::sleep_until(at) => {
                    let Some(gate) = gate.upgrade() else { return };
                    gate.hand_out(&mut gate.queue());
                }
                () = bell.notified() => {}
            },
            // Nothing waits for time, or only for a time that never comes.
            Some(None) | None => bell.notified().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    use crate::time::Stopwatch;

    const LONG: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(20);

    async fn soon<T>(work: impl Future<Output = T>) -> T {
        tokio::time::timeout(LONG, work).await.unwrap()
    }

    async fn gives_up(work: impl Future<Output = Turn>) {
        assert!(tokio::time::timeout(SHORT, work).await.is_err());
    }

    #[tokio::test]
    async fn siblings_that_ask_for_patience_alike_speak_for_their_site() {
        let turns = Turns::new(1, Duration::ZERO, 8);
        // Its turn is over; the remaining hold comes from the other hosts.
        drop(soon(turns.take("d.host.example", Lane::Feed)).await);
        for host in ["a.host.example", "b.host.example", "c.host.example"] {
            assert!(
                soon(turns.take_within("new.host.example", Lane::Feed, LONG))
                    .await
                    .is_ok()
            );
            turns.hold(host, LONG * 100);
        }
        for host in ["d.host.example", "new.host.example"] {
            assert!(
                soon(turns.take_within(host, Lane::Feed, LONG))
                    .await
                    .is_err(),
                "{host}"
            );
            gives_up(turns.take(host, Lane::Feed)).await;
        }
        assert!(
            soon(turns.take_within("www.other.example", Lane::Feed, LONG))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn one_host_is_asked_once_at_a_time_and_others_meanwhile() {
        let turns = Turns::new(1, Duration::ZERO, 8);
        let first = soon(turns.take("a", Lane::Feed)).await;
        let other = soon(turns.take("b", Lane::Feed)).await;
        gives_up(turns.take("a", Lane::Feed)).await;
        drop((first, other));
        soon(turns.take("a", Lane::Feed)).await;
    }

    #[tokio::test]
    async fn who_gives_up_costs_the_host_no_pause() {
        let turns = Turns::new(1, LONG * 100, 1);
        let busy = soon(turns.take("a", Lane::Feed)).await;
        gives_up(turns.take("b", Lane::Feed)).await;
        let mut granted = Box::pin(turns.take("c", Lane::Feed));
        gives_up(async { granted.as_mut().await }).await;
        drop(busy);
        // The turn is granted, but dropped before anyone receives it.
        drop(granted);
        drop(soon(turns.take("b", Lane::Feed)).await);
        drop(soon(turns.take("c", Lane::Feed)).await);
        gives_up(turns.take("c", Lane::Feed)).await;
    }

    #[tokio::test]
    async fn waiting_for_a_host_takes_no_place_from_the_others() {
        let turns = Turns::new(1, LONG * 100, 2);
        let busy = soon(turns.take("a", Lane::Feed)).await;
        let mut queued = Vec::new();
        for _ in 0..20 {
            let turns = turns.clone();
            queued.push(tokio::spawn(
                async move { turns.take("a", Lane::Feed).await },
            ));
        }
        tokio::task::yield_now().await;
        for host in ["b", "c", "d"] {
            drop(soon(turns.take(host, Lane::Feed)).await);
        }
        drop(busy);
        for task in queued {
            task.abort();
            assert!(task.await.is_err());
        }
        let queue = turns.gate.queue();
        assert_eq!((queue.hosts.waiting(), queue.hosts.running()), (0, 0));
    }

    #[tokio::test]
    async fn the_pause_between_starts_is_kept_and_ends() {
        let turns = Turns::new(1, Duration::from_millis(60), 8);
        let watch = Stopwatch::start();
        for _ in 0..3 {
            drop(soon(turns.take("a", Lane::Feed)).await);
        }
        assert!(watch.elapsed() >= Duration::from_millis(120));
    }

    #[tokio::test]
    async fn a_held_host_waits_and_shorter_waits_are_not_late() {
        let turns = Turns::new(1, Duration::ZERO, 8);
        let watch = Stopwatch::start();
        turns.hold("a", LONG * 100);
        turns.hold("b", Duration::from_millis(40));
        turns.hold("never", Duration::MAX);
        let held = [turns.clone(), turns.clone()].map(|turns| async move {
            turns.take("a", Lane::Feed).await;
        });
        let [first, second] = held.map(tokio::spawn);
        tokio::task::yield_now().await;
        soon(turns.take("b", Lane::Feed)).await;
        assert!(watch.elapsed() >= Duration::from_millis(40));
        gives_up(turns.take("never", Lane::Feed)).await;
        first.abort();
        second.abort();
    }

    #[tokio::test]
    async fn who_is_in_a_hurry_does_not_wait_for_a_host_that_wants_to_be_left_alone() {
        let turns = Turns::new(1, Duration::ZERO, 8);
        let first = soon(turns.take("a", Lane::Feed)).await;
        let queued = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take_within("a", Lane::Feed, LONG).await.map(drop) }
        });
        while turns.gate.queue().hosts.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        turns.hold("a", LONG * 100);
        drop(first);
        assert!(soon(queued).await.unwrap().unwrap_err() > LONG);
        assert!(
            soon(turns.take_within("a", Lane::Feed, LONG))
                .await
                .is_err()
        );
        assert!(soon(turns.take_within("b", Lane::Feed, LONG)).await.is_ok());
        turns.hold("c", SHORT);
        assert!(soon(turns.take_within("c", Lane::Feed, LONG)).await.is_ok());
        assert_eq!(turns.gate.queue().hosts.waiting(), 0);
    }

    #[tokio::test]
    async fn other_limits_hold_at_once() {
        let turns = Turns::new(1, Duration::ZERO, 1);
        let first = soon(turns.take("a", Lane::Feed)).await;
        gives_up(turns.take("a", Lane::Feed)).await;
        turns.set_limits(2, Duration::ZERO, 2);
        let second = soon(turns.take("a", Lane::Feed)).await;
        drop((first, second));
    }

    #[tokio::test]
    async fn the_limit_over_all_hosts_holds() {
        let turns = Turns::new(1, Duration::ZERO, 3);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for host in 0..50 {
            let (turns, now, most) = (turns.clone(), Arc::clone(&now), Arc::clone(&most));
            tasks.spawn(async move {
                let _turn = turns.take(&format!("host{host}"), Lane::Feed).await;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
        tasks.join_all().await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn the_keeper_of_time_ends_with_the_gate() {
        let turns = Turns::new(1, Duration::ZERO, 8);
        turns.hold("a", LONG * 100);
        gives_up(turns.take("a", Lane::Feed)).await;
        let bell = Arc::downgrade(&turns.gate.bell);
        drop(turns);
        soon(async {
            while bell.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}
