//! How many pages of a host may be fetched: a budget per hour, and the pause that its robots.txt asks for. Pure.
//!
//! Each host has a time from which on it may be asked (the generic cell rate algorithm). A request moves that time
//! on by one interval, and it may be ahead of now by as much as may be spent immediately. As in
//! [`crate::fetch::polite::host_queue`], time is a [`Duration`] since a moment chosen by the caller.

use std::collections::HashMap;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// One page in this many of the budget may be spent immediately; the rest is spread evenly. No hour ever exceeds
/// the budget.
const AT_ONCE: u32 = 6;

/// The remaining budgets of all hosts.
#[derive(Debug)]
pub(crate) struct HostBudget {
    /// Pages per hour; `None` for no limit.
    pages: Option<u32>,
    /// The same for single hosts with another limit.
    own: HashMap<String, Option<u32>>,
    hosts: HashMap<String, HostSpending>,
    /// When this many hosts are known, those with a full budget are dropped.
    crowd: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct HostSpending {
    /// The time at which all requests so far are paid for.
    paid_at: Duration,
    /// The earliest time of the next request, because of the pause between two.
    free_at: Duration,
}

impl HostBudget {
    /// At most `pages` per hour for each host except those in `own`; `None` for no limit.
    #[must_use]
    pub(crate) fn new(pages: Option<u32>, own: HashMap<String, Option<u32>>) -> Self {
        Self {
            pages,
            own,
            hosts: HashMap::new(),
            crowd: 1024,
        }
    }

    /// Adopts the limits of another budget for later requests; what was spent stays spent.
    pub(crate) fn adopt(&mut self, other: Self) {
        self.pages = other.pages;
        self.own = other.own;
    }

    /// How long to wait before a page of this host may be fetched; zero for now.
    #[must_use]
    pub(crate) fn wait(&self, host: &str, now: Duration) -> Duration {
        let pages = self.pages_of(host);
        let Some(host) = self.hosts.get(host) else {
            return Duration::ZERO;
        };
        let credit = interval(pages).saturating_mul(at_once(pages) - 1);
        let budget = host.paid_at.saturating_sub(credit);
        budget.max(host.free_at).saturating_sub(now)
    }

    /// Records that a page of this host is fetched now, whatever budget was left; `pause` is the pause that the
    /// host wants between two pages.
    pub(crate) fn spend(&mut self, host: &str, pause: Duration, now: Duration) {
        let interval = interval(self.pages_of(host));
        if interval.is_zero() && pause.is_zero() {
            return;
        }
        if self.hosts.len() >= self.crowd {
            self.hosts
                .retain(|_, host| host.paid_at > now || host.free_at > now);
            self.crowd = (self.hosts.len() * 2).max(1024);
        }
        let host = self.hosts.entry(host.to_owned()).or_default();
        host.paid_at = host.paid_at.max(now).saturating_add(interval);
        host.free_at = host.free_at.max(now.saturating_add(pause));
    }

    fn pages_of(&self, host: &str) -> Option<u32> {
        self.own.get(host).copied().unwrap_or(self.pages)
    }
}

/// The time that one page costs.
fn interval(pages: Option<u32>) -> Duration {
    match pages {
        // The part that can be spent immediately comes on top of the part that is spread evenly.
        Some(pages) => HOUR / (pages - at_once(Some(pages))).max(1),
        None => Duration::ZERO,
    }
}

fn at_once(pages: Option<u32>) -> u32 {
    pages.map_or(1, |pages| (pages / AT_ONCE).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: Duration = Duration::ZERO;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// When pages are fetched from a host that always has more.
    fn greedy(budget: &mut HostBudget, pause: Duration, until: Duration) -> Vec<Duration> {
        let (mut now, mut asked) = (Duration::ZERO, Vec::new());
        while now < until {
            now += budget.wait("a", now);
            budget.spend("a", pause, now);
            asked.push(now);
            now += Duration::from_millis(1);
        }
        asked
    }

    #[test]
    fn an_hour_has_its_budget_and_what_is_over_waits() {
        let mut budget = HostBudget::new(Some(600), HashMap::new());
        let asked = greedy(&mut budget, NONE, HOUR * 3);
        let first = asked.iter().filter(|at| **at < secs(1)).count();
        assert_eq!(first, 100, "a sixth at once");
        let in_first_hour = asked.iter().filter(|at| **at < HOUR).count();
        assert!((598..=600).contains(&in_first_hour), "{in_first_hour}");
        assert_eq!(budget.wait("b", HOUR), NONE, "hosts have their own");
    }

    #[test]
    fn crawl_delay_is_a_pause_between_two() {
        let mut budget = HostBudget::new(Some(600), HashMap::new());
        let asked = greedy(&mut budget, secs(30), secs(300));
        assert!(asked.windows(2).all(|two| two[1] >= two[0] + secs(30)));
        assert_eq!(asked.len(), 11);
        let mut unlimited = HostBudget::new(None, HashMap::new());
        assert_eq!(greedy(&mut unlimited, secs(30), secs(300)).len(), 11);
        assert!(greedy(&mut HostBudget::new(None, HashMap::new()), NONE, secs(1)).len() > 900);
    }

    #[test]
    fn hosts_with_a_full_budget_take_no_memory() {
        let mut budget = HostBudget::new(Some(3600), HashMap::new());
        for host in 0..100_000_u64 {
            budget.spend(&host.to_string(), NONE, secs(host));
        }
        assert!(budget.hosts.len() <= 1024);
    }

    proptest! {
        #[test]
        fn no_hour_sees_more_than_the_budget(
            pages in 1_u32..2000,
            pause in 0_u64..20,
            gaps in proptest::collection::vec(0_u64..5000, 1..400),
        ) {
            let mut budget = HostBudget::new(Some(pages), HashMap::new());
            let (mut now, mut asked) = (NONE, Vec::new());
            for gap in gaps {
                now += secs(gap) / 10;
                now += budget.wait("a", now);
                budget.spend("a", secs(pause), now);
                asked.push(now);
            }
            for (at, start) in asked.iter().enumerate() {
                let within = asked[at..].iter().take_while(|one| **one < *start + HOUR).count();
                prop_assert!(within <= usize::try_from(pages.max(2)).unwrap());
            }
        }
    }

    #[test]
    fn a_host_of_its_own_has_its_own_budget_and_keeps_its_pauses() {
        let own = HashMap::from([("a".to_owned(), None)]);
        let mut budget = HostBudget::new(Some(1), own);
        assert!(greedy(&mut budget, NONE, secs(1)).len() > 900);
        budget.spend("a", secs(10), secs(5));
        assert_eq!(budget.wait("a", secs(6)), secs(9));
        budget.spend("b", NONE, secs(0));
        assert!(budget.wait("b", secs(1)) > secs(1000));
    }
}
