//! One check of a feed or page at a time: a command and the schedule may request the same one, and then the second
//! check would start from what was known before the first.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What is being checked.
#[derive(Debug)]
pub(super) struct KeyedLock<K> {
    under_way: Mutex<HashSet<K>>,
    freed: Notify,
}

/// The right to check; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct KeyGuard<'a, K: Copy + Eq + Hash> {
    busy: &'a KeyedLock<K>,
    key: K,
}

impl<K: Copy + Eq + Hash> KeyedLock<K> {
    pub(super) fn new() -> Self {
        Self {
            under_way: Mutex::new(HashSet::new()),
            freed: Notify::new(),
        }
    }

    /// Waits until no other check of `key` is running.
    pub(super) async fn only(&self, key: K) -> KeyGuard<'_, K> {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Start listening before checking, so that a release in between is not missed.
            freed.as_mut().enable();
            if self.lock().insert(key) {
                return KeyGuard { busy: self, key };
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<K>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Drop for KeyGuard<'_, K> {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.key);
        self.busy.freed.notify_waiters();
    }
}
