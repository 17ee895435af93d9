//! Separate threads that read the database for the pages, so that readers of pages and the work of the service
//! never wait for each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::{Reader, StoreError};
use crate::time::Stopwatch;

/// Threads, each with a connection.
const THREADS: usize = 3;

/// How many queries may wait for a thread; further ones are refused.
const WAITING: usize = 48;

/// The longest time for a query, including its wait.
const LONGEST: Duration = Duration::from_secs(10);

/// A connection that was not used for this long is closed.
const IDLE: Duration = Duration::from_secs(30);

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// There are too many queries at the same time.
    #[error("too many requests at once")]
    Busy,
    /// It took too long.
    #[error("the answer took longer than {} s", LONGEST.as_secs())]
    TooSlow,
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bug in the program.
    #[error("the answer could not be made; this is a bug in revisor, please report it")]
    Broken,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct PageThreads {
    database: PathBuf,
    queue: OnceLock<SyncSender<Job>>,
}

impl PageThreads {
    /// Starts no threads yet: most services have no readers.
    #[must_use]
    pub(crate) fn new(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
            queue: OnceLock::new(),
        }
    }

    fn queue(&self) -> &SyncSender<Job> {
        self.queue.get_or_init(|| {
            let (sender, receiver) = sync_channel(WAITING);
            let receiver = Arc::new(Mutex::new(receiver));
            for number in 1..=THREADS {
                let (receiver, path) = (Arc::clone(&receiver), self.database.clone());
                let started = thread::Builder::new()
                    .name(format!("web reader {number}"))
                    .spawn(move || work(&receiver, path));
                if let Err(error) = started {
                    tracing::warn!(%error, "cannot start a thread for the web pages");
                }
            }
            sender
        })
    }

    /// Runs a query on a thread that may block.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, AskError> {
        let (reply, answer) = oneshot::channel();
        let waiting = Stopwatch::start();
        let job: Job = Box::new(move |connection| {
            let left = LONGEST.saturating_sub(waiting.elapsed());
            // Nobody waits for it any more.
            if reply.is_closed() || left.is_zero() {
                return;
            }
            let answered = catch_unwind(AssertUnwindSafe(|| connection.ask(left, question)));
            let answered = match answered {
                Ok(Err(_)) if waiting.elapsed() >= LONGEST => Err(AskError::TooSlow),
                Ok(answered) => answered.map_err(AskError::from),
                Err(_) => {
                    connection.reader = None;
                    Err(AskError::Broken)
                }
            };
            let _ = reply.send(answered);
        });
        match self.queue().try_send(job) {
            Err(TrySendError::Full(_)) => return Err(AskError::Busy),
            Err(TrySendError::Disconnected(_)) => return Err(AskError::Broken),
            Ok(()) => {}
        }
        answer.await.unwrap_or(Err(AskError::TooSlow))
    }
}

/// The connection of a thread, opened on demand.
struct Connection {
    path: PathBuf,
    reader: Option<Reader>,
}

impl Connection {
    fn ask<T>(
        &mut self,
        most: Duration,
        question: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        reader.limit(Some(most))?;
        let answer = question(&reader);
        reader.limit(None)?;
        // After a failure the connection is opened again: the file may have been replaced.
        if answer.is_ok() {
            self.reader = Some(reader);
        }
        answer
    }
}

fn work(queue: &Mutex<Receiver<Job>>, path: PathBuf) {
    let mut connection = Connection { path, reader: None };
    loop {
        let next = {
            let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.recv_timeout(IDLE)
        };
        match next {
            Ok(job) => job(&mut connection),
            Err(RecvTimeoutError::Timeout) => connection.reader = None,
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
