//! Resolves arguments to what they mean in the database: feeds, entries, times, and the changes that `log` lists.

use super::args::{ChangeArg, Filter};
use super::setup::now;
use crate::config::{Config, did_you_mean};
use crate::domain::event::EventKind;
use crate::domain::ids::{ChangeNumber, FeedId};
use crate::domain::moment;
use crate::domain::outcome::Quiet;
use crate::domain::search::Query;
use crate::domain::url::canonical;
use crate::error::Error;
use crate::report::clean;
use crate::store::{EventFilter, KnownEntry, Reader, SearchFilter, SearchIn, StoredChange};
use crate::time::Timestamp;

/// Entries that are listed if a name matches several.
const CHOICES: usize = 10;

/// A time given on the command line.
pub(super) fn moment(
    option: &str,
    text: Option<&str>,
    config: &Config,
) -> Result<Option<Timestamp>, Error> {
    text.map(|text| moment::parse(text, now(), config.timezone))
        .transpose()
        .map_err(|error| Error::usage(format!("{option}: {error}")))
}

/// The events that a filter selects. Significance, `--all` and the defaults decide which quiet changes are shown.
///
/// The times are parsed before the database is queried.
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
    // A change that waits for confirmation is shown, since it may be an edit.
    let mut quiet = vec![Quiet::Waiting];
    if filter.all {
        quiet = Quiet::ALL.to_vec();
    } else if filter.significance.is_some() {
        // A user who sets a significance is not limited by the alert threshold.
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

/// The error for an unknown feed, with the name that was probably meant.
pub(super) fn no_feed(name: &str, config: &Config) -> Error {
    let names = config.feeds.iter().map(|feed| feed.name.as_str());
    let hint = match did_you_mean(name, names) {
        Some(near) => format!("did you mean `{near}`? `revisor feeds` lists them"),
        None => "`revisor feeds` lists them".to_owned(),
    };
    Error::usage(format!("no feed `{name}`")).hint(hint)
}

/// The feeds selected by name and by tag; `None` for all feeds.
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
                return Err(no_feed(name, config));
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

/// The selected change.
pub(super) fn change(which: ChangeArg, reader: &Reader) -> Result<StoredChange, Error> {
    let number = match which {
        ChangeArg::Latest => reader.last_change()?,
        ChangeArg::Number(number) => ChangeNumber(number),
    };
    reader.change(number)?.ok_or_else(|| {
        let message = match which {
            ChangeArg::Latest => "no changes yet".to_owned(),
            ChangeArg::Number(number) => format!("no change #{number}"),
        };
        Error::usage(message).hint("`revisor log` lists the changes")
    })
}

/// Forms in which an address may have been pasted: with tracking parameters, without a scheme.
fn spellings(what: &str) -> Vec<String> {
    let what = what.trim();
    let mut spellings = vec![what.to_owned(), canonical(what)];
    if !what.contains("://") && what.contains('.') && !what.contains(char::is_whitespace) {
        let full = format!("https://{what}");
        spellings.extend([canonical(&full), full]);
    }
    spellings.dedup();
    spellings
}

/// Entries with these words in their headline, one after another.
fn by_headline(what: &str, reader: &Reader) -> Result<Vec<KnownEntry>, Error> {
    let quoted = what.replace('"', " ");
    let Ok(query) = Query::parse(&format!("\"{quoted}\"*")) else {
        return Ok(Vec::new());
    };
    let filter = SearchFilter {
        texts: SearchIn::Headlines,
        limit: CHOICES,
        ..SearchFilter::default()
    };
    let ids = reader.search_articles(&query, &filter)?;
    let entries = ids.into_iter().map(|id| reader.entry(id));
    let entries: Vec<Option<KnownEntry>> = entries.collect::<Result<_, _>>()?;
    Ok(entries.into_iter().flatten().collect())
}

/// The one entry that the user means: by its id, by its guid or address in any form that people paste, by the
/// number of a change, or by words of its headline.
pub(super) fn entry(what: &str, reader: &Reader) -> Result<KnownEntry, Error> {
    let number = what
        .strip_prefix('#')
        .and_then(|number| number.parse().ok());
    if let Some(number) = number {
        let change = change(ChangeArg::Number(number), reader)?;
        if let Some(entry) = reader.entry(change.entry)? {
            return Ok(entry);
        }
    }
    let mut found = Vec::new();
    for spelling in spellings(what) {
        found = reader.find_entries(&spelling, CHOICES)?;
        if !found.is_empty() {
            break;
        }
    }
    if found.is_empty() {
        found = by_headline(what, reader)?;
    }
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
        return Err(Error::usage(format!("`{what}` matches several entries"))
            .hint(format!("give the id of one of them:{choices}")));
    }
    found.pop().ok_or_else(|| {
        Error::usage(format!("no entry `{what}`"))
            .hint("give its address, its guid or its id (ent_…), as `revisor log` shows it")
    })
}
