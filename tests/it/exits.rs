//! Text from outside in every output: none of it moves a cursor, reverses text, or becomes markup, a formula or a
//! header.

use revisor::domain::state::Link;

use crate::support::{Home, PATIENCE, Page, Ran, SECRET, Server, eventually};
use crate::watched::ask;

/// A headline with everything that has ever fooled a reader.
const EVIL: &str = "=cmd|'/C calc'!A0 \u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}desrever\u{2066}\u{200f}\u{0}\u{7f}\
                    <script>alert(1)</script> [x](javascript:alert(1)) ``` @everyone <!channel> *b* \
                    [-denied-]{+confirmed+}\r\nBcc: x@y.example";

fn feed(title: &str, author: &str, text: &str, link: &str) -> Page {
    let feed = serde_json::json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": format!("Courier {EVIL}"),
        "items": [{
            "id": format!("1{EVIL}"),
            "url": link,
            "title": title,
            "authors": [{"name": author}],
            "content_text": text,
        }],
    });
    Page::new(200, "application/feed+json", feed.to_string())
}

/// Fails if a terminal would interpret this text, or a reader would see something other than its characters.
#[track_caller]
fn is_plain(what: &str, text: &str) {
    assert!(!text.is_empty(), "{what} printed nothing");
    let bad = text.chars().find(|c| {
        let control = c.is_control() && !matches!(c, '\n' | '\t');
        control || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(bad, None, "{what}: {text:?}");
    // Machine-readable output has the text unchanged, and evidence marks changes by elements.
    let machine = text.starts_with(['{', '['])
        || text.starts_with("<!DOCTYPE")
        || text.starts_with("<?xml")
        || [
            "csv",
            "export csv",
            "export opml",
            "export toml",
            "the configuration",
        ]
        .contains(&what)
        || what.ends_with("ndjson")
        || what.starts_with("export ndjson");
    for mark in ["[-denied", "denied-]", "{+confirmed", "confirmed+}"] {
        assert!(
            machine || !text.contains(mark),
            "{what}: a forged change: {text}"
        );
    }
}

#[test]
fn nothing_that_strangers_write_leaves_as_more_than_text() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let text = "The bridge is open again, the town said on Monday, after eleven months of repairs.";
    let link = publisher.url("/a/1");
    let article = |title: &str| {
        let title = title.replace('\0', "").replace('<', "&lt;");
        Page::html(format!(
            "<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{text}</p><p>{text} Traffic \
             returns to the old road within a week.</p></article><footer><p>{title}, read by many</p></footer></body></html>"
        ))
    };
    publisher.set("/feed.json", feed("A headline", "Ada", text, &link));
    publisher.set("/a/1", article("A headline"));
    publisher.set(
        "/broken",
        Page::new(200, "text/html", format!("<html><title>{EVIL}</title>")),
    );
    publisher.set(
        "/away",
        Page::status(302).header("location", "/x\u{85}y?\u{202e}z"),
    );
    let home = Home::new(&format!(
        "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n[[feed]]\nurl = \"{}\"\nname = \"broken\"\n\
         [[feed]]\nurl = \"{}\"\nname = \"away\"\n\
         [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        publisher.url("/feed.json"),
        publisher.url("/broken"),
        publisher.url("/away"),
        receiver.url("/hook"),
    ));
    home.check();
    let evil_text = format!("{text} {EVIL}");
    publisher.set("/feed.json", feed(EVIL, EVIL, &evil_text, &link));
    publisher.set("/a/1", article(EVIL));

    // The result, the messages and the log of the check that finds it.
    for arguments in [
        &["-v", "check", "--force"][..],
        &["-v", "check", "--force", "--json"],
    ] {
        let ran = home.run(arguments);
        is_plain("check", &ran.stdout);
        is_plain("check's messages", &format!("{}\n", ran.stderr));
    }
    let events = home.events();
    let revised = events.iter().find(|event| event["type"] == "entry.revised");
    let data = &revised.expect("a change")["data"];
    let number = data["number"].to_string();
    let entry = data["entry"]["id"].as_str().expect("an entry").to_owned();

    std::fs::write(home.path().join("evil.html"), article(EVIL).body).expect("a file");
    std::fs::write(
        home.path().join("evil.json"),
        feed(EVIL, EVIL, &evil_text, &link).body,
    )
    .expect("a file");
    let [page, file] =
        ["evil.html", "evil.json"].map(|name| home.path().join(name).display().to_string());
    for arguments in [
        &["log", "--all"][..],
        &["log", "--all", "--format", "oneline"],
        &["log", "--all", "--format", "full"],
        &["log", "--all", "--format", "ndjson"],
        &["log", "--all", "--format", "json"],
        &["log", "--all", "--format", "md"],
        &["log", "--all", "--format", "atom"],
        &["log", "--all", "--format", "jsonfeed"],
        &["entries"],
        &["entries", "--format", "oneline"],
        &["search", "calc", "--headline"],
        &["search", "--grep", "x@y"],
        &["report"],
        &["report", "--format", "md"],
        &["report", "--format", "html"],
        &["report", "--by", "entry", "--json"],
        &["log", "--ignored"],
        &["log", "--ignored", "--format", "oneline"],
        &["log", "--ignored", "--format", "ndjson"],
        &["show", &number],
        &["show", &number, "--json"],
        &["diff", &entry, "1..2"],
        &["history", &entry],
        &["history", &entry, "--json"],
        &["feeds"],
        &["status"],
        &["rules"],
        &["inspect", "feed", &file],
        &["inspect", "feed", &file, "--json"],
        &["inspect", "article", &page],
        &["inspect", "article", &page, "--explain"],
        &["inspect", "article", &page, "--json"],
        &["diff", "--files", &page, &file],
        &["diff", "--files", &page, &file, "--json"],
        &["notify", "list"],
        &["notify", "show", &number],
        &["notify", "release"],
        &["export", "opml"],
        &["export", "csv"],
        &["export", "ndjson", "--revisions"],
        &["export", "git"],
        &["export", "toml"],
        &["config", "show"],
        &["config", "check"],
    ] {
        let Ran {
            code,
            stdout,
            stderr,
        } = home.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?} {stderr}");
        let stdout = stdout.replace("\r\n", "\n");
        is_plain(&arguments.join(" "), &format!("{stdout}{stderr}"));
    }

    pages_are_plain(&home, &number, &entry);
    site_is_plain(&home);

    let markdown = home.ok(&["log", "--all", "--format", "md"]);
    for live in ["<script>", "[x](javascript", "```", "*b*", "<!channel>"] {
        assert!(!markdown.contains(live), "{live} in {markdown}");
    }
    // A cell that begins like a formula is text; the record stays on one line.
    let csv = home.ok(&["log", "--all", "--format", "csv"]);
    is_plain("csv", &csv.replace("\r\n", "\n"));
    assert!(csv.contains("'=cmd|"), "{csv}");
    assert!(!csv.contains(",=cmd") && !csv.contains(",\"=cmd"), "{csv}");

    // Payloads have the text as JSON, and the text for people is clean.
    home.run(&["check"]);
    let hooks = receiver.hooks();
    assert!(!hooks.is_empty(), "nothing was sent");
    for hook in hooks {
        let body: serde_json::Value = serde_json::from_slice(&hook.body).expect("JSON");
        is_plain(
            "the text of a webhook",
            body["data"]["text"].as_str().expect("a text"),
        );
    }
}

/// The web pages and the files next to them, over the daemon's socket.
fn pages_are_plain(home: &Home, number: &str, entry: &str) {
    let socket = home.path().join("web.sock");
    let config = std::fs::read_to_string(home.config_path()).expect("the configuration");
    let listen = socket.display();
    std::fs::write(
        home.config_path(),
        format!("[web]\nlisten = \"unix:{listen}\"\n{config}"),
    )
    .expect("a file");
    let daemon = home.daemon();
    eventually(PATIENCE, "the pages are served", || socket.exists());
    for path in [
        "/?all=1",
        "/headlines?all=1",
        &format!("/c/{number}"),
        &format!("/c/{number}.json"),
        &format!("/c/{number}/evidence.html"),
        &format!("/e/{entry}"),
        &format!("/e/{entry}/2"),
        &format!("/e/{entry}/1..2"),
        &format!("/e/{entry}/1..2?view=side"),
        "/f/courier",
        "/feeds",
        "/search?q=calc",
        "/stats",
        "/changes.atom?all=1",
        "/changes.json?all=1",
        "/changes.ndjson?all=1",
    ] {
        let answer = ask(&socket, path).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 200 "), "{path}: {head}");
        is_plain(path, body);
        let is_json = path.contains("json");
        assert!(
            is_json || !body.contains("<script>") && !body.contains("href=\"javascript"),
            "{path}: {body}"
        );
        assert!(!head.contains("x@y.example"), "{path}: {head}");
    }
    let csv = ask(&socket, "/changes.csv?all=1").expect("an answer");
    assert!(csv.contains("'=cmd|") && !csv.contains(",=cmd"), "{csv}");
    drop(daemon);
}

/// The web pages as files.
fn site_is_plain(home: &Home) {
    let site = home.path().join("site");
    home.ok(&["export", "site", &site.display().to_string()]);
    let (mut folders, mut pages) = (vec![site.clone()], 0);
    while let Some(folder) = folders.pop() {
        for found in std::fs::read_dir(folder).expect("a folder") {
            let path = found.expect("a file").path();
            let name = path.strip_prefix(&site).expect("in the folder");
            let name = name.to_str().expect("a name").to_owned();
            let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            assert!(name.chars().all(harmless), "{name:?}");
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if name == ".revisor-site" {
                continue;
            }
            let is_page = path.extension().is_some_and(|end| end == "html");
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(
                !text.contains("<script>") && !text.contains("href=\"javascript"),
                "{name}: {text}"
            );
            if is_page {
                pages += 1;
                is_plain(&name, &text);
            }
        }
    }
    assert!(pages >= 5, "{pages} pages");
}

#[test]
fn what_stands_around_a_text_leaves_as_text_too() {
    let bench = crate::around::Bench::new();
    bench.knew(|page| {
        page.kicker = Some(EVIL.to_owned());
        page.standfirst = Some(EVIL.to_owned());
        page.links = vec![
            Link {
                words: "building fund".to_owned(),
                address: format!("https://fund.example/{EVIL}"),
            },
            Link {
                words: EVIL.to_owned(),
                address: EVIL.to_owned(),
            },
        ];
        page.body[0].text = format!("{} {EVIL}", page.body[0].text);
    });
    bench.publish(1);
    bench.home.check();
    let events = bench.home.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let diff = &events[0]["data"]["diff"];
    for member in ["title", "standfirst", "links", "body"] {
        assert!(diff.get(member).is_some(), "{member} in {diff:#}");
    }
    let entry = bench.publisher.url("/a");
    for arguments in [
        &["log", "--all"][..],
        &["log", "--all", "--format", "oneline"],
        &["log", "--all", "--format", "full"],
        &["log", "--all", "--format", "ndjson"],
        &["log", "--all", "--format", "md"],
        &["show", "1"],
        &["show", "1", "--json"],
        &["diff", &entry],
        &["diff", &entry, "--json"],
        &["history", &entry],
        &["export", "evidence", "1"],
    ] {
        let ran = bench.home.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?} {}", ran.stderr);
        is_plain(
            &arguments.join(" "),
            &format!("{}{}", ran.stdout, ran.stderr),
        );
        let in_full = !arguments.contains(&"oneline") && arguments[0] != "history";
        assert!(
            !in_full || ran.stdout.contains("desrever"),
            "{arguments:?} shows nothing of it"
        );
    }
    for arguments in [
        &["export", "evidence", "1"][..],
        &["log", "--all", "--format", "md"],
    ] {
        let out = bench.home.ok(arguments);
        assert!(!out.contains("<script>alert"), "{out}");
    }
    let csv = bench.home.ok(&["log", "--all", "--format", "csv"]);
    is_plain("csv", &csv.replace("\r\n", "\n"));
    let body: serde_json::Value =
        serde_json::from_slice(&bench.receiver.hooks()[0].body).expect("JSON");
    is_plain(
        "the text of a webhook",
        body["data"]["text"].as_str().expect("a text"),
    );
}

#[test]
fn what_is_taken_into_the_configuration_cannot_write_more_of_it() {
    let publisher = Server::start();
    let evil = format!("\"\\n[[target]]\\n''' {EVIL}");
    let feed = serde_json::json!({
        "version": "https://jsonfeed.org/version/1.1", "title": evil, "items": [],
    });
    publisher.set(
        "/feed.json",
        Page::new(200, "application/feed+json", feed.to_string()),
    );
    let home = Home::new("");
    let added = home.run(&["add", &publisher.url("/feed.json")]);
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    is_plain("add", &format!("{}{}", added.stdout, added.stderr));
    let attribute = EVIL
        .replace(['\0', '\u{1b}', '\u{7}'], "")
        .replace('<', "&lt;");
    let list = format!(
        "<opml version=\"2.0\"><body><outline text=\"{attribute}\" category=\"{attribute}\" \
         xmlUrl=\"https://e.example/feed?{attribute}\"/><outline text=\"n\" xmlUrl=\"javascript:{attribute}\"/>\
         </body></opml>"
    );
    let path = home.path().join("list.opml");
    std::fs::write(&path, list).expect("a file");
    let imported = home.run(&["import", &path.display().to_string()]);
    is_plain("import", &format!("{}{}", imported.stdout, imported.stderr));
    let text = std::fs::read_to_string(home.config_path()).expect("the configuration");
    is_plain("the configuration", &text);
    assert!(!text.contains("\n[[target]]"), "{text}");
    for arguments in [
        &["config", "check"][..],
        &["feeds"],
        &["export", "opml"],
        &["export", "toml"],
    ] {
        let ran = home.run(arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        is_plain(
            &arguments.join(" "),
            &format!("{}{}", ran.stdout, ran.stderr),
        );
    }
    // Errors name their subject and nothing more.
    for arguments in [
        &["show", EVIL.trim_matches('\0')][..],
        &["history", "\u{1b}[2J\u{202e}x"],
        &["check", "\u{1b}[2J\u{202e}x"],
        &["log", "--since", "\u{1b}[2J\u{202e}x"],
        &["inspect", "feed", "\u{1b}[2J\u{202e}x"],
        &["import", "\u{1b}[2J\u{202e}x"],
        &["pause", "\u{1b}[2J\u{202e}x"],
        &["rm", "\u{1b}[2J\u{202e}x"],
    ] {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|text| text.replace('\0', ""))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = home.run(&arguments);
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        is_plain(
            &format!("{arguments:?}"),
            &format!("{}{}", ran.stdout, ran.stderr),
        );
    }
}
