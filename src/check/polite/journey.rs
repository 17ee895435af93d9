//! One request on its way from host to host: at each of them it waits for its turn.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::check::{Checker, LONGEST_HOLD, Resting, SHORT_WAIT, WaitLimit, lane_of_pages};
use crate::config::FeedConfig;
use crate::fetch::{
    Clients, FailureKind, FetchFailure, FetchRequest, Fetched, Kind, Lane, Load, RedirectChain,
    Step, Turn, Turns, host_key,
};
use crate::store::InHand;
use crate::time::Stopwatch;

/// Without a descriptor it is tried again so often, with this pause.
const EXHAUSTED_TRIES: u32 = 40;
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(500);

/// A wait for room that is shorter is none.
const NOTICEABLE: Duration = Duration::from_millis(500);

/// A request under way.
pub(in crate::check) struct Journey<'a> {
    checker: &'a Checker,
    request: &'a FetchRequest,
    feed: &'a FeedConfig,
    lane: Lane,
    patience: WaitLimit,
    clients: Arc<Clients>,
    turns: Turns,
    /// The host that was asked last, or is asked first.
    host: String,
    turn: Option<Turn>,
    way: Option<Box<RedirectChain>>,
    /// How long the servers have taken.
    took: Duration,
}

/// What came of one step.
pub(in crate::check) enum Arrival {
    /// The answer, and what it holds.
    Answered(Fetched, FetchHold),
    /// A redirect to this address, which the next step follows.
    Redirected(Url),
}

/// What an answer holds: the turn at the host that gave it, to be dropped when it is read or in good hands, and the room
/// for its bytes, to be dropped when what came of it is stored.
pub(in crate::check) type FetchHold = (Turn, Hold);

/// The room for the bytes of an answer; a page that has much is noted, in case it ends the process.
#[derive(Debug)]
pub(in crate::check) struct Hold {
    pub(in crate::check) load: Load,
    _in_hand: Option<InHand>,
}

impl Hold {
    /// Room without a bound, for an answer that somebody has brought.
    pub(in crate::check) fn unbounded() -> Self {
        Self {
            load: Load::unbounded(),
            _in_hand: None,
        }
    }
}

/// Pages of fewer bytes are not noted.
const NOTED: u64 = 1 << 20;

impl Checker {
    /// Asks as `fetch` wants it, when it is the host's turn and there is room for the answer; the host is left alone for
    /// as long as it says.
    pub(in crate::check) async fn fetch(
        &self,
        request: &FetchRequest,
        feed: &FeedConfig,
        patience: WaitLimit,
    ) -> Result<(Fetched, FetchHold), Resting> {
        let mut visit = self.visit(request, feed, patience);
        loop {
            if let Arrival::Answered(fetched, held) = visit.step().await? {
                return Ok((fetched, held));
            }
        }
    }

    /// The same step by step, for whoever has to be asked before a redirect is followed.
    pub(in crate::check) fn visit<'a>(
        &'a self,
        request: &'a FetchRequest,
        feed: &'a FeedConfig,
        patience: WaitLimit,
    ) -> Journey<'a> {
        let setup = self.setup();
        Journey {
            checker: self,
            request,
            feed,
            lane: match request.kind {
                Kind::Feed => Lane::Feed,
                Kind::Page | Kind::Robots => lane_of_pages(feed),
            },
            patience,
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

    /// Goes on from where an earlier visit has come to.
    pub(in crate::check) fn resume(&mut self, way: Box<RedirectChain>) {
        self.way = Some(way);
    }

    /// How far it has come, when a redirect is to be followed.
    pub(in crate::check) fn into_way(self) -> Option<Box<RedirectChain>> {
        self.way
    }

    /// Gives the turn back; the next step takes another one.
    pub(in crate::check) fn leave(&mut self) {
        self.turn = None;
    }

    /// Asks the host that is next, when it is its turn. No turn is held while another one is waited for.
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

    /// Waits for room with the turn held, so that nobody has room who waits for a turn.
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

    /// Asks. Without a descriptor nothing was asked: the turn is kept and it is tried again, so that what is under way can
    /// end, and in the end the host stays as due as it was.
    async fn ask(&mut self, load: &mut Load) -> Result<Step, Resting> {
        for _ in 0..EXHAUSTED_TRIES {
            let since = Stopwatch::start();
            let way = self.way.take();
            let step = match self.clients.of(&self.feed.fetch) {
                Ok(client) => client.step(self.request, way, load).await,
                // Only for settings of before a reload: those in force were tried before they came into force.
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
        match self.patience {
            WaitLimit::Endless => Ok(self.turns.take(&self.host, self.lane).await),
            WaitLimit::Short => {
                let turn = self.turns.take_within(&self.host, self.lane, SHORT_WAIT);
                let turn = turn.await;
                turn.map_err(|held| Resting::Host(held.as_secs()))
            }
        }
    }

    /// Counts the answer, and leaves its host alone when it asks for that.
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
