//! Why a document is no feed, for people.

use thiserror::Error;

/// Why a document could not be read as a feed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedError {
    /// It is something else.
    #[error("not a feed: this is {found}")]
    NotAFeed {
        /// What it is: `an HTML page titled “Example”`, `JSON that is no feed`, `nothing, the answer was empty` …
        found: String,
    },
    /// Its elements are nested deeper than any feed's.
    #[error("the feed is nested deeper than {limit} elements")]
    TooDeep {
        /// The most that is allowed.
        limit: usize,
    },
    /// It is longer than allowed.
    #[error("the feed has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// It begins as a feed and cannot be read, in spite of every repair.
    #[error("the feed is broken{}: {why}", place(*.line, *.column))]
    Broken {
        /// The line, from 1, when known.
        line: Option<usize>,
        /// The column, from 1, when known.
        column: Option<usize>,
        /// What is wrong.
        why: String,
    },
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(" at line {line}, column {column}"),
        (Some(line), None) => format!(" at line {line}"),
        _ => String::new(),
    }
}
