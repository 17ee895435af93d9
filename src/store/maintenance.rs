//! Care for the file: backup, integrity, free pages.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::migrate;
use super::reader::Reader;
use super::writer::{Write, Writer};

impl Writer {
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

    /// What is wrong with the pages of the file, in words; empty when nothing is. Faster than [`Reader::integrity`],
    /// which looks at the indices as well.
    pub fn quick_check(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare("PRAGMA quick_check(10)")?;
            let faults: Vec<String> = statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(faults.into_iter().filter(|fault| fault != "ok").collect())
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
