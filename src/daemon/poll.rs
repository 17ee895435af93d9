//! The loop that looks at what is due.
//!
//! The queue is the database: what is due is read from it, a bounded number at a time, and what has been looked at is
//! due again later. Here is only what is under way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::progress::Pulse;
use crate::domain::ids::{EntryId, FeedId};
use crate::pipeline::{
    CheckError, FeedReport, FeedResult, PageReport, PageResult, Patience, Pipeline, Wish,
};
use crate::store::{CheckRequestId, Reader, StoreError, Writer};
use crate::time::Stopwatch;

/// Checks under way at once; nearly all of them wait for their host, which costs next to nothing.
const UNDER_WAY: usize = 2048;

/// Pages among them: thousands of one host must not take the places of the feeds.
const PAGES_UNDER_WAY: usize = UNDER_WAY / 2;

/// The loop comes round at least this often: it looks for wishes of the command line and feeds the watchdog.
const ROUND: Duration = Duration::from_millis(250);

/// What is under way may take this long to end when the daemon stops.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// After trouble with the database the loop waits before it tries again.
const TROUBLE_PAUSE: Duration = Duration::from_secs(2);

/// What is under way.
pub(super) struct Poller {
    pipeline: Arc<Pipeline>,
    writer: Writer,
    /// Rings when something may be in the outbox.
    outbox: Arc<Notify>,
    tasks: JoinSet<Ended>,
    feeds: HashSet<FeedId>,
    pages: HashSet<EntryId>,
    jobs: HashMap<Id, Job>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Job {
    Feed(FeedId),
    Page(EntryId),
    Wish(CheckRequestId),
}

/// How a job ended.
enum Ended {
    Feed(Result<FeedReport, CheckError>),
    Page(Result<PageReport, CheckError>),
    Wish(Result<(), StoreError>),
}

impl Poller {
    pub(super) fn new(pipeline: Arc<Pipeline>, writer: Writer, outbox: Arc<Notify>) -> Self {
        Self {
            pipeline,
            writer,
            outbox,
            tasks: JoinSet::new(),
            feeds: HashSet::new(),
            pages: HashSet::new(),
            jobs: HashMap::new(),
        }
    }

    /// Polls until `stop`; then lets what is under way end, for a short while, and stores what it brought.
    pub(super) async fn run(mut self, pulse: Arc<Pulse>, stop: CancellationToken) {
        let mut looked: Option<Stopwatch> = None;
        let mut more_is_due = false;
        let mut pause = ROUND;
        loop {
            pulse.beat();
            let rested = looked.is_none_or(|looked| looked.elapsed() >= pause);
            if rested || (more_is_due && self.tasks.len() <= UNDER_WAY / 2) {
                pause = ROUND;
                more_is_due = self.start_due().await.unwrap_or_else(|error| {
                    tracing::error!(%error, "cannot read what is due");
                    pause = TROUBLE_PAUSE;
                    false
                });
                looked = Some(Stopwatch::start());
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.end(ended),
                () = tokio::time::sleep(ROUND) => {}
            }
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                self.end(ended);
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
                "checks under way are given up; they are due again"
            );
            self.tasks.shutdown().await;
        }
        self.store_quiet().await;
    }

    /// Starts what is due, as far as there is room; tells whether there is more.
    async fn start_due(&mut self) -> Result<bool, StoreError> {
        // A poll that is not stored is still due in the database.
        self.pipeline.store_quiet_polls().await?;
        self.start_wishes().await?;
        let now = self.pipeline.now();
        let room = UNDER_WAY.saturating_sub(self.tasks.len());
        // What is under way is still due, too.
        let due = self
            .pipeline
            .read(|reader| reader.due_feeds(now, self.feeds.len() + room))?;
        let mut more = due.len() >= self.feeds.len() + room;
        for feed in due.into_iter().map(|feed| feed.id) {
            if self.tasks.len() < UNDER_WAY && self.feeds.insert(feed) {
                let pipeline = Arc::clone(&self.pipeline);
                let check = async move {
                    Ended::Feed(Box::pin(pipeline.check_feed(feed, Patience::Endless)).await)
                };
                self.start(Job::Feed(feed), check);
            }
        }
        let room = PAGES_UNDER_WAY.saturating_sub(self.pages.len());
        let due = self
            .pipeline
            .read(|reader| reader.due_pages(now, self.pages.len() + room))?;
        more |= room > 0 && due.len() >= self.pages.len() + room;
        for page in due.into_iter().map(|page| page.entry.id) {
            if self.pages.len() < PAGES_UNDER_WAY && self.pages.insert(page) {
                let pipeline = Arc::clone(&self.pipeline);
                let check = async move {
                    Ended::Page(Box::pin(pipeline.check_page(page, Patience::Endless)).await)
                };
                self.start(Job::Page(page), check);
            }
        }
        Ok(more)
    }

    /// Takes up what the command line has asked for.
    async fn start_wishes(&mut self) -> Result<(), StoreError> {
        if !self.pipeline.read(Reader::has_requests)? {
            return Ok(());
        }
        for request in self.writer.take_requests(self.pipeline.now()).await? {
            let (pipeline, writer) = (Arc::clone(&self.pipeline), self.writer.clone());
            let wish = Wish {
                feeds: request.feeds,
                force: request.force,
            };
            let id = request.id;
            let fulfil = async move {
                let result = match Box::pin(pipeline.round(&wish, |_| {})).await {
                    Ok(report) => serde_json::to_string(&report).unwrap_or_default(),
                    Err(error) => serde_json::json!({ "error": error.to_string() }).to_string(),
                };
                Ended::Wish(writer.finish_request(id, pipeline.now(), result).await)
            };
            self.start(Job::Wish(id), fulfil);
        }
        Ok(())
    }

    fn start(&mut self, job: Job, work: impl Future<Output = Ended> + Send + 'static) {
        let handle = self.tasks.spawn(work);
        self.jobs.insert(handle.id(), job);
    }

    fn end(&mut self, ended: Result<(Id, Ended), tokio::task::JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Some(ended)),
            Err(error) => {
                tracing::error!(%error, "a check broke off; this is a fault in revisor, please report it");
                (error.id(), None)
            }
        };
        match self.jobs.remove(&id) {
            Some(Job::Feed(feed)) => drop(self.feeds.remove(&feed)),
            Some(Job::Page(page)) => drop(self.pages.remove(&page)),
            Some(Job::Wish(_)) | None => {}
        }
        match ended {
            Some(Ended::Feed(result)) => self.log_feed(result),
            Some(Ended::Page(result)) => self.log_page(result),
            Some(Ended::Wish(Ok(()))) => self.outbox.notify_one(),
            Some(Ended::Wish(Err(error))) => tracing::error!(%error, "cannot answer a wish"),
            None => {}
        }
    }

    fn log_feed(&self, result: Result<FeedReport, CheckError>) {
        let report = match result {
            Ok(report) => report,
            Err(error) => return log_trouble(&error),
        };
        let duration_ms = report.duration_ms;
        let name = report.name.as_str();
        let next = report.next.map(tracing::field::display);
        match &report.result {
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
                entry,
                result: PageResult::Changed,
                changes,
                ..
            }) => {
                tracing::info!(
                    entry.id = entry.0,
                    change = changes.first().map(|n| n.0),
                    "page changed"
                );
                self.outbox.notify_one();
            }
            Ok(PageReport {
                entry,
                url,
                result: PageResult::Failed(why),
                ..
            }) => {
                tracing::debug!(entry.id = entry.0, url, "page not read: {why}");
            }
            Ok(_) => {}
            Err(error) => log_trouble(&error),
        }
    }

    async fn store_quiet(&self) {
        if let Err(error) = self.pipeline.store_quiet_polls().await {
            tracing::error!(%error, "cannot store polls; the feeds are due again");
        }
    }
}

fn log_trouble(error: &CheckError) {
    match error {
        CheckError::Store(error) if error.is_conflict() => {
            tracing::info!(%error, "another process was faster");
        }
        CheckError::NoSuchFeed(_) | CheckError::NoSuchEntry(_) => {
            tracing::debug!(%error, "given up");
        }
        CheckError::Store(_) | CheckError::Crashed(_) => {
            tracing::error!(%error, "a check has failed");
        }
    }
}
