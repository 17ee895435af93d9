//! Reschedules many feeds together: after a change of the configuration, and after a time without polling.

use std::collections::HashSet;
use std::time::Duration;

use crate::check::Checker;
use crate::check::schedule;
use crate::domain::ids::FeedId;
use crate::store::{FeedRow, Rescheduled, StoreError};
use crate::time::Timestamp;

impl Checker {
    /// Sets the next poll of these feeds again, because their schedule has changed.
    pub async fn replan(&self, feeds: &[FeedId]) -> Result<(), StoreError> {
        if feeds.is_empty() {
            return Ok(());
        }
        let feeds: HashSet<FeedId> = feeds.iter().copied().collect();
        let (settings, now) = (self.settings(), self.now());
        self.reschedule(|feed| {
            let config = settings.feed(&feed.url)?;
            let wanted = feeds.contains(&feed.id) && feed.next_poll.is_some();
            wanted.then(|| schedule::replanned(feed, &config, now))?
        })
        .await
    }

    /// Spreads overdue feeds over the time without polling, so that no server sees a burst. Done at the start of a
    /// daemon, and when the machine has slept.
    pub async fn catch_up(&self, away: Duration) -> Result<(), StoreError> {
        let (settings, now) = (self.settings(), self.now());
        self.reschedule(|feed| {
            let config = settings.feed(&feed.url).filter(|_| feed.paused.is_none())?;
            schedule::caught_up(feed, &config, now, away)
        })
        .await
    }

    /// How long nothing can have been polled: since the time at which the most overdue feed was due.
    pub fn away(&self) -> Result<Duration, StoreError> {
        let now = self.now();
        let feeds = self.read(|reader| reader.feeds(false))?;
        let polled = feeds
            .iter()
            .filter(|feed| feed.paused.is_none() && feed.last_poll.is_some());
        let first: Option<Timestamp> = polled.filter_map(|feed| feed.next_poll).min();
        Ok(first.map_or(Duration::ZERO, |due| now.since(due)))
    }

    /// Reschedules what was planned before the wall clock was set back by `back`.
    pub async fn set_back(&self, back: Duration) -> Result<(), StoreError> {
        self.writer.clock_set_back(self.now(), back).await
    }

    /// How far in the future the last poll is: the clock was set back by that much while nothing was polled.
    pub fn ahead(&self) -> Result<Duration, StoreError> {
        let last = self.read(crate::store::Reader::last_planned)?;
        Ok(last.map_or(Duration::ZERO, |last| last.since(self.now())))
    }

    async fn reschedule(
        &self,
        when: impl Fn(&FeedRow) -> Option<Rescheduled>,
    ) -> Result<(), StoreError> {
        let feeds = self.read(|reader| reader.feeds(false))?;
        let moved: Vec<Rescheduled> = feeds.iter().filter_map(when).collect();
        if moved.is_empty() {
            return Ok(());
        }
        self.writer.reschedule_feeds(moved).await
    }
}
