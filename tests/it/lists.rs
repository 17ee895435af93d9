//! Importing and exporting feed lists, and pausing feeds, with the real binary.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, PATIENCE, Page, Server, eventually, rss};

const OPML: &str = "<opml version=\"1.0\"><body>\n<outline text=\"City & Land\">\n\
<outline type=\"rss\" text=\"Courier\" xmlUrl=\"https://courier.example/rss?a=1&b=2\"/>\n\
<outline type=\"rss\" text=\"Courier\" xmlUrl=\"https://courier.example/sport\"/>\n</outline>\n\
<outline type=\"rss\" text=\"Again\" xmlUrl=\"https://courier.example/sport\"/>\n\
<outline type=\"rss\" text=\"There\" xmlUrl=\"https://old.example/rss\"/>\n\
<outline type=\"rss\" text=\"Bad\" xmlUrl=\"ftp://bad.example/\"/>\n";

const CONFIG: &str =
    "# mine\n[[feed]]\nurl = \"https://old.example/rss\"\nname = \"old\" # kept\nevery = \"5m\"\n";

fn urls(home: &Home) -> Vec<(String, String, Value)> {
    let feeds: Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).unwrap();
    let text = |feed: &Value, key: &str| feed[key].as_str().unwrap().to_owned();
    feeds
        .as_array()
        .unwrap()
        .iter()
        .map(|feed| (text(feed, "url"), text(feed, "name"), feed["tags"].clone()))
        .collect()
}

#[test]
fn a_list_is_imported_once_and_told_line_by_line() {
    let home = Home::new(CONFIG);
    let file = home.path().join("list.opml");
    std::fs::write(&file, OPML).unwrap();
    let file = file.to_str().unwrap();
    let config = std::fs::read_to_string(home.config_path()).unwrap();
    let dry = home.run(&["import", file, "--dry-run"]);
    assert_eq!(dry.code, Some(3), "{dry:?}");
    assert!(dry.stderr.contains("2 feeds to add"), "{dry:?}");
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), config);

    let ran = home.run(&["import", file, "--json", "--tag", "new"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let told: Vec<(u64, &str)> = report["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (3, "added"),
            (4, "added"),
            (6, "repeated"),
            (7, "present"),
            (8, "failed")
        ]
    );
    assert_eq!(report["lines"][3]["name"], "old");
    let text = std::fs::read_to_string(home.config_path()).unwrap();
    assert!(text.starts_with(&config), "{text}");
    let feeds = urls(&home);
    assert_eq!(feeds[1].0, "https://courier.example/rss?a=1&b=2");
    assert_eq!(
        (feeds[1].1.as_str(), feeds[2].1.as_str()),
        ("courier", "courier-2")
    );
    assert_eq!(feeds[1].2, serde_json::json!(["City & Land", "new"]));

    let again = home.run(&["import", file]);
    assert!(
        again.stdout.contains("line 3  present   courier"),
        "{again:?}"
    );
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), text);
}

#[test]
fn what_is_exported_is_imported_to_the_same() {
    let home = Home::new(CONFIG);
    let file = home.path().join("list.opml");
    std::fs::write(&file, OPML).unwrap();
    home.run(&["import", file.to_str().unwrap()]);
    let out = home.path().join("out.opml");
    std::fs::write(&out, home.ok(&["export", "opml"])).unwrap();
    let other = Home::new("");
    other.ok(&["import", out.to_str().unwrap()]);
    assert_eq!(urls(&other), urls(&home));
    let third = Home::new(&home.ok(&["export", "toml"]));
    assert_eq!(urls(&third), urls(&home));
    assert!(home.ok(&["export", "toml"]).contains("every = \"5m\""));
}

#[test]
fn lines_come_from_standard_input_and_commands_are_not_run() {
    let home = Home::new("");
    let mut child = home
        .command(&["import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let list =
        "# mine\nhttps://a.example/rss \"desk work\" \"~The \u{1b}[31mA\"\nexec:touch /tmp/x\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(list.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stdout}");
    assert!(stdout.contains("line 3  failed"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
    assert_eq!(urls(&home)[0].2, serde_json::json!(["desk work"]));
    for wrong in ["https://a.example/list.opml", "/nowhere/at/all"] {
        assert_eq!(home.run(&["import", wrong]).code, Some(2), "{wrong}");
    }
}

#[test]
fn an_export_with_secrets_says_so_and_how_they_are_kept_out() {
    let config = "[[feed]]\nname = \"paid\"\nurl = \"https://paid.example/rss\"\nuser = \"me\"\npassword = \"s3cret\"\n\
                  headers = [{ name = \"X-Key\", value = \"k3y\" }]\n\
                  [[feed]]\nname = \"free\"\nurl = \"https://free.example/rss\"\n";
    let home = Home::new(config);
    let ran = home.run(&["export", "toml"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("s3cret"), "{ran:?}");
    let told = |words: &str| {
        ran.stderr
            .lines()
            .filter(|line| line.contains(words))
            .count()
    };
    assert_eq!(
        told("paid: the output contains its `password`; use `password_file`"),
        1,
        "{ran:?}"
    );
    assert_eq!(
        told("paid: the output contains the value of its header X-Key"),
        1,
        "{ran:?}"
    );
    assert_eq!(told("free"), 0, "{ran:?}");
    assert!(
        !ran.stderr.contains("s3cret") && !ran.stderr.contains("k3y"),
        "{ran:?}"
    );
}

#[test]
fn the_usual_interval_of_a_feed_is_told_also_while_it_fails() {
    let publisher = Server::start();
    publisher.set("/feed.xml", Page::status(503).header("retry-after", "7200"));
    let url = publisher.url("/feed.xml");
    let home = Home::new(&format!(
        "[[feed]]\nname = \"f\"\nurl = \"{url}\"\nevery = \"15m\"\n"
    ));
    home.check();
    let feeds: Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).unwrap();
    assert_eq!(feeds[0]["interval"], 900, "{feeds}");
    assert_eq!(feeds[0]["interval_why"], "every 15m");
    assert_ne!(feeds[0]["next_why"], "every 15m");
    let text = home.ok(&["feeds"]);
    assert!(text.contains("usually every 15m"), "{text}");
}

fn one_feed(publisher: &Server) -> Home {
    let text = "The council had put off repairs of the piers in March.";
    let items = [("1", "https://e.example/1", "Bridge closed", text)];
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    Home::new(&format!(
        "[page]\nfetch = \"off\"\n\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\nevery = \"1h\"\n",
        publisher.url("/feed.xml")
    ))
}

fn state(home: &Home) -> Value {
    let feeds: Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).unwrap();
    feeds[0]["state"].clone()
}

#[test]
fn a_paused_feed_is_not_asked_for_until_it_is_resumed() {
    let publisher = Server::start();
    let home = one_feed(&publisher);
    // Before anything is stored.
    home.ok(&["pause", "courier"]);
    assert_eq!(state(&home), "paused");
    home.ok(&["check"]);
    assert_eq!(publisher.hits("/feed.xml"), 0);
    let unknown = home.run(&["resume", "courier", "nobody"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_eq!(state(&home), "paused");
    home.ok(&["resume", "courier"]);
    home.ok(&["check"]);
    assert_eq!(publisher.hits("/feed.xml"), 1);
    assert_eq!(state(&home), "ok");
}

#[test]
fn a_running_daemon_obeys_pause_and_resume() {
    let publisher = Server::start();
    let home = one_feed(&publisher);
    let _daemon = home.daemon();
    eventually(PATIENCE, "the first look", || {
        // The database may be incomplete at this point.
        let listed = home.run(&["feeds", "--json"]).stdout;
        serde_json::from_str(&listed).is_ok_and(|feeds: Value| feeds[0]["state"] == "ok")
    });
    home.ok(&["pause", "courier"]);
    assert_eq!(state(&home), "paused");
    assert!(home.run(&["status"]).stdout.contains("1 paused"));
    let before = publisher.hits("/feed.xml");
    home.ok(&["resume", "courier"]);
    eventually(PATIENCE, "the look after the pause", || {
        publisher.hits("/feed.xml") > before
    });
}
