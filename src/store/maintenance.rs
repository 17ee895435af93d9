//! Care for the file: backup, integrity, free pages.

use std::path::Path;

use super::copy;
use super::error::StoreError;
use super::migrate;
use super::reader::Reader;
use super::sidecar::beside;
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
    /// Copies the database as it is at this moment to a new file, while others write, and checks the copy. Refuses a file
    /// that exists. Until the copy is whole it is called `FILE.part`.
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
            // Half of the way is worse than none, and the name of the copy says nothing.
            let _ = std::fs::remove_file(&part);
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => exists(),
                _ => StoreError::io(to, error),
            }
        })
    }

    /// Copies the database as it is at this moment to a file that is used once and thrown away.
    pub fn copy_for_once(&self, to: &Path) -> Result<(), StoreError> {
        self.read(|conn| copy::copy(conn, to))
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
