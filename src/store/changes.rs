//! `changes`: the steps between revisions, numbered over the whole database.

use rusqlite::{Connection, Row, ToSql, named_params, params};

use super::error::StoreError;
use super::events::{self, NewRow, StoredEvent};
use super::reader::Reader;
use super::sql::{feed_list, join_words, json_word, limit_of};
use super::writer::Tx;
use crate::domain::classify::Significance;
use crate::domain::event::{Event, Field};
use crate::domain::ids::{ChangeNumber, EntryId, EventId, FeedId, RevisionNumber};
use crate::domain::outcome::{NewChange, Quiet};
use crate::domain::outline::is_read;
use crate::time::Timestamp;

/// Which changes to list. By default, all that were reported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeFilter {
    /// First seen at this moment or later.
    pub since: Option<Timestamp>,
    /// First seen before this moment.
    pub until: Option<Timestamp>,
    /// Only of these feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Only of this entry.
    pub entry: Option<EntryId>,
    /// Only those with at least this significance.
    pub significance: Option<Significance>,
    /// Also quiet ones.
    pub include_quiet: bool,
    /// Only numbers after this.
    pub after: Option<ChangeNumber>,
    /// At most this many; `None` for all.
    pub limit: Option<usize>,
    /// Oldest first instead of newest first. With a limit this decides which ones are listed.
    pub oldest_first: bool,
}

/// A change as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredChange {
    /// Its number.
    pub number: ChangeNumber,
    /// Its feed.
    pub feed: FeedId,
    /// Its entry.
    pub entry: EntryId,
    /// The revision before.
    pub before: RevisionNumber,
    /// The revision after.
    pub after: RevisionNumber,
    /// Why it was not reported; `None` if it was sent to the targets that want it.
    pub quiet: Option<Quiet>,
    /// Its event, with its id and everything known about the change.
    pub stored: StoredEvent,
}

macro_rules! select_change {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.uid, v.bytes, v.body, c.number, c.feed_id, c.entry_id, c.before_revision, \
             c.after_revision, c.quiet FROM changes AS c JOIN events AS v ON v.id = c.event_id ",
            $rest
        )
    };
}

fn change_row(row: &Row<'_>) -> Result<StoredChange, StoreError> {
    Ok(StoredChange {
        stored: events::event_row(row)?,
        number: row.get("number")?,
        feed: row.get("feed_id")?,
        entry: row.get("entry_id")?,
        before: row.get("before_revision")?,
        after: row.get("after_revision")?,
        quiet: row.get("quiet")?,
    })
}

/// One change by its number.
pub(super) fn get(
    conn: &Connection,
    number: ChangeNumber,
) -> Result<Option<StoredChange>, StoreError> {
    let mut statement = conn.prepare_cached(select_change!("WHERE c.number = ?1"))?;
    let mut rows = statement.query([number])?;
    rows.next()?.map(change_row).transpose()
}

impl Reader {
    /// The changes that match a filter, ordered by number.
    pub fn changes(&self, filter: &ChangeFilter) -> Result<Vec<StoredChange>, StoreError> {
        let mut changes = Vec::new();
        self.each_change(filter, |change| {
            changes.push(change);
            true
        })?;
        Ok(changes)
    }

    /// Passes each change that matches a filter to `take`, for lists of any length; stops when `take` returns
    /// `false`.
    pub fn each_change(
        &self,
        filter: &ChangeFilter,
        mut take: impl FnMut(StoredChange) -> bool,
    ) -> Result<(), StoreError> {
        self.read(|conn| {
            let (sql, values) = question(filter);
            let mut statement = conn.prepare_cached(&sql)?;
            let values: Vec<(&str, &dyn ToSql)> = values
                .iter()
                .map(|(name, value)| (*name, value.as_ref()))
                .collect();
            let mut rows = statement.query(values.as_slice())?;
            while let Some(row) = rows.next()? {
                if !take(change_row(row)?) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// One change by its number.
    pub fn change(&self, number: ChangeNumber) -> Result<Option<StoredChange>, StoreError> {
        self.read(|conn| get(conn, number))
    }

    /// The number of the newest change; zero before the first.
    pub fn last_change(&self) -> Result<ChangeNumber, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT COALESCE(max(number), 0) FROM changes")?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }
}

/// The parts of a change that matter for reporting the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentChange {
    /// The revision that it led to.
    pub after: RevisionNumber,
    /// When it was first seen.
    pub at: Timestamp,
    /// Whether it only added text.
    pub additive: bool,
    /// Why it was not reported; `None` if it was.
    pub quiet: Option<Quiet>,
}

type Values = Vec<(&'static str, Box<dyn ToSql>)>;

/// The query of a filter. It consists of fixed fragments, so that each combination is planned with the best index.
fn question(filter: &ChangeFilter) -> (String, Values) {
    let mut sql = String::from(select_change!("WHERE 1"));
    let mut values: Values = Vec::new();
    let mut add = |fragment: &str, name: &'static str, value: Box<dyn ToSql>| {
        sql.push_str(fragment);
        values.push((name, value));
    };
    if let Some(since) = filter.since {
        add(
            " AND c.first_changed_at >= :since",
            ":since",
            Box::new(since),
        );
    }
    if let Some(until) = filter.until {
        add(
            " AND c.first_changed_at < :until",
            ":until",
            Box::new(until),
        );
    }
    if let Some(entry) = filter.entry {
        add(" AND c.entry_id = :entry", ":entry", Box::new(entry));
    }
    if let Some(after) = filter.after {
        add(" AND c.number > :after", ":after", Box::new(after));
    }
    if let Some(feeds) = &filter.feeds {
        add(
            " AND c.feed_id IN (SELECT value FROM json_each(:feeds))",
            ":feeds",
            Box::new(feed_list(feeds)),
        );
    }
    match filter.significance {
        None | Some(Significance::Typographic) => {}
        Some(Significance::Minor) => {
            sql.push_str(" AND c.significance IN ('minor', 'substantive')");
        }
        Some(Significance::Substantive) => sql.push_str(" AND c.significance = 'substantive'"),
    }
    if !filter.include_quiet {
        sql.push_str(" AND c.quiet IS NULL");
    }
    sql.push_str(if filter.oldest_first {
        " ORDER BY c.number"
    } else {
        " ORDER BY c.number DESC"
    });
    if let Some(limit) = filter.limit {
        sql.push_str(" LIMIT :limit");
        values.push((":limit", Box::new(limit_of(limit))));
    }
    (sql, values)
}

/// Stores a change with its event and deliveries. The event is complete except for its number.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    feed: FeedId,
    entry: EntryId,
    after: RevisionNumber,
    new: &NewChange,
    mut event: Event,
) -> Result<ChangeNumber, StoreError> {
    let Some(change) = event.data.change.clone() else {
        return Err(StoreError::Refused(
            "a change that does not say what changed",
        ));
    };
    let number = ChangeNumber(events::next_autoincrement(tx.conn, "changes")?);
    event.data.number = Some(number);
    let before = event
        .data
        .before
        .as_ref()
        .map_or(RevisionNumber(after.0.saturating_sub(1)), |info| {
            info.revision
        });
    let fields: Vec<String> = change.fields.iter().map(json_word).collect();
    let labels: Vec<String> = change.labels.iter().map(json_word).collect();
    tx.conn
        .prepare_cached(
            "INSERT INTO changes (number, feed_id, entry_id, before_revision, after_revision, fields, labels, \
             significance, score, words_added, words_removed, quiet, last_unchanged_at, first_changed_at, event_id, additive, \
             edit_fp, noticed_at, headline, published_at) \
             VALUES (:number, :feed, :entry, :before, :after, :fields, :labels, :significance, :score, :words_added, \
             :words_removed, :quiet, :last_unchanged, :first_changed, :event, :additive, :edit, :noticed, :headline, :published)",
        )?
        .execute(named_params! {
            ":number": number,
            ":feed": feed,
            ":entry": entry,
            ":before": before,
            ":after": after,
            ":fields": join_words(fields.iter().map(String::as_str)),
            ":labels": join_words(labels.iter().map(String::as_str)),
            ":significance": change.significance.as_str(),
            ":score": change.score.min(100),
            ":words_added": change.words.added,
            ":words_removed": change.words.removed,
            ":quiet": new.quiet,
            ":last_unchanged": change.window.last_unchanged,
            ":first_changed": change.window.first_changed,
            ":event": events::next_id(tx.conn)?,
            ":additive": new.additive,
            ":edit": new.edit,
            ":noticed": event.timestamp,
            ":headline": change.fields.contains(&Field::Title) && is_read(&change.headlines),
            ":published": event.data.entry.as_ref().and_then(|entry| entry.published),
        })?;
    // A quiet change is not sent to anyone, whatever targets the caller names.
    let targets: &[String] = if new.quiet.is_none() {
        &new.targets
    } else {
        &[]
    };
    let _: EventId = events::insert(
        tx,
        &NewRow {
            event: &event,
            feed: Some(feed),
            entry: Some(entry),
            change: Some(number),
            targets,
        },
    )?;
    // A text that goes back and forth does not count as a recent change of the page.
    let moves = [Quiet::Flapping, Quiet::Waiting, Quiet::Unconfirmed];
    if new.quiet.is_none_or(|quiet| !moves.contains(&quiet)) {
        tx.conn
            .prepare_cached("UPDATE entries SET last_change_at = ?2 WHERE id = ?1")?
            .execute(params![entry, change.window.first_changed])?;
    }
    Ok(number)
}

/// The newest changes of an entry, oldest first.
pub(super) fn recent(
    conn: &Connection,
    entry: EntryId,
    limit: usize,
) -> Result<Vec<RecentChange>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT after_revision, first_changed_at, additive, quiet FROM changes WHERE entry_id = ?1 ORDER BY after_revision DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![entry, limit_of(limit)], |row| {
        Ok(RecentChange {
            after: row.get("after_revision")?,
            at: row.get("first_changed_at")?,
            additive: row.get("additive")?,
            quiet: row.get("quiet")?,
        })
    })?;
    let mut changes: Vec<_> = rows.collect::<Result<_, _>>()?;
    changes.reverse();
    Ok(changes)
}
