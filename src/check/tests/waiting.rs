//! Changes whose alert waits for further checks.

use super::*;

const AHEAD: Duration = Duration::from_hours(24 * 365);
const HURT: &str = "Four sailors were hurt.";
const NOT: &str = "Nobody was hurt.";

fn article(of: &str) -> String {
    reply(
        "200 OK",
        "Content-Type: text/html\r\n",
        &ARTICLE.replace(NOT, of),
    )
}

impl Site {
    fn says(&self, of: &'static str) {
        self.becomes(move |path, _| match path {
            "/feed" => reply("200 OK", "ETag: \"f\"\r\n", &rss("", &item("/one"))),
            _ => article(of),
        });
    }
}

impl Bench {
    fn waiting(&self) -> u64 {
        let feed = self.feed().id;
        self.checker
            .read(|reader| reader.count_waiting(feed))
            .unwrap()
    }

    /// Checks the page of the only entry when it is due.
    async fn look_when_due(&self) -> PageResult {
        let entry = self.entries().remove(0);
        let now = self.checker.now();
        self.clock.set(entry.page.next.unwrap().max(now));
        self.look(entry.id).await
    }

    async fn settle_after(&self, pause: Duration) -> usize {
        self.clock.set(self.checker.now() + pause);
        self.checker.settle_waits().await.unwrap()
    }
}

/// A reported edit, then a page with the earlier text again: either the edit was reverted, or this is a stale copy.
async fn taken_back(folder: &Path, site: &Site, now: Timestamp) -> Bench {
    let bench = Bench::new(
        folder,
        &config(site, "every = \"1h\"\njitter = \"0%\"\n"),
        now,
    )
    .await;
    bench.poll().await;
    site.says(NOT);
    bench.look_when_due().await;
    site.says(HURT);
    assert_eq!(bench.look_when_due().await, PageResult::Changed);
    assert_eq!(bench.waiting(), 0);
    site.says(NOT);
    assert_eq!(bench.look_when_due().await, PageResult::Changed);
    assert_eq!(bench.waiting(), 1);
    bench
}

fn site() -> Site {
    Site::start(|path, _| match path {
        "/feed" => reply("200 OK", "ETag: \"f\"\r\n", &rss("", &item("/one"))),
        _ => article(NOT),
    })
}

#[tokio::test]
async fn a_change_that_waits_is_judged_by_a_check_after_the_clock_was_set_back() {
    let (site, folder) = (site(), tempfile::tempdir().unwrap());
    let bench = taken_back(folder.path(), &site, start() + AHEAD).await;
    bench.clock.set(start());
    bench.checker.set_back(AHEAD).await.unwrap();
    // Checks by the other clock prove nothing.
    assert_eq!(bench.settle_after(Duration::ZERO).await, 0);
    assert_eq!(bench.waiting(), 1);
    bench.look_when_due().await;
    assert!(bench.checker.now() < start() + HOUR * 2);
    assert_eq!(bench.settle_after(HOUR).await, 1, "told as an edit");
    assert_eq!(bench.waiting(), 0);
}

#[tokio::test]
async fn a_change_is_not_told_of_for_its_age_when_nothing_was_checked_meanwhile() {
    for stale in [true, false] {
        let (site, folder) = (site(), tempfile::tempdir().unwrap());
        let bench = taken_back(folder.path(), &site, start()).await;
        // The machine sleeps for three days.
        assert_eq!(bench.settle_after(HOUR * 72).await, 0);
        assert_eq!(bench.waiting(), 1);
        site.says(if stale { HURT } else { NOT });
        bench.look_when_due().await;
        let told = bench.settle_after(HOUR).await;
        assert_eq!((told, bench.waiting()), (usize::from(!stale), 0));
    }
}

#[tokio::test]
async fn a_change_of_a_page_that_is_not_checked_any_more_is_told() {
    let (site, folder) = (site(), tempfile::tempdir().unwrap());
    let bench = taken_back(folder.path(), &site, start()).await;
    let mut told = 0;
    for _ in 0..27 {
        told += bench.settle_after(HOUR).await;
    }
    assert_eq!((told, bench.waiting()), (1, 0));
}

#[tokio::test]
async fn a_page_that_is_checked_along_with_its_feed_waits_likewise() {
    for (summary, waits) in [("It's closed", 1), ("It is open", 0)] {
        let (site, folder) = (site(), tempfile::tempdir().unwrap());
        let told = |summary: &str, of: &str| {
            let about = format!("</link><description>{summary}</description>");
            let feed = rss("", &item("/one").replace("</link>", &about));
            let page = article(of);
            move |path: &str, _: &str| match path {
                "/feed" => reply("200 OK", "", &feed),
                _ => page.clone(),
            }
        };
        site.becomes(told("It’s closed", NOT));
        let rest = "every = \"1h\"\njitter = \"0%\"\n";
        let bench = Bench::new(folder.path(), &config(&site, rest), start()).await;
        bench.poll().await;
        bench.look_when_due().await;
        site.becomes(told("It’s closed", HURT));
        assert_eq!(bench.look_when_due().await, PageResult::Changed);
        site.becomes(told(summary, NOT));
        bench.clock.set(bench.checker.now() + HOUR);
        assert_eq!(bench.poll().await.changes, [ChangeNumber(2)]);
        // A feed with another text proves an edit, whatever its page says.
        assert_eq!(bench.waiting(), waits, "{summary}");
    }
}
