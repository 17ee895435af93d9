//! Points in time as people name them on the command line: `2d`, `"2 days ago"`, `yesterday`, `2026-11-20T10:00Z`.

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;

use super::cron::instant_of_local;
use super::durations::{parse_duration, shortened};
use crate::time::Timestamp;

/// Text that is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// None of the accepted forms, which the message lists. The text is shortened.
    #[error("{0:?} is not a point in time; {ACCEPTED_FORMS}")]
    Unknown(String),
    /// `m` alone: to some it means minutes, to others months.
    #[error("\"{0}m\" could mean minutes or months; write {0}min or {0}mo")]
    Ambiguous(u32),
}

/// The forms that [`parse`] accepts, for messages and help.
pub const ACCEPTED_FORMS: &str = "expected a time ago (2d, 36h, 1h30m, 1w, 1month, \"2 days ago\"), now, today, yesterday, \
monday, last week, a date (2026-11-20) or a date and time (2026-11-20T10:00, 2026-11-20T10:00Z)";

/// Parses a point in time.
///
/// A duration, also with a minus sign or `ago`, is that long before `now`. Months are calendar months, and `last
/// week` is a week before `now`. `today`, `yesterday`, a day of the week such as `monday` (the last one) and a
/// date are midnight at the beginning of that day in `tz`. A date and time without an offset is in `tz`.
pub fn parse(text: &str, now: Timestamp, tz: Tz) -> Result<Timestamp, MomentError> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    if let Some(number) = lower.strip_suffix('m').and_then(|n| n.parse().ok()) {
        return Err(MomentError::Ambiguous(number));
    }
    relative(&lower, now, tz)
        .or_else(|| absolute(trimmed, tz))
        .ok_or_else(|| MomentError::Unknown(shortened(text)))
}

fn relative(lower: &str, now: Timestamp, tz: Tz) -> Option<Timestamp> {
    let today = now.to_chrono().with_timezone(&tz).date_naive();
    match lower {
        "now" => return Some(now),
        "today" => return Some(midnight(today, tz)),
        "yesterday" => return Some(midnight(today.checked_sub_days(Days::new(1))?, tz)),
        _ => {}
    }
    if let Some(date) = day_of_name(lower, today) {
        return Some(midnight(date, tz));
    }
    let ago = lower.strip_suffix("ago").map(str::trim_end);
    let minus = lower.strip_prefix('-').map(str::trim_start);
    // `-2 days ago` would be in the future, which is surely a mistake.
    let duration = match (ago, minus) {
        (Some(_), Some(_)) => return None,
        (Some(rest), None) | (None, Some(rest)) => rest,
        (None, None) => match lower.strip_prefix("last ").map(str::trim_start) {
            Some("week") => "1 week",
            Some("month") => "1 month",
            Some("year") => "1 year",
            Some(_) => return None,
            None => lower,
        },
    };
    if let Some(months) = months(duration) {
        let local = now.to_chrono().with_timezone(&tz).naive_local();
        return Some(instant_of_local(local.checked_sub_months(months)?, tz));
    }
    let bare_zero = duration == "0";
    let duration = parse_duration(duration).ok().filter(|_| !bare_zero)?;
    Some(now - duration)
}

/// `monday`: the last one, possibly today; `last monday`: the last one before today.
fn day_of_name(lower: &str, today: NaiveDate) -> Option<NaiveDate> {
    let (name, before_today) = match lower.strip_prefix("last ") {
        Some(rest) => (rest.trim_start(), 1),
        None => (lower, 0),
    };
    // Other abbreviations of a name are more likely typos.
    let is_name = name.ends_with("day") || name.len() == 3;
    let day: Weekday = name.parse().ok().filter(|_| is_name)?;
    let since = today.weekday().days_since(day);
    let since = if since < before_today { 7 } else { since };
    today.checked_sub_days(Days::new(since.into()))
}

/// `1month`, `2 months`, `3mo`.
fn months(text: &str) -> Option<Months> {
    let number = ["months", "month", "mo"]
        .into_iter()
        .find_map(|unit| text.strip_suffix(unit))?;
    number
        .trim_end()
        .parse()
        .ok()
        .filter(|count| *count > 0)
        .map(Months::new)
}

fn absolute(text: &str, tz: Tz) -> Option<Timestamp> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return plausible(date).then(|| midnight(date, tz));
    }
    // RFC 3339 requires seconds, but people omit them.
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"] {
        for text in [text.replacen(' ', "T", 1), zulu(text)] {
            if let Ok(at) = chrono::DateTime::parse_from_str(&text, format) {
                return plausible(at.date_naive()).then(|| Timestamp::from(at));
            }
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(&text.replacen(' ', "T", 1), format) {
            return plausible(at.date()).then(|| instant_of_local(at, tz));
        }
    }
    None
}

/// `Z` as an offset that chrono's formats can parse.
fn zulu(text: &str) -> String {
    let dated = text.replacen(' ', "T", 1);
    match dated.strip_suffix(['Z', 'z']) {
        Some(rest) => format!("{rest}+0000"),
        None => dated,
    }
}

/// Whether the year has four digits; other years are typos.
fn plausible(date: NaiveDate) -> bool {
    (1000..=9999).contains(&date.year())
}

fn midnight(date: NaiveDate, tz: Tz) -> Timestamp {
    instant_of_local(date.and_time(NaiveTime::MIN), tz)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-23T00:30:00Z").unwrap()
    }

    #[test]
    fn every_form_is_read() {
        let paris = chrono_tz::Europe::Paris;
        for (text, expected) in [
            ("2d", "2026-11-21T00:30:00Z"),
            ("-2d", "2026-11-21T00:30:00Z"),
            ("36h", "2026-11-21T12:30:00Z"),
            ("1h30m", "2026-11-22T23:00:00Z"),
            ("1w", "2026-11-16T00:30:00Z"),
            ("2 days ago", "2026-11-21T00:30:00Z"),
            ("2d ago", "2026-11-21T00:30:00Z"),
            ("1 hour ago", "2026-11-22T23:30:00Z"),
            ("now", "2026-11-23T00:30:00Z"),
            ("1month", "2026-10-22T23:30:00Z"),
            ("2 months ago", "2026-09-22T23:30:00Z"),
            ("9mo", "2026-02-23T00:30:00Z"),
            ("last week", "2026-11-16T00:30:00Z"),
            ("last month", "2026-10-22T23:30:00Z"),
            ("30min", "2026-11-23T00:00:00Z"),
            // The current day is a Monday.
            ("Monday", "2026-11-22T23:00:00Z"),
            ("last monday", "2026-11-15T23:00:00Z"),
            ("sunday", "2026-11-21T23:00:00Z"),
            ("tue", "2026-11-16T23:00:00Z"),
            // It is 01:30 in Paris, on the same day.
            ("today", "2026-11-22T23:00:00Z"),
            ("Yesterday", "2026-11-21T23:00:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20T10:00Z", "2026-11-20T10:00:00Z"),
            ("2026-11-20T10:00:05.5Z", "2026-11-20T10:00:05.500Z"),
            ("2026-11-20T10:00+02:00", "2026-11-20T08:00:00Z"),
            ("2026-11-20T10:00:00+0200", "2026-11-20T08:00:00Z"),
            ("2026-11-20T10:00", "2026-11-20T09:00:00Z"),
            ("2026-11-20 10:00", "2026-11-20T09:00:00Z"),
            ("2026-11-20 10:00:30", "2026-11-20T09:00:30Z"),
            // The hour that DST skips means the moment after it.
            ("2026-03-29T02:30", "2026-03-29T01:00:00Z"),
        ] {
            let at = parse(text, now(), paris).map(|at| at.to_string());
            assert_eq!(at.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_accepted_forms() {
        for text in [
            "",
            "nonsense",
            "lastweek",
            "2",
            "0",
            "20.11.2026",
            "2026-13-01",
            "2026-02-30",
            "26-11-20",
            "2026-11-20T25:00Z",
            "-2d ago",
            "ago",
            "tomorrow",
            "last",
            "last day",
            "next monday",
            "0mo",
            "-monday",
        ] {
            let message = parse(text, now(), Tz::UTC).expect_err(text).to_string();
            for form in ["2d", "36h", "2 days ago", "yesterday", "2026-11-20T10:00Z"] {
                assert!(message.contains(form), "{message}");
            }
        }
    }

    #[test]
    fn minutes_and_months_are_not_mistaken_for_each_other() {
        for text in ["1m", "30M"] {
            let message = parse(text, now(), Tz::UTC).expect_err(text).to_string();
            assert!(
                message.contains("min or ") && message.contains("mo"),
                "{message}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            let _ = parse(&text, now(), Tz::UTC);
        }

        #[test]
        fn rfc3339_is_read_back(ms in 0_i64..4_000_000_000_000) {
            let at = Timestamp::from_millis(ms);
            prop_assert_eq!(parse(&at.to_string(), now(), Tz::UTC), Ok(at));
        }
    }
}
