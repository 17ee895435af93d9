use super::*;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_hours(1);
const QUARTER: Duration = Duration::from_mins(15);

fn every(interval: Duration) -> Plan {
    Plan {
        every: Every::Interval(interval),
        jitter: 0.1,
    }
}

fn cron(expression: &str) -> Plan {
    let schedule = CronSchedule::parse(expression, chrono_tz::Tz::UTC).unwrap();
    Plan {
        every: Every::Cron(Arc::new(schedule)),
        jitter: 0.1,
    }
}

/// A Monday.
fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:07:00Z").unwrap()
}

fn wait(plan: &Plan, result: PollResult, hints: Hints, failures: u32, jitter: f64) -> Duration {
    let next = next_poll(plan, now(), result, &hints, failures, jitter);
    next.at.unwrap().since(now())
}

fn ok(plan: &Plan, hints: Hints, jitter: f64) -> Duration {
    wait(plan, PollResult::Ok, hints, 0, jitter)
}

#[test]
fn interval_is_scattered_around_what_was_asked() {
    let plan = every(QUARTER);
    for (jitter, seconds) in [(0.0, 855), (0.5, 900), (1.0, 945)] {
        let waited = ok(&plan, Hints::default(), jitter);
        assert_eq!(waited.as_secs(), seconds);
    }
    let next = next_poll(&plan, now(), PollResult::Ok, &Hints::default(), 0, 0.5);
    assert_eq!(next.why, "every 15m");
}

#[test]
fn publisher_can_only_make_it_later_and_by_a_day_at_most() {
    let plan = every(QUARTER);
    let max_age = |seconds| Hints {
        max_age: Some(Duration::from_secs(seconds)),
        ..Hints::default()
    };
    assert_eq!(ok(&plan, max_age(60), 0.5), QUARTER);
    assert_eq!(
        ok(&plan, max_age(900), 0.0),
        QUARTER,
        "jitter undercuts no max-age"
    );
    assert_eq!(ok(&plan, max_age(3600), 0.0), HOUR);
    assert_eq!(ok(&plan, max_age(31_536_000), 1.0), LONGEST_HINT);
    let next = next_poll(&plan, now(), PollResult::Ok, &max_age(3600), 0, 0.0);
    assert_eq!(next.why, "publisher asks for 1h (max-age)");
    let rarely = every(LONGEST_HINT * 3);
    assert_eq!(ok(&rarely, max_age(3600), 0.5), LONGEST_HINT * 3);
}

#[test]
fn longest_of_several_wishes_counts() {
    let hints = Hints {
        max_age: Some(HOUR),
        ttl: Some(HOUR * 2),
        ..Hints::default()
    };
    assert_eq!(ok(&every(QUARTER), hints, 0.0), HOUR * 2);
}

#[test]
fn retry_after_is_obeyed_for_a_week_at_most() {
    let plan = every(QUARTER);
    let hints = |wait| Hints {
        retry_after: Some(wait),
        max_age: Some(Duration::MAX),
        ..Hints::default()
    };
    assert_eq!(wait(&plan, PollResult::Busy, hints(HOUR), 1, 0.0), HOUR);
    assert_eq!(
        wait(&plan, PollResult::Busy, hints(HOUR * 48), 1, 0.0),
        HOUR * 48
    );
    assert_eq!(
        wait(&plan, PollResult::Busy, hints(Duration::MAX), 1, 1.0),
        LONGEST_RETRY_AFTER
    );
    let next = next_poll(&plan, now(), PollResult::Busy, &hints(HOUR), 1, 0.0);
    assert_eq!(next.why, "server asks for 1h (Retry-After)");
}

#[test]
fn failures_make_it_ever_later() {
    let plan = every(QUARTER);
    let waits: Vec<u64> = (1..=9)
        .map(|failures| wait(&plan, PollResult::Failed, Hints::default(), failures, 0.0))
        .map(|wait| wait.as_secs() / 60)
        .collect();
    assert_eq!(waits[1..], [30, 60, 120, 240, 480, 960, 1440, 1440]);
    let next = next_poll(&plan, now(), PollResult::Failed, &Hints::default(), 3, 0.0);
    assert_eq!(next.why, "3 failures in a row");
}

#[test]
fn gone_is_never() {
    let next = next_poll(
        &every(HOUR),
        now(),
        PollResult::Gone,
        &Hints::default(),
        1,
        0.5,
    );
    assert_eq!(next.at, None);
}

#[test]
fn cron_runs_on_its_times_and_never_far_from_them() {
    let daily = cron("0 12 * * *");
    let to_noon = Duration::from_mins(113);
    assert_eq!(ok(&daily, Hints::default(), 0.0), to_noon);
    assert_eq!(
        ok(&daily, Hints::default(), 1.0),
        to_noon + LONGEST_CRON_JITTER
    );
    let often = cron("*/5 * * * *");
    assert_eq!(ok(&often, Hints::default(), 1.0).as_secs(), 180 + 30);
}

#[test]
fn cron_waits_for_the_run_after_what_is_asked() {
    let hourly = cron("0 * * * *");
    let asked = |wait| Hints {
        max_age: Some(wait),
        ..Hints::default()
    };
    let to_full_hour = Duration::from_mins(53);
    assert_eq!(ok(&hourly, asked(to_full_hour), 0.0), to_full_hour);
    assert_eq!(ok(&hourly, asked(HOUR), 0.0), to_full_hour + HOUR);
    let failed = wait(&hourly, PollResult::Failed, Hints::default(), 3, 0.0);
    assert_eq!(failed, to_full_hour + HOUR * 4);
}

#[test]
fn skipped_hours_and_days_are_skipped() {
    let plan = every(HOUR);
    let hints = Hints {
        // 11 and 12 o'clock.
        skip_hours: 0b11 << 11,
        ..Hints::default()
    };
    let next = next_poll(&plan, now(), PollResult::Ok, &hints, 0, 0.0);
    let at = next.at.unwrap().to_string();
    assert_eq!(at, "2026-11-23T13:00:00Z");
    assert!(next.why.contains("skip"), "{}", next.why);
    let weekdays_off = Hints {
        skip_days: 0b001_1111,
        ..Hints::default()
    };
    let next = next_poll(&plan, now(), PollResult::Ok, &weekdays_off, 0, 0.0);
    assert_eq!(next.at.unwrap().to_string(), "2026-11-28T00:00:00Z");
    let everything_off = Hints {
        skip_hours: u32::MAX,
        skip_days: u8::MAX,
        ..Hints::default()
    };
    assert_eq!(ok(&plan, everything_off, 0.5), HOUR);
}

#[test]
fn night_off_makes_no_burst() {
    let plan = every(HOUR);
    let feeds = 10_000_u64;
    let away = HOUR * 12;
    let mut per_minute = [0_u32; 60];
    for number in 0..feeds {
        let address = format!("https://news.example/{number}/rss.xml");
        let due = now() - away + spread(&address, HOUR);
        let at = catch_up(&plan, &address, Some(due), now(), away);
        assert!(at >= now() && at.since(now()) < HOUR);
        per_minute[usize::try_from(at.since(now()).as_secs() / 60).unwrap()] += 1;
    }
    let steady = u32::try_from(feeds / 60).unwrap();
    let busiest = per_minute.iter().max().unwrap();
    assert!(*busiest <= steady * 2, "{busiest} of {steady}");
}

#[test]
fn short_restart_is_caught_up_at_once() {
    let plan = every(HOUR);
    let away = Duration::from_secs(10);
    let at = catch_up(&plan, "https://a.example/", Some(now()), now(), away);
    assert!(at.since(now()) <= away);
    let later = now() + QUARTER;
    assert_eq!(
        catch_up(&plan, "https://a.example/", Some(later), now(), away),
        later
    );
    let absurd = now() + HOUR * 100_000;
    let at = catch_up(&plan, "https://a.example/", Some(absurd), now(), away);
    assert_eq!(at, now() + LONGEST_RETRY_AFTER);
}

proptest! {
    #[test]
    fn next_poll_is_ahead_and_within_bounds(
        interval_ms in 1_u64..1_000_000_000,
        by_cron in any::<bool>(),
        share in -0.5..1.5,
        jitter in any::<f64>(),
        result in prop_oneof![Just(PollResult::Ok), Just(PollResult::Failed), Just(PollResult::Busy)],
        max_age in proptest::option::of(any::<u64>()),
        retry_after in proptest::option::of(any::<u64>()),
        failures in any::<u32>(),
        skip_hours in any::<u32>(),
        skip_days in any::<u8>(),
        at in 0_i64..4_000_000_000_000,
    ) {
        let mut plan = if by_cron { cron("*/20 6-22 * * *") } else { every(Duration::from_millis(interval_ms)) };
        plan.jitter = share;
        let now = Timestamp::from_millis(at);
        let hints = Hints {
            max_age: max_age.map(Duration::from_secs),
            ttl: None,
            retry_after: retry_after.map(Duration::from_secs),
            skip_hours,
            skip_days,
        };
        let next = next_poll(&plan, now, result, &hints, failures, jitter).at.unwrap();
        prop_assert!(next > now);
        let usual = plan.usual_gap(now);
        let most = (LONGEST_RETRY_AFTER.max(usual) * 2) + HOUR * (24 * 8);
        prop_assert!(next.since(now) <= most);
        if let Some(asked) = retry_after {
            prop_assert!(next.since(now) >= Duration::from_secs(asked).min(LONGEST_RETRY_AFTER));
        }
        if let (Some(asked), PollResult::Ok) = (max_age, result) {
            prop_assert!(next.since(now) >= Duration::from_secs(asked).min(LONGEST_HINT));
        }
    }
}
