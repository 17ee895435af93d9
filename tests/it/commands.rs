//! Each command, with the real binary.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, PATIENCE, Page, Ran, SECRET, Server, eventually, rss};

const TEXT: &str =
    "The council had put off repairs of the piers in March, when the cheapest offer came in.";

fn feed(url: &str) -> String {
    format!(
        "[page]\nfetch = \"off\"\n\n[[feed]]\nurl = \"{url}\"\nname = \"courier\"\ntags = [\"city\"]\n"
    )
}

/// A home with a feed whose entry had these titles, one after another.
fn home_with(publisher: &Server, titles: &[&str]) -> Home {
    let home = Home::new(&feed(&publisher.url("/feed.xml")));
    for title in titles {
        let items = [("1", "https://e.example/1", *title, TEXT)];
        publisher.set("/feed.xml", Page::rss(rss(&items)));
        home.check();
    }
    home
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

#[test]
fn every_format_of_log_lists_the_same_changes() {
    let publisher = Server::start();
    let home = home_with(
        &publisher,
        &[
            "Bridge \"closed\" today",
            "Bridge \u{201c}closed\u{201d} today",
            "Bridge torn down today",
        ],
    );
    let short = home.run(&["log"]);
    assert!(short.stdout.starts_with("#2 "), "{}", short.stdout);
    assert!(
        short
            .stderr
            .contains("1 change (1 hidden; --all shows them) · times in UTC"),
        "{short:?}"
    );
    assert_eq!(home.ok(&["log", "--format", "oneline"]).lines().count(), 1);
    assert_eq!(
        home.ok(&["log", "--format", "oneline", "--all"])
            .lines()
            .count(),
        2
    );
    assert!(home.ok(&["log", "--format", "full"]).contains("HEADLINE"));
    assert!(home.ok(&["log", "--format", "md"]).starts_with("- **#2**"));
    assert_eq!(
        home.ok(&["log", "--format", "csv", "--all"])
            .lines()
            .count(),
        3
    );
    let all = json(&home.run(&["log", "--json", "--all", "--reverse"]));
    let numbers: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["data"]["number"])
        .collect();
    assert_eq!(numbers, [1, 2]);
    let newest = home.ok(&["log", "--format", "ndjson", "--all", "-n", "1"]);
    assert!(newest.contains("\"number\":2"), "{newest}");
}

#[test]
fn log_lists_what_the_filters_let_through() {
    let publisher = Server::start();
    let home = home_with(
        &publisher,
        &["Bridge \"closed\"", "Bridge “closed”", "Bridge torn down"],
    );
    let count = |arguments: &[&str]| {
        let mut all = vec!["log", "--format", "oneline"];
        all.extend(arguments);
        home.ok(&all).lines().count()
    };
    assert_eq!(count(&["--feed", "courier"]), 1);
    assert_eq!(count(&["--tag", "city"]), 1);
    assert_eq!(count(&["--headline"]), 1);
    assert_eq!(count(&["--field", "body,byline"]), 0);
    assert_eq!(count(&["--significance", "typographic"]), 2);
    assert_eq!(count(&["--entry", "https://e.example/1"]), 1);
    assert_eq!(count(&["--since", "1h"]), 1);
    assert_eq!(count(&["--until", "1h"]), 0);
    for wrong in [
        &["--feed", "nobody"][..],
        &["--tag", "nothing"],
        &["--entry", "nowhere"],
        &["--since", "nonsense"],
        &["--format", "yaml"],
    ] {
        let mut all = vec!["log"];
        all.extend(wrong);
        assert_eq!(home.run(&all).code, Some(2), "{wrong:?}");
    }
    let nonsense = home.run(&["log", "--since", "nonsense"]);
    assert!(nonsense.stderr.contains("yesterday"), "{nonsense:?}");
    assert_eq!(home.run(&["log", "--exit-code"]).code, Some(1));
    assert_eq!(
        home.run(&["log", "--exit-code", "--headline", "--until", "1d"])
            .code,
        Some(0)
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let publisher = Server::start();
    let home = home_with(
        &publisher,
        &["One of them", "Two of them", "Three of them all"],
    );
    let mut child = home
        .command(&["log", "--format", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(stderr, "");
}

#[test]
fn a_follower_is_told_of_what_comes() {
    let publisher = Server::start();
    let home = home_with(&publisher, &["One of them", "Two of them"]);
    let mut child = home
        .command(&["log", "--follow", "--format", "ndjson"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"number\":1"));
    let items = [("1", "https://e.example/1", "Three of them all", TEXT)];
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    home.check();
    assert!(lines.next().unwrap().unwrap().contains("\"number\":2"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn show_history_and_diff_tell_of_one_entry() {
    let publisher = Server::start();
    let home = home_with(
        &publisher,
        &["Bridge closed", "Bridge open again", "Bridge torn down"],
    );
    let shown = home.ok(&["show", "#1"]);
    assert!(
        shown.contains("HEADLINE") && shown.contains("closed"),
        "{shown}"
    );
    assert_eq!(
        json(&home.run(&["show", "2", "--json"]))["data"]["number"],
        2
    );
    assert_eq!(home.run(&["show", "9"]).code, Some(2));

    let entry = json(&home.run(&["show", "1", "--json"]))["data"]["entry"]["id"].clone();
    let entry = entry.as_str().unwrap();
    for name in [entry, "https://e.example/1", "1"] {
        let history = json(&home.run(&["history", name, "--json"]));
        assert_eq!(
            history["revisions"].as_array().unwrap().len(),
            3,
            "{history}"
        );
        assert_eq!(history["revisions"][2]["change"]["number"], 2);
    }
    assert!(home.ok(&["history", entry]).contains("first seen"));

    let last = json(&home.run(&["diff", entry, "--json"]));
    assert_eq!(
        last["title"][1],
        serde_json::json!(["-", "open again"]),
        "{last}"
    );
    let first = home.ok(&["diff", entry, "1..2"]);
    assert!(
        first.contains("Bridge closed") && !first.contains("torn"),
        "{first}"
    );
    assert_eq!(
        home.run(&["diff", entry, "1..2", "--exit-code"]).code,
        Some(1)
    );
    assert_eq!(
        home.run(&["diff", entry, "2..2", "--exit-code"]).code,
        Some(0)
    );
    assert_eq!(home.run(&["diff", entry, "1..7"]).code, Some(2));
}

#[test]
fn files_are_compared_without_configuration_and_database() {
    let home = Home::new("this is no configuration");
    let write = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let old = write(
        "old.txt",
        "Prices rose by 12 percent.\n\nNothing else\nwas said.\n",
    );
    let new = write(
        "new.txt",
        "Prices rose by 21 percent.\n\nNothing else was said.\n",
    );
    let diff = json(&home.run(&["diff", "--files", &old, &new, "--json"]));
    assert_eq!(diff["equal"], false);
    assert_eq!(diff["words"], serde_json::json!({"added": 1, "removed": 1}));
    assert_eq!(
        diff["blocks"][0]["segments"][1],
        serde_json::json!(["-", "12"]),
        "{diff}"
    );
    let html = |body: &str| {
        format!(
            "<!DOCTYPE html><html><body><article><h1>Prices</h1><p>{body} {TEXT} {TEXT}</p></article></body></html>"
        )
    };
    let page = write("page.html", &html("Old words stood here at first."));
    let same = write("same.html", &html("Old&#32;words stood here  at first."));
    let same = json(&home.run(&["diff", "--files", &page, &same, "--json"]));
    assert_eq!(same["equal"], true, "{same}");
    assert_eq!(same["significance"], Value::Null);
    assert_eq!(home.run(&["diff", "--files", &old, &new]).code, Some(0));
    assert_eq!(
        home.run(&["diff", "--files", &old, &new, "--exit-code"])
            .code,
        Some(1)
    );
    assert_eq!(
        home.run(&["diff", "--files", &old, &old, "--exit-code"])
            .code,
        Some(0)
    );
    assert_eq!(
        home.run(&["diff", "--files", &old, "/nowhere"]).code,
        Some(2)
    );
}

#[test]
fn inspect_says_what_is_seen_and_what_is_no_feed() {
    let publisher = Server::start();
    let home = Home::new("");
    let saved = home.path().join("saved.xml");
    std::fs::write(
        &saved,
        rss(&[("1", "https://e.example/1", "A headline", TEXT)]),
    )
    .unwrap();
    let saved = saved.to_str().unwrap();
    let feed = json(&home.run(&["inspect", "feed", saved, "--json"]));
    assert_eq!(feed["format"], "rss");
    assert_eq!(feed["entries"][0]["title"], "A headline");
    assert!(home.ok(&["inspect", "feed", saved]).contains("A headline"));
    publisher.set(
        "/",
        Page::html("<html><title>Welcome</title><p>No feed here."),
    );
    let none = home.run(&["inspect", "feed", &publisher.url("/")]);
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("Welcome"), "{none:?}");
    let article = json(&home.run(&["inspect", "article", &publisher.url("/"), "--json"]));
    assert!(article["kind"].is_string(), "{article}");
    assert_eq!(home.run(&["inspect", "article", "/nowhere"]).code, Some(2));
}

#[test]
fn without_a_configuration_only_public_addresses_are_inspected() {
    let publisher = Server::start();
    let home = Home::new("");
    std::fs::write(home.config_path(), "nonsense = true\n").unwrap();
    let ran = home.run(&["inspect", "feed", &publisher.url("/feed.xml")]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(publisher.log().len(), 0, "{ran:?}");
}

#[test]
fn a_feed_is_added_with_a_silent_baseline_and_removed_again() {
    let publisher = Server::start();
    let url = publisher.url("/feed.xml");
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", "https://e.example/1", "A headline", TEXT)])),
    );
    let home = Home::new("# a comment that stays\n");
    let added = home.ok(&[
        "add", &url, "--tag", "city", "--every", "5m", "--page", "off",
    ]);
    assert_eq!(
        added,
        "Added test-courier (RSS). First snapshot: 1 entry, no alerts sent.\n"
    );
    let text = std::fs::read_to_string(home.config_path()).unwrap();
    assert!(
        text.contains("# a comment that stays") && text.contains("every = \"5m\""),
        "{text}"
    );
    let feeds = json(&home.run(&["feeds", "--json"]));
    assert_eq!(feeds[0]["name"], "test-courier");
    assert_eq!(feeds[0]["entries"], 1);

    let again = home.run(&["add", &url]);
    assert_eq!(again.code, Some(0));
    assert!(again.stderr.contains("already"), "{again:?}");
    assert_eq!(home.run(&["add", &publisher.url("/nothing")]).code, Some(2));
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), text);

    assert_eq!(home.run(&["rm", "test-courier", "nobody"]).code, Some(2));
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), text);
    home.ok(&["rm", &url]);
    assert_eq!(json(&home.run(&["feeds", "--json"])), serde_json::json!([]));
    assert_eq!(
        home.ok(&["history", "https://e.example/1", "--json"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn what_would_break_the_configuration_is_not_written() {
    let publisher = Server::start();
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", "https://e.example/1", "A headline", TEXT)])),
    );
    let home = Home::new("");
    let before = std::fs::read_to_string(home.config_path()).unwrap();
    let ran = home.run(&["add", &publisher.url("/feed.xml"), "--every", "often"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), before);
}

#[test]
fn feeds_are_found_where_they_usually_are() {
    let publisher = Server::start();
    publisher.set(
        "/",
        Page::html("<!DOCTYPE html><html><title>Welcome</title><p>Read us."),
    );
    let home = Home::new("[page]\nfetch = \"off\"\n");
    let none = home.run(&["add", &publisher.url("/")]);
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("Welcome"), "{none:?}");
    publisher.set(
        "/rss.xml",
        Page::rss(rss(&[("1", "https://e.example/1", "A headline", TEXT)])),
    );
    home.ok(&["add", &publisher.url("/")]);
    let feeds = json(&home.run(&["feeds", "--json"]));
    assert_eq!(feeds[0]["url"], publisher.url("/rss.xml"));
}

#[test]
fn beside_a_daemon_add_leaves_the_baseline_to_it() {
    let publisher = Server::start();
    for path in ["/a.xml", "/b.xml"] {
        publisher.set(
            path,
            Page::rss(rss(&[("1", "https://e.example/1", "A headline", TEXT)])),
        );
    }
    let home = Home::new(&feed(&publisher.url("/a.xml")));
    let daemon = home.daemon();
    eventually(PATIENCE, "the daemon polls", || {
        publisher.hits("/a.xml") >= 1
    });
    let ran = home.run(&["add", &publisher.url("/b.xml"), "--name", "second"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("within a minute"), "{ran:?}");
    daemon.signal("HUP");
    // Requests do not prove anything: `add` also makes some, and the daemon may have read the file before.
    eventually(PATIENCE, "the new feed has a baseline", || {
        let feeds = json(&home.run(&["feeds", "--json"]));
        feeds[1]["state"] == "ok" && feeds[1]["entries"] == 1
    });
}

#[test]
fn init_writes_a_configuration_once() {
    let home = Home::new("");
    std::fs::remove_file(home.config_path()).unwrap();
    home.ok(&["init"]);
    let text = std::fs::read_to_string(home.config_path()).unwrap();
    assert_eq!(home.run(&["init"]).code, Some(2));
    assert_eq!(
        home.ok(&["config", "check"])
            .matches("0 feeds, 0 targets")
            .count(),
        1
    );

    // Its suggestion can be used unchanged.
    let is_offer = |line: &str| line.starts_with("# [") || line.contains(" = ");
    let taken_up: Vec<&str> = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|_| is_offer(line))
                .unwrap_or(line)
        })
        .collect();
    let secret = home.path().join("desk.secret");
    std::fs::write(&secret, SECRET).unwrap();
    let taken_up = taken_up
        .join("\n")
        .replace("/etc/revisor/desk.secret", secret.to_str().unwrap());
    std::fs::write(home.config_path(), taken_up).unwrap();
    let offered = home.ok(&["config", "check"]);
    assert!(offered.contains("1 feed, 1 target"), "{offered}");

    std::fs::write(home.config_path(), &text).unwrap();
    home.ok(&["config", "check"]);
    std::fs::write(home.config_path(), "mine = true").unwrap();
    home.ok(&["init", "--force"]);
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), text);
}

#[test]
fn config_shows_no_secret_and_its_path_can_be_used_in_a_script() {
    let home = Home::new(&format!(
        "[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"https://hooks.example.org/t0ken\"\nsecret = \"{SECRET}\"\n"
    ));
    let path = home.ok(&["config", "path", "-q"]);
    assert_eq!(path.trim_end(), home.config_path().to_str().unwrap());
    for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
        let shown = home.ok(arguments);
        assert!(shown.contains("hooks.example.org"), "{shown}");
        assert!(
            !shown.contains(SECRET) && !shown.contains("t0ken"),
            "{shown}"
        );
    }
    assert_eq!(
        json(&home.run(&["config", "check", "--json"]))["targets"],
        1
    );
    assert_eq!(
        home.run(&["config", "check", "/nowhere.toml"]).code,
        Some(2)
    );
}

#[test]
fn a_test_of_a_target_is_signed_marked_and_answered() {
    let receiver = Server::start();
    let target = |name: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
            receiver.url("/hook")
        )
    };
    let home = Home::new(&format!("{}{}", target("desk"), target("other")));
    let ran = home.ok(&["notify", "test", "desk"]);
    assert!(ran.contains("desk") && ran.contains("204"), "{ran}");
    let hook = &receiver.hooks()[0];
    let body: Value = serde_json::from_slice(&hook.body).unwrap();
    assert_eq!(body["type"], "ping.test");
    assert_eq!(body["data"]["test"], true);
    assert!(hook.headers.contains_key("webhook-signature"));
    receiver.answer_hooks_with(&[204, 500]);
    let both = home.run(&["notify", "test", "--json", "--event", "entry.revised"]);
    assert_eq!(both.code, Some(4));
    assert_eq!(json(&both)[1]["status"], 500);
    assert_eq!(home.run(&["notify", "test", "nobody"]).code, Some(2));
    assert!(!home.db_path().exists(), "a test leaves no trace");
    assert_eq!(
        json(&home.run(&["notify", "list", "--json"]))[0]["name"],
        "desk"
    );
    assert_eq!(home.run(&["notify", "retry", "nobody"]).code, Some(2));
}

#[test]
fn without_a_database_lists_are_empty_and_say_what_to_do() {
    let home = Home::new("");
    for arguments in [&["log"][..], &["feeds"], &["notify", "list"]] {
        let ran = home.run(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        assert!(ran.stderr.contains("hint:"), "{ran:?}");
        assert_eq!(home.run(&[arguments, &["-q"]].concat()).stderr, "");
        let ran = home.run(&[arguments, &["--json"]].concat());
        assert_eq!(json(&ran), serde_json::json!([]), "{arguments:?}");
    }
    std::fs::write(home.db_path(), "").unwrap();
    assert_eq!(home.ok(&["log"]), "");
    let status = json(&home.run(&["status", "--json"]));
    assert_eq!(status["feeds"]["active"], 0);
    assert!(home.ok(&["status"]).contains("database"));
}

#[test]
fn a_dry_run_stores_nothing() {
    let publisher = Server::start();
    let home = home_with(&publisher, &["One of them"]);
    let items = [("1", "https://e.example/1", "Two of them", TEXT)];
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    let ran = home.run(&["check", "--force", "--dry-run", "--json"]);
    assert_eq!(json(&ran)["feeds"][0]["changed"], 1, "{ran:?}");
    assert_eq!(home.ok(&["log"]), "");
    assert_eq!(home.check()["changes"], serde_json::json!([1]));
}

#[test]
fn a_check_lists_its_changes_and_says_when_something_is_due() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let put = |text: &str| {
        let item = ("1", "https://news.example/a/1", "Bridge", text);
        publisher.set("/feed.xml", Page::rss(rss(&[item])));
    };
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n[[target]]\nname = \"desk\"\n\
         kind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        publisher.url("/feed.xml"),
        receiver.url("/hook"),
    ));
    put("The minister denies the report.");
    let first = home.run(&["check"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.ends_with('\n'), "{:?}", first.stdout);

    let early = home.run(&["check"]);
    assert_eq!(early.code, Some(0), "{}", early.stderr);
    assert!(
        early.stderr.contains("Nothing is due until"),
        "{}",
        early.stderr
    );
    assert!(
        early.stderr.contains("--force checks now"),
        "{}",
        early.stderr
    );

    put("The minister confirms the report.");
    receiver.answer_hooks_with(&[503]);
    let found = home.run(&["check", "--force"]);
    assert_eq!(found.code, Some(4), "{}", found.stderr);
    assert!(
        found.stdout.contains("[-denies-]{+confirms+}"),
        "{}",
        found.stdout
    );
    assert!(
        found.stderr.contains("could not be delivered yet"),
        "{}",
        found.stderr
    );
}
