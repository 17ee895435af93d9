mod bodies;
mod redirects;

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

/// A server on 127.0.0.1 that responds to each request head with the bytes from `answer`, and then closes the
/// connection, unless the response says `keep-alive`.
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
        packed_sha256: None,
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
    assert_eq!(limited.message, "returned 429 Too Many Requests");
    assert_eq!(limited.retry_after, Some(Duration::from_mins(2)));
    let odd = failure(get(feed(server.url("/599"))).await);
    assert!(!odd.message.contains('\u{1b}'), "{odd}");
    assert!(matches!(
        get(feed(server.url("/410"))).await,
        Fetched::Gone(_)
    ));
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
        // The second request is read, and then the connection is closed without a response.
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
            // Counted before the connection is closed, as the client continues as soon as it is.
            let mut stream = stream.unwrap();
            let asked = read_head(&mut stream).is_some();
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
