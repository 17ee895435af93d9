use std::fmt::Write as _;

use super::*;
use crate::config::{Environment, Flags, Secrets, from_text};
use crate::daemon::Assembly;
use crate::store::FeedRow;
use crate::time::{Clock as _, Fixed};

const HOUR: Duration = Duration::from_hours(1);
const INTERVAL: Duration = Duration::from_mins(15);

/// A running poller with unreachable feeds: each poll fails, and the next one is planned.
struct Bench {
    clock: Arc<Fixed>,
    assembly: Assembly,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<Option<StoreError>>,
}

impl Bench {
    async fn start(folder: &std::path::Path, now: Timestamp) -> Self {
        let database = folder.join("revisor.db").display().to_string();
        let environment = Environment::from_pairs([("REVISOR_DB", database)]);
        let mut text = "[fetch]\nevery = \"15m\"\nhost_delay = \"0s\"\n".to_owned();
        for feed in 0..20 {
            // A private address, which is refused before any request is sent.
            let _ = writeln!(text, "[[feed]]\nurl = \"http://127.0.0.1:1/{feed}\"");
        }
        let loaded = from_text(
            &text,
            None,
            Flags::default(),
            &environment,
            Secrets::Required,
        );
        let clock = Arc::new(Fixed::at(now));
        let assembly = Assembly::open(loaded.unwrap().config, clock.clone())
            .await
            .unwrap();
        let (stop, outbox) = (CancellationToken::new(), Arc::new(Notify::new()));
        let poller = Poller::new(&assembly, outbox);
        let running = tokio::spawn(poller.run(Arc::new(Pulse::new()), stop.clone()));
        Self {
            clock,
            assembly,
            stop,
            running,
        }
    }

    fn feeds(&self) -> Vec<FeedRow> {
        self.assembly
            .checker
            .read(|reader| reader.feeds(false))
            .unwrap()
    }

    /// Waits until all feeds are as wanted; the poller wakes up four times a second.
    async fn all(&self, what: &str, mut wanted: impl FnMut(&FeedRow) -> bool) {
        for _ in 0..1500 {
            if self.feeds().iter().all(&mut wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what}: {:?}", self.feeds().first());
    }

    async fn end(self) {
        self.stop.cancel();
        assert!(self.running.await.unwrap().is_none());
        self.assembly.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_leaps_stalls_nothing_and_floods_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let start = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap();
    let bench = Bench::start(folder.path(), start).await;
    bench
        .all("each is polled", |feed| feed.last_poll == Some(start))
        .await;
    let planned: Vec<_> = bench
        .feeds()
        .into_iter()
        .map(|feed| feed.next_poll)
        .collect();

    // An hour back: all distances are kept.
    bench.clock.set(start - HOUR);
    bench
        .all("planned by the new clock", |feed| {
            feed.next_poll.is_some_and(|next| next < start)
        })
        .await;
    // The clock of the test does not move until the poller wakes up, so the feeds were set back by that much more.
    let feeds = bench.feeds();
    let moved: Vec<_> = feeds
        .iter()
        .zip(&planned)
        .map(|(feed, planned)| planned.unwrap().since(feed.next_poll.unwrap()))
        .collect();
    assert!(
        moved.iter().all(|by| *by == moved[0] && *by >= HOUR),
        "{moved:?}"
    );
    assert!(
        bench
            .feeds()
            .iter()
            .all(|feed| feed.last_poll == Some(start)),
        "nobody was asked"
    );

    // After a night of sleep, and after a jump of ten years, polls are spread over an interval instead of coming all
    // at once. (Feeds that were not polled since the night count it as part of their interval.)
    for (leap, bound) in [(HOUR * 9, INTERVAL * 2), (HOUR * 24 * 365 * 10, HOUR * 9)] {
        let now = bench.clock.now() + leap;
        bench.clock.set(now);
        bench
            .all("planned or polled", |feed| {
                feed.next_poll.is_some_and(|next| next >= now)
            })
            .await;
        let feeds = bench.feeds();
        let polled = feeds
            .iter()
            .filter(|feed| feed.last_poll == Some(now))
            .count();
        assert!(
            polled < feeds.len() / 2,
            "{polled} of {} at once",
            feeds.len()
        );
        let waiting = feeds.iter().filter(|feed| feed.last_poll != Some(now));
        let latest = waiting.filter_map(|feed| feed.next_poll).max().unwrap();
        assert!(
            latest.since(now) <= bound,
            "{}",
            latest.since(now).as_secs()
        );
    }
    bench.end().await;
}
