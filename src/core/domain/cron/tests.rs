use super::*;

fn schedule(expression: &str, tz: &str) -> CronSchedule {
    CronSchedule::parse(expression, tz.parse().unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The next runs in local time, as `MM-DD HH:MM`.
fn runs(expression: &str, tz: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(expression, tz);
    let mut now = at(after);
    (0..count)
        .map(|_| {
            now = schedule.next_after(now).unwrap();
            now.to_chrono()
                .with_timezone(&schedule.timezone())
                .format("%m-%d %H:%M%:::z")
                .to_string()
        })
        .collect()
}

#[test]
fn weekdays_count_from_monday_and_sunday_is_nought_and_seven() {
    // 2026-11-23 is a Monday.
    let after = "2026-11-22T12:00:00Z";
    assert_eq!(runs("0 9 * * 1", "UTC", after, 1), ["11-23 09:00+00"]);
    for sunday in ["0", "7", "sun", "SUNDAY"] {
        let expression = format!("0 9 * * {sunday}");
        assert_eq!(runs(&expression, "UTC", after, 1), ["11-29 09:00+00"]);
    }
    let working_days = runs("0 9 * * 1-5", "UTC", after, 6);
    assert_eq!(working_days.last().unwrap(), "11-30 09:00+00");
    let weekend = runs("0 9 * * sat-sun", "UTC", after, 3);
    assert_eq!(
        weekend,
        ["11-28 09:00+00", "11-29 09:00+00", "12-05 09:00+00"]
    );
}

#[test]
fn either_kind_of_day_is_enough_when_both_are_restricted() {
    // Friday 13 November 2026; the next Friday is the 20th.
    let after = "2026-11-12T12:00:00Z";
    assert_eq!(
        runs("0 0 14,30 * fri", "UTC", after, 4),
        [
            "11-13 00:00+00",
            "11-14 00:00+00",
            "11-20 00:00+00",
            "11-27 00:00+00"
        ]
    );
    // A field with a star narrows the days down instead of adding some.
    assert_eq!(
        runs("0 0 */13 * fri", "UTC", after, 1),
        ["11-27 00:00+00"],
        "1, 14, 27 when it is Friday"
    );
}

#[test]
fn nicknames_are_read() {
    let after = "2026-11-23T10:20:00Z";
    for (nickname, next) in [
        ("@hourly", "2026-11-23T11:00:00Z"),
        ("@daily", "2026-11-24T00:00:00Z"),
        ("@midnight", "2026-11-24T00:00:00Z"),
        ("@weekly", "2026-11-29T00:00:00Z"),
        ("@monthly", "2026-12-01T00:00:00Z"),
        ("@YEARLY", "2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(
            schedule(nickname, "UTC").next_after(at(after)),
            Some(at(next)),
            "{nickname}"
        );
    }
}

#[test]
fn daily_job_in_a_skipped_hour_runs_right_after_it() {
    // Paris skips from 02:00 to 03:00 on 29 March 2026.
    assert_eq!(
        runs("30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00Z", 2),
        ["03-29 03:00+02", "03-30 02:30+02"]
    );
    assert_eq!(
        runs("30 2,14 * * *", "Europe/Paris", "2026-03-28T20:00:00Z", 2),
        ["03-29 03:00+02", "03-29 14:30+02"]
    );
    // Lord Howe skips half an hour.
    assert_eq!(
        runs(
            "10 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            1
        ),
        ["10-04 02:30+11"]
    );
}

#[test]
fn daily_job_in_a_repeated_hour_runs_once() {
    // Paris goes back from 03:00 to 02:00 on 25 October 2026.
    assert_eq!(
        runs("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2),
        ["10-25 02:30+02", "10-26 02:30+01"]
    );
    let second_half = "2026-10-25T01:10:00Z";
    assert_eq!(
        runs("30 2 * * *", "Europe/Paris", second_half, 1),
        ["10-26 02:30+01"]
    );
}

#[test]
fn interval_goes_on_through_both_halves_of_a_repeated_hour() {
    assert_eq!(
        runs("*/30 * * * *", "Europe/Paris", "2026-10-24T23:50:00Z", 6),
        [
            "10-25 02:00+02",
            "10-25 02:30+02",
            "10-25 02:00+01",
            "10-25 02:30+01",
            "10-25 03:00+01",
            "10-25 03:30+01"
        ]
    );
    assert_eq!(
        runs("5 * * * *", "Europe/Paris", "2026-03-29T00:00:00Z", 2),
        ["03-29 01:05+01", "03-29 03:05+02"]
    );
}

#[test]
fn skipped_day_does_not_stop_the_search() {
    // Apia skipped 30 December 2011.
    assert_eq!(
        runs("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", 1),
        ["12-31 00:00+14"]
    );
}

#[test]
fn schedules_that_never_come_due_are_refused() {
    for expression in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        let error = CronSchedule::parse(expression, Tz::UTC).unwrap_err();
        assert!(error.to_string().contains("never"), "{error}");
    }
    // A leap day does come, even if rarely; with a weekday in the expression, impossible dates do not matter.
    assert_eq!(
        runs("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1),
        ["02-29 00:00+00"]
    );
    assert!(CronSchedule::parse("0 0 31 2 mon", Tz::UTC).is_ok());
}

#[test]
fn what_is_no_schedule_is_refused_with_what_was_expected() {
    for (expression, message) in [
        ("", "has 0"),
        ("* * * *", "has 4"),
        ("0 */15 * * * *", "has 6"),
        (
            "60 * * * *",
            "minute: \"60\" is not known; expected 0 to 59",
        ),
        ("* 24 * * *", "hour: \"24\""),
        ("* * 0 * *", "day of month: \"0\""),
        ("* * * 13 *", "month: \"13\""),
        ("* * * * 8", "day of week: \"8\""),
        ("* * * * mondays", "a name such as sun"),
        ("* * * janu *", "a name such as jan"),
        ("*/0 * * * *", "bad step in \"*/0\"; expected 1 to 60"),
        ("*/90 * * * *", "bad step"),
        ("*/+5 * * * *", "bad step"),
        ("5/15 * * * *", "has a step but no range"),
        ("* 22-6 * * *", "runs backwards"),
        ("1,,2 * * * *", "minute: \"\""),
        ("* * L * *", "day of month: \"L\""),
        ("* * * * 1#2", "day of week"),
        ("? * * * *", "minute"),
        ("@reboot", "expected @hourly"),
        ("@every 15m", "expected @hourly"),
    ] {
        let error = CronSchedule::parse(expression, Tz::UTC).expect_err(expression);
        let text = error.to_string();
        assert!(text.contains(message), "{expression}: {text}");
    }
}

#[test]
fn schedules_are_described() {
    for (expression, description) in [
        (
            "*/15 6-23 * * 1-5",
            "every 15 minutes from 06:00 to 23:59, Monday to Friday",
        ),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour"),
        ("@daily", "at 00:00"),
        ("0 */2 * * *", "every 2 hours"),
        ("0 9 * * 1", "at 09:00, Monday"),
        ("30 9,17 1 * *", "at 09:30 and 17:30, on day 1 of the month"),
        ("7,37 * * * *", "at minute 7 and 37 of every hour"),
        (
            "0 0 13 * fri",
            "at 00:00, on day 13 of the month or on Friday",
        ),
        (
            "0 0 */2 * fri",
            "at 00:00, on day 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29 and 31 of the month when it is Friday",
        ),
        ("0 6 * jun-aug *", "at 06:00 in June to August"),
    ] {
        assert_eq!(schedule(expression, "UTC").describe(), description);
    }
    assert_eq!(
        schedule("0 9 * * 1", "Europe/Paris").describe(),
        "at 09:00, Monday (Europe/Paris)"
    );
}

/// Compares with the crate `croner`, over 2026 in seven zones. The two agree wherever their policies do: `croner`
/// treats a job as fixed only if it has a single time of day.
#[test]
fn a_year_of_seven_zones_agrees_with_croner() {
    let start = at("2026-01-01T00:00:30Z");
    let end = at("2027-01-01T00:00:00Z");
    let mut asked = 0_u32;
    for zone in [
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Pacific/Apia",
        "Africa/Casablanca",
    ] {
        let tz: Tz = zone.parse().unwrap();
        for (expression, step_minutes) in [
            ("*/15 * * * *", 139),
            ("0 * * * *", 139),
            ("7,37 * * * *", 139),
            ("*/15 6-22 * * *", 139),
            ("*/20 1-3 * * *", 139),
            ("30 1 * * *", 397),
            ("15 2 * * *", 397),
            ("0 2 * * *", 397),
            ("0 9 * * 1", 997),
            ("0 0 1,15 * fri", 997),
            ("0 12 29 2 *", 99_997),
        ] {
            let ours = CronSchedule::parse(expression, tz).unwrap();
            let theirs: croner::Cron = expression.parse().unwrap();
            let mut now = start;
            while now < end {
                let next = ours.next_after(now).unwrap();
                assert!(next > now, "{zone} {expression} {now}: in the past");
                let expected = theirs
                    .find_next_occurrence(&now.to_chrono().with_timezone(&tz), false)
                    .unwrap();
                assert_eq!(
                    next,
                    Timestamp::from(expected),
                    "{zone} {expression} after {now}"
                );
                asked += 1;
                now = now + std::time::Duration::from_mins(step_minutes);
            }
            // And around the changes of the clock, where bugs are likely.
            for day in [
                "03-08", "03-22", "03-29", "02-15", "04-05", "10-04", "10-25", "11-01",
            ] {
                let mut now =
                    at(&format!("2026-{day}T00:00:17Z")) - std::time::Duration::from_hours(24);
                for _ in 0..144 {
                    let next = ours.next_after(now).unwrap();
                    assert!(next > now, "{zone} {expression} {now}: in the past");
                    let expected = theirs
                        .find_next_occurrence(&now.to_chrono().with_timezone(&tz), false)
                        .unwrap();
                    assert_eq!(
                        next,
                        Timestamp::from(expected),
                        "{zone} {expression} after {now}"
                    );
                    asked += 1;
                    now = now + std::time::Duration::from_mins(20);
                }
            }
        }
    }
    assert!(asked > 100_000, "{asked}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken(text in proptest::prelude::any::<String>()) {
        let _ = CronSchedule::parse(&text, Tz::UTC);
    }

    #[test]
    fn next_is_after_now_whatever_the_field(
        fields in "[0-9*]{1,2}(/[1-9])? [0-9*]{1,2}(-2[0-3])? [1-9*] [1-9*] [0-7*](,[0-7])?",
        ms in 0_i64..3_000_000_000_000,
        zone in 0_usize..chrono_tz::TZ_VARIANTS.len(),
    ) {
        if let Ok(schedule) = CronSchedule::parse(&fields, chrono_tz::TZ_VARIANTS[zone]) {
            let now = Timestamp::from_millis(ms);
            if let Some(next) = schedule.next_after(now) {
                proptest::prop_assert!(next > now);
            }
        }
    }
}
