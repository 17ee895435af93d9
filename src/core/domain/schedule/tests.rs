use super::*;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_hours(1);
const QUARTER: Duration = Duration::from_mins(15);

fn every(interval: Duration) -> Plan {
    Plan {
        every: Every::Interval(interval),
        ..cron("@daily")
    }
}

fn cron(expression: &str) -> Plan {
    let schedule = CronSchedule::parse(expression, chrono_tz::Tz::UTC).unwrap();
    Plan {
        every: Every::Cron(Arc::new(schedule)),
        jitter: 0.1,
        slowest: None,
        unconditional: None,
        longest_hint: LONGEST_HINT,
    }
}

/// A Monday.
fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:07:00Z").unwrap()
}

fn wait(plan: &Plan, result: PollEnd, hints: Hints, failures: u32, jitter: f64) -> Duration {
    let next = next_poll(plan, now(), result, &hints, failures, jitter);
    next.at.unwrap().since(now())
}

fn ok(plan: &Plan, hints: Hints, jitter: f64) -> Duration {
    wait(plan, PollEnd::Ok, hints, 0, jitter)
}

#[test]
fn interval_is_scattered_around_what_was_asked() {
    let plan = every(QUARTER);
    for (jitter, seconds) in [(0.0, 855), (0.5, 900), (1.0, 945)] {
        let waited = ok(&plan, Hints::default(), jitter);
        assert_eq!(waited.as_secs(), seconds);
    }
    let next = next_poll(&plan, now(), PollEnd::Ok, &Hints::default(), 0, 0.5);
    assert_eq!(next.why, "every 15m");
}

#[test]
fn publisher_can_only_make_it_later_and_by_a_week_at_most() {
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
    let next = next_poll(&plan, now(), PollEnd::Ok, &max_age(3600), 0, 0.0);
    assert_eq!(next.why, "publisher asks for 1h (max-age)");
    let impatient = Plan {
        longest_hint: HOUR,
        ..plan.clone()
    };
    assert_eq!(ok(&impatient, max_age(31_536_000), 1.0), HOUR);
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
    assert_eq!(wait(&plan, PollEnd::Busy, hints(HOUR), 1, 0.0), HOUR);
    assert_eq!(
        wait(&plan, PollEnd::Busy, hints(HOUR * 48), 1, 0.0),
        HOUR * 48
    );
    assert_eq!(
        wait(&plan, PollEnd::Busy, hints(Duration::MAX), 1, 1.0),
        LONGEST_RETRY_AFTER
    );
    let next = next_poll(&plan, now(), PollEnd::Busy, &hints(HOUR), 1, 0.0);
    assert_eq!(next.why, "server asks for 1h (Retry-After)");
}

#[test]
fn failures_make_it_ever_later() {
    let plan = every(QUARTER);
    let waits: Vec<u64> = (1..=9)
        .map(|failures| wait(&plan, PollEnd::Failed, Hints::default(), failures, 0.0))
        .map(|wait| wait.as_secs() / 60)
        .collect();
    assert_eq!(waits[1..], [30, 60, 120, 240, 480, 960, 1440, 1440]);
    let next = next_poll(&plan, now(), PollEnd::Failed, &Hints::default(), 3, 0.0);
    assert_eq!(next.why, "3 failures in a row");
}

#[test]
fn gone_is_never() {
    let next = next_poll(
        &every(HOUR),
        now(),
        PollEnd::Gone,
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
    let failed = wait(&hourly, PollEnd::Failed, Hints::default(), 3, 0.0);
    assert_eq!(failed, to_full_hour + HOUR * 4);
}

#[test]
fn a_wish_as_long_as_the_gap_leaves_out_no_run() {
    let minute = Duration::from_mins(1);
    for (expression, gap, took) in [
        ("* * * * *", minute, 2),
        ("@hourly", HOUR, 170),
        ("@daily", HOUR * 24, 290),
    ] {
        let (plan, took) = (cron(expression), Duration::from_secs(took));
        let run = Timestamp::parse_rfc3339("2026-11-23T00:00:00Z").unwrap();
        let asked = Hints {
            ttl: Some(gap),
            ..Hints::default()
        };
        // The poll ends shortly after its run.
        let next = next_poll(&plan, run + took, PollEnd::Ok, &asked, 0, 0.5);
        assert_eq!(next.at, Some(run + took + gap), "{expression}");
        assert_eq!(next.why, plan.describe());
        // If it ends much later, one run is skipped.
        let late = run + gap / 5;
        let next = next_poll(&plan, late, PollEnd::Ok, &asked, 0, 0.0);
        assert_eq!(next.at, Some(run + gap * 2), "{expression}");
    }
}

#[test]
fn skipped_hours_and_days_are_skipped() {
    let plan = every(HOUR);
    let hints = Hints {
        // 11:00 to 13:00.
        skip_hours: 0b11 << 11,
        ..Hints::default()
    };
    let next = next_poll(&plan, now(), PollEnd::Ok, &hints, 0, 0.0);
    let at = next.at.unwrap().to_string();
    assert_eq!(at, "2026-11-23T13:00:00Z");
    assert!(next.why.contains("skip"), "{}", next.why);
    let weekdays_off = Hints {
        skip_days: 0b001_1111,
        ..Hints::default()
    };
    let next = next_poll(&plan, now(), PollEnd::Ok, &weekdays_off, 0, 0.0);
    assert_eq!(next.at.unwrap().to_string(), "2026-11-28T00:00:00Z");
    let everything_off = Hints {
        skip_hours: u32::MAX,
        skip_days: u8::MAX,
        ..Hints::default()
    };
    assert_eq!(ok(&plan, everything_off, 0.5), HOUR);
}

/// A feed that was last polled one interval before it came due.
fn scheduled(due: Timestamp, interval: Duration) -> Scheduled {
    Scheduled {
        due: Some(due),
        last_poll: Some(due - interval),
        not_before: None,
    }
}

#[test]
fn night_off_makes_no_burst() {
    let plan = every(QUARTER);
    let feeds = 10_000_u64;
    let away = HOUR * 12;
    // The interval that the feeds had adapted to, an hour, counts.
    let mut per_minute = [0_u32; 60];
    for number in 0..feeds {
        let address = format!("https://news.example/{number}/rss.xml");
        let due = now() - away + spread(&address, HOUR);
        let at = catch_up(&plan, &address, &scheduled(due, HOUR), now(), away).unwrap();
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
    let address = "https://a.example/";
    let after = |was: &Scheduled| catch_up(&plan, address, was, now(), away);
    let at = after(&scheduled(now(), HOUR)).unwrap();
    assert!(at.since(now()) <= away);
    assert_eq!(after(&scheduled(now() + QUARTER, HOUR)), None);
    let new = Scheduled {
        due: Some(now()),
        ..Scheduled::default()
    };
    assert_eq!(after(&new), None, "a new feed waits for nobody");
    assert_eq!(after(&Scheduled::default()), None);
}

#[test]
fn a_clock_that_was_put_back_silences_nobody() {
    let plan = every(HOUR);
    let ahead = now() + HOUR * 100_000;
    let after = |was: &Scheduled| {
        let at = catch_up(&plan, "https://a.example/", was, now(), HOUR);
        at.map(|at| at.since(now()))
    };
    assert_eq!(after(&scheduled(ahead, HOUR)), Some(HOUR));
    assert_eq!(
        after(&scheduled(ahead, HOUR * 50_000)),
        Some(LONGEST_RETRY_AFTER)
    );
    let never_polled = Scheduled {
        due: Some(ahead),
        ..Scheduled::default()
    };
    assert_eq!(after(&never_polled), Some(LONGEST_RETRY_AFTER * 2));
}

#[test]
fn another_plan_counts_from_the_last_poll() {
    let address = "https://a.example/";
    let was = scheduled(now() + HOUR * 20, HOUR * 24);
    let at = |plan: &Plan, was: &Scheduled| replan(plan, address, was, None, now()).at.unwrap();
    assert_eq!(at(&every(HOUR * 6), &was), now() + HOUR * 2);
    assert_eq!(at(&every(HOUR * 48), &was), now() + HOUR * 44);
    let overdue = at(&every(QUARTER), &was);
    assert!(overdue >= now() && overdue.since(now()) <= QUARTER);
    let asked = Scheduled {
        not_before: Some(now() + HOUR),
        ..was
    };
    assert_eq!(at(&every(QUARTER), &asked), now() + HOUR, "Retry-After");
    assert_eq!(
        at(&cron("0 12 * * *"), &was),
        now() + Duration::from_mins(113)
    );
    assert_eq!(
        at(&every(HOUR), &Scheduled::default()),
        now(),
        "never polled"
    );
    assert_eq!(
        replan(&every(HOUR), address, &was, None, now()).why,
        "every 1h"
    );
}

#[test]
fn what_costs_the_server_the_whole_feed_is_polled_less_often() {
    let day = HOUR * 24;
    let plan = Plan {
        unconditional: Some(day),
        ..every(QUARTER)
    };
    let whole = Hints {
        unconditional: true,
        ..Hints::default()
    };
    assert_eq!(ok(&plan, whole, 0.0), day);
    assert_eq!(ok(&every(QUARTER), whole, 0.5), QUARTER);
    assert_eq!(ok(&plan, Hints::default(), 0.5), QUARTER);
    assert_eq!(wait(&plan, PollEnd::Failed, whole, 1, 0.0), QUARTER);
    let next = next_poll(&plan, now(), PollEnd::Ok, &whole, 0, 0.0);
    assert_eq!(
        next.why,
        "every 1d: the server sends no ETag or Last-Modified"
    );
    assert_eq!(next.not_before, Some(now() + day));
}

#[test]
fn a_feed_that_seldom_brings_something_is_asked_more_seldom() {
    let plan = Plan {
        slowest: Some(HOUR),
        ..every(QUARTER)
    };
    let brings = |gap: Duration, age: Duration| Hints {
        rhythm: Some(Rhythm {
            gap,
            newest: now() - age,
        }),
        ..Hints::default()
    };
    let minute = Duration::from_mins(1);
    assert_eq!(ok(&plan, brings(minute, minute), 0.5), QUARTER);
    assert_eq!(ok(&plan, brings(HOUR * 2, HOUR), 0.5), HOUR / 2);
    assert_eq!(ok(&plan, brings(minute, HOUR * 3), 0.5), HOUR * 3 / 4);
    assert_eq!(ok(&plan, brings(HOUR * 30, HOUR * 300), 0.5), HOUR);
    assert_eq!(
        ok(&every(QUARTER), brings(HOUR * 30, HOUR), 0.5),
        QUARTER,
        "the operator has named a rhythm"
    );
    let asked = Hints {
        ttl: Some(HOUR * 2),
        ..brings(HOUR * 2, HOUR)
    };
    assert_eq!(ok(&plan, asked, 0.0), HOUR * 2);
    let next = next_poll(&plan, now(), PollEnd::Ok, &brings(HOUR * 2, HOUR), 0, 0.5);
    assert_eq!(next.why, "every 30m: the feed rarely has something new");
}

proptest! {
    #[test]
    fn next_poll_is_ahead_and_within_bounds(
        interval_ms in 1_u64..1_000_000_000,
        by_cron in any::<bool>(),
        share in -0.5..1.5,
        jitter in any::<f64>(),
        result in prop_oneof![Just(PollEnd::Ok), Just(PollEnd::Failed), Just(PollEnd::Busy)],
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
            ..Hints::default()
        };
        let next = next_poll(&plan, now, result, &hints, failures, jitter).at.unwrap();
        prop_assert!(next > now);
        let usual = plan.usual_gap(now);
        let most = (LONGEST_RETRY_AFTER.max(usual) * 2) + HOUR * (24 * 8);
        prop_assert!(next.since(now) <= most);
        if let Some(asked) = retry_after {
            prop_assert!(next.since(now) >= Duration::from_secs(asked).min(LONGEST_RETRY_AFTER));
        }
        if let (Some(asked), PollEnd::Ok) = (max_age, result) {
            prop_assert!(next.since(now) >= Duration::from_secs(asked).min(LONGEST_HINT));
        }
    }
}
