//! Changes that are stored separately but reported together: summaries of additions, and edits of many pages.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::entries::{self, KnownEntry};
use super::error::StoreError;
use super::reader::Reader;
use super::sql::{count, limit_of};
use super::states;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{ChangeNumber, EntryId, EventId, FeedId, RevisionNumber};
use crate::domain::state::EntryState;
use crate::time::Timestamp;

/// A revision at one end of a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestEnd {
    /// Its number.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Its state.
    pub state: EntryState,
}

/// Additions to a live article that are waiting for a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingDigest {
    /// The entry.
    pub entry: KnownEntry,
    /// The number of changes.
    pub changes: u64,
    /// The first of them.
    pub first: ChangeNumber,
    /// The last of them.
    pub last: ChangeNumber,
    /// Changes in between that were reported separately.
    pub told_alone: u64,
    /// The last check before all of them.
    pub last_unchanged: Timestamp,
    /// The first check that saw the last of them.
    pub first_changed: Timestamp,
    /// The revision before the first of them.
    pub old: DigestEnd,
    /// The revision after the last of them.
    pub new: DigestEnd,
}

/// The results of recent checks of a feed's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageEdits {
    /// Entries whose page was changed.
    pub changed: usize,
    /// Entries whose page was checked; zero if that was not requested.
    pub looked: usize,
    /// Whether some of it has already been reported as a bulk edit.
    pub folded: bool,
}

impl Reader {
    /// Entries whose additions are due for a summary, longest due first.
    pub fn due_digests(&self, now: Timestamp, limit: usize) -> Result<Vec<EntryId>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id FROM entries WHERE digest_due_at IS NOT NULL AND digest_due_at <= ?1 \
                 ORDER BY digest_due_at, id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![now, limit_of(limit)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The additions to an entry that are waiting for a summary.
    pub fn pending_digest(&self, entry: EntryId) -> Result<Option<PendingDigest>, StoreError> {
        self.read(|conn| {
            // One snapshot for all queries, even while the writer continues.
            let tx = conn.unchecked_transaction()?;
            let Some(known) = entries::by_id(&tx, entry)? else {
                return Ok(None);
            };
            let row = tx
                .prepare_cached(
                    "SELECT count(*), min(number), max(number), min(before_revision), max(after_revision), \
                     min(last_unchanged_at), max(first_changed_at) FROM changes \
                     WHERE entry_id = ?1 AND quiet = 'digest' AND digest_event_id IS NULL",
                )?
                .query_row([entry], |row| {
                    let changes = count(row, 0)?;
                    if changes == 0 {
                        return Ok(None);
                    }
                    Ok(Some((changes, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?)))
                })?;
            let Some((changes, first, last, before, after, last_unchanged, first_changed)) = row else {
                return Ok(None);
            };
            let (first, last): (ChangeNumber, ChangeNumber) = (first, last);
            let told_alone = tx
                .prepare_cached(
                    "SELECT count(*) FROM changes WHERE entry_id = ?1 AND number BETWEEN ?2 AND ?3 AND quiet IS NULL",
                )?
                .query_row(params![entry, first, last], |row| count(row, 0))?;
            Ok(Some(PendingDigest {
                entry: known,
                changes,
                first,
                last,
                told_alone,
                last_unchanged,
                first_changed,
                old: end(&tx, entry, before)?,
                new: end(&tx, entry, after)?,
            }))
        })
    }

    /// Pages of a feed that have had the same edit since then.
    pub fn pages_with_edit(
        &self,
        feed: FeedId,
        edit: Fingerprint,
        since: Timestamp,
    ) -> Result<PageEdits, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT count(DISTINCT entry_id), COALESCE(max(quiet = 'bulk_edit'), 0) FROM changes \
                 WHERE feed_id = ?1 AND first_changed_at >= ?2 AND edit_fp = ?3 \
                   AND (quiet IS NULL OR quiet = 'bulk_edit')",
            )?;
            Ok(statement.query_row(params![feed, since, edit], |row| {
                Ok(PageEdits {
                    changed: usize::try_from(count(row, 0)?).unwrap_or(usize::MAX),
                    looked: 0,
                    folded: row.get(1)?,
                })
            })?)
        })
    }

    /// Pages of a feed that have been checked since then, and those of them that have changed.
    pub fn page_edits(&self, feed: FeedId, since: Timestamp) -> Result<PageEdits, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT count(DISTINCT c.entry_id), COALESCE(max(c.quiet = 'bulk_edit'), 0), \
                 (SELECT count(*) FROM entries WHERE feed_id = :feed AND page_ok_at >= :since) FROM changes AS c \
                 JOIN revisions AS r ON r.entry_id = c.entry_id AND r.number = c.after_revision \
                 WHERE c.feed_id = :feed AND c.first_changed_at >= :since AND (c.quiet IS NULL OR c.quiet = 'bulk_edit') \
                   AND r.channels = 'page'",
            )?;
            let edits = statement.query_row(
                named_params! {":feed": feed, ":since": since},
                |row| {
                    Ok(PageEdits {
                        changed: usize::try_from(count(row, 0)?).unwrap_or(usize::MAX),
                        looked: usize::try_from(count(row, 2)?).unwrap_or(usize::MAX),
                        folded: row.get(1)?,
                    })
                },
            )?;
            Ok(edits)
        })
    }
}

fn end(conn: &Connection, entry: EntryId, number: RevisionNumber) -> Result<DigestEnd, StoreError> {
    let found: Option<(i64, Timestamp)> = conn
        .prepare_cached(
            "SELECT state_id, seen_at FROM revisions WHERE entry_id = ?1 AND number = ?2",
        )?
        .query_row(params![entry, number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, seen)) = found else {
        return Err(StoreError::damaged(format!(
            "entry {entry} lacks its revision {number}"
        )));
    };
    Ok(DigestEnd {
        number,
        seen,
        state: states::get(conn, state)?,
    })
}

/// Records that an event has summarised the additions up to a change. Without an event there was nothing left to
/// report, and they wait for the next summary.
pub(super) fn note(
    conn: &Connection,
    entry: EntryId,
    until: ChangeNumber,
    event: Option<EventId>,
) -> Result<(), StoreError> {
    if let Some(event) = event {
        conn.prepare_cached(
            "UPDATE changes SET digest_event_id = ?3 WHERE entry_id = ?1 AND number <= ?2 AND quiet = 'digest' \
             AND digest_event_id IS NULL",
        )?
        .execute(params![entry, until, event])?;
    }
    // If additions came while the summary was made, its due time is kept. It has passed, so they are reported in
    // the next round.
    conn.prepare_cached(
        "UPDATE entries SET digest_due_at = NULL WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM changes \
         WHERE entry_id = ?1 AND quiet = 'digest' AND digest_event_id IS NULL AND number > ?2)",
    )?
    .execute(params![entry, until])?;
    Ok(())
}
