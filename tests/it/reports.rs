//! `revisor report`, with the real binary.

use crate::support::{Home, Page, Server, rss};

fn home_with_a_change(publisher: &Server) -> Home {
    let item =
        |title: &'static str| Page::rss(rss(&[("1", "https://e.example/1", title, "A text.")]));
    publisher.set("/a.xml", item("The minister denies the report"));
    publisher.set("/down.xml", Page::status(503));
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\ntags = [\"city\"]\n\
         [[feed]]\nurl = \"{}\"\nname = \"down\"\n",
        publisher.url("/a.xml"),
        publisher.url("/down.xml"),
    ));
    home.check();
    publisher.set("/a.xml", item("The minister confirms the report"));
    home.check();
    home
}

#[test]
fn a_report_has_the_change_and_the_feed_that_was_not_read() {
    let publisher = Server::start();
    let home = home_with_a_change(&publisher);
    let text = home.ok(&["report"]);
    for wanted in [
        "1 change in 1 article, 1 new headline",
        "The minister [-denies-]{+confirms+} the report",
        "(UTC)",
        "1 of 2 feeds not read as scheduled.",
        "down: failing, 2 polls failed",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in\n{text}");
    }
    let markdown = home.ok(&["report", "--format", "md", "--by", "tag"]);
    assert!(
        markdown.contains("The minister ~~denies~~**confirms** the report"),
        "{markdown}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&home.ok(&["report", "--json"])).expect("JSON");
    assert_eq!(json["totals"]["headlines"], 1);
    assert_eq!(json["changes"][0]["data"]["number"], 1);
    assert_eq!(json["coverage"]["feeds_ok"], 1);
    // The filters are those of `log`.
    assert!(
        home.ok(&["report", "--feed", "down"])
            .contains("No changes.")
    );
    assert!(
        home.ok(&["report", "--until", "1h"])
            .contains("No changes.")
    );
    assert_eq!(
        home.run(&["report", "--since", "1h", "--until", "2h"]).code,
        Some(2)
    );
    assert_eq!(home.run(&["report", "--format", "csv"]).code, Some(2));
}

#[test]
fn an_html_report_is_one_file_that_is_replaced_as_a_whole() {
    let publisher = Server::start();
    let home = home_with_a_change(&publisher);
    let file = home.path().join("week.html");
    let name = file.display().to_string();
    for _ in 0..2 {
        assert_eq!(
            home.ok(&["report", "--since", "7d", "--format", "html", "-o", &name]),
            ""
        );
    }
    let page = std::fs::read_to_string(&file).expect("the file");
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(
        !page.contains("<script") && !page.contains(" style="),
        "{page}"
    );
    assert!(page.contains("<title>Changes from "), "{page}");
    // A link stays a link, and anything other than a file is written to, not replaced.
    for (target, name) in [
        (file.as_path(), "link.html"),
        (std::path::Path::new("/dev/null"), "null.html"),
    ] {
        let link = home.path().join(name);
        std::os::unix::fs::symlink(target, &link).expect("a link");
        home.ok(&["report", "-o", &link.display().to_string()]);
        assert!(link.is_symlink());
    }
    assert!(
        std::fs::read_to_string(&file)
            .expect("the file")
            .starts_with("Changes from ")
    );
    let nowhere = home.path().join("none/week.html").display().to_string();
    let ran = home.run(&["report", "-o", &nowhere]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("week.html"), "{}", ran.stderr);
}

#[test]
fn a_report_before_the_first_check_says_that_nothing_was_watched() {
    let home = Home::new("[[feed]]\nurl = \"https://news.example/rss\"\nname = \"news\"\n");
    let text = home.ok(&["report"]);
    assert!(
        text.contains("No changes.") && text.contains("news: never read"),
        "{text}"
    );
}

#[test]
fn a_sentence_that_is_gone_is_found_with_the_change_that_took_it() {
    let publisher = Server::start();
    let item = |text: &'static str| {
        Page::rss(rss(&[(
            "1",
            "https://e.example/1",
            "Fire on the pier",
            text,
        )]))
    };
    let before = "The pier is closed. No injuries have been reported, the brigade said. Trains run as usual.";
    let after = "The pier is closed. Two people were hurt, the brigade said. Trains run as usual.";
    publisher.set("/a.xml", item(before));
    let url = publisher.url("/a.xml");
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{url}\"\nname = \"courier\"\n"
    ));
    home.check();
    let found = home.ok(&["search", "injuries"]);
    assert!(
        found.contains("still there: The pier is closed. No injuries have been"),
        "{found}"
    );
    publisher.set("/a.xml", item(after));
    home.check();
    let found = home.ok(&["search", "\"no injuries\""]);
    assert!(
        found.contains("#1 ") && found.contains("removed: No injuries have been reported"),
        "{found}"
    );
    assert!(!found.contains("still there"), "{found}");
    let json: serde_json::Value =
        serde_json::from_str(&home.ok(&["search", "hurt", "--added", "--json"])).expect("JSON");
    assert_eq!(json["index_percent"], 100);
    assert_eq!(json["articles"][0]["changes"][0]["number"], 1);
    assert_eq!(
        json["articles"][0]["changes"][0]["added"][0]["match"],
        "hurt"
    );
    let scanned = home.ok(&["search", "--grep", "injur[a-z]+"]);
    assert!(scanned.contains("removed: No injuries"), "{scanned}");
    assert_eq!(
        home.ok(&["search", "injuries", "--since", "1h", "--feed", "courier"])
            .lines()
            .count(),
        3
    );
    assert_eq!(home.ok(&["search", "injuries", "--until", "1h"]), "");
    for wrong in [
        &["search", "--grep", "("][..],
        &["search", "++"],
        &["search", "x", "--feed", "none"],
    ] {
        assert_eq!(home.run(wrong).code, Some(2), "{wrong:?}");
    }
    home.ok(&["db", "reindex"]);
    assert!(home.ok(&["search", "injuries"]).contains("removed: "));
}

#[test]
fn articles_are_named_as_people_paste_them() {
    let publisher = Server::start();
    let home = home_with_a_change(&publisher);
    let entry = home.events()[0]["data"]["entry"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for what in [
        "https://e.example/1",
        "http://www.e.example/1/?utm_source=mail#top",
        "e.example/1",
        "#1",
        "minister confirms",
        "The minister conf",
        &entry,
        &entry[..8],
    ] {
        let ran = home.run(&["history", what, "--json"]);
        assert_eq!(ran.code, Some(0), "{what}: {}", ran.stderr);
        assert!(ran.stdout.contains(&entry), "{what}: {}", ran.stdout);
    }
    for what in ["e.example/2", "#7", "minister denies"] {
        assert_eq!(home.run(&["history", what]).code, Some(2), "{what}");
    }
    assert_eq!(
        home.ok(&["show", "latest", "--json"]),
        home.ok(&["show", "#1", "--json"])
    );
    let ran = home.run(&["log", "--feed", "curier"]);
    assert!(
        ran.stderr.contains("did you mean `courier`?"),
        "{}",
        ran.stderr
    );

    let listed: serde_json::Value =
        serde_json::from_str(&home.ok(&["entries", "--json"])).expect("JSON");
    assert_eq!(listed[0]["id"], entry.as_str());
    assert_eq!(listed[0]["state"], "listed");
    assert!(
        home.ok(&["entries", "--format", "oneline"])
            .starts_with(&format!("{entry}\t"))
    );
    assert_eq!(home.ok(&["entries", "--removed"]), "");
    assert_eq!(
        home.ok(&["entries", "--not-found", "--feed", "courier"]),
        ""
    );
}

/// `revisor` can read its own feeds of changes, like any feed.
#[test]
fn changes_as_a_feed_can_be_watched_like_any_other() {
    let publisher = Server::start();
    let home = home_with_a_change(&publisher);
    for (format, path) in [("atom", "/changes.atom"), ("jsonfeed", "/changes.json")] {
        let feed = home.ok(&["log", "--format", format]);
        let file = home.path().join(format);
        std::fs::write(&file, &feed).expect("a file");
        let name = file.display().to_string();
        let read: serde_json::Value =
            serde_json::from_str(&home.ok(&["inspect", "feed", &name, "--json"])).expect("JSON");
        let entries = read["entries"].as_array().expect("entries");
        assert_eq!(entries.len(), 1, "{path}: {read}");
        assert!(feed.contains("The minister denies the report"), "{feed}");
        assert_eq!(
            read["repairs"].as_array().map(Vec::len),
            Some(0),
            "{path}: {read}"
        );
    }
}
