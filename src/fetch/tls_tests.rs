//! TLS against a server on loopback with certificates of our own: which are accepted, and how the others are
//! reported.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use super::client::Client;
use super::resolver::Lookup;
use super::settings::ClientConfig;
use super::{AddressPolicy, FailureKind, FetchRequest, Fetched};
use crate::domain::outcome::Validators;
use crate::time::{Fixed, Timestamp};

/// A certificate authority of our own, and the file that a configuration names for it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "An authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate of a server, valid except for what `change` breaks.
    fn issue(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> ServerConfig {
        let (mut params, key) = leaf(name);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        server_config(certificate.der().clone(), &key)
    }
}

fn leaf(name: &str) -> (CertificateParams, KeyPair) {
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params, KeyPair::generate().unwrap())
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// Passes each connection to `serve`, one at a time, and counts them.
fn listen(mut serve: impl FnMut(TcpStream) + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::SeqCst);
            serve(stream);
        }
    });
    (port, count)
}

/// Speaks HTTP/1.1 over TLS, with one response per connection.
fn https(config: ServerConfig) -> (u16, Arc<AtomicUsize>) {
    https_noting(config, |_| ())
}

/// Like [`https`]; `note` gets the kind of each handshake.
fn https_noting(
    config: ServerConfig,
    note: impl Fn(HandshakeKind) + Send + 'static,
) -> (u16, Arc<AtomicUsize>) {
    let config = Arc::new(config);
    listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let mut head = Vec::new();
        let mut bytes = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut bytes) {
            head.extend_from_slice(&bytes[..read]);
            if head.ends_with(b"\r\n\r\n") {
                note(stream.conn.handshake_kind().unwrap());
                let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
                let _ = stream.write_all(answer).and_then(|()| stream.flush());
                break;
            }
        }
    })
}

fn client(ca_file: Option<PathBuf>) -> Client {
    let config = ClientConfig {
        policy: AddressPolicy::public_and(["127.0.0.1/32".parse().unwrap()]),
        timeout: Duration::from_secs(20),
        ca_file,
        ..ClientConfig::default()
    };
    let hosts = HashMap::from([("a.test", Ipv4Addr::LOCALHOST)]);
    let lookup: Arc<Lookup> = Arc::new(move |host| {
        let found = hosts.get(host.as_str()).copied().map(IpAddr::from);
        Box::pin(async move { Ok(found.into_iter().collect()) })
    });
    let clock = Arc::new(Fixed::at(Timestamp::from_unix(1_795_428_000)));
    Client::with_lookup(&config, clock, lookup).unwrap()
}

async fn get(client: &Client, port: u16) -> Result<Vec<u8>, (FailureKind, String)> {
    let url = format!("https://a.test:{port}/");
    match client
        .get(&FetchRequest::feed(url, Validators::default()))
        .await
    {
        Fetched::Body(answer) => Ok(answer.body),
        Fetched::Failed(failure) => Err((failure.kind, failure.message)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_connection_goes_on_with_the_session_of_the_last_one() {
    let authority = Authority::new();
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&kinds);
    let config = authority.issue("a.test", |_| ());
    let (port, connections) = https_noting(config, move |kind| noted.lock().unwrap().push(kind));
    let client = client(Some(authority.file()));
    for _ in 0..3 {
        assert_eq!(get(&client, port).await.as_deref(), Ok(&b"ok"[..]));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
    let (full, resumed) = (HandshakeKind::Full, HandshakeKind::Resumed);
    assert_eq!(*kinds.lock().unwrap(), [full, resumed, resumed]);
}

#[tokio::test]
async fn an_authority_of_one_s_own_is_believed_when_it_is_named_and_nothing_else_is() {
    let authority = Authority::new();
    let (good, _) = https(authority.issue("a.test", |_| ()));
    let named = client(Some(authority.file()));
    assert_eq!(get(&named, good).await.as_deref(), Ok(&b"ok"[..]));

    let (expired, _) = https(authority.issue("a.test", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }));
    let (early, _) = https(authority.issue("a.test", |params| {
        params.not_before = date_time_ymd(2190, 1, 1);
        params.not_after = date_time_ymd(2191, 1, 1);
    }));
    let (other, _) = https(authority.issue("b.test", |_| ()));
    let (params, key) = leaf("a.test");
    let own = params.self_signed(&key).unwrap();
    let (self_signed, _) = https(server_config(own.der().clone(), &key));
    for (port, expected) in [
        (expired, "the TLS certificate of a.test has expired"),
        (early, "the TLS certificate of a.test is not valid yet"),
        (
            other,
            "the TLS certificate of a.test is for another host: b.test",
        ),
        (
            self_signed,
            "the TLS certificate of a.test comes from an unknown issuer",
        ),
    ] {
        let (kind, message) = get(&named, port).await.unwrap_err();
        assert_eq!(kind, FailureKind::Tls, "{message}");
        assert!(message.starts_with(expected), "{message}");
    }
    let (kind, message) = get(&client(None), good).await.unwrap_err();
    assert_eq!(kind, FailureKind::Tls);
    assert!(message.contains("unknown issuer"), "{message}");
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_by_what_it_does() {
    let answering = |bytes: &'static [u8]| {
        let (port, _) = listen(move |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
        });
        port
    };
    for (port, expected) in [
        (
            answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "a.test does not speak TLS at this port",
        ),
        // A fatal `protocol_version` alert, as servers send it that support only old versions.
        (
            answering(&[21, 3, 1, 0, 2, 2, 70]),
            "a.test offers no TLS version or cipher in use today",
        ),
        (
            answering(&[21, 3, 1, 0, 2, 2, 40]),
            "a.test offers no TLS version or cipher in use today",
        ),
        (
            answering(b""),
            "a.test closed the connection instead of speaking TLS",
        ),
    ] {
        let (kind, message) = get(&client(None), port).await.unwrap_err();
        assert_eq!(kind, FailureKind::Tls, "{message}");
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_file_without_certificates_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.pem");
    let made = |path: &PathBuf| {
        let config = ClientConfig {
            ca_file: Some(path.clone()),
            ..ClientConfig::default()
        };
        let clock = Arc::new(Fixed::at(Timestamp::from_unix(0)));
        Client::new(&config, clock)
            .err()
            .map(|error| error.to_string())
    };
    let missing = made(&path).unwrap();
    assert!(missing.contains("none.pem: No such file"), "{missing}");
    std::fs::write(&path, "no certificate").unwrap();
    let empty = made(&path).unwrap();
    assert!(empty.contains("none.pem: it has no certificate"), "{empty}");
}

/// The streams on which a connection of HTTP/2 made requests.
type Streams = Arc<Mutex<Vec<u32>>>;

/// The minimum of HTTP/2 that can serve GET: every header block gets `200` and two bytes.
fn serve_http2(stream: &mut (impl Read + Write), streams: &Streams) -> std::io::Result<()> {
    const SETTINGS: u8 = 4;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface)?;
    let frame = |kind: u8, flags: u8, id: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&id.to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    };
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    stream.flush()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload)?;
        let id = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        match (head[3], head[4]) {
            (SETTINGS, 0) => stream.write_all(&frame(SETTINGS, 1, 0, &[]))?,
            (1, _) => {
                streams.lock().unwrap().push(id);
                // `:status: 200` from the static table with the end of the headers, then the body with the end of the
                // stream.
                stream.write_all(&frame(1, 4, id, &[0x88]))?;
                stream.write_all(&frame(0, 1, id, b"h2"))?;
            }
            _ => {}
        }
        stream.flush()?;
    }
}

#[tokio::test]
async fn pages_of_a_host_come_over_one_connection_of_http_2() {
    let authority = Authority::new();
    let mut config = authority.issue("a.test", |_| ());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let streams = Streams::default();
    let seen = Arc::clone(&streams);
    let (port, connections) = listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        // Returns when the client closes the connection.
        let _ = serve_http2(&mut stream, &seen);
    });
    let client = client(Some(authority.file()));
    for _ in 0..3 {
        assert_eq!(get(&client, port).await.as_deref(), Ok(&b"h2"[..]));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert_eq!(*streams.lock().unwrap(), [1, 3, 5]);
}
