//! Clients, one request each, within bounds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Source;
use super::answer::answer;
use super::door::{Door, Stream};

/// What a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Clients at once; the others wait at the door.
    pub clients: usize,
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
            clients: 16,
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
    let places = Arc::new(Semaphore::new(limits.clients));
    // Dropped with everything that is under way.
    let mut clients = JoinSet::new();
    loop {
        while clients.try_join_next().is_some() {}
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, door.accept().await)
        };
        let (place, stream) = tokio::select! {
            () = stop.cancelled() => return,
            next = next => next,
        };
        match stream {
            Ok(stream) => {
                let source = Arc::clone(&source);
                clients.spawn(async move {
                    let _place = place;
                    // What a client does wrong is its own affair.
                    let _ = tokio::time::timeout(limits.whole, talk(stream, limits, source)).await;
                });
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

/// One request and its answer.
async fn talk<S: Source>(stream: Box<dyn Stream>, limits: Limits, source: Arc<S>) {
    let service = service_fn(|request| {
        let source = Arc::clone(&source);
        async move { Ok::<_, Infallible>(answer(&request, &*source).await) }
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
