//! Mistakes of publishers, receivers and people.

use std::fmt::Write as _;

use crate::support::{Home, Page, SECRET, Server, rss};

fn home(publisher: &Server) -> Home {
    Home::new(&format!(
        "[page]\nfetch = \"off\"\n\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ))
}

fn good(title: &str) -> Page {
    Page::rss(rss(&[(
        "1",
        "https://e.example/1",
        title,
        "Text that stays as it is.",
    )]))
}

#[test]
fn an_address_that_is_no_feed_is_named_as_what_it_is() {
    let publisher = Server::start();
    let home = home(&publisher);
    publisher.set(
        "/feed.xml",
        Page::html("<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Hi"),
    );
    let ran = home.run(&["check", "--force"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.contains("HTML"), "{}", ran.stdout);
}

#[test]
fn a_page_instead_of_the_feed_leaves_history_untouched() {
    let publisher = Server::start();
    let home = home(&publisher);
    publisher.set("/feed.xml", good("First headline of them all"));
    home.check();
    publisher.set(
        "/feed.xml",
        Page::html("<html><body><h1>Log in</h1></body></html>"),
    );
    let report = home.check();
    assert_eq!(report["feeds"][0]["outcome"], "failed");
    assert_eq!(report["changes"], serde_json::json!([]));
    publisher.set("/feed.xml", good("Second headline of them all"));
    let report = home.check();
    assert_eq!(report["changes"], serde_json::json!([1]));
    let window = &home.events()[0]["data"]["change"]["window"];
    assert_eq!(window["checks"], 2);
    assert_eq!(window["failed_checks"], 1);
}

#[test]
fn error_answers_are_failures_and_gone_ends_the_polling() {
    let publisher = Server::start();
    let home = home(&publisher);
    publisher.set("/feed.xml", good("A headline"));
    home.check();
    for status in [404, 429, 500, 503] {
        publisher.set(
            "/feed.xml",
            Page::status(status).header("retry-after", "120"),
        );
        let report = home.check();
        assert_eq!(report["feeds"][0]["outcome"], "failed");
        assert_eq!(report["feeds"][0]["status"], status);
    }
    publisher.set("/feed.xml", Page::status(410));
    assert_eq!(home.check()["feeds"][0]["status"], 410);
    let hits = publisher.hits("/feed.xml");
    home.run(&["check"]);
    assert_eq!(
        publisher.hits("/feed.xml"),
        hits,
        "a feed that is gone is not due any more"
    );
}

/// The file that a process leaves if it crashes while reading something, for the second time.
fn ended_twice(home: &Home, url: &str) -> std::path::PathBuf {
    let mut left = home.db_path().into_os_string();
    left.push(".reading");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!("revisor {version}\nreading 1 0 {url}\n.\n");
    std::fs::write(&left, text).expect("a file");
    left.into()
}

#[test]
fn what_ended_the_service_twice_is_left_alone_and_told() {
    let publisher = Server::start();
    let home = home(&publisher);
    let mut config = std::fs::read_to_string(home.config_path()).expect("the configuration");
    let hook = publisher.url("/hook");
    let _ = write!(
        config,
        "[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{hook}\"\nsecret = \"{SECRET}\"\nevents = [\"*\"]\n"
    );
    std::fs::write(home.config_path(), config).expect("the configuration");
    publisher.set("/feed.xml", good("A headline"));
    let url = publisher.url("/feed.xml");
    let left = ended_twice(&home, &url);
    let ran = home.run(&["check", "--force"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.contains("skipped for a day"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("skipped for a day") && ran.stderr.contains(&url),
        "{}",
        ran.stderr
    );
    // It is not even requested, and is not due before the end of the quarantine; every command reports it.
    assert_eq!(publisher.hits("/feed.xml"), 0);
    home.run(&["check", "--force"]);
    let status: serde_json::Value =
        serde_json::from_str(&home.ok(&["status", "--json"])).expect("JSON");
    assert_eq!(status["left_alone"][0]["url"], *url);
    let next = &status["feeds"]["next"];
    assert_eq!(next["at"], status["left_alone"][0]["until"], "{status}");
    for command in ["status", "doctor"] {
        let ran = home.run(&[command]);
        let told = ran
            .stdout
            .lines()
            .find(|line| line.contains("crashed revisor 2 times"));
        assert!(
            told.is_some_and(|line| line.contains(&url)),
            "{}",
            ran.stdout
        );
    }
    let kinds = || -> Vec<String> {
        let kind = |body: &[u8]| -> serde_json::Value {
            let event: serde_json::Value = serde_json::from_slice(body).expect("JSON");
            event["type"].clone()
        };
        let hooks = publisher.hooks().into_iter();
        hooks
            .map(|hook| kind(&hook.body).as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(kinds(), ["feed.failing"]);
    std::fs::remove_file(&left).expect("a file");
    assert_eq!(home.check()["feeds"][0]["outcome"], "new_content");
    assert_eq!(kinds(), ["feed.failing", "feed.recovered"]);
    let after = std::fs::read_to_string(&left).expect("a file");
    let (noted, _) = after.split_once("\n.\n").expect("an end");
    assert!(!noted.contains("feed.xml"), "{after}");
}

#[test]
fn a_page_that_ended_the_service_twice_is_not_asked_for() {
    let publisher = Server::start();
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", &publisher.url("/page"), "A", "Words")])),
    );
    publisher.set(
        "/page",
        Page::html("<article><p>Some words of a page.</p></article>"),
    );
    let home = Home::new(&format!(
        "[[feed]]\nname = \"f\"\nurl = \"{}\"\n",
        publisher.url("/feed.xml")
    ));
    ended_twice(&home, &publisher.url("/page"));
    home.check();
    home.check();
    assert_eq!(publisher.hits("/page"), 0);
    let status = home.ok(&["status"]);
    assert!(status.contains(&publisher.url("/page")), "{status}");
    let history = home.ok(&["history", &publisher.url("/page"), "--json"]);
    assert!(history.contains("skipped for a day"), "{history}");
}

#[test]
fn requests_are_conditional_with_validators_verbatim() {
    let publisher = Server::start();
    let home = home(&publisher);
    let page = good("A headline")
        .header("etag", "W/\"odd, one\"")
        .header("last-modified", "Mon, 23 Nov 2026 10:00:00 GMT");
    publisher.set("/feed.xml", page);
    home.check();
    assert_eq!(home.check_due()["feeds"][0]["outcome"], "not_modified");
    let last = publisher.log().pop().unwrap();
    assert_eq!(last.headers["if-none-match"], "W/\"odd, one\"");
    assert_eq!(
        last.headers["if-modified-since"],
        "Mon, 23 Nov 2026 10:00:00 GMT"
    );
    assert!(last.headers["user-agent"].starts_with("revisor/"));
    assert!(!last.headers.contains_key("cookie") && !last.headers.contains_key("referer"));
}

#[test]
fn private_addresses_are_refused_unless_they_are_allowed() {
    let publisher = Server::start();
    let home = home(&publisher);
    let url = publisher.url("/feed.xml");
    std::fs::write(home.config_path(), format!("[[feed]]\nurl = \"{url}\"\n")).unwrap();
    publisher.set("/feed.xml", good("A headline"));
    let ran = home.run(&["check", "--force"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.contains("allow_private"), "{}", ran.stdout);
    assert_eq!(publisher.log().len(), 0);
}

#[test]
fn a_broken_configuration_is_answered_with_its_place() {
    let home = Home::new("[[feed]]\nurl = \"https://e.example/\"\nscheduel = \"5m\"\n");
    for command in [&["run"][..], &["check"], &["config", "check"]] {
        let ran = home.run(command);
        assert_eq!(ran.code, Some(2), "{command:?} {}", ran.stderr);
        assert!(ran.stderr.contains("config.toml:8:1"), "{}", ran.stderr);
        assert!(ran.stderr.contains("scheduel"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn a_database_that_is_none_is_refused_and_left_alone() {
    let publisher = Server::start();
    let home = home(&publisher);
    let garbage = "this is no database, but somebody's notes ".repeat(100);
    std::fs::write(home.db_path(), &garbage).unwrap();
    for command in [&["check", "--force"][..], &["log"], &["status"]] {
        let ran = home.run(command);
        assert_eq!(
            ran.code,
            Some(5),
            "{command:?} {} {}",
            ran.stdout,
            ran.stderr
        );
    }
    assert_eq!(std::fs::read_to_string(home.db_path()).unwrap(), garbage);
}

#[test]
fn a_host_that_wants_to_be_left_alone_does_not_hold_up_a_check() {
    let publisher = Server::start();
    let url = |path| publisher.url(path);
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n\n[[feed]]\nurl = \"{}\"\n\n[[feed]]\nurl = \"{}\"\n",
        url("/1.xml"),
        url("/2.xml")
    ));
    for path in ["/1.xml", "/2.xml"] {
        publisher.set(path, Page::status(429).header("retry-after", "3600"));
    }
    let report = home.check();
    assert_eq!(report["feeds"].as_array().unwrap().len(), 2);
    let errors = report["feeds"].to_string();
    assert!(errors.contains("skipped"), "{errors}");
    assert_eq!(publisher.log().len(), 1);
    // The feed that was not polled is still due, the other one is not.
    home.run(&["check"]);
    assert_eq!(publisher.log().len(), 2);
    home.run(&["check"]);
    assert_eq!(publisher.log().len(), 2);
}
