//! The life of one check, from a due feed or page to what is stored.
//!
//! A feed ([`Checker::check_feed`]):
//!
//! 1. [`feed::poll`] requests the feed from its host (`polite::journey`: its turn, its redirects, room for the
//!    response). A 304, or the same bytes as last time, ends the check here.
//! 2. [`feed::known`] reads the document on a worker, except for the items whose bytes are known, and
//!    [`feed::identify`] finds the entry of each item.
//! 3. [`feed::confirm`] holds back a document that a second poll has to confirm.
//! 4. [`feed::pages`] fetches the pages of the entries that have changed, so that one edit is one change.
//! 5. [`feed::past`] reads what else is known of these entries and of the feed's other pages.
//! 6. [`feed::decide`] compares every item with what is known, and [`events`] writes what is reported of it. Values
//!    go in and values come out.
//! 7. One `Writer::commit` stores all of it.
//!
//! A page ([`Checker::check_page`]):
//!
//! 1. [`page::fetch`] requests the page as its host permits ([`polite::robots`]) and reads the response.
//! 2. [`page::known`] reads what is known of the entry, and [`page::interpret`] compares the response with it: it
//!    is the article, a stand-in, a wall, or nothing.
//! 3. [`page::past`] reads what an article's new text is compared with, and [`page::decide`] compares it; [`events`]
//!    writes what is reported of it. Neither interpretation nor decision asks the database.
//! 4. One `Writer::commit` stores all of it, with the time of the next check ([`schedule`]).
//!
//! A failure is part of the report; it never stops another check.

mod change_log;
mod compact;
mod document_sizes;
mod events;
mod feed;
mod furniture;
mod ignored;
mod keyed_lock;
mod network;
mod page;
mod past;
mod polite;
mod report;
mod reread;
mod reschedule;
mod round;
mod schedule;
mod settings;
mod take_over;
mod waits;
mod workers;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub(crate) use report::{FeedReading, FeedReport, FeedResult, PageReport, PageResult};
pub(crate) use reread::reading::Reading;
pub use reread::reextract::{Reextracted, Reextraction};
pub(crate) use reread::replay::replay;
pub(crate) use round::RoundProgress;
pub use round::RoundRequest;
pub use settings::Settings;
pub(crate) use take_over::{PastArticle, TakeOver};
pub(crate) use workers::{Crashed, Workers};

use document_sizes::DocumentSizes;
use keyed_lock::KeyedLock;
use network::Network;
use polite::robots::Hosts;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::FeedConfig;
use crate::domain::ids::{EntryId, FeedId};
use crate::domain::outcome::FeedPoll;
use crate::fetch::{Clients, Lane, Room, Turns};
use crate::metrics::Metrics;
use crate::store::{Reader, Readers, Store, StoreError, Underway, Writer};
use crate::time::{Clock, Timestamp};

/// Everything that a check needs, shared by all checks.
pub struct Checker {
    clock: Arc<dyn Clock>,
    writer: Writer,
    readers: Readers,
    workers: Workers,
    setup: RwLock<Setup>,
    quiet: Mutex<Vec<FeedPoll>>,
    /// For documents, from before they are fetched until they are stored.
    room: Room,
    weights: DocumentSizes,
    hands: Semaphore,
    feeds: KeyedLock<FeedId>,
    pages: KeyedLock<EntryId>,
    hosts: Hosts,
    underway: Underway,
    network: Network,
    /// Held from reading what other pages of a feed have brought until this check is stored.
    bulk: KeyedLock<FeedId>,
    metrics: Metrics,
}

/// What a reload replaces.
#[derive(Clone)]
struct Setup {
    settings: Arc<Settings>,
    clients: Arc<Clients>,
    turns: Turns,
}

/// Why a check could not be completed. A failure of a server is not an error: it is part of the report.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A piece of work panicked.
    #[error(transparent)]
    Crashed(#[from] Crashed),
    /// The feed has left the configuration.
    #[error("feed {0} is no longer in the configuration")]
    NoSuchFeed(FeedId),
    /// The entry has no page to check.
    #[error("entry {0} has no page to check")]
    NoSuchEntry(EntryId),
}

impl Checker {
    /// A checker that stores into `store` and sends requests through `clients` when it is its turn. Requests are
    /// counted in `metrics`.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        store: &Store,
        settings: Settings,
        clients: Clients,
        turns: Turns,
        workers: Workers,
        metrics: Metrics,
    ) -> Self {
        turns.set_hosts(settings.host_limits());
        Self {
            hosts: Hosts::new(&settings),
            underway: Underway::default(),
            network: Network::new(),
            room: Room::new(room_of(settings.config().fetch.memory)),
            weights: DocumentSizes::default(),
            clock,
            writer: store.writer().clone(),
            readers: store.readers(),
            workers,
            setup: RwLock::new(Setup {
                settings: Arc::new(settings),
                clients: Arc::new(clients),
                turns,
            }),
            quiet: Mutex::new(Vec::new()),
            hands: Semaphore::new(DOCUMENTS_IN_HAND),
            feeds: KeyedLock::new(),
            pages: KeyedLock::new(),
            bulk: KeyedLock::new(),
            metrics,
        }
    }

    /// Records in `underway` what is being read, and skips what crashed the process before.
    #[must_use]
    pub fn noting(self, underway: Underway) -> Self {
        Self { underway, ..self }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.setup().settings
    }

    fn setup(&self) -> Setup {
        let setup = self.setup.read();
        setup.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Applies other settings to checks that start from now on. Hosts that asked us to wait are still given that time.
    pub fn replace(&self, settings: Settings, clients: Clients) {
        self.hosts.replace(&settings);
        let fetch = &settings.config().fetch;
        let mut setup = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        self.room.set_total(room_of(fetch.memory));
        self.workers.set_memory(memory_to_read(fetch.memory));
        let turns = &setup.turns;
        turns.set_limits(fetch.per_host, fetch.host_delay, fetch.concurrency);
        turns.set_hosts(settings.host_limits());
        setup.settings = Arc::new(settings);
        setup.clients = Arc::new(clients);
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The time by the checker's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `read` with a read-only connection, on the caller's thread.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.with(read)
    }

    /// Stores the polls that found nothing new, in one transaction.
    pub async fn store_quiet_polls(&self) -> Result<(), StoreError> {
        let polls = std::mem::take(&mut *self.quiet.lock().unwrap_or_else(PoisonError::into_inner));
        if polls.is_empty() {
            return Ok(());
        }
        let stored = self.writer.record_polls(polls.clone()).await;
        if stored.is_err() {
            // They are stored with the next ones; otherwise the feeds would be due, and polled, again immediately.
            let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
            quiet.splice(0..0, polls);
        }
        stored
    }

    /// Keeps a poll without news for later: one write for each would cost more than the poll. The poll that fills
    /// the batch stores it.
    async fn keep_quiet_poll(&self, poll: FeedPoll) -> Result<(), StoreError> {
        let waiting = {
            let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
            quiet.push(poll);
            quiet.len()
        };
        match waiting.is_multiple_of(QUIET_BATCH) {
            true => self.store_quiet_polls().await,
            false => Ok(()),
        }
    }

    /// Waits for a document permit.
    async fn hand(&self) -> DocumentPermit<'_> {
        // The semaphore is never closed.
        self.hands.acquire().await.ok()
    }
}

/// The part of `fetch.memory` for the raw bytes of documents. The rest is for reading them, which takes many times
/// their length.
fn room_of(memory: u64) -> u64 {
    memory / 5
}

/// The part of `fetch.memory` for reading documents.
#[must_use]
pub(crate) fn memory_to_read(memory: u64) -> u64 {
    memory - room_of(memory)
}

/// The lane of the pages of a feed.
fn lane_of_pages(feed: &FeedConfig) -> Lane {
    Lane::Page(document_sizes::hash(&feed.url))
}

/// How many polls without news are stored in one go.
const QUIET_BATCH: usize = 512;

/// Permission to have a document of a feed in memory. A check may wait for it while holding a turn, so no check may
/// wait for a turn while holding a permit: each would wait for the other forever.
type DocumentPermit<'a> = Option<SemaphorePermit<'a>>;

/// How many documents of feeds are read, decided on and stored at the same time. Each is in memory several times,
/// as bytes, states and rows, and the writer is slower than the readers: without a limit, documents would pile up
/// in front of it.
const DOCUMENTS_IN_HAND: usize = 16;

/// How long a check waits for a host that asked us to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitLimit {
    /// As long as it takes.
    Endless,
    /// Half a minute, because somebody is waiting for the result. What was not fetched stays due.
    Short,
}

/// How long [`WaitLimit::Short`] is.
const SHORT_WAIT: std::time::Duration = std::time::Duration::from_secs(30);

/// A host that was not asked, or whose failure to respond does not count against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Resting {
    /// It asked us to wait.
    #[error("skipped: the host asked us to wait another {0} s")]
    Host(u64),
    /// Our own network seems to be down.
    #[error("skipped: no site can be reached from here at the moment")]
    Offline,
    /// This process has no file descriptor left.
    #[error("skipped: this process has no file descriptor left")]
    Exhausted,
    /// The server did not wait until there was room for its response.
    #[error("not read: there was no room for it (fetch.memory), and the server did not wait")]
    Crowded,
}

/// The longest time for which a host that asks us to wait is rate-limited as a whole; a single feed may wait longer.
const LONGEST_HOLD: std::time::Duration = std::time::Duration::from_mins(10);

#[cfg(test)]
mod tests;
