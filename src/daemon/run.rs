//! The daemon from start to stop.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::file_state::FileState;
use super::health::{Endpoint, WatchedService};
use super::heartbeat;
use super::maintenance;
use super::poll::Poller;
use super::reload_result::{ReloadResult, hash_of};
use super::signals::{SignalRequest, Signals};
use super::startup_wait::{ASK_EVERY, StartupWait, ask_for_time};
use super::systemd::{self, Watchdog};
use super::watchdog::{Pulse, WatchdogProgress};
use super::{Assembly, Synced, archive, assembly};
use crate::config::{Config, ConfigError, Listen, TargetKind};
use crate::fetch::ClientError;
use crate::metrics::MetricsError;
use crate::notify::SecretError;
use crate::store::{Holder, StoreError, Writer};
use crate::time::Clock;

/// How often the configuration file and the files of its secrets are checked for edits without a reload signal.
const CONFIG_LOOK: Duration = Duration::from_secs(20);

/// How often the status line for the service manager is renewed.
const STATUS_EVERY: Duration = Duration::from_secs(30);

/// How long requests from the command line are kept after they were handled.
const WISHES_FOR: Duration = Duration::from_hours(24);

/// Why the daemon cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database failed, or another daemon uses it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP client failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The secret of a target cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The metrics failed.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The new configuration has another database.
    #[error(
        "changing the database needs a restart: {} is in use, the configuration has {}",
        used.display(),
        named.display()
    )]
    OtherDatabase {
        /// The database in use.
        used: PathBuf,
        /// The database in the new configuration.
        named: PathBuf,
    },
    /// A part of the daemon ended unexpectedly.
    #[error("{0} stopped unexpectedly; this is a bug in revisor, please report it")]
    Broken(&'static str),
    /// The signals cannot be handled.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// How the configuration is replaced while the daemon runs.
pub(crate) struct Reload {
    /// Reads it again.
    pub read: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// Called once another configuration is in force, for what is outside the daemon: the log.
    pub in_force: Box<dyn Fn(&Config) + Send + Sync>,
}

/// A daemon that is ready to run.
pub(crate) struct Daemon {
    assembly: Assembly,
    clock: Arc<dyn Clock>,
    file: Option<PathBuf>,
    reload: Reload,
    signals: Signals,
}

impl Daemon {
    /// Installs the signal handlers, takes the lock, opens the database and prepares everything; `None` if it is
    /// asked to stop meanwhile. Must be called on a runtime.
    pub(crate) async fn start(
        config: Config,
        reload: Reload,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, DaemonError> {
        let mut signals = Signals::take().map_err(DaemonError::Signals)?;
        systemd::status("opening the database");
        let file = config.file.clone();
        let opened = OnceLock::new();
        // Before work in progress is dropped, which waits for the writer.
        let stop = async {
            signals.stop().await;
            opened.get().map(Writer::hurry);
        };
        let assembly = tokio::select! {
            assembly = assemble(config, Arc::clone(&clock), &opened) => assembly?,
            () = stop => {
                systemd::stopping();
                tracing::info!("stopped before it was ready");
                return Ok(None);
            }
            never = ask_for_time(ASK_EVERY, systemd::extend) => match never {},
        };
        Ok(Some(Self {
            assembly,
            clock,
            file,
            reload,
            signals,
        }))
    }

    /// Runs until it is asked to stop.
    pub(crate) async fn run(mut self) -> Result<(), DaemonError> {
        let stop = CancellationToken::new();
        let outbox = Arc::new(Notify::new());
        let pulse = Arc::new(Pulse::new());
        let writer = self.assembly.store.writer().clone();
        let poller = Poller::new(&self.assembly, Arc::clone(&outbox));
        let mut polling = tokio::spawn(poller.run(Arc::clone(&pulse), stop.clone()));
        let drain = Arc::clone(&self.assembly.drain);
        let mut draining = tokio::spawn(drain.run(Arc::clone(&outbox), stop.clone()));
        let mut caring = tokio::spawn(maintenance::run(
            Arc::clone(&self.assembly.checker),
            writer.clone(),
            Arc::clone(&self.assembly.full),
            stop.clone(),
        ));
        let archiving = tokio::spawn(archive::run(
            Arc::clone(&self.assembly.checker),
            writer.clone(),
            Arc::clone(&self.clock),
            stop.clone(),
        ));
        let guarding = tokio::spawn(guard(
            WatchdogProgress::new(writer.clone()),
            Arc::clone(&pulse),
            stop.clone(),
        ));
        let beats = Arc::clone(&self.assembly.drain);
        let beating = tokio::spawn(heartbeat::run(
            self.assembly.deliverer.clone(),
            move || beats.targets_of(TargetKind::Healthchecks),
            Arc::clone(&pulse),
            stop.clone(),
        ));
        let hurried = writer.clone();
        let watched = WatchedService::new(Arc::clone(&self.assembly.checker), writer, pulse);
        let mut endpoint = Endpoint::new(watched);
        endpoint.listen(self.listen_on()).await;
        systemd::ready(&self.status());
        tracing::info!(feeds = self.feeds(), "ready");

        // No task ends by itself, unless the database must not be used any more. Otherwise it has panicked, and the
        // service manager restarts the service.
        let mut broken = tokio::select! {
            () = self.heed(&outbox, &mut endpoint) => None,
            ended = &mut polling => Some(match ended {
                Ok(Some(unfit)) => DaemonError::Store(unfit),
                Ok(None) | Err(_) => DaemonError::Broken("the poller"),
            }),
            ended = &mut draining => Some(match ended {
                Ok(Err(unfit)) => DaemonError::Store(unfit),
                Ok(Ok(_)) | Err(_) => DaemonError::Broken("the delivery of alerts"),
            }),
            // If maintenance has panicked, polling continues; the panic has been logged.
            Ok(Some(unfit)) = &mut caring => Some(DaemonError::Store(unfit)),
        };

        systemd::stopping();
        tracing::info!("stopping");
        hurried.hurry();
        drop(hurried);
        stop.cancel();
        endpoint.close().await;
        // It has a handle of the database.
        drop(endpoint);
        // The other tasks still have to end in order.
        let mut unfit = None;
        if !polling.is_finished() {
            unfit = polling.await.ok().flatten();
        }
        if !draining.is_finished() {
            unfit = unfit.or(draining.await.ok().and_then(Result::err));
        }
        if !caring.is_finished() {
            unfit = unfit.or(caring.await.ok().flatten());
        }
        broken = broken.or(unfit.map(DaemonError::Store));
        let _ = guarding.await;
        // Requests to an archive and pings need not be waited for: they are sent again later.
        beating.abort();
        archiving.abort();
        let _ = archiving.await;
        let closed = self.assembly.close().await;
        match (broken, closed) {
            (Some(error), _) => Err(error),
            // The lock was waited for, and that was logged: the feeds are due again.
            (None, Err(error)) if error.is_busy() => Ok(()),
            (None, closed) => Ok(closed?),
        }
    }

    /// Handles signals and edits of the configuration until the daemon is asked to stop.
    async fn heed(&mut self, outbox: &Notify, endpoint: &mut Endpoint) {
        let mut files = FileState::of(self.files());
        let mut look = tokio::time::interval(CONFIG_LOOK);
        let mut status = tokio::time::interval(STATUS_EVERY);
        look.tick().await;
        status.tick().await;
        loop {
            let asked = tokio::select! {
                asked = self.signals.next() => asked,
                _ = status.tick() => {
                    systemd::status(&self.status());
                    continue;
                }
                _ = look.tick() => {
                    if files.anew() == files {
                        continue;
                    }
                    tracing::info!("the configuration or a secret has changed");
                    SignalRequest::Reload
                }
            };
            match asked {
                SignalRequest::Stop => return,
                SignalRequest::Reload => {
                    systemd::reloading();
                    files = files.anew();
                    let hash = hash_of(self.file.as_deref());
                    let read = tokio::select! {
                        read = read_again(&self.assembly, &self.reload) => read,
                        () = self.signals.stop() => return,
                    };
                    files = files.with(self.files());
                    self.assembly.checker.metrics().reloaded(read.is_ok());
                    let error = read.as_ref().err().map(ToString::to_string);
                    match read {
                        Ok(Synced { added, left }) => {
                            (self.reload.in_force)(self.assembly.checker.settings().config());
                            tracing::info!(
                                added,
                                left,
                                feeds = self.feeds(),
                                "configuration loaded"
                            );
                            outbox.notify_one();
                            endpoint.listen(self.listen_on()).await;
                        }
                        Err(error) => {
                            tracing::error!("still using the old configuration: {error}");
                        }
                    }
                    self.leave_outcome(hash, error);
                    systemd::ready(&self.status());
                }
            }
        }
    }

    /// The files of the configuration and the secrets that they name.
    fn files(&self) -> Vec<PathBuf> {
        self.assembly.checker.settings().config().watched_files()
    }

    fn leave_outcome(&self, hash: String, error: Option<String>) {
        let outcome = ReloadResult::new(hash, self.clock.now(), error);
        if let Err(error) = outcome.leave(self.assembly.store.path()) {
            tracing::warn!(%error, "cannot write the result of the reload next to the database");
        }
    }

    fn listen_on(&self) -> Option<Listen> {
        self.assembly.checker.settings().config().web.listen.clone()
    }

    fn feeds(&self) -> usize {
        self.assembly.checker.settings().feed_count()
    }

    fn status(&self) -> String {
        let next = self
            .assembly
            .checker
            .read(crate::store::Reader::next_due)
            .ok()
            .flatten();
        let wait = next.map(|next| next.since(self.clock.now()).as_secs());
        match wait {
            Some(seconds) => format!("{} feeds, next in {seconds} s", self.feeds()),
            None => format!("{} feeds", self.feeds()),
        }
    }
}

async fn read_again(assembly: &Assembly, reload: &Reload) -> Result<Synced, DaemonError> {
    assembly.replace((reload.read)()?).await
}

/// Opens the database and prepares everything, however long others delay it.
async fn assemble(
    config: Config,
    clock: Arc<dyn Clock>,
    writer: &OnceLock<Writer>,
) -> Result<Assembly, DaemonError> {
    let mut patience = StartupWait::of_service(config.database.clone());
    let opened = assembly::open(&config.database, Holder::Service, &mut patience).await?;
    let writer = writer.get_or_init(|| opened.1.writer().clone());
    let assembly = Assembly::over(opened, config, Arc::clone(&clock), &mut patience).await?;
    let forget = || {
        writer
            .reset_requests(clock.now() - WISHES_FOR)
            .into_future()
    };
    patience.with(forget).await?;
    Ok(assembly)
}

/// How often the guard checks progress if no watchdog sets an interval.
const GUARD_EVERY: Duration = Duration::from_secs(10);

/// Without a watchdog, a part without progress for longer than this is stuck. In one round the scheduler may wait for
/// the writer three times, and the writer may wait its whole busy timeout for another program, without being stuck.
const STILL: Duration = Duration::from_secs(40);

/// Checks whether the scheduler and the writer make progress, and notifies the watchdog, if there is one, while
/// they do.
async fn guard(mut progress: WatchdogProgress, pulse: Arc<Pulse>, stop: CancellationToken) {
    let watchdog = Watchdog::from_environment();
    let (interval, limit) = match watchdog {
        Some(watchdog) => {
            let interval = watchdog.interval();
            (interval, (interval * 2).max(Duration::from_secs(1)))
        }
        None => (GUARD_EVERY, STILL),
    };
    loop {
        let alive = progress.is_alive(&pulse, limit);
        pulse.set_alive(alive);
        match (alive, watchdog) {
            (true, Some(watchdog)) => watchdog.ping(),
            (true, None) => {}
            (false, Some(_)) => tracing::error!("no progress; not notifying the watchdog"),
            (false, None) => tracing::error!("no progress"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}
