use super::*;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

const NOW: i64 = 1_000_000;

fn due() -> Due {
    Due::new(at(NOW), Duration::from_mins(1))
}

fn candidate(id: i64) -> Candidate {
    Candidate {
        target: 1,
        id: DeliveryId(id),
        leased_until: None,
        next_attempt: None,
        set_aside: false,
    }
}

fn ids(candidates: &[Candidate]) -> Vec<i64> {
    let ids = to_lease(candidates, &due(), 9);
    ids.into_iter().map(|id| id.0).collect()
}

#[test]
fn hold_goes_before_disabled_and_disabled_before_full() {
    let queue = Queue {
        hold: true,
        disabled: true,
        open: 5,
        max_open: Some(5),
    };
    assert_eq!(queue.admit(), Admission::Held);
    let queue = Queue {
        hold: false,
        ..queue
    };
    assert_eq!(queue.admit(), Admission::TargetDisabled);
    let queue = Queue {
        disabled: false,
        ..queue
    };
    assert_eq!(queue.admit(), Admission::QueueFull);
    assert_eq!(Queue { open: 4, ..queue }.admit(), Admission::Queued);
    let unlimited = Queue {
        max_open: None,
        ..queue
    };
    assert_eq!(unlimited.admit(), Admission::Queued);
}

#[test]
fn an_attempt_at_a_delivery_that_is_done_changes_it_only_by_arriving() {
    let at = at(NOW);
    for next in [
        Next::RetryAt(at),
        Next::SetAside(at),
        Next::Unpack,
        Next::Dead,
        Next::DisableTarget("410".into()),
    ] {
        assert_eq!(after_attempt(&next, false).1, DeliveryUpdate::Unchanged);
    }
    let (outcome, update) = after_attempt(&Next::Delivered, false);
    assert_eq!(outcome, AttemptOutcome::Delivered);
    assert_eq!(update, DeliveryUpdate::ArrivedLate);
}

#[test]
fn one_unreached_event_gives_no_target_up() {
    let unreached = PastDelivery {
        state: DeliveryState::Dead,
        attempts: DELIVERY_ATTEMPTS,
        set_aside: false,
    };
    assert_eq!(give_up(&[unreached], 0), None);
    assert_eq!(
        give_up(&[unreached, unreached], 0),
        Some(GivenUp::Unreachable)
    );
    let refused = PastDelivery {
        set_aside: true,
        ..unreached
    };
    assert_eq!(give_up(&[unreached, refused], 9), None);
    assert_eq!(give_up(&[refused, refused], 10), Some(GivenUp::RefusesAll));
    let by_hand = PastDelivery {
        attempts: 1,
        ..unreached
    };
    assert_eq!(give_up(&[unreached, by_hand], 0), None);
}

#[test]
fn a_due_delivery_that_was_set_aside_goes_before_the_order_and_an_early_one_does_not() {
    let aside = Candidate {
        set_aside: true,
        next_attempt: Some(at(NOW)),
        ..candidate(7)
    };
    assert_eq!(ids(&[aside, candidate(3)]), [7]);
    let early = Candidate {
        next_attempt: Some(at(NOW + 1)),
        ..aside
    };
    assert_eq!(ids(&[early, candidate(3)]), [3]);
    assert_eq!(
        next_lease(&[early]),
        Some(at(NOW + 1)),
        "and is the next one"
    );
}

#[test]
fn a_time_that_a_wrong_clock_has_left_is_due() {
    let far = Some(at(NOW) + LONGEST_WAIT + Duration::from_secs(1));
    let waits = Candidate {
        next_attempt: far,
        ..candidate(1)
    };
    assert_eq!(ids(&[waits]), [1]);
    let leased = Candidate {
        leased_until: far,
        ..candidate(1)
    };
    assert_eq!(ids(&[leased]), [1]);
}

#[test]
fn only_reports_of_a_failure_owe_a_recovery() {
    let owing: Vec<EventKind> = EventKind::ALL
        .into_iter()
        .filter(|kind| recovery(*kind) == Some(Recovery::Owed))
        .collect();
    assert_eq!(owing, [EventKind::FeedFailing, EventKind::FeedGone]);
}

fn any_candidate() -> impl Strategy<Value = Candidate> {
    let time = prop_oneof![NOW - 10..NOW + 10, NOW..NOW + 400_000];
    (
        1..5_i64,
        1..100_i64,
        proptest::option::weighted(0.2, time.clone()),
        proptest::option::of(time),
        any::<bool>(),
    )
        .prop_map(|(target, id, lease, next, set_aside)| Candidate {
            target,
            id: DeliveryId(target * 1000 + id),
            leased_until: lease.map(at),
            next_attempt: next.filter(|_| lease.is_none()).map(at),
            set_aside,
        })
}

proptest! {
    #[test]
    fn a_target_gets_one_delivery_and_none_while_a_sender_has_one(
        mut candidates in proptest::collection::vec(any_candidate(), 0..12),
        limit in 0..6_usize,
    ) {
        candidates.sort_by_key(|one| (one.target, one.id));
        let leased = to_lease(&candidates, &due(), limit);
        prop_assert!(leased.len() <= limit);
        let targets: std::collections::BTreeSet<i64> = leased.iter().map(|id| id.0 / 1000).collect();
        prop_assert_eq!(targets.len(), leased.len());
        for id in &leased {
            let in_flight = |one: &&Candidate| one.target == id.0 / 1000 && one.leased_until.is_some();
            let first = candidates.iter().find(in_flight);
            prop_assert!(first.is_none_or(|one| one.id == *id), "one is in flight");
        }
    }

    #[test]
    fn nothing_is_leased_before_the_next_time(
        mut candidates in proptest::collection::vec(any_candidate(), 0..12),
    ) {
        candidates.sort_by_key(|one| (one.target, one.id));
        let due = due();
        let close = |one: &Candidate| {
            one.due_at() <= due.last_wait && one.leased_until.is_none_or(|until| until <= due.last_lease)
        };
        candidates.retain(close);
        let next = next_lease(&candidates);
        if next.is_none_or(|next| next > due.now) {
            prop_assert_eq!(to_lease(&candidates, &due, 9), []);
        }
    }

    #[test]
    fn a_queue_with_a_limit_is_never_over_it(most in 0..5_u64, arrivals in 0..20_usize) {
        let mut open = 0;
        for _ in 0..arrivals {
            let queue = Queue { hold: false, disabled: false, open, max_open: Some(most) };
            open += u64::from(queue.admit() == Admission::Queued);
        }
        prop_assert!(open <= most);
    }
}
