//! What the service waits for at its start: another program that holds the database, or a full disk. Neither is a
//! reason to stay down forever, and the service manager would not start it again.

use std::convert::Infallible;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use super::systemd;
use crate::store::{StoreError, give_reserve_up};
use crate::time::Stopwatch;

/// How long the service keeps trying: a service that is down sees no edits.
const LIMIT: Duration = Duration::MAX;

/// The pause between two tries; each of them has already waited for the lock.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the service manager is asked for more time; each request is for three times as much.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(10);

/// How long one start waits.
pub(super) struct StartupWait {
    limit: Duration,
    pause: Duration,
    since: Stopwatch,
    /// The database whose reserve may be released to get room.
    reserve: Option<PathBuf>,
    told: bool,
}

impl StartupWait {
    /// The wait of the service.
    pub(super) fn of_service(database: PathBuf) -> Self {
        Self::new(LIMIT, PAUSE, Some(database))
    }

    /// For a command: a person at a terminal gets the error immediately.
    pub(super) fn none() -> Self {
        Self::new(Duration::ZERO, Duration::ZERO, None)
    }

    fn new(limit: Duration, pause: Duration, reserve: Option<PathBuf>) -> Self {
        Self {
            limit,
            pause,
            since: Stopwatch::start(),
            reserve,
            told: false,
        }
    }

    /// Runs `work`, again and again while the database is locked or the disk is full, until the limit is reached.
    pub(super) async fn with<T, F>(&mut self, mut work: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match work().await {
                Err(error) if self.bears(&error) => self.wait(error).await,
                done => return done,
            }
        }
    }

    fn bears(&self, error: &StoreError) -> bool {
        (error.is_busy() || error.is_full()) && self.since.elapsed() < self.limit
    }

    async fn wait(&mut self, error: StoreError) {
        systemd::status(&format!("waiting: {error}"));
        match self.told {
            false => tracing::warn!("{error}; retrying until it works"),
            true => tracing::debug!("{error}"),
        }
        self.told = true;
        if error.is_full()
            && let Some(database) = self.reserve.take()
        {
            let given = tokio::task::spawn_blocking(move || give_reserve_up(&database)).await;
            if given.unwrap_or(false) {
                tracing::warn!("the disk is full; releasing the space reserved for this");
                return;
            }
        }
        tokio::time::sleep(self.pause).await;
    }
}

/// Asks for more time as long as the future is polled.
pub(super) async fn ask_for_time(every: Duration, ask: impl Fn(Duration)) -> Infallible {
    let mut turn = tokio::time::interval(every);
    loop {
        turn.tick().await;
        ask(every * 3);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    fn busy() -> StoreError {
        StoreError::Busy {
            path: "x.db".into(),
        }
    }

    #[tokio::test]
    async fn a_lock_is_waited_for_and_everything_else_is_not() {
        let tries = Cell::new(0);
        let third = || async {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(busy()) } else { Ok(()) }
        };
        let mut patience = StartupWait::new(LIMIT, SHORT, None);
        patience.with(third).await.unwrap();
        assert_eq!(tries.get(), 3);

        tries.set(0);
        let first = StartupWait::none().with(third).await;
        assert!(first.is_err_and(|error| error.is_busy()));
        assert_eq!(tries.get(), 1);

        tries.set(0);
        let other = || async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Closed)
        };
        assert!(patience.with(other).await.is_err());
        assert_eq!(tries.get(), 1);
    }

    #[tokio::test]
    async fn it_has_an_end() {
        let mut patience = StartupWait::new(SHORT * 20, SHORT, None);
        let never = || async { Err::<(), _>(busy()) };
        assert!(patience.with(never).await.is_err());
    }

    #[tokio::test]
    async fn a_full_disk_gets_the_room_of_the_reserve() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("revisor.db");
        crate::store::keep_reserve(&database).unwrap();
        let reserve = folder.path().join("revisor.db.reserve");
        let fits = || async {
            match reserve.exists() {
                true => Err(StoreError::Full {
                    path: "x.db".into(),
                }),
                false => Ok(()),
            }
        };
        let mut patience = StartupWait::new(LIMIT, LIMIT, Some(database.clone()));
        patience.with(fits).await.unwrap();
    }

    #[tokio::test]
    async fn time_is_asked_for_again_and_again() {
        let asked = Cell::new(0);
        let ask = |time| {
            assert_eq!(time, SHORT * 3);
            asked.set(asked.get() + 1);
        };
        let often = async {
            while asked.get() <= 3 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            never = ask_for_time(SHORT, ask) => match never {},
            () = often => {}
        }
    }
}
