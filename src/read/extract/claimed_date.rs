//! Dates as feeds and pages write them: RFC 822 and 3339 with every mistake, W3C and ISO forms, American and
//! European order, month names in many languages, Unix time.
//!
//! A date without a zone is read as UTC. Hours, minutes and days beyond their range roll over, as they do in the
//! publisher's own software. An unreadable date is `None`, never a guess such as "now".

mod age;

use chrono::{Days, Duration, NaiveDate, NaiveDateTime};

use self::age::{is_of_age, tells_an_age};
use crate::time::Timestamp;

/// The longest text that is parsed; dates are short.
const LONGEST: usize = 100;

/// Reads a claimed date.
#[must_use]
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    Timestamp::parse_rfc3339(text)
        .or_else(|| unix_time(text))
        .or_else(|| iso(text))
        .or_else(|| written(text))
}

/// Seconds or milliseconds since 1970, from 2001 on: no other date has ten or thirteen digits.
fn unix_time(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok().filter(|_| text.starts_with('1'))?;
    match text.len() {
        10 => Some(Timestamp::from_unix(number)),
        13 => Some(Timestamp::from_millis(number)),
        _ => None,
    }
}

/// A date and time of day as written, not yet validated.
#[derive(Debug, Clone, Copy, Default)]
struct DateFields {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    millis: u32,
    /// Minutes east of UTC.
    offset: i32,
}

impl DateFields {
    fn timestamp(self) -> Option<Timestamp> {
        if self.day > 31 || self.hour > 99 || self.minute > 99 || self.second > 99 {
            return None;
        }
        let first = NaiveDate::from_ymd_opt(self.year, self.month, 1)?;
        let date = first.checked_add_days(Days::new(u64::from(self.day.max(1) - 1)))?;
        let time = Duration::hours(i64::from(self.hour))
            + Duration::minutes(i64::from(self.minute) - i64::from(self.offset))
            + Duration::seconds(i64::from(self.second))
            + Duration::milliseconds(i64::from(self.millis));
        let at: NaiveDateTime = date.and_hms_opt(0, 0, 0)?.checked_add_signed(time)?;
        Some(Timestamp::from_millis(at.and_utc().timestamp_millis()))
    }
}

/// `2004`, `2004-05`, `20040525`, `2004-146`, `2004-05-25T23:23:17.5+0200`, `2004-05-25 23:23`, but not `--05-25`.
fn iso(text: &str) -> Option<Timestamp> {
    let mut cursor = Cursor { rest: text };
    let mut fields = DateFields {
        month: 1,
        day: 1,
        ..DateFields::default()
    };
    let digits = cursor.digits();
    match digits.len() {
        4 => {
            fields.year = digits.parse().ok()?;
            if cursor.eat(&['-']) {
                let part = cursor.digits();
                match part.len() {
                    3 => return ordinal(fields.year, part, &mut cursor),
                    1 | 2 => fields.month = part.parse().ok()?,
                    _ => return None,
                }
                if cursor.eat(&['-']) {
                    fields.day = cursor.number(2)?;
                }
            }
        }
        7 => {
            return ordinal(
                digits.get(..4)?.parse().ok()?,
                digits.get(4..)?,
                &mut cursor,
            );
        }
        8 => {
            fields.year = digits.get(..4)?.parse().ok()?;
            fields.month = digits.get(4..6)?.parse().ok()?;
            fields.day = digits.get(6..)?.parse().ok()?;
        }
        _ => return None,
    }
    iso_time(&mut cursor, &mut fields)?;
    fields.timestamp()
}

/// The day of a year, as in `2004-146`.
fn ordinal(year: i32, day: &str, cursor: &mut Cursor<'_>) -> Option<Timestamp> {
    use chrono::Datelike;
    let date = NaiveDate::from_yo_opt(year, day.parse().ok()?)?;
    let mut fields = DateFields {
        year,
        month: date.month(),
        day: date.day(),
        ..DateFields::default()
    };
    iso_time(cursor, &mut fields)?;
    fields.timestamp()
}

/// The time after an ISO date, if there is one. Nothing else may follow.
fn iso_time(cursor: &mut Cursor<'_>, fields: &mut DateFields) -> Option<()> {
    cursor.spaces();
    cursor.eat(&['T', 't']);
    cursor.spaces();
    if cursor.rest.is_empty() {
        return Some(());
    }
    if cursor.rest.starts_with(['Z', 'z', '+', '-']) {
        fields.offset = zone(cursor.rest)?;
        return Some(());
    }
    let digits = cursor.digits();
    match digits.len() {
        1 | 2 => {
            fields.hour = digits.parse().ok()?;
            if cursor.eat(&[':', '.']) {
                fields.minute = cursor.number(2)?;
                if cursor.eat(&[':', '.']) {
                    fields.second = cursor.number(2)?;
                }
            }
        }
        4 | 6 => {
            fields.hour = digits.get(..2)?.parse().ok()?;
            fields.minute = digits.get(2..4)?.parse().ok()?;
            fields.second = digits
                .get(4..)
                .filter(|s| !s.is_empty())
                .map_or(Some(0), |s| s.parse().ok())?;
        }
        _ => return None,
    }
    if cursor.eat(&['.', ',']) {
        fields.millis = fraction(cursor.digits());
    }
    cursor.spaces();
    if let Some(later) = half_of_day(cursor.rest.split_whitespace().next().unwrap_or("")) {
        fields.hour = twelve_hours(fields.hour, later);
        cursor.rest = cursor
            .rest
            .trim_start_matches(|c: char| !c.is_whitespace())
            .trim_start();
    }
    if !cursor.rest.is_empty() {
        fields.offset = zone(cursor.rest)?;
    }
    Some(())
}

fn fraction(digits: &str) -> u32 {
    digits
        .bytes()
        .chain(*b"000")
        .take(3)
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

/// All other forms: words and numbers in any order, recognised by their shape.
fn written(text: &str) -> Option<Timestamp> {
    let lower = text.to_lowercase().replace(['年', '月', '년', '월'], "-");
    let mut fields = DateFields::default();
    let mut numbers: Vec<(&str, char)> = Vec::new();
    let mut month = None;
    let is_age = tells_an_age(&lower);
    let mut later = None;
    let mut offset = None;
    let mut has_time = false;
    let mut cursor = Cursor { rest: &lower };
    let mut before = ' ';
    while let Some(c) = cursor.rest.chars().next() {
        if c.is_ascii_digit() {
            let digits = cursor.digits();
            if !has_time && cursor.rest.starts_with(':') && digits.len() <= 2 {
                has_time = true;
                fields.hour = digits.parse().ok()?;
                cursor.eat(&[':']);
                fields.minute = cursor.digits().parse().ok()?;
                if cursor.eat(&[':']) {
                    fields.second = cursor.digits().parse().ok()?;
                    if cursor.eat(&['.']) {
                        fields.millis = fraction(cursor.digits());
                    }
                }
            } else {
                numbers.push((digits, before));
            }
            before = '0';
        } else if (c == '+' || c == '-') && has_time && offset.is_none() {
            let sign_and_digits = cursor
                .rest
                .split(|c: char| c.is_whitespace() || c == '(')
                .next()?;
            match zone(sign_and_digits) {
                Some(minutes) => {
                    offset = Some(minutes);
                    cursor.rest = cursor.rest.get(sign_and_digits.len()..)?;
                }
                None => cursor.rest = cursor.rest.get(1..)?,
            }
            before = ' ';
        } else if c.is_alphabetic() {
            let word = cursor.word();
            if let Some(half) = half_of_day(word) {
                later = Some(half);
            } else if is_age && is_of_age(word) {
                // Outside an age, Spanish `ago`, Turkish `tem`, Dutch `maa` and Italian `set` are months.
            } else if let Some(found) = month_of(word) {
                // The last month wins: `mar` is also Tuesday in Spanish and Italian.
                month = Some(found);
            } else if has_time && offset.is_none() {
                // `gmt+2` is read together with its number.
                let signed = cursor
                    .rest
                    .split(|c: char| c.is_whitespace() || c == ')')
                    .next()
                    .unwrap_or("");
                if matches!(word, "gmt" | "utc") && signed.starts_with(['+', '-']) {
                    offset = zone(signed);
                    cursor.rest = cursor.rest.get(signed.len()..)?;
                } else {
                    offset = named_zone(word);
                }
            }
            before = 'a';
        } else {
            before = c;
            cursor.rest = cursor.rest.get(c.len_utf8()..)?;
        }
    }
    if let Some(later) = later {
        fields.hour = twelve_hours(fields.hour, later);
    }
    fields.offset = offset.unwrap_or(0);
    let has_year = numbers.iter().any(|(digits, _)| digits.len() == 4);
    if is_age && !(has_year && month.is_some()) {
        return None;
    }
    let (year, month, day) = day_month_year(&numbers, month)?;
    fields.year = year;
    fields.month = month;
    fields.day = day;
    fields.timestamp()
}

/// Decides which of the numbers are the day, month and year.
fn day_month_year(numbers: &[(&str, char)], month: Option<u32>) -> Option<(i32, u32, u32)> {
    let value = |at: usize| {
        numbers
            .get(at)
            .and_then(|(digits, _)| digits.parse::<u32>().ok())
    };
    let long = numbers.iter().position(|(digits, _)| digits.len() == 4);
    let year_of = |digits: u32, length: usize| -> Option<i32> {
        let digits = i32::try_from(digits).ok()?;
        Some(match length {
            // The pivot of RFC 2822 is 50; no feed is older than 1970.
            1 | 2 if digits < 70 => 2000 + digits,
            1..=3 => 1900 + digits,
            _ => digits,
        })
    };
    if let Some(month) = month {
        let year_at = long.unwrap_or(usize::from(numbers.len() > 1));
        let day_at = usize::from(year_at == 0);
        let year = year_of(value(year_at)?, numbers.get(year_at)?.0.len())?;
        return Some((year, month, value(day_at).unwrap_or(1)));
    }
    let separator = numbers.get(1)?.1;
    let (first, second, third) = (value(0)?, value(1)?, value(2)?);
    if long == Some(0) {
        return Some((year_of(first, 4)?, second, third));
    }
    let year = year_of(third, numbers.get(2)?.0.len())?;
    // With slashes the order is American, unless that is impossible; with dots or dashes it is European.
    let american = separator == '/' && first <= 12 || second > 12;
    let (month, day) = if american {
        (first, second)
    } else {
        (second, first)
    };
    Some((year, month, day))
}

fn twelve_hours(hour: u32, later: bool) -> u32 {
    match (hour, later) {
        (12, false) => 0,
        (1..12, true) => hour + 12,
        _ => hour,
    }
}

fn half_of_day(word: &str) -> Option<bool> {
    match word.to_lowercase().trim_matches(['.', ' ']) {
        "am" | "a.m" | "오전" | "午前" | "上午" => Some(false),
        "pm" | "p.m" | "오후" | "午後" | "下午" => Some(true),
        _ => None,
    }
}

/// `Z`, `+0200`, `+02:00`, `-5`, `EST` → minutes east of UTC.
fn zone(text: &str) -> Option<i32> {
    let text = text.trim();
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return named_zone(&text.to_lowercase()),
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0),
        3 | 4 => {
            let (hours, minutes) = digits.split_at_checked(digits.len() - 2)?;
            (hours.parse().ok()?, minutes.parse::<i32>().ok()?)
        }
        _ => return None,
    };
    let total: i32 = hours;
    Some(sign * (total * 60 + minutes)).filter(|minutes| minutes.abs() <= 24 * 60)
}

/// Named zones, in tenths of hours east of UTC. Ambiguous names are read as in RFC 822.
fn named_zone(name: &str) -> Option<i32> {
    let tenths = match name {
        "z" | "gmt" | "ut" | "utc" | "wet" => 0,
        "bst" | "ist" | "west" | "cet" | "met" | "mez" | "a" => 10,
        "cest" | "mest" | "mesz" | "eet" | "sast" => 20,
        "eest" | "msk" => 30,
        "sgt" | "hkt" | "awst" => 80,
        "jst" | "kst" => 90,
        "acst" => 95,
        "aest" => 100,
        "acdt" => 105,
        "aedt" => 110,
        "nzst" | "m" => 120,
        "nzdt" => 130,
        "brt" => -30,
        "nst" => -35,
        "ast" | "edt" => -40,
        "et" | "est" | "cdt" => -50,
        "ct" | "cst" | "mdt" => -60,
        "mt" | "mst" | "pdt" => -70,
        "pt" | "pst" | "akdt" => -80,
        "akst" => -90,
        "hst" => -100,
        // The letters `a`, `m`, `n` and `y` are military zones. RFC 822 got their signs wrong, and everyone
        // ignores them.
        "n" => -10,
        "y" => -120,
        _ => return None,
    };
    Some(tenths * 6)
}

/// Month names: the shortest unambiguous prefixes. If one is a prefix of another, the longer one comes first.
#[rustfmt::skip]
const MONTHS: &[(&str, u32)] = &[
    ("juin", 6), ("juil", 7), ("ιουν", 6), ("ιουλ", 7), ("ιούν", 6), ("ιούλ", 7), ("июн", 6), ("июл", 7),
    ("jan", 1), ("feb", 2), ("mar", 3), ("apr", 4), ("may", 5), ("jun", 6), ("jul", 7), ("aug", 8), ("sep", 9),
    ("oct", 10), ("nov", 11), ("dec", 12),
    ("jän", 1), ("mär", 3), ("mrz", 3), ("mai", 5), ("okt", 10), ("dez", 12),
    ("fév", 2), ("fev", 2), ("avr", 4), ("aoû", 8), ("aou", 8), ("déc", 12),
    ("ene", 1), ("abr", 4), ("ago", 8), ("dic", 12),
    ("gen", 1), ("mag", 5), ("giu", 6), ("lug", 7), ("set", 9), ("ott", 10), ("out", 10),
    ("maa", 3), ("mrt", 3), ("mei", 5), ("maj", 5), ("des", 12),
    ("sty", 1), ("lut", 2), ("kwi", 4), ("cze", 6), ("lip", 7), ("sie", 8), ("wrz", 9), ("paź", 10), ("lis", 11),
    ("gru", 12),
    ("led", 1), ("úno", 2), ("bře", 3), ("dub", 4), ("kvě", 5), ("čvn", 6), ("čvc", 7), ("srp", 8), ("zář", 9),
    ("říj", 10), ("pro", 12),
    ("már", 3), ("ápr", 4), ("máj", 5), ("jún", 6), ("júl", 7), ("sze", 9),
    ("oca", 1), ("şub", 2), ("nis", 4), ("haz", 6), ("tem", 7), ("ağu", 8), ("eyl", 9), ("eki", 10), ("kas", 11),
    ("ara", 12),
    ("янв", 1), ("фев", 2), ("мар", 3), ("апр", 4), ("май", 5), ("мая", 5), ("авг", 8), ("сен", 9), ("окт", 10),
    ("ноя", 11), ("дек", 12),
    ("січ", 1), ("лют", 2), ("бер", 3), ("кві", 4), ("тра", 5), ("чер", 6), ("лип", 7), ("сер", 8), ("вер", 9),
    ("жов", 10), ("лис", 11), ("гру", 12),
    ("ιαν", 1), ("φεβ", 2), ("μαρ", 3), ("μάρ", 3), ("απρ", 4), ("μαι", 5), ("μαϊ", 5), ("μάι", 5), ("αυγ", 8),
    ("σεπ", 9), ("οκτ", 10), ("νοε", 11), ("δεκ", 12),
];

fn month_of(word: &str) -> Option<u32> {
    MONTHS
        .iter()
        .find(|(beginning, _)| word.starts_with(beginning))
        .map(|(_, month)| *month)
}

/// Whether a word, in any case, is the name of a month or a day of the week.
#[must_use]
pub(crate) fn names_month_or_day(word: &str) -> bool {
    const DAYS: [&str; 46] = [
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "die", "mit", "don", "fre", "sam", "son",
        "lun", "mer", "jeu", "ven", "dim", "mié", "jue", "vie", "sáb", "dom", "seg", "ter", "qua",
        "qui", "sex", "gio", "maa", "din", "woe", "vri", "zat", "zon", "mån", "tis", "ons", "tor",
        "lör", "sön", "пон", "вто", "сре", "чет", "feira",
    ];
    let word = word.to_lowercase();
    month_of(&word).is_some() || DAYS.iter().any(|day| word.starts_with(day))
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn digits(&mut self) -> &'a str {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        self.take(length)
    }

    /// A number of at most `digits` digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let found = self.digits();
        (found.len() <= digits).then(|| found.parse().ok())?
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(self.rest.len());
        self.take(end)
    }

    fn eat(&mut self, any: &[char]) -> bool {
        let found = self.rest.starts_with(any);
        if found {
            self.take(1);
        }
        found
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_however_they_are_written() {
        for (text, expected) in [
            ("2026-11-23T10:04:12.481+01:00", "2026-11-23T09:04:12.481Z"),
            ("2026-11-23 10:04:12+0100", "2026-11-23T09:04:12Z"),
            ("2026-11-23T10:04Z", "2026-11-23T10:04:00Z"),
            ("2026-11-23T10:04:12", "2026-11-23T10:04:12Z"),
            ("2026-11-23T10:04:12 -05:00", "2026-11-23T15:04:12Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
            ("2026-11", "2026-11-01T00:00:00Z"),
            ("2026", "2026-01-01T00:00:00Z"),
            ("20261123", "2026-11-23T00:00:00Z"),
            ("20261123T100412Z", "2026-11-23T10:04:12Z"),
            ("2004-146", "2004-05-25T00:00:00Z"),
            ("1795132800", "2026-11-20T00:00:00Z"),
            ("1795132800000", "2026-11-20T00:00:00Z"),
            ("Mon, 23 Nov 2026 10:04:12 GMT", "2026-11-23T10:04:12Z"),
            ("Mon, 23 Nov 2026 10:04:12 +0100", "2026-11-23T09:04:12Z"),
            ("Mon, 23 Nov 2026 10:04:12 Z", "2026-11-23T10:04:12Z"),
            ("Monday, 23 November 2026 10:04 EST", "2026-11-23T15:04:00Z"),
            ("23 Nov 26 10:04 PDT", "2026-11-23T17:04:00Z"),
            ("Thurs, 3 Jul 2008 24:00:00 UT", "2008-07-04T00:00:00Z"),
            ("Mon Nov 23 10:04:12 2026", "2026-11-23T10:04:12Z"),
            ("Mon Nov 23 10:04:12 CET 2026", "2026-11-23T09:04:12Z"),
            ("Nov 23, 2026 3:04 PM EST", "2026-11-23T20:04:00Z"),
            ("November 23, 2026", "2026-11-23T00:00:00Z"),
            ("11/23/2026 3:04:05 PM", "2026-11-23T15:04:05Z"),
            ("23/11/2026 15:04", "2026-11-23T15:04:00Z"),
            ("23.11.2026 15:04", "2026-11-23T15:04:00Z"),
            ("2026/11/23 15:04:05", "2026-11-23T15:04:05Z"),
            ("Mo, 23 Dez 2026 10:04:12 +0100", "2026-12-23T09:04:12Z"),
            ("mar, 24 nov 2026 10:04:12 +0100", "2026-11-24T09:04:12Z"),
            ("lun., 23 févr. 2026 10:04:12 +0100", "2026-02-23T09:04:12Z"),
            ("Δευ, 23 Νοε 2026 10:04:12 EET", "2026-11-23T08:04:12Z"),
            ("Пн, 23 ноября 2026 10:04:12 MSK", "2026-11-23T07:04:12Z"),
            ("2026년 11월 23일 오후 3:04:05", "2026-11-23T15:04:05Z"),
            ("2026年11月23日 15:04", "2026-11-23T15:04:00Z"),
            ("2026-11-23 오후 11:23:17", "2026-11-23T23:23:17Z"),
            ("Sun, 31 Dec 2026 23:59:59 GMT+2", "2026-12-31T21:59:59Z"),
            (
                "Mon, 23 Nov 2026 10:04:12 +0000 (UTC)",
                "2026-11-23T10:04:12Z",
            ),
            ("Mon, 23 Nov 2026 10:65:12 GMT", "2026-11-23T11:05:12Z"),
            ("3 ago 2026 10:04 horas", "2026-08-03T10:04:00Z"),
            ("23 Nov 2026 (3 days ago)", "2026-11-23T00:00:00Z"),
        ] {
            let found = parse(text).map(Timestamp::to_rfc3339);
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "12:30",
            "23",
            "Nov",
            "2026-13-01",
            "0",
            "99999999999999999999",
            "3 hours ago",
            "about 3 hrs. ago",
            "2w ago",
            "1 year, 2 months, 3 days ago",
            "Nov 23 (3 days ago)",
            "2 settimane fa",
            "2 maanden geleden",
            "2 godziny temu",
            "3 часа назад",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9a-zé年月 :.,+/-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
