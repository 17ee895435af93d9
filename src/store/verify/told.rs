//! What is true of every stored event, whether or not it belongs to a change.

use rusqlite::{Connection, Row};

use super::super::error::StoreError;
use super::Verified;
use crate::codec::unpack;
use crate::domain::event::{Event, RevisionInfo};
use crate::domain::event_builder::body_sha256;
use crate::domain::ids::RevisionNumber;
use crate::domain::state::EntryState;
use crate::time::Timestamp;

/// Reads `bytes, body`, starting at a column, as an event; `None` if that fails.
pub(super) fn read(row: &Row<'_>, first: usize) -> Option<Event> {
    let bytes: i64 = row.get(first).ok()?;
    let body = row.get_ref(first + 1).ok()?.as_blob().ok()?;
    let json = unpack(body, bytes).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Numbers count from one without gaps, and the last one is recorded by `SQLite`. No such row is ever deleted, and
/// a number that was assigned belongs to a stored transaction.
pub(super) fn numbers(
    conn: &Connection,
    found: &mut Verified,
    table: &str,
    column: &str,
    name: &str,
) -> Result<(), StoreError> {
    let (rows, newest): (i64, i64) = conn.query_row(
        &format!("SELECT count(*), COALESCE(max({column}), 0) FROM {table}"),
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let noted: i64 = conn.query_row(
        "SELECT COALESCE(max(seq), 0) FROM sqlite_sequence WHERE name = ?1",
        [table],
        |row| row.get(0),
    )?;
    if rows != newest {
        let missing = newest.saturating_sub(rows);
        found.fault(format!(
            "{table}: {missing} of those before {name} {newest} are missing"
        ));
    }
    if noted > newest {
        found.fault(format!(
            "{table}: the newest is missing: {name} {noted} was stored, and {newest} is the last"
        ));
    } else if noted < newest {
        found.fault(format!(
            "{table}: {name} {noted} is noted as the last, and there is {newest}"
        ));
    }
    Ok(())
}

/// Whether an event has the kind and time of its row: `type, created_at`, starting at a column.
pub(super) fn is_of(event: &Event, row: &Row<'_>, first: usize) -> Result<bool, StoreError> {
    let kind: String = row.get(first)?;
    let created: Timestamp = row.get(first + 1)?;
    Ok(event.kind.as_str() == kind && event.timestamp == created)
}

/// Whether one side of a change is the recorded revision, as far as its text is kept.
pub(super) fn side_fits(
    side: Option<&RevisionInfo>,
    revision: RevisionNumber,
    state: Option<&EntryState>,
) -> bool {
    side.is_some_and(|side| {
        side.revision == revision
            && state.is_none_or(|state| {
                side.title.as_deref() == state.title() && side.body_sha256 == body_sha256(state)
            })
    })
}
