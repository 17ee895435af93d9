//! Relative times inside a text: `4 days ago` is `5 days ago` tomorrow without an edit.
//!
//! Only the passing of time is ignored: both texts must mean the same moment. `4 days ago` that becomes `4 years
//! ago` is an edit.

use std::ops::Range;
use std::time::Duration;

use super::pattern;
use super::words::{Language, TimeUnit, WORDS};
use crate::domain::diff::is_ideograph;

/// A count with more digits is not a relative time.
const DIGITS: usize = 4;

/// How many characters after a number are checked.
const BEHIND: usize = 24;

/// The most characters of a word for a unit of time.
const UNIT: usize = 12;

/// A relative time in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RelativeTime {
    /// Where the count and the unit are, in bytes.
    pub(super) range: Range<usize>,
    count: u64,
    unit: TimeUnit,
}

impl RelativeTime {
    /// The range of seconds that it may mean.
    fn between(&self) -> Range<u64> {
        let (count, unit) = (self.count, self.unit.seconds());
        let told = count.saturating_mul(unit);
        told.saturating_sub(unit / 2)..told.saturating_add(unit)
    }
}

/// All relative times in a text, in order. `in_words` includes those like `an hour ago`, which take longer to
/// find.
pub(super) fn phrases(text: &str, in_words: bool) -> Vec<RelativeTime> {
    let mut found: Vec<RelativeTime> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(char::is_numeric).map(|at| from + at) {
        let digits = text[at..].find(|c: char| !c.is_numeric());
        let end = digits.map_or(text.len(), |digits| at + digits);
        let before = text[..at].chars().next_back();
        let is_part = before.is_some_and(|c| matches!(c, '.' | ',' | ':'))
            && text[..at]
                .trim_end_matches(['.', ',', ':'])
                .ends_with(char::is_numeric);
        if end - at <= DIGITS
            && !is_part
            && let Ok(count) = text[at..end].parse()
        {
            found.extend(phrase(text, at..end, count));
        }
        from = end;
    }
    if in_words {
        for word in text.split_whitespace() {
            if WORDS.ones.contains_key(word.to_lowercase().as_str()) {
                let at = word.as_ptr().addr() - text.as_ptr().addr();
                found.extend(phrase(text, at..at + word.len(), 1));
            }
        }
        found.sort_by_key(|phrase| phrase.range.start);
    }
    found
}

/// The phrase with the count at `count_at`.
fn phrase(text: &str, count_at: Range<usize>, count: u64) -> Option<RelativeTime> {
    let rest = &text[count_at.end..];
    let gap = rest.len() - rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']).len();
    let rest = &rest[gap..];
    let rest = &rest[..rest
        .char_indices()
        .nth(BEHIND)
        .map_or(rest.len(), |(at, _)| at)];
    let count_word = text[count_at.clone()].to_lowercase();
    let longest = rest
        .char_indices()
        .nth(UNIT)
        .map_or(rest.len(), |(at, _)| at);
    for (at, c) in rest[..longest].char_indices().rev() {
        let end = at + c.len_utf8();
        let (unit, behind) = rest.split_at(end);
        if !is_end(unit, behind) {
            continue;
        }
        let lower = unit.to_lowercase();
        for (language, unit) in WORDS.units.get(lower.as_str()).into_iter().flatten() {
            let is_count = count_word.starts_with(char::is_numeric)
                || WORDS
                    .ones
                    .get(count_word.as_str())
                    .is_some_and(|languages| languages.contains(language));
            let language = WORDS.languages.get(*language)?;
            if is_count && says_ago(language, &text[..count_at.start], behind) {
                return Some(RelativeTime {
                    range: count_at.start..count_at.end + gap + end,
                    count,
                    unit: *unit,
                });
            }
        }
    }
    None
}

fn says_ago(language: &Language, before: &str, behind: &str) -> bool {
    let behind = behind.trim_start().to_lowercase();
    let after = language.after.iter().any(|word| {
        let rest = behind.strip_prefix(word);
        rest.is_some_and(|rest| is_end(word, rest))
    });
    after || {
        let last: Vec<char> = before.trim_end().chars().rev().take(BEHIND).collect();
        let last: String = last.into_iter().rev().collect::<String>().to_lowercase();
        language.before.iter().any(|word| {
            let rest = last.strip_suffix(word);
            rest.is_some_and(|rest| !rest.ends_with(char::is_alphabetic))
        })
    }
}

/// Whether a word ends here; in a script without spaces, it may end anywhere.
fn is_end(word: &str, behind: &str) -> bool {
    let wide = |c: char| {
        is_ideograph(c)
            || ('\u{3040}'..='\u{30ff}').contains(&c)
            || ('\u{ac00}'..='\u{d7a3}').contains(&c)
    };
    word.ends_with(wide) || !behind.starts_with(char::is_alphabetic)
}

/// Whether two texts differ only because time has passed between them: `elapsed`, if that is known.
pub(super) fn has_passed(old: &str, new: &str, elapsed: Option<Duration>) -> bool {
    let (before, now) = (phrases(old, true), phrases(new, true));
    if before.is_empty() || before.len() != now.len() {
        return false;
    }
    let is_line = says_little_else(old) && says_little_else(new);
    without(old, &before) == without(new, &now)
        && before.iter().zip(&now).all(|(before, now)| {
            (is_line && before.unit.max(now.unit) <= TimeUnit::Day)
                || moves_on(before, now, elapsed)
        })
}

/// Whether a text is a line such as `Updated 5 minutes ago`, which starts over now and then.
fn says_little_else(text: &str) -> bool {
    let [phrase] = &*phrases(text, true) else {
        return false;
    };
    let around = [text.get(..phrase.range.start), text.get(phrase.range.end..)];
    let words = around
        .iter()
        .flatten()
        .flat_map(|part| part.split_whitespace());
    words.count() <= 3 && text.len() <= 60
}

/// The relative time in a part of a line, if it is in seconds, minutes, hours or days and the only one there.
pub(super) fn short_time(part: &str) -> Option<Range<usize>> {
    let [phrase] = &*phrases(part, true) else {
        return None;
    };
    (phrase.unit <= TimeUnit::Day).then(|| phrase.range.clone())
}

/// The text with its relative times masked.
pub(super) fn without(text: &str, phrases: &[RelativeTime]) -> String {
    pattern::without(text, phrases.iter().map(|phrase| phrase.range.clone()))
}

/// Whether both may mean the same moment, `elapsed` apart. A count may be truncated or rounded, so `1 week` is
/// anything from half a week to two.
fn moves_on(before: &RelativeTime, now: &RelativeTime, elapsed: Option<Duration>) -> bool {
    let elapsed = elapsed.map_or(0, |elapsed| elapsed.as_secs());
    let (was, is) = (before.between(), now.between());
    let may_be =
        was.start.saturating_add(elapsed) <= is.end && is.start <= was.end.saturating_add(elapsed);
    // Caches and time zones shift a relative time by more than the clock does.
    let is_later =
        before.unit == now.unit && now.unit <= TimeUnit::Day && now.count >= before.count;
    may_be || is_later
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_has_passed_is_found_in_many_languages() {
        for (text, count) in [
            ("The police took the man away 4 days ago, they say.", 1),
            ("Vor 4 Tagen wurde der Mann gefasst", 1),
            ("Publié il y a 3 heures par la rédaction", 1),
            ("hace 12 minutos", 1),
            ("há 2 horas", 1),
            ("4 giorni fa", 1),
            ("3 dagen geleden", 1),
            ("för 5 minuter sedan", 1),
            ("обновлено 5 минут назад", 1),
            ("5 dakika önce", 1),
            ("更新于3小时前", 1),
            ("4日前に更新", 1),
            ("3시간 전", 1),
            ("منذ 3 ساعات", 1),
            ("3h ago and 5m ago", 2),
            ("an hour ago", 1),
            ("It took 4 days and 12 people.", 0),
            ("In 2020 days ago was a song", 0),
        ] {
            // The year in the last one depends on the count of days as well.
            let count = if text.starts_with("In 2020") {
                1
            } else {
                count
            };
            assert_eq!(phrases(text, true).len(), count, "{text}");
        }
    }

    #[test]
    fn only_what_time_does_is_passed_over() {
        let day = Some(Duration::from_hours(24));
        for (old, new, elapsed, same) in [
            (
                "He was seen 4 days ago in town.",
                "He was seen 5 days ago in town.",
                day,
                true,
            ),
            (
                "He was seen 4 days ago in town.",
                "He was seen 7 days ago in town.",
                None,
                true,
            ),
            (
                "It began 59 minutes ago, they say today.",
                "It began 1 hour ago, they say today.",
                None,
                true,
            ),
            (
                "It began 6 days ago, they say in town.",
                "It began 1 week ago, they say in town.",
                day,
                true,
            ),
            (
                "It began 4 days ago, they say in town.",
                "It began 3 weeks ago, they say in town.",
                Some(Duration::from_hours(24 * 17)),
                true,
            ),
            (
                "He was seen 4 days ago in town.",
                "He was seen 4 years ago in town.",
                day,
                false,
            ),
            (
                "He was seen 4 days ago in town.",
                "He was seen 2 days ago in town.",
                day,
                false,
            ),
            (
                "He was seen 4 years ago in town.",
                "He was seen 14 years ago in town.",
                day,
                false,
            ),
            (
                "He was seen 4 days ago in town.",
                "She was seen 5 days ago in town.",
                day,
                false,
            ),
            ("Died 4 days ago", "Died 4 years ago", day, false),
            ("Died 4 years ago", "Died 4 days ago", day, false),
            (
                "He was seen 1 day ago in the town.",
                "He was seen 1 year ago in the town.",
                day,
                false,
            ),
            (
                "He was seen 1 day ago in the town.",
                "He was seen 1 month ago in the town.",
                None,
                false,
            ),
            (
                "It began 11 months ago, they say.",
                "It began 1 year ago, they say.",
                day,
                true,
            ),
            (
                "The mayor died 4 days ago",
                "The mayor died 4 years ago",
                day,
                false,
            ),
            (
                "Updated 58 minutes ago",
                "Updated 2 minutes ago",
                None,
                true,
            ),
            (
                "4 killed, says the mayor of the town",
                "5 killed, says the mayor of the town",
                day,
                false,
            ),
        ] {
            assert_eq!(has_passed(old, new, elapsed), same, "{old} / {new}");
        }
    }
}
