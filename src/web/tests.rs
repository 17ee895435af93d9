use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::{Config, Environment, FeedConfig, Flags, Listen, Secrets, from_text};
use crate::metrics;
use crate::store::{OpenOptions, Store};

/// A service that is healthy, but not ready.
struct Sample(Config);

impl Sample {
    fn new(web: &str) -> Self {
        let environment = Environment::from_pairs([("REVISOR_DB", "/unused")]);
        let text = format!("[web]\n{web}\n");
        let loaded = from_text(
            &text,
            None,
            Flags::default(),
            &environment,
            Secrets::Required,
        );
        Self(loaded.unwrap().config)
    }
}

struct Plain(Config);

impl WebSetup for Plain {
    fn config(&self) -> &Config {
        &self.0
    }

    fn feeds(&self) -> Vec<Arc<FeedConfig>> {
        Vec::new()
    }

    fn feed(&self, _: &str) -> Option<Arc<FeedConfig>> {
        None
    }

    fn user_agent(&self) -> String {
        "revisor".to_owned()
    }
}

impl WebSource for Sample {
    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    async fn readiness(&self) -> Result<(), String> {
        Err("the database is locked".to_owned())
    }

    async fn metrics(&self) -> Result<String, String> {
        Ok("revisor_feeds 3\n".to_owned())
    }

    fn setup(&self) -> Arc<dyn WebSetup> {
        Arc::new(Plain(self.0.clone()))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_795_000_000)
    }
}

const QUICK: ClientLimits = ClientLimits {
    of_one: 4,
    clients: 4,
    answers: 2,
    request: Duration::from_millis(100),
    whole: Duration::from_millis(300),
    bytes: 8 << 10,
};

struct Running {
    address: String,
    stop: CancellationToken,
    _store: Store,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn start(limits: ClientLimits) -> Running {
    start_with(limits, "").await
}

async fn start_with(limits: ClientLimits, web: &str) -> Running {
    let door = Door::open(&Listen::parse("127.0.0.1:0").unwrap())
        .await
        .unwrap();
    let address = door.place().to_string();
    assert!(!address.ends_with(":0"), "the port that was free is told");
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("revisor.db");
    let store = Store::open(&database, &OpenOptions::default()).unwrap();
    let hash = Sha256::digest("rvt_known").into();
    let added = store
        .writer()
        .add_token("desk", hash, Timestamp::from_unix(0));
    assert!(added.await.unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(serve(
        door,
        limits,
        Arc::new(Sample::new(web)),
        Arc::new(PageThreads::new(&database)),
        stop.clone(),
    ));
    Running {
        address,
        stop,
        _store: store,
        _folder: folder,
    }
}

/// Sends raw bytes, and reads to the end.
async fn raw(running: &Running, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(&running.address).await.unwrap();
    // A server that has read enough may close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn ask(running: &Running, method: &str, path: &str, host: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    raw(running, request.as_bytes()).await
}

#[tokio::test]
async fn it_answers_what_it_is_asked() {
    let running = start(ClientLimits::default()).await;
    for (method, path, status, body) in [
        ("GET", "/healthz", "200", "ok\n"),
        ("GET", "/readyz", "503", "the database is locked\n"),
        ("GET", "/metrics", "200", "revisor_feeds 3\n"),
        ("GET", "/metrics?x=1", "200", "revisor_feeds 3\n"),
        (
            "GET",
            "/nowhere",
            "404",
            "there is no such page; the list of changes is at /\n",
        ),
        (
            "GET",
            "/../../etc/passwd",
            "404",
            "there is no such page; the list of changes is at /\n",
        ),
        ("HEAD", "/healthz", "200", ""),
        (
            "POST",
            "/healthz",
            "405",
            "only GET and HEAD are supported\n",
        ),
        (
            "DELETE",
            "/metrics",
            "405",
            "only GET and HEAD are supported\n",
        ),
        ("OPTIONS", "*", "405", "only GET and HEAD are supported\n"),
    ] {
        let answer = ask(&running, method, path, "127.0.0.1:1").await;
        let (head, found) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{method} {path}: {head}"
        );
        assert_eq!(found, body, "{method} {path}");
        assert!(head.contains("connection: close"), "{head}");
    }
    let answer = ask(&running, "GET", "/metrics", "localhost").await;
    assert!(answer.contains(metrics::CONTENT_TYPE), "{answer}");
}

#[tokio::test]
async fn a_name_that_somebody_gave_this_machine_is_refused() {
    let running = start(ClientLimits::default()).await;
    for (host, status) in [
        ("localhost:9464", "200"),
        ("127.0.0.1", "200"),
        ("[::1]:9464", "200"),
        ("evil.example", "421"),
        ("127.0.0.1.evil.example:9464", "421"),
        ("localhost.evil.example", "421"),
        ("", "200"),
    ] {
        let answer = ask(&running, "GET", "/healthz", host).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{host}: {answer}"
        );
    }
    let answer = raw(
        &running,
        b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
}

#[tokio::test]
async fn what_is_no_request_is_refused_within_bounds() {
    let running = start(QUICK).await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    let headers = format!(
        "GET /healthz HTTP/1.1\r\n{}\r\n",
        "a: b\r\n".repeat(100_000)
    );
    for request in [
        long.as_bytes(),
        headers.as_bytes(),
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
    ] {
        let answer = raw(&running, request).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    // The server does not wait for a body.
    let with_body = b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    assert!(raw(&running, with_body).await.starts_with("HTTP/1.1 405 "));
    assert!(
        ask(&running, "GET", "/healthz", "localhost")
            .await
            .ends_with("ok\n")
    );
}

#[tokio::test]
async fn clients_that_dawdle_lose_their_places() {
    let running = start(QUICK).await;
    let mut dawdlers = Vec::new();
    for begun in [
        &b""[..],
        b"G",
        b"GET /healthz HTTP/1.1\r\nHost: ",
        b"GET /metrics HT",
    ]
    .into_iter()
    .cycle()
    .take(50)
    {
        let mut stream = TcpStream::connect(&running.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        dawdlers.push(stream);
    }
    // It is behind all of them; every four of them hold their places for a tenth of a second.
    let answer = ask(&running, "GET", "/healthz", "localhost").await;
    assert!(answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn health_is_answered_at_once_whatever_idle_clients_do() {
    // The limits of the real service: no client is disconnected for being slow during this test.
    let running = start(ClientLimits::default()).await;
    let mut idle = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(&running.address).await.unwrap();
        let begun: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /healthz HT",
            // Sends a request, and never reads the response.
            _ => b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        };
        stream.write_all(begun).await.unwrap();
        idle.push(stream);
        if number % 50 == 0 {
            let asking = ask(&running, "GET", "/healthz", "localhost");
            let answer = tokio::time::timeout(Duration::from_secs(1), asking).await;
            assert!(answer.unwrap().ends_with("ok\n"));
        }
    }
    let asking = ask(&running, "GET", "/healthz", "localhost");
    let answer = tokio::time::timeout(Duration::from_secs(1), asking).await;
    assert!(answer.unwrap().ends_with("ok\n"));
}

#[tokio::test]
async fn a_socket_in_the_file_system_is_taken_over_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    let listen = Listen::Unix(path.clone());
    // A process that was killed leaves its socket behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let door = Door::open(&listen).await.unwrap();
    let again = Door::open(&listen).await.unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AddrInUse);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(
        door,
        ClientLimits::default(),
        Arc::new(Sample::new("")),
        Arc::new(PageThreads::new(&folder.path().join("none.db"))),
        stop.clone(),
    ));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
    stop.cancel();
    serving.await.unwrap();
    assert!(!path.exists());
    // A file that is not a socket belongs to someone else.
    std::fs::write(&path, "notes").unwrap();
    assert!(Door::open(&listen).await.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "notes");
}

/// The status of a response.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

async fn get(running: &Running, path: &str, headers: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    raw(running, request.as_bytes()).await
}

#[tokio::test]
async fn pages_are_strict_and_say_so() {
    let running = start(ClientLimits::default()).await;
    for path in [
        "/",
        "/headlines",
        "/feeds",
        "/search?q=x",
        "/stats",
        "/about",
        "/guide/web",
    ] {
        let answer = get(&running, path, "").await;
        assert_eq!(status(&answer), "200", "{path}: {answer}");
        for header in [
            "content-security-policy: default-src 'none';",
            "referrer-policy: no-referrer",
            "x-robots-tag: noindex",
            "x-content-type-options: nosniff",
        ] {
            assert!(answer.contains(header), "{path}: {header} in {answer}");
        }
        assert!(!answer.contains("set-cookie"), "{answer}");
    }
    let hidden = start_with(ClientLimits::default(), "pages = false").await;
    assert_eq!(status(&get(&hidden, "/", "").await), "404");
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let running = start(ClientLimits::default()).await;
    for path in [
        "/",
        "/changes.atom",
        "/changes.json?label=number",
        "/feeds",
        "/guide",
    ] {
        let answer = get(&running, path, "").await;
        let tag = answer
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .unwrap()
            .to_owned();
        let again = get(&running, path, &format!("If-None-Match: \"x\", {tag}\r\n")).await;
        assert_eq!(status(&again), "304", "{path}: {again}");
        assert!(again.ends_with("\r\n\r\n"), "{again}");
    }
    let sheet = crate::report::pages::SHEET_PATH.clone();
    assert!(get(&running, &sheet, "").await.contains("immutable"));
}

#[tokio::test]
async fn with_tokens_only_who_has_one_may_read() {
    let running = start_with(ClientLimits::default(), "auth = \"tokens\"").await;
    for path in [
        "/",
        "/guide",
        "/changes.atom",
        "/?token=rvt_known",
        "/changes.csv?token=rvt_known",
    ] {
        let answer = get(&running, path, "").await;
        assert_eq!(status(&answer), "401", "{path}");
        assert!(answer.contains("www-authenticate: Basic"), "{answer}");
    }
    let known = "Authorization: Bearer rvt_known\r\n";
    for path in ["/", "/guide", "/changes.atom"] {
        assert_eq!(status(&get(&running, path, known).await), "200", "{path}");
    }
    let basic = "Authorization: Basic eDpydnRfa25vd24=\r\n";
    assert_eq!(status(&get(&running, "/", basic).await), "200");
    assert_eq!(
        status(&get(&running, "/changes.atom?token=rvt_known", "").await),
        "200"
    );
    for wrong in [
        "Authorization: Bearer rvt_other\r\n",
        "Authorization: Basic x\r\n",
    ] {
        assert_eq!(status(&get(&running, "/", wrong).await), "401", "{wrong}");
    }
    // `/healthz` stays open to everyone.
    assert_eq!(status(&get(&running, "/healthz", "").await), "200");
}

#[tokio::test]
async fn a_header_counts_only_when_the_proxy_sends_it() {
    let user = "X-Forwarded-User: ada\r\n";
    let trusted = start_with(
        ClientLimits::default(),
        "auth = \"proxy\"\ntrusted_proxies = [\"127.0.0.1\"]",
    )
    .await;
    assert_eq!(status(&get(&trusted, "/", user).await), "200");
    assert_eq!(status(&get(&trusted, "/", "").await), "403");
    let other = start_with(
        ClientLimits::default(),
        "auth = \"proxy\"\ntrusted_proxies = [\"192.0.2.1\"]",
    )
    .await;
    assert_eq!(status(&get(&other, "/", user).await), "403");
}

#[tokio::test]
async fn only_the_configured_host_name_is_meant() {
    let running = start_with(
        ClientLimits::default(),
        "base_url = \"https://changes.example/r\"\npublic = true",
    )
    .await;
    let answer = ask(&running, "GET", "/r/", "changes.example").await;
    assert_eq!(status(&answer), "200");
    assert!(
        answer.contains("href=\"/r/feeds\"") && !answer.contains("noindex"),
        "{answer}"
    );
    assert_eq!(
        status(&ask(&running, "GET", "/", "changes.example").await),
        "200"
    );
    assert_eq!(
        status(&ask(&running, "GET", "/", "evil.example").await),
        "421"
    );
    // Requests by the public name do not get metrics, and neither do those through a proxy.
    assert_eq!(
        status(&ask(&running, "GET", "/metrics", "changes.example").await),
        "421"
    );
    let passed_on = get(&running, "/metrics", "X-Forwarded-For: 192.0.2.1\r\n").await;
    assert_eq!(status(&passed_on), "403");
}
