use super::*;
use crate::config::{Environment, Flags, KindSettings, Secrets, from_text};
use crate::domain::event::EventKind;
use crate::notify::sign::{SigningSecret, verify};
use crate::notify::testing::{Answer, Receiver, secret};
use crate::time::{Fixed, Timestamp};

fn at() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap()
}

async fn send_to(target: &Target) -> Attempt {
    let deliverer =
        Deliverer::new("revisor/0.1.0 (test)".into(), Arc::new(Fixed::at(at()))).unwrap();
    deliverer.deliver(target, outgoing(b"{\"a\":1}")).await
}

async fn answered(answer: Answer) -> Attempt {
    let receiver = Receiver::start(vec![answer]).await;
    let attempted = send_to(&receiver.target("desk")).await;
    // If a connection closes without a response, it may have been a reused one, so there is one more attempt.
    let tries = if attempted.status.is_none() {
        1..=2
    } else {
        1..=1
    };
    assert!(tries.contains(&receiver.got().len()));
    let shown = attempted.error.clone().unwrap_or_default();
    assert!(!shown.contains("token"), "{shown}");
    attempted
}

fn outgoing(body: &[u8]) -> Outgoing {
    Outgoing {
        uid: "msg_1".into(),
        body: body.to_vec(),
        created: at(),
        thread: None,
    }
}

fn retry(seconds: u64) -> DeliveryResult {
    DeliveryResult::Retry {
        after: Some(Duration::from_secs(seconds)),
    }
}

#[tokio::test]
async fn request_is_signed_and_plain() {
    let receiver = Receiver::start(vec![Answer::status("204 No Content")]).await;
    let mut target = receiver.target("desk");
    target
        .secrets
        .push(SigningSecret::from_bytes(&[8; 32]).unwrap());
    let attempted = send_to(&target).await;
    assert_eq!(attempted.result, DeliveryResult::Delivered);
    assert_eq!((attempted.status, attempted.error), (Some(204), None));
    let got = &receiver.got()[0];
    assert!(got.head.starts_with("POST /T0/token HTTP/1.1"));
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("user-agent"), "revisor/0.1.0 (test)");
    assert_eq!(got.header("webhook-id"), "msg_1");
    for secret in target.secrets {
        let header = |name: &str| Some(got.header(name));
        assert_eq!(verify(&[secret], header, &got.body, at()), Ok(()));
    }
}

#[tokio::test]
async fn target_without_secret_gets_no_signature() {
    let receiver = Receiver::start(vec![Answer::status("200 OK")]).await;
    let target = Target {
        secrets: Vec::new(),
        ..receiver.target("desk")
    };
    assert_eq!(send_to(&target).await.result, DeliveryResult::Delivered);
    let got = &receiver.got()[0];
    assert!(!got.head.contains("webhook-signature"));
    assert_eq!(got.header("webhook-id"), "msg_1");
}

#[tokio::test]
async fn each_answer_means_what_the_contract_says() {
    let none = || DeliveryResult::Retry { after: None };
    for (line, result) in [
        ("200 OK", DeliveryResult::Delivered),
        ("299 Odd", DeliveryResult::Delivered),
        ("304 Not Modified", none()),
        ("400 Bad Request", none()),
        ("404 Not Found", none()),
        (
            "410 Gone",
            DeliveryResult::Disabled("the receiver returned 410 Gone".into()),
        ),
        ("429 Too Many Requests\r\nretry-after: 5", retry(5)),
        ("502 Bad Gateway\r\nRetry-After: 60", retry(60)),
        ("503 Service Unavailable", none()),
        ("503 Service Unavailable\r\nretry-after: soon", none()),
        (
            "503 Service Unavailable\r\nretry-after: Mon, 23 Nov 2026 10:00:30 GMT",
            retry(30),
        ),
        (
            "503 Service Unavailable\r\nretry-after: Mon, 23 Nov 2026 09:00:00 GMT",
            none(),
        ),
        (
            "504 Gateway Timeout\r\nretry-after: 99999999999999999999999",
            retry(86_400),
        ),
        ("500 Internal Server Error\r\nretry-after: 5", none()),
    ] {
        let attempted = answered(Answer::status(line)).await;
        assert_eq!(attempted.result, result, "{line}");
        let number: u16 = line[..3].parse().unwrap();
        assert_eq!(attempted.status, Some(number));
        assert_eq!(attempted.error.is_some(), number >= 300, "{line}");
    }
}

#[tokio::test]
async fn redirect_is_a_failure_and_is_not_followed() {
    let elsewhere = Receiver::start(vec![Answer::status("200 OK")]).await;
    let line = format!(
        "307 Temporary Redirect\r\nlocation: {}",
        elsewhere.target("x").url
    );
    let attempted = answered(Answer::status(&line)).await;
    assert_eq!(attempted.result, DeliveryResult::Retry { after: None });
    assert!(
        attempted
            .error
            .unwrap()
            .contains("redirects are not followed")
    );
    assert!(elsewhere.got().is_empty());
}

#[tokio::test]
async fn endless_and_broken_answers_count_by_their_status() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
    assert_eq!(
        answered(Answer::Endless(head.into())).await.result,
        DeliveryResult::Delivered
    );
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nshort";
    assert_eq!(
        answered(Answer::Raw(cut.into())).await.result,
        DeliveryResult::Delivered
    );
}

#[tokio::test]
async fn connection_that_fails_is_explained_without_the_address() {
    let attempted = answered(Answer::Close).await;
    assert_eq!(attempted.result, DeliveryResult::Retry { after: None });
    assert!(attempted.error.is_some());
    let garbage = answered(Answer::Raw("what?\r\n\r\n".into())).await;
    assert_eq!(garbage.status, None);

    // A port that was free just now.
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let target = Target {
        name: "desk".into(),
        kind: TargetKind::Webhook,
        settings: KindSettings::default(),
        url: format!("http://127.0.0.1:{port}/token"),
        secrets: vec![secret()],
        source: String::new(),
        max_payload: 2048,
        holding: crate::domain::holding::Holding::default(),
        reach: AddressPolicy::anywhere(),
    };
    let error = send_to(&target).await.error.unwrap();
    assert!(error.contains("127.0.0.1"), "{error}");
    assert!(!error.contains("token"), "{error}");

    for url in ["token", "file:///etc/passwd", "http://"] {
        let target = Target {
            url: url.into(),
            ..target.clone()
        };
        let attempted = send_to(&target).await;
        assert_eq!(attempted.result, DeliveryResult::Dead);
        assert!(!attempted.error.unwrap().contains("token"));
    }
}

#[tokio::test]
async fn silent_receiver_is_given_up() {
    assert_eq!(TIMEOUT, Duration::from_secs(15));
    let receiver = Receiver::start(vec![Answer::Silence]).await;
    let clock: Arc<dyn Clock> = Arc::new(Fixed::at(at()));
    let deliverer = Deliverer {
        timeout: Duration::from_secs(1),
        ..Deliverer::new("revisor test".into(), clock).unwrap()
    };
    deliverer.clients.lock().unwrap().clear();
    let attempt = deliverer
        .deliver(&receiver.target("desk"), outgoing(b"{}"))
        .await;
    assert_eq!(attempt.result, DeliveryResult::Retry { after: None });
    assert_eq!(attempt.error.unwrap(), "no response within 1 s");
}

/// Several slow steps must not outlast the lease of a delivery, or it would be sent twice at the same time.
#[tokio::test]
async fn all_steps_of_an_attempt_have_one_deadline() {
    let session = "{\"accessJwt\":\"A\",\"refreshJwt\":\"R\",\"did\":\"did:plc:abc\"}";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        session.len()
    );
    let login = Answer::Raw(head + session);
    let receiver = Receiver::start(vec![login, Answer::Silence]).await;
    let deliverer = Deliverer {
        longest: Duration::from_secs(2),
        ..Deliverer::new("revisor test".into(), Arc::new(Fixed::at(at()))).unwrap()
    };
    let server = receiver.target("x").url.replace("/T0/token", "");
    let text = format!(
        "[[target]]\nname = \"sky\"\nkind = \"bluesky\"\nserver = \"{server}\"\nuser = \"desk.example\"\npassword = \"p\""
    );
    let flags = Flags::default();
    let read = from_text(
        &text,
        None,
        flags,
        &Environment::default(),
        Secrets::Required,
    );
    let target = crate::notify::targets(&read.unwrap().config)
        .unwrap()
        .remove(0);
    let event = crate::notify::test_event(EventKind::EntryRevised, at());
    let body = serde_json::to_vec(&event).unwrap();
    let attempt = deliverer.deliver(&target, outgoing(&body)).await;
    assert_eq!(attempt.result, DeliveryResult::Retry { after: None });
    assert_eq!(attempt.error.unwrap(), "not sent within 2 s");
    // The login, then a post or its picture.
    assert_eq!(receiver.got().len(), 2);
}

#[tokio::test]
async fn a_target_reaches_what_its_configuration_names_and_no_metadata() {
    let receiver = Receiver::start(vec![Answer::status("200 OK"), Answer::status("200 OK")]).await;
    let network = |text: &str| text.parse::<ipnet::IpNet>().unwrap();
    let own = AddressPolicy::public_and([network("127.0.0.0/8"), network("fc00::/7")]);
    let desk = Target {
        reach: own.clone(),
        ..receiver.target("desk")
    };
    assert_eq!(send_to(&desk).await.result, DeliveryResult::Delivered);
    let narrow = Target {
        reach: AddressPolicy::public_and([]),
        ..desk.clone()
    };
    // Also by host name, and with an idle connection to reuse.
    let named = Target {
        url: narrow.url.replace("127.0.0.1", "localhost"),
        ..narrow.clone()
    };
    for target in [narrow, named] {
        let refused = send_to(&target).await;
        assert_eq!(refused.result, DeliveryResult::Retry { after: None });
        let error = refused.error.unwrap();
        assert!(error.contains("not public"), "{error}");
        assert!(error.contains("`allow_private` of the target"), "{error}");
    }
    for host in [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
    ] {
        let target = Target {
            url: format!("http://{host}/latest/meta-data"),
            ..desk.clone()
        };
        let error = send_to(&target).await.error.unwrap();
        assert!(error.contains("not public"), "{host}: {error}");
    }
    assert_eq!(receiver.got().len(), 1);
}
