//! Puts together the parts of a running revisor: for the daemon as long as it runs, for `check` for one round.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use super::DaemonError;
use super::metered::Counted;
use super::startup_wait::StartupWait;
use crate::check::{Checker, Settings, Workers, memory_to_read};
use crate::config::Config;
use crate::domain::url::without_login;
use crate::fetch::{Clients, Turns, user_agent};
use crate::metrics::Metrics;
use crate::notify::{Deliverer, Drain, StoredOutbox, targets};
use crate::store::{
    FeedSync, Holder, InstanceLock, OpenOptions, Overflow, QuarantinedAddress, QueueSettings,
    Store, StoreError, Underway,
};
use crate::time::Clock;

/// How many documents are read at the same time: each may take many times its size in memory meanwhile.
const WORKERS: usize = 4;

/// The drain of the outbox, which counts what it sends.
pub(super) type AlertDrain = Drain<StoredOutbox, Counted<Deliverer>>;

/// Store, checker and outbox of one database.
pub struct Assembly {
    /// The database.
    pub store: Store,
    /// Runs checks.
    pub checker: Arc<Checker>,
    /// Delivers events.
    pub drain: Arc<AlertDrain>,
    /// Sends pings, which are not events.
    pub deliverer: Deliverer,
    /// Notified when the disk had no room for a write.
    pub(super) full: Arc<Notify>,
    clock: Arc<dyn Clock>,
    underway: Underway,
    _lock: InstanceLock,
}

/// What a configuration changed in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synced {
    /// Feeds that are now polled.
    pub added: usize,
    /// Feeds that are no longer polled.
    pub left: usize,
}

impl Assembly {
    /// Takes the lock, opens, creates or upgrades the database, and puts everything together, for a command. Must
    /// be called on a runtime.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, DaemonError> {
        let mut patience = StartupWait::none();
        let opened = open(&config.database, Holder::Command, &mut patience).await?;
        Self::over(opened, config, clock, &mut patience).await
    }

    /// Puts everything together for an open database.
    pub(super) async fn over(
        (lock, store): (InstanceLock, Store),
        config: Config,
        clock: Arc<dyn Clock>,
        patience: &mut StartupWait,
    ) -> Result<Self, DaemonError> {
        let settings = Settings::new(config);
        let fetch = &settings.config().fetch;
        let clients = Clients::new(fetch, settings.fetches(), Arc::clone(&clock))?;
        let turns = Turns::new(fetch.per_host, fetch.host_delay, fetch.concurrency);
        let agent = user_agent(&settings.config().fetch.user_agent_contact);
        let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), clock.now())?;
        let counting = metrics.clone();
        let full = Arc::new(Notify::new());
        let no_room = Arc::clone(&full);
        store.writer().watch(move |committed| {
            if committed.full {
                no_room.notify_one();
            }
            counting.committed(committed.stored, committed.jobs, committed.took);
            for Overflow { target, first } in &committed.overflows {
                counting.overflowed(target);
                if *first {
                    tracing::warn!(
                        target.name = target,
                        "the queue is full (max_queue): new events are kept and not sent; `revisor notify retry` sends them"
                    );
                }
            }
        });
        let deliverer = Deliverer::new(agent, Arc::clone(&clock))?;
        let counted = Counted::new(deliverer.clone(), metrics.clone());
        let outbox = StoredOutbox::new(store.writer().clone(), store.readers());
        let drain = Drain::new(
            outbox,
            counted,
            Arc::clone(&clock),
            targets(settings.config())?,
        );
        drain.set_base_url(settings.config().web.base_url.as_deref());
        let synced = sync(&store, &settings, &*clock, patience).await?;
        let release = || store.writer().release_all().into_future();
        patience.with(release).await?;
        let workers = Workers::new(WORKERS, memory_to_read(fetch.memory));
        let underway = Underway::open(&settings.config().database);
        log_quarantined(&underway.quarantined(clock.now()));
        let checker = Checker::new(
            Arc::clone(&clock),
            &store,
            settings,
            clients,
            turns,
            workers,
            metrics,
        )
        .noting(underway.clone());
        patience
            .with(|| checker.replan(&synced.rescheduled))
            .await?;
        Ok(Self {
            store,
            checker: Arc::new(checker),
            drain,
            deliverer,
            full,
            clock,
            underway,
            _lock: lock,
        })
    }

    /// Applies another configuration. If that fails, the old one stays in force.
    pub async fn replace(&self, config: Config) -> Result<Synced, DaemonError> {
        if config.database != self.store.path() {
            return Err(DaemonError::OtherDatabase {
                used: self.store.path().to_owned(),
                named: config.database,
            });
        }
        let settings = Settings::new(config);
        let fetch = &settings.config().fetch;
        let clients = Clients::new(fetch, settings.fetches(), Arc::clone(&self.clock))?;
        let targets = targets(settings.config())?;
        let synced = sync(
            &self.store,
            &settings,
            &*self.clock,
            &mut StartupWait::none(),
        )
        .await?;
        self.drain.set_targets(targets);
        self.drain
            .set_base_url(settings.config().web.base_url.as_deref());
        self.checker.replace(settings, clients);
        self.checker.replan(&synced.rescheduled).await?;
        Ok(Synced {
            added: synced.added + synced.returned,
            left: synced.left,
        })
    }

    /// Stores what is not stored yet and closes the database.
    pub async fn close(self) -> Result<(), StoreError> {
        let stored = self.checker.store_quiet_polls().await;
        let Self {
            store,
            checker,
            drain,
            underway,
            _lock: lock,
            ..
        } = self;
        underway.close();
        drop((checker, drain));
        let closed = tokio::task::spawn_blocking(move || {
            let closed = store.close();
            drop(lock);
            closed
        });
        closed.await.map_err(|_| StoreError::Closed)??;
        stored
    }
}

/// Takes the lock, then opens, creates or upgrades the database.
pub(super) async fn open(
    database: &Path,
    holder: Holder,
    patience: &mut StartupWait,
) -> Result<(InstanceLock, Store), StoreError> {
    let folder = database
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Only our own folder is created: a misspelt path is an error, not a new place.
    let ours = folder
        .and_then(Path::file_name)
        .is_some_and(|name| name == "revisor");
    let options = OpenOptions {
        create_folder: ours,
        ..OpenOptions::default()
    };
    if ours && let Some(folder) = folder {
        // If this fails, the next step fails as well, with a better message.
        let _ = std::fs::create_dir_all(folder);
    }
    // The lock comes first, so that no second process upgrades the file while it is in use.
    let lock = patience
        .with(|| {
            let database = database.to_owned();
            blocking(move || InstanceLock::acquire(&database, holder))
        })
        .await?;
    let store = patience
        .with(|| {
            let (database, options) = (database.to_owned(), options.clone());
            blocking(move || Store::open(&database, &options))
        })
        .await?;
    Ok((lock, store))
}

/// Upgrading a large database takes time; signals must be handled meanwhile.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(StoreError::Closed))
}

/// How many quarantined documents are named in the log; the rest is counted.
const NAMED: usize = 20;

fn log_quarantined(quarantined: &[QuarantinedAddress]) {
    for QuarantinedAddress { address, rest } in quarantined.iter().take(NAMED) {
        if rest.crowd {
            tracing::warn!(
                feed.url = %without_login(address),
                ends = rest.ends,
                until = %rest.until,
                "the service was killed several times while reading pages of this feed; they are skipped for a while. \
                 Give the service more memory (MemoryMax=), or lower fetch.memory"
            );
            continue;
        }
        tracing::warn!(
            url = %without_login(address),
            ends = rest.ends,
            until = %rest.until,
            "crashed the service each time it was read; skipped for a day"
        );
    }
    let more = quarantined.len().saturating_sub(NAMED);
    if more > 0 {
        tracing::warn!(more, "`revisor status` lists everything that is skipped");
    }
}

/// Stores the feeds and targets of a configuration in the database.
async fn sync(
    store: &Store,
    settings: &Settings,
    clock: &dyn Clock,
    patience: &mut StartupWait,
) -> Result<FeedSync, StoreError> {
    let writer = store.writer();
    // The same name for the same file, however it was given. If the path cannot be resolved, it is used as given.
    let file = settings.config().file.as_ref().map(|file| {
        let whole = std::fs::canonicalize(file).or_else(|_| std::path::absolute(file));
        whole.unwrap_or_else(|_| file.clone())
    });
    let synced = patience
        .with(|| {
            writer
                .sync_feeds(settings.configured_feeds(), file.clone(), clock.now())
                .into_future()
        })
        .await?;
    if synced.left > 0 {
        tracing::info!(
            feeds = synced.left,
            "feeds that are no longer in the configuration are not polled any more; their history is kept"
        );
    }
    if synced.added + synced.returned + synced.left > 0 {
        tell_of_alike(store, settings.config())?;
    }
    let targets = settings
        .config()
        .targets
        .iter()
        .map(|target| target.name.clone());
    let targets: Vec<_> = targets.collect();
    patience
        .with(|| writer.sync_targets(targets.clone()).into_future())
        .await?;
    let queues = settings
        .config()
        .targets
        .iter()
        .map(|target| QueueSettings {
            target: target.name.clone(),
            max_open: u32::try_from(target.max_queue).unwrap_or(u32::MAX),
            hold: target.settings.text("confirm") == Some("hold"),
            digest_by: target.holding.latest(clock.now()),
            empty_digest: target.holding.empty_due(clock.now()),
            notices: target.kind.takes_events() && !target.kind.is_public(),
        });
    let queues: Vec<_> = queues.collect();
    patience
        .with(|| writer.set_queues(queues.clone()).into_future())
        .await?;
    Ok(synced)
}

/// Logs which feeds seem to have got another form of their address by hand.
fn tell_of_alike(store: &Store, config: &Config) -> Result<(), StoreError> {
    let left = store.reader()?.left_addresses()?;
    let alike = config.alike(&left);
    for (feed, old) in alike.iter().take(NAMED) {
        tracing::warn!(
            feed = feed.name,
            url = %without_login(&feed.url),
            old = %without_login(old),
            "the address has a history in another form; `revisor mv OLD NEW` continues it"
        );
    }
    let more = alike.len().saturating_sub(NAMED);
    if more > 0 {
        tracing::warn!(more, "`revisor doctor` lists these addresses");
    }
    Ok(())
}
