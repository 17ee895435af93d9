//! Pages of real sites: which text they have, and whether it was edited between two checks.

use std::path::Path;
use std::process::Command;

use revisor::extract;
use revisor::inspect;
use serde_json::{Map, Value, json};

use super::folder::{Corpora, text, write_lines};
use super::{at_least, sample, say};

/// The share of pages without an edit that may be reported. The aim is one in a hundred; three of the four that are
/// reported are edits of punctuation or headings that the tool of the markers does not see.
const FALSE_ALARMS: f64 = 0.015;

/// The share of the edits that must be found. Two of the 44 are a table of contents that came with a new design.
const FOUND: f64 = 0.95;

#[test]
fn an_edit_of_a_page_is_told_and_its_furniture_is_not() {
    let Some(corpora) = Corpora::find() else {
        return;
    };
    let folder = corpora.unpacked("page-pairs/pages.tar.xz");
    let pages = folder.path().join("pages");
    let pairs = corpora.lines("page-pairs/pairs.jsonl");
    let (edited, quiet): (Vec<Value>, Vec<Value>) = pairs
        .into_iter()
        .partition(|pair| pair["text_changed"] == true);
    let edited = sample("pairs of pages with an edit", edited, 2);
    let quiet = sample("pairs of pages without an edit", quiet, 5);
    let missed = names(&edited, |pair| !is_told(&pages, pair));
    let alarms = names(&quiet, |pair| is_told(&pages, pair));
    say(&format!("missed: {missed:?}, false alarms: {alarms:?}"));
    let allowed = |share: f64, among: usize| {
        // A sample may happen to contain one that the full set is allowed.
        let share = share * among as f64 + if cfg!(debug_assertions) { 1.0 } else { 0.0 };
        share.floor()
    };
    assert!(
        missed.len() as f64 <= allowed(1.0 - FOUND, edited.len()),
        "missed {missed:?}"
    );
    assert!(
        alarms.len() as f64 <= allowed(FALSE_ALARMS, quiet.len()),
        "false alarms {alarms:?}"
    );
}

fn names(pairs: &[Value], wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    pairs
        .iter()
        .filter(|pair| wanted(pair))
        .map(|pair| pair["id"].to_string())
        .collect()
}

/// Whether `diff --files` says that a target would get an alert about the difference of two pages.
fn is_told(pages: &Path, pair: &Value) -> bool {
    let page = |side: &str| pages.join(pair[side].as_str().expect("the name of a file"));
    let output = Command::new(env!("CARGO_BIN_EXE_revisor"))
        .args(["diff", "--json", "--files"])
        .args([page("old"), page("new")])
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{pair}: {output:?}");
    let diff: Value = serde_json::from_slice(&output.stdout).expect("diff --json prints JSON");
    // People marked words. An edit that only changes where a link leads is not in their data, but one of an address
    // that is read in the text is.
    let has_words = diff["words"]["added"] != 0 || diff["words"]["removed"] != 0;
    let labels = diff["labels"].as_array().cloned().unwrap_or_default();
    let counts = |label: &Value| match label.as_str() {
        Some("date") => false,
        Some("link") => has_words,
        _ => true,
    };
    diff["equal"] == false && diff["significance"] != "typographic" && labels.iter().any(counts)
}

#[test]
fn the_text_of_an_article_is_what_a_person_marks() {
    let Some(corpora) = Corpora::find() else {
        return;
    };
    let folder = corpora.unpacked("articles/html.tar");
    let gold = text(&corpora.data("articles/ground-truth.json"));
    let mut gold: Map<String, Value> = serde_json::from_str(&gold).expect("the gold is JSON");
    let list = text(&corpora.data("articles/list.tsv"));
    let list = sample("articles", list.lines().collect(), 4);
    let mut answers = Vec::new();
    for line in &list {
        let mut columns = line.split('\t');
        let (id, path) = (columns.next().unwrap(), columns.next().unwrap());
        let page = unzipped(&folder.path().join(path));
        let article = inspect::article_json(&extract::article(&page, None, columns.next()));
        answers.push(json!({"id": id, "text": article.text}));
    }
    gold.retain(|id, _| answers.iter().any(|answer| answer["id"] == id.as_str()));
    let (gold_file, file) = (
        folder.path().join("gold.json"),
        folder.path().join("articles.jsonl"),
    );
    std::fs::write(&gold_file, Value::from(gold).to_string()).expect("a file");
    write_lines(&file, &answers);
    let score = corpora.score("score_extract.py", &[gold_file.as_ref(), file.as_ref()]);
    // A heading, then "articles  0.977 ±0.003 …".
    let reached = score
        .lines()
        .nth(1)
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    at_least("text of articles, F1", reached.expect("a score"), 0.968);
}

fn unzipped(path: &Path) -> Vec<u8> {
    let output = Command::new("gzip")
        .arg("-dc")
        .arg(path)
        .output()
        .expect("gzip runs");
    assert!(output.status.success(), "{}", path.display());
    output.stdout
}
