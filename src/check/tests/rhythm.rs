//! When a feed is polled again: by its rhythm, by its publisher's wishes, and after a night off.

use super::*;

#[tokio::test]
async fn wishes_of_a_document_outlive_a_304() {
    let site = Site::start(|_, head| match head.contains("if-none-match") {
        true => reply("304 Not Modified", "", ""),
        false => reply("200 OK", "ETag: \"f\"\r\n", &rss("<ttl>180</ttl>", "")),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, "every = \"15m\"\n"), start()).await;
    for _ in 0..3 {
        bench.poll().await;
        let feed = bench.feed();
        assert_eq!(feed.next_why, "publisher asks for 3h (ttl)");
        bench.clock.set(feed.next_poll.unwrap());
    }
    assert_eq!(site.asked("/feed").len(), 3);
}

#[tokio::test]
async fn a_304_keeps_the_lifetime_that_it_is_silent_about() {
    let site = Site::start(|_, head| match head.contains("if-none-match") {
        true => reply("304 Not Modified", "", ""),
        false => {
            let headers = "ETag: \"f\"\r\nCache-Control: max-age=10800\r\nAge: 60\r\n";
            reply("200 OK", headers, &rss("", ""))
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "every = \"15m\"\n");
    let bench = Bench::new(folder.path(), &config, start()).await;
    bench.poll().await;
    drop(bench);
    let bench = Bench::new(folder.path(), &config, start() + HOUR * 3).await;
    // Once a day, at a moment that depends on the feed, the whole document is requested: it may be this poll.
    bench.poll().await;
    bench.poll().await;
    assert_eq!(bench.feed().next_why, "publisher asks for 3h (max-age)");

    // A 304 with a header of its own overrides what was said before.
    site.becomes(|_, _| reply("304 Not Modified", "Cache-Control: no-cache\r\n", ""));
    bench.poll().await;
    assert_eq!(bench.feed().next_why, "every 15m");
    site.becomes(|_, _| reply("304 Not Modified", "", ""));
    bench.poll().await;
    assert_eq!(bench.feed().next_why, "every 15m");
}

#[tokio::test]
async fn a_lifetime_that_is_counted_down_is_kept_only_where_it_moves_a_poll() {
    let says = |seconds: u64| {
        move |_: &str, head: &str| {
            let headers = format!("ETag: \"f\"\r\nCache-Control: max-age={seconds}\r\n");
            match head.contains("if-none-match") {
                true => reply("304 Not Modified", &headers, ""),
                false => reply("200 OK", &headers, &rss("", "")),
            }
        }
    };
    let site = Site::start(says(600));
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, "every = \"15m\"\n"), start()).await;
    // The first four are shorter than the interval, or hardly longer.
    for (named, kept) in [
        (600, None),
        (300, None),
        (899, None),
        (1000, None),
        (7200, Some(7200)),
        (7150, Some(7200)),
        (5500, Some(7200)),
        (5300, Some(5300)),
        (600, Some(600)),
        (0, Some(600)),
    ] {
        site.becomes(says(named));
        bench.poll().await;
        let lifetime = bench
            .feed()
            .pace
            .lifetime
            .map(|lifetime| lifetime.as_secs());
        assert_eq!(lifetime, kept, "{named}");
        // Each response plans its own next poll.
        let wait = bench.feed().next_poll.unwrap().since(start());
        assert!(wait >= Duration::from_secs(named), "{named}: {wait:?}");
    }
}

#[tokio::test]
async fn who_can_only_send_the_whole_feed_is_asked_once_an_hour_unless_a_rhythm_is_named() {
    let site = Site::start(|_, _| reply("200 OK", "", &rss("", "")));
    for (rest, at_least, at_most) in [
        ("", HOUR, HOUR * 6 / 5),
        ("every = \"15m\"\n", HOUR / 5, HOUR / 3),
        ("unconditional = \"6h\"\n", HOUR * 6, HOUR * 7),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::new(folder.path(), &config(&site, rest), start()).await;
        for _ in 0..2 {
            bench.poll().await;
            let wait = bench.feed().next_poll.unwrap().since(start());
            assert!(wait >= at_least && wait <= at_most, "{rest}: {wait:?}");
        }
    }
}

#[tokio::test]
async fn a_feed_without_dates_that_falls_silent_is_asked_more_seldom() {
    let site = Site::start(|path, _| match path {
        "/feed" => reply("200 OK", "ETag: \"f\"\r\n", &rss("", &item("/a"))),
        _ => reply("404 Not Found", "", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.poll().await;
    let wait = bench.feed().next_poll.unwrap().since(start());
    assert!(wait < HOUR / 2, "{wait:?}");
    bench.clock.set(start() + HOUR * 8);
    bench.poll().await;
    let wait = bench.feed().next_poll.unwrap().since(start() + HOUR * 8);
    assert!(wait > HOUR * 3 / 4 && wait < HOUR * 3 / 2, "{wait:?}");
}

#[tokio::test]
async fn another_rhythm_holds_at_once_also_after_a_restart() {
    let site = Site::start(|_, _| reply("200 OK", "ETag: \"f\"\r\n", &rss("", "")));
    let folder = tempfile::tempdir().unwrap();
    let rarely = config(&site, "every = \"7d\"\njitter = \"0%\"\n");
    let bench = Bench::new(folder.path(), &rarely, start()).await;
    bench.poll().await;
    assert_eq!(bench.feed().next_poll, Some(start() + HOUR * 24 * 7));
    drop(bench);
    let often = config(&site, "every = \"2h\"\njitter = \"0%\"\n");
    let bench = Bench::new(folder.path(), &often, start() + HOUR).await;
    assert_eq!(bench.feed().next_poll, Some(start() + HOUR * 2));
    assert_eq!(bench.feed().next_why, "every 2h");
}

#[tokio::test]
async fn a_night_off_is_caught_up_with_over_an_interval() {
    let site = Site::start(|_, _| reply("200 OK", "ETag: \"f\"\r\n", &rss("", "")));
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "every = \"1h\"\n");
    let bench = Bench::new(folder.path(), &config, start()).await;
    assert_eq!(bench.checker.away().unwrap(), Duration::ZERO, "a new feed");
    bench.poll().await;
    let morning = start() + HOUR * 12;
    bench.clock.set(morning);
    let away = bench.checker.away().unwrap();
    assert!(away > HOUR * 10 && away < HOUR * 12);
    bench.checker.catch_up(away).await.unwrap();
    let next = bench.feed().next_poll.unwrap();
    assert!(next >= morning && next.since(morning) <= HOUR * 2);
    drop(bench.store);
}

#[tokio::test]
async fn a_site_that_is_not_reached_just_after_the_start_is_asked_again_soon_and_once() {
    // No server listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    for (is_daemon, first, second) in [(true, 30, 1800), (false, 900, 1800)] {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[fetch]\nallow_private = [\"127.0.0.0/8\"]\njitter = \"0%\"\n\
             [[feed]]\nurl = \"http://{address}/feed\"\nevery = \"15m\"\n"
        );
        let bench = Bench::new(folder.path(), &config, start()).await;
        if is_daemon {
            bench.checker.judge_network().unwrap();
        }
        for expected in [first, second] {
            bench.poll().await;
            let wait = bench.feed().next_poll.unwrap().since(start());
            assert_eq!(wait.as_secs(), expected, "{is_daemon}");
        }
    }
}
