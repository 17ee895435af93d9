//! `snapshots`: the pages that the Wayback Machine is asked to save. A second outbox: what is wanted is a row, and a row
//! stays due until the archive has a snapshot or has refused permanently.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::domain::ids::{ChangeNumber, EntryId};
use crate::domain::wayback::{ArchiveRequest, SavesSoFar, SnapshotStep, this_day};
use crate::time::Timestamp;

/// A page to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSnapshot {
    /// Its row.
    pub id: i64,
    /// The article.
    pub entry: EntryId,
    /// The address of its feed.
    pub feed: String,
    /// The page.
    pub url: String,
    /// What to ask.
    pub request: ArchiveRequest,
    /// How often the archive was asked to save it.
    pub tries: u32,
}

/// A page that is saved, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The change that it follows; `None` at the first sight of the article.
    pub change: Option<ChangeNumber>,
    /// When it was wanted.
    pub wanted: Timestamp,
    /// The address of the snapshot, once there is one.
    pub address: Option<String>,
    /// What the archive said last, when that was no success.
    pub error: Option<String>,
    /// Whether it is still to be asked for.
    pub waits: bool,
}

/// What there is of snapshots as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SnapshotCounts {
    /// Snapshots.
    pub saved: u32,
    /// Pages to ask for.
    pub waiting: u32,
    /// Pages that could not be saved.
    pub refused: u32,
    /// Pages that wait because the archive did not accept our key at the last try, or it could not be read.
    pub without_key: u32,
}

/// Entries and changes that are read in one transaction.
const TOGETHER: i64 = 500;

impl Reader {
    /// The page to ask for next: work that has begun first, then changes, then first sights.
    pub fn due_snapshot(&self, now: Timestamp) -> Result<Option<DueSnapshot>, StoreError> {
        self.read(|conn| {
            let due = conn
                .prepare_cached(
                    "SELECT s.id, s.entry_id, f.url AS feed, s.url, s.job, s.asked_at, s.tries FROM snapshots AS s \
                     JOIN entries AS e ON e.id = s.entry_id JOIN feeds AS f ON f.id = e.feed_id \
                     WHERE s.due_at IS NOT NULL AND s.due_at <= ?1 \
                     ORDER BY s.job IS NULL, s.change IS NULL, s.id LIMIT 1",
                )?
                .query_row([now], |row| {
                    Ok(DueSnapshot {
                        id: row.get("id")?,
                        entry: row.get("entry_id")?,
                        feed: row.get("feed")?,
                        url: row.get("url")?,
                        request: match row.get("job")? {
                            Some(job) => ArchiveRequest::Status {
                                job,
                                since: row.get("asked_at")?,
                            },
                            None => ArchiveRequest::Save,
                        },
                        tries: row.get("tries")?,
                    })
                })
                .optional()?;
            Ok(due)
        })
    }

    /// What the archive has begun to save today, and of this article.
    pub fn saves_so_far(&self, entry: EntryId, now: Timestamp) -> Result<SavesSoFar, StoreError> {
        self.read(|conn| {
            let (last, page) = conn
                .prepare_cached(
                    "SELECT max(asked_at), count(*) FILTER (WHERE asked_at >= ?2) FROM snapshots WHERE entry_id = ?1",
                )?
                .query_row(params![entry, this_day(now)], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let all = conn
                .prepare_cached("SELECT count(*) FROM snapshots WHERE asked_at IS NOT NULL AND asked_at >= ?1")?
                .query_row([this_day(now)], |row| row.get(0))?;
            Ok(SavesSoFar { last, page, all })
        })
    }

    /// The snapshots of an article, oldest first.
    pub fn snapshots(&self, entry: EntryId) -> Result<Vec<SnapshotRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT change, wanted_at, address, error, due_at IS NOT NULL AS waits FROM snapshots \
                 WHERE entry_id = ?1 ORDER BY id",
            )?;
            let rows = statement.query_map([entry], snapshot)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The snapshot that was wanted for a change.
    pub fn snapshot_of(&self, change: ChangeNumber) -> Result<Option<SnapshotRow>, StoreError> {
        self.read(|conn| {
            let row = conn
                .prepare_cached(
                    "SELECT change, wanted_at, address, error, due_at IS NOT NULL AS waits FROM snapshots \
                     WHERE change = ?1 ORDER BY id DESC LIMIT 1",
                )?
                .query_row([change], snapshot)
                .optional()?;
            Ok(row)
        })
    }

    /// The addresses of the snapshots of these changes, where there are any.
    pub fn snapshots_of(
        &self,
        changes: &[ChangeNumber],
    ) -> Result<Vec<(ChangeNumber, String)>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT address FROM snapshots WHERE change = ?1 AND address IS NOT NULL ORDER BY id DESC LIMIT 1",
            )?;
            let mut found = Vec::new();
            for change in changes {
                let address = statement.query_row([change], |row| row.get(0)).optional()?;
                found.extend(address.map(|address| (*change, address)));
            }
            Ok(found)
        })
    }

    /// Whether saving was on until now.
    pub fn wants_snapshots(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT saved_entry IS NOT NULL FROM meta WHERE id = 1")?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }

    /// Whether there are articles or changes that [`Writer::want_snapshots`] has not seen yet.
    pub fn has_unseen(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT saved_entry IS NULL OR saved_entry < COALESCE((SELECT max(id) FROM entries), 0) \
                   OR saved_change < COALESCE((SELECT max(number) FROM changes), 0) FROM meta WHERE id = 1",
            )?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }

    /// How many there are.
    pub fn snapshot_counts(&self) -> Result<SnapshotCounts, StoreError> {
        self.read(|conn| {
            let counts = conn
                .prepare_cached(
                    "SELECT count(address) AS saved, count(due_at) AS waiting, \
                     count(*) FILTER (WHERE due_at IS NULL AND address IS NULL) AS refused, \
                     count(*) FILTER (WHERE due_at IS NOT NULL AND of_key) AS without_key FROM snapshots",
                )?
                .query_row([], |row| {
                    Ok(SnapshotCounts {
                        saved: row.get("saved")?,
                        waiting: row.get("waiting")?,
                        refused: row.get("refused")?,
                        without_key: row.get("without_key")?,
                    })
                })?;
            Ok(counts)
        })
    }
}

fn snapshot(row: &Row<'_>) -> rusqlite::Result<SnapshotRow> {
    Ok(SnapshotRow {
        change: row.get("change")?,
        wanted: row.get("wanted_at")?,
        address: row.get("address")?,
        error: row.get("error")?,
        waits: row.get("waits")?,
    })
}

/// The address of the last snapshot of an article, for its next event.
pub(super) fn last_address(
    conn: &Connection,
    entry: EntryId,
) -> Result<Option<String>, StoreError> {
    let address = conn
        .prepare_cached(
            "SELECT address FROM snapshots WHERE entry_id = ?1 AND asked_at IS NOT NULL AND address IS NOT NULL \
             ORDER BY asked_at DESC LIMIT 1",
        )?
        .query_row([entry], |row| row.get(0))
        .optional()?;
    Ok(address)
}

impl Writer {
    /// Notes the pages of articles and changes that are new since the last call, if the address of their feed passes
    /// `may`; returns whether there may be more. The first call notes nothing: what is already stored is not saved.
    pub fn want_snapshots(
        &self,
        may: impl Fn(&str) -> bool + Send + 'static,
        now: Timestamp,
    ) -> Write<bool> {
        self.write(move |tx| {
            let (entries, changes, last_entry, last_change): (Option<i64>, Option<i64>, i64, i64) = tx
                .conn
                .prepare_cached(
                    "SELECT saved_entry, saved_change, COALESCE((SELECT max(id) FROM entries), 0), \
                       COALESCE((SELECT max(number) FROM changes), 0) FROM meta WHERE id = 1",
                )?
                .query_row([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?;
            let (Some(entry), Some(change)) = (entries, changes) else {
                note_seen(tx.conn, last_entry, last_change)?;
                return Ok(false);
            };
            let (to_entry, to_change) = (
                last_entry.min(entry + TOGETHER),
                last_change.min(change + TOGETHER),
            );
            if (to_entry, to_change) == (entry, change) {
                return Ok(false);
            }
            for wanted in wanted(tx.conn, (entry, to_entry), (change, to_change))? {
                if may(&wanted.feed) {
                    want(tx.conn, &wanted, now)?;
                }
            }
            note_seen(tx.conn, to_entry, to_change)?;
            Ok(to_entry < last_entry || to_change < last_change)
        })
    }

    /// Saving is off: when it is switched on again, nothing from the time between is saved.
    pub fn want_no_snapshots(&self) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE meta SET saved_entry = NULL, saved_change = NULL WHERE id = 1 AND saved_entry IS NOT NULL",
                )?
                .execute([])?;
            Ok(())
        })
    }

    /// Postpones a page that may not be saved yet.
    pub fn postpone_snapshot(&self, id: i64, until: Timestamp) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE snapshots SET due_at = ?2 WHERE id = ?1 AND due_at IS NOT NULL",
                )?
                .execute(params![id, until])?;
            Ok(())
        })
    }

    /// Notes what follows of a reply of the archive to what was due; `address` is that of the snapshot, when there is
    /// one.
    pub fn settle_snapshot(
        &self,
        due: &DueSnapshot,
        step: SnapshotStep,
        address: Option<String>,
        now: Timestamp,
    ) -> Write<()> {
        let (id, saving) = (due.id, due.request == ArchiveRequest::Save);
        self.write(move |tx| {
            let (at, job, error, of_key) = match &step {
                SnapshotStep::Look { job, at } => (Some(*at), Some(job), None, false),
                SnapshotStep::Saved { .. } => (None, None, None, false),
                SnapshotStep::Again { at, why, of_key } => (Some(*at), None, Some(why), *of_key),
                SnapshotStep::GiveUp { why } => (None, None, Some(why), false),
            };
            tx.conn
                .prepare_cached(
                    "UPDATE snapshots SET due_at = :at, job = :job, error = :error, of_key = :of_key, address = :address, \
                     asked_at = iif(:begun, :now, asked_at), tries = tries + :saving WHERE id = :id",
                )?
                .execute(named_params! {
                    ":id": id,
                    ":at": at,
                    ":job": job,
                    ":error": error,
                    ":of_key": of_key,
                    ":address": address,
                    ":begun": saving && job.is_some(),
                    ":saving": saving,
                    ":now": now,
                })?;
            Ok(())
        })
    }
}

struct WantedSnapshot {
    feed: String,
    entry: i64,
    change: Option<i64>,
    url: String,
}

fn note_seen(conn: &Connection, entry: i64, change: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE meta SET saved_entry = ?1, saved_change = ?2 WHERE id = 1")?
        .execute([entry, change])?;
    Ok(())
}

/// Articles that a feed has brought after its first document, and substantive changes, in ranges of numbers.
fn wanted(
    conn: &Connection,
    entries: (i64, i64),
    changes: (i64, i64),
) -> Result<Vec<WantedSnapshot>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT f.url AS feed, e.id AS entry_id, NULL AS change, e.page_url FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
         WHERE e.id > ?1 AND e.id <= ?2 AND e.page_url IS NOT NULL AND e.first_seen_at > f.baseline_at \
         UNION ALL \
         SELECT f.url, c.entry_id, c.number, e.page_url FROM changes AS c JOIN entries AS e ON e.id = c.entry_id \
         JOIN feeds AS f ON f.id = e.feed_id \
         WHERE c.number > ?3 AND c.number <= ?4 AND e.page_url IS NOT NULL AND c.significance = 'substantive' \
           AND (c.quiet IS NULL OR c.quiet IN ('bulk_edit', 'digest', 'waiting'))",
    )?;
    let rows = statement.query_map(params![entries.0, entries.1, changes.0, changes.1], |row| {
        Ok(WantedSnapshot {
            feed: row.get("feed")?,
            entry: row.get("entry_id")?,
            change: row.get("change")?,
            url: row.get("page_url")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One page that waits is enough: a later change is saved with it.
fn want(conn: &Connection, wanted: &WantedSnapshot, now: Timestamp) -> Result<(), StoreError> {
    let joined = conn
        .prepare_cached(
            "UPDATE snapshots SET change = COALESCE(?2, change), url = ?3 \
             WHERE entry_id = ?1 AND due_at IS NOT NULL AND job IS NULL",
        )?
        .execute(params![wanted.entry, wanted.change, wanted.url])?;
    if joined == 0 {
        conn.prepare_cached(
            "INSERT INTO snapshots (entry_id, change, url, wanted_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        )?
        .execute(params![wanted.entry, wanted.change, wanted.url, now])?;
    }
    Ok(())
}
