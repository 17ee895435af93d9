//! Mails that are sent through the real code, parsed by Python, and opened in Chromium.

use std::fmt::Write as _;
use std::sync::Arc;

use revisor::domain::event::Event;
use revisor::store::{OpenOptions, Store};
use revisor::time::Fixed;
use revisor::{Environment, Flags, Secrets, targets};
use serde_json::{Value, json};

use crate::kinds::{at, drain, edited};
use crate::mail_server::MailServer;
use crate::programs::{has, script, wishes};
use crate::support::skip;

/// A headline that tries to be a header, a script, a tag, an encoded word and one of our marks.
const HOSTILE: &str = "confirms</p><script>document.title='ran'</script><img src=x onerror=alert(1)> \
                       \" onmouseover=\"alert(1)\r\nBcc: x@y.example\r\n\r\n.\r\n=?utf-8?q?=0ABcc:_z@y.example?= \
                       {+yes+} &lt;b&gt; \u{202e}txet\u{0}\u{1b}[31m";

/// The longest word that a headline must be able to show.
const LONG_WORD: usize = 300;

/// Two mail targets at `port`: one gets a mail per event, the other a digest.
fn configuration(port: u16) -> String {
    let mut text = String::new();
    for (name, keys) in [
        (
            "desk",
            "list_unsubscribe = \"https://desk.example/leave?list=desk\"",
        ),
        ("daily", "digest = \"15m\""),
    ] {
        let _ = writeln!(
            text,
            "[[target]]\nname = \"{name}\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
             from = \"Die Wächter <bot@desk.example>\"\nto = [\"a@desk.example\", \"Ann <b@desk.example>\"]\n{keys}"
        );
    }
    text
}

/// The mails of the events, in order, followed by the digest of all.
fn sent(events: &[Event]) -> Vec<String> {
    let server = MailServer::start(&[]);
    let config = revisor::from_text(
        &configuration(server.port()),
        None,
        Flags::default(),
        &Environment::default(),
        Secrets::Required,
    );
    let targets = targets(&config.unwrap_or_else(|error| panic!("{error}")).config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("revisor.db"), &OpenOptions::default()).unwrap();
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    store
        .writer()
        .sync_targets(names.clone())
        .blocking()
        .unwrap();
    for event in events {
        let added = store.writer().add_event(event.clone(), names.clone());
        added.blocking().unwrap();
    }
    let clock = Arc::new(Fixed::at(at(0)));
    drain(&store, &clock, &targets);
    clock.set(at(20));
    drain(&store, &clock, &targets);
    server.mails()
}

/// An event with a changed headline and changed paragraphs.
fn event(number: i64, headline: [&str; 2], paragraphs: &[[String; 2]]) -> Event {
    let mut event = edited(number, at(0), headline[0], headline[1]);
    let data = &mut event["data"];
    data["permalink"] = json!(format!("https://watch.example/c/{number}"));
    let blocks = paragraphs.iter().enumerate().map(|(place, [old, new])| {
        json!({"op": "edit", "from": place + 1, "to": place + 1, "segments": [["-", old], ["+", new]]})
    });
    let blocks: Vec<Value> = blocks.collect();
    if !blocks.is_empty() {
        data["change"]["fields"] = json!(["title", "body"]);
        data["diff"]["body"] = json!({"blocks": blocks, "truncated": false});
    }
    let mut event: Event = serde_json::from_value(event).unwrap();
    event.data.text = revisor::event_text(&event);
    event
}

/// Events by name, with words from both sides that must be visible to every reader.
fn events() -> Vec<(&'static str, Event, [&'static str; 2])> {
    let pair = |old: &str, new: &str| [old.to_owned(), new.to_owned()];
    let long = |old: &str, new: &str| vec![pair(&old.repeat(40), &new.repeat(40)); 60];
    let word = "Donaudampfschiff".repeat(LONG_WORD / 16);
    let mut hostile = event(
        2,
        ["Minister denies talks", HOSTILE],
        &[pair(&word, HOSTILE)],
    );
    hostile.data.feed.as_mut().unwrap().title = Some(HOSTILE.to_owned());
    hostile.data.entry.as_mut().unwrap().url = Some(format!(
        "https://news.example/\"><script>alert(1)</script>?{word}"
    ));
    vec![
        (
            "plain",
            event(
                1,
                [
                    "Minister denies report of talks",
                    "Minister confirms report of talks",
                ],
                &[pair("Shares fell 2 percent.", "Shares fell 3 percent.")],
            ),
            ["denies", "confirms"],
        ),
        ("hostile", hostile, ["denies", "confirms"]),
        (
            "arabic",
            event(
                3,
                ["الوزير ينفي تقرير المحادثات", "الوزير يؤكد تقرير المحادثات"],
                &[pair(
                    "تراجعت الأسهم بنسبة 2 في المئة.",
                    "تراجعت الأسهم بنسبة 3 في المئة.",
                )],
            ),
            ["ينفي", "يؤكد"],
        ),
        (
            "japanese",
            event(
                4,
                ["大臣が報告を否定した", "大臣が報告を認めた👩‍👩‍👧"],
                &[pair("株価は2％下落した。", "株価は3％下落した。")],
            ),
            ["否定した", "認めた👩‍👩‍👧"],
        ),
        (
            "long",
            event(
                5,
                ["Minister denies talks", "Minister confirms talks"],
                &long(
                    "The council refused the plan with 41 votes. ",
                    "The council took the plan with 43 votes & <more>. ",
                ),
            ),
            ["The council refused", "The council took"],
        ),
        (
            "long_japanese",
            event(
                6,
                ["大臣が否定した", "大臣が認めた"],
                &long(
                    "議会は41票で計画を否決した。",
                    "議会は43票で計画を可決した。",
                ),
            ),
            ["議会は41票", "議会は43票"],
        ),
    ]
}

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array().unwrap();
    let mut found = headers
        .iter()
        .filter(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name));
    let first = found.next();
    assert!(found.next().is_none(), "{name} twice in {headers:?}");
    first.map(|header| header[1].as_str().unwrap())
}

/// Checks what every mail must satisfy.
fn assert_sound(name: &str, mail: &Value, words: &[&str]) {
    assert_eq!(mail["wrong"], json!([]), "{name}");
    let size = mail["size"].as_u64().unwrap();
    assert!(size < 100_000, "{name}: {size} bytes");
    // RFC 5321, 4.5.3.1.6: a line has at most 1000 bytes, including its end.
    assert!(mail["longest_line"].as_u64().unwrap() <= 998, "{name}");
    assert_eq!(
        mail["parts"],
        json!(["multipart/alternative", "text/plain", "text/html"])
    );
    assert_eq!(mail["charsets"], json!(["utf-8", "utf-8"]), "{name}");
    assert_eq!(mail["to"], json!(["a@desk.example", "b@desk.example"]));
    assert_eq!(
        header(mail, "From"),
        Some("Die Wächter <bot@desk.example>"),
        "{name}"
    );
    assert_eq!(header(mail, "Auto-Submitted"), Some("auto-generated"));
    for absent in ["Bcc", "Cc", "Reply-To"] {
        assert_eq!(header(mail, absent), None, "{name}");
    }
    let subject = header(mail, "Subject").unwrap();
    assert!(
        subject.chars().count() <= 200 && !subject.contains(char::is_control),
        "{name}: {subject}"
    );
    for part in ["text", "html"] {
        let shown = mail[part].as_str().unwrap();
        for word in words {
            assert!(shown.contains(word), "{name}: no {word} in {part}: {shown}");
        }
        for bad in ['\u{202e}', '\u{0}', '\u{1b}'] {
            assert!(!shown.contains(bad), "{name}: {bad:?} in {part}");
        }
    }
}

fn assert_all(mails: &[(String, Value)], events: &[(&'static str, Event, [&'static str; 2])]) {
    let (digest, single) = mails.split_last().unwrap();
    for ((name, mail), (_, event, words)) in single.iter().zip(events) {
        assert_sound(name, mail, words);
        assert!(header(mail, "List-Id").unwrap().contains("<desk.revisor."));
        let leave = Some("<https://desk.example/leave?list=desk>");
        assert_eq!(header(mail, "List-Unsubscribe"), leave);
        assert_eq!(
            header(mail, "List-Unsubscribe-Post"),
            Some("List-Unsubscribe=One-Click")
        );
        // All mails are about one article, so they form one thread.
        let thread = Some("<ent_test.desk@desk.example>");
        assert_eq!(
            (header(mail, "References"), header(mail, "In-Reply-To")),
            (thread, thread)
        );
        // The text makes sense without the HTML: what happened, both sides, when, and where to read it.
        let text = mail["text"].as_str().unwrap();
        for part in [
            "changed a headline",
            "changed between 2026-11-23",
            event.data.permalink.as_deref().unwrap(),
        ] {
            assert!(text.contains(part), "{name}: no {part} in {text}");
        }
    }
    let ids: std::collections::BTreeSet<_> = mails
        .iter()
        .map(|(_, mail)| header(mail, "Message-ID").unwrap())
        .collect();
    assert_eq!(ids.len(), mails.len());

    let (name, digest) = digest;
    let firsts: Vec<&str> = events.iter().take(4).flat_map(|event| event.2).collect();
    assert_sound(name, digest, &firsts);
    assert_eq!(header(digest, "References"), None, "of no single article");
    assert!(
        header(digest, "List-Id")
            .unwrap()
            .contains("<daily.revisor.")
    );
    assert_eq!(header(digest, "List-Unsubscribe"), None);
}

#[test]
fn a_mail_program_and_a_browser_read_what_was_sent() {
    if !has("python3", "--version") {
        skip("there is no python3");
        return;
    }
    let events = events();
    let told: Vec<Event> = events.iter().map(|(_, event, _)| event.clone()).collect();
    let mails = sent(&told);
    assert_eq!(mails.len(), events.len() + 1, "{mails:?}");
    let folder = tempfile::tempdir().unwrap();
    let names = events.iter().map(|(name, ..)| *name).chain(["digest"]);
    let mut files = Vec::new();
    for (name, mail) in names.zip(&mails) {
        let file = folder.path().join(format!("{name}.eml"));
        std::fs::write(&file, mail).unwrap();
        files.push((name.to_owned(), file.display().to_string()));
    }
    let paths: Vec<String> = files.iter().map(|(_, file)| file.clone()).collect();
    let (is_well, said) = script("read_mail.py", &paths);
    assert!(is_well, "{said}");
    let read: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let read: Vec<(String, Value)> = files
        .iter()
        .map(|(name, _)| name.clone())
        .zip(read)
        .collect();
    assert_all(&read, &events);
    if !has("chromium", "--version") {
        skip("there is no chromium");
        return;
    }
    let mut arguments = vec![
        format!("file://{}/", folder.path().display()),
        "--mails".to_owned(),
    ];
    arguments.extend(wishes(&["shots"]));
    arguments.extend(files.iter().map(|(name, _)| format!("{name}.html")));
    let (is_well, said) = script("web_pages.py", &arguments);
    assert!(is_well, "{said}");
}
