//! Sites whose hosts ask us to wait together.
//!
//! A `Retry-After` applies to the host that sent it. If several hosts of a site have one in force at the same time, it
//! applies to the whole site: a provider that gives each customer a separate host counts requests over all of them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::domain::site::site_of;

/// If this many hosts of a site ask us to wait, the whole site is rate-limited.
const SIBLINGS: usize = 3;

/// The most sites that are remembered; more never ask us to wait at the same time.
const MOST_SITES: usize = 10_000;

/// Until when the hosts of each site asked us to wait.
#[derive(Debug, Default)]
pub(in crate::fetch) struct Sites {
    sites: HashMap<String, BTreeMap<String, Duration>>,
}

impl Sites {
    /// A host asks us to wait until `until`. Returns its site if the whole site is now rate-limited.
    pub(in crate::fetch) fn note(
        &mut self,
        host: &str,
        now: Duration,
        until: Duration,
    ) -> Option<DelayedSite> {
        if self.sites.len() >= MOST_SITES {
            self.sites.retain(|_, hosts| {
                hosts.retain(|_, until| *until > now);
                !hosts.is_empty()
            });
        }
        let site = site_of(host);
        if self.sites.len() >= MOST_SITES && !self.sites.contains_key(site) {
            return None;
        }
        let hosts = self.sites.entry(site.to_owned()).or_default();
        hosts.retain(|_, until| *until > now);
        let known = hosts.entry(host.to_owned()).or_default();
        *known = until.max(*known);
        self.held(host, now)
    }

    /// Until when the site of a host is rate-limited.
    pub(in crate::fetch) fn held(&self, host: &str, now: Duration) -> Option<DelayedSite> {
        // This runs before each request. Nearly always no host has asked us to wait, and the list of suffixes need
        // not be searched.
        if self.sites.is_empty() {
            return None;
        }
        let site = site_of(host);
        let hosts = self.sites.get(site)?.values();
        let mut ends: Vec<Duration> = hosts.copied().filter(|until| *until > now).collect();
        // As long as that many hosts are held; a single one that asks for a day asks only for itself.
        ends.sort_unstable_by_key(|until| std::cmp::Reverse(*until));
        let until = *ends.get(SIBLINGS - 1)?;
        Some(DelayedSite {
            site: site.to_owned(),
            until,
        })
    }
}

/// A site that is rate-limited until `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fetch) struct DelayedSite {
    pub(in crate::fetch) site: String,
    pub(in crate::fetch) until: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn three_siblings_speak_for_their_site_and_two_do_not() {
        let mut sites = Sites::default();
        let mut note = |host: &str, now: u64, until: u64| {
            let held = sites.note(host, seconds(now), seconds(until));
            held.map(|held| (held.site, held.until.as_secs()))
        };
        assert_eq!(note("a.host.example", 0, 100), None);
        assert_eq!(note("a.host.example", 1, 90), None, "one host twice");
        assert_eq!(note("b.host.example", 1, 5000), None);
        assert_eq!(note("c.other.example", 1, 100), None);
        // Names under a suffix where anyone can register are unrelated.
        for host in ["a.github.io", "b.github.io", "c.github.io", "d.github.io"] {
            assert_eq!(note(host, 1, 100), None);
        }
        let held = note("c.host.example", 2, 300);
        assert_eq!(held, Some(("host.example".to_owned(), 100)));
        assert_eq!(
            note("d.host.example", 101, 400),
            Some(("host.example".to_owned(), 300))
        );
        assert!(sites.held("e.host.example", seconds(299)).is_some());
        assert_eq!(sites.held("e.host.example", seconds(300)), None);
        assert_eq!(sites.held("host.other.example", seconds(2)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut sites = Sites::default();
        for number in 0..3 * MOST_SITES {
            sites.note(&format!("h{number}.example"), seconds(1), seconds(9));
        }
        assert_eq!(sites.sites.len(), MOST_SITES);
        sites.note("later.example", seconds(10), seconds(20));
        assert_eq!(sites.sites.len(), 1);
    }
}
