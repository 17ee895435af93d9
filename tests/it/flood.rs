//! More clients of the web pages than can be served.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use crate::support::{Home, PATIENCE, Page, Server, eventually, rss, skip};

/// The most concurrent clients from one address.
const OF_ONE: usize = 16;

/// The most concurrent clients.
const AT_ONCE: usize = 64;

/// An address of this machine that is not loopback: to the daemon, it is another machine. Nothing is sent.
fn own_address() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?;
    (!address.ip().is_loopback()).then_some(address)
}

/// The head of a response.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.to_lowercase()
}

#[test]
fn who_comes_in_crowds_is_told_to_come_later_and_polls_go_on() {
    let Some(mut address) = own_address() else {
        return skip("this machine has no address but loopback");
    };
    let publisher = Server::start();
    let text = "The council met on Monday about the harbour wall.";
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", "https://e.example/1", "The harbour", text)])),
    );
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[web]\nlisten = \"0.0.0.0:0\"\nallow_remote = true\npublic = true\n\
         base_url = \"http://{}/\"\n[[feed]]\nname = \"courier\"\nurl = \"{}\"\nevery = \"1s\"\n",
        address.ip(),
        publisher.url("/feed.xml"),
    ));
    let _daemon = home.daemon();
    let log = home.path().join("daemon.log");
    eventually(PATIENCE, "the pages are served", || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let port = said
            .lines()
            .find_map(|line| line.split_once("listen=0.0.0.0:"))
            .and_then(|(_, port)| port.trim().parse().ok());
        address.set_port(port.unwrap_or_default());
        port.is_some()
    });
    assert!(get(address, "/").starts_with("http/1.1 200 "));

    // They connect and send nothing, which each of them may do for some seconds.
    let silent: Vec<_> = (0..OF_ONE)
        .map(|_| TcpStream::connect(address).expect("it listens"))
        .collect();
    let polls = publisher.log().len();
    eventually(PATIENCE, "further ones are turned away", || {
        let head = get(address, "/");
        head.starts_with("http/1.1 429 ") && head.contains("retry-after: ")
    });
    let here = SocketAddr::from(([127, 0, 0, 1], address.port()));
    let health = get(here, "/healthz");
    assert!(health.starts_with("http/1.1 200 "), "{health}");
    // A proxy on this machine represents many clients: a silent one has to make room for one with a request.
    let crowd: Vec<_> = (0..2 * AT_ONCE)
        .map(|_| TcpStream::connect(here).expect("it listens"))
        .collect();
    let page = get(here, "/");
    assert!(page.starts_with("http/1.1 200 "), "{page}");
    drop(crowd);
    eventually(PATIENCE, "the feed is polled meanwhile", || {
        get(address, "/");
        publisher.log().len() >= polls + 2
    });
    drop(silent);
    eventually(PATIENCE, "and then there is room again", || {
        get(address, "/").starts_with("http/1.1 200 ")
    });
}
