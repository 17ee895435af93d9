//! Taking turns: the async edge of [`HostQueue`].
//!
//! Whoever wants to ask a host waits here for a turn; the number of requests over all hosts is bounded as well. A task
//! that waits for its host takes no place from the others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use super::limits::HostQueue;
use crate::time::Stopwatch;

/// The gate before all requests; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Turns {
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    started: Stopwatch,
    queue: Mutex<HostQueue<oneshot::Sender<()>>>,
    places: Arc<Semaphore>,
    /// Rings when somebody begins to wait for time to pass.
    clock: Notify,
}

/// The right to make one request; it ends when dropped.
#[derive(Debug)]
pub struct Turn {
    gate: Arc<Gate>,
    host: String,
    place: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// At most `per_host` requests of a host at once, `host_delay` between them, and `concurrency` over all hosts.
    ///
    /// Has to be called on a runtime: a small task watches for the turns that wait for time.
    #[must_use]
    pub fn new(per_host: usize, host_delay: Duration, concurrency: usize) -> Self {
        let gate = Arc::new(Gate {
            started: Stopwatch::start(),
            queue: Mutex::new(HostQueue::new(per_host, host_delay)),
            places: Arc::new(Semaphore::new(concurrency.max(1))),
            clock: Notify::new(),
        });
        tokio::spawn(keep_time(Arc::downgrade(&gate)));
        Self { gate }
    }

    /// Waits for a turn at a host; hosts are first come, first served.
    pub async fn take(&self, host: &str) -> Turn {
        let (grant, granted) = oneshot::channel();
        self.gate.queue().push(host, grant);
        self.gate.hand_out();
        // A caller that gives up while it waits must not keep the turn: it may have been granted this very moment.
        let mut waiting = Waiting {
            gate: &self.gate,
            host,
            granted,
            held: false,
        };
        // The sender lives in the queue until it grants.
        waiting.held = (&mut waiting.granted).await.is_ok();
        let place = Arc::clone(&self.gate.places).acquire_owned().await.ok();
        waiting.held = false;
        Turn {
            gate: Arc::clone(&self.gate),
            host: host.to_owned(),
            place,
        }
    }

    /// Starts no request at a host for the time that it asked for.
    pub fn hold(&self, host: &str, time: Duration) {
        let until = self.gate.started.elapsed() + time;
        self.gate.queue().hold_until(host, until);
    }
}

/// A turn that is waited for, or that waits for a place.
struct Waiting<'a> {
    gate: &'a Gate,
    host: &'a str,
    granted: oneshot::Receiver<()>,
    held: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.granted.close();
        if self.held || self.granted.try_recv().is_ok() {
            self.gate.end(self.host);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.place = None;
        self.gate.end(&self.host);
    }
}

impl Gate {
    fn queue(&self) -> MutexGuard<'_, HostQueue<oneshot::Sender<()>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, host: &str) {
        self.queue().done(host, self.started.elapsed());
        self.hand_out();
    }

    /// Grants every turn that can start now.
    fn hand_out(&self) {
        let mut queue = self.queue();
        loop {
            let now = self.started.elapsed();
            let Some((host, grant)) = queue.pop_ready(now) else {
                break;
            };
            if grant.send(()).is_err() {
                // Whoever waited has gone away: the next one is served.
                queue.done(&host, now);
            }
        }
        if queue.next_ready_at().is_some() {
            self.clock.notify_one();
        }
    }
}

/// Hands out the turns that wait for nothing but time, for as long as the gate is in use.
async fn keep_time(gate: std::sync::Weak<Gate>) {
    // Looks up now and then whether the gate still exists.
    const LONGEST_SLEEP: Duration = Duration::from_secs(5);
    loop {
        let Some(gate) = gate.upgrade() else { return };
        let next = gate.queue().next_ready_at();
        let sleep = next.map_or(LONGEST_SLEEP, |at| {
            at.saturating_sub(gate.started.elapsed())
        });
        tokio::select! {
            () = tokio::time::sleep(sleep.min(LONGEST_SLEEP)) => gate.hand_out(),
            () = gate.clock.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn one_host_is_asked_once_at_a_time_and_others_meanwhile() {
        let turns = Turns::new(1, Duration::ZERO, 8);
        let first = turns.take("a").await;
        let other = turns.take("b").await;
        let waiting = tokio::time::timeout(Duration::from_millis(20), turns.take("a")).await;
        assert!(waiting.is_err());
        drop((first, other));
        // The one that gave up has not eaten the turn.
        let again = tokio::time::timeout(Duration::from_secs(5), turns.take("a")).await;
        assert!(again.is_ok());
    }

    #[tokio::test]
    async fn a_granted_turn_that_waits_for_a_place_goes_back_when_dropped() {
        let turns = Turns::new(1, Duration::ZERO, 1);
        let busy = turns.take("a").await;
        let gave_up = tokio::time::timeout(Duration::from_millis(20), turns.take("b")).await;
        assert!(gave_up.is_err());
        drop(busy);
        let turn = tokio::time::timeout(Duration::from_secs(5), turns.take("b")).await;
        assert!(turn.is_ok());
    }

    #[tokio::test]
    async fn the_pause_between_requests_is_kept() {
        let turns = Turns::new(1, Duration::from_millis(60), 8);
        drop(turns.take("a").await);
        let watch = Stopwatch::start();
        drop(turns.take("a").await);
        assert!(watch.elapsed() >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn the_limit_over_all_hosts_holds() {
        let turns = Turns::new(1, Duration::ZERO, 3);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for host in 0..50 {
            let (turns, now, most) = (turns.clone(), Arc::clone(&now), Arc::clone(&most));
            tasks.spawn(async move {
                let _turn = turns.take(&format!("host{host}")).await;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
        tasks.join_all().await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
