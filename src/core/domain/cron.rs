//! Cron expressions with a time zone: the adapter around the crate `cron`.
//!
//! The crate counts weekdays from Sunday as 1, joins day of month and day of week by "and", requires seconds, and
//! returns past times around daylight saving changes. So the five fields are parsed here. The crate only computes
//! which local times match, in UTC, where every local time exists once. Which instants those are is decided here:
//!
//! - a job at fixed times (no `*` in minute and hour) that falls into a skipped hour runs right after it, and in a
//!   repeated hour runs once, the first time;
//! - a job with a `*` there is an interval: it skips a skipped hour and runs in both halves of a repeated one.

mod describe;
mod fields;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::time::Timestamp;
use fields::Fields;

/// An expression that is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The number of fields is not five.
    #[error(
        "a schedule has five fields (minute hour day-of-month month day-of-week), this one has {0}; \
         expected one such as \"*/15 6-23 * * 1-5\", or @hourly, @daily, @weekly, @monthly"
    )]
    FieldCount(usize),
    /// An unknown `@…`.
    #[error("{0:?} is not a schedule; expected @hourly, @daily, @weekly, @monthly or @yearly")]
    Nickname(String),
    /// A field that cannot be read.
    #[error("{field}: {problem}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// No such day exists.
    #[error("the schedule {0:?} never runs: no month has such a day")]
    Never(String),
}

/// When something runs: a cron expression of five fields in a time zone.
#[derive(Clone)]
pub struct CronSchedule {
    expression: Box<str>,
    tz: Tz,
    fixed_times: bool,
    description: Box<str>,
    /// One schedule, or two that are joined by "or": by day of month and by day of week.
    alternatives: Vec<cron::Schedule>,
}

impl CronSchedule {
    /// Parses five fields (`minute hour day-of-month month day-of-week`; lists, ranges, steps, names; 1 is Monday,
    /// 0 and 7 are Sunday) or a nickname (`@hourly`, `@daily` …). As with Vixie's cron, a schedule that restricts
    /// both kinds of day runs when either matches. A schedule that never comes due is an error.
    pub fn parse(expression: &str, tz: Tz) -> Result<Self, CronError> {
        let fields = Fields::parse(expression)?;
        let alternatives = fields
            .alternatives()
            .iter()
            .map(|text| {
                cron::Schedule::from_str(text).map_err(|_| CronError::Field {
                    field: "schedule",
                    problem: format!("{expression:?} cannot be read"),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let schedule = Self {
            expression: expression.trim().into(),
            tz,
            fixed_times: fields.has_fixed_times(),
            description: describe::describe(&fields).into(),
            alternatives,
        };
        // 2000 was a leap year, and a schedule that is not due within a century never is.
        let start = Timestamp::from_unix(951_000_000);
        if schedule.next_after(start).is_none() {
            return Err(CronError::Never(schedule.expression.into()));
        }
        Ok(schedule)
    }

    /// The first time after `after` at which it is due. `None` only beyond the year 2099.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let local = after.to_chrono().with_timezone(&self.tz).naive_local();
        // If the clock is about to go back, local times before this one will occur again.
        let start = local.checked_sub_signed(self.coming_repetition(after))?;
        self.alternatives
            .iter()
            .filter_map(|schedule| self.first_of(schedule, start, after))
            .min()
    }

    /// The expression, as given.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The time zone of its fields.
    #[must_use]
    pub fn timezone(&self) -> Tz {
        self.tz
    }

    /// For people: `every 15 minutes from 06:00 to 23:59, Monday to Friday`, with the time zone if it is not UTC.
    #[must_use]
    pub fn describe(&self) -> String {
        if self.tz == Tz::UTC {
            self.description.to_string()
        } else {
            format!("{} ({})", self.description, self.tz.name())
        }
    }

    /// How much local time will occur twice within a day after `at`; nearly always zero.
    fn coming_repetition(&self, at: Timestamp) -> TimeDelta {
        let offset = |at: DateTime<Utc>| {
            let offset = self.tz.offset_from_utc_datetime(&at.naive_utc());
            TimeDelta::seconds(offset.fix().local_minus_utc().into())
        };
        let now = at.to_chrono();
        let tomorrow = now.checked_add_signed(TimeDelta::hours(25)).unwrap_or(now);
        (offset(now) - offset(tomorrow)).max(TimeDelta::zero())
    }

    fn first_of(
        &self,
        schedule: &cron::Schedule,
        start: NaiveDateTime,
        after: Timestamp,
    ) -> Option<Timestamp> {
        // The second instant of a repeated local time. An earlier local time may have its second instant before the
        // first instant of a later one.
        let mut repeated: Option<Timestamp> = None;
        // Local times before `start` need no second pass. So each one that is skipped is in a repeated or skipped
        // stretch, and the loop ends.
        for local in schedule.after(&Utc.from_utc_datetime(&start)) {
            let local = local.naive_utc();
            let instants = self.tz.from_local_datetime(&local);
            let first = match instants {
                chrono::LocalResult::Single(at) => Some(at),
                chrono::LocalResult::Ambiguous(first, second) => {
                    let second = Timestamp::from(second);
                    if !self.fixed_times && second > after && repeated.is_none() {
                        repeated = Some(second);
                    }
                    Some(first)
                }
                chrono::LocalResult::None if self.fixed_times => end_of_gap(local, self.tz),
                chrono::LocalResult::None => None,
            };
            if let Some(first) = first.map(Timestamp::from).filter(|first| *first > after) {
                return Some(repeated.map_or(first, |second| second.min(first)));
            }
        }
        repeated
    }
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronSchedule({:?}, {})", self.expression, self.tz)
    }
}

impl PartialEq for CronSchedule {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.tz == other.tz
    }
}

impl Eq for CronSchedule {}

/// The instant of a local time: the first if there are two, and the end of the gap if there is none.
pub(super) fn instant_of_local(local: NaiveDateTime, tz: Tz) -> Timestamp {
    tz.from_local_datetime(&local)
        .earliest()
        .or_else(|| end_of_gap(local, tz))
        .map_or_else(|| Timestamp::from(local.and_utc()), Timestamp::from)
}

/// The first instant after the gap in local time that `local` lies in.
fn end_of_gap(local: NaiveDateTime, tz: Tz) -> Option<DateTime<Tz>> {
    // Places that changed sides of the date line skipped a whole day; no gap is longer.
    let at = |minutes: i64| {
        let shifted = local.checked_add_signed(TimeDelta::minutes(minutes))?;
        tz.from_local_datetime(&shifted).earliest()
    };
    let (mut inside, mut outside) = (0_i64, 26 * 60);
    at(outside)?;
    while outside - inside > 1 {
        let middle = i64::midpoint(inside, outside);
        if at(middle).is_some() {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    // Schedules are in whole minutes, and so are the ends of gaps, at least in this century. If a gap ended within
    // a minute, the result is the next full minute.
    let end = at(outside)?;
    Some(end)
}

#[cfg(test)]
mod tests;
