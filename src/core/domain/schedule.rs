//! When a feed is polled next.
//!
//! The interval that the operator configured is the base. The publisher's wishes can only delay a poll, and
//! failures delay it more and more. A feed that rarely publishes is polled less often, unless the operator has set
//! an interval for it.
//! All of this is a function of values: the caller supplies the clock and the random numbers.

mod rhythm;

pub use rhythm::Rhythm;

use std::sync::Arc;
use std::time::Duration;

use chrono::{Datelike, TimeDelta, Timelike};

use super::backoff::{feed_delay, lengthened};
use super::cron::CronSchedule;
use super::durations::rough_duration;
use crate::time::Timestamp;

/// The upper limit for a lifetime that a feed names (`max-age`, `Expires`, `ttl`, `sy:updatePeriod`): a feed that
/// says "a year" would lose its changes.
pub const LONGEST_HINT: Duration = Duration::from_hours(24 * 7);

/// The gap if nothing else is known about a schedule.
const A_DAY: Duration = Duration::from_hours(24);

/// The upper limit for a `Retry-After`.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24 * 7);

/// The most that jitter, or the publisher's wishes, may delay a cron run.
const LONGEST_CRON_JITTER: Duration = Duration::from_mins(5);

/// The share of the gap between two runs by which a run may be late to respect the publisher's wishes.
const CRON_TOLERANCE: f64 = 0.1;

/// When a feed is polled.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How often.
    pub every: Every,
    /// The share (0–1) of the interval over which polls are scattered.
    pub jitter: f64,
    /// The longest interval for a feed that rarely publishes something new; `None` ignores its rhythm. Cron
    /// schedules always ignore it.
    pub slowest: Option<Duration>,
    /// The minimum time between two polls of a feed whose server sends no validators, so that each poll transfers
    /// the whole feed; `None` for no minimum.
    pub unconditional: Option<Duration>,
    /// The upper limit for a lifetime that the publisher names; never above [`LONGEST_HINT`].
    pub longest_hint: Duration,
}

/// How often a feed is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Every {
    /// This long after the last poll.
    Interval(Duration),
    /// At times of the day.
    Cron(Arc<CronSchedule>),
}

impl Plan {
    /// The usual time from `now`, the end of a poll, to the next poll: the interval, or the gap between the next
    /// two runs of a cron schedule.
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

    /// The interval for a feed with this rhythm: the configured one, or longer for a feed that rarely publishes.
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

    /// Identifies the plan: two plans are equal if this text is equal.
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

/// How a poll ended, as far as the schedule is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollEnd {
    /// The feed was read, or is unchanged.
    Ok,
    /// It could not be fetched or read; `failures` says how often in a row.
    Failed,
    /// 429 or 503: the server asks us to wait.
    Busy,
    /// 410: it is never polled again.
    Gone,
}

/// The publisher's wishes, and what is known about the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// How long the response is fresh, from `Cache-Control: max-age` or `Expires`.
    pub max_age: Option<Duration>,
    /// The feed's own value: `ttl`, or `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub ttl: Option<Duration>,
    /// `Retry-After`, counted from now.
    pub retry_after: Option<Duration>,
    /// `skipHours`: bit `n` is the hour from `n`:00 UTC.
    pub skip_hours: u32,
    /// `skipDays` in UTC: bit 0 is Monday.
    pub skip_days: u8,
    /// Whether the last response had no validators for a conditional request.
    pub unconditional: bool,
    /// How often the feed publishes something new.
    pub rhythm: Option<Rhythm>,
}

/// The next poll and the reason for its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPoll {
    /// `None`: never.
    pub at: Option<Timestamp>,
    /// The earliest time, by the publisher's wish or after failures, whatever the schedule; `None` for no limit.
    pub not_before: Option<Timestamp>,
    /// For people: `every 15m`, `publisher asks for 1h (max-age)`, `3 failures in a row` …
    pub why: String,
}

/// When to poll after a poll that ended at `now`. `failures` counts the consecutive failures, including this one;
/// `jitter` in 0–1 is the caller's random number. The result is always later than `now`.
#[must_use]
pub fn next_poll(
    plan: &Plan,
    now: Timestamp,
    result: PollEnd,
    hints: &Hints,
    failures: u32,
    jitter: f64,
) -> NextPoll {
    if result == PollEnd::Gone {
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
                    // Scattered around the interval, so that the average is right.
                    let early = lengthened(interval, plan.jitter, jitter)
                        .saturating_sub(interval.mul_f64(plan.jitter.clamp(0.0, 1.0) / 2.0));
                    let wait = early.max(bound.map_or(Duration::ZERO, |bound| bound.wait));
                    (now + wait, plan.describe_adapted(*every, interval))
                }
            }
        }
        (Every::Cron(cron), bound) => {
            let earliest = bound.as_ref().map_or(now, |bound| now + bound.wait);
            // A run exactly at the limit is late enough.
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

/// Whether a run after `now` is so close to `earliest` that it is delayed instead of skipped. A wish is counted
/// from the end of a poll: without this, `ttl` 60 under an hourly schedule would skip every second run.
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

/// The stored times of a feed's polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scheduled {
    /// When the next poll is due; `None` for never.
    pub due: Option<Timestamp>,
    /// The last poll, whatever its result; `None` before the first.
    pub last_poll: Option<Timestamp>,
    /// As in [`NextPoll`].
    pub not_before: Option<Timestamp>,
}

/// When to poll a feed after a time without polls; `None` keeps its time. An overdue feed gets a time by its
/// address within the time that the program was `away`, but at most within the feed's own interval, so catching up
/// at most doubles the steady rate. A feed that is not overdue keeps its time, unless the clock was set back since:
/// that must not silence a feed for years.
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
        // A due time before the poll that set it was moved with the clock: it is already planned.
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
    // A feed that was never polled is new, and somebody is waiting for it.
    let interval = usual.max(due.since(was.last_poll?));
    let window = away.min(interval);
    (!window.is_zero()).then(|| now + spread(address, window))
}

/// When to poll a feed whose plan has changed: by the new plan, counted from the last poll, but not before the time
/// that the publisher asked for. A feed that would be overdue is scattered as in [`catch_up`].
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
        // A run that the old plan did not have was not missed.
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

/// A time within `window` derived from the address: always the same for one address, scattered across addresses.
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

/// A minimum time to wait.
struct Bound {
    wait: Duration,
    why: String,
    /// Jitter does not lengthen it beyond this.
    longest: Duration,
}

fn lower_bound(
    plan: &Plan,
    now: Timestamp,
    result: PollEnd,
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
    let failed = matches!(result, PollEnd::Failed | PollEnd::Busy).then(|| {
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
    let fresh = result == PollEnd::Ok;
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

/// The first time from `at` on that `skipHours` and `skipDays` permit, scattered by `share` within its hour.
fn permitted(at: Timestamp, hints: &Hints, share: f64) -> Timestamp {
    const ALL_HOURS: u32 = (1 << 24) - 1;
    const ALL_DAYS: u8 = (1 << 7) - 1;
    let hours = hints.skip_hours & ALL_HOURS;
    let days = hints.skip_days & ALL_DAYS;
    // A publisher that skips everything has misread the specification.
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
