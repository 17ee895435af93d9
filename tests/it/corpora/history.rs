//! Versions of real news feeds, replayed in order through the real binary.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::folder::{Corpora, bytes, files, write_lines};
use super::say;
use crate::support::{Home, Page, Server};

/// The feeds, and how many of their first versions are replayed in a build without optimisation.
const PLAYED: [(&str, usize); 2] = [("england", 63), ("home_uk", 60)];

/// Our names of the fields, and those of the corpus.
const FIELDS: [(&str, &str); 2] = [("title", "title"), ("summary", "description")];

#[test]
fn every_edit_of_a_news_feed_is_a_change_and_nothing_else_is() {
    let Some(corpora) = Corpora::find() else {
        return;
    };
    for (name, few) in PLAYED {
        let folder = corpora.unpacked(&format!("feed-history/{name}.tar.xz"));
        let mut versions = files(folder.path());
        let all = versions.len();
        versions.truncate(if cfg!(debug_assertions) { few } else { 400 });
        say(&format!("{name}: {} of {all} versions", versions.len()));
        let server = Server::start();
        let home = Home::new(&format!(
            "[page]\nfetch = \"off\"\n[detect]\nflap_window = \"1s\"\nbulk_edit = 1000\n\
             [[feed]]\nurl = \"{}\"\nname = \"{name}\"\n",
            server.url("/feed.xml")
        ));
        for version in &versions {
            server.set("/feed.xml", Page::rss(bytes(version)));
            let checked = home.check();
            assert_ne!(checked["feeds"][0]["outcome"], "failed", "{version:?}");
        }
        let told = edits(name, &home.events());
        let file = folder.path().join("told.jsonl");
        write_lines(&file, &told);
        let gold = corpora.data("feed-history/events.jsonl");
        let count = versions.len().to_string();
        let score = corpora.score(
            "score_feed_events.py",
            &[
                gold.as_ref(),
                file.as_ref(),
                "--feed".as_ref(),
                name.as_ref(),
                "--max-version".as_ref(),
                count.as_ref(),
                "--show".as_ref(),
                "5".as_ref(),
            ],
        );
        say(&score);
        // "gold 20 pred 20 matched 20  P …"
        let figures: Vec<usize> = score
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .take(3)
            .collect();
        let [gold, told, matched] = figures.as_slice() else {
            panic!("not a score: {score}");
        };
        assert!(*gold > 10, "{name} has hardly any edits: {score}");
        assert!(
            matched * 200 >= gold * 199 && matched * 200 >= told * 199,
            "{name}: {score}"
        );
    }
}

/// The field edits in events, in the form that the scorer expects.
fn edits(feed: &str, events: &[Value]) -> Vec<Value> {
    let mut edits = Vec::new();
    for event in events {
        let data = &event["data"];
        let fields = data["change"]["fields"].as_array();
        for (ours, theirs) in FIELDS {
            if !fields.is_some_and(|fields| fields.iter().any(|field| field == ours)) {
                continue;
            }
            let diff = &data["diff"][ours];
            edits.push(json!({
                "feed": feed, "guid": data["entry"]["guid"], "field": theirs,
                "old": side(diff, "-", "from"), "new": side(diff, "+", "to"),
            }));
        }
    }
    edits
}

/// One side of a diff: the segments of a line, or the blocks in order.
fn side(diff: &Value, sign: &str, number: &str) -> String {
    let Some(blocks) = diff["blocks"].as_array() else {
        return joined(diff, sign);
    };
    let in_order: BTreeMap<u64, String> = blocks
        .iter()
        .filter_map(|block| Some((block[number].as_u64()?, joined(&block["segments"], sign))))
        .collect();
    in_order.into_values().collect::<Vec<String>>().join(" ")
}

fn joined(segments: &Value, sign: &str) -> String {
    segments
        .as_array()
        .expect("segments")
        .iter()
        .filter(|segment| segment[0] == "=" || segment[0] == sign)
        .filter_map(|segment| segment[1].as_str())
        .collect()
}
