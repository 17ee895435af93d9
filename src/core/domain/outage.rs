//! Whether our own network is down, rather than the sites.
//!
//! Sites fail one by one. If several sites that were reachable before fail in a row, and none responds in between,
//! the likely cause is this machine. Then the failures do not count against the sites, and they are tried in turn
//! until one responds. A site that was not reached the last time says nothing.

use std::collections::HashMap;
use std::time::Duration;

use crate::time::Timestamp;

/// How many sites have to fail together.
const TOGETHER: usize = 3;

/// How many further attempts have to fail before it is an outage, each on another site if there is one.
const TRIES: u32 = 3;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(10);

/// A suspicion that nothing has refuted for this long is an outage, however few sites there are to try.
const LONGEST_DOUBT: Duration = Duration::from_mins(2);

/// How many sites are remembered.
const MOST_SITES: usize = 20_000;

/// What requests show about the network. `elapsed` is the time since a fixed start, on a clock that never jumps.
#[derive(Debug, Default)]
pub struct Outage {
    state: NetworkState,
    /// Sites that have failed since a site was last reached; each had been reached before.
    failing: Vec<String>,
    /// When the first of them failed.
    since: Option<Timestamp>,
    /// Whether each site was reached the last time.
    reached: HashMap<String, bool>,
    last_try: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum NetworkState {
    #[default]
    Online,
    /// Possibly offline: since then, after so many attempts.
    Doubtful {
        since: Duration,
        tries: u32,
    },
    Offline,
}

/// What a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSign {
    /// The failure says nothing about the site: try again as if there had been no request.
    pub ours: bool,
    /// The news about the network, if any.
    pub step: Option<OutageNews>,
}

/// News about the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageNews {
    /// It has been down since this time.
    Offline(Timestamp),
    /// It is back, after it was down since this time.
    Online(Timestamp),
}

impl Outage {
    /// An outage that began before this process.
    #[must_use]
    pub fn since(at: Timestamp) -> Self {
        Self {
            state: NetworkState::Offline,
            since: Some(at),
            ..Self::default()
        }
    }

    /// Whether requests go out as usual.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.state == NetworkState::Online
    }

    /// Whether it is time for another attempt.
    #[must_use]
    pub fn wants_try(&self, elapsed: Duration) -> bool {
        self.last_try
            .is_none_or(|last| elapsed.saturating_sub(last) >= PAUSE)
    }

    /// Whether a request may be sent now: always while online; once in a while during a suspected outage.
    pub fn permits(&mut self, elapsed: Duration) -> bool {
        if self.is_online() {
            return true;
        }
        let permits = self.wants_try(elapsed);
        if permits {
            self.last_try = Some(elapsed);
        }
        permits
    }

    /// Records the end of a request: whether `site` was reached, whatever it responded.
    pub fn note(
        &mut self,
        site: &str,
        reached: bool,
        now: Timestamp,
        elapsed: Duration,
    ) -> RequestSign {
        if reached {
            return self.note_reached(site);
        }
        let step = match self.state {
            NetworkState::Online => {
                let was_reached = self.reached.insert(site.to_owned(), false);
                if was_reached == Some(false) {
                    return RequestSign::THEIRS;
                }
                self.since.get_or_insert(now);
                self.failing.push(site.to_owned());
                if self.failing.len() >= TOGETHER {
                    self.last_try = Some(elapsed);
                    self.state = NetworkState::Doubtful {
                        since: elapsed,
                        tries: 0,
                    };
                }
                None
            }
            NetworkState::Doubtful { since, tries } => self.doubt(site, since, tries, now, elapsed),
            NetworkState::Offline => None,
        };
        RequestSign {
            ours: !self.is_online(),
            step,
        }
    }

    /// Another failure during a suspicion. It counts if the site has not failed before, and only once in a while.
    fn doubt(
        &mut self,
        site: &str,
        since: Duration,
        tries: u32,
        now: Timestamp,
        elapsed: Duration,
    ) -> Option<OutageNews> {
        let doubted = elapsed.saturating_sub(since);
        self.reached.insert(site.to_owned(), false);
        let another = !self.failing.iter().any(|failing| failing == site);
        // Requests that were in progress when it began fail all at the same time, and are one attempt.
        let counts = another && doubted >= PAUSE * tries;
        let tries = tries + u32::from(counts);
        if counts {
            self.failing.push(site.to_owned());
        }
        if tries < TRIES && doubted < LONGEST_DOUBT {
            self.state = NetworkState::Doubtful { since, tries };
            return None;
        }
        self.state = NetworkState::Offline;
        Some(OutageNews::Offline(*self.since.get_or_insert(now)))
    }

    fn note_reached(&mut self, site: &str) -> RequestSign {
        let step = match self.state {
            NetworkState::Offline => self.since.map(OutageNews::Online),
            NetworkState::Online | NetworkState::Doubtful { .. } => None,
        };
        if self.state == NetworkState::Offline {
            // The sites are again as they were before the outage.
            for site in self.failing.drain(..) {
                self.reached.remove(&site);
            }
        }
        self.failing.clear();
        self.since = None;
        self.state = NetworkState::Online;
        if self.reached.len() >= MOST_SITES {
            self.reached.clear();
        }
        self.reached.insert(site.to_owned(), true);
        RequestSign { ours: false, step }
    }
}

impl RequestSign {
    const THEIRS: Self = Self {
        ours: false,
        step: None,
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn at(elapsed: u64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000) + seconds(elapsed)
    }

    fn note(outage: &mut Outage, site: &str, reached: bool, elapsed: u64) -> RequestSign {
        outage.note(site, reached, at(elapsed), seconds(elapsed))
    }

    fn fail(outage: &mut Outage, sites: &[&str], elapsed: u64) -> Vec<bool> {
        let shown = sites
            .iter()
            .map(|site| note(outage, site, false, elapsed).ours);
        shown.collect()
    }

    #[test]
    fn sites_that_fail_together_are_one_outage_that_begins_and_ends_once() {
        let mut outage = Outage::default();
        for site in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(note(&mut outage, site, true, 0), RequestSign::THEIRS);
        }
        assert_eq!(
            fail(&mut outage, &["a", "b", "c", "d", "d"], 100),
            [false, false, true, true, true]
        );
        assert!(!outage.permits(seconds(101)));
        let mut steps = Vec::new();
        for (site, elapsed) in [("e", 110), ("f", 121), ("a", 131), ("b", 141)] {
            assert!(outage.permits(seconds(elapsed)), "{elapsed}");
            assert!(!outage.permits(seconds(elapsed + 1)));
            steps.extend(note(&mut outage, site, false, elapsed).step);
        }
        assert_eq!(steps, [OutageNews::Offline(at(100))]);
        assert_eq!(
            note(&mut outage, "c", true, 500),
            RequestSign {
                ours: false,
                step: Some(OutageNews::Online(at(100)))
            }
        );
        assert!(outage.permits(seconds(500)) && outage.permits(seconds(500)));
        // The same outage may happen again.
        assert_eq!(
            fail(&mut outage, &["c", "a", "b"], 600),
            [false, false, true]
        );
    }

    #[test]
    fn a_site_that_answers_in_between_ends_the_doubt() {
        let mut outage = Outage::default();
        fail(&mut outage, &["a", "b"], 0);
        note(&mut outage, "z", true, 1);
        assert_eq!(fail(&mut outage, &["c", "d"], 2), [false, false]);
        assert_eq!(fail(&mut outage, &["e"], 3), [true]);
        assert_eq!(note(&mut outage, "z", true, 13), RequestSign::THEIRS);
        assert!(outage.is_online());
        // By now those are known to fail on their own.
        let again = ["a", "b", "c", "d", "e", "a", "b"];
        assert_eq!(fail(&mut outage, &again, 20), [false; 7]);
    }

    #[test]
    fn with_no_other_site_to_try_doubt_ends_by_time() {
        let mut outage = Outage::default();
        fail(&mut outage, &["a", "b", "c"], 0);
        for elapsed in [10, 50, 119] {
            assert_eq!(note(&mut outage, "a", false, elapsed).step, None);
        }
        let step = note(&mut outage, "b", false, 120).step;
        assert_eq!(step, Some(OutageNews::Offline(at(0))));
    }

    #[test]
    fn an_outage_outlives_the_process() {
        let mut outage = Outage::since(at(0));
        assert_eq!(
            note(&mut outage, "a", false, 5),
            RequestSign {
                ours: true,
                step: None
            }
        );
        assert_eq!(
            note(&mut outage, "a", true, 50).step,
            Some(OutageNews::Online(at(0)))
        );
    }

    proptest! {
        #[test]
        fn it_begins_and_ends_in_turn_and_what_is_ours_is_held_against_nobody(
            requests in prop::collection::vec((0_u8..6, prop::bool::weighted(0.2), 0_u64..30), 1..200)
        ) {
            let mut outage = Outage::default();
            let (mut elapsed, mut is_out) = (0, false);
            for (site, reached, pause) in requests {
                elapsed += pause;
                let shown = note(&mut outage, &site.to_string(), reached, elapsed);
                prop_assert!(!(reached && shown.ours));
                prop_assert!(!reached || outage.is_online());
                match shown.step {
                    Some(OutageNews::Offline(_)) => {
                        prop_assert!(!is_out && !reached);
                        is_out = true;
                    }
                    Some(OutageNews::Online(_)) => {
                        prop_assert!(is_out && reached);
                        is_out = false;
                    }
                    None => {}
                }
                prop_assert!(!is_out || !outage.is_online());
            }
        }
    }
}
