//! `mv`: a feed keeps its history under a new address.

use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

fn two_entries(publisher: &Server, paths: &[&str]) {
    let items = [
        ("1", "https://e.example/1", "A headline", "Some words."),
        ("2", "https://e.example/2", "Another one", "More words."),
    ];
    for path in paths {
        publisher.set(path, Page::rss(rss(&items)));
    }
}

fn count(home: &Home, sql: &str) -> i64 {
    let conn = rusqlite::Connection::open(home.db_path()).expect("the database");
    conn.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn configured(url: &str) -> String {
    format!(
        "# Ours.\n[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{url}\"   # odd\nname = \"courier\"\n"
    )
}

#[test]
fn configuration_and_history_move_together() {
    let publisher = Server::start();
    two_entries(&publisher, &["/old", "/new"]);
    let (old, new) = (publisher.url("/old"), publisher.url("/new"));
    let home = Home::new(&configured(&old));
    home.check();
    let moved: Value = serde_json::from_str(&home.ok(&["mv", "courier", &new, "--json"])).unwrap();
    assert_eq!(moved["entries"], 2, "{moved}");
    let text = std::fs::read_to_string(home.config_path()).unwrap();
    assert!(text.ends_with(&configured(&new)), "{text}");
    assert_eq!(home.check()["feeds"][0]["new"], 0, "nothing begins anew");
    assert_eq!(count(&home, "SELECT count(*) FROM feeds"), 1);
    assert!(home.run(&["doctor"]).stdout.contains("1 of 1"));

    for (arguments, error) in [
        (["mv", "nobody", new.as_str()], "no feed `nobody`"),
        (
            ["mv", "courier", "another name"],
            "not an http or https address",
        ),
        (["mv", "courier", new.as_str()], "already has that address"),
    ] {
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(error), "{}", ran.stderr);
    }
    // A new address that is refused changes neither the configuration nor the database.
    let text = std::fs::read_to_string(home.config_path()).unwrap();
    assert_eq!(home.run(&["mv", "courier", "https://"]).code, Some(2));
    assert_eq!(std::fs::read_to_string(home.config_path()).unwrap(), text);
    assert_eq!(
        count(&home, "SELECT count(*) FROM feeds WHERE url LIKE '%/new'"),
        1
    );
}

#[test]
fn an_address_that_was_edited_by_hand_is_noticed_and_its_history_follows() {
    let publisher = Server::start();
    two_entries(&publisher, &["/feed", "/feed/"]);
    let (old, new) = (publisher.url("/feed"), publisher.url("/feed/"));
    let home = Home::new(&configured(&old));
    home.check();
    home.configure(&configured(&new));
    let ran = home.run(&["check", "--force"]);
    let command = format!("revisor mv {old} {new}");
    let doctor = home.run(&["doctor"]).stdout;
    assert!(doctor.contains(&command), "{doctor}\n{}", ran.stderr);

    let ran = home.run(&["mv", &old, &new]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("is kept as"), "{}", ran.stderr);
    // Nothing is lost: the entries of the new feed are kept, but inactive.
    assert_eq!(count(&home, "SELECT count(*) FROM entries"), 4);
    let first = "SELECT count(*) FROM entries JOIN feeds ON feeds.id = feed_id WHERE feeds.id = 1 AND active = 1";
    assert_eq!(count(&home, first), 2);
    assert_eq!(home.check()["feeds"][0]["new"], 0);
    assert!(!home.run(&["doctor"]).stdout.contains("revisor mv"));
    // A second run: there is nothing left to move.
    assert_eq!(home.run(&["mv", &old, &new]).code, Some(2));
    let verified = home.ok(&["db", "verify"]);
    assert!(!verified.is_empty());
}

#[test]
fn adding_another_form_of_an_address_with_a_history_says_how_to_keep_it() {
    let publisher = Server::start();
    two_entries(&publisher, &["/feed", "/feed/"]);
    let (old, new) = (publisher.url("/feed"), publisher.url("/feed/"));
    let home = Home::new(&configured(&old));
    home.check();
    home.ok(&["rm", "courier"]);
    let added = home.run(&["add", &new]);
    assert!(
        added.stderr.contains(&format!("revisor mv {old} {new}")),
        "{}",
        added.stderr
    );
}

#[test]
fn status_tells_of_an_address_that_was_edited_by_hand() {
    let publisher = Server::start();
    two_entries(&publisher, &["/feed", "/feed/"]);
    let (old, new) = (publisher.url("/feed"), publisher.url("/feed/"));
    let home = Home::new(&configured(&old));
    home.check();
    let hint = format!("revisor mv {old} {new}");
    assert!(!home.ok(&["status"]).contains("revisor mv"));
    let text = std::fs::read_to_string(home.config_path()).expect("the configuration");
    std::fs::write(home.config_path(), text.replace(&old, &new)).expect("an edit");
    home.check();
    let status = home.ok(&["status"]);
    assert!(status.contains(&hint), "{status}");
    let status: Value = serde_json::from_str(&home.ok(&["status", "--json"])).expect("JSON");
    assert_eq!(status["feeds"]["alike"][0]["feed"], "courier");
    home.ok(&["mv", &old, &new]);
    assert!(!home.ok(&["status"]).contains("revisor mv"));
}
