//! The politeness of whole checks, against a server on loopback and with a clock that the test sets.

mod clock;
mod crowded;
mod known;
mod owed;
mod redirected;
mod rhythm;
mod robots;
mod waiting;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use super::*;
use crate::config::{Environment, Flags, Secrets, from_text};
use crate::domain::ids::ChangeNumber;
use crate::fetch::Clients;
use crate::metrics::Metrics;
use crate::store::{KnownEntry, OpenOptions};
use crate::time::Fixed;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const ARTICLE: &str = "<!doctype html><title>Harbour</title><article><h1>Harbour closes</h1>\
    <p>The harbour was closed on Monday after a crane had fallen into the basin, the port authority said.</p>\
    <p>Nobody was hurt. Ships were sent to the outer berths, and the ferry to the islands was cancelled.</p></article>";

type Answer = dyn Fn(&str, &str) -> String + Send + Sync;

/// A server that computes each response (status line, headers, body) from the path and the head of the request.
struct Site {
    port: u16,
    answer: Arc<Mutex<Arc<Answer>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Listens on all loopback addresses, so that a test has several hosts.
    fn start(answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let site = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::new(Mutex::new(Arc::new(answer))),
            heads: Arc::default(),
        };
        let (answer, heads) = (Arc::clone(&site.answer), Arc::clone(&site.heads));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let head = read_head(&mut stream);
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                heads.lock().unwrap().push(head.clone());
                let answer = Arc::clone(&answer.lock().unwrap());
                let _ = stream.write_all(answer(&path, &head).as_bytes());
            }
        });
        site
    }

    fn becomes(&self, answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The address of the same path on another host.
    fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// The heads of all requests for a path, in lower case.
    fn asked(&self, path: &str) -> Vec<String> {
        let start = format!("get {path} ");
        let heads = self.heads.lock().unwrap();
        heads
            .iter()
            .filter(|head| head.starts_with(&start))
            .cloned()
            .collect()
    }
}

fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).to_lowercase()
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

fn rss(rest: &str, items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>Port news</title>{rest}{items}</channel></rss>")
}

fn item(path: &str) -> String {
    format!("<item><guid>{path}</guid><title>Harbour closes</title><link>{path}</link></item>")
}

/// A checker with its own database.
struct Bench {
    clock: Arc<Fixed>,
    store: Store,
    checker: Arc<Checker>,
}

fn settings(text: &str) -> Settings {
    let environment = Environment::from_pairs([("REVISOR_DB", "/unused")]);
    let loaded = from_text(
        text,
        None,
        Flags::default(),
        &environment,
        Secrets::Required,
    );
    Settings::new(loaded.unwrap().config)
}

impl Bench {
    async fn new(folder: &Path, config: &str, now: Timestamp) -> Self {
        let store = Store::open(&folder.join("revisor.db"), &OpenOptions::default()).unwrap();
        let clock = Arc::new(Fixed::at(now));
        let settings = settings(config);
        let synced = store
            .writer()
            .sync_feeds(settings.configured_feeds(), None, now)
            .await
            .unwrap();
        let fetch = &settings.config().fetch;
        let clients = Clients::new(fetch, settings.fetches(), clock.clone()).unwrap();
        let turns = Turns::new(fetch.per_host, fetch.host_delay, fetch.concurrency);
        let checker = Checker::new(
            clock.clone(),
            &store,
            settings,
            clients,
            turns,
            Workers::new(1, 1 << 20),
            Metrics::new("0", clock.now()).unwrap(),
        );
        checker.replan(&synced.rescheduled).await.unwrap();
        Self {
            clock,
            store,
            checker: Arc::new(checker),
        }
    }

    fn feed(&self) -> crate::store::FeedRow {
        self.checker
            .read(|reader| reader.feeds(false))
            .unwrap()
            .remove(0)
    }

    async fn poll(&self) -> FeedReport {
        let feed = self.feed().id;
        let report = Box::pin(self.checker.check_feed(feed, WaitLimit::Endless)).await;
        self.checker.store_quiet_polls().await.unwrap();
        report.unwrap()
    }

    /// The entries that have a page, by number.
    fn entries(&self) -> Vec<KnownEntry> {
        let ids = self
            .checker
            .read(|reader| reader.entries_in_feed(self.feed().id))
            .unwrap();
        let entry = |id| self.checker.read(|reader| reader.entry(id)).unwrap();
        ids.into_iter().filter_map(entry).collect()
    }

    /// The two checks between which a change was made.
    fn window(&self, number: i64) -> (Timestamp, Timestamp) {
        let change = self
            .checker
            .read(|reader| reader.change(ChangeNumber(number)));
        let event = change.unwrap().unwrap().stored.event;
        let window = event.data.change.unwrap().window;
        (window.last_unchanged, window.first_changed)
    }

    async fn look(&self, entry: EntryId) -> PageResult {
        let look = self.checker.check_page(entry, WaitLimit::Endless);
        Box::pin(look).await.unwrap().result
    }
}

/// Everything that polls store, apart from random names and times of day.
fn stored(folder: &Path) -> Vec<String> {
    let conn = rusqlite::Connection::open(folder.join("revisor.db")).unwrap();
    let mut all = Vec::new();
    for sql in [
        "SELECT id || '|' || in_feed || '|' || revision || '|' || hex(feed_fp) || '|' || COALESCE(left_feed, '') || '|' \
         || date_touches || '|' || COALESCE(feed_published_at, '') || '|' || COALESCE(page_url, '') || '|' \
         || last_seen_at || '|' || COALESCE(page_next_at, '') FROM entries ORDER BY id",
        "SELECT entry_id || '|' || number || '|' || seen_at || '|' || hex(feed_fp) FROM revisions ORDER BY 1",
        "SELECT number || '|' || entry_id || '|' || fields || '|' || labels || '|' || first_changed_at FROM changes ORDER BY number",
        "SELECT kind || '|' || value || '|' || entry_id || '|' || reason FROM aliases ORDER BY 1",
        "SELECT kind || '|' || pattern || '|' || active FROM rules ORDER BY 1",
        "SELECT type || '|' || COALESCE(entry_id, '') FROM events ORDER BY id",
        "SELECT entry_id || '|' || hex(body) FROM ignored_texts ORDER BY 1",
        "SELECT entry_id || '|' || place || '|' || times || '|' || last_at || '|' || COALESCE(after, '') FROM ignored_moves ORDER BY 1",
        "SELECT COALESCE(guids_trusted, '') || '|' || COALESCE(emptied_at, '') || '|' || COALESCE(newest_entry_at, '') \
         || '|' || COALESCE(entry_gap_ms, '') FROM feeds",
    ] {
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        all.extend(rows.map(Result::unwrap));
    }
    all
}

fn rows(folder: &Path, table: &str) -> i64 {
    let conn = rusqlite::Connection::open(folder.join("revisor.db")).unwrap();
    conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
        row.get(0)
    })
    .unwrap()
}

fn known_items(folder: &Path) -> i64 {
    rows(folder, "known_items")
}

fn forget_items(folder: &Path) {
    let conn = rusqlite::Connection::open(folder.join("revisor.db")).unwrap();
    conn.execute("DELETE FROM known_items", []).unwrap();
}

fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap()
}

fn config(site: &Site, rest: &str) -> String {
    format!(
        "[fetch]\nhost_delay = \"0s\"\nallow_private = [\"127.0.0.0/8\"]\n[[feed]]\nname = \"port\"\nurl = \"{}\"\n{rest}",
        site.url("/feed")
    )
}

/// A page with a validator, and a 304 for requests that send it.
fn page(head: &str) -> String {
    let tag = "ETag: \"1\"\r\nContent-Type: text/html\r\n";
    match head.contains("if-none-match: \"1\"") {
        true => reply("304 Not Modified", tag, ""),
        false => reply("200 OK", tag, ARTICLE),
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "figures that somebody wants to read")]
async fn a_year_of_one_unchanged_article_costs_at_most_190_requests() {
    let site = Site::start(|path, head| match path {
        "/feed" => reply("200 OK", "ETag: \"f\"\r\n", &rss("", &item("/a"))),
        "/a" => page(head),
        _ => reply("404 Not Found", "", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.poll().await;
    let end = start() + Duration::from_hours(24 * 365);
    let entry = bench.entries().remove(0).id;
    while let Some(next) = bench.entries().remove(0).page.next {
        assert!(next < end);
        bench.clock.set(next);
        bench.look(entry).await;
    }
    let asked = site.asked("/a");
    let conditional = asked
        .iter()
        .filter(|head| head.contains("if-none-match: \"1\""))
        .count();
    let robots = site.asked("/robots.txt").len();
    eprintln!(
        "{} looks, {conditional} of them conditional; robots.txt: {robots}",
        asked.len()
    );
    assert!((150..=190).contains(&asked.len()), "{}", asked.len());
    assert_eq!(conditional, asked.len() - 1, "all but the first");
    assert!(robots <= 85, "{robots}: once a day, on days with a look");
}

#[tokio::test]
async fn the_patience_that_a_page_asks_for_outlives_a_restart_and_an_edit() {
    let feed = |title: &str| rss("", &item("/a").replace("Harbour closes", title));
    let first = feed("Harbour closes");
    let site = Site::start(move |path, _| match path {
        "/feed" => reply("200 OK", "", &first),
        "/a" => reply("429 Too Many Requests", "Retry-After: 90000\r\n", ""),
        _ => reply("404 Not Found", "", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "");
    let bench = Bench::new(folder.path(), &config, start()).await;
    bench.poll().await;
    let until = start() + HOUR * 25;
    bench.look(bench.entries()[0].id).await;
    assert_eq!(bench.entries()[0].page.next, Some(until));

    drop(bench);
    let bench = Bench::new(folder.path(), &config, start() + HOUR).await;
    let edited = feed("Harbour stays open");
    site.becomes(move |path, head| match path {
        "/feed" => reply("200 OK", "", &edited),
        _ => page(head),
    });
    assert_eq!(bench.poll().await.changed, 1);
    assert_eq!(bench.entries()[0].page.next, Some(until));
    assert_eq!(site.asked("/a").len(), 1);
}

#[tokio::test]
async fn who_is_led_to_another_host_waits_for_that_one_as_well() {
    let links = Arc::new(Mutex::new(String::new()));
    let items = Arc::clone(&links);
    let site = Site::start(move |path, head| match path {
        "/feed" => reply("200 OK", "", &rss("", &items.lock().unwrap())),
        "/robots.txt" => reply("200 OK", "", "User-agent: *\nCrawl-delay: 600"),
        "/a" | "/b" => reply(
            "302 Found",
            &format!("Location: http://127.0.0.4:{}/to{path}\r\n", port_of(head)),
            "",
        ),
        _ => page(head),
    });
    let two = [("127.0.0.2", "/a"), ("127.0.0.3", "/b")];
    *links.lock().unwrap() = two.map(|(host, path)| item(&site.at(host, path))).concat();
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site, "");
    let bench = Bench::new(folder.path(), &config, start()).await;
    bench.poll().await;
    let entries = bench.entries();
    assert_eq!(bench.look(entries[0].id).await, PageResult::Unchanged);
    let PageResult::Failed(why) = bench.look(entries[1].id).await else {
        panic!("it is too early");
    };
    assert!(why.contains("it redirects to 127.0.0.4"), "{why}");
    assert_eq!(
        (site.asked("/to/a").len(), site.asked("/to/b").len()),
        (1, 0)
    );
    let row = bench.entries().remove(1).page;
    assert!(row.next.unwrap() >= start() + Duration::from_secs(599));
    assert_eq!(
        (row.failures, row.error),
        (0, None),
        "it has done nothing wrong"
    );
    assert_eq!(site.asked("/a").len(), 1, "once, however little was known");
    assert_eq!(site.asked("/robots.txt").len(), 3);

    // What the database knows about the other host is not requested again.
    drop(bench);
    let bench = Bench::new(folder.path(), &config, start() + HOUR).await;
    assert_eq!(bench.look(entries[1].id).await, PageResult::Unchanged);
    assert_eq!((site.asked("/b").len(), site.asked("/to/b").len()), (2, 1));
    assert_eq!(site.asked("/robots.txt").len(), 3);
}

#[tokio::test]
async fn who_is_sent_on_and_comes_back_has_paid_already() {
    let links = Arc::new(Mutex::new(String::new()));
    let items = Arc::clone(&links);
    let site = Site::start(move |path, head| {
        let to = |host: &str, path: &str| {
            let port = port_of(head);
            reply(
                "302 Found",
                &format!("Location: http://{host}:{port}{path}\r\n"),
                "",
            )
        };
        match path {
            "/feed" => reply("200 OK", "", &rss("", &items.lock().unwrap())),
            "/robots.txt" => reply("200 OK", "", "User-agent: *\nCrawl-delay: 600"),
            "/a" => to("127.0.0.4", "/consent"),
            "/consent" => to("127.0.0.2", "/back"),
            _ => page(head),
        }
    });
    *links.lock().unwrap() = item(&site.at("127.0.0.2", "/a"));
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.poll().await;
    let entry = bench.entries()[0].id;
    assert_eq!(bench.look(entry).await, PageResult::Unchanged);
    assert_eq!(site.asked("/back").len(), 1);
}

fn port_of(head: &str) -> &str {
    let host = head.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().rsplit(':').next().unwrap()
}

#[tokio::test]
async fn the_host_that_answers_a_feed_is_the_one_that_is_left_alone() {
    let site = Site::start(|path, head| match path {
        "/feed" => reply(
            "302 Found",
            &format!("Location: http://127.0.0.2:{}/busy\r\n", port_of(head)),
            "",
        ),
        "/busy" => reply("503 Service Unavailable", "Retry-After: 600\r\n", ""),
        _ => reply("404 Not Found", "", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, ""), start()).await;
    bench.poll().await;
    let hurried = bench.checker.check_feed(bench.feed().id, WaitLimit::Short);
    let FeedResult::Failed(why) = Box::pin(hurried).await.unwrap().result else {
        panic!("the other host wants to be left alone");
    };
    assert!(why.starts_with("skipped: the host asked"), "{why}");
    assert_eq!(
        (site.asked("/feed").len(), site.asked("/busy").len()),
        (2, 1)
    );
}

#[tokio::test]
async fn a_move_is_remembered_when_the_feed_answers_there_unchanged() {
    let feed = |head: &str| match head.contains("if-none-match: \"f\"") {
        true => reply("304 Not Modified", "", ""),
        false => reply("200 OK", "ETag: \"f\"\r\n", &rss("", "")),
    };
    let site = Site::start(move |_, head| feed(head));
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), &config(&site, "every = \"15m\"\n"), start()).await;
    bench.poll().await;
    site.becomes(move |path, head| match path {
        "/feed" => reply("301 Moved Permanently", "Location: /new\r\n", ""),
        _ => feed(head),
    });
    bench.poll().await;
    assert_eq!(bench.feed().moved_to, Some(site.url("/new")));
    bench.poll().await;
    assert_eq!(site.asked("/feed").len(), 2);
}

/// Thousands of checks wait for their host, or for a free place among the running ones.
#[tokio::test]
async fn a_check_that_waits_takes_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), "", Timestamp::from_millis(0)).await;
    let feed = size_of_val(&bench.checker.check_feed(FeedId(1), WaitLimit::Endless));
    let page = size_of_val(&bench.checker.check_page(EntryId(1), WaitLimit::Endless));
    assert!(
        feed <= 6 * 1024 && page <= 6 * 1024,
        "{feed} and {page} bytes"
    );
}
