//! When an event is held back to be sent with others in a digest: pure.
//!
//! Times of the day are those of [`CronSchedule`], so a change of daylight saving time neither skips nor repeats a
//! digest.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::classify::Label;
use super::cron::CronSchedule;
use super::durations::{format_duration, parse_duration};
use super::event::{Event, EventKind};
use super::route::matches;
use crate::time::Timestamp;

/// The shortest interval between two digests.
const SHORTEST: Duration = Duration::from_mins(1);

/// The longest interval; for longer ones, use a day of the week.
const LONGEST: Duration = Duration::from_hours(24);

/// How the events of a target are held back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// When digests are sent; `None` sends each event on its own.
    pub digest: Option<DigestPlan>,
    /// What is nevertheless sent immediately.
    pub urgent: Vec<Urgent>,
    /// When nothing is sent.
    pub quiet: Option<QuietHours>,
    /// The most messages in an hour; `None` for no limit.
    pub most: Option<u32>,
    /// Whether a digest is sent if nothing has happened.
    pub send_empty: bool,
}

/// What happens to an event when it is its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnDecision {
    /// It is sent.
    Send,
    /// It becomes part of a digest, which is due at this time.
    Gather(Timestamp),
    /// It is sent on its own, not before this time.
    Wait(Timestamp),
}

impl Holding {
    /// Whether nothing is ever held back.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.digest.is_none() && self.quiet.is_none() && self.most.is_none()
    }

    /// What happens to an event now. An event that goes `alone` is never gathered: either it has been sent before
    /// and keeps its id and its place, or its digest was refused. `full_until` is when the target may get its next
    /// message, if it has reached its hourly limit.
    #[must_use]
    pub fn turn(
        &self,
        event: &Event,
        now: Timestamp,
        alone: bool,
        full_until: Option<Timestamp>,
    ) -> TurnDecision {
        let urgent = self.urgent.iter().any(|urgent| urgent.is(event));
        let quiet = || self.quiet_until(now).filter(|_| !urgent);
        let full = full_until.filter(|until| *until > now);
        if alone || event.kind == EventKind::DigestReady {
            return full
                .max(quiet())
                .map_or(TurnDecision::Send, TurnDecision::Wait);
        }
        let due = match &self.digest {
            Some(plan) if !urgent => Some(plan.due(now)),
            _ => full.or_else(quiet),
        };
        due.map_or(TurnDecision::Send, |due| {
            TurnDecision::Gather(self.not_quiet(due))
        })
    }

    /// Until when a due digest is delayed.
    #[must_use]
    pub fn digest_waits(&self, now: Timestamp, full_until: Option<Timestamp>) -> Option<Timestamp> {
        let full = full_until.filter(|until| *until > now);
        (full.max(self.quiet_until(now))).map(|until| self.not_quiet(until))
    }

    /// The latest time for a digest of what has been gathered so far, whatever the configuration was when it was
    /// gathered.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        self.not_quiet(self.digest.as_ref().map_or(now, |plan| plan.due(now)))
    }

    /// When the next digest is due if a digest is sent even if nothing has happened.
    #[must_use]
    pub fn empty_due(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.digest.as_ref().filter(|_| self.send_empty)?.due(now);
        Some(self.not_quiet(due))
    }

    fn not_quiet(&self, at: Timestamp) -> Timestamp {
        self.quiet_until(at).unwrap_or(at)
    }

    fn quiet_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.quiet.as_ref()?.until(at)
    }
}

/// When digests are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestPlan {
    /// This long after the first event.
    After(Duration),
    /// At a time of day on certain days.
    At {
        /// As written in the configuration.
        text: String,
        /// The times.
        times: Arc<CronSchedule>,
    },
}

impl DigestPlan {
    /// Parses `15m`, `daily 07:00`, `mon 07:00`, `mon-fri 18:30`; the error says what was expected.
    pub fn parse(text: &str, tz: Tz) -> Result<Self, String> {
        let expected = || {
            "expected an interval such as \"15m\", or \"daily 07:00\" or \"mon 07:00\"".to_owned()
        };
        if let Some((days, time)) = text.trim().split_once(char::is_whitespace) {
            let (hour, minute) = time_of_day(time.trim()).ok_or_else(expected)?;
            let days = if days == "daily" { "*" } else { days };
            let expression = format!("{minute} {hour} * * {days}");
            let times = CronSchedule::parse(&expression, tz).map_err(|_| expected())?;
            return Ok(Self::At {
                text: text.trim().to_owned(),
                times: Arc::new(times),
            });
        }
        let interval = parse_duration(text).map_err(|_| expected())?;
        if !(SHORTEST..=LONGEST).contains(&interval) {
            let (least, most) = (format_duration(SHORTEST), format_duration(LONGEST));
            return Err(format!("expected an interval from {least:?} to {most:?}"));
        }
        Ok(Self::After(interval))
    }

    /// When a digest is due if its first event is noticed now; always later than `now`.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::After(interval) => now + *interval,
            Self::At { times, .. } => times.next_after(now).unwrap_or(now + LONGEST),
        }
    }

    /// As written in the configuration.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::After(interval) => format_duration(*interval),
            Self::At { text, .. } => text.clone(),
        }
    }
}

/// A part of each day in which nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    text: String,
    over_midnight: bool,
    start: Arc<CronSchedule>,
    end: Arc<CronSchedule>,
}

impl QuietHours {
    /// Parses `22:00-07:00`; the error says what was expected.
    pub fn parse(text: &str, tz: Tz) -> Result<Self, String> {
        let expected = || "expected two different times such as \"22:00-07:00\"".to_owned();
        let (start, end) = text.split_once('-').ok_or_else(expected)?;
        let start = time_of_day(start.trim()).ok_or_else(expected)?;
        let end = time_of_day(end.trim()).ok_or_else(expected)?;
        let daily = |(hour, minute): (u32, u32)| {
            let schedule = CronSchedule::parse(&format!("{minute} {hour} * * *"), tz);
            schedule.map(Arc::new).map_err(|_| expected())
        };
        if start == end {
            return Err(expected());
        }
        Ok(Self {
            text: text.trim().to_owned(),
            over_midnight: start > end,
            start: daily(start)?,
            end: daily(end)?,
        })
    }

    /// When the quiet hours end, if `at` is within them. This does not use the local time, which goes back once a
    /// year: they are in effect if their next end comes before their next start.
    #[must_use]
    pub fn until(&self, at: Timestamp) -> Option<Timestamp> {
        let (start, end) = (self.start.next_after(at)?, self.end.next_after(at)?);
        // Both fall into the same skipped hour: the quiet hours are a few minutes of it, or all the rest of the
        // day.
        let inside = end < start || (end == start && self.over_midnight);
        inside.then_some(end)
    }

    /// As written in the configuration.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// `07:00` as hour and minute.
fn time_of_day(text: &str) -> Option<(u32, u32)> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: u32| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number < most)
    };
    (minute.len() == 2).then_some(())?;
    Some((number(hour, 24)?, number(minute, 60)?))
}

/// What does not wait for a digest or for the end of quiet hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Urgent {
    /// Events of this name or pattern.
    Event(String),
    /// Changes with this label.
    Label(Label),
    /// Changes with at least this score.
    Score(u8),
}

impl Urgent {
    /// Whether the event is of this kind.
    #[must_use]
    pub fn is(&self, event: &Event) -> bool {
        let change = event.data.change.as_ref();
        match self {
            Self::Event(pattern) => matches(pattern, event.kind),
            Self::Label(label) => change.is_some_and(|change| change.labels.contains(label)),
            Self::Score(least) => change.is_some_and(|change| change.score >= *least),
        }
    }

    /// As written in the configuration.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Event(pattern) => pattern.clone(),
            Self::Label(label) => label.name(),
            Self::Score(least) => format!("score>={least}"),
        }
    }
}

#[cfg(test)]
mod tests;
