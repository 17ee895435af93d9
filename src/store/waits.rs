//! `waits`: changes that have not been reported yet, because further checks have to show whether they are edits.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::events;
use super::reader::Reader;
use super::sql::limit_of;
use super::states;
use super::writer::Tx;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{ChangeNumber, EntryId, EventId, FeedId};
use crate::domain::outcome::{NewWait, WaitVerdict, Waited};
use crate::domain::state::EntryState;
use crate::time::Timestamp;

/// A pending change.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The change.
    pub change: ChangeNumber,
    /// Its entry.
    pub entry: EntryId,
    /// Since when.
    pub since: Timestamp,
    /// Checks after this time belong to the current round.
    pub round: Timestamp,
    /// When the round is judged.
    pub due: Timestamp,
    /// The number of rounds so far.
    pub rounds: u32,
    /// The number of consecutive rounds in which nothing similar changed.
    pub still: u32,
    /// When the page of the entry was last read.
    pub looked: Option<Timestamp>,
    /// The state before; `None` when its text is not kept any more.
    pub before: Option<EntryState>,
    /// The state after; `None` as above.
    pub after: Option<EntryState>,
    /// The current state of the entry.
    pub current: Option<EntryState>,
    /// The event that would be reported.
    pub event: Event,
    /// The fingerprint of the removed and added words.
    pub edit: Option<Fingerprint>,
}

impl Reader {
    /// Feeds with changes whose round is due for judgement, longest wait first.
    pub fn feeds_that_wait(&self, now: Timestamp, limit: usize) -> Result<Vec<FeedId>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT feed_id FROM waits WHERE due_at <= ?1 GROUP BY feed_id ORDER BY min(due_at) LIMIT ?2",
            )?;
            let rows = statement.query_map(params![now, limit_of(limit)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The number of pending changes of a feed.
    pub fn count_waiting(&self, feed: FeedId) -> Result<u64, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT count(*) FROM waits WHERE feed_id = ?1")?;
            Ok(statement.query_row([feed], |row| super::sql::count(row, 0))?)
        })
    }

    /// The pending changes of a feed, by entry and in order.
    pub fn waiting(&self, feed: FeedId) -> Result<Vec<Waiting>, StoreError> {
        self.read(|conn| {
            // One snapshot for all queries, even while the writer continues.
            let tx = conn.unchecked_transaction()?;
            let mut statement = tx.prepare_cached(
                "SELECT w.change_number, w.entry_id, w.since_at, w.round_at, w.due_at, w.rounds, w.still, e.page_ok_at, \
                 (SELECT state_id FROM revisions WHERE entry_id = e.id AND number = c.before_revision) AS before, \
                 (SELECT state_id FROM revisions WHERE entry_id = e.id AND number = c.after_revision) AS after, \
                 (SELECT state_id FROM revisions WHERE entry_id = e.id AND number = e.revision) AS current, \
                 c.edit_fp, v.bytes, v.body \
                 FROM waits AS w JOIN entries AS e ON e.id = w.entry_id JOIN changes AS c ON c.number = w.change_number \
                 JOIN events AS v ON v.id = c.event_id WHERE w.feed_id = ?1 ORDER BY w.entry_id, w.change_number",
            )?;
            let mut rows = statement.query([feed])?;
            let mut waiting = Vec::new();
            while let Some(row) = rows.next()? {
                let state = |id: Option<i64>| match id {
                    Some(id) => states::find(&tx, id),
                    None => Ok(None),
                };
                let change: ChangeNumber = row.get("change_number")?;
                let json = events::event_json(row, "bytes", "body")?;
                waiting.push(Waiting {
                    change,
                    entry: row.get("entry_id")?,
                    since: row.get("since_at")?,
                    round: row.get("round_at")?,
                    due: row.get("due_at")?,
                    rounds: row.get("rounds")?,
                    still: row.get("still")?,
                    looked: row.get("page_ok_at")?,
                    before: state(row.get("before")?)?,
                    after: state(row.get("after")?)?,
                    current: state(row.get("current")?)?,
                    edit: row.get("edit_fp")?,
                    event: serde_json::from_slice(&json).map_err(|error| {
                        StoreError::damaged(format!("the event of change {change} cannot be read: {error}"))
                    })?,
                });
            }
            Ok(waiting)
        })
    }
}

/// Stores a pending change, and schedules checks of the pages that can show more.
pub(super) fn begin(
    conn: &Connection,
    feed: FeedId,
    entry: EntryId,
    change: ChangeNumber,
    wait: &NewWait,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO waits (change_number, entry_id, feed_id, since_at, round_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
    )?
    .execute(params![change, entry, feed, now, wait.due])?;
    look_at(conn, entry, wait)
}

fn look_at(conn: &Connection, entry: EntryId, wait: &NewWait) -> Result<(), StoreError> {
    let mut update = conn.prepare_cached(
        "UPDATE entries SET page_next_at = min(page_next_at, ?2) WHERE id = ?1 AND page_next_at IS NOT NULL",
    )?;
    for id in wait.others.iter().chain([&entry]) {
        update.execute(params![id, wait.due])?;
    }
    Ok(())
}

/// Stores the verdict on a pending change. If it is no longer pending, another process has judged it.
pub(super) fn note(tx: &mut Tx<'_>, entry: EntryId, waited: &Waited) -> Result<(), StoreError> {
    let change = waited.change;
    if let WaitVerdict::Again {
        wait,
        still,
        counts,
    } = &waited.verdict
    {
        tx.conn
            .prepare_cached(
                "UPDATE waits SET round_at = iif(?4, ?5, round_at), due_at = ?2, rounds = rounds + 1, \
                 still = CASE WHEN NOT ?4 THEN still WHEN ?3 THEN still + 1 ELSE 0 END WHERE change_number = ?1",
            )?
            .execute(params![change, wait.due, still, counts, waited.at])?;
        return look_at(tx.conn, entry, wait);
    }
    let waits = tx
        .conn
        .prepare_cached("DELETE FROM waits WHERE change_number = ?1")?
        .execute([change])?;
    if waits == 0 {
        return Ok(());
    }
    let quiet = match &waited.verdict {
        WaitVerdict::Edit(_) => None,
        WaitVerdict::OneOfMany => Some("bulk_edit"),
        WaitVerdict::NoEdit | WaitVerdict::Again { .. } => Some("unconfirmed"),
    };
    let (event, first_changed): (EventId, Timestamp) = tx
        .conn
        .prepare_cached(
            "UPDATE changes SET quiet = ?2 WHERE number = ?1 RETURNING event_id, first_changed_at",
        )?
        .query_row(params![change, quiet], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if quiet != Some("unconfirmed") {
        tx.conn
            .prepare_cached(
                "UPDATE entries SET last_change_at = max(COALESCE(last_change_at, ?2), ?2) WHERE id = ?1",
            )?
            .execute(params![entry, first_changed])?;
    }
    match &waited.verdict {
        WaitVerdict::Edit(targets) => events::deliver(tx, event, targets, first_changed),
        _ => Ok(()),
    }
}
