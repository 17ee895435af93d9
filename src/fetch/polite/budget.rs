//! How many pages are asked of a host: a budget an hour, and the pause that its robots.txt asks for. Pure.
//!
//! Each host has a moment from which on it may be asked (the generic cell rate algorithm): a request moves it on by one
//! interval, and it may lie ahead by as much as is left to be spent at once. As in [`crate::fetch::limits`], time is a
//! [`Duration`] since a moment of the caller's choice.

use std::collections::HashMap;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// This part of the budget may be spent at once; the rest comes evenly. No hour ever sees more than the budget.
const AT_ONCE: u32 = 6;

/// What is left of the budgets of all hosts.
#[derive(Debug)]
pub struct HostBudget {
    /// Pages an hour; `None` for no limit.
    pages: Option<u32>,
    /// The same of single hosts, where it differs.
    own: HashMap<String, Option<u32>>,
    hosts: HashMap<String, HostSpending>,
    /// Hosts that are known when those with a full budget are forgotten again.
    crowd: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct HostSpending {
    /// What was asked is paid for by then.
    paid_at: Duration,
    /// The last request, for the pause between two.
    free_at: Duration,
}

impl HostBudget {
    /// At most so many pages an hour of each host but those in `own`; `None` for no limit.
    #[must_use]
    pub fn new(pages: Option<u32>, own: HashMap<String, Option<u32>>) -> Self {
        Self {
            pages,
            own,
            hosts: HashMap::new(),
            crowd: 1024,
        }
    }

    /// The limits of another budget, for what is asked from now on; what was spent stays spent.
    pub fn adopt(&mut self, other: Self) {
        self.pages = other.pages;
        self.own = other.own;
    }

    /// How long to wait before a page may be asked of this host; zero for now.
    #[must_use]
    pub fn wait(&self, host: &str, now: Duration) -> Duration {
        let pages = self.pages_of(host);
        let Some(host) = self.hosts.get(host) else {
            return Duration::ZERO;
        };
        let credit = interval(pages).saturating_mul(at_once(pages) - 1);
        let budget = host.paid_at.saturating_sub(credit);
        budget.max(host.free_at).saturating_sub(now)
    }

    /// A page is asked of this host now, whatever was left; `pause` is what the host wants between two.
    pub fn spend(&mut self, host: &str, pause: Duration, now: Duration) {
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

/// The time that a page costs.
fn interval(pages: Option<u32>) -> Duration {
    match pages {
        // What can be spent at once comes on top of what comes evenly.
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

    /// When pages are asked of a host that always has some.
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
