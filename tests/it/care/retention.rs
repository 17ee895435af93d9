//! Retention: what is removed, and what stays.

use super::*;

fn kept(home: &Home, channel: &str) -> i64 {
    let conn = Connection::open(home.db_path()).unwrap();
    conn.query_row(
        "SELECT count(body_id) FROM captures WHERE channel = ?1",
        [channel],
        |row| row.get(0),
    )
    .unwrap()
}

#[test]
fn retention_takes_bodies_and_leaves_hashes_headers_and_dates() {
    let (_publisher, home) = lived("captures = \"90d\"");
    let whole = (kept(&home, "feed"), kept(&home, "page"));
    assert!(whole.0 >= 3 && whole.1 >= 3, "{whole:?}");
    assert_eq!(home.ok(&["db", "prune"]), "nothing to delete\n");
    // By age.
    execute(
        &home,
        "UPDATE captures SET fetched_at = fetched_at - 8000000000 WHERE id = 1",
    );
    let would: Value = serde_json::from_str(&home.ok(&["db", "prune", "-n", "--json"])).unwrap();
    assert_eq!(would["captures"], 1);
    assert!(would["bytes"].as_u64().unwrap() > 0);
    assert_eq!(kept(&home, "feed"), whole.0, "a dry run drops nothing");
    home.ok(&["db", "prune"]);
    assert_eq!(kept(&home, "feed"), whole.0 - 1);
    let conn = Connection::open(home.db_path()).unwrap();
    let left: (String, i64) = conn
        .query_row(
            "SELECT headers, length(body_sha256) FROM captures WHERE id = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert!(left.0.contains("content-type"));
    assert_eq!(left.1, 32);
    drop(conn);
    // The time when it was received is part of the chain.
    let (code, report) = verify(&home);
    assert_eq!(code, Some(5), "{report:#}");
    execute(
        &home,
        "UPDATE captures SET fetched_at = fetched_at + 8000000000 WHERE id = 1",
    );
    let (code, report) = verify(&home);
    assert_eq!(code, Some(0), "{report:#}");
    // The feed no longer has it, but its history is complete.
    assert_eq!(Some(home.events().len() as u64), report["changes"].as_u64());
}

#[test]
fn a_page_that_brought_nothing_is_not_kept() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let url = publisher.url("/a");
    for (short, nonce) in [
        ("The council agrees.", 1),
        ("The council does not agree.", 2),
    ] {
        publisher.set(
            "/feed.xml",
            Page::rss(rss(&[("1", &url, "Harbour", short)])),
        );
        publisher.set(
            "/a",
            Page::html(format!(
                "<!DOCTYPE html><html><head><title>x</title></head><body><article><h1>Harbour</h1><p>The harbour will \
                 cost 15 million, said the mayor on Monday evening, and nothing else.</p></article><!-- {nonce} --></body></html>"
            )),
        );
        home.check();
    }
    assert_eq!(home.events().len(), 1);
    assert_eq!((kept(&home, "feed"), kept(&home, "page")), (2, 1));
}

#[test]
fn the_daemon_applies_retention_by_itself() {
    let (_publisher, home) = lived("captures = \"1\"\nrevisions = \"1\"");
    assert!(kept(&home, "page") > 1);
    assert!(texts(&home) > 1);
    let mut daemon = home.daemon();
    eventually(PATIENCE, "the daemon drops old answers", || {
        kept(&home, "page") == 1 && kept(&home, "feed") == 1 && texts(&home) == 1
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    let (code, report) = verify(&home);
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn a_clock_that_leapt_ahead_makes_nothing_old() {
    let (_publisher, home) = lived("captures = \"90d\"\nrevisions = \"1y\"");
    let whole = (kept(&home, "feed"), kept(&home, "page"), texts(&home));
    let years = 10 * 365 * 86_400_000_i64;
    let all_at = |moved: i64| {
        execute(
            &home,
            &format!("UPDATE captures SET fetched_at = fetched_at - {moved}"),
        );
        execute(
            &home,
            &format!("UPDATE revisions SET seen_at = seen_at - {moved}"),
        );
    };
    let unharmed = |after: &str| {
        let now = (kept(&home, "feed"), kept(&home, "page"), texts(&home));
        assert_eq!(now, whole, "{after}");
    };
    // Moves the past instead of the clock; to the program both look the same.
    all_at(years);
    let ran = home.run(&["db", "prune"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("--trust-clock"), "{}", ran.stderr);
    unharmed("db prune");
    let mut daemon = home.daemon();
    let reserve = home.db_path().with_extension("db.reserve");
    eventually(PATIENCE, "the daemon has taken care", || reserve.exists());
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    unharmed("the care of the daemon");

    // Later responses from servers that report a different time.
    all_at(-years);
    execute(
        &home,
        r#"UPDATE captures SET headers = '[["date","Tue, 03 Nov 2020 10:00:00 GMT"]]'"#,
    );
    let ran = home.run(&["db", "prune"]);
    assert!(
        ran.stderr.contains("differs from those of the servers"),
        "{}",
        ran.stderr
    );
    all_at(years);
    home.ok(&["db", "prune", "--trust-clock"]);
    assert_eq!((kept(&home, "feed"), kept(&home, "page")), (0, 0));
}

/// How many revisions still have their text.
fn texts(home: &Home) -> i64 {
    let conn = Connection::open(home.db_path()).unwrap();
    conn.query_row(
        "SELECT count(*) FROM states WHERE dropped_at IS NULL AND length(body) > 0",
        [],
        |row| row.get(0),
    )
    .unwrap()
}

#[test]
fn retention_takes_old_texts_and_leaves_the_chain_the_changes_and_the_returns() {
    let (publisher, home) = lived("revisions = \"1y\"");
    let all = texts(&home);
    let before = home.events();
    assert_eq!(home.ok(&["db", "prune"]), "nothing to delete\n");
    let prune = |keep: &str, args: &[&str]| -> Value {
        let old = std::fs::read_to_string(home.config_path()).unwrap();
        let line = old
            .lines()
            .find(|line| line.starts_with("revisions"))
            .unwrap();
        let new = old.replace(line, &format!("revisions = \"{keep}\""));
        std::fs::write(home.config_path(), new).unwrap();
        let mut all = vec!["db", "prune", "--json"];
        all.extend(args);
        serde_json::from_str(&home.ok(&all)).unwrap()
    };
    let would = prune("2", &["-n"]);
    assert!(would["text_bytes"].as_u64().unwrap() > 0, "{would}");
    assert_eq!(texts(&home), all, "a dry run drops nothing");
    let did = prune("2", &[]);
    assert_eq!(did["texts"], would["texts"]);
    assert_eq!(texts(&home), 2);
    prune("1", &[]);
    assert_eq!(texts(&home), 1);

    let (code, report) = verify(&home);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["changes"], 0, "no change has both of its texts");
    assert_eq!(report["dropped"].as_i64(), Some(all - 1));
    assert_eq!(home.events(), before, "the changes are all there");
    let url = publisher.url("/a");
    assert!(home.ok(&["history", &url]).contains("(text not kept)"));
    let gone = home.run(&["diff", &url, "1..2"]);
    assert_eq!(gone.code, Some(2));
    assert!(gone.stderr.contains("has been deleted"), "{}", gone.stderr);

    // A return to a deleted text is still recognised, and the text is stored again.
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[(
            "1",
            &url,
            "Harbour may be rebuilt",
            "The council does not agree.",
        )])),
    );
    home.check();
    let events = home.events();
    let told: Vec<&Value> = events
        .iter()
        .filter(|event| !before.contains(event))
        .collect();
    let returns = |event: &&&Value| {
        event["type"] == "entry.revised" && event["data"]["change"]["revert_of"].is_number()
    };
    assert_eq!(told.iter().filter(returns).count(), 1, "{told:#?}");
    let (code, report) = verify(&home);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["changes"], 1);
}
