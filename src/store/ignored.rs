//! `ignored_texts` and `ignored_moves`: the last known ignored text, and its changes.

use rusqlite::{Connection, Row, ToSql, named_params, params, params_from_iter};

use super::codec::unpack;
use super::error::StoreError;
use super::reader::Reader;
use super::sql::{count, limit_of};
use super::writer::{Tx, Write, Writer};
use crate::domain::ids::{EntryId, FeedId, RuleId};
use crate::domain::ignored::{FURTHER, Movement, Snapshot, learned_at};
use crate::domain::outcome::IgnoredText;
use crate::domain::scheme::Scheme;
use crate::domain::state::Channel;
use crate::time::Timestamp;

/// The last known ignored text of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredIgnored {
    /// The scheme under which the document was read.
    pub scheme: Scheme,
    /// The text.
    pub snapshot: Snapshot,
}

/// An entry with its last known ignored text, which may be damaged.
pub(crate) type IgnoredOf = (EntryId, Result<StoredIgnored, StoreError>);

/// A place whose ignored text changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredMove {
    /// The row.
    pub id: i64,
    /// The feed of the entry.
    pub feed: FeedId,
    /// Its name.
    pub feed_name: String,
    /// The entry.
    pub entry: String,
    /// Its headline.
    pub title: Option<String>,
    /// The address of its page.
    pub url: Option<String>,
    /// Where it was seen.
    pub channel: Channel,
    /// The place within the entry; 0 combines the places that have no number of their own.
    pub place: u32,
    /// The rule that last ignored it.
    pub rule: Option<RuleId>,
    /// Why it is ignored.
    pub reason: String,
    /// How often it changed.
    pub times: u64,
    /// When it first changed.
    pub first_at: Timestamp,
    /// When it last changed.
    pub last_at: Timestamp,
    /// The text before its first change.
    pub first: Option<String>,
    /// The text before its last change.
    pub before: Option<String>,
    /// The text after its last change.
    pub after: Option<String>,
}

/// Which places to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IgnoredFilter {
    /// Last changed at this moment or later.
    pub since: Option<Timestamp>,
    /// Last changed before this moment.
    pub until: Option<Timestamp>,
    /// Only of these feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Only of this entry.
    pub entry: Option<EntryId>,
    /// Only text that this rule ignored.
    pub rule: Option<RuleId>,
    /// At most this many; `None` for all.
    pub limit: Option<usize>,
    /// Oldest last change first.
    pub oldest_first: bool,
}

/// How much ignored text changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IgnoredTotals {
    /// Places that changed.
    pub places: u64,
    /// How often they changed.
    pub times: u64,
    /// The number of entries that have them.
    pub entries: u64,
}

impl IgnoredFilter {
    /// Contains only the requested conditions, so that each combination is planned with the best index.
    fn conditions(&self) -> (String, Vec<Box<dyn ToSql>>) {
        let mut sql = String::from(" WHERE 1");
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        let mut add = |condition: &str, value: Option<Box<dyn ToSql>>| {
            if let Some(value) = value {
                sql.push_str(condition);
                values.push(value);
            }
        };
        add(" AND m.last_at >= ?", self.since.map(boxed));
        add(" AND m.last_at < ?", self.until.map(boxed));
        add(" AND m.entry_id = ?", self.entry.map(boxed));
        add(" AND m.rule_id = ?", self.rule.map(boxed));
        let feeds = self.feeds.as_ref();
        let feeds = feeds.map(|feeds| serde_json::to_string(feeds).unwrap_or_default());
        add(
            " AND e.feed_id IN (SELECT value FROM json_each(?))",
            feeds.map(boxed),
        );
        (sql, values)
    }
}

fn boxed<T: ToSql + 'static>(value: T) -> Box<dyn ToSql> {
    Box::new(value)
}

fn ignored_row(row: &Row<'_>, entry: EntryId) -> Result<StoredIgnored, StoreError> {
    let body: Vec<u8> = row.get("body")?;
    let json = unpack(&body, row.get("bytes")?)?;
    let snapshot = serde_json::from_slice(&json).map_err(|error| {
        StoreError::damaged(format!("the ignored text of entry {entry}: {error}"))
    })?;
    Ok(StoredIgnored {
        scheme: row.get("scheme")?,
        snapshot,
    })
}

impl Reader {
    /// The last known ignored text of these entries; entries without any are left out. A damaged text does not
    /// hide the others.
    pub fn ignored_texts(
        &self,
        entries: &[EntryId],
        channel: Channel,
    ) -> Result<Vec<IgnoredOf>, StoreError> {
        let ids: Vec<i64> = entries.iter().map(|entry| entry.0).collect();
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT t.entry_id, t.scheme, t.bytes, t.body FROM json_each(?1) AS e \
                 JOIN ignored_texts AS t ON t.entry_id = e.value AND t.channel = ?2",
            )?;
            let mut rows = statement.query(params![ids, channel])?;
            let mut texts = Vec::new();
            while let Some(row) = rows.next()? {
                let entry: EntryId = row.get("entry_id")?;
                texts.push((entry, ignored_row(row, entry)));
            }
            Ok(texts)
        })
    }

    /// Passes the places that match a filter to `take` one by one, newest last change first; stops when it returns
    /// `false`.
    pub fn each_ignored(
        &self,
        filter: &IgnoredFilter,
        mut take: impl FnMut(IgnoredMove) -> bool,
    ) -> Result<(), StoreError> {
        let order = if filter.oldest_first { "ASC" } else { "DESC" };
        let (conditions, mut values) = filter.conditions();
        values.push(Box::new(limit_of(filter.limit.unwrap_or(usize::MAX))));
        let sql = format!(
            "SELECT m.id, e.feed_id, f.name AS feed_name, e.public_id, e.title, e.page_url, m.channel, m.place, m.rule_id, m.reason, \
             m.times, m.first_at, m.last_at, m.first, m.before, m.after FROM ignored_moves AS m \
             JOIN entries AS e ON e.id = m.entry_id JOIN feeds AS f ON f.id = e.feed_id{conditions} \
             ORDER BY m.last_at {order}, m.id {order} LIMIT ?"
        );
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values.iter()))?;
            while let Some(row) = rows.next()? {
                if !take(move_row(row)?) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// How much matches a filter, disregarding its limit.
    pub fn ignored_totals(&self, filter: &IgnoredFilter) -> Result<IgnoredTotals, StoreError> {
        let (conditions, values) = filter.conditions();
        let sql = format!(
            "SELECT count(*) AS places, COALESCE(sum(m.times), 0) AS times, count(DISTINCT m.entry_id) AS entries FROM ignored_moves AS m \
             JOIN entries AS e ON e.id = m.entry_id{conditions}"
        );
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let totals = statement.query_row(params_from_iter(values.iter()), |row| {
                Ok(IgnoredTotals {
                    places: count(row, "places")?,
                    times: count(row, "times")?,
                    entries: count(row, "entries")?,
                })
            })?;
            Ok(totals)
        })
    }

    /// How many places can be pruned, see [`Writer::prune_ignored`].
    pub fn prunable_ignored(&self, since: Timestamp) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM ignored_moves AS m WHERE {MAY_GO}");
        self.read(|conn| Ok(conn.query_row(&sql, [since], |row| count(row, 0))?))
    }
}

fn move_row(row: &Row<'_>) -> rusqlite::Result<IgnoredMove> {
    Ok(IgnoredMove {
        id: row.get("id")?,
        feed: row.get("feed_id")?,
        feed_name: row.get("feed_name")?,
        entry: row.get("public_id")?,
        title: row.get("title")?,
        url: row.get("page_url")?,
        channel: row.get("channel")?,
        place: row.get("place")?,
        rule: row.get("rule_id")?,
        reason: row.get("reason")?,
        times: count(row, "times")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
        first: row.get("first")?,
        before: row.get("before")?,
        after: row.get("after")?,
    })
}

/// Whether an entry `e` is no longer watched; until then its record is kept.
macro_rules! unwatched {
    ($entry:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM entries AS e WHERE e.id = ",
            $entry,
            " AND e.page_next_at IS NULL AND NOT e.in_feed)"
        )
    };
}

/// Whether a place `m` can be deleted: it has not changed since a moment, and its entry is no longer watched.
const MAY_GO: &str = concat!("m.last_at < ?1 AND ", unwatched!("m.entry_id"));

impl Writer {
    /// Deletes places that have not changed since a moment, of entries that are no longer watched, and the last
    /// known text of such entries: at most `limit` of each. Returns the larger of the two numbers; if it is below
    /// `limit`, nothing is left to delete.
    pub fn prune_ignored(&self, since: Timestamp, limit: usize) -> Write<usize> {
        self.write(move |tx| {
            let limit = limit_of(limit);
            let texts = concat!(
                "DELETE FROM ignored_texts WHERE id IN (SELECT t.id FROM ignored_texts AS t WHERE ",
                unwatched!("t.entry_id"),
                " LIMIT ?1)"
            );
            let texts = tx.conn.prepare_cached(texts)?.execute([limit])?;
            let moves = format!(
                "DELETE FROM ignored_moves WHERE id IN \
                 (SELECT m.id FROM ignored_moves AS m WHERE {MAY_GO} ORDER BY m.last_at LIMIT ?2)"
            );
            let mut moves = tx.conn.prepare_cached(&moves)?;
            Ok(moves.execute(params![since, limit])?.max(texts))
        })
    }
}

/// Stores the new ignored text, and counts its changes. `rules` are the numbers of the rules that were just
/// learned.
pub(super) fn put(
    tx: &mut Tx<'_>,
    entry: EntryId,
    ignored: &IgnoredText,
    rules: &[Option<RuleId>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let number = |rule: RuleId| match learned_at(rule) {
        Some(at) => rules.get(at).copied().flatten(),
        None => Some(rule),
    };
    let mut snapshot = ignored.snapshot.clone();
    snapshot.number_rules(number);
    let json = serde_json::to_vec(&snapshot)
        .map_err(|_| StoreError::Refused("ignored text that has no JSON form"))?;
    let bytes = i64::try_from(json.len()).unwrap_or(i64::MAX);
    let body = tx.codec.pack(&json)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO ignored_texts (entry_id, channel, scheme, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (entry_id, channel) DO UPDATE SET scheme = excluded.scheme, bytes = excluded.bytes, \
             body = excluded.body",
        )?
        .execute(params![entry, ignored.channel, ignored.scheme, bytes, body])?;
    for movement in &ignored.movements {
        let rule = movement.rule.and_then(number);
        count_move(tx.conn, entry, ignored.channel, movement, rule, now)?;
    }
    Ok(())
}

/// The reason shown for the place that combines all others.
const FURTHER_PLACES: &str = "further places of this entry";

fn count_move(
    conn: &Connection,
    entry: EntryId,
    channel: Channel,
    movement: &Movement,
    rule: Option<RuleId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (reason, rule): (&str, &dyn ToSql) = match movement.place {
        FURTHER => (FURTHER_PLACES, &None::<RuleId>),
        _ => (&movement.why, &rule),
    };
    conn.prepare_cached(
        "INSERT INTO ignored_moves (entry_id, channel, place, rule_id, reason, times, first_at, last_at, first, \
         before, after) VALUES (:entry, :channel, :place, :rule, :reason, 1, :now, :now, :before, :before, :after) \
         ON CONFLICT (entry_id, channel, place) DO UPDATE SET rule_id = excluded.rule_id, \
         reason = excluded.reason, times = times + 1, last_at = excluded.last_at, before = excluded.before, \
         after = excluded.after",
    )?
    .execute(named_params! {
        ":entry": entry, ":channel": channel, ":place": movement.place, ":rule": rule, ":reason": reason,
        ":now": now, ":before": movement.before, ":after": movement.after,
    })?;
    Ok(())
}
