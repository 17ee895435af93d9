//! What can be wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::durations::shortened;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the configuration {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no text, or too large to be a configuration.
    #[error("{}: {problem}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// `not UTF-8` …
        problem: &'static str,
    },
    /// The text has mistakes: each on a line of its own, in the order of the file.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

/// One mistake. Its text is `file:line:column: what is wrong; expected …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `file:line:column`, or the environment variable.
    pub place: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// `config/default.toml`.
    Default,
    /// The file, at this byte.
    File(usize),
    /// An environment variable.
    Environment(Arc<str>),
}

/// Mistakes while they are collected.
#[derive(Debug)]
pub(super) struct Problems<'t> {
    path: &'t Path,
    text: &'t str,
    list: Vec<(Place, String)>,
}

impl<'t> Problems<'t> {
    /// No person reads more at once.
    const MOST: usize = 50;

    /// No mistakes yet in the text of this file.
    pub(super) fn new(path: &'t Path, text: &'t str) -> Self {
        Self {
            path,
            text,
            list: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, place: &Place, message: impl Into<String>) {
        self.list.push((place.clone(), message.into()));
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// `file:line:column`.
    pub(super) fn named(&self, place: &Place) -> String {
        named(place, self.path, self.text)
    }

    /// `line 12`, for a mention of another place in a message.
    pub(super) fn mentioned(&self, place: &Place) -> String {
        match place {
            Place::File(offset) => format!("on line {}", line_and_column(self.text, *offset).0),
            Place::Default => "a default".to_owned(),
            Place::Environment(name) => format!("in {name}"),
        }
    }

    /// The error that tells them all, in the order of the file; `None` when there are none.
    pub(super) fn into_error(mut self) -> Option<ConfigError> {
        if self.list.is_empty() {
            return None;
        }
        self.list.sort_by(|one, other| one.0.cmp(&other.0));
        let more = self.list.len().saturating_sub(Self::MOST);
        let mut problems: Vec<Problem> = self
            .list
            .iter()
            .take(Self::MOST)
            .map(|(place, message)| Problem {
                place: self.named(place),
                message: message.clone(),
            })
            .collect();
        if more > 0 {
            problems.push(Problem {
                place: self.path.display().to_string(),
                message: format!("{more} more mistakes"),
            });
        }
        Some(ConfigError::Invalid(problems))
    }
}

/// The place as people read it.
fn named(place: &Place, path: &Path, text: &str) -> String {
    match place {
        Place::Default => "config/default.toml".to_owned(),
        Place::File(offset) => {
            let (line, column) = line_and_column(text, *offset);
            format!("{}:{line}:{column}", path.display())
        }
        Place::Environment(name) => format!("environment variable {name}"),
    }
}

/// Both from 1; columns count characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The candidate that was probably meant, when one is near enough.
pub fn did_you_mean<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = given.to_ascii_lowercase().replace('-', "_");
    let most = (given.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&given, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Slips of a typist between two short texts: letters inserted, left out, exchanged or swapped.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(40).collect();
    let other: Vec<char> = other.chars().take(40).collect();
    let width = other.len() + 1;
    let mut table = vec![0_usize; (one.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in 0..=one.len() {
        for column in 0..=other.len() {
            let best = if row == 0 || column == 0 {
                row.max(column)
            } else {
                let same = usize::from(one[row - 1] != other[column - 1]);
                let mut best = (table[at(row - 1, column - 1)] + same)
                    .min(table[at(row - 1, column)] + 1)
                    .min(table[at(row, column - 1)] + 1);
                let swapped = row > 1
                    && column > 1
                    && one[row - 1] == other[column - 2]
                    && one[row - 2] == other[column - 1];
                if swapped {
                    best = best.min(table[at(row - 2, column - 2)] + 1);
                }
                best
            };
            table[at(row, column)] = best;
        }
    }
    table[at(one.len(), other.len())]
}

/// `fetch is "allways"; expected "always", "changed" or "off"`.
pub(super) fn unknown_choice<'n>(
    key: &str,
    given: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> String {
    let quoted: Vec<String> = names.clone().map(|name| format!("{name:?}")).collect();
    let expected = match quoted.as_slice() {
        [start @ .., last] if !start.is_empty() => format!("{} or {last}", start.join(", ")),
        other => other.join(", "),
    };
    let near = did_you_mean(given, names)
        .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    format!("{key} is {:?}; expected {expected}{near}", shortened(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let keys = ["every", "cron", "jitter", "timeout", "max_size"];
        for (given, meant) in [
            ("evry", Some("every")),
            ("evrey", Some("every")),
            ("Timeout", Some("timeout")),
            ("max-size", Some("max_size")),
            ("maxsize", Some("max_size")),
            ("corn", Some("cron")),
            ("colour", None),
        ] {
            assert_eq!(did_you_mean(given, keys), meant, "{given}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\nname = \"é\" # x\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find('#').unwrap()), (2, 12));
        assert_eq!(line_and_column(text, 10_000), (3, 1));
    }
}
