//! An entry with its revisions and its history.

use std::collections::HashMap;

use crate::domain::event::{EventKind, FeedInfo};
use crate::domain::event_builder;
use crate::domain::ids::{ChangeNumber, FeedId};
use crate::domain::life::Reason;
use crate::report::history::{
    History, HistoryChange, HistoryName, HistoryRow, LifeRow, PageRemarks,
};
use crate::store::{
    AliasRow, ChangeFilter, EventFilter, IgnoredFilter, KnownEntry, Life, Reader, StoreError,
    StoredChange,
};

/// An entry with its revisions; `tags` maps the address of a feed to its tags.
pub(crate) fn history_of(
    entry: &KnownEntry,
    tags: &dyn Fn(&str) -> Option<Vec<String>>,
    reader: &Reader,
) -> Result<History, StoreError> {
    let state = reader
        .load_entry(entry.id)?
        .map(|full| full.state)
        .unwrap_or_default();
    let mut changes: HashMap<ChangeNumber, HistoryChange> = HashMap::new();
    let all = ChangeFilter {
        entry: Some(entry.id),
        include_quiet: true,
        ..ChangeFilter::default()
    };
    reader.each_change(&all, |change| {
        changes.extend(change_of(change));
        true
    })?;
    let revisions = reader.history(entry.id, usize::MAX)?;
    let revisions = revisions.into_iter().map(|row| HistoryRow {
        revision: row.number,
        seen: row.seen,
        channels: row.channels,
        title: row.title,
        words: row.words as u64,
        text_dropped: !row.kept,
        origin: row.origin,
        change: row.change.and_then(|number| changes.remove(&number)),
    });
    let ignored = reader.ignored_totals(&IgnoredFilter {
        entry: Some(entry.id),
        ..IgnoredFilter::default()
    })?;
    Ok(History {
        feed: feed_info(entry.feed, tags, reader)?,
        entry: event_builder::entry_info(&entry.public_id, &state, entry.first_seen),
        in_feed: entry.in_feed,
        left_feed: entry.left,
        removed: entry.life == Life::Removed,
        life: life_of(entry, reader)?,
        page: page_remarks(entry, reader)?,
        date_touches: entry.date_touches,
        ignored_places: ignored.places,
        ignored_moves: ignored.times,
        page_checked: entry.page.checked,
        page_next: entry.page.next,
        names: names_of(reader.aliases(entry.id)?),
        page_barred: entry.page.barred.and(entry.page.error.clone()),
        revisions: revisions.collect(),
    })
}

fn names_of(names: Vec<AliasRow>) -> Vec<HistoryName> {
    let name = |row: AliasRow| HistoryName {
        kind: row.key.kind.as_str(),
        value: row.key.value,
        reason: row.reason,
        since: row.added,
        taken_from: row.taken_from,
    };
    names.into_iter().map(name).collect()
}

/// When the article was removed and restored.
fn life_of(entry: &KnownEntry, reader: &Reader) -> Result<Vec<LifeRow>, StoreError> {
    let filter = EventFilter {
        kinds: vec![EventKind::EntryRemoved, EventKind::EntryRestored],
        entry: Some(entry.id),
        oldest_first: true,
        ..EventFilter::default()
    };
    let mut rows = Vec::new();
    reader.each_event(&filter, |logged| {
        let event = logged.stored.event;
        rows.push(LifeRow {
            event: event.kind,
            window: event.data.window,
            detail: event.data.detail,
        });
        true
    })?;
    Ok(rows)
}

fn page_remarks(entry: &KnownEntry, reader: &Reader) -> Result<PageRemarks, StoreError> {
    let life = reader.page_life(entry.id)?;
    Ok(PageRemarks {
        reason: entry.page.reason.map(Reason::as_str),
        error: entry.page.error.clone(),
        failures: entry.page.failures,
        missing_since: life.missing.map(|missing| missing.since),
        held_since: life.held.map(|held| held.since),
        unconfirmed: life.unconfirmed,
    })
}

fn change_of(change: StoredChange) -> Option<(ChangeNumber, HistoryChange)> {
    let info = change.stored.event.data.change?;
    let row = HistoryChange {
        number: change.number,
        fields: info.fields,
        labels: info.labels,
        significance: info.significance,
        words: info.words,
        revert_of: info.revert_of,
        quiet: change.quiet,
    };
    Some((change.number, row))
}

/// A feed as reported; its tags are those of the current configuration.
fn feed_info(
    feed: FeedId,
    tags: &dyn Fn(&str) -> Option<Vec<String>>,
    reader: &Reader,
) -> Result<FeedInfo, StoreError> {
    let row = reader
        .feed(feed)?
        .ok_or(StoreError::Refused("an entry without a feed"))?;
    Ok(FeedInfo {
        tags: tags(&row.url).unwrap_or_default(),
        name: row.name,
        title: row.title,
        url: row.url,
    })
}
