//! The due pages that have not been started, and the task that reads them from the database.
//!
//! All due pages are read, since the most overdue page of each host may be anywhere among them; with half a million
//! pages that takes a second. So it runs on a thread for blocking work, and meanwhile the loop starts the pages
//! that it knows.

use std::collections::HashSet;
use std::future::pending;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::due::{DuePages, Gathering, PageOfFeed};
use crate::domain::ids::{EntryId, FeedId};
use crate::store::{DueKey, StoreError};
use crate::time::{Stopwatch, Timestamp};

/// Due pages are read again this often while there are more than can be fetched.
const FRESH: Duration = Duration::from_secs(5);

/// The pause between two reads of the due pages is this many times as long as the first one took: all due pages are
/// read, and there may be a million of them.
const RESTS: u32 = 20;

/// Due pages in their order.
#[derive(Debug, Default)]
pub(super) struct PageQueue {
    due: DuePages,
    /// When they were read, and how long that took.
    read: Option<(Stopwatch, Duration)>,
    reading: Option<PageRead>,
    /// Pages that were started since the current read began; it may find them due.
    started: HashSet<EntryId>,
}

/// A read in progress. It ends soon after this is dropped.
#[derive(Debug)]
struct PageRead {
    task: JoinHandle<(Result<DuePages, StoreError>, Duration)>,
    _given_up: DropGuard,
}

impl PageQueue {
    /// Whether due pages have to be read again.
    pub(super) fn is_stale(&self) -> bool {
        let is_old = |(read, took): &(Stopwatch, Duration)| {
            let age = read.elapsed();
            age >= *took * RESTS && (self.due.wants_more() || age >= FRESH)
        };
        self.reading.is_none() && self.read.as_ref().is_none_or(is_old)
    }

    /// Drops the order and any read in progress: they used another clock.
    pub(super) fn forget(&mut self) {
        self.reading = None;
        self.read = None;
    }

    /// Starts to read what is due at `now`, except `known`. `each` calls its argument with each due page until that
    /// returns `Break`.
    pub(super) fn read_anew(
        &mut self,
        now: Timestamp,
        known: HashSet<EntryId>,
        each: impl FnOnce(&mut dyn FnMut(DueKey) -> ControlFlow<()>) -> Result<(), StoreError>
        + Send
        + 'static,
    ) {
        let token = CancellationToken::new();
        let given_up = token.clone().drop_guard();
        self.started.clear();
        let task = tokio::task::spawn_blocking(move || {
            let watch = Stopwatch::start();
            let mut gathering = Gathering::new(now);
            let read = each(&mut |page| {
                if !known.contains(&page.entry) {
                    gathering.add(&page);
                }
                match token.is_cancelled() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            (read.map(|()| DuePages::new(gathering)), watch.elapsed())
        });
        self.reading = Some(PageRead {
            task,
            _given_up: given_up,
        });
    }

    /// Waits until the read in progress has ended, and takes over its result; without one, waits forever. The
    /// future may be dropped at any time.
    pub(super) async fn refreshed(&mut self) -> Result<(), StoreError> {
        let Some(reading) = &mut self.reading else {
            return pending().await;
        };
        let read = (&mut reading.task).await;
        self.reading = None;
        let (read, took) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "cannot read what is due; this is a bug in revisor, please report it");
                (Ok(DuePages::default()), FRESH / RESTS)
            }
        };
        self.read = Some((Stopwatch::start(), took));
        self.due = read?;
        self.due.leave_out(&self.started);
        Ok(())
    }

    /// Like [`DuePages::take`].
    pub(super) fn take(
        &mut self,
        room: usize,
        places: impl FnMut(&str) -> usize,
        share: impl Fn(FeedId) -> usize,
    ) -> Vec<(PageOfFeed, String)> {
        let taken = self.due.take(room, places, share);
        if self.reading.is_some() {
            self.started
                .extend(taken.iter().map(|((page, _), _)| *page));
        }
        taken
    }

    /// Whether more pages are known to be due.
    pub(super) fn has_more(&self) -> bool {
        self.due.has_more()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    fn page(entry: i64) -> DueKey {
        DueKey {
            entry: EntryId(entry),
            feed: FeedId(1),
            url: "https://e.example/".into(),
            checked: None,
            due: Timestamp::from_millis(entry),
        }
    }

    fn taken(queue: &mut PageQueue, room: usize) -> Vec<i64> {
        let taken = queue.take(room, |_| usize::MAX, |_| usize::MAX);
        taken.into_iter().map(|((page, _), _)| page.0).collect()
    }

    /// A database that responds when the test lets it.
    fn slow(
        queue: &mut PageQueue,
        known: &[i64],
        pages: Vec<i64>,
    ) -> (Sender<()>, Receiver<usize>) {
        let known = known.iter().map(|entry| EntryId(*entry)).collect();
        let ((go, wait), (say, seen)) = (channel::<()>(), channel());
        queue.read_anew(Timestamp::from_millis(1000), known, move |see| {
            let _ = wait.recv();
            let shown = pages
                .iter()
                .take_while(|entry| see(page(**entry)).is_continue());
            let _ = say.send(shown.count());
            Ok(())
        });
        (go, seen)
    }

    #[tokio::test]
    async fn the_loop_goes_on_while_what_is_due_is_read() {
        let mut queue = PageQueue::default();
        assert!(queue.is_stale());
        let (go, _seen) = slow(&mut queue, &[], vec![1, 2, 3]);
        assert!(!queue.is_stale(), "one reading at a time");
        assert_eq!(taken(&mut queue, 9), [0; 0]);
        go.send(()).unwrap();
        queue.refreshed().await.unwrap();
        assert_eq!(taken(&mut queue, 1), [1]);

        // The next query lists pages that were started in the meantime, or were already running, as due.
        let (go, _seen) = slow(&mut queue, &[1], vec![1, 2, 3, 4, 5]);
        assert_eq!(taken(&mut queue, 1), [2]);
        go.send(()).unwrap();
        queue.refreshed().await.unwrap();
        assert_eq!(taken(&mut queue, 9), [3, 4, 5], "in their order, and once");
    }

    #[tokio::test]
    async fn a_reading_that_nobody_waits_for_ends_soon() {
        let mut queue = PageQueue::default();
        let (go, seen) = slow(&mut queue, &[], (1..10_000).collect());
        queue.forget();
        assert!(queue.is_stale());
        go.send(()).unwrap();
        let seen = tokio::task::spawn_blocking(move || seen.recv().unwrap());
        assert_eq!(seen.await.unwrap(), 0);
    }
}
