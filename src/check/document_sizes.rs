//! Remembers how large documents were, so that room is reserved before they are fetched.
//!
//! In memory only: after a start, each document gets the usual room and waits for more if it turns out to be longer.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fetch::{Lane, Want};

/// The room for a document of unknown length.
const USUAL: u64 = 256 << 10;

/// From this length on, a document's own length is remembered; shorter ones count as usual for their feed.
const HEAVY: u64 = 512 << 10;

/// A heavy page is huge for its feed if it is at least this many times as long as the feed's usual page.
const HUGE: u64 = 8;

/// The most documents and feeds to remember.
const MOST: usize = 1 << 16;

/// The weight of a new value in the moving average is one in this many.
const NEW_PART: u64 = 8;

/// Remembered lengths.
#[derive(Debug, Default)]
pub(super) struct DocumentSizes {
    known: Mutex<Weight>,
}

#[derive(Debug, Default)]
struct Weight {
    /// Lengths of heavy documents, by the hash of their address.
    heavy: HashMap<u64, u64>,
    /// The usual length of a feed's pages.
    usual: HashMap<u64, u64>,
}

impl DocumentSizes {
    /// How much room to reserve for a document.
    pub(super) fn want(&self, lane: Lane, url: &str) -> Want {
        let known = self.lock();
        let usual = match lane {
            Lane::Feed => None,
            Lane::Page(feed) => known.usual.get(&feed).copied(),
        };
        let heavy = known.heavy.get(&hash(url)).copied();
        let bytes = heavy.or(usual).unwrap_or(USUAL);
        Want {
            lane,
            bytes,
            huge: heavy.is_some() && bytes >= usual.unwrap_or(USUAL).saturating_mul(HUGE),
        }
    }

    /// Records how long a document was, or how much of it had arrived before it broke off.
    pub(super) fn note(&self, lane: Lane, url: &str, bytes: u64) {
        let mut known = self.lock();
        let Weight { heavy, usual } = &mut *known;
        match bytes >= HEAVY {
            true => keep(heavy, hash(url), bytes),
            false => drop(heavy.remove(&hash(url))),
        }
        if let Lane::Page(feed) = lane {
            let before = usual.get(&feed).copied().unwrap_or(bytes);
            // One huge page among small ones does not say much.
            let seen = bytes.min(2 * before);
            keep(usual, feed, before - before / NEW_PART + seen / NEW_PART);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Weight> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Anything forgotten is recorded again when it is next seen.
fn keep(map: &mut HashMap<u64, u64>, key: u64, bytes: u64) {
    if map.len() >= MOST && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, bytes);
}

/// A hash of an address, stable only within this process.
pub(super) fn hash(address: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    address.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_room_that_it_needed_last_and_is_huge_among_small_ones() {
        let weights = DocumentSizes::default();
        let lane = Lane::Page(1);
        let want = |url| weights.want(lane, url);
        assert_eq!((want("a").bytes, want("a").huge), (USUAL, false));
        for _ in 0..100 {
            weights.note(lane, "small", 20_000);
        }
        weights.note(lane, "big", 10 << 20);
        assert_eq!((want("big").bytes, want("big").huge), (10 << 20, true));
        assert!(!want("other").huge && want("other").bytes < 2 << 20);
        // Where all pages are long, none of them is huge, and a page that has become short is like the others.
        for _ in 0..100 {
            weights.note(lane, "big", 10 << 20);
        }
        assert!(!want("big").huge);
        weights.note(lane, "big", 20_000);
        assert!(want("big").bytes > 5 << 20 && !want("big").huge);
        assert_eq!(weights.want(Lane::Feed, "feed").bytes, USUAL);
    }
}
