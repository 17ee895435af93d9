//! Room for documents: how many bytes are in memory at the same time, and which document comes next.
//!
//! Room is claimed before a document is fetched, and the claim grows if the document turns out to be longer. Part of
//! the room is reserved for feeds; pages share the rest. Documents that do not fit wait in the order of their
//! deadlines, and none waits forever: the first feed and the first page may exceed the limit, one of each at a time. So
//! a document that has room never waits for one that waits for room, and at most two documents exceed the limit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::fetch::polite::host_queue::Lane;
use crate::time::Stopwatch;

/// One byte in this many is reserved for feeds.
const FOR_FEEDS: u64 = 4;

/// A page lets feeds pass that arrive up to this much later …
const AFTER_FEEDS: Duration = Duration::from_secs(10);
/// … and a page that is huge for its feed lets everything pass that arrives up to this much later.
const HUGE_WAITS: Duration = Duration::from_mins(1);

/// The room; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    desk: Arc<RoomState>,
}

#[derive(Debug)]
struct RoomState {
    started: Stopwatch,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    total: u64,
    /// Whether a document may exceed the limit only if it is alone.
    alone: bool,
    feeds: LaneUse,
    pages: LaneUse,
    number: u64,
}

/// What feeds use, or pages.
#[derive(Debug, Default)]
struct LaneUse {
    used: u64,
    /// Whether one of them has exceeded the limit.
    overdrawn: bool,
    /// By deadline, then in order of arrival.
    waiting: BTreeMap<(Duration, u64), Claim>,
}

#[derive(Debug)]
struct Claim {
    bytes: u64,
    /// Receives whether it exceeds the limit.
    grant: oneshot::Sender<bool>,
}

/// A claim for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Want {
    /// What the room is for.
    pub lane: Lane,
    /// How many bytes are expected.
    pub bytes: u64,
    /// Whether that is far more than usual for its feed's pages.
    pub huge: bool,
}

/// The room of a document; it is given back when this is dropped.
#[derive(Debug)]
pub struct Load {
    /// `None` if there is no limit.
    desk: Option<Arc<RoomState>>,
    lane: Lane,
    bytes: u64,
    over: bool,
    stalled: Stalled,
}

/// How long a document has waited for more room since it was requested: time that does not count against the server.
#[derive(Debug, Clone, Default)]
pub(super) struct Stalled(Arc<Mutex<(Duration, Option<Stopwatch>)>>);

impl Room {
    /// Room for this many bytes.
    #[must_use]
    pub(crate) fn new(total: u64) -> Self {
        Self::with(total, false)
    }

    /// Room in which a document exceeds the limit only if it is alone in its lane: for work that waits for nothing
    /// once it has room.
    #[must_use]
    pub(crate) fn alone_beyond(total: u64) -> Self {
        Self::with(total, true)
    }

    fn with(total: u64, alone: bool) -> Self {
        Self {
            desk: Arc::new(RoomState {
                started: Stopwatch::start(),
                books: Mutex::new(Books {
                    total,
                    alone,
                    feeds: LaneUse::default(),
                    pages: LaneUse::default(),
                    number: 0,
                }),
            }),
        }
    }

    /// Sets another limit, for claims that are granted from now on.
    pub(crate) fn set_total(&self, total: u64) {
        let mut books = self.desk.books();
        books.total = total;
        books.hand_out();
    }

    /// Waits for room. Dropping the future gives up the place in the queue.
    pub(crate) async fn take(&self, want: Want) -> Load {
        let mut load = Load {
            desk: Some(Arc::clone(&self.desk)),
            lane: want.lane,
            bytes: 0,
            over: false,
            stalled: Stalled::default(),
        };
        let patience = match want.lane {
            Lane::Feed => Duration::ZERO,
            Lane::Page(_) if want.huge => HUGE_WAITS,
            Lane::Page(_) => AFTER_FEEDS,
        };
        let deadline = self.desk.started.elapsed() + patience;
        load.claim(want.bytes, deadline).await;
        load
    }

    /// Bytes in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        let books = self.desk.books();
        books.feeds.used + books.pages.used
    }
}

impl Load {
    /// Room without a limit, for a single document that somebody waits for.
    #[must_use]
    pub fn unbounded() -> Self {
        Self {
            desk: None,
            lane: Lane::Feed,
            bytes: 0,
            over: false,
            stalled: Stalled::default(),
        }
    }

    /// How many bytes it has room for.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self.desk {
            Some(_) => self.bytes,
            None => u64::MAX,
        }
    }

    /// Waits until there is room for `bytes` in total.
    pub async fn grow(&mut self, bytes: u64) {
        if bytes > self.bytes() {
            self.stalled.begin();
            // Work in progress comes first: only its end gives room back.
            self.claim(bytes - self.bytes, Duration::ZERO).await;
            self.stalled.end();
        }
    }

    /// Gives back what is not needed.
    pub fn settle(&mut self, bytes: u64) {
        let Some(desk) = self.desk.as_ref().filter(|_| bytes < self.bytes) else {
            return;
        };
        let mut books = desk.books();
        books.side(self.lane).used -= self.bytes - bytes;
        self.bytes = bytes;
        if self.over && books.fits(self.lane, 0) {
            books.side(self.lane).overdrawn = false;
            self.over = false;
        }
        books.hand_out();
    }

    /// Whether the document is over the limit: it continues alone, and should finish soon.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// How long it had to wait for more room while it was being received.
    #[must_use]
    pub fn stalled_for(&self) -> Duration {
        self.stalled.time()
    }

    pub(super) fn stalled(&self) -> Stalled {
        self.stalled.clone()
    }

    async fn claim(&mut self, bytes: u64, deadline: Duration) {
        let Some(desk) = &self.desk else { return };
        let desk = Arc::clone(desk);
        let (key, granted) = {
            let mut books = desk.books();
            if self.over {
                books.side(self.lane).used += bytes;
                self.bytes += bytes;
                return;
            }
            let (grant, granted) = oneshot::channel();
            books.number += 1;
            let key = (deadline, books.number);
            let claim = Claim { bytes, grant };
            books.side(self.lane).waiting.insert(key, claim);
            books.hand_out();
            (key, granted)
        };
        let mut waiting = RoomRequest {
            desk: &desk,
            lane: self.lane,
            bytes,
            key,
            granted,
            taken: false,
        };
        // A sender is dropped only when this place is given up, so something is always received.
        let over = (&mut waiting.granted).await;
        waiting.taken = true;
        drop(waiting);
        self.over = over.unwrap_or_default();
        self.bytes += bytes;
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(desk) = &self.desk {
            desk.books().give_back(self.lane, self.bytes, self.over);
        }
    }
}

/// A place in the queue.
struct RoomRequest<'a> {
    desk: &'a RoomState,
    lane: Lane,
    bytes: u64,
    key: (Duration, u64),
    granted: oneshot::Receiver<bool>,
    taken: bool,
}

impl Drop for RoomRequest<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut books = self.desk.books();
        // Grants are made under the same lock: whatever is no longer in the queue has been granted.
        match books.side(self.lane).waiting.remove(&self.key) {
            Some(_) => books.hand_out(),
            None => {
                if let Ok(over) = self.granted.try_recv() {
                    books.give_back(self.lane, self.bytes, over);
                }
            }
        }
    }
}

impl RoomState {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn side(&mut self, lane: Lane) -> &mut LaneUse {
        match lane {
            Lane::Feed => &mut self.feeds,
            Lane::Page(_) => &mut self.pages,
        }
    }

    fn fits(&self, lane: Lane, bytes: u64) -> bool {
        let for_feeds = self.total / FOR_FEEDS;
        let all = self.feeds.used + self.pages.used + bytes <= self.total;
        match lane {
            Lane::Feed => all || self.feeds.used + bytes <= for_feeds,
            Lane::Page(_) => all && self.pages.used + bytes <= self.total - for_feeds,
        }
    }

    fn give_back(&mut self, lane: Lane, bytes: u64, over: bool) {
        let side = self.side(lane);
        side.used -= bytes;
        side.overdrawn &= !over;
        self.hand_out();
    }

    /// Grants what fits, and the first claim that does not fit if it may exceed the limit.
    fn hand_out(&mut self) {
        for lane in [Lane::Feed, Lane::Page(0)] {
            while let Some((&key, claim)) = self.side(lane).waiting.first_key_value() {
                let bytes = claim.bytes;
                let (over, alone) = (!self.fits(lane, bytes), self.alone);
                let side = self.side(lane);
                if over && (side.overdrawn || alone && side.used > 0) {
                    break;
                }
                let Some(claim) = side.waiting.remove(&key) else {
                    break;
                };
                if claim.grant.send(over).is_ok() {
                    side.used += bytes;
                    side.overdrawn |= over;
                }
            }
        }
    }
}

impl Stalled {
    fn lock(&self) -> MutexGuard<'_, (Duration, Option<Stopwatch>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        self.lock().1 = Some(Stopwatch::start());
    }

    fn end(&self) {
        let mut stalled = self.lock();
        let now = stalled.1.take().map(|since| since.elapsed());
        stalled.0 += now.unwrap_or_default();
    }

    /// The total until now.
    pub(super) fn time(&self) -> Duration {
        let stalled = self.lock();
        stalled.0 + stalled.1.map(|since| since.elapsed()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
