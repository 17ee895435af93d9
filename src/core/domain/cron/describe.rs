//! Schedules in words.

use super::fields::{DAY, Fields, HOUR, MINUTE, MONTH, Values, WEEKDAY};

/// `every 15 minutes from 06:00 to 23:59, Monday to Friday`.
pub(super) fn describe(fields: &Fields) -> String {
    let mut text = times(fields.minute, fields.hour);
    let days = days(fields);
    if !days.is_empty() {
        text.push_str(", ");
        text.push_str(&days);
    }
    if !fields.month.is_all(&MONTH) {
        text.push_str(" in ");
        text.push_str(&listed(fields.month, month_name));
    }
    text
}

fn times(minute: Values, hour: Values) -> String {
    let every_hour = hour.is_all(&HOUR);
    // A few clock times are clearer than a rule.
    if !minute.star && !every_hour && minute.count() * hour.count() <= 6 {
        let clock: Vec<String> = hour
            .iter()
            .flat_map(|hour| minute.iter().map(move |minute| (hour, minute)))
            .map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
            .collect();
        return format!("at {}", joined(&clock));
    }
    let rhythm = if minute.is_all(&MINUTE) {
        "every minute".to_owned()
    } else if let Some(step) = minute.step.filter(|step| 60 % step == 0) {
        format!("every {step} minutes")
    } else if minute.count() == 1 && minute.has(0) {
        match hour.step.filter(|step| 24 % step == 0) {
            Some(step) if step > 1 => return format!("every {step} hours"),
            _ => "every hour".to_owned(),
        }
    } else {
        format!(
            "at minute {} of every hour",
            listed(minute, |value| value.to_string())
        )
    };
    if every_hour {
        return rhythm;
    }
    let spans: Vec<String> = spans(hour)
        .iter()
        .map(|(first, last)| format!("from {first:02}:00 to {last:02}:59"))
        .collect();
    format!("{rhythm} {}", joined(&spans))
}

fn days(fields: &Fields) -> String {
    let in_month = format!(
        "on day {} of the month",
        listed(fields.day, |value| value.to_string())
    );
    let in_week = listed(fields.weekday, weekday_name);
    let all_days = fields.day.is_all(&DAY);
    let all_weekdays = fields.weekday.is_all(&WEEKDAY);
    match (all_days, all_weekdays) {
        (true, true) => String::new(),
        // A field such as `1-31` allows every day but is not a `*`, so "either" is always true.
        _ if fields.either_day() && (all_days || all_weekdays) => String::new(),
        (true, false) => in_week,
        (false, true) => in_month,
        (false, false) if fields.either_day() => format!("{in_month} or on {in_week}"),
        (false, false) => format!("{in_month} when it is {in_week}"),
    }
}

/// Values as text, with a range for three or more: `1, 3 to 6 and 9`.
fn listed(values: Values, name: impl Fn(u8) -> String) -> String {
    let mut parts = Vec::new();
    for (first, last) in spans(values) {
        if last >= first + 2 {
            parts.push(format!("{} to {}", name(first), name(last)));
        } else {
            parts.extend((first..=last).map(&name));
        }
    }
    joined(&parts)
}

/// Runs of consecutive values.
fn spans(values: Values) -> Vec<(u8, u8)> {
    let mut spans: Vec<(u8, u8)> = Vec::new();
    for value in values.iter() {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == value => *last = value,
            _ => spans.push((value, value)),
        }
    }
    spans
}

fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

fn weekday_name(value: u8) -> String {
    let names = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    let name = names.get(usize::from(value));
    name.copied().unwrap_or_default().to_owned()
}

fn month_name(value: u8) -> String {
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let name = usize::from(value)
        .checked_sub(1)
        .and_then(|index| names.get(index));
    name.copied().unwrap_or_default().to_owned()
}
