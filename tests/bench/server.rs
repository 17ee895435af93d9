//! The built-in server: feeds of 30 entries with about 380 words each. It runs in its own process, so that its CPU
//! time is not counted.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

/// A running server.
pub(crate) struct BuiltIn {
    pub(crate) address: String,
    child: Child,
}

impl Drop for BuiltIn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts this program again, as a server.
pub(crate) fn start() -> BuiltIn {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("--serve")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    BuiltIn {
        address: line.trim().to_owned(),
        child,
    }
}

#[derive(Default)]
struct World {
    round: AtomicU64,
    /// In a round, one out of this many feeds is edited.
    every: AtomicU64,
    /// The last round in which the bytes of all feeds changed without an edit.
    rebuilt: AtomicU64,
    unconditional: AtomicBool,
}

/// Serves until it is killed; prints its address first.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        println!("{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/feed/{name}", get(feed))
            .route("/__round/{number}", post(round))
            .route("/__set", post(set))
            .with_state(Arc::new(World::default()));
        axum::serve(listener, routes).await.unwrap();
    });
}

async fn round(
    State(world): State<Arc<World>>,
    Path(number): Path<u64>,
    RawQuery(query): RawQuery,
) -> &'static str {
    let query = query.unwrap_or_default();
    let edited = query.split('&').find_map(|pair| pair.strip_prefix("edit="));
    let share: f64 = edited.and_then(|share| share.parse().ok()).unwrap_or(0.0);
    world.every.store(
        if share > 0.0 {
            (1.0 / share).round() as u64
        } else {
            0
        },
        Ordering::SeqCst,
    );
    if query.split('&').any(|pair| pair == "noise=1") {
        world.rebuilt.store(number, Ordering::SeqCst);
    }
    world.round.store(number, Ordering::SeqCst);
    "ok\n"
}

async fn set(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> &'static str {
    let unconditional = query.unwrap_or_default().contains("conditional=0");
    world.unconditional.store(unconditional, Ordering::SeqCst);
    "ok\n"
}

async fn feed(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(number) = name
        .strip_suffix(".xml")
        .and_then(|n| n.parse::<u64>().ok())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let every = world.every.load(Ordering::SeqCst);
    let edited = every > 0 && number.is_multiple_of(every);
    let version = if edited {
        world.round.load(Ordering::SeqCst)
    } else {
        0
    };
    let rebuilt = world.rebuilt.load(Ordering::SeqCst);
    let etag = format!("\"{number}-{version}-{rebuilt}\"");
    let asked = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    if asked && !world.unconditional.load(Ordering::SeqCst) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let kind = "application/rss+xml; charset=utf-8".to_owned();
    (
        [(header::ETAG, etag), (header::CONTENT_TYPE, kind)],
        document(number, version, rebuilt),
    )
        .into_response()
}

fn document(number: u64, version: u64, rebuilt: u64) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Feed {number}</title>\
         <lastBuildDate>Mon, 02 Nov 2026 10:0{rebuilt}:00 GMT</lastBuildDate>"
    );
    for entry in 0..30_u64 {
        let title = if entry == 3 { version } else { 0 };
        let _ = write!(
            out,
            "<item><guid isPermaLink=\"false\">{number}-{entry}</guid><title>Story {entry} of feed {number}, told for \
             the {title} time</title><link>http://site{number}.example/{entry}</link><description>In short \
             {entry}.</description><content:encoded><![CDATA["
        );
        let mut seed = number * 31 + entry;
        for _ in 0..8 {
            out.push_str("<p>");
            for _ in 0..48 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                out.push_str(WORDS[(seed >> 33) as usize % WORDS.len()]);
                out.push(' ');
            }
            out.push_str("</p>\n");
        }
        out.push_str("]]></content:encoded></item>\n");
    }
    out.push_str("</channel></rss>");
    out
}

pub(crate) const WORDS: [&str; 32] = [
    "minister", "river", "council", "the", "a", "of", "storm", "harbour", "library", "budget",
    "vote", "said", "Monday", "people", "bridge", "plan", "and", "in", "school", "percent", "not",
    "figures", "court", "market", "letters", "company", "was", "city", "report", "years", "new",
    "against",
];
