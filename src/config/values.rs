//! Single values: text to durations, sizes, numbers, choices and addresses, within their bounds.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::problem::did_you_mean;
use super::reader::At;
use super::resolve::{Resolver, YEAR};
use super::resolved::Retention;
use crate::domain::durations::{
    format_duration, format_size, parse_duration, parse_size, shortened,
};

/// Longer than this is no address that anybody serves.
const LONGEST_ADDRESS: usize = 2048;

impl Resolver<'_, '_> {
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
            let message = format!("{key} is no usable number; expected one from 1 on");
            self.problems.add(&raw.place, message);
            return Retention::All;
        }
        let hour = Duration::from_hours(1);
        Retention::For(self.duration(key, Some(raw), hour..=YEAR * 100, hour))
    }
}

/// `fetch is "allways"; expected "always", "changed" or "off"`.
pub(super) fn unknown_choice<'n>(
    key: &str,
    given: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> String {
    let quoted: Vec<String> = names.clone().map(|name| format!("{name:?}")).collect();
    let expected = match quoted.as_slice() {
        [start @ .., last] if !start.is_empty() => format!("{} or {last}", start.join(", ")),
        other => other.join(", "),
    };
    let near = did_you_mean(given, names)
        .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    format!("{key} is {:?}; expected {expected}{near}", shortened(given))
}

/// An http or https address that can be asked for.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    const EXPECTED: &str =
        "expected an http or https address such as \"https://news.example/rss.xml\"";
    if text.len() > LONGEST_ADDRESS {
        return Err(format!(
            "is longer than {LONGEST_ADDRESS} characters; {EXPECTED}"
        ));
    }
    let shown = || shortened(text);
    let url = Url::parse(text)
        .map_err(|error| format!("{:?} is no address ({error}); {EXPECTED}", shown()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "has the scheme {:?}; {EXPECTED}",
            shortened(url.scheme())
        ));
    }
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(format!("{:?} has white space inside; {EXPECTED}", shown()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds a user name or password, which would be shown wherever the address is; \
                    expected an address without them, with `user` and `password_file` beside it"
                .to_owned(),
        );
    }
    Ok(url)
}
