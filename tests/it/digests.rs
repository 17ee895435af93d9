//! Digests, quiet hours and filters of targets, with the real program.

use chrono::{Datelike as _, Timelike as _};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Home, PATIENCE, Page, SECRET, Server, eventually, rss};

const FIRST: &str = "Minister denies the report of talks";
const SECOND: &str = "Minister confirms the report of talks";
const THIRD: &str = "Minister resigns over the report of talks";

/// A publisher with a feed, a receiver with a path for each target, and the program.
struct Bench {
    publisher: Server,
    receiver: Server,
    home: Home,
}

impl Bench {
    /// Targets are given by name, each with its keys.
    fn new(targets: &[(&str, &str)]) -> Self {
        let bench = Self {
            publisher: Server::start(),
            receiver: Server::start(),
            home: Home::new(""),
        };
        bench.configure(targets);
        bench.publish(FIRST);
        bench
    }

    fn configure(&self, targets: &[(&str, &str)]) {
        let targets: String = targets
            .iter()
            .map(|(name, keys)| {
                format!(
                    "[[target]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n{keys}\n",
                    self.receiver.url(&format!("/{name}"))
                )
            })
            .collect();
        // A table may follow, but not the time zone.
        self.home.configure(&format!(
            "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\ntags = [\"politics\"]\n{targets}",
            self.publisher.url("/a.xml")
        ));
    }

    fn publish(&self, title: &str) {
        let item = (
            "1",
            "https://news.example/a/1",
            title,
            "The text stays as it is.",
        );
        self.publisher.set("/a.xml", Page::rss(rss(&[item])));
        self.home.check();
    }

    /// Makes the digests due now, so that no test waits for the clock.
    fn make_due(&self) {
        let conn = Connection::open(self.home.db_path()).unwrap();
        conn.execute(
            "UPDATE targets SET digest_at = 1 WHERE digest_at IS NOT NULL",
            [],
        )
        .unwrap();
    }

    /// What a target received: a headline for each event, and a list of headlines for each digest.
    fn received(&self, target: &str) -> Vec<Value> {
        let path = format!("/{target}");
        let hooks = self.receiver.hooks().into_iter();
        hooks
            .filter(|hook| hook.path == path)
            .map(|hook| told(&serde_json::from_slice(&hook.body).unwrap()))
            .collect()
    }

    fn row(&self, target: &str) -> Value {
        let rows: Vec<Value> =
            serde_json::from_str(&self.home.ok(&["notify", "list", "--json"])).unwrap();
        let row = rows.into_iter().find(|row| row["name"] == target);
        row.unwrap_or_default()
    }
}

fn told(event: &Value) -> Value {
    let members = event["data"]["report"]["members"].as_array();
    match members {
        Some(members) => members.iter().map(told).collect(),
        None => event["data"]["after"]["title"].clone(),
    }
}

#[test]
fn digests_of_an_interval_a_day_and_a_week_are_one_message_each() {
    let bench = Bench::new(&[
        ("soon", "digest = \"15m\""),
        ("daily", "digest = \"daily 07:00\""),
        ("weekly", "digest = \"mon 07:00\""),
        ("urgent", "digest = \"15m\"\ndigest_except = [\"headline\"]"),
        ("apart", ""),
    ]);
    bench.publish(SECOND);
    bench.publish(THIRD);
    for name in ["urgent", "apart"] {
        assert_eq!(
            bench.received(name),
            [json!(SECOND), json!(THIRD)],
            "{name}"
        );
    }
    for (name, weekday) in [("soon", false), ("daily", false), ("weekly", true)] {
        assert_eq!(bench.received(name), [Value::Null; 0], "{name}");
        let row = bench.row(name);
        assert_eq!((&row["pending"], &row["gathered"]), (&json!(0), &json!(2)));
        let due = chrono::DateTime::parse_from_rfc3339(row["digest"].as_str().unwrap()).unwrap();
        if name != "soon" {
            assert_eq!((due.hour(), due.minute()), (7, 0), "{row}");
        }
        assert!(!weekday || due.weekday() == chrono::Weekday::Mon, "{row}");
    }
    let list = bench.home.ok(&["notify", "list"]);
    assert!(list.contains("digest of 2 events in "), "{list}");

    bench.make_due();
    bench.home.check();
    for name in ["soon", "daily", "weekly"] {
        assert_eq!(bench.received(name), [json!([SECOND, THIRD])], "{name}");
        assert_eq!(bench.row(name)["gathered"], 0);
    }
    assert_eq!(bench.received("urgent").len(), 2);
    bench.home.check();
    assert_eq!(
        bench.received("soon").len(),
        1,
        "nothing has happened since"
    );
    assert_shown(&bench);
}

/// `notify show` names the digest that an event was sent in, and the events of a digest.
fn assert_shown(bench: &Bench) {
    let show = |event: &str| -> Vec<Value> {
        let shown = bench.home.ok(&["notify", "show", event, "--json"]);
        serde_json::from_str(&shown).unwrap()
    };
    let of_change = show("1");
    let soon = of_change
        .iter()
        .find(|row| row["target"] == "soon")
        .unwrap();
    assert_eq!(soon["state"], "delivered");
    let digest = soon["digest"].as_str().unwrap();
    let shown = show(digest);
    assert_eq!(
        (&shown[0]["target"], &shown[0]["type"]),
        (&json!("soon"), &json!("digest.ready"))
    );
    assert_eq!(shown[0]["members"][0]["event"], soon["event"]);
    assert_eq!(shown[0]["members"][1]["change"], 2);
    let text = bench.home.ok(&["notify", "show", digest]);
    assert!(text.contains("  entry.revised #1  msg_"), "{text}");
}

#[test]
fn what_is_gathered_survives_kills_and_configurations() {
    let targets = [("desk", "digest = \"mon 07:00\"")];
    let bench = Bench::new(&targets);
    bench.publish(SECOND);
    assert_eq!(bench.row("desk")["gathered"], 1);

    // The target is removed from the configuration.
    bench.configure(&[]);
    bench.home.check();
    assert_eq!(
        bench.row("desk")["gathered"],
        1,
        "it is listed all the same"
    );
    bench.configure(&targets);

    // The daemon is killed before the digest is made, and while it is being sent.
    bench.publisher.set("/a.xml", Page::status(304));
    drop(bench.home.daemon());
    bench.make_due();
    bench.receiver.answer_hooks_with(&[500]);
    let daemon = bench.home.daemon();
    eventually(PATIENCE, "the digest is sent", || {
        bench.received("desk").len() == 1
    });
    drop(daemon);
    let conn = Connection::open(bench.home.db_path()).unwrap();
    conn.execute("UPDATE deliveries SET next_attempt_at = NULL", [])
        .unwrap();
    let daemon = bench.home.daemon();
    eventually(PATIENCE, "the digest arrives", || {
        bench.row("desk")["pending"] == 0
    });
    drop(daemon);
    let received = bench.received("desk");
    assert!(received.len() >= 2 && received.iter().all(|told| *told == json!([SECOND])));
    let hooks = bench.receiver.hooks();
    let id = |place: usize| hooks[place].headers["webhook-id"].clone();
    assert_eq!(id(0), id(1));

    // The target's digest is turned off: gathered events are sent immediately.
    bench.publish(THIRD);
    let before = bench.received("desk").len();
    assert_eq!(bench.row("desk")["gathered"], 1);
    bench.configure(&[("desk", "")]);
    bench.home.check();
    assert_eq!(bench.received("desk")[before..], [json!([THIRD])]);
}

#[test]
fn quiet_hours_hold_back_all_but_what_is_urgent() {
    let now = revisor::time::Clock::now(&revisor::time::System).to_chrono();
    let time = |minutes: i64| {
        (now + chrono::Duration::minutes(minutes))
            .format("%H:%M")
            .to_string()
    };
    let quiet = format!("quiet_hours = \"{}-{}\"", time(-120), time(120));
    let past = format!("quiet_hours = \"{}-{}\"", time(120), time(-120));
    let urgent = format!("{quiet}\ndigest_except = [\"score>=1\"]");
    let bench = Bench::new(&[
        ("quiet", quiet.as_str()),
        ("past", past.as_str()),
        ("urgent", urgent.as_str()),
    ]);
    bench.publish(SECOND);
    bench.publish(THIRD);
    assert_eq!(bench.received("quiet"), [Value::Null; 0]);
    assert_eq!(bench.received("past").len(), 2);
    assert_eq!(bench.received("urgent").len(), 2);
    // A digest that is due in quiet hours waits for their end.
    bench.make_due();
    bench.home.check();
    assert_eq!(bench.received("quiet"), [Value::Null; 0]);
    bench.configure(&[("quiet", past.as_str())]);
    bench.make_due();
    bench.home.check();
    assert_eq!(bench.received("quiet"), [json!([SECOND, THIRD])]);
}

#[test]
fn what_is_too_much_for_an_hour_and_nothing_at_all_are_digests() {
    let bench = Bench::new(&[
        ("capped", "max_per_hour = 1"),
        (
            "empty",
            "digest = \"daily 07:00\"\nsend_empty = true\nevents = [\"feed.*\"]",
        ),
        ("silent", "digest = \"daily 07:00\"\nevents = [\"feed.*\"]"),
    ]);
    bench.publish(SECOND);
    bench.publish(THIRD);
    bench.publish("Parliament is dissolved after the talks");
    assert_eq!(bench.received("capped"), [json!(SECOND)]);
    assert_eq!(bench.row("capped")["gathered"], 2);
    bench.make_due();
    bench.home.check();
    assert_eq!(bench.received("capped").len(), 1, "the hour is not over");
    let conn = Connection::open(bench.home.db_path()).unwrap();
    conn.execute("UPDATE attempts SET at = at - 3600000", [])
        .unwrap();
    bench.make_due();
    bench.home.check();
    let rest = json!([THIRD, "Parliament is dissolved after the talks"]);
    assert_eq!(bench.received("capped"), [json!(SECOND), rest]);
    assert_eq!(bench.received("empty").first(), Some(&json!([])));
    assert_eq!(bench.received("silent"), [Value::Null; 0]);
}

#[test]
fn each_target_gets_what_its_filters_let_through() {
    let through = [
        "events = [\"entry.revised\"]",
        "feeds = [\"courier\"]",
        "tags = [\"politics\"]",
        "labels = [\"number\", \"headline\"]",
        "fields = [\"title\"]",
        "significance = \"typographic\"",
        "min_score = 1",
        "words = [\"CONFIRMS the report\"]",
        "words = [\"nobody\", \"denies\"]",
    ];
    let held_back = [
        "events = [\"entry.removed\"]",
        "feeds = [\"other\"]",
        "tags = [\"sports\"]",
        "labels = [\"quote\"]",
        "fields = [\"byline\"]",
        "min_score = 100",
        "words = [\"confirm\"]",
        "words = [\"resigns\"]",
    ];
    let names: Vec<String> = (0..through.len() + held_back.len())
        .map(|number| format!("t{number}"))
        .collect();
    let keys = through.iter().chain(&held_back).copied();
    let targets: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(keys).collect();
    let bench = Bench::new(&targets);
    bench.publish(SECOND);
    for (place, (name, keys)) in targets.iter().enumerate() {
        let expected = usize::from(place < through.len());
        assert_eq!(bench.received(name).len(), expected, "{keys}");
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    let home = Home::new("");
    for (kind, keys, said) in [
        (
            "webhook",
            "digest = \"2d\"",
            "expected an interval from \"1m\" to \"1d\"",
        ),
        (
            "webhook",
            "digest = \"7:00\"",
            "\"daily 07:00\" or \"mon 07:00\"",
        ),
        (
            "webhook",
            "quiet_hours = \"22-7\"",
            "expected two different times",
        ),
        (
            "webhook",
            "send_empty = true",
            "send_empty is set without a digest",
        ),
        (
            "webhook",
            "digest_except = [\"entry.gone\"]",
            "\"score>=80\"",
        ),
        ("webhook", "labels = [\"loud\"]", "\"loud\" is not a label"),
        ("webhook", "words = [\" - \"]", "has no letters"),
        ("webhook", "max_per_hour = -1", "max_per_hour"),
        (
            "mastodon",
            "digest = \"1h\"",
            "digest is not for targets of kind \"mastodon\"",
        ),
        ("mastodon", "max_per_hour = 0", "max_per_hour"),
    ] {
        let own = match kind {
            "webhook" => format!("url = \"https://hooks.example/x\"\nsecret = \"{SECRET}\""),
            _ => "server = \"https://social.example\"\ntoken = \"TOPSECRET\"".to_owned(),
        };
        home.configure(&format!(
            "[[target]]\nname = \"desk\"\nkind = \"{kind}\"\n{own}\n{keys}\n"
        ));
        let ran = home.run(&["config", "check"]);
        assert_eq!(ran.code, Some(2), "{keys}: {}", ran.stdout);
        assert!(ran.stderr.contains(said), "{keys}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("config.toml:"),
            "{keys}: {}",
            ran.stderr
        );
    }
    home.configure(&format!(
        "[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"https://hooks.example/x\"\nsecret = \"{SECRET}\"\n\
         digest = \"mon-fri 18:30\"\nsend_empty = true\ndigest_except = [\"entry.removed\", \"negation\", \"score>=80\"]\n\
         quiet_hours = \"22:00-07:00\"\nmax_per_hour = 20\nfeeds = [\"news\"]\nlabels = [\"headline\"]\n\
         words = [\"prime minister\"]\n"
    ));
    let ran = home.run(&["config", "check"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no feed has the name \"news\""),
        "{}",
        ran.stderr
    );
    let shown = home.ok(&["config", "show"]);
    for key in [
        "digest = \"mon-fri 18:30\"",
        "send_empty = true",
        "digest_except = [\"entry.removed\", \"negation\", \"score>=80\"]",
        "quiet_hours = \"22:00-07:00\"",
        "max_per_hour = 20",
        "feeds = [\"news\"]",
        "labels = [\"headline\"]",
        "words = [\"prime minister\"]",
    ] {
        assert!(shown.contains(key), "{key}: {shown}");
    }
}

#[test]
fn a_digest_can_be_tried() {
    let bench = Bench::new(&[("desk", "digest = \"15m\"")]);
    let printed = bench.home.ok(&[
        "notify",
        "test",
        "desk",
        "--event",
        "digest.ready",
        "--print",
    ]);
    assert!(printed.contains("\"members\"") && printed.contains("3 events in Example News"));
    bench
        .home
        .ok(&["notify", "test", "desk", "--event", "digest.ready"]);
    assert_eq!(bench.received("desk").len(), 1);
}
