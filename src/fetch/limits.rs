//! Politeness towards hosts: how many requests at once, and the pause between them. Pure.
//!
//! Time is a [`Duration`] since any fixed moment of the caller's choice (a [`crate::time::Stopwatch`] started with the
//! program), so that a wall clock that jumps neither stalls nor floods anybody.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

/// Jobs waiting for their hosts. Hosts take turns; within a host the order is first in, first out.
///
/// Every operation costs O(log n) in the number of hosts, whatever the number of jobs.
#[derive(Debug)]
pub struct HostQueue<J> {
    per_host: usize,
    host_delay: Duration,
    hosts: HashMap<Arc<str>, Host<J>>,
    /// Hosts with waiting jobs and a free slot, by the moment of their next start, then by their turn.
    startable: BTreeSet<(Duration, u64, Arc<str>)>,
    /// Hosts that have nothing to do, by the moment when they can be forgotten.
    resting: BTreeSet<(Duration, Arc<str>)>,
    turn: u64,
    waiting: usize,
    running: usize,
}

#[derive(Debug)]
struct Host<J> {
    jobs: VecDeque<J>,
    running: usize,
    /// No start before this.
    free_at: Duration,
    /// The host's place in `startable`, when it is there.
    place: Option<(Duration, u64)>,
    /// The host's place in `resting`, when it is there.
    rest: Option<Duration>,
}

impl<J> HostQueue<J> {
    /// At most `per_host` jobs of a host at once (at least one), and `host_delay` after each start and each end.
    #[must_use]
    pub fn new(per_host: usize, host_delay: Duration) -> Self {
        Self {
            per_host: per_host.max(1),
            host_delay,
            hosts: HashMap::new(),
            startable: BTreeSet::new(),
            resting: BTreeSet::new(),
            turn: 0,
            waiting: 0,
            running: 0,
        }
    }

    /// Adds a job behind the others of its host.
    pub fn push(&mut self, host: &str, job: J) {
        let host = self.known(host);
        self.waiting += 1;
        self.update(&host, |entry| entry.jobs.push_back(job));
    }

    /// The next job that may start now, with its host; [`Self::done`] is owed for it.
    pub fn pop_ready(&mut self, now: Duration) -> Option<(Arc<str>, J)> {
        self.forget(now);
        let (at, _, host) = self.startable.first()?;
        if *at > now {
            return None;
        }
        let host = Arc::clone(host);
        let free_at = now.saturating_add(self.host_delay);
        let job = self.update(&host, |entry| {
            let job = entry.jobs.pop_front();
            if job.is_some() {
                entry.running += 1;
                entry.free_at = entry.free_at.max(free_at);
            }
            job
        })?;
        self.waiting = self.waiting.saturating_sub(1);
        self.running += 1;
        Some((host, job))
    }

    /// A job of this host has ended.
    pub fn done(&mut self, host: &str, now: Duration) {
        self.forget(now);
        let free_at = now.saturating_add(self.host_delay);
        let Some((host, entry)) = self.hosts.get_key_value(host) else {
            return;
        };
        if entry.running == 0 {
            return;
        }
        let host = Arc::clone(host);
        self.running = self.running.saturating_sub(1);
        self.update(&host, |entry| {
            entry.running -= 1;
            entry.free_at = entry.free_at.max(free_at);
        });
    }

    /// Starts nothing at this host before `until`: what `Retry-After` and `Crawl-delay` ask for.
    pub fn hold_until(&mut self, host: &str, until: Duration) {
        let host = self.known(host);
        self.update(&host, |entry| entry.free_at = entry.free_at.max(until));
    }

    /// When [`Self::pop_ready`] will have something, if no job ends before; `None` when nothing waits for time alone.
    #[must_use]
    pub fn next_ready_at(&self) -> Option<Duration> {
        self.startable.first().map(|(at, _, _)| *at)
    }

    /// Jobs that have not started.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Jobs that have started and not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Whether nothing waits and nothing runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }

    /// Takes every job back that has not started, in no order: when the program stops or the settings change.
    pub fn take_waiting(&mut self) -> Vec<J> {
        let hosts: Vec<Arc<str>> = self.hosts.keys().cloned().collect();
        let mut taken = Vec::with_capacity(self.waiting);
        for host in hosts {
            taken.extend(self.update(&host, |entry| std::mem::take(&mut entry.jobs)));
        }
        self.waiting = 0;
        taken
    }

    /// The shared name of a host, which is known from now on.
    fn known(&mut self, host: &str) -> Arc<str> {
        if let Some((name, _)) = self.hosts.get_key_value(host) {
            return Arc::clone(name);
        }
        let name: Arc<str> = host.into();
        self.hosts.insert(
            Arc::clone(&name),
            Host {
                jobs: VecDeque::new(),
                running: 0,
                free_at: Duration::ZERO,
                place: None,
                rest: None,
            },
        );
        name
    }

    /// Changes a host and puts it where it then belongs. The host must be known.
    fn update<R: Default>(&mut self, host: &Arc<str>, change: impl FnOnce(&mut Host<J>) -> R) -> R {
        let Some(entry) = self.hosts.get_mut(host) else {
            return R::default();
        };
        let result = change(entry);
        let startable = !entry.jobs.is_empty() && entry.running < self.per_host;
        if let Some((at, turn)) = entry.place
            && !(startable && at == entry.free_at)
        {
            self.startable.remove(&(at, turn, Arc::clone(host)));
            entry.place = None;
        }
        if startable && entry.place.is_none() {
            self.turn += 1;
            entry.place = Some((entry.free_at, self.turn));
            self.startable
                .insert((entry.free_at, self.turn, Arc::clone(host)));
        }
        let rest = (entry.jobs.is_empty() && entry.running == 0).then_some(entry.free_at);
        if rest != entry.rest {
            if let Some(at) = entry.rest {
                self.resting.remove(&(at, Arc::clone(host)));
            }
            if let Some(at) = rest {
                self.resting.insert((at, Arc::clone(host)));
            }
            entry.rest = rest;
        }
        result
    }

    /// Drops the hosts that have nothing to do and whose pause is over.
    fn forget(&mut self, now: Duration) {
        while let Some((at, _)) = self.resting.first()
            && *at <= now
            && let Some((_, host)) = self.resting.pop_first()
        {
            self.hosts.remove(&host);
        }
    }
}

/// The host that an address belongs to, for [`HostQueue`]: its name in lower case without port or final dot. What is
/// no address is its own host.
#[must_use]
pub fn host_key(url: &str) -> String {
    match Url::parse(url.trim()) {
        Ok(parsed) => parsed.host_str().map_or_else(
            || url.to_owned(),
            |host| host.trim_end_matches('.').to_owned(),
        ),
        Err(_) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
