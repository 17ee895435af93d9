//! `[archive]`: a web archive saves the page of a change, and no alert waits for it.

use serde_json::json;

use crate::support::{Home, PATIENCE, Page, Server, eventually, rss};

fn article(text: &str) -> Page {
    Page::html(format!(
        "<html><head><title>Bridge</title></head><body><article><h1>The bridge</h1><p>{text}</p>\
         <p>The council met on Monday and heard the engineers on the state of the old bridge over the river.</p>\
         <p>Repairs are to begin in spring, and the ferry runs until then every day from six to ten.</p>\
         </article></body></html>"
    ))
}

#[test]
fn the_page_of_a_change_is_archived_and_the_change_leads_to_it() {
    let publisher = Server::start();
    let archive = Server::start();
    let json = |value: &serde_json::Value| Page::new(200, "application/json", value.to_string());
    archive.set(
        "POST /save",
        json(&json!({ "url": "x", "job_id": "spn2-1a" })),
    );
    let link = publisher.url("/bridge");
    archive.set(
        "/save/status/spn2-1a",
        json(&json!({ "status": "success", "timestamp": "20261202171133", "original_url": link })),
    );
    let feed = |title: &str, link: &str| Page::rss(rss(&[("1", link, title, "A text.")]));
    publisher.set("/a.xml", feed("The bridge closes", &link));
    publisher.set(
        "/own.xml",
        feed("An internal matter", &publisher.url("/own")),
    );
    publisher.set("/bridge", article("The bridge closes in May."));
    publisher.set("/own", article("For subscribers."));
    let (server, a, own) = (
        archive.url(""),
        publisher.url("/a.xml"),
        publisher.url("/own.xml"),
    );
    let home = Home::new(&format!(
        "[archive]\nwayback = true\nserver = \"{server}\"\nkey_env = \"ARCHIVE_KEY\"\n\
         [[feed]]\nurl = \"{a}\"\nname = \"a\"\nevery = \"10s\"\n\
         [[feed]]\nurl = \"{own}\"\nname = \"own\"\nevery = \"10s\"\ntoken_env = \"FEED_TOKEN\"\n"
    ));
    let _daemon = home.daemon_with(&[("ARCHIVE_KEY", "ACCESS:SECRET"), ("FEED_TOKEN", "t")]);
    let asks = |sql: &str| -> i64 {
        let conn = rusqlite::Connection::open(home.db_path()).ok();
        conn.and_then(|conn| conn.query_row(sql, [], |row| row.get(0)).ok())
            .unwrap_or(0)
    };
    eventually(PATIENCE, "both pages are known", || {
        asks("SELECT count(*) FROM entries WHERE page_fp IS NOT NULL") == 2
            && asks("SELECT saved_entry FROM meta") == 2
    });
    publisher.set("/a.xml", feed("The bridge closes in June", &link));
    publisher.set(
        "/own.xml",
        feed("An internal matter, settled", &publisher.url("/own")),
    );
    eventually(PATIENCE, "both changes are known", || {
        asks("SELECT count(*) FROM changes") == 2
    });
    let number =
        asks("SELECT number FROM changes JOIN feeds ON feeds.id = feed_id WHERE name = 'a'");
    let shown = || -> serde_json::Value {
        let shown = home.ok(&["show", &number.to_string(), "--json"]);
        serde_json::from_str(&shown).expect("JSON")
    };
    eventually(PATIENCE, "the page is archived", || {
        shown()["archived"]["address"].is_string()
    });
    let address = format!("{server}/web/20261202171133/{link}");
    assert_eq!(shown()["archived"]["address"], json!(address));
    assert!(
        home.ok(&["show", &number.to_string()])
            .contains(&format!("archived: {address}"))
    );
    let saves = archive.hooks();
    let asked: Vec<_> = saves
        .iter()
        .map(|save| String::from_utf8_lossy(&save.body))
        .collect();
    assert_eq!(saves.len(), 1, "{asked:?}");
    assert_eq!(saves[0].headers["authorization"], "LOW ACCESS:SECRET");
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&saves[0].body)
        .into_owned()
        .collect();
    assert_eq!(form[0], ("url".to_owned(), link.clone()));

    // The next event of the article names the snapshot.
    publisher.set("/a.xml", feed("The bridge closes in July", &link));
    eventually(PATIENCE, "the next change is known", || {
        asks("SELECT count(*) FROM changes") == 3
    });
    let events = home.events();
    let last = events.last().expect("an event");
    assert_eq!(last["data"]["entry"]["archive"], json!(address));
}

#[test]
fn archiving_needs_a_key() {
    let home = Home::new("[archive]\nwayback = true\n");
    let ran = home.run(&["config", "check"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("key_file = \"/etc/revisor/archive.key\""),
        "{}",
        ran.stderr
    );
}
