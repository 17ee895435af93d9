//! Names that no server resolves, a network that is down, and too few descriptors.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::database::shim;
use crate::support::{Daemon, END, Home, PATIENCE, Page, SECRET, Server, eventually, rss};
use crate::watched::ask;

fn port(server: &Server) -> String {
    let url = server.url("");
    url.rsplit(':').next().unwrap().to_owned()
}

const SILENT: usize = 60;
const HEALTHY: usize = 20;

#[test]
fn silent_names_delay_no_other_feed_nor_health_nor_the_stop() {
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let home = Home::new("");
    let socket = home.path().join("web.sock");
    let port = port(&server);
    let mut config = format!(
        "[page]\nfetch = \"off\"\n[web]\nlisten = \"unix:{}\"\n",
        socket.display()
    );
    for number in 0..SILENT {
        let _ = writeln!(
            config,
            "[[feed]]\nurl = \"http://silent{number}.example/f.xml\""
        );
    }
    for number in 0..HEALTHY {
        let path = format!("/{number}.xml");
        server.set(
            &path,
            Page::rss(rss(&[("1", "https://e.example/1", "A headline", "Text.")])),
        );
        let _ = writeln!(
            config,
            "[[feed]]\nurl = \"http://here{number}.example:{port}{path}\""
        );
    }
    home.configure(&config);
    let mut daemon = home.daemon_with(&[
        ("LD_PRELOAD", &shim.display().to_string()),
        ("FAULT_NAMES", "1"),
    ]);
    eventually(PATIENCE / 2, "every healthy feed is read", || {
        (0..HEALTHY).all(|number| server.hits(&format!("/{number}.xml")) > 0)
    });
    let ready = ask(&socket, "/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.0 200 "), "{ready}");
    eventually(PATIENCE, "the silent ones are told", || {
        home.ok(&["feeds", "--json"])
            .contains("no name server responded within 20 s")
    });
    // Most of the lookups are still running.
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}

#[test]
fn an_outage_of_our_own_is_one_message_and_delays_no_feed_afterwards() {
    const FEEDS: usize = 8;
    let Some(shim) = shim() else { return };
    let (server, receiver) = (Server::start(), Server::start());
    let home = Home::new("");
    let port = port(&server);
    let mut config = format!(
        "[page]\nfetch = \"off\"\n[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\n\
         secret = \"{SECRET}\"\nevents = [\"*\"]\n",
        receiver.url("/hook")
    );
    for number in 0..FEEDS {
        let path = format!("/{number}.xml");
        let items = [("1", "https://e.example/1", "A headline", "Text.")];
        server.set(&path, Page::rss(rss(&items)));
        let _ = writeln!(
            config,
            "[[feed]]\nurl = \"http://here{number}.example:{port}{path}\"\nevery = \"12s\""
        );
    }
    home.configure(&config);
    let down = home.path().join("down");
    let mut daemon = home.daemon_with(&[
        ("LD_PRELOAD", &shim.display().to_string()),
        ("FAULT_NAMES", "1"),
        ("FAULT_DOWN", &down.display().to_string()),
        ("FAULT_PORT", &port),
    ]);
    let hits = || -> Vec<usize> {
        (0..FEEDS)
            .map(|number| server.hits(&format!("/{number}.xml")))
            .collect()
    };
    eventually(PATIENCE, "every feed is read", || {
        hits().iter().all(|hits| *hits > 0)
    });
    std::fs::write(&down, "").unwrap();
    let told = || -> Vec<String> {
        let hooks = receiver.hooks();
        let kinds = hooks.iter().map(|hook| {
            let body: serde_json::Value = serde_json::from_slice(&hook.body).unwrap();
            body["type"].as_str().unwrap().to_owned()
        });
        kinds.collect()
    };
    eventually(PATIENCE * 2, "it is told once", || {
        told() == ["service.offline"]
    });
    assert!(
        home.ok(&["status"])
            .contains("no site has been reachable since")
    );
    let before = hits();
    std::fs::remove_file(&down).unwrap();
    eventually(PATIENCE, "that it is over as well", || {
        told() == ["service.offline", "service.online"]
    });
    eventually(PATIENCE, "every feed is read again", || {
        hits().iter().zip(&before).all(|(now, before)| now > before)
    });
    assert_eq!(told(), ["service.offline", "service.online"]);
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    let feeds: serde_json::Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).unwrap();
    for feed in feeds.as_array().unwrap() {
        assert_eq!(feed["failures"], 0, "{feed:#}");
    }
}

/// The service with a limit of open files: soft, or both.
fn limited(home: &Home, limit: &str, shim: &Path, log: &Path) -> Daemon {
    let script = format!("{limit} && exec \"$0\" run");
    let child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_revisor")])
        .env_clear()
        .env("HOME", home.path())
        .env("REVISOR_CONFIG", home.config_path())
        .env("REVISOR_DB", home.db_path())
        .env("LD_PRELOAD", shim)
        .env("FAULT_NAMES", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log).unwrap())
        .spawn()
        .unwrap();
    Daemon { child }
}

#[test]
fn too_few_descriptors_are_raised_where_they_can_be_and_are_never_a_fault_of_a_feed() {
    const FEEDS: usize = 150;
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let port = port(&server);
    let home = Home::new("");
    let mut config = "[page]\nfetch = \"off\"\n".to_owned();
    for number in 0..FEEDS {
        let path = format!("/{number}.xml");
        let items = [("1", "https://e.example/1", "A headline", "Text.")];
        server.set(&path, Page::rss(rss(&items)));
        let _ = writeln!(
            config,
            "[[feed]]\nurl = \"http://here{number}.example:{port}{path}\"\nevery = \"1h\""
        );
    }
    home.configure(&config);
    let log = home.path().join("limited.log");
    let mut daemon = limited(&home, "ulimit -S -n 64", shim, &log);
    let limits = format!("/proc/{}/limits", daemon.child.id());
    eventually(PATIENCE, "the soft limit is raised", || {
        let limits = std::fs::read_to_string(&limits).unwrap_or_default();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max open files"));
        let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
        soft.is_some_and(|soft| soft > 64)
    });
    eventually(PATIENCE, "the daemon runs", || {
        home.run(&["status"]).stdout.contains("running, pid ")
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));

    std::fs::remove_file(home.db_path()).unwrap();
    let mut daemon = limited(&home, "ulimit -n 64", shim, &log);
    eventually(PATIENCE, "every feed is read", || {
        let feeds = home.run(&["feeds", "--json"]).stdout;
        let feeds: serde_json::Value = serde_json::from_str(&feeds).unwrap_or_default();
        let read = |feed: &serde_json::Value| {
            assert_eq!(feed["error"], serde_json::Value::Null, "{feed:#}");
            feed["last_ok"].is_string()
        };
        feeds
            .as_array()
            .is_some_and(|feeds| feeds.iter().filter(|feed| read(feed)).count() == FEEDS)
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(log.matches("no file descriptor left").count(), 1, "{log}");
}
