//! A feed with very many pages, and whether it disturbs other feeds.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Home, PATIENCE, Page, Server, eventually};

/// Entries of the feed with many pages, each on its own host.
const CROWD: usize = 60;

/// A publisher on all loopback addresses.
struct Site {
    port: u16,
    /// Polls of the healthy feed.
    polls: Arc<AtomicUsize>,
    /// Pages that are being sent.
    sending: Arc<AtomicUsize>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        let site = Self {
            port: listener.local_addr().expect("an address").port(),
            polls: Arc::default(),
            sending: Arc::default(),
        };
        let (port, polls, sending) = (
            site.port,
            Arc::clone(&site.polls),
            Arc::clone(&site.sending),
        );
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (polls, sending) = (Arc::clone(&polls), Arc::clone(&sending));
                thread::spawn(move || answer(stream, port, &polls, &sending));
            }
        });
        site
    }
}

fn answer(mut stream: TcpStream, port: u16, polls: &AtomicUsize, sending: &AtomicUsize) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let reply = |body: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    match head.split(' ').nth(1).unwrap_or_default() {
        "/crowd" => drop(stream.write_all(reply(&crowd(port)).as_bytes())),
        "/healthy" => {
            let number = polls.fetch_add(1, Ordering::SeqCst);
            let item = format!("<item><guid>{number}</guid><title>Story {number}</title></item>");
            drop(stream.write_all(reply(&feed(&item)).as_bytes()));
        }
        "/robots.txt" => {
            drop(stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
        }
        _ => {
            sending.fetch_add(1, Ordering::SeqCst);
            let mut sent =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<html>");
            while sent.is_ok() {
                pace();
                sent = stream.write_all(b"x");
            }
            sending.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The delay of a slow server, not a wait of the test.
#[expect(clippy::disallowed_methods, reason = "the slowness is what is tested")]
fn pace() {
    thread::sleep(Duration::from_millis(200));
}

fn feed(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>News</title>{items}</channel></rss>")
}

fn crowd(port: u16) -> String {
    let mut items = String::new();
    for number in 0..CROWD {
        let host = format!("127.7.0.{}:{port}", number + 1);
        let _ = write!(
            items,
            "<item><guid>{number}</guid><title>Story {number}</title><link>http://{host}/{number}</link></item>"
        );
    }
    feed(&items)
}

#[test]
fn a_feed_with_many_trickling_pages_does_not_keep_others_from_being_polled() {
    let site = Site::start();
    let home = Home::new(&format!(
        "concurrency = 8\n[[feed]]\nurl = \"http://127.0.0.1:{0}/crowd\"\nname = \"crowd\"\nevery = \"1h\"\n\
         [[feed]]\nurl = \"http://127.0.0.2:{0}/healthy\"\nname = \"healthy\"\nevery = \"1s\"\npage.fetch = \"off\"\n",
        site.port
    ));
    let _daemon = home.daemon();
    eventually(PATIENCE, "the places of one feed's pages are taken", || {
        site.sending.load(Ordering::SeqCst) >= 4
    });
    // Each of the pages takes its slot for half a minute, or for as long as a slow page may.
    let before = site.polls.load(Ordering::SeqCst);
    eventually(
        Duration::from_secs(12),
        "the other feed is polled all the time",
        || site.polls.load(Ordering::SeqCst) >= before + 5,
    );
    assert_eq!(
        site.sending.load(Ordering::SeqCst),
        4,
        "one feed has its share of the places"
    );
}

/// This many items, the newest first, each with its own text.
fn many(count: usize) -> String {
    let mut items = String::new();
    for number in (0..count).rev() {
        let _ = write!(
            items,
            "<item><guid>g{number}</guid><title>Report {number} of the harbour</title></item>"
        );
    }
    feed(&items)
}

#[test]
fn thousands_of_new_entries_are_taken_a_few_hundred_at_a_time() {
    let server = Server::start();
    let serve = |count| {
        let tag = format!("\"{count}\"");
        server.set("/feed", Page::rss(many(count)).header("ETag", &tag));
    };
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"flood\"\nevery = \"1h\"\n",
        server.url("/feed")
    ));
    // The first poll of a feed stores everything in it.
    serve(700);
    assert_eq!(home.check()["feeds"][0]["new"], 700);
    serve(1900);
    for (new, still) in [(500, 700), (500, 200), (200, 0)] {
        let check = home.ok(&["check", "--force", "--json"]);
        let check: Value = serde_json::from_str(&check).expect("JSON");
        let polled = &check["feeds"][0];
        assert_eq!(polled["new"], new, "{polled}");
        assert_eq!(polled["postponed"].as_u64().unwrap_or(0), still, "{polled}");
        let status = home.ok(&["status"]);
        let told = status.contains(&format!("{still} are still to be stored"));
        assert_eq!(told, still > 0, "{status}");
        let feeds: Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).expect("JSON");
        assert_eq!(
            feeds[0]["next_why"] == format!("{still} new entries are still to be stored"),
            still > 0,
            "{feeds}"
        );
    }
    let conn = rusqlite::Connection::open(home.db_path()).expect("the database");
    let entries: i64 = conn
        .query_row("SELECT count(*) FROM entries", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(entries, 1900, "nothing is lost");
}

#[test]
fn while_entries_are_postponed_the_feed_is_asked_for_its_whole_document_and_soon() {
    let server = Server::start();
    let serve = |count| {
        let page = Page::rss(many(count)).header("ETag", "\"a tag that never moves\"");
        server.set("/feed", page);
    };
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"flood\"\nevery = \"6h\"\n",
        server.url("/feed")
    ));
    serve(3);
    home.check();
    serve(600);
    home.ok(&["check", "--force"]);
    let conn = rusqlite::Connection::open(home.db_path()).expect("the database");
    let kept: (Option<String>, Option<Vec<u8>>, i64) = conn
        .query_row(
            "SELECT etag, body_sha256, next_poll_at - last_poll_at FROM feeds",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .expect("the feed");
    assert_eq!((kept.0, kept.1), (None, None));
    assert!(kept.2 <= 5 * 60 * 1000, "next poll after {} ms", kept.2);
    drop(conn);
    let log = home.ok(&["check", "--force", "-v"]);
    assert!(log.contains("97 new"), "{log}");
}
