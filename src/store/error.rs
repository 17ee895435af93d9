//! Database errors, in words for users.
//!
//! The type also answers the questions of callers: whether another try may help ([`StoreError::is_busy`]), whether
//! the database itself is unfit ([`StoreError::exit_code`]), and what a user can do ([`StoreError::hint`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use rustix::fs::{Access, access, statvfs};

use super::sidecar::beside;
use crate::domain::ids::RevisionNumber;

/// The exit code for a database that is locked, damaged, or newer than this binary.
pub const EXIT_DATABASE: u8 = 5;
/// The exit code for a wrong path or a wrong file.
pub const EXIT_USAGE: u8 = 2;

/// Shared, because one failed COMMIT is the result of every job that was in it.
type ErrorSource = Arc<dyn std::error::Error + Send + Sync>;

/// Why a database operation failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no file.
    #[error("no database at {}", path.display())]
    NotFound {
        /// Where it was expected.
        path: PathBuf,
    },
    /// The folder for the new file does not exist.
    #[error("cannot create the database {}: its folder does not exist", path.display())]
    NoFolder {
        /// The database that was to be created.
        path: PathBuf,
    },
    /// The file exists, but is something else.
    #[error("{} is not a revisor database", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file is empty, or has no tables.
    #[error("{} is empty, not a revisor database", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The schema is from a later version of the program.
    #[error("the database {} has schema {found}, this revisor supports up to {known}", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema of this program.
        known: u32,
    },
    /// The schema is from before the first release.
    #[error(
        "the database {} has schema {found}, which was never released; this revisor can upgrade schema {oldest} and later",
        path.display()
    )]
    NeverReleased {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The oldest schema that can be upgraded.
        oldest: u32,
    },
    /// The schema is from an earlier version, and a reader does not upgrade it.
    #[error("the database {} has schema {found}, this revisor needs {known}", path.display())]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema of this program.
        known: u32,
    },
    /// The content of the file is not what was written.
    #[error("the database {} is damaged: {what}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// `SQLite` reports that the pages of the file are inconsistent.
    #[error("the database {} is damaged: {what}", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// Its message.
        what: String,
    },
    /// The open database was replaced by another file, or deleted.
    #[error("the database {} was removed or replaced while it was in use", path.display())]
    Replaced {
        /// The database.
        path: PathBuf,
    },
    /// The feeds belong to another configuration file, which still exists, and would not be polled any more.
    #[error(
        "the feeds in the database belong to another configuration, {}: with this one, {feeds} of them would no longer be polled; nothing was changed",
        known.display()
    )]
    OtherConfiguration {
        /// The other file.
        known: PathBuf,
        /// How many feeds are only in the other one.
        feeds: usize,
    },
    /// Another program locks the database for longer than we wait.
    #[error("the database {} is locked by another program", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no room left on the disk of the database {}", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The disk has too little space for a copy of the database, without which it is not upgraded.
    #[error(
        "cannot upgrade the database {}: a copy of it and the upgrade need {needed} MiB on its disk, and {free} MiB are free",
        path.display()
    )]
    NoRoom {
        /// The database.
        path: PathBuf,
        /// The space needed, in MiB.
        needed: u64,
        /// The free space, in MiB.
        free: u64,
    },
    /// The file or its folder cannot be written.
    #[error("cannot write to the database {}", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The system refuses to open or read the file.
    #[error("cannot use the database file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's message.
        #[source]
        source: ErrorSource,
    },
    /// Another revisor polls with this database.
    #[error(
        "another revisor{} is running on the database {}",
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default(),
        path.display()
    )]
    AlreadyRunning {
        /// The database.
        path: PathBuf,
        /// The other process, if it could be read.
        pid: Option<u32>,
    },
    /// A migration failed and was rolled back.
    #[error("cannot upgrade the database {} to schema {number}: {source}", path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The migration that failed.
        number: u32,
        /// Why.
        #[source]
        source: ErrorSource,
    },
    /// The entry was written by another process since it was read. Nothing was stored; read and decide again.
    #[error("entry {entry} already has revision {offered}: another writer was first")]
    Conflict {
        /// Row of the entry.
        entry: i64,
        /// The number of the revision that was to be stored.
        offered: RevisionNumber,
    },
    /// The caller's request does not make sense: a bug in the program.
    #[error("cannot store {0}")]
    Refused(&'static str),
    /// A job of the writer panicked: a bug in the program. Nothing of the job was stored.
    #[error("a job of the database writer crashed; this is a bug in revisor, please report it")]
    Fault,
    /// The writer has stopped.
    #[error("the database writer has stopped")]
    Closed,
    /// Any other error from `SQLite`.
    #[error("the database {} failed: {source}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Its message.
        #[source]
        source: ErrorSource,
    },
}

impl StoreError {
    /// Whether another try may help, because another program is only using the database for a moment.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether a single stored value cannot be read, in an otherwise usable file.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// Whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether the whole file must not be used any more, now or later, so that the program ends.
    #[must_use]
    pub fn is_unfit(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. }
                | Self::Replaced { .. }
                | Self::NotOurs { .. }
                | Self::Newer { .. }
                | Self::NeverReleased { .. }
        )
    }

    /// Whether the entry was written in the meantime: read and decide again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// The exit code of a program that ends with this: [`EXIT_USAGE`] for a wrong path, or else [`EXIT_DATABASE`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } | Self::NoFolder { .. } | Self::OtherConfiguration { .. } => {
                EXIT_USAGE
            }
            _ => EXIT_DATABASE,
        }
    }

    /// What a user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => Some(
                "`revisor check` creates it; to use another one, set `--db` or `database` in the configuration",
            ),
            Self::OtherConfiguration { .. } => Some(
                "give each configuration a `database` of its own; if the other file is no longer used, rename or delete it and try again",
            ),
            Self::Empty { .. } => Some(
                "`revisor check` creates a new database in it; if it was meant to be a copy, copying was interrupted: copy it again",
            ),
            Self::NoFolder { .. } => Some("create the folder, or choose another file with --db"),
            Self::NotOurs { .. } => Some(
                "choose another file with --db; revisor never overwrites a file that it did not create",
            ),
            Self::Newer { .. } => Some(
                "use the newer revisor, or a backup from before its upgrade; the file was not changed",
            ),
            Self::NeverReleased { .. } => Some(
                "start with a new database, or open it once with a build that still upgrades it; the file was not changed",
            ),
            Self::Older { .. } => {
                Some("start the service or run `revisor check` once: that upgrades the database")
            }
            Self::Replaced { .. } => Some(
                "put it back, or restart with the file that is there now; stop the service before moving the file",
            ),
            Self::Corrupt { .. } | Self::Damaged { .. } => Some(
                "keep the file and restore a backup; revisor never replaces a damaged database by itself",
            ),
            Self::Busy { .. } => {
                Some("try again; if it stays locked, look for a program that has the file open")
            }
            Self::Full { path } if has_no_inode(path) => Some(
                "the disk has space but no free inodes: remove small files, or use another disk",
            ),
            Self::Full { .. } => Some(
                "free some space, or run `revisor db prune`, which has reserved space for this; no stored data is lost",
            ),
            Self::NoRoom { .. } => Some(
                "free some space, or move the database to a larger disk; the file was not changed",
            ),
            Self::ReadOnly { .. } => {
                Some("check the owner and permissions of the file and its folder")
            }
            Self::AlreadyRunning { .. } => Some(
                "only one process can poll at a time; `revisor check` asks the running one to check now",
            ),
            _ => None,
        }
    }

    /// The same error with the path of the database.
    pub(super) fn at(mut self, database: &Path) -> Self {
        match &mut self {
            Self::Damaged { path, .. }
            | Self::Corrupt { path, .. }
            | Self::Busy { path }
            | Self::Full { path }
            | Self::ReadOnly { path }
            | Self::NotOurs { path }
            | Self::Io { path, .. }
            | Self::Sqlite { path, .. }
                if path.as_os_str().is_empty() =>
            {
                *path = database.to_path_buf();
            }
            _ => {}
        }
        self
    }

    /// The same error, with the system's message about the file if `SQLite` only says that it cannot open it.
    pub(super) fn explained(self, database: &Path) -> Self {
        if !matches!(self, Self::Io { .. }) {
            return self;
        }
        // Checked without opening: closing a file of the database would release the locks that this process has on
        // it.
        let rights = |path: &Path, rights: Access| {
            let refused = access(path, rights).err()?;
            Some(Self::io(path, std::io::Error::from(refused)))
        };
        let refused = ["", "-wal", "-shm"].into_iter().find_map(|end| {
            let path = beside(database, end);
            let exists = path.symlink_metadata().is_ok();
            exists.then(|| rights(&path, Access::READ_OK | Access::WRITE_OK))?
        });
        let folder = beside(database, "");
        let folder = folder.parent().unwrap_or(Path::new("."));
        let closed = || rights(folder, Access::WRITE_OK | Access::EXEC_OK);
        refused.or_else(closed).unwrap_or(self)
    }

    /// A stored value that cannot be read.
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged {
            path: PathBuf::new(),
            what: what.into(),
        }
    }

    /// A file operation that the system refused.
    pub(super) fn io(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Io {
            path: path.to_path_buf(),
            source: Arc::new(source),
        }
    }
}

/// Whether the file system of a file has no free inodes.
fn has_no_inode(path: &Path) -> bool {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    statvfs(folder).is_ok_and(|disk| disk.f_files > 0 && disk.f_favail == 0)
}

/// [`StoreError::at`] sets the path where it is known.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let path = PathBuf::new();
        // The only message if the disk has no room for the shared memory beside the WAL.
        if error.sqlite_error().map(|error| error.extended_code)
            == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
        {
            return Self::Full { path };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::NotADatabase) => Self::NotOurs { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt {
                path,
                what: error.to_string(),
            },
            Some(
                ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure,
            ) => Self::Io {
                path,
                source: Arc::new(error),
            },
            _ => match error {
                // STRICT tables contain what the schema says. Another type was written by another program, or is
                // damage.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..) => Self::damaged(error.to_string()),
                other => Self::Sqlite {
                    path,
                    source: Arc::new(other),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_file_and_hide_the_statement() {
        let error = StoreError::from(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("database is locked in SELECT 1".into()),
        ))
        .at(Path::new("/var/lib/revisor/revisor.db"));
        assert!(error.is_busy());
        assert_eq!(error.exit_code(), EXIT_DATABASE);
        assert_eq!(
            error.to_string(),
            "the database /var/lib/revisor/revisor.db is locked by another program"
        );
        assert!(error.hint().is_some());
    }

    #[test]
    fn the_pid_of_the_other_process_is_named() {
        let error = StoreError::AlreadyRunning {
            path: "x.db".into(),
            pid: Some(71),
        };
        assert_eq!(
            error.to_string(),
            "another revisor (pid 71) is running on the database x.db"
        );
    }
}
