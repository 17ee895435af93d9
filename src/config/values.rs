//! Single values: from text to durations, sizes, numbers, choices and addresses, within their bounds.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::unknown_choice;
use super::reader::At;
use super::resolve::{Resolver, YEAR};
use super::resolved::Retention;
use crate::domain::durations::{format_duration, format_size, parse_duration, parse_size};

impl Resolver<'_> {
    pub(super) fn duration(
        &mut self,
        key: &str,
        raw: Option<&At<String>>,
        range: RangeInclusive<Duration>,
        fallback: Duration,
    ) -> Duration {
        let Some(duration) = self.measured(key, raw, parse_duration) else {
            return fallback;
        };
        if let Some(raw) = raw.filter(|_| !range.contains(&duration)) {
            let (least, most) = (
                format_duration(*range.start()),
                format_duration(*range.end()),
            );
            let message = format!("{key} is {}; expected {least:?} to {most:?}", raw.value);
            self.problems.add(&raw.place, message);
        }
        duration
    }

    pub(super) fn size(
        &mut self,
        key: &str,
        raw: Option<&At<String>>,
        range: RangeInclusive<u64>,
        fallback: u64,
    ) -> u64 {
        let Some(bytes) = self.measured(key, raw, parse_size) else {
            return fallback;
        };
        if let Some(raw) = raw.filter(|_| !range.contains(&bytes)) {
            let (least, most) = (format_size(*range.start()), format_size(*range.end()));
            let message = format!("{key} is {}; expected {least:?} to {most:?}", raw.value);
            self.problems.add(&raw.place, message);
        }
        bytes
    }

    pub(super) fn measured<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        raw: Option<&At<String>>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = raw?;
        match parse(&raw.value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.add(&raw.place, format!("{key}: {error}"));
                None
            }
        }
    }

    pub(super) fn number(
        &mut self,
        key: &str,
        raw: Option<&At<i64>>,
        range: RangeInclusive<usize>,
        fallback: usize,
    ) -> usize {
        let Some(raw) = raw else { return fallback };
        let number = usize::try_from(raw.value).ok();
        number
            .filter(|number| range.contains(number))
            .unwrap_or_else(|| {
                let (least, most) = (range.start(), range.end());
                let message = format!("{key} is {}; expected {least} to {most}", raw.value);
                self.problems.add(&raw.place, message);
                fallback
            })
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        raw: Option<&At<String>>,
        choices: &[(&str, T)],
        fallback: T,
    ) -> T {
        let Some(raw) = raw else { return fallback };
        let found = choices.iter().find(|(name, _)| *name == raw.value);
        found.map_or_else(
            || {
                let message =
                    unknown_choice(key, &raw.value, choices.iter().map(|(name, _)| *name));
                self.problems.add(&raw.place, message);
                fallback
            },
            |(_, value)| *value,
        )
    }

    pub(super) fn retention(&mut self, key: &str, raw: Option<&At<String>>) -> Retention {
        let Some(raw) = raw else {
            return Retention::All;
        };
        if raw.value == "all" {
            return Retention::All;
        }
        let all_digits = raw.value.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits {
            if let Some(count) = raw.value.parse().ok().filter(|count| *count > 0) {
                return Retention::Newest(count);
            }
            let message = format!("{key} is not a valid number; expected 1 or more");
            self.problems.add(&raw.place, message);
            return Retention::All;
        }
        let hour = Duration::from_hours(1);
        Retention::For(self.duration(key, Some(raw), hour..=YEAR * 100, hour))
    }
}
