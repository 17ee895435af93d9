//! One request on its way from host to host; it waits for its turn at each of them.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::check::{Checker, LONGEST_HOLD, Resting, SHORT_WAIT, WaitLimit, lane_of_pages};
use crate::config::FeedConfig;
use crate::fetch::{
    Clients, FailureKind, FetchFailure, FetchRequest, Fetched, Lane, Load, RedirectChain,
    RequestKind, Step, Turn, Turns, host_key,
};
use crate::store::InHand;
use crate::time::Stopwatch;

/// How many times a request is tried again when no descriptor is left, with this pause.
const EXHAUSTED_TRIES: u32 = 40;
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(500);

/// A shorter wait for room does not count as a wait.
const NOTICEABLE: Duration = Duration::from_millis(500);

/// A request in progress.
pub(in crate::check) struct Journey<'a> {
    checker: &'a Checker,
    request: &'a FetchRequest,
    feed: &'a FeedConfig,
    lane: Lane,
    wait_limit: WaitLimit,
    clients: Arc<Clients>,
    turns: Turns,
    /// The host that was asked last, or that is asked first.
    host: String,
    turn: Option<Turn>,
    way: Option<Box<RedirectChain>>,
    /// The time that the servers took.
    took: Duration,
}

/// The result of one step.
pub(in crate::check) enum Arrival {
    /// The response, and what it holds.
    Answered(Fetched, FetchHold),
    /// A redirect to this address, which the next step follows.
    Redirected(Url),
}

/// What a response holds: the turn at the host that sent it, to be dropped once the response is read, and the room
/// for its bytes, to be dropped once the result is stored.
pub(in crate::check) type FetchHold = (Turn, Hold);

/// The room for the bytes of a response. Large pages are recorded, in case one crashes the process.
#[derive(Debug)]
pub(in crate::check) struct Hold {
    pub(in crate::check) load: Load,
    _in_hand: Option<InHand>,
}

impl Hold {
    /// Room without a limit, for a response that the caller already has.
    pub(in crate::check) fn unbounded() -> Self {
        Self {
            load: Load::unbounded(),
            _in_hand: None,
        }
    }
}

/// Smaller pages are not recorded.
const NOTED: u64 = 1 << 20;

impl Checker {
    /// Sends a request when it is the host's turn and there is room for the response. If the host asks us to wait,
    /// it is rate-limited for that long.
    pub(in crate::check) async fn fetch(
        &self,
        request: &FetchRequest,
        feed: &FeedConfig,
        wait_limit: WaitLimit,
    ) -> Result<(Fetched, FetchHold), Resting> {
        let mut visit = self.visit(request, feed, wait_limit);
        loop {
            if let Arrival::Answered(fetched, held) = visit.step().await? {
                return Ok((fetched, held));
            }
        }
    }

    /// The same step by step, for callers that need permission before a redirect is followed.
    pub(in crate::check) fn visit<'a>(
        &'a self,
        request: &'a FetchRequest,
        feed: &'a FeedConfig,
        wait_limit: WaitLimit,
    ) -> Journey<'a> {
        let setup = self.setup();
        Journey {
            checker: self,
            request,
            feed,
            lane: match request.kind {
                RequestKind::Feed => Lane::Feed,
                RequestKind::Page | RequestKind::Robots => lane_of_pages(feed),
            },
            wait_limit,
            clients: setup.clients,
            turns: setup.turns,
            host: host_key(&request.url),
            turn: None,
            way: None,
            took: Duration::ZERO,
        }
    }
}

impl Journey<'_> {
    /// The host that was asked last.
    pub(in crate::check) fn host(&self) -> &str {
        &self.host
    }

    /// Continues from the point that an earlier journey reached.
    pub(in crate::check) fn resume(&mut self, way: Box<RedirectChain>) {
        self.way = Some(way);
    }

    /// The redirects so far, if there is another one to follow.
    pub(in crate::check) fn into_way(self) -> Option<Box<RedirectChain>> {
        self.way
    }

    /// Gives the turn back; the next step takes another one.
    pub(in crate::check) fn leave(&mut self) {
        self.turn = None;
    }

    /// Sends the request to the next host when it is its turn. No turn is held while waiting for another one.
    pub(in crate::check) async fn step(&mut self) -> Result<Arrival, Resting> {
        if let Some(way) = &self.way {
            let host = host_key(way.url().as_str());
            if host != self.host {
                self.leave();
                self.host = host;
            }
        }
        let turn = match self.turn.take() {
            Some(turn) => turn,
            None => self.take_turn().await?,
        };
        if !self.checker.network.permits(&self.host) {
            return Err(Resting::Offline);
        }
        let mut load = self.make_room(&turn).await;
        let step = self.ask(&mut load).await?;
        match step {
            Step::Answered(fetched) => {
                self.note(&fetched);
                let network = &self.checker.network;
                if network.note(&self.host, &fetched, self.checker.now()) {
                    return Err(Resting::Offline);
                }
                let in_hand = self.note_in_hand(&load);
                let hold = Hold {
                    load,
                    _in_hand: in_hand,
                };
                Ok(Arrival::Answered(fetched, (turn, hold)))
            }
            Step::Redirected(way) => {
                let to = way.url().clone();
                self.turn = Some(turn);
                self.way = Some(way);
                Ok(Arrival::Redirected(to))
            }
        }
    }

    /// Waits for room while holding the turn, so that no room is held by a check that waits for a turn.
    async fn make_room(&self, turn: &Turn) -> Load {
        let since = Stopwatch::start();
        let want = self.checker.weights.want(self.lane, &self.request.url);
        let load = self.checker.room.take(want).await;
        if since.elapsed() >= NOTICEABLE {
            turn.restart();
        }
        load
    }

    fn note_in_hand(&self, load: &Load) -> Option<InHand> {
        let is_noted = self.lane != Lane::Feed && load.bytes() >= NOTED;
        let underway = &self.checker.underway;
        is_noted.then(|| underway.have(&self.feed.url, load.bytes()))
    }

    /// Sends the request. Without a free descriptor nothing was sent: the turn is kept and the request is tried
    /// again, so that work in progress can finish. If that does not help, the host stays as due as it was.
    async fn ask(&mut self, load: &mut Load) -> Result<Step, Resting> {
        for _ in 0..EXHAUSTED_TRIES {
            let since = Stopwatch::start();
            let way = self.way.take();
            let step = match self.clients.of(&self.feed.fetch) {
                // Boxed: thousands of checks wait for their turn, and only a few use the network.
                Ok(client) => Box::pin(client.step(self.request, way, load)).await,
                // Only with settings from before a reload: current settings were tested before they were applied.
                Err(error) => Step::Answered(Fetched::Failed(FetchFailure {
                    kind: FailureKind::Refused,
                    message: error.to_string(),
                    status: None,
                    retry_after: None,
                    at: self.checker.now(),
                })),
            };
            self.took += since.elapsed();
            match &step {
                Step::Answered(Fetched::Failed(failure))
                    if failure.kind == FailureKind::Exhausted =>
                {
                    self.checker.network.warn_exhausted(&failure.message);
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
                Step::Answered(Fetched::Failed(failure))
                    if failure.kind == FailureKind::Interrupted
                        && load.stalled_for() >= NOTICEABLE =>
                {
                    let (lane, url) = (self.lane, &self.request.url);
                    self.checker.weights.note(lane, url, load.bytes());
                    return Err(Resting::Crowded);
                }
                _ => return Ok(step),
            }
        }
        Err(Resting::Exhausted)
    }

    async fn take_turn(&self) -> Result<Turn, Resting> {
        match self.wait_limit {
            WaitLimit::Endless => Ok(self.turns.take(&self.host, self.lane).await),
            WaitLimit::Short => {
                let turn = self.turns.take_within(&self.host, self.lane, SHORT_WAIT);
                let turn = turn.await;
                turn.map_err(|held| Resting::Host(held.as_secs()))
            }
        }
    }

    /// Counts the response, and rate-limits its host if it asks for that.
    fn note(&self, fetched: &Fetched) {
        let (outcome, bytes) = match fetched {
            Fetched::Body(answer) => ("body", answer.body.len()),
            Fetched::NotModified(_) => ("not_modified", 0),
            Fetched::Gone(_) => ("gone", 0),
            Fetched::Failed(failure) => (failure.kind.as_str(), 0),
        };
        if let Fetched::Body(answer) = fetched {
            let (lane, url) = (self.lane, &self.request.url);
            let bytes = answer.body.len() as u64;
            self.checker.weights.note(lane, url, bytes);
        }
        let kind = self.request.kind.as_str();
        let metrics = self.checker.metrics();
        metrics.fetched(kind, outcome, bytes, self.took);
        if let Fetched::Failed(failure) = fetched
            && let Some(wait) = failure.retry_after
            && let Some(site) = self.turns.hold(&self.host, wait.min(LONGEST_HOLD))
        {
            tracing::info!(
                site,
                "several of its hosts asked us to wait: the whole site is rate-limited"
            );
        }
    }
}
