//! What is stored of a poll without new entries: that it went well, that it failed, or that it was not made.

use crate::check::CheckError;
use crate::check::events::revise::{self, EventContext};
use crate::check::feed::poll::Poll;
use crate::check::network;
use crate::check::report::{FeedReport, FeedResult};
use crate::check::schedule;
use crate::domain::event::EventKind;
use crate::domain::outcome::{FeedPoll, NewEvent, Outcome, PollResult};
use crate::fetch::FetchFailure;
use crate::store::Quarantined;
use crate::time::Timestamp;

/// A feed is reported as failing after this many failures in a row: a single error is not news.
pub(in crate::check) const FAILING_AFTER: u32 = 3;

impl Poll<'_> {
    pub(super) fn recovered(&self, now: Timestamp) -> Option<NewEvent> {
        self.failing_is_reported().then(|| {
            // Including those before a person resumed the feed.
            let failures = match self.row.checks_since_ok {
                1 => "1 failure".to_owned(),
                failures => format!("{failures} failures"),
            };
            let detail = format!("works again after {failures}");
            revise::feed_event(
                EventKind::FeedRecovered,
                Some(detail),
                &self.event_context(),
                now,
            )
        })
    }

    /// Whether the feed may be read. One that crashed the process before is not even fetched.
    pub(super) fn may_read(&self) -> Result<(), Quarantined> {
        let now = self.checker.now();
        self.checker.underway.may_read(&self.row.url, now)
    }

    /// Stores that the feed is quarantined. The first time, that is reported.
    pub(super) async fn store_quarantine(
        &self,
        status: Option<u16>,
        rest: Quarantined,
    ) -> Result<FeedReport, CheckError> {
        let now = self.checker.now();
        let why = rest.to_string();
        let poll = FeedPoll {
            status,
            next: Some(rest.until),
            next_why: "skipped for a day".to_owned(),
            not_before: Some(rest.until),
            ..schedule::after_failure(self.row, self.config, now, why.clone(), None)
        };
        if self.failing_is_reported() {
            return self.store_poll(poll, FeedResult::Failed(why)).await;
        }
        let kind = EventKind::FeedFailing;
        let event = revise::feed_event(kind, Some(why.clone()), &self.event_context(), now);
        self.tell(poll, vec![event], FeedResult::Failed(why)).await
    }

    /// Whether `feed.failing` was reported and the recovery was not yet.
    fn failing_is_reported(&self) -> bool {
        self.row.failing_told.is_some()
    }

    /// Whether one more failure is to be reported. That is not only the failure that reaches the limit, which may have
    /// been stored together with the one before. A streak that began when a person resumed the feed is reported again.
    fn begins_to_fail(&self) -> bool {
        let row = self.row;
        let failures = row.failures + 1;
        let was_resumed = row.checks_since_ok > row.failures;
        if self.failing_is_reported() {
            failures == FAILING_AFTER && was_resumed
        } else {
            failures >= FAILING_AFTER
        }
    }

    pub(super) async fn unreadable(
        &self,
        status: u16,
        why: &(dyn std::fmt::Display + Sync),
    ) -> Result<FeedReport, CheckError> {
        let now = self.checker.now();
        let poll = schedule::after_failure(self.row, self.config, now, why.to_string(), None);
        self.trouble(FeedPoll {
            status: Some(status),
            ..poll
        })
        .await
    }

    pub(super) async fn failed(&self, failure: &FetchFailure) -> Result<FeedReport, CheckError> {
        let now = self.checker.now();
        let why = failure.to_string();
        let mut poll =
            schedule::after_failure(self.row, self.config, now, why, failure.retry_after);
        let soon = now + network::SOON;
        let is_first = self.row.failures == 0 && network::is_unreached(failure.kind);
        if is_first && self.checker.has_just_started() && poll.next > Some(soon) {
            (poll.next, poll.not_before) = (Some(soon), None);
            "the network may not have been up yet".clone_into(&mut poll.next_why);
        }
        self.trouble(FeedPoll {
            status: failure.status,
            ..poll
        })
        .await
    }

    /// Stores a failure; the one that makes the feed count as failing is reported.
    pub(in crate::check) async fn trouble(&self, poll: FeedPoll) -> Result<FeedReport, CheckError> {
        let poll = self.back_to_the_configured(poll);
        let PollResult::Failed(why) = &poll.result else {
            return self.store_poll(poll, FeedResult::Unchanged).await;
        };
        let why = why.clone();
        if self.begins_to_fail() {
            let kind = EventKind::FeedFailing;
            let event = revise::feed_event(kind, Some(why.clone()), &self.event_context(), poll.at);
            return self.tell(poll, vec![event], FeedResult::Failed(why)).await;
        }
        self.store_poll(poll, FeedResult::Failed(why)).await
    }

    pub(in crate::check) async fn tell(
        &self,
        poll: FeedPoll,
        events: Vec<NewEvent>,
        result: FeedResult,
    ) -> Result<FeedReport, CheckError> {
        let (status, next) = (poll.status, poll.next);
        let mut outcome = Outcome::of(self.row.id);
        outcome.poll = Some(poll);
        outcome.events = events;
        self.checker.commit(outcome).await?;
        Ok(FeedReport {
            status,
            next,
            ..self.report(result)
        })
    }

    /// A poll without news is kept for the next batch. One that ends a streak of failures, or finds that the feed
    /// moved, is reported.
    pub(in crate::check) async fn store_poll(
        &self,
        poll: FeedPoll,
        result: FeedResult,
    ) -> Result<FeedReport, CheckError> {
        let well = poll.result == PollResult::Ok;
        if let Some(Some(to)) = &poll.moved_to {
            let events = [Some(revise::moved_event(
                to,
                &self.event_context(),
                poll.at,
            ))];
            let recovered = self.recovered(poll.at).filter(|_| well);
            let events = events.into_iter().chain([recovered]).flatten();
            return self.tell(poll, events.collect(), result).await;
        }
        if let Some(event) = self.recovered(poll.at).filter(|_| well) {
            return self.tell(poll, vec![event], result).await;
        }
        let report = FeedReport {
            status: poll.status,
            next: poll.next,
            ..self.report(result)
        };
        self.checker.keep_quiet_poll(poll).await?;
        Ok(report)
    }

    pub(in crate::check) fn report(&self, result: FeedResult) -> FeedReport {
        FeedReport {
            feed: self.row.id,
            name: self.config.name.clone(),
            result,
            asked: true,
            status: None,
            reading: None,
            entries: 0,
            new: 0,
            changed: 0,
            changes: Vec::new(),
            pages: Vec::new(),
            duration_ms: 0,
            next: None,
        }
    }

    pub(in crate::check) fn event_context(&self) -> EventContext<'_> {
        EventContext::new(self.row, self.config, self.settings)
    }
}
