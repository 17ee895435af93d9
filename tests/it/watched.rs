//! The daemon's endpoint: its health and its metrics.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Daemon, END, Home, PATIENCE, Page, SECRET, Server, eventually, rss};

/// Sends a request to the socket; `None` if nobody listens.
pub(crate) fn ask(socket: &Path, path: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Whether the metrics have all of these lines.
fn counts(socket: &Path, lines: &[&str]) -> bool {
    let text = ask(socket, "/metrics").unwrap_or_default();
    lines
        .iter()
        .all(|line| text.lines().any(|found| found == *line))
}

#[test]
fn those_who_watch_the_daemon_see_what_it_does() {
    let server = Server::start();
    let feed = |title| {
        Page::rss(rss(&[(
            "1",
            "https://e.example/1",
            title,
            "Text that stays as it is.",
        )]))
    };
    server.set("/a.xml", feed("The first headline of all"));
    server.answer_hooks_with(&[503]);
    let home = Home::new("");
    let socket = home.path().join("web.sock");
    let config = |listen: &str| {
        format!(
            "[page]\nfetch = \"off\"\n[web]\nlisten = \"{listen}\"\n\
             [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
             [[feed]]\nurl = \"{}\"\nname = \"courier\"\nevery = \"1s\"\n[[feed]]\nurl = \"{}\"\nname = \"lost\"\nevery = \"1h\"\n",
            server.url("/hook"),
            server.url("/a.xml"),
            server.url("/missing.xml"),
        )
    };
    home.configure(&config(&format!("unix:{}", socket.display())));
    let mut daemon = home.daemon();
    eventually(PATIENCE, "it is ready", || {
        ask(&socket, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.0 200 "))
    });
    assert!(ask(&socket, "/healthz").unwrap().ends_with("ok\n"));
    eventually(PATIENCE, "both feeds are asked", || {
        counts(
            &socket,
            &[
                "revisor_feeds{state=\"ok\"} 1",
                "revisor_feeds{state=\"failing\"} 1",
            ],
        )
    });
    server.set("/a.xml", feed("The second headline of all"));
    eventually(PATIENCE, "change and delivery are counted", || {
        counts(
            &socket,
            &[
                "revisor_changes_total 1",
                "revisor_delivery_attempts_total{result=\"failed\",target=\"desk\"} 1",
                "revisor_deliveries_pending{target=\"desk\"} 1",
                "revisor_fetches_total{kind=\"feed\",outcome=\"status\"} 1",
                "revisor_checks_total{kind=\"feed\",result=\"failed\"} 1",
                "revisor_writer_last_commit_stored 1",
                "revisor_database_readable 1",
                "revisor_feeds_late 0",
            ],
        )
    });
    let metrics = ask(&socket, "/metrics").unwrap();
    assert!(
        !metrics.contains(SECRET) && !metrics.contains(&server.url("/hook")),
        "{metrics}"
    );

    // A broken configuration is reported, and an endpoint that was removed from the configuration is closed.
    std::fs::write(home.config_path(), "[web]\nlisten = \"0.0.0.0:9464\"\n").unwrap();
    daemon.signal("HUP");
    eventually(PATIENCE, "the reload is refused", || {
        counts(&socket, &["revisor_config_last_reload_successful 0"])
    });
    home.configure(&config(""));
    daemon.signal("HUP");
    eventually(PATIENCE, "the endpoint is closed", || !socket.exists());
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}

/// Accepts connections, and never responds.
fn silence() -> (
    std::net::SocketAddr,
    tokio::runtime::Runtime,
    tokio::net::TcpListener,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let inside = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("0.0.0.0:0".parse().unwrap()).unwrap();
    // They wait in the system without being accepted.
    let listener = socket.listen(4096).unwrap();
    let address = listener.local_addr().unwrap();
    drop(inside);
    (address, runtime, listener)
}

#[test]
fn a_thousand_requests_under_way_hold_up_no_stop() {
    let (address, _runtime, _listener) = silence();
    let mut config = "concurrency = 1000\nper_host = 64\ntimeout = \"5m\"\n".to_owned();
    for feed in 0..1000 {
        let (host, port) = (1 + feed % 100, address.port());
        let _ = write!(
            config,
            "[[feed]]\nurl = \"http://127.0.0.{host}:{port}/{feed}\"\nname = \"f{feed}\"\n"
        );
    }
    let home = Home::new(&config);
    let socket = home.path().join("web.sock");
    // Each request has a descriptor.
    let mut command = Command::new("sh");
    let child = command
        .args([
            "-c",
            "ulimit -n 4096; exec \"$0\" run",
            env!("CARGO_BIN_EXE_revisor"),
        ])
        .env_clear()
        .env("HOME", home.path())
        .env("REVISOR_CONFIG", home.config_path())
        .env("REVISOR_DB", home.db_path())
        .env("REVISOR__WEB__LISTEN", format!("unix:{}", socket.display()))
        .stderr(Stdio::null())
        .spawn();
    let mut daemon = Daemon {
        child: child.unwrap(),
    };
    eventually(PATIENCE, "all of them are under way", || {
        counts(&socket, &["revisor_checks_under_way{kind=\"feed\"} 1000"])
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}
