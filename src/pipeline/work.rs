//! Parsing, extracting and comparing, off the runtime's threads and a few at a time.
//!
//! A panic in a piece of work ends that piece only: it comes back as [`Crashed`].

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A bounded pool for work that takes processor time.
#[derive(Debug, Clone)]
pub struct Workers {
    places: Arc<Semaphore>,
}

/// The work panicked; the text is the panic's message where there is one.
#[derive(Debug, thiserror::Error)]
#[error("revisor crashed on this input ({0}); this is a bug in revisor, please report it")]
pub struct Crashed(String);

impl Workers {
    /// A pool for `places` pieces of work at once. Each may hold a document of the size limit and its parsed form, so
    /// the number bounds the memory.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
        }
    }

    /// Runs `work` on a thread for blocking work and waits for its result.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Crashed> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        done.await.map_err(|error| match error.try_into_panic() {
            Ok(payload) => Crashed(panic_text(&*payload)),
            Err(error) => Crashed(error.to_string()),
        })
    }
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
        let workers = Workers::new(1);
        let crashed = workers.run(|| panic!("bad input")).await.map(|(): ()| ());
        assert!(crashed.unwrap_err().to_string().contains("bad input"));
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
    }
}
