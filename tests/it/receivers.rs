//! The receivers of `kits/hostile`, all at the same time: slow, dead, gone, rate-limiting and redirecting ones
//! next to one that works.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::corpora::kit;
use crate::support::{END, Home, PATIENCE, Page, Server, eventually, rss, skip};

const CASES: [&str; 9] = [
    "W01", "W02", "W03", "W04", "W05", "W06", "W07", "W09", "W12",
];

/// The events for the receivers: three edits, and the removal of one entry.
const EVENTS: usize = 4;

/// The receivers, and a service that no redirect of theirs may reach.
struct Kit {
    child: Child,
    port: u16,
}

impl Kit {
    fn start() -> Option<Self> {
        let script = kit("hostile/hostile_server.py")?;
        if !script.exists() {
            skip("no kits/hostile/hostile_server.py");
            return None;
        }
        // Another process may take a free port before the kit does.
        for _ in 0..10 {
            if let Some(kit) = Self::listen(&script) {
                return Some(kit);
            }
        }
        panic!("the kit does not start");
    }

    fn listen(script: &Path) -> Option<Self> {
        let free = |address: &str| {
            let listener = TcpListener::bind((address, 0)).unwrap();
            listener.local_addr().unwrap().port()
        };
        let (port, canary) = (free("127.0.0.2"), free("127.0.0.1"));
        let child = Command::new("python3")
            .arg(script)
            .args(["--port", &port.to_string()])
            .args(["--canary-port", &canary.to_string()])
            .args(["--seconds", "300"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut kit = Self { child, port };
        let mut line = String::new();
        let output = kit.child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        line.starts_with("hostile ").then_some(kit)
    }

    fn ask(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.2", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    fn secret(&self) -> String {
        self.ask("/_webhooks")["secret"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn sent(&self, case: &str) -> Vec<Sent> {
        let all = self.ask("/_webhooks");
        let all = all["deliveries"].as_array().unwrap();
        all.iter()
            .filter(|sent| sent["case"] == case)
            .map(|sent| Sent {
                at: sent["t"].as_f64().unwrap(),
                id: sent["id"].as_str().unwrap().to_owned(),
                good: sent["sig"] == "ok" && sent["json"] == true,
            })
            .collect()
    }
}

impl Drop for Kit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request as seen by a receiver of the kit.
struct Sent {
    at: f64,
    id: String,
    /// Signed and JSON.
    good: bool,
}

/// The ids in the order of their first appearance.
fn ids(sent: &[Sent]) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for one in sent {
        if !ids.contains(&one.id.as_str()) {
            ids.push(&one.id);
        }
    }
    ids
}

/// The row of `notify list` for a target.
fn row(home: &Home, target: &str) -> Value {
    let rows: Value = serde_json::from_str(&home.ok(&["notify", "list", "--json"])).unwrap();
    let mut rows = rows.as_array().unwrap().iter();
    rows.find(|row| row["name"] == target).unwrap().clone()
}

fn edition(server: &Server, days: u32) {
    let titles = ["harbour", "railway", "library"].map(|what| {
        let title = format!("The {what} of the town is closed for {days} days");
        (what, format!("https://e.example/{what}"), title)
    });
    let items = titles.each_ref().map(|(what, url, title)| {
        (
            *what,
            url.as_str(),
            title.as_str(),
            "Text that stays as it is.",
        )
    });
    server.set("/a.xml", Page::rss(rss(&items)));
}

#[test]
fn every_receiver_of_the_kit_gets_what_it_should_and_no_other_is_delayed() {
    let Some(kit) = Kit::start() else { return };
    let server = Server::start();
    let mut config = format!(
        "[page]\nfetch = \"off\"\n[detect]\nbulk_edit = 1000\n\
         [[feed]]\nurl = \"{}\"\nname = \"courier\"\nevery = \"1h\"\n",
        server.url("/a.xml")
    );
    let (port, secret) = (kit.port, kit.secret());
    for case in CASES {
        let url = format!("http://127.0.0.2:{port}/w/{case}");
        let _ = write!(
            config,
            "[[target]]\nname = \"{case}\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{secret}\"\n"
        );
    }
    let home = Home::new(&config);
    edition(&server, 1);
    home.check();
    let mut daemon = home.daemon();
    // Without the daemon, the command would send the alerts itself.
    eventually(PATIENCE, "the daemon runs", || {
        home.run(&["status"]).stdout.contains("running, pid ")
    });
    edition(&server, 2);
    home.check();
    assert_eq!(home.events().len(), 3);

    // Nobody waits for slow or dead receivers.
    eventually(PATIENCE, "W01 has everything", || {
        kit.sent("W01").len() == EVENTS
    });
    for slow in ["W03", "W04"] {
        eventually(PATIENCE, "it is sent to", || kit.sent(slow).len() == 1);
        let (last, first) = (&kit.sent("W01")[EVENTS - 1], &kit.sent(slow)[0]);
        assert!(
            last.at - first.at < 15.0,
            "{slow} was still being waited for"
        );
    }
    let well = kit.sent("W01");
    let expected = ids(&well);
    assert_eq!(expected.len(), EVENTS, "each of them once");

    // The schedule of W09 would take hours.
    eventually(PATIENCE, "W09 has everything", || {
        home.run(&["notify", "retry", "W09"]);
        daemon.signal("HUP");
        row(&home, "W09")["pending"] == 0
    });
    eventually(PATIENCE, "W06 has everything", || {
        row(&home, "W06")["pending"] == 0
    });
    eventually(PATIENCE, "the patience with W03 and W04 ends", || {
        ["W03", "W04"]
            .iter()
            .all(|slow| !row(&home, slow)["last_attempt"].is_null())
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));

    for case in CASES {
        let sent = kit.sent(case);
        assert!(sent.iter().all(|one| one.good), "{case}: signed JSON");
        let first = &expected[..ids(&sent).len()];
        assert_eq!(ids(&sent), first, "{case}: in order, under the same ids");
    }
    assert_eq!(kit.sent("W01").len(), EVENTS);
    for (case, says) in [
        ("W02", "500"),
        ("W03", "no response within"),
        ("W04", "no response within"),
        ("W07", "redirects are not followed"),
        ("W12", "400"),
    ] {
        let row = row(&home, case);
        let error = row["last_attempt"]["error"].as_str().unwrap_or_default();
        assert!(error.contains(says), "{row:#}");
        assert_eq!(row["state"], "active", "{row:#}");
        assert_eq!(row["pending"], EVENTS, "all is kept: {row:#}");
        assert_eq!(row["dead"], 0, "{row:#}");
        let sent = kit.sent(case);
        assert_eq!(ids(&sent).len(), 1, "{case}");
        assert!(sent.len() <= 2, "{case}: by the schedule");
        assert!(
            sent.windows(2).all(|two| two[1].at - two[0].at >= 5.0),
            "{case}: by the schedule"
        );
    }
    let gone = row(&home, "W05");
    assert_eq!(gone["state"], "disabled", "{gone:#}");
    assert!(gone["reason"].as_str().unwrap().contains("410"), "{gone:#}");
    assert_eq!(kit.sent("W05").len(), 1);
    let limiting = kit.sent("W06");
    assert_eq!(limiting.len(), EVENTS + 2);
    assert!(limiting[..3].iter().all(|one| one.id == limiting[0].id));
    for two in limiting[..3].windows(2) {
        assert!(two[1].at - two[0].at >= 5.0, "Retry-After is kept to");
    }
    let failing = kit.sent("W09");
    assert_eq!(failing.len(), EVENTS + 5);
    assert!(failing[..6].iter().all(|one| one.id == failing[0].id));
    let status = home.run(&["status"]).stdout;
    assert!(
        status
            .lines()
            .any(|line| line.contains("W12") && line.contains("400")),
        "{status}"
    );
    assert_eq!(kit.ask("/_canary"), serde_json::json!([]));
}
