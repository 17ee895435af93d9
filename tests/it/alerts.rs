//! Alerts to every kind of target, from a change to the text that a reader sees, with the real program.

use std::fmt::Write as _;

use serde_json::Value;

use crate::mail_server::MailServer;
use crate::services::Services;
use crate::support::{Home, Page, Server, rss};

/// Targets of all kinds that use HTTP; public ones do not need confirmation.
pub(crate) fn targets(services: &Services) -> String {
    let root = services.url("");
    let mut text = String::new();
    for (kind, keys) in [
        ("slack", format!("url = \"{root}/slack/TOPSECRET\"")),
        (
            "mattermost",
            format!("url = \"{root}/mattermost/TOPSECRET\""),
        ),
        ("discord", format!("url = \"{root}/discord/TOPSECRET\"")),
        ("ntfy", format!("url = \"{root}/ntfy/desk-topic\"")),
        (
            "telegram",
            format!("server = \"{root}/telegram\"\nchat = -100\ntoken = \"123:TOPSECRET\""),
        ),
        (
            "matrix",
            format!("server = \"{root}/matrix\"\nroom = \"!abc:example\"\ntoken = \"TOPSECRET\""),
        ),
        ("teams", format!("url = \"{root}/teams/TOPSECRET\"")),
        (
            "gotify",
            format!("server = \"{root}/gotify\"\ntoken = \"TOPSECRET\""),
        ),
        (
            "pushover",
            format!("server = \"{root}/pushover\"\ntoken = \"TOPSECRET\"\nuser = \"TOPSECRET\""),
        ),
        ("apprise", format!("url = \"{root}/apprise/TOPSECRET\"")),
        (
            "bluesky",
            format!(
                "server = \"{root}/bluesky\"\nuser = \"desk\"\npassword = \"TOPSECRET\"\nconfirm = \"off\"\nmin_score = 0"
            ),
        ),
        (
            "mastodon",
            format!(
                "server = \"{root}/mastodon\"\ntoken = \"TOPSECRET\"\nconfirm = \"off\"\nmin_score = 0"
            ),
        ),
    ] {
        // The topic of ntfy is in its JSON, and the server's path has to be kept.
        let _ = writeln!(
            text,
            "[[target]]\nname = \"{kind}\"\nkind = \"{kind}\"\n{keys}"
        );
    }
    text
}

const KINDS: [&str; 12] = [
    "slack",
    "mattermost",
    "discord",
    "ntfy",
    "telegram",
    "matrix",
    "teams",
    "gotify",
    "pushover",
    "apprise",
    "bluesky",
    "mastodon",
];

pub(crate) struct Bench {
    publisher: Server,
    home: Home,
}

impl Bench {
    pub(crate) fn new(targets: &str) -> Self {
        let publisher = Server::start();
        let feed = format!(
            "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n{targets}",
            publisher.url("/a.xml")
        );
        let bench = Self {
            publisher,
            home: Home::new(&feed),
        };
        bench.publish("Minister denies the report of talks");
        bench
    }

    pub(crate) fn publish(&self, title: &str) {
        let item = (
            "1",
            "https://news.example/a/1",
            title,
            "The text of the article stays as it is.",
        );
        self.publisher.set("/a.xml", Page::rss(rss(&[item])));
        // Each test checks the result of the delivery itself.
        self.home.run(&["check", "--force"]);
    }

    fn list(&self) -> Vec<Value> {
        serde_json::from_str(&self.home.ok(&["notify", "list", "--json"])).unwrap()
    }

    pub(crate) fn row(&self, name: &str) -> Value {
        self.list()
            .into_iter()
            .find(|row| row["name"] == name)
            .unwrap()
    }
}

#[test]
fn an_edited_headline_arrives_everywhere_once_and_readable() {
    let services = Services::start();
    let bench = Bench::new(&targets(&services));
    bench.publish("Minister confirms the report of talks");
    bench.home.run(&["check", "--force"]);
    assert_eq!(services.refused(), Vec::<String>::new());
    for kind in KINDS {
        let taken = services.taken(kind);
        assert_eq!(taken.len(), 1, "{kind}: {taken:?}\n{}", bench.row(kind));
        let text = &taken[0].text;
        assert!(
            text.contains("denies") && text.contains("confirms"),
            "{kind}: {text}"
        );
    }
    // A second one follows, as a session is only kept within a run.
    bench.publish("Minister resigns over the report of talks");
    for kind in KINDS {
        assert_eq!(services.taken(kind).len(), 2, "{kind}: {}", bench.row(kind));
    }
    assert_eq!(services.refused(), Vec::<String>::new());
    assert_eq!(services.logins(), 2);
    let shown = bench.home.ok(&["notify", "show", "1"]);
    assert!(shown.contains("telegram  delivered"), "{shown}");
}

#[test]
fn a_service_that_is_down_or_asks_for_patience_gets_everything_later() {
    let services = Services::start();
    let bench = Bench::new(&targets(&services));
    for kind in KINDS {
        services.answer_first(kind, &[(503, "")]);
    }
    services.answer_first("discord", &[(429, "{\"retry_after\": 0.3}")]);
    services.answer_first(
        "teams",
        &[(
            200,
            "Webhook message delivery failed with error: HTTP error 429",
        )],
    );
    services.answer_first("apprise", &[(204, "")]);
    bench.publish("Minister confirms the report of talks");
    bench.publish("Minister resigns over the report of talks");
    for kind in KINDS {
        let row = bench.row(kind);
        assert!(
            !row["last_attempt"]["error"].is_null() || services.taken(kind).len() == 2,
            "{row}"
        );
    }
    bench.home.run(&["notify", "retry", "--all"]);
    for kind in KINDS {
        let texts: Vec<String> = services
            .taken(kind)
            .into_iter()
            .map(|taken| taken.text)
            .collect();
        assert_eq!(texts.len(), 2, "{kind}: {texts:?}");
        assert!(
            texts[0].contains("confirms") && texts[1].contains("resigns"),
            "{kind}: in order: {texts:?}"
        );
    }
}

#[test]
fn a_wrong_token_is_named_and_never_printed() {
    let services = Services::start();
    let wrong = targets(&services).replace("TOPSECRET", "WRONGTOKEN");
    let bench = Bench::new(&wrong);
    bench.publish("Minister confirms the report of talks");
    for kind in [
        "telegram", "matrix", "gotify", "pushover", "bluesky", "mastodon",
    ] {
        let row = bench.row(kind);
        let error = row["last_attempt"]["error"].as_str().unwrap_or_default();
        assert!(error.contains("returned 4"), "{kind}: {row}");
    }
    for arguments in [
        &["notify", "list"][..],
        &["notify", "show", "1"],
        &["notify", "test", "--print"],
        &["notify", "test"],
        &["config", "show"],
        &["config", "check"],
        &["status"],
    ] {
        let ran = bench.home.run(arguments);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!all.contains("WRONGTOKEN"), "{arguments:?}: {all}");
    }
}

#[test]
fn a_channel_that_is_gone_disables_its_target() {
    let services = Services::start();
    let bench = Bench::new(&targets(&services));
    services.answer_first("slack", &[(404, "no_service")]);
    services.answer_first("discord", &[(404, "{\"code\": 10015}")]);
    services.answer_first(
        "telegram",
        &[(
            403,
            "{\"ok\":false,\"description\":\"Forbidden: bot was kicked\"}",
        )],
    );
    bench.publish("Minister confirms the report of talks");
    for kind in ["slack", "discord", "telegram"] {
        let row = bench.row(kind);
        assert_eq!(row["state"], "disabled", "{row}");
    }
    // The others get an alert, but no public account does.
    let told = |kind: &str| {
        services
            .taken(kind)
            .iter()
            .filter(|taken| taken.text.contains("disabled"))
            .count()
    };
    assert!(told("matrix") > 0);
    assert_eq!((told("bluesky"), told("mastodon")), (0, 0));
}

#[test]
fn a_public_post_waits_for_a_person() {
    let services = Services::start();
    let held = format!(
        "[[target]]\nname = \"public\"\nkind = \"mastodon\"\nserver = \"{}\"\ntoken = \"TOPSECRET\"\nmin_score = 0\n",
        services.url("/mastodon")
    );
    let bench = Bench::new(&held);
    bench.publish("Minister confirms the report of talks");
    bench.publish("Minister resigns over the report of talks");
    assert!(services.taken("mastodon").is_empty());
    assert_eq!(bench.row("public")["held"], 2);
    let tried = bench.home.run(&["notify", "test"]);
    assert_eq!((tried.code, tried.stdout.as_str()), (Some(0), ""));
    assert!(
        tried.stderr.contains("public was left out"),
        "{}",
        tried.stderr
    );
    assert!(services.taken("mastodon").is_empty());
    // Neither a retry nor a replay releases it.
    bench.home.run(&["notify", "retry", "--all"]);
    bench.home.run(&["notify", "replay", "--since", "2d"]);
    assert!(services.taken("mastodon").is_empty());
    let listed = bench.home.ok(&["notify", "release"]);
    assert!(listed.contains("#1") && listed.contains("#2"), "{listed}");
    assert_eq!(bench.home.run(&["notify", "release", "77"]).code, Some(2));
    bench.home.ok(&["notify", "release", "2"]);
    let posts = services.taken("mastodon");
    assert_eq!(posts.len(), 1);
    assert!(posts[0].text.contains("resigns"), "{posts:?}");
    bench.home.ok(&["notify", "release", "--all"]);
    assert_eq!(services.taken("mastodon").len(), 2);
    assert_eq!(bench.row("public")["held"], 0);
}

#[test]
fn posts_of_an_article_are_a_thread_below_the_first_one() {
    let services = Services::start();
    let root = services.url("");
    let bench = Bench::new(&format!(
        "[[target]]\nname = \"bluesky\"\nkind = \"bluesky\"\nserver = \"{root}/bluesky\"\nuser = \"desk\"\n\
         password = \"TOPSECRET\"\nconfirm = \"off\"\nmin_score = 0\n\
         [[target]]\nname = \"mastodon\"\nkind = \"mastodon\"\nserver = \"{root}/mastodon\"\n\
         token = \"TOPSECRET\"\nconfirm = \"off\"\nmin_score = 0\n"
    ));
    for title in [
        "Minister confirms the report",
        "Minister resigns over talks",
        "Parliament is dissolved today",
    ] {
        bench.publish(title);
    }
    for (service, address) in [
        ("bluesky", "at://did:plc:abc/app.bsky.feed.post/"),
        ("mastodon", ""),
    ] {
        let posts = services.taken(service);
        assert_eq!(posts.len(), 3, "{service}");
        let parents: Vec<Option<&str>> = posts
            .iter()
            .map(|post| post.text.rsplit_once("(below "))
            .map(|below| below.map(|(_, parent)| parent))
            .collect();
        assert_eq!(parents[0], None);
        assert!(parents[1].is_some_and(|parent| parent.starts_with(address)));
        assert_eq!(parents[1], parents[2], "both reply to the first post");
    }
    assert_eq!(services.refused(), [""; 0]);

    // The first post was deleted, so the next one does not reply to it.
    services.forget("mastodon");
    bench.publish("Minister returns to the office");
    let posts = services.taken("mastodon");
    assert_eq!(posts.len(), 1);
    assert!(!posts[0].text.contains("(below "), "{posts:?}");
}

#[test]
fn only_so_many_posts_go_out_in_an_hour() {
    let services = Services::start();
    let capped = format!(
        "[[target]]\nname = \"public\"\nkind = \"mastodon\"\nserver = \"{}\"\ntoken = \"TOPSECRET\"\nmin_score = 0\n\
         confirm = \"off\"\nmax_per_hour = 2\n",
        services.url("/mastodon")
    );
    let bench = Bench::new(&capped);
    for title in [
        "Minister confirms the report",
        "Minister resigns over talks",
        "Parliament is dissolved today",
    ] {
        bench.publish(title);
    }
    assert_eq!(services.taken("mastodon").len(), 2);
    let row = bench.row("public");
    assert_eq!(
        (&row["pending"], &row["attempts"]),
        (&1.into(), &0.into()),
        "{row}"
    );
}

#[test]
fn a_mail_is_one_thread_for_an_article_and_says_what_it_is() {
    let server = MailServer::start(&[]);
    let bench = Bench::new(&format!(
        "[[target]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"revisor <bot@desk.example>\"\nto = [\"a@desk.example\"]\n",
        server.port()
    ));
    bench.publish("Minister confirms the report of talks \u{2028}Bcc: x@y.example");
    bench.publish("大臣が報告を認めた");
    let mails = server.mails();
    assert_eq!(mails.len(), 2, "{}", bench.row("mail"));
    let header = |mail: &str, name: &str| -> String {
        let line = mail
            .lines()
            .find(|line| line.starts_with(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} in {mail}"))
            .to_owned()
    };
    for mail in &mails {
        assert!(
            mail.contains("multipart/alternative")
                && mail.contains("text/plain")
                && mail.contains("text/html")
        );
        assert_eq!(
            header(mail, "Auto-Submitted"),
            "Auto-Submitted: auto-generated"
        );
        assert!(header(mail, "List-Id").contains("mail.revisor.desk.example"));
        assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
    }
    assert_eq!(
        header(&mails[0], "References"),
        header(&mails[1], "References")
    );
    assert_ne!(
        header(&mails[0], "Message-ID"),
        header(&mails[1], "Message-ID")
    );
    assert!(
        mails[0].contains("text-decoration:line-through"),
        "{}",
        mails[0]
    );
}

#[test]
fn a_mail_server_that_refuses_one_mail_does_not_hold_up_the_others() {
    let server = MailServer::start(&["550 no such user", "450 later"]);
    let bench = Bench::new(&format!(
        "[[target]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"bot@desk.example\"\nto = [\"a@desk.example\"]\n\
         subject = \"[{{{{ event.data.feed.name }}}}] {{{{ title|upper }}}}\"\n",
        server.port()
    ));
    bench.publish("Minister confirms the report of talks");
    assert_eq!(bench.row("mail")["last_attempt"]["status"], 550);
    let error = bench.row("mail")["last_attempt"]["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        error.contains("refused") && error.contains("no such user"),
        "{error}"
    );
    bench.home.run(&["notify", "retry", "mail"]);
    let error = bench.row("mail")["last_attempt"]["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(error.contains("later"), "{error}");
    bench.home.run(&["notify", "retry", "mail"]);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].contains("MINISTER CONFIRMS THE REPORT OF TALKS"),
        "{}",
        mails[0]
    );
}

#[test]
fn a_command_gets_the_event_and_says_by_its_code_whether_it_worked() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = folder.path().join("alert.sh");
    std::fs::write(
        &script,
        format!(
            "#!/bin/sh\nif [ ! -e {0}.once ]; then touch {0}.once; echo not today >&2; exit 3; fi\n\
             cat >{0}; echo >>{0}; printf '%s|%s|%s' \"$REVISOR_EVENT\" \"$REVISOR_FEED\" \"$1\" >>{0}\n",
            out.display()
        ),
    )
    .unwrap();
    let bench = Bench::new(&format!(
        "[[target]]\nname = \"script\"\nkind = \"command\"\ncommand = [\"sh\", \"{}\", \"$HOME; echo\"]\n",
        script.display()
    ));
    bench.publish("Minister confirms the report of talks");
    let error = bench.row("script")["last_attempt"]["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        error.contains("not today") && error.contains("exit status: 3"),
        "{error}"
    );
    bench.home.run(&["notify", "retry", "script"]);
    let got = std::fs::read_to_string(&out).unwrap();
    let (event, facts) = got.split_once('\n').unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(event["type"], "entry.revised");
    assert_eq!(facts, "entry.revised|courier|$HOME; echo");
}

#[test]
fn a_check_pings_the_one_who_watches_the_watcher() {
    let services = Services::start();
    let bench = Bench::new(&format!(
        "[[target]]\nname = \"alive\"\nkind = \"healthchecks\"\nurl = \"{}\"\n",
        services.url("/alive/TOPSECRET")
    ));
    let pings = services.taken("alive").len();
    assert!(pings > 0);
    bench.publish("Minister confirms the report of talks");
    assert_eq!(services.taken("alive").len(), pings + 1);
    // It receives no events.
    assert_eq!(bench.row("alive")["pending"], 0);
    assert!(
        services
            .taken("alive")
            .iter()
            .all(|taken| taken.text == "/alive/TOPSECRET")
    );
    let daemon = bench.home.daemon();
    crate::support::eventually(crate::support::PATIENCE, "the service pings", || {
        services.taken("alive").len() > pings + 1
    });
    drop(daemon);
}

#[test]
fn a_kind_can_be_tried_without_a_configuration() {
    let services = Services::start();
    let home = Home::new("");
    std::fs::write(home.path().join("token"), "123:TOPSECRET\n").unwrap();
    let file = format!("token_file={}", home.path().join("token").display());
    let server = format!("server={}", services.url("/telegram"));
    home.ok(&["notify", "test", "telegram", "chat=-100", &server, &file]);
    assert_eq!(services.taken("telegram").len(), 1);
    let printed = home.ok(&[
        "notify",
        "test",
        "telegram",
        "chat=-100",
        &server,
        &file,
        "--print",
    ]);
    assert!(
        printed.contains("parse_mode") && !printed.contains("TOPSECRET"),
        "{printed}"
    );
    let open = home.run(&[
        "notify",
        "test",
        "telegram",
        "chat=-100",
        "token=123:TOPSECRET",
    ]);
    assert_eq!(open.code, Some(2));
    assert!(
        open.stderr.contains("token_file") && !open.stderr.contains("TOPSECRET"),
        "{}",
        open.stderr
    );
    let missing = home.run(&["notify", "test", "telegram", "chat=-100"]);
    assert_eq!(missing.code, Some(2));
    let stderr = &missing.stderr;
    assert!(
        stderr.starts_with("error: command line: token is missing"),
        "{stderr}"
    );
    let bare = home.run(&["notify", "test", "matrix"]);
    assert_eq!(bare.code, Some(2));
    let example =
        "matrix server=https://matrix.example.org 'room=!abc:example.org' token_file=FILE`";
    assert!(bare.stderr.contains(example), "{}", bare.stderr);
}

#[test]
fn a_test_beside_the_service_needs_none_of_its_secrets() {
    let services = Services::start();
    let gotify = |name: &str, token: &str| {
        let server = services.url("/gotify");
        format!(
            "[[target]]\nname = \"{name}\"\nkind = \"gotify\"\nserver = \"{server}\"\n{token}\n"
        )
    };
    let right = gotify("desk", "token_credential = \"desk\"");
    let wrong = gotify("wrong", "token_file = \"wrong\"");
    let home = Home::new(&format!("{right}{wrong}"));
    std::fs::write(home.path().join("desk"), "TOPSECRET\n").unwrap();
    std::fs::write(home.path().join("wrong"), "WRONGTOKEN\n").unwrap();
    let alone = home.run(&["notify", "test", "desk"]);
    assert_eq!(alone.code, Some(2), "{}", alone.stdout);
    let folder = home.path().display().to_string();
    let daemon = home.daemon_with(&[("CREDENTIALS_DIRECTORY", folder.as_str())]);
    crate::support::eventually(crate::support::PATIENCE, "the service runs", || {
        home.run(&["notify", "test", "desk"]).code == Some(0)
    });
    assert_eq!(services.taken("gotify").len(), 1);
    let ran = home.run(&["notify", "test", "desk", "--event", "digest.ready"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stderr.contains("credential"), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("✓ desk  HTTP 200"), "{}", ran.stdout);
    let ran = home.run(&["notify", "test", "--json"]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let results: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&results[0]["target"], &results[0]["ok"]),
        (&"desk".into(), &true.into())
    );
    assert_eq!(
        (&results[1]["target"], &results[1]["ok"]),
        (&"wrong".into(), &false.into())
    );
    assert!(!ran.stdout.contains("WRONGTOKEN"), "{}", ran.stdout);
    assert_eq!(services.taken("gotify").len(), 3);
    drop(daemon);
}
