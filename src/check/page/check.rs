//! The check of an article page that is due, from the request to what is stored.

use std::sync::Arc;

use crate::check::events::bulk::{OtherEdits, fold_page};
use crate::check::events::revise::{Became, EventContext};
use crate::check::page::decide::{DecidedPage, crashed, decide};
use crate::check::page::fetch::{FetchResult, FetchedPage, PageFetch};
use crate::check::page::interpret::interpret;
use crate::check::page::known::KnownPage;
use crate::check::page::past::PagePast;
use crate::check::report::{PageReport, PageResult};
use crate::check::schedule;
use crate::check::{CheckError, Checker, Reading, Settings, WaitLimit, lane_of_pages};
use crate::config::{FeedConfig, PageMode};
use crate::domain::ids::EntryId;
use crate::domain::outcome::{EntryOutcome, EntryRef, Outcome};
use crate::store::{FeedRow, KnownEntry, PageRow, StoreError};
use crate::time::Timestamp;

impl Checker {
    /// Checks the page of an entry and stores the result.
    pub fn check_page(
        &self,
        entry: EntryId,
        wait_limit: WaitLimit,
    ) -> impl Future<Output = Result<PageReport, CheckError>> + Send {
        self.check_page_if(entry, wait_limit, move |row, now| {
            // A page that was due when chosen may have been checked since, with its feed or on a person's request.
            wait_limit != WaitLimit::Endless || row.next.is_some_and(|next| next <= now)
        })
    }

    /// Like [`Self::check_page`], unless `wanted` says that it is no longer needed once it is the page's turn.
    pub(in crate::check) async fn check_page_if(
        &self,
        entry: EntryId,
        wait_limit: WaitLimit,
        wanted: impl FnOnce(&PageRow, Timestamp) -> bool + Send,
    ) -> Result<PageReport, CheckError> {
        let _only = self.pages.only(entry).await;
        let row = self
            .read(|reader| reader.entry(entry))?
            .ok_or(CheckError::NoSuchEntry(entry))?;
        let feed = self.read(|reader| reader.feed(row.feed))?;
        let feed = feed.ok_or(CheckError::NoSuchFeed(row.feed))?;
        let settings = self.settings();
        let config = settings
            .feed(&feed.url)
            .ok_or(CheckError::NoSuchFeed(row.feed))?;
        if config.page.mode == PageMode::Off {
            // It was still scheduled when pages were turned off.
            self.postpone(&row, None).await?;
            return Err(CheckError::NoSuchEntry(entry));
        }
        let url = row.page.url.clone().ok_or(CheckError::NoSuchEntry(entry))?;
        if !wanted(&row.page, self.now()) {
            return Ok(PageReport {
                entry,
                url,
                result: PageResult::Unchanged,
                changes: Vec::new(),
            });
        }
        let reading = Reading::of(&config);
        let fetch = PageFetch {
            reading: &reading,
            entry,
            url: &url,
            row: &row.page,
            title: row.title.as_deref(),
            feed: &config,
        };
        let result = self.fetch_page(&fetch, wait_limit).await;
        let known = BeforeFetch {
            row,
            feed,
            config,
            settings,
            reading,
        };
        // Boxed, so that a check that waits for its turn does not take the memory of one that is being decided.
        Box::pin(self.store_result(known, result)).await
    }

    /// Decides on the result of a fetch, and stores it.
    async fn store_result(
        &self,
        known: BeforeFetch,
        mut result: FetchResult,
    ) -> Result<PageReport, CheckError> {
        let BeforeFetch {
            row,
            feed,
            config,
            settings,
            reading,
        } = known;
        let entry = row.id;
        // Until everything is stored.
        let _hold = result.hold.take();
        if let FetchedPage::Barred(until) = result.found {
            let report = result.report();
            let next = schedule::barred_page_check(&config, &row, until, result.check.at);
            let why = result.check.error.unwrap_or_default();
            let bar = self.writer.bar_page(entry, why, result.check.at, next);
            bar.await?;
            return Ok(report);
        }
        if !result.was_asked() {
            if result.not_before.is_some() {
                self.postpone(&row, result.not_before).await?;
            }
            return Ok(result.report());
        }
        let mut report = result.report();
        let at = result.check.at;
        let (readers, rule) = (self.readers.clone(), config.detect.life);
        let (known, told_by, reading) = (row.clone(), config.clone(), reading.clone());
        let decided = self
            .workers
            .run_for(lane_of_pages(&config), 0, move || {
                readers.with(|reader| {
                    let (result, mut before) =
                        KnownPage::read(reader, known, None, result, &reading)?;
                    let scheme = reading.schemes().page;
                    let interpreted = interpret(result, &mut before, &rule, scheme);
                    let past = PagePast::read(reader, &reading, &mut before, &interpreted)?;
                    let event_context = EventContext::new(&feed, &told_by, &settings);
                    let schemes = reading.schemes();
                    Ok(decide(
                        interpreted,
                        before,
                        &past,
                        event_context,
                        schemes,
                        rule.confirm,
                    ))
                })
            })
            .await;
        let decided = match decided {
            Ok(decided) => decided?,
            Err(crash) => {
                report.result = PageResult::Failed(crash.to_string());
                crashed(&row, at, &crash)
            }
        };
        let DecidedPage {
            mut write,
            became,
            ended,
            rules,
            ..
        } = decided;
        if let Some(said) = decided.report {
            report = said;
        }
        if became == Became::Changed {
            report.result = PageResult::Changed;
        }
        let mut bulk = None;
        if write.revision.is_some() {
            bulk = Some(self.bulk.only(row.feed).await);
        }
        write.drop_needless_capture();
        // The configuration may have changed meanwhile.
        let settings = self.settings();
        let mut outcome = Outcome::of(row.feed);
        outcome.rules = rules;
        if let Some(feed) = self.read(|reader| reader.feed(row.feed))?
            && let Some(config) = settings.feed(&feed.url)
        {
            write.page_next = Some(schedule::next_page_check(&config, &row, &ended, at));
            outcome.entries.push(write);
            let event_context = EventContext::new(&feed, &config, &settings);
            let others = self.read(|reader| OtherEdits::read(reader, &outcome, at))?;
            let limit = config.detect.bulk_edit;
            fold_page(&mut outcome, &others, limit, &event_context, at);
        } else {
            outcome.entries.push(write);
        }
        report.changes = self.commit(outcome).await?.changes;
        drop(bulk);
        Ok(report)
    }

    /// Sets the next check of a page to `next`, or to never if `None`, and stores nothing else.
    async fn postpone(&self, row: &KnownEntry, next: Option<Timestamp>) -> Result<(), StoreError> {
        let mut outcome = Outcome::of(row.feed);
        outcome.entries.push(EntryOutcome {
            page_next: Some(next),
            ..EntryOutcome::of(EntryRef::Known(row.id))
        });
        self.writer.commit(outcome).await.map(drop)
    }
}

/// What was known of a page before it was fetched.
struct BeforeFetch {
    row: KnownEntry,
    feed: FeedRow,
    config: Arc<FeedConfig>,
    settings: Arc<Settings>,
    reading: Reading,
}
