//! Feed files from public test suites, and files made to break parsers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use revisor::inspect;
use revisor::{extract, feed};
use serde_json::{Map, Value, json};

use super::folder::{Corpora, bytes, files, text, write_lines};
use super::{at_least, say};

#[test]
fn feeds_of_public_test_suites_are_read() {
    let Some(corpora) = Corpora::find() else {
        return;
    };
    let folder = corpora.unpacked("feeds/files.tar.xz");
    let list = text(&corpora.data("feeds/list.tsv"));
    let read: Vec<Value> = list
        .lines()
        .map(|line| {
            let mut columns = line.split('\t');
            let (id, path) = (columns.next().unwrap(), columns.next().unwrap());
            let content_type = columns.next().filter(|kind| !kind.is_empty());
            as_scored(id, &bytes(&folder.path().join(path)), content_type)
        })
        .collect();
    let answers = folder.path().join("read.jsonl");
    write_lines(&answers, &read);
    let gold = corpora.data("feeds/gold.feedparser.jsonl");
    let score = corpora.score(
        "score_feeds.py",
        &[gold.as_ref(), answers.as_ref(), "--json".as_ref()],
    );
    let sets: Map<String, Value> = serde_json::from_str(&score).expect("the score is JSON");
    let count = |name: &str| -> f64 { sets.values().filter_map(|set| set[name].as_f64()).sum() };
    let share = |of: &str, among: &str| count(of) / count(among);
    at_least("feeds that parse", share("parse_ok", "feeds"), 0.993);
    at_least("feeds with entries", share("has_entries", "g_ent"), 0.99);
    at_least("titles", share("title", "g_title"), 0.99);
    at_least("links", share("link", "g_link"), 0.98);
    at_least("dates", share("date", "g_date"), 0.985);
    // The reference accepts none of these, but each was checked by hand and is a feed.
    assert!(count("false_feed") <= 6.0, "{score}");
}

/// A feed, in the form that the scorer expects.
fn as_scored(id: &str, body: &[u8], content_type: Option<&str>) -> Value {
    let feed = match feed::parse(body, content_type, "", &feed::Limits::default()) {
        Ok(feed) => inspect::feed_json(&feed),
        Err(error) => return json!({"id": id, "ok": false, "error": error.to_string()}),
    };
    let entries: Vec<Value> = feed
        .entries
        .iter()
        .map(|entry| {
            json!({
                "id": entry.id, "title": entry.title, "link": entry.url,
                "published": entry.published, "updated": entry.updated,
                "summary": entry.summary_text, "content": entry.content_text,
            })
        })
        .collect();
    json!({"id": id, "ok": true, "feed": {"title": feed.title, "entries": entries}})
}

#[test]
fn files_made_to_break_parsers_break_nothing() {
    let Some(corpora) = Corpora::find() else {
        return;
    };
    let folder = corpora.unpacked("hostile-files/files.tar.xz");
    let hostile = files(folder.path());
    assert!(hostile.len() > 50, "only {} files", hostile.len());
    let broken: Vec<&Path> = hostile
        .iter()
        .map(AsRef::as_ref)
        .filter(|path| {
            let body = bytes(path);
            let read = || {
                let _ = feed::parse(&body, None, "", &feed::Limits::default());
                let _ = extract::article(&body, None, Some("https://news.example/1"));
            };
            catch_unwind(AssertUnwindSafe(read)).is_err()
        })
        .collect();
    say(&format!("files made to break parsers: {}", hostile.len()));
    assert!(broken.is_empty(), "{broken:?}");
}
