//! Read-only connections. Any number of them can work beside the writer, in this process or another.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::error::StoreError;
use super::open::{self, Store};
use crate::time::Stopwatch;

/// The most unused connections that [`Readers`] keeps open.
const IDLE: usize = 8;

/// How long a reader waits; in WAL mode it rarely has to.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Steps of a query between two checks of the time: well under a millisecond.
const STEPS: i32 = 10_000;

/// A read-only connection. Each method sees one snapshot of the database.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens an existing database with the schema of this program. Works while the daemon runs; never creates or
    /// upgrades.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            conn: open::open_reader(path, BUSY_TIMEOUT)?,
            path: path.to_path_buf(),
        })
    }

    /// The database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets a time limit for queries; a query that runs longer fails. Replaces an earlier limit; `None` removes
    /// it.
    pub fn limit(&mut self, most: Option<Duration>) -> Result<(), StoreError> {
        let since = Stopwatch::start();
        let is_over = most.map(|most| move || since.elapsed() > most);
        self.conn
            .progress_handler(STEPS, is_over)
            .map_err(|error| StoreError::from(error).at(&self.path))
    }

    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        query(&self.conn).map_err(|error| error.at(&self.path))
    }
}

/// Read-only connections, opened on demand and shared by many callers.
#[derive(Debug, Clone)]
pub struct Readers {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Reader>>>,
}

impl Readers {
    /// Does not open a connection yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: Arc::from(path),
            idle: Arc::new(Mutex::new(Vec::new())),
        }
    }

    /// Runs a query on a connection that nobody else uses at that time. Blocks the thread for as long as the query
    /// takes: microseconds for a lookup, longer for a list.
    pub fn with<T>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        let result = query(&reader);
        let mut idle = self.lock();
        if idle.len() < IDLE {
            idle.push(reader);
        }
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        // A panic cannot leave a list of idle connections incomplete.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// A read-only connection.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(self.path())
    }

    /// Read-only connections, shared by many callers.
    #[must_use]
    pub fn readers(&self) -> Readers {
        Readers::new(self.path())
    }
}
