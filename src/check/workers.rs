//! Parsing, extracting and comparing, off the runtime's threads and a few at a time.
//!
//! A panic ends only that piece of work: it is returned as [`Crashed`].

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fetch::{Lane, Room, Want};

/// A bounded pool for work that takes processor time.
#[derive(Debug, Clone)]
pub struct Workers {
    places: Arc<Semaphore>,
    /// The places that pages may take: one is reserved for feeds, if there are several.
    for_pages: Arc<Semaphore>,
    memory: Room,
}

/// The work panicked; the text is the panic's message, if it has one.
#[derive(Debug, thiserror::Error)]
#[error("revisor crashed on this input ({0}); this is a bug in revisor, please report it")]
pub struct Crashed(String);

impl Workers {
    /// A pool for `places` pieces of work at a time, which share `memory` bytes; one that needs more runs alone.
    #[must_use]
    pub fn new(places: usize, memory: u64) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
            for_pages: Arc::new(Semaphore::new(places.saturating_sub(1).max(1))),
            memory: Room::alone_beyond(memory),
        }
    }

    /// Sets another memory limit for work that starts from now on.
    pub fn set_memory(&self, memory: u64) {
        self.memory.set_total(memory);
    }

    /// Runs `work` that takes little memory on a thread for blocking work and waits for its result.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Crashed> {
        self.run_for(Lane::Feed, 0, work).await
    }

    /// The same for work for a feed or a page that takes `memory` bytes. Running work waits for nothing, so
    /// everything that waits here gets its turn.
    pub async fn run_for<T: Send + 'static>(
        &self,
        lane: Lane,
        memory: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Crashed> {
        let of_pages = match lane {
            Lane::Feed => None,
            Lane::Page(_) => take(&self.for_pages).await,
        };
        let bytes = memory;
        let load = match bytes {
            0 => None,
            _ => Some(
                self.memory
                    .take(Want {
                        lane,
                        bytes,
                        huge: false,
                    })
                    .await,
            ),
        };
        let place = take(&self.places).await;
        let done = tokio::task::spawn_blocking(move || {
            let _places = (of_pages, place, load);
            work()
        });
        done.await.map_err(|error| match error.try_into_panic() {
            Ok(payload) => Crashed(panic_text(&*payload)),
            Err(error) => Crashed(error.to_string()),
        })
    }
}

/// Waits for a place; the semaphore is never closed.
async fn take(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(places).acquire_owned().await.ok()
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_only_its_own_piece_of_work() {
        let workers = Workers::new(1, 1 << 20);
        let crashed = workers.run(|| panic!("bad input")).await.map(|(): ()| ());
        assert!(crashed.unwrap_err().to_string().contains("bad input"));
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
    }
}
