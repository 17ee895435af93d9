//! The findings so far, by label. The rules that find them are in `labels`, `edits` and `quotes`.

use std::collections::BTreeMap;

use crate::domain::classify::{Label, Significance};

/// A label with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) label: Label,
    pub(super) significance: Significance,
    /// For people; does not repeat the label.
    pub(super) text: String,
    /// How many findings of the label this one represents.
    pub(super) count: u32,
}

/// At most this many quotations, and this many added texts, are checked.
pub(super) const MANY: usize = 200;
/// The number of reasons given for a label; further ones are only counted.
const REASONS: usize = 5;
/// The number of characters of a text that a reason shows.
const SHOWN: usize = 60;

/// The findings of one label.
struct LabelTally {
    /// The first few.
    shown: Vec<Finding>,
    /// How many there are.
    count: u32,
    /// The highest of all.
    significance: Significance,
}

#[derive(Default)]
pub(super) struct Judge {
    tallies: BTreeMap<Label, LabelTally>,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Judge {
    /// The findings, in the order of [`Label`].
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut out = Vec::new();
        for (_, tally) in self.tallies {
            let rest = tally.count.saturating_sub(count(tally.shown.len()));
            let last = tally.shown.len().saturating_sub(1);
            for (index, mut finding) in tally.shown.into_iter().enumerate() {
                if index == last && rest > 0 {
                    finding.significance = tally.significance;
                    finding.count = rest + 1;
                    finding.text = format!("{} (and {rest} more)", finding.text);
                }
                out.push(finding);
            }
        }
        out
    }

    /// Adds a finding.
    pub(super) fn found(&mut self, label: Label, significance: Significance, text: String) {
        let tally = self.tallies.entry(label).or_insert_with(|| LabelTally {
            shown: Vec::new(),
            count: 0,
            significance,
        });
        if tally.shown.iter().any(|finding| finding.text == text) {
            return;
        }
        tally.count += 1;
        tally.significance = tally.significance.max(significance);
        if tally.shown.len() < REASONS {
            tally.shown.push(Finding {
                label,
                significance,
                text,
                count: 1,
            });
        }
    }

    pub(super) fn has(&self, label: Label) -> bool {
        self.tallies.contains_key(&label)
    }

    pub(super) fn has_nothing_but(&self, label: Label) -> bool {
        self.tallies.keys().all(|found| *found == label)
    }

    /// The highest significance of all findings.
    pub(super) fn significance(&self) -> Option<Significance> {
        self.tallies.values().map(|tally| tally.significance).max()
    }

    /// How many findings there are.
    pub(super) fn findings(&self) -> u32 {
        self.tallies.values().map(|tally| tally.count).sum()
    }
}

/// The text on one line, shortened if it is long.
pub(super) fn clip(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((at, _)) => {
            let head = &text[..at];
            let end = head
                .rfind(char::is_whitespace)
                .filter(|end| *end > at / 2)
                .unwrap_or(at);
            format!("{}…", head[..end].trim_end())
        }
    }
}
