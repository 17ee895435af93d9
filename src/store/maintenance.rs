//! Maintenance of the file: backup, integrity, free pages.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::copy;
use super::error::StoreError;
use super::migrate;
use super::reader::Reader;
use super::sidecar::beside;
use super::writer::{Write, Writer};

/// How long rebuilding a file waits for other processes that use it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Writer {
    /// Returns at most this many unused pages to the file system; returns how many are left.
    pub fn give_pages_back(&self, pages: u32) -> Write<u64> {
        self.write(move |tx| {
            // The statement returns a row per page and must be stepped to its end.
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

    /// Lets `SQLite` update its statistics for query plans; cheap, once a day.
    pub fn optimize(&self) -> Write<()> {
        self.write(|tx| Ok(tx.conn.execute_batch("PRAGMA optimize")?))
    }
}

/// Rebuilds a file that cannot give pages back, such as one made from a dump by another program. Returns whether
/// that was needed. It takes as much disk space as the data, and exclusive access for a moment; other writers
/// wait.
pub fn make_shrinkable(path: &Path) -> Result<bool, StoreError> {
    let at = |error: rusqlite::Error| StoreError::from(error).at(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(at)?;
    conn.busy_timeout(PATIENCE).map_err(at)?;
    let mode: i64 = conn
        .query_row("PRAGMA auto_vacuum", [], |row| row.get(0))
        .map_err(at)?;
    if mode != 0 {
        return Ok(false);
    }
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(at)?;
    conn.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
        .map_err(at)?;
    Ok(true)
}

impl Reader {
    /// Copies the current state of the database to a new file while others write, and checks the copy. Refuses to
    /// overwrite a file. Until the copy is complete, it is called `FILE.part`.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let exists = || {
            StoreError::io(
                to,
                std::io::Error::new(
                    std::io::ErrorKind::AlreadyExists,
                    "the file already exists; a backup never overwrites a file",
                ),
            )
        };
        if to.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let part = beside(to, ".part");
        self.read(|conn| copy::make(conn, &part))?;
        copy::place(&part, to).map_err(|error| {
            // Half a copy is worse than none, and its name does not show it.
            let _ = std::fs::remove_file(&part);
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => exists(),
                _ => StoreError::io(to, error),
            }
        })
    }

    /// Copies the current state of the database to a file that is used once and thrown away.
    pub fn copy_for_once(&self, to: &Path) -> Result<(), StoreError> {
        self.read(|conn| copy::copy(conn, to))
    }

    /// Problems with the pages of the file, in words; empty if there are none. Faster than [`Reader::integrity`],
    /// which also checks the indices.
    pub fn quick_check(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare("PRAGMA quick_check(10)")?;
            let faults: Vec<String> = statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(faults.into_iter().filter(|fault| fault != "ok").collect())
        })
    }

    /// Problems with the file, in words; empty if there are none. Reads the whole file.
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
