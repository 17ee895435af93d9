//! Politeness towards hosts: how many requests at once, and the pause between them. Pure.
//!
//! Time is a [`Duration`] since any fixed moment of the caller's choice (a [`crate::time::Stopwatch`] started with the
//! program), so that a wall clock that jumps neither stalls nor floods anybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::domain::site::site_of;

/// Jobs waiting for their hosts. Hosts take turns; within a host the order is first in, first out.
///
/// Every operation but [`Self::set_limits`] costs O(log n) in the number of hosts and jobs, and hosts without anything
/// to do take no memory.
#[derive(Debug)]
pub struct HostQueue<J> {
    per_host: usize,
    host_delay: Duration,
    concurrency: usize,
    /// Hosts with limits of their own.
    own: HashMap<String, HostLimits>,
    hosts: HashMap<Arc<str>, Host<J>>,
    /// Hosts with waiting jobs and a free slot, by the moment of their next start, then by their turn.
    startable: BTreeSet<(Duration, u64, Arc<str>)>,
    /// Hosts that have nothing to do, by the moment when they can be forgotten.
    resting: BTreeSet<(Duration, Arc<str>)>,
    turn: u64,
    ticket: u64,
    waiting: usize,
    running: usize,
}

/// What one host is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimits {
    /// Jobs at once.
    pub per_host: usize,
    /// From the start of one to the start of the next.
    pub host_delay: Duration,
}

impl HostLimits {
    /// Both limits kept: the fewer jobs at once, the longer pause.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            per_host: self.per_host.min(other.per_host),
            host_delay: self.host_delay.max(other.host_delay),
        }
    }
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// A job that starts now.
#[derive(Debug)]
pub struct Start<J> {
    /// Whom it asks.
    pub host: Arc<str>,
    /// What was pushed.
    pub job: J,
    /// What undoes the start.
    pub pause: Pause,
}

/// The pause that a start has begun, for taking the start back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    before: Duration,
    after: Duration,
}

#[derive(Debug)]
struct Host<J> {
    jobs: BTreeMap<Ticket, J>,
    running: usize,
    /// No start before this.
    free_at: Duration,
    /// The host's place in `startable`, when it is there.
    place: Option<(Duration, u64)>,
    /// The host's place in `resting`, when it is there.
    rest: Option<Duration>,
}

impl<J> HostQueue<J> {
    /// At most `per_host` jobs of a host at once and `concurrency` over all hosts (at least one), and `host_delay` from
    /// the start of a job to the start of the next one of its host.
    #[must_use]
    pub fn new(per_host: usize, host_delay: Duration, concurrency: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            host_delay,
            concurrency: concurrency.max(1),
            own: HashMap::new(),
            hosts: HashMap::new(),
            startable: BTreeSet::new(),
            resting: BTreeSet::new(),
            turn: 0,
            ticket: 0,
            waiting: 0,
            running: 0,
        }
    }

    /// Other limits for the jobs that start from now on. Pauses that have begun stay as they are, and so do jobs that
    /// run; none starts until there are fewer than the new limits.
    pub fn set_limits(&mut self, per_host: usize, host_delay: Duration, concurrency: usize) {
        self.per_host = per_host.max(1);
        self.host_delay = host_delay;
        self.concurrency = concurrency.max(1);
        self.place_all();
    }

    /// Hosts with limits of their own, by their [`host_key`]; the others have those of all. Holds as
    /// [`Self::set_limits`] does.
    pub fn set_hosts(&mut self, own: HashMap<String, HostLimits>) {
        self.own = own;
        self.place_all();
    }

    fn limits(&self, host: &str) -> HostLimits {
        self.own.get(host).copied().unwrap_or(HostLimits {
            per_host: self.per_host,
            host_delay: self.host_delay,
        })
    }

    fn place_all(&mut self) {
        let hosts: Vec<Arc<str>> = self.hosts.keys().cloned().collect();
        for host in hosts {
            self.update(&host, |_| ());
        }
    }

    /// Adds a job behind the others of its host.
    pub fn push(&mut self, host: &str, job: J) -> Ticket {
        let host = self.known(host);
        self.waiting += 1;
        self.ticket += 1;
        let ticket = Ticket(self.ticket);
        self.update(&host, |entry| entry.jobs.insert(ticket, job));
        ticket
    }

    /// Takes a job back that has not started; `None` when it has.
    pub fn cancel(&mut self, host: &str, ticket: Ticket) -> Option<J> {
        let (host, _) = self.hosts.get_key_value(host)?;
        let host = Arc::clone(host);
        let job = self.update(&host, |entry| entry.jobs.remove(&ticket))?;
        self.waiting -= 1;
        Some(job)
    }

    /// The next job that may start now; [`Self::done`] or [`Self::take_back`] is owed for it.
    pub fn pop_ready(&mut self, now: Duration) -> Option<Start<J>> {
        self.forget(now);
        if self.next_ready_at()? > now {
            return None;
        }
        let (_, _, host) = self.startable.first()?;
        let host = Arc::clone(host);
        let after = now.saturating_add(self.limits(&host).host_delay);
        let (before, job) = self.update(&host, |entry| {
            let (_, job) = entry.jobs.pop_first()?;
            let before = entry.free_at;
            entry.running += 1;
            entry.free_at = before.max(after);
            Some((before, job))
        })?;
        self.waiting -= 1;
        self.running += 1;
        let pause = Pause { before, after };
        Some(Start { host, job, pause })
    }

    /// A job of this host has ended.
    pub fn done(&mut self, host: &str, now: Duration) {
        self.end(host, |_| ());
        self.forget(now);
    }

    /// A job of this host that was started has not asked anything after all, so it leaves no pause behind.
    pub fn take_back(&mut self, host: &str, pause: Pause) {
        self.end(host, |entry| {
            // A later start or a hold has brought a pause of its own.
            if entry.free_at == pause.after {
                entry.free_at = pause.before;
            }
        });
    }

    /// Starts nothing at this host before `until`: what `Retry-After` and `Crawl-delay` ask for.
    pub fn hold_until(&mut self, host: &str, until: Duration) {
        let host = self.known(host);
        self.update(&host, |entry| entry.free_at = entry.free_at.max(until));
    }

    /// The same for all hosts of a site that are known.
    pub fn hold_site(&mut self, site: &str, until: Duration) {
        let hosts = self.hosts.keys().filter(|host| site_of(host) == site);
        let hosts: Vec<_> = hosts.cloned().collect();
        for host in hosts {
            self.update(&host, |entry| entry.free_at = entry.free_at.max(until));
        }
    }

    /// How long this host is still left alone, over and above the usual pause.
    #[must_use]
    pub fn held_for(&self, host: &str, now: Duration) -> Duration {
        let free_at = self.hosts.get(host).map_or(Duration::ZERO, |e| e.free_at);
        free_at
            .saturating_sub(now)
            .saturating_sub(self.limits(host).host_delay)
    }

    /// When [`Self::pop_ready`] will have something, if no job ends before; `None` when nothing waits for time alone.
    #[must_use]
    pub fn next_ready_at(&self) -> Option<Duration> {
        if self.running >= self.concurrency {
            return None;
        }
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

    fn end(&mut self, host: &str, change: impl FnOnce(&mut Host<J>)) {
        let Some((host, entry)) = self.hosts.get_key_value(host) else {
            return;
        };
        if entry.running == 0 {
            return;
        }
        let host = Arc::clone(host);
        self.running -= 1;
        self.update(&host, |entry| {
            entry.running -= 1;
            change(entry);
        });
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
                jobs: BTreeMap::new(),
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
        let per_host = self.limits(host).per_host.max(1);
        let Some(entry) = self.hosts.get_mut(host) else {
            return R::default();
        };
        let result = change(entry);
        let startable = !entry.jobs.is_empty() && entry.running < per_host;
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
