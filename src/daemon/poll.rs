//! The loop that checks what is due.
//!
//! The queue is the database: what is due is read from it, a bounded number at a time, and what has been checked is
//! due again later. Only the work in progress is kept here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::assembly::{AlertDrain, Assembly};
use super::counts::Counts;
use super::due::Trouble;
use super::page_queue::PageQueue;
use super::repair_log::Needs;
use super::watchdog::Pulse;
use crate::check::{
    CheckError, Checker, FeedReport, FeedResult, PageReport, PageResult, RoundRequest, WaitLimit,
};
use crate::domain::ids::{EntryId, FeedId};
use crate::notify::{Deliverer, trial};
use crate::store::{CheckRequestId, Reader, RequestedWork, StoreError, TestRequest, Writer};
use crate::time::{Stopwatch, Timestamp};

/// The most checks at the same time; nearly all of them wait for their host, which costs next to nothing.
const UNDER_WAY: usize = 2048;

/// How many of them may be pages: thousands of one host must not take the places of the feeds.
const PAGES_UNDER_WAY: usize = UNDER_WAY / 2;

/// How many of those may be pages of one feed.
const PAGES_OF_A_FEED: usize = PAGES_UNDER_WAY / 4;

/// The loop runs at least this often: it handles requests from the command line and reports progress to the watchdog.
const ROUND: Duration = Duration::from_millis(250);

/// How long work in progress may take to end when the daemon stops.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// If the loop pauses for longer than this, by the wall clock, the machine was asleep.
const SLEPT: Duration = Duration::from_mins(5);

/// If the clock is set back by less than this, nothing waits noticeably longer, so nothing is rescheduled.
const SET_BACK: Duration = Duration::from_secs(10);

/// How long the loop waits after a database error before it tries again.
const TROUBLE_PAUSE: Duration = Duration::from_secs(2);

/// Work in progress.
pub(super) struct Poller {
    checker: Arc<Checker>,
    writer: Writer,
    /// Notified when there may be something in the outbox.
    outbox: Arc<Notify>,
    /// Has the targets, for tests of them.
    drain: Arc<AlertDrain>,
    deliverer: Deliverer,
    tasks: JoinSet<JobEnd>,
    feeds: HashSet<FeedId>,
    pages: HashMap<EntryId, (FeedId, String)>,
    /// How many of `pages` belong to each host, and to each feed.
    hosts: Counts<String>,
    of_feeds: Counts<FeedId>,
    /// Due pages that have not been started.
    due: PageQueue,
    started: Stopwatch,
    trouble: Trouble<CheckJob>,
    jobs: HashMap<Id, CheckJob>,
    needs: Needs,
    /// Why the database must not be used any more.
    unfit: Option<StoreError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum CheckJob {
    Feed(FeedId),
    Page(EntryId),
    Wish(CheckRequestId),
}

/// How a job ended.
enum JobEnd {
    Feed(Result<FeedReport, CheckError>),
    Page(Result<PageReport, CheckError>),
    Wish(Result<(), StoreError>),
}

impl Poller {
    pub(super) fn new(assembly: &Assembly, outbox: Arc<Notify>) -> Self {
        Self {
            checker: Arc::clone(&assembly.checker),
            writer: assembly.store.writer().clone(),
            outbox,
            drain: Arc::clone(&assembly.drain),
            deliverer: assembly.deliverer.clone(),
            tasks: JoinSet::new(),
            feeds: HashSet::new(),
            pages: HashMap::new(),
            hosts: Counts::default(),
            of_feeds: Counts::default(),
            due: PageQueue::default(),
            started: Stopwatch::start(),
            trouble: Trouble::new(),
            jobs: HashMap::new(),
            needs: Needs::default(),
            unfit: None,
        }
    }

    /// Polls until `stop`; then gives work in progress a short time to end, and stores its results. Returns early,
    /// with the reason, if the database must not be used any more.
    pub(super) async fn run(
        mut self,
        pulse: Arc<Pulse>,
        stop: CancellationToken,
    ) -> Option<StoreError> {
        let mut looked: Option<Stopwatch> = None;
        let mut more_is_due = false;
        let mut pause = ROUND;
        let mut seen = (self.checker.now(), Stopwatch::start());
        if let Err(error) = self.checker.judge_network() {
            tracing::error!(%error, "cannot read the state of the network");
        }
        self.set_back(self.checker.ahead()).await;
        self.catch_up(self.checker.away()).await;
        loop {
            pulse.beat();
            let now = self.checker.now();
            let passed = seen.1.elapsed();
            let slept = now.since(seen.0).saturating_sub(passed);
            let back = (seen.0 + passed).since(now);
            seen = (now, Stopwatch::start());
            if slept > SLEPT {
                self.catch_up(Ok(slept)).await;
            }
            self.set_back(Ok(back)).await;
            let rested = looked.is_none_or(|looked| looked.elapsed() >= pause);
            if rested || (more_is_due && self.tasks.len() <= UNDER_WAY / 2) {
                pause = ROUND;
                more_is_due = match self.start_due(now).await {
                    Ok(more) => more,
                    Err(error) => {
                        pause = self.cannot_read(error);
                        false
                    }
                };
                looked = Some(Stopwatch::start());
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                read = self.due.refreshed() => match read {
                    Ok(()) => more_is_due = true,
                    Err(error) => {
                        pause = self.cannot_read(error);
                        more_is_due = false;
                        looked = Some(Stopwatch::start());
                    }
                },
                Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.end(ended),
                () = tokio::time::sleep(ROUND) => {}
            }
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                self.end(ended);
            }
            let metrics = self.checker.metrics();
            metrics.under_way("feed", self.feeds.len());
            metrics.under_way("page", self.pages.len());
            if self.unfit.is_some() {
                break;
            }
        }
        let ending = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.end(ended);
            }
        };
        if tokio::time::timeout(STOP_GRACE, ending).await.is_err() {
            tracing::info!(
                given_up = self.tasks.len(),
                "checks in progress are abandoned; they will be due again"
            );
            self.tasks.shutdown().await;
        }
        self.store_quiet().await;
        self.unfit
    }

    /// Logs what is wrong with the database; returns how long the loop waits before it tries again.
    fn cannot_read(&mut self, error: StoreError) -> Duration {
        tracing::error!(%error, "cannot read what is due");
        self.unfit = Some(error).filter(StoreError::is_unfit);
        TROUBLE_PAUSE
    }

    /// Spreads out what has become due while nothing was polled.
    async fn catch_up(&self, away: Result<Duration, StoreError>) {
        let caught_up = match away {
            Ok(away) => self.checker.catch_up(away).await,
            Err(error) => Err(error),
        };
        if let Err(error) = caught_up {
            tracing::error!(%error, "cannot spread out overdue checks");
        }
    }

    /// Reschedules what would otherwise wait until the clock reaches its old time again.
    async fn set_back(&mut self, back: Result<Duration, StoreError>) {
        let planned = match back {
            Ok(back) if back > SET_BACK => {
                tracing::warn!(seconds = back.as_secs(), "the clock was set back");
                // Their order used the old clock.
                self.due.forget();
                self.outbox.notify_one();
                self.checker.set_back(back).await
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = planned {
            tracing::error!(%error, "cannot reschedule checks after the clock was set back");
        }
    }

    /// Starts what is due at `now`, as far as there is room; returns whether there is more. `now` is the time at
    /// which the clock was checked for leaps; later times may be by another clock.
    async fn start_due(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        self.writer.still_there()?;
        // A poll that is not stored is still due in the database.
        self.checker.store_quiet_polls().await?;
        if let Some(since) = self.checker.tell_network().await? {
            self.catch_up(Ok(now.since(since))).await;
            self.outbox.notify_one();
        }
        self.start_wishes().await?;
        if self.checker.settle_waits().await? + self.checker.tell_digests().await? > 0 {
            self.outbox.notify_one();
        }
        if !self.checker.is_online() {
            self.start_try(now)?;
            return Ok(false);
        }
        let room = UNDER_WAY.saturating_sub(self.tasks.len());
        // Feeds whose check is in progress are still due, too.
        let due = self
            .checker
            .read(|reader| reader.due_feeds(now, self.feeds.len() + room))?;
        let mut more = due.len() >= self.feeds.len() + room;
        let since_start = self.started.elapsed();
        for feed in due.into_iter().map(|feed| feed.id) {
            if self.trouble.holds(CheckJob::Feed(feed), since_start) {
                continue;
            }
            if self.tasks.len() < UNDER_WAY && self.feeds.insert(feed) {
                let checker = Arc::clone(&self.checker);
                let check = async move {
                    JobEnd::Feed(Box::pin(checker.check_feed(feed, WaitLimit::Endless)).await)
                };
                self.start(CheckJob::Feed(feed), check);
            }
        }
        more |= self.start_due_pages(now, PAGES_UNDER_WAY);
        Ok(more)
    }

    /// While no site can be reached, checks one feed now and then, or a page if there is no feed to try.
    fn start_try(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if !self.checker.wants_try() {
            return Ok(());
        }
        match self.checker.feed_to_try()? {
            Some(feed) if self.feeds.insert(feed) => {
                let checker = Arc::clone(&self.checker);
                let check = async move {
                    JobEnd::Feed(Box::pin(checker.check_feed(feed, WaitLimit::Short)).await)
                };
                self.start(CheckJob::Feed(feed), check);
            }
            Some(_) => {}
            None => {
                self.start_due_pages(now, 1);
            }
        }
        Ok(())
    }

    /// Starts due pages, most overdue first, a few of each host. The others stay in the database, so that whatever
    /// is most overdue when its host has room goes first, and no feed waits behind thousands of pages.
    fn start_due_pages(&mut self, now: Timestamp, most: usize) -> bool {
        let room = most.saturating_sub(self.pages.len());
        if room == 0 {
            return false;
        }
        if self.due.is_stale() {
            let held = self.trouble.held(self.started.elapsed());
            let held = held.filter_map(|job| match job {
                CheckJob::Page(page) => Some(page),
                CheckJob::Feed(_) | CheckJob::Wish(_) => None,
            });
            let known = self.pages.keys().copied().chain(held).collect();
            let checker = Arc::clone(&self.checker);
            self.due.read_anew(now, known, move |see| {
                checker.read(|reader| reader.each_due_page(now, see))
            });
        }
        let at_once = self.checker.pages_at_once();
        let places = |host: &str| match self.checker.page_wait(host).is_zero() {
            true => at_once.saturating_sub(self.hosts.of(host)),
            false => 0,
        };
        let share = |feed: FeedId| PAGES_OF_A_FEED.saturating_sub(self.of_feeds.of(&feed));
        let taken = self.due.take(room, places, share);
        let started = taken.len();
        for ((page, feed), host) in taken {
            let checker = Arc::clone(&self.checker);
            let check = async move {
                JobEnd::Page(Box::pin(checker.check_page(page, WaitLimit::Endless)).await)
            };
            self.hosts.add(host.clone());
            self.of_feeds.add(feed);
            self.pages.insert(page, (feed, host));
            self.start(CheckJob::Page(page), check);
        }
        started > 0 && self.due.has_more()
    }

    /// Picks up requests from the command line.
    async fn start_wishes(&mut self) -> Result<(), StoreError> {
        if !self.checker.read(Reader::has_requests)? {
            return Ok(());
        }
        for request in self.writer.take_requests(self.checker.now()).await? {
            let (checker, writer) = (Arc::clone(&self.checker), self.writer.clone());
            let (drain, deliverer) = (Arc::clone(&self.drain), self.deliverer.clone());
            let id = request.id;
            let fulfil = async move {
                let result = match request.work {
                    RequestedWork::Check { feeds, force } => {
                        check_round(&checker, RoundRequest { feeds, force }).await
                    }
                    RequestedWork::Test(test) => {
                        try_targets(&drain, &deliverer, &test, checker.now()).await
                    }
                };
                JobEnd::Wish(writer.finish_request(id, checker.now(), result).await)
            };
            self.start(CheckJob::Wish(id), fulfil);
        }
        Ok(())
    }

    fn start(&mut self, job: CheckJob, work: impl Future<Output = JobEnd> + Send + 'static) {
        let handle = self.tasks.spawn(work);
        self.jobs.insert(handle.id(), job);
    }

    fn end(&mut self, ended: Result<(Id, JobEnd), tokio::task::JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Some(ended)),
            Err(error) => {
                tracing::error!(%error, "a check crashed; this is a bug in revisor, please report it");
                (error.id(), None)
            }
        };
        let job = self.jobs.remove(&id);
        match job {
            Some(CheckJob::Feed(feed)) => drop(self.feeds.remove(&feed)),
            Some(CheckJob::Page(page)) => self.leave_page(page),
            Some(CheckJob::Wish(_)) | None => {}
        }
        if let Some(job) = job {
            match &ended {
                Some(JobEnd::Feed(Err(error)) | JobEnd::Page(Err(error))) if is_trouble(error) => {
                    self.trouble.note(job, self.started.elapsed());
                }
                // A panic: the feed or page is as due as before.
                None => self.trouble.note(job, self.started.elapsed()),
                Some(_) => self.trouble.clear(job),
            }
        }
        if let Some(ended) = &ended {
            if let JobEnd::Feed(Err(CheckError::Store(error)))
            | JobEnd::Page(Err(CheckError::Store(error))) = ended
                && error.is_unfit()
            {
                self.unfit = Some(error.clone());
            }
            self.count(ended);
        } else {
            self.checker.metrics().check_failed("fault");
        }
        match ended {
            Some(JobEnd::Feed(result)) => self.log_feed(result),
            Some(JobEnd::Page(result)) => self.log_page(result),
            Some(JobEnd::Wish(Ok(()))) => self.outbox.notify_one(),
            Some(JobEnd::Wish(Err(error))) => {
                tracing::error!(%error, "cannot answer a check request");
            }
            None => {}
        }
    }

    fn count(&self, ended: &JobEnd) {
        let metrics = self.checker.metrics();
        match ended {
            JobEnd::Feed(Ok(report)) => {
                metrics.checked("feed", report.result.as_str());
                for repair in report.reading.iter().flat_map(|reading| &reading.repairs) {
                    metrics.repaired(repair);
                }
                for page in &report.pages {
                    metrics.checked("page", page.result.as_str());
                }
            }
            JobEnd::Page(Ok(report)) => metrics.checked("page", report.result.as_str()),
            JobEnd::Feed(Err(error)) | JobEnd::Page(Err(error)) => {
                if let Some(reason) = reason(error) {
                    metrics.check_failed(reason);
                }
            }
            JobEnd::Wish(_) => {}
        }
    }

    fn leave_page(&mut self, page: EntryId) {
        if let Some((feed, host)) = self.pages.remove(&page) {
            self.hosts.take(&host);
            self.of_feeds.take(&feed);
        }
    }

    fn log_feed(&mut self, result: Result<FeedReport, CheckError>) {
        let report = match result {
            Ok(report) => report,
            Err(error) => return log_trouble(&error),
        };
        let duration_ms = report.duration_ms;
        let name = report.name.as_str();
        if let Some(reading) = &report.reading {
            self.needs.log(report.feed, name, reading);
        }
        let next = report.next.map(tracing::field::display);
        match &report.result {
            FeedResult::Failed(why) if !report.asked => {
                tracing::debug!(feed.name = name, duration_ms, "{why}");
            }
            FeedResult::Failed(why) => {
                tracing::warn!(
                    feed.name = name,
                    status = report.status,
                    duration_ms,
                    next,
                    "{why}"
                );
                self.outbox.notify_one();
            }
            FeedResult::NewContent => {
                let (new, changed) = (report.new, report.changed);
                tracing::info!(feed.name = name, new, changed, duration_ms, "read");
                self.outbox.notify_one();
            }
            FeedResult::Unchanged | FeedResult::NotModified => {
                tracing::debug!(
                    feed.name = name,
                    status = report.status,
                    duration_ms,
                    next,
                    "unchanged"
                );
            }
        }
    }

    fn log_page(&self, result: Result<PageReport, CheckError>) {
        match result {
            Ok(PageReport {
                result: PageResult::Changed,
                ..
            }) => self.outbox.notify_one(),
            Ok(PageReport {
                entry,
                url,
                result: PageResult::Failed(why),
                ..
            }) => {
                tracing::debug!(entry.id = entry.0, url, "page check failed: {why}");
            }
            Ok(_) => {}
            Err(error) => log_trouble(&error),
        }
    }

    async fn store_quiet(&self) {
        if let Err(error) = self.checker.store_quiet_polls().await {
            tracing::error!(%error, "cannot store polls; the feeds are due again");
        }
    }
}

/// Checks as requested; the result is for the command that waits for it.
async fn check_round(checker: &Arc<Checker>, request: RoundRequest) -> String {
    match Box::pin(checker.round(&request, |_| {})).await {
        Ok(report) => serde_json::to_string(&report).unwrap_or_default(),
        Err(error) => serde_json::json!({ "error": error.to_string() }).to_string(),
    }
}

/// Sends a test event to targets, one after the other; the result is for the command that waits for it.
async fn try_targets(
    drain: &AlertDrain,
    deliverer: &Deliverer,
    test: &TestRequest,
    now: Timestamp,
) -> String {
    let mut results = Vec::with_capacity(test.targets.len());
    for name in &test.targets {
        results.push(match drain.target(name) {
            Some(target) => trial::try_target(deliverer, &target, test.event, now).await,
            None => trial::unknown(name),
        });
    }
    serde_json::to_string(&results).unwrap_or_default()
}

/// Whether the result of a check could not be stored, so that it is as due as before.
fn is_trouble(error: &CheckError) -> bool {
    match error {
        CheckError::Store(error) => !error.is_conflict(),
        CheckError::Crashed(_) => true,
        CheckError::NoSuchFeed(_) | CheckError::NoSuchEntry(_) => false,
    }
}

/// Why a check was not completed, in a word; `None` if it was no longer needed.
fn reason(error: &CheckError) -> Option<&'static str> {
    match error {
        CheckError::Store(error) if error.is_conflict() => Some("conflict"),
        CheckError::Store(_) => Some("database"),
        CheckError::Crashed(_) => Some("fault"),
        CheckError::NoSuchFeed(_) | CheckError::NoSuchEntry(_) => None,
    }
}

fn log_trouble(error: &CheckError) {
    match error {
        CheckError::Store(error) if error.is_conflict() => {
            tracing::info!(%error, "another process was first");
        }
        CheckError::NoSuchFeed(_) | CheckError::NoSuchEntry(_) => {
            tracing::debug!(%error, "abandoned");
        }
        CheckError::Store(_) | CheckError::Crashed(_) => {
            tracing::error!(%error, "a check failed");
        }
    }
}

#[cfg(test)]
mod tests;
