//! What robots.txt forbids, and the delays that it asks for.

use super::*;

#[tokio::test]
async fn what_robots_txt_forbids_is_not_asked_for_until_it_says_something_else() {
    let robots = |text: &'static str| {
        move |path: &str, head: &str| match path {
            "/feed" => reply("200 OK", "", &rss("", &(item("/private/a") + &item("/go")))),
            "/robots.txt" => reply("200 OK", "", text),
            "/go" => reply("302 Found", "Location: /private/b\r\n", ""),
            _ => page(head),
        }
    };
    let site = Site::start(robots("User-agent: *\nDisallow: /private/"));
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "");
    let bench = Bench::new(folder.path(), &config, start()).await;
    bench.poll().await;
    for entry in bench.entries() {
        let PageResult::Failed(why) = bench.look(entry.id).await else {
            panic!("robots.txt forbids it");
        };
        assert_eq!(why, "robots.txt forbids it (Disallow: /private/)");
    }
    assert!(site.asked("/private/a").is_empty());
    assert_eq!(site.asked("/go").len(), 1, "it is not forbidden itself");
    assert!(site.asked("/private/b").is_empty());
    assert_eq!(site.asked("/robots.txt").len(), 1);
    for entry in bench.entries() {
        assert_eq!(entry.page.barred, Some(start()));
        assert_eq!(entry.page.failures, 0, "it has done nothing wrong");
        assert_eq!(entry.page.next, Some(start() + HOUR * 24));
    }

    // A restart does not request it again.
    drop(bench);
    let later = start() + HOUR * 23;
    let bench = Bench::new(folder.path(), &config, later).await;
    let entry = bench.entries().remove(0);
    let forced = bench.checker.check_page(entry.id, WaitLimit::Short);
    Box::pin(forced).await.unwrap();
    assert_eq!(site.asked("/robots.txt").len(), 1);

    site.becomes(robots("User-agent: *\nDisallow: /other/"));
    bench.clock.set(start() + HOUR * 25);
    for entry in bench.entries() {
        bench.look(entry.id).await;
    }
    assert_eq!(site.asked("/robots.txt").len(), 2);
    for entry in bench.entries() {
        assert_eq!(entry.page.barred, None);
        assert!(entry.page.ok.is_some());
    }
}

#[tokio::test]
async fn pages_barred_before_are_due_when_robots_txt_changes() {
    let site = Site::start(|path, _| match path {
        "/feed" => reply("200 OK", "", &rss("", &(item("/a") + &item("/b")))),
        "/robots.txt" => reply("503 Service Unavailable", "", ""),
        _ => panic!("not to be asked for"),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.poll().await;
    for entry in bench.entries() {
        let PageResult::Failed(why) = bench.look(entry.id).await else {
            panic!("nothing is known of robots.txt");
        };
        assert!(
            why.starts_with("robots.txt cannot be read: returned 503"),
            "{why}"
        );
    }
    assert_eq!(site.asked("/robots.txt").len(), 1);

    site.becomes(|path, head| match path {
        "/robots.txt" => reply("404 Not Found", "", ""),
        _ => page(head),
    });
    let now = start() + Duration::from_mins(10);
    bench.clock.set(now);
    let entries = bench.entries();
    bench.look(entries[0].id).await;
    assert_eq!(bench.entries()[1].page.next, Some(now));
    assert_eq!(bench.look(entries[1].id).await, PageResult::Unchanged);
    assert_eq!(site.asked("/robots.txt").len(), 2);
    assert_eq!(site.asked("/b").len(), 1);
}

#[tokio::test]
async fn the_patience_that_a_robots_txt_asks_for_outlives_a_restart() {
    let site = Site::start(|path, _| match path {
        "/feed" => reply("200 OK", "", &rss("", &item("/a"))),
        "/robots.txt" => reply("429 Too Many Requests", "Retry-After: 172800\r\n", ""),
        _ => panic!("not to be asked for"),
    });
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "");
    let bench = Bench::new(folder.path(), &config, start()).await;
    bench.poll().await;
    bench.look(bench.entries()[0].id).await;
    let until = start() + HOUR * 48;
    let barred = bench.entries().remove(0).page;
    assert_eq!((barred.barred, barred.next), (Some(start()), Some(until)));
    let why = barred.error.unwrap();
    assert_eq!(
        why,
        "robots.txt cannot be read: returned 429 Too Many Requests"
    );

    drop(bench);
    let bench = Bench::new(folder.path(), &config, start() + HOUR).await;
    let forced = bench
        .checker
        .check_page(bench.entries()[0].id, WaitLimit::Short);
    Box::pin(forced).await.unwrap();
    assert_eq!(site.asked("/robots.txt").len(), 1);
}

#[tokio::test]
async fn crawl_delay_is_kept_between_pages_and_not_when_nobody_obeys() {
    let site = Site::start(|path, head| match path {
        "/feed" => reply("200 OK", "", &rss("", &(item("/a") + &item("/b")))),
        "/robots.txt" => reply("200 OK", "", "User-agent: revisor\nCrawl-delay: 600"),
        _ => page(head),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.poll().await;
    let entries = bench.entries();
    bench.look(entries[0].id).await;
    assert!(bench.checker.page_wait("127.0.0.1") > Duration::from_secs(500));
    let PageResult::Failed(why) = bench.look(entries[1].id).await else {
        panic!("it is too early");
    };
    assert!(why.contains("over its budget"), "{why}");
    assert!(site.asked("/b").is_empty());
    assert_eq!(
        bench.entries()[1].page.next,
        Some(start()),
        "as due as before"
    );
    bench.poll().await;
    assert_eq!(site.asked("/feed").len(), 2, "feeds do not wait for it");

    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "page.robots = false\n");
    let bench = Bench::new(folder.path(), &config, start()).await;
    bench.poll().await;
    for entry in bench.entries() {
        bench.look(entry.id).await;
    }
    assert_eq!(site.asked("/b").len(), 1);
    assert_eq!(site.asked("/robots.txt").len(), 1);
}
