//! Edits `[[feed]]` tables in place, as `cargo add` does with dependencies: every other byte of the file stays the
//! same.
//!
//! `toml_edit` finds the tables, but does not rewrite the text between them, so comments, order, blank lines and
//! odd spacing survive. A result that does not match the request is never returned.

mod import;

use std::collections::HashSet;
use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::names::{self, Taken};
use super::problem::{ConfigError, Problem};
use super::resolved::{FeedConfig, FeedKind};

pub use import::{ImportedFeed, import_feeds};
pub(crate) use import::{feed_tables, listed_tables};

/// A feed to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewFeed {
    /// The address.
    pub url: String,
    /// The name; derived from the address if empty. A number is added if the name is taken.
    pub name: String,
    /// Whether the address is a single page to watch.
    pub is_page: bool,
    /// Tags; may be empty.
    pub tags: Vec<String>,
    /// `every`, if it differs from the default.
    pub every: Option<String>,
    /// `cron`, if it differs from the default.
    pub cron: Option<String>,
    /// `page.fetch`, if it differs from the default.
    pub page: Option<String>,
}

/// Why a text was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is not TOML, or its feeds are not tables.
    #[error("{0}")]
    NotUnderstood(String),
    /// The configuration cannot be read or written.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Adds feeds after the last one, or at the end of the text if there are none. Returns the new text and the names
/// of the added feeds. `known` lists the feeds in all files of the configuration, whose names are taken.
pub fn add_feeds(
    text: &str,
    feeds: &[NewFeed],
    known: &[FeedConfig],
) -> Result<(String, Vec<String>), EditError> {
    let tables = Tables::find(text)?;
    // Names that are derived at load must not change because of a name that is written now.
    let mut taken = Taken::default();
    for name in tables
        .names()
        .iter()
        .chain(known.iter().map(|feed| &feed.name))
    {
        taken.insert(name);
    }
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut added = String::new();
    let mut given = Vec::with_capacity(feeds.len());
    for feed in feeds {
        let wanted = if feed.name.is_empty() {
            names::from_address(&feed.url)
        } else {
            feed.name.clone()
        };
        let name = taken.unique(&wanted);
        added.push_str(newline);
        for line in table_lines(feed, &name) {
            added.push_str(&line);
            added.push_str(newline);
        }
        given.push(name);
    }
    let at = tables.end_of_last.unwrap_or(text.len());
    let (before, after) = text.split_at(at);
    let mut out = String::with_capacity(text.len() + added.len() + 2);
    out.push_str(before);
    if !before.is_empty() && !before.ends_with('\n') {
        out.push_str(newline);
    }
    if before.trim().is_empty() {
        added.drain(..newline.len());
    }
    out.push_str(&added);
    // Keep the blank line before the text that follows, or add one.
    if !after.is_empty() && !after.starts_with(['\n', '\r']) {
        out.push_str(newline);
    }
    out.push_str(after);
    let found = Tables::find(&out)?.feeds.len();
    if found != tables.feeds.len() + feeds.len() {
        return Err(EditError::NotUnderstood(
            "cannot add feeds to this file: its feeds are not [[feed]] tables".to_owned(),
        ));
    }
    Ok((out, given))
}

/// Removes the feeds with these addresses. Returns the new text and the feeds that were found. The comment right
/// above a table is removed with it, unless it is a heading (a line drawn with `-`, `=`, `─` …).
pub fn remove_feeds(
    text: &str,
    urls: &HashSet<String>,
) -> Result<(String, Vec<String>), EditError> {
    let tables = Tables::find(text)?;
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    let mut removed = Vec::new();
    for feed in tables.feeds.iter().filter(|feed| urls.contains(&feed.url)) {
        let Some(range) = feed.range.clone() else {
            return Err(EditError::NotUnderstood(
                "cannot remove the feed from this file: its feeds are not [[feed]] tables"
                    .to_owned(),
            ));
        };
        removed.push(feed.url.clone());
        let start = start_with_comment(text, range.start).max(at);
        out.push_str(text.get(at..start).unwrap_or_default());
        at = range.end;
        // Keep the blank lines on only one side of the table.
        let rest = text.get(at..).unwrap_or_default().split_inclusive('\n');
        at += rest
            .take_while(|line| line.trim().is_empty())
            .map(str::len)
            .sum::<usize>();
    }
    if removed.is_empty() {
        return Ok((text.to_owned(), removed));
    }
    let rest = text.get(at..).unwrap_or_default();
    if rest.is_empty() {
        out.truncate(out.trim_end().len());
        if !out.is_empty() {
            out.push('\n');
        }
    }
    out.push_str(rest);
    let left = Tables::find(&out)?;
    if left.feeds.len() + removed.len() != tables.feeds.len() {
        return Err(EditError::NotUnderstood(
            "cannot remove the feed from this file: other tables come between its parts".to_owned(),
        ));
    }
    Ok((out, removed))
}

/// Changes the address of the feed with this address; `None` if there is no such feed.
pub(crate) fn move_feed(text: &str, url: &str, new: &str) -> Result<Option<String>, EditError> {
    let tables = Tables::find(text)?;
    let Some(feed) = tables.feeds.iter().find(|feed| feed.url == url) else {
        return Ok(None);
    };
    let Some(span) = feed.url_span.clone() else {
        return Err(EditError::NotUnderstood(
            "cannot find the address of the feed in this file".to_owned(),
        ));
    };
    let mut out = text.to_owned();
    out.replace_range(span, &quoted(new));
    Ok(Some(out))
}

/// The address and name of each feed in a text. Names are derived as if there were no other files.
pub(crate) fn feeds_in(text: &str) -> Result<Vec<(String, String)>, EditError> {
    let tables = Tables::find(text)?;
    let names = tables.names();
    let urls = tables.feeds.into_iter().map(|feed| feed.url);
    Ok(urls.zip(names).collect())
}

/// The position of one feed.
struct FeedPlace {
    url: String,
    /// The value of `url`, including its quotation marks.
    url_span: Option<Range<usize>>,
    name: Option<String>,
    /// Whole lines, from its header to its last key; `None` for a feed that is not a `[[feed]]` table.
    range: Option<Range<usize>>,
}

/// Where the feeds of a text are.
struct Tables {
    feeds: Vec<FeedPlace>,
    end_of_last: Option<usize>,
}

impl Tables {
    fn find(text: &str) -> Result<Self, EditError> {
        let document = Document::parse(text).map_err(|error| {
            EditError::NotUnderstood(format!(
                "the configuration is not TOML: {}",
                error.message().replace('\n', "; ")
            ))
        })?;
        let feeds: Vec<FeedPlace> = match document.as_table().get("feed") {
            None => Vec::new(),
            Some(Item::ArrayOfTables(tables)) => tables
                .iter()
                .map(|table| FeedPlace {
                    range: span_of(table, table.span()).map(|span| whole_lines(text, &span)),
                    ..FeedPlace::of(table)
                })
                .collect(),
            Some(Item::Value(value)) => value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| item.as_inline_table())
                .map(|table| FeedPlace::of(table))
                .collect(),
            Some(_) => {
                return Err(EditError::NotUnderstood(
                    "feed must be a list of tables; write [[feed]] with double brackets".to_owned(),
                ));
            }
        };
        let end_of_last = feeds
            .iter()
            .filter_map(|feed| feed.range.as_ref().map(|range| range.end))
            .max();
        Ok(Self { feeds, end_of_last })
    }

    /// The names as `load` gives them.
    fn names(&self) -> Vec<String> {
        let mut taken = Taken::default();
        for name in self.feeds.iter().filter_map(|feed| feed.name.as_ref()) {
            taken.insert(name);
        }
        self.feeds
            .iter()
            .map(|feed| match &feed.name {
                Some(name) => name.clone(),
                None => taken.unique(&names::from_address(&feed.url)),
            })
            .collect()
    }
}

impl FeedPlace {
    fn of(table: &dyn TableLike) -> Self {
        let text = |key: &str| {
            let text = table.get(key).and_then(Item::as_str).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            url: text("url").unwrap_or_default(),
            url_span: table.get("url").and_then(Item::span),
            name: text("name"),
            range: None,
        }
    }
}

/// From the header to the end of the last value, including `[feed.page]` and the like.
fn span_of(table: &dyn TableLike, own: Option<Range<usize>>) -> Option<Range<usize>> {
    let mut span = own?;
    for (_, item) in table.iter() {
        let inner = match item {
            Item::Table(inner) => span_of(inner, inner.span().or_else(|| Some(span.clone()))),
            other => other.span(),
        };
        if let Some(inner) = inner {
            span.end = span.end.max(inner.end);
        }
    }
    Some(span)
}

fn whole_lines(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text
        .get(..span.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1);
    let end = text
        .get(span.end..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |newline| span.end + newline + 1);
    start..end
}

/// Where the comment right above a table starts, or the table itself if there is no comment.
fn start_with_comment(text: &str, table: usize) -> usize {
    let mut start = table;
    let before = text.get(..table).unwrap_or_default();
    for line in before.split_inclusive('\n').rev() {
        let comment = line.trim();
        if !comment.starts_with('#') {
            // A comment that directly follows other values may be about them.
            return if comment.is_empty() { start } else { table };
        }
        if is_heading(comment) {
            return start;
        }
        start -= line.len();
    }
    start
}

/// A line that divides the file and is not about a single feed.
fn is_heading(comment: &str) -> bool {
    let symbols: Vec<char> = comment
        .trim_start_matches('#')
        .trim_start()
        .chars()
        .take(3)
        .collect();
    comment.starts_with("###")
        || matches!(symbols.as_slice(), [one, two, three] if one == two && two == three && !one.is_alphanumeric())
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// The table of a feed, line by line.
fn table_lines(feed: &NewFeed, name: &str) -> Vec<String> {
    let mut lines = vec![
        "[[feed]]".to_owned(),
        format!("url = {}", quoted(&feed.url)),
    ];
    if !name.is_empty() {
        lines.push(format!("name = {}", quoted(name)));
    }
    if feed.is_page {
        lines.push(format!("kind = {}", quoted(FeedKind::Page.as_str())));
    }
    if !feed.tags.is_empty() {
        let tags: Vec<String> = feed.tags.iter().map(|tag| quoted(tag)).collect();
        lines.push(format!("tags = [{}]", tags.join(", ")));
    }
    for (key, value) in [
        ("every", &feed.every),
        ("cron", &feed.cron),
        ("page.fetch", &feed.page),
    ] {
        if let Some(value) = value {
            lines.push(format!("{key} = {}", quoted(value)));
        }
    }
    lines
}

impl From<EditError> for ConfigError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Config(error) => error,
            EditError::NotUnderstood(message) => Self::Invalid(vec![Problem {
                place: "configuration".to_owned(),
                message,
            }]),
        }
    }
}

#[cfg(test)]
mod tests;
