//! Which of the due pages is looked at next, and what waits after trouble. No IO: the poller brings what is due.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use crate::domain::article_clock::overdue;
use crate::domain::backoff::feed_delay;
use crate::domain::ids::EntryId;
use crate::fetch::host_key;
use crate::store::DueKey;
use crate::time::Timestamp;

/// Due pages, most overdue first within each host, and the hosts by the most overdue of their pages.
#[derive(Debug, Default)]
pub(super) struct DuePages {
    hosts: Vec<(String, VecDeque<EntryId>)>,
}

impl DuePages {
    /// Sorts what is due by how many of its own intervals it is overdue.
    pub(super) fn new(due: Vec<DueKey>, now: Timestamp) -> Self {
        let mut pages: Vec<(f64, DueKey)> = due
            .into_iter()
            .map(|page| (overdue(page.checked, page.due, now), page))
            .collect();
        pages.sort_by(|(one, a), (other, b)| {
            let by_share = other.partial_cmp(one).unwrap_or(Ordering::Equal);
            by_share.then(a.due.cmp(&b.due)).then(a.entry.cmp(&b.entry))
        });
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut hosts: Vec<(String, VecDeque<EntryId>)> = Vec::new();
        for (_, page) in pages {
            let host = host_key(&page.url);
            let place = *places.entry(host).or_insert_with_key(|host| {
                hosts.push((host.clone(), VecDeque::new()));
                hosts.len() - 1
            });
            if let Some((_, pages)) = hosts.get_mut(place) {
                pages.push_back(page.entry);
            }
        }
        Self { hosts }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Takes up to `room` pages with their hosts, in turn over the hosts, and of each host at most what `places` says.
    pub(super) fn take(
        &mut self,
        room: usize,
        mut places: impl FnMut(&str) -> usize,
    ) -> Vec<(EntryId, String)> {
        let mut taken = Vec::new();
        let mut free: Vec<usize> = self.hosts.iter().map(|(host, _)| places(host)).collect();
        loop {
            let before = taken.len();
            for ((host, pages), free) in self.hosts.iter_mut().zip(&mut free) {
                if taken.len() >= room {
                    break;
                }
                if *free > 0
                    && let Some(entry) = pages.pop_front()
                {
                    *free -= 1;
                    taken.push((entry, host.clone()));
                }
            }
            if taken.len() == before {
                break;
            }
        }
        self.hosts.retain(|(_, pages)| !pages.is_empty());
        taken
    }
}

/// What is left alone after trouble with the database: what came of the check could not be stored, so it is due as
/// before, and without a pause the server would be asked for the same again and again.
#[derive(Debug)]
pub(super) struct Trouble<K> {
    items: HashMap<K, (u32, Duration)>,
}

/// The first pause after trouble; it doubles as a feed's does.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

impl<K: Copy + Eq + Hash> Trouble<K> {
    pub(super) fn new() -> Self {
        Self {
            items: HashMap::new(),
        }
    }

    /// There was trouble with it at `now`, a time since the start.
    pub(super) fn note(&mut self, item: K, now: Duration) {
        let (times, until) = self.items.entry(item).or_default();
        *times = times.saturating_add(1);
        *until = now + feed_delay(*times, FIRST_PAUSE);
    }

    /// It went well.
    pub(super) fn clear(&mut self, item: K) {
        self.items.remove(&item);
    }

    /// Whether it is still to be left alone.
    pub(super) fn holds(&self, item: K, now: Duration) -> bool {
        self.items.get(&item).is_some_and(|(_, until)| now < *until)
    }
}

#[cfg(test)]
mod tests;
