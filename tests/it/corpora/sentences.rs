//! Sentences that authors edited, in which a person marked the edited words.

use revisor::domain::diff::{Segment, as_read, diff_blocks};
use revisor::domain::state::Block;
use serde_json::{Map, Value, json};

use super::at_least;
use super::folder::{Corpora, text, write_lines};

#[test]
fn the_words_that_changed_are_the_words_that_a_person_marks() {
    let Some(corpora) = Corpora::find() else {
        return;
    };
    let gold = corpora.data("sentence-edits/edits.train.json");
    let pairs: Map<String, Value> = serde_json::from_str(&text(&gold)).expect("the pairs are JSON");
    let answers: Vec<Value> = pairs
        .iter()
        .map(|(id, pair)| {
            let side = |name: &str| pair[name].as_str().expect("a sentence").to_owned();
            let (old, new) = changed_words(&side("sentence-1"), &side("sentence-2"));
            json!({"id": format!("edits.train.json:{id}"), "old": old, "new": new})
        })
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("spans.jsonl");
    write_lines(&file, &answers);
    let score = corpora.score(
        "score_spans.py",
        &[gold.as_ref(), "--pred".as_ref(), file.as_ref()],
    );
    // "pairs 595 changed-token P/R/F1 0.9 0.9 0.9  exact-span P/R/F1 0.7 0.7 0.7"
    let figures: Vec<f64> = score
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [_, _, _, words, _, _, spans] = figures.as_slice() else {
        panic!("not a score: {score}");
    };
    at_least("changed words, F1", *words, 0.945);
    at_least("exact spans, F1", *spans, 0.766);
}

/// Runs of words that are shown to a reader as changed, for each side, as half-open ranges of word numbers.
fn changed_words(old: &str, new: &str) -> (Vec<[usize; 2]>, Vec<[usize; 2]>) {
    let block = |text: &str| [Block::paragraph(text.to_owned())];
    let diff = diff_blocks(&block(old), &block(new));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for block in &diff.blocks {
        for segment in as_read(&block.segments).iter() {
            let chars = segment.text().chars();
            match segment {
                Segment::Equal(_) => {
                    before.extend(chars.clone().map(|c| (c, false)));
                    after.extend(chars.map(|c| (c, false)));
                }
                Segment::Delete(_) => before.extend(chars.map(|c| (c, true))),
                Segment::Insert(_) => after.extend(chars.map(|c| (c, true))),
            }
        }
    }
    (runs(&before), runs(&after))
}

fn runs(text: &[(char, bool)]) -> Vec<[usize; 2]> {
    let words = text
        .split(|(c, _)| c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| word.iter().any(|(_, changed)| *changed));
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for (at, _) in words.enumerate().filter(|(_, changed)| *changed) {
        match runs.last_mut() {
            Some(run) if run[1] == at => run[1] = at + 1,
            _ => runs.push([at, at + 1]),
        }
    }
    runs
}
