//! Files that stand beside the database.

use std::path::{Path, PathBuf};

/// `revisor.db.lock` for `revisor.db` and `.lock`; `SQLite` names its own files in the same way, with `-wal` and `-shm`.
#[must_use]
pub fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}
