//! Durations, sizes and shares as people write them: `15m`, `1h30m`, `10 MiB`, `10%`.

use std::time::Duration;

/// Text that is not a duration, size or share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// Not a duration.
    #[error("{0:?} is not a duration; expected one such as \"30s\", \"15m\", \"1h30m\" or \"2d\"")]
    Duration(String),
    /// Not a size.
    #[error("{0:?} is not a size; expected one such as \"20 KiB\" or \"10 MiB\"")]
    Size(String),
    /// Not a share.
    #[error("{0:?} is not a percentage; expected one from \"0%\" to \"100%\"")]
    Share(String),
    /// A duration of more than a hundred years, or a size of more than a TiB.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const YEAR_MS: u64 = 365 * DAY_MS;
const MAX_DURATION_MS: u64 = 100 * YEAR_MS;
const MAX_SIZE_BYTES: u64 = 1 << 40;

/// Reads a duration: one or more numbers, each with its unit (`ms s m h d w y`, or the words), from large to small or
/// in any order. A year is 365 days. A bare `0` is zero.
///
/// ```
/// use std::time::Duration;
/// use revisor_core::domain::durations::parse_duration;
/// assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
/// assert_eq!(parse_duration("2 days"), Ok(Duration::from_secs(172_800)));
/// assert!(parse_duration("15").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, MeasureError> {
    let wrong = || MeasureError::Duration(shortened(text));
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total_ms = 0.0_f64;
    while !rest.is_empty() {
        let (number, after) = take_number(rest).ok_or_else(wrong)?;
        let after = after.trim_start();
        let end = after
            .find(|letter: char| !letter.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        total_ms += number * duration_unit_ms(unit).ok_or_else(wrong)? as f64;
        rest = after.trim_start();
    }
    whole(total_ms, MAX_DURATION_MS)
        .map(Duration::from_millis)
        .ok_or_else(|| MeasureError::TooLarge(shortened(text)))
}

/// Writes a duration so that [`parse_duration`] can read it: `1h30m`, `2d`, `500ms`, `0s`. Fractions of a
/// millisecond are dropped.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, length) in [
        ("d", DAY_MS),
        ("h", HOUR_MS),
        ("m", MINUTE_MS),
        ("s", 1000),
        ("ms", 1),
    ] {
        let count = ms / length;
        if count > 0 {
            out.push_str(&count.to_string());
            out.push_str(unit);
            ms %= length;
        }
    }
    if out.is_empty() {
        out.push_str("0s");
    }
    out
}

/// The two largest units of a duration, for people: `3d 4h`, `12m 5s`, `800ms`.
#[must_use]
pub fn rough_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    for (unit, length, next_unit, next_length) in [
        ("d", DAY_MS, "h", HOUR_MS),
        ("h", HOUR_MS, "m", MINUTE_MS),
        ("m", MINUTE_MS, "s", 1000),
    ] {
        if ms >= length {
            let next = ms % length / next_length;
            let count = ms / length;
            return if next > 0 {
                format!("{count}{unit} {next}{next_unit}")
            } else {
                format!("{count}{unit}")
            };
        }
    }
    if ms >= 1000 {
        format!("{}s", ms / 1000)
    } else {
        format!("{ms}ms")
    }
}

/// Reads a size in bytes: a number and its unit (`B KB MB GB` by 1000, `KiB MiB GiB` by 1024). A bare number is bytes.
pub fn parse_size(text: &str) -> Result<u64, MeasureError> {
    let wrong = || MeasureError::Size(shortened(text));
    let (number, unit) = take_number(text.trim()).ok_or_else(wrong)?;
    let unit_bytes: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return Err(wrong()),
    };
    whole(number * unit_bytes as f64, MAX_SIZE_BYTES)
        .ok_or_else(|| MeasureError::TooLarge(shortened(text)))
}

/// Writes a size so that [`parse_size`] can read it: `10 MiB`, `1500 B`.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    for (unit, length) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= length && bytes.is_multiple_of(length) {
            return format!("{} {unit}", bytes / length);
        }
    }
    format!("{bytes} B")
}

/// Reads a share: `10%` is 0.1.
pub fn parse_share(text: &str) -> Result<f64, MeasureError> {
    let wrong = || MeasureError::Share(shortened(text));
    let digits = text.trim().strip_suffix('%').ok_or_else(wrong)?;
    let (number, rest) = take_number(digits.trim()).ok_or_else(wrong)?;
    if rest.is_empty() && number <= 100.0 {
        Ok(number / 100.0)
    } else {
        Err(wrong())
    }
}

/// Writes a share so that [`parse_share`] can read it.
#[must_use]
pub fn format_share(share: f64) -> String {
    // Nobody writes shares finer than a tenth of a percent.
    format!("{}%", (share * 1000.0).round() / 10.0)
}

/// An unsigned decimal number at the start, and what follows it.
fn take_number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|digit: char| !digit.is_ascii_digit() && digit != '.')
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    // `.5`, `5.` and very long numbers are more likely a typo than intended.
    let plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.ends_with(|last: char| last.is_ascii_digit())
        && digits.len() <= 18;
    let number = plain.then(|| digits.parse().ok())??;
    Some((number, rest))
}

fn duration_unit_ms(unit: &str) -> Option<u64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "ms" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        // Elsewhere a capital `M` means months, and a month has no fixed length.
        "m" if unit == "m" => MINUTE_MS,
        "min" | "mins" | "minute" | "minutes" => MINUTE_MS,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR_MS,
        "d" | "day" | "days" => DAY_MS,
        "w" | "week" | "weeks" => 7 * DAY_MS,
        "y" | "year" | "years" => YEAR_MS,
        _ => return None,
    })
}

fn whole(value: f64, max: u64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is not negative and below the maximum, which is far below 2^53"
    )]
    (value <= max as f64).then(|| value.round() as u64)
}

/// Text for a message, shortened so that it fits on a line.
#[must_use]
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut out: String = text.chars().take(LONGEST).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("30s", 30),
            ("15m", 900),
            (" 15 m ", 900),
            ("15 minutes", 900),
            ("1h30m", 5400),
            ("1h 30m", 5400),
            ("1.5h", 5400),
            ("2d", 172_800),
            ("1 day 2 hours", 93_600),
            ("1w", 604_800),
            ("1y", 31_536_000),
            ("0", 0),
            ("0s", 0),
            ("1H", 3600),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            " ",
            "15",
            "m",
            "-5m",
            "5x",
            "5 potatoes",
            "1h30",
            "1M",
            ".5h",
            "5.h",
            "1..5h",
            "5m,",
            "½h",
            "５m",
            "nan s",
            "1e3s",
            "99999999999999999999s",
        ] {
            let error = parse_duration(text).expect_err(text).to_string();
            assert!(error.contains("15m"), "{error}");
        }
        assert_eq!(
            parse_duration("101y"),
            Err(MeasureError::TooLarge("101y".to_owned()))
        );
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("10 MiB", 10 << 20),
            ("10MiB", 10 << 20),
            ("20 KiB", 20 << 10),
            ("1.5 GiB", 3 << 29),
            ("10 MB", 10_000_000),
            ("512", 512),
            ("512 B", 512),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "-1 MiB", "10 XiB", "10 MiB x", "2000 GiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_are_read() {
        assert_eq!(parse_share("10%"), Ok(0.1));
        assert_eq!(parse_share(" 12.5 % "), Ok(0.125));
        assert_eq!(format_share(0.125), "12.5%");
        for text in ["", "10", "0.1", "-1%", "101%", "%", "ten%"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn people_get_two_units() {
        assert_eq!(rough_duration(Duration::from_secs(273_605)), "3d 4h");
        assert_eq!(rough_duration(Duration::from_secs(725)), "12m 5s");
        assert_eq!(rough_duration(Duration::from_millis(800)), "800ms");
        assert_eq!(rough_duration(Duration::from_hours(1)), "1h");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ms in 0..MAX_DURATION_MS, bytes in 0..MAX_SIZE_BYTES, permille in 0_u32..1000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
            let share = f64::from(permille) / 1000.0;
            prop_assert!((parse_share(&format_share(share)).unwrap() - share).abs() < 1e-9);
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            let _ = (parse_duration(&text), parse_size(&text), parse_share(&text));
        }
    }
}
