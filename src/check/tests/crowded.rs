//! More documents than fit in memory.

use super::*;
use crate::store::Underway;

/// Twenty entries, each on its own host.
fn items(site: &Site, title: &str) -> String {
    (2..22)
        .map(|n| item(&site.at(&format!("127.0.0.{n}"), &format!("/{n}"))))
        .map(|item| item.replace("Harbour closes", title))
        .collect()
}

async fn bench(folder: &Path, site: &Site) -> Bench {
    let bench = Bench::new(folder, &config(site, ""), start()).await;
    let feed = rss("", &items(site, "Harbour closes"));
    site.becomes(move |path, head| match path {
        "/feed" => reply("200 OK", "", &feed),
        "/robots.txt" => reply("404 Not Found", "", ""),
        _ => page(head),
    });
    bench
}

fn silent() -> Site {
    Site::start(|_, _| reply("500 Internal Server Error", "", ""))
}

#[tokio::test]
async fn without_any_room_one_document_after_the_other_goes_on() {
    let site = silent();
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path(), &site).await;
    bench.checker.room.set_total(1);
    bench.checker.workers.set_memory(1);
    bench.poll().await;
    let all = bench.entries();
    assert_eq!(all.len(), 20);
    let changed = rss(
        "",
        &items(&site, "Harbour is open again").replacen("is open again", "closes", 11),
    );
    site.becomes(move |path, head| match path {
        "/feed" => reply("200 OK", "", &changed),
        "/robots.txt" => reply("404 Not Found", "", ""),
        _ => page(head),
    });
    // All pages, and the feed, which would fetch the pages of its changed entries as well if there were room.
    let mut tasks = tokio::task::JoinSet::new();
    for entry in all {
        let checker = Arc::clone(&bench.checker);
        tasks.spawn(async move {
            let look = checker.check_page(entry.id, WaitLimit::Short);
            let report = Box::pin(look).await.unwrap();
            assert_eq!(report.result, PageResult::Unchanged, "{}", report.url);
        });
    }
    let poll = async {
        let feed = bench.feed().id;
        let report = Box::pin(bench.checker.check_feed(feed, WaitLimit::Endless)).await;
        assert_eq!(report.unwrap().changed, 9);
        tasks.join_all().await;
    };
    let done = tokio::time::timeout(Duration::from_secs(30), poll).await;
    assert!(done.is_ok(), "somebody waits for ever");
    assert_eq!(bench.checker.room.used(), 0);
}

#[tokio::test]
async fn pages_that_ended_the_process_together_are_not_asked_for_and_their_feed_is() {
    let site = silent();
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path(), &site).await;
    bench.poll().await;
    let entry = bench.entries().remove(0).id;
    let suspect = format!(
        "revisor {}\ncrowd 3 {} {}\n.\n",
        env!("CARGO_PKG_VERSION"),
        start().as_millis() / 1000,
        site.url("/feed")
    );
    std::fs::write(folder.path().join("revisor.db.reading"), suspect).unwrap();
    let underway = Underway::open(&folder.path().join("revisor.db"));
    let checker = Arc::into_inner(bench.checker).unwrap().noting(underway);
    let bench = Bench {
        checker: Arc::new(checker),
        ..bench
    };
    let page = |bench: &Bench| {
        bench
            .checker
            .read(|reader| reader.entry(entry))
            .unwrap()
            .unwrap()
            .page
    };
    bench.clock.set(page(&bench).next.unwrap().max(start()));
    let asked = site.asked("/2").len();
    let PageResult::Failed(why) = bench.look(entry).await else {
        panic!("it was looked at");
    };
    assert!(why.contains("pages of this feed"), "{why}");
    assert_eq!(site.asked("/2").len(), asked);
    assert_eq!(
        page(&bench).next,
        Some(start() + HOUR),
        "its rest is over then"
    );
    assert!(bench.poll().await.asked);
    bench.clock.set(start() + HOUR);
    assert_eq!(bench.look(entry).await, PageResult::Unchanged);
    assert_eq!(site.asked("/2").len(), asked + 1);
}
