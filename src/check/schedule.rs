//! When to check again: the schedules of `domain`, for the rows of the database.

use std::time::Duration;

use crate::check::feed::identify::{IdentifiedFeed, IdentifiedItem};
use crate::config::{FeedConfig, FeedKind, PageMode};
use crate::domain::article_clock::{anchor, next_check};
use crate::domain::backoff::page_delay;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{FeedPoll, Pace, PollResult, Validators};
use crate::domain::schedule::{self, Hints, Rhythm, Scheduled, next_poll};
use crate::feed::ParsedFeed;
use crate::fetch::CacheHints;
use crate::store::{self, FeedRow, Rescheduled};
use crate::time::Timestamp;

/// What a document says about how often to poll it; the hints of its response are added later.
pub(super) fn pace(document: &ParsedFeed, now: Timestamp) -> Pace {
    let hints = &document.hints;
    let bits = |places: &[u8]| {
        places
            .iter()
            .fold(0_u32, |bits, place| bits | 1 << (place & 31))
    };
    Pace {
        lifetime: None,
        ttl: hints.ttl.max(hints.update_period),
        skip_hours: bits(&hints.skip_hours),
        skip_days: u8::try_from(bits(&hints.skip_days)).unwrap_or(0),
        rhythm: Rhythm::of(
            document
                .entries
                .iter()
                .filter_map(|entry| entry.published.or(entry.updated)),
            now,
        ),
    }
}

/// The rhythm of a feed that dates none of its entries, from when they were first seen.
pub(super) fn rhythm_of_items(sighting: &IdentifiedFeed, now: Timestamp) -> Option<Rhythm> {
    let first_seen = |item: &IdentifiedItem| {
        let known = item.known.as_ref();
        known.map_or(now, |known| known.row.first_seen)
    };
    let same = sighting.same.iter().map(|same| same.first_seen);
    Rhythm::of(sighting.items.iter().map(first_seen).chain(same), now)
}

/// What the publisher asks for, in the headers of the response and in the last document.
fn hints(answer: &CacheHints, pace: &Pace, now: Timestamp) -> Hints {
    Hints {
        max_age: answer
            .max_age
            .or_else(|| answer.expires.map(|at| at.since(now))),
        ttl: pace.ttl,
        retry_after: answer.retry_after,
        skip_hours: pace.skip_hours,
        skip_days: pace.skip_days,
        unconditional: false,
        rhythm: pace.rhythm,
    }
}

/// The state of a feed after a successful poll. `pace` is what its document says, if one was read, and `validators`
/// is what the response brought.
pub(super) fn after_success(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
    answer: &CacheHints,
    pace: Option<Pace>,
    validators: &Validators,
) -> FeedPoll {
    let pace = Pace {
        lifetime: answer.lifetime,
        ..pace.unwrap_or(feed.pace)
    };
    let mut hints = hints(answer, &pace, now);
    hints.unconditional = validators.etag.is_none() && validators.last_modified.is_none();
    let poll = poll(
        feed,
        config,
        now,
        PollResult::Ok,
        schedule::PollEnd::Ok,
        &hints,
    );
    FeedPoll {
        pace: is_news(&pace, feed, config, now).then_some(pace),
        ..poll
    }
}

/// Whether a pace is worth a write of its own, which a 304 does not need otherwise.
///
/// A lifetime may differ in every response, if it is the time until the document is next generated. Each response
/// plans its own next poll; the stored lifetime matters only to a later 304 without one, as the minimum wait. So it
/// is stored if that wait would change by more than a quarter. Smaller differences are within jitter and the time
/// of the poll, and a lifetime below the interval changes nothing.
fn is_news(pace: &Pace, feed: &FeedRow, config: &FeedConfig, now: Timestamp) -> bool {
    let known = &feed.pace;
    if pace == known {
        return false;
    }
    let same_lifetime = Pace {
        lifetime: known.lifetime,
        ..*pace
    };
    if same_lifetime != *known {
        return true;
    }
    let usual = config.plan.usual_gap(now);
    let longest = config.plan.longest_hint.min(schedule::LONGEST_HINT);
    let wait = |pace: &Pace| pace.lifetime.unwrap_or_default().min(longest).max(usual);
    let (wait, known) = (wait(pace), wait(known));
    wait.abs_diff(known) > known / 4
}

/// A feed's whole document is fetched at least once in this time, even if its server says that nothing is new.
const WHOLE_EVERY: Duration = Duration::from_hours(24);

/// A feed with very many new entries is read again after this. So a feed that never ends cannot bring more in a day
/// than its publisher's host and the database can bear.
const CONTINUED_AFTER: Duration = Duration::from_mins(5);

/// Whether the last poll was before the time of day at which this feed's whole document is fetched. Each feed has
/// its own time. This detects a server whose validators never change.
pub(super) fn whole_is_due(feed: &FeedRow, now: Timestamp) -> bool {
    let phase = schedule::spread(&feed.url, WHOLE_EVERY);
    let day = |at: Timestamp| {
        let millis = i64::try_from(WHOLE_EVERY.as_millis()).unwrap_or(i64::MAX);
        (at - phase).as_millis().div_euclid(millis)
    };
    feed.last_poll.is_some_and(|last| day(last) < day(now))
}

/// The state of a feed after a failed poll.
pub(super) fn after_failure(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
    why: String,
    retry_after: Option<Duration>,
) -> FeedPoll {
    let answer = CacheHints {
        retry_after,
        ..CacheHints::default()
    };
    // The hours that the feed asked to skip are also skipped while it fails.
    let hints = hints(&answer, &feed.pace, now);
    let result = match retry_after {
        Some(_) => schedule::PollEnd::Busy,
        None => schedule::PollEnd::Failed,
    };
    poll(feed, config, now, PollResult::Failed(why), result, &hints)
}

fn poll(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
    result: PollResult,
    kind: schedule::PollEnd,
    hints: &Hints,
) -> FeedPoll {
    let failures = if kind == schedule::PollEnd::Ok {
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
        not_before: next.not_before,
        pace: None,
        validators: None,
        title: None,
        moved_to: None,
        gone_since: None,
        // A successful poll settles what an earlier one left unconfirmed.
        emptied: (kind == schedule::PollEnd::Ok && feed.emptied.is_some()).then_some(None),
        postponed: 0,
        items: None,
    }
}

/// A poll of a feed with more new entries than one poll stores: the next one comes soon and reads the same document
/// again.
pub(super) fn to_be_continued(poll: FeedPoll, postponed: usize) -> FeedPoll {
    let soon = (poll.at + CONTINUED_AFTER).max(poll.not_before.unwrap_or(poll.at));
    let sooner = poll.next.filter(|next| *next <= soon);
    FeedPoll {
        next: Some(sooner.unwrap_or(soon)),
        next_why: format!("{postponed} new entries are still to be stored"),
        validators: Some(Validators::default()),
        postponed: u32::try_from(postponed).unwrap_or(u32::MAX),
        ..poll
    }
}

/// When to poll a feed whose next poll was set by another schedule than its current one.
pub(super) fn replanned(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
) -> Option<Rescheduled> {
    let rhythm = feed.pace.rhythm.as_ref();
    let next = schedule::replan(&config.plan, &feed.url, &scheduled(feed), rhythm, now);
    Some(Rescheduled {
        feed: feed.id,
        at: next.at?,
        why: Some(next.why),
        schedule: Some(config.plan.identity()),
    })
}

/// When to poll a feed after nothing was polled for `away`, if that differs from when it is due.
pub(super) fn caught_up(
    feed: &FeedRow,
    config: &FeedConfig,
    now: Timestamp,
    away: Duration,
) -> Option<Rescheduled> {
    let at = schedule::catch_up(&config.plan, &feed.url, &scheduled(feed), now, away)?;
    Some(Rescheduled {
        feed: feed.id,
        at,
        why: Some("spread out, after a time without polling".to_owned()),
        schedule: None,
    })
}

fn scheduled(feed: &FeedRow) -> Scheduled {
    Scheduled {
        due: feed.next_poll,
        last_poll: feed.last_poll,
        not_before: feed.not_before,
    }
}

/// When to check the page of a new entry first; `None` if the article is too old to be checked.
pub(super) fn first_page_check(
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

/// When to check the page of an entry that has no next check because its feed had its pages turned off.
pub(super) fn back_on_clock(
    config: &FeedConfig,
    entry: &store::KnownEntry,
    observations: &[Observation],
    now: Timestamp,
) -> Option<Timestamp> {
    match (config.page.mode, entry.page.checked) {
        (PageMode::Off, _) | (PageMode::Changed, Some(_)) => None,
        (_, None) => first_page_check(config, observations, now),
        (PageMode::Always, Some(_)) => {
            let look = PageCheckEnd {
                changed: false,
                well: true,
                again: None,
                not_before: None,
            };
            next_page_check(config, entry, &look, now)
        }
    }
}

/// How the check of a page ended, as far as the next one is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageCheckEnd {
    /// The page shows a change.
    pub(super) changed: bool,
    /// It was read, or known to be unchanged.
    pub(super) well: bool,
    /// It has to be checked again after this time at the latest, to confirm what it saw.
    pub(super) again: Option<Duration>,
    /// It must not be fetched before this, because the server asked for that.
    pub(super) not_before: Option<Timestamp>,
}

impl PageCheckEnd {
    /// A check that failed, on our side or the server's, and about which nothing else is known.
    pub(super) const FAILED: Self = Self {
        changed: false,
        well: false,
        again: None,
        not_before: None,
    };
}

/// When to check a page next, after a check at `now`; `None` if its checks have ended.
pub(super) fn next_page_check(
    config: &FeedConfig,
    entry: &store::KnownEntry,
    look: &PageCheckEnd,
    now: Timestamp,
) -> Option<Timestamp> {
    let next = by_article_clock(config, entry, look, now);
    let soon = look
        .again
        .filter(|_| config.page.mode != PageMode::Off)
        .map(|again| now + again.max(SOONEST));
    let next = match (next, soon) {
        (Some(next), Some(soon)) => Some(next.min(soon)),
        (next, soon) => next.or(soon),
    };
    next.map(|next| look.not_before.map_or(next, |bound| bound.max(next)))
}

/// When to check a page for a reason other than its schedule: now, unless its server asked us to wait.
pub(super) fn page_check_now(page: &store::PageRow, now: Timestamp) -> Timestamp {
    let asked_for_patience = matches!(page.status, Some(429 | 503));
    let next = page.next.filter(|_| asked_for_patience);
    next.map_or(now, |next| next.max(now))
}

/// No page is checked again sooner than this, whatever the configuration says.
const SOONEST: Duration = Duration::from_secs(10);

fn by_article_clock(
    config: &FeedConfig,
    entry: &store::KnownEntry,
    look: &PageCheckEnd,
    now: Timestamp,
) -> Option<Timestamp> {
    if config.kind == FeedKind::Page {
        // It is checked when its feed is polled.
        return None;
    }
    let PageCheckEnd { changed, well, .. } = *look;
    match (config.page.mode, well) {
        (PageMode::Off, _) | (PageMode::Changed, true) => return None,
        // A first check that failed is tried again; otherwise there would be nothing to compare with.
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

/// When to see whether robots.txt still forbids a page, after it did at `now` and will be fetched again at `until`;
/// `None` if its checks have ended. That does not cost the host a request for the page.
pub(super) fn barred_page_check(
    config: &FeedConfig,
    entry: &store::KnownEntry,
    until: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    match config.page.mode {
        _ if config.kind == FeedKind::Page => return None,
        PageMode::Off => return None,
        PageMode::Changed if entry.page.ok.is_some() => return None,
        PageMode::Changed | PageMode::Always => {}
    }
    let anchor = anchor(
        entry.claimed.published(),
        entry.first_seen,
        entry.last_change,
    );
    config.page.recheck.interval_at(now.since(anchor))?;
    Some(until.max(now + Duration::from_secs(1)))
}

/// A number in 0–1 that differs for each row and moment, and is always the same for the same ones.
fn jitter(row: i64, now: Timestamp) -> f64 {
    let window = Duration::from_secs(1 << 20);
    let place = schedule::spread(&format!("{row} {}", now.as_millis()), window);
    place.as_secs_f64() / window.as_secs_f64()
}
