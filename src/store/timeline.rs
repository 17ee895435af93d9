//! Events in the order in which they happened, as listed by `log`: changes, with the reason for quiet ones, and
//! other events of entries.

use rusqlite::{ToSql, named_params};

use super::error::StoreError;
use super::events::{self, StoredEvent};
use super::reader::Reader;
use super::sql::{count, feed_list, json_word, limit_of};
use crate::domain::classify::{Label, Significance};
use crate::domain::event::{EventKind, Field};
use crate::domain::ids::{EntryId, EventId, FeedId};
use crate::domain::outcome::Quiet;
use crate::time::Timestamp;

/// Which events to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Of these kinds; empty lists nothing.
    pub kinds: Vec<EventKind>,
    /// Noticed at this moment or later.
    pub since: Option<Timestamp>,
    /// Noticed before this moment.
    pub until: Option<Timestamp>,
    /// Only of these feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Only of this entry.
    pub entry: Option<EntryId>,
    /// Only changes with at least this significance, and events that are not changes.
    pub significance: Option<Significance>,
    /// Only changes of one of these fields; empty for all changes, and for events that are not changes.
    pub fields: Vec<Field>,
    /// The reasons for which quiet changes are listed, too.
    pub quiet: Vec<Quiet>,
    /// Only changes with one of these labels; empty for all changes, and for events that are not changes.
    pub labels: Vec<Label>,
    /// Only events after this one.
    pub after: Option<EventId>,
    /// Only events before this one.
    pub before: Option<EventId>,
    /// At most this many; `None` for all.
    pub limit: Option<usize>,
    /// Oldest first instead of newest first. With a limit this decides which ones are listed.
    pub oldest_first: bool,
}

/// An event, and why it was not reported.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// The event.
    pub stored: StoredEvent,
    /// Why the change was not reported; `None` if it was sent to the targets that want it, and for events that are
    /// not changes.
    pub quiet: Option<Quiet>,
}

/// The columns that describe an event, for queries that read events with their changes.
pub(super) const OF_EVENTS: Columns = Columns {
    id: "v.id",
    kind: "v.type",
    at: "v.created_at",
    feed: "v.feed_id",
    entry: "v.entry_id",
};

/// The same for queries that only read changes.
pub(super) const OF_CHANGES: Columns = Columns {
    id: "c.event_id",
    kind: "'entry.revised'",
    at: "c.noticed_at",
    feed: "c.feed_id",
    entry: "c.entry_id",
};

/// The columns that a filter uses.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    id: &'static str,
    kind: &'static str,
    at: &'static str,
    feed: &'static str,
    entry: &'static str,
}

pub(super) const FROM: &str = " FROM events AS v LEFT JOIN changes AS c \
                    ON c.number = v.change_number AND c.event_id = v.id WHERE 1";

/// Changes that are not quiet, or are quiet for a listed reason.
pub(super) const LISTED: &str =
    " AND (c.quiet IS NULL OR c.quiet IN (SELECT value FROM json_each(:quiet)))";

impl Reader {
    /// Passes the events that match a filter to `take` one by one, for lists of any length; stops when `take`
    /// returns `false`.
    pub fn each_event(
        &self,
        filter: &EventFilter,
        mut take: impl FnMut(LoggedEvent) -> bool,
    ) -> Result<(), StoreError> {
        let (conditions, values) = conditions(filter, OF_EVENTS);
        let order = if filter.oldest_first { "" } else { " DESC" };
        let sql = format!(
            "SELECT v.id, v.uid, v.bytes, v.body, c.quiet{FROM}{conditions}{LISTED} ORDER BY v.id{order} LIMIT :limit"
        );
        let quiet = json_list(filter.quiet.iter().map(|quiet| quiet.as_str()));
        let limit = limit_of(filter.limit.unwrap_or(usize::MAX));
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut values = borrowed(&values);
            values.extend_from_slice(named_params! {":quiet": quiet, ":limit": limit});
            let mut rows = statement.query(values.as_slice())?;
            while let Some(row) = rows.next()? {
                let event = LoggedEvent {
                    stored: events::event_row(row)?,
                    quiet: row.get("quiet")?,
                };
                if !take(event) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The newest event that matches a filter. A list of events depends on it, and it costs only one lookup.
    pub fn newest_event(&self, filter: &EventFilter) -> Result<Option<EventId>, StoreError> {
        let (conditions, values) = conditions(filter, OF_EVENTS);
        let sql = format!("SELECT v.id{FROM}{conditions}{LISTED} ORDER BY v.id DESC LIMIT 1");
        let quiet = json_list(filter.quiet.iter().map(|quiet| quiet.as_str()));
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut values = borrowed(&values);
            values.extend_from_slice(named_params! {":quiet": quiet});
            let mut rows = statement.query(values.as_slice())?;
            Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
        })
    }

    /// How many changes a filter leaves out only because they are quiet; its limit is ignored.
    pub fn count_quiet(&self, filter: &EventFilter) -> Result<u64, StoreError> {
        let (conditions, values) = conditions(filter, OF_CHANGES);
        let quiet =
            " AND c.quiet IS NOT NULL AND c.quiet NOT IN (SELECT value FROM json_each(:quiet))";
        let sql = format!("SELECT count(*) FROM changes AS c WHERE 1{conditions}{quiet}");
        let quiet = json_list(filter.quiet.iter().map(|quiet| quiet.as_str()));
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut values = borrowed(&values);
            values.extend_from_slice(named_params! {":quiet": quiet});
            Ok(statement.query_row(values.as_slice(), |row| count(row, 0))?)
        })
    }
}

pub(super) type TimelineValues = Vec<(&'static str, Box<dyn ToSql>)>;

pub(super) fn borrowed(values: &TimelineValues) -> Vec<(&str, &dyn ToSql)> {
    values
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .collect()
}

pub(super) fn json_list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    serde_json::to_string(&words).unwrap_or_else(|_| "[]".into())
}

/// The conditions of a filter, except quiet, limit and order. They consist of fixed fragments, so that each
/// combination is planned with the best index.
pub(super) fn conditions(filter: &EventFilter, columns: Columns) -> (String, TimelineValues) {
    let Columns {
        id,
        kind,
        at,
        feed,
        entry,
    } = columns;
    let mut sql = String::new();
    let mut values: TimelineValues = Vec::new();
    let mut add = |fragment: &str, name: &'static str, value: Box<dyn ToSql>| {
        sql.push_str(fragment);
        values.push((name, value));
    };
    add(
        &format!(" AND {kind} IN (SELECT value FROM json_each(:kinds))"),
        ":kinds",
        Box::new(json_list(filter.kinds.iter().map(|kind| kind.as_str()))),
    );
    if let Some(since) = filter.since {
        add(&format!(" AND {at} >= :since"), ":since", Box::new(since));
    }
    if let Some(until) = filter.until {
        add(&format!(" AND {at} < :until"), ":until", Box::new(until));
    }
    if let Some(wanted) = filter.entry {
        add(
            &format!(" AND {entry} = :entry"),
            ":entry",
            Box::new(wanted),
        );
    }
    if let Some(after) = filter.after {
        add(&format!(" AND {id} > :after"), ":after", Box::new(after));
    }
    if let Some(before) = filter.before {
        add(&format!(" AND {id} < :before"), ":before", Box::new(before));
    }
    if let Some(feeds) = &filter.feeds {
        add(
            &format!(" AND {feed} IN (SELECT value FROM json_each(:feeds))"),
            ":feeds",
            Box::new(feed_list(feeds)),
        );
    }
    if let Some(least) = filter.significance {
        let enough = [
            Significance::Typographic,
            Significance::Minor,
            Significance::Substantive,
        ];
        let enough = enough.into_iter().filter(|this| *this >= least);
        add(
            " AND (c.number IS NULL OR c.significance IN (SELECT value FROM json_each(:significance)))",
            ":significance",
            Box::new(json_list(enough.map(Significance::as_str))),
        );
    }
    // The fields and labels of a change are stored as lists joined by commas.
    if !filter.fields.is_empty() {
        let fields: Vec<String> = filter.fields.iter().map(json_word).collect();
        add(
            " AND EXISTS (SELECT 1 FROM json_each(:fields) AS f \
             WHERE instr(',' || c.fields || ',', ',' || f.value || ',') > 0)",
            ":fields",
            Box::new(json_list(fields.iter().map(String::as_str))),
        );
    }
    if !filter.labels.is_empty() {
        let labels: Vec<String> = filter.labels.iter().map(json_word).collect();
        add(
            " AND EXISTS (SELECT 1 FROM json_each(:labels) AS l \
             WHERE instr(',' || c.labels || ',', ',' || l.value || ',') > 0)",
            ":labels",
            Box::new(json_list(labels.iter().map(String::as_str))),
        );
    }
    (sql, values)
}
