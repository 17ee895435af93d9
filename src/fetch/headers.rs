//! Reads single response headers. Pure.

use std::time::Duration;

use chrono::NaiveDateTime;
use reqwest::header::HeaderMap;

use crate::time::Timestamp;

/// The longest time for which a server may ask us to wait; some send nonsense, and a feed must not be lost because
/// of that.
pub(crate) const MAX_WAIT: Duration = Duration::from_hours(7 * 24);

/// Reads an HTTP date (RFC 9110 5.6.7) in any of its three forms. The day of the week is not checked, and a zone
/// other than GMT is respected.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    if text.len() > 64 {
        return None;
    }
    let after_comma = text.split_once(',').map(|(_, rest)| rest);
    let mut words: Vec<&str> = after_comma
        .unwrap_or(text)
        .split_ascii_whitespace()
        .collect();
    if let Some(zone) = words.last().filter(|zone| zone.starts_with(['+', '-'])) {
        let zoned = format!("{} {zone}", words.get(..words.len() - 1)?.join(" "));
        let at = chrono::DateTime::parse_from_str(&zoned, "%d %b %Y %H:%M:%S %z").ok()?;
        return Some(Timestamp::from(at));
    }
    words.retain(|word| !matches!(*word, "GMT" | "UTC" | "Z"));
    // `Sun Nov  6 08:49:37 1994` starts with the day of the week and has no comma.
    if after_comma.is_none() && words.len() == 5 {
        words.remove(0);
    }
    let bare = words.join(" ");
    [
        "%d %b %Y %H:%M:%S",
        "%d-%b-%y %H:%M:%S",
        "%b %d %H:%M:%S %Y",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(&bare, form).ok())
    .map(|at| Timestamp::from(at.and_utc()))
}

/// Reads `Retry-After` (seconds, or an HTTP date as seen from `now`), limited to [`MAX_WAIT`]. A time in the past
/// and a value that cannot be read give `None`.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit in a number are a long time too.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_WAIT)).filter(|wait| !wait.is_zero());
    }
    let at = http_date(text)?;
    Some(at.since(now).min(MAX_WAIT)).filter(|wait| !wait.is_zero())
}

/// What `Cache-Control` says about how long a response may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheControl {
    /// It does not say.
    Silent,
    /// `no-store` or `no-cache`: fetch every time.
    Never,
    /// `max-age`, at most [`MAX_WAIT`].
    MaxAge(Duration),
}

impl CacheControl {
    /// Reads the value of the header.
    pub(crate) fn parse(text: &str) -> Self {
        let mut found = Self::Silent;
        for directive in text.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return Self::Never;
            }
            let digits = value.trim().trim_matches('"');
            let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if found == Self::Silent && number && name.eq_ignore_ascii_case("max-age") {
                let seconds = digits.parse().unwrap_or(u64::MAX);
                found = Self::MaxAge(Duration::from_secs(seconds).min(MAX_WAIT));
            }
        }
        found
    }
}

/// A header as text, if it is text.
pub(super) fn lookup<'h>(headers: &'h HeaderMap) -> impl Fn(&str) -> Option<&'h str> {
    move |name| std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_a_date_are_one_moment() {
        let expected = Timestamp::parse_rfc3339("1994-11-06T08:49:37Z");
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Mon, 6 Nov 1994 08:49:37 UTC",
            "06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 09:49:37 +0100",
            " Sun, 06 Nov 1994 08:49:37 +0000 ",
        ] {
            assert_eq!(http_date(text), expected, "{text}");
        }
        for text in ["", "0", "-1", "soon", ",", "Sun, 30 Feb 2026 00:00:00 GMT"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn retry_after_is_capped_and_nonsense_is_ignored() {
        let now = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap();
        let cases = [
            ("3600", Some(3600)),
            (" 5 ", Some(5)),
            ("99999999999999999999", Some(MAX_WAIT.as_secs())),
            ("0", None),
            ("-5", None),
            ("soon", None),
            ("1.5", None),
            ("", None),
            ("Mon, 23 Nov 2026 11:00:00 GMT", Some(3600)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", None),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(MAX_WAIT.as_secs())),
        ];
        for (text, seconds) in cases {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(text, now), expected, "{text}");
        }
    }

    #[test]
    fn max_age_is_read_among_other_directives() {
        let max_age = |seconds| CacheControl::MaxAge(Duration::from_secs(seconds));
        let cases = [
            ("max-age=3600", max_age(3600)),
            ("public, MAX-AGE=\"60\", s-maxage=5", max_age(60)),
            ("max-age=0", max_age(0)),
            (
                "max-age=99999999999999999999",
                CacheControl::MaxAge(MAX_WAIT),
            ),
            ("no-cache, max-age=60", CacheControl::Never),
            ("max-age=60, no-store", CacheControl::Never),
            ("max-age=-1", CacheControl::Silent),
            ("max-age", CacheControl::Silent),
            ("", CacheControl::Silent),
        ];
        for (text, expected) in cases {
            assert_eq!(CacheControl::parse(text), expected, "{text}");
        }
    }
}
