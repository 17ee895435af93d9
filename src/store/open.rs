//! Opening the file: who may create it, and how and why the connection is set up this way.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use url::Url;

use super::error::StoreError;
use super::instance::{self, Random};
use super::migrate::{self, FileSchema, SCHEMA};
use super::private;
use super::sidecar::{beside, real};
use super::upgrade;
use super::writer::{self, Writer};

/// The largest text or blob. The largest stored values are bodies of responses, which `fetch.max_size` limits far
/// below this.
const MAX_VALUE_BYTES: i32 = 256 * 1024 * 1024;

/// After a checkpoint, the WAL is cut to this size, so that one large commit does not occupy the disk forever.
const WAL_BYTES: i64 = 16 * 1024 * 1024;

/// Pages in the WAL before they are written to the file: 16 MB. Pages that change repeatedly, such as those of
/// indices, are then written once.
const WAL_PAGES: i64 = 4000;

/// No more programs than this create a file at the same moment.
const WAL_TRIES: u32 = 100;

/// How a database is opened for writing.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Create the file if there is none.
    pub create: bool,
    /// Create its folder as well: only for the default path.
    pub create_folder: bool,
    /// How long to wait for another writer.
    pub busy_timeout: Duration,
    /// The source of random bytes for event ids.
    pub random: Random,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: true,
            create_folder: false,
            busy_timeout: Duration::from_secs(10),
            random: instance::system_random,
        }
    }
}

/// An open database with its writer thread. Dropping it, or [`Store::close`], completes what was sent to the
/// writer and leaves a file without a WAL.
#[derive(Debug)]
pub struct Store {
    writer: Writer,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Store {
    /// Opens, creates or upgrades the database. Refuses files that are newer, damaged or not ours, without
    /// changing them.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        let mut conn = open_writer(path, options)?;
        instance::settle(&mut conn, path, options.random).map_err(|error| error.at(path))?;
        let (writer, thread) = writer::start(conn, path, options.random, options.busy_timeout)?;
        Ok(Self {
            writer,
            thread: Some(thread),
            path: path.to_path_buf(),
        })
    }

    /// The handle that writes.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Completes what was sent to the writer, then ends it. Later writes return [`StoreError::Closed`].
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StoreError> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        self.writer.send_close();
        thread.join().map_err(|_| StoreError::Fault)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Callers that need the result use `close`.
        let _ = self.end();
    }
}

/// Opens for writing; creates or upgrades the file as needed.
pub(super) fn open_writer(path: &Path, options: &OpenOptions) -> Result<Connection, StoreError> {
    prepare_place(path, options)?;
    let at = |error: rusqlite::Error| StoreError::from(error).at(path).explained(path);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if options.create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut conn = Connection::open_with_flags(path, flags).map_err(at)?;
    set_common(&mut conn, options.busy_timeout).map_err(at)?;
    // SQLite opens a file read-only if it cannot write to it. Then it cannot read the WAL beside it, and its
    // errors say less.
    if conn.is_readonly("main").map_err(at)? {
        return Err(StoreError::ReadOnly {
            path: path.to_path_buf(),
        });
    }
    let found = migrate::inspect(&conn, path)?;
    if found == FileSchema::Empty {
        // Allows pruning to give pages back later; this must be set before the first table.
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")
            .map_err(at)?;
    }
    set_writer(&conn).map_err(at)?;
    if let FileSchema::Schema(schema) = found
        && schema < SCHEMA
    {
        upgrade::keep_a_copy(&mut conn, path, schema)?;
    }
    migrate::migrate(&mut conn, path)?;
    for end in ["", "-wal", "-shm"] {
        private::close_to_others(&beside(path, end));
    }
    Ok(conn)
}

/// Opens for reading only. Never creates, never upgrades.
pub(super) fn open_reader(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    // A folder without permission is a different problem from a missing file.
    let exists = path.try_exists();
    if !exists.map_err(|error| StoreError::io(path, error))? {
        return Err(StoreError::NotFound {
            path: path.to_path_buf(),
        });
    }
    if path.is_dir() {
        return Err(StoreError::io(
            path,
            std::io::Error::from(ErrorKind::IsADirectory),
        ));
    }
    match open_to_read(path, path, busy_timeout) {
        // To read a file in WAL mode, SQLite creates files beside it. If we may not do that, it must know that
        // nobody writes.
        Err(StoreError::ReadOnly { .. } | StoreError::Io { .. }) if is_at_rest(path) => {
            let unchanging = unchanging(path).ok_or_else(|| StoreError::ReadOnly {
                path: path.to_path_buf(),
            })?;
            open_to_read(path, &unchanging, busy_timeout)
        }
        opened => opened,
    }
}

/// Opens the database at `path` under the name that `SQLite` gets for it.
fn open_to_read(
    path: &Path,
    name: &Path,
    busy_timeout: Duration,
) -> Result<Connection, StoreError> {
    let at = |error: rusqlite::Error| StoreError::from(error).at(path).explained(path);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_URI, name != path);
    let mut conn = Connection::open_with_flags(name, flags).map_err(at)?;
    set_common(&mut conn, busy_timeout).map_err(at)?;
    conn.pragma_update(None, "query_only", true).map_err(at)?;
    // In KiB. There are several readers, and the system caches what they read repeatedly.
    conn.pragma_update(None, "cache_size", -512).map_err(at)?;
    match migrate::inspect(&conn, path)? {
        FileSchema::Schema(SCHEMA) => Ok(conn),
        FileSchema::Schema(found) => Err(StoreError::Older {
            path: path.to_path_buf(),
            found,
            known: SCHEMA,
        }),
        FileSchema::Empty => Err(StoreError::Empty {
            path: path.to_path_buf(),
        }),
    }
}

/// Whether the whole database is in its single file: the last writer empties its WAL when it ends normally, and
/// the last connection removes it.
fn is_at_rest(path: &Path) -> bool {
    std::fs::symlink_metadata(beside(path, "-wal")).map_or(true, |wal| wal.len() == 0)
}

/// The name with which `SQLite` takes no locks and creates no files (`immutable=1`), which is right only for a
/// file at rest. A writer that starts in the meantime can make a query fail or miss rows, so this is only for
/// callers that could not read otherwise.
fn unchanging(path: &Path) -> Option<PathBuf> {
    let mut name = Url::from_file_path(real(path)).ok()?;
    name.set_query(Some("immutable=1"));
    Some(PathBuf::from(String::from(name)))
}

/// Reports what is wrong with the path before `SQLite` can only say that it cannot open it. Creates the file,
/// since `SQLite` would make it readable for everyone.
fn prepare_place(path: &Path, options: &OpenOptions) -> Result<(), StoreError> {
    if path.exists() {
        return Ok(());
    }
    if !options.create {
        return Err(StoreError::NotFound {
            path: path.to_path_buf(),
        });
    }
    let real = real(path);
    let folder = real
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    if let Some(folder) = folder {
        if !options.create_folder {
            return Err(StoreError::NoFolder {
                path: path.to_path_buf(),
            });
        }
        std::fs::create_dir_all(folder).map_err(|error| StoreError::io(folder, error))?;
    }
    match private::create_unopened(&real) {
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(StoreError::Full {
            path: path.to_path_buf(),
        }),
        Err(error) => Err(StoreError::io(&real, error)),
        Ok(()) => Ok(()),
    }
}

fn set_common(conn: &mut Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(busy_timeout)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    // A file from elsewhere may contain views or triggers, which must not call functions with side effects.
    conn.pragma_update(None, "trusted_schema", false)?;
    // Query plans do not depend on bound values; otherwise a changed value would prepare the statement again.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Enough for every statement of the store, so that none is parsed twice.
    conn.set_prepared_statement_cache_capacity(128);
    #[cfg(test)]
    super::tests::plans::watch(conn);
    Ok(())
}

/// Readers and the writer do not wait for one another.
///
/// When several programs create the same file, `SQLite` refuses to change the journal immediately, whatever the busy
/// timeout. A request for the whole file does wait for the others, so one is made before the next try.
fn use_wal(conn: &Connection) -> rusqlite::Result<()> {
    let mut tries = 1;
    loop {
        let mode = conn
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Err(error) if tries < WAL_TRIES && is_busy(&error) => {
                tries += 1;
                conn.execute_batch("BEGIN EXCLUSIVE; ROLLBACK")?;
            }
            mode => return mode.map(drop),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn set_writer(conn: &Connection) -> rusqlite::Result<()> {
    use_wal(conn)?;
    // What was told to somebody must survive a loss of power: each COMMIT reaches the disk. The writer gathers jobs
    // into one COMMIT, so the price is paid once for many.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |row| {
        row.get::<_, i64>(0)
    })?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |row| {
        row.get::<_, i64>(0)
    })?;
    // Negative: in KiB. The hot indices of 10,000 feeds fit.
    conn.pragma_update(None, "cache_size", -8192)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}
