//! What a round of checks has to say: the contract of `check --json`, and its lines for people.

use serde::{Deserialize, Serialize};

use super::clean;
use crate::domain::ids::ChangeNumber;

/// A round of checks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// The feeds, in the order in which they were done.
    pub feeds: Vec<FeedLine>,
    /// The pages, counted.
    pub pages: PageCounts,
    /// The numbers of all changes, ascending.
    pub changes: Vec<ChangeNumber>,
}

/// How the poll of a feed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There were new or changed entries, or it was the first poll.
    NewContent,
    /// The feed was read; nothing is new in it.
    Unchanged,
    /// The server said that nothing has changed.
    NotModified,
    /// It could not be read.
    Failed,
}

/// The poll of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedLine {
    /// Its name in the configuration.
    pub feed: String,
    /// How the poll ended.
    pub outcome: Outcome,
    /// HTTP status, when there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Entries that the feed lists; zero when it was not read.
    pub entries: usize,
    /// Entries seen for the first time.
    pub new: usize,
    /// Entries that were changed.
    pub changed: usize,
    /// What went wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

/// The looks at pages, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageCounts {
    /// All of them.
    pub checked: usize,
    /// Those that were the same, by the server's word or byte by byte.
    pub not_modified: usize,
    /// Those that were changed.
    pub changed: usize,
    /// Those that could not be read as an article.
    pub failed: usize,
}

impl CheckReport {
    /// Whether any feed could not be read.
    #[must_use]
    pub fn any_failed(&self) -> bool {
        self.feeds
            .iter()
            .any(|feed| feed.outcome == Outcome::Failed)
    }

    /// The last line of `check`: the sums.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |outcome| {
            self.feeds
                .iter()
                .filter(|feed| feed.outcome == outcome)
                .count()
        };
        let new: usize = self.feeds.iter().map(|feed| feed.new).sum();
        let mut parts = vec![
            plural(self.feeds.len(), "feed"),
            format!("{new} new"),
            plural(self.changes.len(), "change"),
        ];
        if self.pages.checked > 0 {
            parts.push(plural(self.pages.checked, "page"));
        }
        let failed = count(Outcome::Failed);
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        if self.pages.failed > 0 {
            parts.push(format!(
                "{} not readable",
                plural(self.pages.failed, "page")
            ));
        }
        parts.join(" · ")
    }
}

impl FeedLine {
    /// One line for people: a mark, the name, the status and what came of it.
    #[must_use]
    pub fn text(&self) -> String {
        let mark = match self.outcome {
            Outcome::NewContent => '✓',
            Outcome::Unchanged | Outcome::NotModified => '=',
            Outcome::Failed => '✗',
        };
        let status = self
            .status
            .map_or_else(|| "---".to_owned(), |status| status.to_string());
        let rest = match (self.outcome, &self.error) {
            (Outcome::Failed, error) => {
                clean::line(error.as_deref().unwrap_or("failed")).into_owned()
            }
            (Outcome::NotModified, _) => "not modified".to_owned(),
            (Outcome::Unchanged, _) if self.entries == 0 => "unchanged".to_owned(),
            (Outcome::Unchanged, _) => format!("{}, unchanged", entries(self.entries)),
            (Outcome::NewContent, _) => {
                format!(
                    "{}, {} new, {} changed",
                    entries(self.entries),
                    self.new,
                    self.changed
                )
            }
        };
        let name = clean::line(&self.feed);
        format!(
            "{mark} {name:<24} {status:>3}  {rest}  {} ms",
            self.duration_ms
        )
    }
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}

fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(outcome: Outcome, error: Option<&str>) -> FeedLine {
        FeedLine {
            feed: "courier".to_owned(),
            outcome,
            status: Some(200),
            entries: 30,
            new: 1,
            changed: 2,
            error: error.map(str::to_owned),
            duration_ms: 12,
        }
    }

    #[test]
    fn a_line_says_what_came_of_the_poll() {
        assert_eq!(
            line(Outcome::NewContent, None).text(),
            "✓ courier                  200  30 entries, 1 new, 2 changed  12 ms"
        );
        assert!(
            line(Outcome::Failed, Some("answered 503\u{1b}[2J"))
                .text()
                .contains("answered 503")
        );
        assert!(
            !line(Outcome::Failed, Some("x\u{1b}[2J"))
                .text()
                .contains('\u{1b}')
        );
    }

    #[test]
    fn the_machine_form_is_the_contract() {
        let report = CheckReport {
            feeds: vec![line(Outcome::NotModified, None)],
            pages: PageCounts {
                checked: 3,
                not_modified: 2,
                changed: 1,
                failed: 0,
            },
            changes: vec![ChangeNumber(7)],
        };
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            "{\"feeds\":[{\"feed\":\"courier\",\"outcome\":\"not_modified\",\"status\":200,\"entries\":30,\
             \"new\":1,\"changed\":2,\"duration_ms\":12}],\
             \"pages\":{\"checked\":3,\"not_modified\":2,\"changed\":1,\"failed\":0},\"changes\":[7]}"
        );
    }
}
