use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::domain::ids::{DeliveryId, EventId};

const LEASE: Duration = Duration::from_mins(1);

fn lease(bench: &Bench, now: Timestamp) -> Vec<LeasedDelivery> {
    bench
        .writer()
        .lease_due(now, LEASE, 100)
        .blocking()
        .unwrap()
}

fn record(bench: &Bench, delivery: DeliveryId, when: Timestamp, next: Next) -> bool {
    let record = AttemptRecord {
        at: when,
        status: Some(503),
        refused: false,
        post: None,
        duration_ms: 12,
        error: Some("503 Service Unavailable".into()),
    };
    bench
        .writer()
        .record_attempt(delivery, record, next)
        .blocking()
        .unwrap()
}

/// A bench with an entry that has `count` changes, queued for `desk`.
fn with_changes(count: usize) -> Bench {
    let bench = Bench::new();
    let entry = bench.entry("a", "title 0");
    for number in 1..=count {
        bench.revise(entry, &format!("title {number}"), &["desk"]);
    }
    bench
}

#[test]
fn order_is_kept_and_one_is_in_flight() {
    let bench = with_changes(3);
    let mut told = Vec::new();
    for _ in 0..3 {
        let leased = lease(&bench, at(100));
        assert_eq!(leased.len(), 1);
        assert!(lease(&bench, at(100)).is_empty(), "one is in flight");
        let event: Event = serde_json::from_slice(leased[0].body.as_ref().unwrap()).unwrap();
        told.push(event.data.number.unwrap().0);
        assert_eq!(leased[0].attempt, 1);
        assert!(record(&bench, leased[0].id, at(100), Next::Delivered));
    }
    assert_eq!(told, [1, 2, 3]);
    assert!(lease(&bench, at(100)).is_empty());
    assert_eq!(bench.reader().next_delivery().unwrap(), None);
}

#[test]
fn a_retry_keeps_its_place_and_its_id() {
    let bench = with_changes(2);
    let first = lease(&bench, at(100)).remove(0);
    record(&bench, first.id, at(100), Next::RetryAt(at(105)));
    assert!(
        lease(&bench, at(104)).is_empty(),
        "the second must not overtake"
    );
    assert_eq!(bench.reader().next_delivery().unwrap(), Some(at(105)));
    let again = lease(&bench, at(105)).remove(0);
    assert_eq!(
        (again.id, again.uid, again.attempt),
        (first.id, first.uid, 2)
    );
    assert_eq!(bench.reader().attempts(first.id).unwrap().len(), 1);
}

#[test]
fn a_dead_delivery_lets_the_next_one_pass_and_can_be_retried() {
    let bench = with_changes(2);
    let first = lease(&bench, at(100)).remove(0);
    record(&bench, first.id, at(100), Next::Dead);
    let second = lease(&bench, at(100)).remove(0);
    assert_ne!(second.id, first.id);
    record(&bench, second.id, at(100), Next::Delivered);
    assert!(lease(&bench, at(100_000)).is_empty());
    let dead = bench
        .reader()
        .deliveries(Some("desk"), &[DeliveryState::Dead], 9)
        .unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_status, Some(503));
    let retried = bench
        .writer()
        .retry(Retry::Target("desk".into()))
        .blocking()
        .unwrap();
    assert_eq!(retried, 1, "what has arrived is not sent again");
    let again = lease(&bench, at(100_000)).remove(0);
    assert_eq!((again.id, again.attempt), (first.id, 1));
    assert_eq!(again.uid, first.uid);
}

#[test]
fn a_lease_that_runs_out_is_given_again_with_the_same_id() {
    let bench = with_changes(1);
    let first = lease(&bench, at(100)).remove(0);
    assert!(lease(&bench, at(159)).is_empty());
    let second = lease(&bench, at(160)).remove(0);
    assert_eq!((first.id, &first.uid), (second.id, &second.uid));
    // The first sender wakes up late: the delivery is recorded only once.
    assert!(record(&bench, second.id, at(161), Next::Delivered));
    assert!(!record(&bench, first.id, at(162), Next::RetryAt(at(200))));
    assert!(lease(&bench, at(9_999)).is_empty());
    let row = &bench.reader().deliveries(None, &[], 9).unwrap()[0];
    assert_eq!(row.state, DeliveryState::Delivered);
}

#[test]
fn targets_do_not_wait_for_one_another() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    bench.revise(entry, "two", &["desk", "archive"]);
    bench.revise(entry, "three", &["archive"]);
    let leased = lease(&bench, at(100));
    assert_eq!(leased.len(), 2);
    assert_eq!(leased[0].uid, leased[1].uid, "one event has one id for all");
    let desk = leased
        .iter()
        .find(|leased| leased.target == "desk")
        .unwrap();
    let archive = leased
        .iter()
        .find(|leased| leased.target == "archive")
        .unwrap();
    record(&bench, desk.id, at(100), Next::RetryAt(at(900)));
    record(&bench, archive.id, at(100), Next::Delivered);
    let next = lease(&bench, at(101));
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].target, "archive");
}

#[test]
fn a_paused_target_waits_and_goes_on_where_it_was() {
    let bench = with_changes(2);
    assert!(
        bench
            .writer()
            .pause_target("desk", at(90))
            .blocking()
            .unwrap()
    );
    assert!(lease(&bench, at(100)).is_empty());
    assert!(bench.writer().resume_target("desk").blocking().unwrap());
    assert_eq!(lease(&bench, at(100)).len(), 1);
    assert!(
        !bench
            .writer()
            .pause_target("nobody", at(90))
            .blocking()
            .unwrap()
    );
}

#[test]
fn a_target_that_leaves_the_configuration_waits_for_its_return() {
    let bench = with_changes(1);
    let sync = |names: &[&str]| {
        let names = names.iter().map(|&name| name.into()).collect();
        bench.writer().sync_targets(names).blocking().unwrap();
    };
    sync(&["other"]);
    assert!(lease(&bench, at(100)).is_empty());
    sync(&["desk", "other"]);
    assert_eq!(lease(&bench, at(100)).len(), 1);
}

#[test]
fn a_receiver_that_is_gone_disables_its_target_and_keeps_what_it_misses() {
    let bench = with_changes(2);
    let first = lease(&bench, at(100)).remove(0);
    record(
        &bench,
        first.id,
        at(100),
        Next::DisableTarget("410 Gone".into()),
    );
    let entry = EntryId(1);
    bench.revise(entry, "later", &["desk"]);
    assert!(lease(&bench, at(9_999)).is_empty());
    let health = &bench.reader().target_health().unwrap()[0];
    assert_eq!(health.target.disabled, Some((at(100), "410 Gone".into())));
    assert_eq!(health.open, 0);
    let missed = bench
        .reader()
        .deliveries(Some("desk"), &[DeliveryState::Disabled], 9)
        .unwrap();
    assert_eq!(missed.len(), 3);
    bench.writer().resume_target("desk").blocking().unwrap();
    let retried = bench
        .writer()
        .retry(Retry::Target("desk".into()))
        .blocking()
        .unwrap();
    assert_eq!(retried, 3);
    assert_eq!(lease(&bench, at(9_999))[0].id, first.id, "in the old order");
}

#[test]
fn replay_sends_again_under_the_same_ids() {
    let bench = with_changes(2);
    let mut uids = Vec::new();
    for _ in 0..2 {
        let leased = lease(&bench, at(100)).remove(0);
        record(&bench, leased.id, at(100), Next::Delivered);
        uids.push(leased.uid);
    }
    let span = |since, until| ReplaySpan { since, until };
    for (span, count) in [
        (span(at(61), None), 0),
        (span(at(60), Some(at(60))), 0),
        (span(at(60), Some(at(61))), 2),
        (span(at(60), None), 2),
    ] {
        assert_eq!(bench.reader().replayable("desk", span).unwrap(), count);
        let replayed = bench.writer().replay("desk", span).blocking().unwrap();
        assert_eq!(replayed as u64, count, "{span:?}");
    }
    let mut again = Vec::new();
    for _ in 0..2 {
        let leased = lease(&bench, at(200)).remove(0);
        record(&bench, leased.id, at(200), Next::Delivered);
        again.push(leased.uid);
    }
    assert_eq!(again, uids);
    let events: Vec<_> = bench
        .reader()
        .events_after(EventId(0), 9)
        .unwrap()
        .iter()
        .map(|stored| stored.id)
        .collect();
    let sent = bench
        .writer()
        .replay_events("new-desk", events)
        .blocking()
        .unwrap();
    assert_eq!(sent, 2);
    let leased = lease(&bench, at(300)).remove(0);
    assert_eq!(
        (leased.target.as_str(), &leased.uid),
        ("new-desk", &uids[0])
    );
}

#[test]
fn a_clock_that_came_back_from_the_future_stalls_nothing() {
    let bench = with_changes(1);
    let far = at(10 * 365 * 86_400);
    let leased = lease(&bench, far).remove(0);
    assert_eq!(lease(&bench, at(100)).len(), 1, "a lease from the future");
    record(
        &bench,
        leased.id,
        far,
        Next::RetryAt(far + Duration::from_hours(24)),
    );
    assert_eq!(lease(&bench, at(100)).len(), 1, "a wait from the future");
}

#[test]
fn a_lease_given_back_costs_no_attempt() {
    let bench = with_changes(1);
    let leased = lease(&bench, at(100)).remove(0);
    bench.writer().release(leased.id).blocking().unwrap();
    let again = lease(&bench, at(100)).remove(0);
    assert_eq!((again.id, again.attempt), (leased.id, 1));
}

#[test]
fn the_health_of_a_target_names_its_oldest_debt() {
    let bench = with_changes(3);
    let leased = lease(&bench, at(100)).remove(0);
    record(&bench, leased.id, at(100), Next::RetryAt(at(400)));
    let health = &bench.reader().target_health().unwrap()[0];
    assert_eq!(health.open, 3);
    assert_eq!(health.oldest_open, Some(at(60)));
    assert_eq!(health.next, Some((leased.id, 1, Some(at(400)))));
    assert_eq!(health.last_attempt.as_ref().unwrap().1, Some(503));
    assert_eq!(health.last_delivered, None);
}

#[test]
fn a_trial_of_a_target_is_an_event_like_any_other() {
    let bench = Bench::new();
    let ping = plain_event(EventKind::PingTest, &[]).event;
    bench
        .writer()
        .add_event(ping, vec!["desk".into()])
        .blocking()
        .unwrap();
    let leased = lease(&bench, at(100)).remove(0);
    let stored = bench.reader().event_by_uid(&leased.uid).unwrap().unwrap();
    assert_eq!(stored.event.kind, EventKind::PingTest);
    assert_eq!(stored.id, leased.event);
}

#[test]
fn two_events_in_a_row_that_were_given_up_disable_a_target_and_the_others_are_told_once() {
    let bench = with_changes(4);
    for name in ["archive", "left"] {
        bench.revise(EntryId(1), name, &[name]);
    }
    let sync = vec!["desk".to_owned(), "archive".to_owned()];
    bench.writer().sync_targets(sync).blocking().unwrap();
    let mut now = 100;
    let mut give_up = |attempts: u32| {
        let mut id = None;
        for attempt in 1..=attempts {
            let leased = lease(&bench, at(now));
            let one = leased.iter().find(|one| one.target == "desk").unwrap();
            let next = match attempt < attempts {
                true => Next::RetryAt(at(now)),
                false => Next::Dead,
            };
            record(&bench, one.id, at(now), next);
            id = Some(one.id);
            now += 1000;
        }
        id
    };
    let told = || {
        let rows = bench.reader().deliveries(None, &[], 99).unwrap();
        rows.into_iter()
            .filter(|row| row.kind == Some(EventKind::TargetDisabled))
            .map(|row| row.target)
            .collect::<Vec<String>>()
    };
    let disabled = || {
        let targets = bench.reader().targets().unwrap();
        targets.iter().any(|target| target.disabled.is_some())
    };
    // A rejection at the first attempt says nothing about the receiver, and neither does a single event.
    give_up(1);
    give_up(10);
    assert!(!disabled());
    give_up(10);
    assert!(disabled());
    assert_eq!(told(), ["archive"], "those that take events, and no other");
    let health = bench.reader().target_health().unwrap();
    let desk = health
        .iter()
        .find(|known| known.target.name == "desk")
        .unwrap();
    assert_eq!((desk.open, desk.dead), (0, 3));
    let last = bench.reader().deliveries(Some("desk"), &[], 1).unwrap();
    assert_eq!(last[0].state, DeliveryState::Disabled, "kept for a retry");
}

/// Lets the oldest delivery of `desk` be rejected until it is set aside, then until it is given up; `status` is
/// always 400.
fn refuse_to_the_end(bench: &Bench, now: &mut i64) {
    let mut record_one = |next: fn(i64) -> Next| {
        *now += 1000;
        let leased = lease(bench, at(*now)).remove(0);
        let record = AttemptRecord {
            at: at(*now),
            status: Some(400),
            refused: true,
            post: None,
            duration_ms: 1,
            error: Some("returned 400".into()),
        };
        let writer = bench.writer();
        writer
            .record_attempt(leased.id, record, next(*now))
            .blocking()
            .unwrap();
        leased.refusals
    };
    for attempt in 0..9 {
        let refusals = record_one(|now| Next::SetAside(at(now)));
        assert_eq!(refusals, attempt);
    }
    record_one(|_| Next::Dead);
}

#[test]
fn two_refused_events_disable_nothing_and_ten_with_none_accepted_do() {
    let bench = with_changes(22);
    let mut now = 1000;
    let disabled = || {
        let targets = bench.reader().targets().unwrap();
        targets[0].disabled.clone().map(|(_, why)| why)
    };
    for _ in 0..9 {
        refuse_to_the_end(&bench, &mut now);
    }
    assert_eq!(disabled(), None);
    let accepted = lease(&bench, at(now + 1)).remove(0);
    record(&bench, accepted.id, at(now + 1), Next::Delivered);
    for _ in 0..9 {
        refuse_to_the_end(&bench, &mut now);
    }
    assert_eq!(disabled(), None, "it takes others");
    refuse_to_the_end(&bench, &mut now);
    assert!(disabled().unwrap().contains("refused every event"));
}

#[test]
fn a_skipped_delivery_is_kept_and_says_who_gave_it_up() {
    let bench = with_changes(2);
    let first = bench.reader().first_in_order("desk").unwrap().unwrap();
    let skip = || bench.writer().skip(vec![first.id], at(100)).blocking();
    assert_eq!(skip().unwrap(), 1);
    assert_eq!(skip().unwrap(), 0, "it is done");
    let row = &bench
        .reader()
        .deliveries(None, &[DeliveryState::Dead], 9)
        .unwrap()[0];
    assert_eq!(
        (row.id, row.last_error.as_deref()),
        (first.id, Some("skipped by hand"))
    );
    let second = lease(&bench, at(101)).remove(0);
    assert_ne!(second.id, first.id);
    record(&bench, second.id, at(101), Next::Delivered);
    let retry = Retry::Delivery(first.id);
    assert_eq!(bench.writer().retry(retry).blocking().unwrap(), 1);
    assert_eq!(lease(&bench, at(102))[0].id, first.id);
}

#[test]
fn one_delivery_of_a_target_is_in_flight_set_aside_or_not() {
    let bench = with_changes(3);
    let first = lease(&bench, at(100)).remove(0);
    record(&bench, first.id, at(100), Next::SetAside(at(200)));
    assert_eq!(
        bench.reader().next_delivery().unwrap(),
        Some(Timestamp::default())
    );
    let second = lease(&bench, at(100)).remove(0);
    assert_ne!(second.id, first.id, "the others pass");
    assert!(lease(&bench, at(130)).is_empty());
    assert_eq!(bench.reader().next_delivery().unwrap(), Some(at(160)));
    record(&bench, second.id, at(140), Next::RetryAt(at(9_000)));
    assert_eq!(bench.reader().next_delivery().unwrap(), Some(at(200)));
    let again = lease(&bench, at(200)).remove(0);
    assert_eq!((again.id, again.attempt), (first.id, 2));
    assert!(lease(&bench, at(201)).is_empty());
    record(&bench, first.id, at(202), Next::Delivered);
    assert!(lease(&bench, at(203)).is_empty(), "the order is kept");
}

#[test]
fn a_full_queue_takes_no_more_and_what_it_misses_is_counted_and_can_be_retried() {
    let bench = with_changes(1);
    let bound = |count| {
        bench
            .writer()
            .set_queues(vec![QueueSettings {
                target: "desk".to_owned(),
                max_open: count,
                hold: false,
                notices: true,
                digest_by: Timestamp::default(),
                empty_digest: None,
            }])
            .blocking()
            .unwrap();
    };
    let health = || {
        let health = &bench.reader().target_health().unwrap()[0];
        (health.open, health.dead, health.overflowed)
    };
    let overflows = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&overflows);
    bench.writer().watch(move |committed| {
        for Overflow { target, first } in committed.overflows {
            assert_eq!(target, "desk");
            told.lock().unwrap().push(first);
        }
    });
    bound(2);
    for title in ["second", "third", "fourth"] {
        bench.revise(EntryId(1), title, &["desk"]);
    }
    assert_eq!(health(), (2, 2, 2));
    assert_eq!(*overflows.lock().unwrap(), [true, false]);
    let first = lease(&bench, at(100)).remove(0);
    record(&bench, first.id, at(100), Next::Delivered);
    bench.revise(EntryId(1), "fifth", &["desk"]);
    assert_eq!(health(), (2, 2, 2), "there is room again");
    bench.revise(EntryId(1), "sixth", &["desk"]);
    assert_eq!(health(), (2, 3, 3));
    assert_eq!(
        *overflows.lock().unwrap(),
        [true, false, true],
        "the first one after there was room"
    );
    bound(100);
    let retried = bench
        .writer()
        .retry(Retry::Target("desk".into()))
        .blocking()
        .unwrap();
    assert_eq!(retried, 3);
    assert_eq!(health(), (5, 0, 0));
}

#[test]
fn what_is_held_waits_for_a_person_and_is_sent_by_nothing_else() {
    let bench = with_changes(1);
    let queue = QueueSettings {
        target: "desk".to_owned(),
        max_open: 100,
        hold: true,
        notices: false,
        digest_by: Timestamp::default(),
        empty_digest: None,
    };
    bench.writer().set_queues(vec![queue]).blocking().unwrap();
    bench.revise(EntryId(1), "second", &["desk"]);
    bench.revise(EntryId(1), "third", &["desk"]);
    let held = bench.reader().held(Some("desk"), 10).unwrap();
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|row| row.state == DeliveryState::Held));
    let open: Vec<_> = lease(&bench, at(100));
    for delivery in &open {
        record(&bench, delivery.id, at(100), Next::Delivered);
    }
    assert!(
        open.iter()
            .all(|delivery| held.iter().all(|row| row.id != delivery.id))
    );
    // Retry, replay and resume do not touch them.
    bench
        .writer()
        .retry(Retry::Target("desk".into()))
        .blocking()
        .unwrap();
    let span = ReplaySpan {
        since: Timestamp::default(),
        until: None,
    };
    bench.writer().replay("desk", span).blocking().unwrap();
    bench.writer().resume_target("desk").blocking().unwrap();
    assert_eq!(bench.reader().held(None, 10).unwrap().len(), 2);
    assert_eq!(
        bench
            .writer()
            .release_held(vec![held[1].id])
            .blocking()
            .unwrap(),
        1
    );
    assert_eq!(
        bench
            .writer()
            .release_held(vec![held[1].id])
            .blocking()
            .unwrap(),
        0
    );
    let mut sent = Vec::new();
    while let Some(delivery) = lease(&bench, at(200)).pop() {
        record(&bench, delivery.id, at(200), Next::Delivered);
        sent.push(delivery.id);
    }
    assert!(sent.contains(&held[1].id) && !sent.contains(&held[0].id));
    assert_eq!(bench.reader().target_health().unwrap()[0].held, 1);
}

#[test]
fn a_postponed_delivery_keeps_its_place_and_has_no_attempt() {
    let bench = with_changes(1);
    let first = lease(&bench, at(100)).remove(0);
    bench
        .writer()
        .postpone(first.id, at(500))
        .blocking()
        .unwrap();
    assert!(lease(&bench, at(499)).is_empty());
    let again = lease(&bench, at(500)).remove(0);
    assert_eq!((again.id, again.attempt), (first.id, 1));
    record(&bench, again.id, at(501), Next::Delivered);
    let arrivals = bench.reader().arrivals("desk", at(0), 5).unwrap();
    assert_eq!(arrivals, [at(501)]);
    assert!(
        bench
            .reader()
            .arrivals("desk", at(501), 5)
            .unwrap()
            .is_empty()
    );
}
