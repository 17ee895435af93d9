//! The five fields of a cron expression.

use super::CronError;

/// The values that a field allows.
pub(super) struct FieldRange {
    pub(super) name: &'static str,
    pub(super) min: u8,
    pub(super) max: u8,
    names: &'static [&'static str],
}

pub(super) const MINUTE: FieldRange = FieldRange {
    name: "minute",
    min: 0,
    max: 59,
    names: &[],
};
pub(super) const HOUR: FieldRange = FieldRange {
    name: "hour",
    min: 0,
    max: 23,
    names: &[],
};
pub(super) const DAY: FieldRange = FieldRange {
    name: "day of month",
    min: 1,
    max: 31,
    names: &[],
};
pub(super) const MONTH: FieldRange = FieldRange {
    name: "month",
    min: 1,
    max: 12,
    names: &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
};
/// Sunday is 0 or 7.
pub(super) const WEEKDAY: FieldRange = FieldRange {
    name: "day of week",
    min: 0,
    max: 7,
    names: &[
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ],
};

/// The values of one field, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Values {
    bits: u64,
    /// Contains a `*`, so it is an interval or not a restriction.
    pub(super) star: bool,
    /// Written as `*/n`.
    pub(super) step: Option<u8>,
}

impl Values {
    pub(super) fn has(self, value: u8) -> bool {
        self.bits >> value & 1 == 1
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |value| self.has(*value))
    }

    pub(super) fn count(self) -> u32 {
        self.bits.count_ones()
    }

    /// Whether it contains every value.
    pub(super) fn is_all(self, unit: &FieldRange) -> bool {
        let max = if unit.max == WEEKDAY.max { 6 } else { unit.max };
        (unit.min..=max).all(|value| self.has(value))
    }
}

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minute: Values,
    pub(super) hour: Values,
    pub(super) day: Values,
    pub(super) month: Values,
    /// Sunday is 0.
    pub(super) weekday: Values,
}

impl Fields {
    pub(super) fn parse(expression: &str) -> Result<Self, CronError> {
        let trimmed = expression.trim();
        let expression = if trimmed.starts_with('@') {
            nickname(trimmed)?
        } else {
            trimmed
        };
        let fields: Vec<&str> = expression.split_ascii_whitespace().take(100).collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::FieldCount(fields.len()));
        };
        let mut weekday = read(&WEEKDAY, weekday)?;
        if weekday.has(7) {
            weekday.bits = weekday.bits & !(1 << 7) | 1;
        }
        Ok(Self {
            minute: read(&MINUTE, minute)?,
            hour: read(&HOUR, hour)?,
            day: read(&DAY, day)?,
            month: read(&MONTH, month)?,
            weekday,
        })
    }

    /// Whether it runs at fixed times of the day rather than at an interval.
    pub(super) fn has_fixed_times(&self) -> bool {
        !self.minute.star && !self.hour.star
    }

    /// Whether both kinds of day are restricted, so that either one is enough.
    pub(super) fn either_day(&self) -> bool {
        !self.day.star && !self.weekday.star
    }

    /// Expressions for the crate `cron`, with seconds. A time that matches any of them counts.
    pub(super) fn alternatives(&self) -> Vec<String> {
        let minute = numbers(self.minute, &MINUTE);
        let hour = numbers(self.hour, &HOUR);
        let day = numbers(self.day, &DAY);
        let month = numbers(self.month, &MONTH);
        // The crate numbers weekdays differently but uses the same names.
        let weekday = if self.weekday.is_all(&WEEKDAY) {
            "*".to_owned()
        } else {
            let names = self
                .weekday
                .iter()
                .filter_map(|value| WEEKDAY.names.get(usize::from(value))?.get(..3));
            names.collect::<Vec<_>>().join(",")
        };
        if self.either_day() {
            vec![
                format!("0 {minute} {hour} {day} {month} *"),
                format!("0 {minute} {hour} * {month} {weekday}"),
            ]
        } else {
            vec![format!("0 {minute} {hour} {day} {month} {weekday}")]
        }
    }
}

fn numbers(values: Values, unit: &FieldRange) -> String {
    if values.is_all(unit) {
        return "*".to_owned();
    }
    let numbers: Vec<String> = values.iter().map(|value| value.to_string()).collect();
    numbers.join(",")
}

fn nickname(text: &str) -> Result<&'static str, CronError> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => {
            return Err(CronError::Nickname(super::super::durations::shortened(
                text,
            )));
        }
    })
}

fn read(unit: &FieldRange, text: &str) -> Result<Values, CronError> {
    let mut values = Values {
        bits: 0,
        star: false,
        step: None,
    };
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(read_step(unit, part, step)?)),
            None => (part, None),
        };
        // Quartz writes a question mark for "any day".
        let any_day = range == "?" && (unit.name == DAY.name || unit.name == WEEKDAY.name);
        let (first, last) = if range == "*" || any_day {
            values.star = true;
            let last = if unit.name == WEEKDAY.name {
                6
            } else {
                unit.max
            };
            (unit.min, last)
        } else if let Some((first, last)) = range.split_once('-') {
            read_range(unit, first, last)?
        } else {
            let value = read_value(unit, range)?;
            if step.is_some() {
                return Err(wrong(
                    unit,
                    format!("{part:?} has a step but no range; expected */n or a-b/n"),
                ));
            }
            (value, value)
        };
        for value in (first..=last).step_by(usize::from(step.unwrap_or(1))) {
            values.bits |= 1 << value;
        }
        if range == "*" && text == part {
            values.step = step;
        }
    }
    Ok(values)
}

fn read_range(unit: &FieldRange, first: &str, last: &str) -> Result<(u8, u8), CronError> {
    let text = format!("{first}-{last}");
    let (first, mut last) = (read_value(unit, first)?, read_value(unit, last)?);
    // `sat-sun` and `1-0` end on the following Sunday.
    if unit.name == WEEKDAY.name && last == 0 && first > 0 {
        last = 7;
    }
    if first > last {
        return Err(wrong(
            unit,
            format!("{text:?} runs backwards; expected two ranges joined by a comma"),
        ));
    }
    Ok((first, last))
}

fn read_step(unit: &FieldRange, part: &str, step: &str) -> Result<u8, CronError> {
    let length = unit.max - unit.min + 1;
    let digits = step.bytes().all(|byte| byte.is_ascii_digit());
    step.parse()
        .ok()
        .filter(|step| digits && (1..=length).contains(step))
        .ok_or_else(|| {
            let part = super::super::durations::shortened(part);
            wrong(
                unit,
                format!("bad step in {part:?}; expected 1 to {length}"),
            )
        })
}

fn read_value(unit: &FieldRange, text: &str) -> Result<u8, CronError> {
    if text.len() <= 3 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse().ok();
        if let Some(value) = number.filter(|value| (unit.min..=unit.max).contains(value)) {
            return Ok(value);
        }
    }
    let lower = text.to_ascii_lowercase();
    let named = unit
        .names
        .iter()
        .position(|name| *name == lower || (lower.len() == 3 && name.starts_with(&lower)));
    if let Some(index) = named {
        let index = u8::try_from(index).unwrap_or(0);
        return Ok(if unit.min == 1 { index + 1 } else { index });
    }
    let example = match unit.names {
        [] => String::new(),
        [first, ..] => format!(", or a name such as {}", first.get(..3).unwrap_or(first)),
    };
    let text = super::super::durations::shortened(text);
    Err(wrong(
        unit,
        format!(
            "{text:?} is not known; expected {} to {}{example}",
            unit.min, unit.max
        ),
    ))
}

fn wrong(unit: &FieldRange, problem: String) -> CronError {
    CronError::Field {
        field: unit.name,
        problem,
    }
}
