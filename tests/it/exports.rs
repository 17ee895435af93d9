//! Histories for other programs: every export has every change in full.

use std::io::Read as _;
use std::process::Command;

use revisor::domain::state::EntryState;

use crate::support::{Home, Server, rss, skip};

const FIRST: &str =
    "The minister denies the report. The bridge stays closed until May, the town said on Monday.";
const SECOND: &str = "The minister confirms the report. The bridge stays closed until June, the town said on Monday.";
const THIRD: &str =
    "The minister confirms the report. The bridge is open again, the town said on Friday.";

/// A feed of two articles, one of which was changed twice.
fn history() -> (Server, Home) {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"../evil name\"\ntags = [\"town\"]\n",
        publisher.url("/feed.xml")
    ));
    for text in [FIRST, SECOND, THIRD] {
        write(&publisher, text);
        home.check();
    }
    (publisher, home)
}

fn write(publisher: &Server, text: &str) {
    let other = "Nothing ever changes in this article about the weather on the coast.";
    let items = [
        ("1", "https://news.example/a/1", "Bridge and report", text),
        ("2", "https://news.example/a/2", "Weather", other),
    ];
    publisher.set("/feed.xml", crate::support::Page::rss(rss(&items)));
}

#[test]
fn the_table_has_a_row_for_each_change_with_what_went_and_came() {
    let (_publisher, home) = history();
    let file = home.path().join("changes.csv").display().to_string();
    home.ok(&["export", "csv", "-o", &file]);
    let table = std::fs::read_to_string(&file).expect("a table");
    assert_eq!(table, home.ok(&["export", "csv"]));
    let rows: Vec<&str> = table.split("\r\n").filter(|row| !row.is_empty()).collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(
        rows[1].contains("The minister denies the report."),
        "{table}"
    );
    assert!(
        rows[1].contains("The minister confirms the report."),
        "{table}"
    );
    assert!(
        rows[2].contains("until June") && rows[2].contains("open again"),
        "{table}"
    );
    assert!(
        rows.iter().skip(1).all(|row| row.ends_with(",yes")),
        "{table}"
    );
    // A second export into the same file would leave half of each.
    let again = home.run(&["export", "csv", "-o", &file]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(
        again.stderr.contains("never overwritten"),
        "{}",
        again.stderr
    );
    assert_eq!(
        home.ok(&["export", "csv", "--until", "2000-01-01"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn revisions_as_json_are_the_states_that_are_stored() {
    let (_publisher, home) = history();
    let text = home.ok(&["export", "ndjson", "--revisions", "--tag", "town"]);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (revisions, events): (Vec<_>, Vec<_>) =
        lines.iter().partition(|line| line["type"] == "revision");
    assert_eq!((revisions.len(), events.len()), (4, 2), "{text}");
    let bodies: Vec<String> = revisions
        .iter()
        .map(|line| {
            let state: EntryState = serde_json::from_value(line["state"].clone()).expect("a state");
            state.feed.expect("a feed").summary[0].text.clone()
        })
        .collect();
    for text in [FIRST, SECOND, THIRD] {
        assert!(bodies.iter().any(|body| body == text), "{bodies:?}");
    }
    assert_eq!(events[0]["type"], "entry.revised");
    let changes: Vec<_> = revisions
        .iter()
        .filter_map(|line| line["change"].as_i64())
        .collect();
    assert_eq!(changes, [1, 2]);
}

#[test]
fn a_repository_tells_the_story_and_is_continued() {
    if Command::new("git").arg("--version").output().is_err() {
        skip("git is not installed");
        return;
    }
    let (publisher, home) = history();
    let place = home.path().join("history");
    let into = place.display().to_string();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(&place)
            .args(arguments)
            .output();
        let output = output.expect("git");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    home.ok(&["export", "git", "--into", &into]);
    git(&["fsck", "--strict"]);
    assert_eq!(git(&["log", "--format=%h"]).lines().count(), 4);
    assert_eq!(git(&["status", "--short"]), "");
    let files = git(&["ls-files"]);
    assert_eq!(files.lines().count(), 2, "{files}");
    assert!(
        files
            .lines()
            .all(|file| file.starts_with("feeds/__") && !file.contains("..")),
        "{files}"
    );
    let story = git(&["log", "-p", "--word-diff=plain", "--format=%s"]);
    assert!(story.contains("[-denies-]{+confirms+}"), "{story}");
    assert!(
        story.contains("Changed summary: Bridge and report"),
        "{story}"
    );

    // A second run writes nothing twice.
    let ran = home.run(&["export", "git", "--into", &into]);
    assert!(
        ran.stderr.contains("has every revision already"),
        "{}",
        ran.stderr
    );
    write(
        &publisher,
        "The minister regrets the report. The bridge is open again, the town said on Friday.",
    );
    home.check();
    home.ok(&["export", "git", "--into", &into]);
    git(&["fsck", "--strict"]);
    assert_eq!(git(&["log", "--format=%h"]).lines().count(), 5);
    assert_eq!(
        git(&["log", "--format=%h", "refs/heads/main"])
            .lines()
            .count(),
        5
    );
    let file = git(&["log", "-1", "--name-only", "--format="]);
    let blame = git(&["blame", "--line-porcelain", file.trim()]);
    assert!(
        blame.contains("Changed summary: Bridge and report"),
        "{blame}"
    );

    // A stream without a repository has the same history.
    let stream = home.ok(&["export", "git"]);
    assert_eq!(
        stream.matches("\ncommit refs/heads/main\n").count() + 1,
        5 + 1,
        "{stream}"
    );
    assert!(stream.ends_with("done\n"));

    let other = Home::new("");
    let wrong = home.path().display().to_string();
    let ran = home.run(&["export", "git", "--into", &wrong]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("is not a repository of"),
        "{}",
        ran.stderr
    );
    drop(other);
}

/// The records of an archive, each with its header and its block.
fn records(packed: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .expect("gzip");
    let (mut records, mut rest) = (Vec::new(), bytes.as_slice());
    while !rest.is_empty() {
        let end = rest
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("the end of a head");
        let head = String::from_utf8(rest[..end].to_vec()).expect("text");
        assert!(head.starts_with("WARC/1.1\r\n"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.expect("a length").parse().expect("a number");
        let block = rest[end + 4..end + 4 + length].to_vec();
        assert_eq!(
            &rest[end + 4 + length..end + 8 + length],
            b"\r\n\r\n",
            "{head}"
        );
        rest = &rest[end + 8 + length..];
        records.push((head, block));
    }
    records
}

#[test]
fn the_archive_has_every_response_once() {
    let (publisher, home) = history();
    // The first text again: its bytes are already stored.
    write(&publisher, FIRST);
    home.check();
    let file = home.path().join("all.warc.gz");
    home.ok(&["export", "warc", "-o", &file.display().to_string()]);
    let records = records(&std::fs::read(&file).expect("an archive"));
    let of = |kind: &str| -> Vec<&(String, Vec<u8>)> {
        let kind = format!("WARC-Type: {kind}\r\n");
        records
            .iter()
            .filter(|(head, _)| head.contains(&kind))
            .collect()
    };
    assert_eq!(of("warcinfo").len(), 1);
    assert_eq!(
        (
            of("response").len(),
            of("revisit").len(),
            of("request").len()
        ),
        (3, 1, 4)
    );
    for (text, (head, block)) in [FIRST, SECOND, THIRD].into_iter().zip(of("response")) {
        assert!(
            head.contains(&format!("WARC-Target-URI: {}", publisher.url("/feed.xml"))),
            "{head}"
        );
        let block = String::from_utf8(block.clone()).expect("text");
        let (http, body) = block.split_once("\r\n\r\n").expect("a head and a body");
        assert!(http.starts_with("HTTP/1.1 200"), "{http}");
        assert!(
            http.contains(&format!("Content-Length: {}", body.len())),
            "{http}"
        );
        assert!(body.contains(text), "{body}");
    }
    assert!(of("revisit")[0].0.contains("WARC-Refers-To-Date: "));
    assert!(
        of("request")[0]
            .1
            .starts_with(b"GET /feed.xml HTTP/1.1\r\n")
    );
    let mut names: Vec<&str> = records
        .iter()
        .filter_map(|(head, _)| head.lines().find(|line| line.starts_with("WARC-Record-ID")))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), records.len(), "two records of one name");
}

/// The files below a folder.
fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for found in std::fs::read_dir(folder).expect("a folder") {
        let path = found.expect("a file").path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn the_site_is_complete_in_its_folder_and_brought_up_to_date() {
    let (publisher, home) = history();
    let folder = home.path().join("public");
    let place = folder.display().to_string();
    let export = || home.run(&["export", "site", &place]);
    let made = export();
    assert_eq!(made.code, Some(0), "{made:?}");
    let files = files_below(&folder);
    // Lists, feeds, two articles with four revisions and two comparisons, two changes, style, icon and mark.
    assert_eq!(files.len(), 4 + 2 + 4 + 2 + 2 + 3, "{files:#?}");
    let mut links = 0;
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|it| it == "html"))
    {
        let text = std::fs::read_to_string(file).expect("a page");
        assert!(
            !text.contains("<script") && !text.contains("<form"),
            "{text}"
        );
        for link in text.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            if link.starts_with("https://news.example/") || link.starts_with('#') {
                continue;
            }
            let target = file.parent().expect("a folder").join(link);
            let target = target.canonicalize().unwrap_or_else(|error| {
                panic!("{}: {link}: {error}", file.display());
            });
            assert!(
                target.starts_with(folder.canonicalize().expect("the folder")),
                "{link}"
            );
            links += 1;
        }
    }
    assert!(links > 50, "{links}");
    let index = std::fs::read_to_string(folder.join("index.html")).expect("the first page");
    assert!(
        index.contains("<ins>") && index.contains("is open again"),
        "{index}"
    );

    let again = export();
    assert!(again.stderr.contains("Wrote 0 of 16 files"), "{again:?}");
    write(&publisher, FIRST);
    home.check();
    let later = export();
    assert_eq!(later.code, Some(0), "{later:?}");
    assert!(folder.join("c/3.html").exists());

    let other = home.path().display().to_string();
    let refused = home.run(&["export", "site", &other]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("has other files"), "{refused:?}");
}
