//! The network of this machine, as far as requests show it: which requests [`Outage`] permits, and what is reported.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::check::Checker;
use crate::check::events::revise::with_text;
use crate::domain::event_builder;
use crate::domain::ids::FeedId;
use crate::domain::outage::{Outage, OutageNews};
use crate::domain::route::targets_for;
use crate::domain::site::site_of;
use crate::fetch::{AddressPolicy, FailureKind, Fetched, host_key};
use crate::store::StoreError;
use crate::time::{Stopwatch, Timestamp};

/// How long after the start of a daemon the network may not be up yet.
const BOOT: Duration = Duration::from_mins(5);

/// How soon a site that could not be reached during that time is tried again.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// The same problem is logged at most once in this time.
const WARN_PAUSE: Duration = Duration::from_mins(5);

/// How many feeds to choose from when testing whether the network is back.
const CANDIDATES: usize = 20;

/// What requests show about the network. Only a daemon judges it, because a command would not try again.
#[derive(Debug)]
pub(super) struct Network {
    judged: Mutex<Option<SiteJudgement>>,
    started: Stopwatch,
    /// When it was last logged that no descriptor is left.
    exhausted: Mutex<Option<Stopwatch>>,
}

#[derive(Debug, Default)]
struct SiteJudgement {
    outage: Outage,
    /// What is still to be reported.
    steps: VecDeque<OutageNews>,
    /// How many tries were made, so that each one uses another feed.
    tries: usize,
}

impl Network {
    pub(super) fn new() -> Self {
        Self {
            judged: Mutex::new(None),
            started: Stopwatch::start(),
            exhausted: Mutex::new(None),
        }
    }

    /// Logs now and then that no descriptor is left.
    pub(super) fn warn_exhausted(&self, why: &str) {
        let mut told = self
            .exhausted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= WARN_PAUSE) {
            *told = Some(Stopwatch::start());
            tracing::error!("{why}; requests wait until one is free");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<SiteJudgement>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request to this host may be sent.
    pub(super) fn permits(&self, host: &str) -> bool {
        match &mut *self.lock() {
            Some(judged) if !is_near(host) => judged.outage.permits(self.started.elapsed()),
            _ => true,
        }
    }

    /// Records the result of a request. Returns whether a failure is ours and must not count against the site.
    pub(super) fn note(&self, host: &str, fetched: &Fetched, now: Timestamp) -> bool {
        let reached = match fetched {
            Fetched::Failed(failure) if failure.kind == FailureKind::Refused => return false,
            Fetched::Failed(failure) => !is_unreached(failure.kind),
            Fetched::Body(_) | Fetched::NotModified(_) | Fetched::Gone(_) => true,
        };
        let mut judged = self.lock();
        let Some(judged) = judged.as_mut().filter(|_| !is_near(host)) else {
            return false;
        };
        let shown = judged
            .outage
            .note(site_of(host), reached, now, self.started.elapsed());
        judged.steps.extend(shown.step);
        shown.ours
    }
}

/// Whether a failure of this kind may be caused by our network.
pub(super) fn is_unreached(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Dns | FailureKind::Connect | FailureKind::Timeout
    )
}

/// Whether a host is in a local network, which shows nothing about the route to other hosts.
fn is_near(host: &str) -> bool {
    let name = host.split_once("://").map_or(host, |(_, name)| name);
    let name = name.trim_start_matches('[');
    let name = name.split([']', ':']).next().unwrap_or(name);
    if let Ok(address) = host_address(host) {
        return !AddressPolicy::default().permits(address);
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    !name.contains('.') || ["local", "localhost", "internal", "lan", "home", "arpa"].contains(&last)
}

fn host_address(host: &str) -> Result<IpAddr, std::net::AddrParseError> {
    host.trim_start_matches('[').trim_end_matches(']').parse()
}

impl Checker {
    /// Starts to judge the network. An outage from before the start is still in effect.
    pub fn judge_network(&self) -> Result<(), StoreError> {
        let since = self.read(crate::store::Reader::offline_since)?;
        *self.network.lock() = Some(SiteJudgement {
            outage: since.map_or_else(Outage::default, Outage::since),
            ..SiteJudgement::default()
        });
        Ok(())
    }

    /// Whether the daemon has just started. The network may not be up yet, so a site that fails for the first time
    /// is tried again soon.
    pub(super) fn has_just_started(&self) -> bool {
        self.network.lock().is_some() && self.network.started.elapsed() < BOOT
    }

    /// Whether checks run as usual. While the network seems to be down, only an occasional try does.
    pub fn is_online(&self) -> bool {
        let judged = self.network.lock();
        judged
            .as_ref()
            .is_none_or(|judged| judged.outage.is_online())
    }

    /// Whether it is time to test whether the network is back.
    pub fn wants_try(&self) -> bool {
        let judged = self.network.lock();
        let elapsed = self.network.started.elapsed();
        judged
            .as_ref()
            .is_some_and(|judged| judged.outage.wants_try(elapsed))
    }

    /// The feed to test that with: each time another one of those that could be read recently. `None` if all feeds
    /// are in local networks.
    pub fn feed_to_try(&self) -> Result<Option<FeedId>, StoreError> {
        let number = match &mut *self.network.lock() {
            Some(judged) => {
                judged.tries = judged.tries.wrapping_add(1);
                judged.tries
            }
            None => 0,
        };
        let candidates = self.read(|reader| reader.feeds_read_lately(CANDIDATES))?;
        let far: Vec<FeedId> = candidates
            .into_iter()
            .filter(|(_, url)| !is_near(&host_key(url)))
            .map(|(feed, _)| feed)
            .collect();
        Ok(far.get(number % far.len().max(1)).copied())
    }

    /// Stores and logs any news about the network. If it is back, returns since when it was gone.
    pub async fn tell_network(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut back = None;
        loop {
            let step = match &*self.network.lock() {
                Some(judged) => judged.steps.front().copied(),
                None => None,
            };
            let Some(step) = step else { return Ok(back) };
            let now = self.now();
            let settings = self.settings();
            let event = match step {
                OutageNews::Offline(since) => event_builder::service_offline(since, now),
                OutageNews::Online(since) => event_builder::service_online(since, now),
            };
            let event = with_text(event);
            let targets = targets_for(settings.rules(), &event);
            match step {
                OutageNews::Offline(since) => {
                    self.writer.went_offline(since, event, targets).await?;
                    tracing::error!(%since, "no site can be reached: the network or the name server of this machine is down; \
                         checks are postponed until a site responds");
                }
                OutageNews::Online(since) => {
                    self.writer.came_online(since, event, targets).await?;
                    tracing::info!(%since, "sites can be reached again; catching up on postponed checks");
                    back = Some(since);
                }
            }
            if let Some(judged) = &mut *self.network.lock() {
                judged.steps.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_our_own_networks_are_near() {
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "wiki",
            "nas.local",
            "db.internal",
            "localhost",
            "::1",
        ] {
            assert!(is_near(host), "{host}");
        }
        for host in ["news.example", "1.1.1.1", "www.news.example"] {
            assert!(!is_near(host), "{host}");
        }
    }
}
