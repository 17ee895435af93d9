//! How the service is, for those who watch it: what the endpoint answers, and whether it is open.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::watchdog::Pulse;
use crate::check::{Checker, Settings};
use crate::config::{Config, FeedConfig, Listen};
use crate::fetch::user_agent;
use crate::metrics::{DatabaseNumbers, KnownTarget};
use crate::store::{Reader, StoreError, Writer, beside};
use crate::time::{Stopwatch, Timestamp};
use crate::web::{ClientLimits, Door, PageThreads, WebSetup, WebSource, serve};

/// What has been due for so long is late: a round of the poller and the turns of a few feeds at a host take less.
pub(crate) const LATE: Duration = Duration::from_mins(2);

/// The database is asked for metrics at most this often, however many ask us.
const FRESH: Duration = Duration::from_secs(1);

/// The longest that an answer waits for the database.
const DATABASE_WAIT: Duration = Duration::from_secs(5);

/// The pause before a door that could not be opened is tried again.
const DOOR_PAUSE: Duration = Duration::from_secs(10);

/// The service, as it is watched.
pub(super) struct WatchedService {
    checker: Arc<Checker>,
    writer: Writer,
    pulse: Arc<Pulse>,
    /// The metrics, and when they were made.
    last: Mutex<Option<(Stopwatch, String)>>,
}

impl WatchedService {
    pub(super) fn new(checker: Arc<Checker>, writer: Writer, pulse: Arc<Pulse>) -> Self {
        Self {
            checker,
            writer,
            pulse,
            last: Mutex::new(None),
        }
    }

    /// Asks the database, on a thread that may wait.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let checker = Arc::clone(&self.checker);
        let asked = tokio::task::spawn_blocking(move || checker.read(question));
        match tokio::time::timeout(DATABASE_WAIT, asked).await {
            Ok(Ok(answer)) => answer.map_err(|error| error.to_string()),
            Ok(Err(_)) => Err("reading the database was aborted".to_owned()),
            Err(_) => Err(format!(
                "the database has not responded for {} s",
                DATABASE_WAIT.as_secs()
            )),
        }
    }

    fn wal(&self) -> PathBuf {
        beside(self.writer.path(), "-wal")
    }
}

impl WebSource for WatchedService {
    fn health(&self) -> Result<(), String> {
        match self.pulse.is_alive() {
            true => Ok(()),
            false => Err("no progress: the scheduler or the database writer is stuck".to_owned()),
        }
    }

    async fn readiness(&self) -> Result<(), String> {
        self.health()?;
        self.ask(Reader::next_due).await?;
        match self.checker.metrics().last_commit_stored() {
            true => Ok(()),
            false => Err("the database cannot be written: see the log".to_owned()),
        }
    }

    async fn metrics(&self) -> Result<String, String> {
        let mut last = self.last.lock().await;
        if let Some((made, text)) = &*last
            && made.elapsed() < FRESH
        {
            return Ok(text.clone());
        }
        let metrics = self.checker.metrics();
        let now = self.checker.now();
        metrics.moment(self.writer.progress().waiting, now - self.pulse.silence());
        let wal = self.wal();
        let known = self.ask(move |reader| known(reader, now, wal)).await;
        if let Err(why) = &known {
            tracing::warn!("metrics without values from the database: {why}");
        }
        metrics.tell(known.ok().as_ref());
        let text = metrics.text().map_err(|error| error.to_string())?;
        *last = Some((Stopwatch::start(), text.clone()));
        Ok(text)
    }

    fn setup(&self) -> Arc<dyn WebSetup> {
        self.checker.settings()
    }

    fn now(&self) -> Timestamp {
        self.checker.now()
    }
}

impl WebSetup for Settings {
    fn config(&self) -> &Config {
        self.config()
    }

    fn feeds(&self) -> Vec<Arc<FeedConfig>> {
        self.by_name()
    }

    fn feed(&self, url: &str) -> Option<Arc<FeedConfig>> {
        self.feed(url)
    }

    fn user_agent(&self) -> String {
        user_agent(&self.config().fetch.user_agent_contact)
    }
}

fn known(reader: &Reader, now: Timestamp, wal: PathBuf) -> Result<DatabaseNumbers, StoreError> {
    let backlog = reader.backlog(now, now - LATE)?;
    let targets = reader.target_health()?;
    Ok(DatabaseNumbers {
        changes: u64::try_from(reader.last_change()?.0).unwrap_or(0),
        feeds: vec![
            ("ok", backlog.feeds_ok),
            ("failing", backlog.feeds_failing),
            ("paused", backlog.feeds_paused),
            ("gone", backlog.feeds_gone),
        ],
        feeds_due: backlog.feeds_due,
        offline: reader.offline_since()?.is_some(),
        feeds_late: backlog.feeds_late,
        feeds_latest: backlog
            .feeds_due_since
            .map_or(Duration::ZERO, |since| now.since(since)),
        pages: backlog.pages,
        pages_due: backlog.pages_due,
        pages_late: backlog.pages_late,
        targets: targets
            .into_iter()
            .filter(|known| known.target.active)
            .map(|known| KnownTarget {
                name: known.target.name,
                pending: known.open,
                oldest: known.oldest_open,
                dead: known.dead,
                set_aside: known.set_aside,
                held: known.held,
                gathered: known.gathered,
                digest: known.digest,
                disabled: known.target.disabled.is_some(),
            })
            .collect(),
        database_bytes: backlog.bytes,
        // There is none after a start, until something is written.
        wal_bytes: fs::metadata(wal).map_or(0, |file| file.len()),
    })
}

/// The endpoint, open or not.
pub(super) struct Endpoint {
    source: Arc<WatchedService>,
    readers: Arc<PageThreads>,
    listen: Option<Listen>,
    open: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Endpoint {
    pub(super) fn new(source: WatchedService) -> Self {
        Self {
            readers: Arc::new(PageThreads::new(source.writer.path())),
            source: Arc::new(source),
            listen: None,
            open: None,
        }
    }

    /// Listens where the configuration says. A door that cannot be opened stops nobody from watching feeds: it is
    /// logged, and tried again until it opens.
    pub(super) async fn listen(&mut self, listen: Option<Listen>) {
        if listen == self.listen {
            return;
        }
        self.close().await;
        self.listen.clone_from(&listen);
        if let Some(listen) = listen {
            let stop = CancellationToken::new();
            let task = tokio::spawn(keep_open(
                listen,
                Arc::clone(&self.source),
                Arc::clone(&self.readers),
                stop.clone(),
            ));
            self.open = Some((stop, task));
        }
    }

    /// Stops listening.
    pub(super) async fn close(&mut self) {
        self.listen = None;
        if let Some((stop, task)) = self.open.take() {
            stop.cancel();
            let _ = task.await;
        }
    }
}

async fn keep_open(
    listen: Listen,
    source: Arc<WatchedService>,
    readers: Arc<PageThreads>,
    stop: CancellationToken,
) {
    let mut said = None;
    loop {
        match Door::open(&listen).await {
            Ok(door) => {
                tracing::info!(listen = %door.place(), "serving the web pages, /healthz, /readyz and /metrics");
                return serve(door, ClientLimits::default(), source, readers, stop).await;
            }
            Err(error) => {
                let message = error.to_string();
                if said.as_ref() != Some(&message) {
                    let hint = match error.kind() {
                        std::io::ErrorKind::PermissionDenied => {
                            "; the unit may forbid it, see revisor.service.d/30-web.conf.example"
                        }
                        _ => "",
                    };
                    tracing::error!(
                        "cannot listen on {listen} (web.listen): {message}{hint}; retrying every {} s",
                        DOOR_PAUSE.as_secs()
                    );
                    said = Some(message);
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(DOOR_PAUSE) => {}
        }
    }
}
