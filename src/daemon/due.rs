//! Which due page is checked next, and what has to wait after an error. No IO: the poller supplies what is due.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use crate::domain::article_clock::overdue;
use crate::domain::backoff::feed_delay;
use crate::domain::ids::{EntryId, FeedId};
use crate::fetch::host_key;
use crate::store::DueKey;
use crate::time::Timestamp;

/// How many due pages are kept per host, far more than can be fetched until due pages are read again. However many
/// pages one host has, those of the others are not crowded out.
const OF_A_HOST: usize = 512;

/// Collects due pages: the most overdue ones of each host.
#[derive(Debug)]
pub(super) struct Gathering {
    now: Timestamp,
    hosts: HashMap<String, DueWork>,
}

#[derive(Debug, Default)]
struct DueWork {
    /// The least overdue one is on top.
    pages: BinaryHeap<Reverse<Overdue>>,
    /// Whether there are more than are kept.
    more: bool,
}

/// A due page; the greater one is checked first.
#[derive(Debug, Clone, Copy)]
struct Overdue {
    /// By how many of its own intervals it is overdue.
    share: f64,
    due: Timestamp,
    entry: EntryId,
    feed: FeedId,
}

impl Ord for Overdue {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_share = self.share.total_cmp(&other.share);
        by_share
            .then(other.due.cmp(&self.due))
            .then(other.entry.cmp(&self.entry))
    }
}

impl PartialOrd for Overdue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Overdue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Overdue {}

impl Gathering {
    /// Starts empty, for pages that are due at `now`.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            hosts: HashMap::new(),
        }
    }

    /// Adds a due page.
    pub(super) fn add(&mut self, page: &DueKey) {
        let host = self.hosts.entry(host_key(&page.url)).or_default();
        host.pages.push(Reverse(Overdue {
            share: overdue(page.checked, page.due, self.now),
            due: page.due,
            entry: page.entry,
            feed: page.feed,
        }));
        if host.pages.len() > OF_A_HOST {
            host.pages.pop();
            host.more = true;
        }
    }
}

/// Due pages, most overdue first within each host, and the hosts by the most overdue of their pages.
#[derive(Debug, Default)]
pub(super) struct DuePages {
    hosts: Vec<PendingPage>,
    /// Whether a host has no kept pages left although more are due.
    ran_out: bool,
}

/// A page to check, and its feed.
pub(super) type PageOfFeed = (EntryId, FeedId);

#[derive(Debug)]
struct PendingPage {
    host: String,
    pages: VecDeque<PageOfFeed>,
    more: bool,
}

impl DuePages {
    /// Sorts the collected pages by how many of their own intervals they are overdue.
    pub(super) fn new(gathered: Gathering) -> Self {
        let hosts = gathered.hosts.into_iter().map(|(host, gathered)| {
            // Least first by `Reverse`, so the greatest comes first.
            let pages = gathered.pages.into_sorted_vec();
            let first = pages.first().copied();
            let waiting = PendingPage {
                host,
                pages: pages
                    .into_iter()
                    .map(|Reverse(page)| (page.entry, page.feed))
                    .collect(),
                more: gathered.more,
            };
            (first, waiting)
        });
        let mut hosts: Vec<_> = hosts.collect();
        hosts.sort_by_key(|(first, _)| *first);
        Self {
            hosts: hosts.into_iter().map(|(_, waiting)| waiting).collect(),
            ran_out: false,
        }
    }

    /// Removes pages that must not be started.
    pub(super) fn leave_out(&mut self, pages: &HashSet<EntryId>) {
        if pages.is_empty() {
            return;
        }
        for at in &mut self.hosts {
            at.pages.retain(|(page, _)| !pages.contains(page));
        }
        self.drop_empty();
    }

    /// Whether due pages have to be read again: none are left, or none of a host that has more.
    pub(super) fn wants_more(&self) -> bool {
        self.hosts.is_empty() || self.ran_out
    }

    /// Whether more pages are known to be due.
    pub(super) fn has_more(&self) -> bool {
        !self.hosts.is_empty() || self.ran_out
    }

    /// Takes up to `room` pages with their hosts, taking turns between the hosts: for each host at most as many as
    /// `places` says, and for each feed as `share` says. A thousand pages of one must not take all places.
    pub(super) fn take(
        &mut self,
        room: usize,
        mut places: impl FnMut(&str) -> usize,
        share: impl Fn(FeedId) -> usize,
    ) -> Vec<(PageOfFeed, String)> {
        let mut taken = Vec::new();
        let mut shares: HashMap<FeedId, usize> = HashMap::new();
        let mut free: Vec<usize> = self.hosts.iter().map(|at| places(&at.host)).collect();
        loop {
            let before = taken.len();
            for (PendingPage { host, pages, .. }, free) in self.hosts.iter_mut().zip(&mut free) {
                if taken.len() >= room {
                    break;
                }
                if *free == 0 {
                    continue;
                }
                let has_share = |(_, feed): &PageOfFeed| {
                    let left = *shares.entry(*feed).or_insert_with(|| share(*feed));
                    left > 0
                };
                if let Some(at) = pages.iter().position(has_share)
                    && let Some(page) = pages.remove(at)
                {
                    *free -= 1;
                    if let Some(left) = shares.get_mut(&page.1) {
                        *left -= 1;
                    }
                    taken.push((page, host.clone()));
                }
            }
            if taken.len() == before {
                break;
            }
        }
        self.drop_empty();
        taken
    }

    fn drop_empty(&mut self) {
        self.hosts.retain(|at| {
            let is_empty = at.pages.is_empty();
            self.ran_out |= is_empty && at.more;
            !is_empty
        });
    }
}

/// What has to wait after an error, such as one of the database. The result of the check could not be stored, so it
/// is as due as before, and without a pause the server would get the same request again and again.
#[derive(Debug)]
pub(super) struct Trouble<K> {
    items: HashMap<K, (u32, Duration)>,
}

/// The first pause after an error; it doubles like that of a failing feed.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

impl<K: Copy + Eq + Hash> Trouble<K> {
    pub(super) fn new() -> Self {
        Self {
            items: HashMap::new(),
        }
    }

    /// Records an error at `now`, a time since the start.
    pub(super) fn note(&mut self, item: K, now: Duration) {
        let (times, until) = self.items.entry(item).or_default();
        *times = times.saturating_add(1);
        *until = now + feed_delay(*times, FIRST_PAUSE);
    }

    /// Records a success.
    pub(super) fn clear(&mut self, item: K) {
        self.items.remove(&item);
    }

    /// What still has to wait.
    pub(super) fn held(&self, now: Duration) -> impl Iterator<Item = K> {
        let held = self
            .items
            .iter()
            .filter(move |(_, (_, until))| now < *until);
        held.map(|(item, _)| *item)
    }

    /// Whether it still has to wait.
    pub(super) fn holds(&self, item: K, now: Duration) -> bool {
        self.items.get(&item).is_some_and(|(_, until)| now < *until)
    }
}

#[cfg(test)]
mod tests;
