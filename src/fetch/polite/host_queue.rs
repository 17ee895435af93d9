//! Politeness to hosts: how many requests at the same time, and the pause between them. Pure.
//!
//! Time is a [`Duration`] since any fixed moment chosen by the caller (a [`crate::time::Stopwatch`] started with
//! the program), so that a wall clock that jumps neither stalls requests nor causes a burst of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::domain::site::site_of;

/// One place in this many is reserved for feeds.
const FOR_FEEDS: usize = 4;
/// The pages of one feed may take one in this many of the places for pages …
const OF_A_FEED: usize = 4;
/// … but always this many.
const LEAST_OF_A_FEED: usize = 4;

/// Jobs that wait for their hosts. Hosts take turns; within a host, feeds come before pages, and each of the two lanes
/// is first in, first out. Pages leave some places to feeds, and the pages of one feed leave some to those of others.
///
/// Every operation costs O(log n) in the number of hosts and jobs, except [`Self::set_limits`], [`Self::set_hosts`]
/// and [`Self::hold_site`], which visit every host. Hosts without anything to do take no memory.
#[derive(Debug)]
pub(crate) struct HostQueue<J> {
    per_host: usize,
    host_delay: Duration,
    concurrency: usize,
    /// Hosts with limits of their own.
    own: HashMap<String, HostLimits>,
    hosts: HashMap<Arc<str>, HostLine<J>>,
    /// Hosts with a free slot whose next job is a feed, by the time of their next start, then by their turn.
    feeds: BTreeSet<QueuePlace>,
    /// The same for hosts whose next job is a page.
    pages: BTreeSet<QueuePlace>,
    /// The same for hosts that have only pages of feeds that already use all their places, by the first such feed.
    parked: HashMap<u64, BTreeSet<QueuePlace>>,
    /// Hosts that have nothing to do, by the time at which they can be dropped.
    resting: BTreeSet<(Duration, Arc<str>)>,
    turn: u64,
    ticket: u64,
    waiting: usize,
    running: usize,
    /// How many of those are pages.
    running_pages: usize,
    /// The same for each feed that has any.
    shares: HashMap<u64, usize>,
}

/// The earliest next start of a host, its turn among those with the same time, and its name.
type QueuePlace = (Duration, u64, Arc<str>);

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A feed.
    Feed,
    /// A page, with a number that identifies its feed.
    Page(u64),
}

/// Where a host waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Feeds,
    /// With a page of this feed.
    Pages(u64),
    /// Until a page of this feed has ended.
    Parked(u64),
}

/// The limits for one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimits {
    /// Jobs at the same time.
    pub per_host: usize,
    /// The delay between the starts of two jobs.
    pub host_delay: Duration,
}

impl HostLimits {
    /// Combines both limits: the smaller number of jobs, the longer pause.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            per_host: self.per_host.min(other.per_host),
            host_delay: self.host_delay.max(other.host_delay),
        }
    }
}

/// A place in the queue of a host; those of feeds come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    is_page: bool,
    number: u64,
}

/// A job that starts now.
#[derive(Debug)]
pub(crate) struct Start<J> {
    /// The host.
    pub host: Arc<str>,
    /// What the request is for.
    pub lane: Lane,
    /// The job that was pushed.
    pub job: J,
    /// Undoes the start; see [`HostQueue::take_back`].
    pub pause: Pause,
}

/// The pause that a start has begun, so that the start can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    before: Duration,
    after: Duration,
}

#[derive(Debug)]
struct HostLine<J> {
    jobs: BTreeMap<Ticket, (Lane, J)>,
    running: usize,
    /// The earliest next start.
    free_at: Duration,
    /// Where it waits, and its place there.
    place: Option<(Stand, Duration, u64)>,
    /// The host's place in `resting`, if it has one.
    rest: Option<Duration>,
}

impl<J> HostQueue<J> {
    /// At most `per_host` jobs of a host at the same time and `concurrency` over all hosts (at least one), and
    /// `host_delay` between the starts of two jobs of the same host.
    #[must_use]
    pub(crate) fn new(per_host: usize, host_delay: Duration, concurrency: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            host_delay,
            concurrency: concurrency.max(1),
            own: HashMap::new(),
            hosts: HashMap::new(),
            feeds: BTreeSet::new(),
            pages: BTreeSet::new(),
            parked: HashMap::new(),
            resting: BTreeSet::new(),
            turn: 0,
            ticket: 0,
            waiting: 0,
            running: 0,
            running_pages: 0,
            shares: HashMap::new(),
        }
    }

    /// Sets other limits for jobs that start from now on. Pauses that have begun and running jobs are not affected;
    /// no job starts until fewer are running than the new limits allow.
    pub(crate) fn set_limits(&mut self, per_host: usize, host_delay: Duration, concurrency: usize) {
        self.per_host = per_host.max(1);
        self.host_delay = host_delay;
        self.concurrency = concurrency.max(1);
        self.place_all();
    }

    /// Sets individual limits for some hosts, by their [`host_key`]; the others have the common limits. Applies in
    /// the same way as [`Self::set_limits`].
    pub(crate) fn set_hosts(&mut self, own: HashMap<String, HostLimits>) {
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
    pub(crate) fn push(&mut self, host: &str, lane: Lane, job: J) -> Ticket {
        let host = self.known(host);
        self.waiting += 1;
        self.ticket += 1;
        let ticket = Ticket {
            is_page: lane != Lane::Feed,
            number: self.ticket,
        };
        self.update(&host, |entry| entry.jobs.insert(ticket, (lane, job)));
        ticket
    }

    /// How many places pages may take: a quarter is reserved for feeds.
    fn places_of_pages(&self) -> usize {
        let for_feeds = self.concurrency / FOR_FEEDS;
        self.concurrency - for_feeds.max(usize::from(self.concurrency > 1))
    }

    /// How many places the pages of one feed may take.
    fn places_of_a_feed(&self) -> usize {
        let share = self.places_of_pages().div_ceil(OF_A_FEED);
        share.max(LEAST_OF_A_FEED)
    }

    fn is_full(&self, share: u64) -> bool {
        let under_way = self.shares.get(&share).copied().unwrap_or(0);
        under_way >= self.places_of_a_feed()
    }

    /// Removes a job that has not started; `None` if it has.
    pub(crate) fn cancel(&mut self, host: &str, ticket: Ticket) -> Option<J> {
        let (host, _) = self.hosts.get_key_value(host)?;
        let host = Arc::clone(host);
        let (_, job) = self.update(&host, |entry| entry.jobs.remove(&ticket))?;
        self.waiting -= 1;
        Some(job)
    }

    /// The next job that may start now. The caller must call [`Self::done`] or [`Self::take_back`] for it.
    pub(crate) fn pop_ready(&mut self, now: Duration) -> Option<Start<J>> {
        self.forget(now);
        let host = self.next_host(now)?;
        let after = now.saturating_add(self.limits(&host).host_delay);
        let ticket = self.next_job(self.hosts.get(&host)?)?.0;
        let (before, (lane, job)) = self.update(&host, |entry| {
            let job = entry.jobs.remove(&ticket)?;
            let before = entry.free_at;
            entry.running += 1;
            entry.free_at = before.max(after);
            Some((before, job))
        })?;
        self.waiting -= 1;
        self.running += 1;
        if let Lane::Page(share) = lane {
            self.running_pages += 1;
            *self.shares.entry(share).or_default() += 1;
            self.unpark(share);
        }
        let pause = Pause { before, after };
        Some(Start {
            host,
            lane,
            job,
            pause,
        })
    }

    /// The host whose job starts now; feeds come before pages. Hosts that turn out to have only pages of feeds that
    /// already use all their places are parked.
    fn next_host(&mut self, now: Duration) -> Option<Arc<str>> {
        loop {
            if self.next_ready_at()? > now {
                return None;
            }
            if let Some((at, _, host)) = self.feeds.first()
                && *at <= now
            {
                return Some(Arc::clone(host));
            }
            let host = self.pages.first().map(|(_, _, host)| Arc::clone(host))?;
            self.update(&host, |_| ());
            let entry = self.hosts.get(&host)?;
            if matches!(entry.place, Some((Stand::Pages(_), at, _)) if at <= now) {
                return Some(host);
            }
        }
    }

    /// The job that a host would start next, and where the host waits with it.
    fn next_job(&self, entry: &HostLine<J>) -> Option<(Ticket, Stand)> {
        let may_start = |lane: &Lane| match lane {
            Lane::Feed => Some(Stand::Feeds),
            Lane::Page(share) => (!self.is_full(*share)).then_some(Stand::Pages(*share)),
        };
        let mut jobs = entry.jobs.iter();
        let next = jobs.find_map(|(ticket, (lane, _))| Some((*ticket, may_start(lane)?)));
        next.or_else(|| match entry.jobs.first_key_value()? {
            (ticket, (Lane::Page(share), _)) => Some((*ticket, Stand::Parked(*share))),
            (ticket, (Lane::Feed, _)) => Some((*ticket, Stand::Feeds)),
        })
    }

    /// Gives one parked host its turn, if there is a place for a page of this feed.
    fn unpark(&mut self, share: u64) {
        if !self.is_full(share)
            && let Some((_, _, host)) = self.parked.get(&share).and_then(BTreeSet::first)
        {
            let host = Arc::clone(host);
            self.update(&host, |_| ());
        }
    }

    /// A job of this host has ended.
    pub(crate) fn done(&mut self, host: &str, lane: Lane, now: Duration) {
        self.end(host, lane, |_| ());
        self.forget(now);
    }

    /// A job of this host that was started has not sent a request after all, so it causes no pause.
    pub(crate) fn take_back(&mut self, host: &str, lane: Lane, pause: Pause) {
        self.end(host, lane, |entry| {
            // Not if a later start or a hold has set a pause of its own.
            if entry.free_at == pause.after {
                entry.free_at = pause.before;
            }
        });
    }

    /// Starts nothing at this host before `until`: for `Retry-After` and `Crawl-delay`.
    pub(crate) fn hold_until(&mut self, host: &str, until: Duration) {
        let host = self.known(host);
        self.update(&host, |entry| entry.free_at = entry.free_at.max(until));
    }

    /// The same for all known hosts of a site.
    pub(crate) fn hold_site(&mut self, site: &str, until: Duration) {
        let hosts = self.hosts.keys().filter(|host| site_of(host) == site);
        let hosts: Vec<_> = hosts.cloned().collect();
        for host in hosts {
            self.update(&host, |entry| entry.free_at = entry.free_at.max(until));
        }
    }

    /// A job of this host that has started sends its request only now: the pause starts again.
    pub(crate) fn restart(&mut self, host: &str, now: Duration) {
        self.hold_until(host, now.saturating_add(self.limits(host).host_delay));
    }

    /// How long this host still asked us to wait, beyond the usual pause.
    #[must_use]
    pub(crate) fn held_for(&self, host: &str, now: Duration) -> Duration {
        let free_at = self.hosts.get(host).map_or(Duration::ZERO, |e| e.free_at);
        free_at
            .saturating_sub(now)
            .saturating_sub(self.limits(host).host_delay)
    }

    /// When [`Self::pop_ready`] will return a job, if no job ends before; `None` if nothing waits only for time.
    #[must_use]
    pub(crate) fn next_ready_at(&self) -> Option<Duration> {
        if self.running >= self.concurrency {
            return None;
        }
        let feed = self.feeds.first();
        let page = self.pages.first();
        let page = page.filter(|_| self.running_pages < self.places_of_pages());
        feed.into_iter().chain(page).map(|(at, _, _)| *at).min()
    }

    /// How many jobs have not started.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many jobs have started and not ended.
    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Whether nothing waits and nothing runs.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }

    fn end(&mut self, host: &str, lane: Lane, change: impl FnOnce(&mut HostLine<J>)) {
        let Some((host, entry)) = self.hosts.get_key_value(host) else {
            return;
        };
        if entry.running == 0 {
            return;
        }
        let host = Arc::clone(host);
        self.running -= 1;
        if let Lane::Page(share) = lane {
            self.running_pages -= 1;
            if let Some(running) = self.shares.get_mut(&share) {
                *running -= 1;
                if *running == 0 {
                    self.shares.remove(&share);
                }
            }
        }
        self.update(&host, |entry| {
            entry.running -= 1;
            change(entry);
        });
        if let Lane::Page(share) = lane {
            self.unpark(share);
        }
    }

    /// The shared name of a host, which is known from now on.
    fn known(&mut self, host: &str) -> Arc<str> {
        if let Some((name, _)) = self.hosts.get_key_value(host) {
            return Arc::clone(name);
        }
        let name: Arc<str> = host.into();
        self.hosts.insert(
            Arc::clone(&name),
            HostLine {
                jobs: BTreeMap::new(),
                running: 0,
                free_at: Duration::ZERO,
                place: None,
                rest: None,
            },
        );
        name
    }

    /// Changes a host and moves it to where it then belongs. The host must be known.
    fn update<R: Default>(
        &mut self,
        host: &Arc<str>,
        change: impl FnOnce(&mut HostLine<J>) -> R,
    ) -> R {
        let per_host = self.limits(host).per_host.max(1);
        let Some(entry) = self.hosts.get_mut(host) else {
            return R::default();
        };
        let result = change(entry);
        let has_slot = entry.running < per_host;
        let (free_at, was) = (entry.free_at, entry.place);
        let next = self
            .hosts
            .get(host)
            .and_then(|entry| self.next_job(entry))
            .filter(|_| has_slot)
            .map(|(_, stand)| stand);
        if was.map(|(stand, at, _)| (stand, at)) != next.map(|stand| (stand, free_at)) {
            self.stand(host, was, next.map(|stand| (stand, free_at)));
        }
        let Some(entry) = self.hosts.get_mut(host) else {
            return result;
        };
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

    /// Moves a host to another waiting place. If it leaves the place of a feed's page, another host may take it.
    fn stand(
        &mut self,
        host: &Arc<str>,
        was: Option<(Stand, Duration, u64)>,
        next: Option<(Stand, Duration)>,
    ) {
        if let Some((stand, at, turn)) = was {
            self.among(stand, |places| places.remove(&(at, turn, Arc::clone(host))));
        }
        let place = next.map(|(stand, at)| {
            self.turn += 1;
            (stand, at, self.turn)
        });
        if let Some((stand, at, turn)) = place {
            self.among(stand, |places| places.insert((at, turn, Arc::clone(host))));
        }
        if let Some(entry) = self.hosts.get_mut(host) {
            entry.place = place;
        }
        if let Some((Stand::Pages(share), _, _)) = was {
            self.unpark(share);
        }
    }

    fn among(&mut self, stand: Stand, change: impl FnOnce(&mut BTreeSet<QueuePlace>) -> bool) {
        match stand {
            Stand::Feeds => change(&mut self.feeds),
            Stand::Pages(_) => change(&mut self.pages),
            Stand::Parked(share) => {
                let parked = self.parked.entry(share).or_default();
                change(parked);
                if parked.is_empty() {
                    self.parked.remove(&share);
                }
                true
            }
        };
    }

    /// Drops hosts that have nothing to do and whose pause is over.
    fn forget(&mut self, now: Duration) {
        while let Some((at, _)) = self.resting.first()
            && *at <= now
            && let Some((_, host)) = self.resting.pop_first()
        {
            self.hosts.remove(&host);
        }
    }
}

/// The host of an address, for [`HostQueue`]: its name in lower case without port or final dot. A text that is not
/// an address is its own host.
#[must_use]
pub(crate) fn host_key(url: &str) -> String {
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
