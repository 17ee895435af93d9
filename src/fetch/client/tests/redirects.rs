//! Where redirects lead, and what is sent along.

use super::*;

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
            // The part before the backslash is the host; in only one of these it is 127.0.0.1, with another port.
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
