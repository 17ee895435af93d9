//! A copy of the older file before it is upgraded, for users who have to return to the older program.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::copy;
use super::error::StoreError;
use super::migrate;
use super::sidecar::beside;

/// Space needed besides the pages.
const SPARE: u64 = 4 * 1024 * 1024;

/// Puts a copy beside the file, named after its schema, and checks it. Other processes that want to upgrade wait.
pub(super) fn keep_a_copy(
    conn: &mut Connection,
    path: &Path,
    schema: u32,
) -> Result<(), StoreError> {
    let at = |error: rusqlite::Error| StoreError::from(error).at(path);
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(at)?;
    if copy::version(&tx).map_err(at)? != schema {
        // Another process was first, and has its own copy.
        return Ok(());
    }
    // An interrupted upgrade continues: its copy has the schema with which it started.
    let began = migrate::began_at(&tx).map_err(at)?;
    if began.is_some_and(|began| copy_of(path, began).exists()) {
        return Ok(());
    }
    let pages: u64 = number(&tx, "page_count").map_err(at)?;
    let size: u64 = number(&tx, "page_size").map_err(at)?;
    need_room(path, room_needed(pages.saturating_mul(size)), free(path))?;
    let copy = copy_of(path, schema);
    let unfinished = beside(&copy, ".part");
    let made = copy_to(path, &unfinished).and_then(|()| place(&unfinished, &copy));
    if made.is_err() {
        // An interrupted copy must not be mistaken for a complete one.
        let _ = fs::remove_file(&unfinished);
    }
    made
}

/// The name of a copy of the database with a schema.
fn copy_of(path: &Path, schema: u32) -> PathBuf {
    beside(path, &format!(".schema-{schema}.backup"))
}

/// The space for the copy, and as much again for what the upgrade itself writes before the old pages are given
/// back.
fn room_needed(size: u64) -> u64 {
    size.saturating_mul(2).saturating_add(SPARE)
}

/// Bytes that this process may still write to the disk of a file; `None` if the system does not report it.
#[must_use]
pub fn free(path: &Path) -> Option<u64> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

fn need_room(path: &Path, needed: u64, free: Option<u64>) -> Result<(), StoreError> {
    match free {
        Some(free) if free < needed => Err(StoreError::NoRoom {
            path: path.to_path_buf(),
            needed: needed.div_ceil(1024 * 1024),
            free: free / (1024 * 1024),
        }),
        _ => Ok(()),
    }
}

fn copy_to(path: &Path, unfinished: &Path) -> Result<(), StoreError> {
    // The connection that holds the lock cannot be the source of a copy; other processes that want to upgrade wait
    // for it.
    let source = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| StoreError::from(error).at(path))?;
    source
        .busy_timeout(Duration::from_secs(10))
        .map_err(|error| StoreError::from(error).at(path))?;
    copy::make(&source, unfinished).map_err(|error| error.at(path))
}

/// Gives the finished copy its name. A copy that already exists comes from an interrupted upgrade, and is the
/// same; or it comes from before the file was put back to that schema, and both are kept.
fn place(unfinished: &Path, copy: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::io(copy, error);
    for number in 1.. {
        let name = match number {
            1 => copy.to_path_buf(),
            number => beside(copy, &format!(".{number}")),
        };
        match copy::place(unfinished, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            placed => return placed.map_err(failed),
        }
        if same(unfinished, &name).map_err(failed)? {
            fs::remove_file(unfinished).map_err(failed)?;
            break;
        }
    }
    Ok(())
}

/// Whether two files have the same bytes.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

fn number(conn: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    conn.pragma_query_value(None, pragma, |row| super::sql::count(row, 0))
}

#[cfg(test)]
mod tests;
