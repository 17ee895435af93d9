//! Clients, one request each, within limits.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Cursor;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::WebSource;
use super::answer::{HEALTH, answer, busy};
use super::door::{Door, DoorStream};
use super::readers::PageThreads;

/// Limits for clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientLimits {
    /// Clients at the same time from one other machine.
    pub of_one: usize,
    /// Clients at the same time. When another one connects, the oldest that has not sent a request yet is disconnected.
    pub clients: usize,
    /// Responses in progress that take time: all except health.
    pub answers: usize,
    /// The time to receive the request.
    pub request: Duration,
    /// The total time: the request, the response, and reading it.
    pub whole: Duration,
    /// The bytes of a request.
    pub bytes: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            of_one: 16,
            clients: 64,
            answers: 16,
            request: Duration::from_secs(5),
            whole: Duration::from_secs(15),
            bytes: 8 << 10,
        }
    }
}

/// The pause if the system cannot accept a connection: it is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `stop`; clients without a response by then get none.
pub(crate) async fn serve<S: WebSource>(
    door: Door,
    limits: ClientLimits,
    source: Arc<S>,
    readers: Arc<PageThreads>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.answers));
    // Dropped together with all work in progress.
    let mut tasks = JoinSet::new();
    let mut clients = WebClients::default();
    loop {
        while tasks.try_join_next().is_some() {}
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            stream = door.accept() => stream,
        };
        match stream {
            Ok((stream, peer)) => {
                clients.make_room(limits.clients);
                let has_asked = Arc::new(AtomicBool::new(false));
                let visit = ClientVisit {
                    peer,
                    is_too_often: clients.of_one(peer) >= limits.of_one,
                    readers: Arc::clone(&readers),
                    limits,
                    source: Arc::clone(&source),
                    places: Arc::clone(&places),
                    has_asked: Arc::clone(&has_asked),
                };
                let handle = tasks.spawn(async move {
                    // Errors of a client are ignored here.
                    let _ = tokio::time::timeout(limits.whole, visit.talk(stream)).await;
                });
                clients.0.push_back(Client {
                    task: handle,
                    has_asked,
                    peer,
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

/// A connected client.
struct Client {
    task: AbortHandle,
    has_asked: Arc<AtomicBool>,
    peer: Option<IpAddr>,
}

/// Connected clients, the oldest first.
#[derive(Default)]
struct WebClients(VecDeque<Client>);

impl WebClients {
    /// Makes room for one more. Silent clients are disconnected first, because one that has sent its request is
    /// soon done.
    fn make_room(&mut self, most: usize) {
        self.0.retain(|client| !client.task.is_finished());
        if self.0.len() < most {
            return;
        }
        let is_silent = |client: &Client| !client.has_asked.load(Ordering::Relaxed);
        let oldest = self.0.iter().position(is_silent).unwrap_or(0);
        if let Some(client) = self.0.remove(oldest) {
            client.task.abort();
        }
    }

    /// How many clients another machine has here. This machine is not limited, because a proxy on it has many clients.
    fn of_one(&self, peer: Option<IpAddr>) -> usize {
        match peer.filter(|peer| !peer.is_loopback()) {
            Some(_) => self.0.iter().filter(|client| client.peer == peer).count(),
            None => 0,
        }
    }
}

/// One connection of a client.
struct ClientVisit<S> {
    limits: ClientLimits,
    peer: Option<IpAddr>,
    is_too_often: bool,
    readers: Arc<PageThreads>,
    source: Arc<S>,
    places: Arc<Semaphore>,
    has_asked: Arc<AtomicBool>,
}

impl<S: WebSource> ClientVisit<S> {
    /// One request and its response. Health does not wait for a place, because it takes no time.
    async fn talk(self, stream: Box<dyn DoorStream>) {
        let limits = self.limits;
        let visit = Arc::new(self);
        let service = service_fn(|request: Request<_>| {
            let visit = Arc::clone(&visit);
            async move {
                visit.has_asked.store(true, Ordering::Relaxed);
                let is_health = request.uri().path() == HEALTH;
                let is_trusted = visit.source.setup().config().web.auth.trusts(visit.peer);
                if visit.is_too_often && !is_health && !is_trusted {
                    let why = "too many requests at once from this address";
                    return Ok(busy(StatusCode::TOO_MANY_REQUESTS, why).map(body));
                }
                let _place = if is_health {
                    None
                } else {
                    // The response still has to be made and read within the total time.
                    let place = visit.places.acquire();
                    match tokio::time::timeout(limits.request, place).await {
                        Ok(place) => place.ok(),
                        Err(_) => {
                            let why = "too many requests at once";
                            return Ok(busy(StatusCode::SERVICE_UNAVAILABLE, why).map(body));
                        }
                    }
                };
                let (peer, source) = (visit.peer, &*visit.source);
                let answer = answer(&request, peer, source, &visit.readers).await;
                Ok::<_, Infallible>(answer.map(body))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.request)
            .max_buf_size(limits.bytes)
            // A second request would be a second client, with its own place and its own time.
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the health endpoint was aborted");
        }
    }
}

/// The body of a response, which is always complete.
fn body(bytes: Vec<u8>) -> Full<Cursor<Vec<u8>>> {
    Full::new(Cursor::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_machine_has_a_share_and_a_proxy_on_this_one_has_none() {
        let mut clients = WebClients::default();
        let mut tasks: JoinSet<()> = JoinSet::new();
        for peer in [
            Some("192.0.2.7"),
            Some("192.0.2.7"),
            Some("192.0.2.8"),
            Some("127.0.0.1"),
            None,
        ] {
            clients.0.push_back(Client {
                task: tasks.spawn(std::future::pending()),
                has_asked: Arc::default(),
                peer: peer.map(|peer| peer.parse().unwrap()),
            });
        }
        let of = |peer: &str| clients.of_one(Some(peer.parse().unwrap()));
        assert_eq!(
            (of("192.0.2.7"), of("192.0.2.8"), of("192.0.2.9")),
            (2, 1, 0)
        );
        assert_eq!((of("127.0.0.1"), clients.of_one(None)), (0, 0));
    }
}
