//! Reasons for users why a document is not a feed.

use thiserror::Error;

/// Why a document could not be read as a feed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedError {
    /// It is something else.
    #[error("not a feed: this is {found}")]
    NotAFeed {
        /// What it is: `an HTML page titled “Example”`, `JSON, but not a feed`, `an empty response` …
        found: String,
    },
    /// Its elements are nested deeper than any feed's.
    #[error("the feed is nested deeper than {limit} elements")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// It is longer than allowed.
    #[error("the feed has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It starts like a feed, but cannot be read despite all repairs.
    #[error("the feed is broken{}: {why}", place(*.line, *.column))]
    Broken {
        /// The line, from 1, if known.
        line: Option<usize>,
        /// The column, from 1, if known.
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
