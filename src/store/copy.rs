//! Copies of the whole file. A copy is made under a name that cannot be mistaken for a database, then checked, and
//! only then renamed. If the process is killed, it leaves a `.part` file, which the next copy overwrites.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::error::StoreError;
use super::instance;
use super::private;
use super::sidecar::beside;

/// Makes a complete and durable copy of the database at `part`, replacing any file there.
pub(super) fn make(from: &Connection, part: &Path) -> Result<(), StoreError> {
    // SQLite would play back an old journal into the new file.
    for end in ["", "-journal", "-wal", "-shm"] {
        remove(&beside(part, end))?;
    }
    let made = copy(from, part).and_then(|()| check(from, part));
    if made.is_err() {
        // If the file cannot be removed, the copy fails and reports it, or the next copy overwrites it.
        let _ = fs::remove_file(part);
    }
    made
}

/// Gives a finished copy its name, unless that file exists: then both are left as they are.
pub(super) fn place(part: &Path, name: &Path) -> io::Result<()> {
    match renameat_with(CWD, part, CWD, name, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        // Not every file system supports this.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if fs::symlink_metadata(name).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(part, name)?;
        }
        Err(error) => return Err(error.into()),
    }
    let folder = name
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(file, error)),
        _ => Ok(()),
    }
}

/// Copies the current state of a database to a file that is not checked.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    private::replace(to).map_err(|error| StoreError::io(to, error))?;
    let at = |error: rusqlite::Error| StoreError::from(error).at(to);
    let mut target = Connection::open_with_flags(
        to,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(at)?;
    target.busy_timeout(Duration::from_secs(10)).map_err(at)?;
    {
        let backup = Backup::new(from, &mut target).map_err(at)?;
        // All pages in one step: in WAL mode a reader does not block anyone, and a copy in several steps would
        // start again with each commit of the writer.
        match backup.step(-1).map_err(at)? {
            StepResult::Done => {}
            _ => {
                return Err(StoreError::Busy {
                    path: from.path().unwrap_or_default().into(),
                });
            }
        }
    }
    instance::forget_home(&target).map_err(at)?;
    target
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(at)?;
    target.close().map_err(|(_, error)| at(error))
}

fn check(from: &Connection, part: &Path) -> Result<(), StoreError> {
    let at = |error: rusqlite::Error| StoreError::from(error).at(part);
    let made = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(at)?;
    let verdict: String = made
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(at)?;
    if verdict != "ok" || version(&made).map_err(at)? != version(from)? {
        return Err(
            StoreError::damaged(format!("a copy of it is not complete: {verdict}"))
                .at(from.path().map_or(part, Path::new)),
        );
    }
    drop(made);
    File::open(part)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::io(part, error))
}

/// The schema version in the file.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}
