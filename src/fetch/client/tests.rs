use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::outcome::Validators;
use crate::fetch::AddressPolicy;
use crate::time::{Fixed, Timestamp};

const NOW: i64 = 1_795_428_000;

/// A server on 127.0.0.1 that answers each request head with the bytes that `answer` gives, and then closes, unless
/// the answer says `keep-alive`.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                while let Some(head) = read_head(&mut stream) {
                    let bytes = answer(&head);
                    log.lock().unwrap().push(head);
                    let kept = String::from_utf8_lossy(&bytes).contains("keep-alive");
                    if stream.write_all(&bytes).is_err() || !kept {
                        break;
                    }
                }
            }
        });
        Self { port, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).to_lowercase())
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn redirect(status: &str, to: &str) -> Vec<u8> {
    answer(status, &format!("Location: {to}\r\n"), b"")
}

fn config() -> ClientConfig {
    ClientConfig {
        policy: AddressPolicy::public_and(["127.0.0.1/32".parse().unwrap()]),
        timeout: Duration::from_secs(10),
        user_agent: "revisor/test".into(),
        ..ClientConfig::default()
    }
}

fn client_of(config: &ClientConfig) -> Client {
    let hosts: HashMap<&str, Ipv4Addr> = HashMap::from([
        ("a.test", Ipv4Addr::LOCALHOST),
        ("b.test", Ipv4Addr::LOCALHOST),
        ("internal.test", Ipv4Addr::new(10, 0, 0, 1)),
    ]);
    let lookup: Arc<Lookup> = Arc::new(move |host| {
        let found = hosts.get(host.as_str()).copied().map(IpAddr::from);
        Box::pin(async move { Ok(found.into_iter().collect()) })
    });
    let clock = Arc::new(Fixed::at(Timestamp::from_unix(NOW)));
    Client::with_lookup(config, clock, lookup).unwrap()
}

async fn get(request: FetchRequest) -> Fetched {
    client_of(&config()).get(&request).await
}

fn feed(url: impl Into<String>) -> FetchRequest {
    FetchRequest::feed(url, Validators::default())
}

fn body(fetched: Fetched) -> Answer {
    match fetched {
        Fetched::Body(answer) => *answer,
        other => panic!("no body: {other:?}"),
    }
}

fn failure(fetched: Fetched) -> FetchFailure {
    match fetched {
        Fetched::Failed(failure) => failure,
        other => panic!("no failure: {other:?}"),
    }
}

#[tokio::test]
async fn a_body_comes_with_what_is_known_of_it() {
    let headers = "Content-Type: text/xml; charset=x\r\nETag: W/\"1\"\r\nSet-Cookie: a=b\r\n\
                   Cache-Control: max-age=60\r\nLast-Modified: then\r\n";
    let server = Server::start(move |_| answer("200 OK", headers, b"<rss/>"));
    let answer = body(get(feed(server.url("/f?b=2&a=1%20+%C3#top"))).await);
    assert_eq!(answer.body, b"<rss/>");
    assert_eq!(answer.final_url, server.url("/f?b=2&a=1%20+%C3"));
    assert_eq!(answer.permanent_url, None);
    assert_eq!(answer.content_type.as_deref(), Some("text/xml; charset=x"));
    assert_eq!(answer.validators.etag.as_deref(), Some("W/\"1\""));
    assert_eq!(answer.validators.last_modified.as_deref(), Some("then"));
    let digest: [u8; 32] = Sha256::digest(b"<rss/>").into();
    assert_eq!(answer.validators.body_sha256, Some(digest));
    assert_eq!(answer.hints.max_age, Some(Duration::from_mins(1)));
    assert_eq!(answer.at, Timestamp::from_unix(NOW));
    assert!(!answer.headers.iter().any(|(name, _)| name == "set-cookie"));
    let head = server.requests().remove(0);
    assert!(
        head.starts_with("get /f?b=2&a=1%20+%c3 http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nuser-agent: revisor/test\r\n"), "{head}");
    assert!(head.contains("\r\naccept: application/atom+xml"), "{head}");
    for encoding in ["gzip", "br", "zstd", "deflate"] {
        assert!(head.contains(encoding), "{head}");
    }
    for unwanted in [
        "if-none-match",
        "if-modified",
        "cookie",
        "referer",
        "cache-control",
        "from:",
    ] {
        assert!(!head.contains(unwanted), "{head}");
    }
}

#[tokio::test]
async fn not_modified_keeps_or_renews_the_validators() {
    let server = Server::start(|head| {
        let renewed = if head.contains("get /new") {
            "ETag: \"2\"\r\n"
        } else {
            ""
        };
        format!("HTTP/1.1 304 Not Modified\r\n{renewed}\r\n").into_bytes()
    });
    let sent = Validators {
        etag: Some("\"1\"".into()),
        last_modified: Some("then".into()),
        body_sha256: Some([9; 32]),
    };
    let Fetched::NotModified(kept) = get(FetchRequest::feed(server.url("/"), sent.clone())).await
    else {
        panic!("not a 304");
    };
    assert_eq!(kept.validators, None);
    let Fetched::NotModified(renewed) =
        get(FetchRequest::feed(server.url("/new"), sent.clone())).await
    else {
        panic!("not a 304");
    };
    let expected = Validators {
        etag: Some("\"2\"".into()),
        ..sent
    };
    assert_eq!(renewed.validators, Some(expected));
    let head = server.requests().remove(0);
    assert!(head.contains("if-none-match: \"1\"\r\n"), "{head}");
    assert!(head.contains("if-modified-since: then\r\n"), "{head}");
    let unasked = failure(get(feed(server.url("/"))).await);
    assert_eq!(unasked.kind, FailureKind::Status(304));
}

#[tokio::test]
async fn statuses_are_told_apart() {
    let server = Server::start(|head| {
        let status = head.split(['/', ' ']).nth(2).unwrap_or_default();
        match status {
            "429" => answer(
                "429 Too Many Requests",
                "Retry-After: 120\r\n",
                b"slow down",
            ),
            "599" => answer("599 \u{1b}[2J", "", b""),
            status => answer(&format!("{status} X"), "", b"<rss/>"),
        }
    });
    for status in [204, 206, 401, 403, 404, 500, 503] {
        let failed = failure(get(feed(server.url(&format!("/{status}")))).await);
        assert_eq!(failed.kind, FailureKind::Status(status));
        assert_eq!(failed.status, Some(status));
    }
    let limited = failure(get(feed(server.url("/429"))).await);
    assert_eq!(limited.message, "answered 429 Too Many Requests");
    assert_eq!(limited.retry_after, Some(Duration::from_mins(2)));
    let odd = failure(get(feed(server.url("/599"))).await);
    assert!(!odd.message.contains('\u{1b}'), "{odd}");
    assert!(matches!(
        get(feed(server.url("/410"))).await,
        Fetched::Gone(_)
    ));
}

#[tokio::test]
async fn only_unbroken_permanent_redirects_are_to_be_remembered() {
    let server = Server::start(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/a" => redirect("301 Moved", "/b"),
            "/b" => redirect("308 Moved", "/c"),
            "/c" => redirect("302 Found", "/d"),
            "/d" => redirect("301 Moved", "/e"),
            "/gone" => answer("410 Gone", "", b""),
            "/was" => redirect("301 Moved", "/gone"),
            "/is" => redirect("307 Elsewhere", "/gone"),
            _ => answer("200 OK", "", b"ok"),
        }
    });
    let answer = body(get(feed(server.url("/a"))).await);
    assert_eq!(answer.final_url, server.url("/e"));
    assert_eq!(answer.permanent_url, Some(server.url("/c")));
    let steps: Vec<u16> = answer.redirects.iter().map(|step| step.status).collect();
    assert_eq!(steps, [301, 308, 302, 301]);
    let answer = body(get(feed(server.url("/c"))).await);
    assert_eq!(answer.permanent_url, None);
    assert!(matches!(
        get(feed(server.url("/was"))).await,
        Fetched::Gone(_)
    ));
    let elsewhere = failure(get(feed(server.url("/is"))).await);
    assert_eq!(elsewhere.kind, FailureKind::Status(410));
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/loop" => redirect("302 Found", "/loop"),
            "/ping" => redirect("302 Found", "/pong"),
            "/pong" => redirect("302 Found", "/ping"),
            "/nowhere" => answer("301 Moved", "", b""),
            "/bad" => redirect("302 Found", "http://["),
            longer => redirect("302 Found", &format!("{longer}x")),
        }
    });
    for path in ["/loop", "/ping", "/nowhere", "/bad", "/x"] {
        let failed = failure(get(feed(server.url(path))).await);
        assert_eq!(failed.kind, FailureKind::Redirects, "{path}: {failed}");
    }
    assert_eq!(server.requests().len(), 1 + 2 + 1 + 1 + 11);
}

#[tokio::test]
async fn no_redirect_leads_to_a_forbidden_address() {
    let canary = Server::start(|_| answer("200 OK", "", b"secret"));
    let port = canary.port;
    let targets = [
        "file:///etc/passwd".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://internal.test/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        format!("http://127.0.0.2:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.2]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://2130706434:{port}/"),
        format!("http://0x7f.2:{port}/"),
        format!("http://127.0.0.1\\@127.0.0.2:{port}/"),
        format!("http://127.0.0.2:{port}\\@a.test/"),
        format!("http://name@127.0.0.1:{port}/"),
    ];
    let client = client_of(&config());
    for target in targets {
        let to = target.clone();
        let server = Server::start(move |_| redirect("302 Found", &to));
        for start in [server.url("/"), target.clone()] {
            let request = FetchRequest::page(start, Validators::default());
            let failed = failure(client.get(&request).await);
            // What stands before a backslash is the host; only one of these is 127.0.0.1, at another port.
            let kind = failed.kind;
            let harmless = kind == FailureKind::Connect && target.contains("127.0.0.1\\@");
            assert!(
                kind == FailureKind::Refused || harmless,
                "{target}: {failed}"
            );
        }
    }
    assert_eq!(canary.requests(), [""; 0]);
}

#[tokio::test]
async fn a_name_is_refused_by_what_it_resolves_to() {
    let internal = failure(get(feed("http://internal.test/")).await);
    assert_eq!(internal.kind, FailureKind::Refused);
    assert!(
        internal.message.contains("internal.test: 10.0.0.1"),
        "{internal}"
    );
    assert!(
        internal.message.contains("fetch.allow_private"),
        "{internal}"
    );
    let missing = failure(get(feed("http://void.test/")).await);
    assert_eq!(missing.kind, FailureKind::Dns);
    assert_eq!(missing.message, "no address found for void.test");
    let localhost = {
        let clock = Arc::new(Fixed::at(Timestamp::from_unix(NOW)));
        let client = Client::new(&ClientConfig::default(), clock).unwrap();
        failure(client.get(&feed("http://localhost:1/")).await)
    };
    assert_eq!(localhost.kind, FailureKind::Refused, "{localhost}");
}

#[tokio::test]
async fn credentials_stay_at_their_origin() {
    let server = Server::start(|head| {
        let port = head
            .split("host: ")
            .nth(1)
            .and_then(|h| h.split("\r\n").next());
        let port = port.and_then(|host| host.rsplit(':').next()).unwrap_or("0");
        match head.split(' ').nth(1).unwrap_or_default() {
            "/start" => redirect("302 Found", "/same"),
            "/same" => redirect("302 Found", &format!("http://b.test:{port}/other")),
            "/other" => redirect("302 Found", &format!("http://a.test:{port}/back")),
            _ => answer("200 OK", "", b"ok"),
        }
    });
    let mut request = feed(format!("http://us%20er:p%3Aw@a.test:{}/start", server.port));
    request.headers = vec![("X-Api-Key".into(), "s3cret".into())];
    let answer = body(get(request).await);
    assert!(!answer.final_url.contains("us%20er"));
    let heads = server.requests();
    let carries: Vec<bool> = heads
        .iter()
        .map(|head| head.contains("s3cret") && head.contains("authorization: basic "))
        .collect();
    assert_eq!(carries, [true, true, false, false]);
    let none = heads
        .iter()
        .skip(2)
        .all(|head| !head.contains("s3cret") && !head.contains("authorization"));
    assert!(none, "{heads:?}");
    // `us er:p:w`; the log is in lower case.
    assert!(
        heads[0].contains(&"basic dXMgZXI6cDp3".to_lowercase()),
        "{}",
        heads[0]
    );
}

#[tokio::test]
async fn bodies_are_bounded_when_decoded() {
    let bomb = gzip_of_zeros();
    let server = Server::start(
        move |head| match head.split(' ').nth(1).unwrap_or_default() {
            "/bomb" => answer("200 OK", "Content-Encoding: gzip\r\n", &bomb),
            "/announced" => b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc".to_vec(),
            "/chunked" => {
                let mut all = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                for _ in 0..40 {
                    all.extend_from_slice(b"400\r\n");
                    all.extend_from_slice(&[b'x'; 1024]);
                    all.extend_from_slice(b"\r\n");
                }
                all
            }
            _ => answer("200 OK", "", &vec![b'x'; 32 * 1024]),
        },
    );
    let client = client_of(&ClientConfig {
        max_size: 32 * 1024,
        ..config()
    });
    for path in ["/bomb", "/announced", "/chunked"] {
        let failed = failure(client.get(&feed(server.url(path))).await);
        assert_eq!(failed.kind, FailureKind::TooLarge, "{path}: {failed}");
        assert_eq!(
            failed.message,
            "larger than 32 KiB, the limit of `max_size`"
        );
    }
    let exact = body(client.get(&feed(server.url("/exact"))).await);
    assert_eq!(exact.body.len(), 32 * 1024);
    let mut smaller = feed(server.url("/exact"));
    smaller.max_size = Some(1000);
    let failed = failure(client.get(&smaller).await);
    assert_eq!(failed.kind, FailureKind::TooLarge);
}

/// 64 KiB of zeros in a stored gzip member would not be a bomb; this is the deflate stream of one, made of a literal
/// zero and matches of length 258 at distance 1.
fn gzip_of_zeros() -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |bits: &mut Vec<bool>, value: u32, length: u32| {
        for shift in (0..length).rev() {
            bits.push(value >> shift & 1 == 1);
        }
    };
    code(&mut bits, 0b0011_0000, 8);
    for _ in 0..400 {
        // Length 258 is symbol 285 (eight bits, no extra), distance 1 is symbol 0 (five bits).
        code(&mut bits, 0b1100_0101, 8);
        code(&mut bits, 0, 5);
    }
    code(&mut bits, 0, 7);
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for byte in bits.chunks(8) {
        gzip.push(
            byte.iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit)),
        );
    }
    // The check sum is wrong; the limit is reached before it is looked at.
    gzip.extend_from_slice(&[0; 8]);
    gzip
}

#[tokio::test]
async fn broken_bodies_are_failures_and_never_shorter_bodies() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap_or_default() {
        "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc".to_vec(),
        "/unchunked" => {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".to_vec()
        }
        "/shortgzip" => answer(
            "200 OK",
            "Content-Encoding: gzip\r\n",
            &gzip_of_zeros()[..40],
        ),
        "/plain" => answer("200 OK", "Content-Encoding: gzip\r\n", b"<rss/>"),
        "/twice" => answer("200 OK", "Content-Encoding: gzip, gzip\r\n", b"x"),
        "/odd" => answer("200 OK", "Content-Encoding: compress\r\n", b"x"),
        "/identity" => answer("200 OK", "Content-Encoding: identity\r\n", b"x"),
        "/charset" => answer("200 OK", "Content-Encoding: UTF-8\r\n", b"x"),
        "/cookies" => answer("200 OK", &"Set-Cookie: a=b\r\n".repeat(300), b"x"),
        "/noise" => b"\x00\xff\xfe not HTTP at all\r\n\r\n".to_vec(),
        "/endlesshead" => {
            let mut all = b"HTTP/1.1 200 OK\r\n".to_vec();
            all.extend_from_slice(
                format!("X: {}\r\n", "a".repeat(2000))
                    .repeat(600)
                    .as_bytes(),
            );
            all
        }
        _ => Vec::new(),
    });
    let cases = [
        ("/short", FailureKind::Interrupted),
        ("/unchunked", FailureKind::Interrupted),
        ("/shortgzip", FailureKind::Encoding),
        ("/plain", FailureKind::Encoding),
        ("/twice", FailureKind::Encoding),
        ("/odd", FailureKind::Encoding),
        ("/noise", FailureKind::Protocol),
        ("/endlesshead", FailureKind::TooLarge),
        ("/closed", FailureKind::Interrupted),
    ];
    for (path, kind) in cases {
        let failed = failure(get(feed(server.url(path))).await);
        assert_eq!(failed.kind, kind, "{path}: {failed}");
        assert!(!failed.message.contains("127.0.0.1:"), "{path}: {failed}");
    }
    for path in ["/identity", "/charset", "/cookies"] {
        assert_eq!(body(get(feed(server.url(path))).await).body, b"x", "{path}");
    }
}

#[tokio::test]
async fn silence_ends_by_the_total_and_by_the_idle_time() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = client_of(&ClientConfig {
        timeout: Duration::from_millis(50),
        ..config()
    });
    let silent = failure(client.get(&feed(format!("http://127.0.0.1:{port}/"))).await);
    assert_eq!(silent.kind, FailureKind::Timeout);
    assert_eq!(silent.message, "not complete within 0.05 s");
    let server = Server::start(|_| {
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 9\r\n\r\nabc".to_vec()
    });
    let client = client_of(&ClientConfig {
        idle_timeout: Duration::from_millis(50),
        ..config()
    });
    let stalled = failure(client.get(&feed(server.url("/"))).await);
    assert_eq!(stalled.kind, FailureKind::Timeout);
    assert_eq!(stalled.message, "no data for 0.05 s");
    drop(listener);
}

#[tokio::test]
async fn a_connection_that_is_closed_as_it_is_used_is_no_failure() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let mut heads = 0;
        let (mut first, _) = listener.accept().unwrap();
        heads += usize::from(read_head(&mut first).is_some());
        first.write_all(&answer("200 OK", "", b"one")).unwrap();
        // The second request has been taken when the connection is closed without a word.
        heads += usize::from(read_head(&mut first).is_some());
        drop(first);
        let (mut second, _) = listener.accept().unwrap();
        heads += usize::from(read_head(&mut second).is_some());
        second.write_all(&answer("200 OK", "", b"two")).unwrap();
        heads
    });
    let client = client_of(&config());
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(body(client.get(&feed(&*url)).await).body, b"one");
    assert_eq!(body(client.get(&feed(&*url)).await).body, b"two");
    assert_eq!(serving.join().unwrap(), 3);
}

#[tokio::test]
async fn who_closes_a_new_connection_without_an_answer_is_asked_once() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let heads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let asked = read_head(&mut stream.unwrap()).is_some();
            counted.fetch_add(usize::from(asked), Ordering::SeqCst);
        }
    });
    let failed = failure(client_of(&config()).get(&feed(url)).await);
    assert_eq!(failed.kind, FailureKind::Interrupted, "{failed}");
    assert_eq!(heads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_connection_is_told_as_such() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let failed = failure(get(feed(format!("http://127.0.0.1:{port}/"))).await);
    assert_eq!(failed.kind, FailureKind::Connect, "{failed}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&answer("400 Bad", "", b"")).unwrap();
        stream
    });
    let failed = failure(get(feed(format!("https://127.0.0.1:{port}/"))).await);
    drop(plain.join());
    assert_eq!(failed.kind, FailureKind::Tls, "{failed}");
    assert_eq!(failed.message, "127.0.0.1 does not speak TLS at this port");
    let failed = failure(get(feed("not an address")).await);
    assert_eq!(failed.kind, FailureKind::Refused, "{failed}");
}

#[test]
fn percent_signs_are_decoded_and_never_lost() {
    assert_eq!(super::super::trail::percent_decoded("a%20b%3Ac"), b"a b:c");
    assert_eq!(super::super::trail::percent_decoded("100%"), b"100%");
    assert_eq!(super::super::trail::percent_decoded("%zz%4"), b"%zz%4");
    assert_eq!(
        super::super::trail::percent_decoded("%C3%A9"),
        "é".as_bytes()
    );
}
