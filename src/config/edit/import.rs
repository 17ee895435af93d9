//! Imports a list of feeds: each address once, and feeds that are already configured stay as they are.

use std::collections::HashMap;

use url::Url;

use super::super::resolved::FeedConfig;
use super::super::web_address::http_url;
use super::{EditError, NewFeed, Tables, add_feeds};

/// What happened to a feed of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedFeed {
    /// It was added under this name.
    Added(String),
    /// The configuration already has its address, under this name.
    There(String),
    /// The feed at this position in the list, from 0, has the same address.
    Repeated(usize),
    /// Its address cannot be fetched.
    Wrong(String),
}

/// Adds the feeds of a list whose addresses are not in the text yet. Returns the new text and what happened to
/// each feed. Two addresses are the same if they request the same document, as in the whole configuration: `http`
/// and `https` may differ. `there` lists the feeds in all files of the configuration.
pub fn import_feeds(
    text: &str,
    feeds: &[NewFeed],
    there: &[FeedConfig],
) -> Result<(String, Vec<ImportedFeed>), EditError> {
    let tables = Tables::find(text)?;
    let mut known: HashMap<String, ImportedFeed> = HashMap::new();
    let elsewhere = there.iter().map(|feed| (&feed.url, feed.name.clone()));
    let here = tables.feeds.iter().map(|feed| &feed.url);
    for (url, name) in here.zip(tables.names()).chain(elsewhere) {
        if let Ok(url) = http_url(url) {
            known.insert(asked(url), ImportedFeed::There(name));
        }
    }
    let mut results = Vec::with_capacity(feeds.len());
    let mut added = Vec::new();
    for (place, feed) in feeds.iter().enumerate() {
        results.push(match http_url(&feed.url) {
            Err(problem) => ImportedFeed::Wrong(problem),
            Ok(url) => match known.get(&asked(url.clone())) {
                Some(there) => there.clone(),
                None => {
                    known.insert(asked(url), ImportedFeed::Repeated(place));
                    added.push(feed.clone());
                    ImportedFeed::Added(String::new())
                }
            },
        });
    }
    if added.is_empty() {
        return Ok((text.to_owned(), results));
    }
    let (text, names) = add_feeds(text, &added, there)?;
    let given = results
        .iter_mut()
        .filter(|result| matches!(result, ImportedFeed::Added(_)));
    for (result, name) in given.zip(names) {
        *result = ImportedFeed::Added(name);
    }
    Ok((text, results))
}

/// The URL that is sent to a server: without the fragment.
fn asked(mut url: Url) -> String {
    url.set_fragment(None);
    url.into()
}

/// The feeds of a text as tables, exactly as written there, to be copied into another configuration.
pub(crate) fn feed_tables(text: &str) -> Result<String, EditError> {
    let tables = Tables::find(text)?;
    let mut out = String::new();
    for feed in &tables.feeds {
        let Some(table) = feed.range.clone().and_then(|range| text.get(range)) else {
            return Err(EditError::NotUnderstood(
                "the feeds of this file are not [[feed]] tables".to_owned(),
            ));
        };
        separate(&mut out);
        out.push_str(table);
        if !table.ends_with('\n') {
            out.push('\n');
        }
    }
    Ok(out)
}

/// The feeds of a list as tables.
#[must_use]
pub(crate) fn listed_tables(text: &str) -> String {
    let mut out = String::new();
    for feed in super::super::listed::feeds(text) {
        separate(&mut out);
        // A feed without a name gets one from its address, here as in an import.
        for line in super::table_lines(&feed, &feed.name) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}
