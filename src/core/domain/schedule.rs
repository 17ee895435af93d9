//! When a feed is polled next.
//!
//! What the operator asked for is the base; what the publisher asks for can only make it later; failures make it ever
//! later; a feed that seldom brings something new is asked more seldom, where the operator has named no rhythm.
//! All of it is a function of values: the caller brings the clock and the chance.

mod rhythm;

pub use rhythm::Rhythm;

use std::sync::Arc;
use std::time::Duration;

use chrono::{Datelike, TimeDelta, Timelike};

use super::backoff::{feed_delay, lengthened};
use super::cron::CronSchedule;
use super::durations::rough_duration;
use crate::time::Timestamp;

/// The longest that a lifetime which a feed names (`max-age`, `Expires`, `ttl`, `sy:updatePeriod`) is ever waited for:
/// a feed that says "a year" would lose its changes.
pub const LONGEST_HINT: Duration = Duration::from_hours(24 * 7);

/// When nothing else is known of a schedule.
const A_DAY: Duration = Duration::from_hours(24);

/// The longest that a `Retry-After` is obeyed.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24 * 7);

/// A cron job is not late by more than this through jitter, nor by waiting for what the publisher asks.
const LONGEST_CRON_JITTER: Duration = Duration::from_mins(5);

/// The share of the gap between two runs that a run may be late by to wait for what the publisher asks.
const CRON_TOLERANCE: f64 = 0.1;

/// When a feed is polled.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The rhythm.
    pub every: Every,
    /// The share (0–1) of the interval that polls are scattered over.
    pub jitter: f64,
    /// The longest interval of a feed that seldom brings something new; `None` when its rhythm does not matter. It does
    /// not for cron schedules.
    pub slowest: Option<Duration>,
    /// The least time between two polls of a feed whose server offers nothing to ask conditionally by, so that each
    /// poll costs it the whole feed; `None` for no such bound.
    pub unconditional: Option<Duration>,
    /// The longest that a lifetime named by the publisher is waited for, at most [`LONGEST_HINT`].
    pub longest_hint: Duration,
}

/// The rhythm of polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Every {
    /// So long after the last poll.
    Interval(Duration),
    /// At times of the day.
    Cron(Arc<CronSchedule>),
}

impl Plan {
    /// The usual time from `now`, when a poll is done, to the next: the interval, or the gap between the next two runs
    /// of a cron schedule.
    #[must_use]
    pub fn usual_gap(&self, now: Timestamp) -> Duration {
        match &self.every {
            Every::Interval(interval) => *interval,
            Every::Cron(cron) => cron
                .next_after(now)
                .and_then(|next| Some(cron.next_after(next)?.since(next)))
                .unwrap_or(A_DAY),
        }
    }

    /// The interval for a feed of this rhythm: what was asked for, and more for a feed that seldom brings something.
    fn adapted(&self, interval: Duration, rhythm: Option<&Rhythm>, now: Timestamp) -> Duration {
        match (self.slowest, rhythm) {
            (Some(slowest), Some(rhythm)) => rhythm.interval(now).min(slowest).max(interval),
            _ => interval,
        }
    }

    fn describe_adapted(&self, interval: Duration, adapted: Duration) -> String {
        if adapted == interval {
            return self.describe();
        }
        format!(
            "every {}: the feed rarely has something new",
            rough_duration(adapted)
        )
    }

    /// Says which plan it is: two plans are the same when they have the same text.
    #[must_use]
    pub fn identity(&self) -> String {
        let every = match &self.every {
            Every::Interval(interval) => format!("every {} ms", interval.as_millis()),
            Every::Cron(cron) => format!("cron {} {}", cron.expression(), cron.timezone().name()),
        };
        match self.slowest {
            Some(slowest) => format!("{every}, at most {} ms", slowest.as_millis()),
            None => every,
        }
    }

    /// For people: `every 15m`, or the cron schedule in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.every {
            Every::Interval(interval) => format!("every {}", rough_duration(*interval)),
            Every::Cron(cron) => cron.describe(),
        }
    }
}

/// How a poll ended, as far as the schedule cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollResult {
    /// The feed was read, or is as it was.
    Ok,
    /// It could not be fetched or read; the number of failures in a row says how often.
    Failed,
    /// 429 or 503: the server asks for patience.
    Busy,
    /// 410: never again.
    Gone,
}

/// What the publisher asks for, and what is known of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// How long the answer is fresh, from `Cache-Control: max-age` or `Expires`.
    pub max_age: Option<Duration>,
    /// The feed's own word: `ttl`, or `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub ttl: Option<Duration>,
    /// `Retry-After`, counted from now.
    pub retry_after: Option<Duration>,
    /// `skipHours`: bit `n` is the hour from `n`:00 UTC.
    pub skip_hours: u32,
    /// `skipDays` in UTC: bit 0 is Monday.
    pub skip_days: u8,
    /// Whether the last answer brought nothing to ask conditionally by.
    pub unconditional: bool,
    /// How often the feed brings something new.
    pub rhythm: Option<Rhythm>,
}

/// The next poll, and why then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPoll {
    /// `None`: never.
    pub at: Option<Timestamp>,
    /// Not before this, by the publisher's wish or after failures, whatever the rhythm; `None` for no such bound.
    pub not_before: Option<Timestamp>,
    /// For people: `every 15m`, `publisher asks for 1h (max-age)`, `3 failures in a row` …
    pub why: String,
}

/// When to poll after a poll that ended at `now`. `failures` counts the failures in a row, this one included; `jitter`
/// in 0–1 is the caller's chance. The answer is always ahead of `now`.
#[must_use]
pub fn next_poll(
    plan: &Plan,
    now: Timestamp,
    result: PollResult,
    hints: &Hints,
    failures: u32,
    jitter: f64,
) -> NextPoll {
    if result == PollResult::Gone {
        return NextPoll {
            at: None,
            not_before: None,
            why: "the feed is gone (410)".to_owned(),
        };
    }
    let bound = lower_bound(plan, now, result, hints, failures);
    let not_before = bound.as_ref().map(|bound| now + bound.wait);
    let scattered = |wait: Duration| lengthened(wait, plan.jitter, jitter);
    let (at, why) = match (&plan.every, bound) {
        (Every::Interval(every), bound) => {
            let interval = plan.adapted(*every, hints.rhythm.as_ref(), now);
            match bound {
                Some(bound) if bound.wait > interval => {
                    let at = now + scattered(bound.wait).min(bound.longest);
                    (at, bound.why)
                }
                bound => {
                    // Scattered around the interval, so that it is kept on average.
                    let early = lengthened(interval, plan.jitter, jitter)
                        .saturating_sub(interval.mul_f64(plan.jitter.clamp(0.0, 1.0) / 2.0));
                    let wait = early.max(bound.map_or(Duration::ZERO, |bound| bound.wait));
                    (now + wait, plan.describe_adapted(*every, interval))
                }
            }
        }
        (Every::Cron(cron), bound) => {
            let earliest = bound.as_ref().map_or(now, |bound| now + bound.wait);
            // A run exactly at the bound is late enough.
            let after = (earliest - Duration::from_millis(1)).max(now);
            match cron.next_after(after) {
                _ if waits_for(cron, now, earliest) => (earliest, plan.describe()),
                Some(run) => {
                    let gap = cron.next_after(run).map_or(A_DAY, |next| next.since(run));
                    let window = gap.mul_f64(plan.jitter.clamp(0.0, 1.0));
                    let late = window
                        .min(LONGEST_CRON_JITTER)
                        .mul_f64(jitter_share(jitter));
                    let waits = bound.filter(|_| cron.next_after(now) != Some(run));
                    (
                        run + late,
                        waits.map_or_else(|| plan.describe(), |bound| bound.why),
                    )
                }
                None => (now + A_DAY, plan.describe()),
            }
        }
    };
    let (at, why) = match permitted(at, hints, plan.jitter * jitter_share(jitter)) {
        moved if moved > at => (moved, format!("{why}; the feed asks to skip these hours")),
        _ => (at, why),
    };
    NextPoll {
        at: Some(at.max(now + Duration::from_millis(1))),
        not_before,
        why,
    }
}

/// Whether a run after `now` lies so little before `earliest` that it is late then, and not left out. A wish is counted
/// from the end of a poll: without this, `ttl` 60 under an hourly schedule would leave out every second run.
fn waits_for(cron: &CronSchedule, now: Timestamp, earliest: Timestamp) -> bool {
    let mut run = cron.next_after((earliest - LONGEST_CRON_JITTER).max(now));
    while let Some(at) = run.filter(|at| *at < earliest) {
        let next = cron.next_after(at);
        let gap = next.map_or(A_DAY, |next| next.since(at));
        let tolerance = gap.mul_f64(CRON_TOLERANCE).min(LONGEST_CRON_JITTER);
        if earliest.since(at) <= tolerance {
            return true;
        }
        run = next;
    }
    false
}

/// What is stored of when a feed was polled and is to be polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scheduled {
    /// When it is due; `None` for never.
    pub due: Option<Timestamp>,
    /// The last poll, however it ended; `None` before the first.
    pub last_poll: Option<Timestamp>,
    /// As in [`NextPoll`].
    pub not_before: Option<Timestamp>,
}

/// When to poll a feed after a time in which nothing polled; `None` leaves it as it is. What is overdue is scattered, by
/// its address, over the time that the program was `away`, at most over the feed's own interval: then the catching up
/// doubles the steady rate and no more. What is not overdue keeps its time, unless the clock was put back since: that
/// must not silence a feed for years.
#[must_use]
pub fn catch_up(
    plan: &Plan,
    address: &str,
    was: &Scheduled,
    now: Timestamp,
    away: Duration,
) -> Option<Timestamp> {
    let due = was.due?;
    let usual = plan.usual_gap(now);
    if let Some(last) = was.last_poll.filter(|last| *last > now) {
        // What lies before the poll that planned it was moved with the clock: it is planned already.
        if due < last {
            return None;
        }
        let latest = now + due.since(last).min(usual.max(LONGEST_RETRY_AFTER));
        return (due > latest).then_some(latest);
    }
    let latest = now + usual.max(LONGEST_RETRY_AFTER).saturating_mul(2);
    if due > now {
        return (due > latest).then_some(latest);
    }
    // What was never polled is new, and somebody waits for it.
    let interval = usual.max(due.since(was.last_poll?));
    let window = away.min(interval);
    (!window.is_zero()).then(|| now + spread(address, window))
}

/// When to poll a feed whose plan is another one than the one that it was scheduled by: by the new plan from the last
/// poll on, and not before the publisher's wish. What would be overdue is scattered as in [`catch_up`].
#[must_use]
pub fn replan(
    plan: &Plan,
    address: &str,
    was: &Scheduled,
    rhythm: Option<&Rhythm>,
    now: Timestamp,
) -> NextPoll {
    let last = was.last_poll.map_or(now, |last| last.min(now));
    let (at, why) = match &plan.every {
        Every::Interval(every) => {
            let interval = plan.adapted(*every, rhythm, now);
            let at = was.last_poll.map_or(now, |_| last + interval);
            (at, plan.describe_adapted(*every, interval))
        }
        // A run that the plan before did not have is not missed.
        Every::Cron(cron) => (cron.next_after(now).unwrap_or(now + A_DAY), plan.describe()),
    };
    let at = was.not_before.map_or(at, |bound| bound.max(at));
    let at = match at > now || was.last_poll.is_none() {
        true => at,
        false => now + spread(address, now.since(at).min(plan.usual_gap(now))),
    };
    NextPoll {
        at: Some(at),
        not_before: was.not_before,
        why,
    }
}

/// A moment within `window` that belongs to the address: the same each time, scattered over addresses.
#[must_use]
pub fn spread(address: &str, window: Duration) -> Duration {
    // FNV-1a, then a finaliser (splitmix64): short texts that differ at their end are far apart.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in address.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    // 53 bits are what a float holds exactly.
    let share = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    window.mul_f64(share)
}

/// The least time to wait.
struct Bound {
    wait: Duration,
    why: String,
    /// Jitter does not lengthen it beyond this.
    longest: Duration,
}

fn lower_bound(
    plan: &Plan,
    now: Timestamp,
    result: PollResult,
    hints: &Hints,
    failures: u32,
) -> Option<Bound> {
    let hint = |wait: Option<Duration>, name: &str| {
        let longest = plan.longest_hint.min(LONGEST_HINT);
        let wait = wait?.min(longest);
        Some(Bound {
            wait,
            why: format!("publisher asks for {} ({name})", rough_duration(wait)),
            longest,
        })
    };
    let retry_after = hints.retry_after.map(|wait| {
        let wait = wait.min(LONGEST_RETRY_AFTER);
        Bound {
            wait,
            why: format!("server asks for {} (Retry-After)", rough_duration(wait)),
            longest: LONGEST_RETRY_AFTER,
        }
    });
    let failed = matches!(result, PollResult::Failed | PollResult::Busy).then(|| {
        let usual = plan.usual_gap(now);
        let wait = feed_delay(failures.max(1), usual);
        Bound {
            wait,
            why: match failures {
                0 | 1 => "failed once".to_owned(),
                _ => format!("{failures} failures in a row"),
            },
            longest: wait.saturating_mul(2),
        }
    });
    // A failure says nothing about how fresh the feed is: `max-age` of an error page does not count.
    let fresh = result == PollResult::Ok;
    let max_age = fresh.then(|| hint(hints.max_age, "max-age")).flatten();
    let ttl = fresh.then(|| hint(hints.ttl, "ttl")).flatten();
    let whole = plan.unconditional.filter(|_| fresh && hints.unconditional);
    let whole = whole.map(|wait| Bound {
        wait,
        why: format!(
            "every {}: the server sends no ETag or Last-Modified",
            rough_duration(wait)
        ),
        longest: wait.saturating_mul(2),
    });
    [retry_after, failed, max_age, ttl, whole]
        .into_iter()
        .flatten()
        .reduce(|one, other| if other.wait > one.wait { other } else { one })
}

/// The first moment from `at` on that `skipHours` and `skipDays` permit, scattered by `share` within its hour.
fn permitted(at: Timestamp, hints: &Hints, share: f64) -> Timestamp {
    const ALL_HOURS: u32 = (1 << 24) - 1;
    const ALL_DAYS: u8 = (1 << 7) - 1;
    let hours = hints.skip_hours & ALL_HOURS;
    let days = hints.skip_days & ALL_DAYS;
    // Who skips everything has misread the specification.
    let hours = if hours == ALL_HOURS { 0 } else { hours };
    let days = if days == ALL_DAYS { 0 } else { days };
    if hours == 0 && days == 0 {
        return at;
    }
    let skipped = |moment: chrono::DateTime<chrono::Utc>| {
        hours >> moment.hour() & 1 == 1 || days >> moment.weekday().num_days_from_monday() & 1 == 1
    };
    let start = at.to_chrono();
    if !skipped(start) {
        return at;
    }
    let past_hour = TimeDelta::seconds(i64::from(start.minute() * 60 + start.second()));
    let hour = start - past_hour - TimeDelta::milliseconds(start.timestamp_subsec_millis().into());
    let next = (1..=24 * 7).find_map(|hours| {
        let moment = hour.checked_add_signed(TimeDelta::hours(hours))?;
        (!skipped(moment)).then_some(moment)
    });
    next.map_or(at, |moment| {
        Timestamp::from(moment) + Duration::from_hours(1).mul_f64(share.clamp(0.0, 0.99))
    })
}

fn jitter_share(jitter: f64) -> f64 {
    if jitter.is_finite() {
        jitter.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
