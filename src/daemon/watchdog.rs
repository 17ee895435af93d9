//! Whether the daemon makes progress; only then is the watchdog notified.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::store::{Writer, WriterProgress};
use crate::time::Stopwatch;

/// The pulse of the scheduler.
#[derive(Debug)]
pub(super) struct Pulse {
    started: Stopwatch,
    last_beat_ms: AtomicU64,
    stuck: AtomicBool,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            started: Stopwatch::start(),
            last_beat_ms: AtomicU64::new(0),
            stuck: AtomicBool::new(false),
        }
    }

    /// The scheduler has completed another round.
    pub(super) fn beat(&self) {
        self.last_beat_ms
            .store(self.started.elapsed_ms(), Ordering::Relaxed);
    }

    /// Stores the last result of the guard.
    pub(super) fn set_alive(&self, alive: bool) {
        self.stuck.store(!alive, Ordering::Relaxed);
    }

    /// Whether the scheduler and the writer make progress, according to the guard.
    pub(super) fn is_alive(&self) -> bool {
        !self.stuck.load(Ordering::Relaxed)
    }

    /// How long ago the scheduler completed its last round.
    pub(super) fn silence(&self) -> Duration {
        let last = self.last_beat_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.started.elapsed_ms().saturating_sub(last))
    }
}

/// Watches the scheduler and the writer: both must make progress for the watchdog to be notified.
pub(super) struct WatchdogProgress {
    writer: Writer,
    seen: WriterProgress,
    moved: Stopwatch,
}

impl WatchdogProgress {
    pub(super) fn new(writer: Writer) -> Self {
        let seen = writer.progress();
        Self {
            writer,
            seen,
            moved: Stopwatch::start(),
        }
    }

    /// Whether both the scheduler and the writer have made progress within `limit`. A writer without work counts as
    /// making progress; one that waits for another program's lock does not, so `limit` must be longer than the busy
    /// timeout.
    pub(super) fn is_alive(&mut self, pulse: &Pulse, limit: Duration) -> bool {
        let now = self.writer.progress();
        if now.waiting == 0 || now.done != self.seen.done {
            self.seen = now;
            self.moved = Stopwatch::start();
        }
        self.moved.elapsed() < limit && pulse.silence() < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{OpenOptions, Store};

    #[test]
    fn a_scheduler_that_stops_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revisor.db");
        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        let pulse = Pulse::new();
        let mut progress = WatchdogProgress::new(store.writer().clone());
        pulse.beat();
        assert!(progress.is_alive(&pulse, Duration::from_mins(1)));
        assert!(!progress.is_alive(&pulse, Duration::ZERO));
    }
}
