//! Clients, one request each, within bounds.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Source;
use super::answer::{HEALTH, answer};
use super::door::{Door, Stream};

/// What a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Clients at once. When another one comes, the oldest that has not asked for anything yet has to go.
    pub clients: usize,
    /// Answers under way that take time: all but health.
    pub answers: usize,
    /// The time for the request.
    pub request: Duration,
    /// The time for the whole: request, answer and reading it.
    pub whole: Duration,
    /// The bytes of a request.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 64,
            answers: 16,
            request: Duration::from_secs(5),
            whole: Duration::from_secs(15),
            bytes: 8 << 10,
        }
    }
}

/// The pause after the system gave no connection: it is out of descriptors, or of memory.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Answers until `stop`; who has no answer by then gets none.
pub async fn serve<S: Source>(door: Door, limits: Limits, source: Arc<S>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.answers));
    // Dropped with everything that is under way.
    let mut tasks = JoinSet::new();
    let mut clients = WebClients::default();
    loop {
        while tasks.try_join_next().is_some() {}
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            stream = door.accept() => stream,
        };
        match stream {
            Ok(stream) => {
                clients.make_room(limits.clients);
                let has_asked = Arc::new(AtomicBool::new(false));
                let visit = ClientVisit {
                    limits,
                    source: Arc::clone(&source),
                    places: Arc::clone(&places),
                    has_asked: Arc::clone(&has_asked),
                };
                let handle = tasks.spawn(async move {
                    // What a client does wrong is its own affair.
                    let _ = tokio::time::timeout(limits.whole, visit.talk(stream)).await;
                });
                clients.0.push_back((handle, has_asked));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a client of the health endpoint");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}

/// Who is there, the oldest first, and whether they have asked for something.
#[derive(Default)]
struct WebClients(VecDeque<(AbortHandle, Arc<AtomicBool>)>);

impl WebClients {
    /// Sees to it that one more may come. Who is silent goes first: who asks is answered at once, and has gone.
    fn make_room(&mut self, most: usize) {
        self.0.retain(|(client, _)| !client.is_finished());
        if self.0.len() < most {
            return;
        }
        let is_silent =
            |(_, has_asked): &(AbortHandle, Arc<AtomicBool>)| !has_asked.load(Ordering::Relaxed);
        let oldest = self.0.iter().position(is_silent).unwrap_or(0);
        if let Some((client, _)) = self.0.remove(oldest) {
            client.abort();
        }
    }
}

/// A client's visit.
struct ClientVisit<S> {
    limits: Limits,
    source: Arc<S>,
    places: Arc<Semaphore>,
    has_asked: Arc<AtomicBool>,
}

impl<S: Source> ClientVisit<S> {
    /// One request and its answer. Health waits for no place: it takes no time.
    async fn talk(self, stream: Box<dyn Stream>) {
        let limits = self.limits;
        let visit = Arc::new(self);
        let service = service_fn(|request: Request<_>| {
            let visit = Arc::clone(&visit);
            async move {
                visit.has_asked.store(true, Ordering::Relaxed);
                let _place = match request.uri().path() {
                    HEALTH => None,
                    _ => visit.places.acquire().await.ok(),
                };
                Ok::<_, Infallible>(answer(&request, &*visit.source).await)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.request)
            .max_buf_size(limits.bytes)
            // A second request would be a second client: with its own place, and its own time.
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the health endpoint was aborted");
        }
    }
}
