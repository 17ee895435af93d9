//! Errors in a configuration, with their places.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::texts::SourceText;
use crate::domain::durations::shortened;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the configuration {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not text, or too large to be a configuration.
    #[error("{}: {problem}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// `not UTF-8` …
        problem: &'static str,
    },
    /// The text has mistakes: one per line, in the order of the file.
    #[error("{}", LineIndex(.0))]
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

struct LineIndex<'a>(&'a [Problem]);

impl fmt::Display for LineIndex<'_> {
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
pub(super) enum ValueSource {
    /// `config/default.toml`.
    Default,
    /// A file of the configuration, by its number, at this byte.
    File(usize, usize),
    /// An environment variable.
    Environment(Arc<str>),
}

/// Collects mistakes.
#[derive(Debug)]
pub(super) struct Problems {
    sources: Vec<SourceText>,
    list: Vec<(ValueSource, String)>,
}

impl Problems {
    /// Nobody reads more than this in one go.
    const MOST: usize = 50;

    /// Starts without mistakes in these files; a [`ValueSource`] names them by index.
    pub(super) fn new(sources: Vec<SourceText>) -> Self {
        Self {
            sources,
            list: Vec::new(),
        }
    }

    /// Adds a file; returns its index.
    pub(super) fn take_source(&mut self, source: SourceText) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }

    pub(super) fn add(&mut self, place: &ValueSource, message: impl Into<String>) {
        self.list.push((place.clone(), message.into()));
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// `file:line:column`, or the name of the variable.
    pub(super) fn named(&self, place: &ValueSource) -> String {
        match place {
            ValueSource::Default => "config/default.toml".to_owned(),
            ValueSource::File(file, offset) => match self.sources.get(*file) {
                Some(source) => {
                    let (line, column) = source.line_and_column(*offset);
                    format!("{}:{line}:{column}", source.path.display())
                }
                None => "configuration".to_owned(),
            },
            ValueSource::Environment(name) => format!("environment variable {name}"),
        }
    }

    /// `on line 12`, to mention another place in a message about `from`; with the file name if it is a different
    /// file.
    pub(super) fn mentioned(&self, place: &ValueSource, from: &ValueSource) -> String {
        match (place, from) {
            (ValueSource::File(file, offset), ValueSource::File(from, _)) if file == from => {
                let line = self.sources.get(*file);
                let line = line.map_or(1, |source| source.line_and_column(*offset).0);
                format!("on line {line}")
            }
            (ValueSource::Default, _) => "a default".to_owned(),
            (ValueSource::File(..) | ValueSource::Environment(_), _) => {
                format!("in {}", self.named(place))
            }
        }
    }

    /// One error for all mistakes, in the order of the file; `None` if there are none.
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
            let place = self.sources.first().map(|source| source.path.display());
            problems.push(Problem {
                place: place.map_or_else(String::new, |path| path.to_string()),
                message: format!("{more} more mistakes"),
            });
        }
        Some(ConfigError::Invalid(problems))
    }
}

/// The candidate that was probably meant, if one is similar enough.
pub(crate) fn did_you_mean<'a>(
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

/// The edit distance of two short texts: letters inserted, left out, replaced or swapped.
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
}
