//! The poll of a feed, from the request to what is stored.

use std::sync::Arc;

use crate::check::feed::decide::{DecidedFeed, FeedDecision};
use crate::check::feed::identify::IdentifiedFeed;
use crate::check::feed::known::{DocumentReading, known_after};
use crate::check::polite::journey::{FetchHold, Hold};
use crate::check::report::{FeedReading, FeedReport, FeedResult, PageReport};
use crate::check::schedule;
use crate::check::{CheckError, Checker, DocumentPermit, Reading, Settings, WaitLimit};
use crate::config::{FeedConfig, FeedKind};
use crate::domain::ids::FeedId;
use crate::domain::outcome::{FeedPoll, Outcome, Pace, Validators};
use crate::feed::{ParsedFeed, Repair};
use crate::fetch::{Answer, CacheHints, FetchRequest, Fetched, Lane, Load, own_headers};
use crate::store::{FeedRow, StoreError};
use crate::time::Stopwatch;

/// The most new entries that one poll stores, except the first poll of a feed, which stores all. The rest wait for
/// the next polls, so that a feed with thousands of new entries each time does not fill the disk in a day.
const NEW_AT_ONCE: usize = 500;

/// Memory needed to read a feed, per byte.
const MEMORY_PER_BYTE: u64 = 5;

impl Checker {
    /// Polls a feed and stores the result.
    pub async fn check_feed(
        &self,
        feed: FeedId,
        wait_limit: WaitLimit,
    ) -> Result<FeedReport, CheckError> {
        self.poll_feed(feed, wait_limit, false, None).await
    }

    /// Like [`Self::check_feed`], but requests the whole document whatever the last response was: some servers
    /// answer 304 forever.
    pub async fn check_whole_feed(
        &self,
        feed: FeedId,
        wait_limit: WaitLimit,
    ) -> Result<FeedReport, CheckError> {
        self.poll_feed(feed, wait_limit, true, None).await
    }

    /// Like [`Self::check_feed`], with a response that the caller has just received from the feed's address.
    pub async fn check_feed_response(
        &self,
        feed: FeedId,
        answer: Answer,
    ) -> Result<FeedReport, CheckError> {
        let answer = Some(Box::new(answer));
        self.poll_feed(feed, WaitLimit::Short, false, answer).await
    }

    async fn poll_feed(
        &self,
        feed: FeedId,
        wait_limit: WaitLimit,
        whole: bool,
        answer: Option<Box<Answer>>,
    ) -> Result<FeedReport, CheckError> {
        // What is known of the feed is read only once no other poll of it is in progress.
        let _only = self.feeds.only(feed).await;
        let watch = Stopwatch::start();
        let row = self
            .read(|reader| reader.feed(feed))?
            .ok_or(CheckError::NoSuchFeed(feed))?;
        let settings = self.settings();
        let Some(config) = settings.feed(&row.url) else {
            return Err(CheckError::NoSuchFeed(feed));
        };
        let poll = Poll {
            checker: self,
            row: &row,
            config: &config,
            settings: &settings,
            wait_limit,
            whole,
        };
        let mut report = match answer {
            Some(answer) => Box::pin(poll.received(Fetched::Body(answer), None)).await?,
            None if config.kind == FeedKind::Page => Box::pin(poll.check_watched()).await?,
            None => poll.run().await?,
        };
        report.duration_ms = watch.elapsed_ms();
        Ok(report)
    }
}

/// One poll of one feed.
pub(in crate::check) struct Poll<'a> {
    pub(in crate::check) checker: &'a Checker,
    pub(in crate::check) row: &'a FeedRow,
    pub(in crate::check) config: &'a Arc<FeedConfig>,
    pub(in crate::check) settings: &'a Arc<Settings>,
    pub(in crate::check) wait_limit: WaitLimit,
    /// Whether to fetch the document even if the server says that it has not changed.
    pub(in crate::check) whole: bool,
}

impl Poll<'_> {
    async fn run(&self) -> Result<FeedReport, CheckError> {
        if let Err(rest) = self.may_read() {
            return self.store_quarantine(None, rest).await;
        }
        let url = self.row.moved_to.as_deref().unwrap_or(&self.row.url);
        let validators = match self.whole || schedule::whole_is_due(self.row, self.checker.now()) {
            // Whatever the server says, the bytes show whether it is the same.
            true => Validators {
                etag: None,
                last_modified: None,
                ..self.row.validators.clone()
            },
            false => self.row.validators.clone(),
        };
        let mut request = FetchRequest::feed(url, validators);
        if self.row.baseline.is_none() {
            // The document is needed even if it is the same.
            request.validators.packed_sha256 = None;
        }
        request.headers = own_headers(self.config, url);
        let asking = self.checker.fetch(&request, self.config, self.wait_limit);
        let (fetched, held) = match asking.await {
            Ok(asked) => asked,
            // The feed is not at fault and stays due: nothing is stored.
            Err(resting) => {
                return Ok(FeedReport {
                    asked: false,
                    ..self.report(FeedResult::Failed(resting.to_string()))
                });
            }
        };
        // Boxed, so that a check that waits for its turn does not take the memory of one that reads.
        Box::pin(self.received(fetched, Some(held))).await
    }

    /// Stores the result of a response. It holds the turn of its host until nothing more has to be read, and its
    /// room until everything is stored.
    async fn received(
        &self,
        fetched: Fetched,
        held: Option<FetchHold>,
    ) -> Result<FeedReport, CheckError> {
        let (turn, Hold { mut load, .. }) = match held {
            Some((turn, hold)) => (Some(turn), hold),
            None => (None, Hold::unbounded()),
        };
        match fetched {
            Fetched::NotModified(answer) => {
                drop(turn);
                let known = answer.validators.as_ref().unwrap_or(&self.row.validators);
                // A date proves little: the front page of a parked domain is older than any feed.
                let sure = self.row.validators.etag.is_some();
                let moved_to = answer.permanent_url.filter(|_| sure);
                let hints = answer.hints.of_the_same(self.row.pace.lifetime);
                let poll = self.well(&hints, known);
                let poll = FeedPoll {
                    status: Some(304),
                    moved_to: self.moved_to(moved_to).map(Some),
                    validators: answer.validators,
                    ..poll
                };
                self.store_poll(poll, FeedResult::NotModified).await
            }
            Fetched::Body(answer) if self.same_bytes(&answer) => {
                drop(turn);
                let poll = FeedPoll {
                    status: Some(answer.status),
                    moved_to: self.moved_to(answer.permanent_url).map(Some),
                    ..self.well(&answer.hints, &answer.validators)
                };
                let poll = FeedPoll {
                    validators: Some(answer.validators),
                    ..poll
                };
                self.store_poll(poll, FeedResult::Unchanged).await
            }
            Fetched::Body(answer) => {
                // Once as bytes, once as entries and once as rows.
                load.grow(3 * answer.body.len() as u64).await;
                let hand = self.checker.hand().await;
                drop(turn);
                self.read_document(*answer, hand, &load).await
            }
            Fetched::Gone(_) => {
                drop(turn);
                self.gone("returned 410 Gone".to_owned()).await
            }
            Fetched::Failed(failure) => {
                drop(turn);
                self.failed(&failure).await
            }
        }
    }

    /// A successful poll without a document to read.
    fn well(&self, hints: &CacheHints, validators: &Validators) -> FeedPoll {
        let now = self.checker.now();
        schedule::after_success(self.row, self.config, now, hints, None, validators)
    }

    fn same_bytes(&self, answer: &Answer) -> bool {
        let known = self.row.validators.body_sha256;
        known.is_some() && known == answer.validators.body_sha256 && self.row.baseline.is_some()
    }

    /// Reads a document whose bytes are new, and stores what is new in its entries.
    async fn read_document(
        &self,
        answer: Answer,
        hand: DocumentPermit<'_>,
        load: &Load,
    ) -> Result<FeedReport, CheckError> {
        let Checker { workers, .. } = self.checker;
        let (readers, row) = (self.checker.readers.clone(), self.row.clone());
        let config = Arc::clone(self.config);
        let reading = Reading::of(self.config);
        let now = self.checker.now();
        // Until everything is stored.
        let _mark = match self.checker.underway.start(&self.row.url, now) {
            Ok(mark) => mark,
            Err(rest) => return self.store_quarantine(Some(answer.status), rest).await,
        };
        let memory = MEMORY_PER_BYTE * answer.body.len() as u64;
        let read = workers
            .run_for(Lane::Feed, memory, move || -> Result<_, StoreError> {
                let document = DocumentReading {
                    reading: &reading,
                    readers: &readers,
                    row: &row,
                    config: &config,
                    now,
                };
                Ok(match document.read(&answer)? {
                    Ok((parsed, pace, document)) => Ok((answer, parsed, pace, document)),
                    Err(error) => Err((answer.status, error)),
                })
            })
            .await;
        match read {
            Ok(Ok(Ok((answer, parsed, pace, document)))) => {
                self.store(answer, &parsed, pace, document, hand, load)
                    .await
            }
            Ok(Ok(Err((status, error)))) => self.unreadable(status, &error).await,
            Ok(Err(error)) => Err(error.into()),
            Err(crash) => self.unreadable(200, &crash).await,
        }
    }

    async fn store(
        &self,
        answer: Answer,
        parsed: &ParsedFeed,
        pace: Pace,
        mut document: IdentifiedFeed,
        hand: DocumentPermit<'_>,
        load: &Load,
    ) -> Result<FeedReport, CheckError> {
        let now = self.checker.now();
        if parsed.repairs.contains(&Repair::Truncated) {
            // A missing item may be in the part that did not arrive.
            document.left.clear();
        }
        let first = self.row.baseline.is_none();
        let entries = document.items.len() + document.same.len();
        let postponed = if first {
            0
        } else {
            document.postpone_beyond(NEW_AT_ONCE)
        };
        let reading = FeedReading {
            repairs: parsed
                .repairs
                .iter()
                .map(|repair| repair.as_str())
                .collect(),
            dropped: parsed.dropped,
            postponed,
        };
        let emptied = document.emptied();
        if let Some(why) = emptied.as_ref().filter(|_| self.row.emptied.is_none()) {
            return self.held(answer.status, why).await;
        }
        let (page_results, _only, _hand) = self.fetch_pages(&mut document, hand, load).await?;
        let pages: Vec<PageReport> = page_results
            .iter()
            .flatten()
            .map(|along| along.interpreted.report.clone())
            .collect();
        let poll = self.poll_of_document(&answer, parsed, pace, postponed);
        let known_before = document.known_before.take();
        let same = document.same.iter().map(|same| same.item.clone()).collect();
        let settling = document.settling();
        let plan = FeedDecision {
            row: self.row.clone(),
            config: Arc::clone(self.config),
            settings: Arc::clone(self.settings),
            answer,
            poll,
            emptied: emptied.is_some(),
            now,
        };
        let readers = self.checker.readers.clone();
        let decided = self
            .checker
            .workers
            .run(move || -> Result<_, StoreError> {
                let past =
                    readers.with(|reader| plan.past(reader, &mut document, &page_results))?;
                Ok(plan.decide(document, page_results, past))
            })
            .await;
        let DecidedFeed {
            mut outcome,
            new,
            changed,
        } = match decided {
            Ok(decided) => decided?,
            // Counts as a failure like any other: otherwise the feed would be due immediately, again and again.
            Err(crash) => return self.unreadable(200, &crash).await,
        };
        let items = known_after(known_before, same, settling, &outcome);
        if let Some(poll) = &mut outcome.poll {
            poll.items = items;
        }
        outcome.events.extend(self.recovered(now));
        let report = self.store_decided(outcome, new > 0 || changed > 0).await?;
        Ok(FeedReport {
            reading: Some(reading),
            entries,
            new,
            changed,
            pages,
            ..report
        })
    }

    /// A successful poll that brought a document.
    fn poll_of_document(
        &self,
        answer: &Answer,
        parsed: &ParsedFeed,
        pace: Pace,
        postponed: usize,
    ) -> FeedPoll {
        let (hints, validators) = (&answer.hints, &answer.validators);
        let now = self.checker.now();
        let poll =
            schedule::after_success(self.row, self.config, now, hints, Some(pace), validators);
        let poll = FeedPoll {
            status: Some(answer.status),
            validators: Some(kept_validators(validators, &parsed.repairs)),
            title: parsed
                .title
                .clone()
                .filter(|title| self.row.title.as_ref() != Some(title)),
            moved_to: self.moved_to(answer.permanent_url.clone()).map(Some),
            ..poll
        };
        match postponed {
            0 => poll,
            more => schedule::to_be_continued(poll, more),
        }
    }

    /// Commits what was decided; a poll that brought nothing new is kept for the next batch.
    async fn store_decided(
        &self,
        mut outcome: Outcome,
        has_news: bool,
    ) -> Result<FeedReport, CheckError> {
        let first = self.row.baseline.is_none();
        let quiet = outcome.entries.is_empty() && outcome.events.is_empty() && !first;
        if quiet && outcome.guids_trusted.is_none() {
            return match outcome.poll.take() {
                Some(poll) => self.store_poll(poll, FeedResult::Unchanged).await,
                None => Ok(self.report(FeedResult::Unchanged)),
            };
        }
        let (status, next) = outcome
            .poll
            .as_ref()
            .map_or((None, None), |poll| (poll.status, poll.next));
        let committed = self.checker.commit(outcome).await?;
        let result = if first || has_news {
            FeedResult::NewContent
        } else {
            FeedResult::Unchanged
        };
        Ok(FeedReport {
            status,
            changes: committed.changes,
            next,
            ..self.report(result)
        })
    }

    /// The feed's new permanent address, if that is news. Called only for a response that is known to be the feed.
    fn moved_to(&self, permanent_url: Option<String>) -> Option<String> {
        let at = self.row.moved_to.as_deref().unwrap_or(&self.row.url);
        permanent_url.filter(|url| url != at)
    }
}

/// The validators for the next conditional request.
///
/// If a document arrives cut off, the server may send the same validators for the whole of it; a request with them
/// would get a 304, and the rest would never be seen. If the same bytes arrive a second time, that is how the
/// document is, and its validators are kept.
fn kept_validators(validators: &Validators, repairs: &[Repair]) -> Validators {
    if !repairs.contains(&Repair::Truncated) {
        return validators.clone();
    }
    Validators {
        body_sha256: validators.body_sha256,
        ..Validators::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::{Limits, parse};

    #[test]
    fn validators_of_a_document_that_was_cut_off_are_not_sent_back() {
        let validators = Validators {
            etag: Some("\"2\"".into()),
            last_modified: Some("Mon, 23 Nov 2026 10:00:00 GMT".into()),
            body_sha256: Some([7; 32]),
            packed_sha256: Some(Box::new([8; 32])),
        };
        let entries = "<item><title>A</title></item><item><title>B";
        let cut = format!("<rss version='2.0'><channel><title>t</title>{entries}");
        let whole = format!("{cut}</title></item></channel></rss>");
        let kept = |text: &str| {
            let read = parse(
                text.as_bytes(),
                None,
                "https://e.example/",
                &Limits::default(),
            );
            kept_validators(&validators, &read.unwrap().repairs)
        };
        assert_eq!(kept(&whole), validators);
        let only_the_bytes = Validators {
            etag: None,
            last_modified: None,
            packed_sha256: None,
            ..validators.clone()
        };
        assert_eq!(kept(&cut), only_the_bytes);
    }
}
