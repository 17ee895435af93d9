//! After an alert about a failing feed, exactly one alert reports its recovery, whatever happens in between.

use super::*;
use crate::domain::ids::EventId;
use crate::store::Underway;

const GOOD: &str = "200 OK";
const BAD: &str = "500 Internal Server Error";

impl Bench {
    /// Polls at a moment when every response has this status.
    async fn answered(&self, site: &Site, status: &'static str) {
        site.becomes(move |_, _| match status {
            GOOD => reply(GOOD, "", &rss("", "")),
            _ => reply(status, "", ""),
        });
        self.clock.set(self.clock.now() + HOUR * 25);
        self.poll().await;
    }

    /// The events that were reported, in order.
    fn told(&self) -> Vec<&'static str> {
        let told = self
            .checker
            .read(|reader| reader.events_after(EventId(0), 99));
        let kinds = told.unwrap().into_iter().map(|stored| stored.event.kind);
        kinds.map(crate::domain::event::EventKind::as_str).collect()
    }

    async fn resume(&self) {
        let now = self.clock.now();
        let resumed = self.store.writer().resume_feed(self.feed().id, now).await;
        assert!(resumed.unwrap());
    }
}

/// A feed that has crashed the process twice before.
async fn quarantined(folder: &Path, site: &Site) -> Bench {
    let bench = Bench::new(folder, &config(site, ""), start()).await;
    let suspect = format!(
        "revisor {}\nsuspect 2 {} {}\n.\n",
        env!("CARGO_PKG_VERSION"),
        start().as_millis() / 1000,
        site.url("/feed")
    );
    std::fs::write(folder.join("revisor.db.reading"), suspect).unwrap();
    let underway = Underway::open(&folder.join("revisor.db"));
    let checker = Arc::into_inner(bench.checker).unwrap().noting(underway);
    let bench = Bench {
        checker: Arc::new(checker),
        ..bench
    };
    bench.poll().await;
    assert_eq!(bench.told(), ["feed.failing"]);
    assert!(site.asked("/feed").is_empty());
    bench
}

#[tokio::test]
async fn a_feed_that_was_left_alone_and_fails_before_it_is_well() {
    let site = Site::start(|_, _| reply(BAD, "", ""));
    let folder = tempfile::tempdir().unwrap();
    let bench = quarantined(folder.path(), &site).await;
    bench.answered(&site, BAD).await;
    bench.answered(&site, GOOD).await;
    assert_eq!(bench.told(), ["feed.failing", "feed.recovered"]);
    bench.answered(&site, GOOD).await;
    assert_eq!(bench.told().len(), 2);
}

#[tokio::test]
async fn a_feed_that_was_left_alone_and_goes_on_failing() {
    let site = Site::start(|_, _| reply(BAD, "", ""));
    let folder = tempfile::tempdir().unwrap();
    let bench = quarantined(folder.path(), &site).await;
    for _ in 0..4 {
        bench.answered(&site, BAD).await;
    }
    assert_eq!(bench.told(), ["feed.failing"], "they know");
    bench.answered(&site, GOOD).await;
    assert_eq!(bench.told(), ["feed.failing", "feed.recovered"]);
}

#[tokio::test]
async fn a_feed_that_a_person_takes_up_again() {
    let site = Site::start(|_, _| reply(BAD, "", ""));
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    for _ in 0..4 {
        bench.answered(&site, BAD).await;
    }
    assert_eq!(bench.told(), ["feed.failing"]);
    bench.resume().await;
    for _ in 0..4 {
        bench.answered(&site, BAD).await;
    }
    // The feed was resumed in the hope that it was fixed, so its failing is reported again.
    assert_eq!(bench.told(), ["feed.failing", "feed.failing"]);
    bench.resume().await;
    bench.answered(&site, BAD).await;
    bench.answered(&site, GOOD).await;
    bench.answered(&site, GOOD).await;
    assert_eq!(bench.told()[2..], ["feed.recovered"]);
}

#[tokio::test]
async fn a_feed_that_was_gone() {
    let site = Site::start(|_, _| reply(GOOD, "", &rss("", "")));
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "detect.removed_checks = 2\n");
    let bench = Bench::new(folder.path(), &config, start()).await;
    for _ in 0..2 {
        bench.answered(&site, "410 Gone").await;
    }
    assert_eq!(bench.told(), ["feed.gone"]);
    bench.resume().await;
    bench.answered(&site, GOOD).await;
    assert_eq!(bench.told(), ["feed.gone", "feed.recovered"]);
}

#[tokio::test]
async fn a_feed_whose_failures_were_stored_together() {
    let site = Site::start(|_, _| reply(BAD, "", ""));
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.answered(&site, BAD).await;
    // Two manual checks while the first poll is not stored yet: each takes itself for the second failure.
    let id = bench.feed().id;
    for _ in 0..2 {
        let check = bench.checker.check_feed(id, WaitLimit::Endless);
        Box::pin(check).await.unwrap();
    }
    bench.checker.store_quiet_polls().await.unwrap();
    assert_eq!(bench.feed().failures, 3);
    bench.answered(&site, BAD).await;
    bench.answered(&site, BAD).await;
    assert_eq!(bench.told(), ["feed.failing"]);
    bench.answered(&site, GOOD).await;
    assert_eq!(bench.told(), ["feed.failing", "feed.recovered"]);
}
