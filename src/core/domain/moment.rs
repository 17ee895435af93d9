//! Points in time as people name them on the command line: `2d`, `"2 days ago"`, `yesterday`, `2026-11-20T10:00Z`.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::cron::instant_of_local;
use super::durations::{parse_duration, shortened};
use crate::time::Timestamp;

/// Text that names no point in time; the message lists the accepted forms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a point in time; {}", ACCEPTED_FORMS)]
pub struct MomentError {
    /// What was given, shortened.
    pub text: String,
}

/// The forms that [`parse`] takes, for messages and help.
pub const ACCEPTED_FORMS: &str = "expected a time ago (2d, 36h, 1h30m, 1w, \"2 days ago\"), now, today, yesterday, \
a date (2026-11-20) or a date and time (2026-11-20T10:00, 2026-11-20T10:00Z)";

/// Reads a point in time.
///
/// A duration, also with a minus sign or `ago`, is that long before `now`. `today` and `yesterday` are the midnights
/// at which those days begin in `tz`; so is a date. A date and time without an offset is one in `tz`.
pub fn parse(text: &str, now: Timestamp, tz: Tz) -> Result<Timestamp, MomentError> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    relative(&lower, now, tz)
        .or_else(|| absolute(trimmed, tz))
        .ok_or_else(|| MomentError {
            text: shortened(text),
        })
}

fn relative(lower: &str, now: Timestamp, tz: Tz) -> Option<Timestamp> {
    let today = now.to_chrono().with_timezone(&tz).date_naive();
    match lower {
        "now" => return Some(now),
        "today" => return Some(midnight(today, tz)),
        "yesterday" => return Some(midnight(today.checked_sub_days(Days::new(1))?, tz)),
        _ => {}
    }
    let ago = lower.strip_suffix("ago").map(str::trim_end);
    let minus = lower.strip_prefix('-').map(str::trim_start);
    // `-2 days ago` would be a time to come: a slip, not a wish.
    let duration = match (ago, minus) {
        (Some(_), Some(_)) => return None,
        (Some(rest), None) | (None, Some(rest)) => rest,
        (None, None) => lower,
    };
    let bare_zero = duration == "0";
    let duration = parse_duration(duration).ok().filter(|_| !bare_zero)?;
    Some(now - duration)
}

fn absolute(text: &str, tz: Tz) -> Option<Timestamp> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return plausible(date).then(|| midnight(date, tz));
    }
    // RFC 3339 wants seconds; people leave them out.
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

/// `Z` as an offset that chrono's formats read.
fn zulu(text: &str) -> String {
    let dated = text.replacen(' ', "T", 1);
    match dated.strip_suffix(['Z', 'z']) {
        Some(rest) => format!("{rest}+0000"),
        None => dated,
    }
}

/// Years of four digits; others are slips.
fn plausible(date: NaiveDate) -> bool {
    use chrono::Datelike;
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
            // It is half past one in Paris, on the same day.
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
            // The hour that daylight saving skips: the moment after it.
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
        ] {
            let message = parse(text, now(), Tz::UTC).expect_err(text).to_string();
            for form in ["2d", "36h", "2 days ago", "yesterday", "2026-11-20T10:00Z"] {
                assert!(message.contains(form), "{message}");
            }
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
