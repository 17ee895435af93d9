//! Fetches a page as its host permits: by its robots.txt, and within a budget.
//!
//! What is known of a robots.txt is in the database, so that nothing is fetched again after a restart; the rules
//! derived from it are kept in memory.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use crate::check::keyed_lock::KeyedLock;
use crate::check::polite::journey::{Arrival, FetchHold, Journey};
use crate::check::polite::redirect_memory::{KeptRedirects, RedirectMemory, leads_nowhere};
use crate::check::{Checker, Resting, Settings, WaitLimit};
use crate::config::FeedConfig;
use crate::domain::outcome::Validators;
use crate::domain::robots::{KnownRobots, RobotsFound, RobotsRules, RobotsVerdict};
use crate::fetch::{CacheHints, FailureKind, FetchRequest, Fetched, HostBudget, host_key};
use crate::store::{RobotsRow, StoreError};
use crate::time::{Stopwatch, Timestamp};

/// The most origins whose rules are kept in memory.
const MOST_ORIGINS: usize = 4096;

/// The longest wait for a host's budget; a page that would have to wait longer stays due.
const BUDGET_WAIT: Duration = Duration::from_secs(30);

/// A page that redirects to a host with a longer wait is fetched again after this at the earliest: its own host is
/// not the cause.
const ELSEWHERE_PAUSE: Duration = Duration::from_mins(10);

/// Why a page was not fetched.
#[derive(Debug)]
pub(in crate::check) enum NotAsked {
    /// The host asked us to wait; the page stays due.
    Resting(Resting),
    /// The budget of the host is spent; the page stays due.
    OverBudget(Duration),
    /// The page redirects to another host whose budget is spent.
    Elsewhere {
        /// The other host.
        host: String,
        /// How long until that host has budget again.
        wait: Duration,
    },
    /// What is known of robots.txt cannot be read or stored; the page stays due.
    Trouble(StoreError),
    /// robots.txt forbids it, at least until this time.
    Barred {
        /// Why, for people.
        why: String,
        /// When robots.txt is fetched again.
        until: Timestamp,
    },
}

impl NotAsked {
    /// How long the page must not be fetched; `None` if it is as due as before and the poller knows that its host
    /// has to wait.
    pub(in crate::check) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Elsewhere { wait, .. } => Some(ELSEWHERE_PAUSE.max(*wait)),
            Self::Resting(_) | Self::OverBudget(_) | Self::Trouble(_) | Self::Barred { .. } => None,
        }
    }
}

impl fmt::Display for NotAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resting(resting) => resting.fmt(f),
            Self::OverBudget(wait) => write!(
                f,
                "skipped: the pages of this host are over its budget for another {} s",
                wait.as_secs()
            ),
            Self::Elsewhere { host, wait } => write!(
                f,
                "skipped: it redirects to {host}, whose pages are over its budget for another {} s",
                wait.as_secs()
            ),
            Self::Trouble(error) => write!(f, "skipped: {error}"),
            Self::Barred { why, .. } => f.write_str(why),
        }
    }
}

/// What is kept in memory for an origin.
#[derive(Debug)]
struct OriginRules {
    /// Without the file.
    known: KnownRobots,
    rules: RobotsRules,
}

impl OriginRules {
    fn new(known: &KnownRobots) -> Self {
        Self {
            rules: known.rules(),
            known: KnownRobots {
                body: None,
                ..known.clone()
            },
        }
    }

    fn judge(&self, url: &Url, now: Timestamp) -> RobotsVerdict {
        self.known.judge(&self.rules, url, now)
    }

    /// When robots.txt is fetched again.
    fn until(&self, now: Timestamp) -> Timestamp {
        self.known.ask_again.unwrap_or(now)
    }
}

/// The rules and budgets of hosts.
#[derive(Debug)]
pub(in crate::check) struct Hosts {
    origins: Mutex<HashMap<String, Arc<OriginRules>>>,
    asking: KeyedLock<u64>,
    budget: Mutex<HostBudget>,
    ways: RedirectMemory,
    started: Stopwatch,
}

impl Hosts {
    pub(in crate::check) fn new(settings: &Settings) -> Self {
        Self {
            origins: Mutex::default(),
            asking: KeyedLock::new(),
            budget: Mutex::new(budget(settings)),
            ways: RedirectMemory::default(),
            started: Stopwatch::start(),
        }
    }

    /// Adopts the budget of other settings.
    pub(in crate::check) fn replace(&self, settings: &Settings) {
        let other = budget(settings);
        self.budget().adopt(other);
    }

    /// Resets the budget, as if everything had been spent long ago.
    #[cfg(test)]
    pub(in crate::check) fn refill(&self, settings: &Settings) {
        *self.budget() = budget(settings);
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<String, Arc<OriginRules>>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget(&self) -> MutexGuard<'_, HostBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a page out of the budget of a host and returns how long it has to wait, if that is short; later pages
    /// come after it. Otherwise fails with the wait.
    fn book(&self, host: &str, pause: Duration) -> Result<Duration, Duration> {
        let mut budget = self.budget();
        let now = self.started.elapsed();
        let wait = budget.wait(host, now);
        if wait > BUDGET_WAIT {
            return Err(wait);
        }
        budget.spend(host, pause, now + wait);
        Ok(wait)
    }

    fn fresh(&self, origin: &str, now: Timestamp) -> Option<Arc<OriginRules>> {
        let found = self.origins().get(origin).cloned();
        found.filter(|origin| origin.known.is_fresh(now))
    }

    fn keep(&self, name: &str, origin: Arc<OriginRules>, now: Timestamp) {
        let mut origins = self.origins();
        if origins.len() >= MOST_ORIGINS {
            origins.retain(|_, origin| origin.known.is_fresh(now));
            if origins.len() >= MOST_ORIGINS {
                origins.clear();
            }
        }
        origins.insert(name.to_owned(), origin);
    }
}

/// A host without a pause is the user's own, and has no budget.
fn budget(settings: &Settings) -> HostBudget {
    let config = settings.config();
    let pages = config.page.host_budget;
    let common = pages.filter(|_| !config.fetch.host_delay.is_zero());
    let own = settings.host_limits().into_iter().map(|(host, limits)| {
        let pages = pages.filter(|_| !limits.host_delay.is_zero());
        (host, pages)
    });
    HostBudget::new(common, own.collect())
}

impl Checker {
    /// How long the pages of a host have to wait for its budget and its crawl delay; zero for not at all.
    #[must_use]
    pub fn page_wait(&self, host: &str) -> Duration {
        let now = self.hosts.started.elapsed();
        self.hosts.budget().wait(host, now)
    }

    /// How many pages of one host to work on at the same time: what its turns permit, and some that wait for theirs.
    #[must_use]
    pub fn pages_at_once(&self) -> usize {
        let settings = self.settings();
        let fetch = &settings.config().fetch;
        match fetch.host_delay.is_zero() {
            true => usize::MAX,
            false => fetch.per_host * 4,
        }
    }

    /// Fetches a page when its host permits it: robots.txt, its crawl delay, the budget, and its turn. The same
    /// applies to each host that a redirect leads to.
    pub(in crate::check) async fn ask_page(
        &self,
        request: FetchRequest,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<(Fetched, FetchHold), NotAsked> {
        let Ok(url) = Url::parse(request.url.trim()) else {
            // The client reports what is wrong with the address.
            let fetched = self.fetch(&request, feed, wait_limit).await;
            return fetched.map_err(NotAsked::Resting);
        };
        let mut pause = Duration::ZERO;
        if feed.page.robots {
            let origin = self.permitted(&url, feed, wait_limit).await?;
            pause = origin.rules.crawl_delay().unwrap_or_default();
        }
        if let Some(kept) = self.hosts.ways.take(&request.url) {
            let asked = self.follow(&request, feed, wait_limit, Some(kept)).await?;
            if !leads_nowhere(&asked.0) {
                return Ok(asked);
            }
        }
        let wait = self.hosts.book(&host_key(&request.url), pause);
        tokio::time::sleep(wait.map_err(NotAsked::OverBudget)?).await;
        self.follow(&request, feed, wait_limit, None).await
    }

    /// Fetches a page whose own host has been charged, or continues from where an earlier check stopped. If it has
    /// to wait on the way, the redirects so far are kept.
    async fn follow(
        &self,
        request: &FetchRequest,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
        kept: Option<KeptRedirects>,
    ) -> Result<(Fetched, FetchHold), NotAsked> {
        let mut visit = self.visit(request, feed, wait_limit);
        // A check charges each host once: if redirects lead away from a host and back, it is already paid.
        let mut paid = Vec::new();
        let (mut since, mut to) = (Stopwatch::start(), None);
        match kept {
            Some(kept) => {
                since = kept.since;
                to = Some(kept.way.url().clone());
                visit.resume(kept.way);
            }
            None => paid.push(host_key(&request.url)),
        }
        let asked = self.walk(&mut visit, to, paid, feed, wait_limit).await;
        if let Err(NotAsked::Elsewhere { .. } | NotAsked::Resting(_)) = &asked
            && let Some(way) = visit.into_way()
        {
            self.hosts
                .ways
                .keep(&request.url, KeptRedirects { way, since });
        }
        asked
    }

    /// Follows redirects from host to host, starting with `to`, as each host permits.
    async fn walk(
        &self,
        visit: &mut Journey<'_>,
        mut to: Option<Url>,
        mut paid: Vec<String>,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<(Fetched, FetchHold), NotAsked> {
        loop {
            if let Some(to) = to.take() {
                self.pass(visit, &to, &mut paid, feed, wait_limit).await?;
            }
            match visit.step().await.map_err(NotAsked::Resting)? {
                Arrival::Answered(fetched, held) => return Ok((fetched, held)),
                Arrival::Redirected(next) => to = Some(next),
            }
        }
    }

    /// Waits until a redirect may be followed.
    async fn pass(
        &self,
        visit: &mut Journey<'_>,
        to: &Url,
        paid: &mut Vec<String>,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<(), NotAsked> {
        let mut pause = Duration::ZERO;
        if feed.page.robots {
            let name = to.origin().ascii_serialization();
            let origin = match self.hosts.fresh(&name, self.now()) {
                Some(origin) => self.judged(origin, to)?,
                None => {
                    // Fetching robots.txt takes a turn of its own.
                    visit.leave();
                    self.permitted(to, feed, wait_limit).await?
                }
            };
            pause = origin.rules.crawl_delay().unwrap_or_default();
        }
        let host = host_key(to.as_str());
        if host == visit.host() {
            return Ok(());
        }
        visit.leave();
        if paid.contains(&host) {
            return Ok(());
        }
        match self.hosts.book(&host, pause) {
            Ok(wait) => {
                paid.push(host);
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Err(wait) => Err(NotAsked::Elsewhere { host, wait }),
        }
    }

    /// What is known of the robots.txt for an address that may be fetched.
    async fn permitted(
        &self,
        url: &Url,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<Arc<OriginRules>, NotAsked> {
        let origin = self.robots_of(url, feed, wait_limit).await?;
        self.judged(origin, url)
    }

    fn judged(&self, origin: Arc<OriginRules>, url: &Url) -> Result<Arc<OriginRules>, NotAsked> {
        let now = self.now();
        match origin.judge(url, now) {
            RobotsVerdict::Allowed => Ok(origin),
            RobotsVerdict::Forbidden(why) => Err(NotAsked::Barred {
                why,
                until: origin.until(now),
            }),
        }
    }

    /// What is known of the robots.txt for an address. It is fetched again if that has expired.
    async fn robots_of(
        &self,
        url: &Url,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<Arc<OriginRules>, NotAsked> {
        let name = url.origin().ascii_serialization();
        if let Some(origin) = self.hosts.fresh(&name, self.now()) {
            return Ok(origin);
        }
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let _only = self.hosts.asking.only(hasher.finish()).await;
        if let Some(origin) = self.hosts.fresh(&name, self.now()) {
            return Ok(origin);
        }
        let stored = self.read(|reader| reader.robots(&name));
        let mut row = stored.map_err(NotAsked::Trouble)?.unwrap_or_default();
        if !row.known.is_fresh(self.now()) {
            row = self.ask_robots(&name, row, feed, wait_limit).await?;
        }
        let origin = Arc::new(OriginRules::new(&row.known));
        self.hosts.keep(&name, Arc::clone(&origin), self.now());
        Ok(origin)
    }

    /// Fetches a robots.txt and stores the result. If it says something other than before, the pages that it did
    /// not permit are due.
    async fn ask_robots(
        &self,
        name: &str,
        before: RobotsRow,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<RobotsRow, NotAsked> {
        // Without the file, a 304 would mean nothing.
        let validators = match before.known.body {
            Some(_) => before.validators.clone(),
            None => Validators::default(),
        };
        let request = FetchRequest::robots(format!("{name}/robots.txt"), validators.clone());
        let fetched = self.fetch(&request, feed, wait_limit).await;
        let (fetched, _) = fetched.map_err(NotAsked::Resting)?;
        let now = self.now();
        let age = |hints: &CacheHints| {
            let expires = hints.expires.map(|at| at.since(now));
            hints.max_age.or(expires)
        };
        let (found, holds, validators) = match fetched {
            Fetched::NotModified(answer) => {
                let kept = answer.validators.unwrap_or(validators);
                (RobotsFound::Same, age(&answer.hints), kept)
            }
            Fetched::Body(answer) => {
                let holds = age(&answer.hints);
                (RobotsFound::File(answer.body), holds, answer.validators)
            }
            Fetched::Gone(_) => (RobotsFound::None, None, Validators::default()),
            Fetched::Failed(failure) => match (failure.status, failure.kind) {
                // If robots.txt must not be fetched at all, neither must the page, and its check reports the reason.
                // "Too many requests" says nothing about the file.
                (Some(400..=428 | 430..=499), _)
                | (None, FailureKind::Redirects | FailureKind::Refused) => {
                    (RobotsFound::None, None, Validators::default())
                }
                _ => {
                    let why = failure.message;
                    (
                        RobotsFound::Unreachable(why),
                        failure.retry_after,
                        validators,
                    )
                }
            },
        };
        let known = before.known.after(found, now, holds);
        let row = RobotsRow {
            origin: name.to_owned(),
            validators: Validators {
                body_sha256: None,
                packed_sha256: None,
                ..validators
            },
            crawl_delay: known.rules().crawl_delay(),
            known,
        };
        let kept = self.writer.keep_robots(row.clone()).await;
        kept.map_err(NotAsked::Trouble)?;
        let answered = row.known.answered && !before.known.answered;
        if answered || row.known.body != before.known.body {
            let unbarred = self.writer.unbar_pages(name, now).await;
            let pages = unbarred.map_err(NotAsked::Trouble)?;
            if pages > 0 {
                tracing::info!(
                    origin = name,
                    pages,
                    "robots.txt has changed; pages that it blocked are due"
                );
            }
        }
        Ok(row)
    }
}
