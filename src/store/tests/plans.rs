//! How `SQLite` finds rows: every statement that a test of the store runs is explained, and scanning a growing table
//! needs a reason.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::super::migrate;

/// Tables with a row for each article, text, change or delivery.
const GROWING: [&str; 15] = [
    "aliases",
    "attempts",
    "bodies",
    "captures",
    "changes",
    "deliveries",
    "entries",
    "events",
    "ignored_moves",
    "ignored_texts",
    "page_lives",
    "page_texts",
    "revisions",
    "states",
    "waits",
];

/// Statements that scan a whole table or index, identified by a part of their text, each with its reason.
const SCANS: [(&str, &str); 25] = [
    (
        "FROM changes AS c JOIN events AS v ON v.id = c.event_id WHERE 1",
        LISTED,
    ),
    (
        "FROM deliveries AS d JOIN targets AS t ON t.id = d.target_id JOIN events AS v",
        LISTED,
    ),
    ("SELECT count(*) FROM changes", COUNTED),
    ("SELECT count(*) FROM entries", COUNTED),
    ("SELECT count(*) FROM revisions", COUNTED),
    (
        "SELECT feed_id, count(*), sum(last_change_at IS NOT NULL) FROM entries",
        "the statistics of all feeds, for a person who asks",
    ),
    ("SELECT count(*) FROM deliveries INDEXED BY", OPEN),
    ("FROM deliveries INDEXED BY deliveries_open", OPEN),
    (
        "FROM bodies AS b JOIN captures AS c ON c.body_id = b.id WHERE b.base_id IS NULL",
        DAILY,
    ),
    ("OVER (PARTITION BY r.entry_id", DAILY),
    (
        "FROM states AS s WHERE s.dropped_at IS NULL AND EXISTS",
        DAILY,
    ),
    (
        "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM changes)",
        COUNTED,
    ),
    ("SELECT (SELECT count(*) FROM states)", VERIFIED),
    ("WHERE b.sha256 <> c.body_sha256", VERIFIED),
    (
        "SELECT c.number, v.bytes, v.body, c.before_revision",
        VERIFIED,
    ),
    (
        "SELECT count(*), COALESCE(max(id), 0) FROM events",
        VERIFIED,
    ),
    (
        "SELECT count(*), COALESCE(max(number), 0) FROM changes",
        VERIFIED,
    ),
    ("WHERE e.revision IS NOT (SELECT max(number)", VERIFIED),
    (
        "FROM events WHERE id NOT IN (SELECT event_id FROM changes)",
        VERIFIED,
    ),
    ("SELECT id, sha256 FROM bodies ORDER BY id", VERIFIED),
    (
        "SELECT id, sha256, bytes, body, dropped_at IS NULL FROM states ORDER BY id",
        VERIFIED,
    ),
    (
        "SELECT r.entry_id, r.number, r.seen_at, r.previous_hash",
        VERIFIED,
    ),
    ("DELETE FROM feeds", "only a test does it"),
    ("- :back WHERE", RARE),
    ("page_next_at = :now + (id", RARE),
];
const LISTED: &str = "a list in the order of its numbers, read as far as it is shown";
const COUNTED: &str = "counts of the smallest index, for a person who asks";
const OPEN: &str = "a partial index of what is open, which is all of it";
const DAILY: &str = "once a day, or for a person who asks what would be deleted";
const RARE: &str = "when the clock was set back";
const VERIFIED: &str = "`db verify` reads everything";

/// References to these tables need no index, as their rows are never deleted.
const KEPT: [&str; 6] = [
    "feeds", "entries", "captures", "events", "changes", "targets",
];

static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static EXPLAINED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Records the statements that run on a connection.
pub(in super::super) fn watch(conn: &mut Connection) {
    let note = |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(statement.sql().into_owned());
        }
    };
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note))
        .unwrap();
}

/// Explains the statements that were recorded since the last call.
pub(super) fn explain() {
    let seen = std::mem::take(&mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner));
    let mut explained = EXPLAINED.lock().unwrap_or_else(PoisonError::into_inner);
    let new: Vec<String> = seen.difference(&explained).cloned().collect();
    if new.is_empty() {
        return;
    }
    let conn = schema();
    let scans: Vec<String> = new.iter().flat_map(|sql| scans(&conn, sql)).collect();
    explained.extend(new);
    drop(explained);
    assert!(
        scans.is_empty(),
        "scans without a reason:\n{}",
        scans.join("\n")
    );
}

fn schema() -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&mut conn, std::path::Path::new("memory")).unwrap();
    conn
}

fn scans(conn: &Connection, sql: &str) -> Vec<String> {
    let is_query = ["SELECT", "UPDATE", "INSERT", "DELETE", "WITH"]
        .iter()
        .any(|verb| sql.trim_start().starts_with(verb));
    if !is_query || migrate::holds(sql) || SCANS.iter().any(|(part, _)| sql.contains(part)) {
        return Vec::new();
    }
    let Ok(mut statement) = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) else {
        // It belongs to an older schema, or to an attached table.
        return Vec::new();
    };
    // Unbound parameters are null, which does not change the plan.
    let count = statement.parameter_count();
    let values = vec![rusqlite::types::Null; count];
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
    let details: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    let names = aliases(sql);
    details
        .into_iter()
        .filter(|detail| {
            let mut words = detail.split(' ');
            let scan = words.next() == Some("SCAN");
            let of = words.next().unwrap_or_default();
            let table = names.iter().find(|(alias, _)| alias == of);
            let table = table.map_or(of, |(_, table)| table.as_str());
            scan && GROWING.contains(&table)
        })
        .map(|detail| format!("{detail}\n    of {sql}"))
        .collect()
}

/// The tables behind the aliases in a statement.
fn aliases(sql: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let named = words.windows(3).filter(|three| three[1] == "AS");
    let trim = |word: &str| word.trim_matches(['(', ')', ',']).to_owned();
    named
        .map(|three| (trim(three[2]), trim(three[0])))
        .collect()
}

#[test]
fn references_are_found_by_an_index_where_rows_are_deleted() {
    let conn = schema();
    let mut references = conn
        .prepare(
            "SELECT t.name, t.sql, f.\"from\", f.\"table\", \
             EXISTS (SELECT 1 FROM pragma_index_list(t.name) AS i JOIN pragma_index_info(i.name) AS c \
                     WHERE c.seqno = 0 AND c.name = f.\"from\") \
             OR EXISTS (SELECT 1 FROM pragma_table_info(t.name) AS p WHERE p.pk = 1 AND p.name = f.\"from\") \
             FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'",
        )
        .unwrap();
    let rows = references
        .query_map([], |row| {
            let (table, sql): (String, String) = (row.get(0)?, row.get(1)?);
            let (column, parent, indexed): (String, String, bool) =
                (row.get(2)?, row.get(3)?, row.get(4)?);
            let own = |line: &&str| line.trim_start().starts_with(&format!("{column} "));
            let line = sql.lines().find(own).unwrap_or_default();
            // Deferred references are looked up for each row that is stored, whatever their table.
            let free = !line.contains("DEFERRABLE") && KEPT.contains(&parent.as_str());
            Ok((format!("{table}.{column} -> {parent}"), indexed || free))
        })
        .unwrap();
    let rows: Vec<(String, bool)> = rows.map(Result::unwrap).collect();
    assert!(rows.len() > 20, "the references are found: {rows:?}");
    let bad: Vec<&String> = rows
        .iter()
        .filter(|(_, ok)| !ok)
        .map(|(name, _)| name)
        .collect();
    assert!(
        bad.is_empty(),
        "scanned when a row is deleted or stored: {bad:?}"
    );
}
