//! The look at an article page that is due, from the request to what is stored.

use std::sync::Arc;
use std::time::Duration;

use crate::check::events::revise::{
    self, Became, EntryKnowledge as KnownFull, EventContext, Windows,
};
use crate::check::furniture::for_entry;
use crate::check::page::fetch::{FetchResult, FetchedPage, PageFetch, failed_check};
use crate::check::page::interpret::{Interpreted, KnownPage, settle};
use crate::check::report::{PageReport, PageResult};
use crate::check::reread::rebase::rebase_for;
use crate::check::schedule;
use crate::check::schedule::PageCheckEnd;
use crate::check::waits::{self, Kept};
use crate::check::{CheckError, Checker, Crashed, Reading, Settings, WaitLimit, lane_of_pages};
use crate::config::{FeedConfig, PageMode};
use crate::domain::furniture::Step;
use crate::domain::ids::EntryId;
use crate::domain::life::Reason;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{EntryOutcome, EntryRef, NewRule, Outcome};
use crate::domain::state::Channel;
use crate::store::{FeedRow, KnownEntry, PageRow, Reader, StoreError};
use crate::time::Timestamp;

impl Checker {
    /// Looks at the page of an entry and stores what came of it.
    pub fn check_page(
        &self,
        entry: EntryId,
        patience: WaitLimit,
    ) -> impl Future<Output = Result<PageReport, CheckError>> + Send {
        self.check_page_if(entry, patience, move |row, now| {
            // One that was due when it was chosen may have been looked at since: along with its feed, or by a person's wish.
            patience != WaitLimit::Endless || row.next.is_some_and(|next| next <= now)
        })
    }

    /// As [`Self::check_page`], unless `wanted` says that there is no need once it is the page's turn.
    pub(in crate::check) async fn check_page_if(
        &self,
        entry: EntryId,
        patience: WaitLimit,
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
            // It was on the clock when pages were turned off.
            self.put_off(&row, None).await?;
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
        let look = PageFetch {
            reading: &reading,
            entry,
            url: &url,
            row: &row.page,
            title: row.title.as_deref(),
            feed: &config,
        };
        let looked = self.look(&look, patience).await;
        let known = Known {
            row,
            feed,
            config,
            settings,
            reading,
        };
        // In a box, so that a check that waits for its turn does not take the memory of one that is decided.
        Box::pin(self.take_in(known, looked)).await
    }

    /// Decides what a look brought, and stores it.
    async fn take_in(
        &self,
        known: Known,
        mut looked: FetchResult,
    ) -> Result<PageReport, CheckError> {
        let Known {
            row,
            feed,
            config,
            settings,
            reading,
        } = known;
        let entry = row.id;
        // Until all of it is stored.
        let _hold = looked.hold.take();
        if let FetchedPage::Barred(until) = looked.found {
            let report = looked.report();
            let next = schedule::barred_page_check(&config, &row, until, looked.check.at);
            let why = looked.check.error.unwrap_or_default();
            let bar = self.writer.bar_page(entry, why, looked.check.at, next);
            bar.await?;
            return Ok(report);
        }
        if !looked.was_asked() {
            if looked.not_before.is_some() {
                self.put_off(&row, looked.not_before).await?;
            }
            return Ok(looked.report());
        }
        let mut report = looked.report();
        let at = looked.check.at;
        let (readers, rule) = (self.readers.clone(), config.detect.life);
        let (known, told_by, reading) = (row.clone(), config.clone(), reading.clone());
        let decided = self
            .workers
            .run_for(
                lane_of_pages(&config),
                0,
                move || -> Result<_, StoreError> {
                    let mut before = KnownPage::load(&readers, known, None, &looked, &reading)?;
                    let settled = settle(looked, &mut before, &rule, &readers, &reading)?;
                    let event_context = EventContext::new(&feed, &told_by, &settings);
                    readers.with(|reader| {
                        decide(
                            settled,
                            before,
                            event_context,
                            reader,
                            &reading,
                            rule.confirm,
                        )
                    })
                },
            )
            .await;
        let decided = match decided {
            Ok(decided) => decided?,
            Err(crash) => {
                report.result = PageResult::Failed(crash.to_string());
                crashed(&row, at, &crash)
            }
        };
        let Decided {
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
            self.fold_page(&mut outcome, row.feed, &config, &event_context, at)?;
        } else {
            outcome.entries.push(write);
        }
        report.changes = self.commit(outcome).await?.changes;
        drop(bulk);
        Ok(report)
    }

    /// Looks at a page at `next`, and nothing else is stored of it; `None` for never.
    async fn put_off(&self, row: &KnownEntry, next: Option<Timestamp>) -> Result<(), StoreError> {
        let mut outcome = Outcome::of(row.feed);
        outcome.entries.push(EntryOutcome {
            page_next: Some(next),
            ..EntryOutcome::of(EntryRef::Known(row.id))
        });
        self.writer.commit(outcome).await.map(drop)
    }
}

/// What was known of a page before it was looked at.
struct Known {
    row: KnownEntry,
    feed: FeedRow,
    config: Arc<FeedConfig>,
    settings: Arc<Settings>,
    reading: Reading,
}

/// What a look leads to.
struct Decided {
    write: EntryOutcome,
    became: Became,
    ended: PageCheckEnd,
    report: Option<PageReport>,
    rules: Vec<NewRule>,
}

fn decide(
    mut settled: Interpreted,
    before: KnownPage,
    event_context: EventContext<'_>,
    reader: &Reader,
    reading: &Reading,
    confirm: Duration,
) -> Result<Decided, StoreError> {
    let now = settled.at();
    let mut write = EntryOutcome::of(EntryRef::Known(before.row.id));
    let mut windows = Windows {
        feed: None,
        page: Some(settled.window),
    };
    let observations: Vec<_> = settled.observation().into_iter().collect();
    let (ended, report) = (settled.ended, settled.report.clone());
    let mut full = before.full;
    let mut rules = before.rules;
    if let Some(full) = &full {
        let steps: Vec<Step<'_>> = observations
            .iter()
            .filter_map(|seen| step(full, seen))
            .collect();
        rules.learn(reader, before.row.feed, Channel::Page, &steps)?;
    }
    let mut in_force = rules.in_force(before.row.page.ok);
    if let Some(full) = full.as_ref().filter(|_| !observations.is_empty()) {
        in_force = for_entry(&in_force, full, &windows, reader, now)?;
    }
    let event_context = &event_context.under(in_force);
    settled.put(&mut write, full.as_ref(), event_context);
    let mut became = Became::Same;
    if let Some(full) = full.as_mut().filter(|_| !observations.is_empty()) {
        let last = before.row.page.validators.body_sha256;
        let rebasing = rebase_for(reader, reading, full, &observations, now, |_| last)?;
        rebasing.put(&mut write, &mut windows);
        became = revise::known_entry(
            &mut write,
            full,
            &observations,
            &windows,
            event_context,
            now,
        );
        let kept = Kept {
            entry: full,
            feed: before.row.feed,
            event_context,
            confirm,
        };
        waits::begin(&mut write, &kept, reader, now)?;
    }
    Ok(Decided {
        ended: PageCheckEnd {
            changed: revise::sets_clock(&write),
            ..ended
        },
        write,
        became,
        report: Some(report),
        rules: rules.into_learned(),
    })
}

/// The last text of the page, and the new one.
fn step<'a>(entry: &'a KnownFull, seen: &'a Observation) -> Option<Step<'a>> {
    let before = entry.known.state.page.as_ref()?;
    match &seen.state {
        Observed::Page(page) => Some(Step {
            titles: [before.headline(), page.headline()],
            texts: [&before.body, &page.body],
        }),
        Observed::Feed(_) => None,
    }
}

/// A look that the program failed on is a look that failed: left alone, the page would be due again at once, for ever.
fn crashed(row: &KnownEntry, at: Timestamp, crash: &Crashed) -> Decided {
    let mut write = EntryOutcome::of(EntryRef::Known(row.id));
    write.page = Some(failed_check(at, None, crash.to_string(), Reason::Failed));
    Decided {
        write,
        became: Became::Same,
        ended: PageCheckEnd::FAILED,
        report: None,
        rules: Vec::new(),
    }
}
