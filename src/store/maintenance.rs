//! Care for the file: backup, verification, retention.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::feeds::limit_of;
use super::migrate;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::time::Timestamp;

/// What retention took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Captures whose body is not kept any more; their hash, headers and date stay.
    pub captures: usize,
    /// Bodies that no capture needed any more.
    pub bodies: usize,
}

/// Which captures keep their bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// Those of this moment and later.
    Since(Timestamp),
    /// The newest so many of each page, and of each feed.
    Newest(u32),
}

/// Captures whose bodies are to go, oldest first.
const BY_AGE: &str =
    "SELECT id FROM captures WHERE body_id IS NOT NULL AND fetched_at < ?1 ORDER BY id";
const BY_COUNT: &str = "SELECT id FROM (\
       SELECT c.id AS id, c.body_id AS body_id, \
         row_number() OVER (PARTITION BY r.entry_id ORDER BY r.number DESC) AS place \
       FROM revisions AS r JOIN captures AS c ON c.id = r.page_capture_id WHERE c.channel = 'page' \
       UNION ALL \
       SELECT id, body_id, row_number() OVER (PARTITION BY feed_id ORDER BY id DESC) FROM captures \
       WHERE channel = 'feed') \
     WHERE place > ?1 AND body_id IS NOT NULL ORDER BY id";

impl Retain {
    fn question(self) -> (&'static str, i64) {
        match self {
            Self::Since(moment) => (BY_AGE, moment.as_millis()),
            Self::Newest(count) => (BY_COUNT, i64::from(count)),
        }
    }
}

impl Writer {
    /// Drops the bodies of at most `limit` captures that are not to be kept; nothing is left to do when the answer has
    /// fewer. What hash, headers and date say stays.
    pub fn prune_captures(&self, retain: Retain, limit: usize) -> Write<Pruned> {
        self.write(move |tx| {
            let (question, value) = retain.question();
            let mut statement = tx.conn.prepare_cached(&format!("{question} LIMIT ?2"))?;
            let ids: Vec<i64> = statement
                .query_map(rusqlite::params![value, limit_of(limit)], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut pruned = Pruned::default();
            for id in ids {
                let body: Option<i64> = tx
                    .conn
                    .prepare_cached("SELECT body_id FROM captures WHERE id = ?1")?
                    .query_row([id], |row| row.get(0))?;
                tx.conn
                    .prepare_cached("UPDATE captures SET body_id = NULL WHERE id = ?1")?
                    .execute([id])?;
                pruned.captures += 1;
                if let Some(body) = body {
                    pruned.bodies += tx
                        .conn
                        .prepare_cached(
                            "DELETE FROM bodies WHERE id = ?1 AND NOT EXISTS \
                             (SELECT 1 FROM captures WHERE body_id = ?1)",
                        )?
                        .execute([body])?;
                }
            }
            Ok(pruned)
        })
    }

    /// Gives pages that nothing stands on any more back to the file system, at most so many; answers how many are left.
    pub fn give_pages_back(&self, pages: u32) -> Write<u64> {
        self.write(move |tx| {
            // A row for each page: the statement has to be gone through to its end.
            let mut statement = tx
                .conn
                .prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(tx
                .conn
                .query_row("PRAGMA freelist_count", [], |row| super::sql::count(row, 0))?)
        })
    }

    /// Lets `SQLite` look at what its plans go by; cheap, once a day.
    pub fn optimize(&self) -> Write<()> {
        self.write(|tx| Ok(tx.conn.execute_batch("PRAGMA optimize")?))
    }
}

impl Reader {
    /// How many captures would lose their body, and how many bytes these bodies take.
    pub fn prunable_captures(&self, retain: Retain) -> Result<(u64, u64), StoreError> {
        self.read(|conn| {
            let (question, value) = retain.question();
            let sql = format!(
                "SELECT (SELECT count(*) FROM ({question})), \
                 (SELECT COALESCE(sum(length(body)), 0) FROM bodies WHERE id IN \
                   (SELECT body_id FROM captures WHERE id IN ({question})))"
            );
            Ok(conn.query_row(&sql, [value], |row| {
                Ok((super::sql::count(row, 0)?, super::sql::count(row, 1)?))
            })?)
        })
    }

    /// Copies the database as it is at this moment to a new file, while others write. Refuses a file that exists.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::io(
                to,
                std::io::Error::new(
                    std::io::ErrorKind::AlreadyExists,
                    "the file exists; a backup never replaces one",
                ),
            ));
        }
        self.read(|conn| {
            let result = copy(conn, to);
            if result.is_err() {
                // Half a backup is worse than none; what cannot be removed is told by the error of the copy.
                let _ = std::fs::remove_file(to);
            }
            result
        })
    }

    /// What is wrong with the file, in words; empty when nothing is. Reads all of it.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare("PRAGMA integrity_check(100)")?;
            let mut faults: Vec<String> = statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            faults.retain(|fault| fault != "ok");
            if let Some(table) = migrate::broken_foreign_key(conn)? {
                faults.push(format!("table {table} refers to rows that do not exist"));
            }
            Ok(faults)
        })
    }
}

/// Copies a database as it is at this moment.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let at = |error: rusqlite::Error| StoreError::from(error).at(to);
    let mut target = Connection::open_with_flags(
        to,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(at)?;
    target.busy_timeout(Duration::from_secs(10)).map_err(at)?;
    {
        let backup = Backup::new(from, &mut target).map_err(at)?;
        // All pages in one step: the source is a reader in WAL mode, so nobody waits for it, and a copy in several steps
        // would start anew with each commit of the writer.
        match backup.step(-1).map_err(at)? {
            StepResult::Done => {}
            _ => {
                return Err(StoreError::Busy {
                    path: from.path().unwrap_or_default().into(),
                });
            }
        }
    }
    target
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(at)?;
    target.close().map_err(|(_, error)| at(error))
}
