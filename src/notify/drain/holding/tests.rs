use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::classify::Label;
use crate::domain::event::{Event, EventKind};
use crate::domain::holding::{DigestPlan, Holding, QuietHours, Urgent};
use crate::domain::ids::DeliveryId;
use crate::notify::deliver::Deliverer;
use crate::notify::drain::Drain;
use crate::notify::outbox::{Outbox, StoredOutbox};
use crate::notify::payload;
use crate::notify::target::Target;
use crate::notify::testing::{Answer, Receiver};
use crate::store::{
    AttemptRecord, DeliveryState, Gathered, LeasedDelivery, Next, OpenOptions, QueueSettings,
    ReplaySpan, Store, StoreError,
};
use crate::time::{Clock, Fixed, Timestamp};
use chrono_tz::Tz;
use std::time::Duration;

mod kills;

/// Minutes after noon on a Monday.
fn minutes(minutes: i64) -> Timestamp {
    let noon = Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap();
    Timestamp::from_unix(noon.as_unix() + minutes * 60)
}

/// A database, a receiver, and a clock that the test sets.
struct Bench {
    store: Store,
    clock: Arc<Fixed>,
    receiver: Receiver,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new(answers: Vec<Answer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revisor.db");
        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        store
            .writer()
            .sync_targets(vec!["desk".into()])
            .await
            .unwrap();
        Self {
            store,
            clock: Arc::new(Fixed::at(minutes(0))),
            receiver: Receiver::start(answers).await,
            _folder: folder,
        }
    }

    fn target(&self, holding: Holding) -> Target {
        Target {
            holding,
            max_payload: 1 << 20,
            ..self.receiver.target("desk")
        }
    }

    fn outbox(&self) -> StoredOutbox {
        StoredOutbox::new(self.store.writer().clone(), self.store.readers())
    }

    fn drain<O: Outbox + 'static>(&self, outbox: O, holding: &Holding) -> Arc<Drain<O, Deliverer>> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let deliverer = Deliverer::new("revisor test".into(), Arc::clone(&clock)).unwrap();
        Drain::new(outbox, deliverer, clock, vec![self.target(holding.clone())])
    }

    /// Applies a configuration, like the daemon.
    async fn configure(&self, holding: &Holding) {
        let queue = QueueSettings {
            target: "desk".into(),
            max_open: 1000,
            hold: false,
            notices: true,
            digest_by: holding.latest(self.clock.now()),
            empty_digest: holding.empty_due(self.clock.now()),
        };
        self.store.writer().set_queues(vec![queue]).await.unwrap();
    }

    /// Drains at the given minute.
    async fn drain_at(&self, minute: i64, holding: &Holding) {
        self.clock.set(minutes(minute));
        self.drain(self.outbox(), holding).drain_once().await;
    }

    async fn tell(&self, kind: EventKind, text: &str) {
        let mut event: Event = payload::test_event(kind, self.clock.now());
        event.data.text = text.into();
        let targets = vec!["desk".to_owned()];
        self.store.writer().add_event(event, targets).await.unwrap();
    }

    async fn tell_all(&self, texts: &[&str]) {
        for text in texts {
            self.tell(EventKind::EntryRevised, text).await;
        }
    }

    /// The texts of the messages that arrived; for a digest, those of its events in brackets.
    fn arrived(&self) -> Vec<String> {
        let got = self.receiver.got().into_iter();
        got.map(|got| shown(&serde_json::from_slice(&got.body).unwrap()))
            .collect()
    }

    /// The states of the deliveries, oldest first.
    fn states(&self) -> Vec<DeliveryState> {
        let reader = self.store.reader().unwrap();
        let mut rows = reader.deliveries(Some("desk"), &[], 100).unwrap();
        rows.reverse();
        rows.into_iter().map(|row| row.state).collect()
    }
}

fn shown(event: &Event) -> String {
    let Some(report) = &event.data.report else {
        return event.data.text.clone();
    };
    let members = report.members.iter().map(|member| &*member.data.text);
    let more = usize::try_from(report.events).unwrap() - report.members.len();
    let more = (more > 0).then(|| format!(" +{more}"));
    format!(
        "[{}{}]",
        members.collect::<Vec<_>>().join(" "),
        more.unwrap_or_default()
    )
}

fn digest(plan: &str) -> Holding {
    Holding {
        digest: Some(DigestPlan::parse(plan, Tz::UTC).unwrap()),
        ..Holding::default()
    }
}

fn quiet(span: &str) -> Holding {
    Holding {
        quiet: Some(QuietHours::parse(span, Tz::UTC).unwrap()),
        ..Holding::default()
    }
}

fn fine() -> Vec<Answer> {
    vec![Answer::status("200 OK")]
}

const DELIVERED: DeliveryState = DeliveryState::Delivered;
const GATHERED: DeliveryState = DeliveryState::Gathered;

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_interval_are_one_message_in_their_order() {
    let bench = Bench::new(fine()).await;
    let holding = digest("15m");
    bench.tell_all(&["one", "two"]).await;
    bench.drain_at(0, &holding).await;
    bench.drain_at(10, &holding).await;
    bench.tell_all(&["three"]).await;
    bench.drain_at(14, &holding).await;
    assert!(bench.arrived().is_empty());
    assert_eq!(bench.states(), [GATHERED; 3]);
    let health = bench.store.reader().unwrap().target_health().unwrap();
    assert_eq!((health[0].open, health[0].gathered), (0, 3));
    assert_eq!(health[0].digest, Some(minutes(15)));
    bench.drain_at(15, &holding).await;
    assert_eq!(bench.arrived(), ["[one two three]"]);
    assert_eq!(bench.states(), [DELIVERED; 4]);
    bench.drain_at(60, &holding).await;
    assert_eq!(bench.arrived().len(), 1, "nothing has happened since");
    bench.tell_all(&["four"]).await;
    bench.drain_at(61, &holding).await;
    bench.drain_at(76, &holding).await;
    assert_eq!(bench.arrived(), ["[one two three]", "[four]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_urgent_is_sent_by_itself_and_at_night() {
    let bench = Bench::new(fine()).await;
    let mut holding = digest("daily 07:00");
    holding.quiet = quiet("11:00-14:00").quiet;
    holding.urgent = vec![
        Urgent::Event("entry.removed".into()),
        Urgent::Label(Label::Negation),
        Urgent::Score(72),
    ];
    bench.tell_all(&["one"]).await;
    bench.tell(EventKind::EntryRemoved, "gone").await;
    bench.drain_at(0, &holding).await;
    assert_eq!(bench.arrived(), ["gone"]);
    holding.urgent = vec![Urgent::Score(71)];
    bench.tell_all(&["grave"]).await;
    bench.drain_at(1, &holding).await;
    bench.drain_at(19 * 60, &holding).await;
    assert_eq!(bench.arrived(), ["gone", "grave", "[one]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_end_with_one_digest_and_delay_those_that_are_due() {
    let bench = Bench::new(fine()).await;
    let holding = quiet("11:00-14:00");
    bench.tell_all(&["one", "two"]).await;
    bench.drain_at(0, &holding).await;
    bench.drain_at(119, &holding).await;
    assert!(bench.arrived().is_empty());
    bench.drain_at(120, &holding).await;
    bench.tell_all(&["three"]).await;
    bench.drain_at(121, &holding).await;
    assert_eq!(bench.arrived(), ["[one two]", "three"]);

    // It came due while nothing was running, and becomes ready in the middle of the next quiet hours.
    let mut both = digest("15m");
    bench.tell_all(&["four"]).await;
    bench.drain_at(122, &both).await;
    both.quiet = quiet("15:00-16:00").quiet;
    bench.drain_at(200, &both).await;
    assert_eq!(bench.arrived().len(), 2);
    bench.drain_at(240, &both).await;
    assert_eq!(bench.arrived()[2..], ["[four]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_failed_before_the_quiet_hours_waits_under_its_own_id() {
    let bench = Bench::new(vec![
        Answer::status("500 Internal Server Error"),
        Answer::status("200 OK"),
    ])
    .await;
    let holding = quiet("12:05-13:00");
    bench.tell_all(&["one"]).await;
    bench.drain_at(0, &holding).await;
    bench.drain_at(10, &holding).await;
    assert_eq!(bench.arrived(), ["one"]);
    bench.drain_at(61, &holding).await;
    assert_eq!(bench.arrived(), ["one", "one"]);
    let got = bench.receiver.got();
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_an_hour_is_one_digest() {
    let bench = Bench::new(fine()).await;
    let holding = Holding {
        most: Some(2),
        ..Holding::default()
    };
    bench.tell_all(&["one", "two", "three", "four"]).await;
    bench.drain_at(0, &holding).await;
    assert_eq!(bench.arrived(), ["one", "two"]);
    bench.drain_at(30, &holding).await;
    bench.tell_all(&["five"]).await;
    bench.drain_at(59, &holding).await;
    assert_eq!(bench.arrived().len(), 2);
    bench.drain_at(61, &holding).await;
    assert_eq!(bench.arrived(), ["one", "two", "[three four five]"]);
    bench.tell_all(&["six", "seven"]).await;
    bench.drain_at(62, &holding).await;
    assert_eq!(bench.arrived()[3..], ["six"]);
    bench.drain_at(122, &holding).await;
    assert_eq!(bench.arrived()[3..], ["six", "[seven]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_digest_is_sent_where_it_is_wanted() {
    let bench = Bench::new(fine()).await;
    let mut holding = digest("daily 12:30");
    bench.configure(&holding).await;
    bench.drain_at(30, &holding).await;
    assert!(bench.arrived().is_empty());
    holding.send_empty = true;
    bench.clock.set(minutes(0));
    bench.configure(&holding).await;
    bench.drain_at(29, &holding).await;
    bench.drain_at(31, &holding).await;
    assert_eq!(bench.arrived(), ["[]"]);
    bench.tell_all(&["one"]).await;
    bench.drain_at(40, &holding).await;
    bench.drain_at(31 + 24 * 60, &holding).await;
    bench.drain_at(31 + 48 * 60, &holding).await;
    assert_eq!(bench.arrived(), ["[]", "[one]", "[]"]);
    let bodies = bench.receiver.got();
    let empty: Event = serde_json::from_slice(&bodies[2].body).unwrap();
    let report = empty.data.report.unwrap();
    assert_eq!(report.since, minutes(31 + 24 * 60), "since the last one");
    holding.send_empty = false;
    bench.configure(&holding).await;
    bench.drain_at(31 + 72 * 60, &holding).await;
    assert_eq!(bench.arrived().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gathered_outlives_its_digest_and_its_target() {
    let bench = Bench::new(fine()).await;
    let weekly = digest("mon 07:00");
    bench.tell_all(&["one"]).await;
    bench.drain_at(0, &weekly).await;
    assert_eq!(bench.states(), [GATHERED]);

    // The target is removed from the configuration, and returns without a digest.
    let writer = bench.store.writer();
    writer.sync_targets(Vec::new()).await.unwrap();
    let drain = bench.drain(bench.outbox(), &weekly);
    drain.set_targets(Vec::new());
    bench.clock.set(minutes(8 * 24 * 60));
    drain.drain_once().await;
    assert!(bench.arrived().is_empty());
    writer.sync_targets(vec!["desk".into()]).await.unwrap();
    bench.configure(&Holding::default()).await;
    bench.drain_at(8 * 24 * 60, &Holding::default()).await;
    assert_eq!(bench.arrived(), ["[one]"]);

    // The digest is turned off long before it is due.
    bench.tell_all(&["two"]).await;
    bench.drain_at(8 * 24 * 60 + 1, &weekly).await;
    bench.configure(&Holding::default()).await;
    bench.tell_all(&["three"]).await;
    bench.drain_at(8 * 24 * 60 + 2, &Holding::default()).await;
    let mut arrived = bench.arrived();
    arrived.sort();
    assert_eq!(arrived, ["[one]", "[two]", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_target_keeps_its_digest_until_it_is_resumed() {
    let bench = Bench::new(vec![Answer::status("410 Gone"), Answer::status("200 OK")]).await;
    let holding = digest("15m");
    bench.tell_all(&["one"]).await;
    bench.drain_at(0, &holding).await;
    bench.drain_at(15, &holding).await;
    assert_eq!(bench.arrived(), ["[one]"]);
    assert_eq!(bench.states(), [GATHERED, DeliveryState::Disabled]);
    bench.drain_at(60, &holding).await;
    let writer = bench.store.writer();
    writer.resume_target("desk").await.unwrap();
    let retried = crate::store::Retry::Target("desk".into());
    assert_eq!(writer.retry(retried).await.unwrap(), 1);
    bench.drain_at(61, &holding).await;
    assert_eq!(bench.arrived(), ["[one]", "[one]"]);
    assert_eq!(bench.states(), [DELIVERED; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sends_the_events_of_a_digest_again_and_none_that_waits() {
    let bench = Bench::new(fine()).await;
    let holding = digest("15m");
    bench.tell_all(&["one", "two"]).await;
    bench.drain_at(0, &holding).await;
    bench.drain_at(15, &holding).await;
    bench.tell_all(&["three"]).await;
    bench.drain_at(16, &holding).await;
    let span = ReplaySpan {
        since: minutes(0),
        until: None,
    };
    let reader = bench.store.reader().unwrap();
    assert_eq!(reader.replayable("desk", span).unwrap(), 2);
    bench.store.writer().replay("desk", span).await.unwrap();
    bench.drain_at(17, &holding).await;
    bench.drain_at(32, &holding).await;
    assert_eq!(bench.arrived(), ["[one two]", "[one two three]"]);
    assert_eq!(bench.states(), [DELIVERED; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_read_up_to_a_limit_and_counted_beyond() {
    let bench = Bench::new(fine()).await;
    let holding = digest("15m");
    for number in 0..103 {
        bench
            .tell(EventKind::EntryRemoved, &number.to_string())
            .await;
    }
    bench.drain_at(0, &holding).await;
    bench.drain_at(15, &holding).await;
    let arrived = bench.arrived();
    assert!(arrived[0].starts_with("[0 1 2 ") && arrived[0].ends_with(" 99 +3]"));
    let health = bench.store.reader().unwrap().target_health().unwrap();
    assert_eq!((health[0].open, health[0].gathered), (0, 0));
}

/// A receiver that accepts everything without this word.
async fn picky(word: &'static str, status: &'static str) -> Receiver {
    Receiver::start_with(move |_, got| {
        let bad = String::from_utf8_lossy(&got.body).contains(word);
        Answer::status(if bad { status } else { "200 OK" })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_is_refused_loses_only_the_event_that_is_at_fault() {
    let mut bench = Bench::new(fine()).await;
    bench.receiver = picky("poison", "422 Unprocessable Entity").await;
    let holding = digest("15m");
    bench.tell_all(&["one", "poison", "three"]).await;
    bench.drain_at(0, &holding).await;
    bench.drain_at(15, &holding).await;
    bench.tell_all(&["four"]).await;
    for minute in 16..60 {
        bench.drain_at(minute, &holding).await;
    }
    let arrived = bench.arrived();
    assert_eq!(
        arrived[..3],
        ["[one poison three]"; 3],
        "refused three times"
    );
    let rest: Vec<&str> = arrived[3..].iter().map(String::as_str).collect();
    let taken: Vec<&str> = rest
        .iter()
        .copied()
        .filter(|text| *text != "poison")
        .collect();
    assert_eq!(
        taken,
        ["one", "three", "[four]"],
        "in their order, one by one"
    );
    assert_eq!(rest[..2], ["one", "poison"]);
    assert_eq!(
        bench.states()[..4],
        [
            DELIVERED,
            DeliveryState::Pending,
            DELIVERED,
            DeliveryState::Unpacked
        ]
    );
    let reader = bench.store.reader().unwrap();
    let unpacked = reader.deliveries(Some("desk"), &[], 100).unwrap();
    let unpacked = unpacked
        .iter()
        .find(|row| row.state == DeliveryState::Unpacked)
        .unwrap();
    let attempts = reader.attempts(unpacked.id).unwrap();
    let statuses: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt.record.status)
        .collect();
    assert_eq!(statuses, [Some(422); 3]);
    let health = reader.target_health().unwrap();
    assert_eq!((health[0].set_aside, health[0].dead), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_an_unpacked_digest_keep_to_quiet_hours_and_to_the_limit_of_an_hour() {
    let mut bench = Bench::new(fine()).await;
    bench.receiver = picky("digest.ready", "400 Bad Request").await;
    let mut holding = digest("5m");
    holding.most = Some(2);
    bench.tell_all(&["one", "two", "three"]).await;
    bench.drain_at(0, &holding).await;
    for minute in 5..50 {
        bench.drain_at(minute, &holding).await;
    }
    let singles = |bench: &Bench| {
        let arrived = bench.arrived().into_iter();
        arrived
            .filter(|text| !text.starts_with('['))
            .collect::<Vec<_>>()
    };
    assert_eq!(singles(&bench), ["one", "two"]);
    holding.quiet = quiet("13:00-14:00").quiet;
    bench.drain_at(119, &holding).await;
    assert_eq!(singles(&bench), ["one", "two"]);
    bench.drain_at(120, &holding).await;
    assert_eq!(singles(&bench), ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_leaves_a_digest_whole() {
    let bench = Bench::new(vec![Answer::status("401 Unauthorized")]).await;
    let holding = digest("15m");
    bench.tell_all(&["one", "two"]).await;
    bench.drain_at(0, &holding).await;
    for minute in 15..90 {
        bench.drain_at(minute, &holding).await;
    }
    assert!(bench.arrived().len() > 3);
    assert_eq!(bench.states(), [GATHERED, GATHERED, DeliveryState::Pending]);
}
