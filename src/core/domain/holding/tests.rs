use proptest::prelude::*;

use super::*;
use crate::domain::event::{EventData, SCHEMA_VERSION};

const ZONES: [Tz; 3] = [
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn local(at: Timestamp, tz: Tz) -> chrono::NaiveDateTime {
    at.to_chrono().with_timezone(&tz).naive_local()
}

fn event(kind: EventKind) -> Event {
    Event {
        kind,
        timestamp: Timestamp::from_millis(0),
        schema_version: SCHEMA_VERSION,
        data: EventData::default(),
    }
}

#[test]
fn plans_are_read_and_mistakes_are_named() {
    for text in ["15m", "1h", "daily 07:00", "mon 7:00", "mon-fri 18:30"] {
        let plan = DigestPlan::parse(text, Tz::UTC).unwrap();
        assert_eq!(DigestPlan::parse(&plan.text(), Tz::UTC), Ok(plan), "{text}");
    }
    for text in [
        "",
        "7:00",
        "daily",
        "daily 24:00",
        "daily 7",
        "never 07:00",
        "1s",
        "2d",
        "1 1 07:00",
        "daily +7:00",
    ] {
        let error = DigestPlan::parse(text, Tz::UTC).unwrap_err();
        assert!(error.starts_with("expected"), "{text}: {error}");
    }
    for text in ["22:00", "22:00-22:00", "22-7", "22:00-25:00", "a-b"] {
        assert!(QuietHours::parse(text, Tz::UTC).is_err(), "{text}");
    }
}

/// A year of digests, every quarter of an hour, with both DST changes: exactly one for each date.
#[test]
fn a_daily_digest_comes_once_on_every_date_in_three_zones() {
    for tz in ZONES {
        for quarter in (0..16).chain([28, 72, 95]) {
            let time = format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
            let plan = DigestPlan::parse(&format!("daily {time}"), tz).unwrap();
            let mut now = at("2026-01-01T12:00:00Z");
            let mut last = None;
            for _ in 0..370 {
                now = plan.due(now);
                let date = local(now, tz).date();
                if let Some(last) = last {
                    assert_eq!(
                        Some(date),
                        chrono::NaiveDate::succ_opt(&last),
                        "{tz} {time}"
                    );
                }
                last = Some(date);
            }
        }
    }
}

/// Every quarter of an hour on the days around both DST changes: quiet hours follow the local clock, and end once a
/// day.
#[test]
fn quiet_hours_end_once_a_day_through_both_changes() {
    let spans = [
        "22:00-07:00",
        "01:45-02:15",
        "02:15-02:45",
        "02:50-02:10",
        "00:00-03:00",
        "12:00-13:00",
    ];
    for tz in ZONES {
        for span in spans {
            let quiet = QuietHours::parse(span, tz).unwrap();
            let mut now = at("2026-01-01T12:00:00Z");
            let mut ends = std::collections::BTreeSet::new();
            let end = at("2027-01-01T12:00:00Z");
            while now < end {
                if let Some(until) = quiet.until(now) {
                    assert!(
                        until > now && until.since(now) <= Duration::from_hours(25),
                        "{tz} {span} {now}"
                    );
                    // Each end is counted once.
                    ends.insert(until);
                }
                now = now + Duration::from_mins(15);
            }
            let dates: std::collections::BTreeSet<_> =
                ends.iter().map(|end| local(*end, tz).date()).collect();
            assert_eq!(dates.len(), ends.len(), "{tz} {span}: two on a date");
            // If the DST change skips all of its quiet hours, that day has none.
            assert!(ends.len() >= 364, "{tz} {span}: {}", ends.len());
        }
    }
}

#[test]
fn quiet_hours_through_the_hour_that_comes_twice() {
    let quiet = QuietHours::parse("22:00-02:30", Tz::Europe__Berlin).unwrap();
    // 2026-10-25: 02:00 to 03:00 comes twice, 00:00Z and 01:00Z.
    assert_eq!(
        quiet.until(at("2026-10-25T00:15:00Z")),
        Some(at("2026-10-25T00:30:00Z"))
    );
    assert_eq!(
        quiet.until(at("2026-10-25T01:15:00Z")),
        None,
        "they are over"
    );
    // 2026-03-29: 02:00 to 03:00 is skipped.
    assert_eq!(
        quiet.until(at("2026-03-29T00:30:00Z")),
        Some(at("2026-03-29T01:00:00Z"))
    );
}

#[test]
fn what_becomes_of_an_event() {
    let revised = event(EventKind::EntryRevised);
    let removed = event(EventKind::EntryRemoved);
    let night = at("2026-12-01T23:00:00Z");
    let noon = at("2026-12-01T12:00:00Z");
    let later = at("2026-12-01T12:40:00Z");
    let morning = at("2026-12-02T07:00:00Z");
    let mut holding = Holding {
        quiet: QuietHours::parse("22:00-07:00", Tz::UTC).ok(),
        urgent: vec![Urgent::Event("entry.removed".into())],
        ..Holding::default()
    };
    assert_eq!(
        holding.turn(&revised, night, false, None),
        TurnDecision::Gather(morning)
    );
    assert_eq!(
        holding.turn(&removed, night, false, None),
        TurnDecision::Send
    );
    assert_eq!(
        holding.turn(&revised, noon, false, None),
        TurnDecision::Send
    );
    assert_eq!(
        holding.turn(&removed, noon, false, Some(later)),
        TurnDecision::Gather(later),
        "the limit holds for all"
    );
    assert_eq!(
        holding.turn(&event(EventKind::DigestReady), night, false, None),
        TurnDecision::Wait(morning)
    );
    assert_eq!(
        holding.turn(&event(EventKind::DigestReady), noon, false, Some(later)),
        TurnDecision::Wait(later)
    );
    assert_eq!(
        holding.turn(&revised, night, true, None),
        TurnDecision::Wait(morning),
        "it has an id by now"
    );
    assert_eq!(
        holding.turn(&revised, noon, true, Some(later)),
        TurnDecision::Wait(later)
    );
    assert_eq!(holding.digest_waits(noon, Some(noon)), None);
    assert_eq!(holding.digest_waits(noon, Some(later)), Some(later));
    assert_eq!(holding.digest_waits(night, None), Some(morning));
    assert_eq!(holding.latest(noon), noon, "without a digest, at once");
    assert_eq!(holding.latest(night), morning);
    holding.digest = DigestPlan::parse("1h", Tz::UTC).ok();
    assert_eq!(holding.latest(noon), at("2026-12-01T13:00:00Z"));
    assert_eq!(
        holding.turn(&revised, noon, true, None),
        TurnDecision::Send,
        "it has been sent by itself before"
    );
    assert_eq!(
        holding.turn(&revised, noon, false, None),
        TurnDecision::Gather(at("2026-12-01T13:00:00Z"))
    );
    let evening = at("2026-12-01T21:30:00Z");
    assert_eq!(
        holding.turn(&revised, evening, false, None),
        TurnDecision::Gather(morning),
        "not at night"
    );
    assert_eq!(holding.empty_due(noon), None);
    holding.send_empty = true;
    assert_eq!(holding.empty_due(noon), Some(at("2026-12-01T13:00:00Z")));
}

proptest! {
    /// Every wait ends, nothing is sent in quiet hours, and equal values give equal results.
    #[test]
    fn a_digest_is_due_later_and_never_in_quiet_hours(
        zone in 0usize..3,
        minutes in 0i64..(2 * 366 * 24 * 60),
        plan in prop_oneof![Just("15m"), Just("daily 02:30"), Just("sun 02:15"), Just("mon-fri 07:00")],
        start in 0u32..96,
        length in 1u32..95,
    ) {
        let tz = ZONES[zone];
        let now = at("2026-01-01T00:00:00Z") + Duration::from_mins(u64::try_from(minutes).unwrap());
        let time = |quarter: u32| format!("{:02}:{:02}", quarter % 96 / 4, quarter % 4 * 15);
        let holding = Holding {
            digest: DigestPlan::parse(plan, tz).ok(),
            quiet: QuietHours::parse(&format!("{}-{}", time(start), time(start + length)), tz).ok(),
            ..Holding::default()
        };
        prop_assert!(holding.digest.is_some() && holding.quiet.is_some());
        let TurnDecision::Gather(due) = holding.turn(&event(EventKind::EntryRevised), now, false, None) else {
            panic!("every event is gathered");
        };
        prop_assert!(due > now && due.since(now) <= Duration::from_hours(24 * 9));
        prop_assert_eq!(holding.turn(&event(EventKind::DigestReady), due, false, None), TurnDecision::Send);
    }
}
