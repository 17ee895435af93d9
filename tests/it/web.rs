//! The web pages of the real daemon, as seen by a reader, a feed reader and a browser.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use crate::programs::{has, script, wishes};
use crate::support::{Daemon, Home, PATIENCE, Page, SECRET, Server, eventually, rss, skip};

/// A daemon with web pages that has seen two changes of one article and one of another.
pub(crate) struct Site {
    home: Home,
    _daemon: Daemon,
    _publisher: Server,
    receiver: Server,
    pub(crate) address: String,
}

const FIRST: &str =
    "The minister denied on Monday that talks with the neighbouring state had begun in secret.";

impl Site {
    pub(crate) fn new(web: &str) -> Self {
        let (publisher, receiver) = (Server::start(), Server::start());
        let item = |id: &'static str, title: &'static str, text: &'static str| {
            (
                id,
                if id == "1" {
                    "https://e.example/1"
                } else {
                    "https://e.example/2"
                },
                title,
                text,
            )
        };
        let set =
            |items: &[(&str, &str, &str, &str)]| publisher.set("/a.xml", Page::rss(rss(items)));
        let other = "Three people were hurt when a bridge gave way, the town said.";
        set(&[
            item("1", "Minister denies talks", FIRST),
            item("2", "Bridge gives way", other),
        ]);
        let home = Home::new("");
        home.configure(&format!(
            "[page]\nfetch = \"off\"\n[web]\nlisten = \"127.0.0.1:0\"\n{web}\n\
             [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
             [[feed]]\nurl = \"{}\"\nname = \"courier\"\ntags = [\"politics\"]\nevery = \"1h\"\n",
            receiver.url("/hook"),
            publisher.url("/a.xml"),
        ));
        home.check();
        set(&[
            item("1", "Minister confirms talks", FIRST),
            item("2", "Bridge gives way", other),
        ]);
        home.run(&["check", "--force"]);
        let eleven = "Eleven people were hurt when a bridge gave way, the town said.";
        let confirmed = "The minister did not deny on Monday that talks with the neighbouring state had begun in secret.";
        set(&[
            item("1", "Minister confirms talks", confirmed),
            item("2", "Bridge gives way", eleven),
        ]);
        home.run(&["check", "--force"]);
        let daemon = home.daemon();
        let log = home.path().join("daemon.log");
        let mut address = String::new();
        eventually(PATIENCE, "the pages are served", || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let found = said
                .lines()
                .find_map(|line| line.split_once("listen="))
                .map(|(_, at)| at.trim().to_owned());
            address = found.unwrap_or_default();
            !address.is_empty()
        });
        Self {
            home,
            _daemon: daemon,
            _publisher: publisher,
            receiver,
            address,
        }
    }

    /// The head and the body of a response.
    fn get(&self, path: &str, headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn ok(&self, path: &str) -> String {
        let (head, body) = self.get(path, "");
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        body
    }

    /// The `ent_…` id of the article with two changes.
    fn entry(&self) -> String {
        let events = self.home.events();
        let found = events.iter().find(|event| event["data"]["number"] == 1);
        found.expect("a change")["data"]["entry"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Every existing page.
    fn pages(&self) -> Vec<String> {
        let entry = self.entry();
        let fixed = [
            "/",
            "/?all=1",
            "/?feed=courier&label=negation",
            "/?tag=politics",
            "/headlines",
            "/c/1",
            "/c/2",
            "/f/courier",
            "/f/courier/changes",
            "/feeds",
            "/feeds?sort=state",
            "/search",
            "/search?q=minister",
            "/search?q=denied&in=removed",
            "/search?q=%22",
            "/stats",
            "/about",
            "/guide",
            "/guide/web",
            "/guide/alerts",
        ];
        let mut pages: Vec<String> = fixed.map(str::to_owned).to_vec();
        for rest in [
            "",
            "/1",
            "/3",
            "/1..3",
            "/1..2?view=side",
            "/2..2",
            "/changes",
        ] {
            pages.push(format!("/e/{entry}{rest}"));
        }
        pages
    }
}

#[test]
fn everything_that_was_changed_can_be_read() {
    let site = Site::new("");
    let home = site.ok("/");
    for shown in [
        "Minister",
        "<del",
        "confirms",
        "Bridge gives way",
        "Eleven",
        "rel=\"alternate\"",
    ] {
        assert!(home.contains(shown), "{shown} in {home}");
    }
    let entry = site.entry();
    let change = site.ok("/c/1");
    assert!(
        change.contains(&format!("/e/{entry}/1..2?view=side")),
        "{change}"
    );
    assert!(site.ok(&format!("/e/{entry}/1")).contains(FIRST));
    assert!(
        site.ok("/search?q=denied&in=removed")
            .contains("<mark>denied</mark>")
    );
    assert!(site.ok("/f/courier").contains("<svg") && site.ok("/stats").contains("<svg"));
    let (head, _) = site.get(&format!("/e/{entry}?a=3&b=1"), "");
    assert!(
        head.starts_with("HTTP/1.1 302 ") && head.contains(&format!("location: /e/{entry}/1..3")),
        "{head}"
    );
    for missing in [
        "/c/999",
        "/e/ent_nothing",
        "/f/nothing",
        "/?feed=nothing",
        "/?since=never",
        &format!("/e/{entry}/9"),
        "/x",
    ] {
        assert!(
            site.get(missing, "").0.starts_with("HTTP/1.1 404 "),
            "{missing}"
        );
    }
    // Every link on every page leads somewhere, and no page loads or runs anything.
    let mut links = std::collections::BTreeSet::new();
    for page in site.pages() {
        let body = site.ok(&page);
        assert!(
            !body.contains("<script") && !body.contains(" style="),
            "{page}: {body}"
        );
        links.extend(
            body.split("href=\"/")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .map(|link| format!("/{}", link.replace("&amp;", "&"))),
        );
    }
    assert!(links.len() > 40, "{links:?}");
    for link in links {
        site.ok(&link);
    }
}

#[test]
fn a_feed_that_left_the_configuration_still_has_its_changes() {
    let site = Site::new("");
    let config = std::fs::read_to_string(site.home.config_path()).unwrap();
    let without = config
        .replace("/a.xml", "/b.xml")
        .replace("\"courier\"", "\"herald\"");
    std::fs::write(site.home.config_path(), without).unwrap();
    site.home.ok(&["config", "reload"]);
    let (head, _) = site.get("/f/courier", "");
    assert!(
        head.starts_with("HTTP/1.1 302 ") && head.contains("location: /f/courier/changes"),
        "{head}"
    );
    assert!(
        site.ok("/f/courier/changes")
            .contains("Minister confirms talks")
    );
    assert!(site.get("/f/nobody", "").0.starts_with("HTTP/1.1 404 "));
    site.ok("/f/herald");
}

#[test]
fn fifty_readers_at_once_are_all_answered_and_health_waits_for_none_of_them() {
    let site = Site::new("");
    let pages = site.pages();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..50)
            .map(|place| {
                let (site, path) = (&site, &pages[place % pages.len()]);
                scope.spawn(move || (path, site.get(path, "")))
            })
            .collect();
        while readers.iter().any(|reader| !reader.is_finished()) {
            assert_eq!(site.ok("/healthz"), "ok\n");
        }
        for reader in readers {
            let (path, (head, _)) = reader.join().expect("an answer");
            // A client that cannot be served now learns when to come back.
            let turned_away =
                head.starts_with("HTTP/1.1 429 ") || head.starts_with("HTTP/1.1 503 ");
            assert!(
                head.starts_with("HTTP/1.1 200 ")
                    || turned_away && head.to_lowercase().contains("retry-after: "),
                "{path}: {head}"
            );
        }
    });
}

#[test]
fn a_list_is_the_same_in_every_form() {
    let site = Site::new("base_url = \"https://changes.example/r\"");
    let entry = site.entry();
    for list in [
        "/changes",
        "/f/courier/changes",
        &format!("/e/{entry}/changes"),
    ] {
        let expected = if list.starts_with("/e/") { 2 } else { 3 };
        let atom = site.ok(&format!("{list}.atom"));
        assert_eq!(atom.matches("<entry>").count(), expected, "{atom}");
        assert!(
            atom.contains("href=\"https://changes.example/r/c/1\""),
            "{atom}"
        );
        let json: serde_json::Value =
            serde_json::from_str(&site.ok(&format!("{list}.json"))).expect("JSON");
        assert_eq!(json["items"].as_array().expect("items").len(), expected);
        assert_eq!(
            json["items"][0]["external_url"]
                .as_str()
                .expect("an address")
                .split('/')
                .nth(2),
            Some("e.example")
        );
        assert_eq!(
            site.ok(&format!("{list}.csv")).lines().count(),
            expected + 1
        );
        for line in site.ok(&format!("{list}.ndjson")).lines() {
            let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let number = &event["data"]["number"];
            assert_eq!(
                event["data"]["permalink"],
                format!("https://changes.example/r/c/{number}")
            );
        }
    }
    // A client that asks again learns that there is nothing new.
    let (head, _) = site.get("/changes.atom", "");
    let tag = head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .expect("a tag");
    assert!(
        site.get("/changes.atom", &format!("If-None-Match: {tag}\r\n"))
            .0
            .starts_with("HTTP/1.1 304 ")
    );
    // Consecutive pages leave no gap.
    let older = site.ok("/changes.csv?before=2");
    assert!(older.lines().count() < 4, "{older}");
    // Alerts link to the page.
    eventually(PATIENCE, "an alert", || !site.receiver.hooks().is_empty());
    let logged = site.home.ok(&["log", "--format", "ndjson"]);
    assert!(
        logged.contains("\"permalink\":\"https://changes.example/r/c/1\""),
        "{logged}"
    );
}

#[test]
fn tokens_open_the_pages_and_can_be_taken_away() {
    let site = Site::new("auth = \"tokens\"");
    assert!(site.get("/", "").0.starts_with("HTTP/1.1 401 "));
    let token = site
        .home
        .ok(&["tokens", "add", "newsroom"])
        .trim()
        .to_owned();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert!(site.get("/", &bearer).0.starts_with("HTTP/1.1 200 "));
    site.ok(&format!("/changes.atom?token={token}"));
    assert_ne!(site.home.run(&["tokens", "add", "newsroom"]).code, Some(0));
    assert!(site.home.ok(&["tokens", "list"]).contains("newsroom"));
    site.home.ok(&["tokens", "rm", "newsroom"]);
    assert!(site.get("/", &bearer).0.starts_with("HTTP/1.1 401 "));
    assert!(
        site.get(&format!("/changes.atom?token={token}"), "")
            .0
            .starts_with("HTTP/1.1 401 ")
    );
}

#[test]
fn an_archivist_finds_the_text_of_a_time() {
    let site = Site::new("");
    let entry = site.entry();
    let (head, _) = site.get(&format!("/e/{entry}/2"), "");
    for part in [
        "memento-datetime: ",
        "rel=\"original\"",
        "rel=\"timegate\"",
        "first memento",
        "prev memento",
        "last memento",
    ] {
        assert!(head.contains(part), "{part} in {head}");
    }
    let map = site.ok("/timemap/link/https://e.example/1");
    assert_eq!(map.matches("memento\"; datetime=").count(), 3, "{map}");
    let gate = |date: &str| site.get("/timegate/https://e.example/1", date).0;
    let early = gate("Accept-Datetime: Thu, 31 May 2007 20:35:00 GMT\r\n");
    assert!(
        early.starts_with("HTTP/1.1 302 ") && early.contains(&format!("/e/{entry}/1\r\n")),
        "{early}"
    );
    assert!(early.contains("vary: accept-datetime"), "{early}");
    assert!(gate("").contains(&format!("/e/{entry}/3\r\n")));
    assert!(gate("Accept-Datetime: yesterday\r\n").starts_with("HTTP/1.1 400 "));
    assert!(
        site.get("/timegate/https://e.example/none", "")
            .0
            .starts_with("HTTP/1.1 404 ")
    );
    assert!(
        site.get("/timegate/javascript:alert(1)", "")
            .0
            .starts_with("HTTP/1.1 404 ")
    );
}

#[test]
fn a_browser_has_nothing_to_complain_about() {
    if !has("chromium", "--version") || !has("python3", "--version") {
        skip("there is no chromium, or no python3");
        return;
    }
    let site = Site::new("");
    let mut arguments = vec![format!("http://{}", site.address)];
    arguments.extend(site.pages());
    arguments.extend(wishes(&["axe", "shots"]));
    let (is_well, said) = script("web_pages.py", &arguments);
    assert!(is_well, "{said}");
}

/// Parses a feed with a library that many readers use: each change has its own id and a link.
const FEEDPARSER: &str = "
import sys, feedparser
feed = feedparser.parse(open(sys.argv[1], 'rb').read())
assert not feed.bozo, feed.bozo_exception
ids = [entry.id for entry in feed.entries]
assert len(ids) == len(set(ids)) == 3, ids
assert all(entry.link.startswith('http') and entry.updated_parsed and entry.content for entry in feed.entries)
assert 'Minister denies talks' in feed.entries[-1].content[0].value
";

#[test]
fn feed_readers_read_the_feeds() {
    let site = Site::new("");
    let file = site.home.path().join("changes.atom");
    std::fs::write(&file, site.ok("/changes.atom")).expect("a file");
    let mut checked = false;
    if Command::new("python3")
        .args(["-c", "import feedparser"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        let output = Command::new("python3")
            .args(["-c", FEEDPARSER])
            .arg(&file)
            .output()
            .expect("python3");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        checked = true;
    }
    if has("newsboat", "--version") {
        let (urls, cache) = (
            site.home.path().join("urls"),
            site.home.path().join("cache.db"),
        );
        std::fs::write(&urls, format!("http://{}/changes.atom\n", site.address)).expect("a file");
        let newsboat = |execute: &str| {
            let mut command = Command::new("newsboat");
            command
                .arg("-u")
                .arg(&urls)
                .arg("-c")
                .arg(&cache)
                .args(["-x", execute])
                .env("HOME", site.home.path());
            command.output().expect("newsboat")
        };
        newsboat("reload");
        let unread = String::from_utf8_lossy(&newsboat("print-unread").stdout).into_owned();
        assert!(unread.starts_with("3 "), "{unread}");
        checked = true;
    }
    if !checked {
        skip("there is neither feedparser nor newsboat");
    }
}
