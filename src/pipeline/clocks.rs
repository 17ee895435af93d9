//! When to look again: what the schedules of `domain` say, for the rows of the database.

use std::time::Duration;

use crate::config::{FeedConfig, PageMode};
use crate::domain::article_clock::{anchor, next_check};
use crate::domain::backoff::page_delay;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{FeedPoll, PollResult};
use crate::domain::schedule::{self, Hints, next_poll};
use crate::feed::PublisherHints;
use crate::fetch::CacheHints;
use crate::store::{self, FeedRow};
use crate::time::Timestamp;

/// What the publisher asks for, in the answer's head and in the document.
pub(super) fn hints(answer: &CacheHints, document: &PublisherHints, now: Timestamp) -> Hints {
    let bits = |places: &[u8]| {
        places
            .iter()
            .fold(0_u32, |bits, place| bits | 1 << (place & 31))
    };
    Hints {
        max_age: answer
            .max_age
            .or_else(|| answer.expires.map(|at| at.since(now))),
        ttl: document.ttl.max(document.update_period),
        retry_after: answer.retry_after,
        skip_hours: bits(&document.skip_hours),
        skip_days: u8::try_from(bits(&document.skip_days)).unwrap_or(0),
    }
}

/// The state of a feed after a poll that went well.
pub(super) fn well(feed: &FeedRow, config: &FeedConfig, now: Timestamp, hints: &Hints) -> FeedPoll {
    poll(
        feed,
        config,
        now,
        PollResult::Ok,
        schedule::PollResult::Ok,
        hints,
    )
}

/// The state of a feed after a poll that failed.
pub(super) fn ill(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
    why: String,
    retry_after: Option<Duration>,
) -> FeedPoll {
    let hints = Hints {
        retry_after,
        ..Hints::default()
    };
    let result = match retry_after {
        Some(_) => schedule::PollResult::Busy,
        None => schedule::PollResult::Failed,
    };
    poll(feed, config, now, PollResult::Failed(why), result, &hints)
}

fn poll(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
    result: PollResult,
    kind: schedule::PollResult,
    hints: &Hints,
) -> FeedPoll {
    let failures = if kind == schedule::PollResult::Ok {
        0
    } else {
        feed.failures + 1
    };
    let next = next_poll(
        &config.plan,
        now,
        kind,
        hints,
        failures,
        jitter(feed.id.0, now),
    );
    FeedPoll {
        feed: feed.id,
        at: now,
        result,
        status: None,
        next: next.at,
        next_why: next.why,
        validators: None,
        title: None,
        moved_to: None,
    }
}

/// When the page of a new entry is looked at first; `None` when the article is too old to be looked at.
pub(super) fn first_look(
    config: &FeedConfig,
    observations: &[Observation],
    now: Timestamp,
) -> Option<Timestamp> {
    let published = observations
        .iter()
        .find_map(|observation| match &observation.state {
            Observed::Feed(feed) => feed.published,
            Observed::Page(_) => None,
        });
    let age = now.since(anchor(published, now, None));
    config.page.recheck.interval_at(age).map(|_| now)
}

/// When the page of an entry that is not on the clock is looked at: one whose feed had its pages turned off before.
pub(super) fn back_on_clock(
    config: &FeedConfig,
    entry: &store::KnownEntry,
    observations: &[Observation],
    now: Timestamp,
) -> Option<Timestamp> {
    match (config.page.mode, entry.page.checked) {
        (PageMode::Off, _) | (PageMode::Changed, Some(_)) => None,
        (_, None) => first_look(config, observations, now),
        (PageMode::Always, Some(_)) => next_look(config, entry, false, true, now),
    }
}

/// When a page is looked at next, after a look at `now`; `None` when the looking has stopped.
pub(super) fn next_look(
    config: &FeedConfig,
    entry: &store::KnownEntry,
    changed: bool,
    well: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    match (config.page.mode, well) {
        (PageMode::Off, _) | (PageMode::Changed, true) => return None,
        // A first look that failed is tried again, or there would be nothing to compare with.
        (PageMode::Changed, false) | (PageMode::Always, _) => {}
    }
    let last_change = if changed {
        Some(now)
    } else {
        entry.last_change
    };
    let anchor = anchor(entry.claimed.published(), entry.first_seen, last_change);
    let ladder = &config.page.recheck;
    if well {
        return next_check(ladder, anchor, now, jitter(entry.id.0, now));
    }
    let interval = ladder.interval_at(now.since(anchor))?;
    Some(now + page_delay(entry.page.failures + 1, interval))
}

/// A number in 0–1 that is another one for each row and each moment, and the same whenever it is asked for.
fn jitter(row: i64, now: Timestamp) -> f64 {
    let window = Duration::from_secs(1 << 20);
    let place = schedule::spread(&format!("{row} {}", now.as_millis()), window);
    place.as_secs_f64() / window.as_secs_f64()
}
