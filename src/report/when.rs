//! Times and durations for people, in the configured time zone.
//!
//! Machine formats use RFC 3339 in UTC and bypass this module.

use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use super::style::Paint;
use crate::domain::event::Window;
use crate::time::Timestamp;

/// How text is shown to a reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeView {
    /// Colour and width.
    pub paint: Paint,
    /// The time zone for times.
    pub zone: Tz,
    /// The time that `today` and `4 min ago` are relative to.
    pub now: Timestamp,
}

impl TimeView {
    /// `today 10:04`, `yesterday 22:10`, `2026-11-20 10:04`.
    #[must_use]
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        let local = self.local(at);
        format!("{} {}", self.day(local.date_naive()), local.format("%H:%M"))
    }

    /// `2026-11-23 10:04`.
    #[must_use]
    pub(crate) fn exact(&self, at: Timestamp) -> String {
        self.local(at).format("%Y-%m-%d %H:%M").to_string()
    }

    /// `10:04` if it is on the same day as `other`, else with the day.
    #[must_use]
    pub(crate) fn beside(&self, at: Timestamp, other: Timestamp) -> String {
        let (local, other) = (self.local(at), self.local(other));
        if local.date_naive() == other.date_naive() {
            local.format("%H:%M").to_string()
        } else {
            self.moment(at)
        }
    }

    /// `:07`: the seconds, to append to one of the others.
    #[must_use]
    pub(crate) fn seconds(&self, at: Timestamp) -> String {
        self.local(at).format(":%S").to_string()
    }

    /// `today 09:32–10:04`, `yesterday 23:50 – today 00:20`: the two checks between which it happened.
    #[must_use]
    pub(crate) fn window(&self, window: Window) -> String {
        self.span(window, Self::moment)
    }

    /// The same with numeric dates, for lists that are kept: `2026-11-23 09:32–10:04`.
    #[must_use]
    pub(crate) fn exact_window(&self, window: Window) -> String {
        self.span(window, Self::exact)
    }

    fn span(&self, window: Window, moment: impl Fn(&Self, Timestamp) -> String) -> String {
        let (from, to) = (window.last_unchanged, window.first_changed);
        let (start, end) = (self.local(from), self.local(to));
        if start.date_naive() != end.date_naive() {
            return format!("{} – {}", moment(self, from), moment(self, to));
        }
        if start.format("%H:%M").to_string() == end.format("%H:%M").to_string() {
            return moment(self, to);
        }
        format!("{}–{}", moment(self, from), end.format("%H:%M"))
    }

    /// `4 min ago`, `in 11 min`, `now`.
    #[must_use]
    pub(crate) fn relative(&self, at: Timestamp) -> String {
        let (ahead, past) = (at.since(self.now), self.now.since(at));
        if ahead >= Duration::from_secs(1) {
            format!("in {}", duration(ahead))
        } else if past >= Duration::from_secs(1) {
            format!("{} ago", duration(past))
        } else {
            "now".to_owned()
        }
    }

    /// `2 changes · times in Europe/Paris`: the line below a list, with the time zone of the list.
    #[must_use]
    pub(crate) fn footer(&self, text: &str) -> String {
        format!("{text} · times in {}", self.zone.name())
    }

    /// The UTC offset at a time, such as `+01:00`.
    #[must_use]
    pub(crate) fn offset(&self, at: Timestamp) -> String {
        self.local(at).format("%:z").to_string()
    }

    fn local(&self, at: Timestamp) -> DateTime<Tz> {
        at.to_chrono().with_timezone(&self.zone)
    }

    fn day(&self, day: NaiveDate) -> String {
        let today = self.local(self.now).date_naive();
        if day == today {
            "today".to_owned()
        } else if Some(day) == today.pred_opt() {
            "yesterday".to_owned()
        } else {
            day.format("%Y-%m-%d").to_string()
        }
    }
}

/// `45 s`, `64 min`, `7 h`, `3 d`: one unit, rounded down, coarse enough to read at a glance.
#[must_use]
pub(crate) fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        172_800.. => format!("{} d", seconds / 86400),
    }
}

/// `212 ms`, `1.4 s`: how long work took.
#[must_use]
pub(crate) fn took(ms: u64) -> String {
    if ms < 1000 {
        format!("{ms} ms")
    } else {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    }
}

/// `41 MB`: sizes in powers of 1000, as on disk labels and in `df -H`.
#[must_use]
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = bytes;
    let mut rest = 0;
    let mut unit = "B";
    for larger in units {
        if value < 1000 {
            break;
        }
        rest = value % 1000 / 100;
        value /= 1000;
        unit = larger;
    }
    if value < 10 && unit != "B" {
        format!("{value}.{rest} {unit}")
    } else {
        format!("{value} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::at;

    fn view(zone: Tz) -> TimeView {
        TimeView {
            paint: Paint::default(),
            zone,
            now: at("2026-11-23T12:00:00Z"),
        }
    }

    fn window(from: &str, to: &str) -> Window {
        Window {
            last_unchanged: at(from),
            first_changed: at(to),
            checks: 1,
            failed_checks: 0,
        }
    }

    #[test]
    fn days_are_those_of_the_reader() {
        let late = at("2026-11-22T23:30:00Z");
        assert_eq!(view(Tz::UTC).moment(late), "yesterday 23:30");
        assert_eq!(view(Tz::Europe__Paris).moment(late), "today 00:30");
        assert_eq!(
            view(Tz::UTC).moment(at("2026-11-20T10:04:00Z")),
            "2026-11-20 10:04"
        );
        assert_eq!(view(Tz::Europe__Paris).offset(late), "+01:00");
    }

    #[test]
    fn windows_are_as_short_as_they_can_be() {
        let view = view(Tz::UTC);
        for (from, to, expected) in [
            (
                "2026-11-23T09:32:00Z",
                "2026-11-23T10:04:00Z",
                "today 09:32–10:04",
            ),
            (
                "2026-11-22T23:50:00Z",
                "2026-11-23T00:20:00Z",
                "yesterday 23:50 – today 00:20",
            ),
            (
                "2026-11-23T10:04:01Z",
                "2026-11-23T10:04:31Z",
                "today 10:04",
            ),
            (
                "2026-11-20T09:32:00Z",
                "2026-11-20T10:04:00Z",
                "2026-11-20 09:32–10:04",
            ),
        ] {
            assert_eq!(view.window(window(from, to)), expected);
        }
        assert_eq!(
            view.exact_window(window("2026-11-23T09:32:00Z", "2026-11-23T10:04:00Z")),
            "2026-11-23 09:32–10:04"
        );
    }

    #[test]
    fn spans_have_one_unit() {
        for (seconds, expected) in [
            (0, "0 s"),
            (89, "89 s"),
            (64 * 60, "64 min"),
            (7 * 3600, "7 h"),
            (3 * 86400, "3 d"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), expected);
        }
        let view = view(Tz::UTC);
        assert_eq!(view.relative(at("2026-11-23T11:56:00Z")), "4 min ago");
        assert_eq!(view.relative(at("2026-11-23T12:11:00Z")), "in 11 min");
        assert_eq!(view.relative(view.now), "now");
    }

    #[test]
    fn sizes_and_times_of_work() {
        for (value, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1500, "1.5 kB"),
            (41_300_000, "41 MB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(bytes(value), expected);
        }
        assert_eq!(took(212), "212 ms");
        assert_eq!(took(1499), "1.4 s");
    }
}
