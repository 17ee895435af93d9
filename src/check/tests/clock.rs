//! Clocks that jump.

use super::*;

/// A feed with two entries whose pages have an article clock.
async fn timed(folder: &Path, site: &Site) -> Bench {
    let config = config(site, "every = \"1h\"\njitter = \"0%\"\n");
    let bench = Bench::new(folder, &config, start()).await;
    bench.poll().await;
    bench
}

#[tokio::test]
async fn a_page_that_was_too_old_by_a_clock_far_ahead_is_looked_at_again() {
    let site = Site::start(|path, _| match path {
        "/feed" => reply("200 OK", "ETag: \"f\"\r\n", &rss("", &item("/one"))),
        _ => reply("200 OK", "Content-Type: text/html\r\n", ARTICLE),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = timed(folder.path(), &site).await;
    let entry = &bench.entries()[0];
    assert!(entry.page.next.is_some());
    let leap = HOUR * 24 * 365 * 10;
    bench.clock.set(start() + leap);
    bench.look(entry.id).await;
    assert_eq!(bench.entries()[0].page.next, None, "ten years are too old");
    bench.clock.set(start() + HOUR);
    bench.checker.set_back(leap).await.unwrap();
    let next = bench.entries()[0].page.next.unwrap();
    assert!(
        next >= start() + HOUR && next < start() + HOUR * 2,
        "{next}"
    );
}

#[tokio::test]
async fn a_clock_that_is_set_back_moves_all_plans_with_it_and_only_once() {
    let site = Site::start(|path, _| match path {
        "/feed" => reply("200 OK", "ETag: \"f\"\r\n", &rss("", &item("/one"))),
        _ => reply("200 OK", "Content-Type: text/html\r\n", ARTICLE),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = timed(folder.path(), &site).await;
    let next = bench.feed().next_poll.unwrap();
    let page = bench.entries()[0].page.next;
    let back = HOUR * 24 * 365 * 10;
    bench.clock.set(start() - back);
    // Also if the program was not running when the clock was set.
    assert_eq!(bench.checker.ahead().unwrap(), back);
    for _ in 0..2 {
        bench.checker.set_back(back).await.unwrap();
        assert_eq!(bench.feed().next_poll, Some(next - back));
        assert_eq!(bench.entries()[0].page.next, page.map(|page| page - back));
        assert_eq!(bench.checker.ahead().unwrap(), Duration::ZERO);
        // The steps of each start change nothing.
        let away = bench.checker.away().unwrap();
        bench.checker.catch_up(away).await.unwrap();
        assert_eq!(bench.feed().next_poll, Some(next - back));
    }
    // The next poll is on time, and finds the current feed.
    bench.clock.set(next - back);
    site.becomes(|path, _| match path {
        "/feed" => reply(
            "200 OK",
            "",
            &rss("", &item("/one").replace("closes", "opens")),
        ),
        _ => reply("200 OK", "Content-Type: text/html\r\n", ARTICLE),
    });
    let report = bench.poll().await;
    assert_eq!(report.changes, [ChangeNumber(1)]);
    let window = bench.window(1);
    assert!(window.0 <= window.1, "{window:?}");
    // And forward again: changes are ordered by number, whatever their times.
    bench.clock.set(start() + HOUR * 2);
    site.becomes(|path, _| match path {
        "/feed" => reply(
            "200 OK",
            "",
            &rss("", &item("/one").replace("closes", "shuts")),
        ),
        _ => reply("200 OK", "Content-Type: text/html\r\n", ARTICLE),
    });
    assert_eq!(bench.poll().await.changes, [ChangeNumber(2)]);
    bench.clock.set(start() - back);
    site.becomes(|path, _| match path {
        "/feed" => reply(
            "200 OK",
            "",
            &rss("", &item("/one").replace("closes", "sinks")),
        ),
        _ => reply("200 OK", "Content-Type: text/html\r\n", ARTICLE),
    });
    assert_eq!(bench.poll().await.changes, [ChangeNumber(3)]);
    for number in 1..=3 {
        let window = bench.window(number);
        assert!(window.0 <= window.1, "{number}: {window:?}");
    }
}
