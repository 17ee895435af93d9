//! What the words on the command line mean in the database: feeds, entries, moments, and the changes that `log` lists.

use super::args::Filter;
use super::setup::now;
use crate::config::Config;
use crate::domain::event::EventKind;
use crate::domain::ids::FeedId;
use crate::domain::moment;
use crate::domain::outcome::Quiet;
use crate::error::Error;
use crate::report::clean;
use crate::store::{EventFilter, KnownEntry, Reader};
use crate::time::Timestamp;

/// Entries that are listed when a name stands for several.
const CHOICES: usize = 10;

/// A moment on the command line.
pub(super) fn moment(
    option: &str,
    text: Option<&str>,
    config: &Config,
) -> Result<Option<Timestamp>, Error> {
    text.map(|text| moment::parse(text, now(), config.timezone))
        .transpose()
        .map_err(|error| Error::usage(format!("{option}: {error}")))
}

/// The events that a filter means. Significance, `--all` and the defaults decide what of the quiet is shown.
///
/// Nothing of it is asked of the database before the moments were understood.
pub(super) fn events(
    filter: &Filter,
    config: &Config,
    reader: Option<&Reader>,
) -> Result<EventFilter, Error> {
    let since = moment("--since", filter.since.as_deref(), config)?;
    let until = moment("--until", filter.until.as_deref(), config)?;
    let kinds = vec![
        EventKind::EntryRevised,
        EventKind::EntryRemoved,
        EventKind::EntryRestored,
        EventKind::EntryFlapping,
    ];
    let mut quiet = Vec::new();
    if filter.all {
        quiet = Quiet::ALL.to_vec();
    } else if filter.significance.is_some() {
        // Whoever says how much matters is not held to what targets are told.
        quiet.push(Quiet::Insignificant);
    }
    let (feeds, entry) = match reader {
        Some(reader) => (
            feeds(&filter.feed, &filter.tag, config, reader)?,
            filter
                .entry
                .as_deref()
                .map(|what| entry(what, reader))
                .transpose()?,
        ),
        None => (None, None),
    };
    Ok(EventFilter {
        kinds,
        since,
        until,
        feeds,
        entry: entry.map(|entry| entry.id),
        significance: filter.significance.map(Into::into),
        fields: filter.fields(),
        quiet,
        ..EventFilter::default()
    })
}

/// The feeds that are named, by themselves and by their tags; `None` when all are meant.
pub(super) fn feeds(
    names: &[String],
    tags: &[String],
    config: &Config,
    reader: &Reader,
) -> Result<Option<Vec<FeedId>>, Error> {
    if names.is_empty() && tags.is_empty() {
        return Ok(None);
    }
    let mut wanted = Vec::new();
    if names.is_empty() {
        wanted = reader.feeds(true)?;
    }
    for name in names {
        let row = match reader.feed_by_name(name)? {
            Some(row) => Some(row),
            None => reader.feed_by_url(name)?,
        };
        match row {
            Some(row) => wanted.push(row),
            // It was never polled: there is nothing to list.
            None if config.feed(name).is_some() => {}
            None => {
                return Err(
                    Error::usage(format!("no feed `{name}`")).hint("`revisor feeds` lists them")
                );
            }
        }
    }
    for tag in tags {
        if !config.feeds.iter().any(|feed| feed.tags.contains(tag)) {
            return Err(Error::usage(format!(
                "no feed in the configuration has the tag `{tag}`"
            )));
        }
    }
    let tagged = |url: &str| {
        tags.is_empty()
            || config
                .feeds
                .iter()
                .find(|feed| feed.url == url)
                .is_some_and(|feed| tags.iter().any(|tag| feed.tags.contains(tag)))
    };
    Ok(Some(
        wanted
            .into_iter()
            .filter(|feed| tagged(&feed.url))
            .map(|feed| feed.id)
            .collect(),
    ))
}

/// The one entry that is meant.
pub(super) fn entry(what: &str, reader: &Reader) -> Result<KnownEntry, Error> {
    let mut found = reader.find_entries(what, CHOICES)?;
    if found.len() > 1 {
        let choices = found.iter().map(|entry| {
            let title = entry.title.as_deref().unwrap_or_default();
            format!(
                "\n    {}  {}",
                clean::excerpt(&entry.public_id, 40),
                clean::excerpt(title, 80)
            )
        });
        let choices: String = choices.collect();
        return Err(Error::usage(format!("`{what}` stands for several entries"))
            .hint(format!("name one of them by its id:{choices}")));
    }
    found.pop().ok_or_else(|| {
        Error::usage(format!("no entry `{what}`"))
            .hint("name it by its address, its guid or its id (ent_…), as `revisor log` shows it")
    })
}
