//! Feeds and their state: from the configuration and the database.

use std::collections::HashMap;
use std::time::Duration;

use crate::config::FeedConfig;
use crate::domain::outcome::Validators;
use crate::domain::schedule::{Every, Hints, Plan, PollEnd, next_poll};
use crate::report::feeds::{FeedStatus, FeedSummary};
use crate::store::{self, FeedHealth};
use crate::time::Timestamp;

/// The usual interval of a feed, and the reason for it.
pub(crate) type Usual = fn(&FeedConfig, Option<&store::FeedRow>, Timestamp) -> (Duration, String);

/// In the order of the configuration, which decides which feeds exist. `usual` may leave out the interval, which
/// is slow for a very large number of feeds.
pub(crate) fn of_configuration<'a>(
    configured: impl IntoIterator<Item = &'a FeedConfig>,
    health: Vec<FeedHealth>,
    now: Timestamp,
    usual: Usual,
) -> Vec<FeedSummary> {
    let mut known: HashMap<String, FeedHealth> = health
        .into_iter()
        .map(|health| (health.feed.url.clone(), health))
        .collect();
    let rows = configured
        .into_iter()
        .map(|feed| match known.remove(&feed.url) {
            Some(health) => {
                let usual = usual(feed, Some(&health.feed), now);
                known_row(feed, health, usual)
            }
            None => new_row(feed, usual(feed, None, now)),
        });
    rows.collect()
}

/// The interval between two polls of a feed without trouble, and the reason: from its schedule, its rhythm and its
/// own hints, without the effects of a single response or failure.
#[must_use]
pub(crate) fn usual(
    feed: &FeedConfig,
    row: Option<&store::FeedRow>,
    now: Timestamp,
) -> (Duration, String) {
    let validators = row.map(|row| &row.validators);
    let is_whole = |known: &Validators| known.etag.is_none() && known.last_modified.is_none();
    let read = row.is_some_and(|row| row.last_ok.is_some());
    let hints = Hints {
        ttl: row.and_then(|row| row.pace.ttl),
        rhythm: row.and_then(|row| row.pace.rhythm),
        unconditional: read && validators.is_some_and(is_whole),
        ..Hints::default()
    };
    // The middle of the jitter range, not one of its ends.
    let plan = Plan {
        jitter: 0.0,
        ..feed.plan.clone()
    };
    let next = next_poll(&plan, now, PollEnd::Ok, &hints, 0, 0.0);
    let gap = match &feed.plan.every {
        Every::Interval(_) => next.at.map(|at| at.since(now)),
        Every::Cron(_) => None,
    };
    (gap.unwrap_or_else(|| feed.plan.usual_gap(now)), next.why)
}

fn new_row(feed: &FeedConfig, (interval, interval_why): (Duration, String)) -> FeedSummary {
    FeedSummary {
        interval: interval.as_secs(),
        interval_why,
        name: feed.name.clone(),
        url: feed.url.clone(),
        title: None,
        tags: feed.tags.to_vec(),
        state: FeedStatus::New,
        failures: 0,
        error: None,
        status: None,
        entries: 0,
        changes: 0,
        last_change: None,
        last_ok: None,
        next: None,
        postponed: 0,
        next_why: String::new(),
    }
}

fn known_row(feed: &FeedConfig, health: FeedHealth, usual: (Duration, String)) -> FeedSummary {
    let row = health.feed;
    let new = new_row(feed, usual);
    let state = if row.gone.is_some() {
        FeedStatus::Gone
    } else if row.paused.is_some() {
        FeedStatus::Paused
    } else if row.last_error.is_some() {
        FeedStatus::Failing
    } else if row.last_ok.is_none() {
        FeedStatus::New
    } else {
        FeedStatus::Ok
    };
    FeedSummary {
        title: row.title,
        state,
        failures: row.failures,
        error: row.last_error,
        status: row.last_status,
        entries: health.entries,
        changes: health.changes,
        last_change: health.last_change,
        last_ok: row.last_ok,
        // A feed that is back in the configuration is due as soon as a poller runs.
        next: row.next_poll.filter(|_| row.active),
        postponed: row.postponed.into(),
        next_why: row.next_why,
        ..new
    }
}
