use super::*;
use crate::domain::event::{Event, EventKind};
use crate::notify::deliver::Deliverer;
use crate::notify::outbox::StoredOutbox;
use crate::notify::payload;
use crate::notify::testing::{Answer, Receiver, signed_at};
use crate::store::{DeliveryState, OpenOptions, Store};
use crate::time::Fixed;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_795_000_000 + seconds)
}

struct Bench {
    store: Store,
    clock: Arc<Fixed>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(targets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&folder.path().join("revisor.db"), &OpenOptions::default()).unwrap();
        let names = targets.iter().map(|name| (*name).to_owned()).collect();
        store.writer().sync_targets(names).blocking().unwrap();
        Self {
            store,
            clock: Arc::new(Fixed::at(at(0))),
            _folder: folder,
        }
    }

    fn drain(&self, targets: Vec<Target>) -> Arc<Drain<StoredOutbox, Deliverer>> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let deliverer = Deliverer::new("revisor test".into(), Arc::clone(&clock)).unwrap();
        let outbox = StoredOutbox::new(self.store.writer().clone(), self.store.readers());
        Drain::new(outbox, deliverer, clock, targets)
    }

    async fn tell(&self, text: &str, targets: &[&str]) {
        let mut event: Event = payload::test_event(EventKind::PingTest, at(0));
        event.data.text = text.into();
        let targets = targets.iter().map(|name| (*name).to_owned()).collect();
        self.store.writer().add_event(event, targets).await.unwrap();
    }

    /// The states of the deliveries, oldest first.
    fn states(&self, target: &str) -> Vec<DeliveryState> {
        let reader = self.store.reader().unwrap();
        let mut rows = reader.deliveries(Some(target), &[], 100).unwrap();
        rows.reverse();
        rows.into_iter().map(|row| row.state).collect()
    }

    fn attempts(&self, target: &str) -> Vec<u32> {
        let reader = self.store.reader().unwrap();
        let rows = reader.deliveries(Some(target), &[], 100).unwrap();
        rows.into_iter().map(|row| row.attempts).collect()
    }
}

fn texts(receiver: &Receiver) -> Vec<String> {
    receiver
        .got()
        .iter()
        .map(|got| {
            let event: Event = serde_json::from_slice(&got.body).unwrap();
            event.data.text
        })
        .collect()
}

fn summary(delivered: u64, retried: u64, dead: u64) -> DrainSummary {
    DrainSummary {
        delivered,
        retried,
        dead,
        ..DrainSummary::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_in_order_and_signed() {
    let bench = Bench::new(&["desk"]);
    let receiver = Receiver::start(vec![Answer::status("200 OK")]).await;
    for text in ["one", "two", "three"] {
        bench.tell(text, &["desk"]).await;
    }
    let drain = bench.drain(vec![receiver.target("desk")]);
    assert_eq!(drain.drain_once().await, summary(3, 0, 0));
    assert_eq!(texts(&receiver), ["one", "two", "three"]);
    for got in receiver.got() {
        assert!(got.header("webhook-id").starts_with("msg_"));
        assert!(signed_at(&got, at(0)));
    }
    assert_eq!(drain.drain_once().await, DrainSummary::default());
    assert_eq!(bench.states("desk"), [DeliveryState::Delivered; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_event_holds_the_later_ones_back_and_keeps_its_id() {
    let bench = Bench::new(&["desk"]);
    let receiver = Receiver::start(vec![
        Answer::status("503 Service Unavailable\r\nretry-after: 20"),
        Answer::status("500 Internal Server Error"),
        Answer::status("200 OK"),
    ])
    .await;
    bench.tell("one", &["desk"]).await;
    bench.tell("two", &["desk"]).await;
    let drain = bench.drain(vec![receiver.target("desk")]);
    let mut sent = Vec::new();
    // 20 s as the receiver asked, then at most 330 s according to the schedule.
    for seconds in [0, 19, 20, 300, 360] {
        bench.clock.set(at(seconds));
        drain.drain_once().await;
        sent.push(texts(&receiver).len());
    }
    assert_eq!(sent, [1, 1, 2, 2, 4]);
    assert_eq!(texts(&receiver), ["one", "one", "one", "two"]);
    let ids: Vec<String> = receiver
        .got()
        .iter()
        .map(|got| got.header("webhook-id").to_owned())
        .collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3]);
    let moments: Vec<i64> = receiver
        .got()
        .iter()
        .map(|got| got.header("webhook-timestamp").parse().unwrap())
        .collect();
    assert_eq!(
        moments,
        [0, 20, 360, 360].map(|seconds| at(seconds).as_unix())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn event_is_given_up_after_ten_attempts_and_the_next_one_has_its_turn() {
    let bench = Bench::new(&["desk"]);
    let mut answers = vec![Answer::status("500 Internal Server Error"); 10];
    answers.push(Answer::status("200 OK"));
    let receiver = Receiver::start(answers).await;
    bench.tell("one", &["desk"]).await;
    bench.tell("two", &["desk"]).await;
    let drain = bench.drain(vec![receiver.target("desk")]);
    let mut total = DrainSummary::default();
    for days in 0..12 {
        bench.clock.set(at(days * 2 * 86_400));
        let report = drain.drain_once().await;
        total.retried += report.retried;
        total.dead += report.dead;
        total.delivered += report.delivered;
    }
    assert_eq!(total, summary(1, 9, 1));
    assert_eq!(
        bench.states("desk"),
        [DeliveryState::Dead, DeliveryState::Delivered]
    );
}

/// A receiver whose firewall rejects some texts.
async fn picky(refused: &'static [&'static str], status: &'static str) -> Receiver {
    Receiver::start_with(move |_, got| {
        let event: Event = serde_json::from_slice(&got.body).unwrap();
        match refused.contains(&event.data.text.as_str()) {
            true => Answer::status(status),
            false => Answer::status("200 OK"),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_its_receiver_refuses_lets_later_ones_pass_after_minutes() {
    let bench = Bench::new(&["desk"]);
    let receiver = picky(&["poison"], "403 Forbidden").await;
    for text in ["poison", "one", "two"] {
        bench.tell(text, &["desk"]).await;
    }
    let drain = bench.drain(vec![receiver.target("desk")]);
    let mut total = DrainSummary::default();
    for seconds in [0, 6, 400] {
        bench.clock.set(at(seconds));
        total += drain.drain_once().await;
    }
    assert_eq!(
        texts(&receiver),
        ["poison", "poison", "poison", "one", "poison", "two"],
        "once more when it is seen that others are accepted"
    );
    let arrived = || {
        let texts = texts(&receiver).into_iter();
        texts.filter(|text| text != "poison").collect::<Vec<_>>()
    };
    assert_eq!(arrived(), ["one", "two"]);
    assert_eq!(
        bench.states("desk"),
        [
            DeliveryState::Pending,
            DeliveryState::Delivered,
            DeliveryState::Delivered
        ]
    );
    assert_eq!(total.set_aside, 2);
    let health = &bench.store.reader().unwrap().target_health().unwrap()[0];
    assert_eq!((health.open, health.set_aside, health.dead), (1, 1, 0));
    assert_eq!(health.oldest_open, None, "it holds nobody up");
    // It is retried on its own schedule, and new events pass immediately.
    bench.tell("three", &["desk"]).await;
    drain.drain_once().await;
    assert_eq!(arrived(), ["one", "two", "three"]);
    let listed = bench.store.reader().unwrap().set_aside(9).unwrap();
    assert_eq!(
        (listed.len(), listed[0].last_status, listed[0].attempts),
        (1, Some(403), 4)
    );
    for days in 1..20 {
        bench.clock.set(at(days * 2 * 86_400));
        drain.drain_once().await;
    }
    assert_eq!(bench.states("desk")[0], DeliveryState::Dead);
    let target = &bench.store.reader().unwrap().targets().unwrap()[0];
    assert_eq!(target.disabled, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_refused_everything_for_a_while_still_gets_everything() {
    let bench = Bench::new(&["desk"]);
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let state = Arc::clone(&broken);
    let receiver =
        Receiver::start_with(
            move |_, _| match state.load(std::sync::atomic::Ordering::Relaxed) {
                true => Answer::status("404 Not Found"),
                false => Answer::status("200 OK"),
            },
        )
        .await;
    for text in ["one", "two", "three"] {
        bench.tell(text, &["desk"]).await;
    }
    let drain = bench.drain(vec![receiver.target("desk")]);
    let mut now = 0;
    while bench.store.reader().unwrap().target_health().unwrap()[0].set_aside < 2 {
        now += 60;
        bench.clock.set(at(now));
        drain.drain_once().await;
    }
    broken.store(false, std::sync::atomic::Ordering::Relaxed);
    bench.clock.set(at(now + 400));
    drain.drain_once().await;
    assert_eq!(bench.states("desk"), [DeliveryState::Delivered; 3]);
}

#[test]
fn only_a_refusal_sets_aside_what_would_be_tried_again() {
    let again = Next::RetryAt(at(9));
    assert_eq!(set_aside(again.clone(), true), Next::SetAside(at(9)));
    assert_eq!(set_aside(again.clone(), false), again);
    assert_eq!(set_aside(Next::Dead, true), Next::Dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_receiver_disables_its_target_only() {
    let bench = Bench::new(&["desk", "other"]);
    let gone = Receiver::start(vec![Answer::status("410 Gone")]).await;
    let fine = Receiver::start(vec![Answer::status("200 OK")]).await;
    bench.tell("one", &["desk", "other"]).await;
    bench.tell("two", &["desk", "other"]).await;
    let drain = bench.drain(vec![gone.target("desk"), fine.target("other")]);
    let report = drain.drain_once().await;
    assert_eq!(report, summary(3, 0, 1));
    assert!(report.has_failures());
    let told = texts(&fine);
    assert_eq!(told.len(), 3, "the others are told: {told:?}");
    assert!(
        told.iter()
            .any(|text| text.starts_with("desk is disabled: the receiver returned 410 Gone")),
        "{told:?}"
    );
    assert_eq!(gone.got().len(), 1);
    assert_eq!(bench.states("desk"), [DeliveryState::Disabled; 2]);
    let targets = bench.store.reader().unwrap().targets().unwrap();
    let reason = &targets[0].disabled.as_ref().unwrap().1;
    assert!(reason.contains("410 Gone"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_to_a_target_that_left_the_configuration_waits() {
    let bench = Bench::new(&["desk"]);
    bench.tell("one", &["desk"]).await;
    let drain = bench.drain(Vec::new());
    assert_eq!(drain.drain_once().await, DrainSummary::default());
    assert_eq!(bench.states("desk"), [DeliveryState::Pending]);
    let receiver = Receiver::start(vec![Answer::status("200 OK")]).await;
    drain.set_targets(vec![receiver.target("desk")]);
    assert_eq!(drain.drain_once().await, summary(1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_target_delays_no_other_and_stop_gives_its_lease_back() {
    let bench = Bench::new(&["slow", "desk"]);
    let slow = Receiver::start(vec![Answer::Silence]).await;
    let fine = Receiver::start(vec![Answer::status("200 OK")]).await;
    bench.tell("one", &["slow", "desk"]).await;
    let drain = bench.drain(vec![slow.target("slow"), fine.target("desk")]);
    let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let running = tokio::spawn({
        let (wake, stop) = (Arc::clone(&wake), stop.clone());
        async move { drain.run(wake, stop).await }
    });
    until(|| bench.states("desk") == [DeliveryState::Delivered]).await;
    bench.tell("two", &["slow", "desk"]).await;
    wake.notify_one();
    until(|| bench.states("desk") == [DeliveryState::Delivered; 2]).await;
    assert_eq!(
        bench.states("slow"),
        [DeliveryState::Leased, DeliveryState::Pending]
    );
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(bench.states("slow"), [DeliveryState::Pending; 2]);
    // Only a request that times out is recorded as an attempt; these were cut off by the end of the daemon.
    assert_eq!(bench.attempts("slow"), [0, 0]);
    assert_eq!(texts(&fine), ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_of_a_sender_that_died_is_sent_again_under_its_id() {
    let bench = Bench::new(&["desk"]);
    bench.tell("one", &["desk"]).await;
    let lost = bench
        .store
        .writer()
        .lease_due(at(0), LEASE, 1)
        .await
        .unwrap();
    let receiver = Receiver::start(vec![Answer::status("200 OK")]).await;
    let drain = bench.drain(vec![receiver.target("desk")]);
    bench.clock.set(at(59));
    assert_eq!(drain.drain_once().await, DrainSummary::default());
    bench.clock.set(at(60));
    assert_eq!(drain.drain_once().await, summary(1, 0, 0));
    assert_eq!(receiver.got()[0].header("webhook-id"), lost[0].uid);
}

#[tokio::test(flavor = "multi_thread")]
async fn body_is_cut_to_what_the_target_takes() {
    let bench = Bench::new(&["desk"]);
    bench.tell(&"word ".repeat(10_000), &["desk"]).await;
    let receiver = Receiver::start(vec![Answer::status("200 OK")]).await;
    let mut target = receiver.target("desk");
    target.max_payload = 4096;
    bench.drain(vec![target]).drain_once().await;
    assert!(receiver.got()[0].body.len() <= 4096);
    assert!(texts(&receiver)[0].ends_with('…'));
}

/// A receiver that is down for six hours, then asks for patience, then accepts one event a minute for a while, and
/// finally everything.
struct Convalescent {
    refused: bool,
    taken: u32,
    last: i64,
}

impl Convalescent {
    /// Status and `Retry-After` for a request at the given second.
    fn judge(&mut self, now: i64) -> (u16, i64) {
        let wait = self.last + 60 - now;
        match () {
            () if now < 6 * 3600 => (503, 0),
            () if !self.refused => {
                self.refused = true;
                (429, 120)
            }
            () if self.taken < 10 && wait > 0 => (429, wait),
            () => {
                (self.taken, self.last) = (self.taken + 1, now);
                (200, 0)
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_that_was_down_for_hours_gets_everything_in_order_at_its_own_rate() {
    const EVENTS: i64 = 18;
    let bench = Bench::new(&["desk"]);
    let answered = Arc::new(std::sync::Mutex::new(Vec::new()));
    let state = std::sync::Mutex::new(Convalescent {
        refused: false,
        taken: 0,
        last: i64::MIN / 2,
    });
    let log = Arc::clone(&answered);
    let receiver = Receiver::start_with(move |_, got| {
        let moment: i64 = got.header("webhook-timestamp").parse().unwrap();
        let now = moment - at(0).as_unix();
        let (status, after) = state.lock().unwrap().judge(now);
        log.lock().unwrap().push((now, status, after));
        match status {
            429 => Answer::status(&format!("429 Too Many Requests\r\nretry-after: {after}")),
            503 => Answer::status("503 Service Unavailable"),
            _ => Answer::status("200 OK"),
        }
    })
    .await;
    let drain = bench.drain(vec![receiver.target("desk")]);
    // One event every twenty minutes; in between the clock moves to the next due time.
    let mut told = 0;
    while bench.states("desk").len() < 18 || bench.states("desk").contains(&DeliveryState::Pending)
    {
        let event = (told < EVENTS).then(|| at(told * 1200));
        let due = bench.store.reader().unwrap().next_delivery().unwrap();
        let next = event.into_iter().chain(due).min().unwrap();
        bench.clock.set(next.max(bench.clock.now()));
        if event == Some(next) {
            bench.tell(&told.to_string(), &["desk"]).await;
            told += 1;
        }
        drain.drain_once().await;
    }
    assert_eq!(bench.states("desk"), [DeliveryState::Delivered; 18]);

    let answered = answered.lock().unwrap().clone();
    let sent: Vec<(String, String)> = receiver
        .got()
        .iter()
        .map(|got| got.header("webhook-id").to_owned())
        .zip(texts(&receiver))
        .collect();
    let taken: Vec<&(String, String)> = sent
        .iter()
        .zip(&answered)
        .filter(|(_, (_, status, _))| *status == 200)
        .map(|(sent, _)| sent)
        .collect();
    let expected: Vec<String> = (0..EVENTS).map(|number| number.to_string()).collect();
    let in_order: Vec<&String> = taken.iter().map(|(_, text)| text).collect();
    assert_eq!(in_order, expected.iter().collect::<Vec<_>>());
    for (id, text) in &sent {
        let of_both = sent.iter().filter(|one| one.0 == *id && one.1 == *text);
        let of_one = sent.iter().filter(|one| one.0 == *id || one.1 == *text);
        assert_eq!(of_both.count(), of_one.count(), "one id for {text}");
    }
    let pauses: Vec<i64> = answered.windows(2).map(|two| two[1].0 - two[0].0).collect();
    let down = answered
        .iter()
        .filter(|(_, status, _)| *status == 503)
        .count();
    assert_eq!(down, 5, "{answered:?}");
    for (pause, least) in pauses.iter().zip([5, 300, 1800, 7200, 18_000]) {
        assert!((least..=least * 11 / 10 + 1).contains(pause), "{pauses:?}");
    }
    for ((_, _, after), pause) in answered.iter().zip(&pauses) {
        assert!(pause >= after, "{answered:?}");
    }
}

#[test]
fn short_retry_after_is_believed_three_times() {
    for (attempt, after, expected) in [
        (1, 5, Some(5)),
        (3, 5, Some(5)),
        (4, 5, Some(7200)),
        (4, 80_000, Some(80_000)),
        (9, 5, Some(86_400)),
        (10, 5, None),
    ] {
        let result = DeliveryResult::Retry {
            after: Some(Duration::from_secs(after)),
        };
        let next = next_step(&result, attempt, at(0), 0.0);
        let expected = expected.map_or(Next::Dead, |seconds| Next::RetryAt(at(seconds)));
        assert_eq!(next, expected, "attempt {attempt}");
    }
}

/// Polls until a condition holds.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_is_given_up_and_holds_nobody_back() {
    let bench = Bench::new(&["desk", "archive"]);
    let receiver = Receiver::start(vec![Answer::status("200 OK")]).await;
    bench.tell("broken", &["desk"]).await;
    bench.tell("later", &["desk"]).await;
    bench.tell("another", &["archive"]).await;
    // Damage, or a write by another program.
    rusqlite::Connection::open(bench.store.path())
        .and_then(|file| file.execute("UPDATE events SET body = x'00112233' WHERE id = 1", []))
        .expect("the statement");
    let drain = bench.drain(vec![receiver.target("desk"), receiver.target("archive")]);
    assert_eq!(drain.drain_once().await, summary(2, 0, 1));
    let mut told = texts(&receiver);
    told.sort();
    assert_eq!(told, ["another", "later"]);
    assert_eq!(
        bench.states("desk"),
        [DeliveryState::Dead, DeliveryState::Delivered]
    );
    let reader = bench.store.reader().unwrap();
    let dead = reader
        .deliveries(Some("desk"), &[DeliveryState::Dead], 9)
        .unwrap();
    let attempts = reader.attempts(dead[0].id).unwrap();
    let why = attempts[0].record.error.as_deref().unwrap();
    assert!(why.starts_with("the event cannot be read"), "{why}");
}
