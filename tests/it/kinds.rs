//! Each kind of target in each situation, against a strict counterpart on loopback, in one table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use revisor::domain::event::{Event, EventKind};
use revisor::store::{OpenOptions, Store};
use revisor::time::{Clock, Fixed, Timestamp};
use revisor::{Deliverer, Drain, StoredOutbox, Target, targets, test_event};
use revisor::{Environment, Flags, Secrets, TargetKind};
use serde_json::{Value, json};

use crate::alerts;
use crate::broker::Broker;
use crate::mail_server::{MailServer, parts};
use crate::services::{Services, WEBHOOK_SECRET};

const SITUATIONS: [&str; 9] = [
    "arrived",
    "readable",
    "in order after six hours",
    "once",
    "once, response lost",
    "oversize cut",
    "hostile harmless",
    "wrong token named",
    "disabled when gone",
];

/// Situations that do not exist for a kind, and why.
const NOT_THERE: [(&str, &[&str], &str); 6] = [
    ("command", &["wrong token named"], "a program has no token"),
    (
        "command",
        &["disabled when gone"],
        "it may be installed again",
    ),
    (
        "email",
        &["disabled when gone"],
        "a mail server refuses one mail or one reader",
    ),
    (
        "mqtt",
        &["disabled when gone"],
        "a broker knows no such thing",
    ),
    (
        "healthchecks",
        &SITUATIONS,
        "receives no events; its pings are in the tests of alerts",
    ),
    (
        "slack mattermost discord telegram teams gotify pushover apprise mqtt command",
        &["once, response lost"],
        "knows no id by which it could recognise a message",
    ),
];

/// Forms of a webhook that have their own row.
const FORMS: [(&str, &str); 2] = [
    ("cloudevents", "format = \"cloudevents\""),
    (
        "template",
        "template = '''{\"data\": {\"text\": {{ event.data.text|cut(4000)|tojson }}}}'''",
    ),
];

fn why_not_there(kind: &str, situation: &str) -> Option<&'static str> {
    let mut all = NOT_THERE.iter();
    let found = all.find(|(kinds, situations, _)| {
        kinds.split(' ').any(|name| name == kind) && situations.contains(&situation)
    });
    found.map(|(.., why)| *why)
}

/// A secret that the receiver does not know.
const WRONG_SECRET: &str = "whsec_V1JPTkdUT0tFTiBXUk9OR1RPS0VOIFdST05HVE9LRU4=";

/// All counterparts, and a database with a target of each kind.
struct Desk {
    services: Services,
    mails: MailServer,
    broker: Broker,
    store: Store,
    clock: Arc<Fixed>,
    targets: Vec<Target>,
    folder: tempfile::TempDir,
    told: i64,
}

/// Minutes after noon.
pub(crate) fn at(minutes: i64) -> Timestamp {
    let noon = Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap();
    Timestamp::from_unix(noon.as_unix() + minutes * 60)
}

/// An event about an edited headline, without its text.
pub(crate) fn edited(number: i64, now: Timestamp, before: &str, after: &str) -> Value {
    let mut event = serde_json::to_value(test_event(EventKind::EntryRevised, now)).unwrap();
    let data = &mut event["data"];
    data["number"] = json!(number);
    data["test"] = json!(false);
    data["change"]["fields"] = json!(["title"]);
    data["before"]["title"] = json!(before);
    data["after"]["title"] = json!(after);
    data["diff"] = json!({"title": [["-", before], ["+", after]]});
    event
}

/// Sends everything that is due.
pub(crate) fn drain(store: &Store, clock: &Arc<Fixed>, targets: &[Target]) {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let deliverer = Deliverer::new("revisor test".into(), Arc::clone(&clock)).unwrap();
    let outbox = StoredOutbox::new(store.writer().clone(), store.readers());
    let drain = Drain::new(outbox, deliverer, clock, targets.to_vec());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(drain.drain_once());
}

impl Desk {
    /// With valid or invalid tokens.
    fn new(right: bool) -> Self {
        let (services, mails, broker) =
            (Services::start(), MailServer::start(&[]), Broker::start());
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script.sh");
        let path = folder.path().display();
        std::fs::write(
            &script,
            format!("[ ! -e {path}/down ] || exit 1\ncat >>{path}/taken\necho >>{path}/taken\n"),
        )
        .unwrap();
        let mut text = alerts::targets(&services).replace(
            "/ntfy/desk-topic\"",
            "/ntfy/desk-topic\"\ntoken = \"TOPSECRET\"",
        );
        let _ = write!(
            text,
            "[[target]]\nname = \"webhook\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{WEBHOOK_SECRET}\"\n\
             [[target]]\nname = \"email\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"bot@desk.example\"\nto = [\"a@desk.example\"]\nuser = \"bot\"\npassword = \"TOPSECRET\"\n\
             [[target]]\nname = \"mqtt\"\nkind = \"mqtt\"\nserver = \"mqtt://127.0.0.1:{}\"\nuser = \"bot\"\n\
             password = \"TOPSECRET\"\n\
             [[target]]\nname = \"command\"\nkind = \"command\"\ncommand = [\"sh\", \"{}\"]\n",
            services.url("/webhook"),
            mails.port(),
            broker.port(),
            script.display()
        );
        for (name, keys) in FORMS {
            let _ = writeln!(
                text,
                "[[target]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{WEBHOOK_SECRET}\"\n{keys}",
                services.url(&format!("/{name}"))
            );
        }
        if !right {
            text = text
                .replace("TOPSECRET", "WRONGTOKEN")
                .replace(WEBHOOK_SECRET, WRONG_SECRET);
        }
        mails.refuse_logins(!right);
        broker.set_locked(!right);
        let config = revisor::from_text(
            &text,
            None,
            Flags::default(),
            &Environment::default(),
            Secrets::Required,
        )
        .unwrap_or_else(|error| panic!("{error}"))
        .config;
        let targets = targets(&config).unwrap();
        let database = folder.path().join("revisor.db");
        let store = Store::open(&database, &OpenOptions::default()).unwrap();
        let names = targets.iter().map(|target| target.name.clone()).collect();
        store.writer().sync_targets(names).blocking().unwrap();
        Self {
            services,
            mails,
            broker,
            store,
            clock: Arc::new(Fixed::at(at(0))),
            targets,
            folder,
            told: 0,
        }
    }

    /// Queues an edited headline for all targets.
    fn tell(&mut self, before: &str, after: &str) {
        self.told += 1;
        let event = edited(self.told, self.clock.now(), before, after);
        let mut event: Event = serde_json::from_value(event).unwrap();
        event.data.text = revisor::event_text(&event);
        let names = self.targets.iter().map(|target| target.name.clone());
        let added = self.store.writer().add_event(event, names.collect());
        added.blocking().unwrap();
    }

    fn drain_at(&self, minute: i64) {
        self.clock.set(at(minute));
        drain(&self.store, &self.clock, &self.targets);
    }

    fn set_down(&self, down: bool) {
        self.services.set_down(down);
        self.mails.set_down(down);
        self.broker.set_down(down);
        let mark = self.folder.path().join("down");
        if down {
            std::fs::write(mark, "").unwrap();
        } else {
            std::fs::remove_file(mark).unwrap();
        }
    }

    /// Makes the counterparts accept messages without confirming them where they can, or stop doing so.
    fn lose_responses(&self, lose: bool) {
        self.services.lose_responses(lose);
        self.mails.lose_responses(lose);
    }

    /// What readers of a kind see, in order.
    fn taken(&self, kind: &str) -> Vec<String> {
        let text = |body: &str| -> String {
            let event: Value = serde_json::from_str(body).expect("JSON");
            event["data"]["text"].as_str().unwrap().to_owned()
        };
        match kind {
            "email" => self
                .mails
                .mails()
                .iter()
                .map(|mail| parts(mail).concat())
                .collect(),
            "mqtt" => self.broker.taken().iter().map(|body| text(body)).collect(),
            "command" => std::fs::read_to_string(self.folder.path().join("taken"))
                .unwrap_or_default()
                .lines()
                .map(text)
                .collect(),
            kind => {
                let taken = self.services.taken(kind).into_iter();
                taken.map(|taken| taken.text).collect()
            }
        }
    }

    /// How many deliveries are not done.
    fn waits(&self, kind: &str) -> u64 {
        let health = self.store.reader().unwrap().target_health().unwrap();
        let known = health.iter().find(|known| known.target.name == kind);
        known.map_or(0, |known| known.open)
    }

    /// Why the last attempt failed, and whether the target is disabled.
    fn state(&self, kind: &str) -> (String, bool) {
        let health = self.store.reader().unwrap().target_health().unwrap();
        let known = health
            .iter()
            .find(|known| known.target.name == kind)
            .unwrap();
        let error = known.last_attempt.clone().and_then(|last| last.2);
        (error.unwrap_or_default(), known.target.disabled.is_some())
    }
}

type Table = BTreeMap<(String, &'static str), bool>;

/// All kinds, and the forms of webhooks.
fn kinds() -> impl Iterator<Item = &'static str> {
    let kinds = TargetKind::ALL.iter().map(|kind| kind.as_str());
    kinds.chain(FORMS.map(|(name, _)| name))
}

fn note(table: &mut Table, situation: &'static str, holds: impl Fn(&str) -> bool) {
    assert!(SITUATIONS.contains(&situation));
    for kind in kinds().filter(|kind| why_not_there(kind, situation).is_none()) {
        table.insert((kind.to_owned(), situation), holds(kind));
    }
}

const DENIES: &str = "Minister denies the report of talks";
const CONFIRMS: &str = "Minister confirms the report of talks";
/// One grapheme of five characters.
const FAMILY: &str = "👩‍👩‍👧";

fn an_outage(table: &mut Table) {
    let mut desk = Desk::new(true);
    desk.tell(DENIES, CONFIRMS);
    desk.drain_at(0);
    note(table, "arrived", |kind| desk.taken(kind).len() == 1);
    note(table, "readable", |kind| {
        let text = desk.taken(kind).concat();
        text.contains("denies") && text.contains("confirms")
    });
    desk.set_down(true);
    for (minute, edit) in [(10, "resigns"), (70, "returns"), (200, "leaves")] {
        desk.clock.set(at(minute));
        desk.tell(CONFIRMS, &format!("Minister {edit}"));
        for later in (0..60).step_by(5) {
            desk.drain_at(minute + later);
        }
    }
    for minute in (260..370).step_by(10) {
        desk.drain_at(minute);
    }
    note(table, "once", |kind| desk.taken(kind).len() == 1);
    desk.set_down(false);
    for hour in 7..48 {
        desk.drain_at(hour * 60);
    }
    note(table, "in order after six hours", |kind| {
        let texts = desk.taken(kind);
        let edits = ["confirms", "resigns", "returns", "leaves"];
        texts.len() == 4
            && texts
                .iter()
                .zip(edits)
                .all(|(text, edit)| text.contains(edit))
    });
    for ((kind, situation), holds) in table.iter_mut() {
        if *situation == "once" {
            *holds &= desk.taken(kind).len() == 4;
        }
    }
    assert_eq!(desk.services.refused(), [""; 0]);
}

/// If a service accepts a message but seems to have failed, the same message is sent again, and the service
/// recognises it.
fn lost_responses(table: &mut Table) {
    let mut desk = Desk::new(true);
    desk.lose_responses(true);
    desk.tell(DENIES, CONFIRMS);
    for minute in [0, 1, 10] {
        desk.drain_at(minute);
    }
    let known = kinds().filter(|kind| why_not_there(kind, "once, response lost").is_none());
    let failed: Vec<&str> = known
        .filter(|kind| !desk.state(kind).0.is_empty())
        .collect();
    desk.lose_responses(false);
    for minute in (40..240).step_by(10) {
        desk.drain_at(minute);
    }
    note(table, "once, response lost", |kind| {
        let taken = desk.taken(kind);
        let copies = match kind {
            "email" => {
                let id = |mail: &String| {
                    let head = parts(mail)[0].clone();
                    let mut lines = head.lines().map(str::to_owned);
                    lines.find(|line| line.starts_with("Message-ID: "))
                };
                let mails = desk.mails.mails();
                let ids: BTreeSet<_> = mails.iter().map(id).collect();
                usize::from(mails.len() > 1) * ids.len()
            }
            _ => taken.len(),
        };
        failed.contains(&kind) && copies == 1 && desk.waits(kind) == 0
    });
}

fn strange_headlines(table: &mut Table) {
    let mut desk = Desk::new(true);
    desk.tell(
        &"Minister denies the report of talks. ".repeat(2000),
        &format!("大臣が報告を認めた{FAMILY}。").repeat(2000),
    );
    desk.drain_at(0);
    let refused = desk.services.refused();
    note(table, "oversize cut", |kind| {
        let texts = desk.taken(kind);
        let fits = !refused.iter().any(|refused| refused.starts_with(kind));
        let both = |text: &String| text.contains("denies") && text.contains("大臣が");
        let whole = |text: &String| !text.replace(FAMILY, "").contains(['\u{200d}', '👩', '👧']);
        let is_cut = |text: &String| text.contains('…');
        let rightly = |text| both(text) && whole(text) && is_cut(text);
        fits && texts.len() == 1 && texts.iter().all(rightly)
    });
    let mut desk = Desk::new(true);
    desk.tell(
        DENIES,
        "confirms <script>alert(1)</script> @everyone <!channel> ``` [x](javascript:alert(1)) #tag \
         @desk@social.example\r\nBcc: x@y.example\u{202e}",
    );
    desk.drain_at(0);
    note(table, "hostile harmless", |kind| {
        let mut text = desk.taken(kind).concat();
        let live: &[&str] = match kind {
            // Programs get the text unchanged; the receivers have checked the frame.
            "webhook" | "cloudevents" | "template" | "mqtt" | "command" => &[],
            // No markup in plain text.
            "ntfy" | "pushover" | "bluesky" | "apprise" => &["\u{202e}"],
            // Text cannot contain markup there either: the names of elements are the markup.
            "slack" | "teams" => &["\u{202e}"],
            "mastodon" => &["@desk", "#tag"],
            "email" => {
                let [head, _, html] = parts(&desk.mails.mails().concat());
                assert!(!head.contains("\nBcc:"), "{head}");
                text = html;
                &["<script", "\u{202e}"]
            }
            "telegram" | "matrix" => &["<script", "\u{202e}"],
            // A backslash before it disables the markup.
            _ => &[" <script", "@everyone", "<!channel>", "```", "](javascript"],
        };
        text.contains("confirms") && live.iter().all(|live| !text.contains(live))
    });
    assert_eq!(desk.services.refused(), [""; 0]);
}

fn wrong_tokens_and_gone_receivers(table: &mut Table) {
    let mut desk = Desk::new(false);
    desk.tell(DENIES, CONFIRMS);
    desk.drain_at(0);
    note(table, "wrong token named", |kind| {
        let (error, _) = desk.state(kind);
        let named = ["returned 40", "refused the login", "NotAuthorized"];
        let named = named.iter().any(|words| error.contains(words));
        named && !error.contains("WRONGTOKEN") && desk.taken(kind).is_empty()
    });
    let mut desk = Desk::new(true);
    for kind in kinds() {
        let (status, body) = match kind {
            "slack" => (404, "no_service"),
            "discord" => (404, "{\"code\": 10015}"),
            "telegram" => (
                403,
                "{\"ok\":false,\"description\":\"Forbidden: bot was kicked\"}",
            ),
            _ => (410, ""),
        };
        // A post with a picture takes two requests: a picture that is refused is left out.
        desk.services
            .answer_first(kind, &[(status, body), (status, body)]);
    }
    desk.tell(DENIES, CONFIRMS);
    desk.drain_at(0);
    note(table, "disabled when gone", |kind| desk.state(kind).1);
}

#[expect(clippy::print_stdout, reason = "the table is what this test is for")]
fn show(table: &Table) {
    println!(
        "{:14}{}",
        "",
        SITUATIONS.map(|name| format!("{name:26}")).concat()
    );
    for kind in kinds() {
        let cells = SITUATIONS.map(|situation| {
            let holds = table.get(&(kind.to_owned(), situation));
            let cell = holds.map_or("—", |holds| if *holds { "yes" } else { "NO" });
            format!("{cell:26}")
        });
        println!("{kind:14}{}", cells.concat().trim_end());
    }
    for (kinds, situations, why) in NOT_THERE {
        let situations = if situations.len() == SITUATIONS.len() {
            "everything".to_owned()
        } else {
            situations.join(", ")
        };
        println!("— {kinds}: {situations}: {why}");
    }
}

#[test]
fn every_kind_in_every_situation() {
    let mut table = Table::new();
    an_outage(&mut table);
    lost_responses(&mut table);
    strange_headlines(&mut table);
    wrong_tokens_and_gone_receivers(&mut table);
    show(&table);
    let cells = kinds().flat_map(|kind| SITUATIONS.map(|situation| (kind, situation)));
    let wrong: Vec<_> = cells
        .filter(|(kind, situation)| {
            let holds = table.get(&((*kind).to_owned(), *situation));
            why_not_there(kind, situation).is_none() && holds != Some(&true)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
