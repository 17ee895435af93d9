//! Bodies that are too large, broken or slow.

use super::*;
use crate::fetch::{Lane, Room, Want};

#[tokio::test]
async fn a_packed_body_that_is_the_last_one_is_not_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer
        .write_all(&b"the same words again ".repeat(20))
        .unwrap();
    let packed = packer.finish().unwrap();
    let server = Server::start(move |head| match head.contains("/plain") {
        true => answer("200 OK", "", b"plain"),
        false => answer("200 OK", "Content-Encoding: gzip\r\n", &packed),
    });
    let first = body(get(feed(server.url("/"))).await);
    assert!(!first.body.is_empty());
    let mut known = first.validators.clone();
    let again = body(get(FetchRequest::feed(server.url("/"), known.clone())).await);
    assert_eq!((again.body.len(), &again.validators), (0, &known));
    known.packed_sha256 = Some(Box::new([1; 32]));
    let other = body(get(FetchRequest::feed(server.url("/"), known.clone())).await);
    assert_eq!(
        (&other.body, &other.validators),
        (&first.body, &first.validators)
    );
    known.packed_sha256 = None;
    let plain = body(get(FetchRequest::feed(server.url("/plain"), known)).await);
    assert_eq!(
        (plain.body.as_slice(), plain.validators.packed_sha256),
        (&b"plain"[..], None)
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

/// 64 KiB of zeros, stored uncompressed in gzip, would not be a bomb. This deflate stream is: a literal zero, then
/// matches of length 258 at distance 1.
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
    // The checksum is wrong, but the limit is reached before it is checked.
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

/// The pace of a server; the test itself does not wait.
#[expect(clippy::disallowed_methods, reason = "the slowness is what is tested")]
fn pause(every: Duration) {
    std::thread::sleep(every);
}

/// A server that sends the head of a response, and then a byte or a few every now and then.
fn trickle(every: Duration, bytes: usize) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            read_head(&mut stream);
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
            let mut sent = stream.write_all(head);
            for _ in 0..5000 / bytes {
                pause(every);
                sent = sent.and_then(|()| stream.write_all(&vec![b'x'; bytes]));
            }
        }
    });
    port
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_given_up_and_a_slow_one_is_not() {
    let client = client_of(&ClientConfig {
        idle_timeout: Duration::from_millis(300),
        ..config()
    });
    let port = trickle(Duration::from_millis(10), 1);
    let failed = failure(client.get(&feed(format!("http://127.0.0.1:{port}/"))).await);
    assert_eq!(failed.kind, FailureKind::Slow, "{failed}");
    let said = &failed.message;
    assert!(said.starts_with("the answer comes too slowly: "), "{said}");
    let port = trickle(Duration::from_millis(10), 50);
    let slow = body(client.get(&feed(format!("http://127.0.0.1:{port}/"))).await);
    assert_eq!(slow.body.len(), 5000);
}

async fn step_within(client: &Client, url: String, load: &mut Load) -> Fetched {
    match client.step(&feed(url), None, load).await {
        Step::Answered(fetched) => fetched,
        Step::Redirected(_) => panic!("a redirect"),
    }
}

#[tokio::test]
async fn a_body_has_room_for_what_it_unpacks_to_and_waits_for_it_beyond_its_time() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![b'x'; 400_000]).unwrap();
    let packed = packer.finish().unwrap();
    let server = Server::start(move |_| answer("200 OK", "Content-Encoding: gzip\r\n", &packed));
    let client = client_of(&ClientConfig {
        timeout: Duration::from_millis(500),
        ..config()
    });
    let url = || server.url("/");
    let want = |lane, bytes| Want {
        lane,
        bytes,
        huge: false,
    };
    let room = Room::new(1 << 20);
    let mut load = room.take(want(Lane::Page(1), 10)).await;
    let answer = body(step_within(&client, url(), &mut load).await);
    let length = answer.body.len() as u64;
    assert_eq!((load.bytes(), room.used()), (length, length));
    load.settle(10);
    // Other documents use up all the room for longer than the request may take.
    let full = [
        room.take(want(Lane::Page(2), 700_000)).await,
        room.take(want(Lane::Page(2), 700_000)).await,
    ];
    assert!(full[1].is_over());
    let waiting = tokio::spawn({
        let (client, url) = (client.clone(), url());
        async move { step_within(&client, url, &mut load).await }
    });
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(!waiting.is_finished());
    drop(full);
    let answer = body(waiting.await.unwrap());
    assert_eq!(answer.body.len() as u64, length);
}
