//! The only writer: a thread with the only connection that writes, and the handle that sends it jobs.
//!
//! All waiting jobs share one transaction, so that one COMMIT, and one wait for the disk, serves them all. If one
//! fails, only that one is rolled back: all of them run again, each in its own savepoint. No job gets its result
//! before the COMMIT has succeeded.

use std::future::{Future, IntoFuture};
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::chain::CaptureHashes;
use super::codec::Codec;
use super::error::StoreError;
use super::instance::Random;
use super::sidecar::beside;
use crate::time::Stopwatch;

/// The most jobs in one COMMIT. More would only make the first of them wait.
const BATCH: usize = 64;

/// The most jobs of async callers that may wait at the same time. Further callers wait before they send their job,
/// so that the queue is bounded.
const QUEUE: usize = 128;

/// How often to retry while another program writes; each time it is decided whether to wait longer.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// The longest total wait for others once the writer has to hurry.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The context of a job.
pub(super) struct Tx<'a> {
    pub(super) conn: &'a Connection,
    pub(super) codec: &'a mut Codec,
    /// The source of random bytes for event ids.
    pub(super) random: Random,
    pub(super) capture_hashes: CaptureHashes,
    /// Events that were not queued, reported once everything is stored.
    pub(super) overflows: &'a mut Vec<Overflow>,
}

/// An event that was given up for a target immediately because its queue was full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// The name of the target.
    pub target: String,
    /// Whether the event before it was still queued.
    pub first: bool,
}

/// It runs again if the first attempt was rolled back because of another job.
type WriteFn<T> = Box<dyn FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send>;

/// The handle of the writer thread; clones are cheap and send to the same thread.
#[derive(Debug, Clone)]
pub struct Writer {
    shared: Arc<WriterQueue>,
}

#[derive(Debug)]
struct WriterQueue {
    path: PathBuf,
    queue: mpsc::Sender<WriterMessage>,
    permits: Semaphore,
    sent: AtomicU64,
    done: AtomicU64,
    watcher: OnceLock<Watcher>,
    haste: Deadline,
    /// Device and inode of the file when it was opened.
    file: Option<(u64, u64)>,
    /// The same for its WAL, from the first check on.
    wal: OnceLock<(u64, u64)>,
}

/// Since when the writer has had to hurry, if it has.
type Deadline = Arc<OnceLock<Stopwatch>>;

/// A function that gets every transaction.
struct Watcher(Box<dyn Fn(BatchEnd) + Send + Sync>);

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// A transaction that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEnd {
    /// Whether it is stored; failures of single jobs do not count.
    pub stored: bool,
    /// Whether it failed because the disk was full.
    pub full: bool,
    /// The jobs in it.
    pub jobs: usize,
    /// How long it took, including the wait for other programs.
    pub took: Duration,
    /// Events that were given up in it because a queue was full; empty unless it is stored.
    pub overflows: Vec<Overflow>,
}

/// The progress of the writer, for a watchdog: it is stuck if jobs wait and `done` does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterProgress {
    /// Jobs finished since the start.
    pub done: u64,
    /// Jobs sent, but not finished yet.
    pub waiting: u64,
}

/// A write that has not started: `.await` it, or call [`Write::blocking`] outside async code.
#[must_use = "nothing is written until it is awaited or `blocking` is called"]
pub struct Write<T> {
    shared: Arc<WriterQueue>,
    work: WriteFn<T>,
}

impl<T: Send + 'static> Write<T> {
    /// Writes and waits for the result, blocking the thread.
    pub fn blocking(self) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.shared.send(self.work, move |result| {
            // The caller may be gone; then it does not need the result.
            let _ = reply.send(result);
        })?;
        answer
            .recv()
            .unwrap_or(Err(StoreError::Closed))
            .map_err(|error| error.at(&self.shared.path))
    }
}

impl<T: Send + 'static> IntoFuture for Write<T> {
    type Output = Result<T, StoreError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Ok(_permit) = self.shared.permits.acquire().await else {
                return Err(StoreError::Closed);
            };
            let (reply, answer) = oneshot::channel();
            self.shared.send(self.work, move |result| {
                let _ = reply.send(result);
            })?;
            answer
                .await
                .unwrap_or(Err(StoreError::Closed))
                .map_err(|error| error.at(&self.shared.path))
        })
    }
}

impl<T> std::fmt::Debug for Write<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write").finish_non_exhaustive()
    }
}

impl Writer {
    /// The progress of the writer.
    #[must_use]
    pub fn progress(&self) -> WriterProgress {
        let done = self.shared.done.load(Ordering::SeqCst);
        let sent = self.shared.sent.load(Ordering::SeqCst);
        WriterProgress {
            done,
            waiting: sent.saturating_sub(done),
        }
    }

    /// Reports every future transaction to `watcher`, on the writer's thread. Only the first watcher counts.
    pub fn watch(&self, watcher: impl Fn(BatchEnd) + Send + Sync + 'static) {
        let _ = self.shared.watcher.set(Watcher(Box::new(watcher)));
    }

    /// From now on, nothing waits long for other programs that lock the database, so that they do not delay the
    /// shutdown. Jobs that cannot be written return an error.
    pub fn hurry(&self) {
        self.shared.haste.get_or_init(Stopwatch::start);
    }

    /// Whether the opened file and its WAL are still in place: anything written to a removed file is lost, or
    /// invisible to others.
    pub fn still_there(&self) -> Result<(), StoreError> {
        let now = match identity(&self.shared.path) {
            Ok(now) => Some(now),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            // A file that cannot be checked at the moment has not been replaced.
            Err(_) => return Ok(()),
        };
        match self.shared.file {
            Some(opened) if now != Some(opened) => Err(StoreError::Replaced {
                path: self.shared.path.clone(),
            }),
            _ => self.wal_still_there(),
        }
    }

    /// While a connection is open, `SQLite` neither removes nor replaces its WAL.
    fn wal_still_there(&self) -> Result<(), StoreError> {
        let path = beside(&self.shared.path, "-wal");
        let now = match identity(&path) {
            Ok(now) => Some(now),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => return Ok(()),
        };
        let first = match now {
            Some(now) => Some(self.shared.wal.get_or_init(|| now)),
            None => self.shared.wal.get(),
        };
        match first {
            Some(first) if now != Some(*first) => Err(StoreError::Replaced { path }),
            _ => Ok(()),
        }
    }

    /// The database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Write<T> {
        Write {
            shared: Arc::clone(&self.shared),
            work: Box::new(work),
        }
    }

    /// Tells the thread to end after the jobs that were sent before.
    pub(super) fn send_close(&self) {
        // The thread may have ended already.
        let _ = self.shared.queue.send(WriterMessage::Close);
    }
}

impl WriterQueue {
    fn send<T: Send + 'static>(
        &self,
        work: WriteFn<T>,
        reply: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let job = TypedJob {
            work,
            result: Err(StoreError::Closed),
            reply,
        };
        self.queue
            .send(WriterMessage::Job(Box::new(job)))
            .map_err(|_| StoreError::Closed)?;
        // A counted job is in the queue, so anything sent after it comes later.
        self.sent.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Starts the thread.
pub(super) fn start(
    conn: Connection,
    path: &Path,
    random: Random,
    patience: Duration,
) -> Result<(Writer, JoinHandle<()>), StoreError> {
    conn.busy_timeout(patience.min(ASK_AGAIN))?;
    let (queue, jobs) = mpsc::channel();
    let haste = Deadline::default();
    let shared = Arc::new(WriterQueue {
        path: path.to_path_buf(),
        queue,
        permits: Semaphore::new(QUEUE),
        sent: AtomicU64::new(0),
        done: AtomicU64::new(0),
        watcher: OnceLock::new(),
        haste: Arc::clone(&haste),
        file: identity(path).ok(),
        wal: OnceLock::new(),
    });
    let codec = Codec::new()?;
    // The thread must not keep the queue alive on its own.
    let counter = Arc::downgrade(&shared);
    let thread = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || {
            let mut desk = WriterThread {
                conn,
                codec,
                random,
                patience,
                haste,
                overflows: Vec::new(),
            };
            let answered = |committed: BatchEnd| {
                if let Some(shared) = counter.upgrade() {
                    shared
                        .done
                        .fetch_add(u64::try_from(committed.jobs).unwrap_or(0), Ordering::SeqCst);
                    if let Some(Watcher(watcher)) = shared.watcher.get() {
                        watcher(committed);
                    }
                }
            };
            desk.serve(&jobs, answered);
            desk.leave();
        })
        .map_err(|error| StoreError::io(path, error))?;
    Ok((Writer { shared }, thread))
}

enum WriterMessage {
    Job(Box<dyn Job>),
    Close,
}

/// A job without the type of its result.
trait Job: Send {
    /// Does the work; an error means that everything it wrote must be rolled back. It may then be called again.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    /// Sends the result, after the COMMIT has succeeded or failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct TypedJob<T, R> {
    work: WriteFn<T>,
    result: Result<T, StoreError>,
    reply: R,
}

impl<T: Send, R: FnOnce(Result<T, StoreError>) + Send> Job for TypedJob<T, R> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let work = AssertUnwindSafe(|| (self.work)(tx));
        self.result = catch_unwind(work).unwrap_or(Err(StoreError::Fault));
        match &self.result {
            Ok(_) => Ok(()),
            Err(error) => Err(error.clone()),
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match committed {
            Ok(()) => self.result,
            // The job's own error says more than that of the batch.
            Err(error) => match self.result {
                Err(own) if !matches!(own, StoreError::Closed) => Err(own),
                _ => Err(error),
            },
        };
        (self.reply)(result);
    }
}

/// The data owned by the thread.
struct WriterThread {
    conn: Connection,
    codec: Codec,
    random: Random,
    /// How long to wait for another writer.
    patience: Duration,
    haste: Deadline,
    /// Those of the current transaction.
    overflows: Vec<Overflow>,
}

impl WriterThread {
    fn serve(&mut self, jobs: &mpsc::Receiver<WriterMessage>, answered: impl Fn(BatchEnd)) {
        while let Ok(WriterMessage::Job(first)) = jobs.recv() {
            let mut batch = vec![first];
            let mut close = false;
            while batch.len() < BATCH {
                match jobs.try_recv() {
                    Ok(WriterMessage::Job(job)) => batch.push(job),
                    Ok(WriterMessage::Close) => {
                        close = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            let since = Stopwatch::start();
            let committed = self.commit_batch(&mut batch);
            answered(BatchEnd {
                stored: committed.is_ok(),
                full: committed.as_ref().is_err_and(StoreError::is_full),
                jobs: batch.len(),
                took: since.elapsed(),
                overflows: match committed {
                    Ok(()) => std::mem::take(&mut self.overflows),
                    Err(_) => Vec::new(),
                },
            });
            for job in batch {
                job.answer(committed.clone());
            }
            if close {
                return;
            }
        }
    }

    /// A savepoint copies every page written under it, and jobs hardly ever fail, so they get savepoints only
    /// after one of them has failed.
    fn commit_batch(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let well = self.transaction(|desk| desk.run_together(batch))?;
        if !well && batch.len() > 1 {
            self.transaction(|desk| desk.run_apart(batch).map(|()| true))?;
        }
        Ok(())
    }

    /// Runs `work` in a transaction, and rolls it back if `work` fails or returns `false`.
    fn transaction(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        self.begin()?;
        self.overflows.clear();
        let result = work(self).and_then(|well| {
            let end = if well { "COMMIT" } else { "ROLLBACK" };
            run(&self.conn, end).map(|()| well)
        });
        if result.is_err() && !self.conn.is_autocommit() {
            run(&self.conn, "ROLLBACK")?;
        }
        result
    }

    /// IMMEDIATE: a transaction that reads first and writes later fails immediately beside another writer,
    /// whatever the busy timeout.
    fn begin(&self) -> Result<(), StoreError> {
        let since = Stopwatch::start();
        loop {
            let (waited, limit) = match self.haste.get() {
                Some(haste) => (haste.elapsed(), LAST_WAIT.min(self.patience)),
                None => (since.elapsed(), self.patience),
            };
            let last = waited >= limit;
            if last && self.haste.get().is_some() {
                self.conn.busy_timeout(Duration::ZERO)?;
            }
            match run(&self.conn, "BEGIN IMMEDIATE") {
                Err(error) if error.is_busy() && !last => {}
                begun => return begun,
            }
        }
    }

    /// Returns whether all jobs succeeded. Fails only if the whole transaction is lost.
    fn run_together(&mut self, batch: &mut [Box<dyn Job>]) -> Result<bool, StoreError> {
        for job in batch {
            if let Err(error) = self.run_job(job.as_mut()) {
                return self.unless_lost(error).map(|()| false);
            }
        }
        Ok(true)
    }

    /// Fails only if the whole transaction is lost.
    fn run_apart(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        for job in batch {
            run(&self.conn, "SAVEPOINT job")?;
            let before = self.overflows.len();
            if let Err(error) = self.run_job(job.as_mut()) {
                self.overflows.truncate(before);
                self.unless_lost(error)?;
                run(&self.conn, "ROLLBACK TO job")?;
            }
            run(&self.conn, "RELEASE job")?;
        }
        Ok(())
    }

    fn run_job(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        job.run(&mut Tx {
            conn: &self.conn,
            codec: &mut self.codec,
            random: self.random,
            capture_hashes: CaptureHashes::default(),
            overflows: &mut self.overflows,
        })
    }

    /// A full disk or a failed write rolls back the whole transaction automatically.
    fn unless_lost(&self, error: StoreError) -> Result<(), StoreError> {
        match self.conn.is_autocommit() {
            true => Err(error),
            false => Ok(()),
        }
    }

    /// Empties the WAL, so that the file can be copied on its own. A failure loses nothing: the WAL stays and is
    /// read at the next start.
    fn leave(self) {
        let patience = match self.haste.get() {
            Some(_) => ASK_AGAIN,
            None => self.patience,
        };
        let _ = self.conn.busy_timeout(patience);
        let _ = self.conn.execute_batch("PRAGMA optimize");
        let _ = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// Device and inode of a file.
fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

fn run(conn: &Connection, sql: &str) -> Result<(), StoreError> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}
