use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::domain::ids::DeliveryId;

const LEASE: Duration = Duration::from_mins(1);

/// A bench whose target `desk` has `count` changes in its queue.
fn with_changes(count: usize) -> Bench {
    let bench = Bench::new();
    let entry = bench.entry("a", "title 0");
    for number in 1..=count {
        bench.revise(entry, &format!("title {number}"), &["desk"]);
    }
    bench
}

fn lease(bench: &Bench) -> DeliveryId {
    let leased = bench.writer().lease_due(at(100), LEASE, 100).blocking();
    leased.unwrap()[0].id
}

fn gather(bench: &Bench, due: i64) {
    let delivery = lease(bench);
    let gathered = bench.writer().gather(delivery, at(100), at(due));
    gathered.blocking().unwrap();
}

fn digest() -> Event {
    Event {
        kind: EventKind::DigestReady,
        timestamp: at(200),
        schema_version: SCHEMA_VERSION,
        data: EventData::default(),
    }
}

fn make(bench: &Bench, gathered: &Gathered) -> Result<bool, StoreError> {
    let made = bench.writer().make_digest("desk", gathered, digest(), None);
    made.blocking()
}

fn record(bench: &Bench, delivery: DeliveryId, next: Next) -> Result<bool, StoreError> {
    let record = AttemptRecord {
        at: at(210),
        status: Some(200),
        refused: false,
        post: None,
        duration_ms: 12,
        error: None,
    };
    let recorded = bench.writer().record_attempt(delivery, record, next);
    recorded.blocking()
}

/// The states of the deliveries, oldest first.
fn states(bench: &Bench) -> Vec<&'static str> {
    let mut rows = bench.reader().deliveries(Some("desk"), &[], 100).unwrap();
    rows.reverse();
    rows.iter().map(|row| row.state.as_str()).collect()
}

#[test]
fn a_digest_is_due_at_the_earliest_moment_and_settles_its_members() {
    let bench = with_changes(3);
    gather(&bench, 300);
    gather(&bench, 200);
    let reader = bench.reader();
    assert_eq!(reader.digests_to_make(at(199)).unwrap(), [""; 0]);
    assert_eq!(reader.digests_to_make(at(200)).unwrap(), ["desk"]);
    gather(&bench, 400);
    assert_eq!(reader.next_delivery().unwrap(), Some(at(200)));
    let gathered = reader.gathered("desk", 2).unwrap();
    assert_eq!((gathered.count, gathered.events.len()), (3, 2));
    assert_eq!(gathered.since, Some(at(60)));
    assert!(make(&bench, &gathered).unwrap());
    assert_eq!(reader.gathered("desk", 2).unwrap().count, 0);
    assert_eq!(reader.digests_to_make(at(9999)).unwrap(), [""; 0]);
    assert_eq!(
        states(&bench),
        ["gathered", "gathered", "gathered", "pending"]
    );

    let sent = lease(&bench);
    let members = reader.members_of(sent, 10).unwrap();
    assert_eq!(members.len(), 3);
    let event = reader.digest_of(members[0].id).unwrap();
    assert!(event.is_some_and(|(event, unpacked)| event.starts_with("msg_") && !unpacked));
    assert_eq!(reader.digest_of(sent).unwrap(), None);
    assert!(record(&bench, sent, Next::RetryAt(at(220))).unwrap());
    assert_eq!(states(&bench)[..3], ["gathered"; 3]);
    assert!(record(&bench, sent, Next::Delivered).unwrap());
    assert_eq!(states(&bench), ["delivered"; 4]);
}

#[test]
fn a_digest_tells_all_that_is_gathered_or_is_not_made() {
    let bench = with_changes(2);
    gather(&bench, 200);
    let before = bench.reader().gathered("desk", 9).unwrap();
    gather(&bench, 200);
    assert!(!make(&bench, &before).unwrap());
    let nothing = Gathered {
        count: 0,
        last: None,
        since: None,
        events: Vec::new(),
    };
    assert!(!make(&bench, &nothing).unwrap());
    bench
        .writer()
        .delay_digest("desk", None)
        .blocking()
        .unwrap();
    let reader = bench.reader();
    assert_eq!(reader.digests_to_make(at(200)).unwrap(), ["desk"]);
    let delayed = bench.writer().delay_digest("desk", Some(at(250)));
    delayed.blocking().unwrap();
    assert_eq!(reader.digests_to_make(at(249)).unwrap(), [""; 0]);
    assert!(make(&bench, &reader.gathered("desk", 9).unwrap()).unwrap());
}

#[test]
fn an_unpacked_digest_gives_its_members_back_and_is_not_sent_again() {
    let bench = with_changes(2);
    gather(&bench, 200);
    gather(&bench, 200);
    assert!(make(&bench, &bench.reader().gathered("desk", 9).unwrap()).unwrap());
    bench.revise(bench.entry("b", "other"), "later", &["desk"]);
    let digest = lease(&bench);
    assert!(record(&bench, digest, Next::Unpack).unwrap());
    assert_eq!(
        states(&bench),
        ["pending", "pending", "unpacked", "pending"]
    );
    let reader = bench.reader();
    let members = reader.members_of(digest, 10).unwrap();
    assert_eq!(members.len(), 2);
    let known = reader.digest_of(members[0].id).unwrap();
    assert!(known.is_some_and(|(_, unpacked)| unpacked));
    assert_eq!(reader.digest_of(digest).unwrap(), None);
    let health = &reader.target_health().unwrap()[0];
    assert_eq!((health.open, health.gathered, health.dead), (3, 0, 0));

    // Disabled and resumed: the members are sent, and the digest is not.
    let first = lease(&bench);
    assert_eq!(first, members[0].id);
    record(&bench, first, Next::DisableTarget("gone".into())).unwrap();
    bench.writer().resume_target("desk").blocking().unwrap();
    let retried = bench.writer().retry(Retry::Target("desk".into()));
    assert_eq!(retried.blocking().unwrap(), 3);
    let mut order = Vec::new();
    loop {
        let leased = bench.writer().lease_due(at(300), LEASE, 100).blocking();
        let Some(next) = leased.unwrap().into_iter().next() else {
            break;
        };
        assert_eq!(next.unpacked, order.len() < 2);
        assert!(!next.has_members);
        order.push(next.id);
        record(&bench, next.id, Next::Delivered).unwrap();
    }
    assert_eq!(order[..2], [members[0].id, members[1].id]);
    assert_eq!(
        states(&bench),
        ["delivered", "delivered", "unpacked", "delivered"]
    );
}

#[test]
fn a_clock_that_was_set_back_sends_a_digest_early_and_never_late() {
    let bench = with_changes(1);
    gather(&bench, 3700);
    let back = bench
        .writer()
        .clock_set_back(at(50), Duration::from_hours(1));
    back.blocking().unwrap();
    assert_eq!(bench.reader().digests_to_make(at(50)).unwrap(), ["desk"]);
    let years = at(100) - Duration::from_hours(24 * 365);
    assert_eq!(bench.reader().digests_to_make(years).unwrap(), ["desk"]);
}

#[test]
fn a_new_configuration_brings_a_digest_forward() {
    let bench = with_changes(1);
    gather(&bench, 9000);
    let configured = |by: i64, empty: Option<i64>| {
        let queue = QueueSettings {
            target: "desk".into(),
            max_open: 10,
            hold: false,
            notices: true,
            digest_by: at(by),
            empty_digest: empty.map(at),
        };
        bench.writer().set_queues(vec![queue]).blocking().unwrap();
        let health = bench.reader().target_health().unwrap();
        health[0].digest
    };
    assert_eq!(configured(9500, None), Some(at(9000)));
    assert_eq!(configured(300, None), Some(at(300)));
    assert!(make(&bench, &bench.reader().gathered("desk", 1).unwrap()).unwrap());
    assert_eq!(configured(300, None), None);
    assert_eq!(configured(500, Some(500)), Some(at(500)));
    assert_eq!(configured(700, Some(700)), Some(at(500)), "not put off");
    assert_eq!(configured(700, None), None);
}

/// Everything that is stored about the outbox.
fn dump(bench: &Bench) -> Vec<String> {
    let conn = Connection::open(bench.path()).unwrap();
    let tables = [
        (
            "deliveries",
            "id, state, done_at, gathered_at, digest_id, unpacked_at",
        ),
        ("targets", "id, digest_at, digested_at"),
        ("events", "id, type"),
        ("attempts", "id, outcome"),
    ];
    let rows = tables.iter().flat_map(|(table, columns)| {
        let sql = format!("SELECT concat_ws(' ', '{table}', {columns}) FROM {table}");
        let mut statement = conn.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<String>>()
    });
    rows.collect()
}

/// Each step fails at each of its statements in turn: nothing of it is stored, and it succeeds the next time.
#[test]
fn each_step_is_stored_as_a_whole_or_not_at_all() {
    let gather: Act = |bench| {
        let gathered = bench.writer().gather(DeliveryId(3), at(100), at(200));
        gathered.blocking()
    };
    let make: Act = |bench| make(bench, &bench.reader().gathered("desk", 9).unwrap()).map(|_| ());
    let settle: Act = |bench| record(bench, DeliveryId(4), Next::Delivered).map(|_| ());
    let unpack: Act = |bench| record(bench, DeliveryId(4), Next::Unpack).map(|_| ());
    let endings: [Step; 2] = [
        (
            settle,
            &["UPDATE ON deliveries", "INSERT ON attempts"],
            "delivered delivered delivered delivered",
        ),
        (
            unpack,
            &[
                "INSERT ON attempts",
                "UPDATE OF unpacked_at ON deliveries",
                "UPDATE OF attempts ON deliveries WHEN NEW.id = 4",
                "UPDATE OF attempts ON deliveries WHEN NEW.id = 2",
            ],
            "pending pending pending unpacked",
        ),
    ];
    for ending in endings {
        let bench = with_changes(3);
        self::gather(&bench, 200);
        self::gather(&bench, 200);
        assert_eq!(lease(&bench), DeliveryId(3));
        let steps: [Step; 3] = [
            (
                gather,
                &["UPDATE ON deliveries", "UPDATE ON targets"],
                "gathered gathered gathered",
            ),
            (
                make,
                &[
                    "INSERT ON events",
                    "INSERT ON deliveries",
                    "UPDATE ON deliveries",
                    "UPDATE ON targets",
                ],
                "gathered gathered gathered pending",
            ),
            ending,
        ];
        for step in steps {
            whole_or_not_at_all(&bench, step);
        }
    }
}

/// A step, the statements that fail in turn, and the states after it.
type Step = (Act, &'static [&'static str], &'static str);
type Act = fn(&Bench) -> Result<(), StoreError>;

fn whole_or_not_at_all(bench: &Bench, (act, statements, after): Step) {
    for statement in statements {
        let conn = Connection::open(bench.path()).unwrap();
        conn.execute_batch(&format!(
            "CREATE TRIGGER fault AFTER {statement} BEGIN SELECT RAISE(ABORT, 'killed'); END"
        ))
        .unwrap();
        let before = dump(bench);
        assert!(act(bench).is_err(), "{statement}");
        assert_eq!(dump(bench), before, "{statement}");
        conn.execute_batch("DROP TRIGGER fault").unwrap();
    }
    act(bench).unwrap();
    assert_eq!(states(bench).join(" "), after);
}
