//! A round: checks the given feeds and pages now, and reports the results.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::check::report::{FeedReport, FeedResult, PageReport, PageResult};
use crate::check::{CheckError, Checker, WaitLimit};
use crate::domain::ids::{EntryId, FeedId};
use crate::report::check::{CheckOutcome, CheckReport, CheckedFeed};
use crate::store::StoreError;

/// How many checks of a round run at the same time; most of them wait for their host.
const AT_ONCE: usize = 512;

/// What a round checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRequest {
    /// These feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Also check what is not due, and fetch whole documents even if the server would respond that nothing is new.
    pub force: bool,
}

/// How far a round has come, for a progress line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundProgress {
    /// A feed was polled.
    Feed(CheckedFeed),
    /// How many pages have been checked, and how many there are.
    Pages(usize, usize),
}

impl Checker {
    /// Runs a round: first the feeds, then the pages that are due by then.
    pub async fn round(
        self: &Arc<Self>,
        wish: &RoundRequest,
        mut on_progress: impl FnMut(RoundProgress),
    ) -> Result<CheckReport, StoreError> {
        let mut report = CheckReport::default();
        let feeds = self.wished_feeds(wish)?;
        let mut results = RoundResults::default();
        let force = wish.force;
        let poll = move |checker: Arc<Self>, feed| async move {
            match force {
                true => checker.check_whole_feed(feed, WaitLimit::Short).await,
                false => checker.check_feed(feed, WaitLimit::Short).await,
            }
        };
        self.at_once(feeds, poll, |result| {
            if let Some(done) = results.keep(result) {
                let line = feed_line(&done);
                count_pages(&mut report, &done.pages);
                report.changes.extend(&done.changes);
                on_progress(RoundProgress::Feed(line.clone()));
                report.feeds.push(line);
            }
        })
        .await;
        results.fail()?;
        self.store_quiet_polls().await?;

        let pages = self.wished_pages(wish)?;
        let (all, mut done) = (pages.len(), 0);
        let mut results = RoundResults::default();
        let look = |checker: Arc<Self>, entry| async move {
            // A check holds two states of an entry while it waits: too much for the stack of the round.
            Box::pin(checker.check_page(entry, WaitLimit::Short)).await
        };
        self.at_once(pages, look, |result| {
            done += 1;
            if let Some(page) = results.keep(result) {
                report.changes.extend(&page.changes);
                count_pages(&mut report, std::slice::from_ref(&page));
            }
            on_progress(RoundProgress::Pages(done, all));
        })
        .await;
        results.fail()?;
        self.settle_waits().await?;
        self.tell_digests().await?;
        report.changes.sort_unstable();
        Ok(report)
    }

    fn wished_feeds(&self, wish: &RoundRequest) -> Result<Vec<FeedId>, StoreError> {
        let now = self.now();
        let feeds = self.read(|reader| match wish.force {
            true => reader.active_feeds(),
            false => reader.due_feed_ids(now),
        })?;
        let wished = |id: &FeedId| wish.feeds.as_ref().is_none_or(|feeds| feeds.contains(id));
        Ok(feeds.into_iter().filter(wished).collect())
    }

    fn wished_pages(&self, wish: &RoundRequest) -> Result<Vec<EntryId>, StoreError> {
        let now = self.now();
        let pages = self.read(|reader| match wish.force {
            true => reader.pages_on_clock(usize::MAX),
            false => reader.due_pages(now, usize::MAX),
        })?;
        let wished = |id| wish.feeds.as_ref().is_none_or(|feeds| feeds.contains(&id));
        Ok(pages
            .into_iter()
            .filter(|page| wished(page.entry.feed))
            .map(|page| page.entry.id)
            .collect())
    }

    /// Runs a check for each item, a limited number at the same time.
    async fn at_once<I, R, F>(
        self: &Arc<Self>,
        items: Vec<I>,
        check: impl Fn(Arc<Self>, I) -> F,
        mut on_done: impl FnMut(Result<R, CheckError>),
    ) where
        R: Send + 'static,
        F: Future<Output = Result<R, CheckError>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for item in items {
            if tasks.len() >= AT_ONCE
                && let Some(Ok(result)) = tasks.join_next().await
            {
                on_done(result);
            }
            tasks.spawn(check(Arc::clone(self), item));
        }
        while let Some(joined) = tasks.join_next().await {
            if let Ok(result) = joined {
                on_done(result);
            }
        }
    }
}

/// Keeps the first database error: it ends the round once all checks in progress are done.
#[derive(Default)]
struct RoundResults {
    trouble: Option<StoreError>,
}

impl RoundResults {
    fn keep<R>(&mut self, result: Result<R, CheckError>) -> Option<R> {
        match result {
            Ok(done) => Some(done),
            Err(CheckError::Store(error)) if !error.is_conflict() => {
                self.trouble.get_or_insert(error);
                None
            }
            // Another process was faster, or a feed has just left the configuration: the next round handles it.
            Err(error) => {
                tracing::warn!(%error, "a check was abandoned");
                None
            }
        }
    }

    fn fail(self) -> Result<(), StoreError> {
        self.trouble.map_or(Ok(()), Err)
    }
}

fn feed_line(report: &FeedReport) -> CheckedFeed {
    let (outcome, error) = match &report.result {
        FeedResult::NewContent => (CheckOutcome::NewContent, None),
        FeedResult::Unchanged => (CheckOutcome::Unchanged, None),
        FeedResult::NotModified => (CheckOutcome::NotModified, None),
        FeedResult::Failed(why) => (CheckOutcome::Failed, Some(why.clone())),
    };
    CheckedFeed {
        feed: report.name.clone(),
        outcome,
        status: report.status,
        entries: report.entries as u64,
        new: report.new as u64,
        postponed: report
            .reading
            .as_ref()
            .map_or(0, |reading| reading.postponed as u64),
        changed: report.changed as u64,
        error,
        duration_ms: report.duration_ms,
    }
}

fn count_pages(report: &mut CheckReport, pages: &[PageReport]) {
    for page in pages {
        let counts = &mut report.pages;
        counts.checked += 1;
        match page.result {
            PageResult::Unchanged => {}
            PageResult::NotModified => counts.not_modified += 1,
            PageResult::Changed => counts.changed += 1,
            PageResult::Failed(_) => counts.failed += 1,
        }
    }
}
