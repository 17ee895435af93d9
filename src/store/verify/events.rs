//! Events that do not belong to changes: whether they can be read, and the numbers of all events.

use rusqlite::Connection;

use super::super::error::StoreError;
use super::diff::wrong_field;
use super::told::{is_of, numbers, read, side_fits};
use super::{Verified, VerifyTask};
use crate::domain::event::RevisionInfo;
use crate::domain::state::EntryState;
use crate::states;

pub(super) fn events(
    conn: &Connection,
    found: &mut Verified,
    work: &mut VerifyTask<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "SELECT id, bytes, body, type, created_at, entry_id FROM events \
         WHERE id NOT IN (SELECT event_id FROM changes) ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        work.one();
        let Some(event) = read(row, 1) else {
            found.fault(format!("event {id}: it cannot be read"));
            continue;
        };
        match is_of(&event, row, 3) {
            Ok(true) => {}
            Ok(false) => found.fault(format!(
                "event {id}: its kind or time differs from the record"
            )),
            Err(error) if error.is_damaged() => found.fault(format!("event {id}: {error}")),
            Err(error) => return Err(error),
        }
        // A summary, or an event about a text that goes back and forth, reports a step between two revisions as a
        // change does.
        let data = &event.data;
        if let (Some(diff), Some(before), Some(after)) = (&data.diff, &data.before, &data.after) {
            let state = |side: &RevisionInfo| of_revision(conn, row.get(5)?, side);
            match (state(before), state(after)) {
                (Ok(Some(old)), Ok(Some(new))) => {
                    if let Some(field) = wrong_field(diff, &old, &new) {
                        found.fault(format!(
                            "event {id}: its {field} does not rebuild both revisions"
                        ));
                    }
                    for (side, state) in [(before, &old), (after, &new)] {
                        if !side_fits(Some(side), side.revision, Some(state)) {
                            found.fault(format!(
                                "event {id}: revision {} in it does not match the stored revision",
                                side.revision
                            ));
                        }
                    }
                }
                (Ok(_), Ok(_)) => {}
                _ => found.fault(format!("event {id}: a revision of it cannot be read")),
            }
        }
    }
    numbers(conn, found, "events", "id", "event")
}

/// The text of a revision; `None` if retention has deleted it.
fn of_revision(
    conn: &Connection,
    entry: i64,
    side: &RevisionInfo,
) -> Result<Option<EntryState>, StoreError> {
    let id: i64 = conn
        .prepare_cached("SELECT state_id FROM revisions WHERE entry_id = ?1 AND number = ?2")?
        .query_row((entry, side.revision), |row| row.get(0))?;
    states::find(conn, id)
}
